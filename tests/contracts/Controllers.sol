// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {ISignedMessages} from "../../contracts/interfaces/ISignedMessages.sol";
import {Commands} from "./Commands.sol";

/// @title Commands on who acts for an organisation, sent and signed
abstract contract Controllers is Commands {
    string internal constant DOMAIN_NAME = "Moonlake Organisations";
    bytes32 internal constant OPERATION = keccak256("this operation");
    uint256 internal constant DEADLINE = NOW + 1 days;

    address internal immutable successor = _account("successor");

    // --- commands; `failure` is empty where they must succeed

    function _nominates(uint32 orgId, address account, bytes memory failure) internal {
        _nominatesAs(organisations.controllerOf(orgId), orgId, account, failure);
    }

    function _nominatesAs(address sender, uint32 orgId, address account, bytes memory failure) internal {
        _sends(sender, abi.encodeCall(organisations.nominate, (orgId, account, _operation())), failure);
    }

    function _accepts(address sender, uint32 orgId, bytes memory failure) internal {
        _sends(sender, abi.encodeCall(organisations.acceptControl, (orgId, _operation())), failure);
    }

    function _rotates(uint32 orgId, address account) internal {
        _nominates(orgId, account, "");
        _accepts(account, orgId, "");
    }

    function _begins(uint32 orgId, address account, bytes memory failure) internal {
        _sends(
            council, abi.encodeCall(organisations.beginRecovery, (orgId, account, EVIDENCE, _operation())), failure
        );
    }

    function _stops(address sender, uint32 orgId, bytes memory failure) internal {
        _sends(sender, abi.encodeCall(organisations.stopRecovery, (orgId, _operation())), failure);
    }

    function _finishes(uint32 orgId, bytes memory failure) internal {
        _sends(council, abi.encodeCall(organisations.finishRecovery, (orgId, _operation())), failure);
    }

    function _retires(uint32 orgId, uint32 successorId, bytes memory failure) internal {
        _sends(
            council, abi.encodeCall(organisations.retire, (orgId, successorId, EVIDENCE, _operation())), failure
        );
    }

    function _registers(address controller, bytes memory failure) internal {
        IOrganisations.Registration[] memory given = new IOrganisations.Registration[](1);
        given[0] = IOrganisations.Registration(controller, "company", EVIDENCE);
        _sends(registrar, abi.encodeCall(organisations.register, (given, _operation())), failure);
    }

    function _sends(address sender, bytes memory data, bytes memory failure) internal {
        _send(address(organisations), sender, data, failure);
    }

    // --- messages, as they are specified in IOrganisations.sol

    function _rotation(uint32 orgId, address to, address account, bytes32 operationId, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                keccak256(
                    "Rotation(uint32 orgId,address successor,address account,bytes32 operationId,uint256 deadline)"
                ),
                orgId,
                to,
                account,
                operationId,
                deadline
            )
        );
    }

    function _acceptance(uint32 orgId, address account, bytes32 operationId, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        bytes32 kind = keccak256("Acceptance(uint32 orgId,address account,bytes32 operationId,uint256 deadline)");
        return keccak256(abi.encode(kind, orgId, account, operationId, deadline));
    }

    function _objection(uint32 orgId, address to, address account, bytes32 operationId, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        return keccak256(
            abi.encode(
                keccak256(
                    "Objection(uint32 orgId,address successor,address account,bytes32 operationId,uint256 deadline)"
                ),
                orgId,
                to,
                account,
                operationId,
                deadline
            )
        );
    }

    function _cancellation(address account, bytes32 operationId, uint256 deadline)
        internal
        pure
        returns (bytes32)
    {
        bytes32 kind = keccak256("Cancellation(address account,bytes32 operationId,uint256 deadline)");
        return keccak256(abi.encode(kind, account, operationId, deadline));
    }

    /// @dev A message to Organisations, signed by a key and good until DEADLINE.
    function _signed(uint256 key, bytes32 message) internal view returns (ISignedMessages.Signed memory) {
        return _signed(key, address(organisations), DOMAIN_NAME, message, DEADLINE);
    }

    function _orgDigest(bytes32 message) internal view returns (bytes32) {
        return _digest(address(organisations), DOMAIN_NAME, message);
    }

    // --- what one looks like

    function _assertControl(uint32 orgId, address controller) internal view {
        vm.assertEq(organisations.controllerOf(orgId), controller, "controller");
        vm.assertEq(organisations.organisation(orgId).controller, controller, "controller kept");
        vm.assertEq(organisations.organisationOf(controller), orgId, "organisation of the account");
    }

    /// @dev Nobody is named to act for it next.
    function _assertSettled(uint32 orgId) internal view {
        vm.assertEq(organisations.nominatedBy(orgId), address(0), "nominated");
        _assertRecovery(orgId, address(0), 0);
    }

    function _assertRecovery(uint32 orgId, address account, uint40 finishableFrom) internal view {
        (address foundAccount, uint40 foundTime) = organisations.recoveryOf(orgId);
        vm.assertEq(foundAccount, account, "successor");
        vm.assertEq(foundTime, finishableFrom, "finishable from");
    }

    function _changed(uint64 number, uint32 orgId, address to, address from, bool recovered, address actor)
        internal
        pure
        returns (bytes memory)
    {
        bytes32 selector = IOrganisations.ControllerChanged.selector;
        return abi.encode(selector, number, orgId, to, from, recovered, actor, OPERATION);
    }

    // --- errors

    function _notController(address account, uint32 orgId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrganisations.OrganisationsNotController.selector, account, orgId);
    }

    function _notNominated(address account, uint32 orgId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrganisations.OrganisationsNotNominated.selector, account, orgId);
    }

    function _notEntitled(address account, uint32 orgId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrganisations.OrganisationsNotEntitled.selector, account, orgId);
    }

    function _noRecovery(uint32 orgId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrganisations.OrganisationsNoRecovery.selector, orgId);
    }

    function _inUse(address controller, uint32 orgId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrganisations.OrganisationsControllerInUse.selector, controller, orgId);
    }

    function _unknown(uint32 orgId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrganisations.OrganisationsUnknown.selector, orgId);
    }

    function _retired(uint32 orgId) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(IOrganisations.OrganisationsRetired.selector, orgId);
    }

    function _missing() internal pure returns (bytes memory) {
        return abi.encodePacked(IOrganisations.OrganisationsControllerMissing.selector);
    }

    function _done(address target, address actor, bytes32 operationId) internal view returns (bytes memory) {
        uint64 line = IJournal(target).operationSequence(actor, operationId);
        return abi.encodeWithSelector(IJournal.JournalOperationDone.selector, operationId, line);
    }

    function _invalid(address account) internal pure returns (bytes memory) {
        return abi.encodeWithSelector(ISignedMessages.SignedInvalid.selector, account);
    }
}
