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
        uint64 proposalId = _agreed(FIRST, calls);
        bytes memory data = abi.encodeCall(councils.execute, (proposalId, calls, _operation()));
        vm.cool(address(councils));
        _recordLargest("awards through a seat, which it makes", fourth, address(councils), data);
    }
}
