"""Signed messages that their signers made worthless, in whichever contract."""

from __future__ import annotations

from ledger.domain.events import MessageCancelled
from ledger.mirror.book import Book, Contradiction, Handler, Place
from ledger.mirror.rows import MessageCancellation


def _cancel(book: Book, at: Place, event: MessageCancelled) -> None:
    key = (at.contract_id, event.account, event.operation_id)
    if book.cancellations.latest(book.connection, *key) is not None:
        raise Contradiction(
            f"0x{event.account.hex()} cancelled its message 0x{event.operation_id.hex()} before"
        )
    book.cancellations.append(
        MessageCancellation(
            block_number=at.block_number,
            log_index=at.log_index,
            contract_id=at.contract_id,
            account=event.account,
            message_id=event.operation_id,
        )
    )


HANDLERS: dict[type[object], Handler] = {MessageCancelled: _cancel}
