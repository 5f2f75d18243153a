"""Brings a database's schema to this release's, whoever starts first.

A start on a current database costs one query; Alembic, a second of importing, is loaded only where
there is something to do. It refuses a database that a newer release wrote.

The tables that the mirror derives from raw facts it makes only where nothing is mirrored. Where
something is, an older release may be reading them: `ledger.mirror.upgrade` builds new ones beside
them. Other tables are changed in place, in a way that a release before this one can live with.
"""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, select, text

from ledger.errors import SchemaMismatch
from ledger.store.engine import POSTGRESQL, reading, writing
from ledger.store.migrations import HEAD
from ledger.store.mirror_tables import DERIVED_TABLES, metadata, mirror_state

NEW = "none"
"""The revision of a database without tables."""

_LOCK = 0x4D4F4F4E_5343484D  # "MOONSCHM", an advisory lock's number


def upgrade_schema(engine: Engine) -> None:
    """Create or upgrade all tables; does nothing on a current database.

    Of two processes that start at once one upgrades and the other waits for it. Raises
    SchemaMismatch for a database of a newer release, which is left as it is.
    """
    with reading(engine) as connection:
        if read_revision(connection) == HEAD:
            return
    with writing(engine) as connection:
        if engine.dialect.name == POSTGRESQL:
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
        found = read_revision(connection)
        if found != HEAD:
            _run_revisions(connection, found)
            if connection.execute(select(mirror_state.c.id)).one_or_none() is None:
                make_derived_tables(connection)


def make_derived_tables(connection: Connection) -> None:
    """Put empty derived tables of this release in place of whichever are there."""
    for table in DERIVED_TABLES:
        connection.execute(text(f"DROP TABLE IF EXISTS {table.name}"))
    metadata.create_all(connection, tables=DERIVED_TABLES, checkfirst=False)


def read_revision(connection: Connection) -> str:
    """The revision that the database is at, NEW where it has no schema."""
    if not inspect(connection).has_table("alembic_version"):
        return NEW
    found = connection.execute(text("SELECT version_num FROM alembic_version")).scalars().all()
    return found[0] if found else NEW


def _run_revisions(connection: Connection, found: str) -> None:
    from alembic import command  # noqa: PLC0415  slow, and seldom needed
    from alembic.config import Config  # noqa: PLC0415
    from alembic.script import ScriptDirectory  # noqa: PLC0415

    # Alembic reads its options through configparser, to which a percent sign means something.
    folder = str(Path(__file__).parent / "migrations").replace("%", "%%")
    config = Config()
    config.set_main_option("script_location", folder)
    config.attributes["connection"] = connection
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found != NEW and found not in known:
        raise SchemaMismatch(found=found, needed=HEAD)
    command.upgrade(config, HEAD)
