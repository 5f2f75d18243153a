"""One log: the steps of the office become lines of the log of privileged acts, after those that are
there, in the order in which they were taken; what was said in them is sealed."""

from __future__ import annotations

import hashlib
import json
import secrets
from typing import Any

import sqlalchemy as sa
from alembic import op

from ledger.store.columns import blob, digest, text

revision = "0028"
down_revision = "0027"

_LINES = sa.table(
    "access_log",
    *(sa.column(name) for name in ("number", "at", "account", "via", "action", "subject")),
    *(sa.column(name) for name in ("detail", "said")),
    *(sa.column(name, sa.LargeBinary) for name in ("previous", "hash", "sealed", "salt")),
)
_END = sa.table(
    "access_log_end", sa.column("id"), sa.column("number"), sa.column("hash", sa.LargeBinary)
)


def upgrade() -> None:
    op.add_column("access_log", digest("sealed", nullable=True))
    op.add_column("access_log", text("said", nullable=True))
    op.add_column("access_log", blob("salt", nullable=True))
    op.create_index("ix_access_log_subject", "access_log", ["subject", "number"])
    _move(op.get_bind())
    op.drop_table("office_log")


def _move(connection: sa.Connection) -> None:
    """As `ledger.office.access_log.add_line` does it now."""
    steps = connection.execute(
        sa.text(
            "SELECT subject, at, actor, action, detail FROM office_log ORDER BY at, subject, number"
        )
    ).all()
    if not steps:
        return
    end = connection.execute(sa.select(_END.c.number, _END.c.hash)).one_or_none()
    if end is None:
        connection.execute(_END.insert().values(id=1, number=0, hash=bytes(32)))
    number, previous = (0, bytes(32)) if end is None else (end.number, bytes(end.hash))
    for step in steps:
        number += 1
        line: dict[str, Any] = {
            "number": number,
            "at": step.at * 1000,
            "account": step.actor,
            "via": "office",
            "action": f"{step.subject.partition(':')[0]}.{step.action}",
            "subject": step.subject,
            "detail": "{}",
        }
        words: dict[str, Any] = {"said": step.detail, "salt": None, "sealed": None}
        hashed = dict(line)
        if step.detail:
            salt = secrets.token_bytes(32)
            sealed = hashlib.sha256(salt + step.detail.encode("utf-8")).digest()
            words |= {"salt": salt, "sealed": sealed}
            hashed["sealed"] = sealed.hex()
        canonical = json.dumps(hashed, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        found = hashlib.sha256(previous + canonical.encode("utf-8")).digest()
        row = {**line, **words, "previous": previous, "hash": found}
        connection.execute(_LINES.insert().values(**row))
        previous = found
    connection.execute(_END.update().values(number=number, hash=previous))
