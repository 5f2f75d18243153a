// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {IProgrammes} from "../../contracts/interfaces/IProgrammes.sol";
import {Keys} from "../../contracts/Keys.sol";
import {Members} from "./Members.sol";
import {Vm} from "./Vm.sol";

/// @title What holds for every command on memberships, and their standing. How they begin and go on is in
/// MembershipsTerms.t.sol, their token in MembershipsToken.t.sol
contract MembershipsTest is Members {
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
        vm.assertEq(memberships.operationSequence(registrar, OPERATION), 0, "operation");
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
        vm.assertEq(
            memberships.operationSequence(registrar, OPERATION), _number(0) - 1, "the operation's first line"
        );
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
}
