// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignedMessages} from "./ISignedMessages.sol";

/// @title Benefits shared by contribution
/// @notice At the close of an epoch the council posts how a pool is shared: the root of a Merkle tree
/// (OpenZeppelin's standard tree) of each organisation's share, computed from the epoch's entries by
/// a published rule. Anybody can recompute the root from the entries, and has from the posting to
/// `claimableFrom` to do so, at least MIN_CHECKING_TIME. The council can withdraw a wrong one. What was
/// claimed of it by then stands; a distribution that takes its place leaves it out.
///
/// A share is claimed once, with its proof. It is a right earned in the epoch: what became of the
/// membership since does not matter. The share of an organisation that was merged is claimed by the
/// organisation that it is part of now; that of one retired without a successor is not claimed.
///
///     leaf = keccak256(keccak256(abi.encode(uint16 programmeId, uint32 epoch, uint32 orgId, uint64 amount)))
interface IShares is ISignedMessages {
    /// @param epoch whose entries it is computed from; it is over
    /// @param pool what is shared, in whole units; shares add up to it
    /// @param unit what the units are, a key such as `slots`
    /// @param rule sha256 of the rule's canonical JSON
    /// @param root of the tree of shares
    /// @param claimableFrom,claimableUntil shares can be claimed from the first second to before the other
    struct Distribution {
        uint16 programmeId;
        uint32 epoch;
        uint64 pool;
        bytes32 unit;
        bytes32 rule;
        bytes32 root;
        uint40 claimableFrom;
        uint40 claimableUntil;
    }

    /// @param claimed the sum of the shares claimed so far
    struct DistributionState {
        Distribution distribution;
        uint64 claimed;
        bool withdrawn;
    }

    event SharesPosted(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint32 indexed distributionId,
        uint32 epoch,
        uint64 pool,
        bytes32 unit,
        bytes32 rule,
        bytes32 root,
        uint40 claimableFrom,
        uint40 claimableUntil,
        bytes32 evidence,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice The distribution was taken back; nothing more of it can be claimed.
    event SharesWithdrawn(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint32 indexed distributionId,
        bytes32 evidence,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @param orgId whose share it is; a successor claimed it where the actor acts for another
    event ShareClaimed(
        uint64 indexed sequence,
        uint32 indexed distributionId,
        uint32 indexed orgId,
        uint64 amount,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    error SharesDistributionUnknown(uint32 distributionId);
    /// @notice The epoch is not over, or there is none of this number.
    error SharesEpochNotOver(uint16 programmeId, uint32 epoch);
    /// @notice The pool is 1 to 2^53-1.
    error SharesPoolUnusable(uint64 pool);
    error SharesRootMissing();
    error SharesRuleMissing();
    /// @notice Claims begin before everybody had the time to recompute the shares.
    error SharesClaimsTooSoon(uint40 claimableFrom, uint256 earliest);
    /// @notice It ends after it begins, and before the year 10000.
    error SharesClaimWindowUnusable(uint40 claimableFrom, uint40 claimableUntil);
    error SharesWithdrawnAlready(uint32 distributionId);
    error SharesClaimsNotOpen(uint32 distributionId, uint40 claimableFrom, uint40 claimableUntil);
    /// @notice A share of nothing is not claimed.
    error SharesAmountZero(uint32 distributionId, uint32 orgId);
    error SharesAlreadyClaimed(uint32 distributionId, uint32 orgId);
    error SharesProofInvalid(uint32 distributionId, uint32 orgId, uint64 amount);
    /// @notice The tree gives away more than the pool.
    error SharesOverPool(uint32 distributionId, uint64 asked, uint64 left);
    /// @notice The account acts neither for the organisation nor for the one it was merged into.
    error SharesNotController(address account, uint32 orgId);

    /// @notice Posts a distribution. Council of the programme. The time to check it counts from its block,
    /// so a proposal that posts one names a `claimableFrom` that leaves room for its approvals, too.
    function post(Distribution calldata distribution, bytes32 evidence, bytes32 operationId)
        external
        returns (uint32 distributionId);

    /// @notice Takes a distribution back, or what is not yet claimed of it. Council of its programme. What
    /// takes its place is computed afterwards: until this is in a block, shares of it can be claimed.
    function withdraw(uint32 distributionId, bytes32 evidence, bytes32 operationId) external;

    /// @notice Claims an organisation's share. Its controller, or that of the organisation that it was
    /// merged into, however many mergers lie between.
    function claim(
        uint32 distributionId,
        uint32 orgId,
        uint64 amount,
        bytes32[] calldata proof,
        bytes32 operationId
    ) external;

    /// @notice Claims by the controller's signed message:
    /// `Claim(uint16 programmeId,uint32 distributionId,uint32 orgId,uint64 amount,address account,bytes32 operationId,uint256 deadline)`.
    function claimBySignature(
        uint32 distributionId,
        uint32 orgId,
        uint64 amount,
        bytes32[] calldata proof,
        bytes32 operationId,
        Signed calldata signed
    ) external;

    function distributionCount() external view returns (uint32);

    /// @notice Reverts with SharesDistributionUnknown.
    function distribution(uint32 distributionId) external view returns (DistributionState memory);

    function isClaimed(uint32 distributionId, uint32 orgId) external view returns (bool);
}
