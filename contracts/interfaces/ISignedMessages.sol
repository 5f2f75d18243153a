// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Commands by signed message
/// @notice A person signs a message (EIP-712) instead of sending a transaction; anybody brings it to
/// the chain. It names the account that it is signed for and that account's operation, which the
/// journal refuses the second time, so that it counts once; messages need no order. It is good until
/// its deadline and until its signer cancels it. One with a deadline more than MAX_VALIDITY ahead is
/// refused until the deadline is near enough: it sleeps, and is cancelled rather than forgotten.
///
/// Rights are looked at when a message comes, not when it was signed: one from before a rotation or a
/// dismissal counts again if its account gets the right back within the deadline. Who gives up a right
/// cancels its messages.
///
/// A signer of 20 bytes is an account: a key, or a contract wallet (ERC-1271). A longer one is a
/// verifier and a key by ERC-7913, such as a passkey's; it acts as the account that `accountOf`
/// gives, which nobody has a private key of. An account whose key delegated to code (EIP-7702) is asked
/// as a contract wallet: the code must answer by ERC-1271.
interface ISignedMessages {
    /// @param signer who signs, 20 bytes or more
    /// @param deadline the last second in which it is good (since 1970 UTC)
    /// @param signature the signature over the message
    struct Signed {
        bytes signer;
        uint256 deadline;
        bytes signature;
    }

    /// @notice An account's message, signed or not yet signed, is good no longer.
    event MessageCancelled(
        uint64 indexed sequence, address indexed account, bytes32 indexed operationId, bytes32 head
    );

    /// @notice The message was good until its deadline.
    error SignedExpired(uint256 deadline, uint256 time);
    /// @notice The message would be good for too long; `latest` is the last deadline now.
    error SignedDeadlineTooFar(uint256 deadline, uint256 latest);
    /// @notice A signer's verifier has no code.
    error SignedVerifierMissing(address verifier);
    /// @notice The signature is not the signer's, or not over this message.
    error SignedInvalid(address account);
    /// @notice The signer cancelled the message with this operation id.
    error SignedCancelled(address account, bytes32 operationId);
    /// @notice A signer has 20 bytes or more.
    error SignedSignerMalformed(uint256 length);

    /// @notice Makes the sender's message with this operation id worthless. Also while the ledger is
    /// paused. Reverts with JournalOperationDone where it is too late.
    ///
    /// Anybody can cancel ids of its own, which nobody else uses: each is a journal line, and in Credits
    /// takes the number of an entry, at its sender's cost. Where gas costs nothing, limit it at the node.
    function cancelMessage(bytes32 operationId) external;

    /// @notice The same by signed message, for signers that send no transactions:
    /// `Cancellation(address account,bytes32 operationId,uint256 deadline)`.
    function cancelMessageBySignature(bytes32 operationId, Signed calldata signed) external;

    /// @notice Whether the account cancelled its message with this operation id.
    function isCancelled(address account, bytes32 operationId) external view returns (bool);

    /// @notice The account that a signer acts as: the signer itself if it has 20 bytes, else the last
    /// 20 bytes of keccak256("moonlake.signer" ‖ signer).
    function accountOf(bytes calldata signer) external pure returns (address);
}
