"""From a call to a transaction that a node has: fees, gas, fields, and what a node answers.

Pure steps without a memory: whoever sends for real (the outbox, a deployment) owns the nonces and
stores the signed bytes before `broadcast`. A call that would revert is refused here, by the
contract's own error, and never signed.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum, auto
from typing import Any

import msgspec

from ledger.chain.addresses import show_address
from ledger.chain.headers import HeaderAnswer
from ledger.chain.reverts import refusal_of
from ledger.chain.rpc import BlockName, Node
from ledger.chain.signers import TransactionFields
from ledger.domain.ids import BlockNumber
from ledger.errors import FundsTooLow, NodeRefused, ReceiptOverdue, TransactionTooLarge

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


class Fate(Enum):
    """What a node said to a signed transaction that it did not simply refuse."""

    ACCEPTED = auto()
    KNOWN = auto()
    """It has this very transaction already."""
    NONCE_TOO_LOW = auto()
    """A transaction with this nonce is in a block: this one, or another."""
    UNDERPRICED = auto()
    """It has another with this nonce, or wants a higher fee: replace it with higher fees."""
    POOL_FULL = auto()
    """It takes no more now: send the same bytes later."""


# What nodes say, in lower case. geth, Reth and Erigon share geth's texts (core/txpool/errors.go,
# core/error.go); the others are anvil's, Besu's (RpcErrorType) and Nethermind's (AcceptTxResult).
_TEXTS: tuple[tuple[str, Fate], ...] = (
    ("already known", Fate.KNOWN),
    ("alreadyknown", Fate.KNOWN),
    ("known transaction", Fate.KNOWN),
    ("already imported", Fate.KNOWN),
    ("existing tx with same hash", Fate.KNOWN),
    ("nonce too low", Fate.NONCE_TOO_LOW),
    ("oldnonce", Fate.NONCE_TOO_LOW),
    ("nonce below", Fate.NONCE_TOO_LOW),
    ("underpriced", Fate.UNDERPRICED),
    ("feetoolow", Fate.UNDERPRICED),
    ("replacementnotallowed", Fate.UNDERPRICED),
    ("less than block base fee", Fate.UNDERPRICED),
    ("below current base fee", Fate.UNDERPRICED),
    ("below configured minimum gas price", Fate.UNDERPRICED),
    ("pool is full", Fate.POOL_FULL),
    ("txpool is full", Fate.POOL_FULL),
    ("pool overflow", Fate.POOL_FULL),
)
_GAS_TEXTS = ("gas required exceeds", "out of gas")
_POOR_TEXTS = ("insufficient funds", "insufficientfunds", "upfront cost exceeds")


def read_fees(node: Node, header: HeaderAnswer | None = None) -> Fees:
    """Fees that a node would take now; zero on a network without fees.

    `header` is the latest block's, asked for where it is not given.
    """
    latest = header or node.header("latest")
    base_fee = int(latest.base_fee_per_gas or "0x0", 16)
    try:
        tip = int(node.ask("eth_maxPriorityFeePerGas", (), str), 16)
    except NodeRefused:
        # Not every node has the method; the gas price then is base fee and tip together.
        tip = max(int(node.ask("eth_gasPrice", (), str), 16) - base_fee, 0)
    return Fees(BASE_FEE_MARGIN * base_fee + tip, tip)


def estimate_gas(node: Node, call: Call, *, block: BlockName = "latest") -> int:
    """The gas that a call takes on the state after a block, without a margin.

    Raises ContractRefused where it would revert, TransactionTooLarge where it takes more than one
    transaction may use.
    """
    request = {"from": _hex(call.sender), "data": _hex(call.data)}
    if call.to:
        request["to"] = _hex(call.to)
    shown = hex(block) if isinstance(block, int) else block
    try:
        gas = int(node.ask("eth_estimateGas", (request, shown), str), 16)
    except NodeRefused as error:
        if any(words in str(error.values["message"]).lower() for words in _GAS_TEXTS):
            raise TransactionTooLarge(gas=f"more than {MAX_GAS}", most=MAX_GAS) from error
        raise refusal_of(error) from error
    if gas > MAX_GAS:
        raise TransactionTooLarge(gas=gas, most=MAX_GAS)
    return gas


def prepare_transaction(
    node: Node,
    call: Call,
    *,
    chain_id: int,
    nonce: int,
    fees: Fees | None = None,
    block: BlockName = "latest",
) -> TransactionFields:
    """The fields of a transaction that makes `call`, ready to be signed.

    The gas is estimated on the state after `block`, with a margin; `fees` are the node's where
    none are given. Raises ContractRefused, TransactionTooLarge, and FundsTooLow where the sender
    could not pay for all that gas.
    """
    gas = estimate_gas(node, call, block=block)
    most = MAX_GAS
    if fees is None:
        latest = node.header("latest")
        most = min(MAX_GAS, int(latest.gas_limit, 16))
        fees = read_fees(node, latest)
    fields = TransactionFields(
        chain_id=chain_id,
        nonce=nonce,
        to=call.to,
        data=call.data,
        gas_limit=max(gas, min(int(gas * GAS_MARGIN), most)),
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
    text = str(error.values["message"]).lower()
    for words, fate in _TEXTS:
        if words in text:
            return fate
    raise error


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
    text = str(error.values["message"]).lower()
    return any(words in text for words in _POOR_TEXTS)


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
