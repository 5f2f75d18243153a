// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {Chamber, Target} from "./Proposals.sol";
import {Wallet} from "./Signers.sol";

/// @title What a councillor, a target or a whole council could try against the others
contract CouncilAttacksTest is Chamber {
    // --- re-entrancy

    /// @dev The seat as a councillor: then a proposal could execute another, and itself.
    function test_reentrancy__proposal_that_executes_another__is_refused() public {
        _appoint(COUNCILLOR_ROLE, FIRST, councils.seatOf(FIRST));
        ICouncil.Call[] memory inner = _setting(1);
        uint64 innerId = _agreed(FIRST, inner);
        ICouncil.Call[] memory outer =
            _calls(address(councils), abi.encodeCall(councils.execute, (innerId, inner, "inner")));
        uint64 outerId = _agreed(FIRST, outer);
        _refuses(maker, abi.encodeWithSelector(ICouncil.CouncilReentered.selector, outerId));
        councils.execute(outerId, outer, OPERATION);
        _execute(maker, innerId, inner); // the inner one is as it was
    }

    /// @dev By a target that is a councillor: of another proposal, and of the one that calls it.
    function test_reentrancy__target_that_executes_back__is_refused() public {
        _appoint(COUNCILLOR_ROLE, FIRST, address(target));
        uint64 another = _agreed(FIRST, _setting(1));
        for (uint64 executed = another; executed <= another + 1; ++executed) {
            uint256 before = vm.snapshotState();
            bytes memory back = abi.encodeCall(councils.execute, (executed, _setting(1), "back"));
            ICouncil.Call[] memory calls = _callingBack(back);
            uint64 proposalId = _agreed(FIRST, calls);
            vm.assertEq(proposalId, another + 1, "this proposal");
            _refuses(maker, abi.encodeWithSelector(ICouncil.CouncilReentered.selector, proposalId));
            councils.execute(proposalId, calls, OPERATION);

            calls = _calls(address(target), abi.encodeCall(Target.tryToRun, (address(councils), back)));
            proposalId = _agreed(FIRST, calls);
            _execute(maker, proposalId, calls);
            vm.assertEq(target.number(), 2, "refused, and the target went on");
            vm.assertTrue(councils.proposal(another).status == ICouncil.Status.Open, "the other proposal");
            vm.revertToState(before);
        }
    }

    /// @dev One proposal after another in a transaction: the first is over when the second begins.
    function test_execute__two_in_a_transaction__are_both_carried_out() public {
        Wallet wallet = new Wallet(maker);
        _appoint(COUNCILLOR_ROLE, FIRST, address(wallet));
        for (uint256 i = 0; i < 2; ++i) {
            uint64 proposalId = _agreed(FIRST, _setting(i));
            bytes memory data = abi.encodeCall(councils.execute, (proposalId, _setting(i), _operation()));
            (bool done,) = wallet.send(address(councils), data);
            vm.assertTrue(done, "done");
        }
        vm.assertEq(target.count(), 2, "calls");
    }

    /// @dev A target that is a councillor may do what a councillor may, with the journal in order.
    function test_reentrancy__target_that_proposes_and_approves__writes_its_lines_after() public {
        _appoint(COUNCILLOR_ROLE, FIRST, address(target));
        uint64 open = _propose(maker, FIRST, _setting(1));
        ICouncil.Call[] memory calls = new ICouncil.Call[](3);
        calls[0] = _callingBack(
            abi.encodeCall(councils.propose, (FIRST, _setting(2), NOW + 1 days, EVIDENCE, "proposal"))
        )[0];
        calls[1] = _callingBack(abi.encodeCall(councils.approve, (open, _hash(_setting(1)), "approval")))[0];
        calls[2] = _callingBack(abi.encodeCall(councils.cancelMessage, ("cancelled")))[0];
        uint64 proposalId = _agreed(FIRST, calls);
        uint64 line = councils.sequence();
        uint64 authorityLine = authority.sequence();
        _watch(address(councils));
        vm.prank(maker);
        councils.execute(proposalId, calls, OPERATION);
        bytes[] memory lines = new bytes[](4);
        lines[0] = abi.encode(ICouncil.ProposalExecuted.selector, line + 1, FIRST, proposalId, maker, OPERATION);
        lines[1] = abi.encode(
            ICouncil.ProposalMade.selector,
            line + 2,
            FIRST,
            proposalId + 1,
            target,
            _hash(_setting(2)),
            EVIDENCE,
            2,
            NOW + 1 days,
            authorityLine,
            bytes32("proposal")
        );
        lines[2] =
            abi.encode(ICouncil.ProposalApproved.selector, line + 3, FIRST, open, target, 1, bytes32("approval"));
        lines[3] = abi.encode(
            keccak256("MessageCancelled(uint64,address,bytes32,bytes32)"), line + 4, target, bytes32("cancelled")
        );
        _assertLines(lines);
    }

    function test_reentrancy__approval_of_itself_while_it_is_executed__is_refused() public {
        _appoint(COUNCILLOR_ROLE, FIRST, address(target));
        // Id 1 is this one.
        ICouncil.Call[] memory calls =
            _callingBack(abi.encodeCall(councils.approve, (1, keccak256("any"), "approval")));
        uint64 proposalId = _agreed(FIRST, calls);
        _refuses(
            maker, abi.encodeWithSelector(ICouncil.CouncilProposalClosed.selector, 1, ICouncil.Status.Executed)
        );
        councils.execute(proposalId, calls, OPERATION);
    }

    function test_reentrancy__cancelling_what_is_being_executed__is_refused() public {
        _appoint(GUARDIAN_ROLE, 0, address(target));
        ICouncil.Call[] memory calls = _callingBack(abi.encodeCall(councils.cancel, (1, "cancel")));
        uint64 proposalId = _agreed(FIRST, calls);
        _refuses(
            maker, abi.encodeWithSelector(ICouncil.CouncilProposalClosed.selector, 1, ICouncil.Status.Executed)
        );
        councils.execute(proposalId, calls, OPERATION);
    }

    /// @dev A target has nothing of the seat's: what it calls, it calls as itself.
    function test_target__that_calls_on__has_no_right_of_the_seats() public {
        _appoint(COUNCIL_ROLE, FIRST, councils.seatOf(FIRST));
        bytes memory data = abi.encodeCall(programmes.changeSupplyCap, (FIRST, 1, "cap"));
        ICouncil.Call[] memory calls =
            _calls(address(target), abi.encodeCall(Target.run, (address(programmes), data)));
        uint64 proposalId = _agreed(FIRST, calls);
        _refuses(
            maker,
            abi.encodeWithSelector(IAuthority.AuthorityRoleMissing.selector, address(target), COUNCIL_ROLE, FIRST)
        );
        councils.execute(proposalId, calls, OPERATION);
    }

    // --- councils of one programme against another

    function test_isolation__council_of_the_second__cannot_touch_the_first() public {
        _appoint(COUNCIL_ROLE, FIRST, councils.seatOf(FIRST));
        _appoint(COUNCIL_ROLE, SECOND, councils.seatOf(SECOND));
        bytes memory data = abi.encodeCall(programmes.changeSupplyCap, (FIRST, 1, "cap"));
        ICouncil.Call[] memory calls = _calls(address(programmes), data);
        // Its councillors neither propose for the first …
        _refuses(elsewhere, _roleMissing(elsewhere, COUNCILLOR_ROLE, FIRST));
        councils.propose(FIRST, calls, NOW + 1 days, EVIDENCE, OPERATION);
        // … nor does its seat act there, with whatever approvals.
        uint64 proposalId = _propose(elsewhere, SECOND, calls);
        _approve(wide, proposalId);
        _approve(wideSecond, proposalId);
        _refuses(elsewhere, _roleMissing(councils.seatOf(SECOND), COUNCIL_ROLE, FIRST));
        councils.execute(proposalId, calls, OPERATION);
        // And those of the first cannot approve or execute what is the second's.
        bytes32 callsHash = _hash(calls);
        _refuses(maker, _roleMissing(maker, COUNCILLOR_ROLE, SECOND));
        councils.approve(proposalId, callsHash, OPERATION);
        _refuses(maker, _roleMissing(maker, COUNCILLOR_ROLE, SECOND));
        councils.execute(proposalId, calls, OPERATION);
        // The same calls, proposed in the first, do it.
        proposalId = _agreed(FIRST, calls);
        _execute(maker, proposalId, calls);
        vm.assertEq(programmes.programme(FIRST).supplyCap, 1, "cap");
    }

    function test_isolation__another_councils_seat__is_another_account() public {
        address twin = vm.deployCode("Council.sol", abi.encode(authority, programmes, 1));
        vm.assertTrue(ICouncil(twin).seatOf(FIRST) != councils.seatOf(FIRST), "seat");
    }

    /// @dev A council that sits in another: its seat proposes and approves there, and does not execute.
    function test_nested__seat_as_a_councillor_of_the_alliance__proposes_and_approves() public {
        address seat = councils.seatOf(FIRST);
        _appoint(COUNCILLOR_ROLE, 0, seat);
        _appoint(COUNCIL_ROLE, 0, councils.seatOf(0));
        bytes memory change = abi.encodeCall(programmes.changeSupplyCap, (SECOND, 2, "cap"));
        ICouncil.Call[] memory calls = _calls(address(programmes), change);
        uint64 proposalId = _propose(wide, 0, calls);
        _approve(wideSecond, proposalId);
        bytes memory approval = abi.encodeCall(councils.approve, (proposalId, _hash(calls), "by the seat"));
        _carried(FIRST, address(councils), approval);
        vm.assertEq(councils.approversOf(proposalId)[1], seat, "approver");
        _execute(wide, proposalId, calls);
        vm.assertEq(programmes.programme(SECOND).supplyCap, 2, "cap");
    }

    // --- one councillor alone

    /// @dev With one key and any number of contracts of its own, a councillor is one councillor.
    function test_alone__maker_with_a_wallet_of_its_own__does_not_approve() public {
        Wallet wallet = new Wallet(maker);
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        bytes memory data = abi.encodeCall(councils.approve, (proposalId, _hash(_setting(1)), OPERATION));
        (bool done, bytes memory answer) = wallet.send(address(councils), data);
        vm.assertFalse(done, "done");
        vm.assertEq(answer, _roleMissing(address(wallet), COUNCILLOR_ROLE, FIRST), "error");
    }

    /// @dev The default admin can fill a council, but not for what was proposed before.
    function test_admin__that_fills_the_council__does_not_get_at_an_open_proposal() public {
        uint64 proposalId = _propose(maker, FIRST, _setting(1));
        for (uint160 i = 1; i <= 3; ++i) {
            _appoint(COUNCILLOR_ROLE, FIRST, address(i));
            _refuses(
                address(i), abi.encodeWithSelector(ICouncil.CouncilAppointedLater.selector, proposalId, address(i))
            );
            councils.approve(proposalId, _hash(_setting(1)), OPERATION);
        }
        vm.assertEq(councils.approvalsOf(proposalId), 0, "approvals");
    }

    // --- the seat as default admin: appointments with more than one pair of eyes

    function test_admin__seat_of_the_alliance__appoints_dismisses_and_hands_over() public {
        _makeSeatAdmin();
        address seat = councils.seatOf(0);
        _carried(
            0, address(authority), abi.encodeCall(authority.appoint, (ISSUER_ROLE, FIRST, stranger, "appointment"))
        );
        vm.assertTrue(authority.isOfficer(ISSUER_ROLE, FIRST, stranger), "appointed");
        _carried(
            0, address(authority), abi.encodeCall(authority.dismiss, (ISSUER_ROLE, FIRST, stranger, "dismissal"))
        );
        vm.assertFalse(authority.isOfficer(ISSUER_ROLE, FIRST, stranger), "dismissed");
        // A single councillor cannot, nor the old admin, nor the seat of a programme.
        address[3] memory others = [wide, admin, councils.seatOf(FIRST)];
        for (uint256 i = 0; i < 3; ++i) {
            _refuses(
                others[i],
                abi.encodeWithSelector(IAccessControl.AccessControlUnauthorizedAccount.selector, others[i], 0)
            );
            authority.appoint(ISSUER_ROLE, FIRST, stranger, OPERATION);
        }
        // Handing over takes the delay still.
        _carried(0, address(authority), abi.encodeCall(authority.beginDefaultAdminTransfer, (admin)));
        (, uint48 schedule) = authority.pendingDefaultAdmin();
        vm.expectRevert(
            abi.encodeWithSelector(
                IAccessControlDefaultAdminRules.AccessControlEnforcedDefaultAdminDelay.selector, schedule
            )
        );
        vm.prank(admin);
        authority.acceptDefaultAdminTransfer();
        vm.assertEq(authority.defaultAdmin(), seat, "still the seat");
        vm.warp(schedule + 1);
        vm.prank(admin);
        authority.acceptDefaultAdminTransfer();
        vm.assertEq(authority.defaultAdmin(), admin, "handed over");
    }

    /// @dev A council that dismisses a councillor of its own, by a proposal that one approved.
    function test_admin__dismissing_an_approver_in_the_proposal__is_carried_out_whole() public {
        _makeSeatAdmin();
        ICouncil.Call[] memory calls = new ICouncil.Call[](2);
        calls[0] = ICouncil.Call(
            address(authority), abi.encodeCall(authority.dismiss, (COUNCILLOR_ROLE, 0, wideSecond, "one"))
        );
        calls[1] = ICouncil.Call(
            address(authority), abi.encodeCall(authority.appoint, (COUNCILLOR_ROLE, 0, stranger, "two"))
        );
        uint64 proposalId = _agreed(0, calls);
        uint64 another = _agreed(0, _setting(1));
        _execute(wideFourth, proposalId, calls);
        vm.assertEq(councils.approvalsOf(another), 1, "of another proposal");
        _refuses(wide, abi.encodeWithSelector(ICouncil.CouncilApprovalsMissing.selector, another, 1, 2));
        councils.execute(another, _setting(1), OPERATION);
    }

    /// @dev Else a pause could never be lifted.
    function test_admin__seat_of_a_paused_ledger__dismisses_and_resumes() public {
        _makeSeatAdmin();
        uint64 ordinary = _agreed(0, _setting(1));
        _pause();
        ICouncil.Call[] memory calls = new ICouncil.Call[](2);
        calls[0] = ICouncil.Call(
            address(authority), abi.encodeCall(authority.dismiss, (GUARDIAN_ROLE, 0, guardian, "dismissal"))
        );
        calls[1] = ICouncil.Call(address(authority), abi.encodeCall(authority.resume, ("resumption")));
        uint64 proposalId = _propose(wide, 0, calls);
        vm.assertTrue(councils.proposal(proposalId).authorityOnly, "to the Authority only");
        _approve(wideSecond, proposalId);
        bytes32 message = _approval(proposalId, wideThird, OPERATION, NOW + 1);
        councils.approveBySignature(
            proposalId,
            _hash(calls),
            OPERATION,
            _signed(_key("wide third"), address(councils), DOMAIN_NAME, message, NOW + 1)
        );
        // Still only by councillors.
        _refuses(stranger, _roleMissing(stranger, COUNCILLOR_ROLE, 0));
        councils.execute(proposalId, calls, "execution");
        _refuses(wide, abi.encodePacked(IAuthority.AuthorityPaused.selector));
        councils.execute(ordinary, _setting(1), "execution");
        _execute(wide, proposalId, calls);
        authority.requireRunning();
        _execute(wide, ordinary, _setting(1));
    }

    /// @dev A stolen guardian's key does all that it can against a seat that is the default admin. The pause
    /// ends, and the key is worth nothing any more.
    function test_admin__guardian_that_pauses_and_cancels_what_it_can__is_dismissed() public {
        _makeSeatAdmin();
        uint64 ordinary = _agreed(0, _setting(1));
        _pause();
        _cancel(guardian, ordinary); // what it can
        ICouncil.Call[] memory dismissal = _calls(
            address(authority), abi.encodeCall(authority.dismiss, (GUARDIAN_ROLE, 0, guardian, "dismissal"))
        );
        ICouncil.Call[] memory resumption =
            _calls(address(authority), abi.encodeCall(authority.resume, ("resumption")));
        uint64[2] memory proposals = [_agreed(0, dismissal), _agreed(0, resumption)];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory failure =
                abi.encodeWithSelector(ICouncil.CouncilNotEntitled.selector, guardian, proposals[i]);
            _refuses(guardian, failure);
            councils.cancel(proposals[i], OPERATION);
        }
        uint256 before = vm.snapshotState();
        _execute(wide, proposals[0], dismissal);
        _execute(wide, proposals[1], resumption);
        authority.requireRunning();
        _refuses(guardian, _roleMissing(guardian, GUARDIAN_ROLE, 0));
        authority.pause(OPERATION);
        vm.revertToState(before);
        // Gone before it is dismissed, it holds up its dismissal, and nothing else.
        vm.prank(guardian);
        authority.renounceRole(GUARDIAN_ROLE, guardian);
        _refuses(
            wide, abi.encodeWithSelector(IAuthority.AuthorityRoleNotHeld.selector, guardian, GUARDIAN_ROLE, 0)
        );
        councils.execute(proposals[0], dismissal, "execution");
        _execute(wide, proposals[1], resumption);
        authority.requireRunning();
    }

    /// @dev What spare councillors are for: with fewer than a proposal needs, a seat that is the default admin
    /// can do nothing any more, and nobody can help it.
    function test_admin__seat_with_too_few_councillors__is_stuck() public {
        _makeSeatAdmin();
        address[2] memory gone = [wideThird, wideFourth];
        for (uint256 i = 0; i < 2; ++i) {
            vm.prank(gone[i]);
            authority.renounceRole(COUNCILLOR_ROLE, gone[i]);
        }
        ICouncil.Call[] memory calls = _calls(
            address(authority), abi.encodeCall(authority.appoint, (COUNCILLOR_ROLE, 0, stranger, "appointment"))
        );
        uint64 proposalId = _propose(wide, 0, calls);
        _approve(wideSecond, proposalId);
        _refuses(wide, abi.encodeWithSelector(ICouncil.CouncilApprovalsMissing.selector, proposalId, 1, 2));
        councils.execute(proposalId, calls, "execution");
        // A programme's own councillors are none of the alliance's.
        _refuses(maker, _roleMissing(maker, COUNCILLOR_ROLE, 0));
        councils.approve(proposalId, _hash(calls), OPERATION);
    }

    /// @dev A call beside those to the Authority would act while the ledger is paused.
    function test_paused__proposal_with_one_other_call__is_refused() public {
        ICouncil.Call[] memory calls = new ICouncil.Call[](2);
        calls[0] = ICouncil.Call(address(authority), abi.encodeCall(authority.resume, ("resumption")));
        calls[1] = _setting(1)[0];
        uint64 before = _propose(wide, 0, calls);
        vm.assertFalse(councils.proposal(before).authorityOnly, "not only to the Authority");
        _pause();
        _refuses(wide, abi.encodePacked(IAuthority.AuthorityPaused.selector));
        councils.propose(0, calls, NOW + 1 days, EVIDENCE, OPERATION);
        (calls[0], calls[1]) = (calls[1], calls[0]);
        _refuses(wide, abi.encodePacked(IAuthority.AuthorityPaused.selector));
        councils.propose(0, calls, NOW + 1 days, EVIDENCE, OPERATION);
        _refuses(wideSecond, abi.encodePacked(IAuthority.AuthorityPaused.selector));
        councils.approve(before, _hash(calls), OPERATION);
    }

    /// @dev A pause in the middle of a proposal: the calls after it find a ledger that stands still.
    function test_paused__by_the_proposal_itself__stops_its_later_calls() public {
        _appoint(GUARDIAN_ROLE, 0, councils.seatOf(0));
        ICouncil.Call[] memory calls = new ICouncil.Call[](2);
        calls[0] = ICouncil.Call(address(authority), abi.encodeCall(authority.pause, ("pause")));
        calls[1] =
            ICouncil.Call(address(councils), abi.encodeCall(councils.changeAllianceApprovals, (1, "change")));
        uint64 proposalId = _agreed(0, calls);
        _refuses(wide, abi.encodePacked(IAuthority.AuthorityPaused.selector));
        councils.execute(proposalId, calls, OPERATION);
        authority.requireRunning();
    }

    function _makeSeatAdmin() private {
        address seat = councils.seatOf(0);
        vm.prank(admin);
        authority.beginDefaultAdminTransfer(seat);
        vm.warp(NOW + ADMIN_DELAY + 1);
        _carried(0, address(authority), abi.encodeCall(authority.acceptDefaultAdminTransfer, ()));
        vm.assertEq(authority.defaultAdmin(), seat, "the seat is admin");
        vm.warp(NOW);
    }

    function _callingBack(bytes memory data) private view returns (ICouncil.Call[] memory) {
        return _calls(address(target), abi.encodeCall(Target.run, (address(councils), data)));
    }

    function _roleMissing(address account, bytes32 name, uint16 programmeId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAuthority.AuthorityRoleMissing.selector, account, name, programmeId);
    }
}
