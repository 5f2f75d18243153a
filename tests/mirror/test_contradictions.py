"""What cannot follow in longer stories: who acts for whom, credits, benefits, shares, councils."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from ledger.domain import events
from ledger.domain.events import EntryKind
from ledger.domain.ids import ALLIANCE_WIDE
from ledger.domain.keys import encode_key
from ledger.mirror.book import Contradiction
from tests.mirror.story import (
    BY,
    BY_OTHER,
    CHECKER,
    DIGEST,
    FOURTH,
    LATER,
    MAKER,
    MEMBER,
    NAMED,
    NOBODY,
    NOTHING,
    OPERATION,
    OTHER,
    RESCUER,
    SECOND,
    SOMEBODY,
    STRANGER,
    THIRD,
    WHY,
    Told,
    appointed,
    approved,
    calls_of,
    cancelled,
    claimed,
    dismissed,
    entry,
    fulfilled,
    listed,
    posted,
    proposed,
    redeemed,
)

BY_NAMED = BY | {"actor": NAMED}


def changed(org_id: int, controller: bytes, previous: bytes, **others: object) -> object:
    """A rotation, by its successor."""
    values = {"recovered": False, "actor": controller, "operation_id": OPERATION} | others
    return events.ControllerChanged(9, org_id, controller, previous, **values)  # type: ignore[arg-type]


def consented(org_id: int, account: bytes, sequence: int = 9) -> events.ApplicationConsented:
    return events.ApplicationConsented(sequence, 1, org_id, account, DIGEST, **BY)


def admitted(org_id: int, sequence: int = 10) -> events.MembershipAdmitted:
    return events.MembershipAdmitted(sequence, 1, org_id, 1, 900, **WHY, **BY)


def made(proposal_id: int, **others: object) -> Sequence[object]:
    return proposed(proposal_id, **others), calls_of(proposal_id)


def executed(proposal_id: int, programme_id: int = 1) -> events.ProposalExecuted:
    return events.ProposalExecuted(9, programme_id, proposal_id, SECOND, OPERATION)


# Each story's last event cannot be, and those before it can.
IMPOSSIBLE: dict[str, Sequence[object]] = {
    # --- who acts for whom
    "a successor named by another": [events.ControllerNominated(9, 1, STRANGER, **BY_OTHER)],
    "a successor who acts for another": [events.ControllerNominated(9, 1, OTHER, **BY)],
    "a successor of one that is retired": [
        events.ControllerNominated(9, 3, STRANGER, **BY | {"actor": THIRD})
    ],
    "control of nobody's": [changed(9, NAMED, SOMEBODY)],
    "control without being named": [changed(1, STRANGER, SOMEBODY)],
    "control brought by another": [changed(1, NAMED, SOMEBODY, actor=SOMEBODY)],
    "control from another": [changed(1, NAMED, OTHER)],
    "control taken twice": [changed(1, NAMED, SOMEBODY), changed(1, NAMED, NAMED)],
    "control by one who acts for another now": [
        events.OrganisationRegistered(9, 5, NAMED, DIGEST, DIGEST, **BY),
        changed(1, NAMED, SOMEBODY),
    ],
    "control after the name was withdrawn": [
        events.ControllerNominated(9, 1, NOBODY, **BY),
        changed(1, NAMED, SOMEBODY),
    ],
    "a recovery that nobody began": [changed(1, RESCUER, SOMEBODY, recovered=True)],
    "a recovery for another": [changed(2, STRANGER, OTHER, recovered=True)],
    "a recovery too early": [changed(2, RESCUER, OTHER, recovered=True)],
    "a recovery begun twice": [events.RecoveryBegun(9, 2, STRANGER, 600, DIGEST, **BY)],
    "a recovery for one who acts for another": [
        events.RecoveryBegun(9, 1, OTHER, 600, DIGEST, **BY)
    ],
    "a recovery that cannot be objected to": [
        events.RecoveryBegun(9, 1, STRANGER, 500, DIGEST, **BY)
    ],
    "a recovery of one that is retired": [events.RecoveryBegun(9, 3, STRANGER, 600, DIGEST, **BY)],
    "no recovery stopped": [events.RecoveryStopped(9, 1, RESCUER, **BY)],
    "a recovery for another stopped": [events.RecoveryStopped(9, 2, STRANGER, **BY)],
    "a recovery stopped twice": [
        events.RecoveryStopped(9, 2, RESCUER, **BY),
        events.RecoveryStopped(9, 2, RESCUER, **BY),
    ],
    "a member retired": [events.OrganisationRetired(9, 1, 0, DIGEST, **BY)],
    "retired twice": [events.OrganisationRetired(9, 4, 0, DIGEST, **BY)],
    "merged into itself": [events.OrganisationRetired(9, 2, 2, DIGEST, **BY)],
    "merged into one that is retired": [events.OrganisationRetired(9, 2, 4, DIGEST, **BY)],
    "merged into nobody": [events.OrganisationRetired(9, 2, 9, DIGEST, **BY)],
    "a successor of one in office": [events.SuccessorNamed(9, 1, 2, DIGEST, **BY)],
    "a successor of nobody": [events.SuccessorNamed(9, 9, 2, DIGEST, **BY)],
    "another successor": [events.SuccessorNamed(9, 3, 1, DIGEST, **BY)],
    "a successor that is retired": [events.SuccessorNamed(9, 4, 3, DIGEST, **BY)],
    "a successor named twice": [
        events.SuccessorNamed(9, 4, 1, DIGEST, **BY),
        events.SuccessorNamed(9, 4, 1, DIGEST, **BY),
    ],
    # --- consents
    "a consent of another account": [consented(2, SOMEBODY)],
    "a consent without its admission": [consented(2, OTHER), events.LedgerPaused(9, **BY)],
    "a consent before another's admission": [consented(2, OTHER), admitted(1)],
    "a consent before a later admission": [consented(2, OTHER), admitted(2, sequence=11)],
    # --- credits
    "a balance too high": [entry(12, EntryKind.AWARD, 5, 28)],
    "an award to nobody": [entry(12, EntryKind.AWARD, 5, 5, org_id=9)],
    "an award of no category": [entry(12, EntryKind.AWARD, 5, 27, category=encode_key("x"))],
    "an award without a category": [entry(12, EntryKind.AWARD, 5, 27, category=NOTHING)],
    "an award of less than nothing": [entry(12, EntryKind.AWARD, -5, 17)],
    "an award of nothing": [entry(12, EntryKind.AWARD, 0, 22)],
    "an award that refers to an entry": [entry(12, EntryKind.AWARD, 5, 27, refers_to=2)],
    # 52 are outstanding and 10 may be refunded.
    "an award over the cap": [entry(12, EntryKind.AWARD, 939, 961)],
    "an award over a cap lowered": [
        events.SupplyCapChanged(9, 1, 62, **BY),
        entry(12, EntryKind.AWARD, 1, 23),
    ],
    "a kind that there is not": [entry(12, 9, 5, 27)],
    "a reversal of nothing": [entry(12, EntryKind.REVERSAL, -5, 17, refers_to=99)],
    "a reversal of a reversal": [entry(12, EntryKind.REVERSAL, 40, 62, refers_to=3)],
    "a reversal for another": [
        entry(12, EntryKind.REVERSAL, -2, -2, refers_to=2, org_id=2),
    ],
    "a reversal in another category": [
        entry(12, EntryKind.REVERSAL, -2, 20, refers_to=2, category=encode_key("x"))
    ],
    "a reversal in another programme": [
        entry(12, EntryKind.REVERSAL, -2, -2, refers_to=2, programme_id=2)
    ],
    "a reversal of another amount": [entry(12, EntryKind.REVERSAL, -1, 21, refers_to=2)],
    "a second reversal": [entry(12, EntryKind.REVERSAL, -40, -18, refers_to=1)],
    "a reversal of what expired": [entry(12, EntryKind.REVERSAL, -100, -78, refers_to=5)],
    "a second expiry": [entry(12, EntryKind.EXPIRY, -1, 21, refers_to=5)],
    "an expiry of what was reversed": [entry(12, EntryKind.EXPIRY, -1, 21, refers_to=1)],
    "an expiry of nothing": [entry(12, EntryKind.EXPIRY, -1, 21, refers_to=0)],
    "an expiry of what is to come": [entry(12, EntryKind.EXPIRY, -1, 21, refers_to=12)],
    "an expiry that gives": [entry(12, EntryKind.EXPIRY, 1, 23, refers_to=2)],
    "an expiry of what was spent": [entry(12, EntryKind.EXPIRY, -23, -1, refers_to=2)],
    "a redemption that gives": [entry(12, EntryKind.REDEMPTION, 5, 27)],
    "a redemption of what is not there": [entry(12, EntryKind.REDEMPTION, -30, -8)],
    "a redemption of a category": [
        entry(12, EntryKind.REDEMPTION, -10, 12, category=encode_key("x"))
    ],
    "a redemption that refers to an entry": [entry(12, EntryKind.REDEMPTION, -10, 12, refers_to=2)],
    "a refund of nothing": [entry(12, EntryKind.REFUND, 10, 32, refers_to=99)],
    "a refund of an award": [entry(12, EntryKind.REFUND, 2, 24, refers_to=2)],
    "a refund of another amount": [entry(12, EntryKind.REFUND, 9, 31, refers_to=8)],
    "a refund to another": [entry(12, EntryKind.REFUND, 10, 10, refers_to=8, org_id=2)],
    "a second refund": [entry(12, EntryKind.REFUND, 10, 32, refers_to=9)],
    "carried over from one that was not merged": [entry(12, EntryKind.CARRY_OVER, -22, 0)],
    "carried over from one without a successor": [
        entry(12, EntryKind.CARRY_OVER, 5, 5, org_id=4),
    ],
    "carried over in part": [entry(12, EntryKind.CARRY_OVER, -29, 1, org_id=3)],
    "carried over of a category": [
        entry(12, EntryKind.CARRY_OVER, -30, 0, org_id=3, category=encode_key("x"))
    ],
    "carried over to another": [
        entry(12, EntryKind.CARRY_OVER, -30, 0, org_id=3),
        entry(13, EntryKind.CARRY_OVER, 30, 52, refers_to=12),
    ],
    "carried over and lost in part": [
        entry(12, EntryKind.CARRY_OVER, -30, 0, org_id=3),
        entry(13, EntryKind.CARRY_OVER, 29, 29, org_id=2, refers_to=12),
    ],
    "carried over, and something else": [
        entry(12, EntryKind.CARRY_OVER, -30, 0, org_id=3),
        events.LedgerPaused(9, **BY),
    ],
    "carried over from nothing": [entry(12, EntryKind.CARRY_OVER, 30, 30, org_id=2, refers_to=99)],
    # --- benefits
    "a listing twice": [listed(1)],
    "a listing left out": [listed(4)],
    "a listing of no programme": [listed(3, programme_id=2)],
    "a listing for nothing": [listed(3, price=0)],
    "a listing of nothing": [listed(3, capacity=0, per_organisation=0)],
    "a listing with more for one than for all": [listed(3, per_organisation=4)],
    "a listing that closes before it opens": [listed(3, opens_at=900)],
    "a listing that closed": [listed(3, closes_at=500)],
    "a listing closed twice": [events.BenefitClosed(9, 1, 2, **BY)],
    "a listing closed by another programme": [events.BenefitClosed(9, 2, 1, **BY)],
    "no listing closed": [events.BenefitClosed(9, 1, 9, **BY)],
    "redeemed without an entry": [redeemed(4, 8)],
    "an entry without its redemption": [
        entry(12, EntryKind.REDEMPTION, -10, 12),
        entry(13, EntryKind.AWARD, 1, 13),
    ],
    "redeemed by another entry": [entry(12, EntryKind.REDEMPTION, -10, 12), redeemed(4, 8)],
    "redeemed by another than who asked": [
        entry(12, EntryKind.REDEMPTION, -10, 12),
        redeemed(4, 12, **BY_OTHER),
    ],
    "redeemed by one who does not act for it": [
        entry(12, EntryKind.REDEMPTION, -10, 12, **BY_OTHER),
        redeemed(4, 12, **BY_OTHER),
    ],
    "redeemed at another price": [
        entry(12, EntryKind.REDEMPTION, -9, 13),
        redeemed(4, 12, amount=9),
    ],
    "redeemed in no quantity": [
        entry(12, EntryKind.REDEMPTION, -10, 12),
        redeemed(4, 12, quantity=0),
    ],
    "redeemed twice under one number": [
        entry(12, EntryKind.REDEMPTION, -10, 12),
        redeemed(1, 12),
    ],
    "redeemed by another operation than its entry": [
        entry(12, EntryKind.REDEMPTION, -10, 12),
        redeemed(4, 12, operation_id=DIGEST),
    ],
    "cancelled by another operation than its refund": [
        entry(12, EntryKind.REFUND, 10, 32, refers_to=8),
        cancelled(1, 12, operation_id=DIGEST),
    ],
    "a redemption left out": [entry(12, EntryKind.REDEMPTION, -10, 12), redeemed(5, 12)],
    "redeemed over the limit": [
        entry(12, EntryKind.REDEMPTION, -20, 2),
        redeemed(4, 12, quantity=2, amount=20),
    ],
    "redeemed of what is closed": [
        entry(12, EntryKind.REDEMPTION, -10, 12),
        redeemed(4, 12, listing_id=2),
    ],
    "redeemed of nothing": [
        entry(12, EntryKind.REDEMPTION, -10, 12),
        redeemed(4, 12, listing_id=9),
    ],
    "fulfilled twice": [fulfilled(3, listing_id=2)],
    "fulfilled after it was cancelled": [fulfilled(2)],
    "fulfilled of another listing": [fulfilled(1, listing_id=2)],
    "fulfilled to another": [fulfilled(1, org_id=2)],
    "fulfilled though nobody redeemed": [fulfilled(9)],
    "cancelled without a refund": [cancelled(1, 10)],
    "a refund without its cancellation": [
        entry(12, EntryKind.REFUND, 10, 32, refers_to=8),
        fulfilled(1),
    ],
    "cancelled though another was refunded": [
        entry(12, EntryKind.REFUND, 10, 32, refers_to=11),
        cancelled(1, 12),
    ],
    "cancelled after it was fulfilled": [
        entry(12, EntryKind.REFUND, 10, 32, refers_to=11),
        cancelled(3, 12, listing_id=2),
    ],
    # --- shares
    "a distribution twice": [posted(1)],
    "a distribution left out": [posted(5)],
    "a distribution of no programme": [posted(4, programme_id=2)],
    "a distribution of no epoch": [posted(4, epoch=0)],
    "a distribution of an epoch that goes on": [posted(4, epoch=2)],
    "a distribution of an epoch to come": [posted(4, epoch=3)],
    "a distribution of nothing": [posted(4, pool=0)],
    "a distribution to nobody": [posted(4, root=NOTHING)],
    "a distribution by no rule": [posted(4, rule=NOTHING)],
    "a distribution that cannot be claimed any more": [posted(4, claimable_until=500)],
    "a distribution that ends before it begins": [posted(4, claimable_from=900)],
    "taken back twice": [events.SharesWithdrawn(9, 1, 3, DIGEST, **BY)],
    "claimed of what was taken back after a claim": [
        events.SharesWithdrawn(9, 1, 2, DIGEST, **BY),
        claimed(2, 5, org_id=2, **BY_OTHER),
    ],
    "taken back by another programme": [events.SharesWithdrawn(9, 2, 1, DIGEST, **BY)],
    "no distribution taken back": [events.SharesWithdrawn(9, 1, 9, DIGEST, **BY)],
    "claimed by another": [claimed(1, 5, **BY_OTHER)],
    "claimed for one without a successor": [claimed(1, 5, org_id=4, **BY | {"actor": FOURTH})],
    "claimed twice": [claimed(2, 5)],
    "claimed of nothing": [claimed(9, 5)],
    "claimed of what was taken back": [claimed(3, 5)],
    "claimed over the pool": [claimed(2, 31, org_id=2, **BY_OTHER)],
    "nothing claimed": [claimed(1, 0)],
    "claimed before it began": [posted(4, claimable_from=501), claimed(4, 5)],
    # --- councils
    "a proposal twice": [proposed(1)],
    "a proposal left out": [proposed(5)],
    "a proposal of no programme": [proposed(4, programme_id=2)],
    "a proposal that needs less": [
        events.ApprovalsNeededChanged(9, 1, 2, **BY),
        proposed(4),
    ],
    "a proposal of the alliance that needs less": [
        proposed(4, programme_id=ALLIANCE_WIDE, maker=SECOND)
    ],
    "a proposal of the alliance by a programme's councillor": [
        proposed(4, programme_id=ALLIANCE_WIDE, approvals_needed=2)
    ],
    "a proposal that expired": [proposed(4, expires_at=500)],
    "a proposal by a stranger": [proposed(4, maker=STRANGER)],
    "a proposal without its calls": [proposed(4), approved(2, CHECKER, 1)],
    "calls without a proposal": [calls_of(2)],
    "calls of another proposal": [proposed(4), calls_of(1)],
    "calls that are others": [proposed(4), calls_of(4, calls_hash=OPERATION)],
    "no calls": [proposed(4), calls_of(4, calls=())],
    "approved by its maker": [approved(2, MAKER, 1)],
    "approved twice": [approved(1, CHECKER, 2)],
    "an approval left out": [approved(2, CHECKER, 2)],
    "approved by a stranger": [approved(2, STRANGER, 1)],
    "approved by a councillor of later": [approved(2, LATER, 1)],
    "approved by one appointed again": [
        dismissed(14, CHECKER, 1),
        appointed(15, CHECKER, 1),
        approved(2, CHECKER, 1),
    ],
    "approved after its maker went": [dismissed(14, MAKER, 1), approved(2, CHECKER, 1)],
    "approved after it was cancelled": [approved(3, CHECKER, 1)],
    "no proposal approved": [approved(9, CHECKER, 1)],
    "executed without approvals": [executed(2)],
    "executed after its checker went": [dismissed(14, CHECKER, 1), executed(1)],
    "executed after its maker went": [dismissed(14, MAKER, 1), executed(1)],
    "executed twice": [executed(1), executed(1)],
    "executed by another programme": [executed(1, programme_id=ALLIANCE_WIDE)],
    "cancelled after it was executed": [
        executed(1),
        events.ProposalCancelled(9, 1, 1, MAKER, OPERATION),
    ],
}


@pytest.mark.parametrize("what", IMPOSSIBLE)
def test_event__that_cannot_follow__is_refused(told: Told, what: str) -> None:
    *possible, impossible = IMPOSSIBLE[what]
    told.tell(*possible)
    with pytest.raises(Contradiction):
        told.tell(impossible)


@pytest.mark.parametrize(
    "happened",
    [
        [changed(2, RESCUER, OTHER, recovered=True)],
        [events.ProposalCancelled(9, 1, 1, MAKER, OPERATION)],
    ],
    ids=["a recovery that may end", "a proposal that expired"],
)
def test_event__at_another_time__can_be_or_not(told: Told, happened: Sequence[object]) -> None:
    """Whether they can be is a question of time; one became possible, the other is no more."""
    if isinstance(happened[0], events.ControllerChanged):
        told.tell(*happened, time=600)
    else:
        with pytest.raises(Contradiction):
            told.tell(*happened, time=900)


FOLLOWS: dict[str, Sequence[object]] = {
    "a rotation ends a recovery": [
        events.ControllerNominated(9, 2, STRANGER, **BY_OTHER),
        changed(2, STRANGER, OTHER),
        events.RecoveryBegun(9, 2, RESCUER, 600, DIGEST, **BY),
    ],
    "who was followed can act for another": [
        changed(1, NAMED, SOMEBODY),
        events.OrganisationRegistered(9, 5, SOMEBODY, DIGEST, DIGEST, **BY),
    ],
    "who acted for one that is retired can act for another": [
        events.ControllerNominated(9, 1, FOURTH, **BY),
        changed(1, FOURTH, SOMEBODY),
    ],
    "a consent and its admission": [consented(2, OTHER), admitted(2)],
    "a reversal of the rest": [entry(12, EntryKind.REVERSAL, -40, -18, refers_to=5)],
    "an award up to the cap": [entry(12, EntryKind.AWARD, 938, 960)],
    "a fulfilment makes room under the cap": [
        fulfilled(1),
        entry(12, EntryKind.AWARD, 948, 970),
    ],
    "an expiry in no category, of an award of another": [
        entry(12, EntryKind.EXPIRY, -5, 17, refers_to=4, category=NOTHING)
    ],
    "carried over": [
        entry(12, EntryKind.CARRY_OVER, -30, 0, org_id=3),
        entry(13, EntryKind.CARRY_OVER, 30, 30, org_id=2, refers_to=12),
    ],
    "a redemption by the successor": [
        changed(1, NAMED, SOMEBODY),
        entry(12, EntryKind.REDEMPTION, -10, 12, **BY_NAMED),
        redeemed(4, 12, **BY_NAMED),
    ],
    "taken back after a claim": [events.SharesWithdrawn(9, 1, 2, DIGEST, **BY)],
    "a share of one whose successor was named later": [
        events.SuccessorNamed(9, 4, 1, DIGEST, **BY),
        claimed(1, 5, org_id=4),
    ],
    "a share of one that was merged": [claimed(1, 5, org_id=3, **BY_OTHER)],
    "a proposal of the alliance": [
        appointed(14, STRANGER, ALLIANCE_WIDE),
        appointed(15, RESCUER, ALLIANCE_WIDE),
        *made(
            4,
            programme_id=ALLIANCE_WIDE,
            maker=SECOND,
            approvals_needed=2,
            authority_sequence=15,
        ),
        events.ProposalApproved(9, ALLIANCE_WIDE, 4, STRANGER, 1, OPERATION),
        events.ProposalApproved(9, ALLIANCE_WIDE, 4, RESCUER, 2, OPERATION),
        executed(4, programme_id=ALLIANCE_WIDE),
    ],
    "executed by one appointed later": [
        events.ProposalExecuted(9, 1, 1, LATER, OPERATION),
    ],
    "approved by a councillor of the whole alliance": [approved(1, SECOND, 2)],
}


@pytest.mark.parametrize("what", FOLLOWS)
def test_event__that_can_follow__is_taken(told: Told, what: str) -> None:
    told.tell(*FOLLOWS[what])
    assert told.book.awaited is None


def test_event__awaited_in_another_block__is_refused(told: Told) -> None:
    told.tell(consented(2, OTHER))
    awaited = told.book.awaited
    assert awaited is not None
    told.book.awaited = awaited._replace(at=awaited.at._replace(block_number=4))
    with pytest.raises(Contradiction, match="MembershipAdmitted stands where"):
        told.tell(admitted(2))


def test_membership__of_one_that_is_held__keeps_it_from_being_retired(told: Told) -> None:
    told.tell(events.MembershipRevoked(9, **MEMBER, **WHY, **BY))
    told.tell(events.OrganisationRetired(9, 1, 2, DIGEST, **BY))
