"""Reads the raw facts that a database holds, in order, and checks them as far as they check
themselves.

Each journal is followed from its first event: a log that is missing, added, moved or altered breaks
the sequence or the head at that log or the next. What no journal covers (echoes, hashes of blocks
and transactions) is only proved by a node, which is not asked here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import attrgetter
from typing import Any

from sqlalchemy import Connection, text

from ledger.chain.logs import JournalCursor
from ledger.chain.receipts import Log
from ledger.domain.ids import BlockNumber
from ledger.errors import EventUnknown, FactsDamaged, JournalBroken
from ledger.mirror.contracts import Followed
from ledger.mirror.readings import Run, read_logs
from ledger.store.bulk import fetch_rows
from ledger.store.engine import POSTGRESQL

LOGS_AT_ONCE = 10_000
_MOST_OF_A_BLOCK = 1_000_000

# The fields of a Log in their order; a transaction's hash says nothing about what its logs mean.
_LOGS = """
SELECT l.block_number, l.log_index, l.transaction_index, c.name, c.address, l.topics, l.data
FROM logs AS l LEFT JOIN contracts AS c ON c.contract_id = l.contract_id
WHERE l.block_number > {mark} AND l.block_number <= {mark}
ORDER BY l.block_number, l.log_index LIMIT {mark}
"""
_TIMES = """
SELECT number, timestamp FROM blocks WHERE number > {mark} AND number <= {mark}
AND EXISTS (SELECT 1 FROM logs WHERE logs.block_number = blocks.number)
"""


@dataclass(frozen=True, slots=True)
class Facts:
    """What the logs of some whole blocks say, and the times of these blocks.

    `count` is how many logs they are, `end` the last of the blocks.
    """

    runs: list[Run]
    times: dict[BlockNumber, int]
    count: int
    end: BlockNumber


class FactsReader:
    """Reads the logs of a database once from the first to the last, checking each journal."""

    def __init__(self, followed: Followed) -> None:
        self._followed = followed
        self.journals = {each.address: JournalCursor.at_start() for each in followed.contracts}
        self.block = BlockNumber(followed.first_block - 1)

    def read(self, connection: Connection, until: int) -> Iterator[Facts]:
        """What comes after the last block read, up to the block `until`, in parts.

        Raises FactsDamaged with the first log that cannot be the next.
        """
        _keep_to_the_order(connection)
        while self.block < until:
            logs = self._next_logs(connection, until)
            if not logs:
                self.block = BlockNumber(until)
                return
            facts = self._check(connection, logs)
            self.block = facts.end
            yield facts

    def require_end(self, expected: Mapping[bytes, JournalCursor]) -> None:
        """Check that each journal is where the mirror left it. Raises FactsDamaged."""
        for address, cursor in expected.items():
            found = self.journals.get(address)
            if found != cursor:
                name = self._followed.by_address[address].name
                raise FactsDamaged(
                    block=self.block,
                    log_index=0,
                    problem=f"after it the journal of {name} is at event "
                    f"{found.sequence if found else 0}, and it was at {cursor.sequence}",
                )

    def _next_logs(self, connection: Connection, until: int) -> list[Log]:
        """Logs of whole blocks, about as many as should be handled at once."""
        rows = _fetch(connection, _LOGS, self.block, until, LOGS_AT_ONCE)
        if len(rows) == LOGS_AT_ONCE:
            # The last block may go on beyond them.
            last = rows[-1][0]
            rows = [row for row in rows if row[0] != last]
            rows = rows or _fetch(connection, _LOGS, self.block, last, _MOST_OF_A_BLOCK)
        return list(map(Log._make, rows))

    def _check(self, connection: Connection, logs: list[Log]) -> Facts:
        end = logs[-1].block_number
        times: dict[BlockNumber, int] = dict(_fetch(connection, _TIMES, self.block, end))
        for log in logs:
            if log[4] not in self._followed.by_address or log[0] not in times:
                what = "its block" if log[0] not in times else "its contract"
                raise FactsDamaged(block=log[0], log_index=log[1], problem=f"{what} is not there")
        try:
            self._follow_journals(logs)
            runs = read_logs(self._followed, logs)
        except (JournalBroken, EventUnknown) as error:
            raise FactsDamaged(
                block=error.values["block"],
                log_index=error.values["log_index"],
                problem=str(error.values.get("problem", "nobody knows its event")),
            ) from error
        return Facts(runs, times, len(logs), end)

    def _follow_journals(self, logs: list[Log]) -> None:
        by_address = self._followed.by_address
        for address, run in groupby(logs, key=attrgetter("address")):
            is_line = by_address[address].is_line
            lines = [log for log in run if is_line(log)]
            if lines:
                self.journals[address] = self.journals[address].advance_all(lines)


def _keep_to_the_order(connection: Connection) -> None:
    """Let PostgreSQL walk along the key until the transaction ends.

    Of a table that it has not looked over yet it believes to have few rows, and would sort all that
    are left for each part: 5 of 9 seconds for 240,000 logs, and that grows with their square.
    """
    if connection.dialect.name == POSTGRESQL:
        for way in ("sort", "bitmapscan", "seqscan", "hashjoin", "mergejoin"):
            connection.execute(text(f"SET LOCAL enable_{way} = off"))


def _fetch(connection: Connection, statement: str, *values: int) -> list[tuple[Any, ...]]:
    mark = "%s" if connection.dialect.name == POSTGRESQL else "?"
    return fetch_rows(connection, statement.format(mark=mark), values)
