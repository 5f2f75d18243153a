"""Authority: who holds which role, the default admin's succession, pauses."""

from __future__ import annotations

from ledger.domain.events import (
    AdminDelayChangeBegun,
    AdminDelayChangeCancelled,
    AdminTransferBegun,
    AdminTransferCancelled,
    LedgerPaused,
    LedgerResumed,
    OfficerAppointed,
    OfficerDismissed,
)
from ledger.domain.keys import decode_role
from ledger.mirror.book import Book, Contradiction, Handler, Place
from ledger.mirror.rows import AdminChange, Pause, RoleChange


def _appoint(book: Book, at: Place, event: OfficerAppointed) -> None:
    _change_role(book, at, event, held=True)


def _dismiss(book: Book, at: Place, event: OfficerDismissed) -> None:
    _change_role(book, at, event, held=False)


def _change_role(
    book: Book, at: Place, event: OfficerAppointed | OfficerDismissed, *, held: bool
) -> None:
    role, programme_id = decode_role(event.role)
    before = book.roles.latest(book.connection, event.account, role, programme_id)
    if (before is not None and bool(before.held)) == held:
        raise Contradiction(
            f"0x{event.account.hex()} {'holds' if held else 'does not hold'} "
            f"the role {role} in programme {programme_id} already"
        )
    book.roles.append(
        RoleChange(
            block_number=at.block_number,
            log_index=at.log_index,
            sequence=event.sequence,
            role=role,
            programme_id=programme_id,
            account=event.account,
            held=int(held),
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


def _begin_transfer(book: Book, at: Place, event: AdminTransferBegun) -> None:
    book.add(
        AdminChange(
            block_number=at.block_number,
            log_index=at.log_index,
            change="transfer_begun",
            successor=event.successor,
            delay=None,
            effective_from=event.acceptable_from,
            actor=event.actor,
        )
    )


def _cancel_transfer(book: Book, at: Place, event: AdminTransferCancelled) -> None:
    book.add(
        AdminChange(
            block_number=at.block_number,
            log_index=at.log_index,
            change="transfer_cancelled",
            successor=None,
            delay=None,
            effective_from=None,
            actor=event.actor,
        )
    )


def _begin_delay_change(book: Book, at: Place, event: AdminDelayChangeBegun) -> None:
    book.add(
        AdminChange(
            block_number=at.block_number,
            log_index=at.log_index,
            change="delay_change_begun",
            successor=None,
            delay=event.delay,
            effective_from=event.effective_from,
            actor=event.actor,
        )
    )


def _cancel_delay_change(book: Book, at: Place, event: AdminDelayChangeCancelled) -> None:
    book.add(
        AdminChange(
            block_number=at.block_number,
            log_index=at.log_index,
            change="delay_change_cancelled",
            successor=None,
            delay=None,
            effective_from=None,
            actor=event.actor,
        )
    )


def _pause(book: Book, at: Place, event: LedgerPaused) -> None:
    _set_paused(book, at, event, paused=True)


def _resume(book: Book, at: Place, event: LedgerResumed) -> None:
    _set_paused(book, at, event, paused=False)


def _set_paused(
    book: Book, at: Place, event: LedgerPaused | LedgerResumed, *, paused: bool
) -> None:
    before = book.pauses.latest(book.connection)
    if (before is not None and bool(before.paused)) == paused:
        raise Contradiction(f"the ledger is {'paused' if paused else 'running'} already")
    book.pauses.append(
        Pause(
            block_number=at.block_number,
            log_index=at.log_index,
            paused=int(paused),
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


HANDLERS: dict[type[object], Handler] = {
    OfficerAppointed: _appoint,
    OfficerDismissed: _dismiss,
    AdminTransferBegun: _begin_transfer,
    AdminTransferCancelled: _cancel_transfer,
    AdminDelayChangeBegun: _begin_delay_change,
    AdminDelayChangeCancelled: _cancel_delay_change,
    LedgerPaused: _pause,
    LedgerResumed: _resume,
}
