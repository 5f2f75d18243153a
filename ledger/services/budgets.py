"""What is left of issuers' budgets: who has one is mirrored, what is spent of it the chain says."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.chain.contracts.registry import LedgerContracts
from ledger.domain.ids import ProgrammeId
from ledger.mirror.queries.accounts import list_budgeted
from ledger.mirror.queries.moments import Moment


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """An issuer's budget and what is left of it now; `category` is empty where it is of all.

    `epoch` is 0 where none is in force: then nothing can be awarded, and nothing is left.
    """

    issuer: bytes
    category: str
    per_award: int
    per_epoch: int
    left: int
    epoch: int


def read_budgets_left(
    connection: Connection, moment: Moment, contracts: LedgerContracts, programme_id: ProgrammeId
) -> tuple[BudgetLeft, ...]:
    """Every budget of a programme: each issuer's, then those of its categories."""
    found = []
    at = contracts.credits.node.block_number()
    for budget in list_budgeted(connection, moment, programme_id):
        terms = contracts.programmes.award_terms(programme_id, budget.issuer, at=at)
        per_epoch = budget.per_epoch
        if not terms.epoch:
            spent = per_epoch
        elif budget.category:
            spent = contracts.credits.spent_in(
                programme_id, terms.epoch, budget.issuer, budget.category, at=at
            )
        else:
            spent = contracts.credits.spent(programme_id, terms.epoch, budget.issuer, at=at)
        left = max(per_epoch - spent, 0)
        found.append(
            BudgetLeft(
                budget.issuer, budget.category, terms.per_award, per_epoch, left, terms.epoch
            )
        )
    return tuple(found)
