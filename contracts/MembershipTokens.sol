// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC165} from "@openzeppelin/contracts/interfaces/IERC165.sol";
import {IERC4906} from "@openzeppelin/contracts/interfaces/IERC4906.sol";
import {IERC721} from "@openzeppelin/contracts/interfaces/IERC721.sol";
import {ERC721} from "@openzeppelin/contracts/token/ERC721/ERC721.sol";
import {IAuthority} from "./interfaces/IAuthority.sol";
import {IERC5192} from "./interfaces/IERC5192.sol";
import {IERC7572} from "./interfaces/IERC7572.sol";
import {IMemberships} from "./interfaces/IMemberships.sol";
import {IOrganisations} from "./interfaces/IOrganisations.sol";
import {IProgrammes} from "./interfaces/IProgrammes.sol";
import {Roles} from "./Roles.sol";
import {SignedMessages} from "./SignedMessages.sol";

/// @title Memberships as wallets see them: tokens that nobody can move
/// @notice ERC-721, locked by ERC-5192, with metadata by ERC-4906 and ERC-7572. Two standards that look
/// near are not claimed. ERC-5484 fixes at the issue who may burn a token, issuer or owner, and here that
/// is neither: any officer with the role then revokes, and a token follows its organisation to another
/// controller. ERC-5643 lets holders renew and cancel a subscription, and pay for it; here officers renew
/// to a date, and both of its functions could only revert.
/// @dev A token's owner is not stored: it is the organisation's controller. So a token can never be
/// anywhere else, and an admission writes one storage slot.
abstract contract MembershipTokens is IMemberships, IERC5192, IERC4906, IERC7572, SignedMessages, ERC721 {
    /// @notice The most bytes in a base URI.
    uint256 public constant MAX_BASE = 256;

    IAuthority public immutable authority;
    IProgrammes public immutable programmes;
    IOrganisations public immutable organisations;

    mapping(uint16 programmeId => mapping(uint32 orgId => Membership)) internal _memberships;

    string private _base;

    constructor(IAuthority authority_, IProgrammes programmes_, IOrganisations organisations_)
        SignedMessages("Moonlake Memberships")
        ERC721("Moonlake membership", "MOONLAKE")
    {
        authority = authority_;
        programmes = programmes_;
        organisations = organisations_;
    }

    /// @inheritdoc IMemberships
    function changeMetadataBase(string calldata base, bytes32 operationId) external {
        authority.requireOfficer(Roles.COUNCIL, Roles.ALLIANCE_WIDE, msg.sender);
        uint256 given = bytes(base).length;
        if (given > MAX_BASE) revert MembershipsBaseTooLong(given, MAX_BASE);
        Pen memory pen = _begin(msg.sender, operationId);
        _base = base;
        bytes32 hash = keccak256(bytes(base));
        uint64 line = _next(pen);
        bytes32 head =
            _write(pen, keccak256(abi.encode(MetadataBaseChanged.selector, line, hash, msg.sender, operationId)));
        emit MetadataBaseChanged(line, hash, msg.sender, operationId, head);
        emit BatchMetadataUpdate(0, type(uint256).max);
        emit ContractURIUpdated();
        _end(pen);
    }

    /// @inheritdoc IMemberships
    /// @dev Of a member of MAX_PROGRAMMES, it takes 4.5 million gas.
    function announceMove(uint32 orgId, address from, address to) external {
        if (msg.sender != address(organisations)) revert MembershipsOnlyOrganisations(msg.sender);
        uint16 last = programmes.programmeCount();
        for (uint256 programmeId = 1; programmeId <= last; ++programmeId) {
            if (_isMember(_memberships[uint16(programmeId)][orgId].status)) {
                emit Transfer(from, to, _tokenId(uint16(programmeId), orgId));
            }
        }
    }

    /// @inheritdoc IERC5192
    function locked(uint256 tokenId) external view returns (bool) {
        _requireOwned(tokenId);
        return true;
    }

    /// @inheritdoc IERC7572
    function contractURI() external view returns (string memory) {
        return bytes(_base).length == 0 ? "" : string.concat(_base, "contract");
    }

    /// @inheritdoc IMemberships
    function membershipsOf(uint32 orgId) public view returns (uint256 count) {
        uint16 last = programmes.programmeCount();
        for (uint256 programmeId = 1; programmeId <= last; ++programmeId) {
            if (_isMember(_memberships[uint16(programmeId)][orgId].status)) ++count;
        }
    }

    /// @notice How many memberships the account's organisation holds.
    /// @dev Counted over the programmes, since nothing about owners is stored.
    function balanceOf(address owner) public view override(ERC721, IERC721) returns (uint256) {
        if (owner == address(0)) revert ERC721InvalidOwner(address(0));
        uint32 orgId = organisations.organisationOf(owner);
        return orgId == 0 ? 0 : membershipsOf(orgId);
    }

    /// @inheritdoc IERC165
    function supportsInterface(bytes4 interfaceId) public view override(ERC721, IERC165) returns (bool) {
        return interfaceId == type(IERC5192).interfaceId || interfaceId == 0x49064906 // ERC-4906 names this id itself, since it adds only events
            || super.supportsInterface(interfaceId);
    }

    /// @dev Always reverts: a membership is locked.
    function approve(address, uint256) public pure override(ERC721, IERC721) {
        revert MembershipsLocked();
    }

    /// @dev Always reverts: a membership is locked.
    function setApprovalForAll(address, bool) public pure override(ERC721, IERC721) {
        revert MembershipsLocked();
    }

    /// @dev Always reverts: a membership is locked.
    function transferFrom(address, address, uint256) public pure override(ERC721, IERC721) {
        revert MembershipsLocked();
    }

    /// @dev The only other ways to move a token end here; none of them is used.
    function _update(address, uint256, address) internal pure override returns (address) {
        revert MembershipsLocked();
    }

    function _baseURI() internal view override returns (string memory) {
        return _base;
    }

    function _ownerOf(uint256 tokenId) internal view override returns (address) {
        uint16 programmeId = uint16(tokenId >> 32);
        uint32 orgId = uint32(tokenId);
        if (tokenId >> 48 != 0 || !_isMember(_memberships[programmeId][orgId].status)) return address(0);
        return organisations.controllerOf(orgId);
    }

    function _isMember(Status status) internal pure returns (bool) {
        return status == Status.Active || status == Status.Suspended;
    }

    function _tokenId(uint16 programmeId, uint32 orgId) internal pure returns (uint256) {
        return uint256(programmeId) << 32 | orgId;
    }
}
