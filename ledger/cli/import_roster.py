"""`moonlake import roster`: bring a folder of spreadsheets onto the chain.

With `--dry-run` it says of every row what would happen, and changes nothing.
"""

from __future__ import annotations

import dataclasses
import functools
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.ordering import ordering
from ledger.cli.output import JsonOption, show
from ledger.cli.passwords import ask_password
from ledger.cli.settings_options import SENDING, with_settings
from ledger.cli.view import parse_time, table
from ledger.config import Settings

if TYPE_CHECKING:
    from ledger.services.roster.planning import PlannedRow
    from ledger.services.roster.reading import Roster

# ruff: noqa: PLC0415  services take a second to import, and --help must not wait for them

USUAL_TERM = 365 * 86_400
EPOCH_YEARS = 3


@with_settings(*SENDING)
def roster(
    folder: Annotated[Path, typer.Argument(help="The folder with the CSV files.")],
    *,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would happen.")] = False,
    expires: Annotated[
        str, typer.Option(help="When new memberships end; a year from now if unset.")
    ] = "",
    council: Annotated[str, typer.Option(help="The key that founds programmes.")] = "council",
    registrar: Annotated[str, typer.Option(help="The key that registers and admits.")] = (
        "registrar"
    ),
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Import programmes, organisations, memberships and applications; what is there stays."""
    from ledger.services.roster.reading import read_roster

    read = read_roster(folder.absolute())
    expires_at = parse_time("expires", expires) if expires else _usual_expiry()
    if dry_run:
        rows = _preview(settings, read)
    else:
        rows = _run(settings, read, council, registrar, expires_at, quiet=as_json)
    values = {"dry_run": dry_run, "rows": [dataclasses.asdict(row) for row in rows]}
    show(values | {"counts": _counts(rows)}, _text(rows, dry_run=dry_run), as_json=as_json)


def _preview(settings: Settings, read: Roster) -> list[PlannedRow]:
    from ledger.services.roster.importing import RosterImport
    from ledger.wiring import open_controllers, opened_desk

    with opened_desk(settings) as desk:
        controllers = open_controllers(settings, read, make_seed=False, ask=ask_password)
        return RosterImport(desk, read, controllers, lambda _line: None).plan()


def _run(
    settings: Settings,
    read: Roster,
    council: str,
    registrar: str,
    expires_at: int,
    *,
    quiet: bool,
) -> list[PlannedRow]:
    from ledger.chain.devnet_funds import fund_accounts
    from ledger.services.demonstration.calendar import quarter_boundaries
    from ledger.services.roster.importing import RosterImport, Signers, Terms
    from ledger.wiring import open_controllers, open_named_signer

    def report(line: str) -> None:
        if not quiet:
            typer.echo(line, err=True)

    ask = functools.cache(ask_password)  # one password, typed once, opens all that is needed here
    signers = Signers(
        open_named_signer(settings, council, ask), open_named_signer(settings, registrar, ask)
    )
    terms = Terms(expires_at, quarter_boundaries(int(time.time()), EPOCH_YEARS))
    with ordering(settings, registrar, ask=ask) as desktop:
        if settings.uses_devnet:
            fund_accounts(desktop.desk.node, (signers.council.address,))
        controllers = open_controllers(settings, read, ask=ask)
        return RosterImport(desktop.desk, read, controllers, report).run(signers, terms)


def _usual_expiry() -> int:
    """A year from now, at midnight."""
    return (int(time.time()) + USUAL_TERM) // 86_400 * 86_400


def _counts(rows: list[PlannedRow]) -> dict[str, dict[str, int]]:
    """How many rows of each subject are added, kept, and cannot be done."""
    counts: dict[str, dict[str, int]] = {}
    for row in rows:
        of_subject = counts.setdefault(row.subject, {"add": 0, "keep": 0, "cannot": 0})
        of_subject[row.action.value] += 1
    return counts


def _text(rows: list[PlannedRow], *, dry_run: bool) -> str:
    counts = _counts(rows)
    changed = sum(each["add"] for each in counts.values())
    summary = table(
        ("what", "add#", "there#", "cannot#"),
        [(name, each["add"], each["keep"], each["cannot"]) for name, each in counts.items()],
    )
    told = [
        (row.action.value, row.subject, row.programme, row.key, row.note)
        for row in rows
        if row.note or (dry_run and row.action.value != "keep")
    ]
    detail = table(("", "what", "programme", "key", "note"), told) + "\n\n" if told else ""
    if not changed:
        return f"{detail}{summary}\n\nEverything of the roster is there; nothing to do."
    done = "would be added; nothing was changed" if dry_run else "added"
    return f"{detail}{summary}\n\n{changed} rows {done}."
