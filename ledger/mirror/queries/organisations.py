"""Organisations: found by name in either language, by key, id or controller, and filtered.

Names come from the office by the commitment that the chain holds; an organisation without a
profile is listed with what the chain says of it.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, bindparam, func, or_, select

from ledger.domain.ids import OrgId, ProgrammeId
from ledger.errors import NotFound
from ledger.mirror.queries.memberships import (
    Application,
    Membership,
    Standing,
    has_standing,
    is_applicant,
    is_held,
    read_applications_of,
    read_memberships_of,
)
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.profiles import PROFILE_COLUMNS, Profile, profile_of
from ledger.mirror.queries.versions import AT, is_last_version, true_at
from ledger.store.mirror_tables import membership_versions, organisation_versions
from ledger.store.office_tables import profiles

NO_ORGANISATION = OrgId(0)
MAX_ORG_ID = 2**32 - 1

_NUMBER = re.compile(r"[0-9]{1,10}")
_ADDRESS = re.compile(r"0[xX][0-9a-fA-F]{40}")


class OrganisationStatus(StrEnum):
    """What organisations can be listed by: a standing, that they have applied, or are no more."""

    ACTIVE = "active"
    LAPSED = "lapsed"
    SUSPENDED = "suspended"
    REVOKED = "revoked"
    APPLICANT = "applicant"
    RETIRED = "retired"


@dataclass(frozen=True, slots=True)
class Organisation:
    """An organisation at a moment, with its memberships and what it has applied for.

    `registered_at` is in seconds since 1970 UTC. A retired one has no controller; `successor_id` is
    the organisation that it was merged into, 0 for none.
    """

    org_id: OrgId
    kind: str
    controller: bytes | None
    profile_commitment: bytes
    profile: Profile | None
    registered_at: int
    retired: bool
    successor_id: OrgId
    memberships: tuple[Membership, ...]
    applications: tuple[Application, ...]


@dataclass(frozen=True, slots=True)
class ProgrammeFilter:
    """A programme that organisations are listed by, by its id and its key."""

    programme_id: ProgrammeId
    key: str


@dataclass(frozen=True, slots=True)
class OrganisationFilter:
    """What the listed organisations have in common; an empty text stands for any.

    With a `programme` and no `status`: those that hold a membership in it. With a `status` and no
    `programme`: those that have it in any programme. Retired ones of a programme are those that
    were in it.
    """

    search: str = ""
    programme: ProgrammeFilter | None = None
    kind: str = ""
    status: OrganisationStatus | None = None
    segment: str = ""


_V = organisation_versions
_M = membership_versions
_WITH_PROFILES = _V.outerjoin(profiles, profiles.c.commitment == _V.c.profile)
_IS_CURRENT = is_last_version(_V, "org_id")
_ORGANISATIONS = select(_V, *PROFILE_COLUMNS).select_from(_WITH_PROFILES).where(_IS_CURRENT)
_ONE = _ORGANISATIONS.where(_V.c.org_id == bindparam("org_id"))
_BY_ID = _ORGANISATIONS.where(_V.c.org_id.in_(bindparam("org_ids", expanding=True)))
_MERGED_INTO = select(_V.c.org_id).where(_IS_CURRENT, _V.c.successor_id == bindparam("org_id"))
_BY_CONTROLLER = _ORGANISATIONS.where(_V.c.controller == bindparam("controller"))
_EXISTS = (
    select(_V.c.org_id).where(_V.c.org_id == bindparam("org_id"), _V.c.block_number <= AT).limit(1)
)
_SEGMENTS = (
    select(profiles.c.segment)
    .select_from(profiles)
    .join(_V, profiles.c.commitment == _V.c.profile)
    .where(_IS_CURRENT, profiles.c.segment != "")
    .distinct()
    .order_by(profiles.c.segment)
)
_KINDS = select(_V.c.kind).where(_IS_CURRENT).distinct().order_by(_V.c.kind)


def read_organisation(connection: Connection, moment: Moment, org_id: OrgId) -> Organisation:
    """The organisation. Raises NotFound."""
    row = connection.execute(_ONE, {**true_at(moment), "org_id": org_id}).one_or_none()
    if row is None:
        raise NotFound(what="organisation", key=org_id)
    return _with_memberships(connection, moment, [row])[0]


def require_organisation(connection: Connection, moment: Moment, org_id: OrgId) -> None:
    """Raise NotFound unless the organisation was registered by then."""
    parameters = {**true_at(moment), "org_id": org_id}
    if connection.execute(_EXISTS, parameters).one_or_none() is None:
        raise NotFound(what="organisation", key=org_id)


def read_controlled_by(
    connection: Connection, moment: Moment, controller: bytes
) -> Organisation | None:
    """The organisation that an account acts for; None where it acts for none."""
    parameters = {**true_at(moment), "controller": controller}
    rows = connection.execute(_BY_CONTROLLER, parameters).all()
    return _with_memberships(connection, moment, rows)[0] if rows else None


def list_merged_into(
    connection: Connection, moment: Moment, org_id: OrgId, *, limit: int
) -> tuple[OrgId, ...]:
    """At most `limit` organisations that were merged into this one, and that it acts for since."""
    query = _MERGED_INTO.order_by(_V.c.org_id).limit(limit)
    return tuple(connection.execute(query, {**true_at(moment), "org_id": org_id}).scalars())


def read_organisation_profiles(
    connection: Connection, moment: Moment, org_ids: Sequence[OrgId]
) -> dict[OrgId, Profile]:
    """The profiles of those of the organisations that have one."""
    if not org_ids:
        return {}
    parameters = {**true_at(moment), "org_ids": list(org_ids)}
    found = ((row.org_id, profile_of(row)) for row in connection.execute(_BY_ID, parameters))
    return {org_id: profile for org_id, profile in found if profile is not None}


def list_organisations(
    connection: Connection,
    moment: Moment,
    wanted: OrganisationFilter,
    *,
    after: OrgId = NO_ORGANISATION,
    limit: int,
) -> tuple[Organisation, ...]:
    """At most `limit` organisations in the order of their ids, those after `after`."""
    query = _ORGANISATIONS.where(_V.c.org_id > after, *_conditions(wanted))
    rows = connection.execute(query.order_by(_V.c.org_id).limit(limit), true_at(moment)).all()
    return _with_memberships(connection, moment, rows)


def count_organisations(connection: Connection, moment: Moment, wanted: OrganisationFilter) -> int:
    """How many organisations `list_organisations` has to list."""
    query = (
        select(func.count()).select_from(_WITH_PROFILES).where(_IS_CURRENT, *_conditions(wanted))
    )
    return connection.execute(query, true_at(moment)).scalar_one()


def read_kinds(connection: Connection, moment: Moment) -> tuple[str, ...]:
    """The kinds of organisations that there are."""
    return tuple(connection.execute(_KINDS, true_at(moment)).scalars())


def read_segments(connection: Connection, moment: Moment) -> tuple[str, ...]:
    """The segments of the industry that organisations are in."""
    return tuple(connection.execute(_SEGMENTS, true_at(moment)).scalars())


def _conditions(wanted: OrganisationFilter) -> list[ColumnElement[bool]]:
    # Input methods for Chinese write Latin letters and digits in full width as well.
    words = unicodedata.normalize("NFKC", wanted.search).split()
    conditions = [_matches(word) for word in words]
    if wanted.kind:
        conditions.append(_V.c.kind == wanted.kind)
    if wanted.segment:
        conditions.append(profiles.c.segment == wanted.segment)
    if wanted.programme is not None or wanted.status is not None:
        conditions.append(_has_status(wanted.programme, wanted.status))
    return conditions


def _matches(word: str) -> ColumnElement[bool]:
    """That one word of a search names the organisation."""
    names = (profiles.c.name_zh, profiles.c.name_en, profiles.c.key)
    ways = [name.icontains(word, autoescape=True) for name in names]
    if _NUMBER.fullmatch(word) and int(word) <= MAX_ORG_ID:
        ways.append(_V.c.org_id == int(word))
    if _ADDRESS.fullmatch(word):
        ways.append(_V.c.controller == bytes.fromhex(word[2:]))
    return or_(*ways)


def _has_status(
    programme: ProgrammeFilter | None, status: OrganisationStatus | None
) -> ColumnElement[bool]:
    if status is OrganisationStatus.APPLICANT:
        pending = is_applicant(_V.c.org_id, programme.key if programme else None)
        return and_(_V.c.retired == 0, pending)
    if status is OrganisationStatus.RETIRED:
        if programme is None:
            return _V.c.retired == 1
        return and_(_V.c.retired == 1, _is_in(programme, has_standing(Standing.REVOKED)))
    return _is_in(programme, is_held() if status is None else has_standing(Standing(status)))


def _is_in(programme: ProgrammeFilter | None, standing: ColumnElement[bool]) -> ColumnElement[bool]:
    """That the organisation's membership in the programme, or in any, is of the standing."""
    membership = select(_M.c.org_id).where(
        _M.c.org_id == _V.c.org_id, is_last_version(_M, "programme_id", "org_id"), standing
    )
    if programme is not None:
        membership = membership.where(_M.c.programme_id == programme.programme_id)
    return membership.correlate(_V).exists()


def _with_memberships(
    connection: Connection, moment: Moment, rows: Sequence[Row[Any]]
) -> tuple[Organisation, ...]:
    org_ids = [row.org_id for row in rows]
    memberships = read_memberships_of(connection, moment, org_ids)
    filed = read_applications_of(connection, moment, org_ids)
    return tuple(
        Organisation(
            org_id=row.org_id,
            kind=row.kind,
            controller=bytes(row.controller) if row.controller is not None else None,
            profile_commitment=bytes(row.profile),
            profile=profile_of(row),
            registered_at=row.registered_at,
            retired=bool(row.retired),
            successor_id=row.successor_id,
            memberships=memberships.get(row.org_id, ()),
            applications=filed.get(row.org_id, ()),
        )
        for row in rows
    )
