// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {
    BenefitsFace,
    CouncilFace,
    CreditTokensFace,
    CreditsFace,
    MembershipsFace,
    OrganisationsFace,
    ProgrammesFace,
    SharesFace
} from "./Faces.sol";
import {Officers} from "./Officers.sol";

/// @title All contracts deployed, with officers, two programmes, organisations and members
/// @notice Programme 1 has four members (organisations 1 to 4), programme 2 has two (1 and 2);
/// organisations 5 and 6 belong to none.
abstract contract Stage is Officers {
    /// @dev Where Organisations keeps how many there are.
    bytes32 internal constant COUNT_SLOT = bytes32(uint256(3));

    OrganisationsFace internal organisations;
    MembershipsFace internal memberships;
    CreditsFace internal credits;
    BenefitsFace internal benefits;
    SharesFace internal shares;
    CreditTokensFace internal creditTokens;

    function setUp() public virtual {
        vm.warp(NOW);
        _deploy();
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

    /// @dev In the order of a real deployment. Organisations and Credits each need a contract that comes
    /// after them, whose address follows from the deployer's next nonce.
    function _deploy() private {
        authority = _deployAuthority(admin, ADMIN_DELAY);
        programmes = ProgrammesFace(vm.deployCode("Programmes.sol", abi.encode(authority)));
        organisations = OrganisationsFace(
            vm.deployCode("Organisations.sol", abi.encode(authority, _deployedNext(1), RECOVERY_DELAY))
        );
        memberships =
            MembershipsFace(vm.deployCode("Memberships.sol", abi.encode(authority, programmes, organisations)));
        credits = CreditsFace(
            vm.deployCode(
                "Credits.sol", abi.encode(authority, programmes, organisations, memberships, _deployedNext(1))
            )
        );
        benefits = BenefitsFace(
            vm.deployCode("Benefits.sol", abi.encode(authority, programmes, organisations, memberships, credits))
        );
        shares = SharesFace(vm.deployCode("Shares.sol", abi.encode(authority, programmes, organisations)));
        councils = CouncilFace(vm.deployCode("Council.sol", abi.encode(authority, programmes, ALLIANCE_APPROVALS)));
        creditTokens =
            CreditTokensFace(vm.deployCode("CreditTokens.sol", abi.encode(programmes, organisations, credits)));
        vm.assertEq(organisations.memberships(), address(memberships), "where Organisations was told");
        vm.assertEq(credits.benefits(), address(benefits), "where Credits was told");
    }

    /// @dev The address of the contract that this one deploys after so many others.
    function _deployedNext(uint64 others) private view returns (address) {
        return vm.computeCreateAddress(address(this), vm.getNonce(address(this)) + others);
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

    function _controller(uint32 orgId) internal pure returns (address) {
        return vm.addr(_key(orgId));
    }

    /// @dev The key of an organisation's controller.
    function _key(uint32 orgId) internal pure returns (uint256) {
        return uint256(keccak256(abi.encode("controller", orgId)));
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
