"""Errors of organisations and memberships."""

from __future__ import annotations

from ledger.chain.refusals.refusal import (
    BATCH,
    NOBODY,
    NOT_CONTROLLER,
    NOTHING_LEFT,
    OUR_OWN,
    Refusal,
)

_LOCKED = Refusal(
    "A membership is locked to its organisation and cannot be moved or approved.",
    "Change the organisation's controller instead; its memberships go with it.",
)

REFUSALS: dict[str, Refusal] = {
    # Organisations
    "OrganisationsBatchSize": BATCH,
    "OrganisationsControllerInUse": Refusal(
        "{controller} acts for organisation {orgId} already.",
        "Give each organisation an account of its own.",
    ),
    "OrganisationsControllerMissing": Refusal(
        "An organisation needs an account that acts for it.", NOBODY
    ),
    "OrganisationsFull": Refusal(
        "There are 4,294,967,295 organisations, which is all that there can be.",
        "Deploy another ledger.",
    ),
    "OrganisationsNotEntitled": Refusal(
        "{account} neither acts for organisation {orgId} nor is an alliance-wide officer who may "
        "do this.",
        "Sign with the organisation's controller or with such an officer's key.",
    ),
    "OrganisationsUnknown": Refusal(
        "There is no organisation {orgId}.", "Look up the organisations that exist."
    ),
    # Memberships
    "MembershipsAlreadyMember": Refusal(
        "Organisation {orgId} is a member of {programmeId} already.",
        "Renew, resume or change the tier of its membership instead.",
    ),
    "MembershipsBatchSize": BATCH,
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
    "ERC721InvalidOwner": Refusal("{owner} can own no membership.", NOBODY),
    "ERC721InvalidReceiver": _LOCKED,
    "ERC721InvalidSender": _LOCKED,
    "ERC721NonexistentToken": Refusal(
        "There is no membership token {tokenId}.",
        "Tokens are those of active and suspended memberships.",
    ),
    # Rotation, recovery, retirement
    "OrganisationsDelayUnusable": Refusal(
        "A recovery cannot wait {given}: it is to be {least} to {most}.",
        "Choose a delay between the two.",
    ),
    "OrganisationsNoRecovery": Refusal(
        "No recovery of organisation {orgId} is under way.", "Begin one, if it lost its key."
    ),
    "OrganisationsNotController": NOT_CONTROLLER,
    "OrganisationsNotRetired": Refusal(
        "Organisation {orgId} is not retired.", "Retire it, with its successor's id."
    ),
    "OrganisationsNotNominated": Refusal(
        "{account} is not whom the controller of organisation {orgId} named.",
        "Ask the controller to name this account, or sign with the one that it named.",
    ),
    "OrganisationsRecoveryTooEarly": Refusal(
        "The controller of organisation {orgId} can object until {finishableFrom}.",
        "Wait until then, then run the same command again.",
    ),
    "OrganisationsRecoveryUnderWay": Refusal(
        "A recovery of organisation {orgId} to {successor} is under way.",
        "Finish it, or stop it and begin another.",
    ),
    "OrganisationsRetired": Refusal(
        "Organisation {orgId} is retired; nobody acts for it.",
        "Name the organisation that it was merged into, if there is one.",
    ),
    "OrganisationsStillMember": Refusal(
        "Organisation {orgId} holds {memberships} memberships.", "Revoke them, then retire it."
    ),
    "OrganisationsSuccessorNamed": Refusal(
        "Organisation {orgId} was merged into organisation {successorId}, which is never changed.",
        NOTHING_LEFT,
    ),
    "OrganisationsSuccessorUnusable": Refusal(
        "Organisation {orgId} cannot be merged into organisation {successorId}.",
        "Name another organisation, or none.",
    ),
    # Consent, metadata, moves
    "MembershipsBaseTooLong": Refusal(
        "A base URI of {given} bytes is longer than {most}.", "Choose a shorter one."
    ),
    "MembershipsConsentCount": Refusal(
        "{consents} consents came with {admissions} admissions.",
        "Give each admission its consent, in the same order.",
    ),
    "MembershipsNotController": Refusal(
        "{account} agreed to the admission, but does not act for organisation {orgId}.",
        "Let the applicant's controller sign.",
    ),
    "MembershipsOnlyOrganisations": Refusal(
        "{account} is not the contract Organisations, which alone says that tokens moved.", OUR_OWN
    ),
}
