// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Merkle trees of shares, as OpenZeppelin's standard tree has them
/// @notice A complete binary tree in an array: the root first, the children of node i at 2i+1 and
/// 2i+2, the leaves last, sorted, the lowest at the end. Pairs are sorted before they are hashed.
abstract contract Trees {
    /// @dev A tree over the leaves, which come in any order.
    function _tree(bytes32[] memory leaves) internal pure returns (bytes32[] memory nodes) {
        uint256 count = leaves.length;
        bytes32[] memory sorted = _sorted(leaves);
        nodes = new bytes32[](2 * count - 1);
        for (uint256 i = 0; i < count; ++i) {
            nodes[nodes.length - 1 - i] = sorted[i];
        }
        for (uint256 i = count - 1; i > 0; --i) {
            nodes[i - 1] = _pair(nodes[2 * i - 1], nodes[2 * i]);
        }
    }

    /// @dev The proof of a leaf: the siblings from it up to below the root.
    function _proof(bytes32[] memory nodes, bytes32 leaf) internal pure returns (bytes32[] memory proof) {
        uint256 place = 0;
        while (place < nodes.length && (nodes[place] != leaf || 2 * place + 1 < nodes.length)) ++place;
        require(place < nodes.length, "no such leaf");
        proof = new bytes32[](64);
        uint256 length = 0;
        for (; place > 0; place = (place - 1) / 2) {
            proof[length++] = nodes[place % 2 == 1 ? place + 1 : place - 1];
        }
        assembly ("memory-safe") {
            mstore(proof, length)
        }
    }

    /// @dev The leaf that is specified in IShares.sol.
    function _leaf(uint16 programmeId, uint32 epoch, uint32 orgId, uint64 amount) internal pure returns (bytes32) {
        return keccak256(abi.encode(keccak256(abi.encode(programmeId, epoch, orgId, amount))));
    }

    function _pair(bytes32 one, bytes32 other) internal pure returns (bytes32) {
        return one < other ? keccak256(abi.encode(one, other)) : keccak256(abi.encode(other, one));
    }

    function _sorted(bytes32[] memory given) private pure returns (bytes32[] memory sorted) {
        sorted = new bytes32[](given.length);
        for (uint256 i = 0; i < given.length; ++i) {
            uint256 place = i;
            for (; place > 0 && sorted[place - 1] > given[i]; --place) {
                sorted[place] = sorted[place - 1];
            }
            sorted[place] = given[i];
        }
    }
}
