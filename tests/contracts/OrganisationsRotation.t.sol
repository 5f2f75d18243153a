// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {ISignedMessages} from "../../contracts/interfaces/ISignedMessages.sol";
import {Controllers} from "./Controllers.sol";
import {Vm} from "./Vm.sol";

/// @title A controller names a successor, who accepts
contract OrganisationsRotationTest is Controllers {
    // --- nominate

    function test_nominate__by_the_controller__is_journaled_and_moves_nothing() public {
        _watch(address(organisations));
        vm.prank(_controller(3));
        organisations.nominate(3, successor, OPERATION);
        bytes32 selector = IOrganisations.ControllerNominated.selector;
        bytes memory line = abi.encode(selector, _number(1), 3, successor, _controller(3), OPERATION);
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        vm.assertEq(organisations.nominatedBy(3), successor, "nominated");
        vm.assertEq(organisations.nominatedBy(2), address(0), "by another organisation");
        vm.assertEq(organisations.organisationOf(successor), 0, "acts for none yet");
        _assertControl(3, _controller(3));
    }

    function test_nominate__again_or_none__takes_the_place_of_the_first() public {
        _nominates(3, successor, "");
        _nominates(3, stranger, "");
        vm.assertEq(organisations.nominatedBy(3), stranger, "the second");
        _accepts(successor, 3, _notNominated(successor, 3));
        _nominates(3, address(0), "");
        vm.assertEq(organisations.nominatedBy(3), address(0), "withdrawn");
        _accepts(stranger, 3, _notNominated(stranger, 3));
        _assertControl(3, _controller(3));
    }

    function test_nominate__by_any_other__is_refused() public {
        _nominates(3, successor, "");
        address[6] memory others = [stranger, successor, _controller(2), registrar, council, admin];
        for (uint256 i = 0; i < others.length; ++i) {
            _nominatesAs(others[i], 3, others[i], _notController(others[i], 3));
        }
        vm.assertEq(organisations.nominatedBy(3), successor, "nominated, as before");
    }

    function test_nominate__an_account_in_use__names_its_organisation() public {
        _nominates(3, _controller(4), _inUse(_controller(4), 4));
        _nominates(3, _controller(3), _inUse(_controller(3), 3));
    }

    function test_nominate__unknown_organisation__is_refused() public {
        _nominatesAs(stranger, 0, successor, _unknown(0));
        _nominatesAs(stranger, 7, successor, _unknown(7));
    }

    function test_nominate__once_and_not_while_paused__is_done() public {
        address controller = _controller(3);
        bytes memory data = abi.encodeCall(organisations.nominate, (3, successor, OPERATION));
        bytes memory nameless = abi.encodeCall(organisations.nominate, (3, successor, 0));
        _sends(controller, nameless, abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
        _pause();
        _sends(controller, data, abi.encodePacked(IAuthority.AuthorityPaused.selector));
        _resume();
        _sends(controller, data, "");
        _sends(controller, data, _done(address(organisations), controller, OPERATION));
        _accepts(successor, 3, "");
        _sends(controller, data, _done(address(organisations), controller, OPERATION)); // though it is no controller now
    }

    // --- acceptControl

    function test_acceptControl__by_the_nominated__moves_the_organisation() public {
        _nominates(1, successor, "");
        _watch(address(organisations));
        vm.prank(successor);
        organisations.acceptControl(1, OPERATION);
        bytes memory line = _changed(_number(1), 1, successor, _controller(1), false, successor);
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        _assertControl(1, successor);
        _assertSettled(1);
        vm.assertEq(organisations.organisationOf(_controller(1)), 0, "who acted before acts for none");
        vm.assertEq(organisations.organisation(1).kind, "company", "kind, as before");
        vm.assertEq(organisations.organisationCount(), 6, "count, as before");
    }

    function test_acceptControl__tokens__are_the_new_controllers_and_say_so() public {
        bytes32 head = memberships.head();
        bytes32 creditsHead = credits.head();
        _nominates(1, successor, "");
        vm.recordLogs();
        _accepts(successor, 1, "");
        (Vm.Log[] memory journal, Vm.Log[] memory echoes) = _journalOf(address(memberships), vm.getRecordedLogs());
        vm.assertEq(journal.length, 0, "lines of Memberships");
        vm.assertEq(echoes.length, 2, "one token of each programme");
        for (uint256 i = 0; i < 2; ++i) {
            uint256 tokenId = ((i + 1) << 32) | 1;
            bytes32 selector = IERC721.Transfer.selector;
            _assertEcho(echoes[i], abi.encode(selector, _controller(1), successor, tokenId), "");
            vm.assertEq(memberships.ownerOf(tokenId), successor, "owner");
        }
        vm.assertEq(memberships.balanceOf(successor), 2, "tokens of the new controller");
        vm.assertEq(memberships.balanceOf(_controller(1)), 0, "tokens of the one before");
        vm.assertEq(memberships.membershipsOf(1), 2, "memberships");
        vm.assertEq(memberships.head(), head, "history of Memberships");
        vm.assertEq(credits.head(), creditsHead, "history of Credits");
    }

    function test_acceptControl__suspended_revoked_or_never_admitted__moves_what_there_is() public {
        vm.prank(registrar);
        memberships.suspend(FIRST, _one(uint32(2)), REASON, EVIDENCE, "suspension");
        vm.prank(registrar);
        memberships.revoke(SECOND, _one(uint32(2)), REASON, EVIDENCE, "revocation");
        _nominates(2, successor, "");
        vm.recordLogs();
        _accepts(successor, 2, "");
        (, Vm.Log[] memory echoes) = _journalOf(address(memberships), vm.getRecordedLogs());
        vm.assertEq(echoes.length, 1, "the suspended one only");
        vm.assertEq(memberships.ownerOf((1 << 32) | 2), successor, "owner");
        _nominates(5, stranger, "");
        vm.recordLogs();
        _accepts(stranger, 5, "");
        (, echoes) = _journalOf(address(memberships), vm.getRecordedLogs());
        vm.assertEq(echoes.length, 0, "tokens of no member");
    }

    function test_acceptControl__by_any_other__is_refused() public {
        _nominates(3, successor, "");
        address[5] memory others = [stranger, _controller(3), _controller(2), council, address(0)];
        for (uint256 i = 0; i < others.length; ++i) {
            _accepts(others[i], 3, _notNominated(others[i], 3));
        }
        _accepts(successor, 2, _notNominated(successor, 2)); // nominated by another organisation
        _accepts(address(0), 2, _missing()); // nobody is nominated there
        _assertControl(3, _controller(3));
    }

    function test_acceptControl__account_in_use_by_then__is_refused() public {
        _nominates(3, successor, "");
        _nominates(4, successor, "");
        _accepts(successor, 4, "");
        _accepts(successor, 3, _inUse(successor, 4));
        _nominates(3, stranger, "");
        _registers(stranger, "");
        _accepts(stranger, 3, _inUse(stranger, 7));
        _assertControl(3, _controller(3));
        _assertControl(4, successor);
    }

    function test_acceptControl__once_and_not_while_paused__is_done() public {
        _nominates(3, successor, "");
        bytes memory data = abi.encodeCall(organisations.acceptControl, (3, OPERATION));
        bytes memory nameless = abi.encodeCall(organisations.acceptControl, (3, 0));
        _sends(successor, nameless, abi.encodePacked(IJournal.JournalOperationIdMissing.selector));
        _pause();
        _sends(successor, data, abi.encodePacked(IAuthority.AuthorityPaused.selector));
        _resume();
        _sends(successor, data, "");
        // Refused as done, though nobody is nominated by now.
        _sends(successor, data, _done(address(organisations), successor, OPERATION));
        _accepts(successor, 3, _notNominated(successor, 3));
    }

    // --- what cannot be done to others

    function test_rotation__an_account_that_never_agreed__is_not_blocked() public {
        for (uint32 orgId = 1; orgId <= 4; ++orgId) {
            _nominates(orgId, successor, "");
        }
        vm.assertEq(organisations.organisationOf(successor), 0, "acts for none");
        _registers(successor, "");
        _assertControl(7, successor);
        for (uint32 orgId = 1; orgId <= 4; ++orgId) {
            _assertControl(orgId, _controller(orgId));
        }
    }

    function test_rotation__an_account_that_was_freed__can_act_for_another() public {
        _rotates(3, successor);
        _registers(_controller(3), "");
        _assertControl(7, _controller(3));
        _rotates(4, stranger);
        _rotates(3, _controller(4)); // nominated and accepted
        _assertControl(3, _controller(4));
        _rotates(4, successor);
        _assertControl(4, successor);
    }

    function test_rotation__there_and_back__ends_where_it_began() public {
        _rotates(3, successor);
        _nominatesAs(_controller(3), 3, _controller(3), _notController(_controller(3), 3));
        _rotates(3, _controller(3));
        _assertControl(3, _controller(3));
        vm.assertEq(organisations.organisationOf(successor), 0, "acts for none");
        vm.assertEq(memberships.ownerOf((1 << 32) | 3), _controller(3), "owner");
    }

    function test_rotation__rights_of_a_controller__are_the_new_ones_only() public {
        _rotates(3, successor);
        bytes memory data = abi.encodeCall(organisations.changeProfile, (3, EVIDENCE, _operation()));
        _sends(_controller(3), data, _notEntitled(_controller(3), 3));
        _sends(successor, data, "");
    }

    function testFuzz_rotation__any_order__accounts_and_organisations_agree(uint256 seed) public {
        address[9] memory accounts;
        for (uint32 i = 0; i < 9; ++i) {
            accounts[i] = _controller(i + 1); // the last three act for none at first
        }
        for (uint256 step = 0; step < 24; ++step) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint32 orgId = uint32(seed % 6 + 1);
            address account = accounts[(seed >> 32) % 9];
            uint32 holder = organisations.organisationOf(account);
            _nominates(orgId, account, holder == 0 ? bytes("") : _inUse(account, holder));
            if (seed >> 64 & 1 == 0 || holder != 0) continue;
            _accepts(account, orgId, "");
        }
        uint256 holders = 0;
        for (uint256 i = 0; i < 9; ++i) {
            uint32 orgId = organisations.organisationOf(accounts[i]);
            if (orgId == 0) continue;
            ++holders;
            _assertControl(orgId, accounts[i]);
        }
        vm.assertEq(holders, 6, "accounts that act for an organisation");
    }

    // --- by signed messages, brought by a stranger

    function test_nominateBySignature__of_the_controller__is_its_own() public {
        ISignedMessages.Signed memory signed =
            _signed(_key(uint32(3)), _rotation(3, successor, _controller(3), OPERATION, DEADLINE));
        _watch(address(organisations));
        vm.prank(stranger);
        organisations.nominateBySignature(3, successor, OPERATION, signed);
        bytes32 selector = IOrganisations.ControllerNominated.selector;
        _assertLine(abi.encode(selector, _number(1), 3, successor, _controller(3), OPERATION));
        vm.assertEq(organisations.nominatedBy(3), successor, "nominated");
    }

    function test_acceptControlBySignature__of_the_nominated__is_its_own() public {
        _nominates(3, successor, "");
        ISignedMessages.Signed memory signed =
            _signed(_key("successor"), _acceptance(3, successor, OPERATION, DEADLINE));
        _watch(address(organisations));
        vm.prank(stranger);
        organisations.acceptControlBySignature(3, OPERATION, signed);
        _assertLine(_changed(_number(1), 3, successor, _controller(3), false, successor));
        _assertControl(3, successor);
    }

    function test_bySignature__of_any_other__is_refused() public {
        ISignedMessages.Signed memory signed =
            _signed(_key("stranger"), _rotation(3, successor, stranger, OPERATION, DEADLINE));
        bytes memory data = abi.encodeCall(organisations.nominateBySignature, (3, successor, OPERATION, signed));
        _sends(_controller(3), data, _notController(stranger, 3)); // whoever brings it
        _nominates(3, successor, "");
        signed = _signed(_key("stranger"), _acceptance(3, stranger, OPERATION, DEADLINE));
        data = abi.encodeCall(organisations.acceptControlBySignature, (3, OPERATION, signed));
        _sends(successor, data, _notNominated(stranger, 3));
    }

    function test_bySignature__while_paused__is_refused() public {
        _nominates(3, successor, "");
        ISignedMessages.Signed memory rotation =
            _signed(_key(uint32(3)), _rotation(3, stranger, _controller(3), OPERATION, DEADLINE));
        ISignedMessages.Signed memory acceptance =
            _signed(_key("successor"), _acceptance(3, successor, OPERATION, DEADLINE));
        _pause();
        bytes memory paused = abi.encodePacked(IAuthority.AuthorityPaused.selector);
        _sends(
            stranger, abi.encodeCall(organisations.nominateBySignature, (3, stranger, OPERATION, rotation)), paused
        );
        _sends(
            stranger, abi.encodeCall(organisations.acceptControlBySignature, (3, OPERATION, acceptance)), paused
        );
        _resume();
        _sends(stranger, abi.encodeCall(organisations.acceptControlBySignature, (3, OPERATION, acceptance)), "");
    }

    // --- announceMove

    function test_announceMove__by_any_but_organisations__is_refused() public {
        address[4] memory others = [stranger, admin, council, _controller(1)];
        for (uint256 i = 0; i < others.length; ++i) {
            bytes memory failure =
                abi.encodeWithSelector(IMemberships.MembershipsOnlyOrganisations.selector, others[i]);
            bytes memory data = abi.encodeCall(memberships.announceMove, (1, _controller(1), stranger));
            _send(address(memberships), others[i], data, failure);
        }
    }
}
