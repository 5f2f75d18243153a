// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Keys} from "../../contracts/Keys.sol";
import {Cheats} from "./Vm.sol";

contract KeysCaller {
    function check(bytes32 key) external pure {
        Keys.requireWellFormed(key);
    }

    function text(bytes32 key) external pure returns (string memory) {
        return Keys.text(key);
    }

    function textHash(bytes32 key) external pure returns (bytes32) {
        return Keys.textHash(key);
    }
}

contract KeysTest is Cheats {
    bytes private constant ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789.-_";

    KeysCaller private keys = new KeysCaller();

    function test_key__well_formed__passes() public view {
        keys.check("a");
        keys.check("0");
        keys.check("z9");
        keys.check("satellite.manufacture");
        keys.check("a-b_c.d");
        keys.check("a..b");
        keys.check("abcdefghijklmnopqrstuvwxyz01234"); // 31 characters
    }

    function test_key__empty_or_32_characters__is_refused() public {
        _refused("");
        _refused("abcdefghijklmnopqrstuvwxyz012345");
        _refused("abcdefghijklmnopqrstuvwxyz01234.");
    }

    function test_key__first_or_last_is_no_letter_or_digit__is_refused() public {
        bytes3 marks = ".-_";
        for (uint256 i = 0; i < 3; ++i) {
            _refused(bytes32(bytes.concat(marks[i])));
            _refused(bytes32(bytes.concat(marks[i], "a")));
            _refused(bytes32(bytes.concat("a", marks[i])));
            _refused(bytes32(bytes.concat("abcdefghijklmnopqrstuvwxyz0123", marks[i])));
        }
    }

    function test_key__something_after_the_first_zero__is_refused() public {
        _refused(bytes32(bytes("a\x00b")));
        _refused(bytes32("a") | bytes32(uint256(1)));
        _refused(bytes32(uint256(1)));
    }

    function test_key__every_other_byte__is_refused() public {
        for (uint256 i = 0; i < 256; ++i) {
            bytes32 key = bytes32(bytes.concat("a", bytes1(uint8(i)), "a"));
            if (_inAlphabet(bytes1(uint8(i)))) keys.check(key);
            else _refused(key);
        }
    }

    /// @dev Keys of the alphabet with one byte changed: most are refused by a hair, or pass by one.
    function testFuzz_key__any__is_judged_by_the_rule(
        uint256 seed,
        uint256 length,
        uint256 place,
        bytes1 put,
        bool change
    ) public {
        bytes memory key = new bytes(32);
        length = _between(length, 0, 32);
        for (uint256 i = 0; i < length; ++i) {
            key[i] = ALPHABET[uint8(seed >> 8 * i) % ALPHABET.length];
        }
        if (change) key[_between(place, 0, 31)] = put;
        if (_wellFormed(key)) keys.check(bytes32(key));
        else _refused(bytes32(key));
    }

    function testFuzz_key__random__is_judged_by_the_rule(bytes32 key) public {
        if (_wellFormed(abi.encode(key))) keys.check(key);
        else _refused(key);
    }

    /// @dev The rule in other words: split at the first zero byte, look at each part.
    function _wellFormed(bytes memory key) private pure returns (bool) {
        uint256 length = 0;
        while (length < 32 && key[length] != 0) ++length;
        if (length == 0 || length > 31) return false;
        for (uint256 i = 0; i < 32; ++i) {
            if (i < length && !_inAlphabet(key[i])) return false;
            if (i >= length && key[i] != 0) return false;
        }
        return _plain(key[0]) && _plain(key[length - 1]);
    }

    function _inAlphabet(bytes1 character) private pure returns (bool) {
        for (uint256 i = 0; i < ALPHABET.length; ++i) {
            if (ALPHABET[i] == character) return true;
        }
        return false;
    }

    function _plain(bytes1 character) private pure returns (bool) {
        return _inAlphabet(character) && character != "." && character != "-" && character != "_";
    }

    function _refused(bytes32 key) private {
        vm.expectRevert(abi.encodeWithSelector(Keys.KeysMalformed.selector, key));
        keys.check(key);
    }

    // --- text

    function test_text__of_any_length__is_without_the_padding() public view {
        bytes memory characters = "abcdefghijklmnopqrstuvwxyz012345";
        bytes memory expected;
        _assertText("", "");
        for (uint256 length = 1; length <= 32; ++length) {
            expected = bytes.concat(expected, characters[length - 1]);
            _assertText(bytes32(expected), expected);
        }
        _assertText(hex"610062", hex"610062"); // only zero bytes at the end are padding
        _assertText(bytes32(uint256(1)), abi.encode(1));
    }

    function testFuzz_text__any_bytes__is_without_the_zero_bytes_at_the_end(bytes32 key, uint8 length)
        public
        view
    {
        length = uint8(_between(length, 0, 32));
        if (length < 32) {
            key = bytes32(uint256(key) >> (256 - 8 * uint256(length)) << (256 - 8 * uint256(length)));
        }
        uint256 rest = 32;
        while (rest > 0 && key[rest - 1] == 0) --rest;
        bytes memory expected = new bytes(rest);
        for (uint256 i = 0; i < rest; ++i) {
            expected[i] = key[i];
        }
        _assertText(key, expected);
    }

    function _assertText(bytes32 key, bytes memory expected) private view {
        vm.assertEq(bytes(keys.text(key)), expected, "text");
        vm.assertEq(keys.textHash(key), keccak256(expected), "hash of the text");
    }
}
