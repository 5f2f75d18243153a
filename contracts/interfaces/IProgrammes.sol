// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

/// @title The programmes and their rules
/// @notice A programme is a body with tiers, categories, epochs, budgets and a cap on the credits
/// that may be outstanding. Credits are whole numbers; times are seconds since 1970 UTC; profiles
/// are commitments to documents kept off the chain.
interface IProgrammes {
    /// @param key its short name, unique
    /// @param profile commitment to its names and description
    /// @param supplyCap the most credits that may be outstanding at once, at most 2^53-1
    /// @param approvalsNeeded officers' approvals that a proposal of its council needs
    struct Programme {
        bytes32 key;
        bytes32 profile;
        uint64 supplyCap;
        uint8 approvalsNeeded;
        uint8 tierCount;
    }

    /// @notice What an award must keep to.
    /// @param epoch the epoch in force, from 1; 0 where there is none
    /// @param perAward the most credits in one award by this issuer
    /// @param perEpoch the most credits in one epoch by this issuer
    /// @param supplyCap the programme's cap
    /// @param byCategory whether some of the issuer's categories have budgets of their own
    struct AwardTerms {
        uint32 epoch;
        uint64 perAward;
        uint64 perEpoch;
        uint64 supplyCap;
        bool byCategory;
    }

    /// @notice A programme was founded.
    event ProgrammeCreated(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        bytes32 indexed key,
        bytes32 profile,
        uint64 supplyCap,
        uint8 approvalsNeeded,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    event ProgrammeProfileChanged(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        bytes32 profile,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    event SupplyCapChanged(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint64 supplyCap,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    event ApprovalsNeededChanged(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint8 approvalsNeeded,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice A tier was added and is open.
    event TierAdded(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint8 indexed tier,
        bytes32 key,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice A tier was closed to new admissions, or opened again.
    event TierStatusChanged(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint8 indexed tier,
        bool open,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice A category was opened to awards, or closed to them.
    event CategoryStatusChanged(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        bytes32 indexed category,
        bool open,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice A boundary was appended. Boundary n ends epoch n-1 and begins epoch n, counted from 1:
    /// epoch n is from boundary n (included) to boundary n+1 (excluded).
    event EpochBoundaryAppended(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        uint32 indexed number,
        uint40 boundary,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice An issuer's budget was set; both zero takes it away.
    event BudgetChanged(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        address indexed issuer,
        uint64 perAward,
        uint64 perEpoch,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    /// @notice An issuer's budget in one category was set, or taken away (`limited` false): then only
    /// its budget over all categories counts.
    event CategoryBudgetChanged(
        uint64 indexed sequence,
        uint16 indexed programmeId,
        address indexed issuer,
        bytes32 category,
        bool limited,
        uint64 perEpoch,
        address actor,
        bytes32 operationId,
        bytes32 head
    );

    error ProgrammesUnknown(uint16 programmeId);
    error ProgrammesKeyTaken(bytes32 key, uint16 programmeId);
    /// @notice There are MAX_PROGRAMMES; what walks over all of them must fit a transaction.
    error ProgrammesFull();
    error ProgrammesSupplyCapTooLarge(uint64 given, uint64 most);
    /// @notice A proposal needs one approval at least, and not more than officers can be found for.
    error ProgrammesApprovalsUnusable(uint8 given, uint8 most);
    /// @notice A batch has one item at least.
    error ProgrammesBatchSize(uint256 given, uint256 most);
    error ProgrammesTierUnknown(uint16 programmeId, uint8 tier);
    error ProgrammesTierClosed(uint16 programmeId, uint8 tier);
    error ProgrammesTierKeyTaken(uint16 programmeId, bytes32 key);
    /// @notice The programme has 255 tiers, and no number for another.
    error ProgrammesTiersFull(uint16 programmeId);
    error ProgrammesCategoryUnknown(uint16 programmeId, bytes32 category);
    error ProgrammesCategoryClosed(uint16 programmeId, bytes32 category);
    /// @notice The category or tier is in that state already.
    error ProgrammesUnchanged(uint16 programmeId, bytes32 key);
    /// @notice Boundaries grow, and all but the first lie in the future when they are appended.
    error ProgrammesBoundaryTooEarly(uint16 programmeId, uint40 boundary, uint40 earliest);
    /// @notice No time is later than the year 9999.
    error ProgrammesBoundaryTooLate(uint16 programmeId, uint40 boundary, uint40 latest);
    error ProgrammesBoundaryUnknown(uint16 programmeId, uint32 number);
    error ProgrammesIssuerMissing();
    /// @notice One award cannot be over the epoch's, nor the epoch's over 2^53-1; both are zero or none.
    error ProgrammesBudgetUnusable(uint64 perAward, uint64 perEpoch);
    /// @notice A budget in a category is at most 2^53-1, and zero where it is taken away.
    error ProgrammesCategoryBudgetUnusable(bytes32 category, bool limited, uint64 perEpoch);

    /// @notice Founds a programme. Only an alliance-wide council officer.
    /// @return programmeId its id, from 1
    function createProgramme(
        bytes32 key,
        bytes32 profile,
        uint64 supplyCap,
        uint8 approvalsNeeded,
        bytes32 operationId
    ) external returns (uint16 programmeId);

    /// @notice Changes the commitment to the programme's description. Council.
    function changeProfile(uint16 programmeId, bytes32 profile, bytes32 operationId) external;

    /// @notice Changes the cap. A cap below what is outstanding stops awards, and takes nothing back. Council.
    function changeSupplyCap(uint16 programmeId, uint64 supplyCap, bytes32 operationId) external;

    /// @notice Changes how many approvals the council needs. Council.
    function changeApprovalsNeeded(uint16 programmeId, uint8 approvalsNeeded, bytes32 operationId) external;

    /// @notice Adds tiers, numbered on from the last one. Council.
    function addTiers(uint16 programmeId, bytes32[] calldata keys, bytes32 operationId) external;

    /// @notice Closes a tier to new admissions, or opens it again. Council.
    function setTierOpen(uint16 programmeId, uint8 tier, bool open, bytes32 operationId) external;

    /// @notice Opens categories to awards. Council.
    function openCategories(uint16 programmeId, bytes32[] calldata categories, bytes32 operationId) external;

    /// @notice Closes categories to awards. Council.
    function closeCategories(uint16 programmeId, bytes32[] calldata categories, bytes32 operationId) external;

    /// @notice Appends epoch boundaries, in seconds. They are never moved. Council.
    function appendBoundaries(uint16 programmeId, uint40[] calldata boundaries, bytes32 operationId) external;

    /// @notice Sets an issuer's budget; both zero takes it away. Treasurer or council.
    function setBudget(uint16 programmeId, address issuer, uint64 perAward, uint64 perEpoch, bytes32 operationId)
        external;

    /// @notice Sets an issuer's budget of each epoch in one category, within its budget over all; zero
    /// lets it award nothing there. Not `limited`: takes it away. It counts what is awarded while it is set:
    /// set within an epoch, it does not know what the issuer awarded in the category before, and what was
    /// awarded while it was taken away is not counted when it is set again. Treasurer or council.
    function setCategoryBudget(
        uint16 programmeId,
        address issuer,
        bytes32 category,
        bool limited,
        uint64 perEpoch,
        bytes32 operationId
    ) external;

    function programmeCount() external view returns (uint16);

    /// @notice Reverts with ProgrammesUnknown where there is none.
    function programme(uint16 programmeId) external view returns (Programme memory);

    function requireProgramme(uint16 programmeId) external view;

    /// @notice Reverts unless the tier exists and is open.
    function requireOpenTier(uint16 programmeId, uint8 tier) external view;

    /// @notice Reverts unless each category is open.
    function requireOpenCategories(uint16 programmeId, bytes32[] calldata categories) external view;

    function boundaryCount(uint16 programmeId) external view returns (uint32);

    /// @param number from 1. Reverts with ProgrammesBoundaryUnknown where there is none.
    function boundary(uint16 programmeId, uint32 number) external view returns (uint40);

    /// @notice The epoch at a time; 0 before the first boundary and from the last one on.
    function epochAt(uint16 programmeId, uint40 time) external view returns (uint32);

    function budget(uint16 programmeId, address issuer) external view returns (uint64 perAward, uint64 perEpoch);

    /// @notice An issuer's budget of each epoch in a category; 2^64-1 where it has none of its own.
    function categoryBudget(uint16 programmeId, address issuer, bytes32 category) external view returns (uint64);

    /// @notice The same for several categories at once, each at its place.
    function categoryBudgets(uint16 programmeId, address issuer, bytes32[] calldata categories)
        external
        view
        returns (uint64[] memory);

    /// @notice Everything that an award by this issuer must keep to now, in one call.
    function awardTerms(uint16 programmeId, address issuer) external view returns (AwardTerms memory);
}
