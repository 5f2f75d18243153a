"""Sign-in with Ethereum: the message of EIP-4361, read to the letter, and who signed it.

The standard's grammar (ABNF) is followed and nothing beside it is taken: no other line ends, no
fields in another order, no address without its checksum. A message that two programs could read in
two ways is how somebody signs in as somebody else. What is read is written again and compared, so
that no byte is passed over.

What a message must say for us (whose domain, which nonce, when) is checked in `check_message`;
that a nonce is used once is for the caller.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from ledger.chain.addresses import show_address
from ledger.chain.rpc import Node
from ledger.chain.signers import personal_digest, recover_address
from ledger.errors import NodeRefused, SignInRefused

MAX_MESSAGE = 4096
"""Characters; a message that a wallet shows to a person is a tenth of it."""

MAX_SIGNATURE = 4096
"""Bytes of a contract wallet's signature, which may hold those of many owners."""

MAX_AGE = 600
"""Seconds after which a message that was issued is too old, whatever it says of its end."""

CLOCK_SKEW = 60
"""Seconds that a signer's clock may be ahead of ours."""

MAGIC = bytes.fromhex("1626ba7e")
"""What a contract answers to a good signature (ERC-1271), which is also the call's selector."""

STATEMENT = "Sign in to the ledger. Signing costs nothing and moves nothing."

_URI = r"[A-Za-z][A-Za-z0-9+.-]*:(?:[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;=]|%[0-9A-Fa-f]{2})*"
_TIME = r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?"
_TIME += r"(?:Z|[+-][0-9]{2}:[0-9]{2})"
_MESSAGE = re.compile(
    r"(?:(?P<scheme>[A-Za-z][A-Za-z0-9+.-]*)://)?"
    r"(?P<domain>[A-Za-z0-9\-._~!$&'()*+,;=:@%\[\]]+)"
    r" wants you to sign in with your Ethereum account:\n"
    r"(?P<address>0x[0-9a-fA-F]{40})\n"
    r"\n"
    r"(?:(?P<statement>[A-Za-z0-9\-._~:/?#\[\]@!$&'()*+,;= ]+)\n)?"
    r"\n"
    rf"URI: (?P<uri>{_URI})\n"
    r"Version: (?P<version>1)\n"
    r"Chain ID: (?P<chain_id>[0-9]{1,20})\n"
    r"Nonce: (?P<nonce>[A-Za-z0-9]{8,128})\n"
    rf"Issued At: (?P<issued_at>{_TIME})"
    rf"(?:\nExpiration Time: (?P<expiration_time>{_TIME}))?"
    rf"(?:\nNot Before: (?P<not_before>{_TIME}))?"
    r"(?:\nRequest ID: (?P<request_id>(?:[A-Za-z0-9\-._~!$&'()*+,;=:@]|%[0-9A-Fa-f]{2})*))?"
    rf"(?:\nResources:(?P<resources>(?:\n- {_URI})*))?",
    re.ASCII,
)
_SIGNATURE = re.compile(r"0x(?:[0-9a-fA-F]{2})+", re.ASCII)


@dataclass(frozen=True, slots=True)
class SignInMessage:
    """A message as it stands; times are as written, and also in seconds since 1970 UTC."""

    text: str
    scheme: str | None
    domain: str
    account: bytes
    uri: str
    chain_id: int
    nonce: str
    issued_at: float
    expires_at: float | None
    not_before: float | None

    def digest(self) -> bytes:
        """What a wallet signs of it (EIP-191, version 0x45), 32 bytes."""
        return personal_digest(self.text)


@dataclass(frozen=True, slots=True)
class Relied:
    """Who relies on a sign-in: its origin, as `https://ledger.example.org`, and its chain."""

    origin: str
    chain_id: int

    @property
    def domain(self) -> str:
        """The origin's authority, which the message must name."""
        return urlsplit(self.origin).netloc


def write_message(
    relied: Relied, account: bytes, nonce: str, *, now: float, statement: str = STATEMENT
) -> str:
    """A message that `check_message` takes, for the account to sign at `now`, seconds since 1970
    UTC."""
    issued_at = datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        f"{relied.domain} wants you to sign in with your Ethereum account:\n"
        f"{show_address(account)}\n\n{statement}\n\n"
        f"URI: {relied.origin}\nVersion: 1\nChain ID: {relied.chain_id}\n"
        f"Nonce: {nonce}\nIssued At: {issued_at}"
    )


def parse_message(text: str) -> SignInMessage:
    """Read a message. Raises SignInRefused for what the standard's grammar does not allow."""
    if len(text) > MAX_MESSAGE:
        raise SignInRefused(problem=f"the message is longer than {MAX_MESSAGE} characters")
    found = _MESSAGE.fullmatch(text)
    if found is None:
        raise SignInRefused(problem="the message is not one of EIP-4361")
    raw = bytes.fromhex(found["address"][2:])
    if show_address(raw) != found["address"]:
        raise SignInRefused(problem="the address has not the checksum of EIP-55")
    if not any(raw):
        raise SignInRefused(problem="the address is nobody's")
    if found["chain_id"] != str(int(found["chain_id"])):
        raise SignInRefused(problem="the chain's id has zeros before it")
    return SignInMessage(
        text=text,
        scheme=found["scheme"],
        domain=found["domain"],
        account=raw,
        uri=found["uri"],
        chain_id=int(found["chain_id"]),
        nonce=found["nonce"],
        issued_at=_time("Issued At", found["issued_at"]),
        expires_at=_optional_time("Expiration Time", found["expiration_time"]),
        not_before=_optional_time("Not Before", found["not_before"]),
    )


def check_message(message: SignInMessage, relied: Relied, *, now: float) -> None:
    """Raise SignInRefused unless the message is meant for us and for now.

    `now` is in seconds since 1970 UTC. Its nonce is not looked at.
    """
    if message.domain != relied.domain:
        raise SignInRefused(problem="the message is for another domain")
    scheme = urlsplit(relied.origin).scheme
    if message.scheme not in (None, scheme):
        raise SignInRefused(problem="the message is for another scheme")
    if message.uri != relied.origin and not message.uri.startswith(relied.origin + "/"):
        raise SignInRefused(problem="the message's URI is another server's")
    if message.chain_id != relied.chain_id:
        raise SignInRefused(problem="the message is for another chain")
    if message.issued_at > now + CLOCK_SKEW:
        raise SignInRefused(problem="the message is issued in the future")
    if message.issued_at < now - MAX_AGE:
        raise SignInRefused(problem=f"the message is older than {MAX_AGE} s")
    if message.expires_at is not None and message.expires_at <= now:
        raise SignInRefused(problem="the message has expired")
    if message.expires_at is not None and message.expires_at <= message.issued_at:
        raise SignInRefused(problem="the message expires before it is issued")
    if message.not_before is not None and message.not_before > now:
        raise SignInRefused(problem="the message is not good yet")


def parse_signature(text: str) -> bytes:
    """The bytes of a signature in 0x hex. Raises SignInRefused."""
    if len(text) > 2 + 2 * MAX_SIGNATURE or not _SIGNATURE.fullmatch(text):
        raise SignInRefused(problem="the signature is not 0x and hex digits")
    return bytes.fromhex(text[2:])


def is_signed_with_key(account: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether the account's own key signed: r, s and v (27 or 28), 65 bytes, a low s (EIP-2)."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        return False
    try:
        found = recover_address(digest, signature[:64] + bytes([signature[64] - 27]))
    except ValueError:
        return False
    return found == account


def is_signed_by_contract(node: Node, account: bytes, digest: bytes, signature: bytes) -> bool:
    """Whether a contract wallet says that the signature is its own (ERC-1271).

    Asked of the latest block: a wallet's owners change. False where there is no contract. Raises
    NodeProblem where the node cannot be asked.
    """
    if not node.code(account, "latest"):
        return False
    padded = signature + bytes(-len(signature) % 32)
    words = (digest, (64).to_bytes(32, "big"), len(signature).to_bytes(32, "big"))
    try:
        answer = node.call(account, MAGIC + b"".join(words) + padded, "latest")
    except NodeRefused:
        return False  # it reverted
    return answer == MAGIC + bytes(28)


def _optional_time(field: str, text: str | None) -> float | None:
    return None if text is None else _time(field, text)


def _time(field: str, text: str) -> float:
    # Python keeps six digits of a second; the grammar (RFC 3339) allows more.
    cut = re.sub(r"(\.[0-9]{6})[0-9]+", r"\1", text)
    try:
        return datetime.fromisoformat(cut).timestamp()
    except (ValueError, OverflowError) as error:
        raise SignInRefused(problem=f"{field} is no time") from error
