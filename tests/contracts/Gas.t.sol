// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {Measured} from "./Measured.sol";

/// @title What commands cost, as whole transactions that find every slot cold
/// @notice Those of the credit journal are in GasCredits.t.sol.
contract GasTest is Measured {
    /// @dev EIP-170.
    function test_code__of_each_contract__fits() public view {
        vm.assertLe(address(authority).code.length, 24_576, "Authority");
        vm.assertLe(address(programmes).code.length, 24_576, "Programmes");
        vm.assertLe(address(organisations).code.length, 24_576, "Organisations");
        vm.assertLe(address(memberships).code.length, 24_576, "Memberships");
        vm.assertLe(address(credits).code.length, 24_576, "Credits");
        vm.assertLe(address(benefits).code.length, 24_576, "Benefits");
        vm.assertLe(address(shares).code.length, 24_576, "Shares");
        vm.assertLe(address(councils).code.length, 24_576, "Council");
    }

    // --- usual batches: each figure is for one line of the batch

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

    function _recordChange(string memory name, bytes memory data) private {
        _recordLargest(name, registrar, address(memberships), data);
    }

    function _recordSetting(string memory name, bytes memory data) private {
        _recordLargest(name, council, address(programmes), data);
    }
}
