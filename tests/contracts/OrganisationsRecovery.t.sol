// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {ISignedMessages} from "../../contracts/interfaces/ISignedMessages.sol";
import {Controllers} from "./Controllers.sol";
import {Vm} from "./Vm.sol";

/// @title The council names a successor, and the controller has time to object
contract OrganisationsRecoveryTest is Controllers {
    uint40 private constant FINISHABLE = NOW + RECOVERY_DELAY;

    // --- the delay

    function test_constructor__delay_out_of_bounds__is_refused() public {
        uint40 least = organisations.MIN_RECOVERY_DELAY();
        uint40 most = organisations.MAX_RECOVERY_DELAY();
        vm.assertEq(least, 1 hours, "least");
        vm.assertEq(most, 90 days, "most");
        uint40[4] memory unusable = [uint40(0), least - 1, most + 1, type(uint40).max];
        for (uint256 i = 0; i < 4; ++i) {
            bytes memory failure = abi.encodeWithSelector(
                IOrganisations.OrganisationsDelayUnusable.selector, unusable[i], least, most
            );
            vm.assertEq(_deploymentFailure(unusable[i]), failure, "error of the deployment");
        }
        vm.assertEq(_deploymentFailure(least), "", "the shortest");
        vm.assertEq(_deploymentFailure(most), "", "the longest");
        vm.assertEq(organisations.recoveryDelay(), RECOVERY_DELAY, "delay");
    }

    // --- beginRecovery

    function test_beginRecovery__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(organisations), _writeBegin, COUNCIL_ROLE, 0, 0));
    }

    function test_beginRecovery__a_free_account__is_journaled_and_moves_nothing() public {
        _watch(address(organisations));
        vm.prank(council);
        organisations.beginRecovery(3, successor, EVIDENCE, OPERATION);
        bytes memory line = bytes.concat(
            abi.encode(IOrganisations.RecoveryBegun.selector, _number(1), 3, successor),
            abi.encode(FINISHABLE, EVIDENCE, council, OPERATION)
        );
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        _assertRecovery(3, successor, FINISHABLE);
        _assertRecovery(2, address(0), 0);
        _assertControl(3, _controller(3));
        vm.assertEq(organisations.organisationOf(successor), 0, "acts for none yet");
    }

    function test_beginRecovery__none_or_an_account_in_use__is_refused() public {
        _begins(3, address(0), _missing());
        _begins(3, _controller(4), _inUse(_controller(4), 4));
        _begins(3, _controller(3), _inUse(_controller(3), 3));
    }

    function test_beginRecovery__unknown_organisation__is_refused() public {
        _begins(0, successor, _unknown(0));
        _begins(7, successor, _unknown(7));
    }

    function test_beginRecovery__another_under_way__is_refused() public {
        _begins(3, successor, "");
        bytes memory failure =
            abi.encodeWithSelector(IOrganisations.OrganisationsRecoveryUnderWay.selector, 3, successor);
        _begins(3, stranger, failure);
        vm.warp(FINISHABLE + 1 days);
        _begins(3, stranger, failure); // its time does not run out
        _stops(council, 3, "");
        _begins(3, stranger, "");
        _assertRecovery(3, stranger, FINISHABLE + 1 days + RECOVERY_DELAY);
    }

    // --- stopRecovery

    function test_stopRecovery__by_the_controller_or_the_council__is_journaled() public {
        address[2] memory senders = [_controller(3), council];
        for (uint256 i = 0; i < 2; ++i) {
            _begins(3, successor, "");
            bytes32 id = _operation();
            _watch(address(organisations));
            vm.prank(senders[i]);
            organisations.stopRecovery(3, id);
            bytes32 selector = IOrganisations.RecoveryStopped.selector;
            _assertLine(abi.encode(selector, _number(1), 3, successor, senders[i], id));
            _assertSettled(3);
            _assertControl(3, _controller(3));
            _finishes(3, _noRecovery(3));
            _sends(
                senders[i],
                abi.encodeCall(organisations.stopRecovery, (3, id)),
                _done(address(organisations), senders[i], id)
            );
        }
    }

    function test_stopRecovery__by_any_other__is_refused() public {
        _begins(3, successor, "");
        _appoint(COUNCIL_ROLE, FIRST, stranger); // of one programme only
        address[6] memory others = [stranger, successor, _controller(2), registrar, guardian, admin];
        for (uint256 i = 0; i < others.length; ++i) {
            _stops(others[i], 3, _notEntitled(others[i], 3));
        }
        _assertRecovery(3, successor, FINISHABLE);
    }

    function test_stopRecovery__none_under_way_or_no_operation__is_refused() public {
        _stops(_controller(3), 3, _noRecovery(3));
        _stops(council, 3, _noRecovery(3));
        _stops(council, 7, _unknown(7));
        _begins(3, successor, "");
        bytes memory nameless = abi.encodePacked(IJournal.JournalOperationIdMissing.selector);
        _sends(_controller(3), abi.encodeCall(organisations.stopRecovery, (3, 0)), nameless);
    }

    function test_stopRecovery__while_paused__is_the_controllers_only() public {
        _begins(3, successor, "");
        _pause();
        bytes memory paused = abi.encodePacked(IAuthority.AuthorityPaused.selector);
        _stops(council, 3, paused);
        _stops(stranger, 3, paused);
        _stops(_controller(3), 3, "");
        _assertSettled(3);
        _resume();
        _finishes(3, _noRecovery(3));
    }

    function test_stopRecovery__after_the_delay_but_not_finished__is_done() public {
        _begins(3, successor, "");
        vm.warp(FINISHABLE + 1);
        _stops(_controller(3), 3, "");
        _finishes(3, _noRecovery(3));
    }

    // --- stopRecoveryBySignature

    function test_stopRecoveryBySignature__of_the_controller__is_its_own_also_while_paused() public {
        ISignedMessages.Signed memory signed =
            _signed(_key(uint32(3)), _objection(3, successor, _controller(3), OPERATION, DEADLINE));
        bytes memory data = abi.encodeCall(organisations.stopRecoveryBySignature, (3, OPERATION, signed));
        _sends(stranger, data, _noRecovery(3)); // signed before there is anything to object to
        _begins(3, successor, "");
        _pause();
        _watch(address(organisations));
        _sends(stranger, data, "");
        bytes32 selector = IOrganisations.RecoveryStopped.selector;
        _assertLine(abi.encode(selector, _number(1), 3, successor, _controller(3), OPERATION));
        _assertSettled(3);
        _sends(stranger, data, _done(address(organisations), _controller(3), OPERATION));
        _resume();
        _begins(3, successor, "");
        _sends(stranger, data, _done(address(organisations), _controller(3), OPERATION)); // one objection, one recovery
        _assertRecovery(3, successor, FINISHABLE);
    }

    /// @dev Whoever wants the recovery sees the objection's id under way, and uses it up: its own.
    function test_stopRecovery__whose_id_others_used_first__is_done_all_the_same() public {
        ISignedMessages.Signed memory signed =
            _signed(_key(uint32(3)), _objection(3, successor, _controller(3), OPERATION, DEADLINE));
        _sends(council, abi.encodeCall(organisations.beginRecovery, (3, successor, EVIDENCE, OPERATION)), "");
        _sends(registrar, abi.encodeCall(organisations.register, (_newcomers(1), OPERATION)), "");
        _sends(_controller(2), abi.encodeCall(organisations.nominate, (2, stranger, OPERATION)), "");
        uint256 before = vm.snapshotState();
        _sends(stranger, abi.encodeCall(organisations.stopRecoveryBySignature, (3, OPERATION, signed)), "");
        _assertSettled(3);
        vm.revertToState(before);
        _sends(_controller(3), abi.encodeCall(organisations.stopRecovery, (3, OPERATION)), "");
        _assertSettled(3);
    }

    /// @dev Nor can a controller hold up its organisation's recovery, retirement or merger by the ids of these.
    function test_recovery_and_retirement__whose_ids_the_controller_used_first__are_done() public {
        _sends(_controller(5), abi.encodeCall(organisations.nominate, (5, stranger, "recovery")), "");
        _sends(_controller(5), abi.encodeCall(organisations.changeProfile, (5, EVIDENCE, "finish")), "");
        _sends(_controller(5), abi.encodeCall(organisations.nominate, (5, stranger, "retirement")), "");
        _sends(council, abi.encodeCall(organisations.beginRecovery, (5, successor, EVIDENCE, "recovery")), "");
        vm.warp(FINISHABLE);
        _sends(council, abi.encodeCall(organisations.finishRecovery, (5, "finish")), "");
        _assertControl(5, successor);
        _sends(council, abi.encodeCall(organisations.retire, (5, 6, EVIDENCE, "retirement")), "");
        vm.assertTrue(organisations.isRetired(5), "retired");
    }

    function test_stopRecoveryBySignature__of_another_recovery__is_refused() public {
        _begins(3, stranger, "");
        ISignedMessages.Signed memory signed =
            _signed(_key(uint32(3)), _objection(3, successor, _controller(3), OPERATION, DEADLINE));
        bytes memory data = abi.encodeCall(organisations.stopRecoveryBySignature, (3, OPERATION, signed));
        _sends(stranger, data, _invalid(_controller(3))); // it names another successor
        _begins(4, successor, "");
        data = abi.encodeCall(organisations.stopRecoveryBySignature, (4, OPERATION, signed));
        _sends(stranger, data, _invalid(_controller(3))); // and another organisation
    }

    function test_stopRecoveryBySignature__of_any_other__is_refused() public {
        _begins(3, successor, "");
        string[3] memory names = ["council", "successor", "stranger"];
        for (uint256 i = 0; i < 3; ++i) {
            ISignedMessages.Signed memory signed =
                _signed(_key(names[i]), _objection(3, successor, _account(names[i]), OPERATION, DEADLINE));
            bytes memory data = abi.encodeCall(organisations.stopRecoveryBySignature, (3, OPERATION, signed));
            _sends(_controller(3), data, _notController(_account(names[i]), 3));
        }
    }

    // --- finishRecovery

    function test_finishRecovery__by_officers__obeys_the_rules_of_commands() public {
        _begins(3, successor, "");
        vm.warp(FINISHABLE);
        _assertCommand(Command(address(organisations), _writeFinish, COUNCIL_ROLE, 0, 0));
    }

    function test_finishRecovery__around_the_end_of_the_delay__begins_at_the_second() public {
        _begins(3, successor, "");
        bytes4 selector = IOrganisations.OrganisationsRecoveryTooEarly.selector;
        _finishes(3, abi.encodeWithSelector(selector, 3, FINISHABLE));
        vm.warp(FINISHABLE - 1);
        _finishes(3, abi.encodeWithSelector(selector, 3, FINISHABLE));
        vm.warp(FINISHABLE);
        _finishes(3, "");
        _assertControl(3, successor);
    }

    function test_finishRecovery__in_time__moves_the_organisation_and_its_tokens() public {
        _nominates(1, stranger, ""); // by whoever has the key: it counts no longer
        _begins(1, successor, "");
        vm.warp(FINISHABLE);
        bytes32 head = memberships.head();
        _watch(address(organisations));
        vm.prank(council);
        organisations.finishRecovery(1, OPERATION);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        (Vm.Log[] memory journal,) = _journalOf(address(organisations), logs);
        vm.assertEq(journal.length, 1, "lines");
        bytes memory line = _changed(_number(1), 1, successor, _controller(1), true, council);
        vm.assertEq(_preimage(journal[0]), line, "fields of the line");
        (, Vm.Log[] memory echoes) = _journalOf(address(memberships), logs);
        vm.assertEq(echoes.length, 2, "tokens moved");
        bytes32 selector = IERC721.Transfer.selector;
        _assertEcho(echoes[1], abi.encode(selector, _controller(1), successor, (2 << 32) | 1), "");
        vm.assertEq(memberships.head(), head, "history of Memberships");
        _assertControl(1, successor);
        _assertSettled(1);
        vm.assertEq(organisations.organisationOf(_controller(1)), 0, "the lost key acts for none");
        _accepts(stranger, 1, _notNominated(stranger, 1));
        _stops(_controller(1), 1, _notEntitled(_controller(1), 1));
    }

    function test_finishRecovery__none_under_way__is_refused() public {
        _finishes(3, _noRecovery(3));
        _finishes(7, _noRecovery(7));
        _begins(3, successor, "");
        vm.warp(FINISHABLE);
        _finishes(3, "");
        _finishes(3, _noRecovery(3));
    }

    function test_finishRecovery__account_in_use_by_then__is_refused() public {
        _begins(3, successor, "");
        _registers(successor, "");
        vm.warp(FINISHABLE);
        _finishes(3, _inUse(successor, 7));
        _assertControl(3, _controller(3));
        _stops(council, 3, ""); // and begun anew with another
        _begins(3, stranger, "");
    }

    function test_finishRecovery__paused_meanwhile__is_done_afterwards() public {
        _begins(3, successor, "");
        _pause();
        vm.warp(FINISHABLE);
        _finishes(3, abi.encodePacked(IAuthority.AuthorityPaused.selector));
        _resume();
        _finishes(3, "");
        _assertControl(3, successor);
    }

    // --- raced by a rotation

    function test_recovery__a_rotation_before_its_end__ends_it() public {
        _nominates(3, stranger, "");
        _begins(3, successor, "");
        vm.warp(FINISHABLE);
        _accepts(stranger, 3, ""); // in the same block, but first
        _finishes(3, _noRecovery(3));
        _assertControl(3, stranger);
        _assertSettled(3);
    }

    function test_recovery__a_rotation_after_its_end__is_refused() public {
        _nominates(3, stranger, "");
        _begins(3, successor, "");
        vm.warp(FINISHABLE);
        _finishes(3, "");
        _accepts(stranger, 3, _notNominated(stranger, 3));
        _nominatesAs(_controller(3), 3, stranger, _notController(_controller(3), 3));
        _assertControl(3, successor);
    }

    function test_recovery__a_rotation_to_its_own_successor__is_a_rotation() public {
        _begins(3, successor, "");
        _rotates(3, successor);
        _assertSettled(3);
        vm.warp(FINISHABLE);
        _finishes(3, _noRecovery(3));
    }

    function test_recovery__a_nomination_alone__does_not_stop_it() public {
        _begins(3, successor, "");
        _nominates(3, stranger, "");
        _assertRecovery(3, successor, FINISHABLE);
        vm.warp(FINISHABLE);
        _finishes(3, "");
        _assertControl(3, successor);
        _assertSettled(3);
    }

    function _writeBegin(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(organisations.beginRecovery, (3, successor, EVIDENCE, operationId));
    }

    function _writeFinish(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(organisations.finishRecovery, (3, operationId));
    }

    /// @dev The error with which a deployment with this delay ends; empty where it succeeds.
    function _deploymentFailure(uint40 delay) private returns (bytes memory failure) {
        bytes memory code =
            bytes.concat(vm.getCode("Organisations.sol"), abi.encode(authority, memberships, delay));
        address made;
        assembly ("memory-safe") {
            made := create(0, add(code, 32), mload(code))
            if iszero(made) {
                failure := mload(0x40)
                mstore(0x40, add(failure, add(32, returndatasize())))
                mstore(failure, returndatasize())
                returndatacopy(add(failure, 32), 0, returndatasize())
            }
        }
    }
}
