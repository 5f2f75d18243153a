// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "./interfaces/IAuthority.sol";
import {IMemberships} from "./interfaces/IMemberships.sol";
import {IOrganisations} from "./interfaces/IOrganisations.sol";
import {Keys} from "./Keys.sol";
import {Roles} from "./Roles.sol";
import {SignedMessages} from "./SignedMessages.sol";

/// @title The organisations, and who acts for them
/// @dev A command that takes away its own sender's right (who accepts is nominated no longer) counts its
/// operation before it looks at the right, so that the same operation is always refused as done.
contract Organisations is IOrganisations, SignedMessages {
    using Keys for bytes32;

    struct Recovery {
        address successor;
        uint40 finishableFrom;
    }

    /// @notice The most registrations in one transaction. They take 10.7 million gas.
    uint256 public constant MAX_REGISTRATIONS = 100;

    /// @notice A controller needs some time to object in.
    uint40 public constant MIN_RECOVERY_DELAY = 1 hours;

    /// @notice A longer delay would leave an organisation without its key for too long.
    uint40 public constant MAX_RECOVERY_DELAY = 90 days;

    bytes32 private constant ROTATION =
        keccak256("Rotation(uint32 orgId,address successor,address account,bytes32 operationId,uint256 deadline)");
    bytes32 private constant ACCEPTANCE =
        keccak256("Acceptance(uint32 orgId,address account,bytes32 operationId,uint256 deadline)");
    bytes32 private constant OBJECTION = keccak256(
        "Objection(uint32 orgId,address successor,address account,bytes32 operationId,uint256 deadline)"
    );

    IAuthority public immutable authority;
    IMemberships public immutable memberships;
    /// @inheritdoc IOrganisations
    uint40 public immutable recoveryDelay;

    uint32 private _count;
    /// @dev One that is retired has a kind, and no controller.
    mapping(uint32 orgId => Registration) private _organisations;
    mapping(address controller => uint32 orgId) private _byController;
    mapping(uint32 orgId => address) private _nominated;
    mapping(uint32 orgId => Recovery) private _recoveries;
    mapping(uint32 orgId => uint32) private _successors;

    /// @param recoveryDelay_ seconds in which a controller can object to a recovery
    constructor(IAuthority authority_, IMemberships memberships_, uint40 recoveryDelay_)
        SignedMessages("Moonlake Organisations")
    {
        if (recoveryDelay_ < MIN_RECOVERY_DELAY || recoveryDelay_ > MAX_RECOVERY_DELAY) {
            revert OrganisationsDelayUnusable(recoveryDelay_, MIN_RECOVERY_DELAY, MAX_RECOVERY_DELAY);
        }
        authority = authority_;
        memberships = memberships_;
        recoveryDelay = recoveryDelay_;
    }

    /// @inheritdoc IOrganisations
    function register(Registration[] calldata registrations, bytes32 operationId)
        external
        returns (uint32 firstOrgId)
    {
        authority.requireOfficer(Roles.REGISTRAR, Roles.ALLIANCE_WIDE, msg.sender);
        uint256 given = registrations.length;
        if (given == 0 || given > MAX_REGISTRATIONS) revert OrganisationsBatchSize(given, MAX_REGISTRATIONS);
        Pen memory pen = _begin(msg.sender, operationId);
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
        Pen memory pen = _begin(msg.sender, operationId);
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
    function nominate(uint32 orgId, address successor, bytes32 operationId) external {
        authority.requireRunning();
        _nominate(_begin(msg.sender, operationId), orgId, successor, msg.sender, operationId);
    }

    /// @inheritdoc IOrganisations
    function nominateBySignature(uint32 orgId, address successor, bytes32 operationId, Signed calldata signed)
        external
    {
        authority.requireRunning();
        address account = accountOf(signed.signer);
        Pen memory pen = _begin(account, operationId);
        bytes32 message = keccak256(abi.encode(ROTATION, orgId, successor, account, operationId, signed.deadline));
        _requireSigned(account, operationId, message, signed);
        _nominate(pen, orgId, successor, account, operationId);
    }

    /// @inheritdoc IOrganisations
    function acceptControl(uint32 orgId, bytes32 operationId) external {
        authority.requireRunning();
        _accept(_begin(msg.sender, operationId), orgId, msg.sender, operationId);
    }

    /// @inheritdoc IOrganisations
    function acceptControlBySignature(uint32 orgId, bytes32 operationId, Signed calldata signed) external {
        authority.requireRunning();
        address account = accountOf(signed.signer);
        Pen memory pen = _begin(account, operationId);
        bytes32 message = keccak256(abi.encode(ACCEPTANCE, orgId, account, operationId, signed.deadline));
        _requireSigned(account, operationId, message, signed);
        _accept(pen, orgId, account, operationId);
    }

    /// @inheritdoc IOrganisations
    function beginRecovery(uint32 orgId, address successor, bytes32 evidence, bytes32 operationId) external {
        authority.requireOfficer(Roles.COUNCIL, Roles.ALLIANCE_WIDE, msg.sender);
        Pen memory pen = _begin(msg.sender, operationId);
        controllerOf(orgId); // reverts where there is no such organisation
        address other = _recoveries[orgId].successor;
        if (other != address(0)) revert OrganisationsRecoveryUnderWay(orgId, other);
        _requireFree(successor);
        uint40 finishableFrom = uint40(block.timestamp) + recoveryDelay;
        _recoveries[orgId] = Recovery(successor, finishableFrom);
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(
                RecoveryBegun.selector, line, orgId, successor, finishableFrom, evidence, msg.sender, operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit RecoveryBegun(line, orgId, successor, finishableFrom, evidence, msg.sender, operationId, head);
        _end(pen);
    }

    /// @inheritdoc IOrganisations
    function stopRecovery(uint32 orgId, bytes32 operationId) external {
        if (msg.sender != controllerOf(orgId)) {
            authority.requireRunning();
            if (!authority.isOfficer(Roles.COUNCIL, Roles.ALLIANCE_WIDE, msg.sender)) {
                revert OrganisationsNotEntitled(msg.sender, orgId);
            }
        }
        Pen memory pen = _begin(msg.sender, operationId);
        _stopRecovery(pen, orgId, _recovery(orgId).successor, msg.sender, operationId);
    }

    /// @inheritdoc IOrganisations
    function stopRecoveryBySignature(uint32 orgId, bytes32 operationId, Signed calldata signed) external {
        address account = accountOf(signed.signer);
        Pen memory pen = _begin(account, operationId);
        address successor = _recovery(orgId).successor;
        bytes32 message = keccak256(abi.encode(OBJECTION, orgId, successor, account, operationId, signed.deadline));
        _requireSigned(account, operationId, message, signed);
        _requireController(orgId, account);
        _stopRecovery(pen, orgId, successor, account, operationId);
    }

    /// @inheritdoc IOrganisations
    function finishRecovery(uint32 orgId, bytes32 operationId) external {
        authority.requireOfficer(Roles.COUNCIL, Roles.ALLIANCE_WIDE, msg.sender);
        Pen memory pen = _begin(msg.sender, operationId);
        Recovery memory recovery = _recovery(orgId);
        if (block.timestamp < recovery.finishableFrom) {
            revert OrganisationsRecoveryTooEarly(orgId, recovery.finishableFrom);
        }
        _changeController(pen, orgId, recovery.successor, true, msg.sender, operationId);
    }

    /// @inheritdoc IOrganisations
    function retire(uint32 orgId, uint32 successorId, bytes32 evidence, bytes32 operationId) external {
        authority.requireOfficer(Roles.COUNCIL, Roles.ALLIANCE_WIDE, msg.sender);
        Pen memory pen = _begin(msg.sender, operationId);
        address controller = controllerOf(orgId);
        if (successorId == orgId) revert OrganisationsSuccessorUnusable(orgId, successorId);
        if (successorId != 0) controllerOf(successorId); // reverts where it cannot take over
        uint256 held = memberships.membershipsOf(orgId);
        if (held != 0) revert OrganisationsStillMember(orgId, held);
        delete _organisations[orgId].controller;
        delete _byController[controller];
        _successors[orgId] = successorId;
        _forgetSuccessors(orgId);
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(OrganisationRetired.selector, line, orgId, successorId, evidence, msg.sender, operationId)
        );
        bytes32 head = _write(pen, eventHash);
        emit OrganisationRetired(line, orgId, successorId, evidence, msg.sender, operationId, head);
        _end(pen);
    }

    /// @inheritdoc IOrganisations
    function nameSuccessor(uint32 orgId, uint32 successorId, bytes32 evidence, bytes32 operationId) external {
        authority.requireOfficer(Roles.COUNCIL, Roles.ALLIANCE_WIDE, msg.sender);
        Pen memory pen = _begin(msg.sender, operationId);
        if (!_isRetired(orgId)) revert OrganisationsNotRetired(orgId);
        uint32 named = _successors[orgId];
        if (named != 0) revert OrganisationsSuccessorNamed(orgId, named);
        controllerOf(successorId); // reverts where it cannot take over
        _successors[orgId] = successorId;
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(SuccessorNamed.selector, line, orgId, successorId, evidence, msg.sender, operationId)
        );
        bytes32 head = _write(pen, eventHash);
        emit SuccessorNamed(line, orgId, successorId, evidence, msg.sender, operationId, head);
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
        if (_organisations[orgId].kind == 0) revert OrganisationsUnknown(orgId);
        return _organisations[orgId];
    }

    /// @inheritdoc IOrganisations
    function nominatedBy(uint32 orgId) external view returns (address) {
        return _nominated[orgId];
    }

    /// @inheritdoc IOrganisations
    function recoveryOf(uint32 orgId) external view returns (address successor, uint40 finishableFrom) {
        Recovery storage recovery = _recoveries[orgId];
        return (recovery.successor, recovery.finishableFrom);
    }

    /// @inheritdoc IOrganisations
    function isRetired(uint32 orgId) external view returns (bool) {
        return _isRetired(orgId);
    }

    /// @inheritdoc IOrganisations
    function successorOf(uint32 orgId) external view returns (uint32) {
        return _successors[orgId];
    }

    /// @inheritdoc IOrganisations
    function controllerOf(uint32 orgId) public view returns (address controller) {
        controller = _organisations[orgId].controller;
        if (controller == address(0)) {
            if (_isRetired(orgId)) revert OrganisationsRetired(orgId);
            revert OrganisationsUnknown(orgId);
        }
    }

    function _register(Pen memory pen, uint32 orgId, Registration calldata given, bytes32 operationId) private {
        _requireFree(given.controller);
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

    function _nominate(Pen memory pen, uint32 orgId, address successor, address actor, bytes32 operationId)
        private
    {
        _requireController(orgId, actor);
        if (successor != address(0)) _requireFree(successor);
        _nominated[orgId] = successor;
        uint64 line = _next(pen);
        bytes32 head = _write(
            pen, keccak256(abi.encode(ControllerNominated.selector, line, orgId, successor, actor, operationId))
        );
        emit ControllerNominated(line, orgId, successor, actor, operationId, head);
        _end(pen);
    }

    function _accept(Pen memory pen, uint32 orgId, address actor, bytes32 operationId) private {
        if (actor != _nominated[orgId]) revert OrganisationsNotNominated(actor, orgId);
        _changeController(pen, orgId, actor, false, actor, operationId);
    }

    function _stopRecovery(Pen memory pen, uint32 orgId, address successor, address actor, bytes32 operationId)
        private
    {
        delete _recoveries[orgId];
        uint64 line = _next(pen);
        bytes32 head = _write(
            pen, keccak256(abi.encode(RecoveryStopped.selector, line, orgId, successor, actor, operationId))
        );
        emit RecoveryStopped(line, orgId, successor, actor, operationId, head);
        _end(pen);
    }

    /// @dev The successor may have come to act for another organisation since it was named.
    function _changeController(
        Pen memory pen,
        uint32 orgId,
        address controller,
        bool recovered,
        address actor,
        bytes32 operationId
    ) private {
        _requireFree(controller);
        address previous = _organisations[orgId].controller;
        _organisations[orgId].controller = controller;
        delete _byController[previous];
        _byController[controller] = orgId;
        _forgetSuccessors(orgId);
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(
                ControllerChanged.selector, line, orgId, controller, previous, recovered, actor, operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit ControllerChanged(line, orgId, controller, previous, recovered, actor, operationId, head);
        _end(pen);
        memberships.announceMove(orgId, previous, controller);
    }

    /// @dev Who was named by a controller of before is named no longer.
    function _forgetSuccessors(uint32 orgId) private {
        delete _nominated[orgId];
        delete _recoveries[orgId];
    }

    function _recovery(uint32 orgId) private view returns (Recovery memory recovery) {
        recovery = _recoveries[orgId];
        if (recovery.successor == address(0)) revert OrganisationsNoRecovery(orgId);
    }

    function _isRetired(uint32 orgId) private view returns (bool) {
        return _organisations[orgId].controller == address(0) && _organisations[orgId].kind != 0;
    }

    /// @dev An account can become a controller: there is one, and it acts for no organisation.
    function _requireFree(address account) private view {
        if (account == address(0)) revert OrganisationsControllerMissing();
        uint32 holder = _byController[account];
        if (holder != 0) revert OrganisationsControllerInUse(account, holder);
    }

    function _requireController(uint32 orgId, address account) private view {
        if (account != controllerOf(orgId)) revert OrganisationsNotController(account, orgId);
    }
}
