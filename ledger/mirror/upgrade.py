"""Builds the derived tables from the stored facts, beside those that are read, and switches.

So a release that wants other tables gets them without a node and without an hour of silence: what
an older release has there goes on being read, and followed, until one transaction puts the new
tables in place. Its readers and its mirror then find a version that they do not know, and say so.
A process that dies before that transaction leaves things as they were.
"""

from __future__ import annotations

import time
from contextlib import ExitStack

from sqlalchemy import Connection, Engine, text, update
from sqlalchemy.exc import OperationalError

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
from ledger.mirror.lease import BUILDING, holding
from ledger.mirror.look import Mirror
from ledger.mirror.reports import OtherLeads, Upgrading
from ledger.mirror.state import MirrorState, read_state, read_tallies
from ledger.store.engine import POSTGRESQL, reading
from ledger.store.mirror_tables import DERIVED_TABLES, SCHEMA_VERSION, mirror_state

RETIRED: tuple[str, ...] = ()
"""Derived tables of earlier releases that this one has no more."""

_FEW_BLOCKS = 100
"""What is left to do while others wait; more than that is done before."""

_SHUT_OUT_MILLISECONDS = 2_000
_TO_THE_LOCK_SECONDS = 0.1
_LOCK_NOT_AVAILABLE = "55P03"  # PostgreSQL, appendix A
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
    engine = mirror.engine
    with (
        database_errors(engine),
        fresh_area(engine, DERIVED_TABLES, crash_safe=False) as area,
    ):
        derivation = Derivation(area, mirror.followed, stop=mirror.stop, report=mirror.report)
        while True:
            _follow_final_blocks(engine, area, derivation)
            complete_indexes(area)
            try:
                _finish(engine, area, derivation)
            except OperationalError as error:
                # A reader was at it for long: it keeps what it has, and we come again.
                if getattr(error.orig, "sqlstate", None) != _LOCK_NOT_AVAILABLE:
                    raise
                time.sleep(_SHUT_OUT_MILLISECONDS / 1000)
            else:
                return


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


def _follow_final_blocks(engine: Engine, area: Engine, derivation: Derivation) -> None:
    """Derive what no reorganisation can take away, while the mirror goes on."""
    while True:
        with reading(engine) as facts, area.begin() as target:
            if engine.dialect.name == POSTGRESQL:
                # It waits while another process reads, and need not be ended for that.
                facts.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))
            state = read_state(facts)
            final = min(state.final_number, state.cursor.number)
            if final - derivation.block < _FEW_BLOCKS:
                return
            derivation.derive(facts, target, until=final, last=state.cursor.number)


def _finish(engine: Engine, area: Engine, derivation: Derivation) -> None:
    """Derive the rest while nobody else writes the mirror, and put the new tables in place."""
    with ExitStack() as opened:
        connection = opened.enter_context(putting_in(engine))
        lock_mirror(connection)
        state = read_state(connection)
        with area.begin() as target:
            derivation.derive(
                connection, target, until=state.cursor.number, last=state.cursor.number
            )
        derivation.require_end(read_tallies(connection).journals)
        area.dispose()
        if state.schema_version == SCHEMA_VERSION and is_used_by_others(connection, DERIVED_TABLES):
            replace_rows(connection, DERIVED_TABLES)
        else:
            _shut_out_readers(connection)
            replace_tables(connection, DERIVED_TABLES, RETIRED)
        mark_built(connection, state)


def _shut_out_readers(connection: Connection) -> None:
    """Wait for who reads on PostgreSQL, and let others wait: every reader of ours begins with
    `mirror_state`, and what it reads is as it was when it began."""
    if connection.dialect.name == POSTGRESQL:
        # Who began before the area's last commit would find new tables without their last rows;
        # it takes microseconds from there to the table's lock.
        time.sleep(_TO_THE_LOCK_SECONDS)
        connection.execute(text(f"SET LOCAL lock_timeout = {_SHUT_OUT_MILLISECONDS}"))
        connection.execute(text(f"LOCK TABLE {mirror_state.name} IN ACCESS EXCLUSIVE MODE"))


def lock_mirror(connection: Connection) -> None:
    """Keep other mirrors from writing until the transaction, which begins with this, ends.

    Readers go on.
    """
    if connection.dialect.name == POSTGRESQL:
        connection.execute(text(f"LOCK TABLE {mirror_state.name} IN EXCLUSIVE MODE"))
    else:
        # A statement that writes takes the file, whatever it changes.
        connection.execute(update(mirror_state).where(mirror_state.c.id == 0).values(id=0))
