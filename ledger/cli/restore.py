"""`moonlake restore`: puts a backup into an empty database; the mirror comes from the chain."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.view import plain, show_time
from ledger.config import Settings

app = typer.Typer()

# ruff: noqa: PLC0415  SQLAlchemy takes a second, and --help must not wait for it


@app.command("restore")
@with_settings(*READING, "evidence_url")
def restore(
    file: Annotated[Path, typer.Argument(help="A file that `moonlake backup` wrote.")],
    *,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Restore a backup; then `moonlake mirror sync` brings what the chain holds."""
    from ledger.services.backups import restore_backup
    from ledger.wiring import open_evidence, opened_database

    with opened_database(settings) as engine:
        found = restore_backup(
            engine, open_evidence(settings), file.expanduser().absolute(), home=settings.home
        )
    text = (
        f"Restored what was kept on {show_time(found.made_at)}: {sum(found.rows.values())} rows, "
        f"{found.documents} documents.\nDigest {found.digest}."
    )
    show({"file": str(file), **plain(found)}, text, as_json=as_json)
