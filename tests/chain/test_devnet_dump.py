"""Dumps of a real anvil: what is put right in them, and which are refused."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from ledger.chain.devnet_dump import DumpUnfit, read_dump, take_dump
from ledger.chain.devnet_rpc import DevnetRpc
from tests.support.anvil import Anvil

HISTORY = "0x0000f90827f1c53a10cb7a02335b175320002935"


def raw_dump(anvil: Anvil) -> dict[str, Any]:
    dumped = gzip.decompress(bytes.fromhex(anvil.rpc.call("anvil_dumpState")[2:]))
    content: dict[str, Any] = msgspec.json.decode(dumped)
    return content


def written(content: dict[str, Any]) -> bytes:
    return msgspec.json.encode(content)


def number_of(block: dict[str, Any]) -> int:
    return int(block["header"]["number"], 16)


def test_read_dump__of_a_quiet_chain__holds_all_blocks_in_order(fresh_anvil: Anvil) -> None:
    fresh_anvil.send(to=fresh_anvil.accounts[1], value="0x1")
    head = fresh_anvil.mine(3)

    dump = read_dump(written(raw_dump(fresh_anvil)))

    content = msgspec.json.decode(dump.content)
    assert (dump.number, dump.timestamp) == (head.number, head.timestamp)
    assert [number_of(block) for block in content["blocks"]] == [0, 1, 2, 3, 4]
    assert len(content["transactions"]) == 1


def test_read_dump__read_again__changes_nothing(fresh_anvil: Anvil) -> None:
    fresh_anvil.mine(2)
    dump = read_dump(written(raw_dump(fresh_anvil)))

    assert read_dump(dump.content) == dump


def test_read_dump__with_the_genesis_of_a_loading_anvil__keeps_the_chains_own(
    fresh_anvil: Anvil,
) -> None:
    fresh_anvil.mine(2)
    content = raw_dump(fresh_anvil)
    ours = read_dump(written(content))
    [genesis] = [block for block in content["blocks"] if number_of(block) == 0]
    strange = {**genesis, "header": {**genesis["header"], "timestamp": "0x1"}}
    content["blocks"] = [strange, *content["blocks"]]

    dump = read_dump(written(content), genesis=ours.genesis)

    assert dump.content == ours.content
    with pytest.raises(DumpUnfit, match="two blocks 0"):
        read_dump(written(content))


def test_read_dump__torn_anywhere__is_refused(fresh_anvil: Anvil) -> None:
    fresh_anvil.mine()
    content = written(raw_dump(fresh_anvil))

    for length in (0, 1, len(content) // 2, len(content) - 1):
        with pytest.raises(DumpUnfit, match="no whole dump"):
            read_dump(content[:length])


def test_read_dump__lacking_a_block__is_refused(fresh_anvil: Anvil) -> None:
    fresh_anvil.mine(3)
    content = raw_dump(fresh_anvil)
    content["blocks"] = [block for block in content["blocks"] if number_of(block) != 2]

    with pytest.raises(DumpUnfit, match="lacks blocks"):
        read_dump(written(content))


def test_read_dump__with_accounts_of_another_block__is_refused(fresh_anvil: Anvil) -> None:
    fresh_anvil.mine(3)
    earlier = raw_dump(fresh_anvil)
    fresh_anvil.mine()
    later = raw_dump(fresh_anvil)

    with pytest.raises(DumpUnfit, match="ahead of block 3"):
        read_dump(written({**earlier, "accounts": later["accounts"]}))
    with pytest.raises(DumpUnfit, match="behind block 4"):
        read_dump(written({**later, "accounts": earlier["accounts"]}))


def test_read_dump__taken_while_a_block_was_put_in_place__is_refused(fresh_anvil: Anvil) -> None:
    fresh_anvil.mine(2)
    earlier = raw_dump(fresh_anvil)
    fresh_anvil.mine()

    with pytest.raises(DumpUnfit, match="half way between blocks 2 and 3"):
        read_dump(written({**raw_dump(fresh_anvil), "block": earlier["block"]}))


def test_read_dump__with_blocks_mined_meanwhile__drops_them(fresh_anvil: Anvil) -> None:
    fresh_anvil.mine(2)
    earlier = raw_dump(fresh_anvil)
    fresh_anvil.send(to=fresh_anvil.accounts[1], value="0x1")
    later = raw_dump(fresh_anvil)
    grown = {key: later[key] for key in ("blocks", "transactions")}

    dump = read_dump(written({**earlier, **grown}))

    assert dump.number == 2
    assert msgspec.json.decode(dump.content)["transactions"] == []


def hash_of(number: int) -> str:
    return f"0x{number + 1:064x}"


def made_dump(*, head: int, accounts_at: int) -> bytes:
    """A dump as anvil would write it, of a chain that is too long to mine in a test."""
    # Each block n leaves its parent's hash in slot (n - 1) % 8191 (EIP-2935).
    slots = {(n - 1) % 8191: hash_of(n - 1) for n in range(1, accounts_at + 1)}
    storage = {f"0x{slot:064x}": value for slot, value in slots.items()}
    blocks = [
        {"header": {"number": hex(n), "timestamp": hex(n), "parentHash": hash_of(n - 1)}}
        for n in range(head + 1)
    ]
    return written(
        {
            "block": {"number": hex(head), "timestamp": "0x1"},
            "accounts": {HISTORY: {"storage": storage}},
            "best_block_number": head,
            "blocks": blocks,
            "transactions": [],
            "historical_states": None,
        }
    )


def test_read_dump__of_block_0_with_accounts_of_block_1__is_refused() -> None:
    assert read_dump(made_dump(head=0, accounts_at=0)).number == 0

    with pytest.raises(DumpUnfit, match="ahead"):
        read_dump(made_dump(head=0, accounts_at=1))


@pytest.mark.parametrize("head", [1, 8190, 8191, 8192, 16383])
def test_read_dump__around_the_end_of_the_history_ring__knows_the_moment(head: int) -> None:
    assert read_dump(made_dump(head=head, accounts_at=head)).number == head

    with pytest.raises(DumpUnfit, match="ahead"):
        read_dump(made_dump(head=head, accounts_at=head + 1))
    with pytest.raises(DumpUnfit, match="behind"):
        read_dump(made_dump(head=head, accounts_at=head - 1))


def test_take_dump__while_blocks_are_mined_without_pause__is_of_one_moment(
    fresh_anvil: Anvil,
) -> None:
    sender = fresh_anvil.accounts[0]
    done = threading.Event()

    def send_on() -> None:
        with DevnetRpc(fresh_anvil.url) as rpc:
            while not done.is_set():
                rpc.call("eth_sendTransaction", {"from": sender, "to": sender, "value": "0x1"})

    thread = threading.Thread(target=send_on)
    thread.start()
    try:
        dumps = [take_dump(fresh_anvil.rpc, genesis=None) for _ in range(10)]
    finally:
        done.set()
        thread.join()

    for dump in dumps:
        content = msgspec.json.decode(dump.content)
        assert content["accounts"][sender]["nonce"] == len(content["transactions"])
    assert dumps[-1].number > dumps[0].number
    assert fresh_anvil.rpc.call("anvil_getAutomine") is True


class RestlessRpc(DevnetRpc):
    """A line to an anvil that mines within each dump, for as long as it mines at all."""

    def call(self, method: str, *params: Any) -> Any:
        if method != "anvil_dumpState" or not super().call("anvil_getAutomine"):
            return super().call(method, *params)
        earlier = msgspec.json.decode(self._dumped())
        super().call("evm_mine")
        later = msgspec.json.decode(self._dumped())
        torn = written({**earlier, "accounts": later["accounts"]})
        return "0x" + gzip.compress(torn).hex()

    def _dumped(self) -> bytes:
        return gzip.decompress(bytes.fromhex(super().call("anvil_dumpState")[2:]))


def test_take_dump__where_no_dump_is_of_one_moment__holds_mining_back(
    fresh_anvil: Anvil,
) -> None:
    with RestlessRpc(fresh_anvil.url) as rpc:
        dump = take_dump(rpc, genesis=None)

        assert dump.number == rpc.head().number > 0
        assert rpc.call("anvil_getAutomine") is True


def test_take_dump__of_a_chain_that_does_not_mine__leaves_it_so(
    start_anvil: Callable[..., Anvil],
) -> None:
    anvil = start_anvil("--no-mining")
    anvil.mine()

    take_dump(anvil.rpc, genesis=None)

    assert anvil.rpc.call("anvil_getAutomine") is False
