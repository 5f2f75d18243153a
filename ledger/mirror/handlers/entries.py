"""Credits: the journal's entries, and the arithmetic that every reader relies on."""

from __future__ import annotations

from functools import lru_cache

from ledger.domain.events import EntryKind, EntryPosted
from ledger.domain.keys import decode_key
from ledger.mirror.book import Book, Contradiction, Handler, Place
from ledger.mirror.handlers.organisations import known_organisation
from ledger.mirror.rows import EntryRow

_GIVES = frozenset({EntryKind.AWARD, EntryKind.REFUND})
_KINDS = frozenset(EntryKind)

# A season has a few dozen categories and hundreds of thousands of entries.
_decode_category = lru_cache(maxsize=4096)(decode_key)


def _post(book: Book, at: Place, event: EntryPosted) -> None:
    known_organisation(book, event.org_id)
    entry = EntryRow(
        event.entry_id,
        at.block_number,
        at.log_index,
        event.programme_id,
        event.org_id,
        event.kind,
        _decode_category(event.category),
        event.amount,
        event.balance_after,
        event.evidence,
        event.refers_to,
        event.actor,
        event.operation_id,
    )
    if book.categories.latest(book.connection, entry.programme_id, entry.category) is None:
        raise Contradiction(f"programme {entry.programme_id} has no category {entry.category}")
    if entry.kind not in _KINDS or (entry.amount > 0) != (entry.kind in _GIVES):
        raise Contradiction(f"an entry of kind {entry.kind} has the amount {entry.amount}")
    if entry.kind == EntryKind.REVERSAL:
        _check_reversal(book, entry)
    before = book.accounts.balance(entry.programme_id, entry.org_id)
    if entry.balance_after != before.balance + entry.amount:
        raise Contradiction(
            f"the balance of organisation {entry.org_id} in programme {entry.programme_id} was "
            f"{before.balance} and is {entry.balance_after} after {entry.amount}"
        )
    book.accounts.post(entry, before)


def _check_reversal(book: Book, reversal: EntryRow) -> None:
    award = book.accounts.entry(book.connection, reversal.refers_to)
    if award is None or award.kind != EntryKind.AWARD:
        raise Contradiction(f"entry {reversal.refers_to}, which is reversed, is no award")
    expected = (award.programme_id, award.org_id, award.category, -award.amount)
    given = (reversal.programme_id, reversal.org_id, reversal.category, reversal.amount)
    if given != expected:
        raise Contradiction(f"the reversal of entry {award.entry_id} is not its opposite")
    if book.accounts.is_reversed(book.connection, award.entry_id):
        raise Contradiction(f"entry {award.entry_id} was reversed before")


HANDLERS: dict[type[object], Handler] = {EntryPosted: _post}
