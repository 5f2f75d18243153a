"""Brings what a roster names and the chain lacks onto the chain and into the office.

Every operation's id is derived from the very call, every account from the organisation's key, and
each part begins by asking the chain what is there. So an import that was interrupted is run again,
and one that is complete does nothing. What the office keeps is written before the transaction that
commits to it.

It admits only those whom the roster names as members: an application is filed and stays one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ledger.chain.signers import Signer
from ledger.domain.commands import Admission, Registration
from ledger.domain.events import MembershipStatus
from ledger.domain.ids import OrgId, TierId
from ledger.office.applications import file_application
from ledger.office.evidence import Description
from ledger.office.labels import Label, Labelled, keep_label
from ledger.office.profiles import Profile, keep_profile, read_document
from ledger.services import memberships, organisations, programmes
from ledger.services.checks import MAX_AMOUNT, count_of
from ledger.services.desk import Desk, Report
from ledger.services.orders import Order
from ledger.services.roster.planning import (
    Action,
    PlannedRow,
    Standing,
    organisation_profile,
    plan_import,
    programme_profile,
    read_standing,
)
from ledger.services.roster.reading import OrganisationRow, ProgrammeRow, Roster
from ledger.store.engine import reading, writing

T = TypeVar("T")

PURPOSE = "moonlake.import.1"
FIRST_TIER = TierId(1)
ROSTER_DOCUMENT = Description("会员名册", "Roster of members", "text/csv; charset=utf-8")

_AT_ONCE = 50
"""Rows of one transaction: below every contract's bound, and few enough to be read."""


@dataclass(frozen=True, slots=True)
class Signers:
    """Who signs for an import: a council officer and a registrar of the whole alliance."""

    council: Signer
    registrar: Signer


@dataclass(frozen=True, slots=True)
class Terms:
    """What a roster does not say. Times are seconds since 1970 UTC.

    `expires_at` ends the memberships; `boundaries` are the epochs of a programme that has none.
    """

    expires_at: int
    boundaries: tuple[int, ...]
    supply_cap: int = MAX_AMOUNT


class RosterImport:
    """One roster on its way into one ledger.

    `controllers` has the account of every organisation of the roster, by key. `report` takes lines
    for people.
    """

    def __init__(
        self, desk: Desk, roster: Roster, controllers: Mapping[str, bytes], report: Report
    ) -> None:
        self._desk = desk
        self._roster = roster
        self._controllers = controllers
        self._report = report

    def plan(self) -> list[PlannedRow]:
        """What `run` would do about every row; changes nothing."""
        with reading(self._desk.engine) as connection:
            return plan_import(connection, self._roster, self._standing())

    def run(self, signers: Signers, terms: Terms) -> list[PlannedRow]:
        """Bring over what is missing; the plan that was carried out.

        Raises ContractRefused where a contract would not have it, and whatever sending raises;
        what was done before stays done.
        """
        planned = self.plan()
        self._keep_labels()
        if any(row.action is Action.ADD for row in planned):
            self._found_programmes(signers.council, terms)
            self._complete_programmes(signers.council, terms)
            self._register(signers.registrar)
            self._restore_profiles(signers)
            self._admit(signers.registrar, terms)
            self._file_applications()
        return planned

    def _standing(self) -> Standing:
        with reading(self._desk.engine) as connection:
            return read_standing(self._desk.contracts, connection, self._roster, self._controllers)

    def _order(self, signer: Signer) -> Order:
        return Order(self._desk.outbox, signer, purpose=PURPOSE)

    # --- programmes ---

    def _keep_labels(self) -> None:
        with writing(self._desk.engine) as connection:
            for row in self._roster.programmes:
                for label in _labels(row):
                    keep_label(connection, label)

    def _found_programmes(self, council: Signer, terms: Terms) -> None:
        known = self._standing().programmes
        for row in self._roster.programmes:
            if row.key not in known:
                profile = self._keep(programme_profile(row))
                founding = programmes.Founding(row.key, profile, terms.supply_cap)
                programmes.create_programme(self._order(council), founding)
                self._report(f"Founded the programme {row.key}.")

    def _complete_programmes(self, council: Signer, terms: Terms) -> None:
        standing = self._standing()
        order = self._order(council)
        for row in self._roster.programmes:
            programme_id, rules = standing.programmes[row.key]
            tiers = [tier.key for tier in row.tiers[rules.tier_count :]]
            categories = [
                category.key
                for category in row.categories
                if (row.key, category.key) not in standing.categories
            ]
            if tiers:
                programmes.add_tiers(order, programme_id, tiers)
            if not standing.epochs[row.key] and terms.boundaries:
                programmes.append_boundaries(order, programme_id, terms.boundaries)
            for some in _portions(categories):
                programmes.open_categories(order, programme_id, some)
            if tiers or categories:
                added = count_of(len(tiers), "tier"), f"{len(categories)} of its categories"
                self._report(f"Added {' and '.join(added)} to {row.key}.")

    # --- organisations ---

    def _register(self, registrar: Signer) -> None:
        known = self._standing().organisations
        missing = [row for row in self._roster.organisations if row.key not in known]
        for some in _portions(missing):
            registrations = [
                Registration(
                    self._controllers[row.key], row.kind, self._keep(organisation_profile(row))
                )
                for row in some
            ]
            organisations.register(self._order(registrar), registrations)
            self._report(f"Registered {count_of(len(some), 'organisation')}.")

    def _restore_profiles(self, signers: Signers) -> None:
        """Commit anew to the profiles whose documents are not kept here (any more)."""
        standing = self._standing()
        for row in self._roster.programmes:
            programme_id, rules = standing.programmes[row.key]
            if self._is_lost(rules.profile):
                profile = self._keep(programme_profile(row))
                programmes.change_profile(self._order(signers.council), programme_id, profile)
        for organisation in self._roster.organisations:
            if self._is_lost(standing.profiles[organisation.key]):
                org_id = standing.organisations[organisation.key]
                profile = self._keep(organisation_profile(organisation))
                organisations.change_profile(self._order(signers.registrar), org_id, profile)

    def _is_lost(self, commitment: bytes) -> bool:
        with reading(self._desk.engine) as connection:
            return read_document(connection, commitment) is None

    def _keep(self, profile: Profile) -> bytes:
        with writing(self._desk.engine) as connection:
            return keep_profile(connection, profile)

    # --- memberships and applications ---

    def _admit(self, registrar: Signer, terms: Terms) -> None:
        standing = self._standing()
        for programme in self._roster.programmes:
            missing = [
                row
                for row in self._roster.organisations
                if programme.key in row.member_of
                and standing.memberships[programme.key, row.key].status is MembershipStatus.NONE
            ]
            for some in _portions(missing):
                evidence = self._keep_roster(standing.time)
                admissions = [
                    Admission(
                        standing.organisations[row.key], FIRST_TIER, terms.expires_at, evidence
                    )
                    for row in some
                ]
                programme_id = standing.programmes[programme.key][0]
                memberships.admit(self._order(registrar), programme_id, admissions)
                self._report(f"Admitted {count_of(len(some), 'member')} to {programme.key}.")

    def _keep_roster(self, now: int) -> bytes:
        """The roster's own file is the evidence that its members were admitted on."""
        path = self._roster.folder / "organisations.csv"
        with path.open("rb") as content, writing(self._desk.engine) as connection:
            evidence = self._desk.evidence.keep(connection, content, ROSTER_DOCUMENT, added_at=now)
        return evidence.commitment

    def _file_applications(self) -> None:
        standing = self._standing()
        filed = 0
        with writing(self._desk.engine) as connection:
            for row, programme, org_id in self._applications(standing):
                note = row.note
                filed += file_application(
                    connection, org_id, programme, filed_at=standing.time, note=note
                )
        if filed:
            self._report(f"Filed {count_of(filed, 'application')}.")

    def _applications(self, standing: Standing) -> Iterator[tuple[OrganisationRow, str, OrgId]]:
        """Who applies to what, and is no member of it."""
        for row in self._roster.organisations:
            for programme in row.applies_to:
                status = standing.memberships[programme, row.key].status
                if status not in (MembershipStatus.ACTIVE, MembershipStatus.SUSPENDED):
                    yield row, programme, standing.organisations[row.key]


def _labels(row: ProgrammeRow) -> Iterator[Label]:
    for tier in row.tiers:
        yield Label(row.key, Labelled.TIER, tier.key, tier.name_zh, tier.name_en)
    for category in row.categories:
        names = category.name_zh, category.name_en
        yield Label(row.key, Labelled.CATEGORY, category.key, *names, category.side)
    for benefit in row.benefits:
        yield Label(row.key, Labelled.BENEFIT, benefit.key, benefit.name_zh, benefit.name_en)


def _portions(rows: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(rows), _AT_ONCE):
        yield rows[start : start + _AT_ONCE]
