"""What a reorganisation took out of the chain comes back by itself, once, in the same bytes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger.domain.ids import ProgrammeId
from ledger.outbox.rechecking import Resumed
from ledger.outbox.records import Operation, State
from ledger.processes import wait_until
from tests.support.desks import Sender
from tests.support.ledger import PROGRAMME


def replace_blocks(sender: Sender, depth: int) -> None:
    """Put empty blocks in the place of the last ones."""
    sender.ledger.anvil.rpc.call("anvil_reorg", depth, [])


def found(sender: Sender, operation_id: bytes) -> Operation:
    operation = sender.find(operation_id)
    assert operation is not None
    return operation


def block_of(operation: Operation) -> int | None:
    assert operation.last_attempt is not None
    return operation.last_attempt.block_number


def recheck_until_included(sender: Sender, *operation_ids: bytes) -> list[Resumed]:
    """Look as a process that stays does."""
    given: list[Resumed] = []

    def are_included() -> bool:
        given.extend(sender.outbox.recheck())
        return all(found(sender, each).state is State.INCLUDED for each in operation_ids)

    assert wait_until(are_included, seconds=20)
    return given


def outstanding(sender: Sender) -> int:
    return sender.ledger.contracts.credits.outstanding(ProgrammeId(PROGRAMME), at="latest")


def test_recheck__blocks_of_two_operations_replaced__both_come_back_once_in_the_same_bytes(
    own_sender: Sender,
) -> None:
    ids = [own_sender.ledger.operation() for _ in range(3)]
    kept, first, second = (
        own_sender.award(each, amount=amount) for each, amount in zip(ids, (1, 10, 20), strict=True)
    )
    assert list(own_sender.outbox.recheck()) == []
    nonce = own_sender.nonce()
    replace_blocks(own_sender, 2)
    assert outstanding(own_sender) == 1

    recheck_until_included(own_sender, *ids)

    assert outstanding(own_sender) == 31
    assert own_sender.nonce() == nonce
    assert found(own_sender, ids[0]) == kept
    for before in (first, second):
        after = found(own_sender, before.request.operation_id)
        assert [each.raw for each in after.attempts] == [each.raw for each in before.attempts]
        assert block_of(after) != block_of(before)
        assert after.first_sequence == before.first_sequence
    assert list(own_sender.outbox.recheck()) == []


def test_recheck__node_that_mines_nothing_yet__says_sent_and_then_included(
    own_sender: Sender,
) -> None:
    anvil = own_sender.ledger.anvil
    operation_id = own_sender.ledger.operation()
    own_sender.award(operation_id)
    replace_blocks(own_sender, 1)
    anvil.rpc.call("evm_setAutomine", False)

    (told,) = own_sender.outbox.recheck()
    meanwhile = found(own_sender, operation_id)

    assert told.operation == meanwhile
    assert meanwhile.state is State.SENT
    assert block_of(meanwhile) is None
    assert meanwhile.first_sequence is None
    assert list(own_sender.outbox.recheck()) == []
    anvil.mine()
    (told,) = recheck_until_included(own_sender, operation_id)
    assert told.operation == found(own_sender, operation_id)


def test_recheck__same_transaction_in_another_block__records_that_block(
    own_sender: Sender,
) -> None:
    operation_id = own_sender.ledger.operation()
    before = own_sender.award(operation_id)
    assert list(own_sender.outbox.recheck()) == []
    assert before.last_attempt is not None
    own_sender.ledger.anvil.mine()
    raw = "0x" + before.last_attempt.raw.hex()
    own_sender.ledger.anvil.rpc.call("anvil_reorg", 2, [[raw, 1]])

    (told,) = own_sender.outbox.recheck()

    assert told.error is None
    assert told.operation.state is State.INCLUDED
    assert (block_of(told.operation) or 0) == (block_of(before) or 0) + 1
    assert list(own_sender.outbox.recheck()) == []


@pytest.mark.parametrize("mined_after", [0, 3])
def test_resume__block_replaced_while_nothing_ran__sends_the_same_bytes_again(
    own_sender: Sender, mined_after: int
) -> None:
    operation_id = own_sender.ledger.operation()
    before = own_sender.award(operation_id)
    own_sender.ledger.anvil.mine(2)
    replace_blocks(own_sender, 3)
    for _ in range(mined_after):
        own_sender.ledger.anvil.mine()

    resumed = list(own_sender.outbox.resume())

    assert [each.error for each in resumed] == [None]
    after = found(own_sender, operation_id)
    assert after.state is State.INCLUDED
    assert [each.raw for each in after.attempts] == [each.raw for each in before.attempts]
    assert list(own_sender.outbox.resume()) == []


def test_recheck__nothing_happened__asks_for_the_head_alone(
    own_sender: Sender, asked: Callable[[], list[str]]
) -> None:
    own_sender.award(own_sender.ledger.operation())
    list(own_sender.outbox.recheck())
    asked()

    assert list(own_sender.outbox.recheck()) == []

    assert asked() == ["eth_getBlockByNumber"]


@pytest.fixture
def asked(own_sender: Sender, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """Gives, and forgets, the methods that the node was asked for."""
    methods: list[str] = []
    ask = own_sender.ledger.node.ask

    def noting(method: str, *given: object, **named: object) -> object:
        methods.append(method)
        return ask(method, *given, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(own_sender.ledger.node, "ask", noting)

    def give() -> list[str]:
        given = methods.copy()
        methods.clear()
        return given

    return give
