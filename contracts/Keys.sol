// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Short names kept as bytes32
/// @notice A key is 1 to 31 characters of a-z, 0-9, dot, dash and underscore, first and last a
/// letter or digit, padded with zero bytes on the right. It reads the same in a log, in SQL, in a
/// URL and in a spreadsheet.
library Keys {
    error KeysMalformed(bytes32 key);

    function requireWellFormed(bytes32 key) internal pure {
        uint256 length = 0;
        while (length < 32 && key[length] != 0) {
            bytes1 character = key[length];
            bool plain = (character >= "a" && character <= "z") || (character >= "0" && character <= "9");
            if (!plain && character != "." && character != "-" && character != "_") {
                revert KeysMalformed(key);
            }
            if (!plain && (length == 0 || length == 31 || key[length + 1] == 0)) revert KeysMalformed(key);
            unchecked {
                ++length; // at most 32
            }
        }
        // Nothing may follow the first zero byte, and the last byte is always zero.
        if (length == 0 || length == 32 || uint256(key) << (8 * length) != 0) revert KeysMalformed(key);
    }

    /// @dev A key's text, without the padding.
    function text(bytes32 key) internal pure returns (string memory) {
        bytes memory characters = abi.encodePacked(key);
        uint256 length = _length(key);
        assembly ("memory-safe") {
            mstore(characters, length)
        }
        return string(characters);
    }

    /// @dev The keccak256 of a key's text: what EIP-712 takes of a `string`.
    function textHash(bytes32 key) internal pure returns (bytes32 hash) {
        uint256 length = _length(key);
        assembly ("memory-safe") {
            mstore(0x00, key)
            hash := keccak256(0x00, length)
        }
    }

    /// @dev The length without zero bytes at the end, found by halves.
    function _length(bytes32 key) private pure returns (uint256 length) {
        uint256 rest = uint256(key);
        if (rest == 0) return 0;
        length = 32;
        for (uint256 half = 16; half != 0; half /= 2) {
            if (rest << (256 - 8 * half) == 0) (rest, length) = (rest >> (8 * half), length - half);
        }
    }
}
