"""The expiry of credits: what it gives against heaps of single coins, and its own laws."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.commands import Expiry
from ledger.domain.epochs import epoch_at
from ledger.domain.events import EntryKind
from ledger.domain.expiry import (
    DatedEntry,
    ExpiryPolicy,
    WrongExpiry,
    commit_to_computation,
    compute_expiries,
    describe_computation,
    find_wrong_expiries,
)
from ledger.domain.ids import EntryId, OrgId, ProgrammeId
from ledger.domain.lots import Holdings
from ledger.errors import InvalidValue
from tests.domain.coins import Coins
from tests.domain.entries import posted
from tests.domain.journals import BOUNDARIES, EPOCH, ORGANISATIONS, Journal, steps

FIRST, SECOND, THIRD = (BOUNDARIES[number] for number in range(3))
POLICIES = st.integers(0, 3).map(ExpiryPolicy)


def run(journal: Journal, step: tuple[str, int, int]) -> None:
    """Do one drawn step; an expiry posts a part of what is due, the whole where `part` is 0."""
    name, first, second = step
    if name == "expire":
        due = compute_expiries(ExpiryPolicy(first), journal.entries, BOUNDARIES, journal.now)
        journal.expire(due[:second] if second else due)
    elif name in ("award", "redeem"):
        getattr(journal, name)(first, second)
    else:
        getattr(journal, name)(first)


def grown(drawn: list[tuple[str, int, int]]) -> Journal:
    journal = Journal()
    for step in drawn:
        run(journal, step)
    return journal


def due(policy: int, journal: Journal, at: int | None = None) -> list[tuple[int, int, int]]:
    found = compute_expiries(
        ExpiryPolicy(policy), journal.entries, BOUNDARIES, journal.now if at is None else at
    )
    return [(each.entry_id, each.org_id, each.amount) for each in found]


@settings(max_examples=300, deadline=None)
@given(st.lists(steps, max_size=40))
def test_holdings__of_any_journal__are_the_heaps_of_coins(
    drawn: list[tuple[str, int, int]],
) -> None:
    journal = grown(drawn)
    holdings, coins = Holdings(), Coins()
    for dated in journal.entries:
        holdings.post(dated.entry)
        coins.post(dated.entry)
        for org_id in () if coins.travelling else range(1, ORGANISATIONS + 1):
            assert holdings.balance(OrgId(org_id)) == coins.balance(org_id)

    carried = {
        dated.entry.org_id
        for dated in journal.entries
        if dated.entry.kind == EntryKind.CARRY_OVER and not dated.entry.refers_to
    }
    assert {(lot.entry_id, org_id): amount for org_id, lot, amount in holdings.unspent()} == {
        key: amount for key, amount in coins.unspent().items() if key[1] not in carried
    }
    assert all(
        holdings.balance(OrgId(org_id)) == balance for org_id, balance in journal.balances.items()
    )


@settings(max_examples=200, deadline=None)
@given(POLICIES, st.lists(steps, max_size=40))
def test_expiries__of_any_journal__are_of_due_awards_and_never_more_than_the_balance(
    policy: ExpiryPolicy, drawn: list[tuple[str, int, int]]
) -> None:
    journal = grown(drawn)
    found = compute_expiries(policy, journal.entries, BOUNDARIES, journal.now)

    awards = {dated.entry.entry_id: dated for dated in journal.entries if dated.entry.kind == 1}
    taken: dict[int, int] = {}
    for expiry in found:
        award = awards[expiry.entry_id]
        end = BOUNDARIES[epoch_at(BOUNDARIES, award.posted_at) + policy.epochs]
        assert end <= journal.now
        assert 0 < expiry.amount <= award.entry.amount
        assert expiry.category == award.entry.category.rstrip(b"\0").decode()
        assert expiry.entry_id not in journal.closed | journal.expired.keys()
        taken[expiry.org_id] = taken.get(expiry.org_id, 0) + expiry.amount
    assert all(amount <= journal.balances[org_id] for org_id, amount in taken.items())
    assert [expiry.entry_id for expiry in found] == sorted({expiry.entry_id for expiry in found})


@settings(max_examples=200, deadline=None)
@given(POLICIES, st.lists(steps, max_size=40), st.integers(0, 5))
def test_expiries__once_posted_in_parts__are_not_due_again(
    policy: ExpiryPolicy, drawn: list[tuple[str, int, int]], part: int
) -> None:
    journal = grown(drawn)
    found = compute_expiries(policy, journal.entries, BOUNDARIES, journal.now)

    journal.expire(found[:part])
    rest = compute_expiries(policy, journal.entries, BOUNDARIES, journal.now)
    journal.expire(rest)

    assert rest == found[part:]
    assert compute_expiries(policy, journal.entries, BOUNDARIES, journal.now) == ()


@settings(max_examples=200, deadline=None)
@given(POLICIES, st.lists(steps, max_size=30), st.lists(steps, max_size=10))
def test_expiries__of_a_past_moment__do_not_change_by_what_comes_later(
    policy: ExpiryPolicy, drawn: list[tuple[str, int, int]], later: list[tuple[str, int, int]]
) -> None:
    journal = grown(drawn)
    moment = journal.now
    found = compute_expiries(policy, journal.entries, BOUNDARIES, moment)

    journal.wait(1)
    for step in later:
        run(journal, step)

    assert compute_expiries(policy, journal.entries, BOUNDARIES, moment) == found


@settings(max_examples=300, deadline=None)
@given(
    st.lists(steps, max_size=20),
    st.lists(st.lists(st.tuples(st.integers(1, 2), st.integers(1, 9)), max_size=4), max_size=3),
    st.lists(st.tuples(st.integers(1, 2), st.integers(1, 9)), max_size=4),
)
def test_expiries__posted_after_credits_were_spent__take_what_would_be_due_then(
    drawn: list[tuple[str, int, int]],
    epochs: list[list[tuple[int, int]]],
    spent: list[tuple[int, int]],
) -> None:
    policy = ExpiryPolicy(0)
    journal = grown(drawn)
    for awarded in epochs:
        journal.wait(EPOCH // 2)
        for org, amount in awarded:
            journal.award(org, amount)
    found = compute_expiries(policy, journal.entries, BOUNDARIES, journal.now)
    for org, amount in spent:
        journal.redeem(org, amount)
    due_now = compute_expiries(policy, journal.entries, BOUNDARIES, journal.now)
    before = len(journal.entries)

    journal.expire(found)

    posted_now = [dated.entry for dated in journal.entries[before:]]
    assert [(entry.refers_to, entry.org_id, -entry.amount) for entry in posted_now] == [
        (expiry.entry_id, expiry.org_id, expiry.amount) for expiry in due_now
    ]
    assert compute_expiries(policy, journal.entries, BOUNDARIES, journal.now) == ()


@settings(max_examples=200, deadline=None)
@given(st.lists(steps, max_size=40))
def test_expiries__posted_by_the_policy__are_not_found_wrong(
    drawn: list[tuple[str, int, int]],
) -> None:
    # Every policy that is drawn lets credits expire no earlier than this one.
    journal = grown(drawn)

    assert find_wrong_expiries(ExpiryPolicy(0), journal.entries, BOUNDARIES) == ()


def test_expiry__leaves_what_is_spent_after_its_own_credits() -> None:
    journal = Journal()
    journal.award(1, 5)
    journal.award(2, 9)
    journal.award(1, 4)
    journal.wait(EPOCH)
    journal.award(1, 6)

    found = compute_expiries(ExpiryPolicy(0), journal.entries, BOUNDARIES, SECOND)

    assert [(each.entry_id, each.leaves) for each in found] == [(1, 10), (2, 0), (3, 6)]


def test_expiry__that_took_what_was_spent_or_not_due__is_found_wrong() -> None:
    journal = Journal()
    journal.award(1, 500)
    journal.wait(EPOCH)
    journal.award(1, 600)
    journal.redeem(1, 120)
    journal.add(1, EntryKind.EXPIRY, -500, 1)
    journal.add(1, EntryKind.EXPIRY, -7, 2)

    assert find_wrong_expiries(ExpiryPolicy(0), journal.entries, BOUNDARIES) == (
        WrongExpiry(EntryId(4), EntryId(1), OrgId(1), 500, 380),
        WrongExpiry(EntryId(5), EntryId(2), OrgId(1), 7, 0),
    )


def test_expiry__that_names_no_award__takes_the_oldest_and_is_found_wrong() -> None:
    journal = Journal()
    journal.award(1, 5)
    journal.redeem(1, 1)
    journal.add(1, EntryKind.EXPIRY, -2, 2)  # a redemption
    journal.add(1, EntryKind.EXPIRY, -1, 9)  # a line of another programme

    assert due(0, journal, SECOND) == [(1, 1, 1)]
    assert find_wrong_expiries(ExpiryPolicy(0), journal.entries, BOUNDARIES) == (
        WrongExpiry(EntryId(3), EntryId(2), OrgId(1), 2, 0),
        WrongExpiry(EntryId(4), EntryId(9), OrgId(1), 1, 0),
    )
    refund = posted(5, 1, EntryKind.REFUND, 2, refers_to=3, balance_after=3)
    with pytest.raises(InvalidValue, match="no redemption 3"):
        compute_expiries(
            ExpiryPolicy(0), [*journal.entries, DatedEntry(refund, FIRST)], BOUNDARIES, SECOND
        )


def test_credits__of_an_epoch__expire_when_the_epochs_of_grace_are_over() -> None:
    journal = Journal()
    journal.award(1, 5)
    journal.wait(EPOCH)
    journal.award(1, 3)

    assert due(0, journal, SECOND - 1) == []
    assert due(0, journal, SECOND) == [(1, 1, 5)]
    assert due(0, journal, THIRD) == [(1, 1, 5), (2, 1, 3)]
    assert due(1, journal, THIRD) == [(1, 1, 5)]
    assert due(2, journal, THIRD) == []


def test_credits__whose_last_epoch_has_no_end_yet__do_not_expire() -> None:
    journal = Journal()
    journal.award(1, 5)
    boundaries = (FIRST, SECOND)

    assert compute_expiries(ExpiryPolicy(1), journal.entries, boundaries, 10**9) == ()
    assert ExpiryPolicy(1).expires_at(boundaries, FIRST) is None
    assert ExpiryPolicy(0).expires_at(boundaries, FIRST) == SECOND
    assert ExpiryPolicy(0).expires_at(boundaries, FIRST - 1) is None


def test_spending__takes_the_oldest_first() -> None:
    journal = Journal()
    journal.award(1, 5)
    journal.award(1, 5)
    journal.redeem(1, 7)

    assert due(0, journal, SECOND) == [(2, 1, 3)]


def test_refund__gives_back_to_what_the_redemption_took() -> None:
    journal = Journal()
    journal.award(1, 5)
    journal.redeem(1, 5)
    journal.wait(EPOCH)
    journal.award(1, 4)
    journal.refund(0)

    assert due(0, journal) == [(1, 1, 5)]


def test_refund__of_credits_whose_award_expired__leaves_them_for_good() -> None:
    journal = Journal()
    journal.award(1, 5)
    journal.redeem(1, 2)
    journal.wait(EPOCH)
    journal.expire(compute_expiries(ExpiryPolicy(0), journal.entries, BOUNDARIES, journal.now))
    journal.refund(0)

    assert journal.balances[1] == 2
    assert due(0, journal) == []
    # They are the oldest, so they are spent before what can expire.
    journal.award(1, 3)
    journal.redeem(1, 2)
    journal.wait(EPOCH)
    assert [row[2] for row in due(0, journal)] == [3]


def test_reversal__takes_its_own_award_then_the_oldest_others() -> None:
    journal = Journal()
    journal.award(1, 5)
    journal.award(1, 6)
    journal.award(1, 7)
    journal.redeem(1, 8)  # all of the first and half of the second
    journal.reverse(1)

    assert due(0, journal, SECOND) == [(3, 1, 4)]


def test_reversal__of_spent_credits__takes_the_next_that_come_in() -> None:
    journal = Journal()
    journal.award(1, 5)
    journal.redeem(1, 5)
    journal.reverse(0)
    journal.award(1, 7)

    assert journal.balances[1] == 2
    assert due(0, journal, SECOND) == [(4, 1, 2)]


def test_refund__of_credits_that_were_reversed__frees_what_the_reversal_took_instead() -> None:
    journal = Journal()
    journal.award(1, 5)
    journal.redeem(1, 5)
    journal.award(1, 9)
    journal.reverse(0)
    assert due(0, journal, SECOND) == [(3, 1, 4)]

    journal.refund(0)

    assert due(0, journal, SECOND) == [(3, 1, 9)]


def test_refund__of_a_part_of_what_was_reversed__frees_what_was_taken_last() -> None:
    journal = Journal()
    journal.award(1, 10)
    journal.redeem(1, 4)
    journal.redeem(1, 6)
    journal.award(1, 2)
    journal.award(1, 9)
    journal.reverse(0)
    assert due(0, journal, SECOND) == [(5, 1, 1)]

    journal.refund(0)

    assert due(0, journal, SECOND) == [(5, 1, 5)]


def test_merger__moves_awards_with_their_age_and_debts_with_them() -> None:
    journal = Journal()
    journal.award(2, 5)
    journal.wait(EPOCH)
    journal.award(1, 5)
    journal.merge(2)
    assert due(0, journal) == [(1, 1, 5)]

    journal.reverse(0)  # a debt of the organisation that is no more
    assert due(0, journal) == []
    journal.merge(2)

    assert journal.balances == {1: 5, 2: 0, 3: 0, 4: 0}
    assert due(0, journal, THIRD) == [(2, 1, 5)]


def test_journal__that_is_not_whole__is_refused() -> None:
    journal = Journal()
    journal.award(1, 5)
    journal.award(1, 5)
    journal.redeem(1, 6)
    journal.refund(0)
    journal.reverse(0)
    whole = journal.entries

    for left_out in range(len(whole) - 1):
        cut = [dated for place, dated in enumerate(whole) if place != left_out]
        with pytest.raises(InvalidValue, match="follows those before it"):
            compute_expiries(ExpiryPolicy(0), cut, BOUNDARIES, SECOND)
    for place, change in (
        (0, {"kind": 0}),
        (2, {"kind": EntryKind.REVERSAL, "refers_to": 9}),
        (3, {"refers_to": 1}),
        (3, {"kind": EntryKind.CARRY_OVER}),
        (3, {"amount": 7, "balance_after": 11}),
    ):
        altered = replace(whole[place].entry, **change)
        with pytest.raises(InvalidValue, match="follows those before it"):
            compute_expiries(
                ExpiryPolicy(0), [*whole[:place], DatedEntry(altered, FIRST)], BOUNDARIES, SECOND
            )


def test_epoch__at_every_time__is_that_between_its_boundaries() -> None:
    assert [epoch_at((5, 8, 9), time) for time in range(4, 11)] == [0, 1, 1, 1, 2, 0, 0]
    assert epoch_at((), 5) == 0


def test_policy__that_means_nothing__is_refused() -> None:
    for wrong in (-1, True):
        with pytest.raises(InvalidValue, match="epochs"):
            ExpiryPolicy(wrong)


def test_computation__is_described_by_all_its_input() -> None:
    content = describe_computation(ExpiryPolicy(4), ProgrammeId(2), EntryId(77), SECOND)

    assert json.loads(content) == {
        "at": SECOND,
        "epochs": 4,
        "format": 1,
        "last_entry": 77,
        "order": "oldest-first",
        "programme": 2,
    }
    assert commit_to_computation(content) == hashlib.sha256(content).digest()


def test_expiries__are_commands_as_the_contract_takes_them() -> None:
    entries = [DatedEntry(posted(1, 3, EntryKind.AWARD, 2, balance_after=2), FIRST)]

    assert compute_expiries(ExpiryPolicy(0), entries, BOUNDARIES, SECOND) == (
        Expiry(EntryId(1), OrgId(3), 2, 0, "data.acquire"),
    )
