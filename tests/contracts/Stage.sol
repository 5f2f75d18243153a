// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {AuthorityFace, CreditsFace, MembershipsFace, OrganisationsFace, ProgrammesFace} from "./Faces.sol";
import {Lines} from "./Lines.sol";

/// @title All contracts deployed, with officers, two programmes, organisations and members
/// @notice Programme 1 has four members (organisations 1 to 4), programme 2 has two (1 and 2);
/// organisations 5 and 6 belong to none.
abstract contract Stage is Lines {
    uint40 internal constant NOW = 1_800_000_000;
    uint40 internal constant EXPIRY = NOW + 365 days;
    uint40 internal constant EPOCH_END = NOW + 30 days;
    uint48 internal constant ADMIN_DELAY = 2 days;
    uint64 internal constant CAP = 1_000_000;
    uint64 internal constant PER_AWARD = 1000;
    uint64 internal constant PER_EPOCH = 10_000;

    uint16 internal constant FIRST = 1;
    uint16 internal constant SECOND = 2;
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
    OrganisationsFace internal organisations;
    MembershipsFace internal memberships;
    CreditsFace internal credits;

    uint256 private _operations;

    function setUp() public virtual {
        vm.warp(NOW);
        authority = _deployAuthority(admin, ADMIN_DELAY);
        programmes = ProgrammesFace(vm.deployCode("Programmes.sol", abi.encode(authority)));
        organisations = OrganisationsFace(vm.deployCode("Organisations.sol", abi.encode(authority)));
        memberships =
            MembershipsFace(vm.deployCode("Memberships.sol", abi.encode(authority, programmes, organisations)));
        credits = CreditsFace(vm.deployCode("Credits.sol", abi.encode(authority, programmes, memberships)));
        _appoint(REGISTRAR_ROLE, 0, registrar);
        _appoint(COUNCIL_ROLE, 0, council);
        _appoint(GUARDIAN_ROLE, 0, guardian);
        _appoint(ISSUER_ROLE, FIRST, issuer);
        _found("alliance");
        _found("community");
        _register(6);
        for (uint32 orgId = 1; orgId <= 4; ++orgId) {
            _admit(FIRST, orgId);
            if (orgId <= 2) _admit(SECOND, orgId);
        }
        vm.prank(council);
        programmes.setBudget(FIRST, issuer, PER_AWARD, PER_EPOCH, _operation());
    }

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

    function _register(uint256 count) internal {
        IOrganisations.Registration[] memory given = _newcomers(count);
        vm.prank(registrar);
        organisations.register(given, _operation());
    }

    /// @dev The organisations that come next.
    function _newcomers(uint256 count) internal view returns (IOrganisations.Registration[] memory given) {
        given = new IOrganisations.Registration[](count);
        uint32 known = organisations.organisationCount();
        for (uint32 i = 0; i < count; ++i) {
            uint32 orgId = known + i + 1;
            given[i] = IOrganisations.Registration(
                _controller(orgId), "company", keccak256(abi.encode("profile", orgId))
            );
        }
    }

    function _admit(uint16 programmeId, uint32 orgId) internal {
        vm.prank(registrar);
        memberships.admit(programmeId, _admissions(orgId, FULL, EXPIRY), REASON, _operation());
    }

    function _admissions(uint32 orgId, uint8 tier, uint40 expiresAt)
        internal
        pure
        returns (IMemberships.Admission[] memory admissions)
    {
        admissions = new IMemberships.Admission[](1);
        admissions[0] = IMemberships.Admission(orgId, tier, expiresAt, EVIDENCE);
    }

    function _awards(uint32 orgId, uint64 amount) internal pure returns (ICredits.Award[] memory awards) {
        awards = new ICredits.Award[](1);
        awards[0] = ICredits.Award(orgId, amount, DATA, EVIDENCE);
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

    function _controller(uint32 orgId) internal pure returns (address) {
        return address(uint160(uint256(keccak256(abi.encode("controller", orgId)))));
    }

    function _account(string memory name) internal pure returns (address) {
        return address(uint160(uint256(keccak256(bytes(name)))));
    }

    function _one(bytes32 item) internal pure returns (bytes32[] memory items) {
        items = new bytes32[](1);
        items[0] = item;
    }

    function _one(uint32 item) internal pure returns (uint32[] memory items) {
        items = new uint32[](1);
        items[0] = item;
    }
}
