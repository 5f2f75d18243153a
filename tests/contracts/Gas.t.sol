// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {Entries} from "./Entries.sol";

/// @title What commands cost, as whole transactions that find every slot cold
/// @notice Figures are compared with snapshots/gas.json; FORGE_SNAPSHOT_EMIT=true and
/// FORGE_SNAPSHOT_CHECK=false write them anew.
contract GasTest is Entries {
    /// @dev EIP-7825: the most gas that one transaction may have.
    uint256 private constant MOST_GAS = 16_777_216;

    bytes32 private constant LONG_KEY = "abcdefghijklmnopqrstuvwxyz.0123";

    /// @dev The first of the organisations made for these tests. None of its id's bytes is zero.
    uint32 private constant BASE = 0x01010100;

    function setUp() public override {
        super.setUp();
        vm.store(address(organisations), COUNT_SLOT, bytes32(uint256(BASE - 1)));
        _cap(2 ** 53 - 1);
        _budget(2 ** 52, 2 ** 53 - 1);
    }

    /// @dev EIP-170.
    function test_code__of_each_contract__fits() public view {
        vm.assertLe(address(authority).code.length, 24_576, "Authority");
        vm.assertLe(address(programmes).code.length, 24_576, "Programmes");
        vm.assertLe(address(organisations).code.length, 24_576, "Organisations");
        vm.assertLe(address(memberships).code.length, 24_576, "Memberships");
        vm.assertLe(address(credits).code.length, 24_576, "Credits");
    }

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

    function test_admission__100_at_once__costs_less_than_minting_a_token() public {
        _registerAll(100);
        bytes memory data = abi.encodeCall(memberships.admit, (FIRST, _admissionsOf(100, 1), REASON, _operation()));
        uint256 gas = _measure(registrar, address(memberships), data);
        vm.snapshotValue("gas", "admission, one of 100", gas / 100);
        vm.assertLe(gas / 100, 70_000, "gas of an admission");
    }

    function test_registration__100_at_once__costs_four_slots_each() public {
        bytes memory data = abi.encodeCall(organisations.register, (_registrations(100), _operation()));
        uint256 gas = _measure(registrar, address(organisations), data);
        vm.snapshotValue("gas", "registration, one of 100", gas / 100);
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

    function test_largest__admissions__fit_a_transaction() public {
        uint32 most = uint32(memberships.MAX_CHANGES());
        _registerAll(most);
        _addTiers();
        IMemberships.Admission[] memory admissions = _admissionsOf(most, 1);
        for (uint32 i = 0; i < most; ++i) {
            admissions[i].tier = uint8(i % 200 + 1);
        }
        _recordChange("admissions", abi.encodeCall(memberships.admit, (FIRST, admissions, LONG_KEY, _operation())));
        // Admitted, they are changed in every other way.
        IMemberships.Renewal[] memory renewals = new IMemberships.Renewal[](most);
        IMemberships.TierChange[] memory changes = new IMemberships.TierChange[](most);
        uint32[] memory orgIds = new uint32[](most);
        for (uint32 i = 0; i < most; ++i) {
            orgIds[i] = BASE + i;
            renewals[i] = IMemberships.Renewal(BASE + i, EXPIRY + 1);
            changes[i] = IMemberships.TierChange(BASE + i, uint8((i + 1) % 200 + 1));
        }
        _recordChange(
            "renewals", abi.encodeCall(memberships.renew, (FIRST, renewals, LONG_KEY, EVIDENCE, _operation()))
        );
        _recordChange(
            "changes of tier",
            abi.encodeCall(memberships.changeTier, (FIRST, changes, LONG_KEY, EVIDENCE, _operation()))
        );
        _recordChange(
            "suspensions", abi.encodeCall(memberships.suspend, (FIRST, orgIds, LONG_KEY, EVIDENCE, _operation()))
        );
        _recordChange(
            "resumptions", abi.encodeCall(memberships.resume, (FIRST, orgIds, LONG_KEY, EVIDENCE, _operation()))
        );
        _recordChange(
            "revocations", abi.encodeCall(memberships.revoke, (FIRST, orgIds, LONG_KEY, EVIDENCE, _operation()))
        );
        _recordChange(
            "declined applications",
            abi.encodeCall(memberships.decline, (FIRST, orgIds, LONG_KEY, EVIDENCE, _operation()))
        );
    }

    function test_largest__registrations__fit_a_transaction() public {
        bytes memory data = abi.encodeCall(
            organisations.register, (_registrations(organisations.MAX_REGISTRATIONS()), _operation())
        );
        _recordLargest("registrations", registrar, address(organisations), data);
    }

    function test_largest__settings__fit_a_transaction() public {
        uint256 most = programmes.MAX_CHANGES();
        _recordSetting("tiers", abi.encodeCall(programmes.addTiers, (FIRST, _keys(0, most), _operation())));
        _recordSetting(
            "categories opened", abi.encodeCall(programmes.openCategories, (FIRST, _keys(0, most), _operation()))
        );
        _recordSetting(
            "categories closed", abi.encodeCall(programmes.closeCategories, (FIRST, _keys(0, most), _operation()))
        );
        uint40[] memory times = new uint40[](most);
        for (uint40 i = 0; i < most; ++i) {
            times[i] = EPOCH_END + 61 days + i;
        }
        _recordSetting("boundaries", abi.encodeCall(programmes.appendBoundaries, (FIRST, times, _operation())));
    }

    // --- measuring

    function _recordEach(string memory name, bytes memory data, uint256 count, uint256 most) private {
        uint256 gas = _measure(issuer, address(credits), data);
        vm.snapshotValue("gas", name, gas / count);
        vm.assertLe(gas / count, most, name);
    }

    function _record(string memory name, address sender, address target, bytes memory data) private {
        vm.snapshotValue("gas", name, _measure(sender, target, data));
    }

    function _recordChange(string memory name, bytes memory data) private {
        _recordLargest(name, registrar, address(memberships), data);
    }

    function _recordSetting(string memory name, bytes memory data) private {
        _recordLargest(name, council, address(programmes), data);
    }

    function _recordLargest(string memory name, address sender, address target, bytes memory data) private {
        uint256 gas = _measure(sender, target, data);
        vm.snapshotValue("gas", string.concat("largest batch: ", name), gas);
        vm.assertLe(gas, MOST_GAS, name);
    }

    /// @dev The gas of a transaction that makes this call: with no more than a transaction may have,
    /// on cold accounts and slots, its data included (EIP-2028, and the floor of EIP-7623).
    function _measure(address sender, address target, bytes memory data) private returns (uint256) {
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

    function _intrinsic(bytes memory data) private pure returns (uint256 gas, uint256 least) {
        uint256 others = 0;
        for (uint256 i = 0; i < data.length; ++i) {
            if (data[i] != 0) ++others;
        }
        uint256 tokens = data.length + 3 * others;
        return (21_000 + 4 * tokens, 21_000 + 10 * tokens);
    }

    // --- what is measured

    /// @dev Awards to organisations `step` apart, in two runs of one category each.
    function _awardCall(uint32 count, uint32 step) private returns (bytes memory) {
        ICredits.Award[] memory awards = new ICredits.Award[](count);
        for (uint32 i = 0; i < count; ++i) {
            bytes32 category = 2 * i < count ? DATA : BUILD;
            awards[i] = ICredits.Award(BASE + step * i, 1000 + i, category, keccak256(abi.encode(i)));
        }
        return abi.encodeCall(credits.award, (FIRST, awards, _operation()));
    }

    function _worstAwards(uint32 count, uint32 step) private pure returns (ICredits.Award[] memory awards) {
        awards = new ICredits.Award[](count);
        bytes32[] memory keys = _keys(0, count);
        for (uint32 i = 0; i < count; ++i) {
            // Six bytes, none of them zero: seven would not fit the largest cap.
            awards[i] =
                ICredits.Award(BASE + step * i, 0x010101010101, keys[i], keccak256(abi.encode(i)) | _ones());
        }
    }

    function _registerAll(uint256 count) private {
        for (uint256 done = 0; done < count; done += 100) {
            bytes memory data = abi.encodeCall(organisations.register, (_registrations(100), _operation()));
            _send(address(organisations), registrar, data, "");
        }
    }

    /// @dev Registers and admits organisations, from BASE on.
    function _populate(uint32 count) private {
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

    function _registrations(uint256 count) private view returns (IOrganisations.Registration[] memory given) {
        given = new IOrganisations.Registration[](count);
        uint256 known = organisations.organisationCount();
        for (uint256 i = 0; i < count; ++i) {
            bytes32 hash = keccak256(abi.encode(known + i)) | _ones();
            given[i] = IOrganisations.Registration(address(uint160(uint256(hash))), _keys(i, 1)[0], hash);
        }
    }

    function _admissionsOf(uint32 count, uint8 tier)
        private
        pure
        returns (IMemberships.Admission[] memory admissions)
    {
        admissions = new IMemberships.Admission[](count);
        for (uint32 i = 0; i < count; ++i) {
            admissions[i] = IMemberships.Admission(BASE + i, tier, EXPIRY, keccak256(abi.encode(i)) | _ones());
        }
    }

    function _addTiers() private {
        bytes memory data = abi.encodeCall(programmes.addTiers, (FIRST, _keys(0, 198), _operation()));
        _send(address(programmes), council, data, "");
    }

    function _openCategories(uint256 count) private {
        for (uint256 done = 0; done < count; done += 150) {
            uint256 some = count - done < 150 ? count - done : 150;
            bytes memory data = abi.encodeCall(programmes.openCategories, (FIRST, _keys(done, some), _operation()));
            _send(address(programmes), council, data, "");
        }
    }

    function _lengthenCalendar() private {
        uint40[] memory times = new uint40[](200);
        for (uint40 i = 0; i < 200; ++i) {
            times[i] = EPOCH_END + 61 days + i;
        }
        bytes memory data = abi.encodeCall(programmes.appendBoundaries, (FIRST, times, _operation()));
        _send(address(programmes), council, data, "");
    }

    /// @dev Keys of 31 characters.
    function _keys(uint256 first, uint256 count) private pure returns (bytes32[] memory keys) {
        keys = new bytes32[](count);
        for (uint256 i = 0; i < count; ++i) {
            uint256 n = 1000 + first + i;
            keys[i] = bytes32(abi.encodePacked("abcdefghijklmnopqrstuvwxyz.", vm.toString(n)));
        }
    }

    /// @dev A bit in each byte, so that none is zero.
    function _ones() private pure returns (bytes32) {
        return bytes32(type(uint256).max / 255);
    }

    function _cap(uint64 supplyCap) private {
        bytes memory data = abi.encodeCall(programmes.changeSupplyCap, (FIRST, supplyCap, _operation()));
        _send(address(programmes), council, data, "");
    }

    function _budget(uint64 perAward, uint64 perEpoch) private {
        bytes memory data = abi.encodeCall(programmes.setBudget, (FIRST, issuer, perAward, perEpoch, _operation()));
        _send(address(programmes), council, data, "");
    }
}
