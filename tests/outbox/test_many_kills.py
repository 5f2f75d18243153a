"""kill -9 again and again while intents are on their way: each is done once, in the same bytes.

One life after the other asks for the next few intents and for some of those before, from several
threads, and kills itself (SIGKILL) before or after one of the steps; every step has its share of
the kills. In the end all is asked for once more. `pytest tests/outbox/test_many_kills.py
--sender-kills 300 --intents 1000` is the long form.
"""

from __future__ import annotations

import json
import os
import random
import signal
import threading
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import cycle, islice, product
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from ledger.chain.keccak import keccak256
from ledger.domain.ids import ProgrammeId
from ledger.outbox.records import State, list_of
from ledger.store.engine import open_engine, reading
from ledger.store.outbox_tables import attempts, operations
from tests.outbox.edges import STEPS, EdgeNode, EdgeSigner, tell_commits
from tests.support.desks import HASTY, Sender, opened_engine
from tests.support.ledger import PROGRAMME, Ledger

CLIENTS = 4
ASKED_AGAIN = 3
RULES = replace(HASTY, lease=0.2, stuck=30.0)
"""A dead sender is waited for as short as can be; nothing is stuck here, so nothing is replaced."""


@dataclass
class Death:
    """Ends the process when it comes to a step for the nth time."""

    step: str
    number: int
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __call__(self, step: str) -> None:
        if step == self.step:
            with self.lock:
                self.number -= 1
                if self.number == 0:
                    os.kill(os.getpid(), signal.SIGKILL)


def live(ledger: Ledger, url: str, folder: Path, ids: Sequence[bytes], death: Death) -> None:
    """Ask for each id, until death comes. Never returns."""
    try:
        engine = open_engine(url)
        tell_commits(engine, death)
        with EdgeNode(ledger.anvil.url, death) as node:
            sender = Sender(ledger, engine, folder, node=node, rules=RULES)
            signer = EdgeSigner(ledger.officer, death)
            with ThreadPoolExecutor(CLIENTS) as threads:
                done = list(threads.map(lambda each: sender.award(each, by=signer), ids))
        if all(each.is_done for each in done):
            os._exit(0)
    finally:
        os._exit(1)


def live_once(ledger: Ledger, url: str, folder: Path, ids: Sequence[bytes], death: Death) -> int:
    """One life in a process of its own; 0, or minus the signal that ended it."""
    child = os.fork()
    if child == 0:
        live(ledger, url, folder, ids, death)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def kill_again_and_again(
    ledger: Ledger, url: str, folder: Path, ids: Sequence[bytes], kills: int
) -> tuple[Counter[str], int]:
    """Live through the ids with so many kills, as many at each step; the kills, and the lives."""
    chance = random.Random(5)
    steps = [f"{when} {step}" for step, when in product(STEPS, ("before", "after"))]
    deaths = list(islice(cycle(steps), kills))
    chance.shuffle(deaths)
    died: Counter[str] = Counter()
    begun, lives = 0, 0
    for number, step in enumerate(deaths):
        ended, nth = 0, chance.choice((1, 1, 1, 2))
        while not ended:
            assert begun < len(ids), "every intent was begun before every kill was made"
            fresh = max(1, (len(ids) - begun) // (kills - number))
            again = chance.sample(range(begun), min(begun, ASKED_AGAIN))
            asked = [*(ids[each] for each in again), *ids[begun : begun + fresh]]
            ended = live_once(ledger, url, folder, asked, Death(step, nth))
            assert ended in (0, -signal.SIGKILL)
            begun, lives, nth = begun + fresh, lives + 1, 1
        died[step] += 1
    return died, lives


def signed_of(engine: Engine) -> dict[bytes, list[tuple[int, bytes]]]:
    """Every nonce and every signed transaction that is recorded, by operation."""
    found: dict[bytes, list[tuple[int, bytes]]] = {}
    with reading(engine) as connection:
        for row in connection.execute(select(attempts)):
            found.setdefault(bytes(row.operation_id), []).append((row.nonce, bytes(row.raw)))
    return found


def test_intents__whose_sender_is_killed_again_and_again__are_each_done_once(
    own_ledger: Ledger,
    database_url: str,
    tmp_path: Path,
    request: pytest.FixtureRequest,
) -> None:
    ledger = own_ledger
    kills = request.config.getoption("--sender-kills", default=24)
    intents = request.config.getoption("--intents", default=80)
    ids = [keccak256(b"intent %d" % each) for each in range(intents)]
    first = ledger.contracts.credits.sequence(at="latest") + 1
    nonce = ledger.node.nonce(ledger.officer.address, "latest")
    with opened_engine(database_url):
        pass  # the schema

    died, lives = kill_again_and_again(ledger, database_url, tmp_path, ids, kills)

    with opened_engine(database_url) as engine:
        left = signed_of(engine)
        sender = Sender(ledger, engine, tmp_path, rules=RULES)
        resumed = list(sender.outbox.resume())
        with ThreadPoolExecutor(CLIENTS) as threads:
            answers = list(threads.map(sender.award, ids))
        with reading(engine) as connection:
            recorded = list_of(connection, ids)
            count = len(connection.execute(select(operations.c.operation_id)).all())
        signed = signed_of(engine)
        again = sender.award(ids[0])

    assert died.total() == kills
    assert set(died) == {f"{when} {step}" for when in ("before", "after") for step in STEPS}
    assert all(each.error is None for each in resumed)
    # Each intent has a record, a result and a journal line of its own, and nothing else was done.
    assert [each.request.operation_id for each in answers] == ids
    assert {each.state for each in answers} <= {State.INCLUDED, State.FINAL}
    assert answers == [recorded[each] for each in ids]
    assert count == len(ids)
    lines = sorted(each.first_sequence or 0 for each in answers)
    assert lines == list(range(first, first + len(ids)))
    assert [each.first_sequence for each in answers] == [each.last_sequence for each in answers]
    assert ledger.contracts.credits.sequence(at="latest") == first + len(ids) - 1
    assert ledger.contracts.credits.outstanding(ProgrammeId(PROGRAMME), at="latest") == len(ids)
    # One transaction for each, with one nonce after the other, in the bytes that were signed first.
    assert all(len(each) == 1 for each in signed.values())
    assert sorted(each[0][0] for each in signed.values()) == list(range(nonce, nonce + len(ids)))
    assert ledger.node.nonce(ledger.officer.address, "latest") == nonce + len(ids)
    assert {each: signed[each] for each in left} == left
    assert again == answers[0]
    print(json.dumps({"intents": len(ids), "lives": lives, "kills": died}))  # noqa: T201
