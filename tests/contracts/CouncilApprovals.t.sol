// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {Chamber} from "./Proposals.sol";

/// @title Approvals, and whose count when the council changes meanwhile
contract CouncilApprovalsTest is Chamber {
    function test_approve__by_others_than_the_maker__counts_each() public {
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        bytes32 callsHash = _hash(_setting(1));
        address[3] memory others = [second, wide, third];
        for (uint32 i = 0; i < 3; ++i) {
            bytes32 operationId = keccak256(abi.encode(i));
            _watch(address(councils));
            vm.prank(others[i]);
            councils.approve(proposalId, callsHash, operationId);
            _assertLine(
                abi.encode(
                    ICouncil.ProposalApproved.selector,
                    _number(1),
                    FIRST,
                    proposalId,
                    others[i],
                    i + 1,
                    operationId
                )
            );
            vm.assertEq(councils.approvalsOf(proposalId), i + 1, "approvals");
            vm.assertEq(councils.approversOf(proposalId).length, i + 1, "approvers");
            vm.assertEq(councils.approversOf(proposalId)[i], others[i], "approver");
            vm.assertEq(councils.operationSequence(others[i], operationId), _number(0), "operation");
        }
    }

    function test_approve__by_any_other__is_refused() public {
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        address[5] memory others = [elsewhere, council, guardian, admin, stranger];
        for (uint256 i = 0; i < 5; ++i) {
            _refusesApproval(others[i], proposalId, _roleMissing(others[i], FIRST));
        }
        uint64 ofAlliance = _propose(wide, 0, _setting(1));
        _refusesApproval(maker, ofAlliance, _roleMissing(maker, 0));
    }

    function test_approve__by_the_maker__is_refused() public {
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        bytes memory failure =
            abi.encodeWithSelector(ICouncil.CouncilMakerCannotApprove.selector, proposalId, maker);
        _refusesApproval(maker, proposalId, failure);
        // Nor with a second right to it.
        _appoint(COUNCILLOR_ROLE, 0, maker);
        _refusesApproval(maker, proposalId, failure);
    }

    function test_approve__a_second_time__is_refused() public {
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        _approve(second, proposalId);
        _approve(third, proposalId);
        bytes memory failure = abi.encodeWithSelector(ICouncil.CouncilAlreadyApproved.selector, proposalId, second);
        _refusesApproval(second, proposalId, failure);
        vm.assertEq(councils.approvalsOf(proposalId), 2, "approvals");
    }

    function test_approve__other_calls__is_refused() public {
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        bytes32 given = _hash(_setting(2));
        _refuses(
            second,
            abi.encodeWithSelector(ICouncil.CouncilCallsDiffer.selector, proposalId, given, _hash(_setting(1)))
        );
        councils.approve(proposalId, given, OPERATION);
    }

    function test_approve__unknown__is_refused() public {
        _refuses(second, abi.encodeWithSelector(ICouncil.CouncilProposalUnknown.selector, 1));
        councils.approve(1, 0, OPERATION);
    }

    function test_approve__executed_or_cancelled__is_refused() public {
        ICouncil.Call[] memory calls = _setting(1);
        uint64 executed = _agreed(FIRST, calls);
        _execute(maker, executed, calls);
        _refusesApproval(fourth, executed, _closed(executed, ICouncil.Status.Executed));
        uint64 cancelled = _agreed(FIRST, calls);
        _cancel(maker, cancelled);
        _refusesApproval(fourth, cancelled, _closed(cancelled, ICouncil.Status.Cancelled));
    }

    function test_approve__in_the_second_of_expiry__is_refused() public {
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        vm.warp(NOW + 7 days - 1);
        _approve(second, proposalId);
        vm.warp(NOW + 7 days);
        bytes memory failure =
            abi.encodeWithSelector(ICouncil.CouncilProposalExpired.selector, proposalId, NOW + 7 days);
        _refusesApproval(third, proposalId, failure);
        vm.warp(NOW + 70 days);
        _refusesApproval(third, proposalId, failure);
    }

    function test_approve__operation_missing_or_done__is_refused() public {
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        bytes32 callsHash = _hash(_setting(1));
        _refuses(second, abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
        councils.approve(proposalId, callsHash, 0);
        vm.prank(second);
        councils.approve(proposalId, callsHash, OPERATION);
        bytes memory done =
            abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, councils.sequence());
        _refuses(second, done);
        councils.approve(proposalId, callsHash, OPERATION);
        // Done is done, whatever stands against it by now.
        _cancel(maker, proposalId);
        _refuses(second, done);
        councils.approve(proposalId, callsHash, OPERATION);
    }

    function test_approve__while_paused__is_refused() public {
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        _pause();
        _refusesApproval(second, proposalId, abi.encodePacked(IAuthority.AuthorityPaused.selector));
        _resume();
        _approve(second, proposalId);
    }

    // --- the council changes during a proposal

    function test_approve__appointed_later__is_refused() public {
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        _appoint(COUNCILLOR_ROLE, FIRST, stranger);
        bytes memory failure =
            abi.encodeWithSelector(ICouncil.CouncilAppointedLater.selector, proposalId, stranger);
        _refusesApproval(stranger, proposalId, failure);
        // It may approve what is proposed from then on.
        _approve(stranger, _propose(maker, FIRST, _setting(1)));
    }

    function test_approve__dismissed_and_appointed_again__is_refused() public {
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        _dismiss(COUNCILLOR_ROLE, FIRST, second);
        _refusesApproval(second, proposalId, _roleMissing(second, FIRST));
        _appoint(COUNCILLOR_ROLE, FIRST, second);
        bytes memory failure = abi.encodeWithSelector(ICouncil.CouncilAppointedLater.selector, proposalId, second);
        _refusesApproval(second, proposalId, failure);
    }

    function test_approvals__of_the_dismissed__count_no_longer() public {
        uint64 proposalId = _agreed(FIRST, _setting(1));
        _dismiss(COUNCILLOR_ROLE, FIRST, second);
        vm.assertEq(councils.approvalsOf(proposalId), 1, "one dismissed");
        vm.assertEq(councils.approversOf(proposalId).length, 2, "approvers, still");
        _appoint(COUNCILLOR_ROLE, FIRST, second);
        vm.assertEq(councils.approvalsOf(proposalId), 1, "appointed again");
        vm.prank(third);
        authority.renounceRole(COUNCILLOR_ROLE | bytes32(uint256(FIRST)), third);
        vm.assertEq(councils.approvalsOf(proposalId), 0, "one renounced");
        _approve(fourth, proposalId);
        vm.assertEq(councils.approvalsOf(proposalId), 1, "another approved");
        _refusesExecution(
            proposalId, abi.encodeWithSelector(ICouncil.CouncilApprovalsMissing.selector, proposalId, 1, 2)
        );
        _approve(wide, proposalId);
        _execute(fourth, proposalId, _setting(1));
    }

    /// @dev Each of the two offices is enough, if it was held at the proposing and is held still.
    function test_approvals__of_two_offices__count_while_one_is_as_it_was() public {
        _appoint(COUNCILLOR_ROLE, 0, second);
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        _approve(second, proposalId);
        _dismiss(COUNCILLOR_ROLE, FIRST, second);
        vm.assertEq(councils.approvalsOf(proposalId), 1, "alliance-wide");
        _appoint(COUNCILLOR_ROLE, FIRST, second);
        _dismiss(COUNCILLOR_ROLE, 0, second);
        vm.assertEq(councils.approvalsOf(proposalId), 0, "only the one given later");
    }

    function test_approvals__of_a_councillor_made_alliance_wide__count_by_the_old_office_only() public {
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        _approve(second, proposalId);
        _appoint(COUNCILLOR_ROLE, 0, second);
        vm.assertEq(councils.approvalsOf(proposalId), 1, "both offices");
        _dismiss(COUNCILLOR_ROLE, FIRST, second);
        vm.assertEq(councils.approvalsOf(proposalId), 0, "the later office");
    }

    function test_maker__dismissed__leaves_nothing_to_approve_or_execute() public {
        uint64 proposalId = _agreed(FIRST, _setting(1));
        bytes memory failure = abi.encodeWithSelector(ICouncil.CouncilMakerDismissed.selector, proposalId, maker);
        _dismiss(COUNCILLOR_ROLE, FIRST, maker);
        _refusesApproval(fourth, proposalId, failure);
        _refusesExecution(proposalId, failure);
        _appoint(COUNCILLOR_ROLE, FIRST, maker);
        _refusesApproval(fourth, proposalId, failure);
        _refusesExecution(proposalId, failure);
    }

    function test_approvals__needed__stay_as_they_were_at_the_proposing() public {
        ICouncil.Call[] memory calls = _setting(1);
        uint64 proposalId = _propose(maker, FIRST, calls);
        vm.prank(council);
        programmes.changeApprovalsNeeded(FIRST, 1, OPERATION);
        _approve(second, proposalId);
        _refusesExecution(
            proposalId, abi.encodeWithSelector(ICouncil.CouncilApprovalsMissing.selector, proposalId, 1, 2)
        );
        vm.prank(council);
        programmes.changeApprovalsNeeded(FIRST, 16, "raised");
        _approve(third, proposalId);
        _execute(fourth, proposalId, calls);
    }

    /// @dev Whatever is appointed and dismissed after a proposal: approvals that count are of those who
    /// were not touched.
    function testFuzz_approvals__after_any_changes__are_of_the_untouched(uint8[12] calldata changes) public {
        address[4] memory voters = [second, third, fourth, wide];
        bool[4] memory touched;
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        for (uint256 i = 0; i < 4; ++i) {
            _approve(voters[i], proposalId);
        }
        for (uint256 i = 0; i < 12; ++i) {
            uint256 which = changes[i] % 8;
            if (which >= 4) continue;
            uint16 programmeId = which == 3 ? 0 : FIRST;
            if (authority.appointedAt(COUNCILLOR_ROLE, programmeId, voters[which]) == 0) {
                _appoint(COUNCILLOR_ROLE, programmeId, voters[which]);
            } else {
                _dismiss(COUNCILLOR_ROLE, programmeId, voters[which]);
            }
            touched[which] = true;
        }
        uint256 expected = 0;
        for (uint256 i = 0; i < 4; ++i) {
            if (!touched[i]) ++expected;
        }
        vm.assertEq(councils.approvalsOf(proposalId), expected, "approvals");
    }

    function _refusesApproval(address by, uint64 proposalId, bytes memory failure) private {
        bytes32 callsHash = councils.proposal(proposalId).callsHash;
        _refuses(by, failure);
        councils.approve(proposalId, callsHash, OPERATION);
    }

    function _refusesExecution(uint64 proposalId, bytes memory failure) private {
        _refuses(fourth, failure);
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
