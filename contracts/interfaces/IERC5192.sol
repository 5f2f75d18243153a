// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title ERC-5192, minimal soulbound tokens
interface IERC5192 {
    /// @notice The token was locked: it cannot be transferred.
    event Locked(uint256 tokenId);

    /// @notice The token was unlocked. Never emitted here.
    event Unlocked(uint256 tokenId);

    /// @notice Whether the token is locked. Reverts for a token that does not exist.
    function locked(uint256 tokenId) external view returns (bool);
}
