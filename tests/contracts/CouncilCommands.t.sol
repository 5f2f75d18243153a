// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {Commands} from "./Commands.sol";
import {Proposals} from "./Proposals.sol";

/// @title What holds for every command holds for the council's: who gives it, once, and not while paused
contract CouncilCommandsTest is Commands, Proposals {
    function setUp() public override {
        super.setUp();
        _appointCouncillors();
    }

    function test_propose__as_a_command__is_a_councillors() public {
        _assertCommand(_command(_writeProposal));
    }

    function test_approve__as_a_command__is_a_councillors() public {
        _assertCommand(_command(_writeApproval));
    }

    function test_execute__as_a_command__is_a_councillors() public {
        _assertCommand(_command(_writeExecution));
    }

    function _command(function(bytes32, address) returns (bytes memory) write)
        private
        view
        returns (Command memory)
    {
        return Command(address(councils), write, COUNCILLOR_ROLE, 0, FIRST);
    }

    function _writeProposal(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(councils.propose, (FIRST, _reading(), NOW + 1 days, EVIDENCE, operationId));
    }

    function _writeApproval(bytes32 operationId, address) private returns (bytes memory) {
        uint64 proposalId = _propose(maker, FIRST, _reading());
        return abi.encodeCall(councils.approve, (proposalId, _hash(_reading()), operationId));
    }

    function _writeExecution(bytes32 operationId, address) private returns (bytes memory) {
        return abi.encodeCall(councils.execute, (_agreed(FIRST, _reading()), _reading(), operationId));
    }

    /// @dev A call that changes nothing, and so needs no right of the seat's.
    function _reading() private view returns (ICouncil.Call[] memory) {
        return _calls(address(programmes), abi.encodeCall(programmes.programmeCount, ()));
    }
}
