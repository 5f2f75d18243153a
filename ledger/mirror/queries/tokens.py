"""Membership tokens with the names that a wallet shows, and the programmes that they are of.

A token is there while its membership is held: one that was revoked has none, as on the chain.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from ledger.domain.ids import OrgId, ProgrammeId, TokenId
from ledger.errors import NotFound
from ledger.mirror.queries.memberships import Membership, Standing, read_memberships_of
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.profiles import PROFILE_COLUMNS, Profile, profile_of
from ledger.mirror.queries.rules import Label, read_labels
from ledger.mirror.queries.versions import is_last_version, true_at
from ledger.store.mirror_tables import organisation_versions, programme_versions
from ledger.store.office_tables import profiles

_ORG_ID_BITS = 32


@dataclass(frozen=True, slots=True)
class NamedProgramme:
    """A programme's key, and who it is where the office knows it."""

    programme_id: ProgrammeId
    key: str
    profile: Profile | None


@dataclass(frozen=True, slots=True)
class Token:
    """A membership that is held, and what its organisation, programme and tier are called."""

    membership: Membership
    organisation: Profile | None
    programme: NamedProgramme
    tier: Label | None


_O = organisation_versions
_P = programme_versions
_ORGANISATION = (
    select(_O, *PROFILE_COLUMNS)
    .select_from(_O)
    .outerjoin(profiles, profiles.c.commitment == _O.c.profile)
    .where(is_last_version(_O, "org_id"), _O.c.org_id == bindparam("org_id"))
)
_PROGRAMMES = (
    select(_P, *PROFILE_COLUMNS)
    .select_from(_P)
    .outerjoin(profiles, profiles.c.commitment == _P.c.profile)
    .where(is_last_version(_P, "programme_id"))
    .order_by(_P.c.programme_id)
)


def read_token(connection: Connection, moment: Moment, token: TokenId) -> Token:
    """The token of this number. Raises NotFound where no membership that is held has it."""
    programme_id, org_id = token >> _ORG_ID_BITS, OrgId(token & (2**_ORG_ID_BITS - 1))
    memberships = read_memberships_of(connection, moment, [org_id]).get(org_id, ())
    for membership in memberships:
        if membership.programme_id == programme_id and membership.standing is not Standing.REVOKED:
            break
    else:
        raise NotFound(what="membership token", key=token)
    named = {each.programme_id: each for each in list_named_programmes(connection, moment)}
    row = connection.execute(_ORGANISATION, {**true_at(moment), "org_id": org_id}).one()
    return Token(
        membership=membership,
        organisation=profile_of(row),
        programme=named[membership.programme_id],
        tier=read_labels(connection).get((membership.programme, "tier", membership.tier_key)),
    )


def list_named_programmes(connection: Connection, moment: Moment) -> tuple[NamedProgramme, ...]:
    """All programmes by what they are called, in the order of their ids."""
    rows = connection.execute(_PROGRAMMES, true_at(moment)).all()
    return tuple(NamedProgramme(row.programme_id, row.key, profile_of(row)) for row in rows)
