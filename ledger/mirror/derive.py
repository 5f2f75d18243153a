"""Builds the derived tables of the mirror from the raw facts that are stored; asks no node."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator, Mapping

from sqlalchemy import Connection, Engine, select

from ledger.chain.logs import JournalCursor
from ledger.domain.ids import BlockNumber
from ledger.errors import FactsDamaged, JournalBroken
from ledger.mirror.ahead import ProverDied
from ledger.mirror.apply import Applier
from ledger.mirror.contracts import Followed
from ledger.mirror.facts import Facts, FactsReader
from ledger.mirror.facts_process import read_apart
from ledger.mirror.garbage import uncollected
from ledger.mirror.lease import Stopped
from ledger.mirror.reports import Building, Reporter
from ledger.store.mirror_tables import logs

WORTH_A_PROCESS = 30_000
"""Logs from which on another process pays, which takes half a second to start."""


class Derivation:
    """Fills empty derived tables from the first log on, in as many steps as one likes."""

    def __init__(
        self, engine: Engine, followed: Followed, *, stop: threading.Event, report: Reporter
    ) -> None:
        """`engine` is the database that gets the rows."""
        self._followed = followed
        self._stop = stop
        self._report = report
        self._reader = FactsReader(followed)
        self._applier = Applier(engine, followed)
        self._applier.forget(database_is_empty=True)

    @property
    def block(self) -> BlockNumber:
        """The last block whose logs are in."""
        return self._reader.block

    def derive(self, facts: Connection, target: Connection, *, until: int, last: int) -> None:
        """Write what the logs up to the block `until` mean; `last` is where the work will end.

        Raises FactsDamaged for a log that cannot be, Stopped.
        """
        with uncollected():
            for part in self._parts(facts, until):
                self._pause()
                self._derive_part(target, part)
                first = self._followed.first_block
                self._report(Building(first, part.end, BlockNumber(last), part.count))
            self._applier.settle(target)

    def _derive_part(self, target: Connection, part: Facts) -> None:
        try:
            self._applier.derive(target, part.runs, part.times)
        except JournalBroken as error:
            raise FactsDamaged(
                block=error.values["block"],
                log_index=error.values["log_index"],
                problem=str(error.values["problem"]),
            ) from error

    def _parts(self, facts: Connection, until: int) -> Iterator[Facts]:
        """The facts up to a block, read by another process where that pays.

        Nobody changes them meanwhile: they are final, or their writers are locked out.
        """
        if _are_many(facts, self._reader.block, until):
            with contextlib.suppress(ProverDied):
                yield from read_apart(facts, self._followed, self._reader, until, self._pause)
        yield from self._reader.read(facts, until)

    def _pause(self) -> None:
        if self._stop.is_set():
            raise Stopped

    def require_end(self, journals: Mapping[bytes, JournalCursor]) -> None:
        """Check that each journal is where the mirror left it. Raises FactsDamaged."""
        self._reader.require_end(journals)


def _are_many(facts: Connection, after: int, until: int) -> bool:
    place = logs.c.block_number
    statement = select(place).where(place > after, place <= until).offset(WORTH_A_PROCESS).limit(1)
    return facts.execute(statement).one_or_none() is not None
