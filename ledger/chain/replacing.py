"""A transaction in the place of another: the same nonce, higher fees, the same call or none.

Nodes keep the first transaction of a nonce unless another offers a tenth more of both fees (geth's
`PriceBump`, Erigon's and Besu's alike; 10 % each). It refuses to offer more than a ceiling, and has
nothing to offer on a network without fees.
"""

from __future__ import annotations

from dataclasses import replace

from ledger.chain.rlp import decode, decode_int
from ledger.chain.sending import Fees
from ledger.chain.signers import TRANSACTION_TYPE, TransactionFields

BLANK_GAS = 21_000
"""What a transaction without data takes (EIP-2028 and the yellow paper, G_transaction)."""

_STEP = 8
"""An eighth more: above the tenth that nodes ask for, whatever they round."""

_FIELDS = 12


def read_fields(raw: bytes) -> TransactionFields:
    """The fields of an EIP-1559 transaction that we signed."""
    if raw[:1] != TRANSACTION_TYPE:
        raise ValueError("it is not an EIP-1559 transaction")
    parts = decode(raw[1:])
    if not isinstance(parts, list) or len(parts) != _FIELDS:
        raise ValueError("it has not the fields of an EIP-1559 transaction")
    chain_id, nonce, tip, max_fee, gas, to, value, data = (_bytes(part) for part in parts[:8])
    return TransactionFields(
        chain_id=decode_int(chain_id),
        nonce=decode_int(nonce),
        to=to,
        data=data,
        gas_limit=decode_int(gas),
        max_fee=decode_int(max_fee),
        max_priority_fee=decode_int(tip),
        value=decode_int(value),
    )


def raise_fees(offered: Fees, market: Fees, *, ceiling: int) -> Fees | None:
    """Fees that replace `offered`: an eighth more at least, and what the market asks.

    None where that is more than `ceiling` wei for a unit of gas, and where neither has any fee:
    nothing is gained by offering more of nothing.
    """
    if offered.max_fee == 0 and market.max_fee == 0:
        return None
    max_fee = max(_more(offered.max_fee), market.max_fee)
    tip = max(_more(offered.max_priority_fee), market.max_priority_fee)
    raised = Fees(max_fee, min(tip, max_fee))
    return raised if raised.max_fee <= ceiling else None


def with_fees(fields: TransactionFields, fees: Fees) -> TransactionFields:
    """The same transaction at other fees."""
    return replace(fields, max_fee=fees.max_fee, max_priority_fee=fees.max_priority_fee)


def blank(sender: bytes, *, chain_id: int, nonce: int, fees: Fees) -> TransactionFields:
    """A transaction of an account to itself that does nothing but use its nonce."""
    return TransactionFields(
        chain_id=chain_id,
        nonce=nonce,
        to=sender,
        data=b"",
        gas_limit=BLANK_GAS,
        max_fee=fees.max_fee,
        max_priority_fee=fees.max_priority_fee,
    )


def _more(fee: int) -> int:
    return fee + -(-fee // _STEP)


def _bytes(part: object) -> bytes:
    if not isinstance(part, bytes):
        raise ValueError("a field is a list")  # noqa: TRY004  of the transaction, not of the caller
    return part
