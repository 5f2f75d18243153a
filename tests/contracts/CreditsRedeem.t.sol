// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {Entries} from "./Entries.sol";

/// @title What Benefits does to the journal, and the numbers that nothing goes beyond
contract CreditsRedeemTest is Entries {
    bytes32 private constant OPERATION = keccak256("this operation");
    uint64 private constant MOST = 2 ** 53 - 1;

    // --- redeem

    function test_redeem__some_credits__is_entered_with_every_field() public {
        _award(3, 250);
        _watch(address(credits));
        vm.prank(address(benefits));
        uint64 entryId = credits.redeem(FIRST, 3, 200, EVIDENCE, stranger, OPERATION);
        bytes memory words = _words(ICredits.Kind.Redemption, -200, 50, 0);
        vm.assertEq(_assertLine(words).length, 0, "echoes");
        vm.assertEq(entryId, 2, "entry");
        vm.assertEq(credits.balanceOf(FIRST, 3), 50, "balance");
        vm.assertEq(credits.outstanding(FIRST), 50, "outstanding");
        vm.assertEq(credits.refundable(FIRST), 200, "refundable");
        vm.assertEq(credits.refundable(SECOND), 0, "refundable in the other programme");
        vm.assertEq(credits.headAt(2), credits.head(), "head kept");
        vm.assertEq(credits.operationSequence(stranger, OPERATION), 2, "operation");
    }

    function test_redeem__more_than_the_balance_or_nothing__is_refused() public {
        _award(3, 250);
        _redeemed(3, 251, _tooLow(3, 251, 250));
        _redeemed(3, type(uint64).max, _tooLow(3, type(uint64).max, 250));
        _redeemed(3, 0, abi.encodeWithSelector(ICredits.CreditsAmountZero.selector, 3));
        _redeemed(1, 1, _tooLow(1, 1, 0));
        _redeemed(3, 250, "");
        _redeemed(3, 1, _tooLow(3, 1, 0));
        _reverseOne(council, 1);
        _redeemed(3, 1, _tooLow(3, 1, -250));
    }

    // --- refund

    function test_refund__of_a_redemption__is_entered_with_every_field() public {
        _award(3, 250);
        uint64 redemption = _redeem(3, 200);
        _watch(address(credits));
        vm.prank(address(benefits));
        uint64 entryId = credits.refund(FIRST, 3, 200, redemption, EVIDENCE, stranger, OPERATION);
        vm.assertEq(_assertLine(_words(ICredits.Kind.Refund, 200, 250, redemption)).length, 0, "echoes");
        vm.assertEq(entryId, 3, "entry");
        vm.assertEq(credits.outstanding(FIRST), 250, "outstanding");
        vm.assertEq(credits.refundable(FIRST), 0, "refundable");
        vm.assertEq(credits.headAt(3), credits.head(), "head kept");
    }

    function test_refund__to_a_debtor__lessens_the_debt() public {
        uint64 entryId = _award(3, 250);
        uint64 redemption = _redeem(3, 200);
        _reverseOne(council, entryId);
        vm.assertEq(credits.balanceOf(FIRST, 3), -200, "debt");
        _refund(3, 150, redemption);
        vm.assertEq(credits.balanceOf(FIRST, 3), -50, "debt");
        _refund(3, 50, redemption);
        vm.assertEq(credits.balanceOf(FIRST, 3), 0, "balance");
    }

    function test_refund__more_than_can_be_or_nothing__is_refused() public {
        _award(3, 250);
        _redeem(3, 200);
        _refunded(201, _overRefundable(201, 200));
        _refunded(type(uint64).max, _overRefundable(type(uint64).max, 200));
        _refunded(0, abi.encodeWithSelector(ICredits.CreditsAmountZero.selector, 3));
        _settle(150);
        _refunded(51, _overRefundable(51, 50));
        _refunded(50, "");
        _refunded(1, _overRefundable(1, 0));
    }

    // --- settle

    function test_settle__a_redemption__posts_nothing() public {
        _award(3, 250);
        _redeem(3, 200);
        _watch(address(credits));
        _settle(120);
        _assertLines(new bytes[](0));
        vm.assertEq(credits.refundable(FIRST), 80, "refundable");
        vm.assertEq(credits.outstanding(FIRST), 50, "outstanding");
        _send(
            address(credits),
            address(benefits),
            abi.encodeCall(credits.settle, (FIRST, 81)),
            _overRefundable(81, 80)
        );
        _settle(80);
        vm.assertEq(credits.refundable(FIRST), 0, "refundable");
    }

    // --- who, when, once

    function test_redeem_refund_settle__by_anybody_else__are_refused() public {
        _award(3, 250);
        _redeem(3, 200);
        address[5] memory others = [council, issuer, admin, _controller(3), address(memberships)];
        for (uint256 i = 0; i < 5; ++i) {
            bytes memory failure = abi.encodeWithSelector(ICredits.CreditsOnlyBenefits.selector, others[i]);
            _send(address(credits), others[i], _redeemCall(3, 1), failure);
            _send(address(credits), others[i], _refundCall(1), failure);
            _send(address(credits), others[i], abi.encodeCall(credits.settle, (FIRST, 1)), failure);
        }
    }

    function test_redeem_refund_settle__while_paused__are_refused() public {
        _award(3, 250);
        _redeem(3, 200);
        _pause();
        bytes memory failure = abi.encodePacked(IAuthority.AuthorityPaused.selector);
        _redeemed(3, 1, failure);
        _refunded(1, failure);
        _send(address(credits), address(benefits), abi.encodeCall(credits.settle, (FIRST, 1)), failure);
        _resume();
        _redeemed(3, 1, "");
    }

    function test_redeem_refund__operation_missing_or_done__are_refused() public {
        _award(3, 250);
        vm.prank(address(benefits));
        credits.redeem(FIRST, 3, 5, EVIDENCE, stranger, OPERATION);
        bytes memory done = abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, 2);
        bytes memory redeem = abi.encodeCall(credits.redeem, (FIRST, 3, 5, EVIDENCE, stranger, OPERATION));
        bytes memory refund = abi.encodeCall(credits.refund, (FIRST, 3, 5, 2, EVIDENCE, stranger, OPERATION));
        _send(address(credits), address(benefits), redeem, done);
        _send(address(credits), address(benefits), refund, done);
        bytes memory missing = abi.encodePacked(IJournal.JournalOperationIdMissing.selector);
        redeem = abi.encodeCall(credits.redeem, (FIRST, 3, 5, EVIDENCE, stranger, 0));
        refund = abi.encodeCall(credits.refund, (FIRST, 3, 5, 2, EVIDENCE, stranger, 0));
        _send(address(credits), address(benefits), redeem, missing);
        _send(address(credits), address(benefits), refund, missing);
    }

    function test_reverse__a_redemption_refund_expiry_or_carry_over__is_refused() public {
        _award(3, 100);
        uint64 redemption = _redeem(3, 50);
        _refund(3, 50, redemption);
        _expire(1, 10);
        _merge(3, 1);
        _carryOver(_one(uint32(3)));
        for (uint64 entryId = 2; entryId <= 6; ++entryId) {
            ICredits.Reversal[] memory reversals = new ICredits.Reversal[](1);
            reversals[0] = _reversal(entryId);
            bytes memory failure =
                abi.encodeWithSelector(ICredits.CreditsNotReversible.selector, entryId, reversals[0].entry.kind);
            bytes memory data = abi.encodeCall(credits.reverse, (FIRST, reversals, _operation()));
            _send(address(credits), council, data, failure);
        }
    }

    // --- the largest numbers

    /// @dev Debts make room under the cap; even so no balance goes beyond what every reader has exactly.
    function test_balance__beyond_the_largest__is_refused() public {
        _largestDebt(1);
        _largest(2);
        _awarded(2, 1, _outOfRange(2, int256(uint256(MOST)) + 1));
        vm.assertEq(credits.balanceOf(FIRST, 1), -int64(MOST), "the largest debt");
        vm.assertEq(credits.balanceOf(FIRST, 2), int64(MOST), "the largest balance");
        vm.assertEq(credits.outstanding(FIRST), 0, "outstanding");
        _largest(3); // there is room for another
        vm.assertEq(credits.outstanding(FIRST), int64(MOST), "outstanding");
        _awarded(
            4, 1, abi.encodeWithSelector(ICredits.CreditsOverSupplyCap.selector, FIRST, uint256(1), uint64(0))
        );
        _merge(3, 2);
        _send(
            address(credits),
            council,
            abi.encodeCall(credits.carryOver, (FIRST, _one(uint32(3)), EVIDENCE, _operation())),
            _outOfRange(2, 2 * int256(uint256(MOST)))
        );
    }

    function test_balance__a_debt_beyond_the_largest__is_refused() public {
        _largestDebt(1);
        _awarded(1, 1, "");
        uint64 entryId = uint64(posted.length);
        _awarded(1, 1, "");
        _reverseOne(council, entryId + 1);
        _reverseOne(council, entryId);
        vm.assertEq(credits.balanceOf(FIRST, 1), -int64(MOST), "the largest debt");
        // The very largest, carried over to another's debt.
        _cap(MOST);
        uint64 second = _award(2, 1);
        _redeem(2, 1);
        bytes memory failure = _totalOutOfRange(-int256(uint256(MOST)) - 1);
        _reversed(second, failure);
        _award(4, 1);
        _reversed(second, "");
        _merge(2, 1);
        _send(
            address(credits),
            council,
            abi.encodeCall(credits.carryOver, (FIRST, _one(uint32(2)), EVIDENCE, _operation())),
            _outOfRange(1, -int256(uint256(MOST)) - 1)
        );
    }

    function test_refundable__beyond_the_largest__is_refused() public {
        _cap(MOST);
        uint64 entryId = _award(1, MOST);
        _redeem(1, MOST);
        _reverseOne(council, entryId); // what is outstanding is below zero, and leaves room
        _award(2, 1);
        _redeemed(2, 1, _totalOutOfRange(int256(uint256(MOST)) + 1));
        vm.assertEq(credits.refundable(FIRST), int64(MOST), "refundable");
        _settle(1);
        _redeemed(2, 1, "");
    }

    // --- what the tests above are made of

    function _largest(uint32 orgId) private {
        _cap(MOST);
        _award(orgId, MOST);
    }

    function _largestDebt(uint32 orgId) private {
        _largest(orgId);
        uint64 entryId = uint64(posted.length);
        _redeem(orgId, MOST);
        _settle(MOST);
        _reverseOne(council, entryId);
    }

    function _cap(uint64 supplyCap) private {
        bytes memory data = abi.encodeCall(programmes.changeSupplyCap, (FIRST, supplyCap, _operation()));
        _send(address(programmes), council, data, "");
    }

    function _awarded(uint32 orgId, uint64 amount, bytes memory failure) private {
        vm.recordLogs();
        bytes memory data = abi.encodeCall(credits.award, (FIRST, _awards(orgId, amount), _operation()));
        _send(address(credits), council, data, failure);
        if (failure.length == 0) _collect(vm.getRecordedLogs());
    }

    function _reversed(uint64 entryId, bytes memory failure) private {
        ICredits.Reversal[] memory reversals = new ICredits.Reversal[](1);
        reversals[0] = _reversal(entryId);
        vm.recordLogs();
        bytes memory data = abi.encodeCall(credits.reverse, (FIRST, reversals, _operation()));
        _send(address(credits), council, data, failure);
        if (failure.length == 0) _collect(vm.getRecordedLogs());
    }

    function _redeemed(uint32 orgId, uint64 amount, bytes memory failure) private {
        vm.recordLogs();
        _send(address(credits), address(benefits), _redeemCall(orgId, amount), failure);
        if (failure.length == 0) _collect(vm.getRecordedLogs());
    }

    function _refunded(uint64 amount, bytes memory failure) private {
        _send(address(credits), address(benefits), _refundCall(amount), failure);
    }

    function _redeemCall(uint32 orgId, uint64 amount) private returns (bytes memory) {
        return abi.encodeCall(credits.redeem, (FIRST, orgId, amount, EVIDENCE, stranger, _operation()));
    }

    function _refundCall(uint64 amount) private returns (bytes memory) {
        return abi.encodeCall(credits.refund, (FIRST, 3, amount, 2, EVIDENCE, stranger, _operation()));
    }

    function _words(ICredits.Kind kind, int64 amount, int64 balanceAfter, uint64 refersTo)
        private
        view
        returns (bytes memory)
    {
        return bytes.concat(
            abi.encode(ICredits.EntryPosted.selector, _number(1), FIRST, 3, kind, bytes32(0)),
            abi.encode(amount, balanceAfter, EVIDENCE, refersTo, stranger, OPERATION)
        );
    }

    function _tooLow(uint32 orgId, uint64 asked, int64 balance) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICredits.CreditsBalanceTooLow.selector, orgId, asked, balance);
    }

    function _overRefundable(uint64 asked, int64 left) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICredits.CreditsOverRefundable.selector, FIRST, asked, left);
    }

    function _outOfRange(uint32 orgId, int256 balance) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICredits.CreditsBalanceOutOfRange.selector, orgId, balance);
    }

    function _totalOutOfRange(int256 total) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICredits.CreditsTotalOutOfRange.selector, FIRST, total);
    }
}
