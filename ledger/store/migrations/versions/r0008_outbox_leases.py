"""The outbox: one sender a key by a fenced lease, many transactions on their way, cancelling."""

from __future__ import annotations

from alembic import op

from ledger.store.columns import address, digest, number, text

revision = "0008"
down_revision = "0006"


def upgrade() -> None:
    op.add_column("operations", number("gas_limit", nullable=True))
    op.add_column("operations", number("cancel_asked_at", nullable=True))
    op.create_index("ix_operations_sender", "operations", ["sender", "state"])
    op.add_column("attempts", number("ended_at", nullable=True))
    # Until now an attempt of a failed operation was over, and none else was.
    op.execute(
        "UPDATE attempts SET ended_at = signed_at WHERE operation_id IN "
        "(SELECT operation_id FROM operations WHERE state = 'failed')"
    )
    op.create_table(
        "key_leases",
        digest("genesis_hash", primary_key=True),
        address("sender", primary_key=True),
        number("token"),
        text("holder"),
        number("expires_at"),
        text("halted", nullable=True),
    )
