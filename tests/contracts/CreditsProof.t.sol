// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {Entries} from "./Entries.sol";

/// @title The proof that an entry was posted, which a reversal brings: nothing made up passes
contract CreditsProofTest is Entries {
    function setUp() public override {
        super.setUp();
        // Entries 1 to 4 in one command, 5 to 9 in the next, 10 alone.
        _awardSeveral(1, 4);
        _awardSeveral(2, 5);
        _award(3, 5);
    }

    function test_proof__to_the_next_head_or_a_later_one__is_accepted() public {
        _accepted(_reversal(2));
        _accepted(_reversal(2, 9)); // over the end of its command
        _accepted(_reversal(2, 10));
        _accepted(_reversal(10));
    }

    function test_proof__over_a_head_that_is_kept_between__is_accepted() public {
        _awardSeveral(1, 300); // 11 to 310
        _accepted(_reversal(11, 128));
        _accepted(_reversal(11, 310));
        _accepted(_reversal(128)); // its own head is kept
        vm.assertEq(_reversal(128).hashesAfter.length, 0, "no hashes");
        vm.assertEq(_reversal(129).hashesAfter.length, 127, "the longest");
        _accepted(_reversal(129));
        _accepted(_reversal(310));
    }

    function test_proof__to_an_entry_whose_head_is_not_kept__is_refused() public {
        _refused(_reversal(2, 3));
        _refused(_reversal(2, 2));
        _refused(_reversal(1, 8));
    }

    function test_entry__each_field_tampered__is_refused() public {
        for (uint256 field = 0; field < 11; ++field) {
            ICredits.Reversal memory reversal = _reversal(2);
            bytes4 expected = _tamper(reversal.entry, field);
            _refused(reversal, expected);
        }
    }

    function testFuzz_entry__amount_or_organisation_tampered__is_refused(int64 amount, uint32 orgId) public {
        ICredits.Reversal memory reversal = _reversal(2);
        vm.assume(amount != reversal.entry.amount || orgId != reversal.entry.orgId);
        reversal.entry.amount = amount;
        reversal.entry.orgId = orgId;
        _refused(reversal);
    }

    function test_headBefore__tampered__is_refused() public {
        ICredits.Reversal memory reversal = _reversal(2);
        reversal.headBefore ^= bytes32(uint256(1));
        _refused(reversal);
        reversal.headBefore = 0;
        _refused(reversal);
    }

    function test_hashesAfter__tampered_dropped_added_or_reordered__are_refused() public {
        ICredits.Reversal memory reversal = _reversal(2);
        bytes32[] memory right = reversal.hashesAfter;
        vm.assertEq(right.length, 2, "hashes");
        reversal.hashesAfter = new bytes32[](2);
        (reversal.hashesAfter[0], reversal.hashesAfter[1]) = (right[1], right[0]);
        _refused(reversal);
        (reversal.hashesAfter[0], reversal.hashesAfter[1]) = (right[0], right[1] ^ bytes32(uint256(1)));
        _refused(reversal);
        reversal.hashesAfter = new bytes32[](3);
        (reversal.hashesAfter[0], reversal.hashesAfter[1]) = (right[0], right[1]);
        _refused(reversal);
        reversal.hashesAfter = new bytes32[](7); // as long as to another head
        _refused(reversal);
        reversal.hashesAfter = new bytes32[](1);
        reversal.hashesAfter[0] = right[1];
        _refused(reversal);
    }

    /// @dev A number so high that the number of the last hash wraps to one whose head is kept.
    function test_entryId__near_the_end_of_its_type__is_refused() public {
        ICredits.Reversal memory reversal = _reversal(10);
        for (uint64 length = 0; length < 6; ++length) {
            unchecked {
                reversal.entry.entryId = 4 - length;
            }
            reversal.hashesAfter = new bytes32[](length);
            _refused(reversal, ICredits.CreditsEntryUnproven.selector);
        }
    }

    function test_entry__of_a_journal_that_is_not_this_one__is_refused() public {
        // A chain of its own that is sound in itself.
        ICredits.Reversal memory reversal = _reversal(10);
        reversal.headBefore = keccak256("another journal");
        reversal.entry.entryId = 11;
        _refused(reversal);
        reversal.entry.entryId = 0;
        _refused(reversal);
    }

    function test_words__wider_than_their_types__are_refused_by_the_decoder() public {
        ICredits.Reversal[] memory reversals = new ICredits.Reversal[](1);
        reversals[0] = _reversal(10);
        bytes memory data = abi.encodeCall(credits.reverse, (FIRST, reversals, _operation()));
        // selector, three heads, length, the reversal's offset; then the entry's eleven words
        uint256[7] memory narrow = [uint256(0), 1, 2, 3, 5, 6, 9];
        for (uint256 i = 0; i < 7; ++i) {
            bytes memory wide = bytes.concat(data);
            wide[4 + 32 * (5 + narrow[i])] ^= 0x01;
            vm.prank(council);
            (bool done,) = address(credits).call(wide);
            vm.assertFalse(done, "refused");
        }
        vm.prank(council);
        (bool right,) = address(credits).call(data);
        vm.assertTrue(right, "the same, untouched");
    }

    /// @dev Changes a field. Gives the error that must follow.
    function _tamper(ICredits.Entry memory entry, uint256 field) private view returns (bytes4) {
        if (field == 0) entry.entryId = 3;
        if (field == 1) {
            entry.programmeId = SECOND;
            return ICredits.CreditsEntryOfOtherProgramme.selector;
        }
        if (field == 2) entry.orgId = 2;
        if (field == 3) {
            entry.kind = ICredits.Kind.Refund;
            return ICredits.CreditsNotReversible.selector;
        }
        if (field == 4) entry.category = BUILD;
        if (field == 5) entry.amount += 1;
        if (field == 6) entry.balanceAfter += 1;
        if (field == 7) entry.evidence = 0;
        if (field == 8) entry.refersTo = 1;
        if (field == 9) entry.actor = issuer;
        if (field == 10) entry.operationId = EVIDENCE;
        return ICredits.CreditsEntryUnproven.selector;
    }

    function _accepted(ICredits.Reversal memory reversal) private {
        uint256 before = vm.snapshotState();
        _send(address(credits), council, _call(reversal), "");
        vm.revertToState(before);
    }

    function _refused(ICredits.Reversal memory reversal) private {
        _refused(reversal, ICredits.CreditsEntryUnproven.selector);
    }

    function _refused(ICredits.Reversal memory reversal, bytes4 selector) private {
        bytes memory failure = abi.encodeWithSelector(selector, reversal.entry.entryId);
        if (selector == ICredits.CreditsEntryOfOtherProgramme.selector) {
            failure = abi.encodeWithSelector(selector, reversal.entry.entryId, reversal.entry.programmeId, FIRST);
        }
        if (selector == ICredits.CreditsNotReversible.selector) {
            failure = abi.encodeWithSelector(selector, reversal.entry.entryId, reversal.entry.kind);
        }
        _send(address(credits), council, _call(reversal), failure);
    }

    function _call(ICredits.Reversal memory reversal) private returns (bytes memory) {
        ICredits.Reversal[] memory reversals = new ICredits.Reversal[](1);
        reversals[0] = reversal;
        return abi.encodeCall(credits.reverse, (FIRST, reversals, _operation()));
    }
}
