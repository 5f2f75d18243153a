// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {Keys} from "../../contracts/Keys.sol";
import {Entries} from "./Entries.sol";

/// @title Credits that expire, and what is left of their awards to reverse
contract CreditsExpireTest is Entries {
    bytes32 private constant OPERATION = keccak256("this operation");

    function test_expire__by_officers__obeys_the_rules_of_commands() public {
        _award(1, 100);
        _assertCommand(Command(address(credits), _writeExpire, COUNCIL_ROLE, 0, FIRST));
    }

    // --- the entry

    function test_expire__some_of_an_award__is_entered_with_every_field() public {
        _award(1, 400);
        uint64 entryId = _award(3, 250);
        _watch(address(credits));
        vm.prank(council);
        credits.expire(FIRST, _expiries(entryId, 3, 200), POLICY, OPERATION);
        bytes memory words = bytes.concat(
            abi.encode(ICredits.EntryPosted.selector, _number(1), FIRST, 3, ICredits.Kind.Expiry, DATA),
            abi.encode(int64(-200), int64(50), POLICY, entryId, council, OPERATION)
        );
        vm.assertEq(_assertLine(words).length, 0, "echoes");
        vm.assertEq(credits.balanceOf(FIRST, 3), 50, "balance");
        vm.assertEq(credits.balanceOf(FIRST, 1), 400, "balance of another");
        vm.assertEq(credits.outstanding(FIRST), 450, "outstanding");
        vm.assertEq(credits.headAt(3), credits.head(), "head kept");
        _assertFate(entryId, 0, 3, 200);
        _assertFate(1, 0, 0, 0);
    }

    function test_expire__several_some_of_one_organisation__are_entered_in_order() public {
        _awardSeveral(1, 3); // 1, 2 and 3
        _award(2, 10);
        ICredits.Expiry[] memory expiries = new ICredits.Expiry[](3);
        expiries[0] = ICredits.Expiry(3, 1, 3, 3, DATA);
        expiries[1] = ICredits.Expiry(4, 2, 4, 6, BUILD);
        expiries[2] = ICredits.Expiry(2, 1, 1, 0, DATA);
        _expire(FIRST, expiries);
        int64[3] memory after_ = [int64(3), 6, 2];
        for (uint64 i = 0; i < 3; ++i) {
            ICredits.Entry memory entry = posted[4 + i].entry;
            vm.assertEq(uint8(entry.kind), uint8(ICredits.Kind.Expiry), "kind");
            vm.assertEq(entry.refersTo, expiries[i].entryId, "refers to");
            vm.assertEq(entry.category, expiries[i].category, "category");
            vm.assertEq(entry.amount, -int64(expiries[i].amount), "amount");
            vm.assertEq(entry.balanceAfter, after_[i], "balance after");
            _assertFate(expiries[i].entryId, 0, 5 + i, expiries[i].amount);
        }
        vm.assertEq(credits.outstanding(FIRST), 16 - 8, "outstanding");
    }

    function test_expire__of_the_issuers_award__gives_no_budget_but_room_under_the_cap() public {
        _award(issuer, FIRST, _awards(1, 100));
        _award(2, CAP - 100);
        _expire(1, 40);
        vm.assertEq(credits.spent(FIRST, 1, issuer), 100, "spent");
        _award(2, 40);
        vm.assertEq(credits.outstanding(FIRST), int64(CAP), "outstanding");
    }

    function test_expire__member_gone_category_closed_epoch_over__is_done() public {
        _award(3, 100);
        vm.prank(registrar);
        memberships.revoke(FIRST, _one(uint32(3)), REASON, EVIDENCE, "revocation");
        vm.prank(council);
        programmes.closeCategories(FIRST, _one(DATA), "closing");
        vm.warp(EPOCH_END + 200 days);
        _expire(1, 100);
        vm.assertEq(credits.balanceOf(FIRST, 3), 0, "balance");
    }

    // --- what is refused

    function test_expire__none_or_too_many__is_refused() public {
        uint256 most = credits.MAX_EXPIRIES();
        bytes memory failure = abi.encodeWithSelector(ICredits.CreditsBatchSize.selector, 0, most);
        _refused(FIRST, new ICredits.Expiry[](0), failure);
        failure = abi.encodeWithSelector(ICredits.CreditsBatchSize.selector, most + 1, most);
        _refused(FIRST, new ICredits.Expiry[](most + 1), failure);
        _awardSeveral(1, most);
        ICredits.Expiry[] memory expiries = new ICredits.Expiry[](most);
        for (uint64 i = 0; i < most; ++i) {
            expiries[i] = ICredits.Expiry(i + 1, 1, 1, 0, DATA);
        }
        _expire(FIRST, expiries);
        vm.assertEq(credits.sequence(), 2 * most, "entries");
    }

    function test_expire__of_nothing__is_refused() public {
        _award(1, 5);
        _refused(_expiries(1, 1, 0), abi.encodeWithSelector(ICredits.CreditsAmountZero.selector, 1));
    }

    function test_expire__of_an_entry_that_is_not_there__is_refused() public {
        _award(1, 5);
        uint64[3] memory unknown = [uint64(0), 2, type(uint64).max];
        for (uint256 i = 0; i < 3; ++i) {
            bytes memory failure = abi.encodeWithSelector(ICredits.CreditsEntryUnknown.selector, unknown[i]);
            _refused(_expiries(unknown[i], 1, 1), failure);
        }
        // Nor of one of the same batch.
        ICredits.Expiry[] memory expiries = new ICredits.Expiry[](2);
        expiries[0] = ICredits.Expiry(1, 1, 1, 0, DATA);
        expiries[1] = ICredits.Expiry(2, 1, 1, 0, DATA);
        _refused(expiries, abi.encodeWithSelector(ICredits.CreditsEntryUnknown.selector, 2));
    }

    function test_expire__category_malformed__is_refused() public {
        _awardSeveral(1, 2);
        bytes32[3] memory malformed = [bytes32(0), "Data", bytes32(uint256(1))];
        for (uint256 i = 0; i < 3; ++i) {
            ICredits.Expiry[] memory expiries = new ICredits.Expiry[](2);
            expiries[0] = ICredits.Expiry(1, 1, 1, 0, malformed[i]);
            expiries[1] = ICredits.Expiry(2, 1, 1, 0, DATA);
            bytes memory failure = abi.encodeWithSelector(Keys.KeysMalformed.selector, malformed[i]);
            _refused(expiries, failure);
            (expiries[0].category, expiries[1].category) = (DATA, malformed[i]);
            _refused(expiries, failure);
        }
    }

    // --- once

    function test_expire__twice__is_refused() public {
        _awardSeveral(1, 3);
        _expire(3, 1);
        bytes memory failure = abi.encodeWithSelector(ICredits.CreditsAlreadyExpired.selector, 3, 4);
        _refused(_expiries(3, 1, 1), failure);
        ICredits.Expiry[] memory expiries = new ICredits.Expiry[](2);
        expiries[0] = ICredits.Expiry(1, 1, 1, 0, DATA);
        expiries[1] = ICredits.Expiry(1, 1, 1, 0, DATA);
        _refused(expiries, abi.encodeWithSelector(ICredits.CreditsAlreadyExpired.selector, 1, 5));
        _assertFate(1, 0, 0, 0);
    }

    function test_expire__reversed_before__is_left_out() public {
        _awardSeveral(1, 3);
        _reverseOne(council, 3);
        _refused(_expiries(3, 1, 1), abi.encodeWithSelector(ICredits.CreditsNothingToExpire.selector, FIRST));
        ICredits.Expiry[] memory expiries = new ICredits.Expiry[](2);
        expiries[0] = ICredits.Expiry(3, 1, 1, 0, DATA);
        expiries[1] = ICredits.Expiry(2, 1, 1, 0, DATA);
        vm.prank(council);
        credits.expire(FIRST, expiries, "policy", OPERATION);
        (uint64 by,) = credits.expiryOf(FIRST, 3);
        vm.assertEq(by, 0, "the reversed one");
        (by,) = credits.expiryOf(FIRST, 2);
        vm.assertEq(by, 5, "the other");
    }

    // --- reversed afterwards

    function test_reverse__expired_in_part__takes_back_the_rest() public {
        _award(issuer, FIRST, _awards(1, 100));
        _expire(1, 30);
        _reverseOne(issuer, 1);
        ICredits.Entry memory entry = posted[2].entry;
        vm.assertEq(entry.amount, -70, "amount");
        vm.assertEq(entry.balanceAfter, 0, "balance after");
        vm.assertEq(credits.outstanding(FIRST), 0, "outstanding");
        _assertFate(1, 3, 2, 30);
    }

    function test_reverse__expired_whole_or_more__leaves_nothing() public {
        _award(1, 100);
        _award(1, 50);
        _award(1, 10);
        _expire(1, 100);
        _expire(2, 51); // more than there was: the contract keeps no entries to compare with
        for (uint64 entryId = 1; entryId <= 2; ++entryId) {
            ICredits.Reversal[] memory reversals = new ICredits.Reversal[](1);
            reversals[0] = _reversal(entryId);
            bytes memory data = abi.encodeCall(credits.reverse, (FIRST, reversals, _operation()));
            bytes memory failure = abi.encodeWithSelector(ICredits.CreditsNothingLeft.selector, entryId);
            _send(address(credits), council, data, failure);
        }
        _reverseOne(council, 3);
        vm.assertEq(credits.balanceOf(FIRST, 1), -1, "balance");
    }

    // --- programmes

    /// @dev A council has no say about awards of another programme, though an expiry brings no proof.
    function test_expire__of_another_programmes_award__means_nothing_there() public {
        uint64 entryId = _award(1, 100); // in the first
        _award(council, SECOND, _awards(1, 100));
        _appoint(COUNCIL_ROLE, SECOND, stranger);
        _send(
            address(credits),
            stranger,
            abi.encodeCall(credits.expire, (FIRST, _expiries(entryId, 1, 100), POLICY, _operation())),
            _roleMissing(stranger)
        );
        bytes32 operationId = _operation();
        vm.recordLogs();
        vm.prank(stranger);
        credits.expire(SECOND, _expiries(entryId, 1, 100), POLICY, operationId);
        _collect(vm.getRecordedLogs());
        _assertFate(entryId, 0, 0, 0);
        (uint64 by, uint64 amount) = credits.expiryOf(SECOND, entryId);
        vm.assertEq(by, 3, "in the second only");
        vm.assertEq(amount, 100, "in the second only");
        vm.assertEq(credits.balanceOf(SECOND, 1), 0, "its own credits");
        vm.assertEq(credits.balanceOf(FIRST, 1), 100, "the other's");
        _expire(entryId, 10); // still to expire, and to reverse
        _reverseOne(council, entryId);
        vm.assertEq(credits.balanceOf(FIRST, 1), 0, "the other's, reversed");
    }

    function test_expire__unknown_programme__is_refused() public {
        _award(1, 5);
        uint16[2] memory unknown = [uint16(0), 9];
        for (uint256 i = 0; i < 2; ++i) {
            _refused(unknown[i], _expiries(1, 1, 1), _nothing(unknown[i]));
        }
    }

    function _writeExpire(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(credits.expire, (FIRST, _expiries(1, 1, 10), POLICY, operationId));
    }

    function _refused(ICredits.Expiry[] memory expiries, bytes memory failure) private {
        _refused(FIRST, expiries, failure);
    }

    function _refused(uint16 programmeId, ICredits.Expiry[] memory expiries, bytes memory failure) private {
        bytes memory data = abi.encodeCall(credits.expire, (programmeId, expiries, POLICY, _operation()));
        _send(address(credits), council, data, failure);
    }

    function _assertFate(uint64 entryId, uint64 reversedBy, uint64 expiredBy, uint64 expired) private view {
        vm.assertEq(credits.reversedBy(FIRST, entryId), reversedBy, "reversed by");
        (uint64 by, uint64 amount) = credits.expiryOf(FIRST, entryId);
        vm.assertEq(by, expiredBy, "expired by");
        vm.assertEq(amount, expired, "expired");
    }

    function _nothing(uint16 programmeId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICredits.CreditsNothingToExpire.selector, programmeId);
    }

    function _roleMissing(address account) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IAuthority.AuthorityRoleMissing.selector, account, COUNCIL_ROLE, FIRST);
    }
}
