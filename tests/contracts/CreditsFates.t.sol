// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {Entries} from "./Entries.sol";

/// @title Laws over any order of awards, reversals, redemptions, refunds, expiries and mergers
contract CreditsFatesTest is Entries {
    /// @param amount what was awarded
    /// @param expired what expired of it
    struct Model {
        uint32 orgId;
        int64 amount;
        int64 expired;
        bool reversed;
        bool hasExpired;
    }

    /// @dev What each organisation's entries of each kind add up to.
    mapping(uint32 orgId => mapping(ICredits.Kind => int256)) private _sums;
    mapping(uint64 entryId => Model) private _models;
    mapping(uint32 orgId => int256) private _balances;

    /// @dev One award, reversed and expired in any order and any number of times.
    function testFuzz_fate__of_one_award__is_what_its_order_says(uint256 seed, uint64 amount) public {
        amount = uint64(_between(amount, 1, CAP / 2));
        _award(2, CAP / 2); // a neighbour, and enough credits for expiries that overstate
        uint64 entryId = _award(1, amount);
        _award(1, CAP / 2 - amount);
        _models[entryId] = Model(1, int64(amount), 0, false, false);
        _balances[1] = int64(CAP / 2);
        for (uint256 i = 0; i < 4; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            if (random % 2 == 0) _tryReverse(entryId);
            else _tryExpire(entryId, uint64(_between(random >> 8, 1, uint256(amount) + 2)), 0);
            vm.assertEq(credits.balanceOf(FIRST, 1), _balances[1], "balance");
        }
        Model storage model = _models[entryId];
        vm.assertEq(credits.reversedBy(FIRST, entryId) != 0, model.reversed, "reversed");
        (uint64 by, uint64 expired) = credits.expiryOf(FIRST, entryId);
        vm.assertEq(by != 0, model.hasExpired, "has expired");
        vm.assertEq(int64(expired), model.expired, "expired");
        vm.assertEq(credits.balanceOf(FIRST, 2), int64(CAP / 2), "the neighbour's");
        // In whatever order, no more than the award was taken back, but for what an expiry overstated.
        int256 most = model.expired > model.amount ? model.expired : model.amount;
        vm.assertLe(uint256(int256(int64(CAP / 2)) - _balances[1]), uint256(most), "taken back");
    }

    /// @dev A balance is awards − reversals − redemptions + refunds − expiries (+ carried over), and what
    /// is outstanding is the sum of balances.
    function testFuzz_balance__any_commands__is_the_sum_of_its_entries(uint256 seed) public {
        uint64 open = 0;
        for (uint256 i = 0; i < 24; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            uint32 orgId = uint32(random >> 16) % 3 + 1;
            uint256 what = i < 4 ? 0 : random % 7;
            uint64 some = uint64(_between(random >> 64, 1, 300));
            int64 balance = credits.balanceOf(FIRST, orgId);
            if (what <= 1) {
                uint64 entryId = _award(orgId, some);
                _models[entryId] = Model(orgId, int64(some), 0, false, false);
            } else if (what == 2) {
                _tryReverse(_someAward(random >> 128));
            } else if (what == 3) {
                uint64 entryId = _someAward(random >> 128);
                uint64 due = uint64(_between(random >> 192, 1, uint64(_models[entryId].amount)));
                _tryExpire(entryId, due, random >> 144 & 1 == 0 ? 0 : some);
            } else if (what == 4 && balance > 0) {
                uint64 asked = uint64(_between(some, 1, uint64(balance)));
                _redeem(orgId, asked);
                open += asked;
            } else if (what == 5 && open > 0) {
                uint64 given = uint64(_between(some, 1, open));
                _refund(orgId, given, 1);
                open -= given;
            } else if (what == 6 && open > 0) {
                uint64 given = uint64(_between(some, 1, open));
                _settle(given);
                open -= given;
            }
        }
        _merge(3, 1);
        if (credits.balanceOf(FIRST, 3) != 0) _carryOver(_one(uint32(3)));
        _assertSums(open);
    }

    function _assertSums(uint64 open) private {
        for (uint256 i = 0; i < posted.length; ++i) {
            ICredits.Entry storage entry = posted[i].entry;
            _sums[entry.orgId][entry.kind] += entry.amount;
        }
        int256 outstanding = 0;
        for (uint32 orgId = 1; orgId <= 3; ++orgId) {
            mapping(ICredits.Kind => int256) storage sums = _sums[orgId];
            vm.assertGe(sums[ICredits.Kind.Award], 0, "awards");
            vm.assertGe(-sums[ICredits.Kind.Reversal], 0, "reversals");
            vm.assertGe(-sums[ICredits.Kind.Redemption], 0, "redemptions");
            vm.assertGe(sums[ICredits.Kind.Refund], 0, "refunds");
            vm.assertGe(-sums[ICredits.Kind.Expiry], 0, "expiries");
            int256 balance = sums[ICredits.Kind.Award] + sums[ICredits.Kind.Reversal]
                + sums[ICredits.Kind.Redemption] + sums[ICredits.Kind.Refund] + sums[ICredits.Kind.Expiry]
                + sums[ICredits.Kind.CarryOver];
            vm.assertEq(credits.balanceOf(FIRST, orgId), balance, "balance");
            outstanding += balance;
        }
        vm.assertEq(
            _sums[1][ICredits.Kind.CarryOver] + _sums[3][ICredits.Kind.CarryOver], 0, "carried over adds nothing"
        );
        vm.assertEq(credits.balanceOf(FIRST, 3), 0, "balance of the merged");
        vm.assertEq(credits.outstanding(FIRST), outstanding, "outstanding");
        vm.assertEq(credits.refundable(FIRST), int64(open), "refundable");
    }

    function _tryReverse(uint64 entryId) private {
        Model storage model = _models[entryId];
        bytes memory failure = model.reversed
            ? abi.encodeWithSelector(
                ICredits.CreditsAlreadyReversed.selector, entryId, credits.reversedBy(FIRST, entryId)
            )
            : model.expired >= model.amount
                ? abi.encodeWithSelector(ICredits.CreditsNothingLeft.selector, entryId)
                : bytes("");
        ICredits.Reversal[] memory reversals = new ICredits.Reversal[](1);
        reversals[0] = _reversal(entryId);
        _give(abi.encodeCall(credits.reverse, (FIRST, reversals, _operation())), failure);
        if (failure.length != 0) return;
        model.reversed = true;
        _balances[model.orgId] -= model.amount - model.expired;
    }

    function _tryExpire(uint64 entryId, uint64 due, uint64 leaves) private {
        Model storage model = _models[entryId];
        int64 amount = credits.balanceOf(FIRST, model.orgId) - int64(leaves);
        if (amount > int64(due)) amount = int64(due);
        bytes memory failure;
        if (!model.reversed && model.hasExpired) {
            (uint64 by,) = credits.expiryOf(FIRST, entryId);
            failure = abi.encodeWithSelector(ICredits.CreditsAlreadyExpired.selector, entryId, by);
        } else if (model.reversed || amount <= 0) {
            failure = abi.encodeWithSelector(ICredits.CreditsNothingToExpire.selector, FIRST);
        }
        ICredits.Expiry[] memory expiries = _expiries(entryId, model.orgId, due);
        expiries[0].leaves = leaves;
        _give(abi.encodeCall(credits.expire, (FIRST, expiries, POLICY, _operation())), failure);
        if (failure.length != 0) return;
        (model.hasExpired, model.expired) = (true, amount);
        _balances[model.orgId] -= amount;
    }

    function _give(bytes memory data, bytes memory failure) private {
        vm.recordLogs();
        _send(address(credits), council, data, failure);
        if (failure.length == 0) _collect(vm.getRecordedLogs());
        else vm.getRecordedLogs();
    }

    function _someAward(uint256 random) private view returns (uint64 entryId) {
        entryId = uint64(_between(random, 1, posted.length));
        while (posted[entryId - 1].entry.kind != ICredits.Kind.Award) {
            entryId = entryId % uint64(posted.length) + 1;
        }
    }
}
