// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IProgrammes} from "../../../contracts/interfaces/IProgrammes.sol";

/// @title Stands for the contracts around one that is looked at: refuses nothing, and says what it is told to
/// @notice Whatever holds beside it holds by the contract's own rules.
contract Obliging {
    bool public council;
    IProgrammes.AwardTerms private _terms;
    uint64 private _categoryBudget;

    fallback() external {}

    function setCouncil(bool council_) external {
        council = council_;
    }

    function setTerms(IProgrammes.AwardTerms calldata terms, uint64 categoryBudget) external {
        _terms = terms;
        _categoryBudget = categoryBudget;
    }

    function isOfficer(bytes32, uint16, address) external view returns (bool) {
        return council;
    }

    function awardTerms(uint16, address) external view returns (IProgrammes.AwardTerms memory) {
        return _terms;
    }

    function categoryBudgets(uint16, address, bytes32[] calldata categories)
        external
        view
        returns (uint64[] memory budgets)
    {
        budgets = new uint64[](categories.length);
        for (uint256 i = 0; i < categories.length; ++i) {
            budgets[i] = _categoryBudget;
        }
    }
}
