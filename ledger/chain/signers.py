"""Who signs: something that has an address and turns the fields of a transaction into signed bytes.

The fields are those of an EIP-1559 transaction and nothing else, so that a signer behind a wire
(a hardware module, Web3Signer) can take the place of a key in this process. A signature is
deterministic (RFC 6979) with a low s (EIP-2), so signing the same fields twice gives the same hash.

coincurve signs in 0.1 ms; eth-account takes ten times that, and two seconds to import. It is the
oracle in the tests.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from typing import Protocol

from coincurve import PrivateKey

from ledger.chain.keccak import keccak256
from ledger.chain.rlp import EMPTY_LIST, encode_bytes, encode_int, encode_list

TRANSACTION_TYPE = b"\x02"


@dataclass(frozen=True, slots=True)
class TransactionFields:
    """An EIP-1559 transaction before it is signed; fees in wei for one unit of gas.

    `to` is empty where the transaction creates a contract from `data`.
    """

    chain_id: int
    nonce: int
    to: bytes
    data: bytes
    gas_limit: int
    max_fee: int
    max_priority_fee: int
    value: int = 0

    @property
    def parts(self) -> list[bytes]:
        """The fields in RLP, in the order of EIP-1559; the access list is empty."""
        return [
            encode_int(self.chain_id),
            encode_int(self.nonce),
            encode_int(self.max_priority_fee),
            encode_int(self.max_fee),
            encode_int(self.gas_limit),
            encode_bytes(self.to),
            encode_int(self.value),
            encode_bytes(self.data),
            EMPTY_LIST,
        ]


@dataclass(frozen=True, slots=True)
class SignedTransaction:
    """What is kept before it is sent: the raw bytes, their hash, and the nonce they use."""

    raw: bytes
    hash: bytes
    nonce: int


class Signer(Protocol):
    """Holds a key, or reaches whoever holds it."""

    @property
    def address(self) -> bytes:
        """The account that it signs for, 20 bytes."""
        ...

    def sign_transaction(self, fields: TransactionFields) -> bytes:
        """The signed transaction as it is broadcast."""
        ...


class MessageSigner(Protocol):
    """Signs the digests of typed messages for an account that has a key.

    Apart from Signer, since who can sign transactions over a wire need not sign anything else.
    """

    @property
    def address(self) -> bytes:
        """The account that it signs for, 20 bytes."""
        ...

    def sign_digest(self, digest: bytes) -> bytes:
        """The signature over 32 bytes: r, s and v (27 or 28), 65 bytes, with a low s."""
        ...


class LocalSigner:
    """Signs with a private key (32 bytes) that this process holds in memory."""

    __slots__ = ("_key", "address")

    def __init__(self, private_key: bytes) -> None:
        self._key = PrivateKey(private_key)
        self.address = address_of(self._key.public_key.format(compressed=False))

    def __repr__(self) -> str:
        return f"LocalSigner(0x{self.address.hex()})"

    def derive(self, label: bytes) -> LocalSigner:
        """The signer of another key, which follows from this one and a label (HMAC-SHA-256).

        Who has this key has all that follow from it; none of them tells anything about another.
        """
        message = b"moonlake derived key\n" + label
        return LocalSigner(hmac.digest(self._key.secret, message, "sha256"))

    def sign_transaction(self, fields: TransactionFields) -> bytes:
        """Sign the fields' hash and append the signature."""
        parts = fields.parts
        digest = keccak256(TRANSACTION_TYPE + encode_list(parts))
        signature = self._key.sign_recoverable(digest, hasher=None)
        parity = encode_int(signature[64])
        r = encode_int(int.from_bytes(signature[:32], "big"))
        s = encode_int(int.from_bytes(signature[32:64], "big"))
        return TRANSACTION_TYPE + encode_list([*parts, parity, r, s])

    def sign_digest(self, digest: bytes) -> bytes:
        """Sign a message's digest, as contracts recover it (v is 27 or 28)."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([27 + signature[64]])


def sign(fields: TransactionFields, signer: Signer) -> SignedTransaction:
    """Sign; the result is all that has to be stored before the transaction is broadcast."""
    raw = signer.sign_transaction(fields)
    return SignedTransaction(raw, keccak256(raw), fields.nonce)


def address_of(public_key: bytes) -> bytes:
    """The address of an uncompressed public key (65 bytes, the first one 0x04)."""
    return keccak256(public_key[1:])[12:]


def creation_address(creator: bytes, nonce: int) -> bytes:
    """Where a contract stands that `creator` makes with its transaction number `nonce` (CREATE)."""
    return keccak256(encode_list([encode_bytes(creator), encode_int(nonce)]))[12:]
