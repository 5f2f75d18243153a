"""Where a mirror's processor time goes: each stage of `sync` and of `rebuild`, in seconds.

    python -m tests.benchmarks.stages [--scale 1] [--folder FOLDER] [--postgresql]

Each process is looked at alone, on the workload's chain: the one that asks and proves; the one that
decodes and writes; for a rebuild, the one that reads stored facts and the one that writes. A stage
is what its functions took without the stages inside them, by the clock of the thread's own
processor time, so that waiting counts for nothing. Python's start is not in it, nor is what a
server of PostgreSQL takes.
"""

from __future__ import annotations

import argparse
import functools
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import Engine, Table
from sqlalchemy.engine.default import DefaultDialect

from ledger.chain import jsonrpc, transport
from ledger.chain.headers import check_header
from ledger.chain.logs import JournalCursor
from ledger.chain.rpc import Node
from ledger.mirror import (
    accounts,
    ahead,
    apply,
    bodies,
    book,
    facts,
    facts_process,
    follow,
    handover,
    history,
    prove,
    upgrade,
)
from ledger.mirror.contracts import Followed
from ledger.mirror.facts import FactsReader
from ledger.mirror.look import Mirror
from ledger.mirror.marks import BlockMark
from ledger.mirror.rebuild import rebuild
from ledger.store.engine import open_engine, reading
from ledger.store.schema import upgrade_schema
from tests.benchmarks.workload import Workload, built_chain, say
from tests.support.postgres import find_postgres, running_cluster

REST = "the rest"


class Stages:
    """Adds up what stages take. Threads may run at once; each has a clock of its own."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner = threading.local()

    def timed(self, name: str | Callable[..., str], work: Callable[..., Any]) -> Any:
        """`work`, counted as a stage; a stage's name may follow from its arguments."""

        @functools.wraps(work)
        def counted(*arguments: Any, **named: Any) -> Any:
            stage = name if isinstance(name, str) else name(*arguments)
            around = getattr(self._inner, "seconds", 0.0)
            self._inner.seconds = 0.0
            begin = time.thread_time()
            try:
                return work(*arguments, **named)
            finally:
                took = time.thread_time() - begin
                self.seconds[stage] += took - self._inner.seconds
                self._inner.seconds = around + took

        return counted


@contextmanager
def counted(
    stages: Stages, *places: tuple[object, str, str | Callable[..., str]]
) -> Iterator[None]:
    """Count functions, each by its owner and name, as stages."""
    with pytest.MonkeyPatch.context() as patch:
        for owner, attribute, name in places:
            patch.setattr(owner, attribute, stages.timed(name, getattr(owner, attribute)))
        yield


def _inserted(_connection: object, table: Table, _rows: object) -> str:
    known = {"logs": "insert raw logs", "entries": "insert entries"}
    return known.get(table.name, "insert other rows")


_WRITING: tuple[tuple[object, str, str | Callable[..., str]], ...] = (
    (apply, "read_logs", "decode entries"),
    (apply.Applier, "_handle", "handlers: what each event means"),
    (accounts, "insert_rows", _inserted),
    (book, "insert_rows", _inserted),
    (history, "insert_rows", _inserted),
    (accounts, "upsert_rows", "put balances"),
    (DefaultDialect, "do_commit", "commit"),
)


def proving(work: Workload, stages: Stages) -> None:
    """What the process does that asks the node and proves."""
    followed = Followed(work.deployment)
    with (
        Node(work.url) as node,
        ThreadPoolExecutor(2) as executor,
        counted(
            stages,
            (transport.Transport, "_attempt", "HTTP: send, receive"),
            (jsonrpc.JsonRpc, "_read", "JSON"),
            (bodies, "check_transactions", "transactions: RLP, Keccak, root"),
            (bodies, "check_receipts", "receipts: RLP, Keccak, root"),
            (prove, "check_headers", "headers: RLP, Keccak"),
            (prove.Prover, "_follow_journals", "journals: two Keccak a log"),
            (handover, "encode", "hand over"),
        ),
    ):
        head = prove.look_at_head(node)
        parent = BlockMark.of(check_header(node.header(followed.first_block - 1)))
        journals = {address: JournalCursor.at_start() for address in followed.addresses}
        prover = prove.Prover(followed, executor=executor)
        for proved in prover.prove_ranges(node, parent, journals, head):
            for _ in handover.frames_of(1, proved):
                pass


def writing(work: Workload, stages: Stages, engine: Engine) -> None:
    """What the process does that takes proved ranges and writes them."""
    with (
        Node(work.url) as node,
        counted(
            stages,
            *_WRITING,
            (ahead, "read_answer", "take over"),
            (ahead.OtherProcess, "read", "take over"),
            (apply.Applier, "_write_raw", "rows of raw logs"),
        ),
    ):
        follow.sync(_mirror(work, engine, node))


def reading_facts(work: Workload, stages: Stages, engine: Engine) -> None:
    """What the process of a rebuild does that reads stored facts."""
    reader = FactsReader(Followed(work.deployment))
    with (
        counted(
            stages,
            (facts, "_fetch", "SELECT"),
            (FactsReader, "_follow_journals", "journals: two Keccak a log"),
            (facts, "read_logs", "decode entries"),
            (handover, "encode", "hand over"),
        ),
        reading(engine) as connection,
    ):
        for part in reader.read(connection, 2**62):
            message = facts_process.Part(part.runs, part.times, part.count, part.end, [])  # type: ignore[arg-type]
            handover.frame(message)


def rebuilding(work: Workload, stages: Stages, engine: Engine) -> None:
    """What the process of a rebuild does that writes."""
    answer = SimpleNamespace(decode=stages.timed("take over", facts_process._answer.decode))
    with (
        Node(work.url) as node,
        pytest.MonkeyPatch.context() as patch,
        counted(
            stages,
            *_WRITING,
            (FactsReader, "_next_logs", "read the first parts"),
            (FactsReader, "_check", "read the first parts"),
            (ahead.OtherProcess, "read", "take over"),
            (upgrade, "complete_indexes", "make indexes"),
            (upgrade, "replace_tables", "put the tables in"),
        ),
    ):
        patch.setattr(facts_process, "_answer", answer)
        rebuild(_mirror(work, engine, node))


def _mirror(work: Workload, engine: Engine, node: Node) -> Mirror:
    return Mirror(
        engine, [node], Followed(work.deployment), finality_blocks=64, stop=threading.Event()
    )


def table(title: str, stages: Stages) -> str:
    """The stages in Markdown, the longest first."""
    total = sum(stages.seconds.values())
    lines = [f"| {title} | seconds | share |", "| --- | --- | --- |"]
    for name, seconds in sorted(stages.seconds.items(), key=lambda pair: -pair[1]):
        lines.append(f"| {name} | {seconds:.2f} | {seconds / total:.0%} |")
    lines.append(f"| all | {total:.2f} | |")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure, and print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 200,000 entries")
    parser.add_argument("--folder", type=Path, help="keeps the built chain for another run")
    parser.add_argument("--postgresql", action="store_true", help="instead of SQLite")
    options = parser.parse_args(arguments)
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        work = opened.enter_context(built_chain(options.folder or folder, options.scale))
        url = f"sqlite:///{folder / 'stages.sqlite3'}"
        if options.postgresql:
            programs = find_postgres()
            assert programs is not None, "no PostgreSQL is installed"
            url = opened.enter_context(running_cluster(programs)).new_database()
        engine = open_engine(url, durable=False)
        opened.callback(engine.dispose)
        upgrade_schema(engine)
        for title, measure in (
            ("`sync`: the process that proves", lambda it: proving(work, it)),
            ("`sync`: the process that writes", lambda it: writing(work, it, engine)),
            ("`rebuild`: the process that reads", lambda it: reading_facts(work, it, engine)),
            ("`rebuild`: the process that writes", lambda it: rebuilding(work, it, engine)),
        ):
            say(title)
            stages = Stages()
            stages.timed(REST, measure)(stages)
            sys.stdout.write(table(title, stages) + "\n\n")


if __name__ == "__main__":
    main()
