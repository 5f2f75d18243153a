// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {IAuthority} from "./interfaces/IAuthority.sol";
import {IProgrammes} from "./interfaces/IProgrammes.sol";
import {Journal} from "./Journal.sol";
import {Keys} from "./Keys.sol";
import {Roles} from "./Roles.sol";
import {Times} from "./Times.sol";

/// @title The programmes and their rules
contract Programmes is IProgrammes, Journal {
    using Keys for bytes32;

    /// @notice 2^53-1, the largest whole number that JSON readers keep exact.
    uint64 public constant MAX_SUPPLY_CAP = 9_007_199_254_740_991;

    /// @notice The most tiers, categories or boundaries in one transaction. At worst, tiers, they take
    /// 12.3 million gas.
    uint256 public constant MAX_CHANGES = 200;

    /// @notice The most approvals that a proposal can be made to need.
    uint8 public constant MAX_APPROVALS = 16;

    /// @notice The most programmes, so that what walks over all of them fits a transaction.
    uint16 public constant MAX_PROGRAMMES = 1000;

    enum Status {
        Unknown,
        Open,
        Closed
    }

    /// @param byCategory how many categories have a budget of their own
    struct Budget {
        uint64 perAward;
        uint64 perEpoch;
        uint64 byCategory;
    }

    struct CategoryBudget {
        bool limited;
        uint64 perEpoch;
    }

    IAuthority public immutable authority;

    uint16 private _count;
    mapping(uint16 programmeId => Programme) private _programmes;
    mapping(bytes32 key => uint16 programmeId) private _byKey;
    mapping(uint16 programmeId => mapping(uint8 tier => Status)) private _tiers;
    mapping(uint16 programmeId => mapping(bytes32 key => uint8 tier)) private _tierByKey;
    mapping(uint16 programmeId => mapping(bytes32 category => Status)) private _categories;
    mapping(uint16 programmeId => uint40[]) private _boundaries;
    mapping(uint16 programmeId => mapping(address issuer => Budget)) private _budgets;
    mapping(uint16 programmeId => mapping(address issuer => mapping(bytes32 category => CategoryBudget))) private
        _categoryBudgets;

    constructor(IAuthority authority_) {
        authority = authority_;
    }

    /// @inheritdoc IProgrammes
    function createProgramme(
        bytes32 key,
        bytes32 profile,
        uint64 supplyCap,
        uint8 approvalsNeeded,
        bytes32 operationId
    ) external returns (uint16 programmeId) {
        authority.requireOfficer(Roles.COUNCIL, Roles.ALLIANCE_WIDE, msg.sender);
        Pen memory pen = _begin(msg.sender, operationId);
        key.requireWellFormed();
        if (_byKey[key] != 0) revert ProgrammesKeyTaken(key, _byKey[key]);
        _requireSupplyCap(supplyCap);
        _requireApprovals(approvalsNeeded);
        if (_count == MAX_PROGRAMMES) revert ProgrammesFull();

        programmeId = ++_count;
        _byKey[key] = programmeId;
        _programmes[programmeId] = Programme(key, profile, supplyCap, approvalsNeeded, 0);
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(
                ProgrammeCreated.selector,
                line,
                programmeId,
                key,
                profile,
                supplyCap,
                approvalsNeeded,
                msg.sender,
                operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit ProgrammeCreated(
            line, programmeId, key, profile, supplyCap, approvalsNeeded, msg.sender, operationId, head
        );
        _end(pen);
    }

    /// @inheritdoc IProgrammes
    function changeProfile(uint16 programmeId, bytes32 profile, bytes32 operationId) external {
        Pen memory pen = _beginAsCouncil(programmeId, operationId);
        _programmes[programmeId].profile = profile;
        uint64 line = _next(pen);
        bytes32 head = _write(
            pen,
            keccak256(
                abi.encode(ProgrammeProfileChanged.selector, line, programmeId, profile, msg.sender, operationId)
            )
        );
        emit ProgrammeProfileChanged(line, programmeId, profile, msg.sender, operationId, head);
        _end(pen);
    }

    /// @inheritdoc IProgrammes
    function changeSupplyCap(uint16 programmeId, uint64 supplyCap, bytes32 operationId) external {
        Pen memory pen = _beginAsCouncil(programmeId, operationId);
        _requireSupplyCap(supplyCap);
        _programmes[programmeId].supplyCap = supplyCap;
        uint64 line = _next(pen);
        bytes32 head = _write(
            pen,
            keccak256(abi.encode(SupplyCapChanged.selector, line, programmeId, supplyCap, msg.sender, operationId))
        );
        emit SupplyCapChanged(line, programmeId, supplyCap, msg.sender, operationId, head);
        _end(pen);
    }

    /// @inheritdoc IProgrammes
    function changeApprovalsNeeded(uint16 programmeId, uint8 approvalsNeeded, bytes32 operationId) external {
        Pen memory pen = _beginAsCouncil(programmeId, operationId);
        _requireApprovals(approvalsNeeded);
        _programmes[programmeId].approvalsNeeded = approvalsNeeded;
        uint64 line = _next(pen);
        bytes32 head = _write(
            pen,
            keccak256(
                abi.encode(
                    ApprovalsNeededChanged.selector, line, programmeId, approvalsNeeded, msg.sender, operationId
                )
            )
        );
        emit ApprovalsNeededChanged(line, programmeId, approvalsNeeded, msg.sender, operationId, head);
        _end(pen);
    }

    /// @inheritdoc IProgrammes
    function addTiers(uint16 programmeId, bytes32[] calldata keys, bytes32 operationId) external {
        Pen memory pen = _beginAsCouncil(programmeId, operationId);
        _requireBatchSize(keys.length);
        for (uint256 i = 0; i < keys.length; ++i) {
            bytes32 key = keys[i];
            key.requireWellFormed();
            if (_tierByKey[programmeId][key] != 0) revert ProgrammesTierKeyTaken(programmeId, key);
            if (_programmes[programmeId].tierCount == type(uint8).max) {
                revert ProgrammesTiersFull(programmeId);
            }
            uint8 tier = ++_programmes[programmeId].tierCount;
            _tierByKey[programmeId][key] = tier;
            _tiers[programmeId][tier] = Status.Open;
            uint64 line = _next(pen);
            bytes32 head = _write(
                pen,
                keccak256(abi.encode(TierAdded.selector, line, programmeId, tier, key, msg.sender, operationId))
            );
            emit TierAdded(line, programmeId, tier, key, msg.sender, operationId, head);
        }
        _end(pen);
    }

    /// @inheritdoc IProgrammes
    function setTierOpen(uint16 programmeId, uint8 tier, bool open, bytes32 operationId) external {
        Pen memory pen = _beginAsCouncil(programmeId, operationId);
        Status status = _tiers[programmeId][tier];
        if (status == Status.Unknown) revert ProgrammesTierUnknown(programmeId, tier);
        if ((status == Status.Open) == open) revert ProgrammesUnchanged(programmeId, bytes32(uint256(tier)));
        _tiers[programmeId][tier] = open ? Status.Open : Status.Closed;
        uint64 line = _next(pen);
        bytes32 head = _write(
            pen,
            keccak256(
                abi.encode(TierStatusChanged.selector, line, programmeId, tier, open, msg.sender, operationId)
            )
        );
        emit TierStatusChanged(line, programmeId, tier, open, msg.sender, operationId, head);
        _end(pen);
    }

    /// @inheritdoc IProgrammes
    function openCategories(uint16 programmeId, bytes32[] calldata categories, bytes32 operationId) external {
        _setCategories(programmeId, categories, true, operationId);
    }

    /// @inheritdoc IProgrammes
    function closeCategories(uint16 programmeId, bytes32[] calldata categories, bytes32 operationId) external {
        _setCategories(programmeId, categories, false, operationId);
    }

    /// @inheritdoc IProgrammes
    function appendBoundaries(uint16 programmeId, uint40[] calldata boundaries, bytes32 operationId) external {
        Pen memory pen = _beginAsCouncil(programmeId, operationId);
        _requireBatchSize(boundaries.length);
        uint40[] storage known = _boundaries[programmeId];
        for (uint256 i = 0; i < boundaries.length; ++i) {
            uint40 time = boundaries[i];
            // The first boundary may lie in the past: a programme may be older than its ledger.
            uint40 earliest =
                known.length == 0 ? 1 : Times.later(known[known.length - 1], uint40(block.timestamp)) + 1;
            if (time < earliest) revert ProgrammesBoundaryTooEarly(programmeId, time, earliest);
            if (time > Times.LAST) revert ProgrammesBoundaryTooLate(programmeId, time, Times.LAST);
            known.push(time);
            uint32 number = uint32(known.length);
            uint64 line = _next(pen);
            bytes32 head = _write(
                pen,
                keccak256(
                    abi.encode(
                        EpochBoundaryAppended.selector, line, programmeId, number, time, msg.sender, operationId
                    )
                )
            );
            emit EpochBoundaryAppended(line, programmeId, number, time, msg.sender, operationId, head);
        }
        _end(pen);
    }

    /// @inheritdoc IProgrammes
    function setBudget(uint16 programmeId, address issuer, uint64 perAward, uint64 perEpoch, bytes32 operationId)
        external
    {
        requireProgramme(programmeId);
        authority.requireEitherOfficer(Roles.TREASURER, Roles.COUNCIL, programmeId, msg.sender);
        if (issuer == address(0)) revert ProgrammesIssuerMissing();
        bool usable = perAward <= perEpoch && perEpoch <= MAX_SUPPLY_CAP && (perAward == 0) == (perEpoch == 0);
        if (!usable) revert ProgrammesBudgetUnusable(perAward, perEpoch);
        Pen memory pen = _begin(msg.sender, operationId);
        Budget storage budget_ = _budgets[programmeId][issuer];
        (budget_.perAward, budget_.perEpoch) = (perAward, perEpoch);
        uint64 line = _next(pen);
        bytes32 head = _write(
            pen,
            keccak256(
                abi.encode(
                    BudgetChanged.selector, line, programmeId, issuer, perAward, perEpoch, msg.sender, operationId
                )
            )
        );
        emit BudgetChanged(line, programmeId, issuer, perAward, perEpoch, msg.sender, operationId, head);
        _end(pen);
    }

    /// @inheritdoc IProgrammes
    function setCategoryBudget(
        uint16 programmeId,
        address issuer,
        bytes32 category,
        bool limited,
        uint64 perEpoch,
        bytes32 operationId
    ) external {
        requireProgramme(programmeId);
        authority.requireEitherOfficer(Roles.TREASURER, Roles.COUNCIL, programmeId, msg.sender);
        if (issuer == address(0)) revert ProgrammesIssuerMissing();
        if (perEpoch > (limited ? MAX_SUPPLY_CAP : 0)) {
            revert ProgrammesCategoryBudgetUnusable(category, limited, perEpoch);
        }
        Pen memory pen = _begin(msg.sender, operationId);
        if (_categories[programmeId][category] == Status.Unknown) {
            revert ProgrammesCategoryUnknown(programmeId, category);
        }
        _keepCategoryBudget(programmeId, issuer, category, CategoryBudget(limited, perEpoch));
        uint64 line = _next(pen);
        bytes32 eventHash = keccak256(
            abi.encode(
                CategoryBudgetChanged.selector,
                line,
                programmeId,
                issuer,
                category,
                limited,
                perEpoch,
                msg.sender,
                operationId
            )
        );
        bytes32 head = _write(pen, eventHash);
        emit CategoryBudgetChanged(
            line, programmeId, issuer, category, limited, perEpoch, msg.sender, operationId, head
        );
        _end(pen);
    }

    /// @inheritdoc IProgrammes
    function programmeCount() external view returns (uint16) {
        return _count;
    }

    /// @inheritdoc IProgrammes
    function programme(uint16 programmeId) external view returns (Programme memory) {
        requireProgramme(programmeId);
        return _programmes[programmeId];
    }

    /// @inheritdoc IProgrammes
    function requireOpenTier(uint16 programmeId, uint8 tier) external view {
        Status status = _tiers[programmeId][tier];
        if (status == Status.Unknown) revert ProgrammesTierUnknown(programmeId, tier);
        if (status == Status.Closed) revert ProgrammesTierClosed(programmeId, tier);
    }

    /// @inheritdoc IProgrammes
    function requireOpenCategories(uint16 programmeId, bytes32[] calldata categories) external view {
        mapping(bytes32 category => Status) storage known = _categories[programmeId];
        for (uint256 i = 0; i < categories.length; ++i) {
            Status status = known[categories[i]];
            if (status == Status.Unknown) revert ProgrammesCategoryUnknown(programmeId, categories[i]);
            if (status == Status.Closed) revert ProgrammesCategoryClosed(programmeId, categories[i]);
        }
    }

    /// @inheritdoc IProgrammes
    function boundaryCount(uint16 programmeId) external view returns (uint32) {
        return uint32(_boundaries[programmeId].length);
    }

    /// @inheritdoc IProgrammes
    function boundary(uint16 programmeId, uint32 number) external view returns (uint40) {
        uint40[] storage known = _boundaries[programmeId];
        if (number == 0 || number > known.length) revert ProgrammesBoundaryUnknown(programmeId, number);
        return known[number - 1];
    }

    /// @inheritdoc IProgrammes
    function budget(uint16 programmeId, address issuer) external view returns (uint64 perAward, uint64 perEpoch) {
        Budget storage given = _budgets[programmeId][issuer];
        return (given.perAward, given.perEpoch);
    }

    /// @inheritdoc IProgrammes
    function categoryBudget(uint16 programmeId, address issuer, bytes32 category) external view returns (uint64) {
        return _perEpochIn(_categoryBudgets[programmeId][issuer][category]);
    }

    /// @inheritdoc IProgrammes
    function categoryBudgets(uint16 programmeId, address issuer, bytes32[] calldata categories)
        external
        view
        returns (uint64[] memory perEpoch)
    {
        mapping(bytes32 category => CategoryBudget) storage given = _categoryBudgets[programmeId][issuer];
        perEpoch = new uint64[](categories.length);
        for (uint256 i = 0; i < categories.length; ++i) {
            perEpoch[i] = _perEpochIn(given[categories[i]]);
        }
    }

    /// @inheritdoc IProgrammes
    function awardTerms(uint16 programmeId, address issuer) external view returns (AwardTerms memory) {
        requireProgramme(programmeId);
        Budget storage given = _budgets[programmeId][issuer];
        return AwardTerms(
            epochAt(programmeId, uint40(block.timestamp)),
            given.perAward,
            given.perEpoch,
            _programmes[programmeId].supplyCap,
            given.byCategory != 0
        );
    }

    /// @inheritdoc IProgrammes
    function requireProgramme(uint16 programmeId) public view {
        if (programmeId == 0 || programmeId > _count) revert ProgrammesUnknown(programmeId);
    }

    /// @inheritdoc IProgrammes
    function epochAt(uint16 programmeId, uint40 time) public view returns (uint32) {
        uint40[] storage known = _boundaries[programmeId];
        uint256 total = known.length;
        if (total == 0 || time >= known[total - 1]) return 0;
        // The number of boundaries at or before `time` is the number of the epoch it falls in.
        uint256 low = 0;
        uint256 high = total;
        while (low < high) {
            uint256 middle = (low + high) / 2;
            if (known[middle] <= time) low = middle + 1;
            else high = middle;
        }
        return uint32(low);
    }

    function _setCategories(uint16 programmeId, bytes32[] calldata categories, bool open, bytes32 operationId)
        private
    {
        Pen memory pen = _beginAsCouncil(programmeId, operationId);
        _requireBatchSize(categories.length);
        for (uint256 i = 0; i < categories.length; ++i) {
            bytes32 category = categories[i];
            category.requireWellFormed();
            Status status = _categories[programmeId][category];
            if (!open && status == Status.Unknown) revert ProgrammesCategoryUnknown(programmeId, category);
            if (status == (open ? Status.Open : Status.Closed)) {
                revert ProgrammesUnchanged(programmeId, category);
            }
            _categories[programmeId][category] = open ? Status.Open : Status.Closed;
            uint64 line = _next(pen);
            bytes32 head = _write(
                pen,
                keccak256(
                    abi.encode(
                        CategoryStatusChanged.selector, line, programmeId, category, open, msg.sender, operationId
                    )
                )
            );
            emit CategoryStatusChanged(line, programmeId, category, open, msg.sender, operationId, head);
        }
        _end(pen);
    }

    /// @dev Keeps a budget in a category, and counts those that there are.
    function _keepCategoryBudget(
        uint16 programmeId,
        address issuer,
        bytes32 category,
        CategoryBudget memory budget_
    ) private {
        CategoryBudget storage kept = _categoryBudgets[programmeId][issuer][category];
        if (!kept.limited && !budget_.limited) revert ProgrammesUnchanged(programmeId, category);
        if (kept.limited != budget_.limited) {
            if (budget_.limited) ++_budgets[programmeId][issuer].byCategory;
            else --_budgets[programmeId][issuer].byCategory;
        }
        (kept.limited, kept.perEpoch) = (budget_.limited, budget_.perEpoch);
    }

    function _beginAsCouncil(uint16 programmeId, bytes32 operationId) private returns (Pen memory) {
        requireProgramme(programmeId);
        authority.requireOfficer(Roles.COUNCIL, programmeId, msg.sender);
        return _begin(msg.sender, operationId);
    }

    function _perEpochIn(CategoryBudget storage given) private view returns (uint64) {
        return given.limited ? given.perEpoch : type(uint64).max;
    }

    function _requireSupplyCap(uint64 supplyCap) private pure {
        if (supplyCap > MAX_SUPPLY_CAP) revert ProgrammesSupplyCapTooLarge(supplyCap, MAX_SUPPLY_CAP);
    }

    function _requireApprovals(uint8 approvalsNeeded) private pure {
        if (approvalsNeeded == 0 || approvalsNeeded > MAX_APPROVALS) {
            revert ProgrammesApprovalsUnusable(approvalsNeeded, MAX_APPROVALS);
        }
    }

    function _requireBatchSize(uint256 given) private pure {
        if (given == 0 || given > MAX_CHANGES) revert ProgrammesBatchSize(given, MAX_CHANGES);
    }
}
