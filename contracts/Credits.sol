// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {AwardMessage} from "./AwardMessage.sol";
import {CreditBook} from "./CreditBook.sol";
import {IAuthority} from "./interfaces/IAuthority.sol";
import {ICredits} from "./interfaces/ICredits.sol";
import {IMemberships} from "./interfaces/IMemberships.sol";
import {IOrganisations} from "./interfaces/IOrganisations.sol";
import {IProgrammes} from "./interfaces/IProgrammes.sol";
import {Keys} from "./Keys.sol";
import {Roles} from "./Roles.sol";
import {SignedMessages} from "./SignedMessages.sol";

/// @title The credit journal
contract Credits is CreditBook {
    using Keys for bytes32;

    /// @notice The most awards in one transaction, so that it fits 16,777,216 gas (EIP-7825). At worst
    /// they take 15.8 million, or 16.5 million signed by a key: each an organisation's first entry, in a
    /// slot of its own, in a category of its own. To neighbours in a few categories they take 7.3 million.
    /// A contract that checks a signature takes its own gas on top: who signs by one signs fewer at worst.
    uint256 public constant MAX_AWARDS = 450;

    /// @notice The most reversals in one transaction. With the longest proofs they take 4.4 million gas.
    uint256 public constant MAX_REVERSALS = 25;

    /// @notice The most awards in one transaction by an issuer that has budgets by category. At worst,
    /// signed by a key and each in a category that has a budget of its own, they take 15.9 million gas.
    uint256 public constant MAX_AWARDS_BY_CATEGORY = 250;

    /// @notice The most awards that expire in one transaction. At worst, each in a category of its own,
    /// they take 14.0 million gas.
    uint256 public constant MAX_EXPIRIES = 300;

    /// @notice The most organisations whose balances are carried over in one transaction. At worst they
    /// take 10.5 million gas.
    uint256 public constant MAX_CARRY_OVERS = 250;

    IAuthority public immutable authority;
    IProgrammes public immutable programmes;
    IOrganisations public immutable organisations;
    IMemberships public immutable memberships;
    address public immutable benefits;

    mapping(uint16 programmeId => mapping(uint32 epoch => mapping(address issuer => uint64))) private _spent;
    mapping(uint16 programmeId => mapping(uint32 epoch => mapping(address issuer => uint64))) private _reversed;
    mapping(
        uint16 programmeId => mapping(uint32 epoch => mapping(address issuer => mapping(bytes32 => uint64)))
    ) private _spentIn;
    /// @dev By programme, since an expiry does not prove its award: what a council says of an award of
    /// another programme means nothing there.
    mapping(uint16 programmeId => mapping(uint64 entryId => Fate)) private _fates;

    /// @dev What became of an award, in one slot.
    struct Fate {
        uint64 reversedBy;
        uint64 expiredBy;
        uint64 expired;
    }

    constructor(
        IAuthority authority_,
        IProgrammes programmes_,
        IOrganisations organisations_,
        IMemberships memberships_,
        address benefits_
    ) SignedMessages("Moonlake Credits") {
        authority = authority_;
        programmes = programmes_;
        organisations = organisations_;
        memberships = memberships_;
        benefits = benefits_;
    }

    /// @inheritdoc ICredits
    function award(uint16 programmeId, Award[] calldata awards, bytes32 operationId) external {
        Pen memory pen = _beginAwards(programmeId, awards.length, msg.sender, operationId);
        _award(pen, programmeId, awards, msg.sender, operationId);
    }

    /// @inheritdoc ICredits
    function awardBySignature(
        uint16 programmeId,
        Award[] calldata awards,
        bytes32 operationId,
        Signed calldata signed
    ) external {
        address issuer = accountOf(signed.signer);
        Pen memory pen = _beginAwards(programmeId, awards.length, issuer, operationId);
        bytes32 message = AwardMessage.hash(programmeId, awards, issuer, operationId, signed.deadline);
        _requireSigned(issuer, operationId, message, signed);
        _award(pen, programmeId, awards, issuer, operationId);
    }

    /// @inheritdoc ICredits
    function reverse(uint16 programmeId, Reversal[] calldata reversals, bytes32 operationId) external {
        authority.requireEitherOfficer(Roles.ISSUER, Roles.COUNCIL, programmeId, msg.sender);
        _requireBatchSize(reversals.length, MAX_REVERSALS);
        bool council = authority.isOfficer(Roles.COUNCIL, programmeId, msg.sender);

        Pen memory pen = _begin(msg.sender, operationId);
        Line memory line = _line(programmeId, Kind.Reversal, msg.sender, operationId);
        int256 total = 0;
        for (uint256 i = 0; i < reversals.length; ++i) {
            int256 rest = _requireReversible(programmeId, reversals[i], council);
            _reverse(pen, line, reversals[i], rest);
            total += rest;
        }
        if (!council) _takeBack(programmeId, uint256(total));
        _book(programmeId, -total, 0);
        _finish(pen);
    }

    /// @inheritdoc ICredits
    function expire(uint16 programmeId, Expiry[] calldata expiries, bytes32 policy, bytes32 operationId) external {
        authority.requireOfficer(Roles.COUNCIL, programmeId, msg.sender);
        _requireBatchSize(expiries.length, MAX_EXPIRIES);
        Pen memory pen = _begin(msg.sender, operationId);
        Line memory line = _line(programmeId, Kind.Expiry, msg.sender, operationId);
        line.evidence = policy;
        uint64 last = pen.sequence;
        int256 total = 0;
        for (uint256 i = 0; i < expiries.length; ++i) {
            total += _expire(pen, line, programmeId, expiries[i], last);
        }
        if (total == 0) revert CreditsNothingToExpire(programmeId);
        _book(programmeId, -total, 0);
        _finish(pen);
    }

    /// @inheritdoc ICredits
    function carryOver(uint16 programmeId, uint32[] calldata orgIds, bytes32 evidence, bytes32 operationId)
        external
    {
        authority.requireOfficer(Roles.COUNCIL, programmeId, msg.sender);
        _requireBatchSize(orgIds.length, MAX_CARRY_OVERS);
        Pen memory pen = _begin(msg.sender, operationId);
        Line memory line = _line(programmeId, Kind.CarryOver, msg.sender, operationId);
        line.evidence = evidence;
        for (uint256 i = 0; i < orgIds.length; ++i) {
            _carryOver(pen, line, programmeId, orgIds[i]);
        }
        _finish(pen);
    }

    /// @inheritdoc ICredits
    function redeem(
        uint16 programmeId,
        uint32 orgId,
        uint64 amount,
        bytes32 evidence,
        address actor,
        bytes32 operationId
    ) external returns (uint64 entryId) {
        _requireBenefits();
        if (amount == 0) revert CreditsAmountZero(orgId);
        Pen memory pen = _begin(actor, operationId);
        Line memory line = _line(programmeId, Kind.Redemption, actor, operationId);
        mapping(uint256 four => Four) storage balances = _balances[programmeId];
        _requireBalance(balances, orgId, amount);
        line.orgId = orgId;
        line.amount = -int256(uint256(amount));
        line.evidence = evidence;
        _post(pen, line, balances);
        _book(programmeId, line.amount, -line.amount);
        entryId = pen.sequence;
        _finish(pen);
    }

    /// @inheritdoc ICredits
    function refund(
        uint16 programmeId,
        uint32 orgId,
        uint64 amount,
        uint64 refersTo,
        bytes32 evidence,
        address actor,
        bytes32 operationId
    ) external returns (uint64 entryId) {
        _requireBenefits();
        if (amount == 0) revert CreditsAmountZero(orgId);
        Pen memory pen = _begin(actor, operationId);
        _requireRefundable(programmeId, amount);
        Line memory line = _line(programmeId, Kind.Refund, actor, operationId);
        line.orgId = orgId;
        line.amount = int256(uint256(amount));
        line.evidence = evidence;
        line.refersTo = refersTo;
        _post(pen, line, _balances[programmeId]);
        _book(programmeId, line.amount, -line.amount);
        entryId = pen.sequence;
        _finish(pen);
    }

    /// @inheritdoc ICredits
    function settle(uint16 programmeId, uint64 amount) external {
        _requireBenefits();
        _requireRefundable(programmeId, amount);
        _book(programmeId, 0, -int256(uint256(amount)));
    }

    /// @inheritdoc ICredits
    function spent(uint16 programmeId, uint32 epoch, address issuer) external view returns (uint64) {
        return _spent[programmeId][epoch][issuer];
    }

    /// @inheritdoc ICredits
    function reversed(uint16 programmeId, uint32 epoch, address issuer) external view returns (uint64) {
        return _reversed[programmeId][epoch][issuer];
    }

    /// @inheritdoc ICredits
    function spentIn(uint16 programmeId, uint32 epoch, address issuer, bytes32 category)
        external
        view
        returns (uint64)
    {
        return _spentIn[programmeId][epoch][issuer][category];
    }

    /// @inheritdoc ICredits
    function issuerTerms(uint16 programmeId, address issuer, bytes32 category)
        external
        view
        returns (IssuerTerms memory left)
    {
        IProgrammes.AwardTerms memory terms = programmes.awardTerms(programmeId, issuer);
        left.leftUnderCap = _leftUnderCap(programmeId, terms.supplyCap);
        if (terms.epoch == 0) return left;
        left.epoch = terms.epoch;
        left.epochEndsAt = programmes.boundary(programmeId, terms.epoch + 1);
        left.perAward = terms.perAward;
        left.leftInEpoch = _less(terms.perEpoch, _spent[programmeId][terms.epoch][issuer]);
        left.leftToReverse = _less(terms.perEpoch, _reversed[programmeId][terms.epoch][issuer]);
        left.leftInCategory = left.leftInEpoch;
        if (!terms.byCategory) return left;
        bytes32[] memory categories = new bytes32[](1);
        categories[0] = category;
        uint64 budget = programmes.categoryBudgets(programmeId, issuer, categories)[0];
        uint64 leftInCategory = _less(budget, _spentIn[programmeId][terms.epoch][issuer][category]);
        if (leftInCategory < left.leftInEpoch) left.leftInCategory = leftInCategory;
    }

    /// @inheritdoc ICredits
    function reversedBy(uint16 programmeId, uint64 entryId) external view returns (uint64) {
        return _fates[programmeId][entryId].reversedBy;
    }

    /// @inheritdoc ICredits
    function expiryOf(uint16 programmeId, uint64 entryId) external view returns (uint64 expiredBy, uint64 amount) {
        Fate storage fate = _fates[programmeId][entryId];
        return (fate.expiredBy, fate.expired);
    }

    function _beginAwards(uint16 programmeId, uint256 given, address actor, bytes32 operationId)
        private
        returns (Pen memory)
    {
        authority.requireEitherOfficer(Roles.ISSUER, Roles.COUNCIL, programmeId, actor);
        _requireBatchSize(given, MAX_AWARDS);
        return _begin(actor, operationId);
    }

    /// @dev Awards by the right of `actor`, who was found to be an officer.
    function _award(
        Pen memory pen,
        uint16 programmeId,
        Award[] calldata awards,
        address actor,
        bytes32 operationId
    ) private {
        _checkAwards(programmeId, awards, actor);
        Line memory line = _line(programmeId, Kind.Award, actor, operationId);
        mapping(uint256 four => Four) storage balances = _balances[programmeId];
        for (uint256 i = 0; i < awards.length; ++i) {
            Award calldata given = awards[i];
            line.orgId = given.orgId;
            line.category = given.category;
            line.amount = int256(uint256(given.amount));
            line.evidence = given.evidence;
            _post(pen, line, balances);
        }
        _finish(pen);
    }

    /// @dev Checks everything that does not depend on the order of the awards, and books them on the
    /// programme's total and the issuer's budgets.
    function _checkAwards(uint16 programmeId, Award[] calldata awards, address actor) private {
        IProgrammes.AwardTerms memory terms = programmes.awardTerms(programmeId, actor);
        if (terms.epoch == 0) revert CreditsNoEpoch(programmeId, block.timestamp);
        bool council = authority.isOfficer(Roles.COUNCIL, programmeId, actor);

        uint64 most = council ? MAX_AMOUNT : terms.perAward;

        uint32[] memory orgIds = new uint32[](awards.length);
        bytes32[] memory categories = new bytes32[](awards.length);
        uint256 total = 0;
        uint256 distinct = 0;
        bytes32 last = 0;
        for (uint256 i = 0; i < awards.length; ++i) {
            Award calldata given = awards[i];
            uint64 amount = given.amount;
            if (amount == 0) revert CreditsAmountZero(given.orgId);
            if (amount > most) revert CreditsAwardOverLimit(actor, amount, most);
            orgIds[i] = given.orgId;
            // Awards of one kind usually stand together; a run of them is asked about once.
            bytes32 category = given.category;
            if (category != last || i == 0) categories[distinct++] = last = category;
            unchecked {
                total += amount; // at most MAX_AWARDS * 2^53
            }
        }
        assembly ("memory-safe") {
            mstore(categories, distinct) // shortens the array to what was filled
        }
        memberships.requireGoodStanding(programmeId, orgIds);
        programmes.requireOpenCategories(programmeId, categories);
        _bookUnderCap(programmeId, total, terms.supplyCap);
        if (council) return;
        _spend(programmeId, terms, actor, total);
        if (terms.byCategory) _spendIn(programmeId, terms.epoch, actor, awards, categories);
    }

    function _spend(uint16 programmeId, IProgrammes.AwardTerms memory terms, address issuer, uint256 total)
        private
    {
        mapping(address => uint64) storage spent_ = _spent[programmeId][terms.epoch];
        uint64 before = spent_[issuer];
        uint64 left = _less(terms.perEpoch, before);
        if (total > left) revert CreditsAwardOverBudget(issuer, total, left);
        spent_[issuer] = before + uint64(total);
    }

    /// @dev Books what the sender takes back of its awards. An issuer's key takes back no more in an epoch
    /// than it could award.
    function _takeBack(uint16 programmeId, uint256 total) private {
        IProgrammes.AwardTerms memory terms = programmes.awardTerms(programmeId, msg.sender);
        if (terms.epoch == 0) revert CreditsNoEpoch(programmeId, block.timestamp);
        mapping(address => uint64) storage reversed_ = _reversed[programmeId][terms.epoch];
        uint64 before = reversed_[msg.sender];
        uint64 left = _less(terms.perEpoch, before);
        if (total > left) revert CreditsReversalOverBudget(msg.sender, total, left);
        reversed_[msg.sender] = before + uint64(total);
    }

    /// @dev Books awards on the issuer's budgets by category.
    /// @param categories of the runs of awards of one category
    function _spendIn(
        uint16 programmeId,
        uint32 epoch,
        address issuer,
        Award[] calldata awards,
        bytes32[] memory categories
    ) private {
        _requireBatchSize(awards.length, MAX_AWARDS_BY_CATEGORY);
        uint64[] memory budgets = programmes.categoryBudgets(programmeId, issuer, categories);
        mapping(bytes32 category => uint64) storage spent_ = _spentIn[programmeId][epoch][issuer];
        uint256 next = 0;
        for (uint256 i = 0; i < categories.length; ++i) {
            bytes32 category = categories[i];
            uint256 sum = 0;
            while (next < awards.length && awards[next].category == category) sum += awards[next++].amount;
            if (budgets[i] == type(uint64).max) continue;
            uint64 before = spent_[category];
            uint64 left = _less(budgets[i], before);
            if (sum > left) revert CreditsAwardOverCategoryBudget(issuer, category, sum, left);
            spent_[category] = before + uint64(sum);
        }
    }

    /// @dev Posts the reversal of an award, of which `rest` is not expired.
    function _reverse(Pen memory pen, Line memory line, Reversal calldata reversal, int256 rest) private {
        Entry calldata entry = reversal.entry;
        _fates[entry.programmeId][entry.entryId].reversedBy = _next(pen);
        line.orgId = entry.orgId;
        line.category = entry.category;
        line.amount = -rest;
        line.evidence = reversal.evidence;
        line.refersTo = entry.entryId;
        _post(pen, line, _balances[entry.programmeId]);
    }

    /// @dev Posts what is still there of what shall expire, which may be nothing.
    /// @param last the last entry there can be an expiry of
    function _expire(Pen memory pen, Line memory line, uint16 programmeId, Expiry calldata expiry, uint64 last)
        private
        returns (int256 amount)
    {
        uint64 entryId = expiry.entryId;
        if (expiry.amount == 0) revert CreditsAmountZero(expiry.orgId);
        if (entryId == 0 || entryId > last) revert CreditsEntryUnknown(entryId);
        Fate storage fate = _fates[programmeId][entryId];
        if (fate.reversedBy != 0) return 0; // an issuer could stop everybody's expiry by it
        if (fate.expiredBy != 0) revert CreditsAlreadyExpired(entryId, fate.expiredBy);
        // A key that nobody can read would stop every reader of the journal.
        if (expiry.category == 0 || expiry.category != line.category) expiry.category.requireWellFormed();
        mapping(uint256 four => Four) storage balances = _balances[programmeId];
        int256 there = _balanceIn(balances, expiry.orgId) - int256(uint256(expiry.leaves));
        amount = int256(uint256(expiry.amount));
        if (there < amount) amount = there;
        if (amount <= 0) return 0;

        (fate.expiredBy, fate.expired) = (_next(pen), uint64(uint256(amount)));
        line.orgId = expiry.orgId;
        line.category = expiry.category;
        line.amount = -amount;
        line.refersTo = entryId;
        _post(pen, line, balances);
    }

    /// @dev Posts the two entries that bring a balance, or a debt, to the organisation's successor.
    function _carryOver(Pen memory pen, Line memory line, uint16 programmeId, uint32 orgId) private {
        uint32 successorId = organisations.successorOf(orgId);
        if (successorId == 0) revert CreditsNotMerged(orgId);
        mapping(uint256 four => Four) storage balances = _balances[programmeId];
        int256 balance = _balanceIn(balances, orgId);
        if (balance == 0) revert CreditsNothingToCarryOver(programmeId, orgId);
        line.orgId = orgId;
        line.amount = -balance;
        line.refersTo = 0;
        _post(pen, line, balances);
        line.orgId = successorId;
        line.amount = balance;
        line.refersTo = pen.sequence;
        _post(pen, line, balances);
    }

    function _requireBenefits() private view {
        if (msg.sender != benefits) revert CreditsOnlyBenefits(msg.sender);
        authority.requireRunning();
    }

    /// @dev Checks that the entry is an award of this programme and journal, not yet reversed, and not
    /// wholly expired. Returns what is not expired.
    function _requireReversible(uint16 programmeId, Reversal calldata reversal, bool council)
        private
        view
        returns (int256 rest)
    {
        Entry calldata entry = reversal.entry;
        if (entry.programmeId != programmeId) {
            revert CreditsEntryOfOtherProgramme(entry.entryId, entry.programmeId, programmeId);
        }
        if (entry.kind != Kind.Award) revert CreditsNotReversible(entry.entryId, entry.kind);
        Fate storage fate = _fates[programmeId][entry.entryId];
        if (fate.reversedBy != 0) revert CreditsAlreadyReversed(entry.entryId, fate.reversedBy);
        _requireProven(entry, reversal.headBefore, reversal.hashesAfter);
        if (!council && entry.actor != msg.sender) revert CreditsNotEntitled(msg.sender, entry.entryId);
        rest = int256(entry.amount) - int256(uint256(fate.expired));
        // An expiry does not prove its award, and can say more than there was.
        if (rest <= 0) revert CreditsNothingLeft(entry.entryId);
    }

    function _requireBatchSize(uint256 given, uint256 most) private pure {
        if (given == 0 || given > most) revert CreditsBatchSize(given, most);
    }

    /// @dev What is left of a budget, which can be lowered below what was already spent.
    function _less(uint64 budget, uint64 spent_) private pure returns (uint64) {
        return spent_ < budget ? budget - spent_ : 0;
    }
}
