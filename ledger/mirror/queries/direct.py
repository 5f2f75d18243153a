"""The questions that are asked most, each one statement on the driver's own connection.

An organisation's balances and the first page of its statement are most of what a portal asks. Put
together by SQLAlchemy and asked in parts they cost some ten times what the database needs for them.
Here each is one statement, which tells the moment that it is true at besides: one statement sees
one moment of the database, so that it needs no transaction around it.

What is not simple is refused, by None for one question and `NotDirect` for all of them, and is the
ordinary query's to answer: a database that cannot be read, a mirror of another release, an
organisation that has nothing or whose journal is longer than MOST_ENTRIES.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections import OrderedDict, defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from sqlalchemy import Engine

from ledger.domain.events import EntryKind
from ledger.domain.ids import EntryId, OrgId, ProgrammeId
from ledger.mirror.queries.balances import Balance, CategoryRow, balances_of
from ledger.mirror.queries.documents import Document
from ledger.mirror.queries.entries import Entry
from ledger.mirror.queries.moments import Moment
from ledger.store.direct import DirectConnections, NotDirect, Row
from ledger.store.direct_file import FileConnections
from ledger.store.direct_server import ServerConnections
from ledger.store.engine import POSTGRESQL
from ledger.store.mirror_tables import SCHEMA_VERSION

MOST_ENTRIES = 1000
"""An organisation's entries that are summed here; more would hold up whoever asks next."""

MOST_BLOCKS = 20_000
"""Blocks whose transactions are kept; each takes some hundred bytes, and as many a transaction."""

_ATTEMPTS = 3

_MARK = """
    m.schema_version, m.deployment, m.cursor_number, m.cursor_hash, m.cursor_timestamp,
    m.looked_at, CASE WHEN m.halted_code IS NULL THEN 0 ELSE 1 END,
    COALESCE((SELECT revision FROM office_state), 0)
"""
_MARKS = f"SELECT {_MARK} FROM mirror_state AS m"  # noqa: S608  all of it is written here
_KEYS = f"""
SELECT p.programme_id, p.key, {_MARK}
FROM mirror_state AS m LEFT JOIN (
    SELECT v.programme_id, v.key FROM programme_versions AS v WHERE NOT EXISTS (
        SELECT 1 FROM programme_versions AS later
        WHERE later.programme_id = v.programme_id
        AND (later.block_number, later.log_index) > (v.block_number, v.log_index)
    )
) AS p ON TRUE
"""  # noqa: S608
_SUMS = f"""
SELECT
    g.programme_id, g.category, g.amount, g.entry_count, g.made_up_count, g.last_entry,
    g.balance_after, {{org_id}}, {_MARK}
FROM mirror_state AS m {{organisations}} (
    SELECT s.programme_id, s.category, s.amount, s.entry_count, s.made_up_count, s.last_entry,
        (SELECT e.balance_after FROM entries AS e WHERE e.entry_id = s.last_entry) AS balance_after
    FROM (
        SELECT e.programme_id, e.category, CAST(SUM(e.amount) AS BIGINT) AS amount,
            COUNT(*) AS entry_count, MAX(e.entry_id) AS last_entry,
            CAST(SUM(CASE WHEN f.made_up = 1 THEN 1 ELSE 0 END) AS BIGINT) AS made_up_count
        FROM (
            SELECT programme_id, category, amount, entry_id, evidence
            FROM entries WHERE org_id = {{org_id}} LIMIT {MOST_ENTRIES + 1}
        ) AS e LEFT JOIN evidence_files AS f ON f.commitment = e.evidence
        GROUP BY e.programme_id, e.category
    ) AS s
    UNION ALL
    SELECT DISTINCT v.programme_id, CAST(NULL AS TEXT), 0, 0, 0, 0, 0
    FROM membership_versions AS v WHERE v.org_id = {{org_id}}
) AS g ON TRUE
"""  # noqa: S608
_PAGES = f"""
SELECT
    c.entry_id, c.programme_id, c.org_id, c.kind, c.category, c.amount, c.balance_after, c.evidence,
    c.refers_to, (
        SELECT MIN(r.entry_id) FROM entries AS r
        WHERE r.refers_to = c.entry_id AND r.refers_to != 0 AND r.kind = {int(EntryKind.REVERSAL)}
    ),
    c.actor, c.operation_id, c.block_number, b.hash, b.timestamp, c.log_index,
    f.title_zh, f.title_en, f.media_type, f.size, f.made_up, {{org_id}}, {_MARK}
FROM mirror_state AS m {{pages}} (
    SELECT * FROM entries WHERE org_id = {{org_id}} ORDER BY entry_id DESC LIMIT {{most}}
) AS c ON TRUE
LEFT JOIN blocks AS b ON b.number = c.block_number
LEFT JOIN evidence_files AS f ON f.commitment = c.evidence
"""  # noqa: S608

_TRANSACTIONS = """
SELECT b.hash, MIN(l.log_index), t.hash
FROM logs AS l JOIN blocks AS b ON b.number = l.block_number JOIN transactions AS t
    ON t.block_number = l.block_number AND t.transaction_index = l.transaction_index
WHERE l.block_number {among} GROUP BY b.hash, l.transaction_index, t.hash
"""

_SINGLE = {
    "organisations": "LEFT JOIN",
    "pages": "LEFT JOIN",
    "org_id": "?1",
    "most": "?2",
    "among": "IN (SELECT value FROM json_each(?1))",
}
"""How SQLite is asked, which knows no LATERAL and is at hand: one question at a time."""

_MANY = {
    "organisations": """
        CROSS JOIN unnest($1::bigint[]) AS w(org_id) LEFT JOIN LATERAL
    """,
    "pages": """
        CROSS JOIN unnest($1::bigint[], $2::bigint[]) AS w(org_id, most)
        LEFT JOIN LATERAL
    """,
    "org_id": "w.org_id",
    "most": "w.most",
    "among": "= ANY($1::bigint[])",
}
"""How PostgreSQL is asked, which is a way off: all who wait at once."""

_KINDS = {int(kind): kind for kind in EntryKind}
_BLOCK, _BLOCK_HASH, _LOG_INDEX = 12, 13, 15
_DOCUMENT, _MEDIA_TYPE, _DOCUMENT_ENDS = 16, 18, 21
_ORG_ID, _MARK_BEGINS = -9, -8
Keys = Mapping[ProgrammeId, str]


@dataclass(frozen=True, slots=True)
class Mark:
    """What the answers of one moment have in common, and all that their tags follow from.

    `looked_at` is in milliseconds since 1970 UTC; `office` is the office's revision.
    """

    deployment: bytes
    moment: Moment
    looked_at: int
    is_halted: bool
    office: int


@dataclass(frozen=True, slots=True)
class PageAsked:
    """The newest entries of an organisation, at most so many."""

    org_id: OrgId
    most: int


class BlocksTransactions:
    """The transactions of blocks that were asked for lately, by the blocks' own hashes.

    A block's hash stands for all that is in it, so that nothing here is ever wrong, whatever
    becomes of the chain. To find an entry's log and its transaction, a page of twenty needs forty
    seeks, half of all that it costs. `read` gives, of blocks, rows of a block's hash, a
    transaction's first log that is mirrored, and its hash; the logs of a transaction lie together.
    """

    def __init__(
        self, read: Callable[[Sequence[int]], Awaitable[list[Row]]], most: int = MOST_BLOCKS
    ) -> None:
        self._read = read
        self._most = most
        self._known: OrderedDict[bytes, tuple[list[int], list[bytes]]] = OrderedDict()

    async def know(self, blocks: Mapping[bytes, int]) -> None:
        """See that those of blocks, by hash and number, are known. Raises NotDirect."""
        unknown: dict[bytes, int] = {}
        for each, number in blocks.items():
            if each in self._known:
                # Others make room: what is asked for now is found when more have been read.
                self._known.move_to_end(each)
            else:
                unknown[each] = number
        if not unknown:
            return
        found: defaultdict[bytes, list[tuple[int, bytes]]] = defaultdict(list)
        for block_hash, first_log, transaction in await self._read(sorted(unknown.values())):
            found[block_hash].append((first_log, transaction))
        if not unknown.keys() <= found.keys():
            raise NotDirect  # the chain has another block there by now
        for block_hash, transactions in found.items():
            transactions.sort()
            firsts, hashes = zip(*transactions, strict=True)
            self._known[block_hash] = (list(firsts), list(hashes))
        while len(self._known) > max(self._most, len(blocks)):
            self._known.popitem(last=False)

    def find(self, block_hash: bytes, log_index: int) -> bytes:
        """The transaction of a log. Raises NotDirect where its block is no longer known."""
        known = self._known.get(block_hash)
        if known is None:
            raise NotDirect
        return known[1][bisect_right(known[0], log_index) - 1]


class Direct:
    """Asks one database, for one event loop."""

    def __init__(self, engine: Engine) -> None:
        self.takes_many = engine.dialect.name == POSTGRESQL
        """Whether one more question costs next to nothing, and none is answered at once."""
        form = _MANY if self.takes_many else _SINGLE
        self._connections: DirectConnections = (
            ServerConnections(engine) if self.takes_many else FileConnections(engine)
        )
        self._sums = _SUMS.format(**form)
        self._pages = _PAGES.format(**form)
        self._transactions = BlocksTransactions(self._read_transactions)
        self._of_blocks = _TRANSACTIONS.format(**form)
        self._keys: tuple[bytes, Keys] = (b"", {})
        self._last: tuple[Row, Mark] | None = None

    def close(self) -> None:
        """Close the connections."""
        self._connections.close()

    async def read_mark(self) -> Mark:
        """The present mark. Raises NotDirect."""
        return self._mark_of((await self._read(_MARKS))[0])

    async def read_balances(
        self, org_ids: Sequence[OrgId]
    ) -> tuple[Mark, dict[OrgId, tuple[Balance, ...] | None]]:
        """Organisations' balances, as `queries.balances` has them, at the last block applied.

        None for what is not simple. Raises NotDirect.
        """
        value = _array(org_ids) if self.takes_many else org_ids[0]
        mark, rows, keys = await self._read_named(self._sums, value)
        by_organisation = _by_organisation(rows).items()
        return mark, {OrgId(org_id): _balances(each, keys) for org_id, each in by_organisation}

    async def read_pages(
        self, asked: Sequence[PageAsked]
    ) -> tuple[Mark, dict[PageAsked, tuple[Entry, ...] | None]]:
        """Organisations' newest entries, as `queries.entries` has them, at the last block applied.

        None for what is not simple. Raises NotDirect.
        """
        if self.takes_many:
            most: dict[int, int] = {}
            for each in asked:
                most[each.org_id] = max(each.most, most.get(each.org_id, 0))
            values: tuple[str | int, str | int] = (_array(most), _array(most.values()))
        else:
            values = (asked[0].org_id, asked[0].most)
        mark, rows, keys = await self._read_named(self._pages, *values)
        await self._transactions.know(
            {row[_BLOCK_HASH]: row[_BLOCK] for row in rows if row[_BLOCK_HASH] is not None}
        )
        found = {
            org_id: self._entries(each, keys) for org_id, each in _by_organisation(rows).items()
        }
        return mark, {
            each: entries[: each.most] if (entries := found[each.org_id]) else None
            for each in asked
        }

    async def _read_named(self, statement: str, *values: str | int) -> tuple[Mark, list[Row], Keys]:
        """The moment, the statement's own rows, and the keys that programmes have then."""
        for _ in range(_ATTEMPTS):
            rows = await self._read(statement, *values)
            mark = self._mark_of(rows[0])
            keys = await self._keys_at(mark)
            if keys is not None:
                return mark, rows, keys
        raise NotDirect  # blocks come faster than they can be read

    def _mark_of(self, row: Row) -> Mark:
        """The mark in a row; the last one itself where nothing has changed since."""
        columns, last = row[_MARK_BEGINS:], self._last
        if last is not None and last[0] == columns:
            return last[1]
        mark = _mark(columns)
        if last is not None and last[1].deployment != mark.deployment:
            # Another ledger on the same chain: the same blocks, of which other logs are mirrored.
            self._keys = (b"", {})
            self._transactions = BlocksTransactions(self._read_transactions)
        self._last = (columns, mark)
        return mark

    async def _keys_at(self, mark: Mark) -> Keys | None:
        """The programmes' keys at a moment; None where it has passed."""
        of, keys = self._keys
        if of == mark.moment.block_hash:
            return keys
        rows = await self._read(_KEYS)
        of = rows[0][_MARK_BEGINS + 3]
        keys = {row[0]: row[1] for row in rows if row[0] is not None}
        self._keys = (of, keys)
        return keys if of == mark.moment.block_hash else None

    def _entries(self, rows: Sequence[Row], keys: Keys) -> tuple[Entry, ...] | None:
        if rows[0][0] is None:
            return None
        # Sorted here: in SQL it would be done a second time, with all columns.
        rows = sorted(rows, key=itemgetter(0), reverse=True)
        find = self._transactions.find
        return tuple(_entry(row, keys, find(row[_BLOCK_HASH], row[_LOG_INDEX])) for row in rows)

    async def _read_transactions(self, blocks: Sequence[int]) -> list[Row]:
        value = _array(blocks) if self.takes_many else json.dumps(list(blocks))
        return await self._connections.read(self._of_blocks, value)

    async def _read(self, statement: str, *values: str | int) -> list[Row]:
        """Rows, at least one. Raises NotDirect."""
        rows = await self._connections.read(statement, *values)
        if not rows or rows[0][_MARK_BEGINS] != SCHEMA_VERSION:
            raise NotDirect
        return rows


def _array(values: Iterable[int]) -> str:
    """Numbers as PostgreSQL writes them."""
    return "{" + ",".join(map(str, values)) + "}"


def _mark(row: Row) -> Mark:
    moment = Moment(row[2], row[3], row[4], is_latest=True)
    return Mark(row[1], moment, row[5], bool(row[6]), row[7])


def _by_organisation(rows: Iterable[Row]) -> dict[int, list[Row]]:
    found: defaultdict[int, list[Row]] = defaultdict(list)
    for row in rows:
        found[row[_ORG_ID]].append(row)
    return found


def _balances(rows: Sequence[Row], keys: Keys) -> tuple[Balance, ...] | None:
    sums = [CategoryRow(*row[:_ORG_ID]) for row in rows if row[1] is not None]
    joined = {row[0] for row in rows if row[0] is not None}
    if not joined or sum(each.entry_count for each in sums) > MOST_ENTRIES:
        return None
    return balances_of(sums, joined, keys)


def _entry(row: Row, keys: Keys, transaction_hash: bytes) -> Entry:
    document = None
    if row[_MEDIA_TYPE] is not None:
        title_zh, title_en, media_type, size, made_up = row[_DOCUMENT:_DOCUMENT_ENDS]
        document = Document(title_zh, title_en, media_type, size, bool(made_up))
    # By place, and so in the order of the columns: twenty names take half of the time again.
    entry_id, programme_id, org_id, kind, category, amount, balance, evidence, refers_to = row[:9]
    return Entry._make(
        (
            *(entry_id, programme_id, keys[programme_id], org_id, _KINDS[kind], category, amount),
            *(balance, evidence, document, refers_to, row[9] or EntryId(0)),
            *row[10:_DOCUMENT],
            transaction_hash,
        )
    )
