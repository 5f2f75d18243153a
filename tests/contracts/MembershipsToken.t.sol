// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/interfaces/IERC721Metadata.sol";
import {IERC721Enumerable} from "@openzeppelin/contracts/interfaces/IERC721Enumerable.sol";
import {IERC721Errors} from "@openzeppelin/contracts/interfaces/draft-IERC6093.sol";
import {IERC5192} from "../../contracts/interfaces/IERC5192.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {Stage} from "./Stage.sol";

/// @title A membership as wallets see it: a token that nobody can move
contract MembershipsTokenTest is Stage {
    uint256 private constant TOKEN = (1 << 32) | 3; // organisation 3 in programme 1

    function test_ownerOf__a_member__is_its_controller() public view {
        vm.assertEq(memberships.ownerOf(TOKEN), _controller(3), "first programme");
        vm.assertEq(memberships.ownerOf((uint256(SECOND) << 32) | 2), _controller(2), "second programme");
    }

    function test_ownerOf__suspended_or_lapsed__is_its_controller_still() public {
        vm.prank(registrar);
        memberships.suspend(FIRST, _one(uint32(3)), REASON, EVIDENCE, "suspension");
        vm.assertEq(memberships.ownerOf(TOKEN), _controller(3), "suspended");
        vm.warp(EXPIRY);
        vm.assertEq(memberships.ownerOf(TOKEN), _controller(3), "lapsed");
        vm.assertTrue(memberships.locked(TOKEN), "locked");
    }

    function test_token__revoked_never_minted_or_out_of_range__does_not_exist() public {
        vm.prank(registrar);
        memberships.revoke(FIRST, _one(uint32(3)), REASON, EVIDENCE, "revocation");
        uint256[7] memory none = [
            TOKEN, // revoked
            (uint256(FIRST) << 32) | 5, // never admitted
            (uint256(SECOND) << 32) | 4, // a member of the other programme only
            (uint256(1) << 48) | (uint256(FIRST) << 32) | 1, // a member's, with a bit above
            (uint256(1) << 255) | (uint256(FIRST) << 32) | 1,
            0,
            type(uint256).max
        ];
        for (uint256 i = 0; i < 7; ++i) {
            bytes memory failure = abi.encodeWithSelector(IERC721Errors.ERC721NonexistentToken.selector, none[i]);
            vm.expectRevert(failure);
            memberships.ownerOf(none[i]);
            vm.expectRevert(failure);
            memberships.locked(none[i]);
            vm.expectRevert(failure);
            memberships.tokenURI(none[i]);
            vm.expectRevert(failure);
            memberships.getApproved(none[i]);
        }
    }

    function testFuzz_ownerOf__any_number__exists_for_members_only(uint256 tokenId) public view {
        // Near the members' numbers; a random one never is.
        uint256 near = tokenId % 4 == 0 ? tokenId : (tokenId >> 8 & 3) << 32 | (tokenId >> 16 & 7);
        uint256 orgId = near & type(uint32).max;
        bool member =
            (near >> 32 == 1 && orgId >= 1 && orgId <= 4) || (near >> 32 == 2 && orgId >= 1 && orgId <= 2);
        try memberships.ownerOf(near) returns (address owner) {
            vm.assertTrue(member, "exists");
            vm.assertEq(owner, _controller(uint32(orgId)), "owner");
        } catch {
            vm.assertFalse(member, "does not exist");
        }
    }

    function test_locked__a_member__is_locked() public view {
        vm.assertTrue(memberships.locked(TOKEN), "locked");
    }

    function test_every_way_to_move_it__by_anybody__is_refused() public {
        address owner = _controller(3);
        address[3] memory senders = [owner, registrar, stranger];
        bytes memory failure = abi.encodePacked(IMemberships.MembershipsLocked.selector);
        for (uint256 i = 0; i < 3; ++i) {
            vm.expectRevert(failure);
            vm.prank(senders[i]);
            memberships.transferFrom(owner, stranger, TOKEN);
            vm.expectRevert(failure);
            vm.prank(senders[i]);
            memberships.safeTransferFrom(owner, stranger, TOKEN);
            vm.expectRevert(failure);
            vm.prank(senders[i]);
            memberships.safeTransferFrom(owner, stranger, TOKEN, "data");
            vm.expectRevert(failure);
            vm.prank(senders[i]);
            memberships.approve(stranger, TOKEN);
            vm.expectRevert(failure);
            vm.prank(senders[i]);
            memberships.setApprovalForAll(stranger, true);
        }
        vm.assertEq(memberships.getApproved(TOKEN), address(0), "approved");
        vm.assertFalse(memberships.isApprovedForAll(owner, stranger), "approved for all");
    }

    function test_balanceOf__an_organisation__counts_its_memberships() public {
        vm.assertEq(memberships.balanceOf(_controller(1)), 2, "of both programmes");
        vm.assertEq(memberships.balanceOf(_controller(3)), 1, "of one");
        vm.assertEq(memberships.balanceOf(_controller(5)), 0, "of none");
        vm.assertEq(memberships.balanceOf(stranger), 0, "no organisation");
        vm.prank(registrar);
        memberships.suspend(FIRST, _one(uint32(1)), REASON, EVIDENCE, "suspension");
        vm.assertEq(memberships.balanceOf(_controller(1)), 2, "a suspended one counts");
        vm.prank(registrar);
        memberships.revoke(FIRST, _one(uint32(1)), REASON, EVIDENCE, "revocation");
        vm.assertEq(memberships.balanceOf(_controller(1)), 1, "a revoked one does not");
        vm.expectRevert(abi.encodeWithSelector(IERC721Errors.ERC721InvalidOwner.selector, address(0)));
        memberships.balanceOf(address(0));
    }

    function test_membershipsOf__an_organisation__counts_suspended_ones_too() public {
        vm.assertEq(memberships.membershipsOf(1), 2, "of both programmes");
        vm.assertEq(memberships.membershipsOf(3), 1, "of one");
        vm.assertEq(memberships.membershipsOf(5), 0, "of none");
        vm.assertEq(memberships.membershipsOf(7), 0, "of an unknown one");
        vm.prank(registrar);
        memberships.suspend(FIRST, _one(uint32(1)), REASON, EVIDENCE, "suspension");
        vm.assertEq(memberships.membershipsOf(1), 2, "a suspended one counts");
        vm.warp(EXPIRY);
        vm.assertEq(memberships.membershipsOf(1), 2, "a lapsed one counts");
        vm.prank(registrar);
        memberships.revoke(SECOND, _one(uint32(1)), REASON, EVIDENCE, "revocation");
        vm.assertEq(memberships.membershipsOf(1), 1, "a revoked one does not");
    }

    function test_metadata__of_the_token__is_named() public view {
        vm.assertEq(memberships.name(), "Moonlake membership", "name");
        vm.assertEq(memberships.symbol(), "MOONLAKE", "symbol");
        vm.assertEq(memberships.authority(), address(authority), "authority");
        vm.assertEq(memberships.programmes(), address(programmes), "programmes");
        vm.assertEq(memberships.organisations(), address(organisations), "organisations");
    }

    function test_supportsInterface__its_standards__are_named() public view {
        IERC165 token = IERC165(address(memberships));
        vm.assertTrue(token.supportsInterface(type(IERC165).interfaceId), "ERC-165");
        vm.assertTrue(token.supportsInterface(0x80ac58cd), "ERC-721");
        vm.assertTrue(token.supportsInterface(type(IERC721).interfaceId), "ERC-721 by its interface");
        vm.assertTrue(token.supportsInterface(type(IERC721Metadata).interfaceId), "ERC-721 metadata");
        vm.assertTrue(token.supportsInterface(0xb45a3c0e), "ERC-5192");
        vm.assertEq(bytes32(type(IERC5192).interfaceId), bytes32(bytes4(0xb45a3c0e)), "ERC-5192's id");
        vm.assertTrue(token.supportsInterface(0x49064906), "ERC-4906");
        vm.assertFalse(token.supportsInterface(type(IERC721Enumerable).interfaceId), "not enumerable");
        vm.assertFalse(token.supportsInterface(0xffffffff), "none");
        vm.assertFalse(token.supportsInterface(0x0489b56f), "not ERC-5484: who may burn is no field of a token");
        vm.assertFalse(token.supportsInterface(0x8c65f84d), "not ERC-5643: holders do not renew");
    }
}
