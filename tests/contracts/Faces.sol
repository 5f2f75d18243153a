// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {
    IAccessControlDefaultAdminRules
} from "@openzeppelin/contracts/access/extensions/IAccessControlDefaultAdminRules.sol";
import {IAccessControl} from "@openzeppelin/contracts/access/IAccessControl.sol";
import {IERC5267} from "@openzeppelin/contracts/interfaces/IERC5267.sol";
import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IERC721Metadata} from "@openzeppelin/contracts/interfaces/IERC721Metadata.sol";
import {IAuthority} from "../../contracts/interfaces/IAuthority.sol";
import {IBenefits} from "../../contracts/interfaces/IBenefits.sol";
import {ICouncil} from "../../contracts/interfaces/ICouncil.sol";
import {ICreditTokens} from "../../contracts/interfaces/ICreditTokens.sol";
import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {IERC5192} from "../../contracts/interfaces/IERC5192.sol";
import {IERC7572} from "../../contracts/interfaces/IERC7572.sol";
import {IJournal} from "../../contracts/interfaces/IJournal.sol";
import {IMemberships} from "../../contracts/interfaces/IMemberships.sol";
import {IOrganisations} from "../../contracts/interfaces/IOrganisations.sol";
import {IProgrammes} from "../../contracts/interfaces/IProgrammes.sol";
import {IShares} from "../../contracts/interfaces/IShares.sol";

// Everything that can be called on each contract. The tests see the contracts through these and not
// through their sources: so only the contracts go through the slow, optimising compiler, and what is
// tested is the code that is deployed.

interface AuthorityFace is IAuthority, IJournal, IAccessControl, IAccessControlDefaultAdminRules, IERC165 {
    function MAX_ADMIN_DELAY() external view returns (uint48);
    function owner() external view returns (address);
    function paused() external view returns (bool);
}

interface ProgrammesFace is IProgrammes, IJournal {
    function MAX_APPROVALS() external view returns (uint8);
    function MAX_CHANGES() external view returns (uint256);
    function MAX_PROGRAMMES() external view returns (uint16);
    function MAX_SUPPLY_CAP() external view returns (uint64);
    function authority() external view returns (address);
}

interface OrganisationsFace is IOrganisations, IJournal, IERC5267 {
    function MAX_VALIDITY() external view returns (uint256);
    function MAX_REGISTRATIONS() external view returns (uint256);
    function MIN_RECOVERY_DELAY() external view returns (uint40);
    function MAX_RECOVERY_DELAY() external view returns (uint40);
    function authority() external view returns (address);
    function memberships() external view returns (address);
}

interface MembershipsFace is IMemberships, IJournal, IERC5267, IERC721Metadata, IERC5192, IERC7572 {
    function MAX_VALIDITY() external view returns (uint256);
    function MAX_BASE() external view returns (uint256);
    function MAX_CONSENTS() external view returns (uint256);
    function MAX_CHANGES() external view returns (uint256);
    function authority() external view returns (address);
    function programmes() external view returns (address);
    function organisations() external view returns (address);
}

interface CreditsFace is ICredits, IJournal, IERC5267 {
    function MAX_VALIDITY() external view returns (uint256);
    function HEAD_INTERVAL() external view returns (uint64);
    function MAX_AWARDS() external view returns (uint256);
    function MAX_REVERSALS() external view returns (uint256);
    function MAX_AWARDS_BY_CATEGORY() external view returns (uint256);
    function MAX_EXPIRIES() external view returns (uint256);
    function MAX_CARRY_OVERS() external view returns (uint256);
    function MAX_AMOUNT() external view returns (uint64);
    function authority() external view returns (address);
    function programmes() external view returns (address);
    function memberships() external view returns (address);
    function organisations() external view returns (address);
    function benefits() external view returns (address);
}

interface BenefitsFace is IBenefits, IJournal, IERC5267 {
    function MAX_VALIDITY() external view returns (uint256);
    function MAX_AMOUNT() external view returns (uint64);
    function MAX_FULFILMENTS() external view returns (uint256);
    function authority() external view returns (address);
    function programmes() external view returns (address);
    function organisations() external view returns (address);
    function memberships() external view returns (address);
    function credits() external view returns (address);
}

interface SharesFace is IShares, IJournal, IERC5267 {
    function MAX_VALIDITY() external view returns (uint256);
    function MIN_CHECKING_TIME() external view returns (uint40);
    function MAX_POOL() external view returns (uint64);
    function authority() external view returns (address);
    function programmes() external view returns (address);
    function organisations() external view returns (address);
}

interface CouncilFace is ICouncil, IJournal, IERC5267 {
    function MAX_VALIDITY() external view returns (uint256);
    function MAX_CALLS() external view returns (uint256);
    function MAX_CALL_BYTES() external view returns (uint256);
    function MAX_DURATION() external view returns (uint40);
    function authority() external view returns (address);
    function programmes() external view returns (address);
}

interface CreditTokensFace is ICreditTokens {
    function programmes() external view returns (address);
    function organisations() external view returns (address);
    function credits() external view returns (address);
}
