"""How fast the server answers, on the workload's mirrored chain: wrk, 8 connections, two processes.

    python -m tests.benchmarks.http [--scale 1] [--folder FOLDER] [--kind sqlite …] [--seconds 5]

What is asked: an organisation's balances, its last 20 entries, either of a random organisation each
time; the same with `If-None-Match` on a head that does not change; and balances while 500 entries a
second are mirrored. The floor beside them is the same server and protocol with an application that
answers a constant body of a balance's size, so that what wrk, the sockets and HTTP itself take is
seen; the machine's two processors are shared by wrk and the server. wrk must be installed (Debian
has it).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.benchmarks.children import run, running
from tests.benchmarks.workload import Issuer, Workload, built_chain, say
from tests.support.ports import free_port
from tests.support.postgres import Cluster, find_postgres, running_cluster

CONNECTIONS = 8
ENTRIES_A_BLOCK = 80
ARRIVING = 500
KINDS = ("sqlite", "postgresql")
_STALE = "1000000000"

_RANDOM = """
math.randomseed(%d)
request = function()
  return wrk.format("GET", string.format("%s", math.random(1, %d)))
end
"""
_TAGGED = """
wrk.headers["If-None-Match"] = '%s'
"""
_FLOOR = """
import sys, uvicorn
BODY = b"x" * 700
async def app(scope, receive, send):
    if scope["type"] == "lifespan":
        return
    headers = [(b"content-length", b"700"), (b"content-type", b"application/json")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": BODY})
import socket, os
# asyncio turns Nagle's delay off, 40 ms an answer, where it sees that the socket is TCP.
listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("127.0.0.1", int(sys.argv[1]))); listener.listen(2048)
os.fork()
from api.wire import Protocol
config = uvicorn.Config(app, http=Protocol, access_log=False, log_level="warning", lifespan="off")
uvicorn.Server(config).run(sockets=[listener])
"""


@dataclass(frozen=True, slots=True)
class Answered:
    """What wrk says: requests a second, and the time that 99 of 100 took at most, in ms."""

    rate: float
    p99: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table."""

    what: str
    found: Answered


def load(url: str, seconds: int, script: str = "") -> Answered:
    """Run wrk. Raises RuntimeError where it saw an answer that is no success."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as file:
        file.write(script)
        file.flush()
        command = ["wrk", "-t2", f"-c{CONNECTIONS}", f"-d{seconds}s", "--latency"]
        said = subprocess.run(
            [*command, "-s", file.name, url], check=True, capture_output=True, text=True
        ).stdout
    if "Non-2xx" in said or "Socket errors" in said:
        raise RuntimeError(said)
    rate = re.search(r"Requests/sec:\s+([0-9.]+)", said)
    p99 = re.search(r"99%\s+([0-9.]+)(us|ms|s)", said)
    assert rate is not None
    assert p99 is not None
    unit = {"us": 0.001, "ms": 1.0, "s": 1000.0}[p99[2]]
    return Answered(float(rate[1]), float(p99[1]) * unit)


@contextlib.contextmanager
def serving(arguments: Sequence[str], processes: int) -> Iterator[str]:
    """`moonlake serve` over a database; its URL once it answers."""
    port = free_port()
    more = ("--port", str(port), "--serve-processes", str(processes), "--rate-limit", "0")
    with running(["serve", *arguments, *more, "--stale-after", _STALE]):
        url = f"http://127.0.0.1:{port}"
        wait_for_answer(url + "/readyz")
        yield url


@contextlib.contextmanager
def serving_floor() -> Iterator[str]:
    """The constant answer, by two processes."""
    port = free_port()
    with subprocess.Popen(
        [sys.executable, "-c", _FLOOR, str(port)], start_new_session=True
    ) as process:
        try:
            wait_for_answer(f"http://127.0.0.1:{port}/")
            yield f"http://127.0.0.1:{port}"
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def wait_for_answer(url: str) -> None:
    """Wait until a server answers there. Raises TimeoutError."""
    deadline = time.monotonic() + 60
    while True:
        with contextlib.suppress(httpx.TransportError):
            if httpx.get(url, trust_env=False).status_code == 200:
                return
        if time.monotonic() > deadline:
            raise TimeoutError(url)
        time.sleep(0.05)


class Bench:
    """The running chain, its mirrors, and the options."""

    def __init__(self, work: Workload, folder: Path, options: argparse.Namespace) -> None:
        self.work = work
        self.seconds: int = options.seconds
        self.repeat: int = options.repeat
        self.processes: int = options.processes
        self.lines: list[Line] = []
        self._folder = folder
        self._next_block = work.size.blocks

    def arguments(self, url: str) -> list[str]:
        """What a command needs to find chain and database."""
        return [
            *("--database-url", url, "--rpc-url", self.work.url),
            *("--deployment", str(self.work.path), "--home", str(self._folder / "home")),
        ]

    def take(self, what: str, url: str, script: str = "") -> Answered:
        """Measure one question; the median of some runs."""
        load(url, 1, script)
        found = [load(url, self.seconds, script) for _ in range(self.repeat)]
        median = Answered(
            statistics.median(each.rate for each in found),
            statistics.median(each.p99 for each in found),
        )
        say(f"{what}: {median.rate:,.0f} a second, p99 {median.p99:.1f} ms")
        self.lines.append(Line(what, median))
        return median

    def measure(self, kind: str, url: str) -> None:
        """All questions over one database."""
        run(["mirror", "sync", *self.arguments(url)])
        organisations = self.work.size.organisations
        with serving(self.arguments(url), self.processes) as server:
            balance = _RANDOM % (1, "/v1/organisations/%d/balances", organisations)
            statement = _RANDOM % (2, "/v1/organisations/%d/entries?limit=20", organisations)
            self.take(f"{kind}: balance", server, balance)
            self.take(f"{kind}: last 20 entries", server, statement)
            path = f"{server}/v1/organisations/4/balances"
            self.take(f"{kind}: balance of one organisation", path)
            tag = httpx.get(path, trust_env=False).headers["etag"]
            self.take(f"{kind}: If-None-Match", path, _TAGGED % tag)
            with self._arriving(url):
                self.take(
                    f"{kind}: balance while {ARRIVING} entries a second arrive", server, balance
                )

    @contextlib.contextmanager
    def _arriving(self, url: str) -> Iterator[None]:
        """Entries that arrive and are mirrored meanwhile."""
        over = threading.Event()
        failed: list[Exception] = []

        def write() -> None:
            issuer = Issuer(self.work.anvil, self.work.deployment, self.work.size)
            due = time.monotonic()
            try:
                while not over.is_set():
                    # No two alike on one chain, whichever database they are mirrored into.
                    block, self._next_block = self._next_block, self._next_block + 1
                    issuer.mine(range(block, block + 1))
                    due += ENTRIES_A_BLOCK / ARRIVING
                    over.wait(max(0.0, due - time.monotonic()))
            except Exception as error:  # noqa: BLE001  a thread's end; told by who waits for it
                failed.append(error)
            issuer.close()

        with running(["mirror", "follow", *self.arguments(url), "--poll-interval", "0.1"]):
            writer = threading.Thread(target=write)
            writer.start()
            try:
                yield
            finally:
                over.set()
                writer.join()
            if failed:
                raise failed[0]


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure what is asked for, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=1.0, help="1 is 200,000 entries")
    parser.add_argument("--folder", type=Path, help="keeps the built chain for another run")
    parser.add_argument("--seconds", type=int, default=5, help="how long each question is asked")
    parser.add_argument("--repeat", type=int, default=3, help="the median of so many runs")
    parser.add_argument("--processes", type=int, default=2, help="of the server")
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=KINDS)
    options = parser.parse_args(arguments)
    if shutil.which("wrk") is None:
        sys.exit("wrk is not installed: `apt-get install wrk`")
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        work = opened.enter_context(built_chain(options.folder or folder, options.scale))
        bench = Bench(work, folder, options)
        with serving_floor() as url:
            bench.take("floor: a constant answer", url)
        for kind in options.kind:
            if kind == "sqlite":
                bench.measure("SQLite", f"sqlite:///{folder / 'bench.sqlite3'}")
            else:
                programs = find_postgres()
                if programs is None:
                    say("postgresql: left out")
                    continue
                cluster: Cluster = opened.enter_context(running_cluster(programs))
                bench.measure("PostgreSQL", cluster.new_database())
        sys.stdout.write(table(bench) + "\n")


def table(bench: Bench) -> str:
    """The results as a table in Markdown."""
    size = bench.work.size
    floor = bench.lines[0].found.rate
    title = f"{size.entries:,} entries, {size.organisations:,} organisations; wrk, {CONNECTIONS} "
    lines = [
        title + f"connections, {bench.processes} server processes; median of {bench.repeat}",
        "",
        "| what | requests a second | of the floor | p99 |",
        "| --- | --- | --- | --- |",
    ]
    lines += [
        f"| {each.what} | {each.found.rate:,.0f} | {each.found.rate / floor:.0%} | "
        f"{each.found.p99:.1f} ms |"
        for each in bench.lines
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    main()
