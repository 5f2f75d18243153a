// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {Entries} from "./Entries.sol";

/// @title Measures commands as whole transactions that find every slot cold
/// @notice Figures are compared with snapshots/gas.json; FORGE_SNAPSHOT_EMIT=true and
/// FORGE_SNAPSHOT_CHECK=false write them anew.
abstract contract Measured is Entries {
    /// @dev EIP-7825: the most gas that one transaction may have.
    uint256 internal constant MOST_GAS = 16_777_216;

    bytes32 internal constant LONG_KEY = "abcdefghijklmnopqrstuvwxyz.0123";

    /// @dev The first of the organisations made for these tests. None of its id's bytes is zero.
    uint32 internal constant BASE = 0x01010100;

    function setUp() public virtual override {
        super.setUp();
        vm.store(address(organisations), COUNT_SLOT, bytes32(uint256(BASE - 1)));
        _cap(2 ** 53 - 1);
        _budget(2 ** 52, 2 ** 53 - 1);
    }

    // --- measuring

    function _recordEach(string memory name, bytes memory data, uint256 count, uint256 most) internal {
        uint256 gas = _measure(issuer, address(credits), data);
        vm.snapshotValue("gas", name, gas / count);
        vm.assertLe(gas / count, most, name);
    }

    function _record(string memory name, address sender, address target, bytes memory data) internal {
        vm.snapshotValue("gas", name, _measure(sender, target, data));
    }

    function _recordLargest(string memory name, address sender, address target, bytes memory data) internal {
        uint256 gas = _measure(sender, target, data);
        vm.snapshotValue("gas", string.concat("largest batch: ", name), gas);
        vm.assertLe(gas, MOST_GAS, name);
    }

    /// @dev The gas of a transaction that makes this call: with no more than a transaction may have,
    /// on cold accounts and slots, its data included (EIP-2028, and the floor of EIP-7623).
    function _measure(address sender, address target, bytes memory data) internal returns (uint256) {
        (uint256 intrinsic, uint256 least) = _intrinsic(data);
        vm.cool(address(authority));
        vm.cool(address(programmes));
        vm.cool(address(organisations));
        vm.cool(address(memberships));
        vm.cool(address(credits));
        vm.cool(address(benefits));
        vm.prank(sender);
        (bool done,) = target.call{gas: MOST_GAS - intrinsic}(data);
        uint256 gas = intrinsic + vm.lastCallGas().gasTotalUsed;
        vm.assertTrue(done, "call");
        return gas < least ? least : gas;
    }

    function _intrinsic(bytes memory data) internal pure returns (uint256 gas, uint256 least) {
        uint256 others = 0;
        for (uint256 i = 0; i < data.length; ++i) {
            if (data[i] != 0) ++others;
        }
        uint256 tokens = data.length + 3 * others;
        return (21_000 + 4 * tokens, 21_000 + 10 * tokens);
    }

    // --- what is measured

    function _awardCall(uint32 count, uint32 step) internal returns (bytes memory) {
        return abi.encodeCall(credits.award, (FIRST, _someAwards(count, step), _operation()));
    }

    /// @dev Awards to organisations `step` apart, in two runs of one category each.
    function _someAwards(uint32 count, uint32 step) internal pure returns (ICredits.Award[] memory awards) {
        awards = new ICredits.Award[](count);
        for (uint32 i = 0; i < count; ++i) {
            bytes32 category = 2 * i < count ? DATA : BUILD;
            awards[i] = ICredits.Award(BASE + step * i, 1000 + i, category, keccak256(abi.encode(i)));
        }
    }

    function _worstAwards(uint32 count, uint32 step) internal pure returns (ICredits.Award[] memory awards) {
        awards = new ICredits.Award[](count);
        bytes32[] memory keys = _keys(0, count);
        for (uint32 i = 0; i < count; ++i) {
            // Six bytes, none of them zero: seven would not fit the largest cap.
            awards[i] =
                ICredits.Award(BASE + step * i, 0x010101010101, keys[i], keccak256(abi.encode(i)) | _ones());
        }
    }

    function _registerAll(uint256 count) internal {
        for (uint256 done = 0; done < count; done += 100) {
            bytes memory data = abi.encodeCall(organisations.register, (_registrations(100), _operation()));
            _send(address(organisations), registrar, data, "");
        }
    }

    /// @dev Registers and admits organisations, from BASE on.
    function _populate(uint32 count) internal {
        count = (count + 99) / 100 * 100;
        _registerAll(count);
        IMemberships.Admission[] memory all = _admissionsOf(count, 1);
        IMemberships.Admission[] memory some = new IMemberships.Admission[](100);
        for (uint256 done = 0; done < count; done += 100) {
            for (uint256 i = 0; i < 100; ++i) {
                some[i] = all[done + i];
            }
            bytes memory data = abi.encodeCall(memberships.admit, (FIRST, some, REASON, _operation()));
            _send(address(memberships), registrar, data, "");
        }
    }

    function _registrations(uint256 count) internal view returns (IOrganisations.Registration[] memory given) {
        given = new IOrganisations.Registration[](count);
        uint256 known = organisations.organisationCount();
        for (uint256 i = 0; i < count; ++i) {
            bytes32 hash = keccak256(abi.encode(known + i)) | _ones();
            given[i] = IOrganisations.Registration(address(uint160(uint256(hash))), _keys(i, 1)[0], hash);
        }
    }

    function _admissionsOf(uint32 count, uint8 tier)
        internal
        pure
        returns (IMemberships.Admission[] memory admissions)
    {
        admissions = new IMemberships.Admission[](count);
        for (uint32 i = 0; i < count; ++i) {
            admissions[i] = IMemberships.Admission(BASE + i, tier, EXPIRY, keccak256(abi.encode(i)) | _ones());
        }
    }

    function _addTiers() internal {
        bytes memory data = abi.encodeCall(programmes.addTiers, (FIRST, _keys(0, 198), _operation()));
        _send(address(programmes), council, data, "");
    }

    function _openCategories(uint256 count) internal {
        for (uint256 done = 0; done < count; done += 150) {
            uint256 some = count - done < 150 ? count - done : 150;
            bytes memory data = abi.encodeCall(programmes.openCategories, (FIRST, _keys(done, some), _operation()));
            _send(address(programmes), council, data, "");
        }
    }

    function _lengthenCalendar() internal {
        uint40[] memory times = new uint40[](200);
        for (uint40 i = 0; i < 200; ++i) {
            times[i] = EPOCH_END + 61 days + i;
        }
        bytes memory data = abi.encodeCall(programmes.appendBoundaries, (FIRST, times, _operation()));
        _send(address(programmes), council, data, "");
    }

    /// @dev Keys of 31 characters.
    function _keys(uint256 first, uint256 count) internal pure returns (bytes32[] memory keys) {
        keys = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 n = 1000 + first + i;
            keys[i] = bytes32(abi.encodePacked("abcdefghijklmnopqrstuvwxyz.", vm.toString(n)));
        }
    }

    /// @dev A bit in each byte, so that none is zero.
    function _ones() internal pure returns (bytes32) {
        return bytes32(type(uint256).max / 255);
    }

    function _cap(uint64 supplyCap) internal {
        bytes memory data = abi.encodeCall(programmes.changeSupplyCap, (FIRST, supplyCap, _operation()));
        _send(address(programmes), council, data, "");
    }

    function _budget(uint64 perAward, uint64 perEpoch) internal {
        bytes memory data = abi.encodeCall(programmes.setBudget, (FIRST, issuer, perAward, perEpoch, _operation()));
        _send(address(programmes), council, data, "");
    }
}
