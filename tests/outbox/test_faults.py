"""What happens between signing and the block: crashes, lost blocks, taken nonces, late blocks."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine

from ledger.chain.addresses import show_address
from ledger.chain.contracts import authority
from ledger.chain.contracts.credits import encode_award
from ledger.chain.rpc import Node
from ledger.chain.sending import Call, prepare_transaction
from ledger.chain.signers import LocalSigner, TransactionFields, sign
from ledger.domain.commands import Award
from ledger.domain.verification import Finality
from ledger.errors import (
    ContractRefused,
    DiskFull,
    KeyHalted,
    NodeRefused,
    OperationOfAnother,
    ReceiptOverdue,
)
from ledger.outbox.records import State
from ledger.processes import wait_until
from tests.support.desks import HASTY, Cut, Sender, dying_sender
from tests.support.ledger import CATEGORY, MEMBER, PROGRAMME, Ledger


@pytest.mark.parametrize("taken", [False, True], ids=["not-sent", "sent"])
def test_submit__process_ends_at_the_broadcast__the_same_bytes_are_sent_once(
    ledger: Ledger, engine: Engine, tmp_path: Path, taken: bool
) -> None:
    operation_id = ledger.operation()
    with dying_sender(ledger, engine, tmp_path, taken=taken) as dying:
        before = dying.nonce()
        with pytest.raises(Cut):
            dying.award(operation_id)
    signed = dying.find(operation_id)
    assert signed is not None
    assert signed.state is State.ACCEPTED

    again = Sender(ledger, engine, tmp_path)
    (resumed,) = again.outbox.resume()

    assert resumed.error is None
    assert resumed.operation.state is State.INCLUDED
    assert resumed.operation.last_attempt is not None
    assert signed.last_attempt is not None
    assert resumed.operation.last_attempt.raw == signed.last_attempt.raw
    assert again.nonce() == before + 1
    assert list(again.outbox.resume()) == []


def test_submit__same_request_after_a_crash__finishes_it(
    ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    operation_id = ledger.operation()
    with dying_sender(ledger, engine, tmp_path, taken=False) as dying, pytest.raises(Cut):
        dying.award(operation_id)
    before = dying.nonce()

    operation = Sender(ledger, engine, tmp_path).award(operation_id)

    assert operation.state is State.INCLUDED
    assert len(operation.attempts) == 1
    assert dying.nonce() == before + 1


@pytest.mark.parametrize("taken", [False, True], ids=["not-sent", "sent"])
def test_submit__by_another_signer_after_a_crash__is_refused_unsigned_and_done_once(
    ledger: Ledger, engine: Engine, tmp_path: Path, taken: bool
) -> None:
    """The contract would do it again for another signer: only our own record says whose it is."""
    operation_id = ledger.operation()
    with dying_sender(ledger, engine, tmp_path, taken=taken) as dying, pytest.raises(Cut):
        dying.award(operation_id)
    balance = ledger.contracts.credits.balance_of(PROGRAMME, MEMBER, at="latest")
    again = Sender(ledger, engine, tmp_path)
    deaf = NeverSigning(ledger.issuer)

    for _ in range(2):
        with pytest.raises(OperationOfAnother) as refused:
            again.award(operation_id, by=deaf)
        list(again.outbox.resume())

    assert refused.value.code == "sending.operation_of_another_signer"
    assert refused.value.values["signer"] == show_address(ledger.officer.address)
    assert refused.value.values["given"] == show_address(ledger.issuer.address)
    known = again.find(operation_id)
    assert known is not None
    assert (known.state, len(known.attempts)) == (State.INCLUDED, 1)
    assert known.sender == ledger.officer.address
    after = ledger.contracts.credits.balance_of(PROGRAMME, MEMBER, at="latest")
    assert after == balance + (not taken)
    done = ledger.contracts.credits.operation_sequence
    assert done(ledger.issuer.address, operation_id, at="latest") == 0


@pytest.mark.parametrize("entrance", ["accept", "wait", "cancel"])
def test_operation_of_another__at_every_entrance__is_refused_unsigned(
    ledger: Ledger, engine: Engine, tmp_path: Path, entrance: str
) -> None:
    operation_id = ledger.operation()
    with dying_sender(ledger, engine, tmp_path, taken=False) as dying, pytest.raises(Cut):
        dying.award(operation_id)
    before = dying.find(operation_id)
    assert before is not None
    outbox, deaf = Sender(ledger, engine, tmp_path).outbox, NeverSigning(ledger.issuer)

    enter = {
        "accept": lambda: outbox.accept(before.request, deaf),
        "wait": lambda: outbox.wait_for(operation_id, deaf),
        "cancel": lambda: outbox.cancel(operation_id, deaf),
    }
    with pytest.raises(OperationOfAnother):
        enter[entrance]()

    assert dying.find(operation_id) == before
    assert outbox.wait_for(operation_id, ledger.officer).is_done


def test_submit__behind_an_unsent_transaction_of_the_same_key__sends_that_first(
    ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    left, wanted = ledger.operation(), ledger.operation()
    with dying_sender(ledger, engine, tmp_path, taken=False) as dying, pytest.raises(Cut):
        dying.award(left)

    sender = Sender(ledger, engine, tmp_path)
    operation = sender.award(wanted)

    assert operation.state is State.INCLUDED
    done = sender.ledger.contracts.credits.operation_sequence
    assert done(sender.ledger.officer.address, left, at="latest") != 0


def test_resume__chain_lost_its_last_blocks__sends_the_same_bytes_again(
    own_sender: Sender,
) -> None:
    anvil = own_sender.ledger.anvil
    snapshot = anvil.rpc.call("evm_snapshot")
    first, second = own_sender.ledger.operation(), own_sender.ledger.operation()
    done = [own_sender.award(first, amount=1), own_sender.award(second, amount=2)]
    anvil.rpc.call("evm_revert", snapshot)

    resumed = list(own_sender.outbox.resume())

    assert [each.error for each in resumed] == [None, None]
    assert [each.operation.request.operation_id for each in resumed] == [first, second]
    for before, after in zip(done, resumed, strict=True):
        assert before.last_attempt is not None
        assert after.operation.last_attempt is not None
        assert after.operation.last_attempt.raw == before.last_attempt.raw
        assert after.operation.first_sequence == before.first_sequence


def test_submit__known_result_of_a_lost_block__is_brought_about_again(own_sender: Sender) -> None:
    anvil = own_sender.ledger.anvil
    snapshot = anvil.rpc.call("evm_snapshot")
    operation_id = own_sender.ledger.operation()
    own_sender.award(operation_id)
    anvil.rpc.call("evm_revert", snapshot)

    again = own_sender.award(operation_id)

    assert again.state is State.INCLUDED
    assert len(again.attempts) == 1
    ledger = own_sender.ledger
    done = ledger.contracts.credits.operation_sequence
    assert done(ledger.officer.address, operation_id, at="latest") != 0


def test_submit__block_too_late__is_kept_and_found_by_the_same_request(
    own_ledger: Ledger, sqlite_engine: Engine, tmp_path: Path
) -> None:
    anvil = own_ledger.anvil
    hasty = Sender(own_ledger, sqlite_engine, tmp_path, deadline=0.3)
    operation_id = own_ledger.operation()
    anvil.rpc.call("evm_setAutomine", False)
    with pytest.raises(ReceiptOverdue):
        hasty.award(operation_id)
    waiting = hasty.find(operation_id)
    assert waiting is not None
    assert waiting.state is State.SENT
    anvil.mine()

    operation = hasty.award(operation_id)

    assert operation.state is State.INCLUDED
    assert len(operation.attempts) == 1


def test_submit__reverted_in_its_block__is_failed_with_the_contracts_error_and_can_be_retried(
    own_sender: Sender,
) -> None:
    ledger = own_sender.ledger
    operation_id = ledger.operation()
    ledger.anvil.rpc.call("evm_setAutomine", False)
    # It stands before the award in the same block, and takes the issuer's office.
    _change_issuer(ledger, authority.encode_dismiss)
    with ThreadPoolExecutor(1) as threads:
        work = threads.submit(own_sender.award, operation_id, by=ledger.issuer)
        assert wait_until(lambda: _is_sent(own_sender, operation_id), seconds=20)
        ledger.anvil.mine()
        with pytest.raises(ContractRefused) as refused:
            work.result()
    failed = own_sender.find(operation_id)

    assert refused.value.values["name"] == "AuthorityRoleMissing"
    assert failed is not None
    assert failed.state is State.FAILED
    assert failed.failure is not None
    assert failed.failure.code == "contract.refused"
    assert failed.failure.values["name"] == "AuthorityRoleMissing"

    ledger.anvil.rpc.call("evm_setAutomine", True)
    _change_issuer(ledger, authority.encode_appoint)
    retried = own_sender.award(operation_id, by=ledger.issuer)

    assert retried.state is State.INCLUDED
    assert [attempt.number for attempt in retried.attempts] == [1, 2]


def test_submit__failed_with_one_key__is_done_with_another_once_it_can_never_come_back(
    own_ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    """An issuer loses the office under way; another officer runs the same job again."""
    ledger, operation_id = own_ledger, own_ledger.operation()
    sender = Sender(ledger, engine, tmp_path, finality=Finality.DEPTH, finality_blocks=3)
    ledger.anvil.rpc.call("evm_setAutomine", False)
    _change_issuer(ledger, authority.encode_dismiss)
    with ThreadPoolExecutor(1) as threads:
        work = threads.submit(sender.award, operation_id, by=ledger.issuer)
        assert wait_until(lambda: _is_sent(sender, operation_id), seconds=20)
        ledger.anvil.mine()
        with pytest.raises(ContractRefused):
            work.result()
    ledger.anvil.rpc.call("evm_setAutomine", True)

    with pytest.raises(OperationOfAnother):
        sender.award(operation_id)
    ledger.anvil.mine(3)
    done = sender.award(operation_id)

    assert (done.state, done.sender) == (State.INCLUDED, ledger.officer.address)
    assert [each.sender for each in done.attempts] == [
        ledger.issuer.address,
        ledger.officer.address,
    ]
    with pytest.raises(OperationOfAnother):
        sender.award(operation_id, by=ledger.issuer)
    assert ledger.contracts.credits.balance_of(PROGRAMME, MEMBER, at="latest") == 1


def test_resume__nonce_used_elsewhere__halts_the_key_until_somebody_resumes_it(
    ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    operation_id = ledger.operation()
    with dying_sender(ledger, engine, tmp_path, taken=False) as dying, pytest.raises(Cut):
        dying.award(operation_id)
    before = ledger.contracts.credits.sequence(at="latest") + 1
    _use_nonce(ledger)
    assert wait_until(lambda: ledger.contracts.credits.sequence(at="latest") == before, seconds=20)

    sender = Sender(ledger, engine, tmp_path, rules=HASTY)
    (resumed,) = sender.outbox.resume()
    with pytest.raises(KeyHalted) as again:
        sender.award(operation_id)
    with pytest.raises(KeyHalted):
        sender.award(ledger.operation())

    assert isinstance(resumed.error, KeyHalted)
    assert str(again.value) == str(resumed.error)
    assert resumed.operation.state is State.ACCEPTED
    assert ledger.contracts.credits.sequence(at="latest") == before
    assert sender.outbox.resume_key(ledger.officer.address)
    done = sender.award(operation_id)
    assert done.state is State.INCLUDED
    assert [each.ended_at is None for each in done.attempts] == [False, True]
    assert done.attempts[1].nonce == done.attempts[0].nonce + 1
    assert ledger.contracts.credits.sequence(at="latest") == before + 1
    assert not sender.outbox.resume_key(ledger.officer.address)


class NeverSigning:
    """A signer that must not be asked to sign."""

    def __init__(self, whose: LocalSigner) -> None:
        self.address = whose.address

    def sign_transaction(self, fields: TransactionFields) -> bytes:
        raise AssertionError(f"signed {fields}")


def _send_past_outbox(ledger: Ledger, to: bytes, calldata: bytes) -> None:
    """Send by the officer's key as another program would."""
    officer = ledger.officer
    call = Call(officer.address, to, calldata)
    fields = prepare_transaction(ledger.node, call, chain_id=ledger.deployment.chain_id, nonce=0)
    nonce = ledger.node.nonce(officer.address, "pending")
    ledger.node.send_raw_transaction(sign(replace(fields, nonce=nonce), officer).raw)


def _use_nonce(ledger: Ledger) -> None:
    awards = [Award(MEMBER, 1, CATEGORY)]
    calldata = encode_award(PROGRAMME, awards, ledger.operation())
    _send_past_outbox(ledger, ledger.contracts.credits.address, calldata)


def _change_issuer(ledger: Ledger, encode: Callable[..., bytes]) -> None:
    calldata = encode("issuer", PROGRAMME, ledger.issuer.address, ledger.operation())
    _send_past_outbox(ledger, ledger.contracts.authority.address, calldata)


def _is_sent(sender: Sender, operation_id: bytes) -> bool:
    known = sender.find(operation_id)
    return known is not None and known.state is State.SENT


def test_submit__on_a_disk_that_fills_up_after_signing__names_the_id_to_go_on_with(
    own_sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    operation_id = own_sender.ledger.operation()
    with monkeypatch.context() as patched:
        patched.setattr("ledger.outbox.flight.mark_included", _fill)
        with pytest.raises(DiskFull) as full:
            own_sender.award(operation_id)

    assert f"--operation-id 0x{operation_id.hex()}" in full.value.advice
    again = own_sender.award(operation_id)
    assert again.state is State.INCLUDED
    assert len(again.attempts) == 1


def _fill(connection: Connection, *_arguments: object, **_named: object) -> None:
    """Write more than the database may hold: SQLite says what it says on a full disk."""
    pages = connection.exec_driver_sql("PRAGMA page_count").scalar_one()
    connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + 2}")
    connection.exec_driver_sql("CREATE TABLE filling (content BLOB)")
    try:
        connection.exec_driver_sql("INSERT INTO filling VALUES (zeroblob(1000000))")
    finally:
        connection.exec_driver_sql("PRAGMA max_page_count = 1000000")


# --- nodes that do not do what they say ---


class LyingNode(Node):
    """A node that says another hash than it takes, or takes nothing of what it says it knows."""

    def __init__(self, url: str, *, forgets: int) -> None:
        super().__init__(url)
        self._left = forgets

    def ask_each(self, method: str, params: Any, result_type: Any) -> Any:
        """Tell of transactions what is not so."""
        if method != "eth_sendRawTransaction":
            return super().ask_each(method, params, result_type)
        if self._left:
            self._left -= 1
            return [
                NodeRefused(url=self.url, method=method, message="already known", node_code=-32000)
                for _ in params
            ]
        answers = super().ask_each(method, params, result_type)
        return ["0x" + "ab" * 32 if isinstance(each, str) else each for each in answers]


@pytest.mark.parametrize("forgets", [0, 3], ids=["says-another-hash", "forgets-what-it-knows"])
def test_submit__to_a_node_that_says_what_is_not_so__is_done_once_in_the_same_bytes(
    ledger: Ledger, sqlite_engine: Engine, tmp_path: Path, forgets: int
) -> None:
    with LyingNode(ledger.anvil.url, forgets=forgets) as node:
        sender = Sender(ledger, sqlite_engine, tmp_path, node=node, rules=HASTY)
        before = sender.nonce()
        done = sender.award(ledger.operation())

    assert done.state is State.INCLUDED
    assert len(done.attempts) == 1
    assert sender.ledger.node.nonce(ledger.officer.address, "latest") == before + 1
