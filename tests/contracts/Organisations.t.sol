// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {Keys} from "../../contracts/Keys.sol";
import {Commands} from "./Commands.sol";

contract OrganisationsTest is Commands {
    bytes32 private constant OPERATION = keccak256("this operation");
    bytes32 private constant KIND = "association";
    bytes32 private constant PROFILE = keccak256("profile");
    address private immutable newcomer = _account("newcomer");

    // --- register

    function test_register__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(organisations), _writeRegister, REGISTRAR_ROLE, 0, 0));
    }

    function test_register__several__gives_consecutive_ids() public {
        IOrganisations.Registration[] memory given = new IOrganisations.Registration[](3);
        bytes[] memory lines = new bytes[](3);
        _watch(address(organisations));
        for (uint32 i = 0; i < 3; ++i) {
            given[i] = IOrganisations.Registration(_controller(70 + i), KIND, keccak256(abi.encode(i)));
            lines[i] = abi.encode(
                IOrganisations.OrganisationRegistered.selector,
                _number(i + 1),
                7 + i,
                _controller(70 + i),
                KIND,
                keccak256(abi.encode(i)),
                registrar,
                OPERATION
            );
        }
        vm.prank(registrar);
        uint32 first = organisations.register(given, OPERATION);
        vm.assertEq(_assertLines(lines).length, 0, "echoes");
        vm.assertEq(first, 7, "first id");
        vm.assertEq(organisations.organisationCount(), 9, "count");
        for (uint32 i = 0; i < 3; ++i) {
            vm.assertEq(organisations.controllerOf(7 + i), _controller(70 + i), "controller");
            vm.assertEq(organisations.organisationOf(_controller(70 + i)), 7 + i, "organisation of the account");
            IOrganisations.Registration memory kept = organisations.organisation(7 + i);
            vm.assertEq(kept.controller, _controller(70 + i), "controller kept");
            vm.assertEq(kept.kind, KIND, "kind kept");
            vm.assertEq(kept.profile, keccak256(abi.encode(i)), "profile kept");
        }
    }

    function test_register__none_or_too_many__is_refused() public {
        uint256 most = organisations.MAX_REGISTRATIONS();
        _refused(new IOrganisations.Registration[](0), _batchSize(0));
        _refused(_several(most + 1), _batchSize(most + 1));
        vm.prank(registrar);
        organisations.register(_several(most), OPERATION);
        vm.assertEq(organisations.organisationCount(), 6 + most, "count");
    }

    function test_register__without_a_controller__is_refused() public {
        _refused(
            _registration(address(0), KIND),
            abi.encodePacked(IOrganisations.OrganisationsControllerMissing.selector)
        );
    }

    function test_register__controller_in_use__names_its_organisation() public {
        _refused(_registration(_controller(4), KIND), _inUse(_controller(4), 4));
        // In one batch too.
        IOrganisations.Registration[] memory twice = _several(2);
        twice[1].controller = twice[0].controller;
        _refused(twice, _inUse(twice[0].controller, 7));
    }

    function test_register__malformed_kind__is_refused() public {
        bytes32[2] memory kinds = [bytes32(0), "Company"];
        for (uint256 i = 0; i < 2; ++i) {
            _refused(
                _registration(newcomer, kinds[i]), abi.encodeWithSelector(Keys.KeysMalformed.selector, kinds[i])
            );
        }
    }

    function test_register__one_of_many_refused__registers_none() public {
        IOrganisations.Registration[] memory given = _several(3);
        given[2].kind = "Company";
        _refused(given, abi.encodeWithSelector(Keys.KeysMalformed.selector, bytes32("Company")));
        vm.assertEq(organisations.organisationCount(), 6, "count");
        vm.assertEq(organisations.organisationOf(given[0].controller), 0, "first of the batch");
        vm.assertEq(organisations.operationSequence(registrar, OPERATION), 0, "operation");
    }

    function test_register__ids_at_an_end__is_refused() public {
        vm.store(address(organisations), COUNT_SLOT, bytes32(uint256(type(uint32).max - 2)));
        vm.assertEq(organisations.organisationCount(), type(uint32).max - 2, "count");
        _refused(_several(3), abi.encodePacked(IOrganisations.OrganisationsFull.selector));
        vm.prank(registrar);
        vm.assertEq(organisations.register(_several(2), OPERATION), type(uint32).max - 1, "the last two ids");
        vm.prank(registrar);
        vm.expectRevert(abi.encodePacked(IOrganisations.OrganisationsFull.selector));
        organisations.register(_registration(newcomer, KIND), "another operation");
    }

    // --- changeProfile

    function test_changeProfile__by_its_controller__is_journaled() public {
        _watch(address(organisations));
        vm.prank(_controller(3));
        organisations.changeProfile(3, PROFILE, OPERATION);
        bytes memory line = abi.encode(
            IOrganisations.OrganisationProfileChanged.selector, _number(1), 3, PROFILE, _controller(3), OPERATION
        );
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        vm.assertEq(organisations.organisation(3).profile, PROFILE, "profile");
        vm.assertEq(organisations.organisation(3).kind, "company", "kind, as before");
        vm.assertEq(organisations.controllerOf(3), _controller(3), "controller, as before");
        vm.expectRevert(
            abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, organisations.sequence())
        );
        vm.prank(_controller(3));
        organisations.changeProfile(3, PROFILE, OPERATION);
    }

    function test_changeProfile__by_an_alliance_wide_registrar__is_journaled() public {
        _watch(address(organisations));
        vm.prank(registrar);
        organisations.changeProfile(3, PROFILE, OPERATION);
        _assertLine(
            abi.encode(
                IOrganisations.OrganisationProfileChanged.selector, _number(1), 3, PROFILE, registrar, OPERATION
            )
        );
    }

    function test_changeProfile__by_any_other__is_refused() public {
        _appoint(REGISTRAR_ROLE, FIRST, stranger); // a registrar of one programme only
        address[4] memory others = [stranger, _controller(2), council, admin];
        for (uint256 i = 0; i < 4; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IOrganisations.OrganisationsNotEntitled.selector, others[i], 3));
            vm.prank(others[i]);
            organisations.changeProfile(3, PROFILE, OPERATION);
        }
    }

    function test_changeProfile__unknown_organisation__is_refused() public {
        uint32[2] memory unknown = [uint32(0), 7];
        for (uint256 i = 0; i < 2; ++i) {
            vm.expectRevert(_unknown(unknown[i]));
            vm.prank(registrar);
            organisations.changeProfile(unknown[i], PROFILE, OPERATION);
        }
    }

    function test_changeProfile__without_an_operation_or_paused__is_refused() public {
        vm.expectRevert(abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
        vm.prank(_controller(3));
        organisations.changeProfile(3, PROFILE, 0);
        _pause();
        vm.expectRevert(abi.encodePacked(IAuthority.AuthorityPaused.selector));
        vm.prank(_controller(3));
        organisations.changeProfile(3, PROFILE, OPERATION);
    }

    // --- views

    function test_views__unknown_organisation_or_account__say_so() public {
        vm.assertEq(organisations.organisationOf(stranger), 0, "account of none");
        vm.assertEq(organisations.organisationOf(address(0)), 0, "zero address");
        uint32[3] memory unknown = [uint32(0), 7, type(uint32).max];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(_unknown(unknown[i]));
            organisations.controllerOf(unknown[i]);
            vm.expectRevert(_unknown(unknown[i]));
            organisations.organisation(unknown[i]);
        }
        vm.assertEq(address(organisations.authority()), address(authority), "authority");
    }

    function _writeRegister(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(organisations.register, (_registration(newcomer, KIND), operationId));
    }

    function _refused(IOrganisations.Registration[] memory given, bytes memory failure) private {
        vm.expectRevert(failure);
        vm.prank(registrar);
        organisations.register(given, OPERATION);
    }

    function _registration(address controller, bytes32 kind)
        private
        pure
        returns (IOrganisations.Registration[] memory given)
    {
        given = new IOrganisations.Registration[](1);
        given[0] = IOrganisations.Registration(controller, kind, PROFILE);
    }

    function _several(uint256 count) private pure returns (IOrganisations.Registration[] memory given) {
        given = new IOrganisations.Registration[](count);
        for (uint32 i = 0; i < count; ++i) {
            given[i] = IOrganisations.Registration(_controller(1000 + i), KIND, PROFILE);
        }
    }

    function _batchSize(uint256 given) private view returns (bytes memory) {
        return abi.encodeWithSelector(
            IOrganisations.OrganisationsBatchSize.selector, given, organisations.MAX_REGISTRATIONS()
        );
    }

    function _inUse(address controller, uint32 orgId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrganisations.OrganisationsControllerInUse.selector, controller, orgId);
    }

    function _unknown(uint32 orgId) private pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrganisations.OrganisationsUnknown.selector, orgId);
    }
}
