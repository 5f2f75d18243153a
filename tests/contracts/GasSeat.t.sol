// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {Measured} from "./Measured.sol";
import {Proposals} from "./Proposals.sol";

/// @title The largest batch of awards at its worst, through a programme's seat
/// @notice The seat as an alliance-wide issuer, since a council keeps no budget: it takes the most gas.
contract GasSeatTest is Measured, Proposals {
    function test_largest__awards_through_a_seat__fit_a_transaction() public {
        _appointCouncillors();
        (, bytes memory data) = _agreedAwards();
        vm.cool(address(councils));
        _recordLargest("awards through a seat, which it makes", fourth, address(councils), data);
    }

    /// @dev Approvals beyond those that are needed cost nothing to who executes: nobody stands in the way of
    /// a proposal by approving it. As many are needed here as ever can be.
    function test_largest__awards_through_a_seat_with_spare_approvals__fit_a_transaction() public {
        _appointCouncillors();
        for (uint256 i = 0; i < 30; ++i) {
            _appoint(COUNCILLOR_ROLE, 0, vm.addr(1000 + i));
        }
        uint8 needed = programmes.MAX_APPROVALS();
        bytes memory change = abi.encodeCall(programmes.changeApprovalsNeeded, (FIRST, needed, _operation()));
        _send(address(programmes), council, change, "");
        (uint64 proposalId, bytes memory data) = _agreedAwards();
        for (uint256 i = 2; i < needed; ++i) {
            _approve(vm.addr(1000 + i), proposalId);
        }
        uint256 before = vm.snapshotState();
        vm.cool(address(councils));
        uint256 gas = _measure(fourth, address(councils), data);
        vm.revertToState(before);
        for (uint256 i = needed; i < 30; ++i) {
            _approve(vm.addr(1000 + i), proposalId);
        }
        vm.assertEq(councils.approvalsOf(proposalId), 30, "approvals");
        vm.cool(address(councils));
        uint256 more = _measure(fourth, address(councils), data);
        vm.assertLe(more, gas + 100, "gas, against that with as many as are needed"); // a look-up takes 9,000
        vm.snapshotValue(
            "gas", "largest batch: awards through a seat of 16 approvals and more, which it makes", gas
        );
        vm.assertLe(gas, MOST_GAS, "gas");
    }

    function _agreedAwards() private returns (uint64 proposalId, bytes memory data) {
        uint32 most = uint32(credits.MAX_AWARDS());
        address seat = councils.seatOf(FIRST);
        _appoint(ISSUER_ROLE, 0, seat);
        bytes32 operationId = _operation();
        vm.prank(council);
        programmes.setBudget(FIRST, seat, 2 ** 52, 2 ** 53 - 1, operationId);
        _lengthenCalendar();
        _populate(4 * most);
        _openCategories(most);
        ICouncil.Call[] memory calls =
            _calls(address(credits), abi.encodeCall(credits.award, (FIRST, _worstAwards(most, 4), _operation())));
        proposalId = _agreed(FIRST, calls);
        data = abi.encodeCall(councils.execute, (proposalId, calls, _operation()));
    }
}
