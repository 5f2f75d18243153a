// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {Entries} from "./Entries.sol";

/// @title How much may be awarded: an issuer's budget and the programme's cap
contract CreditsLimitsTest is Entries {
    uint64 private constant MOST = 2 ** 53 - 1;

    // --- per award

    function test_perAward__at_and_over__is_the_limit_of_each() public {
        _award(issuer, FIRST, _awards(1, PER_AWARD));
        _refused(issuer, _awards(1, PER_AWARD + 1), _overLimit(PER_AWARD + 1, PER_AWARD));
        _refused(issuer, _awards(1, type(uint64).max), _overLimit(type(uint64).max, PER_AWARD));
        ICredits.Award[] memory awards = _many(3, PER_AWARD);
        awards[2].amount = PER_AWARD + 1;
        _refused(issuer, awards, _overLimit(PER_AWARD + 1, PER_AWARD));
    }

    function test_perAward__no_budget__is_zero() public {
        _budget(0, 0);
        _refused(issuer, _awards(1, 1), _overLimit(1, 0));
        // Nor does a budget in one programme count in another.
        _budget(PER_AWARD, PER_EPOCH);
        _appoint(ISSUER_ROLE, SECOND, issuer);
        vm.expectRevert(_overLimit(1, 0));
        vm.prank(issuer);
        credits.award(SECOND, _awards(1, 1), "operation");
    }

    // --- per epoch

    function test_perEpoch__used_up__refuses_one_more() public {
        _award(issuer, FIRST, _many(9, PER_AWARD));
        _award(issuer, FIRST, _awards(1, PER_AWARD - 1));
        vm.assertEq(credits.spent(FIRST, 1, issuer), PER_EPOCH - 1, "spent");
        _refused(issuer, _awards(1, 2), _overBudget(2, 1));
        _award(issuer, FIRST, _awards(1, 1));
        _refused(issuer, _awards(1, 1), _overBudget(1, 0));
        vm.assertEq(credits.spent(FIRST, 1, issuer), PER_EPOCH, "spent");
    }

    function test_perEpoch__one_batch__counts_as_its_sum() public {
        _refused(issuer, _many(11, PER_AWARD), _overBudget(11 * PER_AWARD, PER_EPOCH));
        _award(issuer, FIRST, _many(10, PER_AWARD));
    }

    function test_perEpoch__next_epoch__begins_anew_and_carries_nothing_over() public {
        vm.warp(EPOCH_END - 1);
        _award(issuer, FIRST, _awards(1, 100));
        vm.warp(EPOCH_END);
        vm.assertEq(credits.spent(FIRST, 2, issuer), 0, "spent in the second epoch");
        _refused(issuer, _many(11, PER_AWARD), _overBudget(11 * PER_AWARD, PER_EPOCH));
        _award(issuer, FIRST, _many(10, PER_AWARD));
        vm.assertEq(credits.spent(FIRST, 1, issuer), 100, "spent in the first epoch, still");
        vm.assertEq(credits.spent(FIRST, 2, issuer), PER_EPOCH, "spent in the second epoch, now");
    }

    function test_perEpoch__used_up_before_the_boundary__is_new_at_the_second() public {
        vm.warp(EPOCH_END - 1);
        _award(issuer, FIRST, _many(10, PER_AWARD));
        _refused(issuer, _awards(1, 1), _overBudget(1, 0));
        vm.warp(EPOCH_END);
        _award(issuer, FIRST, _awards(1, 1));
    }

    function test_perEpoch__lowered_below_what_is_spent__leaves_nothing() public {
        _award(issuer, FIRST, _many(5, PER_AWARD));
        _budget(10, 4999);
        _refused(issuer, _awards(1, 1), _overBudget(1, 0));
        _budget(10, 5000);
        _refused(issuer, _awards(1, 1), _overBudget(1, 0));
        _budget(10, 5001);
        _refused(issuer, _awards(1, 2), _overBudget(2, 1));
        _award(issuer, FIRST, _awards(1, 1));
    }

    function test_perEpoch__after_a_reversal__is_not_given_back() public {
        _award(issuer, FIRST, _many(10, PER_AWARD));
        _reverseOne(issuer, 4);
        vm.assertEq(credits.spent(FIRST, 1, issuer), PER_EPOCH, "spent");
        _refused(issuer, _awards(1, 1), _overBudget(1, 0));
    }

    function test_perEpoch__two_issuers__have_a_budget_each() public {
        _appoint(ISSUER_ROLE, FIRST, stranger);
        vm.prank(council);
        programmes.setBudget(FIRST, stranger, 5, 5, "operation");
        _award(issuer, FIRST, _many(10, PER_AWARD));
        _award(stranger, FIRST, _awards(1, 5));
        vm.assertEq(credits.spent(FIRST, 1, stranger), 5, "spent by the other");
    }

    function test_perEpoch__alliance_wide_issuer__has_one_a_programme() public {
        _appoint(ISSUER_ROLE, 0, stranger);
        vm.prank(council);
        programmes.setBudget(FIRST, stranger, 5, 5, "first");
        vm.prank(council);
        programmes.setBudget(SECOND, stranger, 6, 6, "second");
        _award(stranger, FIRST, _awards(1, 5));
        _award(stranger, SECOND, _awards(1, 6));
        vm.assertEq(credits.spent(FIRST, 1, stranger), 5, "in the first");
        vm.assertEq(credits.spent(SECOND, 1, stranger), 6, "in the second");
    }

    function test_council__no_budget__awards_without_one() public {
        _award(council, FIRST, _awards(1, CAP));
        vm.assertEq(credits.spent(FIRST, 1, council), 0, "spent");
        _appoint(COUNCIL_ROLE, SECOND, stranger); // of one programme
        _award(stranger, SECOND, _awards(1, CAP));
    }

    function test_council__issuer_too__spends_nothing_of_its_budget() public {
        _appoint(COUNCIL_ROLE, FIRST, issuer);
        _award(issuer, FIRST, _awards(1, PER_EPOCH + 1));
        vm.assertEq(credits.spent(FIRST, 1, issuer), 0, "spent");
    }

    /// @dev Awards by an issuer pass exactly while budget and cap have room.
    function testFuzz_budget__any_awards__are_refused_only_over_it(uint256 seed, uint64 perEpoch, uint64 cap)
        public
    {
        perEpoch = uint64(_between(perEpoch, 1, 3000));
        cap = uint64(_between(cap, 1, 3000));
        uint64 perAward = uint64(_between(seed, 1, perEpoch));
        _budget(perAward, perEpoch);
        _cap(cap);
        uint64 spent = 0;
        for (uint256 i = 0; i < 12; ++i) {
            uint64 amount = uint64(_between(uint256(keccak256(abi.encode(seed, i))), 1, 600));
            if (amount > perAward) {
                _refused(issuer, _awards(1, amount), _overLimit(amount, perAward));
            } else if (amount > cap - spent) {
                _refused(issuer, _awards(1, amount), _overCap(amount, cap - spent));
            } else if (amount > perEpoch - spent) {
                _refused(issuer, _awards(1, amount), _overBudget(amount, perEpoch - spent));
            } else {
                _award(issuer, FIRST, _awards(1, amount));
                spent += amount;
            }
        }
        vm.assertEq(credits.spent(FIRST, 1, issuer), spent, "spent");
        vm.assertEq(credits.outstanding(FIRST), int64(spent), "outstanding");
    }

    // --- cap

    function test_cap__at_and_over__is_the_limit_of_what_is_outstanding() public {
        _award(council, FIRST, _awards(1, CAP - 10));
        _refused(council, _awards(2, 11), _overCap(11, 10));
        _award(council, FIRST, _awards(2, 10));
        _refused(council, _awards(1, 1), _overCap(1, 0));
        _refused(issuer, _awards(1, 1), _overCap(1, 0));
        vm.assertEq(credits.outstanding(FIRST), int64(CAP), "outstanding");
        _award(council, SECOND, _awards(1, 1)); // the other programme has its own
    }

    function test_cap__one_batch__counts_as_its_sum() public {
        ICredits.Award[] memory awards = _many(3, CAP / 3 + 1);
        _refused(council, awards, _overCap(3 * (CAP / 3 + 1), CAP));
    }

    function test_cap__lowered_below_what_is_outstanding__leaves_nothing() public {
        _award(council, FIRST, _awards(1, 100));
        _cap(99);
        _refused(council, _awards(1, 1), _overCap(1, 0));
        vm.assertEq(credits.balanceOf(FIRST, 1), 100, "nothing is taken back");
        _cap(0);
        _refused(council, _awards(1, 1), _overCap(1, 0));
        _cap(101);
        _award(council, FIRST, _awards(1, 1));
    }

    function test_cap__after_a_reversal__has_room_again() public {
        _reverseOne(council, _award(1, CAP));
        vm.assertEq(credits.outstanding(FIRST), 0, "outstanding");
        _award(council, FIRST, _awards(2, CAP));
    }

    function test_cap__the_largest__is_reached_exactly() public {
        _cap(MOST);
        _refused(council, _awards(1, MOST + 1), _overLimit(council, MOST + 1, MOST));
        _refused(council, _awards(1, type(uint64).max), _overLimit(council, type(uint64).max, MOST));
        _refused(council, _many(450, MOST), _overCap(450 * uint256(MOST), MOST));
        _award(council, FIRST, _awards(1, MOST));
        vm.assertEq(credits.balanceOf(FIRST, 1), int64(MOST), "balance");
        vm.assertEq(credits.outstanding(FIRST), int64(MOST), "outstanding");
        vm.assertEq(posted[0].entry.balanceAfter, int64(MOST), "balance after");
    }

    function test_cap__outstanding_below_zero__has_more_room() public {
        uint64 entryId = _award(1, 50);
        _redeem(1, 50);
        _settle(50);
        _reverseOne(council, entryId);
        vm.assertEq(credits.outstanding(FIRST), -50, "outstanding");
        _refused(council, _awards(2, CAP + 51), _overCap(CAP + 51, CAP + 50));
        _award(2, CAP + 50);
        vm.assertEq(credits.outstanding(FIRST), int64(CAP), "outstanding at the cap");
    }

    // --- cap and redemptions

    function test_cap__redeemed__keeps_room_for_the_refund() public {
        _award(1, CAP);
        uint64 entryId = _redeem(1, 30);
        vm.assertEq(credits.refundable(FIRST), 30, "refundable");
        _refused(council, _awards(2, 1), _overCap(1, 0));
        _refund(1, 30, entryId);
        vm.assertEq(credits.refundable(FIRST), 0, "refundable");
        _refused(council, _awards(2, 1), _overCap(1, 0));
        _redeem(1, 20);
        _settle(20);
        vm.assertEq(credits.refundable(FIRST), 0, "refundable");
        _refused(council, _awards(2, 21), _overCap(21, 20));
        _award(2, 20);
        vm.assertEq(credits.outstanding(FIRST), int64(CAP), "outstanding at the cap");
    }

    function test_cap__lowered_before_a_refund__lets_the_refund_pass() public {
        _award(1, 100);
        uint64 entryId = _redeem(1, 40);
        _cap(10);
        _refund(1, 40, entryId);
        vm.assertEq(credits.outstanding(FIRST), 100, "outstanding, over the cap");
        _refused(council, _awards(1, 1), _overCap(1, 0));
    }

    function _budget(uint64 perAward, uint64 perEpoch) private {
        bytes32 operationId = _operation();
        vm.prank(council);
        programmes.setBudget(FIRST, issuer, perAward, perEpoch, operationId);
    }

    function _cap(uint64 supplyCap) private {
        bytes32 operationId = _operation();
        vm.prank(council);
        programmes.changeSupplyCap(FIRST, supplyCap, operationId);
    }

    function _many(uint256 count, uint64 amount) private pure returns (ICredits.Award[] memory awards) {
        awards = new ICredits.Award[](count);
        for (uint256 i = 0; i < count; ++i) {
            awards[i] = ICredits.Award(1, amount, DATA, EVIDENCE);
        }
    }

    function _refused(address sender, ICredits.Award[] memory awards, bytes memory failure) private {
        bytes32 operationId = _operation();
        vm.expectRevert(failure);
        vm.prank(sender);
        credits.award(FIRST, awards, operationId);
    }

    function _overLimit(uint64 asked, uint64 perAward) private view returns (bytes memory) {
        return _overLimit(issuer, asked, perAward);
    }

    function _overLimit(address account, uint64 asked, uint64 perAward) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICredits.CreditsAwardOverLimit.selector, account, asked, perAward);
    }

    function _overBudget(uint256 asked, uint64 left) private view returns (bytes memory) {
        return abi.encodeWithSelector(ICredits.CreditsAwardOverBudget.selector, issuer, asked, left);
    }

    function _overCap(uint256 asked, uint64 left) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICredits.CreditsOverSupplyCap.selector, FIRST, asked, left);
    }
}
