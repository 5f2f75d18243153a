// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {Entries} from "./Entries.sol";

/// @title Budgets by category, and what an issuer has left
contract CreditsCategoriesTest is Entries {
    uint64 private constant NONE = type(uint64).max;

    // --- budgets by category

    function test_category__at_and_over__is_the_limit_of_the_epoch() public {
        _limit(DATA, 100);
        _award(issuer, FIRST, _awards(1, 60));
        vm.assertEq(credits.spentIn(FIRST, 1, issuer, DATA), 60, "spent in the category");
        vm.assertEq(credits.spent(FIRST, 1, issuer), 60, "spent");
        _refused(_awards(1, 41), _over(DATA, 41, 40));
        _award(issuer, FIRST, _awards(1, 40));
        _refused(_awards(1, 1), _over(DATA, 1, 0));
        _award(issuer, FIRST, _of(BUILD, 1, 500)); // another category has none of its own
        vm.assertEq(credits.spentIn(FIRST, 1, issuer, BUILD), 0, "counted only where limited");
        vm.assertEq(credits.spent(FIRST, 1, issuer), 600, "spent");
    }

    function test_category__one_batch__counts_each_category_as_its_sum() public {
        _limit(DATA, 100);
        _limit(BUILD, 50);
        ICredits.Award[] memory awards = new ICredits.Award[](4);
        awards[0] = ICredits.Award(1, 60, DATA, EVIDENCE);
        awards[1] = ICredits.Award(2, 30, BUILD, EVIDENCE);
        awards[2] = ICredits.Award(3, 41, DATA, EVIDENCE); // a run of its own
        awards[3] = ICredits.Award(1, 20, BUILD, EVIDENCE);
        _refused(awards, _over(DATA, 41, 40));
        awards[2].amount = 40;
        awards[3].amount = 21;
        _refused(awards, _over(BUILD, 21, 20));
        awards[3].amount = 20;
        _award(issuer, FIRST, awards);
        vm.assertEq(credits.spentIn(FIRST, 1, issuer, DATA), 100, "spent on data");
        vm.assertEq(credits.spentIn(FIRST, 1, issuer, BUILD), 50, "spent on building");
        vm.assertEq(credits.spent(FIRST, 1, issuer), 150, "spent");
    }

    function test_category__runs_of_several__count_as_their_sum() public {
        _limit(DATA, 6);
        ICredits.Award[] memory awards = new ICredits.Award[](3);
        for (uint64 i = 0; i < 3; ++i) {
            awards[i] = ICredits.Award(1, i + 1, DATA, EVIDENCE);
        }
        awards[2].amount = 4;
        _refused(awards, _over(DATA, 7, 6));
        awards[2].amount = 3;
        _award(issuer, FIRST, awards);
    }

    function test_category__within_it_but_over_all__is_refused() public {
        _limit(DATA, NONE);
        _limit(DATA, 2 * PER_EPOCH);
        for (uint256 i = 0; i < 10; ++i) {
            _award(issuer, FIRST, _awards(1, PER_AWARD));
        }
        _refused(_awards(1, 1), abi.encodeWithSelector(ICredits.CreditsAwardOverBudget.selector, issuer, 1, 0));
    }

    function test_category__zero__lets_nothing_be_awarded() public {
        _limit(DATA, 0);
        _refused(_awards(1, 1), _over(DATA, 1, 0));
        _award(issuer, FIRST, _of(BUILD, 1, 1));
    }

    function test_category__next_epoch__begins_anew_and_carries_nothing_over() public {
        _limit(DATA, 100);
        _award(issuer, FIRST, _awards(1, 30));
        vm.warp(EPOCH_END);
        _refused(_awards(1, 101), _over(DATA, 101, 100));
        _award(issuer, FIRST, _awards(1, 100));
        vm.assertEq(credits.spentIn(FIRST, 1, issuer, DATA), 30, "spent in the first epoch");
        vm.assertEq(credits.spentIn(FIRST, 2, issuer, DATA), 100, "spent in the second epoch");
    }

    function test_category__lowered_or_taken_away__counts_at_once() public {
        _limit(DATA, 100);
        _award(issuer, FIRST, _awards(1, 60));
        _limit(DATA, 59);
        _refused(_awards(1, 1), _over(DATA, 1, 0));
        _limit(DATA, NONE); // taken away
        _award(issuer, FIRST, _awards(1, 500));
        vm.assertEq(credits.spentIn(FIRST, 1, issuer, DATA), 60, "not counted where there is none");
        _limit(DATA, 61);
        _award(issuer, FIRST, _awards(1, 1));
    }

    function test_category__reversed_or_expired__gives_nothing_back() public {
        _limit(DATA, 100);
        _award(issuer, FIRST, _awards(1, 50));
        _award(issuer, FIRST, _awards(1, 50));
        _reverseOne(issuer, 1);
        _expire(2, 50);
        _refused(_awards(1, 1), _over(DATA, 1, 0));
    }

    function test_category__of_other_issuers_programmes_and_the_council__is_not_limited() public {
        _limit(DATA, 0);
        _award(council, FIRST, _awards(1, 500));
        vm.assertEq(credits.spentIn(FIRST, 1, council, DATA), 0, "spent by the council");
        _appoint(ISSUER_ROLE, 0, stranger);
        vm.prank(council);
        programmes.setBudget(FIRST, stranger, 5, 5, "a stranger's");
        _award(stranger, FIRST, _awards(1, 5));
        _appoint(ISSUER_ROLE, SECOND, issuer);
        vm.prank(council);
        programmes.setBudget(SECOND, issuer, 5, 5, "another programme's");
        _award(issuer, SECOND, _awards(1, 5));
        _appoint(COUNCIL_ROLE, FIRST, issuer); // of the council too
        _award(issuer, FIRST, _awards(1, PER_EPOCH + 1));
        vm.assertEq(credits.spentIn(FIRST, 1, issuer, DATA), 0, "spent in the category");
    }

    function test_category__too_many_awards_at_once__are_refused() public {
        uint256 most = credits.MAX_AWARDS_BY_CATEGORY();
        _limit(BUILD, 0);
        ICredits.Award[] memory awards = new ICredits.Award[](most + 1);
        ICredits.Award[] memory fewer = new ICredits.Award[](most);
        for (uint256 i = 0; i <= most; ++i) {
            awards[i] = ICredits.Award(1, 1, DATA, EVIDENCE);
            if (i < most) fewer[i] = awards[i];
        }
        _refused(awards, abi.encodeWithSelector(ICredits.CreditsBatchSize.selector, most + 1, most));
        _award(issuer, FIRST, fewer);
        _award(council, FIRST, awards);
        _limit(BUILD, NONE);
        _award(issuer, FIRST, awards);
    }

    /// @dev Awards pass exactly while every budget has room.
    function testFuzz_category__any_awards__are_refused_only_over_it(uint256 seed, uint64 data, uint64 build)
        public
    {
        uint64[2] memory left = [uint64(_between(data, 0, 2000)), uint64(_between(build, 0, 2000))];
        bytes32[2] memory categories = [DATA, BUILD];
        _limit(DATA, left[0]);
        _limit(BUILD, left[1]);
        for (uint256 i = 0; i < 12; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            uint64 amount = uint64(_between(random, 1, 500));
            uint256 which = random >> 128 & 1;
            ICredits.Award[] memory awards = _of(categories[which], 1, amount);
            if (amount > left[which]) {
                _refused(awards, _over(categories[which], amount, left[which]));
            } else {
                _award(issuer, FIRST, awards);
                left[which] -= amount;
            }
            vm.assertEq(credits.issuerTerms(FIRST, issuer, DATA).leftInCategory, left[0], "left for data");
            vm.assertEq(credits.issuerTerms(FIRST, issuer, BUILD).leftInCategory, left[1], "left for building");
        }
    }

    // --- issuerTerms

    function test_issuerTerms__no_budget_by_category__has_what_is_left() public {
        _assertLeft(DATA, PER_EPOCH, PER_EPOCH, CAP);
        _award(issuer, FIRST, _awards(1, 700));
        _award(council, FIRST, _awards(1, 300));
        _assertLeft(DATA, PER_EPOCH - 700, PER_EPOCH - 700, CAP - 1000);
        vm.warp(EPOCH_END);
        ICredits.IssuerTerms memory terms = credits.issuerTerms(FIRST, issuer, DATA);
        vm.assertEq(terms.epoch, 2, "epoch");
        vm.assertEq(terms.epochEndsAt, EPOCH_END + 30 days, "end");
        vm.assertEq(terms.leftInEpoch, PER_EPOCH, "left, anew");
        vm.assertEq(terms.leftToReverse, PER_EPOCH, "left to reverse");
    }

    function test_issuerTerms__budgets_by_category__has_the_least_that_is_left() public {
        _limit(DATA, 100);
        _limit(BUILD, 2 * PER_EPOCH);
        _award(issuer, FIRST, _awards(1, 40));
        _assertLeft(DATA, PER_EPOCH - 40, 60, CAP - 40);
        _assertLeft(BUILD, PER_EPOCH - 40, PER_EPOCH - 40, CAP - 40);
        _assertLeft("launch", PER_EPOCH - 40, PER_EPOCH - 40, CAP - 40);
        _limit(DATA, 39);
        _assertLeft(DATA, PER_EPOCH - 40, 0, CAP - 40);
    }

    function test_issuerTerms__redeemed_and_lowered_cap__leave_what_awards_find() public {
        _award(1, 1000);
        _redeem(1, 400);
        _assertLeft(DATA, PER_EPOCH, PER_EPOCH, CAP - 1000);
        _settle(400);
        _assertLeft(DATA, PER_EPOCH, PER_EPOCH, CAP - 600);
        vm.prank(council);
        programmes.changeSupplyCap(FIRST, 599, "cap");
        _assertLeft(DATA, PER_EPOCH, PER_EPOCH, 0);
        bytes32 operationId = _operation();
        vm.prank(council);
        programmes.setBudget(FIRST, issuer, 0, 0, operationId);
        ICredits.IssuerTerms memory terms = credits.issuerTerms(FIRST, issuer, DATA);
        vm.assertEq(
            terms.perAward + terms.leftInEpoch + terms.leftInCategory + terms.leftToReverse, 0, "no budget"
        );
    }

    function test_issuerTerms__in_no_epoch__has_nothing_left() public {
        vm.warp(EPOCH_END + 60 days);
        ICredits.IssuerTerms memory terms = credits.issuerTerms(FIRST, issuer, DATA);
        vm.assertEq(terms.epoch, 0, "epoch");
        vm.assertEq(terms.epochEndsAt, 0, "end");
        vm.assertEq(terms.perAward + terms.leftInEpoch + terms.leftInCategory + terms.leftToReverse, 0, "left");
        vm.assertEq(terms.leftUnderCap, CAP, "left under the cap");
    }

    function _assertLeft(bytes32 category, uint64 inEpoch, uint64 inCategory, uint64 underCap) private view {
        ICredits.IssuerTerms memory terms = credits.issuerTerms(FIRST, issuer, category);
        vm.assertEq(terms.epoch, 1, "epoch");
        vm.assertEq(terms.epochEndsAt, EPOCH_END, "end");
        vm.assertEq(terms.perAward, PER_AWARD, "per award");
        vm.assertEq(terms.leftInEpoch, inEpoch, "left in the epoch");
        vm.assertEq(terms.leftInCategory, inCategory, "left in the category");
        vm.assertEq(terms.leftUnderCap, underCap, "left under the cap");
    }

    /// @dev Gives the issuer a budget in a category; NONE takes it away.
    function _limit(bytes32 category, uint64 perEpoch) private {
        bytes32 operationId = _operation();
        bool limited = perEpoch != NONE;
        if (!limited && programmes.categoryBudget(FIRST, issuer, category) == NONE) return;
        vm.prank(council);
        programmes.setCategoryBudget(FIRST, issuer, category, limited, limited ? perEpoch : 0, operationId);
    }

    function _of(bytes32 category, uint32 orgId, uint64 amount)
        private
        pure
        returns (ICredits.Award[] memory awards)
    {
        awards = _awards(orgId, amount);
        awards[0].category = category;
    }

    function _refused(ICredits.Award[] memory awards, bytes memory failure) private {
        bytes memory data = abi.encodeCall(credits.award, (FIRST, awards, _operation()));
        _send(address(credits), issuer, data, failure);
    }

    function _over(bytes32 category, uint256 asked, uint64 left) private view returns (bytes memory) {
        return
            abi.encodeWithSelector(ICredits.CreditsAwardOverCategoryBudget.selector, issuer, category, asked, left);
    }
}
