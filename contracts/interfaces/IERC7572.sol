// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ERC-7572, metadata of a contract
interface IERC7572 {
    /// @notice The contract's metadata are found elsewhere, or are others.
    event ContractURIUpdated();

    /// @notice Where the contract's metadata are found.
    function contractURI() external view returns (string memory);
}
