// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBenefits} from "../../contracts/interfaces/IBenefits.sol";
import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IProgrammes} from "../../contracts/interfaces/IProgrammes.sol";
import {Shelf} from "./Shelf.sol";

/// @title Fulfilling redemptions, and cancelling them with a refund
contract BenefitsSettleTest is Shelf {
    // --- fulfil

    function test_fulfil__by_officers__obeys_the_rules_of_commands() public {
        _redeem(3, 1);
        _assertCommand(Command(address(benefits), _writeFulfil, TREASURER_ROLE, COUNCIL_ROLE, FIRST));
    }

    function test_fulfil__several__is_journaled_in_order() public {
        uint32 other = _list(_termsOf(FIRST, 11, 2, 2));
        _redeem(2, 2);
        _redeem(other, 3, 2);
        _redeem(4, 1);
        uint64[] memory ids = new uint64[](2);
        (ids[0], ids[1]) = (3, 2);
        bytes32 headOfCredits = credits.head();
        _watch(address(benefits));
        bytes[] memory lines = new bytes[](2);
        bytes32 selector = IBenefits.RedemptionFulfilled.selector;
        lines[0] = abi.encode(selector, _number(1), listed, 4, 3, EVIDENCE, treasurer, OPERATION);
        lines[1] = abi.encode(selector, _number(2), other, 3, 2, EVIDENCE, treasurer, OPERATION);
        vm.prank(treasurer);
        benefits.fulfil(FIRST, ids, EVIDENCE, OPERATION);
        vm.assertEq(_assertLines(lines).length, 0, "echoes");
        vm.assertEq(benefits.operationSequence(treasurer, OPERATION), benefits.sequence() - 1, "operation");
        _assertRedemption(3, IBenefits.Redemption(listed, 4, 1, IBenefits.RedemptionStatus.Fulfilled, 9));
        _assertRedemption(2, IBenefits.Redemption(other, 3, 2, IBenefits.RedemptionStatus.Fulfilled, 8));
        _assertRedemption(1, IBenefits.Redemption(listed, 2, 2, IBenefits.RedemptionStatus.Open, 7));
        // It keeps room under the cap for the first one only, and no balance changes.
        vm.assertEq(credits.refundable(FIRST), 2 * int64(PRICE), "refundable");
        vm.assertEq(credits.head(), headOfCredits, "journal of Credits");
        vm.assertEq(credits.balanceOf(FIRST, 4), int64(WEALTH - PRICE), "balance");
        _assertUnits(4, 1, 3);
    }

    function test_fulfil__none_or_too_many__is_refused() public {
        uint256 most = benefits.MAX_FULFILMENTS();
        _fulfilRefused(FIRST, new uint64[](0), _batchSize(0, most));
        _fulfilRefused(FIRST, new uint64[](most + 1), _batchSize(most + 1, most));
        uint32 large = _list(_termsOf(FIRST, 1, 1000, 1000));
        uint64[] memory ids = new uint64[](most);
        for (uint256 i = 0; i < most; ++i) {
            ids[i] = _redeem(large, 3, 1);
        }
        vm.prank(council);
        benefits.fulfil(FIRST, ids, EVIDENCE, OPERATION);
        vm.assertEq(credits.refundable(FIRST), 0, "refundable");
    }

    function test_fulfil__one_of_many_refused__fulfils_none() public {
        uint64[] memory ids = new uint64[](2);
        (ids[0], ids[1]) = (_redeem(3, 1), 2);
        _fulfilRefused(FIRST, ids, _unknownRedemption(2));
        // Twice in one batch.
        ids[1] = ids[0];
        _fulfilRefused(FIRST, ids, _settled(1, IBenefits.RedemptionStatus.Fulfilled));
        vm.assertEq(uint8(benefits.redemption(1).status), uint8(IBenefits.RedemptionStatus.Open), "status");
        vm.assertEq(credits.refundable(FIRST), int64(PRICE), "refundable");
    }

    function test_fulfil__settled_before__is_refused() public {
        _redeem(3, 1);
        _redeem(3, 1);
        _fulfil(1);
        _cancel(2);
        _fulfilRefused(FIRST, _ids(1), _settled(1, IBenefits.RedemptionStatus.Fulfilled));
        _fulfilRefused(FIRST, _ids(2), _settled(2, IBenefits.RedemptionStatus.Cancelled));
        _cancelRefused(1, _settled(1, IBenefits.RedemptionStatus.Fulfilled));
        _cancelRefused(2, _settled(2, IBenefits.RedemptionStatus.Cancelled));
    }

    function test_fulfil__of_another_programme__is_refused() public {
        uint64 redemptionId = _redeem(_list(_termsOf(SECOND, 7, 3, 3)), 2, 1);
        bytes memory failure = abi.encodeWithSelector(
            IBenefits.BenefitsRedemptionOfOtherProgramme.selector, redemptionId, SECOND, FIRST
        );
        _fulfilRefused(FIRST, _ids(redemptionId), failure);
        uint16[2] memory unknown = [uint16(0), 3];
        for (uint256 i = 0; i < 2; ++i) {
            failure = abi.encodeWithSelector(IProgrammes.ProgrammesUnknown.selector, unknown[i]);
            _fulfilRefused(unknown[i], _ids(redemptionId), failure);
        }
    }

    function test_fulfil__whatever_became_of_listing_and_member__is_done() public {
        for (uint32 orgId = 1; orgId <= 4; ++orgId) {
            _redeem(orgId, 1);
        }
        _close(listed);
        _suspend(1);
        _revoke(FIRST, 2);
        _retire(3, 0);
        _rotate(4, stranger);
        vm.warp(EXPIRY + 1);
        for (uint64 redemptionId = 1; redemptionId <= 4; ++redemptionId) {
            _fulfil(redemptionId);
        }
        vm.assertEq(credits.refundable(FIRST), 0, "refundable");
    }

    // --- cancel

    function test_cancel__by_officers__obeys_the_rules_of_commands() public {
        _redeem(3, 1);
        _assertCommand(Command(address(benefits), _writeCancel, TREASURER_ROLE, COUNCIL_ROLE, FIRST));
    }

    function test_cancel__an_open_one__is_journaled_with_every_field() public {
        _redeem(2, 4);
        _redeem(3, 4);
        uint64 entryId = credits.sequence() + 1;
        _watch(address(benefits));
        vm.prank(treasurer);
        benefits.cancel(2, EVIDENCE, OPERATION);
        bytes memory line = abi.encode(
            IBenefits.RedemptionCancelled.selector,
            _number(1),
            listed,
            3,
            2,
            entryId,
            EVIDENCE,
            treasurer,
            OPERATION
        );
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        _assertRedemption(2, IBenefits.Redemption(listed, 3, 4, IBenefits.RedemptionStatus.Cancelled, entryId - 1));
        _assertUnits(3, 0, 4);
        vm.assertEq(benefits.redeemedBy(listed, 2), 4, "redeemed by another");
    }

    function test_cancel__an_open_one__gives_the_credits_back_in_an_entry() public {
        _redeem(2, 4);
        _redeem(3, 4);
        _watch(address(credits));
        vm.prank(treasurer);
        benefits.cancel(2, EVIDENCE, OPERATION);
        bytes memory entry = bytes.concat(
            abi.encode(ICredits.EntryPosted.selector, _number(1), FIRST, 3, ICredits.Kind.Refund, bytes32(0)),
            abi.encode(int64(120), int64(WEALTH), EVIDENCE, _number(0), treasurer, OPERATION)
        );
        vm.assertEq(_assertLine(entry).length, 0, "echoes");
        vm.assertEq(credits.balanceOf(FIRST, 3), int64(WEALTH), "balance");
        vm.assertEq(credits.balanceOf(FIRST, 2), int64(WEALTH) - 120, "balance of another");
        vm.assertEq(credits.outstanding(FIRST), 4 * int64(WEALTH) - 120, "outstanding");
        vm.assertEq(credits.refundable(FIRST), 120, "refundable");
    }

    function test_cancel__capacity_and_limit__can_be_redeemed_again() public {
        uint64 redemptionId = _redeem(3, 4);
        _redeem(1, 4);
        _redeem(2, 2);
        _refused(listed, 4, 1, _overCapacity(listed, 1, 0));
        _cancel(redemptionId);
        _redeem(4, 1);
        _redeem(3, 3);
        _refused(listed, 3, 1, _overCapacity(listed, 1, 0));
        _assertUnits(3, 3, 10);
    }

    function test_cancel__unknown__is_refused() public {
        _redeem(3, 1);
        _cancelRefused(0, _unknownRedemption(0));
        _cancelRefused(2, _unknownRedemption(2));
    }

    function test_cancel__of_another_programme__needs_that_ones_officer() public {
        uint64 redemptionId = _redeem(_list(_termsOf(SECOND, 7, 3, 3)), 2, 2);
        bytes memory data = abi.encodeCall(benefits.cancel, (redemptionId, EVIDENCE, OPERATION));
        vm.prank(treasurer); // of the first
        vm.expectRevert();
        benefits.cancel(redemptionId, EVIDENCE, OPERATION);
        _send(address(benefits), council, data, "");
        vm.assertEq(credits.balanceOf(SECOND, 2), int64(WEALTH), "balance");
        vm.assertEq(credits.refundable(SECOND), 0, "refundable");
    }

    // --- a refund is always possible

    function test_cancel__listing_closed_or_over__is_done() public {
        uint64 redemptionId = _redeem(3, 1);
        _redeem(3, 1);
        _close(listed);
        _cancel(redemptionId);
        vm.warp(CLOSES + 1000 days);
        _cancel(redemptionId + 1);
        _assertWhole(3);
        _assertUnits(3, 0, 0);
    }

    function test_cancel__member_suspended_lapsed_or_revoked__is_done() public {
        for (uint32 orgId = 1; orgId <= 3; ++orgId) {
            _redeem(orgId, 2);
        }
        _suspend(1);
        _revoke(FIRST, 2);
        vm.warp(EXPIRY + 1);
        for (uint32 orgId = 1; orgId <= 3; ++orgId) {
            _cancel(orgId);
            _assertWhole(orgId);
        }
    }

    function test_cancel__organisation_retired__is_done() public {
        _redeem(3, 2);
        _retire(3, 0);
        _cancel(1);
        _assertWhole(3);
    }

    /// @dev Merged and carried over already: the refund is the retired organisation's, and is carried over
    /// after it.
    function test_cancel__organisation_merged__is_done_and_carried_over() public {
        _redeem(3, 2);
        _retire(3, 2);
        _carryOver(3);
        vm.assertEq(credits.balanceOf(FIRST, 2), 2 * int64(WEALTH) - 60, "balance of the successor");
        _cancel(1);
        vm.assertEq(credits.balanceOf(FIRST, 3), 60, "balance, refunded");
        _carryOver(3);
        vm.assertEq(credits.balanceOf(FIRST, 3), 0, "balance, carried over");
        vm.assertEq(credits.balanceOf(FIRST, 2), 2 * int64(WEALTH), "balance of the successor, all");
    }

    /// @dev Open redemptions keep their room: awards fill the rest of the cap and no more.
    function test_cancel__at_the_cap__is_done() public {
        _redeem(3, 4);
        uint64 left = CAP - 4 * WEALTH;
        bytes memory data = abi.encodeCall(credits.award, (FIRST, _awards(2, left + 1), _operation()));
        bytes memory failure =
            abi.encodeWithSelector(ICredits.CreditsOverSupplyCap.selector, FIRST, left + 1, left);
        _send(address(credits), council, data, failure);
        _award(FIRST, 2, left);
        _cancel(1);
        _assertWhole(3);
        vm.assertEq(credits.outstanding(FIRST), int64(CAP), "outstanding");
        // Fulfilled, it keeps no room any more.
        _redeem(3, 4);
        _fulfil(2);
        _award(FIRST, 2, 4 * PRICE);
        vm.assertEq(credits.outstanding(FIRST), int64(CAP), "outstanding, at the cap again");
    }

    function test_cancel__cap_lowered__is_done() public {
        _redeem(3, 4);
        _cap(0);
        _cancel(1);
        _assertWhole(3);
    }

    function test_cancel__award_reversed_meanwhile__makes_up_for_the_debt() public {
        ICredits.Reversal memory reversal = _reversible(5, 70);
        uint64 redemptionId = _redeem(_list(_termsOf(FIRST, 40, 9, 9)), 5, 1);
        ICredits.Reversal[] memory reversals = new ICredits.Reversal[](1);
        reversals[0] = reversal;
        bytes32 operationId = _operation();
        vm.prank(council);
        credits.reverse(FIRST, reversals, operationId);
        vm.assertEq(credits.balanceOf(FIRST, 5), -40, "balance, a debt");
        _refused(listed, 5, 1, _tooFew(5, PRICE, -40));
        _cancel(redemptionId);
        vm.assertEq(credits.balanceOf(FIRST, 5), 0, "balance");
    }

    // --- laws

    /// @dev Whatever is redeemed, fulfilled and cancelled: units and credits add up.
    function testFuzz_settle__any_course__adds_up(uint256 seed) public {
        uint32[5] memory held;
        int64[5] memory spent;
        int64 open = 0;
        for (uint256 i = 0; i < 16; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint64 known = benefits.redemptionCount();
            uint64 redemptionId = known == 0 ? 0 : uint64(_between(seed >> 8, 1, known));
            if (seed % 2 == 0 || known == 0) {
                uint32 orgId = uint32(_between(seed >> 8, 1, 4));
                uint32 quantity = uint32(_between(seed >> 16, 1, 5));
                if (!_tryRedeem(orgId, quantity)) continue;
                held[orgId] += quantity;
                spent[orgId] += int64(uint64(quantity) * PRICE);
                open += int64(uint64(quantity) * PRICE);
            } else if (benefits.redemption(redemptionId).status == IBenefits.RedemptionStatus.Open) {
                IBenefits.Redemption memory found = benefits.redemption(redemptionId);
                open -= int64(uint64(found.quantity) * PRICE);
                if (seed % 4 == 1) {
                    _fulfil(redemptionId);
                } else {
                    _cancel(redemptionId);
                    held[found.orgId] -= found.quantity;
                    spent[found.orgId] -= int64(uint64(found.quantity) * PRICE);
                }
            }
        }
        uint32 all = held[1] + held[2] + held[3] + held[4];
        vm.assertLe(all, CAPACITY, "units in all");
        for (uint32 orgId = 1; orgId <= 4; ++orgId) {
            vm.assertLe(held[orgId], LIMIT, "units of an organisation");
            _assertUnits(orgId, held[orgId], all);
            vm.assertEq(credits.balanceOf(FIRST, orgId), int64(WEALTH) - spent[orgId], "balance");
        }
        vm.assertEq(credits.refundable(FIRST), open, "refundable");
    }

    /// @dev Admits an organisation and makes it an award, with what proves it: the last of its command,
    /// whose head is kept.
    function _reversible(uint32 orgId, uint64 amount) private returns (ICredits.Reversal memory reversal) {
        _admit(FIRST, orgId);
        bytes32 operationId = _operation();
        reversal.headBefore = credits.head();
        vm.prank(council);
        credits.award(FIRST, _awards(orgId, amount), operationId);
        reversal.entry = ICredits.Entry({
            entryId: credits.sequence(),
            programmeId: FIRST,
            orgId: orgId,
            kind: ICredits.Kind.Award,
            category: DATA,
            amount: int64(amount),
            balanceAfter: int64(amount),
            evidence: EVIDENCE,
            refersTo: 0,
            actor: council,
            operationId: operationId
        });
    }

    function _tryRedeem(uint32 orgId, uint32 quantity) private returns (bool done) {
        bytes memory data = abi.encodeCall(benefits.redeem, (listed, orgId, quantity, _operation()));
        vm.prank(_controller(orgId));
        (done,) = address(benefits).call(data);
    }

    function _carryOver(uint32 orgId) private {
        bytes32 operationId = _operation();
        vm.prank(council);
        credits.carryOver(FIRST, _one(orgId), EVIDENCE, operationId);
    }

    function _assertWhole(uint32 orgId) private view {
        vm.assertEq(credits.balanceOf(FIRST, orgId), int64(WEALTH), "balance, all back");
    }

    function _writeFulfil(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(benefits.fulfil, (FIRST, _ids(1), EVIDENCE, operationId));
    }

    function _writeCancel(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(benefits.cancel, (1, EVIDENCE, operationId));
    }

    function _fulfilRefused(uint16 programmeId, uint64[] memory ids, bytes memory failure) private {
        bytes memory data = abi.encodeCall(benefits.fulfil, (programmeId, ids, EVIDENCE, _operation()));
        _send(address(benefits), council, data, failure);
    }

    function _cancelRefused(uint64 redemptionId, bytes memory failure) private {
        bytes memory data = abi.encodeCall(benefits.cancel, (redemptionId, EVIDENCE, _operation()));
        _send(address(benefits), council, data, failure);
    }

    function _batchSize(uint256 given, uint256 most) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IBenefits.BenefitsBatchSize.selector, given, most);
    }
}
