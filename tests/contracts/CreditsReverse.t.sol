// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {Entries} from "./Entries.sol";

/// @title What may be reversed, by whom, how often. The proof is in CreditsProof.t.sol
contract CreditsReverseTest is Entries {
    bytes32 private constant OPERATION = keccak256("this operation");

    // --- the entry

    function test_reverse__an_award__is_entered_with_every_field() public {
        _award(1, 400);
        _award(3, 250);
        _award(3, 50);
        _watch(address(credits));
        ICredits.Reversal[] memory reversals = _reversals(2);
        vm.prank(council);
        credits.reverse(FIRST, reversals, OPERATION);
        bytes memory words = bytes.concat(
            abi.encode(ICredits.EntryPosted.selector, _number(1), FIRST, 3, ICredits.Kind.Reversal, DATA),
            abi.encode(int64(-250), int64(50), keccak256(abi.encode("why", 2)), 2, council, OPERATION)
        );
        vm.assertEq(_assertLine(words).length, 0, "echoes");
        vm.assertEq(credits.balanceOf(FIRST, 3), 50, "balance");
        vm.assertEq(credits.balanceOf(FIRST, 1), 400, "balance of another");
        vm.assertEq(credits.outstanding(FIRST), 450, "outstanding");
        vm.assertEq(credits.reversedBy(FIRST, 2), 4, "reversed by");
        vm.assertEq(
            credits.reversedBy(FIRST, 1) + credits.reversedBy(FIRST, 3) + credits.reversedBy(FIRST, 4),
            0,
            "no others"
        );
        vm.assertEq(credits.headAt(4), credits.head(), "head kept");
        vm.assertEq(credits.operationSequence(council, OPERATION), 4, "operation");
    }

    function test_reverse__first_middle_and_last_of_a_batch__are_each_found() public {
        _awardSeveral(1, 7);
        _reverseOne(council, 1);
        _reverseOne(council, 4);
        _reverseOne(council, 7);
        vm.assertEq(credits.balanceOf(FIRST, 1), 28 - 1 - 4 - 7, "balance");
        vm.assertEq(credits.outstanding(FIRST), 16, "outstanding");
        vm.assertEq(credits.reversedBy(FIRST, 1), 8, "first");
        vm.assertEq(credits.reversedBy(FIRST, 4), 9, "middle");
        vm.assertEq(credits.reversedBy(FIRST, 7), 10, "last");
    }

    function test_reverse__several_of_several_commands__are_entered_in_order() public {
        _awardSeveral(1, 3);
        _awardSeveral(2, 3);
        uint64[] memory ids = new uint64[](3);
        (ids[0], ids[1], ids[2]) = (5, 1, 6);
        _reverse(council, ids);
        vm.assertEq(credits.balanceOf(FIRST, 1), 5, "balance of 1");
        vm.assertEq(credits.balanceOf(FIRST, 2), 1, "balance of 2");
        for (uint64 i = 0; i < 3; ++i) {
            ICredits.Entry memory entry = posted[6 + i].entry;
            vm.assertEq(uint8(entry.kind), uint8(ICredits.Kind.Reversal), "kind");
            vm.assertEq(entry.refersTo, ids[i], "refers to");
            vm.assertEq(entry.amount, -posted[ids[i] - 1].entry.amount, "amount");
            vm.assertEq(credits.reversedBy(FIRST, ids[i]), 7 + i, "reversed by");
        }
    }

    function test_reverse__all_awards_by_any_cut__leaves_nothing() public {
        _awardSeveral(1, 30);
        uint64[] memory ids = new uint64[](25);
        for (uint64 i = 0; i < 25; ++i) {
            ids[i] = i + 1;
        }
        _reverse(council, ids);
        for (uint64 id = 26; id <= 30; ++id) {
            _reverseOne(council, id);
        }
        vm.assertEq(credits.balanceOf(FIRST, 1), 0, "balance");
        vm.assertEq(credits.outstanding(FIRST), 0, "outstanding");
        vm.assertEq(credits.sequence(), 60, "entries");
    }

    function test_reverse__credits_spent_meanwhile__brings_the_balance_below_zero() public {
        _award(3, 100);
        _award(1, 60);
        _award(2, 70);
        _redeem(3, 70);
        vm.assertEq(credits.balanceOf(FIRST, 3), 30, "balance after spending");
        _reverseOne(council, 1);
        vm.assertEq(credits.balanceOf(FIRST, 3), -70, "balance below zero");
        vm.assertEq(posted[4].entry.balanceAfter, -70, "balance after");
        vm.assertEq(credits.balanceOf(FIRST, 1), 60, "its neighbours'");
        vm.assertEq(credits.balanceOf(FIRST, 2), 70, "its neighbours'");
        _award(3, 50);
        vm.assertEq(credits.balanceOf(FIRST, 3), -20, "balance, still below zero");
        _award(3, 21);
        vm.assertEq(credits.balanceOf(FIRST, 3), 1, "balance above zero again");
        vm.assertEq(credits.balanceOf(FIRST, 2), 70, "its neighbours'");
    }

    function test_reverse__member_gone_category_closed_epoch_over__is_done() public {
        _award(3, 100);
        vm.prank(registrar);
        memberships.revoke(FIRST, _one(uint32(3)), REASON, EVIDENCE, "revocation");
        vm.prank(council);
        programmes.closeCategories(FIRST, _one(DATA), "closing");
        vm.prank(council);
        programmes.changeSupplyCap(FIRST, 0, "cap");
        vm.warp(EPOCH_END + 200 days);
        _reverseOne(council, 1);
        vm.assertEq(credits.balanceOf(FIRST, 3), 0, "balance");
    }

    // --- once

    function test_reverse__twice_over_two_commands__is_refused() public {
        _awardSeveral(1, 3);
        _reverseOne(council, 2);
        _refused(council, _reversals(2), _already(2, 4));
    }

    function test_reverse__twice_in_one_batch__is_refused() public {
        _awardSeveral(1, 3);
        ICredits.Reversal[] memory reversals = new ICredits.Reversal[](3);
        (reversals[0], reversals[1], reversals[2]) = (_reversal(2), _reversal(1), _reversal(2));
        _refused(council, reversals, _already(2, 4));
        vm.assertEq(credits.reversedBy(FIRST, 2), 0, "none is reversed");
        vm.assertEq(credits.balanceOf(FIRST, 1), 6, "balance");
    }

    function test_reverse__a_reversal__is_refused() public {
        _award(1, 5);
        _reverseOne(council, 1);
        _refused(
            council,
            _reversals(2),
            abi.encodeWithSelector(ICredits.CreditsNotReversible.selector, 2, ICredits.Kind.Reversal)
        );
    }

    // --- programmes

    function test_reverse__of_another_programme__is_refused() public {
        _award(council, SECOND, _awards(1, 5));
        _refused(
            council,
            _reversals(1),
            abi.encodeWithSelector(ICredits.CreditsEntryOfOtherProgramme.selector, 1, SECOND, FIRST)
        );
        ICredits.Reversal[] memory reversals = _reversals(1);
        reversals[0].entry.programmeId = FIRST; // not even under a false name
        _refused(council, reversals, _unproven(1));
        _reverseOne(council, 1);
        vm.assertEq(credits.outstanding(SECOND), 0, "outstanding");
    }

    function test_reverse__unknown_programme__proves_nothing() public {
        _award(1, 5);
        ICredits.Reversal[] memory reversals = _reversals(1);
        reversals[0].entry.programmeId = 9;
        vm.expectRevert(_unproven(1));
        vm.prank(council);
        credits.reverse(9, reversals, OPERATION);
    }

    // --- who

    function test_reverse__by_the_issuer_who_made_it__is_done() public {
        _award(issuer, FIRST, _awards(1, 5));
        _reverseOne(issuer, 1);
        vm.assertEq(posted[1].entry.actor, issuer, "actor");
        vm.assertEq(credits.spent(FIRST, 1, issuer), 5, "spent, not given back");
    }

    function test_reverse__by_another_issuer__is_refused() public {
        _award(issuer, FIRST, _awards(1, 5));
        _award(1, 7); // by the council
        _appoint(ISSUER_ROLE, FIRST, stranger);
        _refused(stranger, _reversals(1), _notEntitled(stranger, 1));
        _refused(issuer, _reversals(2), _notEntitled(issuer, 2));
    }

    function test_reverse__claiming_to_have_made_it__proves_nothing() public {
        _award(1, 7);
        ICredits.Reversal[] memory reversals = _reversals(1);
        reversals[0].entry.actor = issuer;
        _refused(issuer, reversals, _unproven(1));
    }

    function test_reverse__by_a_dismissed_issuer__is_refused() public {
        _award(issuer, FIRST, _awards(1, 5));
        vm.prank(admin);
        authority.dismiss(ISSUER_ROLE, FIRST, issuer, "dismissal");
        _refused(issuer, _reversals(1), _roleMissing(issuer));
    }

    function test_reverse__by_the_council_of_it_or_of_the_alliance__is_done() public {
        _award(issuer, FIRST, _awards(1, 5));
        _award(issuer, FIRST, _awards(1, 6));
        _appoint(COUNCIL_ROLE, FIRST, stranger);
        _reverseOne(stranger, 1);
        _reverseOne(council, 2);
    }

    function test_reverse__by_any_other__is_refused() public {
        _award(issuer, FIRST, _awards(1, 5));
        _appoint(COUNCIL_ROLE, SECOND, stranger); // of the other programme
        address[5] memory others = [stranger, registrar, guardian, admin, _controller(1)];
        for (uint256 i = 0; i < 5; ++i) {
            _refused(others[i], _reversals(1), _roleMissing(others[i]));
        }
    }

    function test_reverse__while_paused__is_refused() public {
        _award(1, 5);
        _pause();
        _refused(council, _reversals(1), abi.encodePacked(IAuthority.AuthorityPaused.selector));
        _resume();
        _reverseOne(council, 1);
    }

    // --- operations and batches

    function test_reverse__operation_missing_or_done__is_refused() public {
        _award(1, 5);
        ICredits.Reversal[] memory reversals = _reversals(1);
        vm.expectRevert(abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
        vm.prank(council);
        credits.reverse(FIRST, reversals, 0);
        vm.prank(council);
        credits.reverse(FIRST, reversals, OPERATION);
        bytes memory done = abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, 2);
        vm.expectRevert(done);
        vm.prank(council);
        credits.reverse(FIRST, reversals, OPERATION);
        vm.expectRevert(done); // nor is an award under the same id
        vm.prank(council);
        credits.award(FIRST, _awards(1, 5), OPERATION);
    }

    function test_reverse__none_or_too_many__is_refused() public {
        uint256 most = credits.MAX_REVERSALS();
        _awardSeveral(1, most + 1);
        _refused(
            council,
            new ICredits.Reversal[](0),
            abi.encodeWithSelector(ICredits.CreditsBatchSize.selector, 0, most)
        );
        ICredits.Reversal[] memory reversals = new ICredits.Reversal[](most + 1);
        uint64[] memory ids = new uint64[](most);
        for (uint64 i = 0; i <= most; ++i) {
            reversals[i] = _reversal(i + 1);
            if (i < most) ids[i] = i + 1;
        }
        _refused(council, reversals, abi.encodeWithSelector(ICredits.CreditsBatchSize.selector, most + 1, most));
        _reverse(council, ids);
    }

    function _reversals(uint64 entryId) private view returns (ICredits.Reversal[] memory reversals) {
        reversals = new ICredits.Reversal[](1);
        reversals[0] = _reversal(entryId);
    }

    function _refused(address sender, ICredits.Reversal[] memory reversals, bytes memory failure) private {
        bytes32 operationId = _operation();
        vm.expectRevert(failure);
        vm.prank(sender);
        credits.reverse(FIRST, reversals, operationId);
    }

    function _already(uint64 entryId, uint64 reversedBy) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICredits.CreditsAlreadyReversed.selector, entryId, reversedBy);
    }

    function _unproven(uint64 entryId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICredits.CreditsEntryUnproven.selector, entryId);
    }

    function _notEntitled(address account, uint64 entryId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICredits.CreditsNotEntitled.selector, account, entryId);
    }

    function _roleMissing(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAuthority.AuthorityRoleMissing.selector, account, ISSUER_ROLE, FIRST);
    }
}
