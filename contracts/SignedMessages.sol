// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {SignatureChecker} from "@openzeppelin/contracts/utils/cryptography/SignatureChecker.sol";
import {ISignedMessages} from "./interfaces/ISignedMessages.sol";
import {Journal} from "./Journal.sol";

/// @title Checks signed messages
/// @dev A message's operation id is used up in the journal, so nothing else is kept of it.
abstract contract SignedMessages is ISignedMessages, Journal, EIP712 {
    bytes32 private constant CANCELLATION = keccak256("Cancellation(bytes32 operationId,uint256 deadline)");

    mapping(address account => mapping(bytes32 operationId => bool)) private _cancelled;

    /// @param name the domain's name, as wallets show it: `Moonlake Credits`
    constructor(string memory name) EIP712(name, "1") {}

    /// @inheritdoc ISignedMessages
    function cancelMessage(bytes32 operationId) external {
        _cancel(msg.sender, operationId);
    }

    /// @inheritdoc ISignedMessages
    function cancelMessageBySignature(bytes32 operationId, Signed calldata signed) external {
        bytes32 message = keccak256(abi.encode(CANCELLATION, operationId, signed.deadline));
        _cancel(_requireSigned(operationId, message, signed), operationId);
    }

    /// @inheritdoc ISignedMessages
    function isCancelled(address account, bytes32 operationId) external view returns (bool) {
        return _cancelled[account][operationId];
    }

    /// @inheritdoc ISignedMessages
    function accountOf(bytes calldata signer) public pure returns (address) {
        if (signer.length < 20) revert SignedSignerMalformed(signer.length);
        return signer.length == 20 ? address(bytes20(signer)) : address(uint160(uint256(keccak256(signer))));
    }

    /// @dev Checks that a message is signed, in time, and not cancelled. Gives the account that signed.
    /// @param message the EIP-712 hash of the message, with `signed.deadline` in it
    function _requireSigned(bytes32 operationId, bytes32 message, Signed calldata signed)
        internal
        view
        returns (address account)
    {
        account = accountOf(signed.signer);
        if (block.timestamp > signed.deadline) revert SignedExpired(signed.deadline, block.timestamp);
        if (_cancelled[account][operationId]) revert SignedCancelled(account, operationId);
        bytes32 digest = _hashTypedDataV4(message);
        if (!SignatureChecker.isValidSignatureNow(signed.signer, digest, signed.signature)) {
            revert SignedInvalid(account);
        }
    }

    /// @dev Refused as done where the message counted already: to cancel it was too late.
    function _cancel(address account, bytes32 operationId) private {
        _requireNew(operationId);
        if (_cancelled[account][operationId]) revert SignedCancelled(account, operationId);
        _cancelled[account][operationId] = true;
        Pen memory pen = _pen();
        uint64 line = _next(pen);
        bytes32 head = _write(pen, keccak256(abi.encode(MessageCancelled.selector, line, account, operationId)));
        emit MessageCancelled(line, account, operationId, head);
        _end(pen);
    }
}
