"""How fast the mirror is: its time beside the floor's, and its memory, on the workload's chain.

    python -m tests.benchmarks.mirror [--scale 1] [--folder FOLDER] [--only NAME …] [--repeat 3]

The floor is what reading alone costs: all logs by sequential `eth_getLogs`, 100 blocks a request,
as bytes that nobody looks at. It is taken before and after each measurement, so that another load
on the machine slows both; what counts is the ratio. A mirror is the whole command, `moonlake mirror
sync` from its start to its end, with Python's own start, into an empty database. `processor` is the
time that the command and its own processes took of all processors, without the node's and
PostgreSQL's. The measurements: MEASUREMENTS at the end of this file. PostgreSQL is a cluster of its
own, and left out where none is installed.
"""

from __future__ import annotations

import argparse
import random
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import msgspec
import psycopg

from ledger.chain.rpc import Node
from tests.benchmarks.children import Ran, run, running, spare_cores
from tests.benchmarks.long_node import longer
from tests.benchmarks.workload import TRANSACTIONS, Issuer, Workload, built_chain, say
from tests.support.postgres import Cluster, find_postgres, running_cluster

FLOOR_BLOCKS = 100
REORGANISED = 25
LATENCIES = 40
POLL = "0.1"
_PATIENCE = 120.0


@dataclass(slots=True)
class Result:
    """A line of the table. `seconds` are all that were taken; the median is what is said."""

    name: str
    what: str
    seconds: list[float] = field(default_factory=list)
    floors: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    peak: float = 0.0
    must: str = ""
    aim: str = ""

    @property
    def ratio(self) -> float:
        """The median of the seconds over the floor taken beside each."""
        pairs = zip(self.seconds, self.floors, strict=True)
        return statistics.median([seconds / floor for seconds, floor in pairs])


class Bench:
    """The running chain, a folder for databases, and the options."""

    def __init__(
        self, work: Workload, folder: Path, cluster: Cluster | None, options: argparse.Namespace
    ) -> None:
        self.work = work
        self.node = Node(work.url)
        self.repeat: int = options.repeat
        self.latencies: int = options.latencies
        self.cluster = cluster
        self.more: list[str] = options.option
        self.results: list[Result] = []
        self._folder = folder
        self._numbers = iter(range(10**6))
        self._blocks = work.size.blocks
        self._kept: dict[str, str] = {}

    # --- the floor ---

    def read_logs(self) -> float:
        """The floor: seconds to read all logs as bytes."""
        head = self.node.block_number()
        begin = time.perf_counter()
        for first in range(0, head + 1, FLOOR_BLOCKS):
            last = min(head, first + FLOOR_BLOCKS - 1)
            query = {"fromBlock": hex(first), "toBlock": hex(last)}
            self.node.ask("eth_getLogs", (query,), msgspec.Raw)
        return time.perf_counter() - begin

    def read_all(self, method: str, *more: object) -> float:
        """Seconds to read something of every block, 25 blocks a request, as bytes."""
        head = self.node.block_number()
        begin = time.perf_counter()
        for first in range(0, head + 1, 25):
            numbers = range(first, min(head, first + 24) + 1)
            self.node.ask_many(method, [(hex(each), *more) for each in numbers], msgspec.Raw)
        return time.perf_counter() - begin

    # --- databases ---

    def new_database(self, kind: str) -> str:
        """The URL of an empty database."""
        if kind == "postgresql":
            if self.cluster is None:
                raise Skipped
            return self.cluster.new_database()
        return f"sqlite:///{self._folder / f'bench-{next(self._numbers)}.sqlite3'}"

    def kept_database(self, kind: str) -> str:
        """A database that mirrors the chain already; made when it is first asked for."""
        if kind not in self._kept:
            self._kept[kind] = self.new_database(kind)
        run(self.arguments("sync", self._kept[kind]))
        return self._kept[kind]

    def arguments(self, command: str, url: str, *more: str) -> list[str]:
        """The arguments of a command of the mirror."""
        return [
            *("mirror", command, "--json", "--database-url", url, "--rpc-url", self.work.url),
            *("--deployment", str(self.work.path), "--home", str(self._folder / "home")),
            *(self.more if command != "rebuild" else ()),
            *more,
        ]

    # --- measuring ---

    def next_blocks(self, count: int) -> range:
        """The numbers of blocks of awards that were not written yet."""
        self._blocks += count
        return range(self._blocks - count, self._blocks)

    def take(self, result: Result, measure: Callable[[], Ran | float]) -> None:
        """Measure as often as asked for, between two floors each time."""
        below = self.read_logs()
        for _ in range(self.repeat):
            found = measure()
            if isinstance(found, Ran):
                result.peak = max(result.peak, found.peak)
                result.processor.append(found.processor)
                found = found.seconds
            above = self.read_logs()
            result.seconds.append(found)
            result.floors.append((below + above) / 2)
            below = above
            say(f"{result.name}: {found:.3f} s, floor {result.floors[-1]:.3f} s")
        self.results.append(result)


class Skipped(Exception):
    """There is nothing to measure this on."""


# --- the measurements -----------------------------------------------------------------------------


def floor(bench: Bench) -> None:
    """What reading costs, without looking at anything."""
    bench.take(Result("floor", "all logs, eth_getLogs, bytes"), bench.read_logs)
    for what, method, more in (
        ("all receipts, bytes", "eth_getBlockReceipts", ()),
        ("all blocks with transactions, bytes", "eth_getBlockByNumber", (True,)),
        ("all headers, bytes", "eth_getBlockByNumber", (False,)),
    ):
        bench.take(Result("floor", what), partial(bench.read_all, method, *more))


def start(bench: Bench) -> None:
    """What a command takes that finds nothing to do."""
    url = bench.kept_database("sqlite")
    what = "SQLite: the command, with nothing to do"
    bench.take(Result("start", what), lambda: run(bench.arguments("sync", url)))


def sqlite(bench: Bench) -> None:
    """The whole mirror into SQLite, verified."""
    _sync(bench, Result("sqlite", "SQLite, verified by receipts", must="8x", aim="5x"), "sqlite")


def postgresql(bench: Bench) -> None:
    """The whole mirror into PostgreSQL, verified."""
    result = Result("postgresql", "PostgreSQL, verified by receipts", must="7x", aim="4x")
    _sync(bench, result, "postgresql")


def _sync(bench: Bench, result: Result, kind: str, *more: str) -> None:
    bench.take(result, lambda: run(bench.arguments("sync", bench.new_database(kind), *more)))


def heads(bench: Bench) -> None:
    """The whole mirror into SQLite at the level for nodes that serve no receipts."""
    what = "SQLite, by getLogs and the contracts' heads alone"
    _sync(bench, Result("heads", what, must="6x", aim="4x"), "sqlite", "--verify", "heads")


def rebuild(bench: Bench) -> None:
    """A rebuild from the facts that the mirror stores, without a node."""
    url = bench.kept_database("sqlite")
    result = Result("rebuild", "SQLite, rebuilt from its own facts", must="3x", aim="2x")
    bench.take(result, lambda: run(bench.arguments("rebuild", url)))


def rebuild_postgresql(bench: Bench) -> None:
    """The same on PostgreSQL."""
    url = bench.kept_database("postgresql")
    result = Result("rebuild", "PostgreSQL, rebuilt from its own facts", must="3x", aim="2x")
    bench.take(result, lambda: run(bench.arguments("rebuild", url)))


def rebuild_from_chain(bench: Bench) -> None:
    """A rebuild that believes nothing it has."""
    url = bench.kept_database("sqlite")
    result = Result("rebuild", "SQLite, rebuilt from the chain")
    bench.take(result, lambda: run(bench.arguments("rebuild", url, "--from-chain")))


def latency(bench: Bench) -> None:
    """From a block to its rows, polling."""
    result = Result("latency", "block to row, SQLite, polling at 100 ms", must="0.070", aim="0.050")
    _take_latencies(bench, result, "sqlite")


def latency_postgresql(bench: Bench) -> None:
    """The same on PostgreSQL."""
    what = "block to row, PostgreSQL, polling at 100 ms"
    _take_latencies(bench, Result("latency", what, must="0.070", aim="0.050"), "postgresql")


def push(bench: Bench) -> None:
    """From a block to its rows, pushed over a WebSocket."""
    pushed = ("--subscribe-url", bench.work.anvil.url.replace("http", "ws"))
    result = Result("push", "block to row, SQLite, pushed", must="0.025", aim="0.015")
    _take_latencies(bench, result, "sqlite", *pushed)


def _take_latencies(bench: Bench, result: Result, kind: str, *more: str) -> None:
    with _following(bench, kind, "--poll-interval", POLL, *more) as (issuer, cursor):
        for _ in range(bench.latencies):
            time.sleep(random.uniform(0.1, 0.2))  # at any moment of the polling
            issuer.mine(bench.next_blocks(1))
            result.seconds.append(_wait_for(bench, cursor))
    _add_absolute(bench, result)


def _add_absolute(bench: Bench, result: Result) -> None:
    """Add times that are not compared with the floor."""
    result.floors = [1.0] * len(result.seconds)
    say(f"{result.name}: " + ", ".join(f"{seconds:.3f}" for seconds in result.seconds))
    bench.results.append(result)


def reorganisation(bench: Bench) -> None:
    """A reorganisation of 25 blocks, each of 80 entries, until the mirror has the new ones."""
    result = Result("reorganisation", "25 blocks reorganised, SQLite", must="0.5", aim="0.2")
    with _following(bench, "sqlite", "--poll-interval", POLL) as (issuer, cursor):
        for _ in range(bench.repeat):
            nonce = issuer.nonce
            issuer.mine(bench.next_blocks(REORGANISED))
            _wait_for(bench, cursor)
            pairs = [
                [raw, place]
                for place, block in enumerate(bench.next_blocks(REORGANISED))
                for raw in issuer.sign_block(block, nonce + TRANSACTIONS * place)
            ]
            issuer.rpc.call("anvil_reorg", REORGANISED, pairs)
            result.seconds.append(_wait_for(bench, cursor))
    _add_absolute(bench, result)


def kill(bench: Bench) -> None:
    """From a new start after kill -9 until a block that came meanwhile is there."""
    url = bench.kept_database("sqlite")
    arguments = bench.arguments("follow", url, "--poll-interval", POLL)
    result = Result("kill", "ready again after kill -9, SQLite", must="2", aim="1")
    with _issuer(bench) as issuer, _cursor(url) as cursor:
        for _ in range(bench.repeat):
            with running(arguments) as process:
                issuer.mine(bench.next_blocks(1))
                _wait_for(bench, cursor)
                process.kill()
                process.wait()
            issuer.mine(bench.next_blocks(1))
            begin = time.perf_counter()
            with running(arguments):
                _wait_for(bench, cursor)
                result.seconds.append(time.perf_counter() - begin)
    _add_absolute(bench, result)


# --- a chain that goes on -------------------------------------------------------------------------

Cursor = Callable[[], bytes]


@contextmanager
def _following(bench: Bench, kind: str, *more: str) -> Iterator[tuple[Issuer, Cursor]]:
    """A mirror that follows, who writes into its ledger, and what tells its cursor's hash."""
    url = bench.kept_database(kind)
    with (
        running(bench.arguments("follow", url, *more)),
        _issuer(bench) as issuer,
        _cursor(url) as cursor,
    ):
        issuer.mine(bench.next_blocks(1))
        _wait_for(bench, cursor)
        yield issuer, cursor


@contextmanager
def _issuer(bench: Bench) -> Iterator[Issuer]:
    issuer = Issuer(bench.work.anvil, bench.work.deployment, bench.work.size)
    try:
        yield issuer
    finally:
        issuer.close()


@contextmanager
def _cursor(url: str) -> Iterator[Cursor]:
    """Tells the hash of the last mirrored block, as a reader of the database sees it."""
    statement = "SELECT cursor_hash FROM mirror_state"
    with ExitStack() as opened:
        if url.startswith("sqlite"):
            path = url.removeprefix("sqlite:///")
            lite = sqlite3.connect(path, isolation_level=None, timeout=10)
            opened.callback(lite.close)
            yield lambda: bytes(lite.execute(statement).fetchone()[0])
        else:
            there = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
            opened.callback(there.close)
            yield lambda: bytes((there.execute(statement).fetchone() or (b"",))[0])


def _wait_for(bench: Bench, cursor: Cursor) -> float:
    """Seconds until the mirror has the chain's last block."""
    begin = time.perf_counter()
    wanted = bytes.fromhex(bench.node.header("latest").hash[2:])
    while cursor() != wanted:
        if time.perf_counter() - begin > _PATIENCE:
            raise TimeoutError(f"the mirror did not reach 0x{wanted.hex()}")
        time.sleep(0.0005)
    return time.perf_counter() - begin


# --- the table ------------------------------------------------------------------------------------

MEASUREMENTS: dict[str, Callable[[Bench], None]] = {
    measure.__name__: measure
    for measure in (
        floor,
        start,
        sqlite,
        postgresql,
        heads,
        rebuild,
        rebuild_postgresql,
        rebuild_from_chain,
        latency,
        latency_postgresql,
        push,
        reorganisation,
        kill,
    )
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 200,000 entries")
    parser.add_argument(
        "--longer", type=int, default=1, help="so many times as many blocks, most of them written"
    )
    parser.add_argument("--folder", type=Path, help="keeps the built chain for another run")
    parser.add_argument("--repeat", type=int, default=3, help="the median of so many runs")
    parser.add_argument("--latencies", type=int, default=LATENCIES, help="blocks that are timed")
    parser.add_argument("--only", nargs="+", choices=sorted(MEASUREMENTS), help="not all of it")
    parser.add_argument("--option", action="append", default=[], help="for the mirror's commands")
    options = parser.parse_args(arguments)
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        chains = options.folder or folder
        work = opened.enter_context(built_chain(chains, options.scale))
        if options.longer > 1:
            work = opened.enter_context(longer(work, options.longer, chains))
        chosen = options.only or list(MEASUREMENTS)
        is_wanted = any(name.endswith("postgresql") for name in chosen)
        cluster = _cluster(opened) if is_wanted else None
        bench = Bench(work, folder, cluster, options)
        opened.callback(bench.node.close)
        for name in chosen:
            try:
                MEASUREMENTS[name](bench)
            except Skipped:
                say(f"{name}: left out")
        sys.stdout.write(table(bench) + "\n")


def _cluster(opened: ExitStack) -> Cluster | None:
    programs = find_postgres()
    return None if programs is None else opened.enter_context(running_cluster(programs))


def table(bench: Bench) -> str:
    """The results as a table in Markdown."""
    size = bench.work.size
    title = f"{size.entries:,} entries in {size.blocks:,} blocks, {size.organisations:,} "
    lines = [
        title + f"organisations, {spare_cores()} cores; median of {bench.repeat}",
        "",
        "| what | seconds | floor | ratio | processor | memory | must | aim |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for each in bench.results:
        seconds, below = statistics.median(each.seconds), statistics.median(each.floors)
        is_ratio = each.floors != [1.0] * len(each.floors)
        lines.append(
            f"| {each.what} | {seconds:.3f} | {f'{below:.3f}' if is_ratio else ''} | "
            f"{f'{each.ratio:.2f}x' if is_ratio else ''} | "
            f"{f'{statistics.median(each.processor):.1f} s' if each.processor else ''} | "
            f"{f'{each.peak:.0f} MB' if each.peak else ''} | {each.must} | {each.aim} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    main()
