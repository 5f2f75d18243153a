"""`moonlake audit log`: see that the log of privileged acts is as it was written.

The log is the office's and of no chain: its lines follow each other by hashes, so that nobody
changes, drops or adds one without changing the last. Who writes that one down elsewhere has it
checked against it; without it, lines cut off the end are not missed.
"""

from __future__ import annotations

import re
from typing import Annotated

import typer

from ledger.cli.audit_offline import app
from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import READING, with_settings
from ledger.config import Settings
from ledger.errors import AccessLogBroken, InvalidValue

# ruff: noqa: PLC0415  SQLAlchemy takes a second, and --help must not wait for it

_NOTED = re.compile(r"([1-9][0-9]{0,17}):0x([0-9a-f]{64})")


@app.command("log")
@with_settings(*READING)
def log_command(
    *,
    noted: Annotated[
        str, typer.Option(help="A line that was written down earlier, 41:0x…; it must stand.")
    ] = "",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Check the log of privileged acts: every line, and that nothing is missing."""
    from ledger.office.access_log import count_erased, read_end, read_lines, verify_access_log
    from ledger.store.engine import reading
    from ledger.wiring import opened_database

    wanted = _parse(noted) if noted else None
    with opened_database(settings) as engine, reading(engine) as connection:
        count = verify_access_log(connection)
        if wanted is not None:
            number, found = wanted
            line = next(read_lines(connection, after=number - 1, limit=1), None)
            if line is None or line.hash != found:
                raise AccessLogBroken(number=number, problem="is not the one that was noted")
        number, last = read_end(connection)
        erased = count_erased(connection)
    note = f"{number}:0x{last.hex()}"
    values = {"lines": count, "erased": erased, "last": note if count else None}
    text = f"{count} lines, each as it was written; of {erased} the words were erased."
    if count:
        text += f"\nThe last is {note}. Note it elsewhere, and give it as --noted later."
    show(values, text, as_json=as_json)


def _parse(noted: str) -> tuple[int, bytes]:
    found = _NOTED.fullmatch(noted)
    if found is None:
        raise InvalidValue(field="noted", value=noted, expected="a line such as 41:0x… (64 digits)")
    return int(found[1]), bytes.fromhex(found[2])
