// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJournal} from "./interfaces/IJournal.sol";

/// @title Keeps sequence, head and the operations that were done
/// @notice A command takes up the pen, writes one line for each event, and puts the pen down. The
/// pen is in memory, so that a batch writes head and sequence to storage once.
abstract contract Journal is IJournal {
    /// @custom:storage-location erc7201:moonlake.storage.Journal
    struct JournalStorage {
        bytes32 head;
        uint64 sequence;
        mapping(address actor => mapping(bytes32 operationId => uint64 sequence)) operations;
    }

    /// @dev The line being written: `sequence` is the last one written, `head` the head after it.
    struct Pen {
        uint64 sequence;
        bytes32 head;
    }

    /// @dev keccak256(abi.encode(uint256(keccak256("moonlake.storage.Journal")) - 1)) & ~0xff, written out
    /// since the compiler would compute it anew at each use.
    bytes32 private constant JOURNAL_SLOT = 0xc816c54a1e0154fd1b08dead1018bf473b90767e12452430260ae78449075200;

    /// @inheritdoc IJournal
    function head() external view returns (bytes32) {
        return _journal().head;
    }

    /// @inheritdoc IJournal
    function sequence() external view returns (uint64) {
        return _journal().sequence;
    }

    /// @inheritdoc IJournal
    function operationSequence(address actor, bytes32 operationId) external view returns (uint64) {
        return _journal().operations[actor][operationId];
    }

    /// @dev Takes up the pen for an actor's command. Refuses an operation that it did before.
    /// @param actor by whose right: the sender, or who signed the message
    function _begin(address actor, bytes32 operationId) internal returns (Pen memory pen) {
        pen = _pen();
        _use(pen, actor, operationId);
    }

    /// @dev Counts an actor's operation as done by the next line. Refuses one that was done before.
    function _use(Pen memory pen, address actor, bytes32 operationId) internal {
        _requireNew(actor, operationId);
        _journal().operations[actor][operationId] = pen.sequence + 1;
    }

    function _requireNew(address actor, bytes32 operationId) internal view {
        if (operationId == 0) revert JournalOperationIdMissing();
        uint64 done = _journal().operations[actor][operationId];
        if (done != 0) revert JournalOperationDone(operationId, done);
    }

    /// @dev Takes up the pen for a change that a standard's own function makes, which has no
    /// operation id (renouncing a role, transferring the default admin).
    function _pen() internal view returns (Pen memory) {
        JournalStorage storage journal = _journal();
        return Pen(journal.sequence, journal.head);
    }

    /// @dev The sequence number of the line to be written next.
    function _next(Pen memory pen) internal pure returns (uint64) {
        unchecked {
            return pen.sequence + 1; // 2^64 lines are never written
        }
    }

    /// @dev Writes a line and gives the head after it.
    function _write(Pen memory pen, bytes32 eventHash) internal pure returns (bytes32) {
        pen.sequence = _next(pen);
        return pen.head = _fold(pen.head, eventHash);
    }

    /// @dev Puts the pen down.
    function _end(Pen memory pen) internal {
        JournalStorage storage journal = _journal();
        journal.head = pen.head;
        journal.sequence = pen.sequence;
    }

    /// @dev The head after a line, from the head before it.
    function _fold(bytes32 headBefore, bytes32 eventHash) internal pure returns (bytes32 result) {
        assembly ("memory-safe") {
            mstore(0x00, headBefore)
            mstore(0x20, eventHash)
            result := keccak256(0x00, 0x40)
        }
    }

    function _journal() private pure returns (JournalStorage storage journal) {
        bytes32 slot = JOURNAL_SLOT;
        assembly ("memory-safe") {
            journal.slot := slot
        }
    }
}
