"""The season's plan is the same wherever it is drawn, and keeps to the roster."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime

import pytest

from ledger.data import DEMONSTRATION
from ledger.services.demonstration.calendar import (
    DAY,
    SEASON_SECONDS,
    first_term_end,
    quarter_boundaries,
    season_start,
)
from ledger.services.demonstration.documents import of_contribution, of_mistake
from ledger.services.demonstration.season import (
    LAPSED,
    SUSPENDED,
    Awards,
    Mistake,
    Renewals,
    Resumption,
    Step,
    Suspension,
    plan_season,
    read_samples,
)
from ledger.services.demonstration.seeding import BUDGETS, demonstration_roster

START = int(datetime(2026, 1, 26, 20, tzinfo=UTC).timestamp())


@pytest.fixture(scope="module")
def steps() -> tuple[Step, ...]:
    return plan_season(
        demonstration_roster(), read_samples(DEMONSTRATION / "contributions.csv"), START
    )


def test_plan__drawn_twice__is_the_same(steps: tuple[Step, ...]) -> None:
    samples = read_samples(DEMONSTRATION / "contributions.csv")

    assert plan_season(demonstration_roster(), samples, START) == steps


def test_plan__of_another_day__has_the_same_steps_at_other_times(steps: tuple[Step, ...]) -> None:
    samples = read_samples(DEMONSTRATION / "contributions.csv")
    later = plan_season(demonstration_roster(), samples, START + 40 * DAY)

    assert [step.key for step in later] == [step.key for step in steps]
    assert all(moved.at == step.at + 40 * DAY for moved, step in zip(later, steps, strict=True))


def test_plan__its_times__grow_and_lie_within_the_season(steps: tuple[Step, ...]) -> None:
    times = [step.at for step in steps]

    assert all(one < other for one, other in itertools.pairwise(times))
    assert times[0] > START + DAY
    assert times[-1] < START + SEASON_SECONDS


def test_plan__its_awards__are_some_hundreds_from_members_in_their_categories(
    steps: tuple[Step, ...],
) -> None:
    awards = [
        (step, given) for step in steps if isinstance(step, Awards) for given in step.contributions
    ]

    assert 150 <= len(awards) <= 300
    assert all(step.programme.key in given.organisation.member_of for step, given in awards)
    assert all(given.category in step.programme.categories for step, given in awards)
    assert all(0 < given.amount <= BUDGETS[step.programme.key].per_award for step, given in awards)
    assert len({given.key for _, given in awards}) == len(awards)
    assert {given.category.key for _, given in awards} == {
        category.key for row in demonstration_roster().programmes for category in row.categories
    }


def test_plan__its_epochs__stay_within_the_issuers_budgets(steps: tuple[Step, ...]) -> None:
    boundaries = quarter_boundaries(START, 3)
    spent: dict[tuple[str, int], int] = {}
    for step in steps:
        if isinstance(step, Awards):
            epoch = sum(boundary <= step.at for boundary in boundaries)
            key = step.programme.key, epoch
            spent[key] = spent.get(key, 0) + sum(given.amount for given in step.contributions)

    assert all(amount <= BUDGETS[programme].per_epoch for (programme, _), amount in spent.items())


def test_plan__its_standings__show_every_state(steps: tuple[Step, ...]) -> None:
    renewals = [step for step in steps if isinstance(step, Renewals)]
    renewed = {(step.programme.key, row.key) for step in renewals for row in step.organisations}
    suspensions = [step for step in steps if isinstance(step, Suspension)]
    resumptions = [step for step in steps if isinstance(step, Resumption)]

    assert len(renewed) == 28
    assert LAPSED not in renewed
    assert all(START < step.at < first_term_end(START) < step.expires_at for step in renewals)
    assert [(step.programme.key, step.organisation.key) for step in suspensions] == [SUSPENDED]
    assert [(step.programme.key, step.organisation.key) for step in resumptions] == [SUSPENDED]


def test_plan__nobody__contributes_while_suspended_or_lapsed(steps: tuple[Step, ...]) -> None:
    (suspended,) = [step.at for step in steps if isinstance(step, Suspension)]
    (resumed,) = [step.at for step in steps if isinstance(step, Resumption)]
    for step in steps:
        for given in step.contributions if isinstance(step, Awards) else ():
            membership = step.programme.key, given.organisation.key
            assert membership != LAPSED or step.at < first_term_end(START)
            assert membership != SUSPENDED or not suspended <= step.at <= resumed


def test_plan__its_mistakes__come_after_the_awards_that_they_take_back(
    steps: tuple[Step, ...],
) -> None:
    mistakes = [step for step in steps if isinstance(step, Mistake)]
    awarded_at = {
        given.key: step.at
        for step in steps
        if isinstance(step, Awards)
        for given in step.contributions
    }

    assert len(mistakes) == 3
    assert all(step.at > awarded_at[step.contribution.key] for step in mistakes)


def test_documents__say_in_both_languages_that_they_are_made_up(steps: tuple[Step, ...]) -> None:
    documents = [
        of_contribution(step, given)
        for step in steps
        if isinstance(step, Awards)
        for given in step.contributions
    ] + [of_mistake(step) for step in steps if isinstance(step, Mistake)]

    contents = [document.content().decode() for document in documents]
    assert all("内容虚构" in text and "made-up document" in text for text in contents)
    assert len(set(contents)) == len(contents)


def test_season_start__of_a_moment__ends_the_season_within_the_hour_before_it() -> None:
    now = START + SEASON_SECONDS + 1234

    assert 0 <= now - (season_start(now) + SEASON_SECONDS) < 3600
    assert season_start(now) % 3600 == 0


def test_quarter_boundaries__begin_with_the_quarter_that_has_begun() -> None:
    days = [
        datetime.fromtimestamp(boundary, UTC).date().isoformat()
        for boundary in quarter_boundaries(START, 1)
    ]

    assert days == ["2026-01-01", "2026-04-01", "2026-07-01", "2026-10-01", "2027-01-01"]
