"""The process is killed (SIGKILL) before and after each step of an operation; it is done once.

A forked process asks for two awards and kills itself at one step, by doubles at its edges: the
node, the signer, the database's commit. Another process then asks for the same, and is answered.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, Engine, event

from ledger.chain.rpc import BlockName, Node
from ledger.chain.signers import LocalSigner, TransactionFields
from ledger.errors import NodeRefused
from ledger.outbox.records import State
from ledger.store.engine import open_engine
from tests.support.desks import HASTY, Sender, opened_engine
from tests.support.ledger import Ledger

Edge = Callable[[str], None]

STEPS = ("allocate", "sign", "commit", "broadcast", "receipt", "record")


class EdgeNode(Node):
    """A node that tells of what it is asked, before and after."""

    def __init__(self, url: str, edge: Edge) -> None:
        super().__init__(url)
        self._edge = edge

    def nonce(self, address: bytes, block: BlockName) -> int:
        """The step in which a nonce is chosen."""
        if block != "pending":
            return super().nonce(address, block)
        self._edge("before allocate")
        found = super().nonce(address, block)
        self._edge("after allocate")
        return found

    def send_raw_transactions(self, raws: Sequence[bytes]) -> list[NodeRefused | None]:
        """The broadcast."""
        self._edge("before broadcast")
        answers = super().send_raw_transactions(raws)
        self._edge("after broadcast")
        return answers

    def ask_many(self, method: str, params: Any, result_type: Any) -> Any:
        """The look for receipts."""
        if method != "eth_getTransactionReceipt":
            return super().ask_many(method, params, result_type)
        self._edge("before receipt")
        found = super().ask_many(method, params, result_type)
        if any(found):
            self._edge("after receipt")
        return found


class EdgeSigner:
    """A signer that tells of what it signs, before and after."""

    def __init__(self, inner: LocalSigner, edge: Edge) -> None:
        self._inner = inner
        self._edge = edge
        self.address = inner.address

    def sign_transaction(self, fields: TransactionFields) -> bytes:
        """The signing."""
        self._edge("before sign")
        raw = self._inner.sign_transaction(fields)
        self._edge("after sign")
        return raw


def tell_commits(engine: Engine, edge: Edge) -> None:
    """Tell of the commits that write signed bytes, and of those that record what came of them."""
    now = {"step": ""}

    @event.listens_for(engine, "before_cursor_execute")
    def _statement(
        _connection: Connection, _cursor: object, statement: str, *_more: object
    ) -> None:
        text = statement.lower()
        if text.startswith("insert into attempts"):
            now["step"] = "commit"
        elif text.startswith("update operations") and "first_sequence" in text:
            now["step"] = "record"

    @event.listens_for(engine, "commit")
    def _commit(connection: Connection) -> None:
        step, now["step"] = now["step"], ""
        if step:
            edge(f"before {step}")
            driver: Any = connection.connection.driver_connection
            driver.commit()
            edge(f"after {step}")


def award_and_die(ledger: Ledger, url: str, folder: Path, ids: Sequence[bytes], at: str) -> None:
    """Award for each id, and be killed at a step of the second. Never returns."""
    passed = {"asked": 0}

    def edge(step: str) -> None:
        if step == at and passed["asked"] == len(ids):
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        engine = open_engine(url)
        tell_commits(engine, edge)
        node = EdgeNode(ledger.anvil.url, edge)
        sender = Sender(ledger, engine, folder, node=node, rules=HASTY)
        for operation_id in ids:
            passed["asked"] += 1
            sender.award(operation_id, by=EdgeSigner(ledger.officer, edge))
    finally:
        os._exit(1)  # it was not killed


@pytest.mark.parametrize("when", ["before", "after"])
@pytest.mark.parametrize("step", STEPS)
def test_submit__killed_at_a_step__is_done_once_by_who_asks_again(
    ledger: Ledger, database_url: str, tmp_path: Path, step: str, when: str
) -> None:
    ids = [ledger.operation(), ledger.operation()]
    before = ledger.contracts.credits.sequence(at="latest")
    nonce = ledger.node.nonce(ledger.officer.address, "latest")
    with opened_engine(database_url):
        pass  # the schema
    child = os.fork()
    if child == 0:
        award_and_die(ledger, database_url, tmp_path, ids, f"{when} {step}")
    _pid, status = os.waitpid(child, 0)

    with opened_engine(database_url) as engine:
        sender = Sender(ledger, engine, tmp_path, rules=HASTY)
        left = [each.find(ids[1]) for each in (sender,)]
        resumed = list(sender.outbox.resume())
        done = [sender.award(each) for each in ids]

    assert os.WIFSIGNALED(status)
    assert os.WTERMSIG(status) == signal.SIGKILL
    assert all(each.error is None for each in resumed)
    assert [each.state for each in done] == [State.INCLUDED, State.INCLUDED]
    assert [each.first_sequence for each in done] == [before + 1, before + 2]
    assert ledger.contracts.credits.sequence(at="latest") == before + 2
    assert ledger.node.nonce(ledger.officer.address, "latest") == nonce + 2
    if left[0] is not None and left[0].attempts:
        assert done[1].attempts[0].raw == left[0].attempts[0].raw
        assert len(done[1].attempts) == 1
