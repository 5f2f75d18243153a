// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {IERC5192} from "../../contracts/interfaces/IERC5192.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {IProgrammes} from "../../contracts/interfaces/IProgrammes.sol";
import {Keys} from "../../contracts/Keys.sol";
import {Commands} from "./Commands.sol";
import {Vm} from "./Vm.sol";

/// @title The life of a membership. Its token is in MembershipsToken.t.sol
contract MembershipsTest is Commands {
    bytes32 private constant OPERATION = keccak256("this operation");
    uint40 private constant LAST_TIME = 253_402_300_799; // 9999-12-31T23:59:59Z

    /// @dev suspend, resume, revoke, decline: the commands on plain lists of organisations.
    function(uint16, uint32[] memory, bytes32, bytes32, bytes32) external[4] private plain;
    bytes32[4] private plainEvents = [
        IMemberships.MembershipSuspended.selector,
        IMemberships.MembershipResumed.selector,
        IMemberships.MembershipRevoked.selector,
        IMemberships.ApplicationDeclined.selector
    ];

    function setUp() public override {
        super.setUp();
        plain = [memberships.suspend, memberships.resume, memberships.revoke, memberships.decline];
    }

    // --- every command

    function test_every_command__by_officers__obeys_the_rules_of_commands() public {
        _assertRules(_writeAdmit);
        _assertRules(_writeRenew);
        _assertRules(_writeTier);
        _assertRules(_writeSuspend);
        _assertRules(_writeRevoke);
        _assertRules(_writeDecline);
        _plain(0, 3, "");
        _assertRules(_writeResume);
    }

    function test_every_command__unknown_programme__is_refused() public {
        uint16[2] memory unknown = [uint16(0), 3];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory failure = abi.encodeWithSelector(IProgrammes.ProgrammesUnknown.selector, unknown[i]);
            _send(address(memberships), registrar, _admission(unknown[i], 5, FULL, EXPIRY), failure);
            _send(address(memberships), registrar, _renewal(unknown[i], 1, EXPIRY + 1), failure);
            _send(address(memberships), registrar, _tierChange(unknown[i], 1, OBSERVER), failure);
            for (uint256 j = 0; j < 4; ++j) {
                vm.expectRevert(failure);
                vm.prank(registrar);
                plain[j](unknown[i], _one(1), REASON, EVIDENCE, OPERATION);
            }
        }
    }

    function test_every_command__none_or_too_many__is_refused() public {
        uint256 most = memberships.MAX_CHANGES();
        uint256[2] memory sizes = [0, most + 1];
        for (uint256 i = 0; i < 2; ++i) {
            uint256 size = sizes[i];
            bytes memory failure = abi.encodeWithSelector(IMemberships.MembershipsBatchSize.selector, size, most);
            IMemberships.Admission[] memory admissions = new IMemberships.Admission[](size);
            IMemberships.Renewal[] memory renewals = new IMemberships.Renewal[](size);
            IMemberships.TierChange[] memory changes = new IMemberships.TierChange[](size);
            _send(
                address(memberships),
                registrar,
                abi.encodeCall(memberships.admit, (FIRST, admissions, REASON, OPERATION)),
                failure
            );
            _send(
                address(memberships),
                registrar,
                abi.encodeCall(memberships.renew, (FIRST, renewals, REASON, EVIDENCE, OPERATION)),
                failure
            );
            _send(
                address(memberships),
                registrar,
                abi.encodeCall(memberships.changeTier, (FIRST, changes, REASON, EVIDENCE, OPERATION)),
                failure
            );
            for (uint256 j = 0; j < 4; ++j) {
                vm.expectRevert(failure);
                vm.prank(registrar);
                plain[j](FIRST, new uint32[](size), REASON, EVIDENCE, OPERATION);
            }
        }
    }

    function test_every_command__the_most_at_once__is_done() public {
        uint32 most = uint32(memberships.MAX_CHANGES());
        for (uint256 i = 0; i < most; i += 100) {
            _register(100);
        }
        IMemberships.Admission[] memory admissions = new IMemberships.Admission[](most);
        IMemberships.Renewal[] memory renewals = new IMemberships.Renewal[](most);
        IMemberships.TierChange[] memory changes = new IMemberships.TierChange[](most);
        uint32[] memory orgIds = new uint32[](most);
        for (uint32 i = 0; i < most; ++i) {
            orgIds[i] = 7 + i;
            admissions[i] = IMemberships.Admission(7 + i, FULL, EXPIRY, EVIDENCE);
            renewals[i] = IMemberships.Renewal(7 + i, EXPIRY + 1);
            changes[i] = IMemberships.TierChange(7 + i, OBSERVER);
        }
        uint64 before = memberships.sequence();
        bytes32[6] memory ids =
            [_operation(), _operation(), _operation(), _operation(), _operation(), _operation()];
        vm.prank(registrar);
        plain[3](FIRST, orgIds, REASON, EVIDENCE, ids[5]);
        vm.prank(registrar);
        memberships.admit(FIRST, admissions, REASON, ids[0]);
        vm.prank(registrar);
        memberships.renew(FIRST, renewals, REASON, EVIDENCE, ids[1]);
        vm.prank(registrar);
        memberships.changeTier(FIRST, changes, REASON, EVIDENCE, ids[2]);
        for (uint256 j = 0; j < 3; ++j) {
            bytes32 id = _operation();
            vm.prank(registrar);
            plain[j](FIRST, orgIds, REASON, EVIDENCE, id);
        }
        vm.assertEq(memberships.sequence(), before + 7 * most, "lines");
    }

    function test_every_command__malformed_reason__is_refused() public {
        bytes memory failure = abi.encodeWithSelector(Keys.KeysMalformed.selector, bytes32("Because"));
        vm.expectRevert(failure);
        vm.prank(registrar);
        memberships.admit(FIRST, _admissions(5, FULL, EXPIRY), "Because", OPERATION);
        for (uint256 j = 0; j < 4; ++j) {
            vm.expectRevert(failure);
            vm.prank(registrar);
            plain[j](FIRST, _one(1), "Because", EVIDENCE, OPERATION);
        }
    }

    function test_every_command__no_reason_and_no_evidence__is_done() public {
        vm.prank(registrar);
        memberships.suspend(FIRST, _one(1), 0, 0, OPERATION);
        vm.assertFalse(memberships.inGoodStanding(FIRST, 1), "suspended");
    }

    // --- admit

    function test_admit__several__are_active_and_hold_tokens() public {
        IMemberships.Admission[] memory given = new IMemberships.Admission[](2);
        given[0] = IMemberships.Admission(5, FULL, NOW + 1, "evidence of 5");
        given[1] = IMemberships.Admission(6, OBSERVER, LAST_TIME, 0);
        bytes[] memory lines = new bytes[](2);
        _watch(address(memberships));
        for (uint32 i = 0; i < 2; ++i) {
            lines[i] = bytes.concat(
                abi.encode(IMemberships.MembershipAdmitted.selector, _number(i + 1), FIRST, given[i].orgId),
                abi.encode(given[i].tier, given[i].expiresAt, REASON, given[i].evidence, registrar, OPERATION)
            );
        }
        vm.prank(registrar);
        memberships.admit(FIRST, given, REASON, OPERATION);
        Vm.Log[] memory echoes = _assertLines(lines);
        vm.assertEq(echoes.length, 4, "echoes");
        for (uint32 i = 0; i < 2; ++i) {
            _assertTransfer(echoes[2 * i], address(0), _controller(5 + i), FIRST, 5 + i);
            _assertEcho(
                echoes[2 * i + 1], abi.encode(IERC5192.Locked.selector), abi.encode(_tokenId(FIRST, 5 + i))
            );
            _assertMembership(5 + i, IMemberships.Status.Active, given[i].tier, NOW, given[i].expiresAt);
        }
        vm.assertEq(uint8(memberships.membership(SECOND, 5).status), 0, "in the other programme");
    }

    function test_admit__unknown_organisation__is_refused() public {
        uint32[2] memory unknown = [uint32(0), 7];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory failure = abi.encodeWithSelector(IOrganisations.OrganisationsUnknown.selector, unknown[i]);
            _send(address(memberships), registrar, _admission(FIRST, unknown[i], FULL, EXPIRY), failure);
        }
    }

    function test_admit__member_already__is_refused() public {
        bytes memory failure = abi.encodeWithSelector(IMemberships.MembershipsAlreadyMember.selector, FIRST, 3);
        _send(address(memberships), registrar, _admission(FIRST, 3, FULL, EXPIRY), failure);
        _plain(0, 3, "");
        _send(address(memberships), registrar, _admission(FIRST, 3, FULL, EXPIRY), failure);
        vm.warp(EXPIRY); // lapsed is a member too
        _send(address(memberships), registrar, _admission(FIRST, 3, FULL, EXPIRY + 10), failure);
    }

    function test_admit__twice_in_one_batch__is_refused() public {
        IMemberships.Admission[] memory twice = new IMemberships.Admission[](2);
        twice[0] = twice[1] = IMemberships.Admission(5, FULL, EXPIRY, EVIDENCE);
        vm.expectRevert(abi.encodeWithSelector(IMemberships.MembershipsAlreadyMember.selector, FIRST, 5));
        vm.prank(registrar);
        memberships.admit(FIRST, twice, REASON, OPERATION);
        vm.assertEq(uint8(memberships.membership(FIRST, 5).status), 0, "none is admitted");
    }

    function test_admit__unknown_or_closed_tier__is_refused() public {
        bytes memory failure = abi.encodeWithSelector(IProgrammes.ProgrammesTierUnknown.selector, FIRST, 3);
        _send(address(memberships), registrar, _admission(FIRST, 5, 3, EXPIRY), failure);
        vm.prank(council);
        programmes.setTierOpen(FIRST, FULL, false, OPERATION);
        failure = abi.encodeWithSelector(IProgrammes.ProgrammesTierClosed.selector, FIRST, FULL);
        _send(address(memberships), registrar, _admission(FIRST, 5, FULL, EXPIRY), failure);
        _send(address(memberships), registrar, _admission(FIRST, 5, OBSERVER, EXPIRY), "");
    }

    function test_admit__expiry_not_in_the_future_or_out_of_calendars__is_refused() public {
        _send(address(memberships), registrar, _admission(FIRST, 5, FULL, NOW), _tooEarly(5, NOW, NOW + 1));
        _send(address(memberships), registrar, _admission(FIRST, 5, FULL, 0), _tooEarly(5, 0, NOW + 1));
        _send(
            address(memberships), registrar, _admission(FIRST, 5, FULL, LAST_TIME + 1), _tooLate(5, LAST_TIME + 1)
        );
        _send(
            address(memberships),
            registrar,
            _admission(FIRST, 5, FULL, type(uint40).max),
            _tooLate(5, type(uint40).max)
        );
        _send(address(memberships), registrar, _admission(FIRST, 5, FULL, NOW + 1), "");
    }

    function test_admit__after_a_revocation__begins_anew() public {
        _plain(2, 3, "");
        vm.warp(NOW + 100);
        _watch(address(memberships));
        vm.prank(registrar);
        memberships.admit(FIRST, _admissions(3, OBSERVER, NOW + 200), REASON, OPERATION);
        Vm.Log[] memory echoes = _assertLine(
            bytes.concat(
                abi.encode(IMemberships.MembershipAdmitted.selector, _number(1), FIRST, 3),
                abi.encode(OBSERVER, NOW + 200, REASON, EVIDENCE, registrar, OPERATION)
            )
        );
        _assertTransfer(echoes[0], address(0), _controller(3), FIRST, 3);
        _assertMembership(3, IMemberships.Status.Active, OBSERVER, NOW + 100, NOW + 200);
        vm.assertTrue(memberships.inGoodStanding(FIRST, 3), "standing");
    }

    // --- renew

    function test_renew__later__moves_the_expiry_only() public {
        _watch(address(memberships));
        vm.prank(registrar);
        memberships.renew(FIRST, _renewals(3, EXPIRY + 1), REASON, EVIDENCE, OPERATION);
        Vm.Log[] memory echoes = _assertLine(
            bytes.concat(
                abi.encode(IMemberships.MembershipRenewed.selector, _number(1), FIRST, 3, EXPIRY + 1),
                abi.encode(REASON, EVIDENCE, registrar, OPERATION)
            )
        );
        _assertUpdated(echoes, 3);
        _assertMembership(3, IMemberships.Status.Active, FULL, NOW, EXPIRY + 1);
    }

    function test_renew__not_later_or_out_of_calendars__is_refused() public {
        _renews(3, EXPIRY, _tooEarly(3, EXPIRY, EXPIRY + 1));
        _renews(3, NOW + 1, _tooEarly(3, NOW + 1, EXPIRY + 1));
        _renews(3, LAST_TIME + 1, _tooLate(3, LAST_TIME + 1));
        _renews(3, LAST_TIME, "");
        _renews(3, LAST_TIME, _tooEarly(3, LAST_TIME, LAST_TIME + 1));
    }

    function test_renew__lapsed__must_lie_in_the_future() public {
        vm.warp(EXPIRY + 50);
        vm.assertFalse(memberships.inGoodStanding(FIRST, 3), "lapsed");
        _renews(3, EXPIRY + 50, _tooEarly(3, EXPIRY + 50, EXPIRY + 51));
        _renews(3, EXPIRY + 51, "");
        vm.assertTrue(memberships.inGoodStanding(FIRST, 3), "in good standing again");
    }

    function test_renew__suspended__stays_suspended() public {
        _plain(0, 3, "");
        _renews(3, EXPIRY + 1, "");
        _assertMembership(3, IMemberships.Status.Suspended, FULL, NOW, EXPIRY + 1);
    }

    function test_renew__unknown_or_revoked__is_refused() public {
        _renews(5, EXPIRY + 1, abi.encodeWithSelector(IMemberships.MembershipsUnknown.selector, FIRST, 5));
        _plain(2, 3, "");
        _renews(3, EXPIRY + 1, abi.encodeWithSelector(IMemberships.MembershipsRevoked.selector, FIRST, 3));
    }

    // --- changeTier

    function test_changeTier__another__changes_the_tier_only() public {
        _watch(address(memberships));
        vm.prank(registrar);
        memberships.changeTier(FIRST, _tierChanges(3, OBSERVER), REASON, EVIDENCE, OPERATION);
        Vm.Log[] memory echoes = _assertLine(
            bytes.concat(
                abi.encode(IMemberships.MembershipTierChanged.selector, _number(1), FIRST, 3, OBSERVER),
                abi.encode(REASON, EVIDENCE, registrar, OPERATION)
            )
        );
        _assertUpdated(echoes, 3);
        _assertMembership(3, IMemberships.Status.Active, OBSERVER, NOW, EXPIRY);
    }

    function test_changeTier__same_unknown_or_closed__is_refused() public {
        _changesTier(
            3, FULL, abi.encodeWithSelector(IMemberships.MembershipsTierUnchanged.selector, FIRST, 3, FULL)
        );
        _changesTier(3, 9, abi.encodeWithSelector(IProgrammes.ProgrammesTierUnknown.selector, FIRST, 9));
        vm.prank(council);
        programmes.setTierOpen(FIRST, OBSERVER, false, OPERATION);
        _changesTier(
            3, OBSERVER, abi.encodeWithSelector(IProgrammes.ProgrammesTierClosed.selector, FIRST, OBSERVER)
        );
    }

    function test_changeTier__unknown_or_revoked__is_refused() public {
        _changesTier(5, OBSERVER, abi.encodeWithSelector(IMemberships.MembershipsUnknown.selector, FIRST, 5));
        _plain(2, 3, "");
        _changesTier(3, OBSERVER, abi.encodeWithSelector(IMemberships.MembershipsRevoked.selector, FIRST, 3));
    }

    function test_changeTier__suspended_or_lapsed__is_done() public {
        _plain(0, 3, "");
        _changesTier(3, OBSERVER, "");
        _assertMembership(3, IMemberships.Status.Suspended, OBSERVER, NOW, EXPIRY);
        vm.warp(EXPIRY);
        _changesTier(4, OBSERVER, "");
        _assertMembership(4, IMemberships.Status.Active, OBSERVER, NOW, EXPIRY);
    }

    // --- suspend, resume, revoke, decline

    function test_suspend_resume_revoke__in_turn__are_journaled_and_kept() public {
        IMemberships.Status[3] memory after_ =
            [IMemberships.Status.Suspended, IMemberships.Status.Active, IMemberships.Status.Revoked];
        for (uint256 j = 0; j < 3; ++j) {
            Vm.Log[] memory echoes = _assertPlain(j, 3);
            if (j < 2) {
                _assertUpdated(echoes, 3);
            } else {
                vm.assertEq(echoes.length, 1, "echoes");
                _assertTransfer(echoes[0], _controller(3), address(0), FIRST, 3);
            }
            _assertMembership(3, after_[j], FULL, NOW, EXPIRY);
        }
        vm.assertEq(uint8(memberships.membership(FIRST, 4).status), 1, "another's, as before");
    }

    function test_suspend__not_active__is_refused() public {
        _plain(0, 5, abi.encodeWithSelector(IMemberships.MembershipsUnknown.selector, FIRST, 5));
        _plain(0, 3, "");
        _plain(0, 3, _status(3, IMemberships.Status.Suspended, IMemberships.Status.Active));
        _plain(2, 3, "");
        _plain(0, 3, _status(3, IMemberships.Status.Revoked, IMemberships.Status.Active));
    }

    function test_suspend__lapsed__is_done() public {
        vm.warp(EXPIRY);
        _plain(0, 3, "");
        _plain(1, 3, "");
    }

    function test_resume__not_suspended__is_refused() public {
        _plain(1, 5, abi.encodeWithSelector(IMemberships.MembershipsUnknown.selector, FIRST, 5));
        _plain(1, 3, _status(3, IMemberships.Status.Active, IMemberships.Status.Suspended));
        _plain(2, 3, "");
        _plain(1, 3, _status(3, IMemberships.Status.Revoked, IMemberships.Status.Suspended));
    }

    function test_revoke__unknown_or_revoked__is_refused() public {
        _plain(2, 5, abi.encodeWithSelector(IMemberships.MembershipsUnknown.selector, FIRST, 5));
        _plain(0, 3, "");
        _plain(2, 3, "");
        _plain(2, 3, abi.encodeWithSelector(IMemberships.MembershipsRevoked.selector, FIRST, 3));
    }

    function test_decline__no_member__is_journaled_and_changes_no_standing() public {
        vm.assertEq(_assertPlain(3, 5).length, 0, "echoes");
        vm.assertEq(uint8(memberships.membership(FIRST, 5).status), 0, "never admitted");
        _plain(2, 3, "");
        vm.assertEq(_assertPlain(3, 3).length, 0, "echoes");
        vm.assertEq(uint8(memberships.membership(FIRST, 3).status), 3, "still revoked");
        _plain(3, 5, ""); // as often as it applies
    }

    function test_decline__member_or_unknown_organisation__is_refused() public {
        bytes memory failure = abi.encodeWithSelector(IMemberships.MembershipsAlreadyMember.selector, FIRST, 3);
        _plain(3, 3, failure);
        _plain(0, 3, "");
        _plain(3, 3, failure);
        _plain(3, 7, abi.encodeWithSelector(IOrganisations.OrganisationsUnknown.selector, 7));
    }

    function test_batches__one_of_many_refused__change_none() public {
        uint32[] memory orgIds = new uint32[](3);
        (orgIds[0], orgIds[1], orgIds[2]) = (1, 2, 5);
        bytes32 before = memberships.head();
        vm.expectRevert(abi.encodeWithSelector(IMemberships.MembershipsUnknown.selector, FIRST, 5));
        vm.prank(registrar);
        memberships.suspend(FIRST, orgIds, REASON, EVIDENCE, OPERATION);
        vm.assertTrue(memberships.inGoodStanding(FIRST, 1), "the first");
        vm.assertEq(memberships.head(), before, "head");
        vm.assertEq(memberships.operationSequence(OPERATION), 0, "operation");
        (orgIds[1], orgIds[2]) = (1, 2); // one of them twice
        vm.expectRevert(_status(1, IMemberships.Status.Suspended, IMemberships.Status.Active));
        vm.prank(registrar);
        memberships.suspend(FIRST, orgIds, REASON, EVIDENCE, OPERATION);
    }

    function test_batches__several__write_a_line_each_in_order() public {
        uint32[] memory orgIds = new uint32[](2);
        (orgIds[0], orgIds[1]) = (4, 2);
        bytes[] memory lines = new bytes[](2);
        _watch(address(memberships));
        for (uint256 i = 0; i < 2; ++i) {
            lines[i] = _plainLine(0, _number(uint64(i + 1)), orgIds[i]);
        }
        vm.prank(registrar);
        memberships.suspend(FIRST, orgIds, REASON, EVIDENCE, OPERATION);
        _assertLines(lines);
        vm.assertEq(memberships.operationSequence(OPERATION), _number(0) - 1, "the operation's first line");
    }

    // --- standing

    function test_standing__around_the_expiry__ends_at_the_second() public {
        uint32[] memory orgIds = new uint32[](2);
        (orgIds[0], orgIds[1]) = (1, 3);
        vm.warp(EXPIRY - 1);
        vm.assertTrue(memberships.inGoodStanding(FIRST, 3), "a second before");
        memberships.requireGoodStanding(FIRST, orgIds);
        vm.warp(EXPIRY);
        vm.assertFalse(memberships.inGoodStanding(FIRST, 3), "at the expiry");
        vm.expectRevert(abi.encodeWithSelector(IMemberships.MembershipsLapsed.selector, FIRST, 1, EXPIRY));
        memberships.requireGoodStanding(FIRST, orgIds);
    }

    function test_standing__suspended_revoked_or_unknown__says_so() public {
        uint32[] memory orgIds = new uint32[](2);
        (orgIds[0], orgIds[1]) = (1, 3);
        _plain(0, 3, "");
        vm.assertFalse(memberships.inGoodStanding(FIRST, 3), "suspended");
        vm.expectRevert(_status(3, IMemberships.Status.Suspended, IMemberships.Status.Active));
        memberships.requireGoodStanding(FIRST, orgIds);
        _plain(2, 3, "");
        vm.assertFalse(memberships.inGoodStanding(FIRST, 3), "revoked");
        vm.expectRevert(_status(3, IMemberships.Status.Revoked, IMemberships.Status.Active));
        memberships.requireGoodStanding(FIRST, orgIds);
        orgIds[1] = 5;
        vm.assertFalse(memberships.inGoodStanding(FIRST, 5), "never admitted");
        vm.expectRevert(abi.encodeWithSelector(IMemberships.MembershipsUnknown.selector, FIRST, 5));
        memberships.requireGoodStanding(FIRST, orgIds);
        vm.assertTrue(memberships.inGoodStanding(SECOND, 1), "in the other programme");
        memberships.requireGoodStanding(FIRST, new uint32[](0));
    }

    // --- what the tests above are made of

    function _assertRules(function(bytes32, address) returns (bytes memory) write) private {
        _assertCommand(Command(address(memberships), write, REGISTRAR_ROLE, COUNCIL_ROLE, FIRST));
    }

    function _writeAdmit(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(memberships.admit, (FIRST, _admissions(5, FULL, EXPIRY), REASON, operationId));
    }

    function _writeRenew(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(memberships.renew, (FIRST, _renewals(3, EXPIRY + 1), REASON, EVIDENCE, operationId));
    }

    function _writeTier(bytes32 operationId, address) private view returns (bytes memory) {
        return
            abi.encodeCall(
                memberships.changeTier, (FIRST, _tierChanges(3, OBSERVER), REASON, EVIDENCE, operationId)
            );
    }

    function _writeSuspend(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(memberships.suspend, (FIRST, _one(3), REASON, EVIDENCE, operationId));
    }

    function _writeResume(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(memberships.resume, (FIRST, _one(3), REASON, EVIDENCE, operationId));
    }

    function _writeRevoke(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(memberships.revoke, (FIRST, _one(3), REASON, EVIDENCE, operationId));
    }

    function _writeDecline(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(memberships.decline, (FIRST, _one(5), REASON, EVIDENCE, operationId));
    }

    function _admission(uint16 programmeId, uint32 orgId, uint8 tier, uint40 expiresAt)
        private
        returns (bytes memory)
    {
        return abi.encodeCall(
            memberships.admit, (programmeId, _admissions(orgId, tier, expiresAt), REASON, _operation())
        );
    }

    function _renewal(uint16 programmeId, uint32 orgId, uint40 expiresAt) private returns (bytes memory) {
        return abi.encodeCall(
            memberships.renew, (programmeId, _renewals(orgId, expiresAt), REASON, EVIDENCE, _operation())
        );
    }

    function _tierChange(uint16 programmeId, uint32 orgId, uint8 tier) private returns (bytes memory) {
        return abi.encodeCall(
            memberships.changeTier, (programmeId, _tierChanges(orgId, tier), REASON, EVIDENCE, _operation())
        );
    }

    function _renews(uint32 orgId, uint40 expiresAt, bytes memory failure) private {
        _send(address(memberships), registrar, _renewal(FIRST, orgId, expiresAt), failure);
    }

    function _changesTier(uint32 orgId, uint8 tier, bytes memory failure) private {
        _send(address(memberships), registrar, _tierChange(FIRST, orgId, tier), failure);
    }

    function _plain(uint256 which, uint32 orgId, bytes memory failure) private {
        bytes32 operationId = _operation();
        if (failure.length != 0) vm.expectRevert(failure);
        vm.prank(registrar);
        plain[which](FIRST, _one(orgId), REASON, EVIDENCE, operationId);
    }

    function _assertPlain(uint256 which, uint32 orgId) private returns (Vm.Log[] memory) {
        bytes32 operationId = keccak256(abi.encode(which, orgId));
        _watch(address(memberships));
        bytes memory line =
            abi.encode(plainEvents[which], _number(1), FIRST, orgId, REASON, EVIDENCE, registrar, operationId);
        vm.prank(registrar);
        plain[which](FIRST, _one(orgId), REASON, EVIDENCE, operationId);
        return _assertLine(line);
    }

    function _plainLine(uint256 which, uint64 number, uint32 orgId) private view returns (bytes memory) {
        return abi.encode(plainEvents[which], number, FIRST, orgId, REASON, EVIDENCE, registrar, OPERATION);
    }

    function _renewals(uint32 orgId, uint40 expiresAt)
        private
        pure
        returns (IMemberships.Renewal[] memory renewals)
    {
        renewals = new IMemberships.Renewal[](1);
        renewals[0] = IMemberships.Renewal(orgId, expiresAt);
    }

    function _tierChanges(uint32 orgId, uint8 tier)
        private
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
    ) private view {
        IMemberships.Membership memory held = memberships.membership(FIRST, orgId);
        vm.assertEq(uint8(held.status), uint8(status), "status");
        vm.assertEq(held.tier, tier, "tier");
        vm.assertEq(held.admittedAt, admittedAt, "admitted at");
        vm.assertEq(held.expiresAt, expiresAt, "expires at");
    }

    function _assertTransfer(Vm.Log memory log, address from, address to, uint16 programmeId, uint32 orgId)
        private
        pure
    {
        _assertEcho(log, abi.encode(IERC721.Transfer.selector, from, to, _tokenId(programmeId, orgId)), "");
    }

    function _assertUpdated(Vm.Log[] memory echoes, uint32 orgId) private pure {
        vm.assertEq(echoes.length, 1, "echoes");
        _assertEcho(echoes[0], abi.encode(IERC4906.MetadataUpdate.selector), abi.encode(_tokenId(FIRST, orgId)));
    }

    function _tokenId(uint16 programmeId, uint32 orgId) private pure returns (uint256) {
        return uint256(programmeId) * 2 ** 32 + orgId;
    }

    function _status(uint32 orgId, IMemberships.Status found, IMemberships.Status needed)
        private
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IMemberships.MembershipsStatus.selector, FIRST, orgId, found, needed);
    }

    function _tooEarly(uint32 orgId, uint40 given, uint40 earliest) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMemberships.MembershipsExpiryTooEarly.selector, orgId, given, earliest);
    }

    function _tooLate(uint32 orgId, uint40 given) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IMemberships.MembershipsExpiryTooLate.selector, orgId, given, LAST_TIME);
    }
}
