// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {IShares} from "../../contracts/interfaces/IShares.sol";
import {Pools} from "./Pools.sol";

/// @title Claiming by the controller's transaction. By its signature: SharesSigned.t.sol
contract SharesClaimTest is Pools {
    // --- what it does

    function test_claim__a_share__is_journaled_with_every_field() public {
        _watch(address(shares));
        bytes32[] memory proof = _proofOf(3);
        vm.prank(_controller(3));
        shares.claim(posted, 3, 300, proof, OPERATION);
        bytes memory line =
            abi.encode(IShares.ShareClaimed.selector, _number(1), posted, 3, 300, _controller(3), OPERATION);
        vm.assertEq(_assertLine(line).length, 0, "echoes");
        vm.assertEq(shares.distribution(posted).claimed, 300, "claimed");
        vm.assertTrue(shares.isClaimed(posted, 3), "its bit");
        vm.assertFalse(shares.isClaimed(posted, 2), "its neighbour's");
        vm.assertEq(shares.operationSequence(_controller(3), OPERATION), shares.sequence(), "operation");
        vm.assertEq(abi.encode(shares.distribution(posted).distribution), abi.encode(_terms()), "terms");
    }

    function test_claim__all_shares__use_up_the_pool() public {
        for (uint32 orgId = MEMBERS; orgId >= 1; --orgId) {
            _claim(orgId);
        }
        vm.assertEq(shares.distribution(posted).claimed, POOL, "claimed");
    }

    function test_claim__twice__is_refused() public {
        _claim(3);
        _refused(3, _already(posted, 3));
        // With no proof either, or by another controller.
        _claimed(_controller(3), posted, 3, 300, new bytes32[](0), _already(posted, 3));
        bytes32[] memory proof = _proofOf(3);
        _rotate(3, stranger);
        _claimed(stranger, posted, 3, 300, proof, _already(posted, 3));
        vm.assertEq(shares.distribution(posted).claimed, 300, "claimed");
    }

    function test_claim__in_two_distributions_by_one_tree__is_done_in_each() public {
        uint32 other = _post(_terms());
        _claim(3);
        vm.assertFalse(shares.isClaimed(other, 3), "the other's bit");
        _claimed(_controller(3), other, 3, 300, _proofOf(3), "");
    }

    function test_claim__membership_gone__is_done() public {
        bytes32 operationId = _operation();
        vm.prank(registrar);
        memberships.revoke(FIRST, _one(uint32(3)), REASON, EVIDENCE, operationId);
        _claim(3);
        _claim(5); // which belongs to no programme
        vm.warp(FROM + 1);
        vm.assertEq(shares.distribution(posted).claimed, 800, "claimed");
    }

    // --- the window and the operation

    function test_claim__first_and_last_second__is_done() public {
        bytes memory failure = abi.encodeWithSelector(IShares.SharesClaimsNotOpen.selector, posted, FROM, UNTIL);
        vm.warp(FROM - 1);
        _refused(3, failure);
        vm.warp(FROM);
        _claim(3);
        vm.warp(UNTIL - 1);
        _claim(2);
        vm.warp(UNTIL);
        _refused(1, failure);
    }

    function test_claim__unknown_distribution__is_refused() public {
        _claimed(_controller(3), 0, 3, 300, _proofOf(3), _unknown(0));
        _claimed(_controller(3), 2, 3, 300, _proofOf(3), _unknown(2));
    }

    function test_claim__paused_done_or_without_an_operation__is_refused() public {
        bytes32[] memory proof = _proofOf(3);
        bytes memory data = abi.encodeCall(shares.claim, (posted, 3, 300, proof, bytes32(0)));
        bytes memory missing = abi.encodePacked(IJournal.JournalOperationIdMissing.selector);
        _send(address(shares), _controller(3), data, missing);
        _pause();
        _refused(3, abi.encodePacked(IAuthority.AuthorityPaused.selector));
        _resume();
        data = abi.encodeCall(shares.claim, (posted, 3, 300, proof, OPERATION));
        _send(address(shares), _controller(3), data, "");
        bytes memory done =
            abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, shares.sequence());
        _send(address(shares), _controller(3), data, done);
    }

    // --- who

    function test_claim__by_another_than_its_controller__is_refused() public {
        address[4] memory others = [stranger, _controller(2), council, admin];
        for (uint256 i = 0; i < 4; ++i) {
            _claimed(others[i], posted, 3, 300, _proofOf(3), _notController(others[i], 3));
        }
    }

    function test_claim__after_a_rotation__is_the_new_controllers() public {
        _rotate(3, stranger);
        _refused(3, _notController(_controller(3), 3));
        _claimed(stranger, posted, 3, 300, _proofOf(3), "");
    }

    function test_claim__unknown_organisation__is_refused() public {
        uint32[2] memory unknown = [uint32(0), 7];
        for (uint256 i = 0; i < 2; ++i) {
            bytes memory failure = abi.encodeWithSelector(IOrganisations.OrganisationsUnknown.selector, unknown[i]);
            _claimed(stranger, posted, unknown[i], 300, _proofOf(3), failure);
            _claimed(address(0), posted, unknown[i], 300, _proofOf(3), failure);
        }
    }

    function test_claim__retired_without_a_successor__is_refused() public {
        _retire(3, 0);
        bytes memory retired = abi.encodeWithSelector(IOrganisations.OrganisationsRetired.selector, 3);
        _refused(3, retired);
        _claimed(address(0), posted, 3, 300, _proofOf(3), retired);
    }

    /// @dev Nor is it lost where the successor was named only later.
    function test_claim__retired_and_given_a_successor_later__is_its_successors() public {
        _retire(3, 0);
        bytes32 operationId = _operation();
        vm.prank(council);
        organisations.nameSuccessor(3, 6, EVIDENCE, operationId);
        _refused(3, _notController(_controller(3), 3));
        _claimed(_controller(6), posted, 3, 300, _proofOf(3), "");
        vm.assertTrue(shares.isClaimed(posted, 3), "its bit");
        _retire(6, 0);
        operationId = _operation();
        vm.prank(council);
        organisations.nameSuccessor(6, 4, EVIDENCE, operationId);
        _claimed(_controller(4), posted, 3, 300, _proofOf(3), _already(posted, 3));
    }

    /// @dev Another member sees the claim's id and uses it first: its own.
    function test_claim__whose_id_others_used_first__is_done_all_the_same() public {
        bytes memory others = abi.encodeCall(shares.claim, (posted, 2, 200, _proofOf(2), OPERATION));
        _send(address(shares), _controller(2), others, "");
        others = abi.encodeCall(shares.withdraw, (_post(_terms()), EVIDENCE, OPERATION));
        _send(address(shares), council, others, "");
        bytes memory data = abi.encodeCall(shares.claim, (posted, 3, 300, _proofOf(3), OPERATION));
        _send(address(shares), _controller(3), data, "");
        bytes memory done =
            abi.encodeWithSelector(IJournal.JournalOperationDone.selector, OPERATION, shares.sequence());
        _send(address(shares), _controller(3), data, done);
    }

    /// @dev What an organisation earned is its successor's, as its balance is.
    function test_claim__merged__is_its_successors() public {
        _retire(3, 6);
        _refused(3, _notController(_controller(3), 3));
        _watch(address(shares));
        bytes32[] memory proof = _proofOf(3);
        vm.prank(_controller(6));
        shares.claim(posted, 3, 300, proof, OPERATION);
        // The share is still that of the organisation that earned it.
        _assertLine(
            abi.encode(IShares.ShareClaimed.selector, _number(1), posted, 3, 300, _controller(6), OPERATION)
        );
        vm.assertTrue(shares.isClaimed(posted, 3), "its bit");
        vm.assertFalse(shares.isClaimed(posted, 6), "its successor's");
        _claimed(_controller(6), posted, 3, 300, proof, _already(posted, 3));
    }

    function test_claim__merged_into_one_with_a_share__claims_both() public {
        _retire(3, 2);
        _claimed(_controller(2), posted, 3, 300, _proofOf(3), "");
        _claim(2);
        vm.assertEq(shares.distribution(posted).claimed, 500, "claimed");
        // Nor does the successor become entitled to more than what was merged into it.
        _claimed(_controller(2), posted, 1, 100, _proofOf(1), _notController(_controller(2), 1));
    }

    function test_claim__merged_over_several__is_the_last_ones() public {
        _retire(3, 4);
        _retire(4, 5);
        _retire(5, 6);
        _claimed(_controller(4), posted, 3, 300, _proofOf(3), _notController(_controller(4), 3));
        _claimed(_controller(6), posted, 3, 300, _proofOf(3), "");
        _claimed(_controller(6), posted, 4, 400, _proofOf(4), "");
        _claimed(_controller(6), posted, 5, 500, _proofOf(5), "");
        _retire(6, 0);
        bytes memory retired = abi.encodeWithSelector(IOrganisations.OrganisationsRetired.selector, 6);
        _claimed(_controller(6), posted, 3, 300, _proofOf(3), retired);
    }

    // --- the proof

    function test_claim__another_amount_organisation_or_proof__is_refused() public {
        bytes32[] memory proof = _proofOf(3);
        _claimed(_controller(3), posted, 3, 301, proof, _invalidProof(posted, 3, 301));
        _claimed(_controller(3), posted, 3, type(uint64).max, proof, _invalidProof(posted, 3, type(uint64).max));
        _claimed(_controller(2), posted, 2, 300, proof, _invalidProof(posted, 2, 300));
        _claimed(_controller(6), posted, 6, 300, proof, _invalidProof(posted, 6, 300));
        bytes memory failure = _invalidProof(posted, 3, 300);
        _claimed(_controller(3), posted, 3, 300, _proofOf(2), failure);
        _claimed(_controller(3), posted, 3, 300, new bytes32[](0), failure);
        _claimed(_controller(3), posted, 3, 300, _without(proof, proof.length - 1), failure);
        _claimed(_controller(3), posted, 3, 300, _without(proof, 0), failure);
        _claimed(_controller(3), posted, 3, 300, _with(proof, 0), failure);
        _claimed(_controller(3), posted, 3, 300, _with(proof, nodes[0]), failure);
        (proof[0], proof[1]) = (proof[1], proof[0]);
        _claimed(_controller(3), posted, 3, 300, proof, failure);
    }

    function testFuzz_claim__any_bit_of_the_proof_flipped__is_refused(uint8 place, uint8 bit) public {
        bytes32[] memory proof = _proofOf(3);
        proof[place % proof.length] ^= bytes32(uint256(1) << bit);
        _claimed(_controller(3), posted, 3, 300, proof, _invalidProof(posted, 3, 300));
    }

    /// @dev The same shares in another epoch or programme have other leaves.
    function test_claim__proof_of_another_distribution__is_refused() public {
        bytes32[] memory others = _tree(_leaves(FIRST, 2, MEMBERS));
        bytes32[] memory proof = _proof(others, _leaf(FIRST, 2, 3, 300));
        _claimed(_controller(3), posted, 3, 300, proof, _invalidProof(posted, 3, 300));
        others = _tree(_leaves(SECOND, EPOCH, MEMBERS));
        uint32 wrong = _post(_termsOf(others[0])); // posted for the wrong programme
        proof = _proof(others, _leaf(SECOND, EPOCH, 3, 300));
        _claimed(_controller(3), wrong, 3, 300, proof, _invalidProof(wrong, 3, 300));
        others = _tree(_leaves(FIRST, EPOCH, MEMBERS - 1));
        proof = _proof(others, _leaf(FIRST, EPOCH, 3, 300));
        _claimed(_controller(3), posted, 3, 300, proof, _invalidProof(posted, 3, 300));
    }

    function test_claim__in_another_programme_or_epoch__has_leaves_of_its_own() public {
        for (uint256 i = 0; i < 2; ++i) {
            IShares.Distribution memory terms = _terms();
            if (i == 0) terms.programmeId = SECOND;
            else terms.epoch = 2;
            terms.claimableFrom = EPOCH_END + 31 days;
            vm.warp(EPOCH_END + 30 days);
            bytes32[] memory others = _tree(_leaves(terms.programmeId, terms.epoch, MEMBERS));
            terms.root = others[0];
            uint32 distributionId = _post(terms);
            vm.warp(terms.claimableFrom);
            bytes memory failure = _invalidProof(distributionId, 3, 300);
            _claimed(_controller(3), distributionId, 3, 300, _proofOf(3), failure);
            bytes32[] memory proof = _proof(others, _leaf(terms.programmeId, terms.epoch, 3, 300));
            _claimed(_controller(3), distributionId, 3, 300, proof, "");
        }
    }

    function test_claim__tree_of_one_leaf__has_an_empty_proof() public {
        uint32 single = _post(_termsOf(_leaf(FIRST, EPOCH, 3, POOL)));
        bytes32[] memory none = new bytes32[](0);
        _claimed(_controller(2), single, 2, POOL, none, _invalidProof(single, 2, POOL));
        _claimed(_controller(3), single, 3, POOL - 1, none, _invalidProof(single, 3, POOL - 1));
        _claimed(_controller(3), single, 3, POOL, none, "");
        vm.assertEq(shares.distribution(single).claimed, POOL, "claimed");
    }

    function testFuzz_claim__trees_of_any_size__prove_each_leaf(uint8 size, uint8 which) public {
        uint32 count = uint32(_between(size, 1, 40));
        uint32 orgId = uint32(_between(which, 1, count));
        if (count > 6) _register(count - 6);
        bytes32[] memory others = _tree(_leaves(FIRST, EPOCH, count));
        IShares.Distribution memory terms = _termsOf(others[0]);
        terms.pool = 100 * uint64(count) * (count + 1) / 2;
        uint32 distributionId = _post(terms);
        bytes32[] memory proof = _proof(others, _leaf(FIRST, EPOCH, orgId, _amount(orgId)));
        _claimed(_controller(orgId), distributionId, orgId, _amount(orgId), proof, "");
    }

    /// @dev An inner node is a hash of 64 bytes, a leaf a hash of a hash. Where leaves are hashed once, as
    /// here, who finds fields that encode to two nodes claims what nobody gave.
    function test_claim__leaves_hashed_once_or_inner_nodes__prove_nothing() public {
        bytes32 once = keccak256(abi.encode(FIRST, EPOCH, uint32(3), uint64(300)));
        uint32 wrong = _post(_termsOf(once));
        _claimed(_controller(3), wrong, 3, 300, new bytes32[](0), _invalidProof(wrong, 3, 300));
        // The node above two leaves, given as what is hashed into a leaf.
        bytes32 leaf = _leaf(FIRST, EPOCH, 3, 300);
        bytes32[] memory proof = _proofOf(3);
        bytes32 inner = _pair(leaf, proof[0]);
        wrong = _post(_termsOf(_pair(inner, keccak256(abi.encode(inner)))));
        _claimed(_controller(3), wrong, 3, 300, _without(proof, 0), _invalidProof(wrong, 3, 300));
        _claimed(_controller(3), posted, 3, 300, _without(proof, 0), _invalidProof(posted, 3, 300));
    }

    // --- the pool

    function test_claim__wrong_tree_over_the_pool__names_what_is_left() public {
        IShares.Distribution memory terms = _terms();
        terms.pool = 750;
        uint32 small = _post(terms);
        _claimed(_controller(5), small, 5, 500, _proofOf(5), "");
        bytes memory over = abi.encodeWithSelector(IShares.SharesOverPool.selector, small, 300, 250);
        _claimed(_controller(3), small, 3, 300, _proofOf(3), over);
        vm.assertFalse(shares.isClaimed(small, 3), "a refused one is not claimed");
        _claimed(_controller(2), small, 2, 200, _proofOf(2), "");
        over = abi.encodeWithSelector(IShares.SharesOverPool.selector, small, 100, 50);
        _claimed(_controller(1), small, 1, 100, _proofOf(1), over);
        vm.assertEq(shares.distribution(small).claimed, 700, "claimed");
    }

    function test_claim__amounts_at_the_end_of_64_bits__do_not_wrap() public {
        uint64 most = type(uint64).max;
        bytes32[] memory leaves = new bytes32[](2);
        (leaves[0], leaves[1]) = (_leaf(FIRST, EPOCH, 3, most), _leaf(FIRST, EPOCH, 2, 1));
        bytes32[] memory others = _tree(leaves);
        uint32 wrong = _post(_termsOf(others[0]));
        _claimed(_controller(2), wrong, 2, 1, _proof(others, leaves[1]), "");
        bytes memory over = abi.encodeWithSelector(IShares.SharesOverPool.selector, wrong, most, POOL - 1);
        _claimed(_controller(3), wrong, 3, most, _proof(others, leaves[0]), over);
    }

    function test_claim__share_of_nothing__is_refused() public {
        uint32 wrong = _post(_termsOf(_leaf(FIRST, EPOCH, 3, 0)));
        bytes memory zero = abi.encodeWithSelector(IShares.SharesAmountZero.selector, wrong, 3);
        _claimed(_controller(3), wrong, 3, 0, new bytes32[](0), zero);
        // So that a distribution of which something was claimed is one of which the sum is not zero.
        _withdraw(wrong);
    }

    /// @dev Whoever claims in whatever order: what is claimed is the sum, and never over the pool.
    function testFuzz_claim__any_pool_and_order__is_never_over_it(uint64 pool, uint256 seed) public {
        IShares.Distribution memory terms = _terms();
        terms.pool = uint64(_between(pool, 1, 2 * POOL));
        uint32 distributionId = _post(terms);
        uint64 sum = 0;
        for (uint256 i = 0; i < 8; ++i) {
            seed = uint256(keccak256(abi.encode(seed)));
            uint32 orgId = uint32(_between(seed, 1, MEMBERS));
            bool over = sum + _amount(orgId) > terms.pool;
            bytes memory failure = "";
            if (over) {
                failure = abi.encodeWithSelector(
                    IShares.SharesOverPool.selector, distributionId, _amount(orgId), terms.pool - sum
                );
            }
            if (shares.isClaimed(distributionId, orgId)) failure = _already(distributionId, orgId);
            _claimed(_controller(orgId), distributionId, orgId, _amount(orgId), _proofOf(orgId), failure);
            if (failure.length == 0) sum += _amount(orgId);
        }
        vm.assertEq(shares.distribution(distributionId).claimed, sum, "claimed");
        vm.assertLe(sum, terms.pool, "claimed, within the pool");
    }

    function _without(bytes32[] memory given, uint256 place) private pure returns (bytes32[] memory rest) {
        rest = new bytes32[](given.length - 1);
        for (uint256 i = 0; i < rest.length; ++i) {
            rest[i] = given[i < place ? i : i + 1];
        }
    }

    function _with(bytes32[] memory given, bytes32 last) private pure returns (bytes32[] memory more) {
        more = new bytes32[](given.length + 1);
        for (uint256 i = 0; i < given.length; ++i) {
            more[i] = given[i];
        }
        more[given.length] = last;
    }
}
