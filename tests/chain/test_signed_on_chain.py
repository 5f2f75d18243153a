"""Messages signed here, taken by the contracts: each of them once, and never when altered."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from ledger.chain import messages
from ledger.chain.contracts import authority, benefits, council, memberships, organisations
from ledger.chain.contracts import credits as journal
from ledger.chain.contracts.messages import encode_cancel_message_by_signature
from ledger.chain.keccak import keccak256
from ledger.chain.signers import LocalSigner
from ledger.chain.typed_data import (
    MAX_VALIDITY,
    MESSAGES,
    MessageDomain,
    account_of,
    sign_message,
)
from ledger.domain.commands import Admission, Award, Registration
from ledger.domain.events import Call, MembershipStatus, ProposalStatus, RedemptionStatus
from ledger.domain.ids import ListingId, OrgId, ProposalId, RedemptionId
from ledger.domain.messages import Consent, SignedMessage
from ledger.domain.sharing import Listing, Redemption
from ledger.errors import ContractRefused
from tests.support.anvil import Anvil
from tests.support.ledger import CATEGORY, FIRST_TIER, PROGRAMME, Ledger, running_ledger

MEMBER = OrgId(3)
KEYS = tuple(LocalSigner(keccak256(f"controller {number}".encode())) for number in range(4))


@pytest.fixture(scope="module")
def ledger(anvil: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ledger]:
    """A ledger of this module's own, with organisation 3 controlled by a key that we have."""
    with running_ledger(anvil, tmp_path_factory.mktemp("signed")) as running:
        op = running.operation
        to = running.contracts.organisations.address
        running.do(
            to, organisations.encode_register([Registration(KEYS[0].address, "company")], op())
        )
        yield running


def chain_time(ledger: Ledger) -> int:
    """The chain's time."""
    return int(ledger.node.header("latest").timestamp, 16)


def later(ledger: Ledger) -> int:
    """As late a deadline as the chain takes."""
    return chain_time(ledger) + MAX_VALIDITY


def domain(ledger: Ledger, contract: str) -> MessageDomain:
    return MessageDomain(
        contract, ledger.deployment.chain_id, ledger.deployment.contracts[contract].address
    )


@pytest.mark.parametrize("contract", MESSAGES)
def test_domain__of_every_contract__is_what_it_answers(ledger: Ledger, contract: str) -> None:
    wrapper = getattr(ledger.contracts, contract.lower())

    assert wrapper.message_domain(at="latest") == domain(ledger, contract)
    for signer in (KEYS[0].address, b"\x07" * 21, b"\x07" * 84):
        assert wrapper.account_of(signer, at="latest") == account_of(signer)


@pytest.mark.parametrize("contract", MESSAGES)
def test_cancellation__that_is_signed__is_taken_by_every_contract(
    ledger: Ledger, contract: str
) -> None:
    wrapper = getattr(ledger.contracts, contract.lower())
    cancelled = ledger.operation()
    message = messages.write_cancellation(
        domain(ledger, contract),
        account=KEYS[3].address,
        operation_id=cancelled,
        deadline=later(ledger),
    )
    signed = sign_message(message, KEYS[3], now=chain_time(ledger))

    ledger.do(wrapper.address, encode_cancel_message_by_signature(contract, cancelled, signed))

    assert wrapper.is_cancelled(KEYS[3].address, cancelled, at="latest")
    other = encode_cancel_message_by_signature(contract, ledger.operation(), signed)
    with pytest.raises(ContractRefused, match="SignedInvalid"):
        ledger.prepare(wrapper.address, other)


def test_controller__named_accepting_and_objecting_by_messages__changes(ledger: Ledger) -> None:
    found = ledger.contracts.organisations
    here, op = domain(ledger, "Organisations"), ledger.operation
    controller, successor, first = controller_of(ledger), KEYS[1], op()
    rotation = messages.write_rotation(
        here,
        MEMBER,
        successor.address,
        account=controller.address,
        operation_id=first,
        deadline=later(ledger),
    )
    ledger.do(
        found.address,
        organisations.encode_nominate_by_signature(
            MEMBER,
            successor.address,
            first,
            sign_message(rotation, controller, now=chain_time(ledger)),
        ),
    )
    assert found.nominated_by(MEMBER, at="latest") == successor.address

    second = op()
    acceptance = messages.write_acceptance(
        here, MEMBER, account=successor.address, operation_id=second, deadline=later(ledger)
    )
    ledger.do(
        found.address,
        organisations.encode_accept_control_by_signature(
            MEMBER, second, sign_message(acceptance, successor, now=chain_time(ledger))
        ),
    )
    assert found.controller_of(MEMBER, at="latest") == successor.address

    ledger.do(found.address, organisations.encode_begin_recovery(MEMBER, KEYS[2].address, op()))
    recovery = found.recovery_of(MEMBER, at="latest")
    begun = chain_time(ledger)
    assert recovery.successor == KEYS[2].address
    assert recovery.finishable_from == begun + found.recovery_delay(at="latest")
    third = op()
    objection = messages.write_objection(
        here,
        MEMBER,
        KEYS[2].address,
        account=successor.address,
        operation_id=third,
        deadline=later(ledger),
    )
    ledger.do(
        found.address,
        organisations.encode_stop_recovery_by_signature(
            MEMBER, third, sign_message(objection, successor, now=chain_time(ledger))
        ),
    )
    assert not any(found.recovery_of(MEMBER, at="latest").successor)


def test_member__applying_and_redeeming_by_messages__needs_no_gas(ledger: Ledger) -> None:
    contracts, op = ledger.contracts, ledger.operation
    controller = controller_of(ledger)
    now = chain_time(ledger)
    admission = Admission(MEMBER, FIRST_TIER, now + 10**6, b"\x11" * 32)
    application = op()
    agreed = messages.write_application(
        domain(ledger, "Memberships"),
        PROGRAMME,
        admission,
        account=controller.address,
        application_id=application,
        deadline=later(ledger),
    )
    consent = Consent(application, sign_message(agreed, controller, now=chain_time(ledger)))
    ledger.do(
        contracts.memberships.address,
        memberships.encode_admit_by_consent(PROGRAMME, [admission], [consent], "founding", op()),
    )
    state = contracts.memberships.membership(PROGRAMME, MEMBER, at="latest")
    assert state.status is MembershipStatus.ACTIVE
    assert contracts.memberships.memberships_of(MEMBER, at="latest") == 1

    ledger.do(
        contracts.credits.address,
        journal.encode_award(PROGRAMME, [Award(MEMBER, 100, CATEGORY)], op()),
    )
    listing = Listing(PROGRAMME, 20, 9, 4, now, now + 10**6)
    ledger.do(contracts.benefits.address, benefits.encode_list(listing, op()))
    assert contracts.benefits.listing(ListingId(1), at="latest").listing == listing
    wanted, operation = Redemption(ListingId(1), MEMBER, 3), op()
    message = messages.write_redemption(
        domain(ledger, "Benefits"),
        PROGRAMME,
        wanted,
        listing.price,
        account=controller.address,
        operation_id=operation,
        deadline=later(ledger),
    )
    ledger.do(
        contracts.benefits.address,
        benefits.encode_redeem_by_signature(
            wanted, operation, sign_message(message, controller, now=chain_time(ledger))
        ),
    )
    made = contracts.benefits.redemption(RedemptionId(1), at="latest")
    assert (made.redemption, made.status) == (wanted, RedemptionStatus.OPEN)
    assert contracts.credits.balance_of(PROGRAMME, MEMBER, at="latest") == 40
    assert contracts.credits.refundable(PROGRAMME, at="latest") == 60
    assert contracts.benefits.redeemed_by(ListingId(1), MEMBER, at="latest") == 3
    done = contracts.credits.operation_sequence
    assert done(controller.address, operation, at="latest") == made.entry_id
    assert done(ledger.officer.address, operation, at="latest") == 0

    ledger.do(contracts.benefits.address, benefits.encode_cancel(RedemptionId(1), op()))
    again = contracts.benefits.redemption(RedemptionId(1), at="latest")
    assert again.status is RedemptionStatus.CANCELLED
    assert contracts.credits.balance_of(PROGRAMME, MEMBER, at="latest") == 100


def test_award__by_an_issuer_s_message__is_posted_in_its_name(ledger: Ledger) -> None:
    contracts, operation = ledger.contracts, ledger.operation()
    rows = [Award(OrgId(1), 7, CATEGORY, b"\x22" * 32), Award(OrgId(1), 8, CATEGORY)]
    message = messages.write_award_batch(
        domain(ledger, "Credits"),
        PROGRAMME,
        rows,
        account=ledger.issuer.address,
        operation_id=operation,
        deadline=later(ledger),
    )
    signed = sign_message(message, ledger.issuer, now=chain_time(ledger))
    calldata = journal.encode_award_by_signature(PROGRAMME, rows, operation, signed)
    before = contracts.credits.issuer_terms(PROGRAMME, ledger.issuer.address, CATEGORY, at="latest")

    ledger.do(contracts.credits.address, calldata)

    after = contracts.credits.issuer_terms(PROGRAMME, ledger.issuer.address, CATEGORY, at="latest")
    assert before.left_in_epoch - after.left_in_epoch == 15
    assert (after.epoch, after.per_award) == (1, 50)
    assert contracts.credits.balance_of(PROGRAMME, OrgId(1), at="latest") == 15
    with pytest.raises(ContractRefused, match="JournalOperationDone"):
        ledger.prepare(contracts.credits.address, calldata)


def test_proposal__approved_by_messages__is_carried_out_from_the_seat(ledger: Ledger) -> None:
    contracts, op = ledger.contracts, ledger.operation
    maker, checkers = ledger.officer, KEYS[1:3]
    seat = contracts.council.seat_of(PROGRAMME, at="latest")
    to = contracts.authority.address
    for account in (maker.address, *(key.address for key in checkers)):
        ledger.do(to, authority.encode_appoint("councillor", PROGRAMME, account, op()))
    ledger.do(to, authority.encode_appoint("council", PROGRAMME, seat, op()))
    assert contracts.authority.appointed_at("council", PROGRAMME, seat, at="latest")
    awarded = journal.encode_award(PROGRAMME, [Award(OrgId(1), 200, CATEGORY)], op())
    calls = [Call(contracts.credits.address, awarded)]
    now = chain_time(ledger)

    ledger.do(
        contracts.council.address, council.encode_propose(PROGRAMME, calls, now + 10**5, op())
    )
    proposal = contracts.council.proposal(ProposalId(1), at="latest")
    assert proposal.calls_hash == council.hash_calls(calls)
    assert (proposal.maker, proposal.status) == (maker.address, ProposalStatus.OPEN)
    assert not proposal.authority_only
    for key in checkers:
        operation = op()
        message = messages.write_approval(
            domain(ledger, "Council"),
            PROGRAMME,
            ProposalId(1),
            proposal.calls_hash,
            account=key.address,
            operation_id=operation,
            deadline=later(ledger),
        )
        ledger.do(
            contracts.council.address,
            council.encode_approve_by_signature(
                ProposalId(1),
                proposal.calls_hash,
                operation,
                sign_message(message, key, now=chain_time(ledger)),
            ),
        )
    assert contracts.council.approvers_of(ProposalId(1), at="latest") == tuple(
        key.address for key in checkers
    )
    assert contracts.council.approvals_of(ProposalId(1), at="latest") == 2
    balance = contracts.credits.balance_of(PROGRAMME, OrgId(1), at="latest")

    ledger.do(contracts.council.address, council.encode_execute(ProposalId(1), calls, op()))

    assert contracts.credits.balance_of(PROGRAMME, OrgId(1), at="latest") == balance + 200
    done = contracts.council.proposal(ProposalId(1), at="latest")
    assert done.status is ProposalStatus.EXECUTED
    with pytest.raises(ContractRefused, match="Proposal 1 is executed"):
        ledger.prepare(contracts.council.address, council.encode_cancel(ProposalId(1), op()))


def test_message__good_for_longer_than_any_may_be__is_refused_with_the_latest_time(
    ledger: Ledger,
) -> None:
    operation, wrapper = ledger.operation(), ledger.contracts.credits
    message = messages.write_cancellation(
        domain(ledger, "Credits"),
        account=KEYS[3].address,
        operation_id=operation,
        deadline=later(ledger) + 10**6,
    )
    calldata = encode_cancel_message_by_signature(
        "Credits", operation, sign_message(message, KEYS[3], now=message.deadline)
    )

    with pytest.raises(
        ContractRefused, match="good for too long; now it can be until 2"
    ) as refused:
        ledger.prepare(wrapper.address, calldata)

    assert refused.value.values["name"] == "SignedDeadlineTooFar"


def test_message__of_a_verifier_without_code__is_refused_by_its_address(ledger: Ledger) -> None:
    signer, operation = b"\x07" * 20 + b"key", ledger.operation()
    signed = SignedMessage(signer, later(ledger), b"\x01" * 65)
    calldata = encode_cancel_message_by_signature("Credits", operation, signed)

    with pytest.raises(ContractRefused, match="0x0707070707070707070707070707070707070707") as no:
        ledger.prepare(ledger.contracts.credits.address, calldata)

    assert no.value.values["name"] == "SignedVerifierMissing"


def controller_of(ledger: Ledger) -> LocalSigner:
    """The key that acts for organisation 3 now, whatever tests ran before."""
    address = ledger.contracts.organisations.controller_of(MEMBER, at="latest")
    return next(key for key in KEYS if key.address == address)
