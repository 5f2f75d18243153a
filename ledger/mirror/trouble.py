"""How a mirror that runs tells that it cannot write: by holding a lock.

On a full disk no row can say so, and the row that is there says for a while yet that all is well.
A lock takes no room, ends with the process that holds it, and is seen at once by a server on the
same database. It says that a mirror cannot write, and not why: that is in the mirror's own report.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
from contextlib import ExitStack

from sqlalchemy import Connection, Engine, text

from ledger.errors import DatabaseUnusable, DiskFull, FolderUnusable
from ledger.mirror.lease import Lock, lock_file, open_lock
from ledger.store.engine import POSTGRESQL

_TROUBLE = Lock(".mirror-trouble", 0x4D54524F)  # "MTRO"


class Trouble:
    """A mirror's word that it cannot write; `close` takes it back."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._held: ExitStack | None = None

    def tell(self) -> None:
        """Say so, until `close`. Where not even that can be done, the mirror's silence tells."""
        if self._held is not None:
            return
        with ExitStack() as held, contextlib.suppress(DatabaseUnusable, DiskFull, FolderUnusable):
            if open_lock(self._engine, held, _TROUBLE).take():
                self._held = held.pop_all()

    def close(self) -> None:
        """It can write (again), or ends."""
        if self._held is not None:
            self._held.close()
            self._held = None


def is_in_trouble(connection: Connection) -> bool:
    """Whether a mirror of this database says that it cannot write."""
    if connection.dialect.name == POSTGRESQL:
        statement = "SELECT pg_try_advisory_xact_lock_shared(:lock, hashtext(current_schema()))"
        return not connection.execute(text(statement), {"lock": _TROUBLE.number}).scalar_one()
    try:
        descriptor = os.open(lock_file(connection.engine, _TROUBLE), os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return False  # nobody ever said so
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False
