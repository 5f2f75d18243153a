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
from typing import TYPE_CHECKING, Protocol

from coincurve import PrivateKey, PublicKey

from ledger.chain.keccak import keccak256
from ledger.chain.rlp import EMPTY_LIST, encode_bytes, encode_int, encode_list

if TYPE_CHECKING:
    from ledger.chain.typed_data import TypedMessage

TRANSACTION_TYPE = b"\x02"

CURVE_ORDER = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
"""The order of secp256k1's group (SEC 2, 2.4.1); r and s are below it, a low s is below half."""


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
    """Signs typed messages (EIP-712) for an account that has a key.

    Apart from Signer, since who can sign transactions over a wire need not sign anything else. It
    is given the message and not its hash: who holds a key must be able to see what it signs.
    """

    @property
    def address(self) -> bytes:
        """The account that it signs for, 20 bytes."""
        ...

    def sign_typed_data(self, message: TypedMessage) -> bytes:
        """The signature of the message's digest: r, s and v (27 or 28), 65 bytes, a low s."""
        ...


class KeySigner(Signer, MessageSigner, Protocol):
    """Signs both: what a key's name is opened as (`ledger.chain.keyring`)."""


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

    def sign_typed_data(self, message: TypedMessage) -> bytes:
        """Sign the message's digest."""
        return self.sign_digest(message.digest())

    def sign_digest(self, digest: bytes) -> bytes:
        """Sign a message's digest, as contracts recover it (v is 27 or 28)."""
        signature = self._key.sign_recoverable(digest, hasher=None)
        return signature[:64] + bytes([27 + signature[64]])


def sign(fields: TransactionFields, signer: Signer) -> SignedTransaction:
    """Sign; the result is all that has to be stored before the transaction is broadcast."""
    raw = signer.sign_transaction(fields)
    return SignedTransaction(raw, keccak256(raw), fields.nonce)


def personal_digest(text: str) -> bytes:
    """The digest of a text as `personal_sign` has it (EIP-191, version 0x45)."""
    raw = text.encode("utf-8")
    return keccak256(b"\x19Ethereum Signed Message:\n" + str(len(raw)).encode("ascii") + raw)


def recover_address(digest: bytes, signature: bytes) -> bytes:
    """Who signed a digest: r, s and the parity (0 or 1), 65 bytes.

    Raises ValueError for what is no signature, and for a high s, which contracts refuse (EIP-2).
    """
    r, s = (int.from_bytes(signature[at : at + 32], "big") for at in (0, 32))
    if len(signature) != 65 or signature[64] > 1 or not 0 < r < CURVE_ORDER or s == 0:
        raise ValueError("it is no signature")
    if s > CURVE_ORDER // 2:
        raise ValueError("its s is high")
    try:
        key = PublicKey.from_signature_and_message(signature, digest, hasher=None)
    except Exception as error:
        raise ValueError("it is no signature of anybody") from error
    return address_of(key.format(compressed=False))


def address_of(public_key: bytes) -> bytes:
    """The address of an uncompressed public key (65 bytes, the first one 0x04)."""
    return keccak256(public_key[1:])[12:]


def creation_address(creator: bytes, nonce: int) -> bytes:
    """Where a contract stands that `creator` makes with its transaction number `nonce` (CREATE)."""
    return keccak256(encode_list([encode_bytes(creator), encode_int(nonce)]))[12:]
