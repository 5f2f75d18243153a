// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ICredits} from "./interfaces/ICredits.sol";
import {SignedMessages} from "./SignedMessages.sol";

/// @title Keeps balances, programmes' totals, and the heads by which entries are proven
/// @dev Posts what it is told to, and refuses only numbers that are too large. What may be posted is for
/// Credits to say.
abstract contract CreditBook is ICredits, SignedMessages {
    /// @notice 2^53-1: no amount, balance or total goes beyond it, above zero or below, so that every
    /// reader of JSON has it exactly. It keeps all sums far within their types, too.
    uint64 public constant MAX_AMOUNT = 9_007_199_254_740_991;

    /// @notice Heads are kept at each multiple of this number, so that a reversal's proof is short:
    /// 25 of the longest are 115 kB, and pools of transactions take 128 KiB.
    uint64 public constant HEAD_INTERVAL = 128;

    /// @dev Their places among a programme's totals.
    uint256 private constant OUTSTANDING = 0;
    uint256 private constant REFUNDABLE = 1;

    /// @dev Four signed numbers of 64 bits, the first in the low bits.
    struct Four {
        uint256 parts;
    }

    /// @dev EntryPosted as it is logged, one word a field: four topics, then the data, the head last.
    /// The log is written from here and its hash is taken here, so the two cannot differ. Filled
    /// once a command: an entry writes only what differs.
    struct Line {
        bytes32 selector;
        uint256 entryId;
        uint256 programmeId;
        uint256 orgId;
        uint256 kind;
        bytes32 category;
        int256 amount;
        int256 balanceAfter;
        bytes32 evidence;
        uint256 refersTo;
        address actor;
        bytes32 operationId;
        bytes32 head;
    }

    /// @dev The balances of organisations 4n to 4n+3 share a word, the lowest in the low bits: a batch
    /// of awards to neighbours writes a quarter of the slots. Packed by hand, since an int64[4] is
    /// looked up and loaded twice, which costs 250 gas an entry. In a struct, since a word is looked up
    /// anew to be written.
    mapping(uint16 programmeId => mapping(uint256 four => Four)) internal _balances;
    /// @dev A programme's totals share a word in the same way. An award keeps their sum below the cap, and
    /// nothing else raises it.
    mapping(uint16 programmeId => Four) private _totals;
    mapping(uint64 entryId => bytes32 head) private _heads;

    /// @inheritdoc ICredits
    function balanceOf(uint16 programmeId, uint32 orgId) external view returns (int64) {
        return int64(_balanceIn(_balances[programmeId], orgId));
    }

    /// @inheritdoc ICredits
    function outstanding(uint16 programmeId) external view returns (int64) {
        return int64(_part(_totals[programmeId].parts, OUTSTANDING));
    }

    /// @inheritdoc ICredits
    function refundable(uint16 programmeId) external view returns (int64) {
        return int64(_part(_totals[programmeId].parts, REFUNDABLE));
    }

    /// @inheritdoc ICredits
    function headAt(uint64 entryId) external view returns (bytes32) {
        return _heads[entryId];
    }

    /// @dev Adds an entry to its balance, to the journal and to the log.
    function _post(Pen memory pen, Line memory line, mapping(uint256 four => Four) storage balances) internal {
        uint256 orgId = line.orgId;
        Four storage kept = balances[orgId / 4];
        uint256 four = kept.parts;
        int256 balanceAfter;
        unchecked {
            // Both are at most MAX_AMOUNT, above zero or below.
            balanceAfter = _part(four, orgId) + line.amount;
        }
        if (_isTooLarge(balanceAfter)) revert CreditsBalanceOutOfRange(uint32(orgId), balanceAfter);
        kept.parts = _withPart(four, orgId, balanceAfter);
        line.balanceAfter = balanceAfter;
        uint64 entryId = _next(pen);
        line.entryId = entryId;
        bytes32 eventHash;
        assembly ("memory-safe") {
            eventHash := keccak256(line, 0x180) // twelve words: all but the head
        }
        bytes32 headAfter = _write(pen, eventHash);
        line.head = headAfter;
        if (entryId % HEAD_INTERVAL == 0) _heads[entryId] = headAfter;
        // emit EntryPosted(...), 400 gas cheaper than a copy of these words would be.
        assembly ("memory-safe") {
            log4(
                add(line, 0x80),
                0x120,
                mload(line),
                mload(add(line, 0x20)),
                mload(add(line, 0x40)),
                mload(add(line, 0x60))
            )
        }
    }

    function _bookUnderCap(uint16 programmeId, uint256 total, uint64 supplyCap) internal {
        Four storage kept = _totals[programmeId];
        uint256 totals = kept.parts;
        uint64 left = _left(totals, supplyCap);
        if (total > left) revert CreditsOverSupplyCap(programmeId, total, left);
        unchecked {
            // Below the cap with the refundable, which is never below zero.
            kept.parts = _withPart(totals, OUTSTANDING, _part(totals, OUTSTANDING) + int256(total));
        }
    }

    /// @dev Changes a programme's totals, each by at most a batch of amounts.
    function _book(uint16 programmeId, int256 outstandingBy, int256 refundableBy) internal {
        Four storage kept = _totals[programmeId];
        uint256 totals = kept.parts;
        int256 outstanding_ = _part(totals, OUTSTANDING) + outstandingBy;
        int256 refundable_ = _part(totals, REFUNDABLE) + refundableBy;
        if (_isTooLarge(outstanding_)) revert CreditsTotalOutOfRange(programmeId, outstanding_);
        if (_isTooLarge(refundable_)) revert CreditsTotalOutOfRange(programmeId, refundable_);
        kept.parts = _withPart(_withPart(totals, OUTSTANDING, outstanding_), REFUNDABLE, refundable_);
    }

    /// @dev Keeps the head after a command's last entry, and puts the pen down.
    function _finish(Pen memory pen) internal {
        _heads[pen.sequence] = pen.head;
        _end(pen);
    }

    function _requireBalance(mapping(uint256 four => Four) storage balances, uint32 orgId, uint64 amount)
        internal
        view
    {
        int256 balance = _balanceIn(balances, orgId);
        if (int256(uint256(amount)) > balance) revert CreditsBalanceTooLow(orgId, amount, int64(balance));
    }

    function _requireRefundable(uint16 programmeId, uint64 amount) internal view {
        int256 left = _part(_totals[programmeId].parts, REFUNDABLE);
        if (int256(uint256(amount)) > left) revert CreditsOverRefundable(programmeId, amount, int64(left));
    }

    function _left(uint256 totals, uint64 supplyCap) private pure returns (uint64) {
        unchecked {
            // Each of the three is at most MAX_AMOUNT.
            int256 left = int256(uint256(supplyCap)) - _part(totals, OUTSTANDING) - _part(totals, REFUNDABLE);
            // A cap can be lowered below what is outstanding.
            return left < 0 ? 0 : uint64(uint256(left));
        }
    }

    function _leftUnderCap(uint16 programmeId, uint64 supplyCap) internal view returns (uint64) {
        return _left(_totals[programmeId].parts, supplyCap);
    }

    function _balanceIn(mapping(uint256 four => Four) storage balances, uint32 orgId)
        internal
        view
        returns (int256)
    {
        return _part(balances[orgId / 4].parts, orgId);
    }

    /// @dev Checks that entry and hashes lead to a head of this journal. A head fixes all that lies
    /// before it, and an entry holds its own number, so that nothing else can lead there.
    function _requireProven(Entry calldata entry, bytes32 headBefore, bytes32[] calldata hashesAfter)
        internal
        view
    {
        bytes32 head = _fold(headBefore, keccak256(abi.encode(EntryPosted.selector, entry)));
        for (uint256 i = 0; i < hashesAfter.length; ++i) {
            head = _fold(head, hashesAfter[i]);
        }
        uint64 last;
        unchecked {
            // A number made up so as to wrap finds a head that such an entry cannot lead to.
            last = entry.entryId + uint64(hashesAfter.length);
        }
        if (_heads[last] == 0 || _heads[last] != head) revert CreditsEntryUnproven(entry.entryId);
    }

    function _part(uint256 four, uint256 place) private pure returns (int256) {
        return int64(uint64(four >> 64 * (place % 4)));
    }

    function _withPart(uint256 four, uint256 place, int256 amount) private pure returns (uint256) {
        uint256 shift = 64 * (place % 4);
        uint256 others = four & ~(uint256(type(uint64).max) << shift);
        return others | uint256(uint64(int64(amount))) << shift;
    }

    function _line(uint16 programmeId, Kind kind, address actor, bytes32 operationId)
        internal
        pure
        returns (Line memory line)
    {
        line.selector = EntryPosted.selector;
        line.programmeId = programmeId;
        line.kind = uint256(kind);
        line.actor = actor;
        line.operationId = operationId;
    }

    function _isTooLarge(int256 number) private pure returns (bool) {
        unchecked {
            // Both bounds at once: what is below the lower one wraps to a huge number.
            return uint256(number + int256(uint256(MAX_AMOUNT))) > 2 * uint256(MAX_AMOUNT);
        }
    }
}
