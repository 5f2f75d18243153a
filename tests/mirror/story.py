"""A short history in which something of everything has happened, told event by event to a book.

It is for tests of what cannot follow from it. All of it happens at the time 500.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection

from ledger.domain import events
from ledger.domain.events import Call, EntryKind
from ledger.domain.ids import ALLIANCE_WIDE, ProgrammeId
from ledger.domain.keys import encode_key
from ledger.mirror.book import Book, Place
from ledger.mirror.handlers import handle

NOW = 500

SOMEBODY, OTHER, THIRD, FOURTH = (bytes([each]) * 20 for each in (0x11, 0x22, 0x33, 0x44))
NAMED, RESCUER, STRANGER = (bytes([each]) * 20 for each in (0x55, 0x66, 0x77))
MAKER, CHECKER, SECOND, LATER = (bytes([each]) * 20 for each in (0xA1, 0xA2, 0xA3, 0xA4))
NOBODY = bytes(20)

OPERATION, DIGEST, NOTHING = b"\x33" * 32, b"\x44" * 32, bytes(32)
CATEGORY = encode_key("data.acquire")
BY: dict[str, Any] = {"actor": SOMEBODY, "operation_id": OPERATION}
BY_OTHER: dict[str, Any] = BY | {"actor": OTHER}
MEMBER: dict[str, Any] = {"programme_id": 1, "org_id": 1}
WHY: dict[str, Any] = {"reason": NOTHING, "evidence": DIGEST}
COUNCILLOR = b"councillor".ljust(30, b"\0")
CALLS = (Call(OTHER, b"\1\2\3\4"), Call(THIRD, b"\5\6\7\x08\x09"))


def entry(
    entry_id: int, kind: EntryKind | int, amount: int, after: int, **others: Any
) -> events.EntryPosted:
    """An entry of organisation 1 in programme 1, where nothing else is said."""
    plain = {EntryKind.REDEMPTION, EntryKind.REFUND, EntryKind.CARRY_OVER}
    values = {
        "refers_to": 0,
        "category": NOTHING if kind in plain else CATEGORY,
        "evidence": DIGEST,
        **MEMBER,
        **BY,
        **others,
    }
    return events.EntryPosted(
        entry_id=entry_id, kind=int(kind), amount=amount, balance_after=after, **values
    )


def listed(listing_id: int, **others: Any) -> events.BenefitListed:
    """A listing of three units for 10 credits each, two of them for one organisation."""
    values: dict[str, Any] = {
        "programme_id": 1,
        "price": 10,
        "capacity": 3,
        "per_organisation": 2,
        "opens_at": 0,
        "closes_at": 900,
        "profile": DIGEST,
        **BY,
        **others,
    }
    return events.BenefitListed(9, listing_id=listing_id, **values)


def redeemed(redemption_id: int, entry_id: int, **others: Any) -> events.BenefitRedeemed:
    """A unit of listing 1, redeemed by organisation 1."""
    values: dict[str, Any] = {"listing_id": 1, "org_id": 1, "quantity": 1, "amount": 10}
    return events.BenefitRedeemed(
        9, redemption_id=redemption_id, entry_id=entry_id, **values | BY | others
    )


def fulfilled(redemption_id: int, **others: Any) -> events.RedemptionFulfilled:
    """A redemption of listing 1 by organisation 1 is fulfilled."""
    values: dict[str, Any] = {"listing_id": 1, "org_id": 1, "evidence": DIGEST}
    return events.RedemptionFulfilled(9, redemption_id=redemption_id, **values | BY | others)


def cancelled(redemption_id: int, entry_id: int, **others: Any) -> events.RedemptionCancelled:
    """A redemption of listing 1 by organisation 1 is cancelled."""
    values: dict[str, Any] = {"listing_id": 1, "org_id": 1, "evidence": DIGEST}
    return events.RedemptionCancelled(
        9, redemption_id=redemption_id, entry_id=entry_id, **values | BY | others
    )


def posted(distribution_id: int, **others: Any) -> events.SharesPosted:
    """A pool of 50 slots, shared by epoch 1."""
    values: dict[str, Any] = {
        "programme_id": 1,
        "epoch": 1,
        "pool": 50,
        "unit": encode_key("slots"),
        "rule": DIGEST,
        "root": DIGEST,
        "claimable_from": 300,
        "claimable_until": 900,
        "evidence": DIGEST,
    }
    return events.SharesPosted(9, distribution_id=distribution_id, **values | BY | others)


def claimed(distribution_id: int, amount: int, **others: Any) -> events.ShareClaimed:
    """Organisation 1 claims its share."""
    values = {"org_id": 1} | BY | others
    return events.ShareClaimed(9, distribution_id=distribution_id, amount=amount, **values)


def proposed(proposal_id: int, **others: Any) -> events.ProposalMade:
    """A proposal of programme 1 that needs one approval."""
    values: dict[str, Any] = {
        "programme_id": 1,
        "maker": MAKER,
        "calls_hash": DIGEST,
        "evidence": DIGEST,
        "approvals_needed": 1,
        "expires_at": 900,
        "authority_sequence": 12,
        "operation_id": OPERATION,
    }
    return events.ProposalMade(9, proposal_id=proposal_id, **values | others)


def calls_of(proposal_id: int, **others: Any) -> events.ProposalCalls:
    """What it calls."""
    values: dict[str, Any] = {"calls_hash": DIGEST, "calls": CALLS}
    return events.ProposalCalls(proposal_id=proposal_id, **values | others)


def approved(proposal_id: int, councillor: bytes, approvals: int) -> events.ProposalApproved:
    """An approval of a proposal of programme 1."""
    return events.ProposalApproved(9, 1, proposal_id, councillor, approvals, OPERATION)


def appointed(sequence: int, account: bytes, programme_id: int) -> events.OfficerAppointed:
    """A new councillor."""
    role = COUNCILLOR + programme_id.to_bytes(2, "big")
    return events.OfficerAppointed(sequence, role, account, **BY)


def dismissed(sequence: int, account: bytes, programme_id: int) -> events.OfficerDismissed:
    """A councillor of before."""
    role = COUNCILLOR + programme_id.to_bytes(2, "big")
    return events.OfficerDismissed(sequence, role, account, **BY)


def _beginning() -> Iterable[object]:
    yield events.ProgrammeCreated(1, 1, encode_key("fund"), DIGEST, 1000, 1, **BY)
    yield events.TierAdded(2, 1, 1, encode_key("core"), **BY)
    yield events.CategoryStatusChanged(3, 1, CATEGORY, True, **BY)
    yield events.EpochBoundaryAppended(4, 1, 1, 100, **BY)
    yield events.EpochBoundaryAppended(5, 1, 2, 400, **BY)
    yield events.EpochBoundaryAppended(6, 1, 3, 600, **BY)
    for org_id, controller in enumerate((SOMEBODY, OTHER, THIRD, FOURTH), start=1):
        kind = encode_key("company")
        yield events.OrganisationRegistered(org_id, org_id, controller, kind, DIGEST, **BY)
    yield events.MembershipAdmitted(1, **MEMBER, tier=1, expires_at=900, **WHY, **BY)
    issuer = b"issuer".ljust(32, b"\0")
    yield events.OfficerAppointed(1, issuer, SOMEBODY, **BY)


def _credits() -> Iterable[object]:
    yield entry(1, EntryKind.AWARD, 40, 40)
    yield entry(2, EntryKind.AWARD, 2, 42)
    yield entry(3, EntryKind.REVERSAL, -40, 2, refers_to=1)
    yield entry(4, EntryKind.AWARD, 30, 30, org_id=3)
    yield entry(5, EntryKind.AWARD, 100, 102)
    yield entry(6, EntryKind.EXPIRY, -60, 42, refers_to=5)
    yield events.MessageCancelled(7, SOMEBODY, OPERATION)


def _changes_of_control() -> Iterable[object]:
    """Organisation 3 is merged into 2, 4 is no more, 1 has named a successor, 2 is recovered."""
    yield events.OrganisationRetired(5, 3, 2, DIGEST, **BY)
    yield events.OrganisationRetired(6, 4, 0, DIGEST, **BY)
    yield events.ControllerNominated(7, 1, NAMED, **BY)
    yield events.RecoveryBegun(8, 2, RESCUER, 600, DIGEST, **BY)


def _benefits() -> Iterable[object]:
    """Redemption 1 is open, 2 is given back, 3 is fulfilled."""
    yield listed(1)
    for redemption_id, entry_id, after in ((1, 8, 32), (2, 9, 22)):
        yield entry(entry_id, EntryKind.REDEMPTION, -10, after)
        yield redeemed(redemption_id, entry_id)
    yield entry(10, EntryKind.REFUND, 10, 32, refers_to=9)
    yield cancelled(2, 10)
    yield listed(2)
    yield entry(11, EntryKind.REDEMPTION, -10, 22)
    yield redeemed(3, 11, listing_id=2)
    yield fulfilled(3, listing_id=2)
    yield events.BenefitClosed(9, 1, 2, **BY)


def _shares() -> Iterable[object]:
    """Of distribution 1 nobody claimed yet, 2 has a claim, 3 is taken back."""
    yield from (posted(1), posted(2), posted(3))
    yield claimed(2, 20)
    yield events.SharesWithdrawn(9, 1, 3, DIGEST, **BY)


def _council() -> Iterable[object]:
    """Proposal 1 has its approval, 2 has none, 3 is cancelled; LATER is a councillor since."""
    yield events.AllianceApprovalsChanged(1, 2, **BY)
    yield appointed(10, MAKER, 1)
    yield appointed(11, CHECKER, 1)
    yield appointed(12, SECOND, ALLIANCE_WIDE)
    for proposal_id in (1, 2, 3):
        yield proposed(proposal_id)
        yield calls_of(proposal_id)
    yield approved(1, CHECKER, 1)
    yield events.ProposalCancelled(9, 1, 3, MAKER, OPERATION)
    yield appointed(13, LATER, 1)


class Told:
    """A book that knows the story, and takes what follows."""

    def __init__(self, connection: Connection) -> None:
        self.book = Book()
        self.book.open(connection)
        self.book.accounts.load(connection, [(ProgrammeId(1), org_id) for org_id in range(1, 5)])
        self._log_index = 0
        for part in (_beginning, _credits, _changes_of_control, _benefits, _shares, _council):
            self.tell(*part())

    def tell(self, *happened: object, time: int = NOW, contract_id: int = 1) -> None:
        """Give events to their handlers, one after the other."""
        for event in happened:
            self._log_index += 1
            handle(self.book, Place(5, self._log_index, time, contract_id), event)
