// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title Who may do what
/// @notice Officers hold roles in a programme or in the whole alliance (programme 0). The default
/// admin appoints and dismisses them; the default admin itself changes in two steps with a delay.
interface IAuthority {
    /// @notice An account was given a role.
    /// @param sequence this contract's journal line
    /// @param role the role's name in the high bytes, its programme in the low two; zero for the
    /// default admin
    /// @param account who holds it now
    /// @param actor who did it
    /// @param operationId the command; zero where OpenZeppelin's own functions did it
    /// @param head the journal's head after this line
    event OfficerAppointed(
        uint64 indexed sequence,
        bytes32 indexed role,
        address indexed account,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice A role was taken from an account, or renounced by it. Fields as in OfficerAppointed.
    event OfficerDismissed(
        uint64 indexed sequence,
        bytes32 indexed role,
        address indexed account,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice The default admin named a successor, who may accept from `acceptableFrom` on (seconds
    /// since 1970 UTC). Takes the place of an earlier one. The zero address: the default admin means
    /// to renounce, leaving none.
    event AdminTransferBegun(
        uint64 indexed sequence, address indexed successor, uint48 acceptableFrom, address actor, bytes32 head
    );

    /// @notice The default admin withdrew the successor.
    event AdminTransferCancelled(uint64 indexed sequence, address actor, bytes32 head);

    /// @notice The delay of transfers is `delay` seconds from `effectiveFrom` on (seconds since 1970
    /// UTC). Takes the place of an earlier change that is not yet in force.
    event AdminDelayChangeBegun(
        uint64 indexed sequence, uint48 delay, uint48 effectiveFrom, address actor, bytes32 head
    );

    /// @notice The announced change of the delay was withdrawn.
    event AdminDelayChangeCancelled(uint64 indexed sequence, address actor, bytes32 head);

    /// @notice A guardian stopped the ledger until it resumes. The Authority itself goes on, and so do
    /// proposals whose calls all go to it (ICouncil), cancellations of proposals and of messages, a
    /// controller's objection to a recovery, and `CreditTokens.create`, which keeps nothing.
    event LedgerPaused(uint64 indexed sequence, address actor, bytes32 operationId, bytes32 head);

    /// @notice The default admin let the ledger go on.
    event LedgerResumed(uint64 indexed sequence, address actor, bytes32 operationId, bytes32 head);

    /// @notice The account does not hold the role, neither in the programme nor alliance-wide.
    error AuthorityRoleMissing(address account, bytes32 role, uint16 programmeId);

    /// @notice There is no such role.
    error AuthorityRoleUnknown(bytes32 role);

    /// @notice The account holds the role already.
    error AuthorityRoleHeld(address account, bytes32 role, uint16 programmeId);

    /// @notice The account does not hold the role that is to be taken from it.
    error AuthorityRoleNotHeld(address account, bytes32 role, uint16 programmeId);

    /// @notice The zero address cannot be an officer.
    error AuthorityAccountMissing();

    /// @notice The ledger is paused.
    error AuthorityPaused();

    /// @notice The delay of the default admin's transfers is at most a year.
    error AuthorityDelayTooLong(uint48 given, uint48 most);

    /// @notice Roles change by `appoint` and `dismiss`, which take an operation id.
    error AuthorityOperationIdNeeded();

    /// @notice Gives a role. Only the default admin.
    /// @param name the role's name, one of those in Roles.sol
    /// @param programmeId the programme; 0 for the whole alliance
    function appoint(bytes32 name, uint16 programmeId, address account, bytes32 operationId) external;

    /// @notice Takes a role. Only the default admin.
    function dismiss(bytes32 name, uint16 programmeId, address account, bytes32 operationId) external;

    /// @notice Stops the ledger, as far as LedgerPaused says. Only an alliance-wide guardian, or the default
    /// admin.
    function pause(bytes32 operationId) external;

    /// @notice Lets the ledger go on. Only the default admin.
    function resume(bytes32 operationId) external;

    /// @notice Whether the account holds the role in the programme or alliance-wide.
    function isOfficer(bytes32 name, uint16 programmeId, address account) external view returns (bool);

    /// @notice Reverts unless the ledger runs and the account holds the role.
    function requireOfficer(bytes32 name, uint16 programmeId, address account) external view;

    /// @notice Reverts unless the ledger runs and the account holds one of two roles. The error
    /// names the first.
    function requireEitherOfficer(bytes32 name, bytes32 orName, uint16 programmeId, address account) external view;

    /// @notice The journal line by which the account got the role in exactly this programme; 0 where it
    /// does not hold it. Of the default admin where name and programme are zero.
    function appointedAt(bytes32 name, uint16 programmeId, address account) external view returns (uint64);

    /// @notice Reverts while the ledger is paused.
    function requireRunning() external view;
}
