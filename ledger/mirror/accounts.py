"""The credit journal's rows, and what is summed from them: balances, and what a cap must hold.

Sums are taken once from the database and then moved with each entry. What a batch will move must be
loaded before it, since its own rows are not in the database yet.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, TypeAlias

from sqlalchemy import BigInteger, Connection, Select, cast, func, literal_column, select, tuple_

from ledger.domain.events import EntryKind, RedemptionStatus
from ledger.mirror.history import MOST_KEPT
from ledger.mirror.readings import EntryFields
from ledger.mirror.rows import BalanceRow, EntryRow
from ledger.store.bulk import insert_rows, upsert_rows
from ledger.store.mirror_tables import balances, entries, redemption_versions

_ASKED_AT_ONCE = 500

_Balance = tuple[int, int, int, int, int, int, int]
"""The fields of BalanceRow: a plain tuple is made several times as fast."""

TermsOf: TypeAlias = "Callable[[int, str], tuple[int, ProgrammeSum] | None]"
"""Tells the cap and the sums of a programme, None where it has no such category."""

IsOrganisation: TypeAlias = Callable[[int], bool]

_AWARD = EntryKind.AWARD.value

CONTRIBUTIONS = frozenset({EntryKind.AWARD, EntryKind.REVERSAL})
"""The kinds of entries that say what an organisation contributed."""

_ANSWERS = frozenset({EntryKind.REVERSAL, EntryKind.REFUND, EntryKind.EXPIRY})
"""The kinds that answer the entry they refer to, each at most once."""


@dataclass(slots=True)
class ProgrammeSum:
    """Credits of a programme: `outstanding` in all, and `refundable` of open redemptions."""

    outstanding: int = 0
    refundable: int = 0


class Accounts:
    """The entries of a batch, the balances that they move, and the sums of each programme."""

    def __init__(self) -> None:
        self._balances: dict[tuple[int, int], _Balance] = {}
        self._sums: dict[int, ProgrammeSum] = {}
        self._moved: set[tuple[int, int]] = set()
        self._new: list[EntryFields] = []
        self._answers: dict[tuple[int, int, int], EntryRow] = {}
        self._complete = False
        self.balances_wait = False
        """Whether balances are written by `write_balances` alone, where nobody reads meanwhile:
        10,000 entries move nearly as many balances, each time the same ones."""

    def load(self, connection: Connection, keys: Iterable[tuple[int, int]]) -> None:
        """Read what entries of these (programme, organisation) will move, all at once."""
        if self._complete:
            return
        wanted = set(keys)
        missing = [key for key in wanted if key not in self._balances]
        subject = tuple_(balances.c.programme_id, balances.c.org_id)
        for start in range(0, len(missing), _ASKED_AT_ONCE):
            part = missing[start : start + _ASKED_AT_ONCE]
            for row in connection.execute(select(balances).where(subject.in_(part))):
                self._balances[row[0], row[1]] = tuple(row)
        for programme_id in {programme_id for programme_id, _ in wanted} - self._sums.keys():
            self._sums[programme_id] = ProgrammeSum(
                connection.execute(_outstanding(programme_id)).scalar_one(),
                connection.execute(_refundable(programme_id)).scalar_one(),
            )

    def balance(self, programme_id: int, org_id: int) -> BalanceRow:
        """The balance so far, zero where there is none. It must have been loaded."""
        row = self._balances.get((programme_id, org_id))
        return BalanceRow._make(row or (programme_id, org_id, 0, 0, 0, 0, 0))

    def sum_of(self, programme_id: int) -> ProgrammeSum:
        """The sums of a programme, zeros where there is no entry. They must have been loaded."""
        return self._sums.setdefault(programme_id, ProgrammeSum())

    def post(self, entry: EntryRow, before: BalanceRow) -> None:
        """Add an entry after the balance `before`."""
        key = (entry.programme_id, entry.org_id)
        contributes = entry.kind in CONTRIBUTIONS
        self._balances[key] = BalanceRow(
            *key,
            entry.balance_after,
            before.entry_count + 1,
            entry.entry_id,
            before.contributed + (entry.amount if contributes else 0),
            before.contribution_count + contributes,
        )
        self._moved.add(key)
        self._new.append(entry)
        sums = self.sum_of(entry.programme_id)
        sums.outstanding += entry.amount
        if entry.kind in _ANSWERS:
            self._answers[entry.kind, entry.programme_id, entry.refers_to] = entry
        if entry.kind in (EntryKind.REDEMPTION, EntryKind.REFUND):
            sums.refundable -= entry.amount

    def post_awards(
        self, entries: Iterator[EntryFields], terms_of: TermsOf, is_organisation: IsOrganisation
    ) -> EntryFields | None:
        """Post plain awards up to the first entry that is none, or cannot be, and return that.

        It does for an award what the handler of entries and `post` do, in a third of the time;
        whatever it does not like it leaves to them.
        """
        held, moved, append = self._balances, self._moved, self._new.append
        terms: dict[tuple[int, str], tuple[int, ProgrammeSum] | None] = {}
        for entry in entries:
            entry_id, _, _, programme_id, org_id, kind, category, amount, after = entry[:9]
            if kind != _AWARD or amount <= 0 or entry[10] != 0:
                return entry
            try:
                found = terms[programme_id, category]
            except KeyError:
                found = terms[programme_id, category] = terms_of(programme_id, category)
            if found is None:
                return entry
            cap, sums = found
            if sums.outstanding + sums.refundable + amount > cap:
                return entry
            key = programme_id, org_id
            before = held.get(key)
            if before is None:
                if after != amount or not is_organisation(org_id):
                    return entry
                held[key] = (programme_id, org_id, amount, 1, entry_id, amount, 1)
            else:
                _, _, balance, count, _, contributed, contributions = before
                if after != balance + amount:
                    return entry
                held[key] = (
                    programme_id,
                    org_id,
                    after,
                    count + 1,
                    entry_id,
                    contributed + amount,
                    contributions + 1,
                )
            moved.add(key)
            append(entry)
            sums.outstanding += amount
        return None

    def settle(self, programme_id: int, amount: int) -> None:
        """A redemption of `amount` credits can no longer be refunded."""
        # Where the sums were not loaded, no entry of this batch needs them.
        sums = self._sums.get(programme_id)
        if sums is not None:
            sums.refundable -= amount

    def entry(self, connection: Connection, entry_id: int) -> EntryRow | None:
        """An entry of this batch or of the database, None where there is none."""
        if self._new and entry_id >= self._new[0][0]:
            # Ids grow, with gaps: other lines of the contract's journal have numbers too.
            place = bisect_left(self._new, entry_id, key=itemgetter(0))
            found = self._new[place] if place < len(self._new) else None
            return EntryRow._make(found) if found is not None and found[0] == entry_id else None
        row = connection.execute(
            select(entries).where(entries.c.entry_id == entry_id)
        ).one_or_none()
        return None if row is None else EntryRow(*row)

    def answer_to(
        self, connection: Connection, programme_id: int, entry_id: int, kind: EntryKind
    ) -> EntryRow | None:
        """The programme's reversal, refund or expiry of an entry, None where there is none."""
        found = self._answers.get((kind, programme_id, entry_id))
        if found is not None:
            return found
        statement = select(entries).where(
            entries.c.refers_to == entry_id,
            entries.c.refers_to != literal_column("0"),  # as the index has it
            entries.c.kind == kind,
            entries.c.programme_id == programme_id,
        )
        row = connection.execute(statement.limit(1)).one_or_none()
        return None if row is None else EntryRow(*row)

    def write(self, connection: Connection) -> None:
        """Put entries and moved balances into the database; balances later where they wait."""
        insert_rows(connection, entries, self._new)
        self._new, self._answers = [], {}
        is_full = len(self._balances) > MOST_KEPT
        if not self.balances_wait or is_full:
            self.write_balances(connection)
        if is_full:
            self.forget()

    def write_balances(self, connection: Connection) -> None:
        """Put moved balances into the database."""
        # In the order of the key: neighbours then stand on the same page.
        upsert_rows(connection, balances, [self._balances[key] for key in sorted(self._moved)])
        self._moved = set()

    def forget(self, *, table_is_empty: bool = False) -> None:
        """Start again from what the database holds."""
        self._balances, self._sums, self._moved = {}, {}, set()
        self._new, self._answers = [], {}
        self._complete = table_is_empty


def _outstanding(programme_id: int) -> Select[Any]:
    return select(cast(func.coalesce(func.sum(balances.c.balance), 0), BigInteger)).where(
        balances.c.programme_id == programme_id
    )


def _refundable(programme_id: int) -> Select[Any]:
    """The credits of redemptions whose last version is the one that opened them."""
    redemptions, later = redemption_versions, redemption_versions.alias()
    settled = (
        select(later.c.redemption_id)
        .where(
            later.c.redemption_id == redemptions.c.redemption_id,
            later.c.status != RedemptionStatus.OPEN,
        )
        .correlate(redemptions)
    )
    return select(cast(func.coalesce(func.sum(redemptions.c.amount), 0), BigInteger)).where(
        redemptions.c.programme_id == programme_id,
        redemptions.c.status == RedemptionStatus.OPEN,
        ~settled.exists(),
    )
