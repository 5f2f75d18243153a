// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {Measured} from "./Measured.sol";

/// @title What it costs to hand an organisation over, and to admit those that agreed
contract GasOrganisationsTest is Measured {
    string private constant MEMBERSHIPS = "Moonlake Memberships";

    function test_rotation__of_a_member_of_two_programmes__costs_a_few_slots() public {
        address successor = _account("successor");
        bytes memory data = abi.encodeCall(organisations.nominate, (1, successor, _operation()));
        _record("rotation: nomination", _controller(1), address(organisations), data);
        data = abi.encodeCall(organisations.acceptControl, (1, _operation()));
        _record("rotation: acceptance", successor, address(organisations), data);
        data = abi.encodeCall(organisations.beginRecovery, (1, stranger, EVIDENCE, _operation()));
        _record("recovery: begin", council, address(organisations), data);
        vm.warp(NOW + RECOVERY_DELAY);
        data = abi.encodeCall(organisations.finishRecovery, (1, _operation()));
        _record("recovery: finish", council, address(organisations), data);
        data = abi.encodeCall(organisations.retire, (5, 6, EVIDENCE, _operation()));
        _record("retirement", council, address(organisations), data);
    }

    /// @dev Nothing may grow so that an organisation cannot change hands.
    function test_largest__move__of_a_member_of_all_programmes__fits_a_transaction() public {
        uint16 most = uint16(programmes.MAX_PROGRAMMES());
        for (uint16 programmeId = SECOND + 1; programmeId <= most; ++programmeId) {
            bytes memory given = abi.encodeCall(
                programmes.createProgramme,
                (bytes32(bytes(vm.toString(programmeId))), EVIDENCE, CAP, 1, _operation())
            );
            _send(address(programmes), council, given, "");
            bytes memory tiers = abi.encodeCall(programmes.addTiers, (programmeId, _keys(0, 1), _operation()));
            _send(address(programmes), council, tiers, "");
            _admit(programmeId, 1);
        }
        vm.assertEq(memberships.balanceOf(_controller(1)), most, "memberships");
        address successor = _account("successor");
        _send(
            address(organisations),
            _controller(1),
            abi.encodeCall(organisations.nominate, (1, successor, _operation())),
            ""
        );
        bytes memory data = abi.encodeCall(organisations.acceptControl, (1, _operation()));
        _recordLargest("tokens moved", successor, address(organisations), data);
        vm.assertEq(memberships.balanceOf(successor), most, "memberships of the new controller");
    }

    function test_largest__admissions_by_consent__leave_half_to_wallets() public {
        uint32 most = uint32(memberships.MAX_CONSENTS());
        IOrganisations.Registration[] memory given = new IOrganisations.Registration[](most);
        for (uint32 i = 0; i < most; ++i) {
            given[i] = IOrganisations.Registration(_controller(BASE + i), "company", EVIDENCE);
        }
        _send(address(organisations), registrar, abi.encodeCall(organisations.register, (given, _operation())), "");
        _addTiers();
        IMemberships.Admission[] memory admissions = _admissionsOf(most, 1);
        IMemberships.Consent[] memory consents = new IMemberships.Consent[](most);
        for (uint32 i = 0; i < most; ++i) {
            admissions[i].tier = uint8(i + 1);
            consents[i] = _consent(admissions[i], keccak256(abi.encode("application", i)) | _ones());
        }
        bytes memory data =
            abi.encodeCall(memberships.admitByConsent, (FIRST, admissions, consents, LONG_KEY, _operation()));
        _recordLargest("admissions by consent", registrar, address(memberships), data);
    }

    function _consent(IMemberships.Admission memory admission, bytes32 applicationId)
        private
        view
        returns (IMemberships.Consent memory)
    {
        uint256 deadline = NOW + 1 days;
        bytes32 kind = keccak256(
            "Application(uint16 programmeId,uint32 orgId,uint8 tier,bytes32 evidence,address account,bytes32 applicationId,uint256 deadline)"
        );
        uint256 key = _key(admission.orgId);
        address account = vm.addr(key);
        bytes32 message = keccak256(
            abi.encode(
                kind, FIRST, admission.orgId, admission.tier, admission.evidence, account, applicationId, deadline
            )
        );
        return
            IMemberships.Consent(applicationId, _signed(key, address(memberships), MEMBERSHIPS, message, deadline));
    }
}
