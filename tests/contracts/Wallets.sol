// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC1271} from "@openzeppelin/contracts/interfaces/IERC1271.sol";

// Controllers that are contracts and mean harm. They do not inherit IERC1271, whose function could
// not be declared as one that changes state.

/// @title Calls back while it is asked for its signature; refuses if the call did anything
contract CallingWallet {
    address private _target;
    bytes private _data;

    function prepare(address target, bytes calldata data) external {
        (_target, _data) = (target, data);
    }

    function isValidSignature(bytes32, bytes calldata) external returns (bytes4) {
        (bool done,) = _target.call{gas: 1_000_000}(_data);
        return done ? bytes4(0xffffffff) : IERC1271.isValidSignature.selector;
    }
}

/// @title Reverts with what would be the right answer
contract RevertingWallet {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        bytes32 answer = IERC1271.isValidSignature.selector;
        assembly ("memory-safe") {
            mstore(0, answer)
            revert(0, 32)
        }
    }
}

/// @title Burns all the gas that it gets
contract BurningWallet {
    function isValidSignature(bytes32, bytes calldata) external pure returns (bytes4) {
        while (true) {}
        return IERC1271.isValidSignature.selector;
    }
}
