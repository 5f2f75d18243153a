// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IBenefits} from "../../contracts/interfaces/IBenefits.sol";
import {ISignedMessages} from "../../contracts/interfaces/ISignedMessages.sol";
import {IShares} from "../../contracts/interfaces/IShares.sol";
import {Measured} from "./Measured.sol";
import {Trees} from "./Trees.sol";

/// @title What redemptions and claims cost, as whole transactions that find every slot cold
contract GasBenefitsTest is Measured, Trees {
    uint32 private constant MEMBERS = 1000;

    bytes32[] private _nodes;

    /// @dev EIP-170.
    function test_code__of_benefits_and_shares__fits() public view {
        vm.assertLe(address(benefits).code.length, 24_576, "Benefits");
        vm.assertLe(address(shares).code.length, 24_576, "Shares");
    }

    function test_redemption__one_alone__costs_an_entry_and_four_slots() public {
        _stock();
        uint32 listingId = _list();
        _redemption("redemption, an organisation's first of the first listing", listingId, 3);
        _redemption("redemption, another organisation's first", listingId, 2);
        _redemption("redemption, later", listingId, 3);
        bytes32 operationId = _operation();
        bytes32 message = keccak256(
            abi.encode(
                keccak256(
                    "Redemption(uint16 programmeId,uint32 listingId,uint32 orgId,uint32 quantity,uint64 credits,"
                    "address account,bytes32 operationId,uint256 deadline)"
                ),
                FIRST,
                listingId,
                3,
                1,
                30,
                _controller(3),
                operationId,
                NOW
            )
        );
        ISignedMessages.Signed memory signed =
            _signed(_key(3), address(benefits), "Moonlake Benefits", message, NOW);
        bytes memory data = abi.encodeCall(benefits.redeemBySignature, (listingId, 3, 1, operationId, signed));
        _record("redemption, later, by signature", stranger, address(benefits), data);
    }

    function test_listing__one__costs_two_slots() public {
        IBenefits.Listing memory terms = IBenefits.Listing(FIRST, 30, 1000, 1000, NOW, EXPIRY, LONG_KEY);
        _list();
        _record("listing", council, address(benefits), abi.encodeCall(benefits.list, (terms, _operation())));
    }

    function test_cancellation__one__costs_an_entry() public {
        _stock();
        uint32 listingId = _list();
        _redeemOne(listingId, 3);
        _redeemOne(listingId, 3);
        _record(
            "redemption cancelled",
            council,
            address(benefits),
            abi.encodeCall(benefits.cancel, (2, LONG_KEY, _operation()))
        );
    }

    function test_fulfilment__one_and_the_largest_batch__fit_a_transaction() public {
        _stock();
        uint32 listingId = _list();
        _redeemOne(listingId, 3);
        _redeemOne(listingId, 3);
        uint64[] memory ids = new uint64[](1);
        ids[0] = 1;
        _record("redemption fulfilled, one alone", council, address(benefits), _fulfilment(ids));
        // Each of another listing.
        ids = new uint64[](benefits.MAX_FULFILMENTS());
        for (uint256 i = 0; i < ids.length; ++i) {
            ids[i] = _redeemOne(_list(), 3);
        }
        _recordLargest("fulfilments", council, address(benefits), _fulfilment(ids));
    }

    function test_claim__of_a_thousand__costs_no_slot_of_its_own() public {
        bytes32[] memory leaves = new bytes32[](MEMBERS);
        for (uint32 orgId = 1; orgId <= MEMBERS; ++orgId) {
            leaves[orgId - 1] = _leaf(FIRST, 1, orgId, 1000 + orgId);
        }
        _nodes = _tree(leaves);
        vm.warp(EPOCH_END);
        IShares.Distribution memory terms =
            IShares.Distribution(FIRST, 1, 2 ** 52, "slots", LONG_KEY, _nodes[0], EPOCH_END + 1 days, EXPIRY);
        vm.cool(address(shares));
        _record(
            "distribution posted, the first",
            council,
            address(shares),
            abi.encodeCall(shares.post, (terms, LONG_KEY, _operation()))
        );
        vm.warp(EPOCH_END + 1 days);
        _share("claim among 1000, the first", 3);
        _share("claim among 1000, a neighbour's", 2);
        bytes32 operationId = _operation();
        bytes32 message = keccak256(
            abi.encode(
                keccak256(
                    "Claim(uint16 programmeId,uint32 distributionId,uint32 orgId,uint64 amount,"
                    "address account,bytes32 operationId,uint256 deadline)"
                ),
                FIRST,
                1,
                4,
                1004,
                _controller(4),
                operationId,
                EPOCH_END + 2 days
            )
        );
        ISignedMessages.Signed memory signed =
            _signed(_key(4), address(shares), "Moonlake Shares", message, EPOCH_END + 2 days);
        bytes memory data = abi.encodeCall(
            shares.claimBySignature, (1, 4, 1004, _proof(_nodes, _leaf(FIRST, 1, 4, 1004)), operationId, signed)
        );
        vm.cool(address(shares));
        _record("claim among 1000, a neighbour's, by signature", stranger, address(shares), data);
    }

    function _stock() private {
        for (uint32 orgId = 1; orgId <= 4; ++orgId) {
            _award(orgId, 100_000);
        }
    }

    function _list() private returns (uint32) {
        bytes32 operationId = _operation();
        vm.prank(council);
        return benefits.list(IBenefits.Listing(FIRST, 30, 1000, 1000, NOW, EXPIRY, LONG_KEY), operationId);
    }

    function _redeemOne(uint32 listingId, uint32 orgId) private returns (uint64) {
        bytes32 operationId = _operation();
        vm.prank(_controller(orgId));
        return benefits.redeem(listingId, orgId, 1, operationId);
    }

    function _redemption(string memory name, uint32 listingId, uint32 orgId) private {
        bytes memory data = abi.encodeCall(benefits.redeem, (listingId, orgId, 1, _operation()));
        _record(name, _controller(orgId), address(benefits), data);
    }

    function _fulfilment(uint64[] memory ids) private returns (bytes memory) {
        return abi.encodeCall(benefits.fulfil, (FIRST, ids, LONG_KEY, _operation()));
    }

    function _share(string memory name, uint32 orgId) private {
        bytes32[] memory proof = _proof(_nodes, _leaf(FIRST, 1, orgId, 1000 + orgId));
        bytes memory data = abi.encodeCall(shares.claim, (1, orgId, 1000 + orgId, proof, _operation()));
        vm.cool(address(shares));
        _record(name, _controller(orgId), address(shares), data);
    }
}
