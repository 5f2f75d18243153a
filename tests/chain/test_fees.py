"""Fees, gas and coin, all said before anything is signed: on anvil, and on nodes of other kinds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ledger.chain.rpc import Node
from ledger.chain.sending import (
    MAX_GAS,
    Call,
    Fees,
    broadcast,
    prepare_transaction,
    read_fees,
    wait_until_mined,
)
from ledger.chain.signers import LocalSigner, sign
from ledger.errors import ChainMismatch, FeesTooHigh, FundsTooLow, TransactionTooLarge
from tests.chain.fake_node import FakeNode, Refusal
from tests.support.anvil import Anvil

GWEI = 10**9
SENDER = LocalSigner(b"\x12" * 32)
CALL = Call(SENDER.address, b"\xac" * 20, b"")


@pytest.fixture
def altered(anvil: Anvil) -> Iterator[FakeNode]:
    """What anvil says, altered by the test."""
    with FakeNode(upstream=anvil.url) as node:
        node.methods["eth_maxPriorityFeePerGas"] = lambda _params: hex(2 * GWEI)
        node.methods["eth_gasPrice"] = lambda _params: hex(12 * GWEI)
        with_base_fee(node, hex(10 * GWEI))
        yield node


def with_base_fee(node: FakeNode, base_fee: str | None) -> None:
    """Let every header carry this base fee, or none."""

    def alter(_params: list[Any], header: Any) -> Any:
        header = {name: value for name, value in header.items() if name != "baseFeePerGas"}
        return header if base_fee is None else header | {"baseFeePerGas": base_fee}

    node.lies["eth_getBlockByNumber"] = alter


def fees_of(url: str, ceiling: int | None = None) -> Fees:
    with Node(url) as node:
        return read_fees(node, ceiling=ceiling)


def prepare(url: str, call: Call = CALL, **given: Any) -> Any:
    with Node(url) as node:
        return prepare_transaction(node, call, chain_id=31337, nonce=0, **given)


@pytest.mark.parametrize(
    ("ceiling", "expected"),
    [
        (None, Fees(22 * GWEI, 2 * GWEI)),
        (100 * GWEI, Fees(22 * GWEI, 2 * GWEI)),
        (15 * GWEI, Fees(15 * GWEI, 2 * GWEI)),
        (12 * GWEI, Fees(12 * GWEI, 2 * GWEI)),
    ],
)
def test_fees__below_a_ceiling__leave_room_up_to_it(
    altered: FakeNode, ceiling: int | None, expected: Fees
) -> None:
    assert fees_of(altered.url, ceiling) == expected


@pytest.mark.parametrize("ceiling", [12 * GWEI - 1, 1, 0])
def test_fees__above_the_ceiling__are_refused_with_both_figures(
    altered: FakeNode, ceiling: int
) -> None:
    with pytest.raises(FeesTooHigh) as caught:
        fees_of(altered.url, ceiling)

    assert caught.value.values == {"price": 12 * GWEI, "ceiling": ceiling}


@pytest.mark.parametrize("base_fee", [None, "0x0"])
def test_fees__of_a_network_without_fees__are_zero(altered: FakeNode, base_fee: str | None) -> None:
    with_base_fee(altered, base_fee)
    altered.methods["eth_gasPrice"] = lambda _params: "0x0"
    altered.methods["eth_maxPriorityFeePerGas"] = lambda _params: hex(GWEI)

    assert fees_of(altered.url) == Fees(0, 0)
    assert fees_of(altered.url, 0) == Fees(0, 0)
    assert fees_of(altered.url, 200 * GWEI) == Fees(0, 0)


def test_fees__where_only_the_base_fee_is_zero__are_what_the_node_asks(altered: FakeNode) -> None:
    with_base_fee(altered, "0x0")
    altered.methods["eth_gasPrice"] = lambda _params: hex(3 * GWEI)

    assert fees_of(altered.url, 200 * GWEI) == Fees(2 * GWEI, 2 * GWEI)
    assert fees_of(altered.url, 0) == Fees(0, 0)


def test_fees__of_a_node_that_knows_no_tip__come_from_its_gas_price(altered: FakeNode) -> None:
    altered.methods["eth_maxPriorityFeePerGas"] = lambda _params: Refusal(-32601, "no such method")

    assert fees_of(altered.url) == Fees(22 * GWEI, 2 * GWEI)


def test_transaction__on_a_chain_without_fees__needs_no_coin_and_gets_in(
    start_anvil: Callable[..., Anvil],
) -> None:
    url = start_anvil("--base-fee", "0", "--gas-price", "0", accounts=0).url
    fields = prepare(url, ceiling=0)

    assert (fields.max_fee, fields.max_priority_fee) == (0, 0)
    with Node(url) as node:
        signed = sign(fields, SENDER)
        broadcast(node, signed.raw)
        assert wait_until_mined(node, signed.hash, seconds=30).succeeded


def test_coin__too_little__is_said_with_what_there_is_what_is_needed_and_what_is_missing(
    altered: FakeNode,
) -> None:
    altered.methods["eth_getBalance"] = lambda _params: hex(1000)

    with pytest.raises(FundsTooLow) as caught:
        prepare(altered.url)

    values = caught.value.values
    assert values["balance"] == 1000
    assert values["needed"] == int(21_000 * 1.2) * 22 * GWEI
    assert values["missing"] == values["needed"] - 1000
    assert str(values["missing"]) in caught.value.advice


def test_coin__that_just_suffices__is_enough(altered: FakeNode) -> None:
    altered.methods["eth_getBalance"] = lambda _params: hex(int(21_000 * 1.2) * 22 * GWEI)

    assert prepare(altered.url).gas_limit == int(21_000 * 1.2)


def test_chain__other_than_meant__is_refused_before_anything_is_asked_of_it(
    altered: FakeNode,
) -> None:
    altered.methods["eth_chainId"] = lambda _params: "0x1"

    with pytest.raises(ChainMismatch) as caught:
        prepare(altered.url)

    assert (caught.value.values["found"], caught.value.values["expected"]) == (1, 31337)
    assert [method for method, _ in altered.asked] == ["eth_chainId"]


def with_gas(node: FakeNode, *, block: int, estimate: int | Refusal) -> None:
    """Let a block have so much room, and every call need so much."""
    node.lies["eth_getBlockByNumber"] = lambda _params, header: header | {"gasLimit": hex(block)}
    node.methods["eth_estimateGas"] = lambda _params: (
        estimate if isinstance(estimate, Refusal) else hex(estimate)
    )
    node.methods["eth_getBalance"] = lambda _params: hex(10**24)


@pytest.mark.parametrize(
    ("block", "estimate", "limit"),
    [
        (60_000_000, 1_000_000, 1_200_000),
        (60_000_000, 16_000_000, MAX_GAS),
        (60_000_000, MAX_GAS, MAX_GAS),
        (8_000_000, 7_000_000, 8_000_000),
        (8_000_000, 8_000_000, 8_000_000),
    ],
)
def test_gas__has_a_margin_within_the_block_and_within_eip_7825(
    altered: FakeNode, block: int, estimate: int, limit: int
) -> None:
    with_gas(altered, block=block, estimate=estimate)

    assert prepare(altered.url).gas_limit == limit


@pytest.mark.parametrize(
    ("block", "estimate", "said"),
    [
        (60_000_000, MAX_GAS + 1, "need 16777217 gas; one transaction may use 16777216 (EIP-7825)"),
        (8_000_000, 8_000_001, "may use 8000000, since a block of this chain has no more"),
        (
            8_000_000,
            Refusal(-32000, "gas required exceeds allowance (8000000)"),
            "need more than 8000000 gas",
        ),
        (
            60_000_000,
            Refusal(-32000, "gas required exceeds allowance (60000000)"),
            "need more than 16777216 gas",
        ),
    ],
)
def test_gas__beyond_what_a_transaction_may_use__is_said_with_whose_limit_it_is(
    altered: FakeNode, block: int, estimate: int | Refusal, said: str
) -> None:
    with_gas(altered, block=block, estimate=estimate)

    with pytest.raises(TransactionTooLarge) as caught:
        prepare(altered.url)

    assert said in str(caught.value)
    assert "fewer rows" in caught.value.advice
