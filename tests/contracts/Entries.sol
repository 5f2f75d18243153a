// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "../../contracts/interfaces/ICredits.sol";
import {Commands} from "./Commands.sol";
import {Vm} from "./Vm.sol";

/// @title Keeps the credit journal's entries as an observer of its logs would, to prove them later
abstract contract Entries is Commands {
    bytes32 internal constant POLICY = keccak256("policy");

    /// @param entry the entry
    /// @param headBefore the journal's head before it
    /// @param eventHash the entry's own hash
    struct Posted {
        ICredits.Entry entry;
        bytes32 headBefore;
        bytes32 eventHash;
    }

    /// @dev The fields of EntryPosted that are not indexed.
    struct Tail {
        ICredits.Kind kind;
        bytes32 category;
        int64 amount;
        int64 balanceAfter;
        bytes32 evidence;
        uint64 refersTo;
        address actor;
        bytes32 operationId;
        bytes32 head;
    }

    /// @dev All lines of the journal so far: line n at n-1. One that is no entry (a cancelled message) is
    /// of kind None.
    Posted[] internal posted;

    /// @dev Awards, and keeps the entries. Returns the number of the last one.
    function _award(address sender, uint16 programmeId, ICredits.Award[] memory awards) internal returns (uint64) {
        bytes32 operationId = _operation();
        vm.recordLogs();
        vm.prank(sender);
        credits.award(programmeId, awards, operationId);
        return _collect(vm.getRecordedLogs());
    }

    function _award(uint32 orgId, uint64 amount) internal returns (uint64) {
        return _award(council, FIRST, _awards(orgId, amount));
    }

    /// @dev Awards of 1, 2, 3 … to the organisation, in one command.
    function _awardSeveral(uint32 orgId, uint256 count) internal returns (uint64) {
        ICredits.Award[] memory awards = new ICredits.Award[](count);
        for (uint64 i = 0; i < count; ++i) {
            awards[i] = ICredits.Award(orgId, i + 1, DATA, keccak256(abi.encode(i)));
        }
        return _award(council, FIRST, awards);
    }

    /// @dev Reverses the entries in one command, and keeps the reversals.
    function _reverse(address sender, uint64[] memory entryIds) internal returns (uint64) {
        ICredits.Reversal[] memory reversals = new ICredits.Reversal[](entryIds.length);
        for (uint256 i = 0; i < entryIds.length; ++i) {
            reversals[i] = _reversal(entryIds[i]);
        }
        uint16 programmeId = reversals[0].entry.programmeId;
        bytes32 operationId = _operation();
        vm.recordLogs();
        vm.prank(sender);
        credits.reverse(programmeId, reversals, operationId);
        return _collect(vm.getRecordedLogs());
    }

    /// @dev Reverses one, and keeps the reversal.
    function _reverseOne(address sender, uint64 entryId) internal returns (uint64) {
        uint64[] memory ids = new uint64[](1);
        ids[0] = entryId;
        return _reverse(sender, ids);
    }

    /// @dev Lets credits expire, and keeps the entries.
    function _expire(uint16 programmeId, ICredits.Expiry[] memory expiries) internal returns (uint64) {
        bytes32 operationId = _operation();
        vm.recordLogs();
        vm.prank(council);
        credits.expire(programmeId, expiries, POLICY, operationId);
        return _collect(vm.getRecordedLogs());
    }

    /// @dev So many credits of an award of the first programme.
    function _expire(uint64 entryId, uint64 amount) internal returns (uint64) {
        return _expire(FIRST, _expiries(entryId, posted[entryId - 1].entry.orgId, amount));
    }

    function _expiries(uint64 entryId, uint32 orgId, uint64 amount)
        internal
        pure
        returns (ICredits.Expiry[] memory expiries)
    {
        expiries = new ICredits.Expiry[](1);
        expiries[0] = ICredits.Expiry(entryId, orgId, amount, 0, DATA);
    }

    /// @dev Redeems as Benefits does, in the first programme, and keeps the entry.
    function _redeem(uint32 orgId, uint64 amount) internal returns (uint64 entryId) {
        bytes32 operationId = _operation();
        vm.recordLogs();
        vm.prank(address(benefits));
        entryId = credits.redeem(FIRST, orgId, amount, EVIDENCE, _controller(orgId), operationId);
        _collect(vm.getRecordedLogs());
    }

    /// @dev Gives a redemption back as Benefits does, and keeps the entry.
    function _refund(uint32 orgId, uint64 amount, uint64 refersTo) internal returns (uint64 entryId) {
        bytes32 operationId = _operation();
        vm.recordLogs();
        vm.prank(address(benefits));
        entryId = credits.refund(FIRST, orgId, amount, refersTo, EVIDENCE, council, operationId);
        _collect(vm.getRecordedLogs());
    }

    /// @dev A redemption that can no longer be given back.
    function _settle(uint64 amount) internal {
        vm.prank(address(benefits));
        credits.settle(FIRST, amount);
    }

    /// @dev Revokes all memberships of an organisation and merges it into another.
    function _merge(uint32 orgId, uint32 successorId) internal {
        for (uint16 programmeId = FIRST; programmeId <= SECOND; ++programmeId) {
            if (!memberships.inGoodStanding(programmeId, orgId)) continue;
            bytes32 revocation = _operation();
            vm.prank(registrar);
            memberships.revoke(programmeId, _one(orgId), REASON, EVIDENCE, revocation);
        }
        bytes32 operationId = _operation();
        vm.prank(council);
        organisations.retire(orgId, successorId, EVIDENCE, operationId);
    }

    /// @dev Carries balances over in the first programme, and keeps the entries.
    function _carryOver(uint32[] memory orgIds) internal returns (uint64) {
        bytes32 operationId = _operation();
        vm.recordLogs();
        vm.prank(council);
        credits.carryOver(FIRST, orgIds, EVIDENCE, operationId);
        return _collect(vm.getRecordedLogs());
    }

    /// @dev A reversal with the shortest proof: the hashes up to the next head that is kept.
    function _reversal(uint64 entryId) internal view returns (ICredits.Reversal memory reversal) {
        uint64 last = entryId;
        while (credits.headAt(last) == 0) ++last;
        return _reversal(entryId, last);
    }

    function _reversal(uint64 entryId, uint64 last) internal view returns (ICredits.Reversal memory reversal) {
        Posted storage found = posted[entryId - 1];
        reversal.entry = found.entry;
        reversal.headBefore = found.headBefore;
        reversal.hashesAfter = new bytes32[](last - entryId);
        for (uint64 i = entryId; i < last; ++i) {
            reversal.hashesAfter[i - entryId] = posted[i].eventHash;
        }
        reversal.evidence = keccak256(abi.encode("why", entryId));
    }

    /// @dev Keeps the entries among these logs. Returns the number of the last one so far.
    function _collect(Vm.Log[] memory logs) internal returns (uint64) {
        (Vm.Log[] memory journal,) = _journalOf(address(credits), logs);
        bytes32 head = 0;
        if (posted.length > 0) {
            Posted storage last = posted[posted.length - 1];
            head = keccak256(abi.encode(last.headBefore, last.eventHash));
        }
        _follow(head, uint64(posted.length), journal);
        for (uint256 i = 0; i < journal.length; ++i) {
            bytes32 eventHash = keccak256(_preimage(journal[i]));
            ICredits.Entry memory entry;
            if (journal[i].topics[0] == ICredits.EntryPosted.selector) entry = _decode(journal[i]);
            posted.push(Posted(entry, head, eventHash));
            head = keccak256(abi.encode(head, eventHash));
        }
        return uint64(posted.length);
    }

    function _decode(Vm.Log memory log) internal pure returns (ICredits.Entry memory) {
        Tail memory tail = abi.decode(log.data, (Tail));
        return ICredits.Entry({
            entryId: uint64(uint256(log.topics[1])),
            programmeId: uint16(uint256(log.topics[2])),
            orgId: uint32(uint256(log.topics[3])),
            kind: tail.kind,
            category: tail.category,
            amount: tail.amount,
            balanceAfter: tail.balanceAfter,
            evidence: tail.evidence,
            refersTo: tail.refersTo,
            actor: tail.actor,
            operationId: tail.operationId
        });
    }
}
