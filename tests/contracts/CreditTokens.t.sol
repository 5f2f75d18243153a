// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20Metadata} from "@openzeppelin/contracts/interfaces/IERC20Metadata.sol";
import {ICreditToken} from "../../contracts/interfaces/ICreditToken.sol";
import {ICreditTokens} from "../../contracts/interfaces/ICreditTokens.sol";
import {IProgrammes} from "../../contracts/interfaces/IProgrammes.sol";
import {Entries} from "./Entries.sol";
import {CreditTokensFace} from "./Faces.sol";
import {Vm} from "./Vm.sol";

interface CreditTokenFace is ICreditToken, IERC20Metadata {
    function programmes() external view returns (address);
    function organisations() external view returns (address);
    function credits() external view returns (address);
}

/// @title The ERC-20 face of credits
contract CreditTokensTest is Entries {
    CreditTokensFace private tokens;

    function setUp() public override {
        super.setUp();
        tokens =
            CreditTokensFace(vm.deployCode("CreditTokens.sol", abi.encode(programmes, organisations, credits)));
    }

    // --- create

    function test_create__by_anybody__is_at_the_address_told_before() public {
        address expected = tokens.tokenOf(FIRST);
        vm.assertEq(expected.code.length, 0, "not there yet");
        vm.recordLogs();
        vm.prank(stranger);
        address token = tokens.create(FIRST);
        Vm.Log[] memory logs = vm.getRecordedLogs();
        vm.assertEq(token, expected, "address");
        vm.assertEq(tokens.tokenOf(FIRST), expected, "address, still");
        vm.assertTrue(token.code.length > 0, "there");
        vm.assertEq(logs.length, 1, "one log");
        vm.assertEq(logs[0].topics[0], ICreditTokens.CreditTokenCreated.selector, "event");
        vm.assertEq(logs[0].topics[1], bytes32(uint256(FIRST)), "programme");
        vm.assertEq(logs[0].data, abi.encode(token), "token");
        CreditTokenFace face = CreditTokenFace(token);
        vm.assertEq(face.programmeId(), FIRST, "programme");
        vm.assertEq(face.programmes(), address(programmes), "programmes");
        vm.assertEq(face.organisations(), address(organisations), "organisations");
        vm.assertEq(face.credits(), address(credits), "credits");
    }

    function test_create__for_each_programme__is_another() public {
        address first = tokens.create(FIRST);
        address second = tokens.create(SECOND);
        vm.assertTrue(first != second, "another");
        vm.assertEq(CreditTokenFace(second).programmeId(), SECOND, "programme");
    }

    function test_create__twice_or_unknown__is_refused() public {
        address token = tokens.create(FIRST);
        bytes memory exists = abi.encodeWithSelector(ICreditTokens.CreditTokensExists.selector, FIRST, token);
        _send(address(tokens), stranger, abi.encodeCall(tokens.create, (FIRST)), exists);
        uint16[2] memory unknown = [uint16(0), 3];
        for (uint256 i = 0; i < 2; ++i) {
            _send(
                address(tokens),
                stranger,
                abi.encodeCall(tokens.create, (unknown[i])),
                abi.encodeWithSelector(IProgrammes.ProgrammesUnknown.selector, unknown[i])
            );
        }
    }

    // --- the token

    function test_token__of_a_programme__is_named_after_it() public {
        CreditTokenFace token = _token(FIRST);
        vm.assertEq(token.name(), "Moonlake credits, alliance", "name");
        vm.assertEq(token.symbol(), "MOON-1", "symbol");
        vm.assertEq(token.decimals(), 0, "decimals");
        vm.assertEq(_token(SECOND).name(), "Moonlake credits, community", "name of the other");
        bytes32 longest = "abcdefghijklmnopqrstuvwxyz01234";
        uint16 third = _found(longest);
        vm.assertEq(_token(third).name(), "Moonlake credits, abcdefghijklmnopqrstuvwxyz01234", "the longest name");
    }

    function test_balanceOf__of_a_controller__is_its_organisations() public {
        CreditTokenFace token = _token(FIRST);
        _award(1, 100);
        _award(2, 30);
        vm.assertEq(token.balanceOf(_controller(1)), 100, "balance of 1");
        vm.assertEq(token.balanceOf(_controller(2)), 30, "balance of 2");
        vm.assertEq(token.balanceOf(_controller(3)), 0, "balance of one without");
        vm.assertEq(token.balanceOf(stranger), 0, "balance of a stranger");
        vm.assertEq(token.balanceOf(address(0)), 0, "balance of nobody");
        vm.assertEq(token.totalSupply(), 130, "total supply");
        vm.assertEq(_token(SECOND).balanceOf(_controller(1)), 0, "balance in the other programme");
        vm.assertEq(_token(SECOND).totalSupply(), 0, "total supply of the other programme");
    }

    function test_balanceOf__controller_rotated__moves_with_the_organisation() public {
        CreditTokenFace token = _token(FIRST);
        _award(1, 100);
        address successor = _account("successor");
        bytes32[2] memory ids = [_operation(), _operation()];
        vm.prank(_controller(1));
        organisations.nominate(1, successor, ids[0]);
        vm.prank(successor);
        organisations.acceptControl(1, ids[1]);
        vm.assertEq(token.balanceOf(successor), 100, "balance of the successor");
        vm.assertEq(token.balanceOf(_controller(1)), 0, "balance of who was before");
    }

    function test_balanceOf__retired__is_nobodys() public {
        CreditTokenFace token = _token(FIRST);
        _award(3, 100);
        _merge(3, 1);
        vm.assertEq(token.balanceOf(_controller(3)), 0, "balance of the retired");
        _carryOver(_one(uint32(3)));
        vm.assertEq(token.balanceOf(_controller(1)), 100, "balance of the successor");
    }

    function test_balanceOf__a_debt__is_shown_as_zero() public {
        CreditTokenFace token = _token(FIRST);
        uint64 entryId = _award(1, 100);
        _award(2, 30);
        _redeem(1, 100);
        _reverseOne(council, entryId);
        vm.assertEq(token.balanceOf(_controller(1)), 0, "balance of the debtor");
        vm.assertEq(token.balanceOf(_controller(2)), 30, "balance of another");
        vm.assertEq(token.totalSupply(), 0, "total supply, below zero");
        _award(2, 71);
        vm.assertEq(token.totalSupply(), 1, "total supply, debts deducted");
    }

    function test_transfer_approve_transferFrom__by_anybody__are_refused() public {
        CreditTokenFace token = _token(FIRST);
        _award(1, 100);
        bytes memory failure = abi.encodePacked(ICreditToken.CreditTokenReadOnly.selector);
        address holder = _controller(1);
        uint256[3] memory amounts = [uint256(0), 1, 100];
        for (uint256 i = 0; i < 3; ++i) {
            _send(address(token), holder, abi.encodeCall(token.transfer, (stranger, amounts[i])), failure);
            _send(address(token), holder, abi.encodeCall(token.approve, (stranger, amounts[i])), failure);
            _send(
                address(token), holder, abi.encodeCall(token.transferFrom, (holder, stranger, amounts[i])), failure
            );
        }
        vm.assertEq(token.allowance(holder, stranger), 0, "allowance");
    }

    function _token(uint16 programmeId) private returns (CreditTokenFace) {
        address token = tokens.tokenOf(programmeId);
        if (token.code.length == 0) tokens.create(programmeId);
        return CreditTokenFace(token);
    }
}
