"""How fast commands are done, each exactly once, beside raw signed transactions to the same node.

    python -m tests.benchmarks.commands [--awards 1000] [--clients 32] [--processes 1] [--url URL]

The floor: as many awards, signed beforehand with the issuer's key, handed to the node by as many
threads, until the last has its receipt. The commands: as many single awards, each by
`services.credits.award` from one of the clients, with one issuer key and one database, until each
has its recorded result. Then it is checked that each was done once. Every figure is of one run on
one machine; what counts is the ratio.

The floor is taken before the commands and after them, on the same chain, and the mean of both
counts: anvil takes longer for a block the more the chain holds.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

from ledger.chain.contracts import authority, memberships, programmes
from ledger.chain.contracts.credits import encode_award
from ledger.chain.rpc import Node
from ledger.chain.signers import SignedTransaction, sign
from ledger.domain.commands import Admission, Award, Budget
from ledger.domain.ids import ProgrammeId
from ledger.services.credits import award
from ledger.store.engine import open_engine
from tests.support.anvil import Anvil, running_anvil
from tests.support.desks import Sender, opened_engine
from tests.support.ledger import CATEGORY, FIRST_TIER, MEMBER, PROFILE, Ledger, running_ledger
from tests.support.postgres import find_postgres, running_cluster

WIDE = ProgrammeId(2)
_BUDGET = Budget(per_award=50, per_epoch=10**9)


def sign_raw(ledger: Ledger, count: int) -> list[SignedTransaction]:
    """Awards by the issuer, signed with one nonce after the other."""
    first = ledger.node.nonce(ledger.issuer.address, "pending")
    to = ledger.contracts.credits.address
    awards = [Award(MEMBER, 1, CATEGORY)]
    like = ledger.prepare(to, encode_award(WIDE, awards, ledger.operation()), by=ledger.issuer)
    signed = []
    for number in range(count):
        data = encode_award(WIDE, awards, ledger.operation())
        fields = replace(like, data=data, nonce=first + number, gas_limit=like.gas_limit * 2)
        signed.append(sign(fields, ledger.issuer))
    return signed


def send_raw(ledger: Ledger, signed: Sequence[SignedTransaction], clients: int) -> float:
    """Seconds from the first transaction to the last receipt."""
    started = time.monotonic()
    with ThreadPoolExecutor(clients) as threads:
        list(threads.map(lambda each: ledger.node.send_raw_transaction(each.raw), signed))
    for each in reversed(signed):
        ledger.anvil.receipt("0x" + each.hash.hex())
    return time.monotonic() - started


def send_raw_in_turn(ledger: Ledger, signed: Sequence[SignedTransaction]) -> float:
    """The same from one thread, each handed over when the one before it was taken."""
    started = time.monotonic()
    for each in signed:
        ledger.node.send_raw_transaction(each.raw)
    ledger.anvil.receipt("0x" + signed[-1].hash.hex())
    return time.monotonic() - started


def run_clients(ledger: Ledger, url: str, folder: Path, ids: Sequence[bytes], clients: int) -> None:
    """Award once for each id, from threads of this process."""
    engine = open_engine(url)
    node = Node(ledger.anvil.url)
    try:
        sender = Sender(ledger, engine, folder, node=node, deadline=600.0)
        with ThreadPoolExecutor(clients) as threads:
            awards = [Award(MEMBER, 1, CATEGORY)]
            done = list(
                threads.map(
                    lambda each: award(sender.order(each, by=ledger.issuer), WIDE, awards), ids
                )
            )
        if not all(each.is_done for each in done):
            raise SystemExit("not every award was done")
    finally:
        node.close()
        engine.dispose()


def run_commands(
    ledger: Ledger, url: str, folder: Path, ids: Sequence[bytes], clients: int, processes: int
) -> float:
    """Seconds until each award has its recorded result."""
    started = time.monotonic()
    if processes == 1:
        run_clients(ledger, url, folder, ids, clients)
    else:
        context = multiprocessing.get_context("fork")
        work = [
            context.Process(
                target=run_clients,
                args=(ledger, url, folder, ids[part::processes], clients // processes),
            )
            for part in range(processes)
        ]
        for each in work:
            each.start()
        for each in work:
            each.join()
            if each.exitcode != 0:
                raise SystemExit("a client failed")
    return time.monotonic() - started


def prepare(ledger: Ledger) -> None:
    """A programme that is large enough, with the member in it and a budget of the issuer."""
    now = int(ledger.node.header("latest").timestamp, 16)
    op, issuer = ledger.operation, ledger.issuer.address
    to = ledger.contracts.programmes.address
    founded = programmes.encode_create_programme("wide", PROFILE, 10**9, 2, op())
    ledger.do(to, founded)
    ledger.do(to, programmes.encode_add_tiers(WIDE, ["regular"], op()))
    ledger.do(to, programmes.encode_open_categories(WIDE, [CATEGORY], op()))
    ledger.do(to, programmes.encode_append_boundaries(WIDE, [now - 60, now + 10**7], op()))
    role = authority.encode_appoint("issuer", WIDE, issuer, op())
    ledger.do(ledger.contracts.authority.address, role)
    ledger.do(to, programmes.encode_set_budget(WIDE, issuer, _BUDGET, op()))
    admitted = [Admission(MEMBER, FIRST_TIER, now + 10**6, PROFILE)]
    member = memberships.encode_admit(WIDE, admitted, "founding", op())
    ledger.do(ledger.contracts.memberships.address, member)


def measure(anvil: Anvil, folder: Path, url: str, arguments: argparse.Namespace) -> None:
    """Print one run."""
    count: int = arguments.awards
    clients: int = arguments.clients
    with running_ledger(anvil, folder) as ledger, opened_engine(url):
        prepare(ledger)
        in_turn = count / send_raw_in_turn(ledger, sign_raw(ledger, count))
        raw = send_raw(ledger, sign_raw(ledger, count), clients)
        before = ledger.contracts.credits.sequence(at="latest")
        ids = [ledger.operation() for _ in range(count)]
        taken = run_commands(ledger, url, folder, ids, clients, arguments.processes)
        after = ledger.contracts.credits.sequence(at="latest")
        raw_after = send_raw(ledger, sign_raw(ledger, count), clients)
    if after - before != count:
        raise SystemExit(f"{after - before} entries instead of {count}")
    rate, floor = count / taken, 2 * count / (raw + raw_after)
    kind = url.partition(":")[0]
    print(f"{count} awards, {clients} clients, {arguments.processes} processes, {kind}")  # noqa: T201
    print(f"  raw, one thread        {in_turn:8.0f} a second")  # noqa: T201
    both = f"{count / raw:.0f} before, {count / raw_after:.0f} after"
    print(f"  raw, {clients} threads       {floor:8.0f} a second ({both})")  # noqa: T201
    print(f"  commands               {rate:8.0f} a second, {rate / floor:.0%} of raw")  # noqa: T201


def main() -> None:
    """Run it on SQLite, and on PostgreSQL where there is one."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--awards", type=int, default=1000)
    parser.add_argument("--clients", type=int, default=32)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--sqlite-only", action="store_true")
    arguments = parser.parse_args()
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        anvil = opened.enter_context(running_anvil(folder))
        (folder / "a").mkdir()
        measure(anvil, folder / "a", f"sqlite:///{folder / 'commands.sqlite3'}", arguments)
        programs = None if arguments.sqlite_only else find_postgres()
        if programs is not None:
            (folder / "b").mkdir()
            cluster = opened.enter_context(running_cluster(programs))
            measure(anvil, folder / "b", cluster.new_database(), arguments)


if __name__ == "__main__":
    main()
