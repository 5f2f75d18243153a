// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBenefits} from "../../contracts/interfaces/IBenefits.sol";
import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {Commands} from "./Commands.sol";

/// @title A listed benefit, its window open, and members with credits to redeem
/// @notice Organisations 1 to 4 have 500 credits each in the first programme, and 1 and 2 in the second.
abstract contract Shelf is Commands {
    bytes32 internal constant OPERATION = keccak256("this operation");
    bytes32 internal constant PROFILE = keccak256("benefit");
    uint64 internal constant PRICE = 30;
    uint32 internal constant CAPACITY = 10;
    uint32 internal constant LIMIT = 4;
    uint40 internal constant OPENS = NOW + 1 days;
    uint40 internal constant CLOSES = NOW + 8 days;
    uint40 internal constant LAST_TIME = 253_402_300_799; // 9999-12-31T23:59:59Z
    uint64 internal constant WEALTH = 500;
    uint64 internal constant MOST = 2 ** 53 - 1;

    address internal immutable treasurer = _account("treasurer");

    /// @dev The first programme's benefit.
    uint32 internal listed;

    function setUp() public virtual override {
        super.setUp();
        _appoint(TREASURER_ROLE, FIRST, treasurer);
        for (uint32 orgId = 1; orgId <= 4; ++orgId) {
            _award(FIRST, orgId, WEALTH);
            if (orgId <= 2) _award(SECOND, orgId, WEALTH);
        }
        listed = _list(_terms());
        vm.warp(OPENS);
    }

    function _terms() internal pure returns (IBenefits.Listing memory) {
        return IBenefits.Listing(FIRST, PRICE, CAPACITY, LIMIT, OPENS, CLOSES, PROFILE);
    }

    function _termsOf(uint16 programmeId, uint64 price, uint32 capacity, uint32 limit)
        internal
        pure
        returns (IBenefits.Listing memory)
    {
        return IBenefits.Listing(programmeId, price, capacity, limit, OPENS, CLOSES, PROFILE);
    }

    function _list(IBenefits.Listing memory terms) internal returns (uint32) {
        bytes32 operationId = _operation();
        vm.prank(council);
        return benefits.list(terms, operationId);
    }

    function _close(uint32 listingId) internal {
        bytes32 operationId = _operation();
        vm.prank(council);
        benefits.close(listingId, operationId);
    }

    /// @dev Redeems as the organisation's first controller.
    function _redeem(uint32 listingId, uint32 orgId, uint32 quantity) internal returns (uint64) {
        bytes32 operationId = _operation();
        vm.prank(_controller(orgId));
        return benefits.redeem(listingId, orgId, quantity, operationId);
    }

    function _redeem(uint32 orgId, uint32 quantity) internal returns (uint64) {
        return _redeem(listed, orgId, quantity);
    }

    function _fulfil(uint64 redemptionId) internal {
        bytes32 operationId = _operation();
        vm.prank(council);
        benefits.fulfil(FIRST, _ids(redemptionId), EVIDENCE, operationId);
    }

    function _cancel(uint64 redemptionId) internal {
        bytes32 operationId = _operation();
        vm.prank(council);
        benefits.cancel(redemptionId, EVIDENCE, operationId);
    }

    /// @dev A redemption by the organisation's first controller that must fail so.
    function _refused(uint32 listingId, uint32 orgId, uint32 quantity, bytes memory failure) internal {
        _refusedTo(_controller(orgId), listingId, orgId, quantity, failure);
    }

    function _refusedTo(address sender, uint32 listingId, uint32 orgId, uint32 quantity, bytes memory failure)
        internal
    {
        bytes memory data = abi.encodeCall(benefits.redeem, (listingId, orgId, quantity, _operation()));
        _send(address(benefits), sender, data, failure);
    }

    function _award(uint16 programmeId, uint32 orgId, uint64 amount) internal {
        bytes32 operationId = _operation();
        vm.prank(council);
        credits.award(programmeId, _awards(orgId, amount), operationId);
    }

    function _cap(uint64 cap) internal {
        bytes32 operationId = _operation();
        vm.prank(council);
        programmes.changeSupplyCap(FIRST, cap, operationId);
    }

    function _suspend(uint32 orgId) internal {
        bytes32 operationId = _operation();
        vm.prank(registrar);
        memberships.suspend(FIRST, _one(orgId), REASON, EVIDENCE, operationId);
    }

    function _revoke(uint16 programmeId, uint32 orgId) internal {
        bytes32 operationId = _operation();
        vm.prank(registrar);
        memberships.revoke(programmeId, _one(orgId), REASON, EVIDENCE, operationId);
    }

    /// @dev Retires an organisation that is a member of the first programme only.
    function _retire(uint32 orgId, uint32 successorId) internal {
        if (memberships.membershipsOf(orgId) != 0) _revoke(FIRST, orgId);
        bytes32 operationId = _operation();
        vm.prank(council);
        organisations.retire(orgId, successorId, EVIDENCE, operationId);
    }

    /// @dev Gives an organisation to another account, by rotation.
    function _rotate(uint32 orgId, address successor) internal {
        address controller = organisations.controllerOf(orgId);
        bytes32 operationId = _operation();
        vm.prank(controller);
        organisations.nominate(orgId, successor, operationId);
        operationId = _operation();
        vm.prank(successor);
        organisations.acceptControl(orgId, operationId);
    }

    function _assertUnits(uint32 orgId, uint32 byOrganisation, uint32 inAll) internal view {
        vm.assertEq(benefits.redeemedBy(listed, orgId), byOrganisation, "redeemed by the organisation");
        vm.assertEq(benefits.listing(listed).redeemed, inAll, "redeemed in all");
    }

    function _assertRedemption(uint64 redemptionId, IBenefits.Redemption memory expected) internal view {
        bytes memory found = abi.encode(benefits.redemption(redemptionId));
        vm.assertEq(found, abi.encode(expected), "redemption");
    }

    function _ids(uint64 id) internal pure returns (uint64[] memory ids) {
        ids = new uint64[](1);
        ids[0] = id;
    }

    function _settled(uint64 redemptionId, IBenefits.RedemptionStatus status)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IBenefits.BenefitsRedemptionSettled.selector, redemptionId, status);
    }

    function _unknownListing(uint32 listingId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IBenefits.BenefitsListingUnknown.selector, listingId);
    }

    function _unknownRedemption(uint64 redemptionId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IBenefits.BenefitsRedemptionUnknown.selector, redemptionId);
    }

    function _notController(address account, uint32 orgId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IBenefits.BenefitsNotController.selector, account, orgId);
    }

    function _overCapacity(uint32 listingId, uint32 asked, uint32 left) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IBenefits.BenefitsOverCapacity.selector, listingId, asked, left);
    }

    function _overLimit(uint32 listingId, uint32 orgId, uint32 asked, uint32 left)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IBenefits.BenefitsOverLimit.selector, listingId, orgId, asked, left);
    }

    function _tooFew(uint32 orgId, uint64 asked, int64 balance) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ICredits.CreditsBalanceTooLow.selector, orgId, asked, balance);
    }
}
