// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {MerkleProof} from "@openzeppelin/contracts/utils/cryptography/MerkleProof.sol";
import {BitMaps} from "@openzeppelin/contracts/utils/structs/BitMaps.sol";
import {IAuthority} from "./interfaces/IAuthority.sol";
import {IOrganisations} from "./interfaces/IOrganisations.sol";
import {IProgrammes} from "./interfaces/IProgrammes.sol";
import {IShares} from "./interfaces/IShares.sol";
import {Keys} from "./Keys.sol";
import {Roles} from "./Roles.sol";
import {SignedMessages} from "./SignedMessages.sol";
import {Times} from "./Times.sol";

/// @title Benefits shared by contribution
contract Shares is IShares, SignedMessages {
    using BitMaps for BitMaps.BitMap;
    using Keys for bytes32;

    /// @notice How long everybody has at least to recompute a distribution before anything is claimed.
    uint40 public constant MIN_CHECKING_TIME = 1 days;

    /// @notice 2^53-1, the largest whole number that JSON readers keep exact.
    uint64 public constant MAX_POOL = 9_007_199_254_740_991;

    bytes32 private constant CLAIM = keccak256(
        "Claim(uint16 programmeId,uint32 distributionId,uint32 orgId,uint64 amount,"
        "address account,bytes32 operationId,uint256 deadline)"
    );

    IAuthority public immutable authority;
    IProgrammes public immutable programmes;
    IOrganisations public immutable organisations;

    /// @dev What a claim looks at, in one slot. Pools are below 2^53.
    struct Kept {
        uint16 programmeId;
        uint32 epoch;
        uint56 pool;
        uint56 claimed;
        uint40 claimableFrom;
        uint40 claimableUntil;
        bool withdrawn;
    }

    /// @dev Who says that it is entitled to what.
    struct Share {
        uint32 distributionId;
        uint32 orgId;
        uint64 amount;
        bytes32 operationId;
    }

    uint32 private _count;
    mapping(uint32 distributionId => Kept) private _distributions;
    mapping(uint32 distributionId => bytes32) private _roots;
    mapping(uint32 distributionId => bytes32) private _units;
    mapping(uint32 distributionId => bytes32) private _rules;

    /// @dev A bit an organisation: neighbours share a slot.
    mapping(uint32 distributionId => BitMaps.BitMap) private _claimed;

    constructor(IAuthority authority_, IProgrammes programmes_, IOrganisations organisations_)
        SignedMessages("Moonlake Shares")
    {
        authority = authority_;
        programmes = programmes_;
        organisations = organisations_;
    }

    /// @inheritdoc IShares
    function post(Distribution calldata given, bytes32 evidence, bytes32 operationId)
        external
        returns (uint32 distributionId)
    {
        programmes.requireProgramme(given.programmeId);
        authority.requireOfficer(Roles.COUNCIL, given.programmeId, msg.sender);
        Pen memory pen = _begin(msg.sender, operationId);
        _requireUsable(given);
        distributionId = ++_count;
        _distributions[distributionId] = Kept({
            programmeId: given.programmeId,
            epoch: given.epoch,
            pool: uint56(given.pool),
            claimed: 0,
            claimableFrom: given.claimableFrom,
            claimableUntil: given.claimableUntil,
            withdrawn: false
        });
        _roots[distributionId] = given.root;
        _units[distributionId] = given.unit;
        _rules[distributionId] = given.rule;
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(
                SharesPosted.selector,
                line,
                given.programmeId,
                distributionId,
                given.epoch,
                given.pool,
                given.unit,
                given.rule,
                given.root,
                given.claimableFrom,
                given.claimableUntil,
                evidence,
                msg.sender,
                operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit SharesPosted(
            line,
            given.programmeId,
            distributionId,
            given.epoch,
            given.pool,
            given.unit,
            given.rule,
            given.root,
            given.claimableFrom,
            given.claimableUntil,
            evidence,
            msg.sender,
            operationId,
            head
        );
        _end(pen);
    }

    /// @inheritdoc IShares
    function withdraw(uint32 distributionId, bytes32 evidence, bytes32 operationId) external {
        Kept memory kept = _distribution(distributionId);
        authority.requireOfficer(Roles.COUNCIL, kept.programmeId, msg.sender);
        Pen memory pen = _begin(msg.sender, operationId);
        if (kept.withdrawn) revert SharesWithdrawnAlready(distributionId);
        _distributions[distributionId].withdrawn = true;
        uint64 line = _next(pen);
        bytes32 head = _write(
            pen,
            keccak256(
                abi.encode(
                    SharesWithdrawn.selector,
                    line,
                    kept.programmeId,
                    distributionId,
                    evidence,
                    msg.sender,
                    operationId
                )
            )
        );
        emit SharesWithdrawn(line, kept.programmeId, distributionId, evidence, msg.sender, operationId, head);
        _end(pen);
    }

    /// @inheritdoc IShares
    function claim(
        uint32 distributionId,
        uint32 orgId,
        uint64 amount,
        bytes32[] calldata proof,
        bytes32 operationId
    ) external {
        authority.requireRunning();
        Pen memory pen = _begin(msg.sender, operationId);
        Kept memory kept = _distribution(distributionId);
        _claim(pen, msg.sender, kept, Share(distributionId, orgId, amount, operationId), proof);
    }

    /// @inheritdoc IShares
    function claimBySignature(
        uint32 distributionId,
        uint32 orgId,
        uint64 amount,
        bytes32[] calldata proof,
        bytes32 operationId,
        Signed calldata signed
    ) external {
        authority.requireRunning();
        address account = accountOf(signed.signer);
        Pen memory pen = _begin(account, operationId);
        Kept memory kept = _distribution(distributionId);
        bytes32 message = keccak256(
            abi.encode(
                CLAIM, kept.programmeId, distributionId, orgId, amount, account, operationId, signed.deadline
            )
        );
        _requireSigned(account, operationId, message, signed);
        _claim(pen, account, kept, Share(distributionId, orgId, amount, operationId), proof);
    }

    /// @inheritdoc IShares
    function distributionCount() external view returns (uint32) {
        return _count;
    }

    /// @inheritdoc IShares
    function distribution(uint32 distributionId) external view returns (DistributionState memory) {
        Kept memory kept = _distribution(distributionId);
        Distribution memory terms = Distribution({
            programmeId: kept.programmeId,
            epoch: kept.epoch,
            pool: kept.pool,
            unit: _units[distributionId],
            rule: _rules[distributionId],
            root: _roots[distributionId],
            claimableFrom: kept.claimableFrom,
            claimableUntil: kept.claimableUntil
        });
        return DistributionState(terms, kept.claimed, kept.withdrawn);
    }

    /// @inheritdoc IShares
    function isClaimed(uint32 distributionId, uint32 orgId) external view returns (bool) {
        return _claimed[distributionId].get(orgId);
    }

    /// @dev Claims for an account that is known to ask for it.
    function _claim(
        Pen memory pen,
        address account,
        Kept memory kept,
        Share memory share,
        bytes32[] calldata proof
    ) private {
        _requireEntitled(account, share.orgId);
        _requireClaimable(kept, share, proof);
        _claimed[share.distributionId].set(share.orgId);
        uint64 left = kept.pool - kept.claimed;
        if (share.amount > left) revert SharesOverPool(share.distributionId, share.amount, left);
        // Fits 56 bits, as the pool does.
        _distributions[share.distributionId].claimed = uint56(kept.claimed + share.amount);
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(
                ShareClaimed.selector,
                line,
                share.distributionId,
                share.orgId,
                share.amount,
                account,
                share.operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit ShareClaimed(line, share.distributionId, share.orgId, share.amount, account, share.operationId, head);
        _end(pen);
    }

    function _distribution(uint32 distributionId) private view returns (Kept memory kept) {
        kept = _distributions[distributionId];
        if (kept.programmeId == 0) revert SharesDistributionUnknown(distributionId);
    }

    /// @dev Follows an organisation through its mergers to the one that it is part of now. The way ends:
    /// only an organisation that is not retired can be named as a successor.
    function _requireEntitled(address account, uint32 orgId) private view {
        uint32 heir = orgId;
        uint32 next = organisations.successorOf(heir);
        while (next != 0) {
            heir = next;
            next = organisations.successorOf(heir);
        }
        if (organisations.controllerOf(heir) != account) revert SharesNotController(account, orgId);
    }

    function _requireClaimable(Kept memory kept, Share memory share, bytes32[] calldata proof) private view {
        uint32 distributionId = share.distributionId;
        if (kept.withdrawn) revert SharesWithdrawnAlready(distributionId);
        if (block.timestamp < kept.claimableFrom || block.timestamp >= kept.claimableUntil) {
            revert SharesClaimsNotOpen(distributionId, kept.claimableFrom, kept.claimableUntil);
        }
        if (share.amount == 0) revert SharesAmountZero(distributionId, share.orgId);
        if (_claimed[distributionId].get(share.orgId)) {
            revert SharesAlreadyClaimed(distributionId, share.orgId);
        }
        // Hashed twice, so that no inner node of a tree (64 bytes, hashed once) is a leaf of it.
        bytes32 inner = keccak256(abi.encode(kept.programmeId, kept.epoch, share.orgId, share.amount));
        bytes32 leaf = keccak256(abi.encode(inner));
        if (!MerkleProof.verifyCalldata(proof, _roots[distributionId], leaf)) {
            revert SharesProofInvalid(distributionId, share.orgId, share.amount);
        }
    }

    function _requireUsable(Distribution calldata given) private view {
        _requireEpochOver(given.programmeId, given.epoch);
        if (given.pool == 0 || given.pool > MAX_POOL) revert SharesPoolUnusable(given.pool);
        given.unit.requireWellFormed();
        if (given.rule == 0) revert SharesRuleMissing();
        if (given.root == 0) revert SharesRootMissing();
        uint256 earliest = block.timestamp + MIN_CHECKING_TIME;
        if (given.claimableFrom < earliest) revert SharesClaimsTooSoon(given.claimableFrom, earliest);
        bool usable = given.claimableFrom < given.claimableUntil && given.claimableUntil <= Times.LAST;
        if (!usable) revert SharesClaimWindowUnusable(given.claimableFrom, given.claimableUntil);
    }

    /// @dev Boundary n+1 ends epoch n.
    function _requireEpochOver(uint16 programmeId, uint32 epoch) private view {
        bool over = epoch != 0 && epoch < programmes.boundaryCount(programmeId)
            && programmes.boundary(programmeId, epoch + 1) <= block.timestamp;
        if (!over) revert SharesEpochNotOver(programmeId, epoch);
    }
}
