// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The names of roles, and a role's bytes
/// @notice A role is a name in the high bytes and a programme in the low two, so that anybody can
/// read it in a log. Programme 0 is the whole alliance: its officers count in every programme.
library Roles {
    /// @notice Keeps the roll: registers organisations, admits, renews, suspends, revokes.
    bytes32 internal constant REGISTRAR = "registrar";
    /// @notice Awards credits within a budget.
    bytes32 internal constant ISSUER = "issuer";
    /// @notice Gives issuers their budgets.
    bytes32 internal constant TREASURER = "treasurer";
    /// @notice Sets a programme's rules; awards without a budget; reverses. Held by a programme's seat,
    /// which acts as its councillors decide (Council.sol); a small alliance may give it to a person.
    bytes32 internal constant COUNCIL = "council";
    /// @notice Proposes, approves and executes what the seat of its programme does.
    bytes32 internal constant COUNCILLOR = "councillor";
    /// @notice Stops the ledger in an emergency; cancels proposals.
    bytes32 internal constant GUARDIAN = "guardian";

    uint16 internal constant ALLIANCE_WIDE = 0;

    function inProgramme(bytes32 name, uint16 programmeId) internal pure returns (bytes32) {
        return name | bytes32(uint256(programmeId));
    }

    function known(bytes32 name) internal pure returns (bool) {
        return name == REGISTRAR || name == ISSUER || name == TREASURER || name == COUNCIL || name == COUNCILLOR
            || name == GUARDIAN;
    }
}
