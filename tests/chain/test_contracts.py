"""The wrappers on a real chain: what they read, and what the contracts refuse."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from ledger.chain.contracts import credits as journal
from ledger.chain.contracts import memberships, programmes
from ledger.chain.keccak import keccak256
from ledger.chain.reverts import FailedTransaction, explain_failure
from ledger.chain.sending import broadcast, wait_until_mined
from ledger.chain.signers import LocalSigner, TransactionFields, sign
from ledger.domain.commands import (
    Admission,
    Award,
    AwardTerms,
    MembershipState,
    ProgrammeRules,
    Registration,
    Reversal,
)
from ledger.domain.events import EntryPosted, MembershipStatus
from ledger.domain.ids import ALLIANCE_WIDE, EntryId, ProgrammeId, TierId, token_id
from ledger.errors import ContractRefused, NodeAnswerInvalid
from tests.support.anvil import Anvil
from tests.support.ledger import (
    BUDGET,
    CATEGORY,
    CONTROLLERS,
    FIRST_TIER,
    MEMBER,
    PROFILE,
    PROGRAMME,
    STRANGER,
    SUPPLY_CAP,
    Ledger,
    running_ledger,
)

NOBODY = LocalSigner(b"\xac" * 32)
ONE = Award(MEMBER, 1, CATEGORY)


def award(ledger: Ledger, *rows: Award) -> bytes:
    return journal.encode_award(PROGRAMME, rows, ledger.operation())


def test_reads__of_authority__are_what_the_commands_made(ledger: Ledger) -> None:
    at = ledger.node.block_number()
    found, officer, issuer = ledger.contracts.authority, ledger.officer, ledger.issuer

    assert found.is_officer("issuer", PROGRAMME, officer.address, at=at)
    assert found.holds("issuer", ALLIANCE_WIDE, officer.address, at=at)
    assert not found.holds("issuer", PROGRAMME, officer.address, at=at)
    assert found.holds("issuer", PROGRAMME, issuer.address, at=at)
    assert not found.is_officer("guardian", PROGRAMME, officer.address, at=at)
    assert found.default_admin(at=at) == officer.address
    assert found.admin_delay(at=at) == 0
    assert not found.paused(at=at)


def test_reads__of_programmes__are_what_the_commands_made(ledger: Ledger) -> None:
    at = ledger.node.block_number()
    found, issuer = ledger.contracts.programmes, ledger.issuer.address
    first = found.boundary(PROGRAMME, 1, at=at)

    assert found.programme_count(at=at) == 1
    rules = ProgrammeRules("alliance", PROFILE, SUPPLY_CAP, approvals_needed=2, tier_count=2)
    assert found.programme(PROGRAMME, at=at) == rules
    assert found.boundary_count(PROGRAMME, at=at) == 2
    assert found.epoch_at(PROGRAMME, first, at=at) == 1
    assert found.epoch_at(PROGRAMME, first - 1, at=at) == 0
    assert found.budget(PROGRAMME, issuer, at=at) == BUDGET
    terms = AwardTerms(1, BUDGET.per_award, BUDGET.per_epoch, SUPPLY_CAP)
    assert found.award_terms(PROGRAMME, issuer, at=at) == terms


def test_reads__of_organisations__are_what_the_commands_made(ledger: Ledger) -> None:
    at = ledger.node.block_number()
    found = ledger.contracts.organisations

    assert found.organisation_count(at=at) == 2
    registered = Registration(CONTROLLERS[MEMBER], "company", PROFILE)
    assert found.organisation(MEMBER, at=at) == registered
    assert found.controller_of(STRANGER, at=at) == CONTROLLERS[STRANGER]
    assert found.organisation_of(CONTROLLERS[STRANGER], at=at) == STRANGER
    assert found.organisation_of(NOBODY.address, at=at) == 0


def test_reads__of_memberships__are_what_the_commands_made(ledger: Ledger) -> None:
    at = ledger.node.block_number()
    found = ledger.contracts.memberships
    state = found.membership(PROGRAMME, MEMBER, at=at)

    assert (state.status, state.tier) == (MembershipStatus.ACTIVE, FIRST_TIER)
    assert state.admitted_at < state.expires_at
    none = MembershipState(MembershipStatus.NONE, TierId(0), 0, 0)
    assert found.membership(PROGRAMME, STRANGER, at=at) == none
    assert found.in_good_standing(PROGRAMME, MEMBER, at=at)
    assert not found.in_good_standing(PROGRAMME, STRANGER, at=at)
    assert found.owner_of(token_id(PROGRAMME, MEMBER), at=at) == CONTROLLERS[MEMBER]
    assert found.token_count(CONTROLLERS[MEMBER], at=at) == 1
    assert found.sequence(at=at) == 1
    assert found.head(at=at) != bytes(32)


def test_reads__at_an_earlier_block__are_what_was_true_then(ledger: Ledger) -> None:
    book = ledger.contracts.credits
    before = ledger.node.block_number()
    before_hash = bytes.fromhex(ledger.node.header(before).hash[2:])
    operation = ledger.operation()
    calldata = journal.encode_award(PROGRAMME, [Award(MEMBER, 5, CATEGORY, PROFILE)], operation)

    mined = ledger.do(book.address, calldata, by=ledger.issuer)

    then = book.balance_of(PROGRAMME, MEMBER, at=before)
    after = mined.block_number
    assert book.balance_of(PROGRAMME, MEMBER, at=before_hash) == then
    assert book.balance_of(PROGRAMME, MEMBER, at=mined.block_hash) == then + 5
    assert book.outstanding(PROGRAMME, at=after) == then + 5
    spent = book.spent(PROGRAMME, 1, ledger.issuer.address, at=before)
    assert book.spent(PROGRAMME, 1, ledger.issuer.address, at=after) == spent + 5
    entry = EntryId(book.sequence(at=after))
    issuer = ledger.issuer.address
    assert book.operation_sequence(issuer, operation, at=after) == entry
    assert book.operation_sequence(issuer, operation, at=before) == 0
    assert book.operation_sequence(ledger.officer.address, operation, at=after) == 0
    assert book.head_at(entry, at=after) == book.head(at=after)
    assert book.reversed_by(PROGRAMME, entry, at=after) == 0


def test_reversal__of_an_award_within_a_batch__is_proved_and_done_once(ledger: Ledger) -> None:
    book = ledger.contracts.credits
    rows = [Award(MEMBER, amount, CATEGORY, PROFILE) for amount in (1, 2, 3)]
    mined = ledger.do(book.address, award(ledger, *rows))
    logs = raw_logs(ledger, mined.block_number)
    hashes = [keccak256(log[:-32]) for log in logs]
    head_before = keccak256(book.head(at=mined.block_number - 1) + hashes[0])
    entry = read_entry(logs[1])
    reversal = Reversal(entry, head_before, (hashes[2],), PROFILE)

    def reverse() -> bytes:
        return journal.encode_reverse(PROGRAMME, [reversal], ledger.operation())

    done = ledger.do(book.address, reverse())

    reversed_by = book.reversed_by(PROGRAMME, EntryId(entry.entry_id), at=done.block_number)
    assert reversed_by == book.sequence(at=done.block_number)
    with pytest.raises(ContractRefused, match="CreditsAlreadyReversed") as caught:
        ledger.prepare(book.address, reverse())
    assert caught.value.values["arguments"] == {
        "entryId": entry.entry_id,
        "reversedBy": reversed_by,
    }


def raw_logs(ledger: Ledger, block: int) -> list[bytes]:
    """Topics and data of the journal's logs in a block, one after the other."""
    return [
        b"".join(bytes.fromhex(topic[2:]) for topic in msgspec.json.decode(log.topics))
        + bytes.fromhex(log.data[2:])
        for log in ledger.node.logs(block, block, [ledger.contracts.credits.address])
    ]


def read_entry(log: bytes) -> EntryPosted:
    words = [log[place : place + 32] for place in range(32, len(log) - 32, 32)]
    number = [int.from_bytes(each, "big", signed=True) for each in words]
    return EntryPosted(
        *number[:4], words[4], *number[5:7], words[7], number[8], words[9][12:], words[10]
    )


REFUSED_AWARDS: list[tuple[list[Award], str, dict[str, Any]]] = [
    ([Award(STRANGER, 5, CATEGORY)], "MembershipsUnknown", {"programmeId": 1, "orgId": 2}),
    (
        [Award(MEMBER, 5, "data.store")],
        "ProgrammesCategoryUnknown",
        {"programmeId": 1, "category": "data.store"},
    ),
    ([Award(MEMBER, 0, CATEGORY)], "CreditsAmountZero", {"orgId": 1}),
    ([], "CreditsBatchSize", {"given": 0}),
    ([Award(MEMBER, 51, CATEGORY)], "CreditsAwardOverLimit", {"asked": 51, "perAward": 50}),
    ([Award(MEMBER, 45, CATEGORY)] * 2, "CreditsAwardOverBudget", {"asked": 90}),
    ([Award(MEMBER, 50, CATEGORY)] * 21, "CreditsOverSupplyCap", {"asked": 1050}),
]


@pytest.mark.parametrize(
    ("rows", "name", "values"), REFUSED_AWARDS, ids=lambda value: str(value)[:30]
)
def test_award__that_the_contract_refuses__is_told_by_name_and_values_and_not_sent(
    ledger: Ledger, rows: list[Award], name: str, values: dict[str, Any]
) -> None:
    issuer = ledger.issuer
    nonce = ledger.node.nonce(issuer.address, "pending")

    with pytest.raises(ContractRefused) as caught:
        ledger.prepare(ledger.contracts.credits.address, award(ledger, *rows), by=issuer)

    assert caught.value.values["name"] == name
    assert values.items() <= caught.value.values["arguments"].items()
    assert ledger.node.nonce(issuer.address, "pending") == nonce


def test_award__by_a_non_issuer__names_account_and_role(ledger: Ledger) -> None:
    with pytest.raises(ContractRefused, match="AuthorityRoleMissing") as caught:
        ledger.prepare(ledger.contracts.credits.address, award(ledger, ONE), by=NOBODY)

    assert caught.value.values["arguments"]["role"] == "issuer"
    assert "is not issuer of programme 1." in str(caught.value)


def test_award__to_a_lapsed_membership__names_the_expiry(
    start_anvil: Callable[..., Anvil], tmp_path: Path
) -> None:
    with running_ledger(start_anvil(), tmp_path) as ledger:
        now = int(ledger.node.header("latest").timestamp, 16)
        admission = Admission(STRANGER, FIRST_TIER, now + 1000)
        calldata = memberships.encode_admit(PROGRAMME, [admission], "", ledger.operation())
        ledger.do(ledger.contracts.memberships.address, calldata)
        ledger.anvil.rpc.call("evm_setNextBlockTimestamp", hex(now + 2000))
        ledger.anvil.mine()

        with pytest.raises(ContractRefused, match="MembershipsLapsed") as caught:
            ledger.prepare(
                ledger.contracts.credits.address, award(ledger, Award(STRANGER, 1, CATEGORY))
            )

    assert caught.value.values["arguments"]["expiredAt"] == now + 1000
    assert "lapsed on 20" in str(caught.value)


def test_award__with_a_used_operation_id__names_it(ledger: Ledger) -> None:
    operation = ledger.operation()
    calldata = journal.encode_award(PROGRAMME, [ONE], operation)
    ledger.do(ledger.contracts.credits.address, calldata)

    with pytest.raises(ContractRefused, match="JournalOperationDone") as caught:
        ledger.prepare(ledger.contracts.credits.address, calldata)

    assert caught.value.values["arguments"]["operationId"] == "0x" + operation.hex()


def test_read__that_the_contract_refuses__is_told_by_name(ledger: Ledger) -> None:
    with pytest.raises(ContractRefused, match="ProgrammesUnknown") as caught:
        ledger.contracts.programmes.programme(ProgrammeId(9), at="latest")

    assert caught.value.values["arguments"] == {"programmeId": 9}


def test_read__of_an_address_without_the_contract__is_no_answer(ledger: Ledger) -> None:
    nobody = programmes.Programmes(ledger.node, NOBODY.address)

    with pytest.raises(NodeAnswerInvalid, match=r"Programmes\.programmeCount answered 0 bytes"):
        nobody.programme_count(at="latest")


def test_failed_transaction__once_mined__is_explained(ledger: Ledger) -> None:
    book = ledger.contracts.credits.address
    good, bad = award(ledger, ONE), award(ledger, Award(STRANGER, 1, CATEGORY))
    fields = ledger.prepare(book, good)
    doomed = TransactionFields(
        fields.chain_id, fields.nonce, book, bad, 500_000, fields.max_fee, fields.max_priority_fee
    )
    signed = sign(doomed, ledger.officer)
    broadcast(ledger.node, signed.raw)
    mined = wait_until_mined(ledger.node, signed.hash, seconds=30)

    def explain(calldata: bytes, gas_limit: int = 500_000) -> str:
        sender, block = ledger.officer.address, mined.block_number
        failed = FailedTransaction(sender, book, calldata, block, mined.gas_used, gas_limit)
        return str(explain_failure(ledger.node, failed).values["name"])

    assert not mined.succeeded
    assert explain(bad) == "MembershipsUnknown"
    assert explain(good) == "NotReproduced"
    assert explain(good, gas_limit=mined.gas_used) == "OutOfGas"


def test_failed_transaction__whose_cause_is_in_its_own_block__is_explained(ledger: Ledger) -> None:
    book = ledger.contracts.credits.address
    calldata = award(ledger, ONE)
    block = ledger.do(book, calldata).block_number
    failed = FailedTransaction(ledger.officer.address, book, calldata, block, 100_000, 200_000)

    # Before the block the operation was free; after it, it is done.
    assert explain_failure(ledger.node, failed).values["name"] == "JournalOperationDone"
