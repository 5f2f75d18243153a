"""Keys that are elsewhere: a signer asked over JSON-RPC, as Web3Signer and its like serve it.

`eth_signTransaction` with the fields of EIP-1559, `eth_signTypedData` for messages, `eth_accounts`
to see which keys it has. What comes back is believed in nothing: a transaction is used only if it
is byte for byte the one that was asked for, signed by the account that was asked for, with a low s.
So whoever stands on the wire, or a signer that is set to another chain, can refuse and do no more.

Web3Signer signs for the chain that it was started with (`--chain-id`) and ignores the one in the
request; that, too, is found here. It takes the typed data as a text that holds JSON, and answers
errors with HTTP statuses of 400 and 500. Others (geth, Clef) answer `{raw, tx}`; both are read.
"""

from __future__ import annotations

import json
import weakref
from binascii import unhexlify
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from ledger.chain.addresses import show_address
from ledger.chain.jsonrpc import JsonRpc
from ledger.chain.keccak import keccak256
from ledger.chain.rlp import Item, NotCanonical, decode, decode_int, encode_int, encode_list
from ledger.chain.signers import TRANSACTION_TYPE, TransactionFields, recover_address
from ledger.chain.transport import Patience
from ledger.errors import (
    NodeAnswerTooLarge,
    NodeAnswerUnreadable,
    NodeRefused,
    NodeUnreachable,
    SignerAnswerInvalid,
    SignerRefused,
    SignerUnreachable,
)

if TYPE_CHECKING:
    from ledger.chain.typed_data import TypedMessage

PATIENCE = Patience(attempts=3, timeout=10.0, longest=20.0)
"""A hardware module takes a second; a person who must press a button is not waited for."""

_LOOPBACK = ("127.0.0.1", "::1", "localhost")
_MOST_BYTES = 4 * 1024 * 1024
_METHOD_MISSING = -32601
_FIELD_NAMES = (
    "chain id", "nonce", "maxPriorityFeePerGas", "maxFeePerGas", "gas", "to", "value", "data",
    "access list",
)  # fmt: skip


class _Signed(msgspec.Struct):
    raw: str


_Answer: Any = str | _Signed


class RemoteSigner:
    """Signs with a key that another program holds. Threads may share it.

    Parameters
    ----------
    url: where it is asked; user and password in it are sent as Basic authentication.
    address: the account that it shall sign for, 20 bytes.
    """

    def __init__(self, url: str, address: bytes, *, patience: Patience = PATIENCE) -> None:
        self.address = address
        self._rpc = JsonRpc(url, patience=patience, max_answer=_MOST_BYTES)
        # Whoever holds a signer does not know that this one has connections to close.
        self._closing = weakref.finalize(self, self._rpc.close)

    def __repr__(self) -> str:
        return f"RemoteSigner({show_address(self.address)} at {self.url})"

    @property
    def url(self) -> str:
        """Where it is, for messages: without user, password and path."""
        return self._rpc.url

    @property
    def is_private(self) -> bool:
        """Whether nobody on a network can read what is asked: TLS, or this machine's loopback."""
        parts = urlsplit(self.url)
        return parts.scheme == "https" or parts.hostname in _LOOPBACK

    def close(self) -> None:
        """Close the connections that are kept open; done, too, when nobody holds it any more."""
        self._rpc.close()

    def check(self) -> None:
        """See that it answers and has the key; nothing is signed.

        Raises SignerUnreachable, SignerRefused, SignerAnswerInvalid.
        """
        found: list[str] = self._ask("eth_accounts", (), list[str])
        if _hex(self.address) not in (each.lower() for each in found):
            raise self._invalid(f"it has {len(found)} keys, and not this account's")

    def sign_transaction(self, fields: TransactionFields) -> bytes:
        """Have it signed, and see that it is the very transaction.

        Raises SignerUnreachable, SignerRefused, SignerAnswerInvalid.
        """
        request = {
            "from": _hex(self.address),
            "nonce": hex(fields.nonce),
            "gas": hex(fields.gas_limit),
            "maxFeePerGas": hex(fields.max_fee),
            "maxPriorityFeePerGas": hex(fields.max_priority_fee),
            "value": hex(fields.value),
            "data": _hex(fields.data),
            "chainId": hex(fields.chain_id),
            "type": "0x2",
        }
        if fields.to:
            request["to"] = _hex(fields.to)
        answer: str | _Signed = self._ask("eth_signTransaction", (request,), _Answer)
        raw = self._bytes(answer if isinstance(answer, str) else answer.raw)
        try:
            signer = check_signed(raw, fields)
        except ValueError as error:
            raise self._invalid(f"the transaction: {error}") from error
        self._expect(signer, "the transaction")
        return raw

    def sign_typed_data(self, message: TypedMessage) -> bytes:
        """Have a message signed, and see that the signature is this account's.

        Raises SignerUnreachable, SignerRefused, SignerAnswerInvalid.
        """
        text = json.dumps(message.to_json(), ensure_ascii=False)
        answer: str = self._ask("eth_signTypedData", (_hex(self.address), text), str)
        signature = self._bytes(answer)
        if len(signature) != 65 or signature[64] not in (0, 1, 27, 28):
            raise self._invalid("the message: it is no signature")
        parity = signature[64] % 27
        try:
            signer = recover_address(message.digest(), signature[:64] + bytes([parity]))
        except ValueError as error:
            raise self._invalid(f"the message: {error}") from error
        self._expect(signer, "the message")
        return signature[:64] + bytes([27 + parity])

    def _expect(self, signer: bytes, what: str) -> None:
        if signer != self.address:
            raise self._invalid(f"{what} is signed by {show_address(signer)}, or for other values")

    def _ask(self, method: str, params: Sequence[Any], result_type: Any) -> Any:
        with self._told():
            return self._rpc.ask(method, params, result_type)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Say of a signer what `jsonrpc` says of a node."""
        try:
            yield
        except NodeUnreachable as error:
            problem = error.values["problem"]
            raise SignerUnreachable(url=self.url, problem=problem) from error
        except NodeRefused as error:
            raise SignerRefused(
                url=self.url,
                method=error.values["method"],
                address=show_address(self.address),
                message=str(error.values["message"]).rstrip("."),
                remedy=_remedy(error),
            ) from error
        except NodeAnswerUnreadable as error:
            raise self._invalid(str(error.values["problem"])) from error
        except NodeAnswerTooLarge as error:
            raise self._invalid("its answer is too large") from error

    def _bytes(self, text: str) -> bytes:
        try:
            return unhexlify(text.removeprefix("0x"))
        except ValueError as error:
            raise self._invalid("its answer is not hex") from error

    def _invalid(self, problem: str) -> SignerAnswerInvalid:
        address = show_address(self.address)
        return SignerAnswerInvalid(url=self.url, address=address, problem=problem)


def check_signed(raw: bytes, fields: TransactionFields) -> bytes:
    """Who signed these fields: the address, recovered from the raw transaction (EIP-1559).

    Raises ValueError, naming the field, where the transaction is not exactly the one of `fields`,
    and for a signature that is none or has a high s.
    """
    if raw[:1] != TRANSACTION_TYPE:
        raise ValueError("it is not of type 2 (EIP-1559)")
    try:
        items = decode(raw[1:])
    except NotCanonical as error:
        raise ValueError(f"it is not RLP: {error}") from error
    if not isinstance(items, list) or len(items) != 12:
        raise ValueError("it has not the twelve fields of EIP-1559")
    wanted = [decode(part) for part in fields.parts]
    for name, found, expected in zip(_FIELD_NAMES, items, wanted, strict=False):
        if found != expected:
            raise ValueError(f"its {name} is {_show(found)}, and not {_show(expected)}")
    parity, r, s = (decode_int(item) for item in items[9:])
    if parity > 1 or max(r, s) >> 256:
        raise ValueError("it has no signature")
    signature = r.to_bytes(32, "big") + s.to_bytes(32, "big") + bytes([parity])
    rebuilt = [*fields.parts, *(encode_int(each) for each in (parity, r, s))]
    if TRANSACTION_TYPE + encode_list(rebuilt) != raw:
        raise ValueError("it is not written in the one canonical way")
    digest = keccak256(TRANSACTION_TYPE + encode_list(fields.parts))
    return recover_address(digest, signature)


def _show(item: Item) -> str:
    if isinstance(item, list):
        return f"{len(item)} entries"
    text = "0x" + item.hex()
    return text if len(text) <= 42 else f"{text[:22]}… ({len(item)} bytes)"


def _remedy(error: NodeRefused) -> str:
    if error.values["node_code"] == _METHOD_MISSING:
        return (
            f"See that it serves {error.values['method']} (Web3Signer does in its `eth1` mode); "
            "nothing was signed."
        )
    return "See in its log why, and that it holds this account's key; nothing was signed."


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
