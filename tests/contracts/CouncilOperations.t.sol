// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBenefits} from "../../contracts/interfaces/IBenefits.sol";
import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {ISignedMessages} from "../../contracts/interfaces/ISignedMessages.sol";
import {Proposals} from "./Proposals.sol";
import {Stage} from "./Stage.sol";

/// @title Operation ids of proposals, which all can read, used first by others who may give commands
/// @notice They take ids of their own, so that nobody stands in a council's way by them.
contract CouncilOperationsTest is Stage, Proposals {
    bytes32 private constant OPERATION = keccak256("this operation");

    function setUp() public override {
        super.setUp();
        _appointCouncillors();
        _appoint(COUNCIL_ROLE, 0, councils.seatOf(0));
    }

    /// @dev Calls to five contracts. Before they are executed, everybody who can uses their ids, each in all
    /// contracts where it may.
    function test_execute__calls_whose_ids_others_used_first__are_all_made() public {
        ICouncil.Call[] memory calls = _manyCalls();
        uint64 proposalId = _agreed(0, calls);
        for (uint256 i = 0; i < calls.length; ++i) {
            bytes32 id = _id(i);
            _uses(
                _controller(3), address(organisations), abi.encodeCall(organisations.nominate, (3, stranger, id))
            );
            _uses(
                _controller(5),
                address(organisations),
                abi.encodeCall(organisations.changeProfile, (5, EVIDENCE, id))
            );
            _uses(issuer, address(credits), abi.encodeCall(credits.award, (FIRST, _awards(1, 1), id)));
            _uses(council, address(programmes), abi.encodeCall(programmes.changeProfile, (SECOND, EVIDENCE, id)));
            _uses(council, address(credits), abi.encodeCall(credits.award, (SECOND, _awards(2, 1), id)));
            _uses(council, address(memberships), abi.encodeCall(memberships.changeMetadataBase, ("x", id)));
            _uses(council, address(benefits), abi.encodeCall(benefits.list, (_terms(), id)));
            _uses(wide, address(councils), abi.encodeCall(councils.cancelMessage, (id)));
            _uses(stranger, address(organisations), abi.encodeCall(organisations.cancelMessage, (id)));
        }
        _execute(wideFourth, proposalId, calls);
        address seat = councils.seatOf(0);
        vm.assertEq(programmes.programme(FIRST).profile, keccak256("profile"), "profile");
        (address named,) = organisations.recoveryOf(3);
        vm.assertEq(named, wide, "successor of the recovery");
        vm.assertTrue(organisations.isRetired(6), "retired");
        vm.assertEq(credits.balanceOf(FIRST, 2), 40, "award");
        for (uint256 i = 0; i < calls.length; ++i) {
            vm.assertGe(
                int256(uint256(IJournal(calls[i].target).operationSequence(seat, _id(i)))), 1, "the seat's"
            );
        }
    }

    function test_propose_approve_execute_cancel__whose_ids_others_used_first__are_done() public {
        ICouncil.Call[] memory calls =
            _calls(address(programmes), abi.encodeCall(programmes.changeProfile, (FIRST, EVIDENCE, "change")));
        uint64 another = _propose(wideFourth, 0, calls);
        _uses(fourth, address(councils), abi.encodeCall(councils.propose, (FIRST, calls, NOW + 1, 0, "proposal")));
        _uses(wide, address(councils), abi.encodeCall(councils.propose, (0, calls, NOW + 1 days, 0, "proposal")));
        uint64 proposalId = councils.proposalCount();
        bytes32[4] memory ids = [bytes32("one"), "two", "execution", "cancellation"];
        for (uint256 i = 0; i < 4; ++i) {
            _uses(maker, address(councils), abi.encodeCall(councils.propose, (FIRST, calls, NOW + 1, 0, ids[i])));
        }
        // Another who approves by the same id is another, too.
        _uses(wideSecond, address(councils), abi.encodeCall(councils.approve, (proposalId, _hash(calls), "one")));
        _uses(wideThird, address(councils), abi.encodeCall(councils.approve, (proposalId, _hash(calls), "one")));
        vm.assertEq(councils.approvalsOf(proposalId), 2, "approvals");
        _uses(wideFourth, address(councils), abi.encodeCall(councils.execute, (proposalId, calls, "execution")));
        _uses(wideFourth, address(councils), abi.encodeCall(councils.cancel, (another, "cancellation")));
    }

    function test_approveBySignature__whose_id_others_used_first__counts() public {
        (uint64 proposalId, bytes32 callsHash) = _open();
        ISignedMessages.Signed memory signed = _approvalOf(proposalId);
        _uses(wideThird, address(councils), abi.encodeCall(councils.approve, (proposalId, callsHash, OPERATION)));
        _uses(stranger, address(councils), abi.encodeCall(councils.cancelMessage, (OPERATION)));
        vm.prank(stranger);
        councils.approveBySignature(proposalId, callsHash, OPERATION, signed);
        vm.assertEq(councils.approvalsOf(proposalId), 2, "approvals");
    }

    /// @dev But an account's own id is used once, whichever way it comes first.
    function test_approve__signed_and_sent_by_one_id__is_done_once() public {
        (uint64 proposalId, bytes32 callsHash) = _open();
        ISignedMessages.Signed memory signed = _approvalOf(proposalId);
        uint256 before = vm.snapshotState();
        councils.approveBySignature(proposalId, callsHash, OPERATION, signed);
        vm.expectRevert(_done());
        vm.prank(wideSecond);
        councils.approve(proposalId, callsHash, OPERATION);
        vm.revertToState(before);
        vm.prank(wideSecond);
        councils.approve(proposalId, callsHash, OPERATION);
        vm.expectRevert(_done());
        councils.approveBySignature(proposalId, callsHash, OPERATION, signed);
    }

    /// @dev The seat's own ids are used by what it is told to do, and by nothing else: an id given to two of
    /// its calls to one contract is the proposal's own mistake, and none of the calls is made.
    function test_execute__two_calls_by_one_id__is_refused_whole() public {
        ICouncil.Call[] memory calls = new ICouncil.Call[](2);
        bytes memory data = abi.encodeCall(programmes.changeProfile, (FIRST, keccak256("profile"), OPERATION));
        calls[0] = calls[1] = ICouncil.Call(address(programmes), data);
        uint64 proposalId = _agreed(0, calls);
        vm.expectRevert(
            abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, programmes.sequence() + 1)
        );
        vm.prank(wide);
        councils.execute(proposalId, calls, "execution");
        // The same id in two contracts is two operations.
        calls[1] = ICouncil.Call(
            address(memberships), abi.encodeCall(memberships.changeMetadataBase, ("base", OPERATION))
        );
        _execute(wide, _agreed(0, calls), calls);
    }

    function _manyCalls() private view returns (ICouncil.Call[] memory calls) {
        calls = new ICouncil.Call[](6);
        calls[0] = ICouncil.Call(
            address(programmes), abi.encodeCall(programmes.changeProfile, (FIRST, keccak256("profile"), _id(0)))
        );
        calls[1] = ICouncil.Call(
            address(organisations), abi.encodeCall(organisations.beginRecovery, (3, wide, EVIDENCE, _id(1)))
        );
        calls[2] =
            ICouncil.Call(address(organisations), abi.encodeCall(organisations.retire, (6, 5, EVIDENCE, _id(2))));
        calls[3] = ICouncil.Call(address(credits), abi.encodeCall(credits.award, (FIRST, _awards(2, 40), _id(3))));
        calls[4] =
            ICouncil.Call(address(memberships), abi.encodeCall(memberships.changeMetadataBase, ("base", _id(4))));
        calls[5] = ICouncil.Call(address(benefits), abi.encodeCall(benefits.list, (_terms(), _id(5))));
    }

    function _terms() private pure returns (IBenefits.Listing memory) {
        return IBenefits.Listing(FIRST, 1, 1, 1, NOW, EXPIRY, EVIDENCE);
    }

    function _id(uint256 number) private pure returns (bytes32) {
        return keccak256(abi.encode("call", number));
    }

    /// @dev A proposal of the alliance.
    function _open() private returns (uint64 proposalId, bytes32 callsHash) {
        ICouncil.Call[] memory calls =
            _calls(address(programmes), abi.encodeCall(programmes.changeProfile, (FIRST, EVIDENCE, "change")));
        return (_propose(wide, 0, calls), _hash(calls));
    }

    function _approvalOf(uint64 proposalId) private view returns (ISignedMessages.Signed memory) {
        bytes32 message = _approval(proposalId, wideSecond, OPERATION, NOW + 1);
        return _signed(_key("wide second"), address(councils), DOMAIN_NAME, message, NOW + 1);
    }

    /// @dev A command that is done.
    function _uses(address sender, address target, bytes memory data) private {
        vm.prank(sender);
        (bool done, bytes memory answer) = target.call(data);
        if (done) return;
        assembly ("memory-safe") {
            revert(add(answer, 32), mload(answer))
        }
    }

    function _done() private view returns (bytes memory) {
        uint64 line = councils.operationSequence(wideSecond, OPERATION);
        return abi.encodeWithSelector(
            IJournal.JournalOperationDone.selector, OPERATION, line == 0 ? councils.sequence() : line
        );
    }
}
