"""Errors of councils, benefits and shares."""

from __future__ import annotations

from ledger.chain.refusals.refusal import (
    BATCH,
    NOT_CONTROLLER,
    NOTHING_LEFT,
    OUR_OWN,
    Refusal,
)

_LOOK_UP = "Look up those that there are."

REFUSALS: dict[str, Refusal] = {
    # Council
    "CouncilAlreadyApproved": Refusal(
        "{councillor} has approved proposal {proposalId} already.", NOTHING_LEFT
    ),
    "CouncilAppointedLater": Refusal(
        "{councillor} became a councillor after proposal {proposalId} was made.",
        "Let those approve who were councillors then, or make the proposal anew.",
    ),
    "CouncilApprovalsMissing": Refusal(
        "Proposal {proposalId} has {found} approvals that count; it needs {needed}.",
        "Ask other councillors to approve it; who was dismissed since counts no longer.",
    ),
    "CouncilApprovalsUnusable": Refusal(
        "A council cannot need {given} approvals: one at least, and here {most} at most.",
        "To ask for more, let a proposal with as many approvals change it.",
    ),
    "CouncilCallCount": Refusal(
        "{given} calls were proposed; a proposal has 1 to {most}.", "Make several proposals."
    ),
    "CouncilCallUnusable": Refusal(
        "Call number {index}, counted from 0, to {target} calls nothing.",
        "Name a contract, and a function of it in the data's first four bytes.",
    ),
    "CouncilCallsDiffer": Refusal(
        "The calls given for proposal {proposalId} hash to {given}; proposed was {proposed}.",
        "Give the very calls that were proposed.",
    ),
    "CouncilCallsTooLong": Refusal(
        "The calls have {given} bytes; a proposal carries {most} at most.",
        "Split them over several proposals.",
    ),
    "CouncilExpiryUnusable": Refusal(
        "A proposal cannot expire at {given}: it is to be from {earliest} to {latest}.",
        "Choose a time between the two.",
    ),
    "CouncilMakerCannotApprove": Refusal(
        "{maker} made proposal {proposalId}, and cannot approve it too.",
        "Ask other councillors to approve it.",
    ),
    "CouncilMakerDismissed": Refusal(
        "{maker} is no longer the councillor that it was when it made proposal {proposalId}.",
        "Let a councillor in office make the proposal anew.",
    ),
    "CouncilNotEntitled": Refusal(
        "{account} neither made proposal {proposalId} nor is a guardian who may cancel it.",
        "Ask its maker; a guardian cancels no proposal that calls the contract Authority only.",
    ),
    "CouncilOnlyAllianceSeat": Refusal(
        "{account} is not the seat of the whole alliance.",
        "Let a proposal of the whole alliance change it.",
    ),
    "CouncilProposalClosed": Refusal(
        "Proposal {proposalId} is {status}.", "Nothing is left to do with it."
    ),
    "CouncilProposalExpired": Refusal(
        "Proposal {proposalId} expired at {expiresAt}.", "Make it anew."
    ),
    "CouncilProposalUnknown": Refusal("There is no proposal {proposalId}.", _LOOK_UP),
    "CouncilReentered": Refusal(
        "Proposal {proposalId} is being carried out, and carries out no other.",
        "Put the other proposal's calls into this one, or carry it out by itself.",
    ),
    "SeatOnlyCouncil": Refusal(
        "{account} is not the Council, and a seat acts for nobody else.", "Make a proposal."
    ),
    # Benefits
    "BenefitsBatchSize": BATCH,
    "BenefitsClosed": Refusal("Listing {listingId} is closed.", "Choose another benefit."),
    "BenefitsListingUnknown": Refusal("There is no listing {listingId}.", _LOOK_UP),
    "BenefitsNotController": NOT_CONTROLLER,
    "BenefitsNotOpen": Refusal(
        "Listing {listingId} can be redeemed from {opensAt} to before {closesAt}.",
        "Redeem it within that time, or choose another benefit.",
    ),
    "BenefitsOverCapacity": Refusal(
        "{asked} units are more than the {left} that listing {listingId} has left.",
        "Redeem fewer.",
    ),
    "BenefitsOverLimit": Refusal(
        "{asked} units are more than the {left} that organisation {orgId} can still have of "
        "listing {listingId}.",
        "Redeem fewer.",
    ),
    "BenefitsQuantityZero": Refusal("No units were asked for.", "Redeem one or more."),
    "BenefitsRedemptionOfOtherProgramme": Refusal(
        "Redemption {redemptionId} is of {found}, not of {expected}.",
        "Name the redemption's own programme.",
    ),
    "BenefitsRedemptionSettled": Refusal(
        "Redemption {redemptionId} is {status} already.", NOTHING_LEFT
    ),
    "BenefitsRedemptionUnknown": Refusal("There is no redemption {redemptionId}.", _LOOK_UP),
    "BenefitsTermsUnusable": Refusal(
        "A price of {price}, a capacity of {capacity} and {perOrganisation} for one organisation "
        "cannot be used.",
        "Give all three above zero, the limit not above the capacity, and price times capacity "
        "not above 9,007,199,254,740,991.",
    ),
    "BenefitsWindowUnusable": Refusal(
        "A benefit cannot be open from {opensAt} to {closesAt}.",
        "Let it close after it opens, in the future, and before the year 10000.",
    ),
    # Shares
    "SharesAlreadyClaimed": Refusal(
        "The share of organisation {orgId} in distribution {distributionId} was claimed.",
        NOTHING_LEFT,
    ),
    "SharesAmountZero": Refusal(
        "Organisation {orgId} has no share in distribution {distributionId}.", NOTHING_LEFT
    ),
    "SharesClaimWindowUnusable": Refusal(
        "Shares cannot be claimed from {claimableFrom} to {claimableUntil}.",
        "Let it end after it begins, and before the year 10000.",
    ),
    "SharesClaimsTooSoon": Refusal(
        "Shares cannot be claimed from {claimableFrom}: everybody has until {earliest} at least to "
        "recompute them.",
        "Let the claims begin later.",
    ),
    "SharesClaimsNotOpen": Refusal(
        "Shares of distribution {distributionId} are claimed from {claimableFrom} to before "
        "{claimableUntil}.",
        "Claim within that time.",
    ),
    "SharesDistributionUnknown": Refusal("There is no distribution {distributionId}.", _LOOK_UP),
    "SharesEpochNotOver": Refusal(
        "Epoch {epoch} of {programmeId} is not over, or there is none of this number.",
        "Wait for its end; what is posted must not change.",
    ),
    "SharesNotController": Refusal(
        "{account} acts neither for organisation {orgId} nor for the one it was merged into.",
        "Sign with the controller.",
    ),
    "SharesOverPool": Refusal(
        "{asked} units are more than the {left} left of distribution {distributionId}.",
        "Tell the council: its tree gives away more than the pool.",
    ),
    "SharesPoolUnusable": Refusal(
        "A pool of {pool} units cannot be shared.", "Give 1 to 9,007,199,254,740,991."
    ),
    "SharesProofInvalid": Refusal(
        "The proof does not show {amount} units for organisation {orgId} in distribution "
        "{distributionId}.",
        "Ask for the share and its proof again, and change nothing of them.",
    ),
    "SharesRootMissing": Refusal(
        "A distribution came without the root of its tree.", "Compute the tree and give its root."
    ),
    "SharesRuleMissing": Refusal(
        "A distribution came without the hash of its rule.",
        "Publish the rule and give the SHA-256 of its canonical JSON.",
    ),
    "SharesWithdrawnAlready": Refusal(
        "Distribution {distributionId} was withdrawn.", "Look for the one posted in its place."
    ),
    # Credits' tokens, and OpenZeppelin's deployment of them and of seats
    "CreditTokenReadOnly": Refusal(
        "Credits are not transferred or approved as a token.",
        "They are awarded, and redeemed for benefits.",
    ),
    "CreditTokensExists": Refusal(
        "The token of {programmeId} is on the chain, at {token}.", NOTHING_LEFT
    ),
    "Create2EmptyBytecode": Refusal("A contract without code was to be made.", OUR_OWN),
    "FailedDeployment": Refusal(
        "A contract that belongs to this one could not be made.",
        "Run the same command again with more gas.",
    ),
    "InsufficientBalance": Refusal("{needed} wei were needed and {balance} were there.", OUR_OWN),
}
