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
}
