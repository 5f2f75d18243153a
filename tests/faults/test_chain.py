"""The chain changes its mind, is quiet, floods, or says what nobody knows."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from sqlalchemy import func, select

from ledger.chain.contracts.authority import encode_appoint
from ledger.chain.headers import HeaderAnswer, header_hash
from ledger.chain.transport import Patience
from ledger.errors import ChainMismatch, CodeMismatch, LedgerError, ReorganisationTooDeep
from ledger.mirror import contracts
from ledger.mirror.digest import compute_digest
from ledger.mirror.reports import Applied
from ledger.store.engine import reading
from ledger.store.mirror_tables import balances, entries
from tests.faults.conftest import FINALITY, ONE, Target, Targets
from tests.faults.proxy import BY_NUMBER, RECEIPTS, Proxy
from tests.support.anvil import Anvil
from tests.support.happenings import Ledger, wait_for


def reorganise(ledger: Ledger, depth: int) -> None:
    """Replace the last blocks by as many, another award in the first of them."""
    calldata = ledger.award_call(ONE, [(2, 70 + depth)], ledger.operation())
    # The issuer's awards may be in blocks that go; the council's are in none of them.
    nonce = ledger.node.nonce(ledger.officers["council"].address, "latest")
    raw = ledger.sign("council", "Credits", calldata, nonce)
    ledger.anvil.rpc.call("anvil_reorg", depth, [["0x" + raw.hex(), 0]])


def digest_of(target: Target) -> bytes:
    with reading(target.engine) as connection:
        return compute_digest(connection)


def test_reorganisation__of_any_depth_up_to_finality__is_followed(
    target: Target, ledger: Ledger
) -> None:
    with target.following():
        for depth in range(1, FINALITY + 1):
            while target.state.final_number > ledger.node.block_number() - depth:
                ledger.anvil.mine()
            for number in range(3):
                ledger.award(ONE, (1 + number, depth))
            ledger.anvil.mine(max(0, depth - 2))
            wait_for(lambda: target.is_at_head, "it did not reach the head")
            reorganise(ledger, depth)
            wait_for(lambda: target.is_at_head, f"it did not follow {depth} blocks")
            target.assert_equal()
    replaced = [each.rolled_back for each in target.said if isinstance(each, Applied)]
    assert [depth for depth in replaced if depth] == list(range(1, FINALITY + 1))


@pytest.mark.parametrize("depth", [1, FINALITY])
def test_reorganisation__while_the_mirror_was_down__is_repaired_at_its_start(
    target: Target, ledger: Ledger, depth: int
) -> None:
    ledger.anvil.mine(FINALITY)
    ledger.award(ONE, (1, 4))
    target.sync()
    reorganise(ledger, depth)
    ledger.award(ONE, (3, 4))
    target.through(ledger.anvil.url)
    target.sync()
    target.assert_equal()


def test_reorganisation__during_the_repair_of_one__is_repaired_too(
    target: Target, proxy: Proxy, ledger: Ledger
) -> None:
    """The chain changes again between two questions about what it changed to."""
    ledger.anvil.mine(FINALITY)
    for number in range(4):
        ledger.award(ONE, (1, 4 + number))
    target.sync()
    reorganise(ledger, 3)
    meanwhile = iter([2, 4, 1])

    def change_meanwhile(_params: list[Any], receipts: Any) -> Any:
        for depth in meanwhile:
            reorganise(ledger, depth)
            break
        return receipts

    proxy.lies[RECEIPTS] = change_meanwhile
    target.through(proxy.url)
    with target.following():
        wait_for(lambda: next(meanwhile, None) is None, "it asked for no receipts")
        wait_for(lambda: target.is_at_head, "it did not repair")
    target.assert_equal()


def test_reorganisation__deeper_than_finality__halts_says_so_and_keeps_what_was_there(
    targets: Targets, target: Target, kind: str, ledger: Ledger
) -> None:
    ledger.anvil.mine(FINALITY + 2)
    ledger.award(ONE, (1, 4))
    before, digest = target.sync(), digest_of(target)
    reorganise(ledger, FINALITY + 1)
    ledger.anvil.mine(2)
    with pytest.raises(ReorganisationTooDeep) as refused:
        target.sync()
    target.assert_refused(before, refused.value)
    assert digest_of(target) == digest
    assert targets.get(kind) is not target  # nothing but a rebuild helps


def test_chain__that_is_quiet__shows_its_last_block(target: Target, ledger: Ledger) -> None:
    with target.following():
        block = ledger.award(ONE, (5, 5))
        wait_for(lambda: target.state.cursor.number == block, "it waits for another block")
        target.assert_equal()


def test_follow__of_a_chain_under_constant_load__has_no_seam(
    targets: Targets, kind: str, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It catches up in small ranges while blocks come, and goes on without a gap."""
    monkeypatch.setattr("ledger.mirror.prove.MOST_BLOCKS", 25)
    new_target = targets.make(kind)
    stop = threading.Event()

    def load() -> None:
        # Twenty blocks a second, and no more of them than a slow machine can take.
        for _ in range(400):
            ledger.award(ONE, (1, 1), (2, 1))
            if stop.wait(0.05):
                return

    loading = threading.Thread(target=load)
    loading.start()
    try:
        with new_target.following():
            wait_for(
                lambda: any(
                    isinstance(each, Applied) and each.state.lag == 0 for each in new_target.said
                ),
                "it did not catch up",
            )
            seam = new_target.state.cursor.number
            wait_for(lambda: new_target.state.cursor.number > seam + 5, "it stopped after the seam")
            stop.set()
            loading.join()
            wait_for(lambda: new_target.is_at_head, "it did not reach the head")
    finally:
        stop.set()
        loading.join()
    new_target.assert_equal()
    clean = targets.make(kind)
    clean.sync()
    assert digest_of(clean) == digest_of(new_target)


ENTRIES, AT_ONCE = 10_000, 400


def test_block__of_ten_thousand_entries__is_taken_in_one_commit(
    targets: Targets, ledger: Ledger
) -> None:
    """On both databases in one go: such a block is dear to make."""
    mirrors = [targets.make(kind) for kind in ("sqlite", "postgresql")]
    for each in mirrors:
        each.through(ledger.anvil.url, patience=Patience(timeout=20.0))
        each.sync()
    calls = ledger.anvil.rpc.call
    snapshot = calls("evm_snapshot")
    limit = calls("eth_getBlockByNumber", "latest", False)["gasLimit"]
    calls("evm_setBlockGasLimit", hex(2_000_000_000))
    try:

        def sends() -> list[bytes]:
            return [
                ledger.hold(
                    "issuer",
                    "Credits",
                    ledger.award_call(
                        ONE, [(1 + each % 5, 1) for each in range(AT_ONCE)], ledger.operation()
                    ),
                )
                for _ in range(ENTRIES // AT_ONCE)
            ]

        block = ledger.together(sends)
        for each in mirrors:
            before = each.state
            applied = each.sync()
            assert applied.cursor.number == block == before.cursor.number + 1
            with reading(each.engine) as connection:
                count = select(func.count()).where(entries.c.block_number == block)
                assert connection.execute(count).scalar_one() == ENTRIES
                for row in connection.execute(select(balances)):
                    found = ledger.contracts.credits.balance_of(
                        row.programme_id, row.org_id, at=applied.cursor.hash
                    )
                    assert found == row.balance
        assert digest_of(mirrors[0]) == digest_of(mirrors[1])
    finally:
        calls("evm_setBlockGasLimit", limit)
        assert calls("evm_revert", snapshot)
        ledger.anvil.mine()


def test_event__that_nobody_knows__halts_and_is_taken_by_a_release_that_knows_it(
    target: Target, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = target.state
    nobody = ledger.operation()[:20]
    calldata = encode_appoint("issuer", ONE, nobody, ledger.operation())
    ledger.send("admin", "Authority", calldata)
    with monkeypatch.context() as unknown:
        unknown.setattr(contracts, "ECHOES", {**contracts.ECHOES, "Authority": {}})
        target.followed = contracts.Followed(ledger.deployment)
        target.through(ledger.anvil.url)
        with pytest.raises(LedgerError, match="not known") as refused:
            target.sync()
    target.assert_refused(before, refused.value)
    target.followed = contracts.Followed(ledger.deployment)
    target.through(ledger.anvil.url)
    target.sync()
    target.assert_equal()


def other_genesis(params: list[Any], block: Any) -> Any:
    """The first block is another one, right in itself."""
    if params[0] != "0x0":
        return block
    changed = {**block, "extraData": "0x99"}
    return changed | {"hash": "0x" + header_hash(msgspec.convert(changed, HeaderAnswer)).hex()}


OTHER_CHAINS = {
    "id": ("eth_chainId", lambda params, number: "0x2"),
    "genesis": (BY_NUMBER, other_genesis),
    "code": ("eth_getCode", lambda params, code: code[:-2] + "00"),
}


@pytest.mark.parametrize("what", OTHER_CHAINS)
def test_chain__with_another_id_genesis_or_code__is_refused(
    target: Target, proxy: Proxy, ledger: Ledger, what: str
) -> None:
    before = target.state
    ledger.award(ONE, (1, 1))
    method, lie = OTHER_CHAINS[what]
    proxy.lies[method] = lie
    target.through(proxy.url)
    with pytest.raises((ChainMismatch, CodeMismatch)) as refused:
        target.sync()
    target.assert_refused(before, refused.value)
    target.through(ledger.anvil.url)
    target.sync()
    target.assert_equal()


def test_chain__that_was_reset__is_refused_and_what_was_mirrored_stays(
    target: Target, ledger: Ledger, start_anvil: Callable[..., Anvil]
) -> None:
    """The same address, and another chain behind it, which grows beyond ours."""
    before = target.state
    other = start_anvil()
    other.mine(before.cursor.number + 5)
    target.through(other.url)
    with pytest.raises((ChainMismatch, CodeMismatch)) as refused:
        target.sync()
    target.assert_refused(before, refused.value)
    target.through(ledger.anvil.url)
    target.sync()
    target.assert_equal()
