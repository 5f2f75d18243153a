"""What happened on the chain, decoded: one value class for each journal event of the contracts.

Field names are the ABI's in snake_case and in its order, without `head` (a test compares them with
the artifacts). Bytes stay bytes: keys are read with `ledger.domain.keys`. Amounts are whole
credits, times seconds since 1970 UTC. One module a contract; all names are found here.
"""

from __future__ import annotations

from ledger.domain.events.authority import (
    AdminDelayChangeBegun,
    AdminDelayChangeCancelled,
    AdminTransferBegun,
    AdminTransferCancelled,
    LedgerPaused,
    LedgerResumed,
    OfficerAppointed,
    OfficerDismissed,
)
from ledger.domain.events.benefits import (
    BenefitClosed,
    BenefitListed,
    BenefitRedeemed,
    RedemptionCancelled,
    RedemptionFulfilled,
    RedemptionStatus,
)
from ledger.domain.events.council import (
    AllianceApprovalsChanged,
    Call,
    ProposalApproved,
    ProposalCalls,
    ProposalCancelled,
    ProposalExecuted,
    ProposalMade,
    ProposalStatus,
)
from ledger.domain.events.credits import EntryKind, EntryPosted
from ledger.domain.events.journal import Event
from ledger.domain.events.memberships import (
    HELD_STATUSES,
    ApplicationConsented,
    ApplicationDeclined,
    MembershipAdmitted,
    MembershipRenewed,
    MembershipResumed,
    MembershipRevoked,
    MembershipStatus,
    MembershipSuspended,
    MembershipTierChanged,
    MetadataBaseChanged,
)
from ledger.domain.events.messages import MessageCancelled
from ledger.domain.events.organisations import (
    ControllerChanged,
    ControllerNominated,
    OrganisationProfileChanged,
    OrganisationRegistered,
    OrganisationRetired,
    RecoveryBegun,
    RecoveryStopped,
    SuccessorNamed,
)
from ledger.domain.events.programmes import (
    ApprovalsNeededChanged,
    BudgetChanged,
    CategoryBudgetChanged,
    CategoryStatusChanged,
    EpochBoundaryAppended,
    ProgrammeCreated,
    ProgrammeProfileChanged,
    SupplyCapChanged,
    TierAdded,
    TierStatusChanged,
)
from ledger.domain.events.shares import ShareClaimed, SharesPosted, SharesWithdrawn

__all__ = [
    "HELD_STATUSES",
    "AdminDelayChangeBegun",
    "AdminDelayChangeCancelled",
    "AdminTransferBegun",
    "AdminTransferCancelled",
    "AllianceApprovalsChanged",
    "ApplicationConsented",
    "ApplicationDeclined",
    "ApprovalsNeededChanged",
    "BenefitClosed",
    "BenefitListed",
    "BenefitRedeemed",
    "BudgetChanged",
    "Call",
    "CategoryBudgetChanged",
    "CategoryStatusChanged",
    "ControllerChanged",
    "ControllerNominated",
    "EntryKind",
    "EntryPosted",
    "EpochBoundaryAppended",
    "Event",
    "LedgerPaused",
    "LedgerResumed",
    "MembershipAdmitted",
    "MembershipRenewed",
    "MembershipResumed",
    "MembershipRevoked",
    "MembershipStatus",
    "MembershipSuspended",
    "MembershipTierChanged",
    "MessageCancelled",
    "MetadataBaseChanged",
    "OfficerAppointed",
    "OfficerDismissed",
    "OrganisationProfileChanged",
    "OrganisationRegistered",
    "OrganisationRetired",
    "ProgrammeCreated",
    "ProgrammeProfileChanged",
    "ProposalApproved",
    "ProposalCalls",
    "ProposalCancelled",
    "ProposalExecuted",
    "ProposalMade",
    "ProposalStatus",
    "RecoveryBegun",
    "RecoveryStopped",
    "RedemptionCancelled",
    "RedemptionFulfilled",
    "RedemptionStatus",
    "ShareClaimed",
    "SharesPosted",
    "SharesWithdrawn",
    "SuccessorNamed",
    "SupplyCapChanged",
    "TierAdded",
    "TierStatusChanged",
]
