// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IProgrammes} from "../../contracts/interfaces/IProgrammes.sol";
import {Entries} from "./Entries.sol";

/// @title What may be awarded to whom, and how it is entered. How much, is in CreditsLimits.t.sol
contract CreditsAwardTest is Entries {
    bytes32 private constant OPERATION = keccak256("this operation");

    function test_award__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(credits), _writeAward, ISSUER_ROLE, COUNCIL_ROLE, FIRST));
    }

    // --- the entry

    function test_award__one__is_entered_with_every_field() public {
        _watch(address(credits));
        vm.prank(issuer);
        credits.award(FIRST, _awards(3, 250), OPERATION);
        vm.assertEq(_assertLine(_words(_number(1), 3, DATA, 250, 250, EVIDENCE)).length, 0, "echoes");
        vm.assertEq(credits.balanceOf(FIRST, 3), 250, "balance");
        vm.assertEq(credits.outstanding(FIRST), 250, "outstanding");
        vm.assertEq(credits.spent(FIRST, 1, issuer), 250, "spent");
        vm.assertEq(credits.headAt(1), credits.head(), "head kept");
        vm.assertEq(credits.reversedBy(FIRST, 1), 0, "not reversed");
        vm.assertEq(credits.balanceOf(SECOND, 3), 0, "balance in the other programme");
        vm.assertEq(credits.outstanding(SECOND), 0, "outstanding in the other programme");
    }

    function test_award__several_some_to_one_organisation__are_entered_in_order() public {
        ICredits.Award[] memory awards = new ICredits.Award[](4);
        awards[0] = ICredits.Award(3, 10, DATA, "a");
        awards[1] = ICredits.Award(1, 20, BUILD, "b");
        awards[2] = ICredits.Award(3, 30, BUILD, 0);
        awards[3] = ICredits.Award(3, 40, DATA, "d");
        _watch(address(credits));
        bytes[] memory lines = new bytes[](4);
        lines[0] = _words(_number(1), 3, DATA, 10, 10, "a");
        lines[1] = _words(_number(2), 1, BUILD, 20, 20, "b");
        lines[2] = _words(_number(3), 3, BUILD, 30, 40, 0);
        lines[3] = _words(_number(4), 3, DATA, 40, 80, "d");
        vm.prank(issuer);
        credits.award(FIRST, awards, OPERATION);
        _assertLines(lines);
        vm.assertEq(credits.balanceOf(FIRST, 1), 20, "balance of 1");
        vm.assertEq(credits.balanceOf(FIRST, 3), 80, "balance of 3");
        vm.assertEq(credits.outstanding(FIRST), 100, "outstanding");
        vm.assertEq(credits.spent(FIRST, 1, issuer), 100, "spent");
        vm.assertEq(credits.operationSequence(issuer, OPERATION), 1, "the operation's first entry");
    }

    function test_award__in_two_programmes__is_kept_apart() public {
        _award(council, FIRST, _awards(1, 5));
        _award(council, SECOND, _awards(1, 7));
        vm.assertEq(credits.balanceOf(FIRST, 1), 5, "first");
        vm.assertEq(credits.balanceOf(SECOND, 1), 7, "second");
        vm.assertEq(credits.outstanding(FIRST), 5, "outstanding in the first");
        vm.assertEq(credits.outstanding(SECOND), 7, "outstanding in the second");
        vm.assertEq(credits.sequence(), 2, "one journal");
    }

    /// @dev Four balances share a slot; none may touch another.
    function testFuzz_award__any_amounts_to_neighbours__each_has_its_own(uint256 seed) public {
        uint64[13] memory sums;
        _join(12);
        for (uint256 i = 0; i < 24; ++i) {
            uint256 random = uint256(keccak256(abi.encode(seed, i)));
            uint32 orgId = uint32(_between(random, 1, 12));
            uint64 amount = uint64(_between(random >> 32, 1, CAP / 24));
            _award(orgId, amount);
            sums[orgId] += amount;
            vm.assertEq(posted[i].entry.balanceAfter, int64(sums[orgId]), "balance after");
        }
        for (uint32 orgId = 0; orgId <= 12; ++orgId) {
            vm.assertEq(credits.balanceOf(FIRST, orgId), int64(sums[orgId]), "balance");
        }
    }

    function test_award__each_organisation_of_a_slot__has_its_own_balance() public {
        _join(9);
        for (uint32 orgId = 1; orgId <= 9; ++orgId) {
            _award(orgId, 1000 + orgId);
        }
        for (uint32 orgId = 1; orgId <= 9; ++orgId) {
            vm.assertEq(credits.balanceOf(FIRST, orgId), int64(uint64(1000 + orgId)), "balance");
        }
        vm.assertEq(credits.balanceOf(FIRST, 0), 0, "no organisation 0");
        vm.assertEq(credits.balanceOf(FIRST, type(uint32).max), 0, "no last organisation");
    }

    // --- heads

    function test_headAt__last_of_a_command_and_each_128th__are_kept() public {
        vm.assertEq(credits.HEAD_INTERVAL(), 128, "interval");
        _awardSeveral(1, 3);
        _awardSeveral(1, 300); // entries 4 to 303
        _awardSeveral(1, 81); // to 384, a multiple itself
        bytes32 head = 0;
        for (uint64 n = 1; n <= 384; ++n) {
            head = keccak256(abi.encode(head, posted[n - 1].eventHash));
            bool kept = n == 3 || n == 128 || n == 256 || n == 303 || n == 384;
            vm.assertEq(credits.headAt(n), kept ? head : bytes32(0), "head");
        }
        vm.assertEq(credits.head(), head, "the journal's head");
        vm.assertEq(credits.headAt(0), 0, "before the first");
        vm.assertEq(credits.headAt(385), 0, "after the last");
    }

    // --- the batch

    function test_award__none_or_too_many__is_refused() public {
        uint256 most = credits.MAX_AWARDS();
        _refused(
            council, new ICredits.Award[](0), abi.encodeWithSelector(ICredits.CreditsBatchSize.selector, 0, most)
        );
        _refused(
            council,
            new ICredits.Award[](most + 1),
            abi.encodeWithSelector(ICredits.CreditsBatchSize.selector, most + 1, most)
        );
        _awardSeveral(1, most);
        vm.assertEq(credits.sequence(), most, "entries");
    }

    function test_award__of_nothing__is_refused() public {
        ICredits.Award[] memory awards = new ICredits.Award[](2);
        awards[0] = ICredits.Award(1, 5, DATA, EVIDENCE);
        awards[1] = ICredits.Award(2, 0, DATA, EVIDENCE);
        bytes memory failure = abi.encodeWithSelector(ICredits.CreditsAmountZero.selector, 2);
        _refused(issuer, awards, failure);
        _refused(council, awards, failure);
        vm.assertEq(credits.balanceOf(FIRST, 1), 0, "none is entered");
        vm.assertEq(credits.sequence(), 0, "no entry");
    }

    function test_award__unknown_programme__is_refused() public {
        uint16[2] memory unknown = [uint16(0), 3];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IProgrammes.ProgrammesUnknown.selector, unknown[i]));
            vm.prank(council);
            credits.award(unknown[i], _awards(1, 5), OPERATION);
        }
    }

    function test_award__words_wider_than_their_types__are_refused() public {
        bytes memory data = abi.encodeCall(credits.award, (FIRST, _awards(1, 5), OPERATION));
        // The award's words stand after the selector, three heads and the length.
        for (uint256 word = 0; word < 2; ++word) {
            bytes memory wide = bytes.concat(data);
            wide[4 + 32 * (4 + word)] = 0x01;
            vm.prank(council);
            (bool done, bytes memory answer) = address(credits).call(wide);
            vm.assertFalse(done, "refused");
            vm.assertEq(answer.length, 0, "by the decoder");
        }
    }

    // --- the epoch

    function test_award__around_the_boundaries__needs_an_epoch() public {
        vm.warp(NOW - 30 days); // the first second of the first epoch
        _award(1, 1);
        vm.warp(NOW - 30 days - 1);
        _refused(council, _awards(1, 1), _noEpoch(NOW - 30 days - 1));
        vm.warp(EPOCH_END + 60 days - 1); // the last second of the last epoch
        _award(1, 1);
        vm.warp(EPOCH_END + 60 days);
        _refused(council, _awards(1, 1), _noEpoch(EPOCH_END + 60 days));
        uint40[] memory next = new uint40[](1);
        next[0] = EPOCH_END + 90 days;
        vm.prank(council);
        programmes.appendBoundaries(FIRST, next, OPERATION);
        _award(1, 1);
    }

    // --- the category

    function test_award__category_unknown_or_closed__is_refused() public {
        ICredits.Award[] memory awards = new ICredits.Award[](3);
        awards[0] = ICredits.Award(1, 5, DATA, EVIDENCE);
        awards[1] = ICredits.Award(1, 5, "launch", EVIDENCE);
        awards[2] = ICredits.Award(1, 5, DATA, EVIDENCE);
        _refused(council, awards, _categoryError(IProgrammes.ProgrammesCategoryUnknown.selector, "launch"));
        awards[1].category = 0;
        _refused(council, awards, _categoryError(IProgrammes.ProgrammesCategoryUnknown.selector, 0));
        awards[0].category = 0; // the first of a batch too
        _refused(council, awards, _categoryError(IProgrammes.ProgrammesCategoryUnknown.selector, 0));
        vm.prank(council);
        programmes.closeCategories(FIRST, _one(BUILD), OPERATION);
        (awards[0].category, awards[1].category) = (DATA, BUILD);
        _refused(council, awards, _categoryError(IProgrammes.ProgrammesCategoryClosed.selector, BUILD));
        awards[1].category = DATA;
        awards[2].category = BUILD; // the last of a batch too
        _refused(council, awards, _categoryError(IProgrammes.ProgrammesCategoryClosed.selector, BUILD));
        awards[2].category = DATA;
        _award(council, FIRST, awards);
    }

    // --- the membership

    function test_award__to_no_member__is_refused() public {
        bytes memory failure = abi.encodeWithSelector(IMemberships.MembershipsUnknown.selector, FIRST, 5);
        _refused(council, _awards(5, 5), failure);
        ICredits.Award[] memory awards = new ICredits.Award[](2);
        awards[0] = ICredits.Award(1, 5, DATA, EVIDENCE);
        awards[1] = ICredits.Award(5, 5, DATA, EVIDENCE);
        _refused(council, awards, failure);
        // Nor to a member of the other programme only.
        _register(1);
        _admit(SECOND, 7);
        failure = abi.encodeWithSelector(IMemberships.MembershipsUnknown.selector, FIRST, 7);
        _refused(council, _awards(7, 5), failure);
    }

    function test_award__suspended_or_revoked__is_refused() public {
        vm.prank(registrar);
        memberships.suspend(FIRST, _one(uint32(3)), REASON, EVIDENCE, OPERATION);
        _refused(council, _awards(3, 5), _status(IMemberships.Status.Suspended));
        vm.prank(registrar);
        memberships.revoke(FIRST, _one(uint32(3)), REASON, EVIDENCE, "another operation");
        _refused(council, _awards(3, 5), _status(IMemberships.Status.Revoked));
        _admit(FIRST, 3);
        _award(3, 5);
    }

    function test_award__around_the_expiry__ends_at_the_second() public {
        vm.prank(registrar);
        memberships.admit(FIRST, _admissions(5, FULL, NOW + 100), REASON, OPERATION);
        vm.warp(NOW + 99);
        _award(5, 5);
        vm.warp(NOW + 100);
        _refused(
            council,
            _awards(5, 5),
            abi.encodeWithSelector(IMemberships.MembershipsLapsed.selector, FIRST, 5, NOW + 100)
        );
    }

    function test_views__of_the_contracts__are_named() public view {
        vm.assertEq(credits.authority(), address(authority), "authority");
        vm.assertEq(credits.programmes(), address(programmes), "programmes");
        vm.assertEq(credits.organisations(), address(organisations), "organisations");
        vm.assertEq(credits.memberships(), address(memberships), "memberships");
        vm.assertEq(credits.benefits(), address(benefits), "benefits");
    }

    function _join(uint32 last) private {
        _register(last - 6);
        for (uint32 orgId = 5; orgId <= last; ++orgId) {
            _admit(FIRST, orgId);
        }
    }

    function _writeAward(bytes32 operationId, address sender) private returns (bytes memory) {
        bytes32 budget = _operation();
        vm.prank(council);
        programmes.setBudget(FIRST, sender, 10, 10, budget);
        return abi.encodeCall(credits.award, (FIRST, _awards(1, 10), operationId));
    }

    function _refused(address sender, ICredits.Award[] memory awards, bytes memory failure) private {
        bytes32 operationId = _operation();
        vm.expectRevert(failure);
        vm.prank(sender);
        credits.award(FIRST, awards, operationId);
    }

    function _words(
        uint64 number,
        uint32 orgId,
        bytes32 category,
        int64 amount,
        int64 balanceAfter,
        bytes32 evidence
    ) private view returns (bytes memory) {
        return bytes.concat(
            abi.encode(ICredits.EntryPosted.selector, number, FIRST, orgId, ICredits.Kind.Award, category),
            abi.encode(amount, balanceAfter, evidence, 0, issuer, OPERATION)
        );
    }

    function _noEpoch(uint256 time) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICredits.CreditsNoEpoch.selector, FIRST, time);
    }

    function _categoryError(bytes4 selector, bytes32 category) private pure returns (bytes memory) {
        return abi.encodeWithSelector(selector, FIRST, category);
    }

    function _status(IMemberships.Status found) private pure returns (bytes memory) {
        return abi.encodeWithSelector(
            IMemberships.MembershipsStatus.selector, FIRST, 3, found, IMemberships.Status.Active
        );
    }
}
