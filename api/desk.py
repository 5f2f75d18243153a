"""The server's desk: takes orders in at once, and sees them through behind the requests.

A request ends when what it asks for is checked and written down; a thread for each key then signs
and sends, as whoever holds the key's lease does for all (`ledger.outbox.line`). So several server
processes and the command line can use the same keys. What a process left unsent when it ended, the
next one sends. It refuses nothing for a node that does not answer but what needs one.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path

from api.importing import Importing
from api.rights import RELAYER
from ledger.chain.addresses import show_address
from ledger.chain.deployments import Deployment, deployment_path, read_deployment
from ledger.chain.signers import KeySigner, Signer
from ledger.config import Settings
from ledger.errors import LedgerError
from ledger.outbox.records import Operation, Request, list_open
from ledger.outbox.sending import Outbox
from ledger.services.deciding import carry_out_next
from ledger.services.desk import Desk
from ledger.store.engine import reading
from ledger.wiring import open_named_signer, opened_desk

log = logging.getLogger("moonlake.api")

_LOOK_SECONDS = 1.0
_TROUBLE_SECONDS = 2.0
_DECISION_SECONDS = 0.2


class Accepting(Outbox):
    """An outbox whose orders are taken in and not waited for."""

    def __init__(self, outbox: Outbox) -> None:  # all that it has is the other's
        self.chain = outbox.chain
        self._outbox = outbox

    def submit(self, request: Request, signer: Signer) -> Operation:
        """Check that it can be done and write it down. Raises as `Outbox.accept`."""
        return self._outbox.accept(request, signer)

    def subjects_of(self, operation: Operation) -> tuple[int, ...]:  # noqa: ARG002  its parent's
        """None are known before it is in a block."""
        return ()


class ServerDesk:
    """The desk of one server process, opened when it is first needed."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._opened = ExitStack()
        self._desk: Desk | None = None
        self._signers: Mapping[bytes, KeySigner] | None = None
        self._named: Mapping[str, KeySigner] = {}
        self._stop = threading.Event()
        self._news = threading.Event()
        self._imports = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, *, not_before: Path | None = None) -> None:
        """Begin to send what was left, where the server has keys.

        While the file `not_before` is there, somebody else sends with them; what is asked for here
        is begun with all the same.
        """
        if self._settings.serve_keys:
            thread = threading.Thread(
                target=self._begin, args=(not_before,), name="moonlake-desk", daemon=True
            )
            self._threads.append(thread)
            thread.start()

    def stop(self) -> None:
        """End the threads and give the leases back; what is not sent is sent by the next."""
        self._stop.set()
        self._news.set()
        self._imports.set()
        for thread in self._threads:
            thread.join(timeout=_LOOK_SECONDS)
        with self._lock:
            self._opened.close()
            self._desk = None

    def signers(self) -> Mapping[bytes, KeySigner]:
        """The keys that the server may sign with, by account. Raises what opening one does."""
        with self._lock:
            if self._signers is None:
                self._named = {
                    name: open_named_signer(self._settings, name)
                    for name in self._settings.serve_keys
                }
                self._signers = {signer.address: signer for signer in self._named.values()}
            return self._signers

    def relayer(self) -> KeySigner | None:
        """The key that brings what others signed, where the server has it. Raises as `signers`."""
        self.signers()
        return self._named.get(RELAYER)

    def accepting(self) -> Accepting:
        """Where orders go. Raises what opening the desk does."""
        return Accepting(self._open().outbox)

    def opened(self) -> Desk:
        """The chain and its contracts, for who must ask them. Raises what opening the desk does."""
        return self._open()

    def deployment(self) -> Deployment:
        """Which contract is where. Raises what opening the desk does."""
        chain_id = self._open().outbox.chain.chain_id
        return read_deployment(deployment_path(self._settings, chain_id))

    def tell(self) -> None:
        """Say that there is something to send."""
        self._news.set()

    def tell_imports(self) -> None:
        """Say that there is an import to bring."""
        self._imports.set()

    def _open(self) -> Desk:
        signers = self.signers()
        with self._lock:
            if self._desk is None:
                self._desk = self._opened.enter_context(opened_desk(self._settings))
                if self._settings.uses_devnet and signers:
                    from ledger.chain.devnet_funds import (  # noqa: PLC0415
                        fund_accounts,
                        mine_block,
                    )

                    if fund_accounts(self._desk.node, tuple(signers)):
                        mine_block(self._desk.node)
            return self._desk

    def _begin(self, not_before: Path | None) -> None:
        while not_before is not None and not_before.exists() and not self._news.wait(0.1):
            continue
        while not self._stop.is_set():
            try:
                desk, signers = self._open(), self.signers()
            except LedgerError as error:
                log.warning("the desk waits: %s", error.code)
                self._stop.wait(_TROUBLE_SECONDS)
                continue
            for signer in signers.values():
                thread = threading.Thread(
                    target=self._send_all, args=(desk, signer), name="moonlake-send", daemon=True
                )
                self._threads.append(thread)
                thread.start()
            thread = threading.Thread(
                target=self._decide_all, args=(desk, signers), name="moonlake-decide", daemon=True
            )
            self._threads.append(thread)
            thread.start()
            importing = Importing(desk, signers, self._stop, self._imports)
            thread = threading.Thread(target=importing.run, name="moonlake-imports", daemon=True)
            self._threads.append(thread)
            thread.start()
            self._recheck(desk)
            return

    def _recheck(self, desk: Desk) -> None:
        """Put right what a reorganisation undid."""
        while not self._stop.wait(_LOOK_SECONDS):
            try:
                for _resumed in desk.outbox.recheck():
                    pass
            except LedgerError as error:
                log.warning("the desk could not look again: %s", error.code)

    def _send_all(self, desk: Desk, signer: KeySigner) -> None:
        """Send what is asked for with one key, as long as there is something."""
        while not self._stop.is_set():
            try:
                operation = self._next(desk, signer)
                if operation is None:
                    self._news.wait(_LOOK_SECONDS)
                    self._news.clear()
                    continue
                desk.outbox.wait_for(operation.request.operation_id, signer)
            except LedgerError as error:
                # What became of an operation is recorded with it; here it is only noted.
                if self._stop.is_set():
                    return
                log.warning("the desk could not send: %s", error.code)
                self._stop.wait(0.05 if self._is_settled(desk, signer) else _TROUBLE_SECONDS)
            except Exception:
                if self._stop.is_set():
                    return  # what it worked with was closed
                log.exception("the desk met what it did not foresee")
                self._stop.wait(_TROUBLE_SECONDS)

    def _decide_all(self, desk: Desk, signers: Mapping[bytes, KeySigner]) -> None:
        """Carry out decisions, as long as there is one that these keys can sign."""
        while not self._stop.is_set():
            try:
                done = carry_out_next(desk, signers, clock=time.time, show_account=show_address)
            except Exception:
                if self._stop.is_set():
                    return  # what it worked with was closed
                log.exception("the desk could not carry out a decision")
                done = False
            if not done:
                self._stop.wait(_DECISION_SECONDS)

    def _next(self, desk: Desk, signer: KeySigner) -> Operation | None:
        with reading(desk.engine) as connection:
            genesis = desk.outbox.chain.genesis_hash
            found = list_open(connection, genesis, signer.address, limit=1)
        return found[0] if found else None

    def _is_settled(self, desk: Desk, signer: KeySigner) -> bool:
        """Whether nothing of the key waits any more."""
        try:
            return self._next(desk, signer) is None
        except Exception:  # noqa: BLE001  it is asked again in a moment
            return False
