"""Orders under a policy, and through a remote signer: what is refused is never sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import Engine

from ledger.chain.policies import GuardedSigner, Policy
from ledger.chain.remote_signers import RemoteSigner
from ledger.errors import PolicyRefused, SignerAnswerInvalid
from ledger.outbox.records import State
from tests.support.desks import Sender
from tests.support.ledger import Ledger
from tests.support.remote_signer import FakeWeb3Signer


def guarded(ledger: Ledger, *allow: str) -> GuardedSigner:
    """The officer's key, as far as a policy lets it."""
    names = {each.address: name for name, each in ledger.deployment.contracts.items()}
    return GuardedSigner("officer", ledger.officer, Policy(allow), lambda _chain_id: names)


def test_order__beyond_the_keys_policy__is_refused_and_leaves_no_trace(
    own_ledger: Ledger, sqlite_engine: Engine, tmp_path: Path
) -> None:
    operation = own_ledger.operation()
    sender = Sender(own_ledger, sqlite_engine, tmp_path)
    before = sender.nonce()

    with pytest.raises(PolicyRefused, match=r"'officer' does not allow Credits\.award"):
        sender.award(operation, by=guarded(own_ledger, "Credits.reverse"))

    assert sender.find(operation) is None
    assert sender.nonce() == before
    done = sender.award(operation, by=guarded(own_ledger, "Credits.award"))
    assert done.state in (State.INCLUDED, State.FINAL)


def test_order__of_a_remote_issuer__is_signed_there_and_recorded_here(
    own_ledger: Ledger, sqlite_engine: Engine, tmp_path: Path
) -> None:
    sender = Sender(own_ledger, sqlite_engine, tmp_path)
    with FakeWeb3Signer(own_ledger.issuer._key.secret, 31337) as server:
        remote = RemoteSigner(server.url, own_ledger.issuer.address)
        done = sender.award(own_ledger.operation(), by=remote)

    assert done.sender == own_ledger.issuer.address
    assert done.state in (State.INCLUDED, State.FINAL)
    assert [method for method, _ in server.asked] == ["eth_signTransaction"]


def test_order__whose_remote_signer_lies__is_never_sent_and_can_be_done_later(
    own_ledger: Ledger, sqlite_engine: Engine, tmp_path: Path
) -> None:
    operation = own_ledger.operation()
    sender = Sender(own_ledger, sqlite_engine, tmp_path)
    issuer = own_ledger.issuer
    with FakeWeb3Signer(issuer._key.secret, 31337) as server:
        remote = RemoteSigner(server.url, issuer.address)
        server.lies["eth_signTransaction"] = lambda params, _raw: server.signed(params[0], value=1)

        with pytest.raises(SignerAnswerInvalid, match="its value is 0x01, and not 0x"):
            sender.award(operation, by=remote)

        assert sender.nonce(by=issuer) == 0
        found = sender.find(operation)
        assert found is None or found.attempts == ()
        server.lies.clear()
        done = sender.award(operation, by=remote)

    assert done.state in (State.INCLUDED, State.FINAL)
    assert sender.nonce(by=issuer) == 1
