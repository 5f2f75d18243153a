// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The organisations, and who acts for them
/// @notice An organisation is known by its id, never by its key. Its controller is the account that
/// acts for it now; an account controls at most one organisation.
interface IOrganisations {
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

    /// @notice No organisation has this id.
    error OrganisationsUnknown(uint32 orgId);
    error OrganisationsControllerMissing();
    /// @notice The account acts for another organisation already.
    error OrganisationsControllerInUse(address controller, uint32 orgId);
    error OrganisationsBatchSize(uint256 given, uint256 most);
    /// @notice The account is neither the controller nor an alliance-wide registrar.
    error OrganisationsNotEntitled(address account, uint32 orgId);
    /// @notice There are too few ids left for these.
    error OrganisationsFull();

    /// @notice Registers organisations, with consecutive ids. Only an alliance-wide registrar.
    /// @return firstOrgId the id of the first one
    function register(Registration[] calldata registrations, bytes32 operationId)
        external
        returns (uint32 firstOrgId);

    /// @notice Changes a profile's commitment. The controller, or an alliance-wide registrar.
    function changeProfile(uint32 orgId, bytes32 profile, bytes32 operationId) external;

    /// @notice How many organisations there are; their ids are 1 to this number.
    function organisationCount() external view returns (uint32);

    /// @notice The account that acts for it. Reverts with OrganisationsUnknown.
    function controllerOf(uint32 orgId) external view returns (address);

    /// @notice The organisation that an account acts for; 0 for none.
    function organisationOf(address controller) external view returns (uint32);

    /// @notice What was registered, with the present controller and profile.
    function organisation(uint32 orgId) external view returns (Registration memory);
}
