"""What Alembic runs: the revisions, on the connection and in the transaction that it was given."""

from __future__ import annotations

from alembic import context

from ledger.store.columns import new_metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=new_metadata(),  # for the names of constraints only
)
context.run_migrations()
