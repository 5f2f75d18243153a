"""One answer is read from one state of the database, whatever is written while it is made."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Engine, delete, func, select, update

from api.answers import Answers, Reading
from ledger.domain.ids import OrgId
from ledger.mirror.queries.balances import read_balances
from ledger.store.engine import open_engine, writing
from ledger.store.mirror_tables import balances, entries, mirror_state
from tests.http.conftest import NOW, Ledger
from tests.http.facts import LAST_BLOCK, hash_of


def roll_back_everything(engine: Engine) -> None:
    """What a mirror does in one commit when the chain is another."""
    with writing(engine) as connection:
        connection.execute(delete(entries))
        connection.execute(delete(balances))
        connection.execute(update(mirror_state).values(cursor_number=1, cursor_hash=hash_of("new")))


def test_answer__while_the_mirror_rolls_back__is_true_at_the_block_it_names(
    own_ledger: Ledger, tmp_path: Path
) -> None:
    reader = open_engine(own_ledger.settings.database)
    writer = open_engine(own_ledger.settings.database)
    answers = Answers(reader, stale_after=30, clock=lambda: NOW)

    def read(answered: Reading) -> tuple[int, int, int]:
        roll_back_everything(writer)
        held = read_balances(answered.connection, answered.moment, OrgId(4))
        count = answered.connection.execute(select(func.count()).select_from(entries)).scalar_one()
        return answered.moment.block_number, sum(each.credits for each in held), count

    expected = own_ledger.seeded.balance("community", 4)
    assert answers.read(read) == (LAST_BLOCK, expected, len(own_ledger.seeded.entries))
    assert answers.read(lambda answered: answered.moment.block_number) == 1
    reader.dispose()
    writer.dispose()


def test_answer__never_writes(own_ledger: Ledger) -> None:
    engine = open_engine(own_ledger.settings.database)
    answers = Answers(engine, stale_after=30, clock=lambda: NOW)
    before = answers.read(lambda answered: answered.state)

    after = answers.read(lambda answered: answered.state)

    assert before == after
    engine.dispose()
