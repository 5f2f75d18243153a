"""From a call to a transaction that a node has: fees, gas, fields, and what a node answers.

Pure steps without a memory: whoever sends for real (the outbox, a deployment) owns the nonces and
stores the signed bytes before `broadcast`. A call that would revert is refused here, by the
contract's own error, and never signed.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from ledger.chain.addresses import show_address
from ledger.chain.headers import HeaderAnswer
from ledger.chain.node_words import Fate, fate_of
from ledger.chain.reverts import refusal_of
from ledger.chain.rpc import BlockName, Node
from ledger.chain.signers import TransactionFields
from ledger.domain.ids import BlockNumber
from ledger.errors import (
    ChainMismatch,
    FeesTooHigh,
    FundsTooLow,
    NodeRefused,
    ReceiptOverdue,
    TransactionTooLarge,
)

MAX_GAS = 16_777_216
"""The most gas that one transaction may use (EIP-7825)."""

GAS_MARGIN = 1.2
"""An estimate holds for one state; what is sent meets another. Unused gas is given back."""

BASE_FEE_MARGIN = 2
"""The base fee can grow by an eighth a block: twice it lasts for six full blocks."""


@dataclass(frozen=True, slots=True)
class Fees:
    """What one unit of gas may cost at most, and what of it goes to the block's maker, in wei."""

    max_fee: int
    max_priority_fee: int


@dataclass(frozen=True, slots=True)
class Call:
    """What a transaction is to do. `to` is empty where `data` creates a contract."""

    sender: bytes
    to: bytes
    data: bytes


@dataclass(frozen=True, slots=True)
class Mined:
    """A transaction that is in a block, and whether it did what it was for."""

    block_number: BlockNumber
    block_hash: bytes
    succeeded: bool
    gas_used: int


class _ReceiptAnswer(msgspec.Struct, rename="camel"):
    gas_used: str
    status: str
    block_number: str | None = None
    block_hash: str | None = None


_GAS_TEXTS = ("gas required exceeds", "out of gas")
_OUT_OF_GAS_TEXTS = (*_GAS_TEXTS, "outofgas")
_REFUSALS = (Fate.POOR, Fate.REJECTED, Fate.TOO_EARLY, Fate.UNKNOWN)
"""Fates that a caller who sends one transaction at a time is told as the node's refusal."""


def read_fees(
    node: Node, header: HeaderAnswer | None = None, *, ceiling: int | None = None
) -> Fees:
    """Fees that a node would take now; zero on a network without fees.

    `header` is the latest block's, asked for where it is not given; one without a base fee counts
    as one whose base fee is zero. `ceiling` is the most wei for one unit of gas: fees that leave
    room for a growing base fee are cut down to it, and FeesTooHigh is raised where not even the
    next block would take it. A ceiling of zero says that the network has no fees.
    """
    latest = header or node.header("latest")
    base_fee = int(latest.base_fee_per_gas or "0x0", 16)
    if base_fee == 0 and (ceiling == 0 or _gas_price(node) == 0):
        return Fees(0, 0)
    try:
        tip = int(node.ask("eth_maxPriorityFeePerGas", (), str), 16)
    except NodeRefused:
        # Not every node has the method; the gas price then is base fee and tip together.
        tip = max(_gas_price(node) - base_fee, 0)
    wanted = BASE_FEE_MARGIN * base_fee + tip
    if ceiling is None:
        return Fees(wanted, tip)
    if base_fee + tip > ceiling:
        raise FeesTooHigh(price=base_fee + tip, ceiling=ceiling)
    return Fees(min(wanted, ceiling), tip)


def _gas_price(node: Node) -> int:
    return int(node.ask("eth_gasPrice", (), str), 16)


def estimate_gas(
    node: Node, call: Call, *, block: BlockName = "latest", most: int = MAX_GAS
) -> int:
    """The gas that a call takes on the state after a block, without a margin.

    `most` is what a transaction may use there. Raises ContractRefused where it would revert,
    TransactionTooLarge where it takes more.
    """
    request = {"from": _hex(call.sender), "data": _hex(call.data)}
    if call.to:
        request["to"] = _hex(call.to)
    shown = hex(block) if isinstance(block, int) else block
    try:
        gas = int(node.ask("eth_estimateGas", (request, shown), str), 16)
    except NodeRefused as error:
        if any(words in str(error.values["message"]).lower() for words in _GAS_TEXTS):
            raise _too_large(f"more than {most}", most) from error
        raise refusal_of(error) from error
    if gas > most:
        raise _too_large(gas, most)
    return gas


def try_call(node: Node, call: Call) -> None:
    """Run a call once on the latest state with as much gas as a transaction may use.

    Raises ContractRefused where it would revert, TransactionTooLarge where that gas is not enough.
    """
    most = min(MAX_GAS, int(node.header("latest").gas_limit, 16))
    request = {
        "from": _hex(call.sender),
        "to": _hex(call.to),
        "data": _hex(call.data),
        "gas": hex(most),
    }
    try:
        node.ask("eth_call", (request, "latest"), str)
    except NodeRefused as error:
        if any(words in str(error.values["message"]).lower() for words in _OUT_OF_GAS_TEXTS):
            raise _too_large(f"more than {most}", most) from error
        raise refusal_of(error) from error


def run_within(node: Node, calls: Sequence[tuple[Call, int]]) -> list[bool]:
    """Whether each call succeeds with this much gas on the latest state, in one request."""
    params = [
        (
            {
                "from": _hex(call.sender),
                "to": _hex(call.to),
                "data": _hex(call.data),
                "gas": hex(gas_limit),
            },
            "latest",
        )
        for call, gas_limit in calls
    ]
    answers = node.ask_each("eth_call", params, str)
    return [not isinstance(answer, NodeRefused) for answer in answers]  # an estimate says why


def _too_large(gas: int | str, most: int) -> TransactionTooLarge:
    bound = " (EIP-7825)" if most == MAX_GAS else ", since a block of this chain has no more"
    return TransactionTooLarge(gas=gas, most=most, bound=bound)


def prepare_transaction(
    node: Node,
    call: Call,
    *,
    chain_id: int,
    nonce: int,
    fees: Fees | None = None,
    ceiling: int | None = None,
    block: BlockName = "latest",
) -> TransactionFields:
    """The fields of a transaction that makes `call`, ready to be signed.

    The gas is estimated on the state after `block`, with a margin that stays within a block's gas
    limit and EIP-7825's; `fees` are the node's where none are given, up to `ceiling` (`read_fees`).
    Raises ChainMismatch where the node serves another chain, ContractRefused, TransactionTooLarge,
    FeesTooHigh, and FundsTooLow where the sender could not pay for all that gas.
    """
    served = node.chain_id()
    if served != chain_id:
        raise ChainMismatch(what="the chain id", found=served, expected=chain_id)
    latest = node.header("latest")
    most = min(MAX_GAS, int(latest.gas_limit, 16))
    gas = estimate_gas(node, call, block=block, most=most)
    if fees is None:
        fees = read_fees(node, latest, ceiling=ceiling)
    fields = TransactionFields(
        chain_id=chain_id,
        nonce=nonce,
        to=call.to,
        data=call.data,
        gas_limit=min(int(gas * GAS_MARGIN), most),
        max_fee=fees.max_fee,
        max_priority_fee=fees.max_priority_fee,
    )
    check_funds(node, call.sender, fields)
    return fields


def check_funds(node: Node, sender: bytes, fields: TransactionFields) -> None:
    """Raise FundsTooLow unless the sender can pay for the transaction at its highest fee."""
    needed = fields.gas_limit * fields.max_fee + fields.value
    if needed == 0:
        return
    balance = node.balance(sender, "latest")
    if balance < needed:
        raise FundsTooLow(address=show_address(sender), balance=balance, needed=needed)


def broadcast(node: Node, raw: bytes) -> Fate:
    """Hand signed bytes to a node; sending the same bytes again does no harm.

    Raises NodeRefused, with the node's words, where none of the known fates is meant.
    """
    try:
        node.send_raw_transaction(raw)
    except NodeRefused as error:
        return classify_refusal(error)
    return Fate.ACCEPTED


def classify_refusal(error: NodeRefused) -> Fate:
    """What a node's refusal of signed bytes means. Raises the refusal itself where it is no fate.

    FundsTooLow is not raised here: only the caller knows the sender and its balance.
    """
    fate = fate_of(str(error.values["message"]))
    if fate in _REFUSALS:
        raise error
    return fate


def find_mined(node: Node, transaction_hash: bytes) -> Mined | None:
    """Where a transaction is in the chain; None while it is in no block."""
    shape: Any = _ReceiptAnswer | None
    found: _ReceiptAnswer | None = node.ask(
        "eth_getTransactionReceipt", (_hex(transaction_hash),), shape
    )
    if found is None or found.block_number is None or found.block_hash is None:
        return None
    return Mined(
        block_number=BlockNumber(int(found.block_number, 16)),
        block_hash=bytes.fromhex(found.block_hash[2:]),
        succeeded=int(found.status, 16) == 1,
        gas_used=int(found.gas_used, 16),
    )


def wait_until_mined(
    node: Node, transaction_hash: bytes, *, seconds: float, interval: float = 0.05
) -> Mined:
    """Ask until the transaction is in a block. Raises ReceiptOverdue after `seconds`."""
    deadline = time.monotonic() + seconds
    while True:
        mined = find_mined(node, transaction_hash)
        if mined is not None:
            return mined
        if time.monotonic() >= deadline:
            raise ReceiptOverdue(transaction_hash=_hex(transaction_hash), seconds=seconds)
        time.sleep(interval)


def is_lack_of_funds(error: NodeRefused) -> bool:
    """Whether a node refused signed bytes because the sender cannot pay."""
    return fate_of(str(error.values["message"])) is Fate.POOR


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
