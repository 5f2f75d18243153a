// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AuthorityFace, CouncilFace, ProgrammesFace} from "./Faces.sol";
import {Lines} from "./Lines.sol";
import {Signing} from "./Signing.sol";

/// @title Officers, programmes and councils, without any organisation
/// @notice Everybody has a key, `_key`, by the same name as the account.
abstract contract Officers is Lines, Signing {
    uint40 internal constant NOW = 1_800_000_000;
    uint40 internal constant EXPIRY = NOW + 365 days;
    uint40 internal constant RECOVERY_DELAY = 7 days;
    uint40 internal constant EPOCH_END = NOW + 30 days;
    uint48 internal constant ADMIN_DELAY = 2 days;
    uint64 internal constant CAP = 1_000_000;
    uint64 internal constant PER_AWARD = 1000;
    uint64 internal constant PER_EPOCH = 10_000;

    uint16 internal constant FIRST = 1;
    uint16 internal constant SECOND = 2;
    uint8 internal constant ALLIANCE_APPROVALS = 2;
    uint8 internal constant FULL = 1;
    uint8 internal constant OBSERVER = 2;
    bytes32 internal constant DATA = "data.acquire";
    bytes32 internal constant BUILD = "satellite.manufacture";
    bytes32 internal constant REASON = "board.decision";
    bytes32 internal constant EVIDENCE = keccak256("evidence");

    bytes32 internal constant REGISTRAR_ROLE = "registrar";
    bytes32 internal constant ISSUER_ROLE = "issuer";
    bytes32 internal constant TREASURER_ROLE = "treasurer";
    bytes32 internal constant COUNCIL_ROLE = "council";
    bytes32 internal constant COUNCILLOR_ROLE = "councillor";
    bytes32 internal constant GUARDIAN_ROLE = "guardian";

    // Officers: of the whole alliance, but for the issuer, who is of the first programme.
    address internal immutable admin = _account("admin");
    address internal immutable registrar = _account("registrar");
    address internal immutable council = _account("council");
    address internal immutable issuer = _account("issuer");
    address internal immutable guardian = _account("guardian");
    address internal immutable stranger = _account("stranger");

    AuthorityFace internal authority;
    ProgrammesFace internal programmes;
    CouncilFace internal councils;

    uint256 private _operations;

    function _deployAuthority(address first, uint48 delay) internal returns (AuthorityFace) {
        return AuthorityFace(vm.deployCode("Authority.sol", abi.encode(first, delay)));
    }

    function _appoint(bytes32 name, uint16 programmeId, address account) internal {
        vm.prank(admin);
        authority.appoint(name, programmeId, account, _operation());
    }

    /// @dev A programme with two tiers, two categories and three epochs, now in the first.
    function _found(bytes32 key) internal returns (uint16 programmeId) {
        vm.prank(council);
        programmeId = programmes.createProgramme(key, keccak256(abi.encode(key)), CAP, 2, _operation());
        bytes32[] memory tiers = new bytes32[](2);
        (tiers[0], tiers[1]) = ("full", "observer");
        vm.prank(council);
        programmes.addTiers(programmeId, tiers, _operation());
        bytes32[] memory categories = new bytes32[](2);
        (categories[0], categories[1]) = (DATA, BUILD);
        vm.prank(council);
        programmes.openCategories(programmeId, categories, _operation());
        uint40[] memory boundaries = new uint40[](4);
        for (uint40 i = 0; i < 4; ++i) {
            boundaries[i] = EPOCH_END + i * 30 days - 30 days;
        }
        boundaries[0] = NOW - 30 days;
        vm.prank(council);
        programmes.appendBoundaries(programmeId, boundaries, _operation());
    }

    function _pause() internal {
        vm.prank(guardian);
        authority.pause(_operation());
    }

    function _resume() internal {
        vm.prank(admin);
        authority.resume(_operation());
    }

    /// @dev An operation id that was not used before.
    function _operation() internal returns (bytes32) {
        return keccak256(abi.encode("operation", ++_operations));
    }

    /// @dev The one that `_operation` gave last.
    function _lastOperation() internal view returns (bytes32) {
        return keccak256(abi.encode("operation", _operations));
    }

    function _account(string memory name) internal pure returns (address) {
        return vm.addr(_key(name));
    }

    function _key(string memory name) internal pure returns (uint256) {
        return uint256(keccak256(bytes(name)));
    }
}
