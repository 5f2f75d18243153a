"""The messages of each contract, from the ledger's own values: one function a message.

They only write a message down; whether it would be taken is for the contract to say. `domain` is
that of the contract named in the function's docstring; `account` is who signs, as `account_of` its
signer; `deadline` lies at most MAX_VALIDITY ahead of the block that takes it.
"""

from __future__ import annotations

from collections.abc import Sequence

from ledger.chain.typed_data import MessageDomain, TypedMessage
from ledger.domain.commands import Admission, Award
from ledger.domain.ids import DistributionId, OrgId, ProgrammeId, ProposalId
from ledger.domain.sharing import Redemption


def write_rotation(
    domain: MessageDomain,
    org_id: OrgId,
    successor: bytes,
    *,
    account: bytes,
    operation_id: bytes,
    deadline: int,
) -> TypedMessage:
    """Organisations: the controller names who shall act for the organisation next."""
    return TypedMessage(
        domain,
        "Rotation",
        {
            "orgId": org_id,
            "successor": successor,
            "account": account,
            "operationId": operation_id,
            "deadline": deadline,
        },
    )


def write_acceptance(
    domain: MessageDomain, org_id: OrgId, *, account: bytes, operation_id: bytes, deadline: int
) -> TypedMessage:
    """Organisations: the account that was named takes over."""
    return TypedMessage(
        domain,
        "Acceptance",
        {"orgId": org_id, "account": account, "operationId": operation_id, "deadline": deadline},
    )


def write_objection(
    domain: MessageDomain,
    org_id: OrgId,
    successor: bytes,
    *,
    account: bytes,
    operation_id: bytes,
    deadline: int,
) -> TypedMessage:
    """Organisations: the controller objects to being recovered to `successor`."""
    return TypedMessage(
        domain,
        "Objection",
        {
            "orgId": org_id,
            "successor": successor,
            "account": account,
            "operationId": operation_id,
            "deadline": deadline,
        },
    )


def write_application(
    domain: MessageDomain,
    programme_id: ProgrammeId,
    admission: Admission,
    *,
    account: bytes,
    application_id: bytes,
    deadline: int,
) -> TypedMessage:
    """Memberships: an applicant agrees to be admitted into a tier, by this evidence.

    When the membership ends is the registrar's to say, and not in the message.
    """
    return TypedMessage(
        domain,
        "Application",
        {
            "programmeId": programme_id,
            "orgId": admission.org_id,
            "tier": admission.tier,
            "evidence": admission.evidence,
            "account": account,
            "applicationId": application_id,
            "deadline": deadline,
        },
    )


def write_award_batch(
    domain: MessageDomain,
    programme_id: ProgrammeId,
    awards: Sequence[Award],
    *,
    account: bytes,
    operation_id: bytes,
    deadline: int,
) -> TypedMessage:
    """Credits: an issuer awards credits; the categories are text, as people know them."""
    return TypedMessage(
        domain,
        "AwardBatch",
        {
            "programmeId": programme_id,
            "awards": [
                {
                    "orgId": award.org_id,
                    "amount": award.amount,
                    "category": award.category,
                    "evidence": award.evidence,
                }
                for award in awards
            ],
            "account": account,
            "operationId": operation_id,
            "deadline": deadline,
        },
    )


def write_redemption(
    domain: MessageDomain,
    programme_id: ProgrammeId,
    redemption: Redemption,
    price: int,
    *,
    account: bytes,
    operation_id: bytes,
    deadline: int,
) -> TypedMessage:
    """Benefits: a member redeems credits; the message says how many, at the listing's price."""
    return TypedMessage(
        domain,
        "Redemption",
        {
            "programmeId": programme_id,
            "listingId": redemption.listing_id,
            "orgId": redemption.org_id,
            "quantity": redemption.quantity,
            "credits": price * redemption.quantity,
            "account": account,
            "operationId": operation_id,
            "deadline": deadline,
        },
    )


def write_claim(
    domain: MessageDomain,
    programme_id: ProgrammeId,
    distribution_id: DistributionId,
    org_id: OrgId,
    amount: int,
    *,
    account: bytes,
    operation_id: bytes,
    deadline: int,
) -> TypedMessage:
    """Shares: a member claims its share of a distribution."""
    return TypedMessage(
        domain,
        "Claim",
        {
            "programmeId": programme_id,
            "distributionId": distribution_id,
            "orgId": org_id,
            "amount": amount,
            "account": account,
            "operationId": operation_id,
            "deadline": deadline,
        },
    )


def write_approval(
    domain: MessageDomain,
    programme_id: ProgrammeId,
    proposal_id: ProposalId,
    calls_hash: bytes,
    *,
    account: bytes,
    operation_id: bytes,
    deadline: int,
) -> TypedMessage:
    """Council: a councillor approves the calls that hash to `calls_hash`."""
    return TypedMessage(
        domain,
        "Approval",
        {
            "programmeId": programme_id,
            "proposalId": proposal_id,
            "callsHash": calls_hash,
            "account": account,
            "operationId": operation_id,
            "deadline": deadline,
        },
    )


def write_cancellation(
    domain: MessageDomain, *, account: bytes, operation_id: bytes, deadline: int
) -> TypedMessage:
    """Any contract that takes messages: the signer's message of this operation is worth nothing."""
    return TypedMessage(
        domain,
        "Cancellation",
        {"account": account, "operationId": operation_id, "deadline": deadline},
    )
