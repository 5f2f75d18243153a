"""Errors of programmes and their rules."""

from __future__ import annotations

from ledger.chain.refusals.refusal import BATCH, NOBODY, Refusal

REFUSALS: dict[str, Refusal] = {
    # Programmes
    "ProgrammesApprovalsUnusable": Refusal(
        "A programme's council cannot need {given} approvals.", "Ask for 1 to {most}."
    ),
    "ProgrammesBatchSize": BATCH,
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
        "There are 1,000 programmes, which is all that there can be.", "Use one that exists."
    ),
    "ProgrammesIssuerMissing": Refusal("A budget needs an issuer's account.", NOBODY),
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
    "ProgrammesCategoryBudgetUnusable": Refusal(
        "A budget of {perEpoch} in the category {category} cannot be used.",
        "Give 9,007,199,254,740,991 at most, and zero where it is taken away.",
    ),
}
