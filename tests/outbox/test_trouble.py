"""Transactions that are stuck, dropped, cancelled or not understood, and nonces out of order."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger.chain.node_words import SAYINGS, Fate, Saying, fate_of
from ledger.chain.replacing import blank, raise_fees, read_fields
from ledger.chain.rpc import BlockName, Node
from ledger.chain.sending import Fees
from ledger.chain.signers import LocalSigner, sign
from ledger.domain.verification import Finality
from ledger.errors import (
    NodeRefused,
    OperationCancelled,
    OperationSettled,
    ReceiptOverdue,
)
from ledger.outbox.records import Operation, Request, State
from ledger.processes import wait_until
from tests.support.anvil import Anvil
from tests.support.desks import HASTY, Sender
from tests.support.ledger import Ledger, running_ledger

GWEI = 10**9


@pytest.fixture
def hasty(own_ledger: Ledger, engine: Engine, tmp_path: Path) -> Sender:
    """A sender on a chain of this test alone, that does not wait long."""
    return Sender(own_ledger, engine, tmp_path, deadline=15.0, rules=HASTY)


@pytest.fixture
def paying(start_anvil: Callable[..., Anvil], engine: Engine, tmp_path: Path) -> Iterator[Sender]:
    """The same on a chain that takes fees."""
    with running_ledger(start_anvil(), tmp_path) as ledger:
        yield Sender(ledger, engine, tmp_path, deadline=15.0, rules=HASTY)


def in_the_pool(sender: Sender, operation_id: bytes) -> bool:
    found = sender.find(operation_id)
    return found is not None and found.state is State.SENT


def award_meanwhile(
    sender: Sender, threads: ThreadPoolExecutor, operation_id: bytes
) -> Future[Operation]:
    """Award on a chain that makes no blocks by itself, until a node has it."""
    sender.ledger.anvil.rpc.call("evm_setAutomine", False)
    work = threads.submit(sender.award, operation_id)
    assert wait_until(lambda: in_the_pool(sender, operation_id), seconds=20)
    return work


# --- stuck and dropped ---


def test_submit__stuck_at_too_low_a_fee__is_replaced_at_a_higher_one_and_done_once(
    paying: Sender,
) -> None:
    anvil, operation_id = paying.ledger.anvil, paying.ledger.operation()
    before = paying.nonce()

    def is_mined() -> bool:
        anvil.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(5 * GWEI))
        anvil.mine()
        return work.done()

    anvil.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
    anvil.mine()
    with ThreadPoolExecutor(1) as threads:
        work = award_meanwhile(paying, threads, operation_id)
        assert wait_until(is_mined, seconds=20, pause=0.1)
        done = work.result()

    offered = [read_fields(each.raw) for each in done.attempts]
    assert done.state is State.INCLUDED
    assert len(offered) >= 2
    assert len({each.nonce for each in offered}) == 1
    for low, high in pairwise(offered):
        assert high.max_fee * 10 >= low.max_fee * 11
        assert high.max_priority_fee * 10 >= low.max_priority_fee * 11
    assert paying.nonce() == before + 1


def test_submit__on_a_chain_without_fees__offers_none(
    start_anvil: Callable[..., Anvil], sqlite_engine: Engine, tmp_path: Path
) -> None:
    with running_ledger(start_anvil("--base-fee", "0"), tmp_path) as ledger:
        sender = Sender(ledger, sqlite_engine, tmp_path, fee_ceiling=0)
        ledger.anvil.rpc.call("anvil_setBalance", "0x" + ledger.officer.address.hex(), "0x0")
        done = sender.award(ledger.operation())

    fields = read_fields(done.attempts[0].raw)
    assert (fields.max_fee, fields.max_priority_fee) == (0, 0)


def test_submit__dropped_by_the_node__is_sent_again_in_the_same_bytes(hasty: Sender) -> None:
    anvil, operation_id = hasty.ledger.anvil, hasty.ledger.operation()

    def is_back() -> bool:
        return anvil.rpc.call("eth_getTransactionByHash", shown) is not None

    with ThreadPoolExecutor(1) as threads:
        work = award_meanwhile(hasty, threads, operation_id)
        sent = hasty.find(operation_id)
        assert sent is not None
        assert sent.last_attempt is not None
        shown = "0x" + sent.last_attempt.transaction_hash.hex()
        anvil.rpc.call("anvil_dropTransaction", shown)
        assert wait_until(is_back, seconds=20)
        anvil.mine()
        done = work.result()

    assert [each.raw for each in done.attempts] == [each.raw for each in sent.attempts]


@pytest.mark.parametrize(
    ("offered", "market", "ceiling", "raised"),
    [
        (Fees(100, 10), Fees(50, 5), 1000, Fees(113, 12)),
        (Fees(100, 10), Fees(400, 50), 1000, Fees(400, 50)),
        (Fees(1, 1), Fees(0, 0), 10, Fees(2, 2)),
        (Fees(100, 10), Fees(50, 5), 112, None),
        (Fees(0, 0), Fees(0, 0), 1000, None),
        (Fees(0, 0), Fees(7, 1), 1000, Fees(7, 1)),
    ],
)
def test_raise_fees__of_a_stuck_transaction__is_a_tenth_at_least_and_bounded(
    offered: Fees, market: Fees, ceiling: int, raised: Fees | None
) -> None:
    assert raise_fees(offered, market, ceiling=ceiling) == raised


def test_read_fields__of_what_we_signed__gives_what_was_signed() -> None:
    signer = LocalSigner(b"\x07" * 32)
    fields = blank(signer.address, chain_id=31337, nonce=9, fees=Fees(200, 3))

    assert read_fields(sign(fields, signer).raw) == fields


# --- nonces ---


class SkippingNode(Node):
    """A node that counts two transactions too many among those that are pending."""

    def nonce(self, address: bytes, block: BlockName) -> int:
        """Too high, the first time that a nonce is chosen."""
        found = super().nonce(address, block)
        if block == "pending" and not self.__dict__.setdefault("asked", False):
            self.__dict__["asked"] = True
            return found + 2
        return found


def test_submit__behind_nonces_that_nobody_has__fills_them(
    own_ledger: Ledger, sqlite_engine: Engine, tmp_path: Path
) -> None:
    node = SkippingNode(own_ledger.anvil.url)
    sender = Sender(own_ledger, sqlite_engine, tmp_path, node=node, deadline=15.0, rules=HASTY)
    before = sender.nonce()

    done = sender.award(own_ledger.operation())
    node.close()

    assert done.state is State.INCLUDED
    assert done.attempts[0].nonce == before + 2
    assert sender.nonce() == before + 3


# --- what a node says ---


@pytest.mark.parametrize("saying", SAYINGS, ids=lambda each: f"{each.client}-{each.words}")
def test_fate_of__each_line_of_the_table__means_what_the_line_says(saying: Saying) -> None:
    assert fate_of(f"INTERNAL_ERROR: {saying.words.upper()}: more") is saying.fate
    assert saying.words == saying.words.lower()


@pytest.mark.parametrize(
    ("text", "fate"),
    [
        ("already known", Fate.KNOWN),
        ("Known transaction", Fate.KNOWN),
        ("Tx: [0x12] already Imported", Fate.KNOWN),
        ("nonce too low: next nonce 5, tx nonce 4", Fate.NONCE_TOO_LOW),
        ("Nonce too low", Fate.NONCE_TOO_LOW),
        ("replacement transaction underpriced", Fate.UNDERPRICED),
        ("Tx: [0x1] insufficient gas price to replace existing transaction", Fate.UNDERPRICED),
        ("max fee per gas less than block base fee: address 0x…", Fate.UNDERPRICED),
        ("Gas price below configured minimum gas price", Fate.UNDERPRICED),
        ("txpool is full", Fate.POOL_FULL),
        ("Transaction nonce is too distant from current sender nonce", Fate.TOO_EARLY),
        ("insufficient funds for gas * price + value: balance 1", Fate.POOR),
        ("Insufficient funds for gas * price + value", Fate.POOR),
        ("Upfront cost exceeds account balance", Fate.POOR),
        ("intrinsic gas too low", Fate.REJECTED),
        ("Sender account not authorized to send transactions", Fate.REJECTED),
        ("the moon is in the wrong house", Fate.UNKNOWN),
    ],
)
def test_fate_of__real_texts__are_told_apart(text: str, fate: Fate) -> None:
    assert fate_of(text) is fate


class SayingNode(Node):
    """A node that takes or drops what it is given, and says a certain text either way."""

    def __init__(self, url: str, text: str, *, takes: bool) -> None:
        super().__init__(url)
        self._text, self._takes = text, takes

    def send_raw_transactions(self, raws: Sequence[bytes]) -> list[NodeRefused | None]:
        """Say it."""
        if self._takes:
            super().send_raw_transactions(raws)
        refusal = NodeRefused(
            url=self.url, method="eth_sendRawTransaction", message=self._text, node_code=-32000
        )
        return [refusal for _ in raws]


@contextmanager
def saying(
    ledger: Ledger, engine: Engine, folder: Path, text: str, *, takes: bool
) -> Iterator[Sender]:
    with SayingNode(ledger.anvil.url, text, takes=takes) as node:
        yield Sender(ledger, engine, folder, node=node, deadline=5.0, rules=HASTY)


def test_submit__node_says_what_nobody_knows_but_has_it__is_done(
    ledger: Ledger, sqlite_engine: Engine, tmp_path: Path
) -> None:
    with saying(ledger, sqlite_engine, tmp_path, "the moon is wrong", takes=True) as sender:
        done = sender.award(ledger.operation())

    assert done.state is State.INCLUDED
    assert len(done.attempts) == 1


def test_submit__node_says_what_nobody_knows_and_has_it_not__keeps_the_bytes_and_says_so(
    ledger: Ledger, sqlite_engine: Engine, tmp_path: Path
) -> None:
    operation_id = ledger.operation()
    with (
        saying(ledger, sqlite_engine, tmp_path, "the moon is wrong", takes=False) as refused,
        pytest.raises(NodeRefused, match="the moon is wrong"),
    ):
        refused.award(operation_id)
    sender = Sender(ledger, sqlite_engine, tmp_path)
    kept = sender.find(operation_id)
    done = sender.award(operation_id)

    assert kept is not None
    assert kept.state is State.ACCEPTED
    assert [each.raw for each in done.attempts] == [each.raw for each in kept.attempts]


def test_submit__node_will_never_take_it__has_failed_and_its_nonce_is_free(
    ledger: Ledger, sqlite_engine: Engine, tmp_path: Path
) -> None:
    operation_id = ledger.operation()
    with (
        saying(ledger, sqlite_engine, tmp_path, "intrinsic gas too low", takes=False) as refused,
        pytest.raises(NodeRefused, match="intrinsic gas too low"),
    ):
        refused.award(operation_id)
    sender = Sender(ledger, sqlite_engine, tmp_path)
    failed = sender.find(operation_id)
    other = sender.award(ledger.operation())

    assert failed is not None
    assert failed.state is State.FAILED
    assert failed.failure is not None
    assert failed.failure.code == "node.refused"
    assert other.attempts[0].nonce == failed.attempts[0].nonce


# --- cancelling ---


def accept(sender: Sender, operation_id: bytes) -> Request:
    """Ask for an award and have it only written down; the request."""
    asked: list[Request] = []
    outbox = sender.outbox
    submit = outbox.submit

    def only_accept(request: Request, signer: LocalSigner) -> Operation:
        asked.append(request)
        return outbox.accept(request, signer)

    outbox.submit = only_accept  # type: ignore[method-assign,assignment]
    try:
        sender.award(operation_id)
    finally:
        outbox.submit = submit  # type: ignore[method-assign]
    return asked[0]


def test_accept__of_a_new_request__is_written_unsigned_and_done_when_waited_for(
    sender: Sender,
) -> None:
    operation_id = sender.ledger.operation()
    accept(sender, operation_id)
    accepted = sender.find(operation_id)
    waiting = sender.outbox.list_waiting()

    done = sender.outbox.wait_for(operation_id, sender.ledger.officer)

    assert accepted is not None
    assert (accepted.state, accepted.attempts) == (State.ACCEPTED, ())
    assert waiting == (accepted,)
    assert done.state is State.INCLUDED


def test_accept__by_one_process__is_sent_with_the_next_command_of_the_key(
    ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    left = ledger.operation()
    accept(Sender(ledger, engine, tmp_path), left)

    sender = Sender(ledger, engine, tmp_path)
    sender.award(ledger.operation())

    assert sender.outbox.wait_for(left).state is State.INCLUDED


def test_cancel__before_it_is_signed__ends_it_for_good(sender: Sender) -> None:
    operation_id, nonce = sender.ledger.operation(), sender.nonce()
    accept(sender, operation_id)

    cancelled = sender.outbox.cancel(operation_id)

    assert cancelled.state is State.CANCELLED
    assert sender.outbox.cancel(operation_id) == cancelled
    with pytest.raises(OperationCancelled):
        sender.award(operation_id)
    assert sender.nonce() == nonce
    assert (
        sender.ledger.contracts.credits.operation_sequence(
            sender.ledger.officer.address, operation_id, at="latest"
        )
        == 0
    )


def test_cancel__in_the_pool__is_replaced_by_a_transaction_that_does_nothing(
    paying: Sender,
) -> None:
    anvil, operation_id = paying.ledger.anvil, paying.ledger.operation()
    before, entries = paying.nonce(), paying.ledger.contracts.credits.sequence(at="latest")

    def is_replaced() -> bool:
        found = paying.find(operation_id)
        return found is not None and len(found.attempts) == 2

    with ThreadPoolExecutor(2) as threads:
        work = award_meanwhile(paying, threads, operation_id)
        cancelling = threads.submit(paying.outbox.cancel, operation_id, paying.ledger.officer)
        assert wait_until(is_replaced, seconds=20)
        assert wait_until(lambda: bool(anvil.mine()) and cancelling.done(), seconds=20)
        cancelled = cancelling.result()
        with pytest.raises(OperationCancelled):
            work.result()

    assert cancelled.state is State.CANCELLED
    assert paying.nonce() == before + 1
    assert paying.ledger.contracts.credits.sequence(at="latest") == entries


def test_cancel__of_what_is_done__is_refused(sender: Sender) -> None:
    done = sender.award(sender.ledger.operation())

    with pytest.raises(OperationSettled) as refused:
        sender.outbox.cancel(done.request.operation_id, sender.ledger.officer)

    assert refused.value.values["state"] == "included"
    assert sender.find(done.request.operation_id) == done


# --- final ---


@pytest.mark.parametrize(
    ("finality", "blocks", "final_after"),
    [
        (Finality.DEPTH, 3, 10),
        (Finality.TAG, 3, 100),
        (Finality.EITHER, 3, 10),
        (Finality.EITHER, 1000, 100),
        (Finality.DEPTH, 1000, 1000),
    ],
    ids=str,
)
def test_recheck__once_no_reorganisation_can_reach_it__says_final(
    own_ledger: Ledger,
    sqlite_engine: Engine,
    tmp_path: Path,
    finality: Finality,
    blocks: int,
    final_after: int,
) -> None:
    """The devnet calls final what lies 64 blocks deep."""
    sender = Sender(
        own_ledger,
        sqlite_engine,
        tmp_path,
        finality=finality,
        finality_blocks=blocks,
        rules=HASTY,
    )
    operation_id = own_ledger.operation()
    sender.award(operation_id)
    states = {}
    mined = 0
    for depth in (2, 10, 100, 1000):
        own_ledger.anvil.mine(depth - mined)
        mined = depth
        assert list(sender.outbox.recheck()) == []
        found = sender.find(operation_id)
        assert found is not None
        states[depth] = found.state

    assert states == {
        depth: State.FINAL if depth >= final_after else State.INCLUDED for depth in states
    }
    assert sender.award(operation_id) == sender.find(operation_id)


def test_submit__never_in_a_block__says_so_in_time_and_stays_on_its_way(
    own_ledger: Ledger, sqlite_engine: Engine, tmp_path: Path
) -> None:
    sender = Sender(own_ledger, sqlite_engine, tmp_path, deadline=0.5, rules=HASTY)
    operation_id = own_ledger.operation()
    own_ledger.anvil.rpc.call("evm_setAutomine", False)

    with pytest.raises(ReceiptOverdue):
        sender.award(operation_id)

    assert in_the_pool(sender, operation_id)
