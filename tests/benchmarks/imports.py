"""How fast a spreadsheet of awards is brought, beside the same calls as raw transactions.

    python -m tests.benchmarks.imports [--awards 10000] [--organisations 1000] [--sqlite-only]
    python -m tests.benchmarks.imports --rows 1000000     # reading alone: time and peak memory

The work: a CSV of awards to members, judged row by row, packed, tried, written down, sent, in
blocks, mirrored by a follower in a process of its own, and every row's result in a file; then the
same file again. The floor: the same calls, signed beforehand, handed to the node one after the
other, until the last is in a block. Every figure is of one run on one machine; what counts is the
ratio. At last it is checked that each row was credited once.
"""

from __future__ import annotations

import argparse
import csv
import multiprocessing
import resource
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from sqlalchemy import func, select

from ledger.chain.contracts import credits as journal
from ledger.chain.contracts import memberships, organisations, programmes
from ledger.chain.rpc import Node
from ledger.chain.signers import sign
from ledger.domain.commands import Admission, Award, Registration
from ledger.domain.ids import OrgId, ProgrammeId
from ledger.services.imports.bringing import Bringing, write_down
from ledger.services.imports.columns import Subject, layout_of
from ledger.services.imports.journal import name_of
from ledger.services.imports.kinds import Given
from ledger.services.imports.planning import MAX_FILE_BYTES, MAX_ROWS, File, Plan
from ledger.services.imports.results import write_results
from ledger.services.imports.spool import Action, Spool
from ledger.services.spreadsheets.opening import opened_copy
from ledger.services.spreadsheets.tables import HowToRead, stream_rows
from ledger.services.spreadsheets.writing import write_table
from ledger.store.engine import open_engine, reading
from ledger.store.mirror_tables import entries
from tests.support.anvil import Anvil, running_anvil
from tests.support.desks import Sender, opened_engine
from tests.support.ledger import CATEGORY, FIRST_TIER, PROFILE, Ledger, running_ledger
from tests.support.postgres import find_postgres, running_cluster

WIDE = ProgrammeId(2)
MOST = 450
_FIRST_ORG = 3
_POLL = 0.05


def prepare(ledger: Ledger, count: int) -> None:
    """A programme with so many members."""
    now = int(ledger.node.header("latest").timestamp, 16)
    op, to = ledger.operation, ledger.contracts.programmes.address
    ledger.do(to, programmes.encode_create_programme("wide", PROFILE, 10**12, 2, op()))
    ledger.do(to, programmes.encode_add_tiers(WIDE, ["regular"], op()))
    ledger.do(to, programmes.encode_open_categories(WIDE, [CATEGORY], op()))
    ledger.do(to, programmes.encode_append_boundaries(WIDE, [now - 60, now + 10**7], op()))
    for start in range(0, count, 100):
        numbers = range(start, min(start + 100, count))
        registered = [
            Registration((number + 1000).to_bytes(20, "big"), "company", PROFILE)
            for number in numbers
        ]
        ledger.do(
            ledger.contracts.organisations.address,
            organisations.encode_register(registered, op()),
        )
        admitted = [
            Admission(OrgId(_FIRST_ORG + number), FIRST_TIER, now + 10**6, PROFILE)
            for number in numbers
        ]
        ledger.do(
            ledger.contracts.memberships.address,
            memberships.encode_admit(WIDE, admitted, "founding", op()),
        )


def write_awards(path: Path, rows: int, members: int) -> None:
    """A CSV as an administrator would have it."""
    with path.open("w", encoding="utf-8-sig", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("编号", "项目", "机构", "数额", "类别", "证明"))
        for number in range(rows):
            org_id = _FIRST_ORG + number % members
            evidence = "0x" + (number + 1).to_bytes(32, "big").hex()
            writer.writerow((f"A-{number}", "wide", org_id, 1 + number % 50, CATEGORY, evidence))


def send_raw(ledger: Ledger, rows: int, members: int) -> float:
    """Seconds for the same calls, signed beforehand, from the first to the last receipt."""
    to = ledger.contracts.credits.address
    first = ledger.node.nonce(ledger.officer.address, "pending")
    signed = []
    like = None
    for batch, start in enumerate(range(0, rows, MOST)):
        numbers = range(start, min(start + MOST, rows))
        awards = [
            Award(OrgId(_FIRST_ORG + number % members), 1, CATEGORY, PROFILE) for number in numbers
        ]
        data = journal.encode_award(WIDE, awards, ledger.operation())
        if like is None:
            like = ledger.prepare(to, data)
        fields = replace(like, data=data, nonce=first + batch, gas_limit=16_777_216)
        signed.append(sign(fields, ledger.officer))
    started = time.monotonic()
    for each in signed:
        ledger.node.send_raw_transaction(each.raw)
    ledger.anvil.receipt("0x" + signed[-1].hash.hex())
    return time.monotonic() - started


def follow(ledger: Ledger, url: str, folder: Path, until: int) -> None:
    """Mirror until the journal has so many entries, looking as often as a follower does."""
    engine = open_engine(url, durable=False)
    node = Node(ledger.anvil.url)
    try:
        sender = Sender(replace(ledger, node=node), engine, folder)
        while True:
            sender.mirror()
            with reading(engine) as connection:
                if connection.execute(select(func.max(entries.c.entry_id))).scalar() == until:
                    return
            time.sleep(_POLL)
    finally:
        node.close()
        engine.dispose()


@contextmanager
def followed(ledger: Ledger, url: str, folder: Path, until: int) -> Iterator[None]:
    """A follower in a process of its own, until it has all."""
    context = multiprocessing.get_context("fork")
    process = context.Process(target=follow, args=(ledger, url, folder, until))
    process.start()
    try:
        yield
        process.join()
        if process.exitcode != 0:
            raise SystemExit("the follower failed")
    finally:
        process.kill()
        process.join()


class Clock:
    """Seconds by the step that they went to."""

    def __init__(self) -> None:
        self.steps: dict[str, float] = {}
        self.began = self._at = time.monotonic()

    def note(self, step: str) -> None:
        """The time since the last step was for this one."""
        now = time.monotonic()
        self.steps[step] = self.steps.get(step, 0.0) + now - self._at
        self._at = now

    @property
    def total(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self.began


def bring(ledger: Ledger, url: str, folder: Path, path: Path, clock: Clock) -> dict[Action, int]:
    """Bring the file and write the results; how the rows were judged."""
    engine = open_engine(url)
    try:
        desk = Sender(ledger, engine, folder, deadline=600.0).desk
        given = Given(folder=folder, evidence_needed=True)
        how = HowToRead(most_rows=MAX_ROWS)
        with Spool() as spool:
            file = File(Subject.AWARDS, path, ledger.officer.address, given, how)
            plan = Plan(desk, file, spool, lambda *_: None)
            plan.judge()
            clock.note("preview")
            write_down(desk, plan)
            clock.note("write down")
            Bringing(desk, ledger.officer, plan.import_id, lambda *_: None).run()
            clock.note("send")
            with reading(engine) as connection:
                found = name_of(connection, plan.import_id)
            write_results(folder / "results.csv", engine, found)
            clock.note("results")
            return plan.counts()
    finally:
        engine.dispose()


def measure(anvil: Anvil, folder: Path, url: str, arguments: argparse.Namespace) -> None:
    """Print one run."""
    rows, members = arguments.awards, arguments.organisations
    path = folder / "awards.csv"
    write_awards(path, rows, members)
    with running_ledger(anvil, folder) as ledger, opened_engine(url):
        prepare(ledger, members)
        engine = open_engine(url)
        Sender(ledger, engine, folder).mirror()
        engine.dispose()
        # The floor comes after the first run, since an organisation's first entry costs more gas;
        # so the floor is the faster for it.
        before = ledger.contracts.credits.sequence(at="latest")
        clock = Clock()
        with followed(ledger, url, folder, before + rows):
            bring(ledger, url, folder, path, clock)
        clock.note("mirror, after the results")
        total = clock.total
        again = Clock()
        judged = bring(ledger, url, folder, path, again)
        after = ledger.contracts.credits.sequence(at="latest")
        floor = send_raw(ledger, rows, members)
    if after - before != rows or judged[Action.DONE] != rows:
        raise SystemExit(f"{after - before} entries instead of {rows}; again: {judged}")
    print(f"{rows} awards to {members} organisations, {url.partition(':')[0]}")  # noqa: T201
    print(f"  raw transactions         {floor:7.2f} s")  # noqa: T201
    print(f"  import, all              {total:7.2f} s, {total / floor:.1f} times raw")  # noqa: T201
    for step, seconds in clock.steps.items():
        print(f"    {step:<23}{seconds:7.2f} s")  # noqa: T201
    print(f"  the same file again      {again.total:7.2f} s, nothing sent")  # noqa: T201


def read_many(rows: int, folder: Path) -> None:
    """Read a CSV and a workbook of so many rows: seconds, and the peak of this process's memory."""
    for name in ("many.csv", "many.xlsx"):
        path = folder / name
        headings = ("reference", "programme", "organisation", "amount", "category", "evidence")
        made = ((f"A-{number}", "wide", 3, 1, CATEGORY, "") for number in range(rows))
        write_table(path, headings, made)
        context = multiprocessing.get_context("spawn")
        process = context.Process(target=_read, args=(path,))
        process.start()
        process.join()


def _read(path: Path) -> None:
    started = time.monotonic()
    idle = _peak()
    with opened_copy(path, most_bytes=MAX_FILE_BYTES) as opened:
        layout, how = layout_of(Subject.AWARDS), HowToRead(most_rows=MAX_ROWS)
        count = sum(1 for _ in stream_rows(opened, layout, how))
    taken = time.monotonic() - started
    print(f"  {path.suffix[1:]:<5}{count} rows in {taken:.1f} s, peak {_peak()} MB ({idle} before)")  # noqa: T201


def _peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024


def main() -> None:
    """Run it on SQLite, and on PostgreSQL where there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--awards", type=int, default=10_000)
    parser.add_argument("--organisations", type=int, default=1_000)
    parser.add_argument("--rows", type=int, default=0)
    parser.add_argument("--sqlite-only", action="store_true")
    arguments = parser.parse_args()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        if arguments.rows:
            read_many(arguments.rows, folder)
            return
        anvil = opened.enter_context(running_anvil(folder))
        (folder / "a").mkdir()
        measure(anvil, folder / "a", f"sqlite:///{folder / 'imports.sqlite3'}", arguments)
        programs = None if arguments.sqlite_only else find_postgres()
        if programs is not None:
            (folder / "b").mkdir()
            cluster = opened.enter_context(running_cluster(programs))
            measure(anvil, folder / "b", cluster.new_database(), arguments)


if __name__ == "__main__":
    main()
