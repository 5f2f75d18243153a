// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignedMessages} from "./ISignedMessages.sol";

/// @title Memberships
/// @notice An organisation's standing in a programme, shown to wallets as a locked token.
/// `tokenId = programmeId << 32 | orgId`, so that there is one for each organisation and programme,
/// for ever. The token's owner is the organisation's controller, whoever that is; a revoked
/// membership has no token. Times are seconds since 1970 UTC.
///
/// Every change carries a reason (a key such as `fee.unpaid`; zero for none) and a commitment to
/// evidence kept off the chain (zero for none).
interface IMemberships is ISignedMessages {
    enum Status {
        None,
        Active,
        Suspended,
        Revoked
    }

    struct Membership {
        Status status;
        uint8 tier;
        uint40 admittedAt;
        uint40 expiresAt;
    }

    struct Admission {
        uint32 orgId;
        uint8 tier;
        uint40 expiresAt;
        bytes32 evidence;
    }

    /// @notice An applicant's agreement to be admitted, by its controller's signed message:
    /// `Application(uint16 programmeId,uint32 orgId,uint8 tier,bytes32 evidence,address account,bytes32 applicationId,uint256 deadline)`,
    /// with the tier and the evidence of its admission.
    /// @param applicationId counts once, as an operation id does
    struct Consent {
        bytes32 applicationId;
        Signed signed;
    }

    struct Renewal {
        uint32 orgId;
        uint40 expiresAt;
    }

    struct TierChange {
        uint32 orgId;
        uint8 tier;
    }

    /// @notice An organisation was admitted, for the first time or after a revocation.
    event MembershipAdmitted(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint32 indexed orgId,
        uint8 tier,
        uint40 expiresAt,
        bytes32 reason,
        bytes32 evidence,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice The organisation's controller agreed to the admission in the next line.
    event ApplicationConsented(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint32 indexed orgId,
        address account,
        bytes32 applicationId,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice Tokens' metadata is found elsewhere now.
    /// @param base keccak256 of the base URI
    event MetadataBaseChanged(
        uint64 indexed sequence, bytes32 base, address actor, bytes32 operationId, bytes32 head
    );

    event MembershipRenewed(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint32 indexed orgId,
        uint40 expiresAt,
        bytes32 reason,
        bytes32 evidence,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    event MembershipTierChanged(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint32 indexed orgId,
        uint8 tier,
        bytes32 reason,
        bytes32 evidence,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    event MembershipSuspended(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint32 indexed orgId,
        bytes32 reason,
        bytes32 evidence,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    event MembershipResumed(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint32 indexed orgId,
        bytes32 reason,
        bytes32 evidence,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    event MembershipRevoked(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint32 indexed orgId,
        bytes32 reason,
        bytes32 evidence,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice An organisation applied and was not admitted. Changes no standing.
    event ApplicationDeclined(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint32 indexed orgId,
        bytes32 reason,
        bytes32 evidence,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice The organisation was never admitted to the programme.
    error MembershipsUnknown(uint16 programmeId, uint32 orgId);
    /// @notice The organisation is a member already (active or suspended).
    error MembershipsAlreadyMember(uint16 programmeId, uint32 orgId);
    /// @notice The membership is in another state than the change needs.
    error MembershipsStatus(uint16 programmeId, uint32 orgId, Status found, Status needed);
    error MembershipsRevoked(uint16 programmeId, uint32 orgId);
    error MembershipsLapsed(uint16 programmeId, uint32 orgId, uint40 expiredAt);
    /// @notice An expiry must lie in the future, and a renewal must move it to a later time.
    error MembershipsExpiryTooEarly(uint32 orgId, uint40 given, uint40 earliest);
    /// @notice No time is later than the year 9999.
    error MembershipsExpiryTooLate(uint32 orgId, uint40 given, uint40 latest);
    error MembershipsTierUnchanged(uint16 programmeId, uint32 orgId, uint8 tier);
    error MembershipsBatchSize(uint256 given, uint256 most);
    /// @notice Each admission needs the consent that stands at its place.
    error MembershipsConsentCount(uint256 admissions, uint256 consents);
    /// @notice The consent is signed by an account that does not act for the applicant.
    error MembershipsNotController(address account, uint32 orgId);
    /// @notice Only the Organisations contract says that tokens moved.
    error MembershipsOnlyOrganisations(address account);
    /// @notice A base URI has at most so many bytes.
    error MembershipsBaseTooLong(uint256 given, uint256 most);
    /// @notice A membership cannot be transferred or approved.
    error MembershipsLocked();

    /// @notice Admits organisations. Registrar or council of the programme, as for all changes.
    function admit(uint16 programmeId, Admission[] calldata admissions, bytes32 reason, bytes32 operationId)
        external;

    function renew(
        uint16 programmeId,
        Renewal[] calldata renewals,
        bytes32 reason,
        bytes32 evidence,
        bytes32 operationId
    ) external;

    function changeTier(
        uint16 programmeId,
        TierChange[] calldata changes,
        bytes32 reason,
        bytes32 evidence,
        bytes32 operationId
    ) external;

    /// @notice Suspends active memberships, lapsed ones too.
    function suspend(
        uint16 programmeId,
        uint32[] calldata orgIds,
        bytes32 reason,
        bytes32 evidence,
        bytes32 operationId
    ) external;

    /// @notice Ends suspensions.
    function resume(
        uint16 programmeId,
        uint32[] calldata orgIds,
        bytes32 reason,
        bytes32 evidence,
        bytes32 operationId
    ) external;

    /// @notice Ends memberships; their tokens are burnt. Only a new admission undoes it.
    function revoke(
        uint16 programmeId,
        uint32[] calldata orgIds,
        bytes32 reason,
        bytes32 evidence,
        bytes32 operationId
    ) external;

    /// @notice Admits applicants that agreed: `consents[i]` is of `admissions[i]`. Registrar or council. At
    /// most MAX_CONSENTS. All or none: an applicant that cancels its consent meanwhile fails the batch, which
    /// is given again without it.
    function admitByConsent(
        uint16 programmeId,
        Admission[] calldata admissions,
        Consent[] calldata consents,
        bytes32 reason,
        bytes32 operationId
    ) external;

    /// @notice Changes where tokens' metadata is found: `base` + the token's id; and the collection's own:
    /// `base` + `contract`. An alliance-wide council officer. At most MAX_BASE bytes.
    function changeMetadataBase(string calldata base, bytes32 operationId) external;

    /// @notice Emits the Transfers of an organisation's tokens to its new controller, which already owns
    /// them. Only Organisations.
    function announceMove(uint32 orgId, address from, address to) external;

    /// @notice How many memberships an organisation holds, suspended and lapsed ones too.
    function membershipsOf(uint32 orgId) external view returns (uint256);

    /// @notice Records that applications were declined.
    function decline(
        uint16 programmeId,
        uint32[] calldata orgIds,
        bytes32 reason,
        bytes32 evidence,
        bytes32 operationId
    ) external;

    /// @notice The membership; all zero where the organisation was never admitted.
    function membership(uint16 programmeId, uint32 orgId) external view returns (Membership memory);

    /// @notice Whether the membership is active and not past its expiry.
    function inGoodStanding(uint16 programmeId, uint32 orgId) external view returns (bool);

    /// @notice Reverts, naming the reason, unless each organisation is in good standing.
    function requireGoodStanding(uint16 programmeId, uint32[] calldata orgIds) external view;
}
