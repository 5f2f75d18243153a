// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "./interfaces/IAuthority.sol";
import {IOrganisations} from "./interfaces/IOrganisations.sol";
import {Journal} from "./Journal.sol";
import {Keys} from "./Keys.sol";
import {Roles} from "./Roles.sol";

/// @title The organisations, and who acts for them
contract Organisations is IOrganisations, Journal {
    using Keys for bytes32;

    /// @notice The most registrations in one transaction. They take 10.7 million gas.
    uint256 public constant MAX_REGISTRATIONS = 100;

    IAuthority public immutable authority;

    uint32 private _count;
    mapping(uint32 orgId => Registration) private _organisations;
    mapping(address controller => uint32 orgId) private _byController;

    constructor(IAuthority authority_) {
        authority = authority_;
    }

    /// @inheritdoc IOrganisations
    function register(Registration[] calldata registrations, bytes32 operationId)
        external
        returns (uint32 firstOrgId)
    {
        authority.requireOfficer(Roles.REGISTRAR, Roles.ALLIANCE_WIDE, msg.sender);
        uint256 given = registrations.length;
        if (given == 0 || given > MAX_REGISTRATIONS) revert OrganisationsBatchSize(given, MAX_REGISTRATIONS);
        Pen memory pen = _begin(operationId);
        uint32 orgId = _count;
        if (type(uint32).max - orgId < given) revert OrganisationsFull();
        firstOrgId = orgId + 1;
        for (uint256 i = 0; i < given; ++i) {
            _register(pen, ++orgId, registrations[i], operationId);
        }
        _count = orgId;
        _end(pen);
    }

    /// @inheritdoc IOrganisations
    function changeProfile(uint32 orgId, bytes32 profile, bytes32 operationId) external {
        authority.requireRunning();
        bool entitled = msg.sender == controllerOf(orgId)
            || authority.isOfficer(Roles.REGISTRAR, Roles.ALLIANCE_WIDE, msg.sender);
        if (!entitled) revert OrganisationsNotEntitled(msg.sender, orgId);
        Pen memory pen = _begin(operationId);
        _organisations[orgId].profile = profile;
        uint64 line = _next(pen);
        bytes32 head = _write(
            pen,
            keccak256(
                abi.encode(OrganisationProfileChanged.selector, line, orgId, profile, msg.sender, operationId)
            )
        );
        emit OrganisationProfileChanged(line, orgId, profile, msg.sender, operationId, head);
        _end(pen);
    }

    /// @inheritdoc IOrganisations
    function organisationCount() external view returns (uint32) {
        return _count;
    }

    /// @inheritdoc IOrganisations
    function organisationOf(address controller) external view returns (uint32) {
        return _byController[controller];
    }

    /// @inheritdoc IOrganisations
    function organisation(uint32 orgId) external view returns (Registration memory) {
        if (_organisations[orgId].controller == address(0)) revert OrganisationsUnknown(orgId);
        return _organisations[orgId];
    }

    /// @inheritdoc IOrganisations
    function controllerOf(uint32 orgId) public view returns (address controller) {
        controller = _organisations[orgId].controller;
        if (controller == address(0)) revert OrganisationsUnknown(orgId);
    }

    function _register(Pen memory pen, uint32 orgId, Registration calldata given, bytes32 operationId) private {
        if (given.controller == address(0)) revert OrganisationsControllerMissing();
        uint32 holder = _byController[given.controller];
        if (holder != 0) revert OrganisationsControllerInUse(given.controller, holder);
        given.kind.requireWellFormed();
        _organisations[orgId] = given;
        _byController[given.controller] = orgId;
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(
                OrganisationRegistered.selector,
                line,
                orgId,
                given.controller,
                given.kind,
                given.profile,
                msg.sender,
                operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit OrganisationRegistered(
            line, orgId, given.controller, given.kind, given.profile, msg.sender, operationId, head
        );
    }
}
