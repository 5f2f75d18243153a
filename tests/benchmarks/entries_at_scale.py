"""How long the mirror's reads take, and how large its indexes are, with many entries.

    python -m tests.benchmarks.entries_at_scale [--entries 2000000] [--organisations 10000]
        [--database sqlite|postgresql] [--asked 300]

The rows are made here and written in bulk (COPY on PostgreSQL), as the mirror writes them: blocks,
transactions, raw logs, entries, balances. What is asked are the API's own queries, each of them of
random organisations or entries; a line says the median and the 99th percentile in milliseconds.
PostgreSQL is a cluster of its own with 64 MB of buffers, so that little is answered from them.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from sqlalchemy import Connection, Engine, text

from ledger.domain.ids import EntryId, OrgId, ProgrammeId
from ledger.mirror.marks import BlockMark
from ledger.mirror.queries.balances import read_balances
from ledger.mirror.queries.entries import EntryFilter, list_entries, read_entry
from ledger.mirror.queries.moments import latest_moment, moment_at_block
from ledger.mirror.state import MirrorState, read_state, write_first_state
from ledger.store import mirror_tables as tables
from ledger.store.bulk import Row, insert_rows
from ledger.store.engine import POSTGRESQL, open_engine, reading, sqlite_file, writing
from ledger.store.schema import upgrade_schema
from tests.support.postgres import find_postgres, running_cluster

IN_A_BLOCK = 80
IN_A_TRANSACTION = 20
AT_ONCE = 50_000
STEP = 7919  # a prime, so that the entries go round all organisations
CATEGORIES = ("satellite.build", "data.acquire", "scenario.share")
ONE = ProgrammeId(1)
ACTOR = b"\7" * 20


def main() -> None:
    """Fill a database, ask it, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, add_help=True)
    parser.add_argument("--entries", type=int, default=2_000_000)
    parser.add_argument("--organisations", type=int, default=10_000)
    parser.add_argument("--database", choices=("sqlite", POSTGRESQL), default=POSTGRESQL)
    parser.add_argument("--asked", type=int, default=300, help="how often each query is asked")
    options = parser.parse_args()
    with ExitStack() as opened:
        engine = open_engine(_database(options.database, opened), durable=False)
        opened.callback(engine.dispose)
        upgrade_schema(engine)
        began = time.perf_counter()
        fill(engine, options.entries, options.organisations)
        say(
            f"{options.entries:,} entries of {options.organisations:,} organisations in "
            f"{engine.dialect.name}, written in {time.perf_counter() - began:.0f} s"
        )
        with reading(engine) as connection:
            for name, seconds in ask(
                connection, options.entries, options.organisations, options.asked
            ):
                _say_times(name, seconds)
        for name, size in sizes(engine):
            say(f"{name:<44}{size / 2**20:>10,.0f} MiB{size / options.entries:>8.0f} B an entry")


def _database(kind: str, opened: ExitStack) -> str:
    if kind == POSTGRESQL:
        programs = find_postgres()
        if programs is None:
            sys.exit("PostgreSQL is not installed")
        return opened.enter_context(running_cluster(programs)).new_database()
    folder = opened.enter_context(tempfile.TemporaryDirectory(prefix="moonlake-scale-"))
    return f"sqlite:///{Path(folder) / 'ledger.sqlite3'}"


# --- rows -----------------------------------------------------------------------------------------


def fill(engine: Engine, entries: int, organisations: int) -> None:
    """Write a ledger of so many entries."""
    balances = [0] * (organisations + 1)
    with writing(engine) as connection:
        last = (entries - 1) // IN_A_BLOCK
        write_first_state(connection, _state(last))
        zero = bytes(32)
        created = [(0, 0, 1, "alliance", zero, 10**15, 1, ACTOR, zero)]
        insert_rows(connection, tables.programme_versions, created)
    for start in range(0, entries, AT_ONCE):
        part = range(start, min(start + AT_ONCE, entries))
        with writing(engine) as connection:
            _write_part(connection, part, balances)
    counts = [entries // organisations] * (organisations + 1)
    with writing(engine) as connection:
        rows = [
            (1, org, balances[org], counts[org], entries - organisations + org, balances[org], 1)
            for org in range(1, organisations + 1)
        ]
        insert_rows(connection, tables.balances, rows)
    with engine.connect() as connection:
        connection.execute(text("ANALYZE"))
        connection.commit()


def _write_part(connection: Connection, part: range, balances: list[int]) -> None:
    blocks = range(part.start // IN_A_BLOCK, (part.stop - 1) // IN_A_BLOCK + 1)
    insert_rows(
        connection,
        tables.blocks,
        [(block, _hash("block", block), _time(block)) for block in blocks],
    )
    transactions = range(part.start // IN_A_TRANSACTION, (part.stop - 1) // IN_A_TRANSACTION + 1)
    in_a_block = IN_A_BLOCK // IN_A_TRANSACTION
    insert_rows(
        connection,
        tables.transactions,
        [
            (number // in_a_block, number % in_a_block, _hash("transaction", number))
            for number in transactions
        ],
    )
    insert_rows(connection, tables.logs, [_log(number) for number in part])
    insert_rows(connection, tables.entries, [_entry(number, balances) for number in part])


def _log(number: int) -> Row:
    block, index = divmod(number, IN_A_BLOCK)
    noise = _hash("log", number)
    return (block, index, index // IN_A_TRANSACTION, 5, noise * 4, noise * 9)


def _entry(number: int, balances: list[int]) -> Row:
    block, index = divmod(number, IN_A_BLOCK)
    org = number * STEP % (len(balances) - 1) + 1
    amount = number % 19 + 1
    balances[org] += amount
    return (
        number + 1,
        block,
        index,
        1,
        org,
        1,
        CATEGORIES[number % len(CATEGORIES)],
        amount,
        balances[org],
        _hash("evidence", number),
        0,
        ACTOR,
        _hash("operation", number // IN_A_TRANSACTION),
    )


def _state(last: int) -> MirrorState:
    mark = BlockMark(last, _hash("block", last), _time(last))  # type: ignore[arg-type]
    return MirrorState(
        schema_version=tables.SCHEMA_VERSION,
        chain_id=1,
        genesis_hash=_hash("block", 0),
        deployment=bytes(32),
        first_block=0,  # type: ignore[arg-type]
        cursor=mark,
        final_number=last,  # type: ignore[arg-type]
        generation=0,
        head_number=last,  # type: ignore[arg-type]
        looked_at=0,
        halt=None,
    )


def _hash(kind: str, number: int) -> bytes:
    return hashlib.blake2b(b"%s %d" % (kind.encode(), number), digest_size=32).digest()


def _time(block: int) -> int:
    return 1_700_000_000 + 5 * block


# --- questions ------------------------------------------------------------------------------------


def ask(
    connection: Connection, entries: int, organisations: int, asked: int
) -> Iterator[tuple[str, list[float]]]:
    """Ask each question of random organisations or entries; how long each time took."""
    state = read_state(connection)
    now = latest_moment(state)
    half = moment_at_block(connection, state, state.cursor.number // 2)
    chance = random.Random(4)

    def org() -> OrgId:
        return OrgId(chance.randint(1, organisations))

    def entry() -> EntryId:
        return EntryId(chance.randint(1, entries))

    of_alliance = EntryFilter(programme_id=ONE)
    row = text("SELECT balance FROM balances WHERE programme_id = 1 AND org_id = :org")
    questions: dict[str, Callable[[], object]] = {
        "the balance as a number": lambda: connection.execute(row, {"org": org()}).one(),
        "balances with categories": lambda: read_balances(connection, now, org()),
        "the same as of half way": lambda: read_balances(connection, half, org()),
        "last 20 entries of an organisation": lambda: list_entries(
            connection, now, EntryFilter(org_id=org()), limit=20
        ),
        "last 20 entries of the programme": lambda: list_entries(
            connection, now, of_alliance, limit=20
        ),
        "20 entries of the programme, any page": lambda: list_entries(
            connection, now, of_alliance, before=entry(), limit=20
        ),
        "one entry": lambda: read_entry(connection, now, entry()),
    }
    for name, question in questions.items():
        yield name, [_timed(question) for _ in range(asked)]


def _timed(question: Callable[[], object]) -> float:
    began = time.perf_counter()
    question()
    return time.perf_counter() - began


def sizes(engine: Engine) -> list[tuple[str, int]]:
    """Bytes of the large tables and of their indexes; of SQLite, those of the file."""
    if engine.dialect.name != POSTGRESQL:
        return [("the file", sqlite_file(engine).stat().st_size)]
    found: list[tuple[str, int]] = []
    with engine.connect() as connection:
        for table in (tables.entries, tables.logs, tables.transactions, tables.blocks):
            heap = text("SELECT pg_table_size(CAST(:name AS regclass))")
            found.append((table.name, connection.execute(heap, {"name": table.name}).scalar_one()))
            indexes = text(
                "SELECT indexrelid::regclass::text, pg_relation_size(indexrelid) FROM pg_index "
                "WHERE indrelid = CAST(:name AS regclass) ORDER BY 1"
            )
            found += [
                (f"  {name}", size)
                for name, size in connection.execute(indexes, {"name": table.name})
            ]
    return found


def _say_times(name: str, seconds: Sequence[float]) -> None:
    parts = statistics.quantiles(seconds, n=100)
    say(f"{name:<44}{1000 * statistics.median(seconds):>10.2f} ms{1000 * parts[98]:>10.2f} ms")


def say(line: str) -> None:
    """Write a line of the result."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
