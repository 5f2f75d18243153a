// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IERC5313} from "@openzeppelin/contracts/interfaces/IERC5313.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {AuthorityFace} from "./Faces.sol";
import {Stage} from "./Stage.sol";
import {Vm} from "./Vm.sol";

/// @title Officers, and the pause. The default admin's own succession is in AuthorityAdmin.t.sol
contract AuthorityTest is Stage {
    bytes32 private constant OPERATION = keccak256("this operation");
    bytes32 private constant ISSUER_OF_SECOND =
        "issuer\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02";

    // --- deployment

    function test_deployment__with_an_admin__journals_the_admin_as_line_one() public {
        vm.recordLogs();
        AuthorityFace fresh = _deployAuthority(admin, ADMIN_DELAY);
        (Vm.Log[] memory journal, Vm.Log[] memory echoes) = _journalOf(address(fresh), vm.getRecordedLogs());
        vm.assertEq(
            _preimage(journal[0]),
            abi.encode(IAuthority.OfficerAppointed.selector, 1, 0, admin, address(this), 0),
            "line one"
        );
        (bytes32 head, uint64 sequence) = _follow(0, 0, journal);
        vm.assertEq(fresh.head(), head, "head");
        vm.assertEq(fresh.sequence(), sequence, "sequence");
        vm.assertEq(sequence, 1, "number of lines");
        _assertEcho(echoes[0], abi.encode(IAccessControl.RoleGranted.selector, 0, admin, address(this)), "");
        vm.assertEq(fresh.defaultAdmin(), admin, "default admin");
        vm.assertEq(fresh.owner(), admin, "owner");
        vm.assertEq(fresh.defaultAdminDelay(), ADMIN_DELAY, "delay");
    }

    function test_deployment__without_an_admin__is_refused() public {
        vm.expectRevert(
            abi.encodeWithSelector(IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, 0)
        );
        _deployAuthority(address(0), ADMIN_DELAY);
    }

    function test_deployment__delay_of_more_than_a_year__is_refused() public {
        vm.assertEq(_deployAuthority(admin, 365 days).defaultAdminDelay(), 365 days, "a year");
        vm.expectRevert(abi.encodeWithSelector(IAuthority.AuthorityDelayTooLong.selector, 365 days + 1, 365 days));
        _deployAuthority(admin, 365 days + 1);
    }

    // --- appoint

    function test_appoint__by_the_admin__gives_the_role_in_the_programme_only() public {
        _watch(address(authority));
        vm.prank(admin);
        authority.appoint(ISSUER_ROLE, SECOND, stranger, OPERATION);
        Vm.Log[] memory echoes = _assertLine(
            abi.encode(
                IAuthority.OfficerAppointed.selector, _number(1), ISSUER_OF_SECOND, stranger, admin, OPERATION
            )
        );
        vm.assertEq(echoes.length, 1, "echoes");
        _assertEcho(
            echoes[0], abi.encode(IAccessControl.RoleGranted.selector, ISSUER_OF_SECOND, stranger, admin), ""
        );
        vm.assertTrue(authority.hasRole(ISSUER_OF_SECOND, stranger), "role");
        vm.assertTrue(authority.isOfficer(ISSUER_ROLE, SECOND, stranger), "officer");
        vm.assertFalse(authority.isOfficer(ISSUER_ROLE, FIRST, stranger), "officer of another programme");
        vm.assertFalse(authority.isOfficer(ISSUER_ROLE, 0, stranger), "officer of the alliance");
        vm.assertFalse(authority.isOfficer(COUNCIL_ROLE, SECOND, stranger), "another office");
        vm.assertEq(authority.operationSequence(admin, OPERATION), authority.sequence(), "operation");
    }

    function test_appoint__alliance_wide__counts_in_every_programme() public {
        _appoint(TREASURER_ROLE, 0, stranger);
        vm.assertTrue(authority.hasRole("treasurer", stranger), "role's bytes");
        vm.assertTrue(authority.isOfficer(TREASURER_ROLE, 0, stranger), "alliance");
        vm.assertTrue(authority.isOfficer(TREASURER_ROLE, 1, stranger), "first programme");
        vm.assertTrue(authority.isOfficer(TREASURER_ROLE, type(uint16).max, stranger), "last programme");
    }

    function testFuzz_appoint__any_role_and_programme__is_an_officer_there_only(
        uint256 which,
        uint16 programmeId,
        uint16 other,
        address account
    ) public {
        vm.assume(account != address(0) && programmeId != 0 && other != programmeId);
        bytes32 name = _roles()[which % 6];
        for (uint256 i = 0; i < 6; ++i) {
            // An officer of the test itself, which the fuzzer knows from its storage.
            vm.assume(!authority.isOfficer(_roles()[i], programmeId, account));
            vm.assume(!authority.isOfficer(_roles()[i], other, account));
        }
        _appoint(name, programmeId, account);
        vm.assertTrue(authority.isOfficer(name, programmeId, account), "there");
        vm.assertFalse(authority.isOfficer(name, other, account), "elsewhere");
        for (uint256 i = 0; i < 6; ++i) {
            bool held = authority.isOfficer(_roles()[i], programmeId, account);
            vm.assertEq(held, i == which % 6, "this office only");
            uint64 line = authority.appointedAt(_roles()[i], programmeId, account);
            vm.assertEq(line, held ? authority.sequence() : 0, "line of the appointment");
            vm.assertEq(authority.appointedAt(_roles()[i], other, account), 0, "no line elsewhere");
        }
    }

    function test_appoint__by_any_other__is_refused() public {
        address[3] memory others = [council, guardian, stranger];
        for (uint256 i = 0; i < 3; ++i) {
            _refuses(others[i], _unauthorised(others[i]));
            authority.appoint(ISSUER_ROLE, FIRST, stranger, OPERATION);
        }
    }

    function test_appoint__unknown_role__is_refused() public {
        bytes32[4] memory unknown = [bytes32(0), "president", "Issuer", ISSUER_OF_SECOND];
        for (uint256 i = 0; i < 4; ++i) {
            _refuses(admin, abi.encodeWithSelector(IAuthority.AuthorityRoleUnknown.selector, unknown[i]));
            authority.appoint(unknown[i], FIRST, stranger, OPERATION);
        }
    }

    function test_appoint__zero_address__is_refused() public {
        _refuses(admin, abi.encodePacked(IAuthority.AuthorityAccountMissing.selector));
        authority.appoint(ISSUER_ROLE, FIRST, address(0), OPERATION);
    }

    function test_appoint__role_held_already__is_refused() public {
        _refuses(admin, abi.encodeWithSelector(IAuthority.AuthorityRoleHeld.selector, issuer, ISSUER_ROLE, FIRST));
        authority.appoint(ISSUER_ROLE, FIRST, issuer, OPERATION);
    }

    function test_appoint__operation_missing_or_done__is_refused() public {
        _refuses(admin, abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
        authority.appoint(ISSUER_ROLE, SECOND, stranger, 0);

        uint64 line = authority.sequence() + 1;
        vm.prank(admin);
        authority.appoint(ISSUER_ROLE, SECOND, stranger, OPERATION);
        _refuses(admin, _done(line));
        authority.appoint(ISSUER_ROLE, SECOND, stranger, OPERATION);
        _refuses(admin, _done(line));
        authority.dismiss(ISSUER_ROLE, SECOND, stranger, OPERATION);
        _refuses(admin, _done(line));
        authority.pause(OPERATION);
    }

    /// @dev A guardian sees its dismissal under way, and pauses by the dismissal's id.
    function test_operation__that_a_guardian_used_first__is_accepted() public {
        vm.prank(guardian);
        authority.pause(OPERATION);
        vm.prank(admin);
        authority.dismiss(GUARDIAN_ROLE, 0, guardian, OPERATION);
        vm.prank(admin);
        authority.resume("resumption");
        vm.assertEq(authority.operationSequence(guardian, OPERATION), authority.sequence() - 2, "the guardian's");
        vm.assertEq(authority.operationSequence(admin, OPERATION), authority.sequence() - 1, "the admin's");
    }

    function test_operation__used_in_another_contract__is_accepted() public {
        _appoint(COUNCIL_ROLE, FIRST, admin);
        vm.prank(admin);
        programmes.changeProfile(FIRST, EVIDENCE, OPERATION);
        vm.prank(admin);
        authority.appoint(ISSUER_ROLE, SECOND, stranger, OPERATION);
    }

    // --- dismiss

    function test_dismiss__by_the_admin__takes_the_role_in_the_programme_only() public {
        _appoint(ISSUER_ROLE, SECOND, stranger);
        _appoint(ISSUER_ROLE, 0, stranger);
        _watch(address(authority));
        vm.prank(admin);
        authority.dismiss(ISSUER_ROLE, SECOND, stranger, OPERATION);
        Vm.Log[] memory echoes = _assertLine(
            abi.encode(
                IAuthority.OfficerDismissed.selector, _number(1), ISSUER_OF_SECOND, stranger, admin, OPERATION
            )
        );
        vm.assertEq(echoes.length, 1, "echoes");
        _assertEcho(
            echoes[0], abi.encode(IAccessControl.RoleRevoked.selector, ISSUER_OF_SECOND, stranger, admin), ""
        );
        vm.assertFalse(authority.hasRole(ISSUER_OF_SECOND, stranger), "role");
        vm.assertTrue(authority.isOfficer(ISSUER_ROLE, SECOND, stranger), "still, by the alliance-wide one");
    }

    function test_dismiss__not_held__is_refused() public {
        // Not even where the account holds it alliance-wide.
        _refuses(
            admin, abi.encodeWithSelector(IAuthority.AuthorityRoleNotHeld.selector, council, COUNCIL_ROLE, FIRST)
        );
        authority.dismiss(COUNCIL_ROLE, FIRST, council, OPERATION);
    }

    function test_dismiss__by_any_other_or_malformed__is_refused() public {
        _refuses(issuer, _unauthorised(issuer));
        authority.dismiss(ISSUER_ROLE, FIRST, issuer, OPERATION);
        _refuses(admin, abi.encodeWithSelector(IAuthority.AuthorityRoleUnknown.selector, bytes32(0)));
        authority.dismiss(0, 0, admin, OPERATION);
        _refuses(admin, abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
        authority.dismiss(ISSUER_ROLE, FIRST, issuer, 0);
    }

    function test_dismiss__then_appoint_again__works() public {
        vm.prank(admin);
        authority.dismiss(ISSUER_ROLE, FIRST, issuer, OPERATION);
        vm.assertFalse(authority.isOfficer(ISSUER_ROLE, FIRST, issuer), "dismissed");
        _appoint(ISSUER_ROLE, FIRST, issuer);
        vm.assertTrue(authority.isOfficer(ISSUER_ROLE, FIRST, issuer), "appointed again");
    }

    // --- OpenZeppelin's own functions for roles

    function test_grantRole_and_revokeRole__by_anybody__are_refused() public {
        bytes memory refusal = abi.encodePacked(IAuthority.AuthorityOperationIdNeeded.selector);
        bytes32[2] memory roles = [bytes32(0), "issuer"];
        for (uint256 i = 0; i < 2; ++i) {
            _refuses(admin, refusal);
            authority.grantRole(roles[i], stranger);
            _refuses(admin, refusal);
            authority.revokeRole(roles[i], admin);
        }
    }

    function test_renounceRole__held__is_journaled_without_an_operation() public {
        _appoint(ISSUER_ROLE, SECOND, stranger);
        _watch(address(authority));
        vm.prank(stranger);
        authority.renounceRole(ISSUER_OF_SECOND, stranger);
        Vm.Log[] memory echoes = _assertLine(
            abi.encode(IAuthority.OfficerDismissed.selector, _number(1), ISSUER_OF_SECOND, stranger, stranger, 0)
        );
        vm.assertEq(echoes.length, 1, "echoes");
        vm.assertFalse(authority.isOfficer(ISSUER_ROLE, SECOND, stranger), "officer");
    }

    function test_renounceRole__not_held__journals_nothing() public {
        _watch(address(authority));
        vm.prank(stranger);
        authority.renounceRole(ISSUER_OF_SECOND, stranger);
        vm.assertEq(_assertLines(new bytes[](0)).length, 0, "echoes");
    }

    function test_renounceRole__for_another__is_refused() public {
        _refuses(stranger, abi.encodePacked(IAccessControl.AccessControlBadConfirmation.selector));
        authority.renounceRole("council", council);
    }

    // --- the lines of appointments

    function test_appointedAt__appointed_dismissed_and_appointed_again__is_the_last_line() public {
        vm.assertEq(authority.appointedAt(ISSUER_ROLE, SECOND, stranger), 0, "never appointed");
        _appoint(ISSUER_ROLE, SECOND, stranger);
        uint64 line = authority.sequence();
        vm.assertEq(authority.appointedAt(ISSUER_ROLE, SECOND, stranger), line, "appointed");
        _appoint(ISSUER_ROLE, 0, stranger);
        _appoint(ISSUER_ROLE, SECOND, council);
        vm.assertEq(authority.appointedAt(ISSUER_ROLE, SECOND, stranger), line, "another's, or elsewhere");
        vm.assertEq(authority.appointedAt(ISSUER_ROLE, 0, stranger), line + 1, "alliance-wide");
        vm.assertEq(authority.appointedAt(ISSUER_ROLE, FIRST, stranger), 0, "in exactly this programme");
        vm.prank(admin);
        authority.dismiss(ISSUER_ROLE, SECOND, stranger, OPERATION);
        vm.assertEq(authority.appointedAt(ISSUER_ROLE, SECOND, stranger), 0, "dismissed");
        vm.assertEq(authority.appointedAt(ISSUER_ROLE, 0, stranger), line + 1, "alliance-wide, still");
        _appoint(ISSUER_ROLE, SECOND, stranger);
        vm.assertEq(authority.appointedAt(ISSUER_ROLE, SECOND, stranger), line + 4, "appointed again");
    }

    function test_appointedAt__renounced__is_zero() public {
        _appoint(ISSUER_ROLE, SECOND, stranger);
        vm.prank(stranger);
        authority.renounceRole(ISSUER_OF_SECOND, stranger);
        vm.assertEq(authority.appointedAt(ISSUER_ROLE, SECOND, stranger), 0, "renounced");
    }

    function test_appointedAt__refused_appointments__change_nothing() public {
        uint64 line = authority.appointedAt(ISSUER_ROLE, FIRST, issuer);
        vm.assertTrue(line != 0, "appointed");
        _refuses(admin, abi.encodeWithSelector(IAuthority.AuthorityRoleHeld.selector, issuer, ISSUER_ROLE, FIRST));
        authority.appoint(ISSUER_ROLE, FIRST, issuer, OPERATION);
        vm.prank(stranger); // renounces what it does not hold
        authority.renounceRole("issuer", stranger);
        vm.assertEq(authority.appointedAt(ISSUER_ROLE, FIRST, issuer), line, "line");
    }

    // --- pause and resume

    function test_pause__by_a_guardian_or_the_admin__stops_the_ledger() public {
        address[2] memory entitled = [guardian, admin];
        for (uint256 i = 0; i < 2; ++i) {
            _watch(address(authority));
            bytes32 operationId = keccak256(abi.encode(i));
            vm.prank(entitled[i]);
            authority.pause(operationId);
            Vm.Log[] memory echoes =
                _assertLine(abi.encode(IAuthority.LedgerPaused.selector, _number(1), entitled[i], operationId));
            vm.assertEq(echoes.length, 1, "echoes");
            _assertEcho(echoes[0], abi.encode(Pausable.Paused.selector), abi.encode(entitled[i]));
            vm.assertTrue(authority.paused(), "paused");
            vm.expectRevert(abi.encodePacked(IAuthority.AuthorityPaused.selector));
            authority.requireRunning();
            _resume();
            authority.requireRunning();
        }
    }

    function test_pause__by_any_other__is_refused() public {
        _appoint(GUARDIAN_ROLE, FIRST, stranger); // a guardian of one programme only
        address[3] memory others = [stranger, council, registrar];
        for (uint256 i = 0; i < 3; ++i) {
            _refuses(
                others[i],
                abi.encodeWithSelector(IAuthority.AuthorityRoleMissing.selector, others[i], GUARDIAN_ROLE, 0)
            );
            authority.pause(OPERATION);
        }
    }

    function test_pause__operation_missing_or_paused_already__is_refused() public {
        _refuses(guardian, abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
        authority.pause(0);
        _pause();
        _refuses(guardian, abi.encodePacked(Pausable.EnforcedPause.selector));
        authority.pause(OPERATION);
    }

    function test_pause__done_before__names_the_operation() public {
        uint64 line = authority.sequence() + 1;
        vm.prank(guardian);
        authority.pause(OPERATION);
        _refuses(guardian, _done(line));
        authority.pause(OPERATION);
    }

    function test_resume__by_the_admin__lets_the_ledger_go_on() public {
        _pause();
        _watch(address(authority));
        vm.prank(admin);
        authority.resume(OPERATION);
        Vm.Log[] memory echoes =
            _assertLine(abi.encode(IAuthority.LedgerResumed.selector, _number(1), admin, OPERATION));
        vm.assertEq(echoes.length, 1, "echoes");
        _assertEcho(echoes[0], abi.encode(Pausable.Unpaused.selector), abi.encode(admin));
        vm.assertFalse(authority.paused(), "paused");
        _refuses(admin, _done(_number(0)));
        authority.resume(OPERATION);
    }

    function test_resume__by_any_other_or_running__is_refused() public {
        _refuses(admin, abi.encodePacked(Pausable.ExpectedPause.selector));
        authority.resume(OPERATION);
        _pause();
        _refuses(guardian, _unauthorised(guardian));
        authority.resume(OPERATION);
        _refuses(admin, abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
        authority.resume(0);
    }

    function test_officers__while_paused__can_still_be_dismissed_and_appointed() public {
        _pause();
        vm.prank(admin);
        authority.dismiss(GUARDIAN_ROLE, 0, guardian, OPERATION);
        _appoint(GUARDIAN_ROLE, 0, stranger);
        _resume();
        vm.assertFalse(authority.isOfficer(GUARDIAN_ROLE, 0, guardian), "the old guardian");
    }

    // --- views

    function test_requireOfficer__of_programme_alliance_or_none__says_so() public {
        authority.requireOfficer(ISSUER_ROLE, FIRST, issuer);
        authority.requireOfficer(COUNCIL_ROLE, FIRST, council);
        authority.requireOfficer(COUNCIL_ROLE, 0, council);
        vm.expectRevert(_roleMissing(issuer, ISSUER_ROLE, SECOND));
        authority.requireOfficer(ISSUER_ROLE, SECOND, issuer);
        vm.expectRevert(_roleMissing(issuer, ISSUER_ROLE, 0));
        authority.requireOfficer(ISSUER_ROLE, 0, issuer);
        _pause();
        vm.expectRevert(abi.encodePacked(IAuthority.AuthorityPaused.selector));
        authority.requireOfficer(ISSUER_ROLE, FIRST, issuer);
    }

    function test_requireEitherOfficer__of_one_the_other_or_none__says_so() public {
        authority.requireEitherOfficer(ISSUER_ROLE, COUNCIL_ROLE, FIRST, issuer);
        authority.requireEitherOfficer(COUNCIL_ROLE, ISSUER_ROLE, FIRST, issuer);
        authority.requireEitherOfficer(ISSUER_ROLE, COUNCIL_ROLE, FIRST, council);
        vm.expectRevert(_roleMissing(issuer, ISSUER_ROLE, SECOND));
        authority.requireEitherOfficer(ISSUER_ROLE, COUNCIL_ROLE, SECOND, issuer);
        vm.expectRevert(_roleMissing(guardian, COUNCIL_ROLE, FIRST));
        authority.requireEitherOfficer(COUNCIL_ROLE, ISSUER_ROLE, FIRST, guardian);
        _pause();
        vm.expectRevert(abi.encodePacked(IAuthority.AuthorityPaused.selector));
        authority.requireEitherOfficer(ISSUER_ROLE, COUNCIL_ROLE, FIRST, issuer);
    }

    function test_supportsInterface__its_standards__are_named() public view {
        vm.assertTrue(authority.supportsInterface(type(IERC165).interfaceId), "ERC-165");
        vm.assertTrue(authority.supportsInterface(type(IAccessControl).interfaceId), "access control");
        vm.assertTrue(
            authority.supportsInterface(type(IAccessControlDefaultAdminRules).interfaceId), "default admin rules"
        );
        vm.assertFalse(authority.supportsInterface(0xffffffff), "none");
        vm.assertEq(IERC5313(address(authority)).owner(), admin, "ERC-5313");
    }

    function _roles() private pure returns (bytes32[6] memory) {
        return [REGISTRAR_ROLE, ISSUER_ROLE, TREASURER_ROLE, COUNCIL_ROLE, COUNCILLOR_ROLE, GUARDIAN_ROLE];
    }

    function _refuses(address sender, bytes memory failure) private {
        vm.expectRevert(failure);
        vm.prank(sender);
    }

    function _done(uint64 line) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, line);
    }

    function _unauthorised(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, 0);
    }

    function _roleMissing(address account, bytes32 name, uint16 programmeId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAuthority.AuthorityRoleMissing.selector, account, name, programmeId);
    }
}
