"""Moves a data folder's ledger aside, so that the next start begins an empty one.

Keys stay: the ledger that is set aside needs them, and so may the next. It refuses a database that
is not a file of the data folder, which it could not move.
"""

from __future__ import annotations

import itertools
import time
from pathlib import Path

from ledger.chain.devnet import reset_devnet
from ledger.cli.children import LOG_FOLDER
from ledger.config import Settings
from ledger.disks import folder_unusable
from ledger.errors import InvalidSetting

_DATABASE = "moonlake.sqlite3"
_KEPT_ASIDE = "set-aside"
_FOLDERS = ("deployments", "evidence", LOG_FOLDER)


def move_aside(settings: Settings) -> Path | None:
    """Move chain, database, documents and logs into a folder of their own; None if there is none.

    Raises AlreadyRunning while the ledger runs, and InvalidSetting where its data are elsewhere.
    """
    if not settings.uses_devnet:
        problem = "--fresh is for the devnet; this chain is not ours to set aside"
        raise InvalidSetting(setting="MOONLAKE_RPC_URL", problem=problem)
    if settings.database_url:
        problem = "--fresh cannot move this database; name an empty one"
        raise InvalidSetting(setting="MOONLAKE_DATABASE_URL", problem=problem)
    chain = reset_devnet(settings)
    found = [path for path in (settings.home / name for name in _FOLDERS) if path.exists()]
    found += sorted(settings.home.glob(f"{_DATABASE}*"))
    if chain is None and not found:
        return None
    try:
        aside = _new_folder(settings.home / _KEPT_ASIDE)
        if chain is not None:
            chain.rename(aside / "devnet")
        for path in found:
            path.rename(aside / path.name)
    except OSError as error:
        raise folder_unusable(settings.home, error) from error
    return aside


def _new_folder(parent: Path) -> Path:
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    for number in itertools.count(1):
        folder = parent / (stamp if number == 1 else f"{stamp}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            continue
        return folder
    raise AssertionError("counting does not end")
