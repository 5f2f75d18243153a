// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Each programme's credits as wallets see them
/// @notice A wallet shows an account's balance if it finds an ERC-20 token. Each programme can have
/// one, at an address that follows from the programme's id. It only reads: nothing of the ledger
/// stands in it or depends on it.
interface ICreditTokens {
    /// @notice A programme's token was put on the chain; not a journal line, since it is a fact of
    /// nothing but itself.
    event CreditTokenCreated(uint16 indexed programmeId, address token);

    error CreditTokensExists(uint16 programmeId, address token);

    /// @notice Puts a programme's token on the chain. Anybody, once.
    function create(uint16 programmeId) external returns (address token);

    /// @notice The address of a programme's token, whether it is there yet or not.
    function tokenOf(uint16 programmeId) external view returns (address);
}
