"""`moonlake import`: bring spreadsheets onto the chain, each row once, with its result beside it.

`organisations`, `memberships` and `awards` take one file each, `roster` a folder. `--preview` says
for every row what would happen, and changes nothing. The same file again goes on where it was
interrupted and does nothing twice.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.import_bringing import (
    Options,
    bring,
    keep_results,
    send_import,
    show_results,
)
from ledger.cli.import_progress import ImportProgress
from ledger.cli.import_reports import (
    describe_summary,
    say_imports,
)
from ledger.cli.import_roster import roster
from ledger.cli.ordering import (
    EvidenceOption,
    NoEvidenceOption,
    keep_document,
    require_evidence,
    signer_option,
)
from ledger.cli.output import JsonOption, show
from ledger.cli.passwords import ask_password
from ledger.cli.settings_options import READING, SENDING, with_settings
from ledger.cli.view import parse_time
from ledger.config import Settings
from ledger.errors import (
    KeyMissing,
    NotFound,
)

if TYPE_CHECKING:
    from ledger.chain.signers import Signer
    from ledger.services.desk import Desk
    from ledger.services.imports.kinds import Given

app = typer.Typer(no_args_is_help=True, help="Bring data from spreadsheets, each row once.")
app.command("roster")(roster)

# ruff: noqa: PLC0415  services take a second to import, and --help must not wait for them


FileArgument = Annotated[Path, typer.Argument(help="A file: .csv or .xlsx.")]
PreviewOption = Annotated[
    bool,
    typer.Option("--preview", "--dry-run", help="Only say what would happen, for every row."),
]
TemplateOption = Annotated[
    bool, typer.Option("--template", help="Write FILE, empty, with the headings.")
]
ChineseOption = Annotated[
    bool, typer.Option("--chinese", help="Chinese headings, with --template.")
]
ProgrammeOption = Annotated[
    str, typer.Option(help="A programme's id or key, of rows that name none.")
]
LabelOption = Annotated[
    str,
    typer.Option(
        help="Part of what rows are known by: the same row under another label is another row."
    ),
]
EncodingOption = Annotated[
    str, typer.Option(help="utf-8 or gb18030, of a CSV; found out if unset.")
]
SheetOption = Annotated[str, typer.Option(help="A workbook's sheet, where it has several.")]
CachedOption = Annotated[
    bool,
    typer.Option("--cached-formulas", help="Take what was last calculated instead of refusing."),
]
EqualOption = Annotated[
    bool,
    typer.Option(
        "--allow-equal-rows", help="Rows that ask for the same are all meant, each by itself."
    ),
]
SkipOption = Annotated[
    bool, typer.Option("--skip-wrong", help="Send the others where some rows are wrong.")
]
ResultsOption = Annotated[
    Path | None,
    typer.Option(
        help="Where the results go, .csv or .xlsx; NAME.results.csv beside FILE if unset."
    ),
]
ReportOption = Annotated[
    Path | None, typer.Option(help="Write every row of the preview there, .csv or .xlsx.")
]
FolderOption = Annotated[
    Path | None,
    typer.Option(help="Where documents named as evidence are; FILE's folder if unset."),
]


@app.command()
@with_settings(*SENDING)
def awards(
    file: FileArgument,
    *,
    programme: ProgrammeOption = "",
    evidence: EvidenceOption = "",
    no_evidence: NoEvidenceOption = False,
    evidence_folder: FolderOption = None,
    preview: PreviewOption = False,
    template: TemplateOption = False,
    chinese: ChineseOption = False,
    label: LabelOption = "",
    encoding: EncodingOption = "",
    sheet: SheetOption = "",
    cached_formulas: CachedOption = False,
    allow_equal_rows: EqualOption = False,
    skip_wrong: SkipOption = False,
    results: ResultsOption = None,
    report: ReportOption = None,
    signer: str = signer_option("issuer"),
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Award credits: reference, programme, organisation, amount, category, evidence.

    Rows need evidence, of their own or one for all (--evidence), unless --no-evidence says that
    there is none.
    """
    from ledger.services.imports.columns import Subject

    options = Options(
        *(file, preview, template, chinese, label, encoding, sheet, cached_formulas),
        *(allow_equal_rows, skip_wrong, results, report, signer, settings, as_json),
    )
    if evidence or no_evidence:
        require_evidence(evidence, there_is_none=no_evidence)

    def given(desk: Desk) -> Given:
        from ledger.services.imports.kinds import Given

        return Given(
            programme=_programme(desk, programme),
            label=label,
            evidence=keep_document(desk, evidence, rehearses=preview),
            evidence_needed=not evidence and not no_evidence,
            folder=(evidence_folder or file.parent).absolute(),
        )

    bring(Subject.AWARDS, options, given)


@app.command()
@with_settings(*SENDING)
def memberships(
    file: FileArgument,
    *,
    programme: ProgrammeOption = "",
    expires: Annotated[str, typer.Option(help="When memberships end whose rows name no day.")] = "",
    evidence_folder: FolderOption = None,
    preview: PreviewOption = False,
    template: TemplateOption = False,
    chinese: ChineseOption = False,
    label: LabelOption = "",
    encoding: EncodingOption = "",
    sheet: SheetOption = "",
    cached_formulas: CachedOption = False,
    allow_equal_rows: EqualOption = False,
    skip_wrong: SkipOption = False,
    results: ResultsOption = None,
    report: ReportOption = None,
    signer: str = signer_option("registrar"),
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Admit and change members: reference, programme, organisation, action, tier, expires, reason,
    evidence. An action is admit (if empty), renew, tier, suspend, resume or revoke."""
    from ledger.services.imports.columns import Subject

    options = Options(
        *(file, preview, template, chinese, label, encoding, sheet, cached_formulas),
        *(allow_equal_rows, skip_wrong, results, report, signer, settings, as_json),
    )
    expires_at = parse_time("expires", expires) if expires else 0

    def given(desk: Desk) -> Given:
        from ledger.services.imports.kinds import Given

        return Given(
            programme=_programme(desk, programme),
            label=label,
            folder=(evidence_folder or file.parent).absolute(),
            expires=expires_at,
        )

    bring(Subject.MEMBERSHIPS, options, given)


@app.command()
@with_settings(*SENDING)
def organisations(
    file: FileArgument,
    *,
    preview: PreviewOption = False,
    template: TemplateOption = False,
    chinese: ChineseOption = False,
    encoding: EncodingOption = "",
    sheet: SheetOption = "",
    cached_formulas: CachedOption = False,
    skip_wrong: SkipOption = False,
    results: ResultsOption = None,
    report: ReportOption = None,
    signer: str = signer_option("registrar"),
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Register organisations: key, name_zh, name_en, kind, controller, segment, note."""
    from ledger.services.imports.columns import Subject

    options = Options(
        *(file, preview, template, chinese, "", encoding, sheet, cached_formulas),
        *(False, skip_wrong, results, report, signer, settings, as_json),
    )

    def given(_desk: Desk) -> Given:
        from ledger.services.imports.kinds import Given

        return Given(folder=file.parent.absolute())

    bring(Subject.ORGANISATIONS, options, given)


@app.command("list")
@with_settings(*READING)
def list_command(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """The latest imports, newest first, and how far each is."""
    from ledger.services.imports.journal import list_imports
    from ledger.services.imports.results import summarise
    from ledger.store.engine import reading
    from ledger.wiring import opened_database

    with opened_database(settings) as engine, reading(engine) as connection:
        found = [summarise(connection, each) for each in list_imports(connection, limit=limit)]
    answer = {"imports": [describe_summary(each) for each in found]}
    show(answer, say_imports(found), as_json=as_json)


ImportArgument = Annotated[str, typer.Argument(help="An import's id, or its first digits.")]


@app.command("show")
@with_settings(*READING)
def show_command(
    import_id: ImportArgument,
    *,
    results: Annotated[
        Path | None, typer.Option(help="Write every row's result there, .csv or .xlsx.")
    ] = None,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """One import: how far it is, the first rows that are not done, and with --json every row."""
    from ledger.services.imports.journal import find_import
    from ledger.store.engine import reading
    from ledger.wiring import opened_database

    with opened_database(settings) as engine:
        with reading(engine) as connection:
            found = find_import(connection, import_id)
        if results is not None:
            keep_results(results.absolute(), engine, found)
        show_results(engine, found, results, as_json=as_json)


@app.command()
@with_settings(*SENDING)
def resume(
    import_id: ImportArgument,
    *,
    results: Annotated[
        Path | None, typer.Option(help="Write every row's result there, .csv or .xlsx.")
    ] = None,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Go on with an import that was interrupted, without its file."""
    from ledger.services.imports.journal import find_import
    from ledger.services.spreadsheets.writing import check_target
    from ledger.store.engine import reading
    from ledger.wiring import opened_desk

    if results is not None:
        check_target(results.absolute())
    with opened_desk(settings) as desk:
        with reading(desk.engine) as connection:
            found = find_import(connection, import_id)
        signer = _signer_of(settings, found.sender)
        progress = ImportProgress(quiet=as_json)
        send_import(desk, settings, signer, found.import_id, progress)
        if results is not None:
            keep_results(results.absolute(), desk.engine, found)
        is_done = show_results(desk.engine, found, results, as_json=as_json)
    if not is_done:
        raise typer.Exit(1)


@app.command()
@with_settings(*SENDING)
def cancel(
    import_id: ImportArgument,
    *,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Take back what nothing was signed of in an import; what was sent stays."""
    from ledger.services.imports.journal import find_import
    from ledger.services.imports.results import summarise
    from ledger.services.imports.withdrawing import cancel_unsent
    from ledger.store.engine import reading
    from ledger.wiring import opened_database

    with opened_database(settings) as engine:
        with reading(engine) as connection:
            found = find_import(connection, import_id)
        count = cancel_unsent(engine, found)
        with reading(engine) as connection:
            summary = summarise(connection, found)
    text = f"Took back {count:,} rows of {found.file_name}. " + (
        "Nothing of it waits."
        if summary.is_finished
        else f"Others are on their way: `moonlake import resume {found.name}` sees them through, "
        "and `moonlake operation cancel` takes one of their operations back."
    )
    answer = {"cancelled": count, "import": describe_summary(summary)}
    show(answer, text, as_json=as_json)


# --- what the three share -------------------------------------------------------------------------


def _programme(desk: Desk, reference: str) -> Any:
    from ledger.domain.ids import ALLIANCE_WIDE
    from ledger.services.imports.directory import Directory

    if not reference:
        return ALLIANCE_WIDE
    found = Directory(desk).programme(reference)
    if found is None:
        raise NotFound(what="programme", key=reference)
    return found


def _signer_of(settings: Settings, address: bytes) -> Signer:
    from ledger.chain.addresses import show_address
    from ledger.chain.keyring import list_named_keys
    from ledger.wiring import open_named_signer

    for key in list_named_keys(settings):
        if key.address == address:
            return open_named_signer(settings, key.name, ask_password)
    raise KeyMissing(key=show_address(address), place="the data folder")
