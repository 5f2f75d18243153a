// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Journal} from "../../../contracts/Journal.sol";
import {Keys} from "../../../contracts/Keys.sol";
import {Roles} from "../../../contracts/Roles.sol";
import {Cheats} from "../Vm.sol";

contract SymbolicDiary is Journal {
    function write(bytes32 first, bytes32 second, address actor, bytes32 operationId) external {
        Pen memory pen = _begin(actor, operationId);
        _write(pen, first);
        _write(pen, second);
        _end(pen);
    }

    function fold(bytes32 headBefore, bytes32 eventHash) external pure returns (bytes32) {
        return _fold(headBefore, eventHash);
    }
}

/// @title Proofs about the journal, keys and roles, for all values at once (halmos)
contract JournalSymbolic is Cheats {
    bytes32 private constant SLOT = 0xc816c54a1e0154fd1b08dead1018bf473b90767e12452430260ae78449075200;

    SymbolicDiary private diary;

    function setUp() public {
        diary = new SymbolicDiary();
    }

    /// @dev From any state, two lines fold into the head, count two, and are found by their operation.
    function check_lines__in_any_state__fold_and_count(
        bytes32 head,
        uint64 sequence,
        bytes32 first,
        bytes32 second,
        address actor,
        bytes32 operationId
    ) public {
        vm.assume(sequence < type(uint64).max - 2 && operationId != 0);
        _start(head, sequence);
        diary.write(first, second, actor, operationId);
        assert(diary.head() == keccak256(abi.encode(keccak256(abi.encode(head, first)), second)));
        assert(diary.sequence() == sequence + 2);
        assert(diary.operationSequence(actor, operationId) == sequence + 1);
    }

    /// @dev An operation is refused exactly where it has no id, or its actor did it: what others did does not
    /// count.
    function check_operation__of_any_actor_and_id__is_done_once(
        address first,
        bytes32 one,
        address second,
        bytes32 other,
        bytes32 line
    ) public {
        (bool done,) = _write(line, first, one);
        assert(done == (one != 0));
        (bool again,) = _write(line, second, other);
        assert(again == (other != 0 && (second != first || other != one)));
        (bool twice,) = _write(line, second, other);
        assert(!twice);
    }

    /// @dev Two heads after a line are equal only where the line and the head before it are.
    function check_fold__of_two__is_equal_only_for_equal_ones(bytes32 a, bytes32 b, bytes32 c, bytes32 d)
        public
        view
    {
        if (diary.fold(a, b) == diary.fold(c, d)) assert(a == c && b == d);
    }

    /// @dev Any key's text is the bytes before the zeros at its end.
    function check_text__of_any_key__ends_where_it_should(bytes32 key) public pure {
        bytes memory text = bytes(Keys.text(key));
        uint256 length = text.length;
        assert(length <= 32);
        if (length < 32) assert(uint256(key) << (8 * length) == 0);
        if (length > 0) assert(uint256(key) >> (256 - 8 * length) & 0xff != 0);
        assert(length == 0 || bytes32(text) == key);
    }

    /// @dev The rule of keys in other words, for those of up to two characters, and anything after them.
    function check_key__short__is_judged_by_the_rule(bytes1 first, bytes1 second, bytes1 last) public view {
        bytes32 key = bytes32(first) | bytes32(second) >> 8 | bytes32(last) >> 248;
        bool plain = _plain(first) && (second == 0 || _plain(second)) && last == 0;
        (bool passes,) = address(this).staticcall(abi.encodeCall(this.requireWellFormed, (key)));
        assert(passes == plain);
    }

    /// @dev No two roles have the same bytes, whatever their programmes.
    function check_role__of_any_programme__is_its_own(uint16 here, uint16 there) public pure {
        bytes32[6] memory names =
            [Roles.REGISTRAR, Roles.ISSUER, Roles.TREASURER, Roles.COUNCIL, Roles.COUNCILLOR, Roles.GUARDIAN];
        for (uint256 i = 0; i < 6; ++i) {
            bytes32 role = Roles.inProgramme(names[i], here);
            assert(role != 0); // never the default admin's
            for (uint256 j = 0; j < 6; ++j) {
                assert((role == Roles.inProgramme(names[j], there)) == (i == j && here == there));
            }
        }
    }

    function requireWellFormed(bytes32 key) external pure {
        Keys.requireWellFormed(key);
    }

    function _write(bytes32 line, address actor, bytes32 operationId) private returns (bool, bytes memory) {
        return address(diary).call(abi.encodeCall(diary.write, (line, line, actor, operationId)));
    }

    function _start(bytes32 head, uint64 sequence) private {
        vm.store(address(diary), SLOT, head);
        vm.store(address(diary), bytes32(uint256(SLOT) + 1), bytes32(uint256(sequence)));
        assert(diary.head() == head && diary.sequence() == sequence);
    }

    function _plain(bytes1 character) private pure returns (bool) {
        return (character >= "a" && character <= "z") || (character >= "0" && character <= "9");
    }
}
