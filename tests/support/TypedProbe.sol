// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";

/// @title The digest of any message, written as our contracts write it; for the tests of Python's encoder
contract TypedProbe is EIP712 {
    struct Award {
        uint32 orgId;
        uint64 amount;
        string category;
        bytes32 evidence;
    }

    constructor(string memory name) EIP712(name, "1") {}

    function rotation(uint32 orgId, address successor, address account, bytes32 operationId, uint256 deadline)
        external view returns (bytes32)
    {
        return _digest(abi.encode(
            keccak256("Rotation(uint32 orgId,address successor,address account,bytes32 operationId,uint256 deadline)"),
            orgId, successor, account, operationId, deadline
        ));
    }

    function acceptance(uint32 orgId, address account, bytes32 operationId, uint256 deadline)
        external view returns (bytes32)
    {
        return _digest(abi.encode(
            keccak256("Acceptance(uint32 orgId,address account,bytes32 operationId,uint256 deadline)"),
            orgId, account, operationId, deadline
        ));
    }

    function objection(uint32 orgId, address successor, address account, bytes32 operationId, uint256 deadline)
        external view returns (bytes32)
    {
        return _digest(abi.encode(
            keccak256("Objection(uint32 orgId,address successor,address account,bytes32 operationId,uint256 deadline)"),
            orgId, successor, account, operationId, deadline
        ));
    }

    function application(
        uint16 programmeId, uint32 orgId, uint8 tier, bytes32 evidence, address account, bytes32 applicationId, uint256 deadline
    ) external view returns (bytes32) {
        return _digest(abi.encode(
            keccak256(
                "Application(uint16 programmeId,uint32 orgId,uint8 tier,bytes32 evidence,"
                "address account,bytes32 applicationId,uint256 deadline)"
            ),
            programmeId, orgId, tier, evidence, account, applicationId, deadline
        ));
    }

    function awardBatch(uint16 programmeId, Award[] calldata awards, address account, bytes32 operationId, uint256 deadline)
        external view returns (bytes32)
    {
        bytes32[] memory hashes = new bytes32[](awards.length);
        for (uint256 i = 0; i < awards.length; ++i) {
            hashes[i] = keccak256(abi.encode(
                keccak256("Award(uint32 orgId,uint64 amount,string category,bytes32 evidence)"),
                awards[i].orgId, awards[i].amount, keccak256(bytes(awards[i].category)), awards[i].evidence
            ));
        }
        return _digest(abi.encode(
            keccak256(
                "AwardBatch(uint16 programmeId,Award[] awards,address account,bytes32 operationId,uint256 deadline)"
                "Award(uint32 orgId,uint64 amount,string category,bytes32 evidence)"
            ),
            programmeId, keccak256(abi.encodePacked(hashes)), account, operationId, deadline
        ));
    }

    function redemption(
        uint16 programmeId, uint32 listingId, uint32 orgId, uint32 quantity, uint64 credits,
        address account, bytes32 operationId, uint256 deadline
    ) external view returns (bytes32) {
        return _digest(abi.encode(
            keccak256(
                "Redemption(uint16 programmeId,uint32 listingId,uint32 orgId,uint32 quantity,uint64 credits,"
                "address account,bytes32 operationId,uint256 deadline)"
            ),
            programmeId, listingId, orgId, quantity, credits, account, operationId, deadline
        ));
    }

    function claim(
        uint16 programmeId, uint32 distributionId, uint32 orgId, uint64 amount, address account, bytes32 operationId, uint256 deadline
    ) external view returns (bytes32) {
        return _digest(abi.encode(
            keccak256(
                "Claim(uint16 programmeId,uint32 distributionId,uint32 orgId,uint64 amount,"
                "address account,bytes32 operationId,uint256 deadline)"
            ),
            programmeId, distributionId, orgId, amount, account, operationId, deadline
        ));
    }

    function approval(
        uint16 programmeId, uint64 proposalId, bytes32 callsHash, address account, bytes32 operationId, uint256 deadline
    ) external view returns (bytes32) {
        return _digest(abi.encode(
            keccak256(
                "Approval(uint16 programmeId,uint64 proposalId,bytes32 callsHash,address account,bytes32 operationId,uint256 deadline)"
            ),
            programmeId, proposalId, callsHash, account, operationId, deadline
        ));
    }

    function cancellation(address account, bytes32 operationId, uint256 deadline) external view returns (bytes32) {
        return _digest(abi.encode(
            keccak256("Cancellation(address account,bytes32 operationId,uint256 deadline)"), account, operationId, deadline
        ));
    }

    function _digest(bytes memory encoded) private view returns (bytes32) {
        return _hashTypedDataV4(keccak256(encoded));
    }
}
