// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "./interfaces/IAuthority.sol";
import {IBenefits} from "./interfaces/IBenefits.sol";
import {ICredits} from "./interfaces/ICredits.sol";
import {IMemberships} from "./interfaces/IMemberships.sol";
import {IOrganisations} from "./interfaces/IOrganisations.sol";
import {IProgrammes} from "./interfaces/IProgrammes.sol";
import {Roles} from "./Roles.sol";
import {SignedMessages} from "./SignedMessages.sol";
import {Times} from "./Times.sol";

/// @title What credits buy
contract Benefits is IBenefits, SignedMessages {
    /// @notice The most credits that a listing's whole capacity may cost: 2^53-1.
    uint64 public constant MAX_AMOUNT = 9_007_199_254_740_991;

    /// @notice The most redemptions fulfilled in one transaction. At worst, each of another listing, they
    /// take 2.8 million gas.
    uint256 public constant MAX_FULFILMENTS = 200;

    bytes32 private constant REDEMPTION = keccak256(
        "Redemption(uint16 programmeId,uint32 listingId,uint32 orgId,uint32 quantity,uint64 credits,"
        "address account,bytes32 operationId,uint256 deadline)"
    );

    IAuthority public immutable authority;
    IProgrammes public immutable programmes;
    IOrganisations public immutable organisations;
    IMemberships public immutable memberships;
    ICredits public immutable credits;

    /// @dev A listing in one slot. A price is below 2^53.
    struct Kept {
        uint16 programmeId;
        uint56 price;
        uint32 capacity;
        uint32 perOrganisation;
        uint40 opensAt;
        uint40 closesAt;
        uint32 redeemed;
        bool closed;
    }

    /// @dev What a member asks for.
    struct Order {
        uint32 listingId;
        uint32 orgId;
        uint32 quantity;
        bytes32 operationId;
    }

    uint32 private _listingCount;
    uint64 private _redemptionCount;
    mapping(uint32 listingId => Kept) private _listings;
    mapping(uint32 listingId => bytes32) private _profiles;
    mapping(uint64 redemptionId => Redemption) private _redemptions;
    mapping(uint32 listingId => mapping(uint32 orgId => uint32 quantity)) private _redeemedBy;

    constructor(
        IAuthority authority_,
        IProgrammes programmes_,
        IOrganisations organisations_,
        IMemberships memberships_,
        ICredits credits_
    ) SignedMessages("Moonlake Benefits") {
        authority = authority_;
        programmes = programmes_;
        organisations = organisations_;
        memberships = memberships_;
        credits = credits_;
    }

    /// @inheritdoc IBenefits
    function list(Listing calldata given, bytes32 operationId) external returns (uint32 listingId) {
        programmes.requireProgramme(given.programmeId);
        authority.requireEitherOfficer(Roles.TREASURER, Roles.COUNCIL, given.programmeId, msg.sender);
        Pen memory pen = _begin(msg.sender, operationId);
        _requireTerms(given);
        listingId = ++_listingCount;
        _listings[listingId] = Kept({
            programmeId: given.programmeId,
            price: uint56(given.price),
            capacity: given.capacity,
            perOrganisation: given.perOrganisation,
            opensAt: given.opensAt,
            closesAt: given.closesAt,
            redeemed: 0,
            closed: false
        });
        _profiles[listingId] = given.profile;
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(
                BenefitListed.selector,
                line,
                given.programmeId,
                listingId,
                given.price,
                given.capacity,
                given.perOrganisation,
                given.opensAt,
                given.closesAt,
                given.profile,
                msg.sender,
                operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit BenefitListed(
            line,
            given.programmeId,
            listingId,
            given.price,
            given.capacity,
            given.perOrganisation,
            given.opensAt,
            given.closesAt,
            given.profile,
            msg.sender,
            operationId,
            head
        );
        _end(pen);
    }

    /// @inheritdoc IBenefits
    function close(uint32 listingId, bytes32 operationId) external {
        Kept memory kept = _listing(listingId);
        authority.requireEitherOfficer(Roles.TREASURER, Roles.COUNCIL, kept.programmeId, msg.sender);
        Pen memory pen = _begin(msg.sender, operationId);
        if (kept.closed) revert BenefitsClosed(listingId);
        _listings[listingId].closed = true;
        uint64 line = _next(pen);
        bytes32 head = _write(
            pen,
            keccak256(
                abi.encode(BenefitClosed.selector, line, kept.programmeId, listingId, msg.sender, operationId)
            )
        );
        emit BenefitClosed(line, kept.programmeId, listingId, msg.sender, operationId, head);
        _end(pen);
    }

    /// @inheritdoc IBenefits
    function redeem(uint32 listingId, uint32 orgId, uint32 quantity, bytes32 operationId)
        external
        returns (uint64 redemptionId)
    {
        authority.requireRunning();
        Pen memory pen = _begin(msg.sender, operationId);
        Kept memory kept = _listing(listingId);
        return _redeem(pen, msg.sender, kept, Order(listingId, orgId, quantity, operationId));
    }

    /// @inheritdoc IBenefits
    function redeemBySignature(
        uint32 listingId,
        uint32 orgId,
        uint32 quantity,
        bytes32 operationId,
        Signed calldata signed
    ) external returns (uint64 redemptionId) {
        authority.requireRunning();
        address account = accountOf(signed.signer);
        Pen memory pen = _begin(account, operationId);
        Kept memory kept = _listing(listingId);
        // Over 2^64 where the quantity is over the capacity, which is refused below.
        uint256 amount = uint256(kept.price) * quantity;
        bytes32 message = keccak256(
            abi.encode(
                REDEMPTION,
                kept.programmeId,
                listingId,
                orgId,
                quantity,
                amount,
                account,
                operationId,
                signed.deadline
            )
        );
        _requireSigned(account, operationId, message, signed);
        return _redeem(pen, account, kept, Order(listingId, orgId, quantity, operationId));
    }

    /// @inheritdoc IBenefits
    function fulfil(uint16 programmeId, uint64[] calldata redemptionIds, bytes32 evidence, bytes32 operationId)
        external
    {
        programmes.requireProgramme(programmeId);
        authority.requireEitherOfficer(Roles.TREASURER, Roles.COUNCIL, programmeId, msg.sender);
        uint256 given = redemptionIds.length;
        if (given == 0 || given > MAX_FULFILMENTS) revert BenefitsBatchSize(given, MAX_FULFILMENTS);
        Pen memory pen = _begin(msg.sender, operationId);
        uint64 total = 0;
        for (uint256 i = 0; i < given; ++i) {
            total += _fulfil(pen, programmeId, redemptionIds[i], evidence, operationId);
        }
        _end(pen);
        credits.settle(programmeId, total);
    }

    /// @inheritdoc IBenefits
    function cancel(uint64 redemptionId, bytes32 evidence, bytes32 operationId) external {
        Redemption memory found = _redemption(redemptionId);
        Kept memory kept = _listings[found.listingId];
        authority.requireEitherOfficer(Roles.TREASURER, Roles.COUNCIL, kept.programmeId, msg.sender);
        Pen memory pen = _begin(msg.sender, operationId);
        if (found.status != RedemptionStatus.Open) {
            revert BenefitsRedemptionSettled(redemptionId, found.status);
        }
        _redemptions[redemptionId].status = RedemptionStatus.Cancelled;
        // No more is given back than was taken.
        _listings[found.listingId].redeemed = kept.redeemed - found.quantity;
        _redeemedBy[found.listingId][found.orgId] -= found.quantity;
        uint64 entryId = credits.refund(
            kept.programmeId,
            found.orgId,
            uint64(kept.price) * found.quantity,
            found.entryId,
            evidence,
            msg.sender,
            operationId
        );
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(
                RedemptionCancelled.selector,
                line,
                found.listingId,
                found.orgId,
                redemptionId,
                entryId,
                evidence,
                msg.sender,
                operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit RedemptionCancelled(
            line, found.listingId, found.orgId, redemptionId, entryId, evidence, msg.sender, operationId, head
        );
        _end(pen);
    }

    /// @inheritdoc IBenefits
    function listingCount() external view returns (uint32) {
        return _listingCount;
    }

    /// @inheritdoc IBenefits
    function listing(uint32 listingId) external view returns (ListingState memory) {
        Kept memory kept = _listing(listingId);
        Listing memory terms = Listing({
            programmeId: kept.programmeId,
            price: kept.price,
            capacity: kept.capacity,
            perOrganisation: kept.perOrganisation,
            opensAt: kept.opensAt,
            closesAt: kept.closesAt,
            profile: _profiles[listingId]
        });
        return ListingState(terms, kept.redeemed, kept.closed);
    }

    /// @inheritdoc IBenefits
    function redemptionCount() external view returns (uint64) {
        return _redemptionCount;
    }

    /// @inheritdoc IBenefits
    function redemption(uint64 redemptionId) external view returns (Redemption memory) {
        return _redemption(redemptionId);
    }

    /// @inheritdoc IBenefits
    function redeemedBy(uint32 listingId, uint32 orgId) external view returns (uint32) {
        return _redeemedBy[listingId][orgId];
    }

    /// @dev Redeems for an account that is known to ask for it. Credits calls nobody's code but the
    /// ledger's, so that what is written after it is not written too late.
    function _redeem(Pen memory pen, address account, Kept memory kept, Order memory order)
        private
        returns (uint64 redemptionId)
    {
        if (organisations.controllerOf(order.orgId) != account) {
            revert BenefitsNotController(account, order.orgId);
        }
        _take(kept, order);
        _requireGoodStanding(kept.programmeId, order.orgId);
        // At most MAX_AMOUNT, since the quantity is not over the capacity.
        uint64 amount = uint64(kept.price) * order.quantity;
        redemptionId = ++_redemptionCount;
        uint64 entryId = credits.redeem(kept.programmeId, order.orgId, amount, 0, account, order.operationId);
        _redemptions[redemptionId] =
            Redemption(order.listingId, order.orgId, order.quantity, RedemptionStatus.Open, entryId);
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(
                BenefitRedeemed.selector,
                line,
                order.listingId,
                order.orgId,
                redemptionId,
                order.quantity,
                amount,
                entryId,
                account,
                order.operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit BenefitRedeemed(
            line,
            order.listingId,
            order.orgId,
            redemptionId,
            order.quantity,
            amount,
            entryId,
            account,
            order.operationId,
            head
        );
        _end(pen);
    }

    /// @dev Takes the units from the listing's capacity and from the organisation's limit.
    function _take(Kept memory kept, Order memory order) private {
        if (kept.closed) revert BenefitsClosed(order.listingId);
        if (block.timestamp < kept.opensAt || block.timestamp >= kept.closesAt) {
            revert BenefitsNotOpen(order.listingId, kept.opensAt, kept.closesAt);
        }
        uint32 quantity = order.quantity;
        if (quantity == 0) revert BenefitsQuantityZero();
        uint32 left = kept.capacity - kept.redeemed;
        if (quantity > left) revert BenefitsOverCapacity(order.listingId, quantity, left);
        uint32 before = _redeemedBy[order.listingId][order.orgId];
        left = kept.perOrganisation - before;
        if (quantity > left) revert BenefitsOverLimit(order.listingId, order.orgId, quantity, left);
        _listings[order.listingId].redeemed = kept.redeemed + quantity;
        _redeemedBy[order.listingId][order.orgId] = before + quantity;
    }

    /// @dev Records one fulfilment. Gives the credits that can no longer be refunded.
    function _fulfil(
        Pen memory pen,
        uint16 programmeId,
        uint64 redemptionId,
        bytes32 evidence,
        bytes32 operationId
    ) private returns (uint64 amount) {
        Redemption memory found = _redemption(redemptionId);
        Kept memory kept = _listings[found.listingId];
        if (kept.programmeId != programmeId) {
            revert BenefitsRedemptionOfOtherProgramme(redemptionId, kept.programmeId, programmeId);
        }
        if (found.status != RedemptionStatus.Open) {
            revert BenefitsRedemptionSettled(redemptionId, found.status);
        }
        _redemptions[redemptionId].status = RedemptionStatus.Fulfilled;
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(
                RedemptionFulfilled.selector,
                line,
                found.listingId,
                found.orgId,
                redemptionId,
                evidence,
                msg.sender,
                operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit RedemptionFulfilled(
            line, found.listingId, found.orgId, redemptionId, evidence, msg.sender, operationId, head
        );
        return uint64(kept.price) * found.quantity;
    }

    function _listing(uint32 listingId) private view returns (Kept memory kept) {
        kept = _listings[listingId];
        if (kept.programmeId == 0) revert BenefitsListingUnknown(listingId);
    }

    function _redemption(uint64 redemptionId) private view returns (Redemption memory found) {
        found = _redemptions[redemptionId];
        if (found.status == RedemptionStatus.None) revert BenefitsRedemptionUnknown(redemptionId);
    }

    function _requireGoodStanding(uint16 programmeId, uint32 orgId) private view {
        uint32[] memory orgIds = new uint32[](1);
        orgIds[0] = orgId;
        memberships.requireGoodStanding(programmeId, orgIds);
    }

    function _requireTerms(Listing calldata given) private view {
        // The quotient is rounded down: the product is over the most just where the price is over it.
        bool usable = given.price != 0 && given.perOrganisation != 0 && given.perOrganisation <= given.capacity
            && given.price <= MAX_AMOUNT / given.capacity;
        if (!usable) revert BenefitsTermsUnusable(given.price, given.capacity, given.perOrganisation);
        bool open =
            given.opensAt < given.closesAt && given.closesAt > block.timestamp && given.closesAt <= Times.LAST;
        if (!open) revert BenefitsWindowUnusable(given.opensAt, given.closesAt);
    }
}
