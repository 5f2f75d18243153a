// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {IProgrammes} from "../../contracts/interfaces/IProgrammes.sol";
import {CouncilFace} from "./Faces.sol";
import {Chamber, Target} from "./Proposals.sol";
import {Vm} from "./Vm.sol";

/// @title Proposals: how they are made and cancelled. Approvals and executions have files of their own
contract CouncilTest is Chamber {
    // --- deployment

    function test_deployment__with_approvals__journals_them_as_line_one() public {
        vm.recordLogs();
        CouncilFace fresh = CouncilFace(vm.deployCode("Council.sol", abi.encode(authority, programmes, 3)));
        (Vm.Log[] memory journal,) = _journalOf(address(fresh), vm.getRecordedLogs());
        vm.assertEq(
            _preimage(journal[0]),
            abi.encode(ICouncil.AllianceApprovalsChanged.selector, 1, 3, address(this), 0),
            "line one"
        );
        (bytes32 head, uint64 sequence) = _follow(0, 0, journal);
        vm.assertEq(fresh.head(), head, "head");
        vm.assertEq(fresh.sequence(), sequence, "sequence");
        vm.assertEq(sequence, 1, "lines");
        vm.assertEq(fresh.allianceApprovals(), 3, "approvals");
        vm.assertEq(fresh.proposalCount(), 0, "proposals");
        vm.assertEq(fresh.authority(), address(authority), "authority");
        vm.assertEq(fresh.programmes(), address(programmes), "programmes");
        (, string memory name, string memory version,, address verifying,,) = fresh.eip712Domain();
        vm.assertEq(name, DOMAIN_NAME, "name of the domain");
        vm.assertEq(version, "1", "version of the domain");
        vm.assertEq(verifying, address(fresh), "contract of the domain");
    }

    function test_deployment__without_approvals__is_refused() public {
        vm.expectRevert(_approvalsUnusable(0, 16));
        vm.deployCode("Council.sol", abi.encode(authority, programmes, 0));
    }

    /// @dev A number that nobody can reach could not be lowered again.
    function test_deployment__with_more_approvals_than_programmes_can_need__is_refused() public {
        vm.assertEq(programmes.MAX_APPROVALS(), 16, "most");
        CouncilFace fresh = CouncilFace(vm.deployCode("Council.sol", abi.encode(authority, programmes, 16)));
        vm.assertEq(fresh.allianceApprovals(), 16, "approvals");
        vm.expectRevert(_approvalsUnusable(17, 16));
        vm.deployCode("Council.sol", abi.encode(authority, programmes, 17));
        vm.expectRevert(_approvalsUnusable(255, 16));
        vm.deployCode("Council.sol", abi.encode(authority, programmes, 255));
    }

    function testFuzz_seatOf__any_programme__follows_from_the_council_and_the_programme(uint16 programmeId)
        public
        view
    {
        bytes32 codeHash = keccak256(vm.getCode("Seat.sol"));
        bytes32 hash = keccak256(abi.encodePacked(hex"ff", address(councils), uint256(programmeId), codeHash));
        vm.assertEq(councils.seatOf(programmeId), address(uint160(uint256(hash))), "seat");
    }

    // --- propose

    function test_propose__by_a_councillor__opens_it_and_logs_its_calls() public {
        ICouncil.Call[] memory calls = new ICouncil.Call[](2);
        calls[0] = _setting(7)[0];
        calls[1] = ICouncil.Call(address(programmes), hex"01020304ff");
        uint64 line = authority.sequence();
        _watch(address(councils));
        vm.prank(maker);
        uint64 proposalId = councils.propose(FIRST, calls, NOW + 1 days, EVIDENCE, OPERATION);
        Vm.Log[] memory echoes = _assertLine(
            abi.encode(
                ICouncil.ProposalMade.selector,
                _number(1),
                FIRST,
                1,
                maker,
                _hash(calls),
                EVIDENCE,
                2,
                NOW + 1 days,
                line,
                OPERATION
            )
        );
        vm.assertEq(echoes.length, 1, "logs of calls");
        _assertEcho(echoes[0], abi.encode(ICouncil.ProposalCalls.selector, 1), abi.encode(calls));
        vm.assertEq(proposalId, 1, "id");
        vm.assertEq(councils.proposalCount(), 1, "count");
        vm.assertEq(councils.approversOf(1).length, 0, "approvers");
        vm.assertEq(councils.approvalsOf(1), 0, "approvals");
        vm.assertEq(councils.operationSequence(maker, OPERATION), _number(0), "operation");
        _assertProposal(
            1, ICouncil.Proposal(FIRST, ICouncil.Status.Open, 2, false, NOW + 1 days, line, maker, _hash(calls))
        );
        vm.assertEq(councils.seatOf(FIRST).code.length, 0, "code of the seat");
    }

    function test_propose__by_an_alliance_wide_councillor__is_for_any_programme() public {
        vm.assertEq(_propose(wide, FIRST, _setting(1)), 1, "first");
        vm.assertEq(_propose(wide, SECOND, _setting(1)), 2, "second");
        vm.assertEq(_propose(wide, 0, _setting(1)), 3, "alliance");
        vm.assertEq(councils.proposal(2).programmeId, SECOND, "programme");
        vm.assertEq(councils.proposal(3).programmeId, 0, "no programme");
        vm.assertEq(councils.proposal(3).approvalsNeeded, ALLIANCE_APPROVALS, "alliance's approvals");
    }

    function test_propose__approvals__are_the_programmes_at_that_time() public {
        vm.prank(council);
        programmes.changeApprovalsNeeded(FIRST, 3, OPERATION);
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        bytes32 operationId = _operation();
        vm.prank(council);
        programmes.changeApprovalsNeeded(FIRST, 1, operationId);
        vm.assertEq(councils.proposal(proposalId).approvalsNeeded, 3, "approvals");
    }

    function testFuzz_propose__any_calls__are_known_by_their_hash(
        bytes[3] calldata data,
        uint40 duration,
        bytes32 evidence,
        bytes32 operationId
    ) public {
        vm.assume(operationId != 0);
        ICouncil.Call[] memory calls = new ICouncil.Call[](3);
        for (uint256 i = 0; i < 3; ++i) {
            calls[i] = ICouncil.Call(address(target), abi.encodePacked("call", data[i]));
        }
        uint40 expiresAt = NOW + uint40(_between(duration, 1, 90 days));
        vm.prank(second);
        uint64 proposalId = councils.propose(FIRST, calls, expiresAt, evidence, operationId);
        vm.assertEq(councils.proposal(proposalId).callsHash, _hash(calls), "hash");
        vm.assertEq(councils.proposal(proposalId).expiresAt, expiresAt, "expiry");
    }

    function test_propose__by_any_other__is_refused() public {
        address[6] memory others = [elsewhere, council, guardian, admin, stranger, councils.seatOf(FIRST)];
        for (uint256 i = 0; i < 6; ++i) {
            _refuses(others[i], _roleMissing(others[i], FIRST));
            councils.propose(FIRST, _setting(1), NOW + 1, EVIDENCE, OPERATION);
        }
        _refuses(maker, _roleMissing(maker, 0));
        councils.propose(0, _setting(1), NOW + 1, EVIDENCE, OPERATION);
    }

    function test_propose__unknown_programme__is_refused() public {
        _refuses(wide, abi.encodeWithSelector(IProgrammes.ProgrammesUnknown.selector, 3));
        councils.propose(3, _setting(1), NOW + 1, EVIDENCE, OPERATION);
    }

    function test_propose__number_of_calls__is_from_one_to_32() public {
        vm.assertEq(councils.MAX_CALLS(), 32, "bound");
        _refuses(maker, abi.encodeWithSelector(ICouncil.CouncilCallCount.selector, 0, 32));
        councils.propose(FIRST, new ICouncil.Call[](0), NOW + 1, EVIDENCE, OPERATION);
        _refuses(maker, abi.encodeWithSelector(ICouncil.CouncilCallCount.selector, 33, 32));
        councils.propose(FIRST, _many(33, 4), NOW + 1, EVIDENCE, OPERATION);
        vm.prank(maker);
        councils.propose(FIRST, _many(32, 4), NOW + 1, EVIDENCE, OPERATION);
    }

    function test_propose__bytes_of_calls__are_bounded() public {
        uint256 most = councils.MAX_CALL_BYTES();
        ICouncil.Call[] memory calls = _many(1, most - 192);
        vm.assertEq(abi.encode(calls).length, most, "bytes");
        vm.prank(maker);
        councils.propose(FIRST, calls, NOW + 1, EVIDENCE, OPERATION);
        calls = _many(1, most - 191);
        _refuses(maker, abi.encodeWithSelector(ICouncil.CouncilCallsTooLong.selector, most + 32, most));
        councils.propose(FIRST, calls, NOW + 1, EVIDENCE, OPERATION);
    }

    function test_propose__target_without_code_or_call_without_function__is_refused() public {
        ICouncil.Call[] memory calls = _many(3, 4);
        calls[1].target = stranger;
        _refuses(maker, _callUnusable(1, stranger));
        councils.propose(FIRST, calls, NOW + 1, EVIDENCE, OPERATION);
        calls = _many(3, 4);
        calls[2].data = hex"010203";
        _refuses(maker, _callUnusable(2, address(target)));
        councils.propose(FIRST, calls, NOW + 1, EVIDENCE, OPERATION);
        // The seat that was not needed yet has no code either.
        address seat = councils.seatOf(FIRST);
        _refuses(maker, _callUnusable(0, seat));
        councils.propose(FIRST, _calls(seat, hex"01020304"), NOW + 1, EVIDENCE, OPERATION);
    }

    function test_propose__expiry__is_within_the_longest_duration() public {
        uint40 latest = NOW + 90 days;
        uint40[3] memory unusable = [NOW - 1, NOW, latest + 1];
        for (uint256 i = 0; i < 3; ++i) {
            _refuses(
                maker,
                abi.encodeWithSelector(ICouncil.CouncilExpiryUnusable.selector, unusable[i], NOW + 1, latest)
            );
            councils.propose(FIRST, _setting(1), unusable[i], EVIDENCE, OPERATION);
        }
        vm.prank(maker);
        councils.propose(FIRST, _setting(1), NOW + 1, EVIDENCE, OPERATION);
        vm.prank(maker);
        councils.propose(FIRST, _setting(1), latest, EVIDENCE, "another");
    }

    function test_propose__operation_missing_or_done__is_refused() public {
        _refuses(maker, abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
        councils.propose(FIRST, _setting(1), NOW + 1, EVIDENCE, 0);
        vm.prank(maker);
        councils.propose(FIRST, _setting(1), NOW + 1, EVIDENCE, OPERATION);
        // Also of other calls, and later; but not another councillor's.
        uint64 line = councils.sequence();
        vm.warp(NOW + 1 days);
        vm.prank(elsewhere);
        councils.propose(SECOND, _setting(2), NOW + 2 days, EVIDENCE, OPERATION);
        _refuses(maker, _done(line));
        councils.propose(FIRST, _setting(2), NOW + 2 days, EVIDENCE, OPERATION);
    }

    // --- cancel

    function test_cancel__by_its_maker_or_a_guardian__closes_it() public {
        address local = _account("guardian of the first");
        _appoint(GUARDIAN_ROLE, FIRST, local);
        address[3] memory entitled = [maker, guardian, local];
        for (uint256 i = 0; i < 3; ++i) {
            uint64 proposalId = _agreed(FIRST, _setting(1));
            bytes32 operationId = keccak256(abi.encode(i));
            _watch(address(councils));
            vm.prank(entitled[i]);
            councils.cancel(proposalId, operationId);
            _assertLine(
                abi.encode(
                    ICouncil.ProposalCancelled.selector, _number(1), FIRST, proposalId, entitled[i], operationId
                )
            );
            vm.assertTrue(councils.proposal(proposalId).status == ICouncil.Status.Cancelled, "status");
            _refuses(fourth, _closed(proposalId, ICouncil.Status.Cancelled));
            councils.execute(proposalId, _setting(1), OPERATION);
        }
    }

    function test_cancel__by_any_other__is_refused() public {
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        address local = _account("guardian of the second");
        _appoint(GUARDIAN_ROLE, SECOND, local);
        address[6] memory others = [second, wide, council, admin, stranger, local];
        for (uint256 i = 0; i < 6; ++i) {
            _refuses(
                others[i], abi.encodeWithSelector(ICouncil.CouncilNotEntitled.selector, others[i], proposalId)
            );
            councils.cancel(proposalId, OPERATION);
        }
    }

    /// @dev Of the alliance: by no guardian of a programme.
    function test_cancel__of_the_alliance__takes_an_alliance_wide_guardian() public {
        uint64 proposalId = _propose(wide, 0, _setting(1));
        _appoint(GUARDIAN_ROLE, FIRST, stranger);
        _refuses(stranger, abi.encodeWithSelector(ICouncil.CouncilNotEntitled.selector, stranger, proposalId));
        councils.cancel(proposalId, OPERATION);
        _cancel(guardian, proposalId);
    }

    /// @dev Else it would be for a guardian to say whether it is dismissed, or its pause ended.
    function test_cancel__of_calls_to_the_authority_only__is_not_for_guardians() public {
        address local = _account("guardian of the first");
        _appoint(GUARDIAN_ROLE, FIRST, local);
        ICouncil.Call[] memory calls = _calls(
            address(authority), abi.encodeCall(authority.dismiss, (GUARDIAN_ROLE, 0, guardian, "dismissal"))
        );
        uint64 proposalId = _propose(maker, FIRST, calls);
        address[2] memory guardians = [guardian, local];
        for (uint256 i = 0; i < 2; ++i) {
            _refuses(
                guardians[i],
                abi.encodeWithSelector(ICouncil.CouncilNotEntitled.selector, guardians[i], proposalId)
            );
            councils.cancel(proposalId, OPERATION);
        }
        _pause();
        _refuses(guardian, abi.encodeWithSelector(ICouncil.CouncilNotEntitled.selector, guardian, proposalId));
        councils.cancel(proposalId, OPERATION);
        _cancel(maker, proposalId); // its maker can
        _resume();
        // One call elsewhere, first or last, and it is as any other.
        ICouncil.Call[] memory mixed = new ICouncil.Call[](2);
        (mixed[0], mixed[1]) = (calls[0], _setting(1)[0]);
        _cancel(guardian, _propose(maker, FIRST, mixed));
        (mixed[0], mixed[1]) = (_setting(1)[0], calls[0]);
        _cancel(local, _propose(maker, FIRST, mixed));
    }

    function test_cancel__by_a_guardian_that_is_the_maker__closes_calls_to_the_authority() public {
        _appoint(GUARDIAN_ROLE, FIRST, maker);
        uint64 proposalId =
            _propose(maker, FIRST, _calls(address(authority), abi.encodeCall(authority.resume, ("resumption"))));
        _cancel(maker, proposalId);
    }

    function test_cancel__by_a_maker_who_was_dismissed__still_closes_it() public {
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        _dismiss(COUNCILLOR_ROLE, FIRST, maker);
        _cancel(maker, proposalId);
    }

    function test_cancel__while_paused__still_closes_it() public {
        uint64 proposalId = _agreed(FIRST, _setting(1));
        uint64 another = _propose(maker, FIRST, _setting(2));
        _pause();
        _cancel(guardian, proposalId);
        _cancel(maker, another);
        vm.assertTrue(councils.proposal(another).status == ICouncil.Status.Cancelled, "status");
    }

    function test_cancel__unknown_closed_or_expired__is_refused() public {
        _refuses(guardian, abi.encodeWithSelector(ICouncil.CouncilProposalUnknown.selector, 0));
        councils.cancel(0, OPERATION);
        _refuses(guardian, abi.encodeWithSelector(ICouncil.CouncilProposalUnknown.selector, 1));
        councils.cancel(1, OPERATION);

        uint64 cancelled = _propose(maker, FIRST, _setting(1));
        _cancel(maker, cancelled);
        _refuses(guardian, _closed(cancelled, ICouncil.Status.Cancelled));
        councils.cancel(cancelled, OPERATION);

        uint64 executed = _carried(FIRST, address(target), abi.encodeCall(Target.set, (1)));
        _refuses(guardian, _closed(executed, ICouncil.Status.Executed));
        councils.cancel(executed, OPERATION);

        uint64 expired = _propose(maker, FIRST, _setting(1));
        vm.warp(NOW + 7 days);
        _refuses(maker, abi.encodeWithSelector(ICouncil.CouncilProposalExpired.selector, expired, NOW + 7 days));
        councils.cancel(expired, OPERATION);
    }

    function test_cancel__operation_missing_or_done__is_refused() public {
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        _refuses(maker, abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
        councils.cancel(proposalId, 0);
        vm.prank(maker);
        councils.cancel(proposalId, OPERATION);
        _refuses(maker, _done(councils.sequence()));
        councils.cancel(proposalId, OPERATION);
    }

    // --- views

    function test_views__unknown_proposal__is_refused() public {
        bytes memory unknown = abi.encodeWithSelector(ICouncil.CouncilProposalUnknown.selector, 1);
        vm.expectRevert(unknown);
        councils.proposal(1);
        vm.expectRevert(unknown);
        councils.approvalsOf(1);
        vm.assertEq(councils.approversOf(1).length, 0, "approvers");
    }

    function _assertProposal(uint64 proposalId, ICouncil.Proposal memory expected) private view {
        vm.assertEq(abi.encode(councils.proposal(proposalId)), abi.encode(expected), "proposal");
    }

    function _many(uint256 count, uint256 length) private view returns (ICouncil.Call[] memory calls) {
        calls = new ICouncil.Call[](count);
        for (uint256 i = 0; i < count; ++i) {
            calls[i] = ICouncil.Call(address(target), new bytes(length));
        }
    }

    function _roleMissing(address account, uint16 programmeId) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IAuthority.AuthorityRoleMissing.selector, account, COUNCILLOR_ROLE, programmeId);
    }

    function _approvalsUnusable(uint8 given, uint256 most) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICouncil.CouncilApprovalsUnusable.selector, given, most);
    }

    function _callUnusable(uint256 index, address called) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICouncil.CouncilCallUnusable.selector, index, called);
    }

    function _closed(uint64 proposalId, ICouncil.Status status) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICouncil.CouncilProposalClosed.selector, proposalId, status);
    }

    function _done(uint64 line) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, line);
    }
}
