"""The process is killed (SIGKILL) before and after each step of an operation; it is done once.

A forked process asks for two awards and kills itself at one step (`tests.outbox.edges`). Another
process then asks for the same, and is answered. `test_many_kills` does it again and again.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from ledger.outbox.records import State
from ledger.store.engine import open_engine
from tests.outbox.edges import STEPS, EdgeNode, EdgeSigner, tell_commits
from tests.support.desks import HASTY, Sender, opened_engine
from tests.support.ledger import Ledger


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
