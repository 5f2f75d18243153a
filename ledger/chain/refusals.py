"""What each error of the contracts means and what to do next: one line an error, in one table.

The sentences name the error's own values: an account as its address, a programme as "programme 3"
or "the whole alliance", a time as a date in UTC. A test fails for an error of any ABI that is not
here, and for a sentence that names a value which the error does not carry.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """The meaning of an error, and the next step; both are format strings over its values."""

    meaning: str
    hint: str


_NOBODY = "Give the account's address; the zero address is nobody."
_LOCKED = Refusal(
    "A membership is locked to its organisation and cannot be moved or approved.",
    "Change the organisation's controller instead; its memberships go with it.",
)
_ADMIN_STEPS = "Begin the transfer to the successor, wait out the delay, and let it accept."
_BATCH = Refusal(
    "{given} rows were given in one transaction; it takes 1 to {most}.",
    "Split the rows over several operations, each with an id of its own.",
)

REFUSALS: dict[str, Refusal] = {
    # Authority
    "AuthorityAccountMissing": Refusal("An officer needs an account.", _NOBODY),
    "AuthorityDelayTooLong": Refusal(
        "A delay of {given} seconds is longer than the {most} seconds allowed.",
        "Choose a shorter delay.",
    ),
    "AuthorityOperationIdNeeded": Refusal(
        "Roles are not changed by grantRole and revokeRole.",
        "Appoint and dismiss officers; both take an operation id.",
    ),
    "AuthorityPaused": Refusal(
        "The ledger is paused: no contract of it changes anything.",
        "Wait until the default admin lets it go on, then run the same command again.",
    ),
    "AuthorityRoleHeld": Refusal(
        "{account} is {role} of {programmeId} already.", "Nothing is left to do."
    ),
    "AuthorityRoleMissing": Refusal(
        "{account} is not {role} of {programmeId}.",
        "Sign with an officer's key, or ask the default admin to appoint this account.",
    ),
    "AuthorityRoleNotHeld": Refusal(
        "{account} is not {role} of {programmeId}.",
        "Check the role and the programme: one held alliance-wide is taken alliance-wide.",
    ),
    "AuthorityRoleUnknown": Refusal(
        "There is no role {role}.",
        "Use one of registrar, issuer, treasurer, council, guardian.",
    ),
    # OpenZeppelin's access control and pause
    "AccessControlBadConfirmation": Refusal(
        "A role is renounced only by the account that holds it.", "Sign with that account's key."
    ),
    "AccessControlEnforcedDefaultAdminDelay": Refusal(
        "The change of the default admin can be completed only after {schedule}.",
        "Wait until then; if no change was begun, begin one.",
    ),
    "AccessControlEnforcedDefaultAdminRules": Refusal(
        "The default admin changes in two steps only.", _ADMIN_STEPS
    ),
    "AccessControlInvalidDefaultAdmin": Refusal(
        "{defaultAdmin} cannot become the default admin now.", _ADMIN_STEPS
    ),
    "AccessControlUnauthorizedAccount": Refusal(
        "{account} does not hold the role {neededRole}.",
        "Sign with the key that holds it; officers are appointed by the default admin.",
    ),
    "EnforcedPause": Refusal("The ledger is paused already.", "Nothing is left to do."),
    "ExpectedPause": Refusal("The ledger is not paused.", "Nothing is left to do."),
    "SafeCastOverflowedUintDowncast": Refusal(
        "{value} does not fit {bits} bits.", "Give a smaller value."
    ),
    # Every journal
    "JournalOperationDone": Refusal(
        "The operation {operationId} was done before, by journal event {sequence}.",
        "Look at what it did; use a new operation id for something new.",
    ),
    "JournalOperationIdMissing": Refusal(
        "The command came without an operation id.", "Give 32 bytes that are not all zero."
    ),
    "KeysMalformed": Refusal(
        "{key} is not a well-formed key.",
        "Use 1 to 31 lower-case letters, digits, dots, dashes or underscores, "
        "with a letter or digit first and last.",
    ),
    # Programmes
    "ProgrammesApprovalsMissing": Refusal(
        "A programme's council needs at least one approval.", "Ask for one or more."
    ),
    "ProgrammesBatchSize": _BATCH,
    "ProgrammesBoundaryTooEarly": Refusal(
        "A boundary of {programmeId} at {boundary} is too early; the earliest is {earliest}.",
        "Give boundaries in growing order, all but a programme's first in the future.",
    ),
    "ProgrammesBoundaryTooLate": Refusal(
        "A boundary of {programmeId} is past the year 9999.", "Give a time in seconds since 1970."
    ),
    "ProgrammesBoundaryUnknown": Refusal(
        "{programmeId} has no boundary number {number}.", "Boundaries are counted from 1."
    ),
    "ProgrammesBudgetUnusable": Refusal(
        "A budget of {perAward} an award and {perEpoch} an epoch cannot be used.",
        "Give both, with the one for an award not above the other; both zero take it away.",
    ),
    "ProgrammesCategoryClosed": Refusal(
        "The category {category} of {programmeId} is closed to awards.",
        "Choose an open category, or ask the council to open it again.",
    ),
    "ProgrammesCategoryUnknown": Refusal(
        "{programmeId} has no category {category}.",
        "Check its spelling; the council opens categories.",
    ),
    "ProgrammesFull": Refusal(
        "There are 65,535 programmes, which is all that there can be.", "Use one that exists."
    ),
    "ProgrammesIssuerMissing": Refusal("A budget needs an issuer's account.", _NOBODY),
    "ProgrammesKeyTaken": Refusal(
        "The key {key} is that of {programmeId}.", "Choose another key, or use that programme."
    ),
    "ProgrammesSupplyCapTooLarge": Refusal(
        "A cap of {given} credits is more than the {most} that every reader keeps exact.",
        "Choose a smaller cap.",
    ),
    "ProgrammesTierClosed": Refusal(
        "Tier {tier} of {programmeId} is closed to new admissions.",
        "Choose an open tier, or ask the council to open it again.",
    ),
    "ProgrammesTierKeyTaken": Refusal(
        "{programmeId} has a tier {key} already.", "Use that tier, or choose another key."
    ),
    "ProgrammesTierUnknown": Refusal(
        "{programmeId} has no tier {tier}.", "Tiers are counted from 1; the council adds them."
    ),
    "ProgrammesTiersFull": Refusal(
        "{programmeId} has 255 tiers, which is all that there can be.", "Use one that exists."
    ),
    "ProgrammesUnchanged": Refusal(
        "{key} of {programmeId} is in that state already.", "Nothing is left to do; leave it out."
    ),
    "ProgrammesUnknown": Refusal(
        "There is no {programmeId}.", "Programmes are counted from 1; look up those that exist."
    ),
    # Organisations
    "OrganisationsBatchSize": _BATCH,
    "OrganisationsControllerInUse": Refusal(
        "{controller} acts for organisation {orgId} already.",
        "Give each organisation an account of its own.",
    ),
    "OrganisationsControllerMissing": Refusal(
        "An organisation needs an account that acts for it.", _NOBODY
    ),
    "OrganisationsFull": Refusal(
        "There are 4,294,967,295 organisations, which is all that there can be.",
        "Deploy another ledger.",
    ),
    "OrganisationsNotEntitled": Refusal(
        "{account} neither acts for organisation {orgId} nor is an alliance-wide registrar.",
        "Sign with the organisation's controller or with a registrar's key.",
    ),
    "OrganisationsUnknown": Refusal(
        "There is no organisation {orgId}.", "Look up the organisations that exist."
    ),
    # Memberships
    "MembershipsAlreadyMember": Refusal(
        "Organisation {orgId} is a member of {programmeId} already.",
        "Renew, resume or change the tier of its membership instead.",
    ),
    "MembershipsBatchSize": _BATCH,
    "MembershipsExpiryTooEarly": Refusal(
        "An expiry of {given} for organisation {orgId} is too early; the earliest is {earliest}.",
        "Give a later time.",
    ),
    "MembershipsExpiryTooLate": Refusal(
        "The expiry given for organisation {orgId} is past the year 9999.",
        "Give a time in seconds since 1970.",
    ),
    "MembershipsLapsed": Refusal(
        "The membership of organisation {orgId} in {programmeId} lapsed on {expiredAt}.",
        "Renew it, then run the same command again.",
    ),
    "MembershipsLocked": _LOCKED,
    "MembershipsRevoked": Refusal(
        "The membership of organisation {orgId} in {programmeId} was revoked.",
        "Admit the organisation again if it is to be a member.",
    ),
    "MembershipsStatus": Refusal(
        "The membership of organisation {orgId} in {programmeId} is {found}; "
        "it would have to be {needed}.",
        "Bring it into that state first, or leave it out.",
    ),
    "MembershipsTierUnchanged": Refusal(
        "Organisation {orgId} is in tier {tier} of {programmeId} already.",
        "Nothing is left to do; leave it out.",
    ),
    "MembershipsUnknown": Refusal(
        "Organisation {orgId} was never admitted to {programmeId}.", "Admit it first."
    ),
    # OpenZeppelin's ERC-721
    "ERC721IncorrectOwner": _LOCKED,
    "ERC721InsufficientApproval": _LOCKED,
    "ERC721InvalidApprover": _LOCKED,
    "ERC721InvalidOperator": _LOCKED,
    "ERC721InvalidOwner": Refusal("{owner} can own no membership.", _NOBODY),
    "ERC721InvalidReceiver": _LOCKED,
    "ERC721InvalidSender": _LOCKED,
    "ERC721NonexistentToken": Refusal(
        "There is no membership token {tokenId}.",
        "Tokens are those of active and suspended memberships.",
    ),
    # Credits
    "CreditsAlreadyReversed": Refusal(
        "Entry {entryId} was reversed by entry {reversedBy}.", "Nothing is left to do."
    ),
    "CreditsAmountZero": Refusal(
        "The award to organisation {orgId} is of no credits.", "Give one credit or more."
    ),
    "CreditsAwardOverBudget": Refusal(
        "{asked} credits are more than the {left} that {issuer} has left in this epoch.",
        "Award less, wait for the next epoch, or ask the treasurer for a larger budget.",
    ),
    "CreditsAwardOverLimit": Refusal(
        "{asked} credits are more than the {perAward} that {issuer} may give in one award.",
        "Award less, or ask the treasurer for a larger budget.",
    ),
    "CreditsBatchSize": _BATCH,
    "CreditsEntryOfOtherProgramme": Refusal(
        "Entry {entryId} is of {found}, not of {expected}.", "Name the entry's own programme."
    ),
    "CreditsEntryUnproven": Refusal(
        "What was given as entry {entryId} does not lead to a head of the journal.",
        "Bring the mirror up to date and run the same command again.",
    ),
    "CreditsNoEpoch": Refusal(
        "{programmeId} is in no epoch at {time}.", "Ask its council to append epoch boundaries."
    ),
    "CreditsNotEntitled": Refusal(
        "{account} did not make the award of entry {entryId} and is no council officer.",
        "Sign with the issuer that made the award or with a council officer's key.",
    ),
    "CreditsNotReversible": Refusal(
        "Entry {entryId} is of kind {kind}; only awards are reversed.", "Name the award itself."
    ),
    "CreditsOverSupplyCap": Refusal(
        "{asked} credits are more than the {left} left below the cap of {programmeId}.",
        "Award less, or ask the council to raise the cap.",
    ),
    # Solidity's own
    "Error": Refusal("{message}", "Read what the contract says."),
    "Panic": Refusal(
        "The contract came upon what its code takes for impossible: {reason}.",
        "Report it with the transaction; no value of yours should cause it.",
    ),
}
