"""Benefits: what credits buy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from ledger.chain.contracts.contract import encode_call
from ledger.chain.contracts.messages import MessageTaker, signed_row
from ledger.chain.rpc import BlockName
from ledger.domain.commands import NO_COMMITMENT
from ledger.domain.events import RedemptionStatus
from ledger.domain.ids import EntryId, ListingId, OrgId, ProgrammeId, RedemptionId
from ledger.domain.messages import SignedMessage
from ledger.domain.sharing import Listing, ListingState, Redemption, RedemptionState


def encode_list(listing: Listing, operation_id: bytes) -> bytes:
    """List a benefit. Council or treasurer."""
    row = {
        "programmeId": listing.programme_id,
        "price": listing.price,
        "capacity": listing.capacity,
        "perOrganisation": listing.per_organisation,
        "opensAt": listing.opens_at,
        "closesAt": listing.closes_at,
        "profile": listing.profile,
    }
    return encode_call("Benefits", "list", row, operation_id)


def encode_close(listing_id: ListingId, operation_id: bytes) -> bytes:
    """Close a listing for good. Council or treasurer."""
    return encode_call("Benefits", "close", listing_id, operation_id)


def encode_redeem(redemption: Redemption, operation_id: bytes) -> bytes:
    """Redeem units for an organisation in good standing. Its controller."""
    return encode_call(
        "Benefits",
        "redeem",
        redemption.listing_id,
        redemption.org_id,
        redemption.quantity,
        operation_id,
    )


def encode_redeem_by_signature(
    redemption: Redemption, operation_id: bytes, signed: SignedMessage
) -> bytes:
    """Redeem by the controller's message (`write_redemption`). Anybody brings it."""
    return encode_call(
        "Benefits",
        "redeemBySignature",
        redemption.listing_id,
        redemption.org_id,
        redemption.quantity,
        operation_id,
        signed_row(signed),
    )


def encode_fulfil(
    programme_id: ProgrammeId,
    redemption_ids: Sequence[RedemptionId],
    operation_id: bytes,
    *,
    evidence: bytes = NO_COMMITMENT,
) -> bytes:
    """Record that redemptions were fulfilled. Council or treasurer."""
    return encode_call(
        "Benefits", "fulfil", programme_id, list(redemption_ids), evidence, operation_id
    )


def encode_cancel(
    redemption_id: RedemptionId, operation_id: bytes, *, evidence: bytes = NO_COMMITMENT
) -> bytes:
    """Cancel a redemption and give its credits back. Council or treasurer."""
    return encode_call("Benefits", "cancel", redemption_id, evidence, operation_id)


@dataclass(frozen=True, slots=True)
class Benefits(MessageTaker):
    """Reads of Benefits."""

    NAME: ClassVar[str] = "Benefits"

    def listing_count(self, *, at: BlockName) -> int:
        """How many listings there are, of all programmes; their ids are 1 to this number."""
        return int(self.read("listingCount", at=at))

    def listing(self, listing_id: ListingId, *, at: BlockName) -> ListingState:
        """A listing as it is now. Raises ContractRefused (BenefitsListingUnknown)."""
        found = self.read("listing", listing_id, at=at)
        given = found["listing"]
        return ListingState(
            listing=Listing(
                programme_id=ProgrammeId(given["programmeId"]),
                price=given["price"],
                capacity=given["capacity"],
                per_organisation=given["perOrganisation"],
                opens_at=given["opensAt"],
                closes_at=given["closesAt"],
                profile=given["profile"],
            ),
            redeemed=found["redeemed"],
            closed=found["closed"],
        )

    def redemption_count(self, *, at: BlockName) -> int:
        """How many redemptions there are; their ids are 1 to this number."""
        return int(self.read("redemptionCount", at=at))

    def redemption(self, redemption_id: RedemptionId, *, at: BlockName) -> RedemptionState:
        """A redemption as it is now. Raises ContractRefused (BenefitsRedemptionUnknown)."""
        found = self.read("redemption", redemption_id, at=at)
        return RedemptionState(
            redemption=Redemption(
                ListingId(found["listingId"]), OrgId(found["orgId"]), found["quantity"]
            ),
            status=RedemptionStatus(found["status"]),
            entry_id=EntryId(found["entryId"]),
        )

    def redeemed_by(self, listing_id: ListingId, org_id: OrgId, *, at: BlockName) -> int:
        """Units that an organisation redeemed and that were not given back."""
        return int(self.read("redeemedBy", listing_id, org_id, at=at))
