// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignedMessages} from "../../contracts/interfaces/ISignedMessages.sol";
import {Cheats} from "./Vm.sol";

/// @title Signs messages by EIP-712, written out from the standard
abstract contract Signing is Cheats {
    bytes32 private constant DOMAIN =
        keccak256("EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)");

    /// @dev The order of secp256k1.
    uint256 internal constant ORDER = 0xfffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141;

    /// @dev A message signed by a key.
    /// @param name of the target's domain, as in "Moonlake Credits"
    /// @param message the message's hash: of its type's hash, its fields and the deadline
    function _signed(uint256 key, address target, string memory name, bytes32 message, uint256 deadline)
        internal
        view
        returns (ISignedMessages.Signed memory)
    {
        return _signedFor(abi.encodePacked(vm.addr(key)), key, _digest(target, name, message), deadline);
    }

    /// @dev A digest signed by a key for a signer: a wallet of the key's, a verifier with its key.
    function _signedFor(bytes memory signer, uint256 key, bytes32 digest, uint256 deadline)
        internal
        pure
        returns (ISignedMessages.Signed memory)
    {
        return ISignedMessages.Signed(signer, deadline, _sign(key, digest));
    }

    function _sign(uint256 key, bytes32 digest) internal pure returns (bytes memory) {
        (uint8 v, bytes32 r, bytes32 s) = vm.sign(key, digest);
        return abi.encodePacked(r, s, v);
    }

    /// @dev The other signature that the same one is easily made into, with a high s.
    function _malleated(bytes memory signature) internal pure returns (bytes memory) {
        bytes32 r;
        uint256 s;
        uint8 v;
        assembly ("memory-safe") {
            r := mload(add(signature, 32))
            s := mload(add(signature, 64))
            v := byte(0, mload(add(signature, 96)))
        }
        return abi.encodePacked(r, ORDER - s, v == 27 ? 28 : 27);
    }

    function _digest(address target, string memory name, bytes32 message) internal view returns (bytes32) {
        bytes32 separator =
            keccak256(abi.encode(DOMAIN, keccak256(bytes(name)), keccak256("1"), block.chainid, target));
        return keccak256(abi.encodePacked(hex"1901", separator, message));
    }
}
