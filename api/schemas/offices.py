"""Who holds which office, and what issuers may still award."""

from __future__ import annotations

from typing import Annotated, Self

from pydantic import Field

from api.formats import show_address_once, show_time
from api.schemas.base import (
    Address,
    Credits,
    Key,
    Page,
    ProgrammeNumber,
    Schema,
    Time,
    Whole,
)
from ledger.mirror.queries.accounts import Officer
from ledger.mirror.queries.spending import BudgetStanding


class BudgetLeftView(Schema):
    """An issuer's budget, of all categories or of one, and what is left of it in the epoch in
    force. Where none is in force, `epoch` is null and nothing can be awarded. `may_award`: the
    account holds an office that awards; `by_council`: it is of the council, whose awards are on
    nobody's budget."""

    programme_id: ProgrammeNumber
    programme: Annotated[Key, Field(examples=["community"])]
    issuer: Address
    category: Key | None
    per_award: Credits
    per_epoch: Credits
    epoch: Annotated[int | None, Field(ge=1)]
    epoch_ends_at: Time | None
    spent: Credits
    left: Credits
    may_award: bool
    by_council: bool

    @classmethod
    def of(cls, found: BudgetStanding) -> Self:
        epoch = found.epoch
        return cls(
            programme_id=found.programme_id,
            programme=found.programme,
            issuer=show_address_once(found.issuer),
            category=found.category or None,
            per_award=found.per_award,
            per_epoch=found.per_epoch,
            epoch=epoch.number if epoch else None,
            epoch_ends_at=show_time(epoch.ends_at) if epoch else None,
            spent=found.spent,
            left=found.left,
            may_award=found.may_award,
            by_council=found.by_council,
        )


class BudgetsLeftPage(Page[BudgetLeftView]):
    """Budgets, by programme and issuer: that of all categories first, then each category's."""


class OfficerView(Schema):
    """An account and an office that it holds since `since`. An office of the whole alliance has no
    programme, and counts in each."""

    account: Address
    role: Annotated[str, Field(examples=["issuer"])]
    programme_id: ProgrammeNumber | None
    programme: Key | None
    since_block: Whole
    since: Time

    @classmethod
    def of(cls, found: Officer) -> Self:
        return cls(
            account=show_address_once(found.account),
            role=found.role,
            programme_id=found.programme_id or None,
            programme=found.programme or None,
            since_block=found.since_block,
            since=show_time(found.since),
        )


class OfficersPage(Page[OfficerView]):
    """Who holds which office: those of the whole alliance first, then by programme."""
