// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICouncil} from "./ICouncil.sol";

/// @title The seat of a programme's council
/// @notice The account that holds a programme's roles and acts as its councillors decided. It knows
/// nothing but its Council, holds no ether, and signs nothing.
interface ISeat {
    /// @notice Only the Council that made the seat acts through it.
    error SeatOnlyCouncil(address account);

    /// @notice Makes the calls, in order, all or none. The error of a call that reverts is passed on as
    /// it is.
    function act(ICouncil.Call[] calldata calls) external;

    function council() external view returns (address);
}
