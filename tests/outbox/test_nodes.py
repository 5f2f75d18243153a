"""Nodes that forget, restart, reorganise and lag: what was asked for is done once all the same."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from ledger.chain.replacing import read_fields
from ledger.chain.rpc import BlockName, Node
from ledger.domain.ids import ProgrammeId
from ledger.errors import NodeRefused, ReceiptOverdue
from ledger.outbox.records import Operation, State
from ledger.processes import wait_until
from tests.support.anvil import Anvil
from tests.support.desks import HASTY, Sender
from tests.support.ledger import PROGRAMME, Ledger, running_ledger

DEEPEST = 12
LAG = 3


@pytest.fixture
def own_sender(own_ledger: Ledger, engine: Engine, tmp_path: Path) -> Sender:
    """A sender on a chain of this test alone, with a database of each kind."""
    return Sender(own_ledger, engine, tmp_path, deadline=30.0, rules=HASTY)


def found(sender: Sender, operation_id: bytes) -> Operation:
    operation = sender.find(operation_id)
    assert operation is not None
    return operation


def outstanding(ledger: Ledger) -> int:
    return ledger.contracts.credits.outstanding(ProgrammeId(PROGRAMME), at="latest")


def raws(operations: Sequence[Operation]) -> list[list[bytes]]:
    return [[attempt.raw for attempt in each.attempts] for each in operations]


def all_sent(sender: Sender, ids: Sequence[bytes]) -> bool:
    known = [sender.find(each) for each in ids]
    return all(each is not None and each.state is State.SENT for each in known)


# --- a pool that is forgotten, a node that restarts ---


def test_submit__node_forgets_its_whole_pool__each_is_done_once_in_the_same_bytes(
    own_sender: Sender,
) -> None:
    ledger = own_sender.ledger
    ids = [ledger.operation() for _ in range(8)]
    nonce = own_sender.nonce()
    ledger.anvil.rpc.call("evm_setAutomine", False)

    def pooled() -> int:
        return int(ledger.anvil.rpc.call("txpool_status")["pending"], 16)

    with ThreadPoolExecutor(8) as threads:
        work = [threads.submit(own_sender.award, each) for each in ids]
        assert wait_until(lambda: all_sent(own_sender, ids), seconds=20)
        before = [found(own_sender, each) for each in ids]
        ledger.anvil.rpc.call("anvil_dropAllTransactions")
        assert pooled() == 0
        assert wait_until(lambda: pooled() == len(ids), seconds=20)
        ledger.anvil.mine()
        done = [each.result() for each in work]

    assert raws(done) == raws(before)
    assert own_sender.nonce() == nonce + len(ids)
    assert outstanding(ledger) == len(ids)


@contextmanager
def chain(start_anvil: Callable[..., Anvil], folder: Path, *arguments: str) -> Iterator[Ledger]:
    with running_ledger(start_anvil(*arguments), folder) as ledger:
        yield ledger


def test_submit__node_restarts_from_an_older_state__each_is_done_once_in_the_same_bytes(
    start_anvil: Callable[..., Anvil], engine: Engine, tmp_path: Path
) -> None:
    """What it had in its pool, and its last blocks, are lost."""
    with chain(start_anvil, tmp_path) as ledger:
        first = Sender(ledger, engine, tmp_path, deadline=30.0, rules=HASTY)
        hasty = Sender(ledger, engine, tmp_path, deadline=1.0, rules=HASTY)
        kept = first.award(ledger.operation())
        state = ledger.anvil.rpc.call("anvil_dumpState")
        lost = first.award(ledger.operation())
        ledger.anvil.rpc.call("evm_setAutomine", False)
        pooled = ledger.operation()
        with pytest.raises(ReceiptOverdue):
            hasty.award(pooled)
        waiting = found(first, pooled)
        ledger.anvil.process.kill()

        anvil = start_anvil()
        anvil.rpc.call("anvil_loadState", state)
        with Node(anvil.url) as node:
            sender = Sender(ledger, engine, tmp_path, node=node, deadline=30.0, rules=HASTY)
            resumed = list(sender.outbox.resume())
            operations = [kept, lost, waiting]
            after = [found(sender, each.request.operation_id) for each in operations]
            nonce = node.nonce(ledger.officer.address, "latest")

    assert all(each.error is None for each in resumed)
    assert [each.state for each in after] == [State.INCLUDED] * 3
    assert raws(after) == raws(operations)
    assert waiting.last_attempt is not None
    assert nonce == waiting.last_attempt.nonce + 1


# --- reorganisations ---


@pytest.mark.parametrize("depth", range(1, DEEPEST + 1))
def test_recheck__after_a_reorganisation_of_any_depth__each_is_done_once_in_the_same_bytes(
    own_ledger: Ledger, sqlite_engine: Engine, tmp_path: Path, depth: int
) -> None:
    """Each operation is in a block of its own; the last `depth` of them are replaced."""
    sender = Sender(own_ledger, sqlite_engine, tmp_path, rules=HASTY)
    _reorganise(sender, depth)


def test_recheck__after_the_deepest_reorganisation__is_the_same_on_each_database(
    own_sender: Sender,
) -> None:
    _reorganise(own_sender, DEEPEST)


def _reorganise(sender: Sender, depth: int) -> None:
    ledger = sender.ledger
    ids = [ledger.operation() for _ in range(DEEPEST + 1)]
    before = [sender.award(each) for each in ids]
    nonce = sender.nonce()
    ledger.anvil.rpc.call("anvil_reorg", depth, [])
    assert outstanding(ledger) == len(ids) - depth

    def is_whole() -> bool:
        for each in sender.outbox.recheck():
            assert each.error is None
        return all(found(sender, each).state is State.INCLUDED for each in ids)

    assert wait_until(is_whole, seconds=30)
    after = [found(sender, each) for each in ids]
    assert outstanding(ledger) == len(ids)
    assert sender.nonce() == nonce
    assert raws(after) == raws(before)
    assert [each.first_sequence for each in after] == [each.first_sequence for each in before]


# --- lag ---


class LaggingNode(Node):
    """A balancer: what is sent goes to a good node, what is asked to one some blocks behind."""

    def ask_many(self, method: str, params: Any, result_type: Any) -> Any:
        """Receipts of late blocks are not there yet."""
        answers = super().ask_many(method, params, result_type)
        if method != "eth_getTransactionReceipt":
            return answers
        head = super().block_number() - LAG
        return [
            each if each is not None and int(each.block_number, 16) <= head else None
            for each in answers
        ]

    def nonce(self, address: bytes, block: BlockName) -> int:
        """As it was some blocks ago."""
        return super().nonce(address, max(super().block_number() - LAG, 0))


def test_submit__from_a_node_that_lags__is_done_once_and_halts_nothing(
    own_ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    ids = [own_ledger.operation() for _ in range(6)]
    own_ledger.anvil.mine(LAG)  # what the key did before is known to the one that lags
    with LaggingNode(own_ledger.anvil.url) as node:
        # On a machine that is busy a block may take longer than a hasty sender waits to pay more.
        rules = replace(HASTY, stuck=60.0)
        sender = Sender(own_ledger, engine, tmp_path, node=node, deadline=30.0, rules=rules)
        nonce = sender.nonce()
        with ThreadPoolExecutor(6) as threads:
            work = [threads.submit(sender.award, each) for each in ids]

            def is_done() -> bool:
                own_ledger.anvil.mine()  # time goes by, and with it the lag
                return all(each.done() for each in work)

            assert wait_until(is_done, seconds=30, pause=0.2)
            done = [each.result() for each in work]

    assert {each.state for each in done} == {State.INCLUDED}
    assert [len(each.attempts) for each in done] == [1] * len(ids)
    assert sender.nonce() == nonce + len(ids)
    assert outstanding(own_ledger) == len(ids)


# --- nonces that come too early ---


class StrictNode(Node):
    """A node that keeps no transaction before those of lower nonces, as Nethermind may."""

    def send_raw_transactions(self, raws: Sequence[bytes]) -> list[NodeRefused | None]:
        """Take them one after the other, or say that there is a gap."""
        answers: list[NodeRefused | None] = []
        for raw in raws:
            answers += super().send_raw_transactions([raw]) if self._fits(raw) else [self._gap()]
        return answers

    def _fits(self, raw: bytes) -> bool:
        sender = self.__dict__["whose"]
        return read_fields(raw).nonce <= super().nonce(sender, "pending")

    def _gap(self) -> NodeRefused:
        return NodeRefused(
            url=self.url, method="eth_sendRawTransaction", message="NonceGap", node_code=-32000
        )


def test_submit__to_a_node_that_takes_nothing_too_early__is_sent_in_order_at_once(
    own_ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    own_ledger.anvil.rpc.call("evm_setAutomine", False)
    ids = [own_ledger.operation() for _ in range(8)]
    with StrictNode(own_ledger.anvil.url) as node:
        node.__dict__["whose"] = own_ledger.officer.address
        patient = Sender(own_ledger, engine, tmp_path, node=node, deadline=30.0)
        with ThreadPoolExecutor(8) as threads:
            work = [threads.submit(patient.award, each) for each in ids]
            assert wait_until(lambda: all_sent(patient, ids), seconds=20)
            own_ledger.anvil.mine()
            done = [each.result() for each in work]

    assert {len(each.attempts) for each in done} == {1}
    assert outstanding(own_ledger) == len(ids)
