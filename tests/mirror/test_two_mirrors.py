"""Two mirrors that write one database without a lease do not mix what they do."""

from __future__ import annotations

import dataclasses

import pytest

from ledger.mirror.state import Overtaken, advance, read_state, record_look
from ledger.store.engine import writing
from tests.mirror.comparison import assert_mirrors_chain
from tests.mirror.conftest import Open
from tests.support.happenings import Ledger, ProgrammeId

ONE = ProgrammeId(1)


def test_looks__of_two_mirrors_in_turn__leave_one_true_mirror(
    database_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    one = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    one.sync()
    other = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    other.mirror.look()
    for number in range(6):
        ledger.award(ONE, (1, 1 + number), (2, 5))
        if number == 3:
            ledger.anvil.rpc.call("anvil_reorg", 2, [])
        first, second = (one, other) if number % 2 else (other, one)
        first.mirror.look()
        ledger.award(ONE, (3, 1))
        second.mirror.look()
        assert_mirrors_chain(one, ledger)


def test_advance__from_a_state_that_is_past__writes_nothing(
    database_url: str, told_ledger: Ledger, open_mirror: Open
) -> None:
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    now = mirrored.sync()
    moved = dataclasses.replace(now, cursor=dataclasses.replace(now.cursor, hash=b"\1" * 32))
    rebuilt = dataclasses.replace(now, generation=now.generation + 1)
    for past in (moved, rebuilt):
        with pytest.raises(Overtaken), writing(mirrored.engine) as connection:
            advance(connection, past, cursor=now.cursor, final_number=0, head_number=1)
        with pytest.raises(Overtaken), writing(mirrored.engine) as connection:
            record_look(connection, past, head_number=1)
    assert mirrored.state == now
    with writing(mirrored.engine) as connection:
        advance(connection, now, cursor=now.cursor, final_number=0, head_number=1)
        assert read_state(connection).head_number == 1
