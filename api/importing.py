"""Brings the imports that officers asked this server for, behind the requests.

A request ends when an import is written down; a thread here has it sent, and holds its order
meanwhile (`ledger.services.imports.orders`). What a process left when it ended, the next one finds
by that. A chain that does not answer is tried again by itself; what only a person can judge (a
pause, a missing office) stands still, and its page says why.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping

from sqlalchemy import Connection

from ledger.chain.signers import KeySigner
from ledger.errors import LedgerError, Unforeseen
from ledger.office.asked import note_replaced
from ledger.outbox.leases import new_holder
from ledger.outbox.times import now_in_milliseconds
from ledger.services.desk import Desk
from ledger.services.imports import orders
from ledger.services.imports.bringing import Bringing
from ledger.services.imports.journal import name_of
from ledger.services.imports.orders import Stage
from ledger.store.engine import reading, writing

log = logging.getLogger("moonlake.api")

MOST_AT_ONCE = 2
"""Imports that are brought at once; each has up to two dozen transactions on their way."""

_LOOK_SECONDS = 1.0
_AGAIN_MILLISECONDS = 10_000
_PASSES = ("node.", "setup.database_", "sending.receipt_overdue", "sending.fees_too_high")
"""How the codes begin of what passes without anybody doing something."""


class Importing:
    """The imports of one server process. `news` is set when there may be another."""

    def __init__(
        self,
        desk: Desk,
        signers: Mapping[bytes, KeySigner],
        stop: threading.Event,
        news: threading.Event,
    ) -> None:
        self._desk = desk
        self._signers = signers
        self._stop = stop
        self._news = news
        self._holder = new_holder()
        self._lock = threading.Lock()
        self._running: dict[bytes, threading.Thread] = {}

    def run(self) -> None:
        """Bring what there is, as long as the server goes on."""
        while not self._stop.is_set():
            try:
                self._hold()
                while len(self._running) < MOST_AT_ONCE and self._begin():
                    continue
            except Exception:
                if self._stop.is_set():
                    return  # what it worked with was closed
                log.exception("imports could not be looked for")
            self._news.wait(_LOOK_SECONDS)
            self._news.clear()

    def _hold(self) -> None:
        """Say that this process still has what it brings."""
        with self._lock:
            held = list(self._running)
        for import_id in held:
            with writing(self._desk.engine) as connection:
                orders.hold_on(connection, import_id, self._holder, now=now_in_milliseconds())

    def _begin(self) -> bool:
        """Begin with another import; False where there is none."""
        with reading(self._desk.engine) as connection:
            if not orders.is_any_left(connection, now=now_in_milliseconds()):
                return False
        with writing(self._desk.engine) as connection:
            import_id = orders.take_order(
                connection,
                self._holder,
                genesis_hash=self._desk.outbox.chain.genesis_hash,
                senders=list(self._signers),
                now=now_in_milliseconds(),
            )
        if import_id is None or import_id in self._running:
            return False
        thread = threading.Thread(
            target=self._bring, args=(import_id,), name="moonlake-import", daemon=True
        )
        with self._lock:
            self._running[import_id] = thread
        thread.start()
        return True

    def _bring(self, import_id: bytes) -> None:
        try:
            stage, error, until = self._outcome(import_id)
            with self._lock:
                del self._running[import_id]
            with writing(self._desk.engine) as connection:
                orders.let_go(connection, import_id, self._holder, stage, error, until=until)
        except Exception:
            with self._lock:
                self._running.pop(import_id, None)
            if not self._stop.is_set():
                log.exception("an import could not be let go")

    def _outcome(self, import_id: bytes) -> tuple[Stage, LedgerError | None, int]:
        """Bring it; how it is with it then, why, and until when it is not to be tried again."""
        try:
            with reading(self._desk.engine) as connection:
                signer = self._signers[name_of(connection, import_id).sender]
            bringing = Bringing(
                self._desk, signer, import_id, _tell_nobody, stop=self._stop, on_part=_pass_on
            )
            bringing.run()
        except LedgerError as error:
            log.warning("import %s: %s", import_id.hex()[:12], error.code)
            if error.code.startswith(_PASSES):
                return Stage.RUNNING, error, now_in_milliseconds() + _AGAIN_MILLISECONDS
            return Stage.HALTED, error, 0
        except Exception as error:
            if self._stop.is_set():
                return Stage.RUNNING, None, 0
            log.exception("import %s met what was not foreseen", import_id.hex()[:12])
            problem = type(error).__name__
            return Stage.HALTED, Unforeseen(problem=problem, path="the log of the server"), 0
        return (Stage.RUNNING if self._stop.is_set() else Stage.OVER), None, 0


def _tell_nobody(_step: str, _done: int, _total: int) -> None:
    """How far it is stands in the database."""


def _pass_on(connection: Connection, operation_id: bytes, by: bytes) -> None:
    note_replaced(connection, operation_id, by, now=time.time_ns() // 1_000_000)
