// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {Entries} from "./Entries.sol";

/// @title Expiries of credits that were spent since somebody computed them
contract CreditsExpireRacesTest is Entries {
    // --- one

    /// @dev 500 are due and 600 are not. Of the due ones 120 are spent: 380 expire, and the 600 stay.
    function test_expire__some_spent_since__takes_what_is_left_of_it() public {
        _award(1, 500);
        _award(1, 600);
        ICredits.Expiry[] memory computed = _expiry(1, 1, 500, 600);
        _redeem(1, 120);
        _expire(FIRST, computed);
        ICredits.Entry memory entry = posted[3].entry;
        vm.assertEq(entry.amount, -380, "amount");
        vm.assertEq(entry.balanceAfter, 600, "balance after");
        vm.assertEq(credits.outstanding(FIRST), 600, "outstanding");
        _assertExpired(1, 4, 380);
        // A reversal then takes back what did not expire.
        _reverseOne(council, 1);
        vm.assertEq(credits.balanceOf(FIRST, 1), 480, "balance");
    }

    function test_expire__at_and_beside_what_it_leaves__takes_what_is_over() public {
        _award(1, 100);
        uint64[5] memory leaves = [uint64(100), 101, type(uint64).max, 99, 60];
        uint64[5] memory takes = [uint64(0), 0, 0, 1, 40];
        for (uint256 i = 0; i < 5; ++i) {
            uint256 before = vm.snapshotState();
            if (takes[i] == 0) {
                _refused(_expiry(1, 1, 40, leaves[i]));
                _assertExpired(1, 0, 0);
            } else {
                _expireCounted(_expiry(1, 1, 40, leaves[i]));
                _assertExpired(1, 2, takes[i]);
            }
            vm.assertEq(credits.balanceOf(FIRST, 1), 100 - int64(takes[i]), "balance");
            vm.assertEq(credits.outstanding(FIRST), 100 - int64(takes[i]), "outstanding");
            vm.revertToState(before);
        }
    }

    function test_expire__more_than_any_balance__takes_the_balance() public {
        _award(1, 100);
        _award(2, 7);
        _expire(FIRST, _expiry(1, 1, type(uint64).max, 0));
        vm.assertEq(posted[2].entry.amount, -100, "amount");
        _assertExpired(1, 3, 100);
        vm.assertEq(credits.balanceOf(FIRST, 2), 7, "balance of another");
    }

    function testFuzz_expire__any_amounts__takes_no_more_and_leaves_no_less(
        uint64 awarded,
        uint64 spent,
        uint64 due,
        uint64 leaves
    ) public {
        awarded = uint64(_between(awarded, 1, CAP));
        spent = uint64(_between(spent, 0, awarded));
        due = uint64(_between(due, 1, 2 * CAP));
        leaves = uint64(_between(leaves, 0, 2 * CAP));
        _award(1, awarded);
        if (spent > 0) _redeem(1, spent);
        uint64 balance = awarded - spent;
        if (balance <= leaves) {
            _refused(_expiry(1, 1, due, leaves));
            return;
        }
        uint64 expected = due < balance - leaves ? due : balance - leaves;
        uint64 entryId = _expire(FIRST, _expiry(1, 1, due, leaves));
        _assertExpired(1, entryId, expected);
        vm.assertEq(credits.balanceOf(FIRST, 1), int64(balance - expected), "balance");
        vm.assertEq(credits.outstanding(FIRST), int64(balance - expected), "outstanding");
    }

    // --- those that are left out

    function test_expire__all_of_one_spent_since__is_left_out_and_stops_no_other() public {
        _award(1, 500);
        _award(2, 500);
        _award(3, 500);
        ICredits.Expiry[] memory computed = new ICredits.Expiry[](3);
        for (uint32 i = 0; i < 3; ++i) {
            computed[i] = ICredits.Expiry(i + 1, i + 1, 500, 0, DATA);
        }
        _redeem(2, 500);
        _redeem(3, 1);
        _expire(FIRST, computed);
        vm.assertEq(credits.sequence(), 7, "entries");
        vm.assertEq(credits.headAt(7), credits.head(), "head kept");
        _assertExpired(1, 6, 500);
        _assertExpired(2, 0, 0);
        _assertExpired(3, 7, 499);
        vm.assertEq(credits.outstanding(FIRST), 0, "outstanding");
        // It can still expire, where there are credits again, or be reversed.
        uint256 before = vm.snapshotState();
        _reverseCounted(2);
        vm.assertEq(credits.balanceOf(FIRST, 2), -500, "reversed");
        vm.revertToState(before);
        _award(2, 20);
        _expire(FIRST, _expiry(2, 2, 500, 0));
        _assertExpired(2, 9, 20);
    }

    function test_expire__all_spent_since__is_refused_and_leaves_the_operation_free() public {
        _award(1, 500);
        _award(2, 500);
        ICredits.Expiry[] memory computed = new ICredits.Expiry[](2);
        computed[0] = ICredits.Expiry(1, 1, 500, 0, DATA);
        computed[1] = ICredits.Expiry(2, 2, 500, 0, DATA);
        _redeem(1, 500);
        uint64 redemption = _redeem(2, 500);
        _refused(computed);
        vm.assertEq(credits.operationSequence(council, _lastOperation()), 0, "operation");
        _refund(2, 500, redemption);
        _expire(FIRST, computed);
        vm.assertEq(credits.outstanding(FIRST), 0, "outstanding");
    }

    function test_expire__of_a_debtor__is_left_out() public {
        _award(1, 100);
        _award(1, 10);
        _award(2, 10);
        _redeem(1, 90);
        _reverseOne(council, 1);
        vm.assertEq(credits.balanceOf(FIRST, 1), -80, "balance");
        _refused(_expiry(2, 1, 1, 0));
        ICredits.Expiry[] memory both = new ICredits.Expiry[](2);
        both[0] = ICredits.Expiry(2, 1, 10, 0, DATA);
        both[1] = ICredits.Expiry(3, 2, 10, 0, DATA);
        _expire(FIRST, both);
        vm.assertEq(credits.balanceOf(FIRST, 1), -80, "the debt, as it was");
        vm.assertEq(credits.balanceOf(FIRST, 2), 0, "balance of another");
        _assertExpired(2, 0, 0);
    }

    function test_expire__left_out_and_wrong_besides__is_refused_as_wrong() public {
        _award(1, 100);
        _award(1, 1);
        _expireCounted(_expiry(2, 1, 1, 0));
        bytes memory data = abi.encodeCall(credits.expire, (FIRST, _expiry(2, 1, 1, 100), POLICY, _operation()));
        bytes memory failure = abi.encodeWithSelector(ICredits.CreditsAlreadyExpired.selector, 2, 3);
        _send(address(credits), council, data, failure);
    }

    // --- several of one organisation

    /// @dev 100, 200 and 300 are due, and 400 are not. Each leaves these and what is due after it: so
    /// whatever was spent since was spent of the oldest.
    function testFuzz_expire__several_of_one_organisation__take_what_is_left_of_each(uint64 spent) public {
        spent = uint64(_between(spent, 0, 1000));
        ICredits.Expiry[] memory computed = new ICredits.Expiry[](3);
        uint64 after_ = 1000;
        for (uint64 i = 0; i < 3; ++i) {
            uint64 amount = 100 * (i + 1);
            _award(1, amount);
            after_ -= amount;
            computed[i] = ICredits.Expiry(i + 1, 1, amount, after_, DATA);
        }
        _award(1, 400);
        if (spent > 0) _redeem(1, spent);
        if (spent >= 600) {
            _refused(computed);
            return;
        }
        _expire(FIRST, computed);
        uint64 rest = spent;
        for (uint64 i = 0; i < 3; ++i) {
            uint64 ofIt = rest < computed[i].amount ? rest : computed[i].amount;
            rest -= ofIt;
            (, uint64 expired) = credits.expiryOf(FIRST, i + 1);
            vm.assertEq(expired, computed[i].amount - ofIt, "expired");
        }
        vm.assertEq(credits.balanceOf(FIRST, 1), 400, "what was not due");
    }

    /// @dev What remains: an award meanwhile hides that as much was spent. 120 of the 720 that are not due
    /// expire.
    function test_expire__spent_and_awarded_since__takes_as_if_nothing_had_happened() public {
        _award(1, 500);
        _award(1, 600);
        ICredits.Expiry[] memory computed = _expiry(1, 1, 500, 600);
        _redeem(1, 120);
        _award(1, 120);
        _expire(FIRST, computed);
        vm.assertEq(credits.balanceOf(FIRST, 1), 600, "balance");
    }

    function _expiry(uint64 entryId, uint32 orgId, uint64 amount, uint64 leaves)
        private
        pure
        returns (ICredits.Expiry[] memory expiries)
    {
        expiries = _expiries(entryId, orgId, amount);
        expiries[0].leaves = leaves;
    }

    /// @dev Does not keep the entries, for a state that is gone back to.
    function _expireCounted(ICredits.Expiry[] memory expiries) private {
        _send(
            address(credits), council, abi.encodeCall(credits.expire, (FIRST, expiries, POLICY, _operation())), ""
        );
    }

    function _reverseCounted(uint64 entryId) private {
        ICredits.Reversal[] memory reversals = new ICredits.Reversal[](1);
        reversals[0] = _reversal(entryId);
        _send(address(credits), council, abi.encodeCall(credits.reverse, (FIRST, reversals, _operation())), "");
    }

    function _refused(ICredits.Expiry[] memory expiries) private {
        bytes memory data = abi.encodeCall(credits.expire, (FIRST, expiries, POLICY, _operation()));
        bytes memory failure = abi.encodeWithSelector(ICredits.CreditsNothingToExpire.selector, FIRST);
        _send(address(credits), council, data, failure);
    }

    function _assertExpired(uint64 entryId, uint64 expiredBy, uint64 expired) private view {
        (uint64 by, uint64 amount) = credits.expiryOf(FIRST, entryId);
        vm.assertEq(by, expiredBy, "expired by");
        vm.assertEq(amount, expired, "expired");
    }
}
