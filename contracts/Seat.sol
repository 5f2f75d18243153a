// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICouncil} from "./interfaces/ICouncil.sol";
import {ISeat} from "./interfaces/ISeat.sol";

/// @title The seat of a programme's council
/// @dev Made by the Council with CREATE2 and without arguments, so that the address follows from the
/// programme's id alone.
contract Seat is ISeat {
    address public immutable council = msg.sender;

    /// @inheritdoc ISeat
    function act(ICouncil.Call[] calldata calls) external {
        if (msg.sender != council) revert SeatOnlyCouncil(msg.sender);
        for (uint256 i = 0; i < calls.length; ++i) {
            _call(calls[i].target, calls[i].data);
        }
    }

    /// @dev Written out since an answer is of no use here, and must not cost what it pleases its sender.
    function _call(address target, bytes memory data) private {
        assembly ("memory-safe") {
            if iszero(call(gas(), target, 0, add(data, 32), mload(data), 0, 0)) {
                let free := mload(0x40)
                returndatacopy(free, 0, returndatasize())
                revert(free, returndatasize())
            }
        }
    }
}
