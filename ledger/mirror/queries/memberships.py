"""Memberships as they stand at a moment, and the applications that have led to none.

Lapsed is derived from the time of the block that an answer is true at, never from this machine's
clock: the same question about the same block has one answer for ever.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, exists, or_, select

from ledger.domain.events import HELD_STATUSES, MembershipStatus
from ledger.domain.ids import BlockNumber, OrgId, ProgrammeId, TierId, TokenId, token_id
from ledger.mirror.queries.documents import DOCUMENT_COLUMNS, Document, document_of
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.versions import AT, NOW, is_last_version, true_at
from ledger.store.mirror_tables import (
    application_declines,
    blocks,
    membership_versions,
    organisation_versions,
    programme_versions,
    tier_versions,
)
from ledger.store.office_tables import applications, evidence_files

NO_TOKEN = TokenId(0)


class Standing(StrEnum):
    """What a membership is worth at a moment."""

    ACTIVE = "active"
    LAPSED = "lapsed"
    SUSPENDED = "suspended"
    REVOKED = "revoked"


@dataclass(frozen=True, slots=True)
class Membership:
    """An organisation's standing in a programme; times are seconds since 1970 UTC.

    `owner` is whose the membership's token is: the account that acts for the organisation now. A
    revoked membership has no token.

    `change`, `reason` (a key, or empty), `evidence` (a commitment, or zeros), `document`,
    `actor` and the block are those of the last change.
    """

    programme_id: ProgrammeId
    programme: str
    org_id: OrgId
    token_id: TokenId
    owner: bytes | None
    standing: Standing
    tier: TierId
    tier_key: str
    admitted_at: int
    expires_at: int
    change: str
    reason: str
    evidence: bytes
    document: Document | None
    actor: bytes
    changed_in: BlockNumber
    changed_at: int


@dataclass(frozen=True, slots=True)
class Application:
    """An application on file that has led to no membership; declined by an officer or pending."""

    programme: str
    org_id: OrgId
    filed_at: int
    declined: bool


_M = membership_versions
_P = programme_versions
_T = tier_versions
_O = organisation_versions

_MEMBERSHIPS = (
    select(
        _M,
        _P.c.key.label("programme"),
        _T.c.key.label("tier_key"),
        _O.c.controller,
        blocks.c.timestamp.label("changed_at"),
        *DOCUMENT_COLUMNS,
    )
    .select_from(_M)
    .join(_P, and_(_P.c.programme_id == _M.c.programme_id, is_last_version(_P, "programme_id")))
    .join(
        _T,
        and_(
            _T.c.programme_id == _M.c.programme_id,
            _T.c.tier == _M.c.tier,
            is_last_version(_T, "programme_id", "tier"),
        ),
    )
    .join(_O, and_(_O.c.org_id == _M.c.org_id, is_last_version(_O, "org_id")))
    .join(blocks, blocks.c.number == _M.c.block_number)
    .outerjoin(evidence_files, evidence_files.c.commitment == _M.c.evidence)
    .where(is_last_version(_M, "programme_id", "org_id"))
)
_OF_ORGANISATIONS = _MEMBERSHIPS.where(
    _M.c.org_id.in_(bindparam("org_ids", expanding=True))
).order_by(_M.c.org_id, _M.c.programme_id)


def has_standing(standing: Standing) -> ColumnElement[bool]:
    """That a version is of this standing at NOW."""
    if standing is Standing.ACTIVE:
        return and_(_M.c.status == MembershipStatus.ACTIVE, _M.c.expires_at > NOW)
    if standing is Standing.LAPSED:
        return and_(_M.c.status == MembershipStatus.ACTIVE, _M.c.expires_at <= NOW)
    if standing is Standing.SUSPENDED:
        return _M.c.status == MembershipStatus.SUSPENDED
    return _M.c.status == MembershipStatus.REVOKED


def is_held() -> ColumnElement[bool]:
    """That a version is a membership that is held, in good standing or not."""
    return _M.c.status.in_(HELD_STATUSES)


def is_applicant(org_id: ColumnElement[int], programme: str | None = None) -> ColumnElement[bool]:
    """That the organisation has an application pending, in the programme of this key or in any."""
    pending = and_(applications.c.org_id == org_id, ~_is_admitted(), ~_is_declined())
    if programme is not None:
        pending = and_(pending, applications.c.programme == programme)
    return exists().where(pending)


def _is_admitted() -> ColumnElement[bool]:
    """That an application's organisation holds a membership in its programme."""
    held = (
        select(_M.c.org_id)
        .select_from(_M)
        .join(_P, _P.c.programme_id == _M.c.programme_id)
        .where(
            is_last_version(_P, "programme_id"),
            _P.c.key == applications.c.programme,
            _M.c.org_id == applications.c.org_id,
            is_last_version(_M, "programme_id", "org_id"),
            is_held(),
        )
    )
    return held.correlate(applications).exists()


def _is_declined() -> ColumnElement[bool]:
    """That an application's programme declined it after it was filed."""
    declines = application_declines
    declined = (
        select(declines.c.org_id)
        .select_from(declines)
        .join(_P, _P.c.programme_id == declines.c.programme_id)
        .join(blocks, blocks.c.number == declines.c.block_number)
        .where(
            is_last_version(_P, "programme_id"),
            _P.c.key == applications.c.programme,
            declines.c.org_id == applications.c.org_id,
            declines.c.block_number <= AT,
            blocks.c.timestamp >= applications.c.filed_at,
        )
    )
    return declined.correlate(applications).exists()


_APPLICATIONS = (
    select(applications, _is_declined().label("declined"))
    .where(applications.c.org_id.in_(bindparam("org_ids", expanding=True)), ~_is_admitted())
    .order_by(applications.c.org_id, applications.c.programme)
)


def read_memberships_of(
    connection: Connection, moment: Moment, org_ids: Sequence[OrgId]
) -> dict[OrgId, tuple[Membership, ...]]:
    """The memberships of each of the organisations, revoked ones too, by programme."""
    found: defaultdict[OrgId, list[Membership]] = defaultdict(list)
    if org_ids:
        parameters = {**true_at(moment), "org_ids": list(org_ids)}
        for row in connection.execute(_OF_ORGANISATIONS, parameters):
            found[row.org_id].append(_membership(row, moment))
    return {org_id: tuple(memberships) for org_id, memberships in found.items()}


def read_applications_of(
    connection: Connection, moment: Moment, org_ids: Sequence[OrgId]
) -> dict[OrgId, tuple[Application, ...]]:
    """The applications of each of the organisations that have led to no membership."""
    found: defaultdict[OrgId, list[Application]] = defaultdict(list)
    if org_ids:
        parameters = {**true_at(moment), "org_ids": list(org_ids)}
        for row in connection.execute(_APPLICATIONS, parameters):
            found[row.org_id].append(
                Application(row.programme, row.org_id, row.filed_at, bool(row.declined))
            )
    return {org_id: tuple(filed) for org_id, filed in found.items()}


def list_memberships(
    connection: Connection,
    moment: Moment,
    *,
    programme_id: ProgrammeId | None = None,
    standing: Standing | None = None,
    tier: str | None = None,
    ends_before: int | None = None,
    after: TokenId = NO_TOKEN,
    limit: int,
) -> tuple[Membership, ...]:
    """At most `limit` memberships in the order of programme and organisation, after a token.

    `ends_before` (seconds since 1970 UTC) leaves out those that last longer.

    Without a `standing`, those that are held: a revoked one is listed where it is asked for.
    """
    query = _MEMBERSHIPS.where(_is_after(after))
    if programme_id is not None:
        query = query.where(_M.c.programme_id == programme_id)
    if tier is not None:
        query = query.where(_T.c.key == tier)
    if ends_before is not None:
        query = query.where(_M.c.expires_at < ends_before)
    query = query.where(is_held() if standing is None else has_standing(standing))
    query = query.order_by(_M.c.programme_id, _M.c.org_id).limit(limit)
    return tuple(_membership(row, moment) for row in connection.execute(query, true_at(moment)))


def _is_after(token: TokenId) -> ColumnElement[bool]:
    programme_id, org_id = token >> 32, token & 0xFFFFFFFF
    return or_(
        _M.c.programme_id > programme_id,
        and_(_M.c.programme_id == programme_id, _M.c.org_id > org_id),
    )


def _membership(row: Row[Any], moment: Moment) -> Membership:
    return Membership(
        programme_id=row.programme_id,
        programme=row.programme,
        org_id=row.org_id,
        token_id=token_id(row.programme_id, row.org_id),
        owner=bytes(row.controller) if row.status in HELD_STATUSES else None,
        standing=_standing(row.status, row.expires_at, moment),
        tier=row.tier,
        tier_key=row.tier_key,
        admitted_at=row.admitted_at,
        expires_at=row.expires_at,
        change=row.change,
        reason=row.reason,
        evidence=bytes(row.evidence),
        document=document_of(row),
        actor=bytes(row.actor),
        changed_in=row.block_number,
        changed_at=row.changed_at,
    )


def _standing(status: int, expires_at: int, moment: Moment) -> Standing:
    if status == MembershipStatus.ACTIVE:
        return Standing.ACTIVE if moment.timestamp < expires_at else Standing.LAPSED
    return Standing.SUSPENDED if status == MembershipStatus.SUSPENDED else Standing.REVOKED
