"""Errors of the credit journal, and of its tokens."""

from __future__ import annotations

from ledger.chain.refusals.refusal import BATCH, NOTHING_LEFT, OUR_OWN, Refusal

REFUSALS: dict[str, Refusal] = {
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
    "CreditsBatchSize": BATCH,
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
    "CreditsReversalOverBudget": Refusal(
        "{asked} credits are more than the {left} that {issuer} can take back in this epoch, which "
        "is its budget for it.",
        "Take back less, wait for the next epoch, or sign with a council officer's key.",
    ),
    # Expiry, redemption, merger
    "CreditsAlreadyExpired": Refusal("Entry {entryId} expired by entry {expiredBy}.", NOTHING_LEFT),
    "CreditsAwardOverCategoryBudget": Refusal(
        "{asked} credits are more than the {left} that {issuer} has left in {category} in this "
        "epoch.",
        "Award less, wait for the next epoch, or ask the treasurer for a larger budget.",
    ),
    "CreditsBalanceOutOfRange": Refusal(
        "A balance of {balance} for organisation {orgId} is beyond what every reader keeps exact.",
        "Post less at once.",
    ),
    "CreditsBalanceTooLow": Refusal(
        "Organisation {orgId} has {balance} credits; this takes {asked}.", "Take less."
    ),
    "CreditsEntryUnknown": Refusal("There is no entry {entryId} yet.", "Name one that there is."),
    "CreditsNotMerged": Refusal(
        "Organisation {orgId} was not merged into another.",
        "Retire it with its successor's id first.",
    ),
    "CreditsNothingLeft": Refusal(
        "All of entry {entryId} expired; nothing of it is left to take back.", NOTHING_LEFT
    ),
    "CreditsNothingToCarryOver": Refusal(
        "Organisation {orgId} has neither credits nor debts in {programmeId}.", NOTHING_LEFT
    ),
    "CreditsNothingToExpire": Refusal(
        "All that was to expire in {programmeId} was spent.",
        "Nothing is left to do; compute the expiries again if there may be others.",
    ),
    "CreditsOnlyBenefits": Refusal(
        "{account} is not the contract Benefits, which alone redeems and refunds.",
        "Redeem, fulfil and cancel there.",
    ),
    "CreditsOverRefundable": Refusal(
        "{asked} credits are more than the {left} of open redemptions in {programmeId}.", OUR_OWN
    ),
    "CreditsTotalOutOfRange": Refusal(
        "A total of {total} for {programmeId} is beyond what every reader keeps exact.",
        "Post less at once.",
    ),
}
