"""What an answer has of lists that can be long, and that the rest is in a list of its own."""

from __future__ import annotations

from dataclasses import replace

import pytest

from api.schemas.base import MOST_PARTS
from api.schemas.entries import BalanceView
from api.schemas.programmes import ProgrammeView
from ledger.domain.ids import OrgId
from ledger.mirror.queries.balances import CategorySum, read_balances
from ledger.mirror.queries.moments import latest_moment
from ledger.mirror.queries.programmes import read_programme
from ledger.mirror.queries.rules import Category, Epoch
from ledger.mirror.state import read_state
from ledger.store.engine import open_engine, reading
from tests.http.conftest import Ledger

EPOCHS = tuple(Epoch(number, number * 10, number * 10 + 10) for number in range(1, 501))


@pytest.mark.parametrize(
    ("current", "first", "last"),
    [(0, 301, 500), (1, 1, 200), (250, 150, 349), (500, 301, 500)],
)
def test_programme__with_many_epochs_and_categories__shows_those_of_the_present(
    ledger: Ledger, current: int, first: int, last: int
) -> None:
    categories = tuple(
        Category(f"data.c{number:03}", open=True, label=None) for number in range(300)
    )
    engine = open_engine(ledger.settings.database)
    with reading(engine) as connection:
        found = read_programme(connection, latest_moment(read_state(connection)), "community")
    engine.dispose()
    rules = replace(found.rules, epochs=EPOCHS, categories=categories)

    shown = ProgrammeView.of(replace(found, rules=rules, current_epoch=current))

    assert (shown.epochs[0].epoch, shown.epochs[-1].epoch) == (first, last)
    assert (len(shown.epochs), shown.epoch_count) == (MOST_PARTS, 500)
    assert (len(shown.categories), shown.category_count) == (MOST_PARTS, 300)


def test_balance__of_many_categories__shows_the_largest_and_how_many(ledger: Ledger) -> None:
    engine = open_engine(ledger.settings.database)
    with reading(engine) as connection:
        balance = read_balances(connection, latest_moment(read_state(connection)), OrgId(4))[0]
    engine.dispose()
    sums = tuple(CategorySum(f"data.c{number:03}", 999 - number, 1, 0) for number in range(300))

    shown = BalanceView.of(replace(balance, categories=sums))

    assert (len(shown.categories), shown.category_count) == (MOST_PARTS, 300)
    assert shown.categories[0].credits == 999
