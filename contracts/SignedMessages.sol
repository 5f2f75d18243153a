// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ISignedMessages} from "./interfaces/ISignedMessages.sol";
import {Journal} from "./Journal.sol";

/// @title Checks signed messages
/// @dev A message's operation id is used up in the journal, so nothing else is kept of it. Every message
/// names its account: one key can serve several, and then signs for one of them.
abstract contract SignedMessages is ISignedMessages, Journal, EIP712 {
    /// @notice No message is good for longer: one that was forgotten should not count years later.
    uint256 public constant MAX_VALIDITY = 180 days;

    bytes32 private constant CANCELLATION =
        keccak256("Cancellation(address account,bytes32 operationId,uint256 deadline)");

    /// @dev Hashed before a signer, so that its account is nobody's address: without it, a key of 64 bytes
    /// would be an account that has a private key.
    bytes private constant SIGNER_PREFIX = "moonlake.signer";

    mapping(address account => mapping(bytes32 operationId => bool)) private _cancelled;

    /// @param name the domain's name, as wallets show it: `Moonlake Credits`
    constructor(string memory name) EIP712(name, "1") {}

    /// @inheritdoc ISignedMessages
    function cancelMessage(bytes32 operationId) external {
        _cancel(msg.sender, operationId);
    }

    /// @inheritdoc ISignedMessages
    function cancelMessageBySignature(bytes32 operationId, Signed calldata signed) external {
        address account = accountOf(signed.signer);
        bytes32 message = keccak256(abi.encode(CANCELLATION, account, operationId, signed.deadline));
        _requireSigned(account, operationId, message, signed);
        _cancel(account, operationId);
    }

    /// @inheritdoc ISignedMessages
    function isCancelled(address account, bytes32 operationId) external view returns (bool) {
        return _cancelled[account][operationId];
    }

    /// @inheritdoc ISignedMessages
    function accountOf(bytes calldata signer) public pure returns (address) {
        if (signer.length < 20) revert SignedSignerMalformed(signer.length);
        if (signer.length == 20) return address(bytes20(signer));
        return address(uint160(uint256(keccak256(bytes.concat(SIGNER_PREFIX, signer)))));
    }

    /// @dev Checks that a message is signed, in time, and not cancelled.
    /// @param account that of `signed.signer`
    /// @param message the EIP-712 hash of the message, with `account` and `signed.deadline` in it
    function _requireSigned(address account, bytes32 operationId, bytes32 message, Signed calldata signed)
        internal
        view
    {
        if (block.timestamp > signed.deadline) revert SignedExpired(signed.deadline, block.timestamp);
        uint256 latest = block.timestamp + MAX_VALIDITY;
        if (signed.deadline > latest) revert SignedDeadlineTooFar(signed.deadline, latest);
        if (_cancelled[account][operationId]) revert SignedCancelled(account, operationId);
        _requireVerifier(signed.signer);
        bytes32 digest = _hashTypedDataV4(message);
        if (!SignatureChecker.isValidSignatureNow(signed.signer, digest, signed.signature)) {
            revert SignedInvalid(account);
        }
    }

    /// @dev Refused as done where the message counted already: to cancel it was too late.
    function _cancel(address account, bytes32 operationId) private {
        _requireNew(account, operationId);
        if (_cancelled[account][operationId]) revert SignedCancelled(account, operationId);
        _cancelled[account][operationId] = true;
        Pen memory pen = _pen();
        uint64 line = _next(pen);
        bytes32 head = _write(pen, keccak256(abi.encode(MessageCancelled.selector, line, account, operationId)));
        emit MessageCancelled(line, account, operationId, head);
        _end(pen);
    }

    /// @dev An address without code answers nothing, or, where it is a precompiled contract, something
    /// that means no signature.
    function _requireVerifier(bytes calldata signer) private view {
        if (signer.length == 20) return;
        address verifier = address(bytes20(signer));
        if (verifier.code.length == 0) revert SignedVerifierMissing(verifier);
    }
}
