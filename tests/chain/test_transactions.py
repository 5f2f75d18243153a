"""Transactions of every type proved on a real chain, and refused once anything is altered."""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest
from eth_account import Account

from ledger.chain.headers import Header, check_header
from ledger.chain.keccak import keccak256
from ledger.chain.rpc import Node
from ledger.chain.transactions import (
    AccessAnswer,
    AuthorizationAnswer,
    BlockAnswer,
    Transaction,
    TransactionAnswer,
    check_raw_transactions,
    check_transactions,
    encode_transaction,
)
from ledger.errors import NotProved
from tests.chain.altering import altered, field_names, leaves, read_as
from tests.chain.varied_chain import VariedChain
from tests.support.anvil import Anvil

READ = field_names(TransactionAnswer, AccessAnswer, AuthorizationAnswer)
UNSIGNED = {
    "0x0": {"chainId"},
    "0x1": {"v"},
    "0x2": {"v", "gasPrice"},
    "0x4": {"v", "gasPrice"},
}
"""What nodes say beside the fields that a type signs: a legacy transaction's chain id (it is in
its `v`), `v` beside `yParity`, the price paid beside the two that were offered. We use none."""


def block(chain: VariedChain, number: int) -> tuple[Header, Any]:
    return chain.header(number), chain.raw("eth_getBlockByNumber", hex(number), True)


def prove(header: Header, answer: Any) -> list[Transaction]:
    return check_transactions(header, read_as(answer, BlockAnswer).transactions)


def test_check_transactions__of_a_real_chain__gives_the_hashes_that_the_node_says(
    varied_chain: VariedChain,
) -> None:
    types = set()
    for number in varied_chain.numbers:
        header, answer = block(varied_chain, number)
        proved = prove(header, answer)
        said = [each["hash"] for each in answer["transactions"]]
        types |= {each["type"] for each in answer["transactions"]}
        assert ["0x" + each.hash.hex() for each in proved] == said
        assert check_raw_transactions(header, [each.raw for each in proved]) == proved
    assert types == {"0x0", "0x1", "0x2", "0x4"}


def test_check_transactions__their_bytes__are_what_their_senders_signed(
    varied_chain: VariedChain,
) -> None:
    header, answer = block(varied_chain, varied_chain.many_types)
    for transaction, said in zip(prove(header, answer), answer["transactions"], strict=True):
        sender = Account.recover_transaction(transaction.raw)
        assert sender.lower() == said["from"]


def test_encode_transaction__of_a_blob__has_the_hash_that_anvil_gave_it() -> None:
    """Static, because a blob takes ten seconds to sign; and anvil's root covers its sidecar."""
    blob = TransactionAnswer(
        type="0x3",
        chain_id="0x7a69",
        nonce="0x4",
        gas="0x7a120",
        max_fee_per_gas="0x2540be400",
        max_priority_fee_per_gas="0x1",
        to="0x70997970c51812dc3a010c7d01b50e0d17dc79c8",
        value="0x1",
        access_list=[],
        blob_versioned_hashes=[
            "0x010657f37554c781402a22917dee2f75def7ab966d7b770905398eba3c444014"
        ],
        max_fee_per_blob_gas="0x2540be400",
        input="0x",
        r="0xfc1ee36a595821c556a4073a515dcc4616524c772ac833d1cf609892303a369f",
        s="0x64c5ec1f41edb0e3cee2cc1627b0e8d3beed38ec0bf736f6399298e718ffa1c7",
        y_parity="0x0",
        hash="0xcd29189b2e039d45e902ba9a4ec91a46eca799ffe6abbab76c845272ee73e8d0",
        block_hash="0x",
        block_number="0x5",
        transaction_index="0x0",
    )
    assert "0x" + keccak256(encode_transaction(blob)).hex() == blob.hash


def test_check_transactions__with_any_value_altered__is_refused(
    varied_chain: VariedChain,
) -> None:
    header, answer = block(varied_chain, varied_chain.many_types)
    transactions = answer["transactions"]
    tried = set()
    for path in leaves(transactions):
        names = [step for step in path if isinstance(step, str)]
        if not READ.issuperset(names):
            continue
        if len(names) == 1 and names[0] in UNSIGNED[transactions[path[0]]["type"]]:
            continue
        with pytest.raises(NotProved):
            prove(header, answer | {"transactions": altered(transactions, path)})
        tried.add(names[-1])
    # Of lists, the elements were altered; blobs have a test of their own.
    lists = {"accessList", "authorizationList", "blobVersionedHashes", "maxFeePerBlobGas"}
    assert READ - tried <= lists


CHANGES: dict[str, Callable[[list[Any]], list[Any]]] = {
    "one is missing": lambda given: given[:-1],
    "the first is missing": lambda given: given[1:],
    "none is given": lambda given: [],
    "one is twice": lambda given: [*given, given[-1]],
    "two are swapped": lambda given: [given[1], given[0], *given[2:]],
}


@pytest.mark.parametrize("change", CHANGES)
def test_check_transactions__of_another_list__are_refused(
    varied_chain: VariedChain, change: str
) -> None:
    header, answer = block(varied_chain, varied_chain.many_types)
    changed = answer | {"transactions": CHANGES[change](answer["transactions"])}
    with pytest.raises(NotProved):
        prove(header, changed)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("type", "0x7e"),
        ("type", "zz"),
        ("nonce", "0x-1"),
        ("value", "much"),
        ("to", "0x1"),
        ("input", "0xzz"),
        ("r", "0x"),
        ("maxFeePerGas", None),
        ("chainId", None),
        ("transactionIndex", "0x63"),
        ("blockNumber", "0x63"),
    ],
)
def test_check_transactions__with_an_odd_value__is_refused_without_another_error(
    varied_chain: VariedChain, field: str, value: str | None
) -> None:
    header, answer = block(varied_chain, varied_chain.many_types)
    changed = copy.deepcopy(answer)
    changed["transactions"][2][field] = value
    with pytest.raises(NotProved) as caught:
        prove(header, changed)
    assert caught.value.values["block"] == varied_chain.many_types


def test_check_raw_transactions__with_an_empty_one__are_refused(
    varied_chain: VariedChain,
) -> None:
    with pytest.raises(NotProved):
        check_raw_transactions(varied_chain.header(varied_chain.many_types), [b""])


def test_check_transactions__of_an_impersonated_sender__is_refused(fresh_anvil: Anvil) -> None:
    nobody = "0x" + "11" * 20
    fresh_anvil.rpc.call("anvil_impersonateAccount", nobody)
    fresh_anvil.rpc.call("anvil_setBalance", nobody, hex(10**18))
    fresh_anvil.send(**{"from": nobody, "to": nobody})
    with Node(fresh_anvil.url) as node:
        answer = node.block("latest")
        with pytest.raises(NotProved, match="given the hash"):
            check_transactions(check_header(answer), answer.transactions)
