// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "./interfaces/ICredits.sol";
import {Keys} from "./Keys.sol";

/// @title The message that an issuer signs to award credits (EIP-712)
library AwardMessage {
    using Keys for bytes32;

    bytes32 private constant AWARD =
        keccak256("Award(uint32 orgId,uint64 amount,string category,bytes32 evidence)");
    bytes32 private constant AWARD_BATCH = keccak256(
        "AwardBatch(uint16 programmeId,Award[] awards,address account,bytes32 operationId,uint256 deadline)"
        "Award(uint32 orgId,uint64 amount,string category,bytes32 evidence)"
    );

    /// @dev An award as it is hashed for a signature.
    struct AwardWords {
        bytes32 typeHash;
        uint256 orgId;
        uint256 amount;
        bytes32 categoryHash;
        bytes32 evidence;
    }

    /// @dev The EIP-712 hash of a batch of awards, with each category as its text.
    function hash(
        uint16 programmeId,
        ICredits.Award[] calldata awards,
        address account,
        bytes32 operationId,
        uint256 deadline
    ) internal pure returns (bytes32) {
        bytes32[] memory hashes = new bytes32[](awards.length);
        AwardWords memory words;
        words.typeHash = AWARD;
        bytes32 last = 0;
        for (uint256 i = 0; i < awards.length; ++i) {
            ICredits.Award calldata given = awards[i];
            bytes32 category = given.category;
            if (category != last || i == 0) (last, words.categoryHash) = (category, category.textHash());
            words.orgId = given.orgId;
            words.amount = given.amount;
            words.evidence = given.evidence;
            bytes32 one;
            assembly ("memory-safe") {
                one := keccak256(words, 0xa0) // five words
            }
            hashes[i] = one;
        }
        bytes32 all = keccak256(abi.encodePacked(hashes));
        return keccak256(abi.encode(AWARD_BATCH, programmeId, all, account, operationId, deadline));
    }
}
