// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "./interfaces/IAuthority.sol";
import {IMemberships} from "./interfaces/IMemberships.sol";
import {IOrganisations} from "./interfaces/IOrganisations.sol";
import {IProgrammes} from "./interfaces/IProgrammes.sol";
import {Keys} from "./Keys.sol";
import {MembershipTokens} from "./MembershipTokens.sol";
import {Roles} from "./Roles.sol";
import {Times} from "./Times.sol";

/// @title Memberships
contract Memberships is MembershipTokens {
    using Keys for bytes32;

    /// @notice The most memberships changed in one transaction. At worst, admitted for the first time,
    /// they take 8.1 million gas.
    uint256 public constant MAX_CHANGES = 200;

    /// @notice The most admissions by consent in one transaction. Signed by keys, they take 8.4 million
    /// gas; the rest is for the contracts that check the signatures of wallets and other signers, which can
    /// take all that there is: who applies by such a one is admitted in a batch of its own.
    uint256 public constant MAX_CONSENTS = 100;

    bytes32 private constant APPLICATION = keccak256(
        "Application(uint16 programmeId,uint32 orgId,uint8 tier,bytes32 evidence,address account,bytes32 applicationId,uint256 deadline)"
    );

    uint8 private constant NO_TIER = 0;

    /// @dev What all lines of one command have in common.
    /// @param openTier a tier that was found open, NO_TIER for none yet
    struct Change {
        uint16 programmeId;
        bytes32 reason;
        bytes32 evidence;
        bytes32 operationId;
        uint8 openTier;
    }

    constructor(IAuthority authority_, IProgrammes programmes_, IOrganisations organisations_)
        MembershipTokens(authority_, programmes_, organisations_)
    {}

    /// @inheritdoc IMemberships
    function admit(uint16 programmeId, Admission[] calldata admissions, bytes32 reason, bytes32 operationId)
        external
    {
        Change memory change = Change(programmeId, reason, 0, operationId, NO_TIER);
        Pen memory pen = _beginChange(change, admissions.length, MAX_CHANGES);
        for (uint256 i = 0; i < admissions.length; ++i) {
            _admit(pen, change, admissions[i]);
        }
        _end(pen);
    }

    /// @inheritdoc IMemberships
    function admitByConsent(
        uint16 programmeId,
        Admission[] calldata admissions,
        Consent[] calldata consents,
        bytes32 reason,
        bytes32 operationId
    ) external {
        Change memory change = Change(programmeId, reason, 0, operationId, NO_TIER);
        Pen memory pen = _beginChange(change, admissions.length, MAX_CONSENTS);
        if (consents.length != admissions.length) {
            revert MembershipsConsentCount(admissions.length, consents.length);
        }
        for (uint256 i = 0; i < admissions.length; ++i) {
            _consent(pen, change, admissions[i], consents[i]);
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
        Change memory change = Change(programmeId, reason, evidence, operationId, NO_TIER);
        Pen memory pen = _beginChange(change, renewals.length, MAX_CHANGES);
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
        Change memory change = Change(programmeId, reason, evidence, operationId, NO_TIER);
        Pen memory pen = _beginChange(change, changes.length, MAX_CHANGES);
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
        _changeEach(_suspend, Change(programmeId, reason, evidence, operationId, NO_TIER), orgIds);
    }

    /// @inheritdoc IMemberships
    function resume(
        uint16 programmeId,
        uint32[] calldata orgIds,
        bytes32 reason,
        bytes32 evidence,
        bytes32 operationId
    ) external {
        _changeEach(_resume, Change(programmeId, reason, evidence, operationId, NO_TIER), orgIds);
    }

    /// @inheritdoc IMemberships
    function revoke(
        uint16 programmeId,
        uint32[] calldata orgIds,
        bytes32 reason,
        bytes32 evidence,
        bytes32 operationId
    ) external {
        _changeEach(_revoke, Change(programmeId, reason, evidence, operationId, NO_TIER), orgIds);
    }

    /// @inheritdoc IMemberships
    function decline(
        uint16 programmeId,
        uint32[] calldata orgIds,
        bytes32 reason,
        bytes32 evidence,
        bytes32 operationId
    ) external {
        _changeEach(_decline, Change(programmeId, reason, evidence, operationId, NO_TIER), orgIds);
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

    /// @dev Changes one membership after the other by one of the functions below.
    function _changeEach(
        function(Pen memory, Change memory, uint32) changeOne,
        Change memory change,
        uint32[] calldata orgIds
    ) private {
        Pen memory pen = _beginChange(change, orgIds.length, MAX_CHANGES);
        for (uint256 i = 0; i < orgIds.length; ++i) {
            changeOne(pen, change, orgIds[i]);
        }
        _end(pen);
    }

    function _beginChange(Change memory change, uint256 given, uint256 most) private returns (Pen memory) {
        programmes.requireProgramme(change.programmeId);
        authority.requireEitherOfficer(Roles.REGISTRAR, Roles.COUNCIL, change.programmeId, msg.sender);
        if (given == 0 || given > most) revert MembershipsBatchSize(given, most);
        if (change.reason != 0) change.reason.requireWellFormed();
        return _begin(msg.sender, change.operationId);
    }

    /// @dev Uses up the application, and notes which account agreed.
    function _consent(Pen memory pen, Change memory change, Admission calldata admission, Consent calldata consent)
        private
    {
        bytes32 applicationId = consent.applicationId;
        address account = accountOf(consent.signed.signer);
        _use(pen, account, applicationId);
        bytes32 message = keccak256(
            abi.encode(
                APPLICATION,
                change.programmeId,
                admission.orgId,
                admission.tier,
                admission.evidence,
                account,
                applicationId,
                consent.signed.deadline
            )
        );
        _requireSigned(account, applicationId, message, consent.signed);
        if (account != organisations.controllerOf(admission.orgId)) {
            revert MembershipsNotController(account, admission.orgId);
        }
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(
                ApplicationConsented.selector,
                line,
                change.programmeId,
                admission.orgId,
                account,
                applicationId,
                msg.sender,
                change.operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit ApplicationConsented(
            line, change.programmeId, admission.orgId, account, applicationId, msg.sender, change.operationId, head
        );
    }

    function _admit(Pen memory pen, Change memory change, Admission calldata admission) private {
        Status status = _memberships[change.programmeId][admission.orgId].status;
        if (_isMember(status)) revert MembershipsAlreadyMember(change.programmeId, admission.orgId);
        _requireOpenTier(change, admission.tier);
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
        _requireOpenTier(change, tier);
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

    /// @dev Asks once for one tier after the other that is the same: 1,600 gas less for an admission.
    function _requireOpenTier(Change memory change, uint8 tier) private view {
        if (tier == change.openTier && tier != NO_TIER) return;
        programmes.requireOpenTier(change.programmeId, tier);
        change.openTier = tier;
    }

    function _requireExpiry(uint32 orgId, uint40 expiresAt, uint40 earliest) private pure {
        if (expiresAt < earliest) revert MembershipsExpiryTooEarly(orgId, expiresAt, earliest);
        if (expiresAt > Times.LAST) revert MembershipsExpiryTooLate(orgId, expiresAt, Times.LAST);
    }
}
