"""What a membership credential rests on, and which ones hold at a moment.

A credential says: this account acts for this organisation, which is a member in this tier. It is
numbered by the last event that made one of these true (an admission, a change of tier, another
controller), so that the next such event gives the next credential another number. The number is
the event's own in its contract's journal: the chain alone tells it, nothing is allotted, and no
number is used for anything else after it. Numbers are a programme's own; an event of Memberships
has an even one, one of Organisations an odd one.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import BigInteger, Connection, and_, bindparam, select

from ledger.domain.ids import OrgId, ProgrammeId
from ledger.mirror.queries.memberships import Standing, has_standing
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.versions import AT, is_last_version, true_at
from ledger.store.mirror_tables import logs, membership_versions, organisation_versions

_M = membership_versions
_O = organisation_versions
_PROGRAMME = bindparam("programme_id", type_=BigInteger)
_SEQUENCE = slice(56, 64)
"""Of a journal event's topics: the second's last 8 bytes (contracts/interfaces)."""

_ACTIVE = select(_M.c.org_id).where(
    _M.c.programme_id == _PROGRAMME,
    is_last_version(_M, "programme_id", "org_id"),
    has_standing(Standing.ACTIVE),
)
_STATED = (
    select(_M.c.org_id, _M.c.block_number, _M.c.log_index, logs.c.topics)
    .join(logs, and_(logs.c.block_number == _M.c.block_number, logs.c.log_index == _M.c.log_index))
    .where(
        _M.c.programme_id == _PROGRAMME,
        _M.c.block_number <= AT,
        _M.c.change.in_(("admitted", "tier_changed")),
    )
    .order_by(_M.c.block_number, _M.c.log_index)
)
_ACTING = (
    select(_O.c.org_id, _O.c.block_number, _O.c.log_index, logs.c.topics)
    .join(logs, and_(logs.c.block_number == _O.c.block_number, logs.c.log_index == _O.c.log_index))
    .where(_O.c.block_number <= AT, _O.c.change.in_(("rotated", "recovered")))
    .order_by(_O.c.block_number, _O.c.log_index)
)


def read_credential_numbers(
    connection: Connection, moment: Moment, programme_id: ProgrammeId, org_id: OrgId | None = None
) -> Mapping[OrgId, int]:
    """The number of the credential that each member in good standing has now, by organisation.

    With `org_id`, of that one alone.
    """
    parameters = {**true_at(moment), "programme_id": programme_id}
    active, stated, acting = _ACTIVE, _STATED, _ACTING
    if org_id is not None:
        active = active.where(_M.c.org_id == org_id)
        stated = stated.where(_M.c.org_id == org_id)
        acting = acting.where(_O.c.org_id == org_id)
    members = {row.org_id for row in connection.execute(active, parameters)}
    last: dict[OrgId, tuple[int, int, int]] = {}
    for parity, query in enumerate((stated, acting)):
        for row in connection.execute(query, parameters):
            if row.org_id in members:
                sequence = int.from_bytes(bytes(row.topics)[_SEQUENCE], "big")
                found = (row.block_number, row.log_index, 2 * sequence + parity)
                last[row.org_id] = max(found, last.get(row.org_id, found))
    return {each: number for each, (_, _, number) in last.items()}
