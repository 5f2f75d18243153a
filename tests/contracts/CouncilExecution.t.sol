// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {ISeat} from "../../contracts/interfaces/ISeat.sol";
import {Chamber, Target} from "./Proposals.sol";
import {Vm} from "./Vm.sol";

/// @title Executions: what a programme's seat does, and when
contract CouncilExecutionTest is Chamber {
    function test_execute__approved__makes_the_calls_from_the_seat() public {
        ICouncil.Call[] memory calls = new ICouncil.Call[](3);
        calls[0] = _setting(7)[0];
        calls[1] = _setting(8)[0];
        calls[2] = _setting(9)[0];
        uint64 proposalId = _agreed(FIRST, calls);
        address seat = councils.seatOf(FIRST);
        vm.assertEq(seat.code.length, 0, "no seat yet");
        _watch(address(councils));
        vm.prank(fourth);
        councils.execute(proposalId, calls, OPERATION);
        Vm.Log[] memory echoes = _assertLine(
            abi.encode(ICouncil.ProposalExecuted.selector, _number(1), FIRST, proposalId, fourth, OPERATION)
        );
        vm.assertEq(echoes.length, 0, "no other logs");
        vm.assertEq(target.caller(), seat, "caller");
        vm.assertEq(target.number(), 9, "the last call");
        vm.assertEq(target.count(), 3, "calls");
        vm.assertTrue(councils.proposal(proposalId).status == ICouncil.Status.Executed, "status");
        vm.assertEq(councils.operationSequence(fourth, OPERATION), _number(0), "operation");
        vm.assertEq(ISeat(seat).council(), address(councils), "the seat's council");
    }

    function test_execute__a_second_proposal__acts_from_the_same_seat() public {
        _carried(FIRST, address(target), abi.encodeCall(Target.set, (1)));
        address seat = target.caller();
        _carried(FIRST, address(target), abi.encodeCall(Target.set, (2)));
        vm.assertEq(target.caller(), seat, "the first programme's");
        _carried(SECOND, address(target), abi.encodeCall(Target.set, (3)));
        vm.assertEq(target.caller(), councils.seatOf(SECOND), "the second programme's");
        _carried(0, address(target), abi.encodeCall(Target.set, (4)));
        vm.assertEq(target.caller(), councils.seatOf(0), "the alliance's");
        vm.assertEq(target.count(), 4, "calls");
    }

    function test_execute__by_any_councillor__also_its_maker_or_one_appointed_later() public {
        _appoint(COUNCILLOR_ROLE, FIRST, stranger);
        address[4] memory executors = [maker, second, stranger, wide];
        for (uint256 i = 0; i < 4; ++i) {
            uint64 proposalId = _agreed(FIRST, _setting(i));
            if (executors[i] == stranger) {
                _dismiss(COUNCILLOR_ROLE, FIRST, stranger);
                _appoint(COUNCILLOR_ROLE, FIRST, stranger);
            }
            _execute(executors[i], proposalId, _setting(i));
        }
        vm.assertEq(target.count(), 4, "calls");
    }

    function test_execute__by_any_other__is_refused() public {
        uint64 proposalId = _agreed(FIRST, _setting(1));
        address[6] memory others = [elsewhere, council, guardian, admin, stranger, councils.seatOf(FIRST)];
        for (uint256 i = 0; i < 6; ++i) {
            _refusesExecution(others[i], proposalId, _roleMissing(others[i], FIRST));
        }
    }

    function test_execute__too_few_approvals__is_refused() public {
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        for (uint256 i = 0; i < 2; ++i) {
            _refusesExecution(
                maker,
                proposalId,
                abi.encodeWithSelector(ICouncil.CouncilApprovalsMissing.selector, proposalId, i, 2)
            );
            _approve(i == 0 ? second : third, proposalId);
        }
        _execute(maker, proposalId, _setting(1));
    }

    function test_execute__other_calls__is_refused() public {
        ICouncil.Call[] memory proposed = new ICouncil.Call[](2);
        (proposed[0], proposed[1]) = (_setting(1)[0], _setting(2)[0]);
        uint64 proposalId = _agreed(FIRST, proposed);
        ICouncil.Call[] memory swapped = new ICouncil.Call[](2);
        (swapped[0], swapped[1]) = (proposed[1], proposed[0]);
        ICouncil.Call[][4] memory others = [swapped, _setting(1), _setting(2), new ICouncil.Call[](0)];
        for (uint256 i = 0; i < 4; ++i) {
            _refuses(
                fourth,
                abi.encodeWithSelector(
                    ICouncil.CouncilCallsDiffer.selector, proposalId, _hash(others[i]), _hash(proposed)
                )
            );
            councils.execute(proposalId, others[i], OPERATION);
        }
        _execute(fourth, proposalId, proposed);
    }

    function test_execute__unknown_closed_or_expired__is_refused() public {
        _refusesExecution(maker, 1, abi.encodeWithSelector(ICouncil.CouncilProposalUnknown.selector, 1));

        uint64 executed = _agreed(FIRST, _setting(1));
        _execute(maker, executed, _setting(1));
        _refusesExecution(maker, executed, _closed(executed, ICouncil.Status.Executed));

        uint64 cancelled = _agreed(FIRST, _setting(1));
        _cancel(maker, cancelled);
        _refusesExecution(maker, cancelled, _closed(cancelled, ICouncil.Status.Cancelled));

        uint64 expired = _agreed(FIRST, _setting(1));
        vm.warp(NOW + 7 days);
        _refusesExecution(
            maker, expired, abi.encodeWithSelector(ICouncil.CouncilProposalExpired.selector, expired, NOW + 7 days)
        );
        vm.warp(NOW + 7 days - 1);
        _execute(maker, expired, _setting(1));
        vm.assertEq(target.count(), 2, "calls");
    }

    function test_execute__operation_missing_or_done__is_refused() public {
        uint64 proposalId = _agreed(FIRST, _setting(1));
        _refuses(maker, abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
        councils.execute(proposalId, _setting(1), 0);
        vm.prank(maker);
        councils.execute(proposalId, _setting(1), OPERATION);
        bytes memory done =
            abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, councils.sequence());
        _refusesExecution(maker, proposalId, done);
        _refusesExecution(maker, _agreed(FIRST, _setting(1)), done);
    }

    function test_execute__while_paused__is_refused() public {
        uint64 proposalId = _agreed(FIRST, _setting(1));
        _pause();
        _refusesExecution(maker, proposalId, abi.encodePacked(IAuthority.AuthorityPaused.selector));
        _resume();
        _execute(maker, proposalId, _setting(1));
    }

    // --- calls that fail

    function test_execute__call_reverts__passes_its_error_on_and_changes_nothing() public {
        bytes[4] memory refusals = [
            abi.encodeCall(Target.refuse, (42)),
            abi.encodeCall(Target.panic, ()),
            abi.encodeCall(Target.refuseSilently, ()),
            bytes(hex"01020304") // no such function
        ];
        bytes[4] memory failures = [
            abi.encodeWithSelector(
                Target.TargetRefused.selector, 42, "for a reason of more than thirty-two bytes"
            ),
            abi.encodeWithSignature("Panic(uint256)", 1),
            bytes(""),
            bytes("")
        ];
        for (uint256 i = 0; i < 4; ++i) {
            ICouncil.Call[] memory calls = new ICouncil.Call[](2);
            calls[0] = _setting(1)[0];
            calls[1] = ICouncil.Call(address(target), refusals[i]);
            uint64 proposalId = _agreed(FIRST, calls);
            bytes32 head = councils.head();
            vm.prank(fourth);
            (bool done, bytes memory answer) =
                address(councils).call(abi.encodeCall(councils.execute, (proposalId, calls, OPERATION)));
            vm.assertFalse(done, "done");
            vm.assertEq(answer, failures[i], "error");
            vm.assertEq(target.count(), 0, "calls");
            vm.assertEq(councils.head(), head, "head");
            vm.assertEq(councils.operationSequence(fourth, OPERATION), 0, "operation");
            vm.assertTrue(councils.proposal(proposalId).status == ICouncil.Status.Open, "status");
            vm.assertEq(councils.seatOf(FIRST).code.length, 0, "no seat");
        }
    }

    function test_execute__of_a_ledgers_contract__passes_its_error_on() public {
        ICouncil.Call[] memory calls =
            _calls(address(programmes), abi.encodeCall(programmes.changeSupplyCap, (FIRST, 1, "cap")));
        uint64 proposalId = _agreed(FIRST, calls);
        bytes memory failure = abi.encodeWithSelector(
            IAuthority.AuthorityRoleMissing.selector, councils.seatOf(FIRST), COUNCIL_ROLE, FIRST
        );
        _refuses(maker, failure);
        councils.execute(proposalId, calls, OPERATION);
        // It works as soon as the seat may: nothing of the proposal was used up.
        _appoint(COUNCIL_ROLE, FIRST, councils.seatOf(FIRST));
        _execute(maker, proposalId, calls);
        vm.assertEq(programmes.programme(FIRST).supplyCap, 1, "cap");
    }

    function test_execute__target_without_code_by_now__is_refused() public {
        uint64 proposalId = _agreed(FIRST, _setting(1));
        vm.etch(address(target), "");
        _refusesExecution(
            maker, proposalId, abi.encodeWithSelector(ICouncil.CouncilCallUnusable.selector, 0, address(target))
        );
    }

    function test_execute__answer_of_a_megabyte__costs_the_target_only() public {
        ICouncil.Call[] memory calls = _calls(address(target), abi.encodeCall(Target.answerAtLength, ()));
        uint64 proposalId = _agreed(FIRST, calls);
        bytes memory data = abi.encodeCall(councils.execute, (proposalId, calls, OPERATION));
        vm.prank(maker);
        // The target's own memory takes 2.1 million; copied once more it would not fit.
        (bool done,) = address(councils).call{gas: 3_000_000}(data);
        vm.assertTrue(done, "done");
    }

    // --- the seat

    function test_seat__acting_for_any_other__is_refused() public {
        _carried(FIRST, address(target), abi.encodeCall(Target.set, (1)));
        ISeat seat = ISeat(councils.seatOf(FIRST));
        address[4] memory others = [maker, admin, address(seat), councils.seatOf(0)];
        for (uint256 i = 0; i < 4; ++i) {
            _refuses(others[i], abi.encodeWithSelector(ISeat.SeatOnlyCouncil.selector, others[i]));
            seat.act(_setting(2));
        }
        // Not even by a proposal: of its own programme, or of the alliance.
        bytes memory data = abi.encodeCall(ISeat.act, (_setting(2)));
        for (uint16 programmeId = 0; programmeId <= FIRST; ++programmeId) {
            uint64 proposalId = _agreed(programmeId, _calls(address(seat), data));
            address sender = councils.seatOf(programmeId);
            _refuses(wideFourth, abi.encodeWithSelector(ISeat.SeatOnlyCouncil.selector, sender));
            councils.execute(proposalId, _calls(address(seat), data), OPERATION);
        }
        vm.assertEq(target.number(), 1, "unchanged");
    }

    function test_seat__ether__is_not_taken() public {
        _carried(FIRST, address(target), abi.encodeCall(Target.set, (1)));
        vm.assertTrue(address(this).balance != 0, "there is some to send");
        (bool done,) = councils.seatOf(FIRST).call{value: 1}("");
        vm.assertFalse(done, "ether to the seat");
        (done,) = address(councils).call{value: 1}("");
        vm.assertFalse(done, "ether to the council");
    }

    // --- approvals that the alliance's proposals need

    function test_allianceApprovals__by_a_proposal_of_the_alliance__count_from_then_on() public {
        ICouncil.Call[] memory calls =
            _calls(address(councils), abi.encodeCall(councils.changeAllianceApprovals, (3, "three")));
        uint64 proposalId = _agreed(0, calls);
        uint64 before = _propose(wide, 0, _setting(1));
        _approve(wideFourth, proposalId); // three behind three
        _watch(address(councils));
        vm.prank(wide);
        councils.execute(proposalId, calls, OPERATION);
        bytes[] memory lines = new bytes[](2);
        lines[0] = abi.encode(ICouncil.ProposalExecuted.selector, _number(1), 0, proposalId, wide, OPERATION);
        lines[1] = abi.encode(
            ICouncil.AllianceApprovalsChanged.selector, _number(2), 3, councils.seatOf(0), bytes32("three")
        );
        _assertLines(lines);
        vm.assertEq(councils.allianceApprovals(), 3, "approvals");
        vm.assertEq(councils.proposal(before).approvalsNeeded, 2, "of an earlier proposal");
        vm.assertEq(councils.proposal(_propose(wide, 0, _setting(1))).approvalsNeeded, 3, "of a later one");
    }

    function test_allianceApprovals__none_or_more_than_approved_this__are_refused() public {
        uint8[2] memory unusable = [0, 3];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory data = abi.encodeCall(councils.changeAllianceApprovals, (unusable[i], "change"));
            uint64 proposalId = _agreed(0, _calls(address(councils), data));
            _refuses(wide, abi.encodeWithSelector(ICouncil.CouncilApprovalsUnusable.selector, unusable[i], 2));
            councils.execute(proposalId, _calls(address(councils), data), OPERATION);
        }
        _carried(0, address(councils), abi.encodeCall(councils.changeAllianceApprovals, (1, "fewer")));
        vm.assertEq(councils.allianceApprovals(), 1, "approvals");
    }

    function test_allianceApprovals__by_any_other__are_refused() public {
        address[4] memory others = [wide, admin, council, councils.seatOf(FIRST)];
        for (uint256 i = 0; i < 4; ++i) {
            _refuses(others[i], abi.encodeWithSelector(ICouncil.CouncilOnlyAllianceSeat.selector, others[i]));
            councils.changeAllianceApprovals(1, OPERATION);
        }
        bytes memory data = abi.encodeCall(councils.changeAllianceApprovals, (1, OPERATION));
        uint64 proposalId = _agreed(FIRST, _calls(address(councils), data));
        bytes memory failure =
            abi.encodeWithSelector(ICouncil.CouncilOnlyAllianceSeat.selector, councils.seatOf(FIRST));
        _refuses(maker, failure);
        councils.execute(proposalId, _calls(address(councils), data), "execution");
    }

    function test_allianceApprovals__operation_done_or_paused__are_refused() public {
        bytes memory data = abi.encodeCall(councils.changeAllianceApprovals, (1, "change"));
        _carried(0, address(councils), data);
        uint64 proposalId = _agreed(0, _calls(address(councils), data));
        bytes memory failure = abi.encodeWithSelector(
            IJournal.JournalOperationDone.selector,
            bytes32("change"),
            councils.operationSequence(councils.seatOf(0), "change")
        );
        _refuses(wide, failure);
        councils.execute(proposalId, _calls(address(councils), data), OPERATION);
        _pause();
        vm.expectRevert(abi.encodePacked(IAuthority.AuthorityPaused.selector));
        councils.changeAllianceApprovals(1, OPERATION);
    }

    function _refusesExecution(address by, uint64 proposalId, bytes memory failure) private {
        _refuses(by, failure);
        councils.execute(proposalId, _setting(1), OPERATION);
    }

    function _roleMissing(address account, uint16 programmeId) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IAuthority.AuthorityRoleMissing.selector, account, COUNCILLOR_ROLE, programmeId);
    }

    function _closed(uint64 proposalId, ICouncil.Status status) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICouncil.CouncilProposalClosed.selector, proposalId, status);
    }
}
