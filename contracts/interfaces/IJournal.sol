// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title A contract's numbered and chained history
/// @notice Every change of state emits one journal event. A journal event's first field is its
/// sequence number (indexed; from 1, without gaps), its indexed fields come before the others, all
/// its fields are of static types, and its last field is `head`.
///
/// With `topics` and `data` as in the log:
///
///     eventHash = keccak256(topics[0] ‖ topics[1] ‖ … ‖ data without its last 32 bytes)
///     head      = keccak256(head before ‖ eventHash), the first head before being zero
///
/// so that a head can be recomputed from raw logs, and one storage slot proves a whole history.
/// An actor's operation is done once in a contract. Its id is its actor's own: nobody can use up
/// another's, which is public as soon as its transaction, message or proposal is. So it is no id over all
/// actors: who gives the same command again gives it as the same actor, or it is done twice.
///
/// Head and sequence stand in the ERC-7201 slot of `moonlake.storage.Journal`, the same in every
/// contract: the head in the slot itself, the sequence in the next.
interface IJournal {
    /// @notice A command came without an operation id.
    error JournalOperationIdMissing();

    /// @notice Its actor did the operation before.
    /// @param operationId the id it came with
    /// @param sequence the first journal event that the operation caused
    error JournalOperationDone(bytes32 operationId, uint64 sequence);

    /// @notice The hash over the whole history.
    function head() external view returns (bytes32);

    /// @notice How many journal events there are.
    function sequence() external view returns (uint64);

    /// @notice The first journal event of an actor's operation; 0 where it was not done.
    /// @param actor by whose right: the sender, or who signed the message
    function operationSequence(address actor, bytes32 operationId) external view returns (uint64);
}
