// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {ISignedMessages} from "./ISignedMessages.sol";

/// @title The credit journal
/// @notice Entries are posted and never edited or deleted. A balance is the sum of an organisation's
/// entries in a programme. It can fall below zero: a wrongful award is reversed even where the
/// credits were spent.
///
/// An entry is not kept in storage. Heads are kept: at the last entry of each command, and at each
/// entry whose number is a multiple of 128. Who names an entry later (to reverse it) brings the
/// entry and the hashes that lead from it to a head that is kept, at most 127 of them.
///
/// No amount, balance or total goes beyond 2^53-1, above zero or below.
interface ICredits is ISignedMessages {
    enum Kind {
        None,
        Award,
        Reversal,
        Redemption,
        Refund,
        Expiry,
        CarryOver
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

    /// @param entryId the award whose unspent credits expire
    /// @param orgId who has them: whose award it is, or the organisation that they were carried over to
    /// @param amount credits that are due to expire, more than zero
    /// @param leaves what the balance is not brought below: the organisation's credits of younger awards, due
    /// or not. What was spent since the computation was spent of the oldest, so less expires by as much,
    /// down to nothing
    /// @param category of the award
    struct Expiry {
        uint64 entryId;
        uint32 orgId;
        uint64 amount;
        uint64 leaves;
        bytes32 category;
    }

    /// @notice What an issuer's budgets leave it to award now. The council needs no budget.
    /// @param epoch the epoch in force; 0 where there is none, and nothing can be awarded
    /// @param epochEndsAt the first second of the next one
    /// @param perAward the most in one award
    /// @param leftInEpoch what is left of its budget
    /// @param leftInCategory what is left in the category that was asked about, at most `leftInEpoch`
    /// @param leftToReverse what it can take back of its own awards in this epoch
    /// @param leftUnderCap what the programme's cap leaves to everybody
    struct IssuerTerms {
        uint32 epoch;
        uint40 epochEndsAt;
        uint64 perAward;
        uint64 leftInEpoch;
        uint64 leftInCategory;
        uint64 leftToReverse;
        uint64 leftUnderCap;
    }

    /// @notice An entry was posted.
    /// @param entryId the journal's sequence, from 1. A message that is cancelled has a number too
    /// @param kind what it is
    /// @param category what the contribution was; a reversal and an expiry have that of the award,
    /// the others none
    /// @param amount credits, negative where they leave the balance
    /// @param balanceAfter the organisation's balance in the programme after it
    /// @param evidence commitment to a document off the chain
    /// @param refersTo the entry that a reversal, refund or expiry is of, or that the credits were
    /// carried over from; 0 for none
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
    /// @notice The awards are more than what is left of the issuer's budget in this category.
    error CreditsAwardOverCategoryBudget(address issuer, bytes32 category, uint256 asked, uint64 left);
    /// @notice The reversals are together more than an issuer can take back in this epoch: as much as its
    /// budget for it. The council reverses without a budget.
    error CreditsReversalOverBudget(address issuer, uint256 asked, uint64 left);
    /// @notice Everything that was to expire was spent.
    error CreditsNothingToExpire(uint16 programmeId);
    /// @notice The awards would bring what is outstanding, and what may be refunded, over the
    /// programme's cap.
    error CreditsOverSupplyCap(uint16 programmeId, uint256 asked, uint64 left);
    error CreditsEntryOfOtherProgramme(uint64 entryId, uint16 found, uint16 expected);
    /// @notice Only awards are reversed.
    error CreditsNotReversible(uint64 entryId, Kind kind);
    error CreditsAlreadyReversed(uint64 entryId, uint64 reversedBy);
    /// @notice The entry and the hashes given do not lead to a head of this journal.
    error CreditsEntryUnproven(uint64 entryId);
    /// @notice An issuer reverses only its own awards; the council reverses any.
    error CreditsNotEntitled(address account, uint64 entryId);

    /// @notice There is no entry of this number yet.
    error CreditsEntryUnknown(uint64 entryId);
    error CreditsAlreadyExpired(uint64 entryId, uint64 expiredBy);
    /// @notice All of the award expired, and nothing is left to reverse.
    error CreditsNothingLeft(uint64 entryId);
    /// @notice The organisation has fewer credits than this takes.
    error CreditsBalanceTooLow(uint32 orgId, uint64 asked, int64 balance);
    /// @notice Only the Benefits contract redeems and refunds.
    error CreditsOnlyBenefits(address account);
    /// @notice The organisation was not merged into another.
    error CreditsNotMerged(uint32 orgId);
    /// @notice The redemptions that can still be refunded are together less than this.
    error CreditsOverRefundable(uint16 programmeId, uint64 asked, int64 left);
    /// @notice A balance would go beyond 2^53-1, above zero or below.
    error CreditsBalanceOutOfRange(uint32 orgId, int256 balance);
    /// @notice A programme's total would go beyond 2^53-1, above zero or below.
    error CreditsTotalOutOfRange(uint16 programmeId, int256 total);
    /// @notice The organisation has neither credits nor debts in the programme.
    error CreditsNothingToCarryOver(uint16 programmeId, uint32 orgId);

    /// @notice Awards credits by an issuer's signed message:
    /// `AwardBatch(uint16 programmeId,Award[] awards,address account,bytes32 operationId,uint256 deadline)`
    /// `Award(uint32 orgId,uint64 amount,string category,bytes32 evidence)`,
    /// where the category is the key's text.
    function awardBySignature(
        uint16 programmeId,
        Award[] calldata awards,
        bytes32 operationId,
        Signed calldata signed
    ) external;

    /// @notice Takes back what was not spent of awards that are too old, as the programme's policy has
    /// it; each award once. Council. The contract takes no more than is there over what an expiry leaves,
    /// leaves out those of which nothing is or that were reversed, and checks that no award expires twice; that the policy was
    /// followed is for an audit to recompute.
    /// @param policy commitment to the policy and its computation
    function expire(uint16 programmeId, Expiry[] calldata expiries, bytes32 policy, bytes32 operationId) external;

    /// @notice Carries the balance of organisations that were merged over to their successors, in two
    /// linked entries each. Council.
    function carryOver(uint16 programmeId, uint32[] calldata orgIds, bytes32 evidence, bytes32 operationId)
        external;

    /// @notice Takes credits for a redemption, and keeps room under the cap for its refund. Only Benefits,
    /// which says who asked for it: the operation is counted here, too, as that account's.
    function redeem(
        uint16 programmeId,
        uint32 orgId,
        uint64 amount,
        bytes32 evidence,
        address actor,
        bytes32 operationId
    ) external returns (uint64 entryId);

    /// @notice Gives a redemption's credits back. Only Benefits.
    function refund(
        uint16 programmeId,
        uint32 orgId,
        uint64 amount,
        uint64 refersTo,
        bytes32 evidence,
        address actor,
        bytes32 operationId
    ) external returns (uint64 entryId);

    /// @notice Gives up the room under the cap of redemptions that can no longer be refunded. It is no
    /// entry, since no balance changes. Only Benefits.
    function settle(uint16 programmeId, uint64 amount) external;

    /// @notice Awards credits. A council officer of the programme, or an issuer within its budget.
    function award(uint16 programmeId, Award[] calldata awards, bytes32 operationId) external;

    /// @notice Reverses awards, each once. The council, or the issuer that made the award, which takes back
    /// no more in an epoch than its budget for it. The budget to award is not given back. Of an award that
    /// expired in part, the rest is taken back.
    function reverse(uint16 programmeId, Reversal[] calldata reversals, bytes32 operationId) external;

    /// @notice An organisation's balance in a programme.
    function balanceOf(uint16 programmeId, uint32 orgId) external view returns (int64);

    /// @notice The sum of all balances of a programme.
    function outstanding(uint16 programmeId) external view returns (int64);

    /// @notice What an issuer has awarded in an epoch.
    function spent(uint16 programmeId, uint32 epoch, address issuer) external view returns (uint64);

    /// @notice What an issuer has taken back of its awards in an epoch, whatever epoch they were of.
    function reversed(uint16 programmeId, uint32 epoch, address issuer) external view returns (uint64);

    /// @notice Credits of open redemptions, which a refund would bring back.
    function refundable(uint16 programmeId) external view returns (int64);

    /// @notice What an issuer has awarded in an epoch in a category, while the category had a budget of its
    /// own for it.
    function spentIn(uint16 programmeId, uint32 epoch, address issuer, bytes32 category)
        external
        view
        returns (uint64);

    /// @notice What an issuer can still award in one category. Whether it is an issuer is for Authority to
    /// say, and whether the category is open for Programmes.
    function issuerTerms(uint16 programmeId, address issuer, bytes32 category)
        external
        view
        returns (IssuerTerms memory);

    /// @notice What expired of a programme's award, and by which entry; zeros for none.
    function expiryOf(uint16 programmeId, uint64 entryId) external view returns (uint64 expiredBy, uint64 amount);

    /// @notice The entry that reversed this one, an award of the programme; 0 for none.
    function reversedBy(uint16 programmeId, uint64 entryId) external view returns (uint64);

    /// @notice The journal's head after an entry; 0 where it is not kept.
    function headAt(uint64 entryId) external view returns (bytes32);
}
