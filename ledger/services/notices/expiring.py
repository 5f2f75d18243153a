"""Memberships that end soon, told some days before, once for each of these days.

What is told is true of what is final; a membership that was renewed meanwhile has another end and
is told of anew when that comes near.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sqlalchemy import Connection, select

from ledger.domain.events import MembershipStatus
from ledger.mirror.queries.versions import is_last_version
from ledger.mirror.state import MirrorState
from ledger.store.mirror_tables import membership_versions, programme_versions

DAYS = (60, 30, 7)
"""How many days before its end a membership is told of."""

_DAY = 86400
_M = membership_versions


@dataclass(frozen=True, slots=True)
class Expiring:
    """A membership that ends at `expires_at` (seconds since 1970 UTC), within `days`."""

    programme_id: int
    programme: str
    org_id: int
    expires_at: int
    days: int


def list_expiring(connection: Connection, state: MirrorState, *, now: int) -> Iterator[Expiring]:
    """Those that end within the longest of DAYS, each with the shortest that it is within."""
    at = {"at": min(state.final_number, state.cursor.number)}
    query = select(_M.c.programme_id, _M.c.org_id, _M.c.expires_at).where(
        is_last_version(_M, "programme_id", "org_id"),
        _M.c.status == MembershipStatus.ACTIVE,
        _M.c.expires_at > now,
        _M.c.expires_at <= now + max(DAYS) * _DAY,
    )
    keys = select(programme_versions.c.programme_id, programme_versions.c.key)
    known = {row.programme_id: row.key for row in connection.execute(keys)}
    for row in connection.execute(query.order_by(_M.c.programme_id, _M.c.org_id), at):
        days = min(each for each in DAYS if row.expires_at <= now + each * _DAY)
        programme = known.get(row.programme_id, str(row.programme_id))
        yield Expiring(row.programme_id, programme, row.org_id, row.expires_at, days)
