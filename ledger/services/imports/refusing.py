"""Finds the rows for which a contract refuses a whole batch.

A batch is done for all its rows or for none. A contract names the first row that it objects to, or
none at all; so the batch is halved until what is refused is one row. Where rows are refused only
together (a budget that somebody else has drawn on meanwhile), as many are kept as go, in the order
of the file. What concerns no row (a pause, a missing role) is raised as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ledger.errors import ContractRefused, LedgerError, TransactionTooLarge

Values = Sequence[Sequence[Any]]
Run = Callable[[Values], None]
"""Runs a call for some rows; raises ContractRefused and TransactionTooLarge."""

_OF_ROWS = frozenset(
    {
        "CreditsAmountZero",
        "CreditsAwardOverLimit",
        "CreditsAwardOverBudget",
        "CreditsAwardOverCategoryBudget",
        "CreditsBalanceOutOfRange",
        "CreditsOverSupplyCap",
        "MembershipsAlreadyMember",
        "MembershipsExpiryTooEarly",
        "MembershipsExpiryTooLate",
        "MembershipsLapsed",
        "MembershipsRevoked",
        "MembershipsStatus",
        "MembershipsTierUnchanged",
        "MembershipsUnknown",
        "OrganisationsControllerInUse",
        "OrganisationsControllerMissing",
        "OrganisationsRetired",
        "OrganisationsUnknown",
        "ProgrammesCategoryClosed",
        "ProgrammesCategoryUnknown",
        "ProgrammesTierClosed",
        "ProgrammesTierUnknown",
    }
)


def concerns_rows(refusal: ContractRefused) -> bool:
    """Whether a refusal is about what a row asks for, and not about all that is asked."""
    return refusal.values["name"] in _OF_ROWS


def find_refused(values: Values, run: Run) -> list[tuple[int, LedgerError]]:
    """The rows that `run` refuses, by their place, each with its own reason; none where it takes
    them all.

    Raises a refusal that concerns no row.
    """
    found: list[tuple[int, LedgerError]] = []
    _search(values, 0, run, found)
    return found


def _search(values: Values, first: int, run: Run, found: list[tuple[int, LedgerError]]) -> None:
    try:
        run(values)
    except TransactionTooLarge as error:
        if len(values) == 1:
            found.append((first, error))
            return
    except ContractRefused as refusal:
        if not concerns_rows(refusal):
            raise
        if len(values) == 1:
            found.append((first, refusal))
            return
        before = len(found)
        _halves(values, first, run, found)
        if len(found) == before:
            found += _beyond_what_goes(values, first, run, refusal)
        return
    else:
        return
    _halves(values, first, run, found)


def _beyond_what_goes(
    values: Values, first: int, run: Run, refusal: LedgerError
) -> list[tuple[int, LedgerError]]:
    """The rows from the first on that is refused together with all before it."""
    goes, refused = len(values) // 2, len(values)  # each half goes by itself
    reason = refusal
    while refused - goes > 1:
        middle = (goes + refused) // 2
        try:
            run(values[:middle])
        except ContractRefused as error:
            if not concerns_rows(error):
                raise
            refused, reason = middle, error
        else:
            goes = middle
    return [(first + place, reason) for place in range(goes, len(values))]


def _halves(values: Values, first: int, run: Run, found: list[tuple[int, LedgerError]]) -> None:
    half = len(values) // 2
    _search(values[:half], first, run, found)
    _search(values[half:], first + half, run, found)
