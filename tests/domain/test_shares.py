"""The rule of sharing: laws that hold for any entries, and what it says in so many words."""

from __future__ import annotations

import hashlib
import json
import random
from fractions import Fraction
from math import floor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.domain.events import EntryKind, EntryPosted
from ledger.domain.ids import OrgId
from ledger.domain.shares import MAX_POOL, Share, SharedPool, ShareRule, share_pool
from ledger.errors import InvalidValue
from tests.domain.entries import posted

AWARD, REVERSAL, CARRY_OVER = EntryKind.AWARD, EntryKind.REVERSAL, EntryKind.CARRY_OVER
CATEGORIES = ("data.acquire", "data.store", "launch")

fractions = st.fractions(min_value=0, max_value=5, max_denominator=12)
pools = st.one_of(st.integers(1, 60), st.integers(1, MAX_POOL))


@st.composite
def rules(draw: st.DrawFn) -> ShareRule:
    return ShareRule(
        weights=draw(st.dictionaries(st.sampled_from(CATEGORIES), fractions)),
        default_weight=draw(fractions),
        cap=draw(st.fractions(min_value=Fraction(1, 50), max_value=1, max_denominator=50)),
        minimum=draw(st.fractions(min_value=0, max_value=20, max_denominator=3)),
    )


@st.composite
def journals(draw: st.DrawFn) -> list[EntryPosted]:
    rows = draw(
        st.lists(
            st.tuples(st.integers(1, 8), st.sampled_from(CATEGORIES), st.integers(1, 90)),
            max_size=25,
        )
    )
    entries = [
        posted(number, org_id, AWARD, amount, category=category)
        for number, (org_id, category, amount) in enumerate(rows, start=1)
    ]
    for award in draw(st.lists(st.sampled_from(entries), unique_by=id)) if entries else []:
        number = len(entries) + 1
        category = rows[award.entry_id - 1][1]
        entries.append(
            posted(
                number,
                award.org_id,
                REVERSAL,
                -award.amount,
                category=category,
                refers_to=award.entry_id,
            )
        )
    return entries


def amounts(found: SharedPool) -> dict[int, int]:
    return {share.org_id: share.amount for share in found.shares}


def scores(rule: ShareRule, entries: list[EntryPosted]) -> dict[int, Fraction]:
    """What everybody scores, computed the long way."""
    found: dict[int, Fraction] = {}
    for org_id in sorted({entry.org_id for entry in entries}):
        total = Fraction(0)
        for entry in entries:
            if entry.org_id == org_id:
                category = entry.category.rstrip(b"\0").decode()
                total += entry.amount * rule.weights.get(category, rule.default_weight)
        if total > 0 and total >= rule.minimum:
            found[org_id] = total
    return found


@given(rules(), pools, journals())
def test_shares__of_any_epoch__add_up_to_the_pool_and_keep_the_cap(
    rule: ShareRule, pool: int, entries: list[EntryPosted]
) -> None:
    found = share_pool(rule, pool, entries)
    cap = floor(rule.cap * pool)
    scored = scores(rule, entries)

    assert sum(share.amount for share in found.shares) + found.undistributed == pool
    assert all(0 < share.amount <= cap for share in found.shares)
    assert found.undistributed == max(pool - cap * len(scored), 0)
    assert set(amounts(found)) <= set(scored)


@given(rules(), pools, journals(), st.randoms(use_true_random=False))
def test_shares__of_entries_in_another_order__are_the_same(
    rule: ShareRule, pool: int, entries: list[EntryPosted], dice: random.Random
) -> None:
    shuffled = list(entries)
    dice.shuffle(shuffled)

    assert share_pool(rule, pool, shuffled) == share_pool(rule, pool, entries)


@given(rules(), pools, journals())
def test_shares__of_who_scored_more__are_not_smaller(
    rule: ShareRule, pool: int, entries: list[EntryPosted]
) -> None:
    found = amounts(share_pool(rule, pool, entries))
    ranked = sorted(
        scores(rule, entries).items(), key=lambda scored: (scored[1], -scored[0]), reverse=True
    )
    given_out = [found.get(org_id, 0) for org_id, _ in ranked]

    assert given_out == sorted(given_out, reverse=True)


@given(rules(), pools, journals(), st.integers(1, 8), st.integers(1, 90))
def test_share__of_who_contributes_more__does_not_shrink(
    rule: ShareRule, pool: int, entries: list[EntryPosted], org_id: int, amount: int
) -> None:
    before = amounts(share_pool(rule, pool, entries)).get(org_id, 0)

    more = [*entries, posted(99, org_id, AWARD, amount)]

    assert amounts(share_pool(rule, pool, more)).get(org_id, 0) >= before


@given(rules(), pools, journals())
def test_shares__below_the_cap__are_within_a_unit_of_the_same_part_of_the_score(
    rule: ShareRule, pool: int, entries: list[EntryPosted]
) -> None:
    found = amounts(share_pool(rule, pool, entries))
    cap = floor(rule.cap * pool)
    scored = scores(rule, entries)
    free = {org_id: score for org_id, score in scored.items() if found.get(org_id, 0) < cap}
    given_out = sum(found.get(org_id, 0) for org_id in free)

    for org_id, score in free.items():
        exact = given_out * score / sum(free.values())
        # Who was rounded up to the cap is not among them, which moves the part by less than a unit
        # for each of those at the cap.
        assert abs(found.get(org_id, 0) - exact) < 1 + len(scored) - len(free)


def test_shares__with_parts_of_units__go_to_the_largest_remainders() -> None:
    entries = [posted(1, 1, AWARD, 47), posted(2, 2, AWARD, 16), posted(3, 3, AWARD, 37)]

    # 4.7, 1.6 and 3.7: of the two units left, the remainders of 0.7 get one each.
    assert amounts(share_pool(ShareRule(), 10, entries)) == {1: 5, 2: 1, 3: 4}


def test_shares__with_equal_remainders__go_to_the_lowest_id() -> None:
    entries = [posted(number, org, AWARD, 5) for number, org in enumerate((9, 4, 7), start=1)]

    assert amounts(share_pool(ShareRule(), 4, entries)) == {4: 2, 7: 1, 9: 1}


def test_shares__over_the_cap__go_to_the_others() -> None:
    entries = [posted(1, 1, AWARD, 900), posted(2, 2, AWARD, 60), posted(3, 3, AWARD, 40)]

    assert amounts(share_pool(ShareRule(cap=Fraction(1, 2)), 100, entries)) == {1: 50, 2: 30, 3: 20}
    # What the first cannot have would lift the second over the cap too.
    assert amounts(share_pool(ShareRule(cap=Fraction(2, 5)), 100, entries)) == {1: 40, 2: 36, 3: 24}
    assert amounts(share_pool(ShareRule(cap=Fraction(7, 20)), 100, entries)) == {
        1: 35,
        2: 35,
        3: 30,
    }


def test_shares__where_all_are_at_the_cap__state_what_is_left() -> None:
    entries = [posted(1, 1, AWARD, 9), posted(2, 2, AWARD, 6)]

    found = share_pool(ShareRule(cap=Fraction(1, 4)), 102, entries)

    assert found == SharedPool(102, (Share(OrgId(1), 25), Share(OrgId(2), 25)), 52)


def test_shares__of_no_contribution__leave_the_whole_pool() -> None:
    assert share_pool(ShareRule(), 7, []) == SharedPool(7, (), 7)


def test_weights__by_category__count_and_others_have_the_default() -> None:
    rule = ShareRule(weights={"launch": Fraction(3)}, default_weight=Fraction(1, 2))
    entries = [
        posted(1, 1, AWARD, 10, category="launch"),
        posted(2, 2, AWARD, 20, category="data.store"),
    ]

    assert amounts(share_pool(rule, 40, entries)) == {1: 30, 2: 10}


def test_minimum__of_the_score__leaves_out_who_has_less() -> None:
    entries = [posted(1, 1, AWARD, 10), posted(2, 2, AWARD, 9)]

    assert amounts(share_pool(ShareRule(minimum=Fraction(10)), 5, entries)) == {1: 5}


def test_reversals__within_the_epoch__count_whenever_their_award_was() -> None:
    own = [posted(1, 1, AWARD, 10), posted(2, 1, REVERSAL, -10, refers_to=1)]
    late = [
        posted(8, 1, AWARD, 30),
        posted(9, 1, REVERSAL, -10, refers_to=1),
        posted(10, 2, AWARD, 20),
    ]

    assert share_pool(ShareRule(), 5, own).undistributed == 5
    assert amounts(share_pool(ShareRule(), 4, late)) == {1: 2, 2: 2}
    kept = ShareRule(kinds=(AWARD,))
    assert amounts(share_pool(kept, 5, late)) == {1: 3, 2: 2}


def test_reversals__of_more_than_was_awarded__leave_no_share_and_no_debt() -> None:
    entries = [
        posted(1, 1, AWARD, 5),
        posted(2, 1, REVERSAL, -50, refers_to=0),
        posted(3, 2, AWARD, 1),
    ]

    assert amounts(share_pool(ShareRule(), 9, entries)) == {2: 9}


def test_contributions__of_an_organisation_that_was_merged__stay_its_own() -> None:
    entries = [
        posted(1, 1, AWARD, 5),
        posted(2, 1, CARRY_OVER, -5, category=""),
        posted(3, 2, CARRY_OVER, 5, category="", refers_to=2),
        posted(4, 2, AWARD, 5),
    ]

    assert amounts(share_pool(ShareRule(), 10, entries)) == {1: 5, 2: 5}


def test_other_kinds__of_entries__count_nothing() -> None:
    entries = [
        posted(number, 1, kind, -1, category="")
        for number, kind in enumerate((EntryKind.REDEMPTION, EntryKind.REFUND, EntryKind.EXPIRY), 2)
    ]

    assert amounts(share_pool(ShareRule(), 3, [posted(1, 1, AWARD, 1), *entries])) == {1: 3}


def test_sharing__of_what_is_no_pool_or_no_epoch_of_one_programme__is_refused() -> None:
    for pool in (0, -1, MAX_POOL + 1, True):
        with pytest.raises(InvalidValue, match="pool"):
            share_pool(ShareRule(), pool, [])
    mixed = [posted(1, 1, AWARD, 1), posted(2, 1, AWARD, 1, programme_id=2)]
    with pytest.raises(InvalidValue, match="programme"):
        share_pool(ShareRule(), 1, mixed)


def test_rule__published__is_canonical_json_and_its_sha256() -> None:
    rule = ShareRule(
        weights={"launch": Fraction(3, 2), "data.store": Fraction(2)}, cap=Fraction(2, 8)
    )

    assert rule.to_json() == (
        b'{"cap":"1/4","default_weight":"1","format":1,"kinds":["award","reversal"],"minimum":"0",'
        b'"rounding":"largest-remainder","tie_break":"lowest-organisation",'
        b'"weights":{"data.store":"2","launch":"3/2"}}'
    )
    assert rule.digest() == hashlib.sha256(rule.to_json()).digest()


@given(rules())
def test_rule__published_and_read__is_the_same_rule(rule: ShareRule) -> None:
    assert ShareRule.from_json(rule.to_json()) == rule
    assert hash(ShareRule.from_json(rule.to_json())) == hash(rule)


@settings(max_examples=30)
@given(st.sampled_from(sorted(json.loads(ShareRule().to_json()))))
def test_rule__with_anything_else_in_it__is_refused(name: str) -> None:
    plain = json.loads(ShareRule().to_json())
    for value in ("other", 2, None, ["award", "refund"], "-1", "01"):
        altered = json.dumps(plain | {name: value}, separators=(",", ":"), sort_keys=True)
        with pytest.raises(InvalidValue):
            ShareRule.from_json(altered.encode())
    del plain[name]
    with pytest.raises(InvalidValue):
        ShareRule.from_json(json.dumps(plain, separators=(",", ":"), sort_keys=True).encode())


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"7", b"\xff", ShareRule().to_json() + b"\n"]
)
def test_rule__that_is_none__is_refused(content: bytes) -> None:
    with pytest.raises(InvalidValue, match="rule"):
        ShareRule.from_json(content)


def test_rule__that_means_nothing__is_refused() -> None:
    for wrong, field in (
        ({"cap": Fraction(0)}, "cap"),
        ({"cap": Fraction(3, 2)}, "cap"),
        ({"cap": 0.5}, "cap"),
        ({"minimum": Fraction(-1)}, "minimum"),
        ({"default_weight": 1}, "default_weight"),
        ({"weights": {"launch": 1.5}}, "launch"),
        ({"weights": {"No Key": Fraction(1)}}, "category"),
        ({"kinds": (EntryKind.REFUND,)}, "kinds"),
        ({"kinds": ()}, "kinds"),
    ):
        with pytest.raises(InvalidValue, match=field):
            ShareRule(**wrong)
