"""Programmes: their rules, tiers, categories, epoch boundaries and budgets."""

from __future__ import annotations

from ledger.domain.events import (
    ApprovalsNeededChanged,
    BudgetChanged,
    CategoryBudgetChanged,
    CategoryStatusChanged,
    EpochBoundaryAppended,
    ProgrammeCreated,
    ProgrammeProfileChanged,
    SupplyCapChanged,
    TierAdded,
    TierStatusChanged,
)
from ledger.domain.keys import decode_key
from ledger.mirror.book import Book, Contradiction, Handler, Place
from ledger.mirror.rows import (
    BudgetVersion,
    CategoryBudgetVersion,
    CategoryVersion,
    EpochBoundary,
    ProgrammeVersion,
    TierVersion,
)


def known_programme(book: Book, programme_id: int) -> ProgrammeVersion:
    """The programme as it is now. Raises Contradiction where there is none."""
    programme = book.programmes.latest(book.connection, programme_id)
    if programme is None:
        raise Contradiction(f"programme {programme_id} was never created")
    return programme


def _create(book: Book, at: Place, event: ProgrammeCreated) -> None:
    if book.programmes.latest(book.connection, event.programme_id) is not None:
        raise Contradiction(f"programme {event.programme_id} was created before")
    if event.programme_id > 1:
        known_programme(book, event.programme_id - 1)
    book.programmes.append(
        ProgrammeVersion(
            block_number=at.block_number,
            log_index=at.log_index,
            programme_id=event.programme_id,
            key=decode_key(event.key),
            profile=event.profile,
            supply_cap=event.supply_cap,
            approvals_needed=event.approvals_needed,
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


def _change_profile(book: Book, at: Place, event: ProgrammeProfileChanged) -> None:
    before = known_programme(book, event.programme_id)
    book.programmes.append(_next_version(before, at, event)._replace(profile=event.profile))


def _change_supply_cap(book: Book, at: Place, event: SupplyCapChanged) -> None:
    before = known_programme(book, event.programme_id)
    book.programmes.append(_next_version(before, at, event)._replace(supply_cap=event.supply_cap))


def _change_approvals(book: Book, at: Place, event: ApprovalsNeededChanged) -> None:
    before = known_programme(book, event.programme_id)
    after = _next_version(before, at, event)._replace(approvals_needed=event.approvals_needed)
    book.programmes.append(after)


def _next_version(
    before: ProgrammeVersion,
    at: Place,
    event: ProgrammeProfileChanged | SupplyCapChanged | ApprovalsNeededChanged,
) -> ProgrammeVersion:
    return before._replace(
        block_number=at.block_number,
        log_index=at.log_index,
        actor=event.actor,
        operation_id=event.operation_id,
    )


def _add_tier(book: Book, at: Place, event: TierAdded) -> None:
    known_programme(book, event.programme_id)
    if book.tiers.latest(book.connection, event.programme_id, event.tier) is not None:
        raise Contradiction(f"tier {event.tier} of programme {event.programme_id} was added before")
    book.tiers.append(
        TierVersion(
            block_number=at.block_number,
            log_index=at.log_index,
            programme_id=event.programme_id,
            tier=event.tier,
            key=decode_key(event.key),
            open=1,
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


def _set_tier_status(book: Book, at: Place, event: TierStatusChanged) -> None:
    before = book.tiers.latest(book.connection, event.programme_id, event.tier)
    if before is None or before.open == event.open:
        raise Contradiction(
            f"tier {event.tier} of programme {event.programme_id} cannot be "
            f"{'opened' if event.open else 'closed'}"
        )
    book.tiers.append(
        before._replace(
            block_number=at.block_number,
            log_index=at.log_index,
            open=int(event.open),
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


def _set_category_status(book: Book, at: Place, event: CategoryStatusChanged) -> None:
    known_programme(book, event.programme_id)
    category = decode_key(event.category)
    before = book.categories.latest(book.connection, event.programme_id, category)
    if (before is not None and bool(before.open)) == event.open:
        raise Contradiction(
            f"category {category} of programme {event.programme_id} cannot be "
            f"{'opened' if event.open else 'closed'}"
        )
    book.categories.append(
        CategoryVersion(
            block_number=at.block_number,
            log_index=at.log_index,
            programme_id=event.programme_id,
            category=category,
            open=int(event.open),
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


def _append_boundary(book: Book, at: Place, event: EpochBoundaryAppended) -> None:
    known_programme(book, event.programme_id)
    before = book.boundaries.latest(book.connection, event.programme_id)
    number, boundary = (0, 0) if before is None else (before.number, before.boundary)
    if event.number != number + 1 or event.boundary <= boundary:
        raise Contradiction(
            f"boundary {event.number} at {event.boundary} of programme {event.programme_id} "
            f"does not follow boundary {number} at {boundary}"
        )
    row = EpochBoundary(
        block_number=at.block_number,
        log_index=at.log_index,
        programme_id=event.programme_id,
        number=event.number,
        boundary=event.boundary,
        actor=event.actor,
        operation_id=event.operation_id,
    )
    book.boundaries.append(row)
    book.boundaries_by_number.note(row)


def _change_budget(book: Book, at: Place, event: BudgetChanged) -> None:
    known_programme(book, event.programme_id)
    book.add(
        BudgetVersion(
            block_number=at.block_number,
            log_index=at.log_index,
            programme_id=event.programme_id,
            issuer=event.issuer,
            per_award=event.per_award,
            per_epoch=event.per_epoch,
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


def _change_category_budget(book: Book, at: Place, event: CategoryBudgetChanged) -> None:
    category = decode_key(event.category)
    if book.categories.latest(book.connection, event.programme_id, category) is None:
        raise Contradiction(f"programme {event.programme_id} has no category {category}")
    if not event.limited and event.per_epoch != 0:
        raise Contradiction(
            f"a budget in category {category} that is taken away is of {event.per_epoch} credits"
        )
    book.add(
        CategoryBudgetVersion(
            block_number=at.block_number,
            log_index=at.log_index,
            programme_id=event.programme_id,
            issuer=event.issuer,
            category=category,
            limited=int(event.limited),
            per_epoch=event.per_epoch,
            actor=event.actor,
            operation_id=event.operation_id,
        )
    )


HANDLERS: dict[type[object], Handler] = {
    ProgrammeCreated: _create,
    ProgrammeProfileChanged: _change_profile,
    SupplyCapChanged: _change_supply_cap,
    ApprovalsNeededChanged: _change_approvals,
    TierAdded: _add_tier,
    TierStatusChanged: _set_tier_status,
    CategoryStatusChanged: _set_category_status,
    EpochBoundaryAppended: _append_boundary,
    BudgetChanged: _change_budget,
    CategoryBudgetChanged: _change_category_budget,
}
