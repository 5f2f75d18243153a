// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "./interfaces/IAuthority.sol";
import {ICredits} from "./interfaces/ICredits.sol";
import {IMemberships} from "./interfaces/IMemberships.sol";
import {IProgrammes} from "./interfaces/IProgrammes.sol";
import {Journal} from "./Journal.sol";
import {Roles} from "./Roles.sol";

/// @title The credit journal
contract Credits is ICredits, Journal {
    /// @notice The most awards in one transaction, so that it fits 16,777,216 gas (EIP-7825). At worst
    /// they take 15.8 million: each an organisation's first entry, in a slot of its own, in a category
    /// of its own. To neighbours in a few categories they take 7.3 million.
    uint256 public constant MAX_AWARDS = 450;

    /// @notice The most reversals in one transaction. With the longest proofs they take 4.4 million gas.
    uint256 public constant MAX_REVERSALS = 25;

    /// @notice Heads are kept at each multiple of this number, so that a reversal's proof is short:
    /// 25 of the longest are 115 kB, and pools of transactions take 128 KiB.
    uint64 public constant HEAD_INTERVAL = 128;

    IAuthority public immutable authority;
    IProgrammes public immutable programmes;
    IMemberships public immutable memberships;

    /// @dev The balances of organisations 4n to 4n+3 share a word, the lowest in the low bits: a batch
    /// of awards to neighbours writes a quarter of the slots. Packed by hand, since an int64[4] is
    /// looked up and loaded twice, which costs 250 gas an entry.
    mapping(uint16 programmeId => mapping(uint256 four => uint256 balances)) private _balances;
    mapping(uint16 programmeId => int64) private _outstanding;
    mapping(uint16 programmeId => mapping(uint32 epoch => mapping(address issuer => uint64))) private _spent;
    mapping(uint64 entryId => uint64 reversalId) private _reversedBy;
    mapping(uint64 entryId => bytes32 head) private _heads;

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

    constructor(IAuthority authority_, IProgrammes programmes_, IMemberships memberships_) {
        authority = authority_;
        programmes = programmes_;
        memberships = memberships_;
    }

    /// @inheritdoc ICredits
    function award(uint16 programmeId, Award[] calldata awards, bytes32 operationId) external {
        authority.requireEitherOfficer(Roles.ISSUER, Roles.COUNCIL, programmeId, msg.sender);
        if (awards.length == 0 || awards.length > MAX_AWARDS) {
            revert CreditsBatchSize(awards.length, MAX_AWARDS);
        }
        Pen memory pen = _begin(operationId);
        uint256 total = _checkAwards(programmeId, awards);
        Line memory line = _line(programmeId, Kind.Award, operationId);
        mapping(uint256 four => uint256) storage balances = _balances[programmeId];
        for (uint256 i = 0; i < awards.length; ++i) {
            Award calldata given = awards[i];
            line.orgId = given.orgId;
            line.category = given.category;
            line.amount = int256(uint256(given.amount));
            line.evidence = given.evidence;
            _post(pen, line, balances);
        }
        // The total is at most the supply cap, checked above.
        _outstanding[programmeId] += int64(uint64(total));
        _heads[pen.sequence] = pen.head;
        _end(pen);
    }

    /// @inheritdoc ICredits
    function reverse(uint16 programmeId, Reversal[] calldata reversals, bytes32 operationId) external {
        authority.requireEitherOfficer(Roles.ISSUER, Roles.COUNCIL, programmeId, msg.sender);
        uint256 given = reversals.length;
        if (given == 0 || given > MAX_REVERSALS) revert CreditsBatchSize(given, MAX_REVERSALS);
        bool council = authority.isOfficer(Roles.COUNCIL, programmeId, msg.sender);

        Pen memory pen = _begin(operationId);
        Line memory line = _line(programmeId, Kind.Reversal, operationId);
        int64 total = 0;
        for (uint256 i = 0; i < given; ++i) {
            _requireReversible(programmeId, reversals[i], council);
            total += _reverse(pen, line, reversals[i]);
        }
        _outstanding[programmeId] -= total;
        _heads[pen.sequence] = pen.head;
        _end(pen);
    }

    /// @inheritdoc ICredits
    function balanceOf(uint16 programmeId, uint32 orgId) external view returns (int64) {
        return int64(_balanceIn(_balances[programmeId][orgId / 4], orgId));
    }

    /// @inheritdoc ICredits
    function outstanding(uint16 programmeId) external view returns (int64) {
        return _outstanding[programmeId];
    }

    /// @inheritdoc ICredits
    function spent(uint16 programmeId, uint32 epoch, address issuer) external view returns (uint64) {
        return _spent[programmeId][epoch][issuer];
    }

    /// @inheritdoc ICredits
    function reversedBy(uint64 entryId) external view returns (uint64) {
        return _reversedBy[entryId];
    }

    /// @inheritdoc ICredits
    function headAt(uint64 entryId) external view returns (bytes32) {
        return _heads[entryId];
    }

    /// @dev Checks everything that does not depend on the order of the awards, and books them on the
    /// issuer's budget. Returns their sum.
    function _checkAwards(uint16 programmeId, Award[] calldata awards) private returns (uint256 total) {
        IProgrammes.AwardTerms memory terms = programmes.awardTerms(programmeId, msg.sender);
        if (terms.epoch == 0) revert CreditsNoEpoch(programmeId, block.timestamp);
        bool council = authority.isOfficer(Roles.COUNCIL, programmeId, msg.sender);

        uint64 most = council ? type(uint64).max : terms.perAward;

        uint32[] memory orgIds = new uint32[](awards.length);
        bytes32[] memory categories = new bytes32[](awards.length);
        uint256 distinct = 0;
        bytes32 last = 0;
        for (uint256 i = 0; i < awards.length; ++i) {
            Award calldata given = awards[i];
            uint64 amount = given.amount;
            if (amount == 0) revert CreditsAmountZero(given.orgId);
            if (amount > most) revert CreditsAwardOverLimit(msg.sender, amount, most);
            orgIds[i] = given.orgId;
            // Awards of one kind usually stand together; a run of them is asked about once.
            bytes32 category = given.category;
            if (category != last || i == 0) categories[distinct++] = last = category;
            unchecked {
                total += amount; // at most MAX_AWARDS * 2^64
            }
        }
        assembly ("memory-safe") {
            mstore(categories, distinct) // shortens the array to what was filled
        }
        memberships.requireGoodStanding(programmeId, orgIds);
        programmes.requireOpenCategories(programmeId, categories);
        _requireBelowCap(programmeId, total, terms.supplyCap);
        if (!council) _spend(programmeId, terms, total);
    }

    function _spend(uint16 programmeId, IProgrammes.AwardTerms memory terms, uint256 total) private {
        uint64 before = _spent[programmeId][terms.epoch][msg.sender];
        // A budget can be lowered below what was already spent.
        uint64 left = before < terms.perEpoch ? terms.perEpoch - before : 0;
        if (total > left) revert CreditsAwardOverBudget(msg.sender, total, left);
        _spent[programmeId][terms.epoch][msg.sender] = before + uint64(total);
    }

    /// @dev Posts the reversal of an entry. Returns the credits that it takes back.
    function _reverse(Pen memory pen, Line memory line, Reversal calldata reversal) private returns (int64) {
        Entry calldata entry = reversal.entry;
        _reversedBy[entry.entryId] = _next(pen);
        line.orgId = entry.orgId;
        line.category = entry.category;
        line.amount = -int256(entry.amount);
        line.evidence = reversal.evidence;
        line.refersTo = entry.entryId;
        _post(pen, line, _balances[entry.programmeId]);
        return entry.amount;
    }

    /// @dev Adds an entry to its balance, to the journal and to the log.
    function _post(Pen memory pen, Line memory line, mapping(uint256 four => uint256) storage balances) private {
        uint256 orgId = line.orgId;
        uint256 four = balances[orgId / 4];
        int256 balanceAfter;
        unchecked {
            // Awards are kept below 2^53 together by the supply cap, and each is taken back once.
            balanceAfter = _balanceIn(four, orgId) + line.amount;
        }
        balances[orgId / 4] = _withBalance(four, orgId, balanceAfter);
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

    function _requireBelowCap(uint16 programmeId, uint256 total, uint64 supplyCap) private view {
        int256 left = int256(uint256(supplyCap)) - _outstanding[programmeId];
        if (left < 0) left = 0;
        if (total > uint256(left)) revert CreditsOverSupplyCap(programmeId, total, uint64(uint256(left)));
    }

    /// @dev Checks that the entry is an award of this programme and journal, and not yet reversed.
    function _requireReversible(uint16 programmeId, Reversal calldata reversal, bool council) private view {
        Entry calldata entry = reversal.entry;
        if (entry.programmeId != programmeId) {
            revert CreditsEntryOfOtherProgramme(entry.entryId, entry.programmeId, programmeId);
        }
        if (entry.kind != Kind.Award) revert CreditsNotReversible(entry.entryId, entry.kind);
        uint64 reversal_ = _reversedBy[entry.entryId];
        if (reversal_ != 0) revert CreditsAlreadyReversed(entry.entryId, reversal_);
        _requireProven(entry, reversal.headBefore, reversal.hashesAfter);
        if (!council && entry.actor != msg.sender) revert CreditsNotEntitled(msg.sender, entry.entryId);
    }

    /// @dev Checks that entry and hashes lead to a head of this journal. A head fixes all that lies
    /// before it, and an entry holds its own number, so that nothing else can lead there.
    function _requireProven(Entry calldata entry, bytes32 headBefore, bytes32[] calldata hashesAfter)
        private
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

    function _balanceIn(uint256 four, uint256 orgId) private pure returns (int256) {
        return int64(uint64(four >> 64 * (orgId % 4)));
    }

    function _withBalance(uint256 four, uint256 orgId, int256 balance) private pure returns (uint256) {
        uint256 shift = 64 * (orgId % 4);
        uint256 others = four & ~(uint256(type(uint64).max) << shift);
        return others | uint256(uint64(int64(balance))) << shift;
    }

    function _line(uint16 programmeId, Kind kind, bytes32 operationId) private view returns (Line memory line) {
        line.selector = EntryPosted.selector;
        line.programmeId = programmeId;
        line.kind = uint256(kind);
        line.actor = msg.sender;
        line.operationId = operationId;
    }
}
