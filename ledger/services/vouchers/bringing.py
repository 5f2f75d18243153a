"""Bringing a voucher: the call that it stands for, sent by whoever pays for it, once.

The operation is the signer's own, so that whoever brings the same voucher again does nothing twice.
An applicant's consent is another matter: it is brought by the registrar, in an operation of its own
that says until when the membership holds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ledger.chain.contracts import (
    benefits,
    council,
    memberships,
    messages,
    organisations,
    shares,
)
from ledger.chain.contracts import credits as journal
from ledger.domain.commands import NO_REASON, Admission, Award
from ledger.domain.ids import DistributionId, ListingId, OrgId, ProgrammeId, ProposalId, TierId
from ledger.domain.messages import Consent
from ledger.domain.operations import derive_operation_id
from ledger.domain.shares import Share
from ledger.domain.sharing import Redemption
from ledger.errors import ContractRefused, InvalidValue, VoucherRefused
from ledger.outbox.records import Operation
from ledger.services.checks import check_time
from ledger.services.orders import Order
from ledger.services.vouchers.voucher import Voucher
from ledger.services.vouchers.words import describe_message

APPLICATION = "Application"


@dataclass(frozen=True, slots=True)
class Terms:
    """What a registrar adds to an applicant's consent: when the membership ends, and a reason."""

    expires_at: int
    reason: str = NO_REASON


def bring(
    order: Order, voucher: Voucher, terms: Terms | None = None, used: VoucherRefused | None = None
) -> Operation:
    """Bring a voucher to the chain.

    `used` is what the check found where the voucher counted already: if this outbox brought it, the
    known operation comes back, else that error is raised. Raises InvalidValue where `terms` are
    missing from a consent, or are given with anything else.
    """
    if (voucher.kind == APPLICATION) != (terms is not None):
        raise InvalidValue(
            field="expires",
            value="nothing" if terms is None else terms.expires_at,
            expected="given with an applicant's consent, and with nothing else",
        )
    summary = "Bring a signed message: " + describe_message(voucher.message)["en"][0]
    command = "bring-" + voucher.kind.lower()
    try:
        if terms is not None:
            check_time("expiry", terms.expires_at)
            admit = _encode_admission(voucher, terms)
            return order.place(voucher.contract, command, summary, admit)
        encode = _ENCODERS[voucher.kind]
        return order.under(outbox_id(voucher)).place(
            voucher.contract, command, summary, lambda _id: encode(voucher)
        )
    except ContractRefused as refusal:
        if used is not None:
            raise used from refusal
        raise


def _encode_admission(voucher: Voucher, terms: Terms) -> Callable[[bytes], bytes]:
    values = voucher.message.values
    admission = Admission(
        OrgId(values["orgId"]), TierId(values["tier"]), terms.expires_at, values["evidence"]
    )
    consent = Consent(voucher.operation_id, voucher.signed)
    programme_id = ProgrammeId(values["programmeId"])
    return lambda operation_id: memberships.encode_admit_by_consent(
        programme_id, [admission], [consent], terms.reason, operation_id
    )


def _awards(voucher: Voucher) -> bytes:
    values = voucher.message.values
    awards = [
        Award(row["orgId"], row["amount"], row["category"], row["evidence"])
        for row in values["awards"]
    ]
    programme_id = ProgrammeId(values["programmeId"])
    return journal.encode_award_by_signature(
        programme_id, awards, voucher.operation_id, voucher.signed
    )


def _redemption(voucher: Voucher) -> bytes:
    values = voucher.message.values
    redemption = Redemption(
        ListingId(values["listingId"]), OrgId(values["orgId"]), values["quantity"]
    )
    return benefits.encode_redeem_by_signature(redemption, voucher.operation_id, voucher.signed)


def _claim(voucher: Voucher) -> bytes:
    values = voucher.message.values
    return shares.encode_claim_by_signature(
        DistributionId(values["distributionId"]),
        Share(OrgId(values["orgId"]), values["amount"]),
        voucher.proof,
        voucher.operation_id,
        voucher.signed,
    )


def _approval(voucher: Voucher) -> bytes:
    values: Mapping[str, Any] = voucher.message.values
    return council.encode_approve_by_signature(
        ProposalId(values["proposalId"]), values["callsHash"], voucher.operation_id, voucher.signed
    )


def _rotation(voucher: Voucher) -> bytes:
    values = voucher.message.values
    return organisations.encode_nominate_by_signature(
        OrgId(values["orgId"]), values["successor"], voucher.operation_id, voucher.signed
    )


def _acceptance(voucher: Voucher) -> bytes:
    return organisations.encode_accept_control_by_signature(
        OrgId(voucher.message.values["orgId"]), voucher.operation_id, voucher.signed
    )


def _objection(voucher: Voucher) -> bytes:
    return organisations.encode_stop_recovery_by_signature(
        OrgId(voucher.message.values["orgId"]), voucher.operation_id, voucher.signed
    )


def _cancellation(voucher: Voucher) -> bytes:
    return messages.encode_cancel_message_by_signature(
        voucher.contract, voucher.operation_id, voucher.signed
    )


_ENCODERS: Mapping[str, Callable[[Voucher], bytes]] = MappingProxyType(
    {
        "AwardBatch": _awards,
        "Redemption": _redemption,
        "Claim": _claim,
        "Approval": _approval,
        "Rotation": _rotation,
        "Acceptance": _acceptance,
        "Objection": _objection,
        "Cancellation": _cancellation,
    }
)
"""The call that brings each message; an applicant's consent has its own."""


CANCELLATION = "Cancellation"


def cancel(order: Order, voucher: Voucher) -> Operation:
    """Make a voucher worthless, before it is brought. Signed by who signed it."""
    calldata = messages.encode_cancel_message(voucher.contract, voucher.operation_id)
    return order.under(_cancelling_id(voucher)).place(
        voucher.contract,
        "cancel-message",
        f"Take the signed {voucher.kind} of operation 0x{voucher.operation_id.hex()} back.",
        lambda _id: calldata,
    )


def outbox_id(voucher: Voucher) -> bytes:
    """By what this outbox knows the operation: the message's own, which a contract counts once."""
    return _cancelling_id(voucher) if voucher.kind == CANCELLATION else voucher.operation_id


def _cancelling_id(voucher: Voucher) -> bytes:
    """An id for taking a message back: the message's own is known as what would be done by it."""
    return derive_operation_id(
        "moonlake cancels a message",
        voucher.contract.encode("ascii"),
        voucher.message.account,
        voucher.operation_id,
    )
