// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {Controllers} from "./Controllers.sol";

/// @title An organisation that is no more, alone or merged into another
contract OrganisationsRetirementTest is Controllers {
    function test_retire__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(organisations), _writeRetire, COUNCIL_ROLE, 0, 0));
    }

    function test_retire__into_another__is_journaled_and_kept() public {
        _watch(address(organisations));
        vm.prank(council);
        organisations.retire(5, 6, EVIDENCE, OPERATION);
        bytes32 selector = IOrganisations.OrganisationRetired.selector;
        bytes memory line = abi.encode(selector, _number(1), 5, 6, EVIDENCE, council, OPERATION);
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        _assertRetired(5, 6);
        _assertControl(6, _controller(6));
        vm.assertFalse(organisations.isRetired(6), "the other");
        vm.assertEq(organisations.successorOf(6), 0, "successor of the other");
    }

    function test_retire__into_none__is_done() public {
        _retires(5, 0, "");
        _assertRetired(5, 0);
    }

    function test_retire__a_member_still__is_refused() public {
        bytes4 selector = IOrganisations.OrganisationsStillMember.selector;
        _retires(1, 6, abi.encodeWithSelector(selector, 1, 2));
        _changes(memberships.suspend.selector, FIRST, 3);
        _retires(3, 0, abi.encodeWithSelector(selector, 3, 1));
        vm.warp(EXPIRY); // lapsed is a membership too
        _retires(1, 0, abi.encodeWithSelector(selector, 1, 2));
        _changes(memberships.revoke.selector, FIRST, 1);
        _retires(1, 0, abi.encodeWithSelector(selector, 1, 1));
        _changes(memberships.revoke.selector, SECOND, 1);
        _retires(1, 0, "");
        _assertRetired(1, 0);
    }

    function test_retire__itself_unknown_or_retired__is_refused() public {
        _retires(0, 5, _unknown(0));
        _retires(7, 5, _unknown(7));
        _retires(5, 7, _unknown(7));
        _retires(5, 5, abi.encodeWithSelector(IOrganisations.OrganisationsSuccessorUnusable.selector, 5, 5));
        _retires(5, 6, "");
        _retires(5, 6, _retired(5));
        _retires(6, 5, _retired(5)); // so mergers never go in a circle
    }

    function test_retire__one_that_another_was_merged_into__keeps_the_chain() public {
        _retires(5, 6, "");
        _retires(6, 1, "");
        _assertRetired(5, 6);
        _assertRetired(6, 1);
    }

    function test_retire__its_controller__can_act_for_another() public {
        _retires(5, 6, "");
        _registers(_controller(5), "");
        _assertControl(7, _controller(5));
        _retires(7, 0, "");
        _rotates(3, _controller(5));
        _assertControl(3, _controller(5));
    }

    function test_retire__a_nomination_and_a_recovery__are_no_more() public {
        _nominates(5, successor, "");
        _begins(5, stranger, "");
        _retires(5, 0, "");
        _assertSettled(5);
        _accepts(successor, 5, _notNominated(successor, 5));
        vm.warp(NOW + RECOVERY_DELAY);
        _finishes(5, _noRecovery(5));
        _assertRetired(5, 0);
    }

    function test_nameSuccessor__by_officers__obeys_the_rules_of_commands() public {
        _retires(5, 0, "");
        _assertCommand(Command(address(organisations), _writeNaming, COUNCIL_ROLE, 0, 0));
    }

    function test_nameSuccessor__of_one_retired_into_none__is_journaled_and_kept() public {
        _retires(5, 0, "");
        _watch(address(organisations));
        vm.prank(council);
        organisations.nameSuccessor(5, 6, EVIDENCE, OPERATION);
        bytes32 selector = IOrganisations.SuccessorNamed.selector;
        bytes memory line = abi.encode(selector, _number(1), 5, 6, EVIDENCE, council, OPERATION);
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        _assertRetired(5, 6);
        _assertControl(6, _controller(6));
        vm.assertFalse(organisations.isRetired(6), "the other");
    }

    function test_nameSuccessor__of_one_that_is_not_retired__is_refused() public {
        bytes4 selector = IOrganisations.OrganisationsNotRetired.selector;
        uint32[3] memory others = [uint32(5), 7, 0]; // one that is there, and two that are not
        for (uint256 i = 0; i < 3; ++i) {
            _names(others[i], 6, abi.encodeWithSelector(selector, others[i]));
        }
    }

    function test_nameSuccessor__of_one_that_has_one__is_refused() public {
        bytes4 selector = IOrganisations.OrganisationsSuccessorNamed.selector;
        _retires(5, 6, "");
        _names(5, 6, abi.encodeWithSelector(selector, 5, 6));
        _names(5, 3, abi.encodeWithSelector(selector, 5, 6));
        _retires(6, 0, "");
        _names(6, 3, "");
        _names(6, 4, abi.encodeWithSelector(selector, 6, 3)); // named is named, too
        _assertRetired(5, 6);
        _assertRetired(6, 3);
    }

    /// @dev Only one that acts can take over: so successors never go in a circle.
    function test_nameSuccessor__itself_none_unknown_or_retired__is_refused() public {
        _retires(5, 0, "");
        _names(5, 5, _retired(5));
        _names(5, 0, _unknown(0));
        _names(5, 7, _unknown(7));
        _retires(6, 0, "");
        _names(5, 6, _retired(6));
        _names(6, 5, _retired(5));
        _names(5, 1, "");
    }

    /// @dev What is left in it, and what comes to it afterwards, is carried over as after a merger.
    function test_nameSuccessor__of_one_with_a_balance__lets_it_be_carried_over() public {
        bytes32 operationId = _operation();
        vm.prank(council);
        credits.award(FIRST, _awards(3, 90), operationId);
        _changes(memberships.revoke.selector, FIRST, 3);
        _retires(3, 0, "");
        bytes memory carried = abi.encodeCall(credits.carryOver, (FIRST, _one(uint32(3)), EVIDENCE, _operation()));
        _send(address(credits), council, carried, abi.encodeWithSelector(ICredits.CreditsNotMerged.selector, 3));
        _names(3, 6, "");
        _send(address(credits), council, carried, "");
        vm.assertEq(credits.balanceOf(FIRST, 3), 0, "balance");
        vm.assertEq(credits.balanceOf(FIRST, 6), 90, "balance of the successor");
        // Over several, where the successor retires without one, too.
        _retires(6, 0, "");
        _names(6, 4, "");
        carried = abi.encodeCall(credits.carryOver, (FIRST, _one(uint32(6)), EVIDENCE, _operation()));
        _send(address(credits), council, carried, "");
        vm.assertEq(credits.balanceOf(FIRST, 4), 90, "balance of the last");
    }

    function test_retired__every_command__is_refused() public {
        _retires(5, 0, "");
        address controller = _controller(5);
        _nominatesAs(controller, 5, successor, _retired(5));
        _accepts(controller, 5, _notNominated(controller, 5));
        _begins(5, successor, _retired(5));
        _stops(controller, 5, _retired(5));
        _stops(council, 5, _retired(5));
        _sends(registrar, abi.encodeCall(organisations.changeProfile, (5, EVIDENCE, _operation())), _retired(5));
        bytes memory data =
            abi.encodeCall(memberships.admit, (FIRST, _admissions(5, FULL, EXPIRY), REASON, _operation()));
        _send(address(memberships), registrar, data, _retired(5));
        data = abi.encodeCall(memberships.decline, (FIRST, _one(uint32(5)), REASON, EVIDENCE, _operation()));
        _send(address(memberships), registrar, data, _retired(5));
    }

    function test_views__unknown_organisation__say_so() public view {
        vm.assertFalse(organisations.isRetired(7), "retired");
        vm.assertEq(organisations.successorOf(7), 0, "successor");
        vm.assertEq(organisations.nominatedBy(7), address(0), "nominated");
        _assertRecovery(7, address(0), 0);
        vm.assertEq(organisations.memberships(), address(memberships), "memberships");
    }

    function _assertRetired(uint32 orgId, uint32 successorId) private {
        vm.assertTrue(organisations.isRetired(orgId), "retired");
        vm.assertEq(organisations.successorOf(orgId), successorId, "successor");
        vm.assertEq(organisations.organisation(orgId).controller, address(0), "no controller");
        vm.assertEq(organisations.organisation(orgId).kind, "company", "kind, as before");
        bytes32 profile = keccak256(abi.encode("profile", orgId));
        vm.assertEq(organisations.organisation(orgId).profile, profile, "profile, as before");
        vm.assertEq(organisations.organisationOf(_controller(orgId)), 0, "the controller acts for none");
        vm.expectRevert(_retired(orgId));
        organisations.controllerOf(orgId);
    }

    function _changes(bytes4 selector, uint16 programmeId, uint32 orgId) private {
        bytes memory data =
            abi.encodeWithSelector(selector, programmeId, _one(orgId), REASON, EVIDENCE, _operation());
        _send(address(memberships), registrar, data, "");
    }

    function _names(uint32 orgId, uint32 successorId, bytes memory failure) private {
        _sends(
            council,
            abi.encodeCall(organisations.nameSuccessor, (orgId, successorId, EVIDENCE, _operation())),
            failure
        );
    }

    function _writeNaming(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(organisations.nameSuccessor, (5, 6, EVIDENCE, operationId));
    }

    function _writeRetire(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(organisations.retire, (5, 6, EVIDENCE, operationId));
    }
}
