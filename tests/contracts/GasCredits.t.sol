// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {ISignedMessages} from "../../contracts/interfaces/ISignedMessages.sol";
import {AwardMessages} from "./AwardMessages.sol";
import {Measured} from "./Measured.sol";

/// @title What commands of the credit journal cost
contract GasCreditsTest is Measured, AwardMessages {
    // --- usual batches: each figure is for one line of the batch

    function test_award__250_to_neighbours__costs_a_quarter_of_the_slots() public {
        _populate(250);
        _recordEach("award, one of 250, first entry of neighbours", _awardCall(250, 1), 250, 18_000);
        _recordEach("award, one of 250, later entry of neighbours", _awardCall(250, 1), 250, 14_000);
    }

    function test_award__250_scattered__costs_a_slot_each() public {
        _populate(1000);
        _recordEach("award, one of 250, first entry, scattered", _awardCall(250, 4), 250, 36_000);
        _recordEach("award, one of 250, later entry, scattered", _awardCall(250, 4), 250, 18_000);
    }

    function test_award__one_alone__costs_the_whole_frame() public {
        _populate(8);
        _record("award, one alone, first entry", issuer, address(credits), _awardCall(1, 1));
        _record("award, one alone, later entry", issuer, address(credits), _awardCall(1, 1));
    }

    function test_awardBySignature__250_to_neighbours__costs_little_more() public {
        _populate(250);
        _recordEach("award by signature, one of 250, first entry of neighbours", _signedCall(250, 1), 250, 18_000);
        _recordEach("award by signature, one of 250, later entry of neighbours", _signedCall(250, 1), 250, 14_000);
    }

    function test_award__250_by_category__costs_little_more() public {
        _populate(250);
        _categoryBudget(DATA);
        _categoryBudget(BUILD);
        _recordEach("award within budgets by category, one of 250, first entry", _awardCall(250, 1), 250, 18_000);
        _recordEach("award within budgets by category, one of 250, later entry", _awardCall(250, 1), 250, 14_000);
    }

    function test_expiry__250_of_neighbours__costs_a_slot_each() public {
        _populate(250);
        _send(address(credits), issuer, _awardCall(250, 1), "");
        ICredits.Expiry[] memory expiries = new ICredits.Expiry[](250);
        for (uint32 i = 0; i < 250; ++i) {
            expiries[i] = ICredits.Expiry(i + 1, BASE + i, 500, 500, i < 125 ? DATA : BUILD);
        }
        bytes memory data = abi.encodeCall(credits.expire, (FIRST, expiries, POLICY, _operation()));
        vm.snapshotValue("gas", "expiry, one of 250", _measure(council, address(credits), data) / 250);
    }

    function test_carryOver__50_at_once__costs_two_entries_each() public {
        bytes memory data = _carryOverCall(50, 1);
        vm.snapshotValue("gas", "carrying over, one of 50", _measure(council, address(credits), data) / 50);
    }

    // --- the largest batches, at their worst

    /// @dev By an alliance-wide issuer in a programme with a long calendar; each award to an
    /// organisation without an entry, whose slot no other shares; each of another category.
    function test_largest__awards__fit_a_transaction() public {
        uint32 most = uint32(credits.MAX_AWARDS());
        _appoint(ISSUER_ROLE, 0, stranger);
        bytes32 operationId = _operation();
        vm.prank(council);
        programmes.setBudget(FIRST, stranger, 2 ** 52, 2 ** 53 - 1, operationId);
        _lengthenCalendar();
        _populate(4 * most);
        _openCategories(most);
        bytes memory data = abi.encodeCall(credits.award, (FIRST, _worstAwards(most, 4), _operation()));
        _recordLargest("awards", stranger, address(credits), data);
    }

    /// @dev Each of another command's entry, with the longest proof that is ever needed.
    function test_largest__reversals__fit_a_transaction() public {
        uint32 most = uint32(credits.MAX_REVERSALS());
        _populate(1800);
        _openCategories(400);
        for (uint64 last = 0; last < 128 * (most + 1);) {
            last = _award(issuer, FIRST, _worstAwards(400, 4));
        }
        ICredits.Reversal[] memory reversals = new ICredits.Reversal[](most);
        for (uint64 i = 0; i < most; ++i) {
            reversals[i] = _reversal(128 * i + 129, 128 * i + 256);
            vm.assertEq(reversals[i].hashesAfter.length, 127, "hashes");
        }
        bytes memory data = abi.encodeCall(credits.reverse, (FIRST, reversals, _operation()));
        vm.assertLe(data.length, 128 * 1024 - 512, "bytes, so that pools of transactions take it");
        _recordLargest("reversals", issuer, address(credits), data);
    }

    /// @dev As above, with a signature.
    function test_largest__awards_by_signature__fit_a_transaction() public {
        uint32 most = uint32(credits.MAX_AWARDS());
        _appoint(ISSUER_ROLE, 0, stranger);
        bytes32 operationId = _operation();
        vm.prank(council);
        programmes.setBudget(FIRST, stranger, 2 ** 52, 2 ** 53 - 1, operationId);
        _lengthenCalendar();
        _populate(4 * most);
        _openCategories(most);
        bytes memory data = _signedCall(_key("stranger"), _worstAwards(most, 4));
        _recordLargest("awards by signature", stranger, address(credits), data);
    }

    /// @dev As above, each category with a budget of its own.
    function test_largest__awards_by_category__fit_a_transaction() public {
        uint32 most = uint32(credits.MAX_AWARDS_BY_CATEGORY());
        _lengthenCalendar();
        _populate(4 * most);
        _openCategories(most);
        ICredits.Award[] memory awards = _worstAwards(most, 4);
        for (uint256 i = 0; i < most; ++i) {
            _categoryBudget(awards[i].category);
        }
        bytes memory data = _signedCall(_key("issuer"), awards);
        _recordLargest("awards within budgets by category, signed", stranger, address(credits), data);
    }

    /// @dev Each of another organisation, whose slot no other shares, and of another category; each clamped,
    /// and as few bytes zero as can be.
    function test_largest__expiries__fit_a_transaction() public {
        uint32 most = uint32(credits.MAX_EXPIRIES());
        _populate(4 * most);
        _openCategories(most);
        ICredits.Award[] memory awards = _worstAwards(most, 4);
        _award(issuer, FIRST, awards);
        ICredits.Expiry[] memory expiries = new ICredits.Expiry[](most);
        for (uint32 i = 0; i < most; ++i) {
            expiries[i] = ICredits.Expiry(
                i + 1, awards[i].orgId, type(uint64).max, awards[i].amount >> 8, awards[i].category
            );
        }
        bytes memory data = abi.encodeCall(credits.expire, (FIRST, expiries, POLICY, _operation()));
        _recordLargest("expiries", council, address(credits), data);
    }

    /// @dev Each of another organisation to another successor, and no two share a slot.
    function test_largest__carried_over__fit_a_transaction() public {
        bytes memory data = _carryOverCall(uint32(credits.MAX_CARRY_OVERS()), 8);
        _recordLargest("carried over", council, address(credits), data);
    }

    // --- what is measured

    function _signedCall(uint32 count, uint32 step) private returns (bytes memory) {
        return _signedCall(_key("issuer"), _someAwards(count, step));
    }

    function _signedCall(uint256 key, ICredits.Award[] memory awards) private returns (bytes memory) {
        bytes32 operationId = _operation();
        ISignedMessages.Signed memory signed =
            _signedBatch(key, address(credits), FIRST, awards, operationId, NOW + 1 days);
        return abi.encodeCall(credits.awardBySignature, (FIRST, awards, operationId, signed));
    }

    /// @dev Organisations `step` apart with a balance are merged, each into its own successor without one.
    function _carryOverCall(uint32 count, uint32 step) private returns (bytes memory) {
        uint32 next = step / 2 == 0 ? count : step / 2;
        _populate(count * (step < 2 ? 2 : step));
        _award(council, FIRST, _someAwards(count, step));
        uint32[] memory orgIds = new uint32[](count);
        for (uint32 i = 0; i < count; ++i) {
            orgIds[i] = BASE + step * i;
            _merge(orgIds[i], orgIds[i] + next);
        }
        return abi.encodeCall(credits.carryOver, (FIRST, orgIds, EVIDENCE, _operation()));
    }

    function _categoryBudget(bytes32 category) private {
        bytes memory data = abi.encodeCall(
            programmes.setCategoryBudget, (FIRST, issuer, category, true, 2 ** 53 - 1, _operation())
        );
        _send(address(programmes), council, data, "");
    }
}
