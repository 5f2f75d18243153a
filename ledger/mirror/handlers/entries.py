"""Credits: the journal's entries, and the arithmetic that every reader relies on.

An expiry does not prove the award that it names: whose it was, of which category and how much is
for an audit to recompute. What the contract does hold, it is held to here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from ledger.domain.events import (
    BenefitRedeemed,
    EntryKind,
    EntryPosted,
    RedemptionCancelled,
)
from ledger.mirror.accounts import ProgrammeSum
from ledger.mirror.book import Book, Contradiction, Handler, Place
from ledger.mirror.handlers.organisations import known_organisation
from ledger.mirror.handlers.programmes import known_programme
from ledger.mirror.readings import EntryFields, decode_category
from ledger.mirror.rows import BalanceRow, EntryRow


def _post(book: Book, at: Place, event: EntryPosted) -> None:
    known_organisation(book, event.org_id)
    entry = EntryRow(
        event.entry_id,
        at.block_number,
        at.log_index,
        event.programme_id,
        event.org_id,
        event.kind,
        decode_category(event.category),
        event.amount,
        event.balance_after,
        event.evidence,
        event.refers_to,
        event.actor,
        event.operation_id,
    )
    before = book.accounts.balance(entry.programme_id, entry.org_id)
    if entry.amount == 0 or entry.balance_after != before.balance + entry.amount:
        raise Contradiction(
            f"the balance of organisation {entry.org_id} in programme {entry.programme_id} was "
            f"{before.balance} and is {entry.balance_after} after {entry.amount}"
        )
    check = _CHECKS.get(entry.kind)
    if check is None:
        raise Contradiction(f"there is no kind {entry.kind} of entries")
    check(book, at, entry, before)
    book.accounts.post(entry, before)


def _check_award(book: Book, _at: Place, award: EntryRow, _before: BalanceRow) -> None:
    _require(award.amount > 0 and award.refers_to == 0, award)
    if book.categories.latest(book.connection, award.programme_id, award.category) is None:
        raise Contradiction(f"programme {award.programme_id} has no category {award.category}")
    sums = book.accounts.sum_of(award.programme_id)
    cap = known_programme(book, award.programme_id).supply_cap
    if sums.outstanding + sums.refundable + award.amount > cap:
        raise Contradiction(
            f"programme {award.programme_id} has {sums.outstanding} credits outstanding and "
            f"{sums.refundable} that may be refunded, and {award.amount} more are over its cap "
            f"of {cap}"
        )


def _check_reversal(book: Book, _at: Place, reversal: EntryRow, _before: BalanceRow) -> None:
    award = _referred(book, reversal, EntryKind.AWARD)
    _require_unanswered(book, award, EntryKind.REVERSAL)
    expiry = book.accounts.answer_to(
        book.connection, award.programme_id, award.entry_id, EntryKind.EXPIRY
    )
    rest = award.amount + (expiry.amount if expiry is not None else 0)
    given = (reversal.org_id, reversal.category, reversal.amount)
    if rest <= 0 or given != (award.org_id, award.category, -rest):
        raise Contradiction(f"the reversal of entry {award.entry_id} is not its opposite")


def _check_redemption(book: Book, at: Place, redemption: EntryRow, _before: BalanceRow) -> None:
    _require(redemption.amount < 0 and redemption.refers_to == 0, redemption)
    _require(redemption.category == "" and redemption.balance_after >= 0, redemption)
    known_programme(book, redemption.programme_id)
    book.await_next(
        at,
        BenefitRedeemed,
        org_id=redemption.org_id,
        amount=-redemption.amount,
        entry_id=redemption.entry_id,
        actor=redemption.actor,
        operation_id=redemption.operation_id,
    )


def _check_refund(book: Book, at: Place, refund: EntryRow, _before: BalanceRow) -> None:
    redemption = _referred(book, refund, EntryKind.REDEMPTION)
    _require_unanswered(book, redemption, EntryKind.REFUND)
    given = (refund.org_id, refund.category, refund.amount)
    if given != (redemption.org_id, "", -redemption.amount):
        raise Contradiction(f"the refund of entry {redemption.entry_id} is not its opposite")
    book.await_next(
        at,
        RedemptionCancelled,
        org_id=refund.org_id,
        entry_id=refund.entry_id,
        evidence=refund.evidence,
        actor=refund.actor,
        operation_id=refund.operation_id,
    )


def _check_expiry(book: Book, _at: Place, expiry: EntryRow, _before: BalanceRow) -> None:
    _require(expiry.amount < 0 and expiry.balance_after >= 0, expiry)
    _require(0 < expiry.refers_to < expiry.entry_id, expiry)
    for kind in (EntryKind.EXPIRY, EntryKind.REVERSAL):
        answer = book.accounts.answer_to(
            book.connection, expiry.programme_id, expiry.refers_to, kind
        )
        if answer is not None:
            raise Contradiction(
                f"entry {expiry.refers_to}, which expires, was answered by {answer.entry_id} before"
            )


def _check_carry_over(book: Book, at: Place, entry: EntryRow, before: BalanceRow) -> None:
    """The first of two entries; the second is what the first awaits, and checked by that."""
    _require(entry.category == "", entry)
    if entry.refers_to != 0:
        first = _referred(book, entry, EntryKind.CARRY_OVER)
        _require(first.entry_id == entry.entry_id - 1 and first.amount == -entry.amount, entry)
        return
    organisation = known_organisation(book, entry.org_id)
    if organisation.successor_id == 0:
        raise Contradiction(f"organisation {entry.org_id} was not merged into another")
    _require(entry.amount == -before.balance, entry)
    book.await_next(
        at,
        EntryPosted,
        entry_id=entry.entry_id + 1,
        programme_id=entry.programme_id,
        org_id=organisation.successor_id,
        kind=EntryKind.CARRY_OVER,
        amount=-entry.amount,
        evidence=entry.evidence,
        refers_to=entry.entry_id,
        actor=entry.actor,
        operation_id=entry.operation_id,
    )


def _referred(book: Book, entry: EntryRow, kind: EntryKind) -> EntryRow:
    """The entry that this one is of, which must be of this kind and of the same programme."""
    found = book.accounts.entry(book.connection, entry.refers_to)
    if found is None or found.kind != kind or found.programme_id != entry.programme_id:
        name = EntryKind(entry.kind).name.lower()
        raise Contradiction(
            f"entry {entry.refers_to}, which {name} {entry.entry_id} refers to, "
            f"is no {kind.name.lower()} in programme {entry.programme_id}"
        )
    return found


def _require_unanswered(book: Book, entry: EntryRow, kind: EntryKind) -> None:
    answer = book.accounts.answer_to(book.connection, entry.programme_id, entry.entry_id, kind)
    if answer is not None:
        raise Contradiction(
            f"entry {entry.entry_id} had its {kind.name.lower()} before, by entry {answer.entry_id}"
        )


def _require(holds: bool, entry: EntryRow) -> None:
    if not holds:
        name = EntryKind(entry.kind).name.lower()
        raise Contradiction(
            f"entry {entry.entry_id} of {entry.amount} to organisation {entry.org_id}, "
            f"which refers to {entry.refers_to}, cannot be of the kind {name}"
        )


def post_awards(book: Book, entries: Iterator[EntryFields]) -> EntryFields | None:
    """Post plain awards just as `handle` would, up to the first entry that is none.

    That one is returned: for what is no award, or cannot be, it changes nothing and leaves it to
    `handle`.
    """
    if book.awaited is not None:
        return next(entries, None)

    def terms_of(programme_id: int, category: str) -> tuple[int, ProgrammeSum] | None:
        programme = book.programmes.latest(book.connection, programme_id)
        known = book.categories.latest(book.connection, programme_id, category)
        if programme is None or known is None:
            return None
        return programme.supply_cap, book.accounts.sum_of(programme_id)

    def is_organisation(org_id: int) -> bool:
        return book.organisations.latest(book.connection, org_id) is not None

    return book.accounts.post_awards(entries, terms_of, is_organisation)


_CHECKS: dict[int, Callable[[Book, Place, EntryRow, BalanceRow], None]] = {
    EntryKind.AWARD: _check_award,
    EntryKind.REVERSAL: _check_reversal,
    EntryKind.REDEMPTION: _check_redemption,
    EntryKind.REFUND: _check_refund,
    EntryKind.EXPIRY: _check_expiry,
    EntryKind.CARRY_OVER: _check_carry_over,
}

HANDLERS: dict[type[object], Handler] = {EntryPosted: _post}
