"""Writes a proved range: facts, derived rows and cursor in one transaction, or nothing.

A reorganisation is part of the same transaction: what the chain no longer has goes and what it has
instead comes in one commit, so that nobody reads a history that never was.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import Connection, Engine, select

from ledger.chain.logs import JournalCursor
from ledger.chain.receipts import Log
from ledger.domain.events import EntryPosted
from ledger.domain.ids import BlockNumber
from ledger.domain.ids import Sequence as JournalSequence
from ledger.errors import JournalBroken
from ledger.mirror.book import Book, Contradiction, Place
from ledger.mirror.contracts import Followed, FollowedContract
from ledger.mirror.handlers import handle
from ledger.mirror.prove import Journals, ProvedRange
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
            with writing(self._engine) as connection:
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
                self._write(connection, proved)
                return read_state(connection)
        except BaseException:
            # The book's memory is of rows that were not committed.
            self._book.forget()
            raise

    def derive(
        self, connection: Connection, logs: Sequence[Log], times: Mapping[BlockNumber, int]
    ) -> None:
        """Write what the logs of some whole blocks mean; they stand in the database already.

        `times` are those of their blocks. Raises JournalBroken for an event that cannot be.
        """
        self._book.open(connection)
        self._handle(logs, times)
        self._book.write()

    def _write(self, connection: Connection, proved: ProvedRange) -> None:
        book = self._book
        book.open(connection)
        for header in proved.headers:
            book.add(BlockRow(header.number, header.hash, header.timestamp))
        self._write_raw(proved.logs)
        self._handle(proved.logs, {header.number: header.timestamp for header in proved.headers})
        book.write()

    def _write_raw(self, logs: Iterable[Log]) -> None:
        transaction = (-1, -1)
        for log in logs:
            if (log.block_number, log.transaction_index) != transaction:
                transaction = (log.block_number, log.transaction_index)
                self._book.add(TransactionRow(*transaction, log.transaction_hash))
            contract = self._followed.by_address[log.address]
            self._book.add(
                LogRow(
                    log.block_number,
                    log.log_index,
                    log.transaction_index,
                    contract.contract_id,
                    log.topics,
                    log.data,
                )
            )

    def _handle(self, logs: Sequence[Log], times: Mapping[BlockNumber, int]) -> None:
        events = self._read_events(logs)
        self._book.accounts.load(
            self._book.connection,
            [
                (each.programme_id, each.org_id)
                for _, _, each in events
                if type(each) is EntryPosted
            ],
        )
        for contract, log, event in events:
            time = times[log.block_number]
            place = Place(log.block_number, log.log_index, time, contract.contract_id)
            try:
                handle(self._book, place, event)
            except Contradiction as problem:
                raise JournalBroken(
                    block=log.block_number,
                    log_index=log.log_index,
                    contract=contract.name,
                    problem=str(problem),
                ) from problem
        self._require_whole()

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

    def _read_events(self, logs: Sequence[Log]) -> list[tuple[FollowedContract, Log, object]]:
        by_address = self._followed.by_address
        return [
            (contract, log, contract.read_event(log))
            for log in logs
            for contract in [by_address[log.address]]
            if not contract.is_echo(log)
        ]


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
