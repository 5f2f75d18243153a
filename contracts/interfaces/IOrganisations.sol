// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignedMessages} from "./ISignedMessages.sol";

/// @title The organisations, and who acts for them
/// @notice An organisation is known by its id, never by its key. Its controller is the account that
/// acts for it now; an account controls at most one organisation.
///
/// The controller changes in one of two ways. A rotation: the controller names a successor, who
/// accepts; nobody becomes a controller by another's word, since that would keep the account from ever
/// acting for an organisation of its own. A recovery, where the key is lost: the alliance's council
/// names a successor, and if the controller has not objected when the delay is over, the council
/// finishes it. Memberships' tokens and balances are the organisation's, and so are the new
/// controller's at once.
///
/// A retired organisation has no controller, and who was it can act for another. If it was merged into
/// another, then or later (`nameSuccessor`), its balances can be carried over (`Credits.carryOver`), and
/// its shares claimed (`Shares.claim`). So an organisation whose key was stolen, by a thief who objects to
/// every recovery, goes on as another one: its memberships are revoked, it is registered anew and merged
/// into the new one.
interface IOrganisations is ISignedMessages {
    /// @param controller the account that acts for it
    /// @param kind what body it is: `company`, `association`, `investor` …
    /// @param profile commitment to its names and contacts, kept off the chain
    struct Registration {
        address controller;
        bytes32 kind;
        bytes32 profile;
    }

    /// @notice An organisation was registered.
    event OrganisationRegistered(
        uint64 indexed sequence,
        uint32 indexed orgId,
        address indexed controller,
        bytes32 kind,
        bytes32 profile,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice The commitment to an organisation's profile changed.
    event OrganisationProfileChanged(
        uint64 indexed sequence,
        uint32 indexed orgId,
        bytes32 profile,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice The controller named a successor, in place of one it named earlier; the zero address
    /// names none.
    event ControllerNominated(
        uint64 indexed sequence,
        uint32 indexed orgId,
        address indexed successor,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice Another account acts for the organisation now. Who was nominated is so no longer, and a
    /// recovery that was under way is stopped.
    /// @param previous who did before
    /// @param recovered whether by recovery; else by rotation
    event ControllerChanged(
        uint64 indexed sequence,
        uint32 indexed orgId,
        address indexed controller,
        address previous,
        bool recovered,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice The council named a successor of a controller that has lost its key.
    /// @param finishableFrom from this second on it can be finished
    event RecoveryBegun(
        uint64 indexed sequence,
        uint32 indexed orgId,
        address indexed successor,
        uint40 finishableFrom,
        bytes32 evidence,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice The controller objected, or the council withdrew it.
    event RecoveryStopped(
        uint64 indexed sequence,
        uint32 indexed orgId,
        address indexed successor,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice The organisation is no more, nor are a nomination and a recovery of it.
    /// @param successorId the organisation that it was merged into; 0 for none
    event OrganisationRetired(
        uint64 indexed sequence,
        uint32 indexed orgId,
        uint32 indexed successorId,
        bytes32 evidence,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice An organisation that was retired without a successor is part of another after all.
    event SuccessorNamed(
        uint64 indexed sequence,
        uint32 indexed orgId,
        uint32 indexed successorId,
        bytes32 evidence,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice No organisation has this id.
    error OrganisationsUnknown(uint32 orgId);
    /// @notice The zero address acts for nobody.
    error OrganisationsControllerMissing();
    /// @notice The account acts for an organisation already.
    error OrganisationsControllerInUse(address controller, uint32 orgId);
    error OrganisationsBatchSize(uint256 given, uint256 most);
    /// @notice The account is neither the controller nor an alliance-wide officer who may do it too: a
    /// registrar who changes a profile, a council officer who stops a recovery.
    error OrganisationsNotEntitled(address account, uint32 orgId);
    /// @notice The organisation is retired.
    error OrganisationsRetired(uint32 orgId);
    /// @notice The account is not the controller.
    error OrganisationsNotController(address account, uint32 orgId);
    /// @notice The account is not the one that the controller named.
    error OrganisationsNotNominated(address account, uint32 orgId);
    /// @notice No recovery of it is under way.
    error OrganisationsNoRecovery(uint32 orgId);
    /// @notice Another recovery is under way; stop it first.
    error OrganisationsRecoveryUnderWay(uint32 orgId, address successor);
    /// @notice The controller has time to object until that second.
    error OrganisationsRecoveryTooEarly(uint32 orgId, uint40 finishableFrom);
    /// @notice It holds memberships; revoke them first.
    error OrganisationsStillMember(uint32 orgId, uint256 memberships);
    /// @notice An organisation is not merged into itself.
    error OrganisationsSuccessorUnusable(uint32 orgId, uint32 successorId);
    /// @notice Only one that is retired is given a successor.
    error OrganisationsNotRetired(uint32 orgId);
    /// @notice It was merged into another; that is never changed.
    error OrganisationsSuccessorNamed(uint32 orgId, uint32 successorId);
    /// @notice The delay of recoveries is too short to object in, or longer than an organisation can wait.
    error OrganisationsDelayUnusable(uint40 given, uint40 least, uint40 most);
    /// @notice There are too few ids left for these.
    error OrganisationsFull();

    /// @notice Registers organisations, with consecutive ids. Only an alliance-wide registrar.
    /// @return firstOrgId the id of the first one
    function register(Registration[] calldata registrations, bytes32 operationId)
        external
        returns (uint32 firstOrgId);

    /// @notice Changes a profile's commitment. The controller, or an alliance-wide registrar.
    function changeProfile(uint32 orgId, bytes32 profile, bytes32 operationId) external;

    /// @notice Names the account that shall act for it next; zero withdraws. The controller.
    function nominate(uint32 orgId, address successor, bytes32 operationId) external;

    /// @notice Names it by the controller's signed message:
    /// `Rotation(uint32 orgId,address successor,address account,bytes32 operationId,uint256 deadline)`.
    function nominateBySignature(uint32 orgId, address successor, bytes32 operationId, Signed calldata signed)
        external;

    /// @notice Takes over. The nominated account. It stops a recovery that is under way.
    function acceptControl(uint32 orgId, bytes32 operationId) external;

    /// @notice Takes over by the nominated account's signed message:
    /// `Acceptance(uint32 orgId,address account,bytes32 operationId,uint256 deadline)`.
    function acceptControlBySignature(uint32 orgId, bytes32 operationId, Signed calldata signed) external;

    /// @notice Begins a recovery. An alliance-wide council officer.
    /// @param successor an account that acts for no organisation
    /// @param evidence commitment to the document that shows why
    function beginRecovery(uint32 orgId, address successor, bytes32 evidence, bytes32 operationId) external;

    /// @notice Stops a recovery: the controller objects, or the council withdraws it. The controller
    /// also while the ledger is paused.
    function stopRecovery(uint32 orgId, bytes32 operationId) external;

    /// @notice Objects by the controller's signed message, also while the ledger is paused. It names the
    /// successor that it objects to:
    /// `Objection(uint32 orgId,address successor,address account,bytes32 operationId,uint256 deadline)`.
    function stopRecoveryBySignature(uint32 orgId, bytes32 operationId, Signed calldata signed) external;

    /// @notice Gives the organisation to the successor, once the delay is over. An alliance-wide council
    /// officer.
    function finishRecovery(uint32 orgId, bytes32 operationId) external;

    /// @notice Retires an organisation that holds no membership; `successorId` is the one that it was
    /// merged into, 0 for none. An alliance-wide council officer.
    function retire(uint32 orgId, uint32 successorId, bytes32 evidence, bytes32 operationId) external;

    /// @notice Names the organisation that one retired without a successor is part of, once, and for good;
    /// it is not retired itself. What was carried over to it, or is due to it, is not lost so. An
    /// alliance-wide council officer.
    function nameSuccessor(uint32 orgId, uint32 successorId, bytes32 evidence, bytes32 operationId) external;

    /// @notice How many organisations there are; their ids are 1 to this number.
    function organisationCount() external view returns (uint32);

    /// @notice The account that acts for it. Reverts with OrganisationsUnknown, OrganisationsRetired.
    function controllerOf(uint32 orgId) external view returns (address);

    /// @notice The organisation that an account acts for; 0 for none.
    function organisationOf(address controller) external view returns (uint32);

    /// @notice What was registered, with the present controller and profile.
    /// The controller of a retired one is zero.
    function organisation(uint32 orgId) external view returns (Registration memory);

    /// @notice The account that the controller named; zero for none.
    function nominatedBy(uint32 orgId) external view returns (address);

    /// @notice The recovery under way; zeros for none.
    function recoveryOf(uint32 orgId) external view returns (address successor, uint40 finishableFrom);

    /// @notice Whether it is retired; one that was never registered is not.
    function isRetired(uint32 orgId) external view returns (bool);

    /// @notice The organisation that a retired one was merged into; 0 for none.
    function successorOf(uint32 orgId) external view returns (uint32);

    /// @notice Seconds between the beginning of a recovery and its earliest end.
    function recoveryDelay() external view returns (uint40);
}
