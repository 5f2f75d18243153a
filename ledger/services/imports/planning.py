"""Judges every row of a file before anything is sent: what would be done about it, or why not.

In this order: what the cells mean; rows that are the same; rows that an import brought before; what
the mirror and the chain have against a row; budgets as the rows use them up; and at last the very
calls, run on the chain without being sent. Nothing is changed by it, on the chain or here.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from ledger.chain.sending import Call, try_call
from ledger.domain.operations import derive_operation_id
from ledger.domain.texts import printable
from ledger.errors import ImportUnfinished, LedgerError
from ledger.services.desk import Desk
from ledger.services.imports import journal
from ledger.services.imports.awards import Awards
from ledger.services.imports.columns import Subject, layout_of
from ledger.services.imports.directory import Directory
from ledger.services.imports.evidence import PretendingKeeper
from ledger.services.imports.kinds import Given, Item, Kind, Limit
from ledger.services.imports.memberships import Memberships
from ledger.services.imports.organisations import Organisations
from ledger.services.imports.refusing import find_refused
from ledger.services.imports.spool import AT_ONCE, Action, Line, Spool
from ledger.services.spreadsheets.opening import opened_copy
from ledger.services.spreadsheets.tables import HowToRead, Problem, Row, stream_rows
from ledger.store.engine import reading

MAX_ROWS = 1_048_575
"""As many as a workbook's sheet has below its headings."""

MAX_FILE_BYTES = 512 * 1024 * 1024

_KINDS: dict[Subject, Callable[[Given], Kind]] = {
    Subject.AWARDS: Awards,
    Subject.MEMBERSHIPS: Memberships,
    Subject.ORGANISATIONS: Organisations,
}

Progress = Callable[[str, int, int], None]
"""Told what is being done, how much of it, and of how much (0 where that is not known)."""


@dataclass(frozen=True, slots=True)
class File:
    """A file to bring. `sender` is the account that is to sign; `name` is what people call the file
    where it is not its path's."""

    subject: Subject
    path: Path
    sender: bytes
    given: Given
    how: HowToRead
    allow_equal_rows: bool = False
    name: str = ""

    @property
    def shown_name(self) -> str:
        """What people call it."""
        return self.name or self.path.name


class Bounds(Protocol):
    """What somebody may have done who asks for an import that another's key signs."""

    def refuse(self, group: str) -> Problem | None:
        """Why no row of a group is his to ask for."""
        ...

    def limit(self, group: str, limit: Limit) -> Limit:
        """What all rows of a group together must keep to, besides what the chain counts."""
        ...


class Plan:
    """A file's rows as they were judged, in a spool that is closed with the plan's context."""

    def __init__(
        self,
        desk: Desk,
        file: File,
        spool: Spool,
        progress: Progress,
        bounds: Bounds | None = None,
    ) -> None:
        self.file = file
        self.kind = _KINDS[file.subject](file.given)
        self.directory = Directory(desk)
        self.import_id = b""
        self.content_hash = b""
        self.line_count = 0
        self._desk = desk
        self._spool = spool
        self._progress = progress
        self._bounds = bounds

    @property
    def spool(self) -> Spool:
        """The rows."""
        return self._spool

    def counts(self) -> dict[Action, int]:
        """How many rows there are of each action."""
        return self._spool.counts()

    def lines(self, *actions: Action, limit: int = -1) -> Iterator[Line]:
        """Rows as they were judged; all, or those of some actions."""
        return self._spool.lines(*actions, limit=limit)

    def judge(self) -> None:
        """Read and judge the whole file. Raises InvalidFile, NotFound, ImportUnfinished where rows
        stand in another import that is not finished, ContractRefused where the signer may not do
        such a thing at all, and NodeProblem."""
        self._read()
        self._spool.number_equal_rows(refuse=not self.file.allow_equal_rows)
        self.look_again()

    def look_again(self) -> None:
        """Judge what depends on the chain and on other imports."""
        self._find_known()
        self._refuse_not_his()
        self._ask_chain()
        self._pack()
        if self._try_calls():
            self._pack()

    # --- the file ---

    def _read(self) -> None:
        file = self.file
        with opened_copy(file.path, most_bytes=MAX_FILE_BYTES) as opened:
            self.content_hash = opened.content_hash
            self.import_id = _import_id(
                self._desk.outbox.chain.genesis_hash, file, opened.content_hash
            )
            rows = stream_rows(opened, layout_of(file.subject), file.how)
            while some := list(islice(rows, AT_ONCE)):
                self._read_rows(some)
                self.line_count += len(some)
                self._progress("read", self.line_count, 0)

    def _read_rows(self, rows: Sequence[Row]) -> None:
        items, wrong = [], []
        for row, found in zip(rows, self.kind.read(rows, self.directory), strict=True):
            if isinstance(found, Item):
                items.append(found)
            else:
                name = row["reference"] or row["key"]
                wrong.append((row.line, printable(name[:100]), found))
        self._spool.add(items)
        self._spool.add_wrong(wrong)

    # --- what is known ---

    def _find_known(self) -> None:
        unfinished: dict[bytes, int] = {}
        for items in self._spool.to_send():
            with reading(self._desk.engine) as connection:
                known = journal.find_rows(connection, [item.base for item in items])
            self._sort_known(items, known, unfinished)
        if unfinished:
            import_id, count = max(unfinished.items(), key=lambda each: each[1])
            with reading(self._desk.engine) as connection:
                other = journal.name_of(connection, import_id)
            raise ImportUnfinished(
                count=count,
                path=self.file.shown_name,
                import_id=other.name,
                file_name=other.file_name,
            )

    def _sort_known(
        self,
        items: Sequence[Item],
        known: dict[bytes, journal.Known],
        unfinished: dict[bytes, int],
    ) -> None:
        done, waiting, changed = [], [], []
        for item in items:
            row = known.get(item.base)
            if row is None or row.is_over:
                continue
            if row.content != item.content:
                changed.append((item.line, _changed(item, row)))
            elif row.is_done:
                done.append((item.line, self._where(row)))
            elif row.import_id == self.import_id:
                waiting.append((item.line, "is on its way"))
            else:
                unfinished[row.import_id] = unfinished.get(row.import_id, 0) + 1
        if not self.file.allow_equal_rows:
            self._refuse_alike([item for item in items if item.base not in known])
        self._spool.decide(Action.DONE, done)
        self._spool.decide(Action.WAITING, waiting)
        self._spool.refuse(changed)

    def _refuse_alike(self, items: Sequence[Item]) -> None:
        """What was brought without a reference comes again with one, or the other way round: by
        its key it is another row, and it would be credited twice."""
        for has_reference in (True, False):
            own = [item for item in items if bool(item.reference) is has_reference]
            with reading(self._desk.engine) as connection:
                found = journal.find_alike(
                    connection, [item.content for item in own], has_reference=not has_reference
                )
            self._spool.refuse(
                (item.line, _alike(item, *found[item.content]))
                for item in own
                if item.content in found
            )

    def _where(self, row: journal.Known) -> str:
        if row.import_id == self.import_id:
            return "was brought before, with this file"
        return f"was brought before, by import {row.import_id.hex()[:12]}, line {row.line}"

    def _refuse_not_his(self) -> None:
        for group in self._spool.groups() if self._bounds is not None else ():
            problem = self._bounds.refuse(group) if self._bounds is not None else None
            if problem is None:
                continue
            for items in self._spool.to_send(group):
                self._spool.refuse((item.line, problem) for item in items)

    # --- the chain ---

    def _ask_chain(self) -> None:
        count = 0
        for items in self._spool.to_send():
            verdicts = self.kind.judge(items, self.directory)
            self._spool.refuse(
                (line, found.problem) for line, found in verdicts.items() if found.problem
            )
            self._spool.decide(
                Action.THERE,
                [(line, found.there) for line, found in verdicts.items() if found.there],
            )
            count += len(items)
            self._progress("compare with the ledger", count, self.line_count)

    def _pack(self) -> None:
        """Put the rows into batches that fit a transaction, as even as can be."""
        number = 0
        for group in self._spool.groups():
            limit = self.kind.limit(group, self.file.sender, self.directory)
            if self._bounds is not None:
                limit = self._bounds.limit(group, limit)
            self._refuse_beyond(group, limit.refuse)
            count = self._spool.count_to_send(group)
            if not count:
                continue
            batches = -(-count // limit.most)
            place = 0
            for items in self._spool.to_send(group):
                rows = []
                for item in items:
                    batch, position = _place(place, count, batches)
                    rows.append((number + batch, position, item.line))
                    place += 1
                self._spool.place(rows)
            number += batches
        self._spool.index_batches()

    def _refuse_beyond(self, group: str, refuse: Callable[[Sequence[Any]], Problem | None]) -> None:
        for items in self._spool.to_send(group):
            found = ((item.line, refuse(item.values)) for item in items)
            self._spool.refuse([(line, problem) for line, problem in found if problem is not None])

    def _try_calls(self) -> bool:
        """Run each batch's call on the chain without sending it; whether a row was refused.

        A refusal that concerns no row is raised.
        """
        keeper = PretendingKeeper(self.file.given.evidence)
        sizes = self.counts()[Action.SEND]
        done, refused_any = 0, False
        for items in self._spool.batches():
            values = [item.values for item in items]
            refused = self._try(items[0].group, values, keeper)
            self._spool.refuse((items[place].line, _as_problem(error)) for place, error in refused)
            refused_any = refused_any or bool(refused)
            done += len(items)
            self._progress("try without sending", done, sizes)
        return refused_any

    def _try(
        self, group: str, values: Sequence[Sequence[Any]], keeper: PretendingKeeper
    ) -> list[tuple[int, LedgerError]]:
        def run(some: Sequence[Sequence[Any]]) -> None:
            asked = self.kind.ask(group, some, keeper)
            calldata = asked.encode(hashlib.sha256(repr(some).encode()).digest())
            to = contract_address(self._desk, asked.contract)
            try_call(self._desk.node, Call(self.file.sender, to, calldata))

        return find_refused(values, run)


def contract_address(desk: Desk, name: str) -> bytes:
    """The address of one of the contracts that files are brought to."""
    contracts = desk.contracts
    wrappers = (contracts.credits, contracts.memberships, contracts.organisations)
    return next(each.address for each in wrappers if name == each.NAME)


def _import_id(genesis_hash: bytes, file: File, content_hash: bytes) -> bytes:
    """What a file is known by: its content, what decides what its rows mean, and who signs."""
    parts = (file.subject.value, file.given.label, file.how.sheet, str(file.given.programme))
    return derive_operation_id(
        "moonlake.import.1",
        genesis_hash,
        file.sender,
        content_hash,
        *(part.encode() for part in parts),
    )


def _place(place: int, count: int, batches: int) -> tuple[int, int]:
    """The batch of a row, and its position there, when `count` rows are spread evenly."""
    small, larger = divmod(count, batches)
    in_larger = larger * (small + 1)
    if place < in_larger:
        return divmod(place, small + 1)
    batch, position = divmod(place - in_larger, small)
    return larger + batch, position


def _changed(item: Item, row: journal.Known) -> Problem:
    verb = "was brought" if row.is_done else "is on its way"
    expected = (
        f"a new reference: {item.reference!r} {verb} with other values (import "
        f"{row.import_id.hex()[:12]}, line {row.line}); what is on the chain is not edited"
    )
    return Problem("reference", item.reference, expected)


def _alike(item: Item, import_id: bytes, line: int) -> Problem:
    how = "without a reference" if item.reference else "with a reference"
    expected = (
        f"as it was: the same was asked for {how} in import {import_id.hex()[:12]}, line {line}; "
        "say --allow-equal-rows if this is another"
    )
    return Problem("reference", item.reference, expected)


def _as_problem(error: LedgerError) -> Problem:
    sentence = f"{error} {error.advice}".strip()
    return Problem("row", error.code, "what the contract takes", sentence)
