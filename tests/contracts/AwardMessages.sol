// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {ISignedMessages} from "../../contracts/interfaces/ISignedMessages.sol";
import {Signing} from "./Signing.sol";

/// @title Signs batches of awards as a wallet does, from the types' text
abstract contract AwardMessages is Signing {
    string internal constant CREDITS_DOMAIN = "Moonlake Credits";

    string private constant AWARD = "Award(uint32 orgId,uint64 amount,string category,bytes32 evidence)";
    string private constant BATCH =
        "AwardBatch(uint16 programmeId,Award[] awards,address account,bytes32 operationId,uint256 deadline)";

    function _batch(
        uint16 programmeId,
        ICredits.Award[] memory awards,
        address account,
        bytes32 operationId,
        uint256 deadline
    ) internal pure returns (bytes32) {
        bytes memory all;
        for (uint256 i = 0; i < awards.length; ++i) {
            ICredits.Award memory given = awards[i];
            bytes32 award = keccak256(
                abi.encode(
                    keccak256(bytes(AWARD)),
                    given.orgId,
                    given.amount,
                    keccak256(_text(given.category)),
                    given.evidence
                )
            );
            all = bytes.concat(all, award);
        }
        bytes32 batchType = keccak256(bytes(string.concat(BATCH, AWARD)));
        return keccak256(abi.encode(batchType, programmeId, keccak256(all), account, operationId, deadline));
    }

    /// @dev A batch signed by a key for `target`.
    function _signedBatch(
        uint256 key,
        address target,
        uint16 programmeId,
        ICredits.Award[] memory awards,
        bytes32 operationId,
        uint256 deadline
    ) internal view returns (ISignedMessages.Signed memory) {
        bytes32 message = _batch(programmeId, awards, vm.addr(key), operationId, deadline);
        return _signed(key, target, CREDITS_DOMAIN, message, deadline);
    }

    /// @dev A key's text, one character after the other.
    function _text(bytes32 key) internal pure returns (bytes memory text) {
        for (uint256 i = 0; i < 32 && key[i] != 0; ++i) {
            text = bytes.concat(text, key[i]);
        }
    }
}
