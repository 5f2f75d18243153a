// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Times, in seconds since 1970 UTC
library Times {
    /// @notice 9999-12-31T23:59:59Z, the last second that RFC 3339, SQL and most calendars can write.
    /// A later one in a log would be a fact that no reader can show.
    uint40 internal constant LAST = 253_402_300_799;

    function later(uint40 one, uint40 other) internal pure returns (uint40) {
        return one > other ? one : other;
    }
}
