// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {IBenefits} from "../../contracts/interfaces/IBenefits.sol";
import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {IShares} from "../../contracts/interfaces/IShares.sol";
import {Stage} from "./Stage.sol";

/// @title What holds for every command: who may give it, once, and not while the ledger is paused
abstract contract Commands is Stage {
    /// @param target the contract
    /// @param write gives the call, for an operation id and the account that will make it
    /// @param role whose holders may give it
    /// @param orRole another role whose holders may; zero for none
    /// @param programmeId of which programme they must be; 0 where they must be alliance-wide
    struct Command {
        address target;
        function(bytes32, address) returns (bytes memory) write;
        bytes32 role;
        bytes32 orRole;
        uint16 programmeId;
    }

    /// @dev Leaves the state as it was.
    function _assertCommand(Command memory command) internal {
        uint256 before = vm.snapshotState();
        _assertRights(command);
        vm.revertToState(before);
        _assertOnce(command);
        vm.revertToState(before);
        _assertStopsWhilePaused(command);
        vm.revertToState(before);
    }

    /// @dev All six roles, in the programme, in the whole alliance, in another programme; and none.
    function _assertRights(Command memory command) private {
        bytes32[6] memory names =
            [REGISTRAR_ROLE, ISSUER_ROLE, TREASURER_ROLE, COUNCIL_ROLE, COUNCILLOR_ROLE, GUARDIAN_ROLE];
        uint16[3] memory scopes = [command.programmeId, 0, command.programmeId == SECOND ? FIRST : SECOND];
        for (uint256 i = 0; i < names.length; ++i) {
            bool named = names[i] == command.role || names[i] == command.orRole;
            for (uint256 j = 0; j < scopes.length; ++j) {
                bool inScope = scopes[j] == command.programmeId || scopes[j] == 0;
                uint256 before = vm.snapshotState();
                address officer = _account("officer");
                _appoint(names[i], scopes[j], officer);
                _call(command, officer, named && inScope ? bytes("") : _roleMissing(command, officer));
                vm.revertToState(before);
            }
        }
        _call(command, stranger, _roleMissing(command, stranger));
    }

    function _assertOnce(Command memory command) private {
        address officer = _officerFor(command);
        // An id that the officer used in another contract is new to this one.
        bytes32 operationId = _operation();
        _useElsewhere(command.target, officer, operationId);
        bytes memory data = command.write(operationId, officer);
        bytes memory nameless = command.write(0, officer);
        uint64 first = IJournal(command.target).sequence() + 1;
        _send(command.target, officer, nameless, abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
        vm.assertEq(IJournal(command.target).operationSequence(officer, operationId), 0, "operation not yet done");
        // Nor is one done that others used in this contract: they used their own.
        _useByAnother(command.target, operationId);
        vm.assertEq(IJournal(command.target).operationSequence(officer, operationId), 0, "the officer's, not yet");
        first = IJournal(command.target).sequence() + 1;
        _send(command.target, officer, data, "");
        vm.assertEq(
            IJournal(command.target).operationSequence(officer, operationId), first, "operation's first line"
        );
        // Refused as done before, whatever else stands against it by now.
        bytes memory done = abi.encodeWithSelector(IJournal.JournalOperationDone.selector, operationId, first);
        _send(command.target, officer, data, done);
        vm.assertEq(
            IJournal(command.target).operationSequence(officer, operationId),
            first,
            "operation's first line, still"
        );
    }

    function _assertStopsWhilePaused(Command memory command) private {
        address officer = _officerFor(command);
        bytes memory data = command.write(_operation(), officer);
        _pause();
        _send(command.target, officer, data, abi.encodePacked(IAuthority.AuthorityPaused.selector));
        _resume();
        _send(command.target, officer, data, "");
    }

    function _officerFor(Command memory command) private returns (address officer) {
        officer = _account("officer");
        _appoint(command.role, command.programmeId, officer);
    }

    function _useElsewhere(address target, address officer, bytes32 id) private {
        _appoint(COUNCIL_ROLE, SECOND, officer);
        bool there = target != address(programmes);
        bytes memory data = there
            ? abi.encodeCall(programmes.changeProfile, (SECOND, EVIDENCE, id))
            : abi.encodeCall(credits.award, (SECOND, _awards(1, 1), id));
        _send(there ? address(programmes) : address(credits), officer, data, "");
        bytes32 dismissal = _operation();
        vm.prank(admin);
        authority.dismiss(COUNCIL_ROLE, SECOND, officer, dismissal);
    }

    /// @dev Another officer sees the command under way, and gives one of its own by its id.
    function _useByAnother(address target, bytes32 id) private {
        uint40 time = uint40(block.timestamp);
        if (target == address(programmes)) {
            _send(target, council, abi.encodeCall(programmes.changeProfile, (SECOND, EVIDENCE, id)), "");
        } else if (target == address(organisations)) {
            _send(target, registrar, abi.encodeCall(organisations.changeProfile, (6, EVIDENCE, id)), "");
        } else if (target == address(memberships)) {
            _send(target, council, abi.encodeCall(memberships.changeMetadataBase, ("base", id)), "");
        } else if (target == address(credits)) {
            _send(target, council, abi.encodeCall(credits.award, (SECOND, _awards(1, 1), id)), "");
        } else if (target == address(benefits)) {
            IBenefits.Listing memory listing = IBenefits.Listing(SECOND, 1, 1, 1, time, EXPIRY, EVIDENCE);
            _send(target, council, abi.encodeCall(benefits.list, (listing, id)), "");
        } else if (target == address(shares)) {
            IShares.Distribution memory terms =
                IShares.Distribution(SECOND, 1, 1, DATA, EVIDENCE, EVIDENCE, time + 1 days, time + 2 days);
            _send(target, council, abi.encodeCall(shares.post, (terms, EVIDENCE, id)), "");
        } else {
            _appoint(COUNCILLOR_ROLE, SECOND, council);
            ICouncil.Call[] memory calls = new ICouncil.Call[](1);
            calls[0] = ICouncil.Call(address(programmes), abi.encodeCall(programmes.programmeCount, ()));
            _send(
                target, council, abi.encodeCall(councils.propose, (SECOND, calls, time + 1 days, EVIDENCE, id)), ""
            );
        }
    }

    function _roleMissing(Command memory command, address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IAuthority.AuthorityRoleMissing.selector, account, command.role, command.programmeId
        );
    }

    function _call(Command memory command, address sender, bytes memory failure) private {
        _send(command.target, sender, command.write(_operation(), sender), failure);
    }

    /// @dev Makes a call that must fail so; empty where it must succeed.
    function _send(address target, address sender, bytes memory data, bytes memory failure) internal {
        vm.prank(sender);
        (bool done, bytes memory answer) = target.call(data);
        if (failure.length == 0 && !done) {
            assembly ("memory-safe") {
                revert(add(answer, 32), mload(answer))
            }
        }
        vm.assertEq(done, failure.length == 0, "success of the call");
        if (!done) vm.assertEq(answer, failure, "error of the call");
    }
}
