// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {IBenefits} from "../../contracts/interfaces/IBenefits.sol";
import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {Shelf} from "./Shelf.sol";

/// @title Redeeming by the controller's transaction. By its signature: BenefitsSigned.t.sol
contract BenefitsRedeemTest is Shelf {
    // --- what it does

    function test_redeem__units__is_journaled_with_every_field() public {
        _redeem(2, 1);
        uint64 entryId = credits.sequence() + 1;
        _watch(address(benefits));
        vm.prank(_controller(3));
        uint64 redemptionId = benefits.redeem(listed, 3, 4, OPERATION);
        bytes memory line = abi.encode(
            IBenefits.BenefitRedeemed.selector,
            _number(1),
            listed,
            3,
            redemptionId,
            4,
            4 * PRICE,
            entryId,
            _controller(3),
            OPERATION
        );
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        vm.assertEq(redemptionId, 2, "id");
        vm.assertEq(benefits.redemptionCount(), 2, "count");
        _assertUnits(3, 4, 5);
        vm.assertEq(benefits.redeemedBy(listed, 2), 1, "redeemed by another");
        _assertRedemption(2, IBenefits.Redemption(listed, 3, 4, IBenefits.RedemptionStatus.Open, entryId));
        vm.assertEq(benefits.operationSequence(_controller(3), OPERATION), _number(1) - 1, "operation");
    }

    function test_redeem__units__takes_the_credits_in_an_entry() public {
        _watch(address(credits));
        vm.prank(_controller(3));
        benefits.redeem(listed, 3, 4, OPERATION);
        bytes memory entry = bytes.concat(
            abi.encode(ICredits.EntryPosted.selector, _number(1), FIRST, 3, ICredits.Kind.Redemption, bytes32(0)),
            abi.encode(int64(-120), int64(380), bytes32(0), 0, _controller(3), OPERATION)
        );
        vm.assertEq(_assertLine(entry).length, 0, "echoes");
        vm.assertEq(credits.balanceOf(FIRST, 3), 380, "balance");
        vm.assertEq(credits.outstanding(FIRST), 4 * int64(WEALTH) - 120, "outstanding");
        vm.assertEq(credits.refundable(FIRST), 120, "refundable");
        vm.assertEq(credits.balanceOf(FIRST, 2), int64(WEALTH), "balance of another");
    }

    function test_redeem__in_another_programme__takes_that_ones_credits() public {
        uint32 other = _list(_termsOf(SECOND, 7, 4, 3));
        _redeem(other, 2, 3);
        vm.assertEq(credits.balanceOf(SECOND, 2), int64(WEALTH) - 21, "balance there");
        vm.assertEq(credits.balanceOf(FIRST, 2), int64(WEALTH), "balance here");
        vm.assertEq(credits.refundable(SECOND), 21, "refundable there");
        vm.assertEq(credits.refundable(FIRST), 0, "refundable here");
        _assertUnits(2, 0, 0);
        // A member of the first programme only.
        _refused(other, 3, 1, abi.encodeWithSelector(IMemberships.MembershipsUnknown.selector, SECOND, 3));
    }

    function test_redeem__all_of_the_largest_listings__does_not_overflow() public {
        _cap(MOST);
        _award(FIRST, 3, MOST - 4 * WEALTH);
        uint32 one = _list(_termsOf(FIRST, MOST - 4 * WEALTH, 1, 1));
        uint64 redemptionId = _redeem(one, 3, 1);
        vm.assertEq(credits.balanceOf(FIRST, 3), int64(WEALTH), "balance");
        _cancel(redemptionId);
        uint32 many = _list(_termsOf(FIRST, 2 ** 20, type(uint32).max, type(uint32).max));
        redemptionId = _redeem(many, 3, type(uint32).max);
        int64 taken = 2 ** 20 * int64(uint64(type(uint32).max));
        vm.assertEq(credits.refundable(FIRST), taken, "refundable");
        _refused(many, 3, type(uint32).max, _overCapacity(many, type(uint32).max, 0));
        _cancel(redemptionId);
        vm.assertEq(credits.balanceOf(FIRST, 3), int64(MOST) - 3 * int64(WEALTH), "balance, all back");
    }

    // --- the listing

    function test_redeem__unknown_listing__is_refused() public {
        _refused(0, 3, 1, _unknownListing(0));
        _refused(2, 3, 1, _unknownListing(2));
    }

    function test_redeem__closed_listing__is_refused() public {
        _close(listed);
        _refused(listed, 3, 1, abi.encodeWithSelector(IBenefits.BenefitsClosed.selector, listed));
    }

    function test_redeem__first_and_last_second_of_the_window__is_done() public {
        vm.warp(OPENS - 1);
        _refused(listed, 3, 1, _notOpen());
        vm.warp(OPENS);
        _redeem(3, 1);
        vm.warp(CLOSES - 1);
        _redeem(3, 1);
        vm.warp(CLOSES);
        _refused(listed, 3, 1, _notOpen());
        vm.warp(CLOSES + 1);
        _refused(listed, 3, 1, _notOpen());
        _assertUnits(3, 2, 2);
    }

    function test_redeem__nothing__is_refused() public {
        _refused(listed, 3, 0, abi.encodePacked(IBenefits.BenefitsQuantityZero.selector));
    }

    function test_redeem__over_the_limit__names_what_is_left() public {
        _refused(listed, 3, 5, _overLimit(listed, 3, 5, 4));
        _redeem(3, 3);
        _refused(listed, 3, 2, _overLimit(listed, 3, 2, 1));
        _redeem(3, 1);
        _refused(listed, 3, 1, _overLimit(listed, 3, 1, 0));
        _redeem(2, 4); // each has its own
        // And each listing.
        _redeem(_list(_terms()), 3, 4);
        _assertUnits(3, 4, 8);
    }

    function test_redeem__over_the_capacity__names_what_is_left() public {
        _refused(listed, 3, 11, _overCapacity(listed, 11, 10));
        _refused(listed, 3, type(uint32).max, _overCapacity(listed, type(uint32).max, 10));
        _redeem(1, 4);
        _redeem(2, 4);
        _refused(listed, 3, 3, _overCapacity(listed, 3, 2));
        _redeem(3, 2);
        _refused(listed, 3, 1, _overCapacity(listed, 1, 0));
        _assertUnits(3, 2, 10);
    }

    // --- the member

    function test_redeem__by_another_than_its_controller__is_refused() public {
        address[5] memory others = [stranger, _controller(2), council, treasurer, admin];
        for (uint256 i = 0; i < 5; ++i) {
            _refusedTo(others[i], listed, 3, 1, _notController(others[i], 3));
        }
    }

    function test_redeem__after_a_rotation__is_the_new_controllers() public {
        _redeem(3, 1);
        _rotate(3, stranger);
        _refusedTo(_controller(3), listed, 3, 1, _notController(_controller(3), 3));
        bytes32 operationId = _operation();
        vm.prank(stranger);
        benefits.redeem(listed, 3, 3, operationId);
        // The limit is the organisation's, not the controller's.
        _assertUnits(3, 4, 4);
    }

    function test_redeem__unknown_or_retired_organisation__is_refused() public {
        bytes memory unknown = abi.encodeWithSelector(IOrganisations.OrganisationsUnknown.selector, 7);
        _refused(listed, 7, 1, unknown);
        unknown = abi.encodeWithSelector(IOrganisations.OrganisationsUnknown.selector, 0);
        _refused(listed, 0, 1, unknown);
        _retire(3, 2);
        bytes memory retired = abi.encodeWithSelector(IOrganisations.OrganisationsRetired.selector, 3);
        _refused(listed, 3, 1, retired);
        // Not its successor's either: the balance is carried over first.
        _refusedTo(_controller(2), listed, 3, 1, retired);
    }

    function test_redeem__not_in_good_standing__names_why() public {
        _refused(listed, 5, 1, abi.encodeWithSelector(IMemberships.MembershipsUnknown.selector, FIRST, 5));
        _suspend(3);
        _refused(listed, 3, 1, _standing(3, IMemberships.Status.Suspended));
        _revoke(FIRST, 4);
        _refused(listed, 4, 1, _standing(4, IMemberships.Status.Revoked));
    }

    function test_redeem__lapsing__is_refused_from_the_second_of_expiry() public {
        IBenefits.Listing memory terms = _terms();
        terms.closesAt = EXPIRY + 1 days;
        uint32 lasting = _list(terms);
        vm.warp(EXPIRY - 1);
        _redeem(lasting, 3, 1);
        vm.warp(EXPIRY);
        _refused(lasting, 3, 1, abi.encodeWithSelector(IMemberships.MembershipsLapsed.selector, FIRST, 3, EXPIRY));
    }

    function test_redeem__too_few_credits__is_refused() public {
        uint32 dear = _list(_termsOf(FIRST, WEALTH / 2 + 1, 9, 9));
        _refused(dear, 3, 2, _tooFew(3, WEALTH + 2, int64(WEALTH)));
        _redeem(dear, 3, 1);
        _refused(dear, 3, 1, _tooFew(3, WEALTH / 2 + 1, int64(WEALTH / 2) - 1));
        vm.assertEq(benefits.listing(dear).redeemed, 1, "a refused one takes no units");
        vm.assertEq(benefits.redeemedBy(dear, 3), 1, "nor from the limit");
        vm.assertEq(benefits.redemptionCount(), 1, "nor is it counted");
    }

    function test_redeem__exactly_all_credits__is_done() public {
        _redeem(_list(_termsOf(FIRST, WEALTH, 1, 1)), 3, 1);
        vm.assertEq(credits.balanceOf(FIRST, 3), 0, "balance");
        _refused(listed, 3, 1, _tooFew(3, PRICE, 0));
    }

    // --- the operation

    function test_redeem__paused_or_without_an_operation__is_refused() public {
        bytes memory data = abi.encodeCall(benefits.redeem, (listed, 3, 1, bytes32(0)));
        _send(
            address(benefits), _controller(3), data, abi.encodePacked(IJournal.JournalOperationIdMissing.selector)
        );
        _pause();
        _refused(listed, 3, 1, abi.encodePacked(IAuthority.AuthorityPaused.selector));
        _resume();
        _redeem(3, 1);
    }

    function test_redeem__the_same_operation_again__is_refused_whatever_else() public {
        bytes memory data = abi.encodeCall(benefits.redeem, (listed, 3, 4, OPERATION));
        _send(address(benefits), _controller(3), data, "");
        bytes memory done =
            abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, benefits.sequence());
        _send(address(benefits), _controller(3), data, done);
        _close(listed);
        _send(address(benefits), _controller(3), data, done);
        vm.assertEq(credits.balanceOf(FIRST, 3), int64(WEALTH - 4 * PRICE), "balance, taken once");
    }

    function test_redeem__operation_of_another_in_credits__is_new() public {
        vm.prank(council);
        credits.award(FIRST, _awards(3, 1), OPERATION);
        vm.prank(_controller(3));
        benefits.redeem(listed, 3, 1, OPERATION);
        vm.assertEq(benefits.redeemedBy(listed, 3), 1, "redeemed");
    }

    /// @dev A member sees an officer's award on its way and takes its operation id: it takes its own.
    function test_redeem__by_the_id_of_an_award_on_its_way__leaves_the_award_alone() public {
        vm.prank(_controller(3));
        benefits.redeem(listed, 3, 1, OPERATION);
        vm.assertEq(
            credits.operationSequence(_controller(3), OPERATION), credits.sequence(), "its own, in Credits"
        );
        vm.assertEq(credits.operationSequence(issuer, OPERATION), 0, "the issuer's");
        vm.prank(issuer);
        credits.award(FIRST, _awards(2, 1), OPERATION);
        vm.assertEq(credits.operationSequence(issuer, OPERATION), credits.sequence(), "the issuer's, done");
    }

    /// @dev Somebody who is officer and controller has one space of ids in Credits for both.
    function test_redeem__by_an_id_that_its_actor_used_in_credits__is_refused_and_changes_nothing() public {
        _appoint(COUNCIL_ROLE, FIRST, _controller(3));
        vm.prank(_controller(3));
        credits.award(FIRST, _awards(2, 1), OPERATION);
        bytes memory done =
            abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, credits.sequence());
        _send(address(benefits), _controller(3), abi.encodeCall(benefits.redeem, (listed, 3, 1, OPERATION)), done);
        vm.assertEq(benefits.operationSequence(_controller(3), OPERATION), 0, "operation in Benefits");
        _assertUnits(3, 0, 0);
    }

    function _standing(uint32 orgId, IMemberships.Status found) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IMemberships.MembershipsStatus.selector, FIRST, orgId, found, IMemberships.Status.Active
        );
    }

    function _notOpen() private view returns (bytes memory) {
        return abi.encodeWithSelector(IBenefits.BenefitsNotOpen.selector, listed, OPENS, CLOSES);
    }
}
