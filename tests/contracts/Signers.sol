// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";
import {IERC7913SignatureVerifier} from "@openzeppelin/contracts/interfaces/IERC7913.sol";

function _recovered(bytes32 hash, bytes calldata signature) pure returns (address) {
    return ecrecover(hash, uint8(signature[64]), bytes32(signature[:32]), bytes32(signature[32:64]));
}

/// @title A wallet that one key signs for (ERC-1271)
contract Wallet is IERC1271 {
    address private immutable _key;

    constructor(address key) {
        _key = key;
    }

    function send(address target, bytes calldata data) external returns (bool done, bytes memory answer) {
        return target.call(data);
    }

    function isValidSignature(bytes32 hash, bytes calldata signature) external view returns (bytes4) {
        return _recovered(hash, signature) == _key ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}

/// @title Checks signatures of keys that have no account (ERC-7913): here 20 bytes and a salt
contract Verifier is IERC7913SignatureVerifier {
    function verify(bytes calldata key, bytes32 hash, bytes calldata signature) external pure returns (bytes4) {
        bool right = _recovered(hash, signature) == address(bytes20(key[:20]));
        return right ? IERC7913SignatureVerifier.verify.selector : bytes4(0xffffffff);
    }
}

/// @title A wallet that tries to give a command while it is asked about a signature
contract ReentrantWallet {
    address private immutable _target;
    bytes private _data;

    constructor(address target) {
        _target = target;
    }

    function prepare(bytes calldata data) external {
        _data = data;
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        (bool done,) = _target.call(_data);
        return done ? IERC1271.isValidSignature.selector : bytes4(0xffffffff);
    }
}
