// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IShares} from "../../contracts/interfaces/IShares.sol";
import {Commands} from "./Commands.sol";
import {Trees} from "./Trees.sol";

/// @title A pool of the first epoch shared among organisations 1 to 5, claims open
/// @notice Organisation n has 100 times n, of 1500. The fifth belongs to no programme any more.
abstract contract Pools is Commands, Trees {
    bytes32 internal constant OPERATION = keccak256("this operation");
    bytes32 internal constant UNIT = "slots";
    bytes32 internal constant RULE = keccak256("rule");
    uint32 internal constant EPOCH = 1;
    uint32 internal constant MEMBERS = 5;
    uint64 internal constant POOL = 1500;
    uint40 internal constant FROM = EPOCH_END + 7 days;
    uint40 internal constant UNTIL = EPOCH_END + 60 days;
    uint40 internal constant LAST_TIME = 253_402_300_799; // 9999-12-31T23:59:59Z

    bytes32[] internal nodes;

    /// @dev The first programme's distribution.
    uint32 internal posted;

    function setUp() public virtual override {
        super.setUp();
        nodes = _tree(_leaves(FIRST, EPOCH, MEMBERS));
        vm.warp(EPOCH_END);
        posted = _post(_terms());
        vm.warp(FROM);
    }

    /// @dev A leaf for each organisation from 1 on, with 100 times its id.
    function _leaves(uint16 programmeId, uint32 epoch, uint32 count)
        internal
        pure
        returns (bytes32[] memory leaves)
    {
        leaves = new bytes32[](count);
        for (uint32 orgId = 1; orgId <= count; ++orgId) {
            leaves[orgId - 1] = _leaf(programmeId, epoch, orgId, _amount(orgId));
        }
    }

    function _amount(uint32 orgId) internal pure returns (uint64) {
        return 100 * uint64(orgId);
    }

    function _terms() internal view returns (IShares.Distribution memory) {
        return IShares.Distribution(FIRST, EPOCH, POOL, UNIT, RULE, nodes[0], FROM, UNTIL);
    }

    /// @dev The same pool by another tree.
    function _termsOf(bytes32 root) internal view returns (IShares.Distribution memory terms) {
        terms = _terms();
        terms.root = root;
    }

    /// @dev Posts a distribution, where it is too late for its beginning as if in time.
    function _post(IShares.Distribution memory terms) internal returns (uint32 distributionId) {
        bytes32 operationId = _operation();
        uint256 time = block.timestamp;
        if (terms.claimableFrom < time + 1 days) vm.warp(terms.claimableFrom - 1 days);
        vm.prank(council);
        distributionId = shares.post(terms, EVIDENCE, operationId);
        vm.warp(time);
    }

    function _withdraw(uint32 distributionId) internal {
        bytes32 operationId = _operation();
        vm.prank(council);
        shares.withdraw(distributionId, EVIDENCE, operationId);
    }

    function _proofOf(uint32 orgId) internal view returns (bytes32[] memory) {
        return _proof(nodes, _leaf(FIRST, EPOCH, orgId, _amount(orgId)));
    }

    /// @dev Claims an organisation's share as its first controller.
    function _claim(uint32 orgId) internal {
        _claimed(_controller(orgId), posted, orgId, _amount(orgId), _proofOf(orgId), "");
    }

    /// @dev A claim, which must fail so; empty where it must succeed.
    function _claimed(
        address sender,
        uint32 distributionId,
        uint32 orgId,
        uint64 amount,
        bytes32[] memory proof,
        bytes memory failure
    ) internal {
        bytes memory data = abi.encodeCall(shares.claim, (distributionId, orgId, amount, proof, _operation()));
        _send(address(shares), sender, data, failure);
    }

    /// @dev A right claim by a controller, which must fail so.
    function _refused(uint32 orgId, bytes memory failure) internal {
        _claimed(_controller(orgId), posted, orgId, _amount(orgId), _proofOf(orgId), failure);
    }

    /// @dev Retires an organisation; it leaves its programmes first.
    function _retire(uint32 orgId, uint32 successorId) internal {
        for (uint16 programmeId = FIRST; programmeId <= SECOND; ++programmeId) {
            if (uint8(memberships.membership(programmeId, orgId).status) == 0) continue;
            bytes32 revocation = _operation();
            vm.prank(registrar);
            memberships.revoke(programmeId, _one(orgId), REASON, EVIDENCE, revocation);
        }
        bytes32 operationId = _operation();
        vm.prank(council);
        organisations.retire(orgId, successorId, EVIDENCE, operationId);
    }

    /// @dev Gives an organisation to another account, by rotation.
    function _rotate(uint32 orgId, address successor) internal {
        address controller = organisations.controllerOf(orgId);
        bytes32 operationId = _operation();
        vm.prank(controller);
        organisations.nominate(orgId, successor, operationId);
        operationId = _operation();
        vm.prank(successor);
        organisations.acceptControl(orgId, operationId);
    }

    function _notController(address account, uint32 orgId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IShares.SharesNotController.selector, account, orgId);
    }

    function _invalidProof(uint32 distributionId, uint32 orgId, uint64 amount)
        internal
        pure
        returns (bytes memory)
    {
        return abi.encodeWithSelector(IShares.SharesProofInvalid.selector, distributionId, orgId, amount);
    }

    function _unknown(uint32 distributionId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IShares.SharesDistributionUnknown.selector, distributionId);
    }

    function _withdrawn(uint32 distributionId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IShares.SharesWithdrawnAlready.selector, distributionId);
    }

    function _already(uint32 distributionId, uint32 orgId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IShares.SharesAlreadyClaimed.selector, distributionId, orgId);
    }
}
