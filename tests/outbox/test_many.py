"""Many at once with one key: threads, processes in effect, one holder of the lease at a time."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from ledger.chain.contracts.credits import encode_award
from ledger.chain.rpc import Node
from ledger.chain.signers import LocalSigner, TransactionFields
from ledger.domain.commands import Award
from ledger.errors import (
    ContractRefused,
    NodeRefused,
    OperationConflict,
    OperationOfAnother,
    ReceiptOverdue,
)
from ledger.outbox.leases import Key, Lease, LeaseLost, find_halt, give_back, hold, is_free, take
from ledger.outbox.records import State
from ledger.processes import wait_until
from ledger.store.engine import reading, writing
from ledger.store.outbox_tables import key_leases
from tests.support.desks import HASTY, Sender
from tests.support.ledger import CATEGORY, MEMBER, PROGRAMME, Ledger

KEY = Key(b"\x01" * 32, b"\x02" * 20)


def test_lease__held_by_one__is_refused_to_others_until_it_ends(engine: Engine) -> None:
    first = take(engine, KEY, "first", 0.3)
    assert first is not None
    assert take(engine, KEY, "second", 0.3) is None
    assert take(engine, Key(KEY.genesis_hash, b"\x03" * 20), "second", 0.3) is not None

    taken: list[Lease] = []

    def is_taken() -> bool:
        lease = take(engine, KEY, "second", 5)
        taken.extend([lease] if lease is not None else [])
        return bool(taken)

    assert wait_until(is_taken, seconds=10)
    assert taken[0].token == first.token + 1


def test_lease__of_a_holder_that_was_paused__lets_it_write_nothing(engine: Engine) -> None:
    paused = take(engine, KEY, "paused", 0.05)
    assert paused is not None
    assert wait_until(lambda: take(engine, KEY, "next", 5) is not None, seconds=10)

    with pytest.raises(LeaseLost), writing(engine) as connection:
        hold(connection, paused)
    give_back(engine, paused)

    assert take(engine, KEY, "third", 5) is None


def test_lease__renewed_in_a_write__lasts_on_and_given_back_is_free(engine: Engine) -> None:
    lease = take(engine, KEY, "holder", 5)
    assert lease is not None
    with writing(engine) as connection:
        hold(connection, lease)
    assert take(engine, KEY, "other", 5) is None
    give_back(engine, lease)

    assert take(engine, KEY, "other", 5) is not None
    with reading(engine) as connection:
        assert find_halt(connection, KEY) is None


class PausingNode(Node):
    """A node behind which the sending process is paused, after its first signed commit."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.paused = threading.Event()
        self.goes_on = threading.Event()
        self.sent: list[bytes] = []

    def send_raw_transactions(self, raws: Sequence[bytes]) -> list[NodeRefused | None]:
        """Wait, the first time."""
        if not self.paused.is_set():
            self.paused.set()
            assert self.goes_on.wait(30)
        self.sent += raws
        return super().send_raw_transactions(raws)


def test_submit__holder_paused_before_it_sends__another_goes_on_and_all_is_done_once(
    ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    node = PausingNode(ledger.anvil.url)
    paused = Sender(ledger, engine, tmp_path, node=node, rules=HASTY)
    other = Sender(ledger, engine, tmp_path, rules=HASTY)
    ids = [ledger.operation() for _ in range(3)]
    before = other.nonce()
    with ThreadPoolExecutor(1) as threads:
        work = threads.submit(paused.award, ids[0])
        assert node.paused.wait(30)
        others = [other.award(each) for each in ids[1:]]
        done_meanwhile = other.find(ids[0])
        node.goes_on.set()
        first = work.result()
    node.close()

    assert done_meanwhile is not None
    assert done_meanwhile.state is State.INCLUDED
    assert first == done_meanwhile
    assert set(node.sent) == {first.attempts[0].raw}
    assert all(each.is_done for each in others)
    assert other.nonce() == before + 3


def test_submit__32_senders_with_one_key__are_each_done_once(
    ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    senders = [Sender(ledger, engine, tmp_path) for _ in range(32)]
    ids = [ledger.operation() for _ in senders]
    before, entries = senders[0].nonce(), ledger.contracts.credits.sequence(at="latest")

    with ThreadPoolExecutor(32) as threads:
        results = list(
            threads.map(lambda pair: pair[0].award(pair[1]), zip(senders, ids, strict=True))
        )

    assert senders[0].nonce() == before + 32
    assert {each.state for each in results} == {State.INCLUDED}
    lines = sorted(result.first_sequence or 0 for result in results)
    assert lines == list(range(entries + 1, entries + 33))


def test_submit__one_id_50_times_at_once__is_done_once_and_each_gets_the_result(
    ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    senders = [Sender(ledger, engine, tmp_path) for _ in range(5)]
    operation_id = ledger.operation()
    before, entries = senders[0].nonce(), ledger.contracts.credits.sequence(at="latest")

    with ThreadPoolExecutor(50) as threads:
        results = list(
            threads.map(lambda number: senders[number % 5].award(operation_id), range(50))
        )

    assert senders[0].nonce() == before + 1
    assert {each.first_sequence for each in results} == {entries + 1}
    assert {len(each.attempts) for each in results} == {1}


def test_submit__one_id_for_two_things_at_once__does_one_and_refuses_the_other(
    own_sender: Sender,
) -> None:
    operation_id = own_sender.ledger.operation()
    own_sender.ledger.anvil.rpc.call("evm_setAutomine", False)
    with ThreadPoolExecutor(1) as threads:
        work = threads.submit(own_sender.award, operation_id, amount=1)
        assert wait_until(lambda: own_sender.find(operation_id) is not None, seconds=20)
        with pytest.raises(OperationConflict):
            own_sender.award(operation_id, amount=2)
        own_sender.ledger.anvil.mine()
        assert work.result().is_done


def test_submit__many_of_one_key__are_on_their_way_together_and_in_one_block(
    own_sender: Sender,
) -> None:
    anvil = own_sender.ledger.anvil
    ids = [own_sender.ledger.operation() for _ in range(12)]
    anvil.rpc.call("evm_setAutomine", False)

    def are_sent() -> bool:
        found = [own_sender.find(each) for each in ids]
        return all(each is not None and each.state is State.SENT for each in found)

    with ThreadPoolExecutor(12) as threads:
        work = [threads.submit(own_sender.award, each) for each in ids]
        assert wait_until(are_sent, seconds=20)
        anvil.mine()
        results = [each.result() for each in work]

    attempts = [each.last_attempt for each in results]
    nonces = sorted(each.nonce for each in attempts if each is not None)
    assert nonces == list(range(nonces[0], nonces[0] + 12))
    assert len({each.block_number for each in attempts if each is not None}) == 1


def test_submit__one_id_for_two_things_from_two_threads__does_one_and_refuses_the_other(
    sender: Sender,
) -> None:
    operation_id = sender.ledger.operation()
    before = sender.ledger.contracts.credits.sequence(at="latest")
    together = threading.Barrier(2)

    def award(amount: int) -> bool:
        together.wait(20)
        try:
            return sender.award(operation_id, amount=amount).is_done
        except (OperationConflict, ContractRefused):
            return False

    with ThreadPoolExecutor(2) as threads:
        results = sorted(threads.map(award, (1, 2)))

    assert results == [False, True]
    assert sender.ledger.contracts.credits.sequence(at="latest") == before + 1


class CountingSigner:
    """A signer that counts what it signs."""

    def __init__(self, inner: LocalSigner) -> None:
        self._inner = inner
        self.address = inner.address
        self.signed = 0

    def sign_transaction(self, fields: TransactionFields) -> bytes:
        """One more."""
        self.signed += 1
        return self._inner.sign_transaction(fields)


def test_submit__id_of_anothers_operation_under_way__is_refused_before_it_is_signed(
    own_sender: Sender,
) -> None:
    operation_id = own_sender.ledger.operation()
    own_sender.ledger.anvil.rpc.call("evm_setAutomine", False)
    other = CountingSigner(own_sender.ledger.issuer)
    with ThreadPoolExecutor(1) as threads:
        work = threads.submit(own_sender.award, operation_id)
        assert wait_until(lambda: own_sender.find(operation_id) is not None, seconds=20)
        with pytest.raises(OperationOfAnother):
            own_sender.award(operation_id, by=other)
        own_sender.ledger.anvil.mine()
        assert work.result().is_done

    assert other.signed == 0


def test_submit__one_after_the_other_with_a_linger__takes_the_lease_once(
    ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    sender = Sender(ledger, engine, tmp_path, rules=replace(HASTY, lease=30, linger=30))
    other = Sender(ledger, engine, tmp_path, rules=HASTY, deadline=0.5)

    for _ in range(3):
        assert sender.award(ledger.operation()).is_done

    assert _token(engine, ledger) == 1
    with pytest.raises(ReceiptOverdue):
        other.award(ledger.operation())
    sender.outbox.close()
    assert other.award(ledger.operation()).is_done
    assert sender.award(ledger.operation()).is_done
    assert other.award(ledger.operation()).is_done  # once closed, no lease is kept


def test_submit__after_a_linger_in_which_the_key_was_used_elsewhere__takes_the_next_nonce(
    ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    sender = Sender(ledger, engine, tmp_path, rules=replace(HASTY, lease=30, linger=30))
    first = sender.award(ledger.operation())
    awards = [Award(MEMBER, 1, CATEGORY)]
    calldata = encode_award(PROGRAMME, awards, ledger.operation())
    ledger.do(ledger.contracts.credits.address, calldata)  # with the officer's key

    second = sender.award(ledger.operation())
    sender.outbox.close()

    nonces = [each.last_attempt.nonce for each in (first, second) if each.last_attempt is not None]
    assert nonces[1] == nonces[0] + 2


def test_submit__lingering_and_then_idle__gives_the_lease_back_by_itself(
    ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    sender = Sender(ledger, engine, tmp_path, rules=replace(HASTY, lease=30, linger=0.05))
    sender.award(ledger.operation())
    key = Key(ledger.deployment.genesis_hash, ledger.officer.address)

    assert wait_until(lambda: is_free(engine, key), seconds=10)
    assert sender.award(ledger.operation()).is_done
    sender.outbox.close()
    assert is_free(engine, key)


def _token(engine: Engine, ledger: Ledger) -> int:
    with reading(engine) as connection:
        query = select(key_leases.c.token).where(
            key_leases.c.genesis_hash == ledger.deployment.genesis_hash,
            key_leases.c.sender == ledger.officer.address,
        )
        return int(connection.execute(query).scalar_one())
