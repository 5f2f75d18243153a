"""Builds the derived tables from the stored facts, beside those that are read, and switches.

So a release that wants other tables gets them without a node and without an hour of silence: what
an older release has there goes on being read, and followed, until one transaction puts the new
tables in place. Its readers and its mirror then find a version that they do not know, and say so.
A process that dies before that transaction leaves things as they were.
"""

from __future__ import annotations

import contextlib
import threading

from sqlalchemy import Connection, Engine, text, update

from ledger.errors import MirrorEmpty
from ledger.mirror.areas import (
    complete_indexes,
    database_errors,
    fresh_area,
    is_used_by_others,
    putting_in,
    replace_rows,
    replace_tables,
)
from ledger.mirror.derive import Derivation
from ledger.mirror.exclusion import LONGEST_SECONDS, ReadersStay, number_of_transaction, shut_out
from ledger.mirror.lease import BUILDING, Stopped, holding
from ledger.mirror.look import Mirror
from ledger.mirror.marks import BlockMark
from ledger.mirror.reorganise import read_marks
from ledger.mirror.reports import OtherLeads, Upgrading
from ledger.mirror.state import MirrorState, read_state, read_tallies
from ledger.store.engine import POSTGRESQL, reading
from ledger.store.mirror_tables import DERIVED_TABLES, SCHEMA_VERSION, mirror_state

RETIRED: tuple[str, ...] = ()
"""Derived tables of earlier releases that this one has no more."""

_FEW_BLOCKS = 100
"""What is left to do while others wait; more than that is done before."""

_MENDED = ("mirror.damaged",)
"""Halts that new tables end; what else was wrong, a look at the chain has to tell."""


def upgrade(mirror: Mirror) -> None:
    """Bring the derived tables of an older release to this one's; does nothing on others.

    Raises MirrorOfAnother, FactsDamaged, Stopped and what a database raises; the old tables then
    stay.
    """
    if not _is_older(mirror):
        return
    mirror.check_ledger()
    with holding(mirror.engine, BUILDING, mirror.stop, lambda: mirror.report(OtherLeads())):
        if _is_older(mirror):  # still, after waiting for another
            build_beside(mirror)


def build_beside(mirror: Mirror) -> None:
    """Build all derived tables anew and put them in place. BUILDING must be held."""
    while True:
        with (
            contextlib.suppress(_TakenBack),
            database_errors(mirror.engine),
            fresh_area(mirror.engine, DERIVED_TABLES, crash_safe=False) as area,
        ):
            _build(_Work(mirror, area), mirror.stop)
            return


def _build(work: _Work, stop: threading.Event) -> None:
    while True:
        work.follow_final_blocks()
        try:
            work.finish()
        except ReadersStay:
            # They keep what they have, and we come again.
            if stop.wait(LONGEST_SECONDS):
                raise Stopped from None
        else:
            return


class _TakenBack(Exception):
    """A reorganisation took blocks back that the new tables hold already."""


class _Work:
    """New tables that grow in an area, from the facts of the mirror's database."""

    def __init__(self, mirror: Mirror, area: Engine) -> None:
        self._engine = mirror.engine
        self._area = area
        self._derivation = Derivation(area, mirror.followed, stop=mirror.stop, report=mirror.report)
        self._built: BlockMark | None = None

    def follow_final_blocks(self) -> None:
        """Derive what no reorganisation can take away, while the mirror goes on."""
        derivation = self._derivation
        while True:
            with reading(self._engine) as facts, self._area.begin() as target:
                if self._engine.dialect.name == POSTGRESQL:
                    # It waits while another process reads, and need not be ended for that.
                    facts.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
                state = self._state(facts)
                final = min(state.final_number, state.cursor.number)
                if final - derivation.block < _FEW_BLOCKS:
                    break
                derivation.derive(facts, target, until=final, last=state.cursor.number)
        complete_indexes(self._area)

    def finish(self) -> None:
        """Derive the rest while nobody else writes the mirror, and put the new tables in place.

        Raises ReadersStay, after which it may be tried again, and _TakenBack.
        """
        with putting_in(self._engine) as connection:
            lock_mirror(connection)
            state = self._state(connection)
            last = state.cursor.number
            with self._area.begin() as target:
                self._derivation.derive(connection, target, until=last, last=last)
                filled = number_of_transaction(target)
            self._derivation.require_end(read_tallies(connection).journals)
            self._built = state.cursor
            self._area.dispose()
            self._put_in(connection, state, filled)
            mark_built(connection, state)

    def _state(self, connection: Connection) -> MirrorState:
        """How far the mirror is. Raises _TakenBack where it no longer has what was built."""
        state, built = read_state(connection), self._built
        if built is not None:
            held = read_marks(connection, range(built.number, built.number + 1))
            if held.get(built.number) != built:
                raise _TakenBack
        return state

    def _put_in(self, connection: Connection, state: MirrorState, filled: str) -> None:
        if state.schema_version == SCHEMA_VERSION and is_used_by_others(connection, DERIVED_TABLES):
            replace_rows(connection, DERIVED_TABLES)
            return
        if connection.dialect.name == POSTGRESQL:
            shut_out(connection, DERIVED_TABLES, filled)
        replace_tables(connection, DERIVED_TABLES, RETIRED)


def mark_built(connection: Connection, state: MirrorState) -> None:
    """Say in the mirror's state that its derived tables are new, and of this release."""
    values = {"schema_version": SCHEMA_VERSION, "generation": state.generation + 1}
    connection.execute(update(mirror_state).values(values))
    connection.execute(
        update(mirror_state)
        .where(mirror_state.c.halted_code.in_(_MENDED))
        .values(halted_code=None, halted_reason=None, halted_block=None, halted_at=None)
    )


def _is_older(mirror: Mirror) -> bool:
    try:
        with reading(mirror.engine) as connection:
            found = read_state(connection).schema_version
    except MirrorEmpty:
        return False
    if found < SCHEMA_VERSION:
        mirror.report(Upgrading(found, SCHEMA_VERSION))
    return found < SCHEMA_VERSION


def lock_mirror(connection: Connection) -> None:
    """Keep other mirrors from writing until the transaction, which begins with this, ends.

    Readers go on.
    """
    if connection.dialect.name == POSTGRESQL:
        connection.execute(text(f"LOCK TABLE {mirror_state.name} IN EXCLUSIVE MODE"))
    else:
        # A statement that writes takes the file, whatever it changes.
        connection.execute(update(mirror_state).where(mirror_state.c.id == 0).values(id=0))
