// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IERC20} from "@openzeppelin/contracts/interfaces/IERC20.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/interfaces/IERC20Metadata.sol";
import {Strings} from "@openzeppelin/contracts/utils/Strings.sol";
import {ICredits} from "./interfaces/ICredits.sol";
import {ICreditToken} from "./interfaces/ICreditToken.sol";
import {IOrganisations} from "./interfaces/IOrganisations.sol";
import {IProgrammes} from "./interfaces/IProgrammes.sol";
import {Keys} from "./Keys.sol";

/// @title The read-only ERC-20 face of one programme's credits
/// @dev Keeps nothing: each answer is read from the ledger.
contract CreditToken is ICreditToken, IERC20Metadata {
    using Keys for bytes32;

    /// @inheritdoc ICreditToken
    uint16 public immutable programmeId;

    IProgrammes public immutable programmes;
    IOrganisations public immutable organisations;
    ICredits public immutable credits;

    constructor(uint16 programmeId_, IProgrammes programmes_, IOrganisations organisations_, ICredits credits_) {
        programmeId = programmeId_;
        programmes = programmes_;
        organisations = organisations_;
        credits = credits_;
    }

    /// @inheritdoc IERC20Metadata
    function name() external view returns (string memory) {
        return string.concat("Moonlake credits, ", programmes.programme(programmeId).key.text());
    }

    /// @inheritdoc IERC20Metadata
    /// @dev By the id, since wallets take no more than eleven characters.
    function symbol() external view returns (string memory) {
        return string.concat("MOON-", Strings.toString(programmeId));
    }

    /// @inheritdoc IERC20Metadata
    function decimals() external pure returns (uint8) {
        return 0;
    }

    /// @inheritdoc IERC20
    function totalSupply() external view returns (uint256) {
        return _shown(credits.outstanding(programmeId));
    }

    /// @inheritdoc IERC20
    function balanceOf(address account) external view returns (uint256) {
        uint32 orgId = organisations.organisationOf(account);
        return orgId == 0 ? 0 : _shown(credits.balanceOf(programmeId, orgId));
    }

    /// @inheritdoc IERC20
    function allowance(address, address) external pure returns (uint256) {
        return 0;
    }

    /// @dev Always reverts: a credit is no payment.
    function transfer(address, uint256) external pure returns (bool) {
        revert CreditTokenReadOnly();
    }

    /// @dev Always reverts: a credit is no payment.
    function approve(address, uint256) external pure returns (bool) {
        revert CreditTokenReadOnly();
    }

    /// @dev Always reverts: a credit is no payment.
    function transferFrom(address, address, uint256) external pure returns (bool) {
        revert CreditTokenReadOnly();
    }

    function _shown(int64 amount) private pure returns (uint256) {
        return amount < 0 ? 0 : uint64(amount);
    }
}
