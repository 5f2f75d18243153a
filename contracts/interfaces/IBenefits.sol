// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignedMessages} from "./ISignedMessages.sol";

/// @title What credits buy
/// @notice A programme lists benefits; a member redeems credits for units of one; the programme
/// fulfils the redemption, or cancels it and gives the credits back. Each redemption and refund is
/// an entry in `Credits`. Listings and redemptions are numbered from 1 over all programmes.
///
/// A member needs good standing to redeem, and nothing after: an open redemption is fulfilled or
/// cancelled whatever became of the member, its controller or the listing.
///
/// An entry in `Credits` has the operation id and the actor of the command here that caused it, and is
/// counted there as that actor's operation: an id that it used in Credits before is refused.
interface IBenefits is ISignedMessages {
    enum RedemptionStatus {
        None,
        Open,
        Fulfilled,
        Cancelled
    }

    /// @param price credits a unit, more than zero
    /// @param capacity the most units in all
    /// @param perOrganisation the most units for one organisation
    /// @param opensAt,closesAt it can be redeemed from the first second to before the other
    /// @param profile commitment to its title and description
    struct Listing {
        uint16 programmeId;
        uint64 price;
        uint32 capacity;
        uint32 perOrganisation;
        uint40 opensAt;
        uint40 closesAt;
        bytes32 profile;
    }

    /// @param redeemed units redeemed and not given back
    struct ListingState {
        Listing listing;
        uint32 redeemed;
        bool closed;
    }

    /// @param entryId the redemption's entry in Credits
    struct Redemption {
        uint32 listingId;
        uint32 orgId;
        uint32 quantity;
        RedemptionStatus status;
        uint64 entryId;
    }

    event BenefitListed(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint32 indexed listingId,
        uint64 price,
        uint32 capacity,
        uint32 perOrganisation,
        uint40 opensAt,
        uint40 closesAt,
        bytes32 profile,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice No more redemptions of it. What is open can still be fulfilled or cancelled.
    event BenefitClosed(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint32 indexed listingId,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @param amount credits, price times quantity
    /// @param entryId the entry in Credits
    event BenefitRedeemed(
        uint64 indexed sequence,
        uint32 indexed listingId,
        uint32 indexed orgId,
        uint64 redemptionId,
        uint32 quantity,
        uint64 amount,
        uint64 entryId,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    event RedemptionFulfilled(
        uint64 indexed sequence,
        uint32 indexed listingId,
        uint32 indexed orgId,
        uint64 redemptionId,
        bytes32 evidence,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @param entryId the refund's entry in Credits
    event RedemptionCancelled(
        uint64 indexed sequence,
        uint32 indexed listingId,
        uint32 indexed orgId,
        uint64 redemptionId,
        uint64 entryId,
        bytes32 evidence,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    error BenefitsListingUnknown(uint32 listingId);
    /// @notice Price, capacity and limit are more than zero, the limit not over the capacity, and price
    /// times capacity not over 2^53-1.
    error BenefitsTermsUnusable(uint64 price, uint32 capacity, uint32 perOrganisation);
    /// @notice It closes after it opens, in the future, and before the year 10000.
    error BenefitsWindowUnusable(uint40 opensAt, uint40 closesAt);
    /// @notice The listing was closed.
    error BenefitsClosed(uint32 listingId);
    /// @notice Its window is not now.
    error BenefitsNotOpen(uint32 listingId, uint40 opensAt, uint40 closesAt);
    error BenefitsQuantityZero();
    error BenefitsOverCapacity(uint32 listingId, uint32 asked, uint32 left);
    error BenefitsOverLimit(uint32 listingId, uint32 orgId, uint32 asked, uint32 left);
    /// @notice The account does not act for the organisation.
    error BenefitsNotController(address account, uint32 orgId);
    error BenefitsRedemptionUnknown(uint64 redemptionId);
    /// @notice It was fulfilled or cancelled.
    error BenefitsRedemptionSettled(uint64 redemptionId, RedemptionStatus status);
    error BenefitsRedemptionOfOtherProgramme(uint64 redemptionId, uint16 found, uint16 expected);
    error BenefitsBatchSize(uint256 given, uint256 most);

    /// @notice Lists a benefit. Council or treasurer of the programme.
    function list(Listing calldata listing, bytes32 operationId) external returns (uint32 listingId);

    /// @notice Closes a listing for good. Council or treasurer.
    function close(uint32 listingId, bytes32 operationId) external;

    /// @notice Redeems units for an organisation in good standing. Its controller.
    function redeem(uint32 listingId, uint32 orgId, uint32 quantity, bytes32 operationId)
        external
        returns (uint64 redemptionId);

    /// @notice Redeems by the controller's signed message:
    /// `Redemption(uint16 programmeId,uint32 listingId,uint32 orgId,uint32 quantity,uint64 credits,address account,bytes32 operationId,uint256 deadline)`,
    /// where `credits` is price times quantity.
    function redeemBySignature(
        uint32 listingId,
        uint32 orgId,
        uint32 quantity,
        bytes32 operationId,
        Signed calldata signed
    ) external returns (uint64 redemptionId);

    /// @notice Records that redemptions of a programme were fulfilled, at most MAX_FULFILMENTS. Council or
    /// treasurer of the programme.
    function fulfil(uint16 programmeId, uint64[] calldata redemptionIds, bytes32 evidence, bytes32 operationId)
        external;

    /// @notice Cancels a redemption and gives the credits back. Council or treasurer of its programme.
    function cancel(uint64 redemptionId, bytes32 evidence, bytes32 operationId) external;

    function listingCount() external view returns (uint32);

    /// @notice Reverts with BenefitsListingUnknown.
    function listing(uint32 listingId) external view returns (ListingState memory);

    function redemptionCount() external view returns (uint64);

    /// @notice Reverts with BenefitsRedemptionUnknown.
    function redemption(uint64 redemptionId) external view returns (Redemption memory);

    /// @notice Units that an organisation redeemed and that were not given back.
    function redeemedBy(uint32 listingId, uint32 orgId) external view returns (uint32);
}
