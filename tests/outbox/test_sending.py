"""An operation is done once, under its id, and what came of it is known."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger.chain.contracts import benefits
from ledger.chain.contracts import credits as journal
from ledger.chain.signers import LocalSigner
from ledger.domain.commands import Award, Budget
from ledger.domain.ids import ALLIANCE_WIDE, ListingId, RedemptionId
from ledger.domain.sharing import Listing, Redemption
from ledger.errors import (
    ContractRefused,
    FundsTooLow,
    NotFound,
    OperationConflict,
    OperationOfAnother,
)
from ledger.outbox.records import (
    Attempt,
    Operation,
    Request,
    State,
    list_operations,
    read_operation,
)
from ledger.outbox.writes import insert_operation, mark_failed
from ledger.services.programmes import set_budget
from ledger.services.roles import Office, appoint
from ledger.store.engine import reading, writing
from tests.support.desks import Sender, opened_engine
from tests.support.ledger import CATEGORY, CONTROLLERS, MEMBER, PROGRAMME, Ledger


def test_submit__new_request__is_done_and_recorded_with_its_journal_lines(sender: Sender) -> None:
    operation_id = sender.ledger.operation()

    operation = sender.award(operation_id, amount=7)

    newest = sender.ledger.contracts.credits.sequence(at="latest")
    assert operation.state is State.INCLUDED
    assert operation.first_sequence == operation.last_sequence == newest
    assert operation.last_attempt is not None
    assert operation.last_attempt.block_number is not None
    assert sender.find(operation_id) == operation


def test_submit__same_request_again__gives_the_known_result_and_sends_nothing(
    sender: Sender,
) -> None:
    operation_id = sender.ledger.operation()
    first = sender.award(operation_id)
    nonce = sender.nonce()

    again = sender.award(operation_id)

    assert again == first
    assert sender.nonce() == nonce


def test_submit__used_id_with_other_content__is_refused_in_the_contracts_own_words(
    sender: Sender,
) -> None:
    operation_id = sender.ledger.operation()
    done = sender.award(operation_id, amount=1)

    with pytest.raises(ContractRefused) as refused:
        sender.award(operation_id, amount=2)

    assert refused.value.values["name"] == "JournalOperationDone"
    assert refused.value.values["arguments"] == {
        "operationId": "0x" + operation_id.hex(),
        "sequence": done.first_sequence,
    }


def test_submit__id_used_in_another_contract__is_refused_with_that_contracts_name(
    sender: Sender,
) -> None:
    ledger, contracts, op = sender.ledger, sender.ledger.contracts, sender.ledger.operation
    now = int(ledger.node.header("latest").timestamp, 16)
    listing = Listing(PROGRAMME, 1, 9, 9, now, now + 10**6)
    ledger.do(contracts.benefits.address, benefits.encode_list(listing, op()))
    sender.award(op(), amount=5)
    listing_id = ListingId(contracts.benefits.listing_count(at="latest"))
    redeem_as_controller(ledger, Redemption(listing_id, MEMBER, 1))
    redemption_id = RedemptionId(contracts.benefits.redemption_count(at="latest"))
    recorded, elsewhere = op(), op()
    sender.award(recorded)
    again = journal.encode_award(PROGRAMME, [Award(MEMBER, 1, CATEGORY)], elsewhere)
    ledger.do(contracts.credits.address, again)

    for used in (recorded, elsewhere):
        calldata = benefits.encode_cancel(redemption_id, used)
        sequence = contracts.credits.operation_sequence(ledger.officer.address, used, at="latest")
        with pytest.raises(ContractRefused, match="JournalOperationDone") as refused:
            sender.outbox.submit(
                Request(used, "cancel", "Cancel it.", "Benefits", calldata), ledger.officer
            )
        assert refused.value.values["meaning"] == (
            f"The operation 0x{used.hex()} was done before in Credits, by its journal event "
            f"{sequence}; Benefits takes no id that was used there."
        )
        assert refused.value.values["arguments"]["sequence"] == sequence


def redeem_as_controller(ledger: Ledger, redemption: Redemption) -> None:
    """Redeem as the member's controller, whose key nobody has."""
    rpc, controller = ledger.anvil.rpc, "0x" + CONTROLLERS[MEMBER].hex()
    rpc.call("anvil_setBalance", controller, hex(10**20))
    rpc.call("anvil_impersonateAccount", controller)
    data = benefits.encode_redeem(redemption, ledger.operation())
    to = "0x" + ledger.contracts.benefits.address.hex()
    receipt = ledger.anvil.send(**{"from": controller, "to": to, "data": "0x" + data.hex()})
    assert receipt["status"] == "0x1"
    rpc.call("anvil_stopImpersonatingAccount", controller)


def test_submit__used_id_by_another_signer__is_refused(sender: Sender) -> None:
    operation_id = sender.ledger.operation()
    sender.award(operation_id)
    nonce = sender.nonce(by=sender.ledger.issuer)

    with pytest.raises(OperationOfAnother):
        sender.award(operation_id, by=sender.ledger.issuer)

    assert sender.nonce(by=sender.ledger.issuer) == nonce
    # The signer whose operation it is is told what became of it.
    assert sender.award(operation_id).state is State.INCLUDED


def test_submit__same_id_by_two_signers_at_once__is_done_for_one_of_them(
    ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    signers = [ledger.officer, ledger.issuer] * 2
    senders = [Sender(ledger, engine, tmp_path) for _ in signers]
    operation_id = ledger.operation()
    entries = ledger.contracts.credits.sequence(at="latest")

    def submit(number: int) -> bytes | None:
        try:
            return senders[number].award(operation_id, by=signers[number]).sender
        except OperationOfAnother:
            return None

    with ThreadPoolExecutor(4) as threads:
        done = list(threads.map(submit, range(4)))

    known = senders[0].find(operation_id)
    assert known is not None
    expected = [known.sender if each.address == known.sender else None for each in signers]
    assert done == expected
    assert ledger.contracts.credits.sequence(at="latest") == entries + 1


def test_submit__failed_and_asked_for_by_another_signer__is_refused(sender: Sender) -> None:
    """Nothing was done; but its first transaction could come back with a reorganisation."""
    operation_id = sender.ledger.operation()
    sender.award(operation_id)
    with writing(sender.engine) as connection:
        problem = FundsTooLow(address="0x", balance=0, needed=1)
        mark_failed(connection, operation_id, problem, at=1)

    with pytest.raises(OperationOfAnother):
        sender.award(operation_id, by=sender.ledger.issuer)


def test_submit__id_of_an_operation_under_way_with_other_content__conflicts(
    sender: Sender,
) -> None:
    operation_id = sender.ledger.operation()
    known = sender.award(operation_id)
    other = sender.ledger.operation()
    attempt = Attempt(1, known.sender, 10_000, other, b"raw", known.created_at, None)
    with writing(sender.engine) as connection:
        insert_operation(connection, _operation(other, attempt, known.genesis_hash))

    with pytest.raises(OperationConflict):
        sender.award(other, amount=99)


def test_submit__a_call_that_would_revert__is_refused_and_nothing_is_signed(
    sender: Sender,
) -> None:
    operation_id = sender.ledger.operation()
    nonce = sender.nonce(by=sender.ledger.issuer)

    with pytest.raises(ContractRefused) as refused:
        sender.award(operation_id, amount=51, by=sender.ledger.issuer)

    assert refused.value.values["name"] == "CreditsAwardOverLimit"
    assert sender.find(operation_id) is None
    assert sender.nonce(by=sender.ledger.issuer) == nonce


def test_submit__refused_before__is_done_once_the_cause_is_mended(sender: Sender) -> None:
    operation_id = sender.ledger.operation()
    with pytest.raises(ContractRefused):
        sender.award(operation_id, amount=10_000)

    assert sender.award(operation_id, amount=1).state is State.INCLUDED


def test_submit__done_on_the_chain_and_database_lost__is_found_and_sends_nothing(
    sender: Sender, tmp_path: Path
) -> None:
    operation_id = sender.ledger.operation()
    first = sender.award(operation_id)
    nonce = sender.nonce()

    with opened_engine(f"sqlite:///{tmp_path / 'new.sqlite3'}") as engine:
        found = Sender(sender.ledger, engine, tmp_path).award(operation_id)

    assert first.last_attempt is not None
    assert found.last_attempt is not None
    assert found.state is State.INCLUDED
    assert found.last_attempt.raw == first.last_attempt.raw
    assert found.last_attempt.block_number == first.last_attempt.block_number
    assert (found.first_sequence, found.last_sequence) == (
        first.first_sequence,
        first.last_sequence,
    )
    assert sender.nonce() == nonce


def test_submit__other_content_and_database_lost__is_refused_in_the_contracts_own_words(
    sender: Sender, tmp_path: Path
) -> None:
    operation_id = sender.ledger.operation()
    sender.award(operation_id, amount=1)

    with (
        opened_engine(f"sqlite:///{tmp_path / 'new.sqlite3'}") as engine,
        pytest.raises(ContractRefused) as refused,
    ):
        Sender(sender.ledger, engine, tmp_path).award(operation_id, amount=2)

    assert refused.value.values["name"] == "JournalOperationDone"


def test_submit__same_request_from_many_at_once__sends_one_transaction(
    ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    senders = [Sender(ledger, engine, tmp_path) for _ in range(4)]
    operation_id = ledger.operation()
    before = senders[0].nonce()

    with ThreadPoolExecutor(4) as threads:
        results = list(threads.map(lambda sender: sender.award(operation_id), senders))

    assert senders[0].nonce() == before + 1
    assert {result.first_sequence for result in results} == {results[0].first_sequence}


def test_submit__many_requests_with_one_key_at_once__are_each_done_once(
    ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    senders = [Sender(ledger, engine, tmp_path) for _ in range(4)]
    ids = [ledger.operation() for _ in range(24)]
    before, entries = senders[0].nonce(), ledger.contracts.credits.sequence(at="latest")

    with ThreadPoolExecutor(4) as threads:
        work = [
            threads.submit(senders[number % 4].award, operation_id)
            for number, operation_id in enumerate(ids)
        ]
        results = [each.result() for each in work]

    assert senders[0].nonce() == before + 24
    lines = sorted(result.first_sequence or 0 for result in results)
    assert lines == list(range(entries + 1, entries + 25))


def test_submit__without_coin__says_how_much_is_missing_and_signs_nothing(sender: Sender) -> None:
    poor = sender.ledger.officer.derive(sender.ledger.operation())
    # Whoever may do it is asked first: an account without the role is refused for that.
    appoint_issuer(sender, poor)
    sender.ledger.anvil.rpc.call("anvil_setBalance", "0x" + poor.address.hex(), "0x1")
    operation_id = sender.ledger.operation()

    with pytest.raises(FundsTooLow) as refused:
        sender.award(operation_id, by=poor)

    assert refused.value.values["balance"] == 1
    assert sender.find(operation_id) is None


def test_records__read_back__are_what_was_written(engine: Engine) -> None:
    attempt = Attempt(1, b"\x01" * 20, 3, b"\x02" * 32, b"raw", 5, None)
    written = _operation(b"\x09" * 32, attempt)

    with writing(engine) as connection:
        insert_operation(connection, written)

    with reading(engine) as connection:
        assert read_operation(connection, b"\x09" * 32) == written
        assert list_operations(connection) == (written,)
        assert list_operations(connection, state=State.FAILED) == ()
        with pytest.raises(NotFound):
            read_operation(connection, b"\x08" * 32)


def test_resume__operations_of_another_chain__are_left_alone(sender: Sender) -> None:
    attempt = Attempt(1, sender.ledger.officer.address, 10_000, b"\x02" * 32, b"raw", 5, None)
    other = _operation(sender.ledger.operation(), attempt)
    with writing(sender.engine) as connection:
        insert_operation(connection, other)

    assert list(sender.outbox.resume()) == []
    assert sender.award(sender.ledger.operation()).state is State.INCLUDED


def appoint_issuer(sender: Sender, signer: LocalSigner) -> None:
    """Make a signer an issuer of the whole alliance, with a budget."""
    appoint(
        sender.order(sender.ledger.operation()), Office("issuer", ALLIANCE_WIDE, signer.address)
    )
    budget = Budget(10, 100)
    set_budget(sender.order(sender.ledger.operation()), PROGRAMME, signer.address, budget)


def _operation(operation_id: bytes, attempt: Attempt, genesis_hash: bytes = bytes(32)) -> Operation:
    return Operation(
        request=Request(operation_id, "award", "Award.", "Credits", b"calldata"),
        genesis_hash=genesis_hash,
        sender=attempt.sender,
        state=State.ACCEPTED,
        created_at=attempt.signed_at,
        updated_at=attempt.signed_at,
        first_sequence=None,
        last_sequence=None,
        failure=None,
        attempts=(attempt,),
    )
