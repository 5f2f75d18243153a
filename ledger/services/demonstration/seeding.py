"""Carries the season out on a devnet, step by step, each at its own time.

Every step has an operation id of its own, so that the outbox passes over what is done, sends again
what was signed, and does the rest: seeding can be stopped at any point. It refuses a ledger that
holds anything else: made-up records never stand beside real ones.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import singledispatchmethod

from ledger.chain.contracts.contract import Contract
from ledger.chain.devnet_clock import date_next_block, return_to_present
from ledger.chain.devnet_rpc import DevnetRpc
from ledger.chain.signers import Signer
from ledger.data import DEMONSTRATION, ROSTER
from ledger.domain.commands import Award, Budget, Renewal
from ledger.domain.ids import ALLIANCE_WIDE, BlockNumber, EntryId, OrgId, ProgrammeId
from ledger.domain.operations import derive_operation_id
from ledger.errors import DemonstrationRefused
from ledger.outbox.records import Operation, find_operation
from ledger.services import memberships, programmes, roles
from ledger.services.credits import Correction, award, prove_awards, reverse
from ledger.services.demonstration import documents
from ledger.services.demonstration.calendar import (
    DAY,
    SEASON_SECONDS,
    first_term_end,
    quarter_boundaries,
)
from ledger.services.demonstration.documents import Document, keep_document
from ledger.services.demonstration.season import (
    Awards,
    Mistake,
    Renewals,
    Resumption,
    Step,
    Suspension,
    plan_season,
    read_samples,
)
from ledger.services.desk import Desk, Report
from ledger.services.memberships import Ground
from ledger.services.orders import Order
from ledger.services.roster.importing import RosterImport, Signers, Terms
from ledger.services.roster.planning import Action, Standing, read_standing
from ledger.services.roster.reading import Roster, read_roster
from ledger.store.engine import reading, writing

PURPOSE = "moonlake.demonstration.1"
SUPPLY_CAP = 1_000_000
EPOCH_YEARS = 4

OFFICERS = ("council", "registrar", "treasurer", "issuer")
"""The keys besides `admin`; each holds the role of its name in the whole alliance."""

COUNCILLORS = ("council", "registrar", "treasurer")
"""Those of OFFICERS who sit on the whole alliance's council, and so on every programme's: one
proposes, another approves (`Founding.approvals_needed` is 1), and the seat acts."""

BUDGETS = {
    "community": Budget(per_award=1_000, per_epoch=60_000),
    "fund-group": Budget(per_award=1_000, per_epoch=30_000),
    "alliance": Budget(per_award=500, per_epoch=5_000),
}

_FOUNDING = 3_600
"""Seconds after the chain's first block when the ledger is founded."""
_ROSTER = 7_200
_BETWEEN = 60
_LATEST = DAY
"""How much later than planned a step may be recorded: a start that was ended and repeated."""

Progress = Callable[[int, int], None]
"""Is told how many steps are done, and of how many."""


@dataclass(frozen=True, slots=True)
class Hands:
    """What seeding works with besides the desk.

    `signers` by the names of OFFICERS and `admin`; `controllers` by the organisations' keys;
    `wait_for_mirror` returns once the mirror has applied a block.
    """

    rpc: DevnetRpc
    signers: Mapping[str, Signer]
    controllers: Mapping[str, bytes]
    wait_for_mirror: Callable[[BlockNumber], None]
    report: Report
    progress: Progress


def demonstration_roster() -> Roster:
    """The roster that ships with the package, with the demonstration's tiers."""
    return read_roster(ROSTER, tiers_file=DEMONSTRATION / "tiers.csv")


class Season:
    """The season of one chain, whose first block is at `start` (seconds since 1970 UTC).

    `accounts` are those of the keys `admin` and OFFICERS, as far as they exist: a step counts as
    done where its signer did it.
    """

    def __init__(self, desk: Desk, *, start: int, accounts: Mapping[str, bytes]) -> None:
        self.start = start
        self._accounts = accounts
        self.roster = demonstration_roster()
        self.steps = plan_season(
            self.roster, read_samples(DEMONSTRATION / "contributions.csv"), start
        )
        self._desk = desk

    def check(self, now: int) -> None:
        """Raise DemonstrationRefused where this chain cannot take the season."""
        if self.start + SEASON_SECONDS > now:
            raise DemonstrationRefused(problem="its chain began too late for a season in the past")
        authority = self._desk.contracts.authority
        founded = self.is_done(authority, f"appoint/{OFFICERS[0]}", "admin")
        if authority.sequence(at="latest") > 1 and not founded:
            raise DemonstrationRefused(problem="it holds records that are not the demonstration's")

    def is_complete(self) -> bool:
        """Whether the last step is in the chain and recorded here; then so are all before it."""
        last = self.steps[-1]
        with reading(self._desk.engine) as connection:
            known = find_operation(connection, self._id(last.key))
        return known is not None and known.is_done and self.is_over()

    def is_over(self) -> bool:
        """Whether the last step is in the chain."""
        last = self.steps[-1]
        return self.is_recorded(last)

    def is_recorded(self, step: Step) -> bool:
        """Whether a step of the plan is in the chain."""
        return self.is_done(self.contract_of(step), step.key, step.signer)

    def is_done(self, contract: Contract, key: str, signer: str) -> bool:
        """Whether the contract has done the step of this key for the signer of this name."""
        account = self._accounts.get(signer)
        if account is None:
            return False
        return contract.operation_sequence(account, self._id(key), at="latest") != 0

    def contract_of(self, step: Step) -> Contract:
        """The contract that a step of the season is done by."""
        contracts = self._desk.contracts
        return contracts.credits if isinstance(step, Awards | Mistake) else contracts.memberships

    def seed(self, hands: Hands, *, now: int) -> None:
        """Do every step that is not done, and leave the chain's clock at `now`."""
        self._accounts = {name: signer.address for name, signer in hands.signers.items()}
        run = _Run(self, self._desk, hands)
        run.found()
        run.bring_roster()
        run.set_budgets()
        run.seat_councils()
        run.carry_out(self.steps)
        return_to_present(hands.rpc, now)

    def _id(self, key: str) -> bytes:
        return derive_operation_id(PURPOSE, self._desk.outbox.chain.genesis_hash, key.encode())

    def order(self, signer: Signer, key: str) -> Order:
        """The order of a step: its id follows from the chain and the step's key."""
        return Order(self._desk.outbox, signer, self._id(key))


class _Run:
    """One run through the season; what it learns on the way is kept for the steps to come."""

    def __init__(self, season: Season, desk: Desk, hands: Hands) -> None:
        self._season = season
        self._desk = desk
        self._hands = hands
        self._done: dict[str, Operation] = {}
        self._standing: Standing | None = None

    def found(self) -> None:
        """Appoint the officers."""
        admin = self._hands.signers["admin"]
        for number, name in enumerate(OFFICERS):
            key = f"appoint/{name}"
            if not self._season.is_done(self._desk.contracts.authority, key, "admin"):
                self._date(self._season.start + _FOUNDING + number * _BETWEEN)
            office = roles.Office(name, ALLIANCE_WIDE, self._hands.signers[name].address)
            roles.appoint(self._season.order(admin, key), office)

    def bring_roster(self) -> None:
        """Import the roster: programmes, organisations, memberships, applications."""
        start = self._season.start
        roster_import = RosterImport(
            self._desk, self._season.roster, self._hands.controllers, self._hands.report
        )
        is_over = self._season.is_over()
        if not is_over and any(row.action is Action.ADD for row in roster_import.plan()):
            self._date(start + _ROSTER)
        signers = Signers(self._hands.signers["council"], self._hands.signers["registrar"])
        terms = Terms(first_term_end(start), self._boundaries(), SUPPLY_CAP)
        roster_import.run(signers, terms)
        with reading(self._desk.engine) as connection:
            self._standing = read_standing(
                self._desk.contracts, connection, self._season.roster, self._hands.controllers
            )

    def _boundaries(self) -> tuple[int, ...]:
        """From the quarter in which the programmes are founded: only one may have begun."""
        return quarter_boundaries(self._season.start + _ROSTER, EPOCH_YEARS)

    def set_budgets(self) -> None:
        """Give the issuer a budget in each programme."""
        issuer = self._hands.signers["issuer"].address
        for number, (programme, budget) in enumerate(BUDGETS.items()):
            key = f"budget/{programme}"
            if not self._season.is_done(self._desk.contracts.programmes, key, "treasurer"):
                self._date(self._season.start + 2 * _ROSTER + number * _BETWEEN)
            order = self._season.order(self._hands.signers["treasurer"], key)
            programmes.set_budget(order, self._programme(programme), issuer, budget)

    def seat_councils(self) -> None:
        """Appoint the councillors; and the councils' seats, which carry out what they decide."""
        council = self._desk.contracts.council
        offices = {
            f"councillor/{name}": roles.Office(
                "councillor", ALLIANCE_WIDE, self._hands.signers[name].address
            )
            for name in COUNCILLORS
        }
        for name, programme_id in (("alliance-wide", ALLIANCE_WIDE), *self._programmes()):
            seat = council.seat_of(programme_id, at="latest")
            offices[f"seat/{name}"] = roles.Office("council", programme_id, seat)
        begin = self._season.start + 3 * _ROSTER
        for number, (key, office) in enumerate(offices.items()):
            if not self._season.is_done(self._desk.contracts.authority, key, "admin"):
                self._date(begin + number * _BETWEEN)
            roles.appoint(self._season.order(self._hands.signers["admin"], key), office)

    def carry_out(self, steps: Sequence[Step]) -> None:
        """Do the season's steps in their order."""
        for number, step in enumerate(steps, start=1):
            if not self._season.is_recorded(step):
                self._date(step.at)
            self._done[step.key] = self._do(step)
            self._hands.progress(number, len(steps))

    @singledispatchmethod
    def _do(self, step: Step) -> Operation:
        raise TypeError(f"a season has no step of the kind {type(step).__name__}")

    @_do.register
    def _award(self, step: Awards) -> Operation:
        evidence = self._keep(
            step, *(documents.of_contribution(step, given) for given in step.contributions)
        )
        awards = [
            Award(self._org(given.organisation.key), given.amount, given.category.key, commitment)
            for given, commitment in zip(step.contributions, evidence, strict=True)
        ]
        return award(self._order(step), self._programme_of(step), awards)

    @_do.register
    def _reverse(self, step: Mistake) -> Operation:
        (evidence,) = self._keep(step, documents.of_mistake(step))
        source = next(
            planned
            for planned in self._season.steps
            if isinstance(planned, Awards) and step.contribution in planned.contributions
        )
        awarded = self._done[source.key]
        assert awarded.first_sequence is not None, "an included award has entries"  # noqa: S101
        position = source.contributions.index(step.contribution)
        entry_id = EntryId(awarded.first_sequence + position)
        attempt = awarded.last_attempt
        if attempt is not None and attempt.block_number is not None:
            self._hands.wait_for_mirror(BlockNumber(attempt.block_number))
        with reading(self._desk.engine) as connection:
            reversals = prove_awards(connection, [Correction(entry_id, evidence)])
        return reverse(self._order(step), reversals)

    @_do.register
    def _renew(self, step: Renewals) -> Operation:
        (evidence,) = self._keep(step, documents.of_renewals(step))
        renewals = [
            Renewal(self._org(member.key), step.expires_at) for member in step.organisations
        ]
        return memberships.renew(
            self._order(step),
            self._programme_of(step),
            renewals,
            Ground("term.ended", evidence),
        )

    @_do.register
    def _suspend(self, step: Suspension) -> Operation:
        (evidence,) = self._keep(step, documents.of_suspension(step))
        return memberships.suspend(
            self._order(step),
            self._programme_of(step),
            [self._org(step.organisation.key)],
            Ground("report.overdue", evidence),
        )

    @_do.register
    def _resume(self, step: Resumption) -> Operation:
        (evidence,) = self._keep(step, documents.of_resumption(step))
        return memberships.resume(
            self._order(step),
            self._programme_of(step),
            [self._org(step.organisation.key)],
            Ground("report.received", evidence),
        )

    def _keep(self, step: Step, *written: Document) -> list[bytes]:
        with writing(self._desk.engine) as connection:
            return [
                keep_document(
                    self._desk.evidence, connection, document, added_at=step.at
                ).commitment
                for document in written
            ]

    def _order(self, step: Step) -> Order:
        return self._season.order(self._hands.signers[step.signer], step.key)

    def _programmes(self) -> tuple[tuple[str, ProgrammeId], ...]:
        return tuple(
            (each.key, self._programme(each.key)) for each in self._season.roster.programmes
        )

    def _programme_of(self, step: Step) -> ProgrammeId:
        return self._programme(step.programme.key)

    def _programme(self, key: str) -> ProgrammeId:
        assert self._standing is not None, "the roster comes first"  # noqa: S101
        return self._standing.programmes[key][0]

    def _org(self, key: str) -> OrgId:
        assert self._standing is not None, "the roster comes first"  # noqa: S101
        return self._standing.organisations[key]

    def _date(self, at: int) -> None:
        """Let the next block have this time, or the next second where the chain is past it.

        Raises DemonstrationRefused where it is far past it.
        """
        head = self._hands.rpc.head()
        if head.timestamp > at + _LATEST:
            reached, due = (
                datetime.fromtimestamp(time, UTC).date() for time in (head.timestamp, at)
            )
            raise DemonstrationRefused(
                problem=f"its chain is at {reached} already, and what comes next in the season was "
                f"to be recorded on {due}"
            )
        date_next_block(self._hands.rpc, max(at, head.timestamp + 1))
