"""Who shall act for an organisation next: whom its controller named, and a recovery under way."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, select

from ledger.domain.ids import OrgId
from ledger.errors import NotFound
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.versions import is_last_version, true_at
from ledger.store.mirror_tables import organisation_versions


@dataclass(frozen=True, slots=True)
class Control:
    """Who acts for an organisation, and who may take over; None where nobody does or may.

    `recovery_from` is when a recovery can be finished, seconds since 1970 UTC.
    """

    controller: bytes | None
    nominated: bytes | None
    recovery_successor: bytes | None
    recovery_from: int | None


_V = organisation_versions
_CONTROL = select(_V).where(is_last_version(_V, "org_id"))


def read_control(connection: Connection, moment: Moment, org_id: OrgId) -> Control:
    """Who acts for an organisation, and who may next. Raises NotFound."""
    query = _CONTROL.where(_V.c.org_id == org_id)
    row = connection.execute(query, true_at(moment)).one_or_none()
    if row is None:
        raise NotFound(what="organisation", key=org_id)
    return Control(
        _account(row.controller),
        _account(row.nominated),
        _account(row.recovery_successor),
        row.recovery_from,
    )


def read_nominations(connection: Connection, moment: Moment, account: bytes) -> tuple[OrgId, ...]:
    """The organisations whose controllers named this account to take over."""
    query = select(_V.c.org_id).where(is_last_version(_V, "org_id"), _V.c.nominated == account)
    found = connection.execute(query.order_by(_V.c.org_id), true_at(moment)).scalars()
    return tuple(OrgId(each) for each in found)


def _account(raw: bytes | None) -> bytes | None:
    return None if raw is None else bytes(raw)
