// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The read-only ERC-20 face of one programme's credits
/// @notice Balances are of the organisation that an account acts for, and move with it: no Transfer is
/// ever emitted, since the history is in Credits. A debt is shown as zero; the total supply is what is
/// outstanding, debts deducted, and so it can be less than the balances together.
interface ICreditToken {
    /// @notice Credits are awarded and redeemed, not transferred or approved.
    error CreditTokenReadOnly();

    function programmeId() external view returns (uint16);
}
