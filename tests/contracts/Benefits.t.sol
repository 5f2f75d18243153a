// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBenefits} from "../../contracts/interfaces/IBenefits.sol";
import {IProgrammes} from "../../contracts/interfaces/IProgrammes.sol";
import {Shelf} from "./Shelf.sol";

/// @title Listings, and what can be looked up. Redeeming is in BenefitsRedeem.t.sol
contract BenefitsTest is Shelf {
    // --- list

    function test_list__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(benefits), _writeList, TREASURER_ROLE, COUNCIL_ROLE, FIRST));
    }

    function test_list__a_benefit__is_journaled_with_every_field() public {
        _watch(address(benefits));
        vm.prank(treasurer);
        uint32 listingId = benefits.list(_terms(), OPERATION);
        bytes memory line = bytes.concat(
            abi.encode(IBenefits.BenefitListed.selector, _number(1), FIRST, listingId, PRICE, CAPACITY, LIMIT),
            abi.encode(OPENS, CLOSES, PROFILE, treasurer, OPERATION)
        );
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        vm.assertEq(listingId, listed + 1, "id");
        IBenefits.ListingState memory found = benefits.listing(listingId);
        vm.assertEq(abi.encode(found.listing), abi.encode(_terms()), "terms");
        vm.assertEq(found.redeemed, 0, "redeemed");
        vm.assertFalse(found.closed, "closed");
    }

    function test_list__in_several_programmes__numbers_them_over_all() public {
        vm.assertEq(listed, 1, "first");
        vm.assertEq(_list(_termsOf(SECOND, 1, 1, 1)), 2, "second");
        vm.assertEq(_list(_terms()), 3, "third");
        vm.assertEq(benefits.listingCount(), 3, "count");
        vm.assertEq(benefits.listing(2).listing.programmeId, SECOND, "programme of the second");
        vm.assertEq(benefits.listing(1).listing.price, PRICE, "price of the first");
    }

    function test_list__unknown_programme__is_refused() public {
        uint16[2] memory unknown = [uint16(0), 3];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory failure = abi.encodeWithSelector(IProgrammes.ProgrammesUnknown.selector, unknown[i]);
            _refusedListing(_termsOf(unknown[i], PRICE, CAPACITY, LIMIT), failure);
        }
    }

    function test_list__terms_at_their_edges__are_taken_or_refused() public {
        _list(_termsOf(FIRST, 1, 1, 1));
        _list(_termsOf(FIRST, MOST, 1, 1));
        _list(_termsOf(FIRST, MOST / 3, 3, 3));
        _list(_termsOf(FIRST, 1, type(uint32).max, type(uint32).max));
        _list(_termsOf(FIRST, 2 ** 21, type(uint32).max, 1));
        _unusable(0, 1, 1);
        _unusable(1, 0, 0);
        _unusable(1, 0, 1);
        _unusable(1, 1, 0);
        _unusable(1, 4, 5);
        _unusable(MOST + 1, 1, 1);
        _unusable(MOST / 3 + 1, 3, 3);
        _unusable(2 ** 21 + 1, type(uint32).max, 1);
        _unusable(2 ** 63, 2, 2); // the product is 0 in 64 bits
        _unusable(type(uint64).max, type(uint32).max, 1);
    }

    /// forge-config: default.fuzz.runs = 512
    function testFuzz_list__any_terms__are_taken_just_if_all_of_it_fits(
        uint64 price,
        uint32 capacity,
        uint32 limit,
        uint8 shift
    ) public {
        price >>= shift % 64;
        capacity >>= shift % 32;
        bool usable = price > 0 && limit > 0 && limit <= capacity && uint256(price) * capacity <= MOST;
        if (usable) _list(_termsOf(FIRST, price, capacity, limit));
        else _unusable(price, capacity, limit);
    }

    function test_list__window_at_its_edges__is_taken_or_refused() public {
        _window(OPENS, CLOSES);
        _window(0, OPENS + 1); // open since ever, for one more second
        _window(LAST_TIME - 1, LAST_TIME);
        _badWindow(OPENS + 9, OPENS + 9);
        _badWindow(OPENS + 9, OPENS + 8);
        _badWindow(0, 0);
        _badWindow(0, OPENS); // now
        _badWindow(OPENS, LAST_TIME + 1);
        _badWindow(0, type(uint40).max);
    }

    // --- close

    function test_close__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(benefits), _writeClose, TREASURER_ROLE, COUNCIL_ROLE, FIRST));
    }

    function test_close__a_listing__is_journaled_and_for_good() public {
        uint32 other = _list(_terms());
        _watch(address(benefits));
        vm.prank(treasurer);
        benefits.close(listed, OPERATION);
        bytes memory line =
            abi.encode(IBenefits.BenefitClosed.selector, _number(1), FIRST, listed, treasurer, OPERATION);
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        vm.assertTrue(benefits.listing(listed).closed, "closed");
        vm.assertEq(abi.encode(benefits.listing(listed).listing), abi.encode(_terms()), "terms");
        vm.assertFalse(benefits.listing(other).closed, "another");
        bytes memory again = abi.encodeCall(benefits.close, (listed, _operation()));
        _send(address(benefits), council, again, abi.encodeWithSelector(IBenefits.BenefitsClosed.selector, listed));
    }

    function test_close__unknown_listing__is_refused() public {
        uint32[3] memory unknown = [uint32(0), 2, type(uint32).max];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory data = abi.encodeCall(benefits.close, (unknown[i], _operation()));
            _send(address(benefits), council, data, _unknownListing(unknown[i]));
        }
    }

    function test_close__after_its_window__is_done() public {
        vm.warp(CLOSES + 1);
        _close(listed);
        vm.assertTrue(benefits.listing(listed).closed, "closed");
    }

    // --- views

    function test_views__unknown__say_so() public {
        vm.expectRevert(_unknownListing(0));
        benefits.listing(0);
        vm.expectRevert(_unknownListing(2));
        benefits.listing(2);
        vm.expectRevert(_unknownRedemption(0));
        benefits.redemption(0);
        vm.expectRevert(_unknownRedemption(1));
        benefits.redemption(1);
        vm.assertEq(benefits.redeemedBy(2, 1), 0, "redeemed of an unknown one");
        vm.assertEq(benefits.redemptionCount(), 0, "redemptions");
    }

    function test_views__contracts_and_domain__are_those_it_was_given() public view {
        vm.assertEq(benefits.authority(), address(authority), "authority");
        vm.assertEq(benefits.programmes(), address(programmes), "programmes");
        vm.assertEq(benefits.organisations(), address(organisations), "organisations");
        vm.assertEq(benefits.memberships(), address(memberships), "memberships");
        vm.assertEq(benefits.credits(), address(credits), "credits");
        (, string memory name, string memory version,, address contract_,,) = benefits.eip712Domain();
        vm.assertEq(name, "Moonlake Benefits", "name");
        vm.assertEq(version, "1", "version");
        vm.assertEq(contract_, address(benefits), "contract");
    }

    function _writeList(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(benefits.list, (_terms(), operationId));
    }

    function _writeClose(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(benefits.close, (listed, operationId));
    }

    function _refusedListing(IBenefits.Listing memory terms, bytes memory failure) private {
        _send(address(benefits), council, abi.encodeCall(benefits.list, (terms, _operation())), failure);
    }

    function _unusable(uint64 price, uint32 capacity, uint32 limit) private {
        bytes memory failure =
            abi.encodeWithSelector(IBenefits.BenefitsTermsUnusable.selector, price, capacity, limit);
        _refusedListing(_termsOf(FIRST, price, capacity, limit), failure);
    }

    function _window(uint40 opensAt, uint40 closesAt) private {
        IBenefits.Listing memory terms = _terms();
        (terms.opensAt, terms.closesAt) = (opensAt, closesAt);
        _list(terms);
    }

    function _badWindow(uint40 opensAt, uint40 closesAt) private {
        IBenefits.Listing memory terms = _terms();
        (terms.opensAt, terms.closesAt) = (opensAt, closesAt);
        _refusedListing(
            terms, abi.encodeWithSelector(IBenefits.BenefitsWindowUnusable.selector, opensAt, closesAt)
        );
    }
}
