// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {IERC5192} from "../../contracts/interfaces/IERC5192.sol";
import {IERC7572} from "../../contracts/interfaces/IERC7572.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {Cheats, Vm} from "./Vm.sol";

/// @title Reads journals from raw logs by the rule in IJournal.sol, and by nothing else
/// @notice An event is expected as the words of its hash: its selector and all its fields, the head
/// left out. So one comparison holds every field, and the same words give the head.
abstract contract Lines is Cheats {
    address private _watched;
    bytes32 private _head;
    uint64 private _sequence;

    /// @dev From here on `_assertLines` looks at this contract's logs.
    function _watch(address target) internal {
        _watched = target;
        _head = IJournal(target).head();
        _sequence = IJournal(target).sequence();
        vm.recordLogs();
    }

    /// @dev The number of the journal line that comes n-th since `_watch`.
    function _number(uint64 n) internal view returns (uint64) {
        return _sequence + n;
    }

    function _assertLine(bytes memory words) internal returns (Vm.Log[] memory) {
        bytes[] memory lines = new bytes[](1);
        lines[0] = words;
        return _assertLines(lines);
    }

    /// @dev Checks that the watched contract wrote these lines and no others since `_watch`, and that
    /// its head and sequence are those that follow from them. Returns its other logs, the echoes.
    function _assertLines(bytes[] memory lines) internal returns (Vm.Log[] memory echoes) {
        Vm.Log[] memory journal;
        (journal, echoes) = _journalOf(_watched, vm.getRecordedLogs());
        vm.assertEq(journal.length, lines.length, "number of journal lines");
        for (uint256 i = 0; i < lines.length; ++i) {
            vm.assertEq(_preimage(journal[i]), lines[i], "fields of the line");
        }
        (_head, _sequence) = _follow(_head, _sequence, journal);
        vm.assertEq(IJournal(_watched).head(), _head, "head of the contract");
        vm.assertEq(IJournal(_watched).sequence(), _sequence, "sequence of the contract");
    }

    /// @dev Follows a journal from a head and sequence on, checking each line's own.
    function _follow(bytes32 head, uint64 sequence, Vm.Log[] memory journal)
        internal
        pure
        returns (bytes32, uint64)
    {
        for (uint256 i = 0; i < journal.length; ++i) {
            head = keccak256(abi.encode(head, keccak256(_preimage(journal[i]))));
            ++sequence;
            vm.assertEq(uint256(journal[i].topics[1]), sequence, "sequence of the line");
            vm.assertEq(_lastWord(journal[i].data), head, "head of the line");
        }
        return (head, sequence);
    }

    /// @dev A contract's journal lines and its other logs.
    function _journalOf(address target, Vm.Log[] memory logs)
        internal
        pure
        returns (Vm.Log[] memory journal, Vm.Log[] memory echoes)
    {
        journal = new Vm.Log[](logs.length);
        echoes = new Vm.Log[](logs.length);
        uint256 lines = 0;
        uint256 others = 0;
        for (uint256 i = 0; i < logs.length; ++i) {
            if (logs[i].emitter != target) continue;
            if (_isEcho(logs[i].topics[0])) echoes[others++] = logs[i];
            else journal[lines++] = logs[i];
        }
        assembly ("memory-safe") {
            mstore(journal, lines)
            mstore(echoes, others)
        }
    }

    function _assertEcho(Vm.Log memory log, bytes memory topics, bytes memory data) internal pure {
        vm.assertEq(abi.encodePacked(log.topics), topics, "topics of the echo");
        vm.assertEq(log.data, data, "data of the echo");
    }

    /// @dev topics[0] ‖ topics[1] ‖ … ‖ data without its last 32 bytes.
    function _preimage(Vm.Log memory log) internal pure returns (bytes memory) {
        bytes memory data = log.data;
        bytes memory kept = new bytes(data.length - 32);
        for (uint256 i = 32; i <= kept.length; i += 32) {
            assembly ("memory-safe") {
                mstore(add(kept, i), mload(add(data, i)))
            }
        }
        return abi.encodePacked(log.topics, kept);
    }

    function _lastWord(bytes memory data) private pure returns (bytes32 word) {
        assembly ("memory-safe") {
            word := mload(add(data, mload(data)))
        }
    }

    /// @dev Whether an event is a standard's own and no journal line.
    function _isEcho(bytes32 selector) private pure returns (bool) {
        return selector == IAccessControl.RoleGranted.selector || selector == IAccessControl.RoleRevoked.selector
            || selector == IAccessControlDefaultAdminRules.DefaultAdminTransferScheduled.selector
            || selector == IAccessControlDefaultAdminRules.DefaultAdminTransferCanceled.selector
            || selector == IAccessControlDefaultAdminRules.DefaultAdminDelayChangeScheduled.selector
            || selector == IAccessControlDefaultAdminRules.DefaultAdminDelayChangeCanceled.selector
            || selector == Pausable.Paused.selector || selector == Pausable.Unpaused.selector
            || selector == IERC721.Transfer.selector || selector == IERC5192.Locked.selector
            || selector == IERC4906.MetadataUpdate.selector || selector == IERC4906.BatchMetadataUpdate.selector
            || selector == IERC7572.ContractURIUpdated.selector || selector == ICouncil.ProposalCalls.selector;
    }
}
