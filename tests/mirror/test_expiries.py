"""Expiries that are computed at one moment and posted at another: chain, mirror and policy agree.

Four members have 100 credits of an epoch that is over and 30 of the present one. They spend after
the computation and before the council's seat posts it: nothing, a part, all that is due, and more.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from unittest import mock

import pytest
from sqlalchemy import select

from ledger.chain.contracts import authority, benefits, council
from ledger.chain.contracts import credits as journal
from ledger.cli import main as command_line
from ledger.domain.commands import Expiry
from ledger.domain.events import Call, EntryKind
from ledger.domain.expiry import (
    DatedEntry,
    ExpiryPolicy,
    WrongExpiry,
    commit_to_computation,
    compute_expiries,
    describe_computation,
    find_wrong_expiries,
)
from ledger.domain.ids import EntryId, ListingId, OrgId, ProgrammeId, ProposalId, RedemptionId
from ledger.domain.sharing import Listing, Redemption
from ledger.mirror.queries.journals import read_boundaries, read_journal
from ledger.mirror.queries.moments import latest_moment
from ledger.store.engine import reading
from ledger.store.mirror_tables import balances
from tests.mirror.comparison import assert_mirrors_chain
from tests.mirror.conftest import Mirrored, Open
from tests.support.happenings import FAR, Ledger, commitment

POLICY = ExpiryPolicy(epochs=0)
DUE, YOUNGER, PRICE = 100, 30, 5
SPENT = {OrgId(1): 0, OrgId(2): 45, OrgId(3): 100, OrgId(4): 120}
TAKEN = {OrgId(1): 100, OrgId(2): 55}
AFTER = {OrgId(1): 30, OrgId(2): 30, OrgId(3): 30, OrgId(4): 10}
LISTING = ListingId(1)


class Season:
    """A programme whose first epoch is over, its mirror, and what both say."""

    def __init__(self, ledger: Ledger, mirrored: Mirrored) -> None:
        self.ledger, self.mirrored = ledger, mirrored
        end = ledger.now + 10_000
        boundaries = (1_600_000_000, end, end + 10**6, FAR)
        self.programme = ledger.found_programme("season", boundaries=boundaries)
        ledger.admit(self.programme, list(SPENT))
        ledger.award(self.programme, *((org_id, DUE) for org_id in SPENT))
        ledger.pass_time(10_001)
        ledger.award(self.programme, *((org_id, YOUNGER) for org_id in SPENT))
        seat = ledger.contracts.council.seat_of(self.programme, at="latest")
        for role, account in (
            ("council", seat),
            ("councillor", ledger.officers["checker"].address),
        ):
            appoint = authority.encode_appoint(role, self.programme, account, ledger.operation())
            ledger.send("admin", "Authority", appoint)
        listing = Listing(self.programme, PRICE, 1000, 1000, 0, FAR)
        ledger.send("council", "Benefits", benefits.encode_list(listing, ledger.operation()))

    def recompute(self, compute: Callable[[list[DatedEntry], Sequence[int]], object]) -> object:
        """What follows from the mirrored journal and boundaries, and from nothing else."""
        state = self.mirrored.sync()
        with reading(self.mirrored.engine) as connection:
            asked = (connection, latest_moment(state), self.programme)
            return compute(list(read_journal(*asked)), read_boundaries(*asked))

    def due(self, *, before: EntryId | None = None) -> tuple[Expiry, ...]:
        """What is due now, or was just before an entry."""
        now = self.ledger.now

        def compute(entries: list[DatedEntry], boundaries: Sequence[int]) -> tuple[Expiry, ...]:
            known = [each for each in entries if before is None or each.entry.entry_id < before]
            return compute_expiries(POLICY, known, boundaries, now)

        found = self.recompute(compute)
        assert isinstance(found, tuple)
        return found

    def wrong(self) -> tuple[WrongExpiry, ...]:
        """The posted expiries that took more than was due."""
        found = self.recompute(lambda *known: find_wrong_expiries(POLICY, *known))
        assert isinstance(found, tuple)
        return found

    def entries(self, kind: EntryKind) -> list[DatedEntry]:
        """The mirrored entries of a kind."""
        found = self.recompute(lambda entries, _: [e for e in entries if e.entry.kind == kind])
        assert isinstance(found, list)
        return found

    def mirrored_balances(self) -> dict[int, int]:
        """What the mirror says that each has."""
        self.mirrored.sync()
        with reading(self.mirrored.engine) as connection:
            rows = connection.execute(
                select(balances.c.org_id, balances.c.balance).where(
                    balances.c.programme_id == self.programme
                )
            )
            return {row.org_id: row.balance for row in rows}

    def spend(self, org_id: OrgId, amount: int) -> None:
        """Redeem for so many credits."""
        if amount:
            redemption = Redemption(LISTING, org_id, amount // PRICE)
            redeem = benefits.encode_redeem(redemption, self.ledger.operation())
            self.ledger.send(self.ledger.controller(org_id), "Benefits", redeem)

    def expire_call(self, expiries: Sequence[Expiry]) -> bytes:
        """The calldata that posts them, with what they were computed from."""
        last = EntryId(self.ledger.contracts.credits.sequence(at="latest"))
        described = describe_computation(POLICY, self.programme, last, self.ledger.now)
        policy = commit_to_computation(described)
        return journal.encode_expire(self.programme, expiries, policy, self.ledger.operation())


@pytest.fixture
def season(ledger: Ledger, open_mirror: Open, database_url: str) -> Season:
    return Season(ledger, open_mirror(database_url, ledger.deployment, ledger.anvil.url))


def test_expiries__with_spending_before_the_seat_posts_them__take_what_is_still_due(
    season: Season, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = season.ledger
    computed = season.due()
    assert [(each.amount, each.leaves) for each in computed] == [(DUE, YOUNGER)] * len(SPENT)

    calls = [Call(ledger.addresses["Credits"], season.expire_call(computed))]
    expires_at, evidence = ledger.now + 10_000, commitment("computation")
    ledger.send(
        "councillor",
        "Council",
        council.encode_propose(
            season.programme, calls, expires_at, ledger.operation(), evidence=evidence
        ),
    )
    for org_id, amount in SPENT.items():
        season.spend(org_id, amount)
    proposal, calls_hash = ProposalId(1), council.hash_calls(calls)
    ledger.send(
        "checker", "Council", council.encode_approve(proposal, calls_hash, ledger.operation())
    )
    first = EntryId(ledger.contracts.credits.sequence(at="latest") + 1)
    ledger.send("checker", "Council", council.encode_execute(proposal, calls, ledger.operation()))

    posted = season.entries(EntryKind.EXPIRY)
    assert {each.entry.org_id: -each.entry.amount for each in posted} == TAKEN
    assert {each.org_id: each.amount for each in season.due(before=first)} == TAKEN
    assert season.due() == ()
    assert season.wrong() == ()
    assert season.mirrored_balances() == AFTER
    found = ledger.contracts.credits
    for org_id, amount in AFTER.items():
        assert found.balance_of(season.programme, org_id, at="latest") == amount
    for expiry in computed:
        _, taken = found.expiry_of(season.programme, expiry.entry_id, at="latest")
        assert taken == TAKEN.get(expiry.org_id, 0)
    assert_mirrors_chain(season.mirrored, ledger)
    assert check(capsys, database_url, season.programme) == (0, [])


def test_expiry__of_credits_that_are_not_due__is_found_wrong_from_the_mirror(
    season: Season, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger, org_id = season.ledger, OrgId(3)
    younger = next(
        each.entry
        for each in season.entries(EntryKind.AWARD)
        if each.entry.org_id == org_id and each.entry.amount == YOUNGER
    )
    taken = Expiry(EntryId(younger.entry_id), org_id, YOUNGER, 0, "data.acquire")
    ledger.send("council", "Credits", season.expire_call([taken]))

    (wrong,) = season.wrong()
    assert (wrong.award_id, wrong.org_id, wrong.amount, wrong.due) == (
        younger.entry_id,
        org_id,
        YOUNGER,
        0,
    )
    code, said = check(capsys, database_url, season.programme)
    assert (code, [each["entry_id"] for each in said]) == (1, [wrong.entry_id])


def test_refund__after_its_credits_expired__stays_and_is_not_due_again(season: Season) -> None:
    ledger, org_id = season.ledger, OrgId(2)
    computed = season.due()
    season.spend(org_id, SPENT[org_id])
    ledger.send("council", "Credits", season.expire_call(computed))

    cancel = benefits.encode_cancel(RedemptionId(1), ledger.operation())
    ledger.send("treasurer", "Benefits", cancel)

    assert season.mirrored_balances()[org_id] == AFTER[org_id] + SPENT[org_id]
    assert season.due() == ()
    assert season.wrong() == ()


def check(
    capture: pytest.CaptureFixture[str], database_url: str, programme: ProgrammeId
) -> tuple[int, list[dict[str, int]]]:
    """What `moonlake expiry check` says: its exit code, and the wrong ones."""
    arguments = ["moonlake", "expiry", "check", str(programme), "--epochs", "0", "--json"]
    with mock.patch.object(sys, "argv", [*arguments, "--database-url", database_url]):
        try:
            code = command_line.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    answer = json.loads(capture.readouterr().out)
    assert answer["correct"] is (code == 0)
    return code, answer["wrong"]
