"""What a wallet is to sign (EIP-712), with plain sentences in both languages.

A portal need not know how a message is encoded: it says what shall be done, shows the sentences,
has the wallet sign `typed_data`, and brings both to `/v1/signed-messages`. Nothing is kept here.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading, answers_of
from api.formats import parse_time, show_address_once, show_bytes, show_time
from api.keeping import NOT_KEPT
from api.naming import names_by_language
from api.routes.declared import problems
from api.routes.named import programme_named
from api.schemas.commands import commitment_of
from api.schemas.messages import (
    AcceptanceDraft,
    ApprovalDraft,
    AwardBatchDraft,
    CancellationDraft,
    ClaimDraft,
    ConsentDraft,
    DraftBody,
    DraftCommand,
    ObjectionDraft,
    RedemptionDraft,
    RotationDraft,
    TypedDataAnswer,
    TypedDataView,
)
from ledger.chain import messages
from ledger.chain.addresses import parse_address
from ledger.chain.typed_data import MAX_VALIDITY, MessageDomain, TypedMessage
from ledger.domain.commands import Admission, Award
from ledger.domain.ids import DistributionId, ListingId, OrgId, ProposalId, TierId
from ledger.domain.sharing import Redemption
from ledger.errors import EvidenceMissing, InvalidValue
from ledger.mirror.queries.benefits import read_listing
from ledger.mirror.queries.control import read_control
from ledger.mirror.queries.moments import read_contracts
from ledger.mirror.queries.organisations import require_organisation
from ledger.mirror.queries.proposals import read_proposal
from ledger.mirror.queries.shares import read_listed
from ledger.services.proposals.words import CHINESE, ENGLISH
from ledger.services.sharing.entitlements import SharesShelf
from ledger.services.vouchers.words import describe_message

router = APIRouter(tags=["messages"])

USUAL_SECONDS = 7 * 86_400


@dataclass(frozen=True, slots=True)
class _Slip:
    """What every message has beside its own values."""

    reading: Reading
    shares: SharesShelf
    account: bytes
    operation_id: bytes
    deadline: int

    def domain(self, contract: str) -> MessageDomain:
        found = {each.name: each.address for each in read_contracts(self.reading.connection)}
        if contract not in found:
            raise InvalidValue(
                field="kind", value=contract, expected="of a contract of this ledger"
            )
        return MessageDomain(contract, self.reading.state.chain_id, found[contract])

    @property
    def signing(self) -> dict[str, Any]:
        return {
            "account": self.account,
            "operation_id": self.operation_id,
            "deadline": self.deadline,
        }

    def require_organisation(self, org_id: int) -> OrgId:
        require_organisation(self.reading.connection, self.reading.moment, OrgId(org_id))
        return OrgId(org_id)


@router.post(
    "/typed-data",
    operation_id="createTypedData",
    response_model=TypedDataAnswer,
    responses=problems(
        s401="The policy lets members read alone, and nobody is signed in.",
        s403="The policy lets members read alone, and the account is none.",
        s404="What it is about is not there.",
        s413="The body is too large.",
        s422="A value cannot be used; `errors` names each.",
        s429="Too many requests.",
        s500="The server met an error that it does not know.",
        s503="Nothing is mirrored yet, or the database cannot be used.",
    ),
)
def create_typed_data(request: Request, body: DraftBody) -> Response:
    """What a wallet is to sign, and what it says in both languages. Nothing is kept."""
    given = body.message
    shelf: SharesShelf = request.app.state.shares

    def build(reading: Reading) -> TypedDataAnswer:
        slip = _Slip(
            reading,
            shelf,
            parse_address(given.account, "message.account"),
            bytes.fromhex(given.operation_id[2:])
            if given.operation_id
            else secrets.token_bytes(32),
            _deadline(reading, given),
        )
        message, proof = _WRITERS[type(given)](slip, given)
        says = describe_message(message, names_by_language(reading))
        about = reading.about
        return TypedDataAnswer(
            as_of=about.as_of,
            mirror=about.mirror,
            contract=message.domain.contract,
            account=show_address_once(message.account),
            operation_id=show_bytes(slip.operation_id),
            deadline=show_time(slip.deadline),
            says_zh=says[CHINESE],
            says_en=says[ENGLISH],
            typed_data=TypedDataView.model_validate(message.to_json()),
            digest=show_bytes(message.digest()),
            proof=[show_bytes(each) for each in proof],
        )

    answer = answers_of(request).read(build)
    return Response(answer.model_dump_json(), media_type="application/json", headers=NOT_KEPT)


def _deadline(reading: Reading, given: DraftCommand) -> int:
    """The last second in which the message is good. Raises InvalidValue."""
    now = max(reading.moment.timestamp, int(time.time()))
    if given.deadline is None:
        return now + USUAL_SECONDS
    deadline = parse_time("message.deadline", given.deadline)
    latest = now + MAX_VALIDITY
    if not now <= deadline <= latest:
        expected = f"between now and {show_time(latest)}"
        raise InvalidValue(field="message.deadline", value=given.deadline, expected=expected)
    return deadline


_Written = tuple[TypedMessage, tuple[bytes, ...]]


def _award_batch(slip: _Slip, given: AwardBatchDraft) -> _Written:
    if not given.no_evidence and not all(each.evidence for each in given.awards):
        raise EvidenceMissing
    programme_id = programme_named(slip.reading, given.programme).programme_id
    awards = [
        Award(OrgId(each.organisation), each.amount, each.category, commitment_of(each.evidence))
        for each in given.awards
    ]
    domain = slip.domain("Credits")
    return messages.write_award_batch(domain, programme_id, awards, **slip.signing), ()


def _consent(slip: _Slip, given: ConsentDraft) -> _Written:
    programme_id = programme_named(slip.reading, given.programme).programme_id
    org_id = slip.require_organisation(given.organisation)
    admission = Admission(org_id, TierId(given.tier), 0, commitment_of(given.evidence))
    message = messages.write_application(
        slip.domain("Memberships"),
        programme_id,
        admission,
        account=slip.account,
        application_id=slip.operation_id,
        deadline=slip.deadline,
    )
    return message, ()


def _redemption(slip: _Slip, given: RedemptionDraft) -> _Written:
    reading = slip.reading
    listing = read_listing(reading.connection, reading.moment, ListingId(given.listing))
    org_id = slip.require_organisation(given.organisation)
    if given.quantity > listing.capacity:
        expected = f"at most {listing.capacity}, all units of the benefit"
        raise InvalidValue(field="message.quantity", value=given.quantity, expected=expected)
    redemption = Redemption(listing.listing_id, org_id, given.quantity)
    message = messages.write_redemption(
        slip.domain("Benefits"), listing.programme_id, redemption, listing.price, **slip.signing
    )
    return message, ()


def _claim(slip: _Slip, given: ClaimDraft) -> _Written:
    reading, number = slip.reading, DistributionId(given.distribution)
    posted = read_listed(reading.connection, reading.moment, number)
    shares = slip.shares.read(reading.connection, posted)
    org_id = OrgId(given.organisation)
    share = shares.share_of(org_id)
    message = messages.write_claim(
        slip.domain("Shares"),
        posted.terms.programme_id,
        number,
        org_id,
        share.amount,
        **slip.signing,
    )
    return message, shares.proof_of(org_id)


def _approval(slip: _Slip, given: ApprovalDraft) -> _Written:
    reading = slip.reading
    found = read_proposal(reading.connection, reading.moment, ProposalId(given.proposal))
    message = messages.write_approval(
        slip.domain("Council"),
        found.programme_id,
        found.proposal_id,
        found.calls_hash,
        **slip.signing,
    )
    return message, ()


def _rotation(slip: _Slip, given: RotationDraft) -> _Written:
    org_id = slip.require_organisation(given.organisation)
    successor = parse_address(given.successor, "message.successor")
    domain = slip.domain("Organisations")
    return messages.write_rotation(domain, org_id, successor, **slip.signing), ()


def _acceptance(slip: _Slip, given: AcceptanceDraft) -> _Written:
    org_id = slip.require_organisation(given.organisation)
    return messages.write_acceptance(slip.domain("Organisations"), org_id, **slip.signing), ()


def _objection(slip: _Slip, given: ObjectionDraft) -> _Written:
    reading, org_id = slip.reading, OrgId(given.organisation)
    successor = read_control(reading.connection, reading.moment, org_id).recovery_successor
    if successor is None:
        expected = "an organisation that is being recovered"
        raise InvalidValue(field="message.organisation", value=org_id, expected=expected)
    domain = slip.domain("Organisations")
    return messages.write_objection(domain, org_id, successor, **slip.signing), ()


def _cancellation(slip: _Slip, given: CancellationDraft) -> _Written:
    return messages.write_cancellation(slip.domain(given.contract), **slip.signing), ()


_WRITERS: Mapping[type[DraftCommand], Callable[[_Slip, Any], _Written]] = {
    AwardBatchDraft: _award_batch,
    ConsentDraft: _consent,
    RedemptionDraft: _redemption,
    ClaimDraft: _claim,
    ApprovalDraft: _approval,
    RotationDraft: _rotation,
    AcceptanceDraft: _acceptance,
    ObjectionDraft: _objection,
    CancellationDraft: _cancellation,
}
