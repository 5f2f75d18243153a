// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {Stage} from "./Stage.sol";
import {Vm} from "./Vm.sol";

/// @title The default admin's succession: in two steps, with a delay, each journaled exactly once
contract AuthorityAdminTest is Stage {
    address private immutable successor = _account("successor");
    uint48 private constant ACCEPTABLE = NOW + ADMIN_DELAY + 1;

    // --- transfer

    function test_begin__by_the_admin__names_the_successor_and_the_first_second() public {
        _watch(address(authority));
        _begin(successor);
        Vm.Log[] memory echoes = _assertLine(_begun(_number(1), successor, ACCEPTABLE));
        vm.assertEq(echoes.length, 1, "echoes");
        (address pending, uint48 schedule) = authority.pendingDefaultAdmin();
        vm.assertEq(pending, successor, "pending");
        vm.assertEq(schedule + 1, ACCEPTABLE, "schedule");
        vm.assertEq(authority.defaultAdmin(), admin, "still the old admin");
    }

    function test_begin__a_second_time__takes_the_place_of_the_first() public {
        _begin(stranger);
        vm.warp(NOW + 1 days);
        _watch(address(authority));
        _begin(successor);
        Vm.Log[] memory echoes = _assertLine(_begun(_number(1), successor, ACCEPTABLE + 1 days));
        vm.assertEq(echoes.length, 2, "echoes: the first cancelled, the second scheduled");
        vm.warp(ACCEPTABLE + 1 days);
        vm.expectRevert(_invalidAdmin(stranger));
        vm.prank(stranger);
        authority.acceptDefaultAdminTransfer();
        _accept();
    }

    function test_accept__at_the_first_second__is_a_dismissal_and_an_appointment() public {
        _begin(successor);
        vm.warp(ACCEPTABLE);
        _watch(address(authority));
        _accept();
        bytes[] memory lines = new bytes[](2);
        lines[0] = abi.encode(IAuthority.OfficerDismissed.selector, _number(1), 0, admin, successor, 0);
        lines[1] = abi.encode(IAuthority.OfficerAppointed.selector, _number(2), 0, successor, successor, 0);
        vm.assertEq(_assertLines(lines).length, 2, "echoes");
        vm.assertEq(authority.defaultAdmin(), successor, "the new admin");
        vm.assertFalse(authority.hasRole(0, admin), "the old admin's role");
        vm.assertEq(authority.appointedAt(0, 0, successor), _number(0), "the new admin's line");
        vm.assertEq(authority.appointedAt(0, 0, admin), 0, "the old admin's line");
        vm.expectRevert(_unauthorised(admin));
        vm.prank(admin);
        authority.appoint(ISSUER_ROLE, SECOND, stranger, "operation");
        vm.prank(successor);
        authority.appoint(ISSUER_ROLE, SECOND, stranger, "operation");
    }

    function test_accept__a_second_too_early__is_refused() public {
        _begin(successor);
        vm.warp(ACCEPTABLE - 1);
        vm.expectRevert(_tooEarly(ACCEPTABLE - 1));
        vm.prank(successor);
        authority.acceptDefaultAdminTransfer();
    }

    function test_accept__by_any_other__is_refused() public {
        _begin(successor);
        vm.warp(ACCEPTABLE);
        address[2] memory others = [admin, stranger];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(_invalidAdmin(others[i]));
            vm.prank(others[i]);
            authority.acceptDefaultAdminTransfer();
        }
    }

    function test_accept__by_the_admin_itself__keeps_it() public {
        _begin(admin);
        vm.warp(ACCEPTABLE);
        vm.prank(admin);
        authority.acceptDefaultAdminTransfer();
        vm.assertEq(authority.defaultAdmin(), admin, "admin");
        vm.assertTrue(authority.hasRole(0, admin), "role");
        vm.assertEq(authority.appointedAt(0, 0, admin), authority.sequence(), "line");
    }

    function test_cancel__begun__is_journaled_and_the_successor_refused() public {
        _begin(successor);
        _watch(address(authority));
        vm.prank(admin);
        authority.cancelDefaultAdminTransfer();
        Vm.Log[] memory echoes =
            _assertLine(abi.encode(IAuthority.AdminTransferCancelled.selector, _number(1), admin));
        vm.assertEq(echoes.length, 1, "echoes");
        vm.warp(ACCEPTABLE);
        vm.expectRevert(_invalidAdmin(successor));
        vm.prank(successor);
        authority.acceptDefaultAdminTransfer();
    }

    function test_cancel__nothing_begun__journals_nothing() public {
        _watch(address(authority));
        vm.prank(admin);
        authority.cancelDefaultAdminTransfer();
        vm.assertEq(_assertLines(new bytes[](0)).length, 0, "echoes");
    }

    function test_cancel__after_the_acceptance__journals_nothing() public {
        _begin(successor);
        vm.warp(ACCEPTABLE);
        _accept();
        _watch(address(authority));
        vm.prank(successor);
        authority.cancelDefaultAdminTransfer();
        vm.assertEq(_assertLines(new bytes[](0)).length, 0, "echoes");
    }

    // --- renouncing

    function test_renounce__announced_and_waited__leaves_no_admin() public {
        _watch(address(authority));
        _begin(address(0));
        _assertLine(_begun(_number(1), address(0), ACCEPTABLE));
        vm.warp(ACCEPTABLE);
        vm.prank(admin);
        authority.renounceRole(0, admin);
        _assertLine(abi.encode(IAuthority.OfficerDismissed.selector, _number(1), 0, admin, admin, 0));
        vm.assertEq(authority.defaultAdmin(), address(0), "no admin");
        vm.expectRevert(_unauthorised(admin));
        vm.prank(admin);
        authority.appoint(ISSUER_ROLE, SECOND, stranger, "operation");
        // A guardian still stops the ledger, and nobody lets it go on.
        _pause();
        vm.expectRevert(_unauthorised(guardian));
        vm.prank(guardian);
        authority.resume("operation");
    }

    function test_renounce__not_announced_or_too_early__is_refused() public {
        vm.expectRevert(_tooEarly(0));
        vm.prank(admin);
        authority.renounceRole(0, admin);
        _begin(address(0));
        vm.warp(ACCEPTABLE - 1);
        vm.expectRevert(_tooEarly(ACCEPTABLE - 1));
        vm.prank(admin);
        authority.renounceRole(0, admin);
    }

    function test_renounce__with_a_successor_named__is_refused() public {
        _begin(successor);
        vm.warp(ACCEPTABLE);
        vm.expectRevert(_tooEarly(ACCEPTABLE - 1));
        vm.prank(admin);
        authority.renounceRole(0, admin);
    }

    // --- delay

    function test_changeDelay__longer__is_in_force_after_it_or_five_days() public {
        _changesDelay(3 days, NOW + 3 days + 1);
        _changesDelay(30 days, NOW + 5 days + 1);
    }

    function test_changeDelay__shorter__is_in_force_after_the_difference() public {
        _changesDelay(1 hours, NOW + ADMIN_DELAY - 1 hours + 1);
        _changesDelay(0, NOW + ADMIN_DELAY + 1);
        _changesDelay(ADMIN_DELAY, NOW + 1);
    }

    function test_changeDelay__a_second_time__takes_the_place_of_the_first() public {
        _changeDelay(1 days);
        _watch(address(authority));
        _changeDelay(3 days);
        bytes memory line =
            abi.encode(IAuthority.AdminDelayChangeBegun.selector, _number(1), 3 days, NOW + 3 days + 1, admin);
        vm.assertEq(_assertLine(line).length, 2, "echoes: the first cancelled, the second scheduled");
        vm.warp(NOW + 3 days + 1);
        vm.assertEq(authority.defaultAdminDelay(), 3 days, "delay");
    }

    function test_changeDelay__of_more_than_a_year__is_refused() public {
        vm.expectRevert(abi.encodeWithSelector(IAuthority.AuthorityDelayTooLong.selector, 365 days + 1, 365 days));
        _changeDelay(365 days + 1);
        _changeDelay(365 days);
    }

    function test_rollback__not_yet_in_force__is_journaled_and_keeps_the_old() public {
        _changeDelay(1 days);
        vm.warp(NOW + 1 days); // the last second of waiting
        _watch(address(authority));
        _rollback();
        Vm.Log[] memory echoes =
            _assertLine(abi.encode(IAuthority.AdminDelayChangeCancelled.selector, _number(1), admin));
        vm.assertEq(echoes.length, 1, "echoes");
        vm.warp(NOW + 1 days + 1);
        vm.assertEq(authority.defaultAdminDelay(), ADMIN_DELAY, "delay");
    }

    function test_rollback__in_force_already__journals_nothing_and_keeps_the_new() public {
        _changeDelay(1 days);
        vm.warp(NOW + 1 days + 1);
        _watch(address(authority));
        _rollback();
        vm.assertEq(_assertLines(new bytes[](0)).length, 0, "echoes");
        vm.assertEq(authority.defaultAdminDelay(), 1 days, "delay");
    }

    function test_rollback__nothing_announced__journals_nothing() public {
        _watch(address(authority));
        _rollback();
        vm.assertEq(_assertLines(new bytes[](0)).length, 0, "echoes");
    }

    function test_begin__while_a_delay_waits__keeps_to_the_old_delay() public {
        _changeDelay(0);
        _watch(address(authority));
        _begin(successor);
        _assertLine(_begun(_number(1), successor, ACCEPTABLE));
    }

    function test_every_step__by_any_other__is_refused() public {
        address[2] memory others = [council, stranger];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory refusal = _unauthorised(others[i]);
            vm.expectRevert(refusal);
            vm.prank(others[i]);
            authority.beginDefaultAdminTransfer(others[i]);
            vm.expectRevert(refusal);
            vm.prank(others[i]);
            authority.cancelDefaultAdminTransfer();
            vm.expectRevert(refusal);
            vm.prank(others[i]);
            authority.changeDefaultAdminDelay(0);
            vm.expectRevert(refusal);
            vm.prank(others[i]);
            authority.rollbackDefaultAdminDelay();
        }
    }

    function _changesDelay(uint48 delay, uint48 effectiveFrom) private {
        uint256 before = vm.snapshotState();
        _watch(address(authority));
        _changeDelay(delay);
        bytes memory line =
            abi.encode(IAuthority.AdminDelayChangeBegun.selector, _number(1), delay, effectiveFrom, admin);
        vm.assertEq(_assertLine(line).length, 1, "echoes");
        vm.warp(effectiveFrom - 1);
        vm.assertEq(authority.defaultAdminDelay(), ADMIN_DELAY, "delay before");
        vm.warp(effectiveFrom);
        vm.assertEq(authority.defaultAdminDelay(), delay, "delay from then on");
        vm.revertToState(before);
    }

    function _begin(address next) private {
        vm.prank(admin);
        authority.beginDefaultAdminTransfer(next);
    }

    function _accept() private {
        vm.prank(successor);
        authority.acceptDefaultAdminTransfer();
    }

    function _changeDelay(uint48 delay) private {
        vm.prank(admin);
        authority.changeDefaultAdminDelay(delay);
    }

    function _rollback() private {
        vm.prank(admin);
        authority.rollbackDefaultAdminDelay();
    }

    function _begun(uint64 line, address next, uint48 acceptableFrom) private view returns (bytes memory) {
        return abi.encode(IAuthority.AdminTransferBegun.selector, line, next, acceptableFrom, admin);
    }

    function _tooEarly(uint48 schedule) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector, schedule
        );
    }

    function _invalidAdmin(address account) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlInvalidDefaultAdmin.selector, account
            );
    }

    function _unauthorised(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, account, 0);
    }
}
