// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {Commands} from "./Commands.sol";
import {Vm} from "./Vm.sol";

/// @title Commands on memberships, and how one is looked at
abstract contract Members is Commands {
    bytes32 internal constant OPERATION = keccak256("this operation");
    uint40 internal constant LAST_TIME = 253_402_300_799; // 9999-12-31T23:59:59Z

    /// @dev suspend, resume, revoke, decline: the commands on plain lists of organisations.
    function(uint16, uint32[] memory, bytes32, bytes32, bytes32) external[4] internal plain;
    bytes32[4] internal plainEvents = [
        IMemberships.MembershipSuspended.selector,
        IMemberships.MembershipResumed.selector,
        IMemberships.MembershipRevoked.selector,
        IMemberships.ApplicationDeclined.selector
    ];

    function setUp() public override {
        super.setUp();
        plain = [memberships.suspend, memberships.resume, memberships.revoke, memberships.decline];
    }

    function _admission(uint16 programmeId, uint32 orgId, uint8 tier, uint40 expiresAt)
        internal
        returns (bytes memory)
    {
        return abi.encodeCall(
            memberships.admit, (programmeId, _admissions(orgId, tier, expiresAt), REASON, _operation())
        );
    }

    function _renewal(uint16 programmeId, uint32 orgId, uint40 expiresAt) internal returns (bytes memory) {
        return abi.encodeCall(
            memberships.renew, (programmeId, _renewals(orgId, expiresAt), REASON, EVIDENCE, _operation())
        );
    }

    function _tierChange(uint16 programmeId, uint32 orgId, uint8 tier) internal returns (bytes memory) {
        return abi.encodeCall(
            memberships.changeTier, (programmeId, _tierChanges(orgId, tier), REASON, EVIDENCE, _operation())
        );
    }

    function _renews(uint32 orgId, uint40 expiresAt, bytes memory failure) internal {
        _send(address(memberships), registrar, _renewal(FIRST, orgId, expiresAt), failure);
    }

    function _changesTier(uint32 orgId, uint8 tier, bytes memory failure) internal {
        _send(address(memberships), registrar, _tierChange(FIRST, orgId, tier), failure);
    }

    function _plain(uint256 which, uint32 orgId, bytes memory failure) internal {
        bytes32 operationId = _operation();
        if (failure.length != 0) vm.expectRevert(failure);
        vm.prank(registrar);
        plain[which](FIRST, _one(orgId), REASON, EVIDENCE, operationId);
    }

    function _assertPlain(uint256 which, uint32 orgId) internal returns (Vm.Log[] memory) {
        bytes32 operationId = keccak256(abi.encode(which, orgId));
        _watch(address(memberships));
        bytes memory line =
            abi.encode(plainEvents[which], _number(1), FIRST, orgId, REASON, EVIDENCE, registrar, operationId);
        vm.prank(registrar);
        plain[which](FIRST, _one(orgId), REASON, EVIDENCE, operationId);
        return _assertLine(line);
    }

    function _plainLine(uint256 which, uint64 number, uint32 orgId) internal view returns (bytes memory) {
        return abi.encode(plainEvents[which], number, FIRST, orgId, REASON, EVIDENCE, registrar, OPERATION);
    }

    function _renewals(uint32 orgId, uint40 expiresAt)
        internal
        pure
        returns (IMemberships.Renewal[] memory renewals)
    {
        renewals = new IMemberships.Renewal[](1);
        renewals[0] = IMemberships.Renewal(orgId, expiresAt);
    }

    function _tierChanges(uint32 orgId, uint8 tier)
        internal
        pure
        returns (IMemberships.TierChange[] memory changes)
    {
        changes = new IMemberships.TierChange[](1);
        changes[0] = IMemberships.TierChange(orgId, tier);
    }

    function _assertMembership(
        uint32 orgId,
        IMemberships.Status status,
        uint8 tier,
        uint40 admittedAt,
        uint40 expiresAt
    ) internal view {
        IMemberships.Membership memory held = memberships.membership(FIRST, orgId);
        vm.assertEq(uint8(held.status), uint8(status), "status");
        vm.assertEq(held.tier, tier, "tier");
        vm.assertEq(held.admittedAt, admittedAt, "admitted at");
        vm.assertEq(held.expiresAt, expiresAt, "expires at");
    }

    function _assertTransfer(Vm.Log memory log, address from, address to, uint16 programmeId, uint32 orgId)
        internal
        pure
    {
        _assertEcho(log, abi.encode(IERC721.Transfer.selector, from, to, _tokenId(programmeId, orgId)), "");
    }

    function _assertUpdated(Vm.Log[] memory echoes, uint32 orgId) internal pure {
        vm.assertEq(echoes.length, 1, "echoes");
        _assertEcho(echoes[0], abi.encode(IERC4906.MetadataUpdate.selector), abi.encode(_tokenId(FIRST, orgId)));
    }

    function _tokenId(uint16 programmeId, uint32 orgId) internal pure returns (uint256) {
        return uint256(programmeId) * 2 ** 32 + orgId;
    }

    function _status(uint32 orgId, IMemberships.Status found, IMemberships.Status needed)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IMemberships.MembershipsStatus.selector, FIRST, orgId, found, needed);
    }

    function _tooEarly(uint32 orgId, uint40 given, uint40 earliest) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IMemberships.MembershipsExpiryTooEarly.selector, orgId, given, earliest);
    }

    function _tooLate(uint32 orgId, uint40 given) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IMemberships.MembershipsExpiryTooLate.selector, orgId, given, LAST_TIME);
    }
}
