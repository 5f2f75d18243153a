// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {Entries} from "./Entries.sol";

/// @title Balances of merged organisations, carried over to their successors
contract CreditsCarryOverTest is Entries {
    bytes32 private constant OPERATION = keccak256("this operation");

    function test_carryOver__by_officers__obeys_the_rules_of_commands() public {
        _award(3, 100);
        _merge(3, 1);
        _assertCommand(Command(address(credits), _writeCarryOver, COUNCIL_ROLE, 0, FIRST));
    }

    function test_carryOver__a_balance__is_two_linked_entries() public {
        _award(3, 100);
        _award(1, 30);
        _merge(3, 1);
        _watch(address(credits));
        bytes[] memory lines = new bytes[](2);
        lines[0] = _words(_number(1), 3, -100, 0, 0);
        lines[1] = _words(_number(2), 1, 100, 130, _number(1));
        vm.prank(council);
        credits.carryOver(FIRST, _one(uint32(3)), EVIDENCE, OPERATION);
        _assertLines(lines);
        vm.assertEq(credits.balanceOf(FIRST, 3), 0, "balance of the retired");
        vm.assertEq(credits.balanceOf(FIRST, 1), 130, "balance of the successor");
        vm.assertEq(credits.outstanding(FIRST), 130, "outstanding");
        vm.assertEq(credits.headAt(4), credits.head(), "head kept");
    }

    function test_carryOver__a_debt__is_the_successors_debt() public {
        _indebt(3, 70);
        _award(1, 30);
        _merge(3, 1);
        _carryOver(_one(uint32(3)));
        vm.assertEq(credits.balanceOf(FIRST, 3), 0, "balance of the retired");
        vm.assertEq(credits.balanceOf(FIRST, 1), -40, "balance of the successor");
        ICredits.Entry memory first = posted[posted.length - 2].entry;
        vm.assertEq(first.amount, 70, "amount at the retired");
        vm.assertEq(posted[posted.length - 1].entry.amount, -70, "amount at the successor");
        vm.assertEq(credits.outstanding(FIRST), -40, "outstanding");
    }

    function test_carryOver__several_to_one_successor__add_up() public {
        _award(2, 10);
        _award(3, 20);
        _award(4, 30);
        _merge(2, 1);
        _merge(3, 1);
        _merge(4, 1);
        uint32[] memory orgIds = new uint32[](3);
        (orgIds[0], orgIds[1], orgIds[2]) = (4, 2, 3);
        _carryOver(orgIds);
        vm.assertEq(credits.balanceOf(FIRST, 1), 60, "balance");
        vm.assertEq(posted[4].entry.balanceAfter, 30, "after the first");
        vm.assertEq(posted[6].entry.balanceAfter, 40, "after the second");
        for (uint64 i = 4; i < 9; i += 2) {
            vm.assertEq(posted[i].entry.refersTo, i, "refers to the one before");
        }
    }

    function test_carryOver__successor_merged_on__goes_on_step_by_step() public {
        _award(4, 30);
        _merge(4, 3);
        _merge(3, 2);
        uint32[] memory orgIds = new uint32[](2);
        (orgIds[0], orgIds[1]) = (3, 4);
        _refused(orgIds, _nothing(3)); // nothing there yet
        (orgIds[0], orgIds[1]) = (4, 3);
        _carryOver(orgIds);
        vm.assertEq(credits.balanceOf(FIRST, 2), 30, "balance of the last");
        vm.assertEq(credits.balanceOf(FIRST, 3) + credits.balanceOf(FIRST, 4), 0, "balances of the others");
    }

    function test_carryOver__in_one_programme__leaves_the_other() public {
        _award(2, 10);
        _award(council, SECOND, _awards(2, 15));
        _merge(2, 1);
        _carryOver(_one(uint32(2)));
        vm.assertEq(credits.balanceOf(SECOND, 2), 15, "balance in the other programme");
        vm.assertEq(credits.balanceOf(SECOND, 1), 0, "balance in the other programme");
    }

    // --- what comes afterwards

    function test_carryOver__award_reversed_afterwards__carries_the_debt_over_too() public {
        uint64 entryId = _award(3, 100);
        _merge(3, 1);
        _carryOver(_one(uint32(3)));
        _reverseOne(council, entryId);
        vm.assertEq(credits.balanceOf(FIRST, 3), -100, "the retired's debt");
        _carryOver(_one(uint32(3)));
        vm.assertEq(credits.balanceOf(FIRST, 3), 0, "balance of the retired");
        vm.assertEq(credits.balanceOf(FIRST, 1), 0, "balance of the successor");
        vm.assertEq(credits.outstanding(FIRST), 0, "outstanding");
    }

    function test_carryOver__refunded_afterwards__carries_the_refund_over_too() public {
        _award(3, 100);
        uint64 entryId = _redeem(3, 60);
        _merge(3, 1);
        _carryOver(_one(uint32(3)));
        vm.assertEq(credits.balanceOf(FIRST, 1), 40, "balance of the successor");
        _refund(3, 60, entryId);
        _carryOver(_one(uint32(3)));
        vm.assertEq(credits.balanceOf(FIRST, 1), 100, "balance of the successor");
    }

    function test_carryOver__expired_afterwards__expires_at_the_successor() public {
        uint64 entryId = _award(3, 100);
        _merge(3, 1);
        _carryOver(_one(uint32(3)));
        bytes memory failure = abi.encodeWithSelector(ICredits.CreditsNothingToExpire.selector, FIRST);
        bytes memory data =
            abi.encodeCall(credits.expire, (FIRST, _expiries(entryId, 3, 40), POLICY, _operation()));
        _send(address(credits), council, data, failure);
        _expire(FIRST, _expiries(entryId, 1, 40));
        vm.assertEq(credits.balanceOf(FIRST, 1), 60, "balance of the successor");
    }

    // --- what is refused

    function test_carryOver__not_merged__is_refused() public {
        _award(3, 100);
        uint32[4] memory others = [uint32(3), 0, 99, type(uint32).max];
        for (uint256 i = 0; i < 4; ++i) {
            _refused(_one(others[i]), abi.encodeWithSelector(ICredits.CreditsNotMerged.selector, others[i]));
        }
        _merge(3, 0); // retired, and merged into none
        _refused(_one(uint32(3)), abi.encodeWithSelector(ICredits.CreditsNotMerged.selector, 3));
    }

    function test_carryOver__nothing_there_or_twice__is_refused() public {
        _award(3, 100);
        _merge(3, 1);
        _merge(4, 1);
        _refused(_one(uint32(4)), _nothing(4));
        uint32[] memory orgIds = new uint32[](2);
        (orgIds[0], orgIds[1]) = (3, 3);
        _refused(orgIds, _nothing(3));
        _carryOver(_one(uint32(3)));
        _refused(_one(uint32(3)), _nothing(3));
    }

    function test_carryOver__none_or_too_many__is_refused() public {
        uint256 most = credits.MAX_CARRY_OVERS();
        _refused(new uint32[](0), abi.encodeWithSelector(ICredits.CreditsBatchSize.selector, 0, most));
        _refused(
            new uint32[](most + 1), abi.encodeWithSelector(ICredits.CreditsBatchSize.selector, most + 1, most)
        );
    }

    /// @dev Brings an organisation into debt.
    function _indebt(uint32 orgId, uint64 amount) private {
        uint64 entryId = _award(orgId, amount);
        _redeem(orgId, amount);
        _reverseOne(council, entryId);
    }

    function _writeCarryOver(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(credits.carryOver, (FIRST, _one(uint32(3)), EVIDENCE, operationId));
    }

    function _refused(uint32[] memory orgIds, bytes memory failure) private {
        bytes memory data = abi.encodeCall(credits.carryOver, (FIRST, orgIds, EVIDENCE, _operation()));
        _send(address(credits), council, data, failure);
    }

    function _words(uint64 number, uint32 orgId, int64 amount, int64 balanceAfter, uint64 refersTo)
        private
        view
        returns (bytes memory)
    {
        return bytes.concat(
            abi.encode(ICredits.EntryPosted.selector, number, FIRST, orgId, ICredits.Kind.CarryOver, bytes32(0)),
            abi.encode(amount, balanceAfter, EVIDENCE, refersTo, council, OPERATION)
        );
    }

    function _nothing(uint32 orgId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(ICredits.CreditsNothingToCarryOver.selector, FIRST, orgId);
    }
}
