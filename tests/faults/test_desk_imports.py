"""A server that is killed in the middle of an import: the next one ends it, each row once."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from ledger.processes import own_environment, wait_until
from tests.http.desk import opened, sent
from tests.http.test_processes import is_up
from tests.http.wallets import sign_in
from tests.http.working import Working, working
from tests.support.anvil import Anvil
from tests.support.devnet import MOONLAKE
from tests.support.ledger import CATEGORY, MEMBER, running_ledger

ROWS = 600


@contextmanager
def server(at_work: Working, port: int) -> Iterator[tuple[subprocess.Popen[bytes], httpx.Client]]:
    """`moonlake serve` with the officer's key, and the officer's browser."""
    settings = at_work.settings.model_copy(update={"port": port, "serve_keys": ("officer",)})
    with subprocess.Popen(
        [*MOONLAKE, "serve"],
        env=own_environment(**settings.as_environment()),
        cwd=at_work.settings.home.parent,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        url = f"http://127.0.0.1:{port}"
        try:
            assert wait_until(lambda: is_up(url), seconds=30)
            with httpx.Client(base_url=url, timeout=120, trust_env=False) as client:
                sign_in(client, at_work.ledger.officer, now=time.time())
                client.headers.update({"Accept": "text/html", "Accept-Language": "en"})
                yield process, client
        finally:
            process.terminate()
            process.wait(30)


def test_import__whose_server_is_killed__is_ended_by_the_next_and_credited_once(
    fresh_anvil: Anvil, tmp_path: Path, free_port: int
) -> None:
    table = "reference,organisation,amount,category\n" + "".join(
        f"r{each},{MEMBER},1,{CATEGORY}\n" for each in range(ROWS)
    )
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    with (
        running_ledger(fresh_anvil, tmp_path) as ledger,
        working(ledger, tmp_path, url, keys="") as at_work,
    ):
        at_work.settings.home.mkdir(exist_ok=True)
        with server(at_work, free_port) as (process, officer):
            form = opened(officer, "/desk/imports/new/awards").form()
            form |= {"programme": "alliance", "ground": "none"}
            del form["file"]
            files = {"file": ("a.csv", table)}
            preview = officer.post("/desk/imports", data=form, files=files).headers["location"]
            # What is sent gets into no block while the server lives.
            fresh_anvil.rpc.call("evm_setAutomine", False)
            fields = opened(officer, preview).form() | {"step": "send"}
            place = sent(officer, preview, fields).headers["location"]
            assert wait_until(lambda: "in a block yet" in officer.get(place).text, seconds=60)
            os.kill(process.pid, signal.SIGKILL)
        fresh_anvil.rpc.call("evm_setAutomine", True)
        fresh_anvil.rpc.call("evm_mine")
        with server(at_work, free_port) as (_process, officer):
            assert wait_until(lambda: "It is finished." in officer.get(place).text, seconds=90)
            at_work.look()
            told = officer.get(f"{place}/results.csv").text.splitlines()[1:]
        entries = [line.split(",")[4] for line in told]
        assert len(set(entries)) == ROWS
        balance = at_work.client().get(f"/v1/organisations/{MEMBER}/balances").json()["items"]
        assert sum(each["credits"] for each in balance) == ROWS
