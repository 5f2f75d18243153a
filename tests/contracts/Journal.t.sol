// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {Journal} from "../../contracts/Journal.sol";
import {Cheats} from "./Vm.sol";

contract Diary is Journal {
    /// @notice A command with an operation id.
    function write(bytes32[] calldata eventHashes, address actor, bytes32 operationId)
        external
        returns (bytes32 head)
    {
        Pen memory pen = _begin(actor, operationId);
        for (uint256 i = 0; i < eventHashes.length; ++i) {
            uint64 line = _next(pen);
            head = _write(pen, eventHashes[i]);
            require(line == pen.sequence && head == pen.head, "pen");
        }
        _end(pen);
    }

    /// @notice A change without an operation id.
    function note(bytes32 eventHash) external {
        Pen memory pen = _pen();
        _write(pen, eventHash);
        _end(pen);
    }
}

contract JournalTest is Cheats {
    address private constant ACTOR = address(0xac70);
    address private constant OTHER = address(0x07e2);
    bytes32 private constant OPERATION = keccak256("operation");
    bytes32 private immutable SLOT =
        keccak256(abi.encode(uint256(keccak256("moonlake.storage.Journal")) - 1)) & ~bytes32(uint256(0xff));

    Diary private diary = new Diary();

    function test_journal__new__is_empty() public view {
        vm.assertEq(diary.head(), 0, "head");
        vm.assertEq(diary.sequence(), 0, "sequence");
        vm.assertEq(diary.operationSequence(ACTOR, OPERATION), 0, "operation");
        vm.assertEq(diary.operationSequence(ACTOR, 0), 0, "no operation");
    }

    function test_head__one_line__is_the_hash_of_zero_and_the_event() public {
        bytes32 head = diary.write(_hashes(1, 7), ACTOR, OPERATION);
        vm.assertEq(head, keccak256(abi.encode(bytes32(0), _hashes(1, 7)[0])), "head");
        vm.assertEq(diary.head(), head, "head in storage");
        vm.assertEq(diary.sequence(), 1, "sequence");
    }

    function test_storage__after_a_line__is_the_slot_of_ERC7201() public {
        bytes32 head = diary.write(_hashes(3, 7), ACTOR, OPERATION);
        vm.assertEq(vm.load(address(diary), SLOT), head, "head");
        vm.assertEq(uint256(vm.load(address(diary), bytes32(uint256(SLOT) + 1))), 3, "sequence");
        bytes32 slot = keccak256(abi.encode(OPERATION, keccak256(abi.encode(ACTOR, uint256(SLOT) + 2))));
        vm.assertEq(uint256(vm.load(address(diary), slot)), 1, "operation");
    }

    function test_operation__without_an_id__is_refused() public {
        vm.expectRevert(abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
        diary.write(_hashes(1, 7), ACTOR, 0);
    }

    function test_operation__a_second_time__is_refused_with_its_first_line() public {
        diary.note("first");
        diary.write(_hashes(3, 7), ACTOR, OPERATION);
        diary.write(_hashes(2, 8), ACTOR, keccak256("another"));
        vm.assertEq(diary.operationSequence(ACTOR, OPERATION), 2, "first line");
        vm.assertEq(diary.operationSequence(ACTOR, keccak256("another")), 5, "first line of the other");
        vm.expectRevert(abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, 2));
        diary.write(_hashes(1, 9), ACTOR, OPERATION);
    }

    function test_operation__of_another_actor__is_its_own() public {
        diary.write(_hashes(3, 7), ACTOR, OPERATION);
        vm.assertEq(diary.operationSequence(OTHER, OPERATION), 0, "the other's, not done");
        diary.write(_hashes(1, 8), OTHER, OPERATION);
        vm.assertEq(diary.operationSequence(ACTOR, OPERATION), 1, "first line of the one's");
        vm.assertEq(diary.operationSequence(OTHER, OPERATION), 4, "first line of the other's");
        vm.expectRevert(abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, 1));
        diary.write(_hashes(1, 9), ACTOR, OPERATION);
        vm.expectRevert(abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, 4));
        diary.write(_hashes(1, 9), OTHER, OPERATION);
    }

    function testFuzz_operation__of_any_actor_and_id__is_done_once(
        address first,
        bytes32 one,
        address second,
        bytes32 other
    ) public {
        vm.assume(one != 0 && other != 0);
        diary.write(_hashes(1, 7), first, one);
        bool same = first == second && one == other;
        if (same) vm.expectRevert(abi.encodeWithSelector(IJournal.JournalOperationDone.selector, one, 1));
        diary.write(_hashes(1, 8), second, other);
        vm.assertEq(diary.sequence(), same ? 1 : 2, "sequence");
    }

    function test_note__without_an_operation__is_a_line_like_any() public {
        diary.note("first");
        diary.note("second");
        bytes32 first = keccak256(abi.encode(bytes32(0), bytes32("first")));
        vm.assertEq(diary.head(), keccak256(abi.encode(first, bytes32("second"))), "head");
        vm.assertEq(diary.sequence(), 2, "sequence");
    }

    /// @dev However lines are cut into commands, head and sequence are the same.
    function testFuzz_head__any_cut_into_commands__is_the_same(uint256 seed, uint256 lines, uint256 cut) public {
        lines = _between(lines, 2, 40);
        cut = _between(cut, 1, lines - 1);
        bytes32[] memory all = _hashes(lines, seed);
        bytes32[] memory start = new bytes32[](cut);
        bytes32[] memory rest = new bytes32[](lines - cut);
        bytes32 head = 0;
        for (uint256 i = 0; i < lines; ++i) {
            if (i < cut) start[i] = all[i];
            else rest[i - cut] = all[i];
            head = keccak256(abi.encode(head, all[i]));
        }
        diary.write(start, ACTOR, OPERATION);
        vm.assertEq(diary.write(rest, ACTOR, keccak256("rest")), head, "head of two commands");
        vm.assertEq(diary.sequence(), lines, "sequence");
        vm.assertEq(diary.operationSequence(ACTOR, keccak256("rest")), cut + 1, "first line of the rest");
        vm.assertEq(new Diary().write(all, ACTOR, OPERATION), head, "head of one command");
    }

    function _hashes(uint256 count, uint256 seed) private pure returns (bytes32[] memory hashes) {
        hashes = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            hashes[i] = keccak256(abi.encode(seed, i));
        }
    }
}
