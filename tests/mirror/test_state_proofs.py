"""The contracts' state is proved while a mirror follows, and no row waits for it then."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ledger.chain.rpc import BlockName, Node
from ledger.errors import NodeAnswerInvalid
from ledger.mirror import state_proofs
from tests.chain.fake_node import FakeNode
from tests.mirror.conftest import Open
from tests.mirror.test_lies import change, last_digit
from tests.support.happenings import Ledger, ProgrammeId, wait_for

PROOF = "eth_getProof"
ONE = ProgrammeId(1)


def asked(fake: FakeNode) -> int:
    return sum(1 for method, _ in fake.asked if method == PROOF)


def test_look__of_a_mirror_that_begins__waits_for_the_proof(
    sqlite_url: str, ledger: Ledger, open_mirror: Open
) -> None:
    with FakeNode(upstream=ledger.anvil.url) as fake:
        fake.lies[PROOF] = change("accountProof", -1, to=last_digit)
        mirrored = open_mirror(sqlite_url, ledger.deployment, fake.url)
        mirrored.mirror.follows = True
        with pytest.raises(NodeAnswerInvalid):
            mirrored.mirror.look()
        assert mirrored.state.cursor.number < ledger.deployment.first_block


def test_look__of_a_follower_that_starts_again__asks_for_no_proof_before_it_is_ready(
    sqlite_url: str, ledger: Ledger, open_mirror: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    with FakeNode(upstream=ledger.anvil.url) as fake:
        mirrored = open_mirror(sqlite_url, ledger.deployment, fake.url)
        mirrored.sync()
        before = asked(fake)
        monkeypatch.setattr(state_proofs, "FIRST_PROOF_AFTER", 3600.0)
        mirrored.mirror = mirrored.new_mirror()
        mirrored.mirror.follows = True
        ledger.award(ONE, (1, 5))
        for _ in range(2):
            assert mirrored.mirror.look().lag == 0
        assert asked(fake) == before
        monkeypatch.setattr(state_proofs, "FIRST_PROOF_AFTER", 0.0)

        def is_asked() -> bool:
            mirrored.mirror.look()
            return asked(fake) > before

        wait_for(is_asked, "it was never proved")


def test_look__of_a_follower_that_starts_again__is_refused_after_the_commit(
    sqlite_url: str, ledger: Ledger, open_mirror: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_proofs, "FIRST_PROOF_AFTER", 0.0)
    with FakeNode(upstream=ledger.anvil.url) as fake:
        mirrored = open_mirror(sqlite_url, ledger.deployment, fake.url)
        mirrored.sync()
        mirrored.mirror = mirrored.new_mirror()
        mirrored.mirror.follows = True
        fake.lies[PROOF] = change("accountProof", -1, to=last_digit)
        block = ledger.award(ONE, (1, 5))
        assert mirrored.mirror.look().cursor.number == block
        with pytest.raises(NodeAnswerInvalid):
            wait_for(lambda: bool(mirrored.mirror.look().halt), "a false proof was taken")
        # From now on it is waited for again, and nothing is taken without.
        ledger.award(ONE, (1, 6))
        with pytest.raises(NodeAnswerInvalid):
            mirrored.mirror.look()
        assert mirrored.state.cursor.number == block


def test_look__at_a_node_whose_state_is_ahead_of_its_head__takes_the_proved_block(
    sqlite_url: str, ledger: Ledger, open_mirror: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As anvil answers while it seals: the state after the next block, by the hash of this one."""
    mirrored = open_mirror(sqlite_url, ledger.deployment, ledger.anvil.url)
    mirrored.mirror.follows = True
    mirrored.sync()
    storage = Node.storage

    def while_sealing(
        node: Node, places: Iterable[tuple[bytes, bytes]], _block: BlockName
    ) -> list[bytes]:
        ledger.award(ONE, (1, 6))
        return storage(node, places, "latest")

    block = ledger.award(ONE, (1, 5))
    with monkeypatch.context() as patch:
        patch.setattr(Node, "storage", while_sealing)
        assert mirrored.mirror.look().cursor.number == block
    mirrored.sync()
    assert mirrored.state.cursor.number == ledger.anvil.rpc.head().number
    assert mirrored.state.halt is None


def test_look__while_following__proves_anew_when_it_is_due(
    sqlite_url: str, ledger: Ledger, open_mirror: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(state_proofs, "PROOF_EVERY", 0.0)
    with FakeNode(upstream=ledger.anvil.url) as fake:
        mirrored = open_mirror(sqlite_url, ledger.deployment, fake.url)
        mirrored.mirror.follows = True
        mirrored.mirror.look()
        before = asked(fake)
        ledger.award(ONE, (1, 5))
        mirrored.mirror.look()

        def is_settled() -> bool:
            mirrored.mirror.look()
            return asked(fake) > before

        wait_for(is_settled, "nothing was proved anew")
        # Of the one contract that went on.
        assert asked(fake) == before + 1
