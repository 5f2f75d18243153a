// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {Entries} from "./Entries.sol";

/// @title How much of its awards an issuer takes back in an epoch
contract CreditsReverseBudgetsTest is Entries {
    /// @dev The key of an issuer is stolen that awarded much over the epochs. With a budget of one credit
    /// the thief takes back one, of whatever epoch.
    function test_reverse__by_a_stolen_key__takes_no_more_than_a_budget() public {
        for (uint256 i = 0; i < 10; ++i) {
            _award(issuer, FIRST, _awards(3, 1000));
        }
        _redeem(3, 10_000);
        vm.warp(EPOCH_END + 35 days); // the third epoch
        _budget(issuer, 1, 1);
        uint64 small = _award(issuer, FIRST, _awards(3, 1));
        for (uint64 id = 1; id <= 10; ++id) {
            _refused(issuer, id, _overBudget(1000, 1));
        }
        _reverseOne(issuer, small);
        _refused(issuer, 1, _overBudget(1000, 0));
        vm.assertEq(credits.balanceOf(FIRST, 3), 0, "balance");
        vm.assertEq(credits.outstanding(FIRST), 0, "outstanding");
    }

    function test_reverse__at_the_budget_and_one_over__is_done_and_refused() public {
        _awardEach(3);
        uint64 one = _award(issuer, FIRST, _awards(1, 1));
        _budget(issuer, PER_AWARD, 3 * PER_AWARD);
        _assertLeft(3 * PER_AWARD);
        _reverse(issuer, _ids(1, 2));
        _assertLeft(PER_AWARD);
        _refused(issuer, _ids(3, one), _overBudget(PER_AWARD + 1, PER_AWARD));
        vm.assertEq(credits.reversedBy(FIRST, 3) + credits.reversedBy(FIRST, one), 0, "none of them");
        _assertLeft(PER_AWARD);
        _reverseOne(issuer, 3);
        _assertLeft(0);
        _refused(issuer, one, _overBudget(1, 0));
        vm.assertEq(credits.reversed(FIRST, 1, issuer), 3 * PER_AWARD, "reversed");
        // What it can award is another matter.
        vm.assertEq(credits.spent(FIRST, 1, issuer), 3 * PER_AWARD + 1, "spent");
    }

    function test_reverse__all_of_the_budget_awarded__can_take_back_all_of_it() public {
        for (uint256 i = 0; i < PER_EPOCH / PER_AWARD; ++i) {
            _awardEach(1);
        }
        for (uint64 id = 1; id <= PER_EPOCH / PER_AWARD; ++id) {
            _reverseOne(issuer, id);
        }
        vm.assertEq(credits.outstanding(FIRST), 0, "outstanding");
        vm.assertEq(credits.reversed(FIRST, 1, issuer), PER_EPOCH, "reversed");
        vm.assertEq(credits.spent(FIRST, 1, issuer), PER_EPOCH, "spent, not given back");
        _assertLeft(0);
    }

    function test_reverse__next_epoch__begins_anew_and_carries_nothing_over() public {
        _awardEach(4);
        _budget(issuer, PER_AWARD, 2 * PER_AWARD);
        _reverseOne(issuer, 1);
        vm.warp(EPOCH_END - 1);
        _assertLeft(PER_AWARD);
        vm.warp(EPOCH_END);
        _assertLeft(2 * PER_AWARD);
        _refused(issuer, _three(2, 3, 4), _overBudget(3 * PER_AWARD, 2 * PER_AWARD));
        _reverse(issuer, _ids(2, 3)); // awards of the first epoch
        vm.assertEq(credits.reversed(FIRST, 1, issuer), PER_AWARD, "in the first");
        vm.assertEq(credits.reversed(FIRST, 2, issuer), 2 * PER_AWARD, "in the second");
        _refused(issuer, 4, _overBudget(PER_AWARD, 0));
    }

    function test_reverse__budget_lowered_below_what_it_reversed__leaves_nothing() public {
        _awardEach(3);
        _reverse(issuer, _ids(1, 2));
        _budget(issuer, 1, PER_AWARD);
        _assertLeft(0);
        _refused(issuer, 3, _overBudget(PER_AWARD, 0));
        _budget(issuer, 0, 0);
        _refused(issuer, 3, _overBudget(PER_AWARD, 0));
        _budget(issuer, 1, 3 * PER_AWARD - 1);
        _refused(issuer, 3, _overBudget(PER_AWARD, PER_AWARD - 1));
        _budget(issuer, 1, 3 * PER_AWARD); // the limit of one award is none of one reversal
        _reverseOne(issuer, 3);
    }

    function test_reverse__expired_in_part__counts_the_rest() public {
        _awardEach(1);
        _expire(1, PER_AWARD - 10);
        _budget(issuer, 1, 9);
        _refused(issuer, 1, _overBudget(10, 9));
        _budget(issuer, 1, 10);
        _reverseOne(issuer, 1);
        vm.assertEq(credits.reversed(FIRST, 1, issuer), 10, "reversed");
    }

    function test_reverse__in_no_epoch__is_the_councils_only() public {
        _awardEach(2);
        vm.warp(EPOCH_END + 60 days);
        vm.assertEq(credits.issuerTerms(FIRST, issuer, DATA).leftToReverse, 0, "left");
        _refused(
            issuer,
            1,
            abi.encodeWithSelector(ICredits.CreditsNoEpoch.selector, FIRST, uint256(EPOCH_END + 60 days))
        );
        _reverseOne(council, 1);
        vm.assertEq(credits.outstanding(FIRST), int64(PER_AWARD), "outstanding");
    }

    function test_reverse__by_the_council__needs_no_budget_and_counts_on_none() public {
        for (uint256 i = 0; i < 10; ++i) {
            _awardEach(1);
        }
        _award(2, 50 * PER_EPOCH);
        _budget(issuer, 0, 0);
        _reverseOne(council, 1);
        _reverseOne(council, 11);
        vm.assertEq(credits.reversed(FIRST, 1, council), 0, "the council's");
        // Nor as one that is an issuer too.
        _appoint(COUNCIL_ROLE, FIRST, issuer);
        _reverseOne(issuer, 2);
        vm.assertEq(credits.reversed(FIRST, 1, issuer), 0, "the issuer's");
    }

    function test_reverse__two_issuers__have_a_budget_each() public {
        _awardEach(1);
        _appoint(ISSUER_ROLE, 0, stranger);
        _budget(stranger, PER_AWARD, PER_AWARD);
        _award(stranger, FIRST, _awards(1, 5));
        _budget(issuer, PER_AWARD, PER_AWARD);
        _reverseOne(issuer, 1);
        _reverseOne(stranger, 2);
        vm.assertEq(credits.reversed(FIRST, 1, issuer), PER_AWARD, "of one");
        vm.assertEq(credits.reversed(FIRST, 1, stranger), 5, "of the other");
        vm.assertEq(credits.reversed(SECOND, 1, stranger), 0, "of the other programme");
    }

    /// @dev In any order and in any batches it is never over the budget in force, and refused only then.
    function testFuzz_reverse__any_budgets__is_refused_only_over_them(uint256 seed) public {
        for (uint64 i = 0; i < 10; ++i) {
            _award(issuer, FIRST, _awards(1, 100 * (i + 1)));
        }
        uint64[5] memory reversed;
        for (uint64 id = 1; id <= 10; ++id) {
            uint256 random = uint256(keccak256(abi.encode(seed, id)));
            if (random & 3 == 0 && block.timestamp < EPOCH_END) vm.warp(EPOCH_END);
            uint32 epoch = block.timestamp < EPOCH_END ? 1 : 2;
            uint64 budget = uint64(_between(random >> 8, 0, 2000));
            _budget(issuer, budget == 0 ? 0 : 1, budget);
            uint64 left = reversed[epoch] < budget ? budget - reversed[epoch] : 0;
            if (100 * id > left) {
                _refused(issuer, id, _overBudget(100 * id, left));
            } else {
                _reverseOne(issuer, id);
                reversed[epoch] += 100 * id;
            }
            vm.assertEq(credits.reversed(FIRST, epoch, issuer), reversed[epoch], "reversed");
        }
    }

    /// @dev Awards of the most that the issuer may give, to organisation 1.
    function _awardEach(uint256 count) private {
        ICredits.Award[] memory awards = new ICredits.Award[](count);
        for (uint256 i = 0; i < count; ++i) {
            awards[i] = ICredits.Award(1, PER_AWARD, DATA, EVIDENCE);
        }
        _award(issuer, FIRST, awards);
    }

    function _budget(address account, uint64 perAward, uint64 perEpoch) private {
        bytes32 operationId = _operation();
        vm.prank(council);
        programmes.setBudget(FIRST, account, perAward, perEpoch, operationId);
    }

    function _refused(address sender, uint64 entryId, bytes memory failure) private {
        uint64[] memory ids = new uint64[](1);
        ids[0] = entryId;
        _refused(sender, ids, failure);
    }

    function _refused(address sender, uint64[] memory ids, bytes memory failure) private {
        ICredits.Reversal[] memory reversals = new ICredits.Reversal[](ids.length);
        for (uint256 i = 0; i < ids.length; ++i) {
            reversals[i] = _reversal(ids[i]);
        }
        bytes memory data = abi.encodeCall(credits.reverse, (FIRST, reversals, _operation()));
        _send(address(credits), sender, data, failure);
    }

    function _assertLeft(uint64 left) private view {
        vm.assertEq(credits.issuerTerms(FIRST, issuer, DATA).leftToReverse, left, "left to reverse");
    }

    function _overBudget(uint256 asked, uint64 left) private view returns (bytes memory) {
        return abi.encodeWithSelector(ICredits.CreditsReversalOverBudget.selector, issuer, asked, left);
    }

    function _ids(uint64 one, uint64 two) private pure returns (uint64[] memory ids) {
        ids = new uint64[](2);
        (ids[0], ids[1]) = (one, two);
    }

    function _three(uint64 one, uint64 two, uint64 three) private pure returns (uint64[] memory ids) {
        ids = new uint64[](3);
        (ids[0], ids[1], ids[2]) = (one, two, three);
    }
}
