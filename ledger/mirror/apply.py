"""Writes a proved range: facts, derived rows and cursor in one transaction, or nothing.

A reorganisation is part of the same transaction: what the chain no longer has goes and what it has
instead comes in one commit, so that nobody reads a history that never was.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import Connection, Engine, select

from ledger.chain.logs import JournalCursor
from ledger.chain.receipts import Log
from ledger.domain.ids import BlockNumber
from ledger.domain.ids import Sequence as JournalSequence
from ledger.errors import JournalBroken
from ledger.mirror.book import Book, Contradiction, Place
from ledger.mirror.contracts import Followed, FollowedContract
from ledger.mirror.garbage import uncollected
from ledger.mirror.handlers import handle
from ledger.mirror.handlers.entries import post_awards
from ledger.mirror.prove import Journals, ProvedRange
from ledger.mirror.ranges import note_range
from ledger.mirror.readings import EntryFields, Run, as_event, read_logs
from ledger.mirror.rollback import roll_back
from ledger.mirror.rows import BlockRow, LogRow, TransactionRow
from ledger.mirror.state import Fence, MirrorState, advance, count_commit, read_state, unfenced
from ledger.store import mirror_tables
from ledger.store.engine import writing

_SCANNED_AT_ONCE = 16


class Applier:
    """Applies ranges to one database. It remembers what it wrote, and so must be the only one."""

    def __init__(self, engine: Engine, followed: Followed) -> None:
        self._engine = engine
        self._followed = followed
        self._book = Book()
        self.fence: Fence = unfenced

    def forget(self, *, database_is_empty: bool = False) -> None:
        """Look at the database anew: another process may have written to it."""
        self._book.forget(database_is_empty=database_is_empty)

    def apply_range(
        self, before: MirrorState, proved: ProvedRange, *, final_number: int, head_number: int
    ) -> MirrorState:
        """Write the range and move the cursor to its end; the state after it.

        Where the range does not begin at the cursor, what is above its parent is taken back first.
        Raises Overtaken where `before` no longer holds, JournalBroken for an event that cannot be;
        nothing is written then.
        """
        try:
            with uncollected(), writing(self._engine) as connection:
                self.fence(connection)
                advance(
                    connection,
                    before,
                    cursor=proved.end,
                    final_number=final_number,
                    head_number=head_number,
                )
                reorganised = proved.parent.hash != before.cursor.hash
                count_commit(connection, proved.journals, len(proved.logs), reorganised=reorganised)
                if reorganised:
                    self._book.forget()
                    roll_back(connection, proved.parent.number)
                first = proved.headers[0].number
                note_range(connection, first, proved.end.number, proved.level)
                self._write(connection, proved)
                return read_state(connection)
        except BaseException:
            # The book's memory is of rows that were not committed.
            self._book.forget()
            raise

    def derive(
        self, connection: Connection, runs: Sequence[Run], times: Mapping[BlockNumber, int]
    ) -> None:
        """Write what logs of some whole blocks say, which stand in the database already.

        `times` are those of their blocks. Balances wait for `settle`. Raises JournalBroken for an
        event that cannot be.
        """
        self._book.open(connection)
        self._book.accounts.balances_wait = True
        self._handle(runs, times)
        self._book.write()

    def settle(self, connection: Connection) -> None:
        """Write the balances that were derived."""
        self._book.accounts.write_balances(connection)

    def _write(self, connection: Connection, proved: ProvedRange) -> None:
        book = self._book
        book.open(connection)
        book.add_all(
            BlockRow, [(each.number, each.hash, each.timestamp) for each in proved.headers]
        )
        self._write_raw(proved.logs)
        times = {header.number: header.timestamp for header in proved.headers}
        self._handle(read_logs(self._followed, proved.logs), times)
        book.write()

    def _write_raw(self, logs: Sequence[Log]) -> None:
        ids = {each.address: each.contract_id for each in self._followed.contracts}
        rows = [
            (block, index, transaction, ids[address], topics, data)
            for block, index, transaction, _, address, topics, data in logs
        ]
        hashes = {(log[0], log[2]): log[3] for log in logs}
        self._book.add_all(TransactionRow, [(*place, hashes[place]) for place in hashes])
        self._book.add_all(LogRow, rows)

    def _handle(self, runs: Sequence[Run], times: Mapping[BlockNumber, int]) -> None:
        book, by_address = self._book, self._followed.by_address
        keys = {(entry[3], entry[4]) for run in runs for entry in run.entries}
        book.accounts.load(book.connection, keys)
        for run in runs:
            for log in run.others:
                contract = by_address[log.address]
                at = Place(
                    log.block_number,
                    log.log_index,
                    times[log.block_number],
                    contract.contract_id,
                )
                self._handle_one(contract, at, contract.read_event(log))
            if run.entries:
                self._post(run.entries, times)
        self._require_whole()

    def _post(self, entries: Sequence[EntryFields], times: Mapping[BlockNumber, int]) -> None:
        contract, coming = self._followed.credits, iter(entries)
        while entry := post_awards(self._book, coming):
            block = BlockNumber(entry[1])
            at = Place(block, entry[2], times[block], contract.contract_id)
            self._handle_one(contract, at, as_event(entry))

    def _handle_one(self, contract: FollowedContract, at: Place, event: object) -> None:
        try:
            handle(self._book, at, event)
        except Contradiction as problem:
            raise JournalBroken(
                block=at.block_number,
                log_index=at.log_index,
                contract=contract.name,
                problem=str(problem),
            ) from problem

    def _require_whole(self) -> None:
        """Check that the last event awaits no other: a range ends with its block."""
        awaited = self._book.awaited
        if awaited is not None:
            raise JournalBroken(
                block=awaited.at.block_number,
                log_index=awaited.at.log_index,
                contract=self._followed.contracts[awaited.at.contract_id - 1].name,
                problem=f"no {awaited.event_type.__name__} follows",
            )


def read_journals(connection: Connection, followed: Followed, block: BlockNumber) -> Journals:
    """How far each contract's journal is mirrored up to a block, from the raw logs."""
    return {
        contract.address: _last_line(connection, contract, block) for contract in followed.contracts
    }


def _last_line(
    connection: Connection, contract: FollowedContract, block: BlockNumber
) -> JournalCursor:
    """The last journal event of a contract: the last of its logs that is no echo."""
    logs = mirror_tables.logs
    statement = (
        select(logs.c.topics, logs.c.data)
        .where(logs.c.contract_id == contract.contract_id, logs.c.block_number <= block)
        .order_by(logs.c.block_number.desc(), logs.c.log_index.desc())
        .limit(_SCANNED_AT_ONCE)
    )
    skipped = 0
    while True:
        rows = connection.execute(statement.offset(skipped)).all()
        for topics, data in rows:
            if bytes(topics[:32]) in contract.events.journal:
                sequence = int.from_bytes(topics[32:64], "big")
                return JournalCursor(JournalSequence(sequence), bytes(data[-32:]))
        if not rows:
            return JournalCursor.at_start()
        skipped += len(rows)
