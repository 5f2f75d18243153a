"""From a call to a transaction in a block, on a real node; and what other nodes say."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from ledger.chain.contracts.credits import encode_award
from ledger.chain.rpc import Node
from ledger.chain.sending import (
    MAX_GAS,
    Call,
    Fate,
    Fees,
    broadcast,
    classify_refusal,
    estimate_gas,
    find_mined,
    is_lack_of_funds,
    prepare_transaction,
    read_fees,
    wait_until_mined,
)
from ledger.chain.signers import LocalSigner, TransactionFields, sign
from ledger.domain.commands import Award
from ledger.errors import FundsTooLow, NodeRefused, ReceiptOverdue, TransactionTooLarge
from tests.support.anvil import Anvil
from tests.support.ledger import CATEGORY, MEMBER, PROGRAMME, Ledger

POOR = LocalSigner(b"\x11" * 32)
SOMEBODY = b"\xac" * 20


def award(ledger: Ledger) -> tuple[bytes, TransactionFields]:
    """Calldata of a small award, and the fields of its transaction."""
    calldata = encode_award(PROGRAMME, [Award(MEMBER, 1, CATEGORY)], ledger.operation())
    return calldata, ledger.prepare(ledger.contracts.credits.address, calldata)


def test_sending__of_the_same_bytes_again__does_no_harm(ledger: Ledger) -> None:
    node, rpc = ledger.node, ledger.anvil.rpc
    _, fields = award(ledger)
    signed = sign(fields, ledger.officer)
    other = sign(replace(fields, to=SOMEBODY, data=b"", gas_limit=21_000), ledger.officer)
    rpc.call("evm_setAutomine", False)
    try:
        assert broadcast(node, signed.raw) is Fate.ACCEPTED
        assert find_mined(node, signed.hash) is None
        assert broadcast(node, signed.raw) is Fate.KNOWN
        assert broadcast(node, other.raw) is Fate.UNDERPRICED
        with pytest.raises(ReceiptOverdue):
            wait_until_mined(node, signed.hash, seconds=0)
        ledger.anvil.mine()
    finally:
        rpc.call("evm_setAutomine", True)

    mined = wait_until_mined(node, signed.hash, seconds=30)
    assert mined.succeeded
    assert broadcast(node, signed.raw) in (Fate.NONCE_TOO_LOW, Fate.KNOWN)
    assert broadcast(node, other.raw) is Fate.NONCE_TOO_LOW
    assert find_mined(node, other.hash) is None


def test_sending__with_a_fee_below_the_base_fee__is_underpriced(ledger: Ledger) -> None:
    _, fields = award(ledger)
    cheap = sign(replace(fields, max_fee=1, max_priority_fee=1), ledger.officer)

    assert broadcast(ledger.node, cheap.raw) is Fate.UNDERPRICED


def test_sending__for_another_chain__is_refused_with_the_nodes_words(ledger: Ledger) -> None:
    _, fields = award(ledger)

    with pytest.raises(NodeRefused, match="chain"):
        broadcast(ledger.node, sign(replace(fields, chain_id=1), ledger.officer).raw)


def test_sending__without_coin__is_told_apart_by_the_nodes_words(ledger: Ledger) -> None:
    _, fields = award(ledger)

    with pytest.raises(NodeRefused) as caught:
        broadcast(ledger.node, sign(replace(fields, nonce=0), POOR).raw)

    assert is_lack_of_funds(caught.value)


def test_preparing__by_an_account_without_coin__says_what_is_missing(ledger: Ledger) -> None:
    call = Call(POOR.address, SOMEBODY, b"")

    with pytest.raises(FundsTooLow) as caught:
        prepare_transaction(ledger.node, call, chain_id=31337, nonce=0)

    assert caught.value.values["balance"] == 0
    assert caught.value.values["needed"] >= 21_000


def test_preparing__on_a_network_without_fees__needs_no_coin(
    start_anvil: Callable[..., Anvil],
) -> None:
    node = Node(start_anvil("--base-fee", "0", "--gas-price", "0", accounts=0).url)
    try:
        call = Call(POOR.address, SOMEBODY, b"")
        fields = prepare_transaction(node, call, chain_id=31337, nonce=0, fees=Fees(0, 0))
        signed = sign(fields, POOR)

        assert (fields.max_fee, fields.max_priority_fee) == (0, 0)
        assert broadcast(node, signed.raw) is Fate.ACCEPTED
        assert wait_until_mined(node, signed.hash, seconds=30).succeeded
    finally:
        node.close()


def test_fees__of_a_node__cover_a_growing_base_fee(ledger: Ledger) -> None:
    base_fee = int(ledger.node.header("latest").base_fee_per_gas or "", 16)

    fees = read_fees(ledger.node)

    assert fees.max_fee == 2 * base_fee + fees.max_priority_fee


def test_gas__of_a_call_beyond_the_cap__is_refused_before_signing(ledger: Ledger) -> None:
    sender = ledger.officer.address
    endless = Call(sender, b"", bytes.fromhex("5b600056"))
    long = Call(sender, SOMEBODY, b"\xff" * 450_000)

    for call in (endless, long):
        with pytest.raises(TransactionTooLarge) as caught:
            estimate_gas(ledger.node, call)
        assert caught.value.values["most"] == MAX_GAS


def test_gas__of_what_is_prepared__has_a_margin_within_the_cap(ledger: Ledger) -> None:
    calldata, fields = award(ledger)
    almost = Call(ledger.officer.address, SOMEBODY, b"\xff" * 400_000)
    large = prepare_transaction(ledger.node, almost, chain_id=31337, nonce=0)

    mined = ledger.do(ledger.contracts.credits.address, calldata)

    assert 1.1 * mined.gas_used < fields.gas_limit < 1.5 * mined.gas_used
    assert large.gas_limit == MAX_GAS


@pytest.mark.parametrize(
    ("message", "fate"),
    [
        ("already known", Fate.KNOWN),  # geth, Reth
        ("Known transaction", Fate.KNOWN),  # Besu
        ("transaction already imported", Fate.KNOWN),  # anvil
        ("AlreadyKnown", Fate.KNOWN),  # Nethermind
        ("ALREADY_EXISTS: already known", Fate.KNOWN),  # Erigon
        ("nonce too low: next nonce 5, tx nonce 3", Fate.NONCE_TOO_LOW),
        ("Nonce too low", Fate.NONCE_TOO_LOW),
        ("OldNonce, Current nonce: 5, nonce of rejected tx: 3", Fate.NONCE_TOO_LOW),
        ("replacement transaction underpriced", Fate.UNDERPRICED),
        ("transaction underpriced: tip needed 1000000, tip permitted 1", Fate.UNDERPRICED),
        ("Replacement transaction underpriced", Fate.UNDERPRICED),
        ("Gas price below configured minimum gas price", Fate.UNDERPRICED),
        ("Gas price below current base fee", Fate.UNDERPRICED),
        ("max fee per gas less than block base fee", Fate.UNDERPRICED),
        ("FeeTooLow, FeePerGas needs to be higher than 7", Fate.UNDERPRICED),
        ("txpool is full", Fate.POOL_FULL),
    ],
)
def test_refusal__in_any_nodes_words__is_classified(message: str, fate: Fate) -> None:
    assert classify_refusal(node_refusal(message)) is fate


@pytest.mark.parametrize(
    "message",
    [
        "insufficient funds for gas * price + value: balance 0, tx cost 1, overshot 1",
        "Upfront cost exceeds account balance",
        "InsufficientFunds, Account balance: 0, cumulative cost: 1",
    ],
)
def test_refusal__for_lack_of_funds__is_no_fate(message: str) -> None:
    assert is_lack_of_funds(node_refusal(message))
    with pytest.raises(NodeRefused):
        classify_refusal(node_refusal(message))


def node_refusal(message: str) -> NodeRefused:
    return NodeRefused(
        url="http://127.0.0.1:1", method="eth_sendRawTransaction", message=message, node_code=-32000
    )
