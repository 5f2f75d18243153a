"""What is served while the mirror is built anew, and when the new one takes its place, is right."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
from pydantic import SecretStr

from ledger.config import Settings
from ledger.mirror.rebuild import rebuild
from ledger.office.credentials.keys import create_issuer_key
from ledger.processes import wait_until
from tests.http.conftest import serving
from tests.mirror.conftest import Open
from tests.support.happenings import Ledger, ProgrammeId

PLACES: dict[str, object] = {
    "org_id": 1,
    "entry_id": 1,
    "programme": 1,
    "token_id": 2**32 + 1,
    "address": "0x" + "11" * 20,
    "commitment": "0x" + "5b" * 32,
    "number": 0,
}
FOR_CALLERS = ("/v1/stream", "/v1/sign-in", "/v1/session", "/v1/api-keys", "/v1/access-log")

PASSWORD = "of the issuer's key"
OF_A_NODE = "/certificate"
"""What is asked of a node, and of no mirror."""


def readable(client: httpx.Client) -> list[str]:
    """Every route that anybody may read, its places filled; such as need another are left out."""
    found = []
    for path, methods in client.get("/openapi.json").json()["paths"].items():
        if "get" not in methods or path.startswith(FOR_CALLERS) or path.endswith(OF_A_NODE):
            continue
        try:
            filled = path.format(**PLACES)
        except KeyError:
            continue
        found.append(filled + ("?programme=1" if path == "/v1/rankings" else ""))
    return found


class Reader(threading.Thread):
    """Asks every route, over and over, and keeps what was wrong."""

    def __init__(self, client: httpx.Client, paths: list[str]) -> None:
        super().__init__(daemon=True)
        self.wrong: list[str] = []
        self.rounds = 0
        self.is_over = threading.Event()
        self._client = client
        self._paths = paths
        self._entries: dict[int, Any] = {}

    def run(self) -> None:
        """Ask until it is over."""
        seen = 0
        while not self.is_over.is_set():
            for path in self._paths:
                answer = self._client.get(path)
                if answer.status_code >= 500:
                    self.wrong.append(f"{path}: {answer.status_code} {answer.text}")
                is_json = "json" in answer.headers.get("content-type", "")
                block = answer.json().get("as_of", {}).get("block_number") if is_json else None
                if block is not None and block < seen:
                    self.wrong.append(f"{path}: block {block} after {seen}")
                seen = max(seen, block or 0)
            self._check_whole()
            self.rounds += 1

    def _check_whole(self) -> None:
        """A journal without gaps is one of a whole mirror, and its balance is that of the last."""
        page = self._client.get("/v1/entries?limit=200").json()
        numbers = [each["entry_id"] for each in page["items"]]
        if not numbers or (numbers[-1] != 1 and page["next"] is None):
            self.wrong.append(f"entries {numbers}")
        for each in page["items"]:
            kept = self._entries.setdefault(each["entry_id"], each["amount"])
            if kept != each["amount"]:
                self.wrong.append(f"entry {each['entry_id']} was {kept}, is {each['amount']}")


def test_every_read__while_the_mirror_is_rebuilt__is_answered_and_never_goes_back(
    database_url: str, ledger: Ledger, open_mirror: Open, tmp_path: Path
) -> None:
    ledger.award(ProgrammeId(1), (1, 10), (2, 5))
    mirrored = open_mirror(database_url, ledger.deployment, ledger.anvil.url)
    mirrored.sync()
    create_issuer_key(tmp_path / "keys" / "credentials", PASSWORD, cost=2)
    settings = Settings(
        home=tmp_path,
        database_url=database_url,
        stale_after=1e9,
        rate_limit=0,
        key_password=SecretStr(PASSWORD),
        _env_file=None,
    )
    with serving(settings, time.time) as client:
        paths = readable(client)
        assert len(paths) > 20
        reader = Reader(client, paths)
        reader.start()
        try:
            for from_chain in (False, True, False):
                _more(lambda: reader.rounds)
                assert rebuild(mirrored.new_mirror(), from_chain=from_chain).generation > 0
            ledger.award(ProgrammeId(1), (1, 3))
            mirrored.sync()
            _more(lambda: reader.rounds)
        finally:
            reader.is_over.set()
            reader.join(60)
        last = client.get("/v1/entries?limit=1").json()["items"][0]["amount"]
    assert reader.wrong == []
    assert reader.rounds >= 2
    assert last == 3


def _more(rounds: Callable[[], int]) -> None:
    """Wait until all was asked once more."""
    before = rounds()
    assert wait_until(lambda: rounds() > before, seconds=60, pause=0.02)
