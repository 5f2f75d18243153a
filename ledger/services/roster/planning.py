"""Compares a roster with the chain: what is there, what an import would add, what it cannot.

It reads and changes nothing. The chain is asked, not the mirror, so that an import which follows
another at once sees what that one did. An organisation is known by the account that acts for it,
or else by a profile that was kept under its key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from ledger.chain.contracts.registry import LedgerContracts
from ledger.chain.headers import check_header
from ledger.domain.commands import MembershipState, ProgrammeRules
from ledger.domain.events import MembershipStatus
from ledger.domain.ids import OrgId, ProgrammeId
from ledger.domain.keys import encode_key
from ledger.errors import ContractRefused
from ledger.office.applications import is_filed
from ledger.office.profiles import Profile, Subject, commitments_of, read_document
from ledger.services.roster.reading import OrganisationRow, ProgrammeRow, Roster


class Action(StrEnum):
    """What an import does about a row."""

    ADD = "add"
    KEEP = "keep"
    CANNOT = "cannot"


@dataclass(frozen=True, slots=True)
class PlannedRow:
    """One thing of the roster.

    `subject` is programme, tier, category, epochs, organisation, profile, membership or
    application; `note` says why where that is not plain.
    """

    subject: str
    key: str
    programme: str
    action: Action
    note: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What the chain holds of a roster, at one block. All by the keys of the roster.

    `epochs` are numbers of boundaries; `categories` says by programme and category whether it is
    open, and lacks those that the chain does not know; `profiles` are the commitments in force.
    """

    block: int
    time: int
    programmes: Mapping[str, tuple[ProgrammeId, ProgrammeRules]]
    epochs: Mapping[str, int]
    categories: Mapping[tuple[str, str], bool]
    organisations: Mapping[str, OrgId]
    profiles: Mapping[str, bytes]
    memberships: Mapping[tuple[str, str], MembershipState]


def read_standing(
    contracts: LedgerContracts,
    connection: Connection,
    roster: Roster,
    controllers: Mapping[str, bytes],
) -> Standing:
    """Ask the chain about everything that the roster names.

    `connection` reads the office; `controllers` has the account of each organisation, by key.
    """
    head = check_header(contracts.programmes.node.header("latest"))
    block, time = head.number, head.timestamp
    programmes = _programmes(contracts, block)
    organisations = _organisations(contracts, connection, roster, controllers, block)
    return Standing(
        block=block,
        time=time,
        programmes=programmes,
        epochs={
            key: contracts.programmes.boundary_count(programme_id, at=block)
            for key, (programme_id, _) in programmes.items()
        },
        categories=dict(_categories(contracts, roster, programmes, block)),
        organisations=organisations,
        profiles={
            key: contracts.organisations.organisation(org_id, at=block).profile
            for key, org_id in organisations.items()
        },
        memberships={
            (programme, row.key): contracts.memberships.membership(
                programmes[programme][0], organisations[row.key], at=block
            )
            for row in roster.organisations
            for programme in (*row.member_of, *row.applies_to)
            if programme in programmes and row.key in organisations
        },
    )


def plan_import(connection: Connection, roster: Roster, standing: Standing) -> list[PlannedRow]:
    """What an import would do about every row, in the order of the files."""
    rows = [
        row
        for programme in roster.programmes
        for row in _plan_programme(connection, programme, standing)
    ]
    for organisation in roster.organisations:
        rows += _plan_organisation(connection, organisation, standing)
    return rows


def programme_profile(row: ProgrammeRow) -> Profile:
    """The profile that a programme of the roster gets."""
    return Profile(
        Subject.PROGRAMME,
        row.key,
        row.name_zh,
        row.name_en,
        details=(("role_zh", row.role_zh), ("role_en", row.role_en)),
    )


def organisation_profile(row: OrganisationRow) -> Profile:
    """The profile that an organisation of the roster gets."""
    return Profile(
        Subject.ORGANISATION, row.key, row.name_zh, row.name_en, segment=row.segment, note=row.note
    )


def _plan_programme(
    connection: Connection, row: ProgrammeRow, standing: Standing
) -> Iterator[PlannedRow]:
    found = standing.programmes.get(row.key)
    if found is None:
        yield PlannedRow("programme", row.key, row.key, Action.ADD)
    else:
        yield PlannedRow("programme", row.key, row.key, Action.KEEP)
        yield from _plan_profile(connection, programme_profile(row), found[1].profile)
    there = found[1].tier_count if found is not None else 0
    for number, tier in enumerate(row.tiers):
        action = Action.KEEP if number < there else Action.ADD
        yield PlannedRow("tier", tier.key, row.key, action)
    has_epochs = standing.epochs.get(row.key, 0) > 0
    yield PlannedRow("epochs", row.key, row.key, Action.KEEP if has_epochs else Action.ADD)
    for category in row.categories:
        is_open = standing.categories.get((row.key, category.key))
        action = Action.ADD if is_open is None else Action.KEEP
        note = "is closed and stays so" if is_open is False else ""
        yield PlannedRow("category", category.key, row.key, action, note)


def _plan_organisation(
    connection: Connection, row: OrganisationRow, standing: Standing
) -> Iterator[PlannedRow]:
    if row.key not in standing.organisations:
        yield PlannedRow("organisation", row.key, "", Action.ADD)
    else:
        yield PlannedRow("organisation", row.key, "", Action.KEEP)
        yield from _plan_profile(connection, organisation_profile(row), standing.profiles[row.key])
    for programme in row.member_of:
        yield _plan_membership(row, programme, standing)
    for programme in row.applies_to:
        yield _plan_application(connection, row, programme, standing)


def _plan_profile(
    connection: Connection, profile: Profile, in_force: bytes
) -> Iterator[PlannedRow]:
    """A profile whose document is lost is written anew; one that was changed since is left."""
    programme = profile.key if profile.subject is Subject.PROGRAMME else ""
    kept = read_document(connection, in_force)
    if kept is None:
        note = "its document is not kept here; it is committed to anew"
        yield PlannedRow("profile", profile.key, programme, Action.ADD, note)
    elif kept != profile.document():
        note = "is another than the roster's and stays so"
        yield PlannedRow("profile", profile.key, programme, Action.KEEP, note)


def _plan_membership(row: OrganisationRow, programme: str, standing: Standing) -> PlannedRow:
    state = standing.memberships.get((programme, row.key))
    if state is None or state.status is MembershipStatus.NONE:
        return PlannedRow("membership", row.key, programme, Action.ADD)
    if state.status is MembershipStatus.REVOKED:
        note = "was revoked; only `moonlake membership admit` undoes that"
        return PlannedRow("membership", row.key, programme, Action.CANNOT, note)
    note = "is suspended" if state.status is MembershipStatus.SUSPENDED else ""
    if not note and state.expires_at <= standing.time:
        note = "has lapsed"
    return PlannedRow("membership", row.key, programme, Action.KEEP, note)


def _plan_application(
    connection: Connection, row: OrganisationRow, programme: str, standing: Standing
) -> PlannedRow:
    state = standing.memberships.get((programme, row.key))
    if state is not None and state.status in (
        MembershipStatus.ACTIVE,
        MembershipStatus.SUSPENDED,
    ):
        note = "is a member already"
        return PlannedRow("application", row.key, programme, Action.KEEP, note)
    org_id = standing.organisations.get(row.key)
    if org_id is not None and is_filed(connection, org_id, programme):
        return PlannedRow("application", row.key, programme, Action.KEEP)
    return PlannedRow("application", row.key, programme, Action.ADD)


def _programmes(
    contracts: LedgerContracts, block: int
) -> dict[str, tuple[ProgrammeId, ProgrammeRules]]:
    count = contracts.programmes.programme_count(at=block)
    ids = (ProgrammeId(number) for number in range(1, count + 1))
    rules = ((found, contracts.programmes.programme(found, at=block)) for found in ids)
    return {rule.key: (programme_id, rule) for programme_id, rule in rules}


def _categories(
    contracts: LedgerContracts,
    roster: Roster,
    programmes: Mapping[str, tuple[ProgrammeId, ProgrammeRules]],
    block: int,
) -> Iterator[tuple[tuple[str, str], bool]]:
    """The categories that the chain knows, each with whether it is open."""
    for row in roster.programmes:
        if row.key not in programmes:
            continue
        for category in row.categories:
            known = _is_open(contracts, programmes[row.key][0], category.key, block)
            if known is not None:
                yield (row.key, category.key), known


def _is_open(
    contracts: LedgerContracts, programme_id: ProgrammeId, category: str, block: int
) -> bool | None:
    """Whether a category is open; None where the programme has none of that name."""
    try:
        contracts.programmes.read(
            "requireOpenCategories", programme_id, [encode_key(category)], at=block
        )
    except ContractRefused as refusal:
        if refusal.values["name"] == "ProgrammesCategoryUnknown":
            return None
        if refusal.values["name"] == "ProgrammesCategoryClosed":
            return False
        raise
    return True


def _organisations(
    contracts: LedgerContracts,
    connection: Connection,
    roster: Roster,
    controllers: Mapping[str, bytes],
    block: int,
) -> dict[str, OrgId]:
    found: dict[str, OrgId] = {}
    by_profile: dict[bytes, OrgId] | None = None
    for row in roster.organisations:
        org_id = OrgId(0)
        if row.key in controllers:
            org_id = contracts.organisations.organisation_of(controllers[row.key], at=block)
        kept = commitments_of(connection, Subject.ORGANISATION, row.key) if not org_id else ()
        if kept and by_profile is None:
            by_profile = _all_profiles(contracts, block)
        for commitment in kept:
            org_id = (by_profile or {}).get(commitment, org_id)
        if org_id:
            found[row.key] = org_id
    return found


def _all_profiles(contracts: LedgerContracts, block: int) -> dict[bytes, OrgId]:
    """Every organisation by its profile: asked for where an account does not lead to one."""
    count = contracts.organisations.organisation_count(at=block)
    ids = [OrgId(number) for number in range(1, count + 1)]
    return {
        contracts.organisations.organisation(org_id, at=block).profile: org_id for org_id in ids
    }
