// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IProgrammes} from "../../contracts/interfaces/IProgrammes.sol";
import {Commands} from "./Commands.sol";

/// @title Issuers' budgets by category. What they do to awards is in CreditsCategories.t.sol
contract ProgrammesBudgetsTest is Commands {
    bytes32 private constant OPERATION = keccak256("this operation");
    uint64 private constant MOST = 2 ** 53 - 1;
    uint64 private constant NONE = type(uint64).max;

    function test_setCategoryBudget__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(programmes), _writeBudget, TREASURER_ROLE, COUNCIL_ROLE, FIRST));
    }

    function test_setCategoryBudget__set_and_taken_away__is_journaled_and_kept() public {
        _set(DATA, true, 70);
        vm.assertEq(programmes.categoryBudget(FIRST, issuer, DATA), 70, "budget");
        vm.assertEq(programmes.categoryBudget(FIRST, issuer, BUILD), NONE, "of another category");
        vm.assertEq(programmes.categoryBudget(FIRST, stranger, DATA), NONE, "of another issuer");
        vm.assertEq(programmes.categoryBudget(SECOND, issuer, DATA), NONE, "in the other programme");
        _assertByCategory(true);
        _set(DATA, true, 0);
        vm.assertEq(programmes.categoryBudget(FIRST, issuer, DATA), 0, "budget of nothing");
        _assertByCategory(true);
        _set(DATA, false, 0);
        vm.assertEq(programmes.categoryBudget(FIRST, issuer, DATA), NONE, "budget, taken away");
        _assertByCategory(false);
    }

    function test_setCategoryBudget__several__are_counted() public {
        _set(DATA, true, 1);
        _set(BUILD, true, 2);
        _set(DATA, true, 3); // changed, and counted once
        _set(DATA, false, 0);
        _assertByCategory(true);
        vm.assertEq(programmes.categoryBudget(FIRST, issuer, BUILD), 2, "the other");
        _set(BUILD, false, 0);
        _assertByCategory(false);
    }

    function test_setBudget__with_budgets_by_category__leaves_them() public {
        _set(DATA, true, 70);
        vm.prank(council);
        programmes.setBudget(FIRST, issuer, 3, 4, "budget");
        vm.assertEq(programmes.categoryBudget(FIRST, issuer, DATA), 70, "budget by category");
        _assertByCategory(true);
        (uint64 perAward, uint64 perEpoch) = programmes.budget(FIRST, issuer);
        vm.assertEq(perAward, 3, "per award");
        vm.assertEq(perEpoch, 4, "per epoch");
        _set(DATA, false, 0);
        (perAward, perEpoch) = programmes.budget(FIRST, issuer);
        vm.assertEq(perAward, 3, "per award");
        vm.assertEq(perEpoch, 4, "per epoch");
    }

    function test_setCategoryBudget__category_closed__is_kept_and_unknown__is_refused() public {
        vm.prank(council);
        programmes.closeCategories(FIRST, _one(DATA), "closing");
        _set(DATA, true, 70);
        bytes32[2] memory unknown = [bytes32("launch"), 0];
        for (uint256 i = 0; i < 2; ++i) {
            _refused(
                issuer,
                unknown[i],
                true,
                1,
                abi.encodeWithSelector(IProgrammes.ProgrammesCategoryUnknown.selector, FIRST, unknown[i])
            );
        }
    }

    function test_setCategoryBudget__none_to_take_away__is_refused() public {
        bytes memory failure = abi.encodeWithSelector(IProgrammes.ProgrammesUnchanged.selector, FIRST, DATA);
        _refused(issuer, DATA, false, 0, failure);
        _set(DATA, true, 70);
        _set(DATA, false, 0);
        _refused(issuer, DATA, false, 0, failure);
    }

    function test_setCategoryBudget__unusable__is_refused() public {
        _refused(issuer, DATA, true, MOST + 1, _unusable(true, MOST + 1));
        _refused(issuer, DATA, true, NONE, _unusable(true, NONE));
        _refused(issuer, DATA, false, 1, _unusable(false, 1));
        _refused(address(0), DATA, true, 1, abi.encodePacked(IProgrammes.ProgrammesIssuerMissing.selector));
        _set(DATA, true, MOST);
        vm.assertEq(programmes.categoryBudget(FIRST, issuer, DATA), MOST, "the largest");
    }

    function test_categoryBudgets__several_at_once__are_each_at_its_place() public {
        _set(BUILD, true, 70);
        bytes32[] memory categories = new bytes32[](3);
        (categories[0], categories[1], categories[2]) = (DATA, BUILD, "launch");
        uint64[] memory perEpoch = programmes.categoryBudgets(FIRST, issuer, categories);
        vm.assertEq(perEpoch.length, 3, "length");
        vm.assertEq(perEpoch[0], NONE, "none");
        vm.assertEq(perEpoch[1], 70, "budget");
        vm.assertEq(perEpoch[2], NONE, "unknown");
    }

    function _set(bytes32 category, bool limited, uint64 perEpoch) private {
        bytes32 operationId = _operation();
        _watch(address(programmes));
        vm.prank(council);
        programmes.setCategoryBudget(FIRST, issuer, category, limited, perEpoch, operationId);
        _assertLine(
            abi.encode(
                IProgrammes.CategoryBudgetChanged.selector,
                _number(1),
                FIRST,
                issuer,
                category,
                limited,
                perEpoch,
                council,
                operationId
            )
        );
    }

    function _refused(address account, bytes32 category, bool limited, uint64 perEpoch, bytes memory failure)
        private
    {
        bytes memory data = abi.encodeCall(
            programmes.setCategoryBudget, (FIRST, account, category, limited, perEpoch, _operation())
        );
        _send(address(programmes), council, data, failure);
    }

    function _assertByCategory(bool expected) private view {
        vm.assertEq(programmes.awardTerms(FIRST, issuer).byCategory, expected, "by category");
        vm.assertFalse(programmes.awardTerms(FIRST, stranger).byCategory, "another issuer's");
        vm.assertFalse(programmes.awardTerms(SECOND, issuer).byCategory, "in the other programme");
    }

    function _writeBudget(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(programmes.setCategoryBudget, (FIRST, stranger, DATA, true, 2, operationId));
    }

    function _unusable(bool limited, uint64 perEpoch) private pure returns (bytes memory) {
        return
            abi.encodeWithSelector(IProgrammes.ProgrammesCategoryBudgetUnusable.selector, DATA, limited, perEpoch);
    }
}
