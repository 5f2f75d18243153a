"""What a node answers about a real chain, and a node that lies about it."""

from __future__ import annotations

from typing import Any

import pytest
from eth_account import Account

from ledger.chain.headers import check_header
from ledger.chain.keccak import keccak256
from ledger.chain.proofs import prove_slots
from ledger.chain.receipts import check_receipts, read_log
from ledger.chain.rpc import Node
from ledger.chain.transactions import check_transactions
from ledger.errors import (
    NodeAnswerInvalid,
    NodeAnswerUnreadable,
    NodeLacksBlock,
    NodeRefused,
    NotProved,
)
from tests.chain.fake_node import FakeNode
from tests.chain.varied_chain import KEY, VariedChain
from tests.support.anvil import Anvil

UNKNOWN = b"\x99" * 32


def test_node__of_a_real_chain__answers_all_that_we_ask(varied_chain: VariedChain) -> None:
    node, emitter = varied_chain.node, varied_chain.emitter
    last = varied_chain.numbers[-1]
    header = check_header(node.header(last))
    assert node.chain_id() == 31337
    assert node.block_number() == header.number == last
    assert node.header(header.hash).hash == node.header("latest").hash == "0x" + header.hash.hex()
    assert [int(each.number, 16) for each in node.headers([1, 0, 2])] == [1, 0, 2]
    whole = [node.block(last), node.block(header.hash), *node.blocks([header.hash])]
    assert {each.hash for each in whole} == {"0x" + header.hash.hex()}
    for block in ("latest", last, header.hash):
        assert node.code(emitter, block).startswith(b"\x61")
        assert node.code(bytes(20), block) == b""
        assert node.call(emitter, b"", block) == b""
        assert node.balance(emitter, block) == 0
        assert node.nonce(emitter, block) == 1
    (receipts,) = node.receipts([header.hash])
    hashes = [each.hash for each in check_transactions(header, whole[0].transactions)]
    assert check_receipts(header, receipts, hashes) == []


def test_node__asked_for_slots_of_several_accounts__gives_each_in_its_place(
    varied_chain: VariedChain,
) -> None:
    node, emitter, last = varied_chain.node, varied_chain.emitter, varied_chain.numbers[-1]
    places = [(bytes(20), bytes(32)), (emitter, bytes(32)), (emitter, b"\x01" * 32)]
    assert node.storage(places, last) == [bytes(32), (1).to_bytes(32, "big"), bytes(32)]
    header = check_header(node.header(last))
    proofs = node.proofs([bytes(20), emitter], [bytes(32)], header.hash)
    assert prove_slots(header, bytes(20), [bytes(32)], proofs[0]) == [bytes(32)]
    assert prove_slots(header, emitter, [bytes(32)], proofs[1]) == [(1).to_bytes(32, "big")]


def test_node__asked_for_logs__gives_those_of_the_contracts_and_topics(
    varied_chain: VariedChain,
) -> None:
    node, last = varied_chain.node, varied_chain.numbers[-1]
    ours = [read_log(log) for log in node.logs(0, last, [varied_chain.emitter])]
    assert ours
    assert {log.address for log in ours} == {varied_chain.emitter}
    topic = b"\x11" * 32
    chosen = [read_log(log) for log in node.logs(0, last, [varied_chain.emitter], [topic])]
    assert chosen == [log for log in ours if log.topics[:32] == topic]
    assert node.logs(0, last, [bytes(20)]) == []


def test_node__asked_for_a_block_that_it_lacks__says_so(varied_chain: VariedChain) -> None:
    node = varied_chain.node
    for ask in (
        lambda: node.header(10**6),
        lambda: node.header(UNKNOWN),
        lambda: node.headers([0, 10**6]),
        lambda: node.block(UNKNOWN),
        lambda: node.blocks([UNKNOWN]),
        lambda: node.receipts([UNKNOWN]),
    ):
        with pytest.raises(NodeLacksBlock) as caught:
            ask()
        assert caught.value.values["block"] in (10**6, "0x" + UNKNOWN.hex())


def test_node__that_refuses__is_quoted(varied_chain: VariedChain) -> None:
    with pytest.raises(NodeRefused, match="Method not found") as caught:
        varied_chain.node.ask("eth_nonsense", (), str)
    assert caught.value.values["node_code"] == -32601
    assert caught.value.values["method"] == "eth_nonsense"


def test_node__whose_call_reverts__gives_the_revert_s_data(fresh_anvil: Anvil) -> None:
    reverting = bytes.fromhex("63deadbeef5f526004601cfd")  # reverts with 0xdeadbeef
    deploy = bytes([0x6B]) + reverting + bytes.fromhex("5f52600c6014f3")
    address = fresh_anvil.send(data="0x" + deploy.hex())["contractAddress"]
    with Node(fresh_anvil.url) as node:
        with pytest.raises(NodeRefused) as caught:
            node.call(bytes.fromhex(address[2:]), b"", "latest")
        assert caught.value.values["data"] == "0xdeadbeef"
        assert caught.value.values["node_code"] == 3


def test_send_raw_transaction__signed_by_us__is_mined_under_its_hash(fresh_anvil: Anvil) -> None:
    fields = {"to": Account.from_key(KEY).address, "gas": 21_000, "gasPrice": 10**10}
    raw = bytes(
        Account.sign_transaction(
            {**fields, "value": 1, "nonce": 0, "chainId": 31337}, KEY
        ).raw_transaction
    )
    with Node(fresh_anvil.url) as node:
        assert node.send_raw_transaction(raw) == keccak256(raw)
        assert fresh_anvil.receipt("0x" + keccak256(raw).hex())["status"] == "0x1"
        with pytest.raises(NodeRefused):
            node.send_raw_transaction(raw)


# --- a node that lies ---------------------------------------------------------------------------


def test_blamed__around_what_cannot_be_proved__names_the_node(varied_chain: VariedChain) -> None:
    def lie(params: list[Any], header: Any) -> Any:
        return header | {"stateRoot": "0x" + "00" * 32}

    with FakeNode(upstream=varied_chain.anvil.url) as liar, Node(liar.url) as node:
        liar.lies["eth_getBlockByNumber"] = lie
        with pytest.raises(NodeAnswerInvalid, match="hash") as caught, node.blamed():
            check_header(node.header(2))
        assert caught.value.values["url"] == liar.url
        assert caught.value.values["block"] == 2
        assert isinstance(caught.value.__cause__, NotProved)


@pytest.mark.parametrize("asked", ["by number", "by hash", "among others"])
def test_header__of_another_block_than_asked_for__is_refused_however_right_it_is(
    varied_chain: VariedChain, asked: str
) -> None:
    wanted = {
        "by number": lambda node: node.header(2),
        "by hash": lambda node: node.header(UNKNOWN),
        "among others": lambda node: node.headers([1, 2]),
    }[asked]
    with FakeNode(upstream=varied_chain.anvil.url) as liar, Node(liar.url) as node:
        for method in ("eth_getBlockByNumber", "eth_getBlockByHash"):
            liar.methods[method] = lambda params: varied_chain.raw(
                "eth_getBlockByNumber", "0x1", False
            )
        with pytest.raises(NodeAnswerInvalid, match="in its place"):
            wanted(node)


def test_storage__of_words_that_no_slot_holds__is_unreadable(varied_chain: VariedChain) -> None:
    with FakeNode(upstream=varied_chain.anvil.url) as liar, Node(liar.url) as node:
        liar.methods["eth_getStorageAt"] = lambda params: "0x" + "f" * 10_000
        with pytest.raises(NodeAnswerUnreadable, match="32 bytes"):
            node.storage([(varied_chain.emitter, bytes(32))], "latest")


def test_proof__of_fewer_slots_than_asked_for__is_unreadable(varied_chain: VariedChain) -> None:
    with FakeNode(upstream=varied_chain.anvil.url) as liar, Node(liar.url) as node:
        liar.lies["eth_getProof"] = lambda params, proof: proof | {"storageProof": []}
        with pytest.raises(NodeAnswerUnreadable, match="0 slots"):
            node.proof(varied_chain.emitter, [bytes(32)], "latest")
