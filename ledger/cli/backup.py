"""`moonlake backup`: everything that no chain can give back, in one file."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.view import plain
from ledger.config import Settings

app = typer.Typer()

# ruff: noqa: PLC0415  SQLAlchemy takes a second, and --help must not wait for it


@app.command("backup")
@with_settings(*READING, "evidence_url")
def backup(
    file: Annotated[Path, typer.Argument(help="The file to write: office-2027-01-31.tar.gz.")],
    *,
    with_keys: Annotated[
        bool, typer.Option("--with-keys", help="Also the keys, encrypted as they are.")
    ] = False,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Back up office, outbox, documents, proofs and deployment; Moonlake may go on running.

    The file holds names, contacts and webhooks' secrets: keep it as you keep those.
    """
    from ledger.services.backups import write_backup
    from ledger.wiring import open_evidence, opened_database

    with opened_database(settings) as engine:
        made = write_backup(
            engine,
            open_evidence(settings),
            file.expanduser().absolute(),
            home=settings.home,
            with_keys=with_keys,
            now=int(time.time()),
        )
    rows, keys, proofs = sum(made.rows.values()), made.keys, made.proofs
    lines = [
        f"{rows} rows, {made.documents} documents; files of keys {keys}, proofs {proofs}.",
        f"Digest {made.digest}.",
        *(f"The file of document {each} is gone." for each in made.missing),
    ]
    show({"file": str(file), **plain(made)}, "\n".join(lines), as_json=as_json)
