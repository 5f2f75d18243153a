// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AccessControl} from "@openzeppelin/contracts/access/AccessControl.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {
    AccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/AccessControlDefaultAdminRules.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {IAuthority} from "./interfaces/IAuthority.sol";
import {Journal} from "./Journal.sol";
import {Roles} from "./Roles.sol";

/// @title Who may do what
contract Authority is IAuthority, Journal, AccessControlDefaultAdminRules, Pausable {
    /// @notice The longest delay of the default admin's transfers. Longer ones are mistakes, such as
    /// milliseconds, that could not be undone within a lifetime.
    uint48 public constant MAX_ADMIN_DELAY = 365 days;

    mapping(bytes32 role => mapping(address account => uint64 sequence)) private _appointedAt;

    /// @param admin the first default admin
    /// @param adminDelay how many seconds a successor must wait before accepting
    constructor(address admin, uint48 adminDelay) AccessControlDefaultAdminRules(adminDelay, admin) {
        _requireDelay(adminDelay);
    }

    /// @inheritdoc IAuthority
    function appoint(bytes32 name, uint16 programmeId, address account, bytes32 operationId)
        external
        onlyRole(DEFAULT_ADMIN_ROLE)
    {
        if (!Roles.known(name)) revert AuthorityRoleUnknown(name);
        if (account == address(0)) revert AuthorityAccountMissing();
        Pen memory pen = _begin(msg.sender, operationId);
        bytes32 role = Roles.inProgramme(name, programmeId);
        if (!super._grantRole(role, account)) revert AuthorityRoleHeld(account, name, programmeId);
        _journalAppointed(pen, role, account, operationId);
    }

    /// @inheritdoc IAuthority
    function dismiss(bytes32 name, uint16 programmeId, address account, bytes32 operationId)
        external
        onlyRole(DEFAULT_ADMIN_ROLE)
    {
        if (!Roles.known(name)) revert AuthorityRoleUnknown(name);
        Pen memory pen = _begin(msg.sender, operationId);
        bytes32 role = Roles.inProgramme(name, programmeId);
        if (!super._revokeRole(role, account)) revert AuthorityRoleNotHeld(account, name, programmeId);
        _journalDismissed(pen, role, account, operationId);
    }

    /// @inheritdoc IAuthority
    function pause(bytes32 operationId) external {
        if (msg.sender != defaultAdmin() && !isOfficer(Roles.GUARDIAN, Roles.ALLIANCE_WIDE, msg.sender)) {
            revert AuthorityRoleMissing(msg.sender, Roles.GUARDIAN, Roles.ALLIANCE_WIDE);
        }
        Pen memory pen = _begin(msg.sender, operationId);
        _pause();
        uint64 line = _next(pen);
        bytes32 head = _write(pen, keccak256(abi.encode(LedgerPaused.selector, line, msg.sender, operationId)));
        emit LedgerPaused(line, msg.sender, operationId, head);
        _end(pen);
    }

    /// @inheritdoc IAuthority
    function resume(bytes32 operationId) external onlyRole(DEFAULT_ADMIN_ROLE) {
        Pen memory pen = _begin(msg.sender, operationId);
        _unpause();
        uint64 line = _next(pen);
        bytes32 head = _write(pen, keccak256(abi.encode(LedgerResumed.selector, line, msg.sender, operationId)));
        emit LedgerResumed(line, msg.sender, operationId, head);
        _end(pen);
    }

    /// @dev Refused, since every command takes an operation id; `appoint` does it.
    function grantRole(bytes32, address) public pure override(AccessControlDefaultAdminRules) {
        revert AuthorityOperationIdNeeded();
    }

    /// @dev Refused, since every command takes an operation id; `dismiss` does it.
    function revokeRole(bytes32, address) public pure override(AccessControlDefaultAdminRules) {
        revert AuthorityOperationIdNeeded();
    }

    /// @inheritdoc IAuthority
    function requireOfficer(bytes32 name, uint16 programmeId, address account) external view {
        requireRunning();
        if (!isOfficer(name, programmeId, account)) revert AuthorityRoleMissing(account, name, programmeId);
    }

    /// @inheritdoc IAuthority
    function requireEitherOfficer(bytes32 name, bytes32 orName, uint16 programmeId, address account)
        external
        view
    {
        requireRunning();
        if (!isOfficer(name, programmeId, account) && !isOfficer(orName, programmeId, account)) {
            revert AuthorityRoleMissing(account, name, programmeId);
        }
    }

    /// @inheritdoc IAuthority
    function appointedAt(bytes32 name, uint16 programmeId, address account) external view returns (uint64) {
        return _appointedAt[Roles.inProgramme(name, programmeId)][account];
    }

    /// @inheritdoc IAuthority
    function isOfficer(bytes32 name, uint16 programmeId, address account) public view returns (bool) {
        return hasRole(Roles.inProgramme(name, programmeId), account)
            || hasRole(Roles.inProgramme(name, Roles.ALLIANCE_WIDE), account);
    }

    /// @inheritdoc IAuthority
    function requireRunning() public view {
        if (paused()) revert AuthorityPaused();
    }

    /// @dev Reached by OpenZeppelin's own functions: the constructor and the accepted transfer.
    function _grantRole(bytes32 role, address account) internal override returns (bool granted) {
        granted = super._grantRole(role, account);
        if (granted) _journalAppointed(_pen(), role, account, 0);
    }

    /// @dev Reached by OpenZeppelin's own functions: renouncing and the accepted transfer.
    function _revokeRole(bytes32 role, address account) internal override returns (bool revoked) {
        revoked = super._revokeRole(role, account);
        if (revoked) _journalDismissed(_pen(), role, account, 0);
    }

    function _beginDefaultAdminTransfer(address successor) internal override {
        super._beginDefaultAdminTransfer(successor);
        (, uint48 schedule) = pendingDefaultAdmin();
        uint48 acceptableFrom = schedule + 1; // OpenZeppelin's schedule is the last second of waiting
        Pen memory pen = _pen();
        uint64 line = _next(pen);
        bytes32 head = _write(
            pen, keccak256(abi.encode(AdminTransferBegun.selector, line, successor, acceptableFrom, msg.sender))
        );
        emit AdminTransferBegun(line, successor, acceptableFrom, msg.sender, head);
        _end(pen);
    }

    function _cancelDefaultAdminTransfer() internal override {
        (, uint48 schedule) = pendingDefaultAdmin();
        if (schedule == 0) return; // nothing to cancel, so nothing to journal
        super._cancelDefaultAdminTransfer();
        Pen memory pen = _pen();
        uint64 line = _next(pen);
        bytes32 head = _write(pen, keccak256(abi.encode(AdminTransferCancelled.selector, line, msg.sender)));
        emit AdminTransferCancelled(line, msg.sender, head);
        _end(pen);
    }

    function _changeDefaultAdminDelay(uint48 delay) internal override {
        _requireDelay(delay);
        super._changeDefaultAdminDelay(delay);
        (, uint48 schedule) = pendingDefaultAdminDelay();
        uint48 effectiveFrom = schedule + 1; // OpenZeppelin's schedule is the last second of waiting
        Pen memory pen = _pen();
        uint64 line = _next(pen);
        bytes32 head = _write(
            pen, keccak256(abi.encode(AdminDelayChangeBegun.selector, line, delay, effectiveFrom, msg.sender))
        );
        emit AdminDelayChangeBegun(line, delay, effectiveFrom, msg.sender, head);
        _end(pen);
    }

    function _rollbackDefaultAdminDelay() internal override {
        (, uint48 schedule) = pendingDefaultAdminDelay();
        if (schedule == 0) return; // nothing announced, or in force already: nothing is cancelled
        super._rollbackDefaultAdminDelay();
        Pen memory pen = _pen();
        uint64 line = _next(pen);
        bytes32 head = _write(pen, keccak256(abi.encode(AdminDelayChangeCancelled.selector, line, msg.sender)));
        emit AdminDelayChangeCancelled(line, msg.sender, head);
        _end(pen);
    }

    function _requireDelay(uint48 delay) private pure {
        if (delay > MAX_ADMIN_DELAY) revert AuthorityDelayTooLong(delay, MAX_ADMIN_DELAY);
    }

    function _journalAppointed(Pen memory pen, bytes32 role, address account, bytes32 operationId) private {
        uint64 line = _next(pen);
        _appointedAt[role][account] = line;
        bytes32 head = _write(
            pen, keccak256(abi.encode(OfficerAppointed.selector, line, role, account, msg.sender, operationId))
        );
        emit OfficerAppointed(line, role, account, msg.sender, operationId, head);
        _end(pen);
    }

    function _journalDismissed(Pen memory pen, bytes32 role, address account, bytes32 operationId) private {
        uint64 line = _next(pen);
        _appointedAt[role][account] = 0;
        bytes32 head = _write(
            pen, keccak256(abi.encode(OfficerDismissed.selector, line, role, account, msg.sender, operationId))
        );
        emit OfficerDismissed(line, role, account, msg.sender, operationId, head);
        _end(pen);
    }
}
