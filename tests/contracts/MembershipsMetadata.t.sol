// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC7572} from "../../contracts/interfaces/IERC7572.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {Commands} from "./Commands.sol";
import {Vm} from "./Vm.sol";

/// @title Where the metadata of tokens and of their contract are found
contract MembershipsMetadataTest is Commands {
    string private constant BASE = "https://register.example/v1/tokens/";
    uint256 private constant TOKEN = (1 << 32) | 3;

    function test_changeMetadataBase__by_officers__obeys_the_rules_of_commands() public {
        _assertCommand(Command(address(memberships), _write, COUNCIL_ROLE, 0, 0));
    }

    function test_changeMetadataBase__a_base__is_journaled_and_said_by_the_standards() public {
        bytes32 operationId = _operation();
        _watch(address(memberships));
        vm.prank(council);
        memberships.changeMetadataBase(BASE, operationId);
        bytes32 selector = IMemberships.MetadataBaseChanged.selector;
        bytes memory line = abi.encode(selector, _number(1), keccak256(bytes(BASE)), council, operationId);
        Vm.Log[] memory echoes = _assertLine(line);
        vm.assertEq(echoes.length, 2, "echoes");
        selector = IERC4906.BatchMetadataUpdate.selector;
        _assertEcho(echoes[0], abi.encode(selector), abi.encode(0, type(uint256).max));
        _assertEcho(echoes[1], abi.encode(IERC7572.ContractURIUpdated.selector), "");
        vm.assertEq(memberships.tokenURI(TOKEN), "https://register.example/v1/tokens/4294967299", "token");
        vm.assertEq(memberships.contractURI(), "https://register.example/v1/tokens/contract", "contract");
    }

    function test_changeMetadataBase__none__takes_both_away() public {
        vm.assertEq(memberships.tokenURI(TOKEN), "", "token, at first");
        vm.assertEq(memberships.contractURI(), "", "contract, at first");
        _changes(BASE, "");
        _changes("", "");
        vm.assertEq(memberships.tokenURI(TOKEN), "", "token");
        vm.assertEq(memberships.contractURI(), "", "contract");
    }

    function test_changeMetadataBase__too_long__is_refused() public {
        uint256 most = memberships.MAX_BASE();
        bytes4 selector = IMemberships.MembershipsBaseTooLong.selector;
        _changes(string(new bytes(most + 1)), abi.encodeWithSelector(selector, most + 1, most));
        _changes(string(new bytes(most)), "");
        vm.assertEq(bytes(memberships.contractURI()).length, most + 8, "length");
        _changes(BASE, ""); // a shorter one leaves nothing of it
        vm.assertEq(memberships.contractURI(), string.concat(BASE, "contract"), "contract");
    }

    function test_tokenURI__no_token__is_refused() public {
        _changes(BASE, "");
        uint256[3] memory none = [uint256(3), (1 << 32) | 5, (1 << 48) | TOKEN];
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, none[i]));
            memberships.tokenURI(none[i]);
        }
    }

    function testFuzz_metadata__any_base__is_its_beginning(string calldata base) public {
        vm.assume(bytes(base).length != 0 && bytes(base).length <= memberships.MAX_BASE());
        _changes(base, "");
        vm.assertEq(memberships.tokenURI(TOKEN), string.concat(base, vm.toString(TOKEN)), "token");
        vm.assertEq(memberships.contractURI(), string.concat(base, "contract"), "contract");
    }

    function _changes(string memory base, bytes memory failure) private {
        bytes memory data = abi.encodeCall(memberships.changeMetadataBase, (base, _operation()));
        _send(address(memberships), council, data, failure);
    }

    function _write(bytes32 operationId, address) private view returns (bytes memory) {
        return abi.encodeCall(memberships.changeMetadataBase, (BASE, operationId));
    }
}
