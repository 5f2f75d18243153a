// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The credit journal
/// @notice Entries are posted and never edited or deleted. A balance is the sum of an organisation's
/// entries in a programme. It can fall below zero: a wrongful award is reversed even where the
/// credits were spent.
///
/// An entry is not kept in storage. Heads are kept: at the last entry of each command, and at each
/// entry whose number is a multiple of 128. Who names an entry later (to reverse it) brings the
/// entry and the hashes that lead from it to a head that is kept, at most 127 of them.
interface ICredits {
    enum Kind {
        None,
        Award,
        Reversal,
        Redemption,
        Refund,
        Expiry
    }

    /// @param orgId who is credited
    /// @param amount credits, more than zero
    /// @param category what the contribution was
    /// @param evidence commitment to the document that shows it
    struct Award {
        uint32 orgId;
        uint64 amount;
        bytes32 category;
        bytes32 evidence;
    }

    /// @notice An entry as it was posted: the fields of EntryPosted without its head.
    struct Entry {
        uint64 entryId;
        uint16 programmeId;
        uint32 orgId;
        Kind kind;
        bytes32 category;
        int64 amount;
        int64 balanceAfter;
        bytes32 evidence;
        uint64 refersTo;
        address actor;
        bytes32 operationId;
    }

    /// @param entry the award to be reversed
    /// @param headBefore the journal's head before the entry
    /// @param hashesAfter the event hashes of the entries after it, in order, up to one whose head is
    /// kept
    /// @param evidence commitment to the document that shows why
    struct Reversal {
        Entry entry;
        bytes32 headBefore;
        bytes32[] hashesAfter;
        bytes32 evidence;
    }

    /// @notice An entry was posted.
    /// @param entryId from 1 without gaps; it is the journal's sequence
    /// @param kind what it is
    /// @param category what the contribution was; a reversal has that of the award
    /// @param amount credits, negative where they leave the balance
    /// @param balanceAfter the organisation's balance in the programme after it
    /// @param evidence commitment to a document off the chain
    /// @param refersTo the entry that a reversal, refund or expiry is of; 0 for none
    /// @param actor by whose right it was posted
    /// @param operationId the command
    /// @param head the journal's head after it
    event EntryPosted(
        uint64 indexed entryId,
        uint16 indexed programmeId,
        uint32 indexed orgId,
        Kind kind,
        bytes32 category,
        int64 amount,
        int64 balanceAfter,
        bytes32 evidence,
        uint64 refersTo,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    error CreditsBatchSize(uint256 given, uint256 most);
    error CreditsAmountZero(uint32 orgId);
    /// @notice The programme is in no epoch now; its council appends boundaries.
    error CreditsNoEpoch(uint16 programmeId, uint256 time);
    /// @notice One award is larger than the issuer's budget allows for one.
    error CreditsAwardOverLimit(address issuer, uint64 asked, uint64 perAward);
    /// @notice The awards are together more than what is left of the issuer's budget in this epoch.
    error CreditsAwardOverBudget(address issuer, uint256 asked, uint64 left);
    /// @notice The awards would bring what is outstanding over the programme's cap.
    error CreditsOverSupplyCap(uint16 programmeId, uint256 asked, uint64 left);
    error CreditsEntryOfOtherProgramme(uint64 entryId, uint16 found, uint16 expected);
    /// @notice Only awards are reversed.
    error CreditsNotReversible(uint64 entryId, Kind kind);
    error CreditsAlreadyReversed(uint64 entryId, uint64 reversedBy);
    /// @notice The entry and the hashes given do not lead to a head of this journal.
    error CreditsEntryUnproven(uint64 entryId);
    /// @notice An issuer reverses only its own awards; the council reverses any.
    error CreditsNotEntitled(address account, uint64 entryId);

    /// @notice Awards credits. A council officer of the programme, or an issuer within its budget.
    function award(uint16 programmeId, Award[] calldata awards, bytes32 operationId) external;

    /// @notice Reverses awards, each once. The council, or the issuer that made the award. The
    /// issuer's budget is not given back.
    function reverse(uint16 programmeId, Reversal[] calldata reversals, bytes32 operationId) external;

    /// @notice An organisation's balance in a programme.
    function balanceOf(uint16 programmeId, uint32 orgId) external view returns (int64);

    /// @notice The sum of all balances of a programme.
    function outstanding(uint16 programmeId) external view returns (int64);

    /// @notice What an issuer has awarded in an epoch.
    function spent(uint16 programmeId, uint32 epoch, address issuer) external view returns (uint64);

    /// @notice The entry that reversed this one; 0 for none.
    function reversedBy(uint64 entryId) external view returns (uint64);

    /// @notice The journal's head after an entry; 0 where it is not kept.
    function headAt(uint64 entryId) external view returns (bytes32);
}
