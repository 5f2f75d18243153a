"""What the commands of `moonlake import` share: judge a file, write it down, send, show results."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ledger.cli.import_progress import ImportProgress
from ledger.cli.import_reports import (
    describe_line,
    describe_plan,
    describe_result,
    describe_summary,
    note,
    say_plan,
    say_results,
    stream_json,
    write_plan,
)
from ledger.cli.output import show
from ledger.cli.passwords import ask_password
from ledger.config import Settings
from ledger.disks import folder_unusable
from ledger.errors import (
    DiskFull,
    FolderUnusable,
    Interrupted,
    InvalidValue,
    ResultsUnwritten,
    RowsWrong,
)

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ledger.chain.signers import Signer
    from ledger.services.desk import Desk
    from ledger.services.imports.columns import Subject
    from ledger.services.imports.journal import Import
    from ledger.services.imports.kinds import Given
    from ledger.services.imports.planning import Plan


# ruff: noqa: PLC0415  services take a second to import, and --help must not wait for them


@dataclasses.dataclass(frozen=True, slots=True)
class Options:
    """What the three commands share."""

    path: Path
    preview: bool
    template: bool
    chinese: bool
    label: str
    encoding: str
    sheet: str
    cached_formulas: bool
    allow_equal_rows: bool
    skip_wrong: bool
    results: Path | None
    report: Path | None
    signer: str
    settings: Settings
    as_json: bool


def bring(subject: Subject, options: Options, given: Callable[[Desk], Given]) -> None:
    from ledger.chain.keyring import find_named_key
    from ledger.services.imports.planning import File, Plan
    from ledger.services.imports.spool import Spool
    from ledger.wiring import opened_desk

    if options.template:
        _write_template(subject, options)
        return
    settings, path = options.settings, options.path.absolute()
    how = _how_to_read(options)
    sender = find_named_key(settings, options.signer).address
    target = None if options.preview else _results_path(options, path)
    if options.report is not None:
        from ledger.services.spreadsheets.writing import check_target

        check_target(options.report.absolute(), not_over=path)
    progress = ImportProgress(quiet=options.as_json)
    with opened_desk(settings) as desk, Spool() as spool:
        file = File(subject, path, sender, given(desk), how, options.allow_equal_rows)
        plan = Plan(desk, file, spool, progress)
        try:
            plan.judge()
        finally:
            progress.end()
        if options.report is not None:
            write_plan(options.report.absolute(), plan)
        if options.preview:
            _show_preview(plan, options)
            return
        _refuse_wrong(plan, options)
        _finish(desk, plan, options, target, progress)


def _finish(
    desk: Desk, plan: Plan, options: Options, target: Path | None, progress: ImportProgress
) -> None:
    """Write the plan down, have it sent, and show the results."""
    from ledger.services.imports.bringing import write_down
    from ledger.services.imports.journal import name_of
    from ledger.services.imports.spool import Action
    from ledger.store.engine import reading
    from ledger.wiring import open_named_signer

    counts = plan.counts()
    to_send = counts[Action.SEND] + counts[Action.WAITING]
    signer = open_named_signer(options.settings, options.signer, ask_password) if to_send else None
    write_down(desk, plan)
    with reading(desk.engine) as connection:
        found = name_of(connection, plan.import_id)
    note(_say_beginning(counts, found), quiet=options.as_json)
    if signer is not None:
        send_import(desk, options.settings, signer, plan.import_id, progress)
    if target is not None:
        spare = None if options.results is not None else _spare_path(options.settings, target)
        target = keep_results(target, desk.engine, found, spare)
    if not show_results(desk.engine, found, target, as_json=options.as_json):
        raise typer.Exit(1)


def _say_beginning(counts: Any, found: Import) -> str:
    from ledger.services.imports.spool import Action

    known = counts[Action.DONE] + counts[Action.THERE]
    parts = [f"Import {found.name}: {counts[Action.SEND]:,} rows to send"]
    if counts[Action.WAITING]:
        parts.append(f"{counts[Action.WAITING]:,} written down before and not known to be done")
    if known:
        parts.append(f"{known:,} done before, about which nothing is done")
    if counts[Action.WRONG]:
        parts.append(f"{counts[Action.WRONG]:,} wrong and left out")
    return ", ".join(parts) + "."


def send_import(
    desk: Desk, settings: Settings, signer: Signer, import_id: bytes, progress: ImportProgress
) -> None:
    from ledger.chain.devnet_funds import fund_accounts
    from ledger.services.imports.bringing import Bringing

    if settings.uses_devnet:
        fund_accounts(desk.node, (signer.address,))
    try:
        for _resumed in desk.outbox.resume():
            pass  # what came of it is told by row
        Bringing(desk, signer, import_id, progress).run()
    except KeyboardInterrupt as error:
        name = import_id.hex()[:12]
        remedy = (
            f"What was sent is recorded; the same command again, or `moonlake import resume {name}`"
            ", goes on, and does nothing twice."
        )
        raise Interrupted(remedy=remedy, import_id=import_id.hex()) from error
    finally:
        progress.end()


def keep_results(target: Path, engine: Engine, found: Import, spare: Path | None = None) -> Path:
    """Write every row's result; where it stands then: at `spare` where `target` cannot be written.

    Raises ResultsUnwritten where neither can.
    """
    from ledger.services.imports.results import write_results

    try:
        write_results(target, engine, found)
    except (FolderUnusable, DiskFull) as error:
        if spare is not None and spare != target:
            return keep_results(spare, engine, found)
        raise ResultsUnwritten(problem=str(error), import_id=found.name) from error
    return target


def show_results(engine: Engine, found: Import, target: Path | None, *, as_json: bool) -> bool:
    """Show an import's results; whether all of its rows are done."""
    from ledger.services.imports.results import MADE, read_results, summarise
    from ledger.store.engine import reading

    with reading(engine) as connection:
        summary = summarise(connection, found)
    if as_json:
        head = describe_summary(summary) | {"results": str(target) if target is not None else None}
        made = MADE[found.kind]
        rows = (describe_result(each, made) for each in read_results(engine, found))
        stream_json(head, "rows", rows)
    else:
        text = say_results(found, read_results(engine, found), summary)
        if target is not None:
            text += f"\n\nEvery row's result is in {target}."
        show({}, text, as_json=False)
    done = sum(summary.counts.get(state, 0) for state in ("included", "final", "there"))
    return done == found.line_count


def _show_preview(plan: Plan, options: Options) -> None:
    from ledger.services.imports.spool import Action

    if options.as_json:
        stream_json(describe_plan(plan), "rows", (describe_line(each) for each in plan.lines()))
    else:
        show({}, say_plan(plan) + "\n\nNothing was changed.", as_json=False)
    if plan.counts()[Action.WRONG]:
        raise typer.Exit(1)


def _refuse_wrong(plan: Plan, options: Options) -> None:
    """Raise RowsWrong where rows are wrong, unless the others are to be sent."""
    from ledger.services.imports.spool import Action

    wrong = plan.counts()[Action.WRONG]
    if not wrong or options.skip_wrong:
        return
    error = RowsWrong(wrong=f"{wrong:,}", rows=f"{plan.line_count:,}", path=options.path)
    if not options.as_json:
        note(say_plan(plan))
        raise error
    told = {"error": {"code": error.code, "sentence": str(error), "advice": error.advice}}
    rows = (describe_line(each) for each in plan.lines())
    stream_json(describe_plan(plan) | {"preview": False} | told, "rows", rows)
    raise typer.Exit(2)


def _write_template(subject: Subject, options: Options) -> None:
    from ledger.services.imports.columns import headings_of, write_template

    if options.path.exists():
        expected = "a name that nothing has: a template goes into a new file"
        raise InvalidValue(field="file", value=str(options.path), expected=expected)
    write_template(options.path.absolute(), subject, chinese=options.chinese)
    headings = headings_of(subject, chinese=options.chinese)
    text = f"Wrote {options.path} with the headings {', '.join(headings)}."
    show({"file": str(options.path), "headings": headings}, text, as_json=options.as_json)


def _how_to_read(options: Options) -> Any:
    from ledger.services.imports.planning import MAX_ROWS
    from ledger.services.spreadsheets.encodings import parse_encoding
    from ledger.services.spreadsheets.tables import HowToRead

    return HowToRead(
        encoding=parse_encoding(options.encoding),
        sheet=options.sheet,
        cached_formulas=options.cached_formulas,
        most_rows=MAX_ROWS,
    )


def _results_path(options: Options, path: Path) -> Path:
    """Where the results go; seen to be writable before anything is sent."""
    from ledger.services.spreadsheets.writing import check_target

    if options.results is not None:
        check_target(options.results.absolute(), not_over=path)
        return options.results.absolute()
    beside = path.with_name(f"{path.stem}.results.csv")
    try:
        check_target(beside, not_over=path)
    except FolderUnusable:
        return _spare_path(options.settings, beside)
    return beside


def _spare_path(settings: Settings, beside: Path) -> Path:
    """Where results go that cannot stand beside their file. Raises FolderUnusable and DiskFull."""
    kept = settings.home.absolute() / "imports"
    try:
        kept.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise folder_unusable(kept, error) from error
    return kept / beside.name
