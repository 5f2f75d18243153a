// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Create2} from "@openzeppelin/contracts/utils/Create2.sol";
import {CreditToken} from "./CreditToken.sol";
import {ICredits} from "./interfaces/ICredits.sol";
import {ICreditTokens} from "./interfaces/ICreditTokens.sol";
import {IOrganisations} from "./interfaces/IOrganisations.sol";
import {IProgrammes} from "./interfaces/IProgrammes.sol";

/// @title Each programme's credits as wallets see them
/// @dev Tokens are whole contracts made by CREATE2, and no clones of one: nothing here delegates.
contract CreditTokens is ICreditTokens {
    IProgrammes public immutable programmes;
    IOrganisations public immutable organisations;
    ICredits public immutable credits;

    constructor(IProgrammes programmes_, IOrganisations organisations_, ICredits credits_) {
        programmes = programmes_;
        organisations = organisations_;
        credits = credits_;
    }

    /// @inheritdoc ICreditTokens
    function create(uint16 programmeId) external returns (address token) {
        programmes.requireProgramme(programmeId);
        token = tokenOf(programmeId);
        if (token.code.length != 0) revert CreditTokensExists(programmeId, token);
        emit CreditTokenCreated(programmeId, token);
        Create2.deploy(0, bytes32(uint256(programmeId)), _code(programmeId));
    }

    /// @inheritdoc ICreditTokens
    function tokenOf(uint16 programmeId) public view returns (address) {
        return Create2.computeAddress(bytes32(uint256(programmeId)), keccak256(_code(programmeId)));
    }

    function _code(uint16 programmeId) private view returns (bytes memory) {
        return
            bytes.concat(
                type(CreditToken).creationCode, abi.encode(programmeId, programmes, organisations, credits)
            );
    }
}
