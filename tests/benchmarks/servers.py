"""What a request costs each server that could stand before the application, side by side.

    python -m tests.benchmarks.servers [--scale 0.1] [--folder FOLDER] [--servers shipped h11 …]

Each serves the same application over the same mirrored database with two processes: uvicorn as it
is shipped (with httptools), with h11 instead, with uvloop besides, and granian. What is not
installed is left out:

    uv pip install --target SOME_FOLDER granian uvloop orjson    and PYTHONPATH=SOME_FOLDER

Beside wrk's rate stands the processor's time that the server took for a request, which other
programs of the machine disturb much less. `--libraries` compares, in one process, what makes JSON
of a page of entries, and a route that reads in a thread with one that holds up the loop.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import importlib.util
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx
import msgspec

from tests.benchmarks.children import run
from tests.benchmarks.http import load, wait_for_answer
from tests.benchmarks.workload import built_chain, say
from tests.support.ports import free_port

PROCESSES = 2
SERVERS = ("shipped", "h11", "uvloop", "granian")

_MADE = """
math.randomseed(3)
request = function()
  local path = string.format("/v1/organisations/%%d/balances?as_of_block=%%d",
    math.random(1, %d), math.random(%d, %d))
  return wrk.format("GET", path)
end
"""
_TAGGED = "wrk.headers['If-None-Match'] = '%s'"
_TICKS = os.sysconf("SC_CLK_TCK")


def serve(kind: str, port: int, database: str) -> None:
    """Serve in this process and another until it is killed; what a child of this program does."""
    if kind == "granian":
        os.environ["SERVED_DATABASE"] = database
        os.execv(
            sys.executable,
            [
                *(sys.executable, "-m", "granian", "--interface", "asgi", "--factory"),
                *("--workers", str(PROCESSES), "--port", str(port), "--no-access-log"),
                *("--log-level", "warning", "tests.benchmarks.servers:application"),
            ],
        )
    import uvicorn  # noqa: PLC0415  what serves is imported where it serves

    from api.wire import counted  # noqa: PLC0415
    from ledger.shared_counters import Listener, SharedCounters  # noqa: PLC0415

    listener = Listener(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.bind(("127.0.0.1", port))
    listener.listen()
    listener.counters = counters = SharedCounters()
    for number in range(1, PROCESSES):
        if os.fork() == 0:
            listener.place = number
            break
    os.environ["SERVED_DATABASE"] = database
    protocol = counted(counters, listener.place)
    config = uvicorn.Config(
        application(),
        http="h11" if kind == "h11" else protocol,
        loop="uvloop" if kind == "uvloop" else "asyncio",
        access_log=False,
        log_level="warning",
        server_header=False,
        backlog=1,
    )
    if kind != "h11":  # which does not count
        counters.running[listener.place] = 1
    uvicorn.Server(config).run(sockets=[listener])


def application() -> Any:
    """The application over the database that the environment names."""
    from api.app import create_app  # noqa: PLC0415
    from ledger.config import Settings  # noqa: PLC0415

    return create_app(
        Settings(
            home=Path(tempfile.gettempdir()) / "moonlake-servers",
            database_url=os.environ["SERVED_DATABASE"],
            stale_after=1e9,
            rate_limit=0,
            _env_file=None,
        )
    )


@contextlib.contextmanager
def serving(kind: str, database: str) -> Iterator[tuple[str, int]]:
    """A server of a kind: its URL and the number of its group of processes."""
    port = free_port()
    command = [sys.executable, "-m", "tests.benchmarks.servers", "--serve", kind]
    with subprocess.Popen(
        [*command, "--port", str(port), "--database", database], start_new_session=True
    ) as process:
        try:
            url = f"http://127.0.0.1:{port}"
            wait_for_answer(url + "/healthz")
            yield url, process.pid
        finally:
            os.killpg(process.pid, signal.SIGTERM)


def processor_of(group: int) -> float:
    """Seconds of the processor that the processes of a group took so far."""
    taken = 0.0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError, IndexError):
            # After the name, which is in brackets, the group is the third, the times 12th and 13th.
            fields = stat.read_text().rpartition(")")[2].split()
            if int(fields[2]) == group:
                taken += (int(fields[11]) + int(fields[12])) / _TICKS
    return taken


def compare_servers(
    servers: Sequence[str], database: str, organisations: int, blocks: tuple[int, int], seconds: int
) -> None:
    """Ask each the same, and print a line for each."""
    rows = []
    for kind in servers:
        needed = "httptools" if kind == "shipped" else kind
        if importlib.util.find_spec(needed) is None:
            say(f"{kind}: not installed")
            continue
        with serving(kind, database) as (url, group):
            path = f"{url}/v1/organisations/4/balances"
            tag = httpx.get(path, trust_env=False).headers["etag"]
            questions = {
                "kept": (path, ""),
                "304": (path, _TAGGED % tag),
                "made": (url, _MADE % (organisations, *blocks)),
            }
            cells = []
            for asked, script in questions.values():
                load(asked, 1, script)
                before = processor_of(group)
                found = load(asked, seconds, script)
                cost = (processor_of(group) - before) / (found.rate * seconds) * 1e6
                cells.append(f"{found.rate:,.0f} ({cost:,.0f} µs)")
            say(f"{kind}: {', '.join(cells)}")
            rows.append(f"| {kind} | {' | '.join(cells)} |")
    head = "| server | kept answer | 304 | made answer |\n| --- | --- | --- | --- |\n"
    sys.stdout.write(head + "\n".join(rows) + "\n")


def compare_libraries(database: str) -> None:
    """What makes JSON of a page, and what a thread costs; microseconds each."""
    os.environ["SERVED_DATABASE"] = database
    from api.schemas.entries import EntriesPage  # noqa: PLC0415

    app = application()
    with serving("shipped", database) as (url, _group):
        body = httpx.get(f"{url}/v1/entries?limit=20", trust_env=False).content
    plain = json.loads(body)
    page = EntriesPage.model_validate(plain)
    encoder = msgspec.json.Encoder()
    made: dict[str, Callable[[], object]] = {
        "pydantic, its serialiser alone": lambda: page.__pydantic_serializer__.to_json(page),
        "pydantic, model_dump_json": page.model_dump_json,
        "msgspec, of dictionaries": lambda: encoder.encode(plain),
        "json, of dictionaries": lambda: json.dumps(plain, ensure_ascii=False).encode(),
        "pydantic, the models themselves": lambda: EntriesPage.model_validate(plain),
    }
    if importlib.util.find_spec("orjson") is not None:
        import orjson  # noqa: PLC0415

        made["orjson, of dictionaries"] = lambda: orjson.dumps(plain)
    for name, make in made.items():
        sys.stdout.write(f"| {name} | {_best(make, 500):,.0f} |\n")
    sys.stdout.write(f"| a call in a thread | {asyncio.run(_thread_cost()):,.0f} |\n")
    del app


async def _thread_cost() -> float:
    from fastapi.concurrency import run_in_threadpool  # noqa: PLC0415

    async def rounds() -> float:
        begin = time.process_time()
        for _ in range(500):
            await run_in_threadpool(int)
        return (time.process_time() - begin) / 500 * 1e6

    return min([await rounds() for _ in range(5)])


def _best(make: Callable[[], object], times: int) -> float:
    """Microseconds of the processor for one, the best of some rounds."""
    rounds = []
    for _ in range(7):
        begin = time.process_time()
        for _ in range(times):
            make()
        rounds.append((time.process_time() - begin) / times * 1e6)
    return min(rounds)


def main(arguments: Sequence[str] | None = None) -> None:
    """Compare what is asked for."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--scale", type=float, default=0.1, help="1 is 200,000 entries")
    parser.add_argument("--folder", type=Path, help="keeps the built chain for another run")
    parser.add_argument("--seconds", type=int, default=3)
    parser.add_argument("--servers", nargs="+", choices=SERVERS, default=SERVERS)
    parser.add_argument("--libraries", action="store_true")
    parser.add_argument("--database", help="one that is mirrored already, of this scale")
    parser.add_argument("--serve", choices=SERVERS, help=argparse.SUPPRESS)
    parser.add_argument("--port", type=int, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.serve:
        serve(options.serve, options.port, options.database)
        return
    with contextlib.ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory()))
        work = opened.enter_context(built_chain(options.folder or folder, options.scale))
        database = options.database or f"sqlite:///{folder / 'bench.sqlite3'}"
        if not options.database:
            chain = ["--rpc-url", work.anvil.url, "--deployment", str(work.path)]
            home = ["--home", str(folder / "home")]
            run(["mirror", "sync", "--database-url", database, *chain, *home])
        blocks = (work.size.blocks // 2, work.size.blocks)
        if options.libraries:
            compare_libraries(database)
        else:
            compare_servers(
                options.servers, database, work.size.organisations, blocks, options.seconds
            )


if __name__ == "__main__":
    main()
