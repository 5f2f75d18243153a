"""Errors of roles, the pause, and every journal."""

from __future__ import annotations

from ledger.chain.refusals.refusal import NOBODY, Refusal

_ADMIN_STEPS = "Begin the transfer to the successor, wait out the delay, and let it accept."

REFUSALS: dict[str, Refusal] = {
    # Authority
    "AuthorityAccountMissing": Refusal("An officer needs an account.", NOBODY),
    "AuthorityDelayTooLong": Refusal(
        "A delay of {given} seconds is longer than the {most} seconds allowed.",
        "Choose a shorter delay.",
    ),
    "AuthorityOperationIdNeeded": Refusal(
        "Roles are not changed by grantRole and revokeRole.",
        "Appoint and dismiss officers; both take an operation id.",
    ),
    "AuthorityPaused": Refusal(
        "The ledger is paused, and this is not among the few things that can be done meanwhile.",
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
        "Use one of registrar, issuer, treasurer, council, councillor, guardian.",
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
    # Solidity's own
    "Error": Refusal("{message}", "Read what the contract says."),
    "Panic": Refusal(
        "The contract came upon what its code takes for impossible: {reason}.",
        "Report it with the transaction; no value of yours should cause it.",
    ),
}
