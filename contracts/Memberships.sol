// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IAuthority} from "./interfaces/IAuthority.sol";
import {IERC5192} from "./interfaces/IERC5192.sol";
import {IMemberships} from "./interfaces/IMemberships.sol";
import {IOrganisations} from "./interfaces/IOrganisations.sol";
import {IProgrammes} from "./interfaces/IProgrammes.sol";
import {Journal} from "./Journal.sol";
import {Keys} from "./Keys.sol";
import {Roles} from "./Roles.sol";
import {Times} from "./Times.sol";

/// @title Memberships
/// @dev A token's owner is not stored: it is the organisation's controller. So a token can never be
/// anywhere else, and an admission writes one storage slot.
contract Memberships is IMemberships, IERC5192, IERC4906, Journal, ERC721 {
    using Keys for bytes32;

    /// @notice The most memberships changed in one transaction. At worst, admitted for the first time,
    /// they take 8.1 million gas.
    uint256 public constant MAX_CHANGES = 200;

    IAuthority public immutable authority;
    IProgrammes public immutable programmes;
    IOrganisations public immutable organisations;

    mapping(uint16 programmeId => mapping(uint32 orgId => Membership)) private _memberships;

    /// @dev What all lines of one command have in common.
    struct Change {
        uint16 programmeId;
        bytes32 reason;
        bytes32 evidence;
        bytes32 operationId;
    }

    constructor(IAuthority authority_, IProgrammes programmes_, IOrganisations organisations_)
        ERC721("Moonlake membership", "MOONLAKE")
    {
        authority = authority_;
        programmes = programmes_;
        organisations = organisations_;
    }

    /// @inheritdoc IMemberships
    function admit(uint16 programmeId, Admission[] calldata admissions, bytes32 reason, bytes32 operationId)
        external
    {
        Change memory change = Change(programmeId, reason, 0, operationId);
        Pen memory pen = _beginChange(change, admissions.length);
        for (uint256 i = 0; i < admissions.length; ++i) {
            _admit(pen, change, admissions[i]);
        }
        _end(pen);
    }

    /// @inheritdoc IMemberships
    function renew(
        uint16 programmeId,
        Renewal[] calldata renewals,
        bytes32 reason,
        bytes32 evidence,
        bytes32 operationId
    ) external {
        Change memory change = Change(programmeId, reason, evidence, operationId);
        Pen memory pen = _beginChange(change, renewals.length);
        for (uint256 i = 0; i < renewals.length; ++i) {
            _renew(pen, change, renewals[i]);
        }
        _end(pen);
    }

    /// @inheritdoc IMemberships
    function changeTier(
        uint16 programmeId,
        TierChange[] calldata changes,
        bytes32 reason,
        bytes32 evidence,
        bytes32 operationId
    ) external {
        Change memory change = Change(programmeId, reason, evidence, operationId);
        Pen memory pen = _beginChange(change, changes.length);
        for (uint256 i = 0; i < changes.length; ++i) {
            _changeTier(pen, change, changes[i]);
        }
        _end(pen);
    }

    /// @inheritdoc IMemberships
    function suspend(
        uint16 programmeId,
        uint32[] calldata orgIds,
        bytes32 reason,
        bytes32 evidence,
        bytes32 operationId
    ) external {
        Change memory change = Change(programmeId, reason, evidence, operationId);
        Pen memory pen = _beginChange(change, orgIds.length);
        for (uint256 i = 0; i < orgIds.length; ++i) {
            _suspend(pen, change, orgIds[i]);
        }
        _end(pen);
    }

    /// @inheritdoc IMemberships
    function resume(
        uint16 programmeId,
        uint32[] calldata orgIds,
        bytes32 reason,
        bytes32 evidence,
        bytes32 operationId
    ) external {
        Change memory change = Change(programmeId, reason, evidence, operationId);
        Pen memory pen = _beginChange(change, orgIds.length);
        for (uint256 i = 0; i < orgIds.length; ++i) {
            _resume(pen, change, orgIds[i]);
        }
        _end(pen);
    }

    /// @inheritdoc IMemberships
    function revoke(
        uint16 programmeId,
        uint32[] calldata orgIds,
        bytes32 reason,
        bytes32 evidence,
        bytes32 operationId
    ) external {
        Change memory change = Change(programmeId, reason, evidence, operationId);
        Pen memory pen = _beginChange(change, orgIds.length);
        for (uint256 i = 0; i < orgIds.length; ++i) {
            _revoke(pen, change, orgIds[i]);
        }
        _end(pen);
    }

    /// @inheritdoc IMemberships
    function decline(
        uint16 programmeId,
        uint32[] calldata orgIds,
        bytes32 reason,
        bytes32 evidence,
        bytes32 operationId
    ) external {
        Change memory change = Change(programmeId, reason, evidence, operationId);
        Pen memory pen = _beginChange(change, orgIds.length);
        for (uint256 i = 0; i < orgIds.length; ++i) {
            _decline(pen, change, orgIds[i]);
        }
        _end(pen);
    }

    /// @inheritdoc IMemberships
    function membership(uint16 programmeId, uint32 orgId) external view returns (Membership memory) {
        return _memberships[programmeId][orgId];
    }

    /// @inheritdoc IMemberships
    function inGoodStanding(uint16 programmeId, uint32 orgId) external view returns (bool) {
        Membership storage held = _memberships[programmeId][orgId];
        return held.status == Status.Active && block.timestamp < held.expiresAt;
    }

    /// @inheritdoc IMemberships
    function requireGoodStanding(uint16 programmeId, uint32[] calldata orgIds) external view {
        mapping(uint32 orgId => Membership) storage memberships = _memberships[programmeId];
        for (uint256 i = 0; i < orgIds.length; ++i) {
            Membership storage held = memberships[orgIds[i]];
            Status status = held.status;
            if (status != Status.Active || block.timestamp >= held.expiresAt) {
                if (status == Status.None) revert MembershipsUnknown(programmeId, orgIds[i]);
                if (status == Status.Active) {
                    revert MembershipsLapsed(programmeId, orgIds[i], held.expiresAt);
                }
                revert MembershipsStatus(programmeId, orgIds[i], status, Status.Active);
            }
        }
    }

    /// @inheritdoc IERC5192
    function locked(uint256 tokenId) external view returns (bool) {
        _requireOwned(tokenId);
        return true;
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) public view override(ERC721, IERC165) returns (bool) {
        return interfaceId == type(IERC5192).interfaceId || interfaceId == 0x49064906 // ERC-4906 names this id itself, since it adds only events
            || super.supportsInterface(interfaceId);
    }

    /// @notice How many memberships the account's organisation holds.
    /// @dev Counted over the programmes, since nothing about owners is stored.
    function balanceOf(address owner) public view override(ERC721, IERC721) returns (uint256 count) {
        if (owner == address(0)) revert ERC721InvalidOwner(address(0));
        uint32 orgId = organisations.organisationOf(owner);
        if (orgId == 0) return 0;
        uint16 last = programmes.programmeCount();
        for (uint256 programmeId = 1; programmeId <= last; ++programmeId) {
            if (_isMember(_memberships[uint16(programmeId)][orgId].status)) ++count;
        }
    }

    /// @dev Always reverts: a membership is locked.
    function approve(address, uint256) public pure override(ERC721, IERC721) {
        revert MembershipsLocked();
    }

    /// @dev Always reverts: a membership is locked.
    function setApprovalForAll(address, bool) public pure override(ERC721, IERC721) {
        revert MembershipsLocked();
    }

    /// @dev Always reverts: a membership is locked.
    function transferFrom(address, address, uint256) public pure override(ERC721, IERC721) {
        revert MembershipsLocked();
    }

    /// @dev The only other ways to move a token end here; none of them is used.
    function _update(address, uint256, address) internal pure override returns (address) {
        revert MembershipsLocked();
    }

    function _ownerOf(uint256 tokenId) internal view override returns (address) {
        uint16 programmeId = uint16(tokenId >> 32);
        uint32 orgId = uint32(tokenId);
        if (tokenId >> 48 != 0 || !_isMember(_memberships[programmeId][orgId].status)) return address(0);
        return organisations.controllerOf(orgId);
    }

    function _beginChange(Change memory change, uint256 given) private returns (Pen memory) {
        programmes.requireProgramme(change.programmeId);
        authority.requireEitherOfficer(Roles.REGISTRAR, Roles.COUNCIL, change.programmeId, msg.sender);
        if (given == 0 || given > MAX_CHANGES) revert MembershipsBatchSize(given, MAX_CHANGES);
        if (change.reason != 0) change.reason.requireWellFormed();
        return _begin(change.operationId);
    }

    function _admit(Pen memory pen, Change memory change, Admission calldata admission) private {
        Status status = _memberships[change.programmeId][admission.orgId].status;
        if (_isMember(status)) revert MembershipsAlreadyMember(change.programmeId, admission.orgId);
        programmes.requireOpenTier(change.programmeId, admission.tier);
        _requireExpiry(admission.orgId, admission.expiresAt, uint40(block.timestamp) + 1);
        _memberships[change.programmeId][admission.orgId] =
            Membership(Status.Active, admission.tier, uint40(block.timestamp), admission.expiresAt);
        _journalAdmitted(pen, change, admission);
        uint256 tokenId = _tokenId(change.programmeId, admission.orgId);
        // Reverts where there is no such organisation.
        emit Transfer(address(0), organisations.controllerOf(admission.orgId), tokenId);
        emit Locked(tokenId);
    }

    function _journalAdmitted(Pen memory pen, Change memory change, Admission calldata admission) private {
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(
                MembershipAdmitted.selector,
                line,
                change.programmeId,
                admission.orgId,
                admission.tier,
                admission.expiresAt,
                change.reason,
                admission.evidence,
                msg.sender,
                change.operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit MembershipAdmitted(
            line,
            change.programmeId,
            admission.orgId,
            admission.tier,
            admission.expiresAt,
            change.reason,
            admission.evidence,
            msg.sender,
            change.operationId,
            head
        );
    }

    function _renew(Pen memory pen, Change memory change, Renewal calldata renewal) private {
        uint32 orgId = renewal.orgId;
        uint40 expiresAt = renewal.expiresAt;
        Membership storage held = _held(change.programmeId, orgId);
        _requireExpiry(orgId, expiresAt, Times.later(held.expiresAt, uint40(block.timestamp)) + 1);
        held.expiresAt = expiresAt;
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(
                MembershipRenewed.selector,
                line,
                change.programmeId,
                orgId,
                expiresAt,
                change.reason,
                change.evidence,
                msg.sender,
                change.operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit MembershipRenewed(
            line,
            change.programmeId,
            orgId,
            expiresAt,
            change.reason,
            change.evidence,
            msg.sender,
            change.operationId,
            head
        );
        emit MetadataUpdate(_tokenId(change.programmeId, orgId));
    }

    function _changeTier(Pen memory pen, Change memory change, TierChange calldata given) private {
        uint32 orgId = given.orgId;
        uint8 tier = given.tier;
        Membership storage held = _held(change.programmeId, orgId);
        if (held.tier == tier) revert MembershipsTierUnchanged(change.programmeId, orgId, tier);
        programmes.requireOpenTier(change.programmeId, tier);
        held.tier = tier;
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(
                MembershipTierChanged.selector,
                line,
                change.programmeId,
                orgId,
                tier,
                change.reason,
                change.evidence,
                msg.sender,
                change.operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit MembershipTierChanged(
            line,
            change.programmeId,
            orgId,
            tier,
            change.reason,
            change.evidence,
            msg.sender,
            change.operationId,
            head
        );
        emit MetadataUpdate(_tokenId(change.programmeId, orgId));
    }

    function _suspend(Pen memory pen, Change memory change, uint32 orgId) private {
        _setStatus(change.programmeId, orgId, Status.Active, Status.Suspended);
        bytes32 head = _write(pen, _plainHash(MembershipSuspended.selector, pen, change, orgId));
        emit MembershipSuspended(
            pen.sequence,
            change.programmeId,
            orgId,
            change.reason,
            change.evidence,
            msg.sender,
            change.operationId,
            head
        );
        emit MetadataUpdate(_tokenId(change.programmeId, orgId));
    }

    function _resume(Pen memory pen, Change memory change, uint32 orgId) private {
        _setStatus(change.programmeId, orgId, Status.Suspended, Status.Active);
        bytes32 head = _write(pen, _plainHash(MembershipResumed.selector, pen, change, orgId));
        emit MembershipResumed(
            pen.sequence,
            change.programmeId,
            orgId,
            change.reason,
            change.evidence,
            msg.sender,
            change.operationId,
            head
        );
        emit MetadataUpdate(_tokenId(change.programmeId, orgId));
    }

    function _revoke(Pen memory pen, Change memory change, uint32 orgId) private {
        _held(change.programmeId, orgId).status = Status.Revoked;
        bytes32 head = _write(pen, _plainHash(MembershipRevoked.selector, pen, change, orgId));
        emit MembershipRevoked(
            pen.sequence,
            change.programmeId,
            orgId,
            change.reason,
            change.evidence,
            msg.sender,
            change.operationId,
            head
        );
        emit Transfer(organisations.controllerOf(orgId), address(0), _tokenId(change.programmeId, orgId));
    }

    function _decline(Pen memory pen, Change memory change, uint32 orgId) private {
        organisations.controllerOf(orgId); // reverts where there is no such organisation
        if (_isMember(_memberships[change.programmeId][orgId].status)) {
            revert MembershipsAlreadyMember(change.programmeId, orgId);
        }
        bytes32 head = _write(pen, _plainHash(ApplicationDeclined.selector, pen, change, orgId));
        emit ApplicationDeclined(
            pen.sequence,
            change.programmeId,
            orgId,
            change.reason,
            change.evidence,
            msg.sender,
            change.operationId,
            head
        );
    }

    function _setStatus(uint16 programmeId, uint32 orgId, Status needed, Status next) private {
        Membership storage held = _memberships[programmeId][orgId];
        if (held.status == Status.None) revert MembershipsUnknown(programmeId, orgId);
        if (held.status != needed) revert MembershipsStatus(programmeId, orgId, held.status, needed);
        held.status = next;
    }

    /// @dev The membership, which must be active or suspended.
    function _held(uint16 programmeId, uint32 orgId) private view returns (Membership storage held) {
        held = _memberships[programmeId][orgId];
        if (held.status == Status.None) revert MembershipsUnknown(programmeId, orgId);
        if (held.status == Status.Revoked) revert MembershipsRevoked(programmeId, orgId);
    }

    /// @dev The hash of an event that has no fields but the common ones.
    function _plainHash(bytes32 selector, Pen memory pen, Change memory change, uint32 orgId)
        private
        view
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                selector,
                _next(pen),
                change.programmeId,
                orgId,
                change.reason,
                change.evidence,
                msg.sender,
                change.operationId
            )
        );
    }

    function _isMember(Status status) private pure returns (bool) {
        return status == Status.Active || status == Status.Suspended;
    }

    function _tokenId(uint16 programmeId, uint32 orgId) private pure returns (uint256) {
        return uint256(programmeId) << 32 | orgId;
    }

    function _requireExpiry(uint32 orgId, uint40 expiresAt, uint40 earliest) private pure {
        if (expiresAt < earliest) revert MembershipsExpiryTooEarly(orgId, expiresAt, earliest);
        if (expiresAt > Times.LAST) revert MembershipsExpiryTooLate(orgId, expiresAt, Times.LAST);
    }
}
