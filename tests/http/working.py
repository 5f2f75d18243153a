"""A server over a ledger on a real chain, with a key that it may sign with and a mirror."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from ledger.chain.contracts import authority, programmes
from ledger.chain.keccak import keccak256
from ledger.chain.signers import LocalSigner
from ledger.config import Settings
from ledger.domain.commands import Budget
from ledger.processes import wait_until
from tests.http.conftest import serving
from tests.http.wallets import sign_in
from tests.support.desks import Sender, opened_engine
from tests.support.ledger import CATEGORY, MEMBER, PROGRAMME, Ledger


@dataclass
class Working:
    """The ledger, its mirror (`look` brings it to the head), and how to reach the server."""

    ledger: Ledger
    sender: Sender
    settings: Settings
    clients: Callable[[], httpx.Client]

    def look(self) -> None:
        """Bring the mirror to the chain's head."""
        self.sender.mirror()

    def client(self, signer: LocalSigner | None = None) -> httpx.Client:
        """A client of its own, signed in as somebody."""
        client = self.clients()
        if signer is not None:
            session = sign_in(client, signer, now=time.time())
            client.headers["X-CSRF-Token"] = session["csrf_token"]
        return client

    def wait_for(self, client: httpx.Client, location: str) -> dict[str, Any]:
        """The operation once it is settled."""
        found: dict[str, Any] = {}

        def is_settled() -> bool:
            nonlocal found
            found = client.get(location).json()
            return found["state"] not in {"accepted", "sent"}

        assert wait_until(is_settled, seconds=60, pause=0.05), found
        return found


def award_of(amount: int, **changed: Any) -> dict[str, Any]:
    """The body of a request that awards the member."""
    item = {"organisation": MEMBER, "amount": amount, "category": CATEGORY}
    return {"programme": "alliance", "awards": [item], "no_evidence": True, **changed}


def secret_of(folder: Path, name: str) -> bytes:
    """The secret of a key that a server has."""
    return keccak256(f"{folder} {name}".encode())


@contextlib.contextmanager
def working(
    ledger: Ledger, folder: Path, url: str, *, keys: str = "officer,service"
) -> Iterator[Working]:
    """Serve the ledger. `officer` is the officer's own key, `service` an issuer's with a budget of
    500 an award and 800 an epoch, larger than that of the ledger's issuer; others of `keys` have
    no office."""
    names = {"officer", "service", *filter(None, keys.split(","))}
    secrets = {name: secret_of(folder, name) for name in sorted(names)}
    service = LocalSigner(secrets["service"]).address
    for name in names - {"officer"}:  # who has coin, and whose balance no block would explain
        account = LocalSigner(secrets[name]).address
        ledger.anvil.rpc.call("anvil_setBalance", "0x" + account.hex(), hex(10**22))
    if not ledger.contracts.authority.is_officer("issuer", PROGRAMME, service, at="latest"):
        appoint = authority.encode_appoint("issuer", PROGRAMME, service, ledger.operation())
        ledger.do(ledger.contracts.authority.address, appoint)
        given = Budget(500, 800)
        budget = programmes.encode_set_budget(PROGRAMME, service, given, ledger.operation())
        ledger.do(ledger.contracts.programmes.address, budget)
    settings = Settings(
        home=folder / "home",
        database_url=url,
        deployment=folder / "31337.json",
        rpc_url=ledger.anvil.url,
        devnet_keys=",".join(f"{name}=0x{key.hex()}" for name, key in secrets.items()),
        serve_keys=keys,
        stale_after=3600,
        rate_limit=0,
        _env_file=None,
    )
    with contextlib.ExitStack() as stack:
        engine = stack.enter_context(opened_engine(url))
        sender = Sender(ledger, engine, folder)
        sender.mirror()
        base = stack.enter_context(serving(settings, time.time))

        def client() -> httpx.Client:
            return stack.enter_context(
                httpx.Client(base_url=base.base_url, timeout=60, trust_env=False)
            )

        yield Working(ledger, sender, settings, client)
