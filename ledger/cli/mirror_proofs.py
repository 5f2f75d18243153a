"""Keeps proofs of the state while the mirror follows: at each epoch's end, before nodes forget.

A thread beside the mirror, with connections of its own, so that a slow proof delays no block. It
looks at the mirror's head now and then; what it cannot get it says, and asks for again later. It
writes nothing into the database.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from ledger.config import Settings
from ledger.errors import LedgerError

if TYPE_CHECKING:
    from sqlalchemy import Engine

log = logging.getLogger("moonlake.audit")

LOOK_SECONDS = 10.0
PAUSE_SECONDS = 60.0


@contextmanager
def keeping_proofs(settings: Settings, engine: Engine) -> Iterator[None]:
    """Do so until its end."""
    stop = threading.Event()
    thread = threading.Thread(
        target=_keep, args=(settings, engine, stop), name="proofs", daemon=True
    )
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def _keep(settings: Settings, engine: Engine, stop: threading.Event) -> None:
    from ledger.wiring import capture_if_due  # noqa: PLC0415  SQLAlchemy takes a second

    pause = LOOK_SECONDS
    while not stop.wait(pause):
        pause = LOOK_SECONDS
        try:
            capture_if_due(settings, engine)
        except LedgerError as error:
            log.warning("proofs of the state were not kept: %s [%s]", error, error.code)
            pause = PAUSE_SECONDS
