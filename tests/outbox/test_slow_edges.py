"""Edges that are slow or go back: a signer in another room, a clock, fees above the ceiling."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sqlalchemy import Engine

from ledger.chain.replacing import read_fields
from ledger.chain.signers import LocalSigner, TransactionFields
from ledger.outbox.leases import Key, take
from ledger.outbox.records import State
from ledger.outbox.rules import Rules
from ledger.processes import wait_until
from tests.support.anvil import Anvil
from tests.support.desks import HASTY, Sender
from tests.support.ledger import Ledger, running_ledger

AN_HOUR = 3600.0
GWEI = 10**9


class SlowSigner:
    """A signer that answers after so many seconds."""

    def __init__(self, inner: LocalSigner, seconds: float) -> None:
        self.address = inner.address
        self._inner = inner
        self._seconds = seconds

    def sign_transaction(self, fields: TransactionFields) -> bytes:
        """Sign, in the end."""
        threading.Event().wait(self._seconds)
        return self._inner.sign_transaction(fields)


def test_submit__with_a_signer_slower_than_a_lease__is_done_by_two_who_share_the_key(
    ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    senders = [Sender(ledger, engine, tmp_path, rules=HASTY) for _ in range(2)]
    signer = SlowSigner(ledger.officer, 1.5 * HASTY.lease)
    before = ledger.contracts.credits.sequence(at="latest")
    with ThreadPoolExecutor(2) as threads:
        work = [threads.submit(each.award, ledger.operation(), by=signer) for each in senders]
        done = [each.result() for each in work]

    assert {each.state for each in done} == {State.INCLUDED}
    assert ledger.contracts.credits.sequence(at="latest") == before + 2


def test_submit__after_the_clock_was_set_back__waits_for_no_lease_of_the_future(
    sender: Sender,
) -> None:
    ledger = sender.ledger
    key = Key(ledger.deployment.genesis_hash, ledger.officer.address)
    assert take(sender.engine, key, "one that ended an hour from now", AN_HOUR) is not None

    assert sender.award(ledger.operation()).is_done


def test_submit__stuck_while_fees_are_above_the_ceiling__stays_on_its_way_and_is_done(
    start_anvil: Callable[..., Anvil], sqlite_engine: Engine, tmp_path: Path
) -> None:
    rules = Rules(lease=HASTY.lease, resend=0.2, stuck=0.2, raises=50)
    with running_ledger(start_anvil(), tmp_path) as ledger, ThreadPoolExecutor(1) as threads:
        anvil, operation_id = ledger.anvil, ledger.operation()

        def mine_at(gwei: int) -> bool:
            anvil.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(gwei * GWEI))
            anvil.mine()
            return work.done()

        anvil.rpc.call("anvil_setNextBlockBaseFeePerGas", hex(GWEI))
        anvil.mine()
        sender = Sender(ledger, sqlite_engine, tmp_path, rules=rules, fee_ceiling=20 * GWEI)
        anvil.rpc.call("evm_setAutomine", False)
        work = threads.submit(sender.award, operation_id)
        assert wait_until(lambda: sender.find(operation_id) is not None, seconds=20)
        wait_until(lambda: mine_at(100), seconds=2.5, pause=0.1)
        assert not work.done()

        assert wait_until(lambda: mine_at(1), seconds=20, pause=0.1)
        done = work.result()

    assert done.state is State.INCLUDED
    assert all(read_fields(each.raw).max_fee <= 20 * GWEI for each in done.attempts)
