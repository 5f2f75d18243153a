"""Builds the mirror anew, while the old one goes on answering.

From the database's own facts it builds what is derived from them, and asks no node. From the chain
it proves and fetches the facts again too. Either way one transaction puts the new rows in place of
the old, so that a reader sees the old mirror or the new one and nothing between. It touches only
the mirror's tables: what the outbox and the office keep cannot be taken from a chain.

A mirror that follows the same database meanwhile notices (`mirror_state.generation`) and goes on
from the new one.
"""

from __future__ import annotations

from sqlalchemy import Connection, Engine, select, update

from ledger.errors import MirrorEmpty, MirrorOfAnother, SchemaMismatch
from ledger.mirror.areas import (
    database_errors,
    fresh_area,
    putting_in,
    replace_rows,
    replace_tables,
)
from ledger.mirror.follow import catch_up
from ledger.mirror.lease import BUILDING, holding
from ledger.mirror.look import Mirror
from ledger.mirror.reports import OtherLeads
from ledger.mirror.state import MirrorState, read_state
from ledger.mirror.upgrade import RETIRED, build_beside, lock_mirror
from ledger.store.engine import POSTGRESQL, reading
from ledger.store.mirror_tables import (
    DERIVED_TABLES,
    RAW_TABLES,
    SCHEMA_VERSION,
    metadata,
    mirror_state,
    mirror_tallies,
    verified_ranges,
)

_OF_A_CHAIN = (*RAW_TABLES, verified_ranges, mirror_tallies, mirror_state)


def rebuild(mirror: Mirror, *, from_chain: bool = False) -> MirrorState:
    """Build the mirror anew from its own facts; from the chain where it holds none of this ledger.

    Of two rebuilds at once the second waits, and then does it again. Raises FactsDamaged, and
    from the chain what `sync` raises; the old mirror then stays as it is. Raises SchemaMismatch for
    a database of a newer release.
    """
    engine = mirror.engine
    with (
        database_errors(engine),
        holding(engine, BUILDING, mirror.stop, lambda: mirror.report(OtherLeads())),
    ):
        version = _version_of_facts(mirror)
        if from_chain or version is None:
            _from_chain(mirror)
        else:
            build_beside(mirror)
        with reading(engine) as connection:
            return read_state(connection)


def _version_of_facts(mirror: Mirror) -> int | None:
    """The version of the tables that are there; None where they hold no facts of this ledger."""
    try:
        with reading(mirror.engine) as connection:
            found = read_state(connection).schema_version
        mirror.check_ledger()
    except (MirrorEmpty, MirrorOfAnother):
        return None
    if found > SCHEMA_VERSION:
        raise SchemaMismatch(found=found, needed=SCHEMA_VERSION)
    return found


def _from_chain(mirror: Mirror) -> None:
    engine = mirror.engine
    with fresh_area(engine, metadata.tables.values()) as area:
        catch_up(mirror.in_database(area))
        area.dispose()
        with putting_in(engine) as connection:
            _put_in(engine, connection)


def _put_in(engine: Engine, connection: Connection) -> None:
    # Readers go on; whoever writes the mirror waits, and then finds another generation.
    lock_mirror(connection)
    found = connection.execute(
        select(mirror_state.c.generation, mirror_state.c.schema_version)
    ).one_or_none()
    replace_rows(connection, _OF_A_CHAIN)
    if engine.dialect.name == POSTGRESQL and (found is None or found[1] == SCHEMA_VERSION):
        replace_rows(connection, DERIVED_TABLES)
    else:
        replace_tables(connection, DERIVED_TABLES, RETIRED)
    if found is not None:
        connection.execute(update(mirror_state).values(generation=found[0] + 1))
