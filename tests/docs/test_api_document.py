"""The walk-through of docs/api.md does what it says, with curl, on a real chain."""

from __future__ import annotations

import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.domain.access import Scope
from ledger.office.api_keys import create_api_key
from ledger.processes import wait_until
from ledger.store.engine import writing
from tests.http.working import Working, working
from tests.support.anvil import Anvil
from tests.support.ledger import running_ledger

DOCUMENT = Path(__file__).parents[2] / "docs" / "api.md"
BLOCKS = re.findall(r"^```bash\n(.*?)^```$", DOCUMENT.read_text("utf-8"), re.M | re.S)


@pytest.fixture(scope="module")
def at_work(anvil: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Working]:
    """A server that may sign."""
    folder = tmp_path_factory.mktemp("walk")
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    with running_ledger(anvil, folder) as ledger, working(ledger, folder, url) as found:
        yield found


def test_document__has_blocks_that_say_what_comes_of_them() -> None:
    assert len(BLOCKS) >= 10
    assert all("#=> " in block for block in BLOCKS)


@pytest.mark.skipif(shutil.which("jq") is None, reason="the walk-through uses jq")
def test_blocks__run_in_their_order__answer_what_they_say(at_work: Working) -> None:
    with writing(at_work.sender.engine) as connection:
        account = at_work.ledger.officer.address
        scopes = [Scope.READ, Scope.CREDITS, Scope.MEMBERS, Scope.EVIDENCE]
        _, key = create_api_key(connection, account, "walk", scopes, days=1, now=time.time())
    base = str(at_work.client().base_url).rstrip("/")
    for block in BLOCKS:
        code, _, expected = block.rpartition("#=> ")
        done = subprocess.run(
            ["bash", "-c", code],
            env={"LEDGER": base, "KEY": key, "PATH": "/usr/local/bin:/usr/bin:/bin"},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.stdout.strip() == expected.strip(), f"{code}\n{done.stdout}{done.stderr}"
    entries: list[int] = []

    def are_mirrored() -> bool:
        at_work.look()
        found = at_work.client().get("/v1/organisations/1/entries").json()["items"]
        entries[:] = [each["amount"] for each in found]
        return bool(entries)

    assert wait_until(are_mirrored, seconds=20)
    assert entries == [120]  # it was asked for twice, and done once
