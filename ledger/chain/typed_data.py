"""Messages that people sign instead of sending transactions: EIP-712, as the contracts check it.

A message names its contract, chain, account, operation and deadline, and says the rest in words
that a wallet shows. The types are written here as the contracts write them; a test compares the
two. The encoder is our own, for the types that occur: eth_account takes two seconds to import and
is the oracle in the tests. It refuses a message that no contract takes and values that do not fit.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Any

from ledger.chain.abi import encode_arguments
from ledger.chain.addresses import show_address
from ledger.chain.artifacts import Parameter
from ledger.chain.keccak import keccak256
from ledger.chain.signers import MessageSigner
from ledger.domain.messages import SignedMessage
from ledger.errors import InvalidValue, NotFound

VERSION = "1"
EXACT_IN_JSON = 2**53 - 1
MAX_VALIDITY = 180 * 24 * 60 * 60
"""Seconds that a message is good for at most, as `SignedMessages.MAX_VALIDITY` has it."""

_SIGNER_PREFIX = b"moonlake.signer"

_CANCELLATION = "Cancellation(address account,bytes32 operationId,uint256 deadline)"
_AWARD_BATCH = (
    "AwardBatch(uint16 programmeId,Award[] awards,"
    "address account,bytes32 operationId,uint256 deadline)"
    "Award(uint32 orgId,uint64 amount,string category,bytes32 evidence)"
)
_APPLICATION = (
    "Application(uint16 programmeId,uint32 orgId,uint8 tier,bytes32 evidence,"
    "address account,bytes32 applicationId,uint256 deadline)"
)
_REDEMPTION = (
    "Redemption(uint16 programmeId,uint32 listingId,uint32 orgId,uint32 quantity,uint64 credits,"
    "address account,bytes32 operationId,uint256 deadline)"
)
_CLAIM = (
    "Claim(uint16 programmeId,uint32 distributionId,uint32 orgId,uint64 amount,"
    "address account,bytes32 operationId,uint256 deadline)"
)
_APPROVAL = (
    "Approval(uint16 programmeId,uint64 proposalId,bytes32 callsHash,"
    "address account,bytes32 operationId,uint256 deadline)"
)
_ROTATION = (
    "Rotation(uint32 orgId,address successor,address account,bytes32 operationId,uint256 deadline)"
)
_ACCEPTANCE = "Acceptance(uint32 orgId,address account,bytes32 operationId,uint256 deadline)"
_OBJECTION = (
    "Objection(uint32 orgId,address successor,address account,bytes32 operationId,uint256 deadline)"
)

_OPERATION_IDS = frozenset({"operationId", "applicationId"})
_TYPE = re.compile(r"(\w+)\(([^)]*)\)")


def _by_name(*types: str) -> Mapping[str, str]:
    return MappingProxyType({each.partition("(")[0]: each for each in (*types, _CANCELLATION)})


MESSAGES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "Organisations": _by_name(_ROTATION, _ACCEPTANCE, _OBJECTION),
        "Memberships": _by_name(_APPLICATION),
        "Credits": _by_name(_AWARD_BATCH),
        "Benefits": _by_name(_REDEMPTION),
        "Shares": _by_name(_CLAIM),
        "Council": _by_name(_APPROVAL),
    }
)
"""The messages that each contract takes: name, and type as EIP-712's `encodeType` gives it."""

_DOMAIN_TYPE = "EIP712Domain(string name,string version,uint256 chainId,address verifyingContract)"


@dataclass(frozen=True, slots=True)
class MessageDomain:
    """Where a message counts: one contract (such as `Credits`) at one address of one chain."""

    contract: str
    chain_id: int
    address: bytes

    @property
    def name(self) -> str:
        """What a wallet shows as the asker: `Moonlake Credits`."""
        return f"Moonlake {self.contract}"

    @property
    def values(self) -> dict[str, Any]:
        """The fields of EIP712Domain."""
        return {
            "name": self.name,
            "version": VERSION,
            "chainId": self.chain_id,
            "verifyingContract": self.address,
        }

    @property
    def separator(self) -> bytes:
        """The domain's hash, 32 bytes."""
        return _hash_struct(_read_types(_DOMAIN_TYPE), "EIP712Domain", self.values)


@dataclass(frozen=True, slots=True)
class TypedMessage:
    """A message before it is signed. `values` are by the type's field names, nested ones as dicts.

    Raises NotFound for a message that the contract does not take, and InvalidValue for values that
    are not of the type or do not fit, and for an operation id that is zero, which no journal takes.
    """

    domain: MessageDomain
    primary_type: str
    values: Mapping[str, Any]

    def __post_init__(self) -> None:
        if self.primary_type not in MESSAGES.get(self.domain.contract, {}):
            raise NotFound(what="message", key=f"{self.domain.contract}.{self.primary_type}")
        self.digest()
        for field in _OPERATION_IDS & self.values.keys():
            if not any(self.values[field]):
                raise InvalidValue(field=field, value="0x" + "00" * 32, expected="other than zero")

    @property
    def type(self) -> str:
        """The type as EIP-712 encodes it, the types that it uses included."""
        return MESSAGES[self.domain.contract][self.primary_type]

    @property
    def account(self) -> bytes:
        """The account that it is signed for, 20 bytes."""
        account: bytes = self.values["account"]
        return account

    @property
    def deadline(self) -> int:
        """The last second in which it is good, since 1970 UTC."""
        deadline: int = self.values["deadline"]
        return deadline

    def digest(self) -> bytes:
        """The 32 bytes that are signed. Raises InvalidValue for a value that does not fit."""
        message = _hash_struct(_read_types(self.type), self.primary_type, self.values)
        return keccak256(b"\x19\x01" + self.domain.separator + message)

    def to_json(self) -> dict[str, Any]:
        """What a wallet's `eth_signTypedData_v4` takes, every value readable."""
        types = _read_types(_DOMAIN_TYPE) | _read_types(self.type)
        return {
            "types": {
                name: [{"name": field, "type": kind} for field, kind in fields.items()]
                for name, fields in types.items()
            },
            "primaryType": self.primary_type,
            "domain": _show(self.domain.values),
            "message": _show(self.values),
        }


def sign_message(message: TypedMessage, signer: MessageSigner, *, now: int) -> SignedMessage:
    """Sign with an account's key; the result is what a `...BySignature` function takes.

    `now` is the chain's time, seconds since 1970 UTC. Raises InvalidValue where the message is
    another account's, which no contract would take, and where it is good for longer than
    MAX_VALIDITY from now: that one would be refused for a while and taken after it, when nobody
    thinks of it any more.
    """
    if message.account != signer.address:
        raise InvalidValue(
            field="account",
            value=show_address(message.account),
            expected=f"the signer's own, {show_address(signer.address)}",
        )
    if message.deadline > now + MAX_VALIDITY:
        raise InvalidValue(
            field="deadline",
            value=message.deadline,
            expected=f"at most {now + MAX_VALIDITY}, {MAX_VALIDITY // 86_400} days from now",
        )
    signature = signer.sign_typed_data(message)
    return SignedMessage(signer.address, message.deadline, signature)


def account_of(signer: bytes) -> bytes:
    """The account that a signer acts as, as `ISignedMessages.accountOf` has it.

    20 bytes are an account; more are a verifier and a key (ERC-7913), hashed behind a prefix so
    that their account is nobody's address. Raises InvalidValue.
    """
    if len(signer) < 20:
        raise InvalidValue(field="signer", value="0x" + signer.hex(), expected="20 bytes or more")
    return signer if len(signer) == 20 else keccak256(_SIGNER_PREFIX + signer)[12:]


@cache
def _read_types(encoded: str) -> dict[str, dict[str, str]]:
    """The fields of each type in an `encodeType` string, the primary type first."""
    return {
        name: dict(reversed(field.split(" ")) for field in fields.split(","))
        for name, fields in _TYPE.findall(encoded)
    }


def _hash_struct(types: Mapping[str, Mapping[str, str]], name: str, values: Any) -> bytes:
    fields = types[name]
    if not isinstance(values, Mapping):
        raise InvalidValue(field=name, value=values, expected="a value for each of its fields")
    if set(values) != set(fields):
        raise InvalidValue(field=name, value=sorted(values), expected=", ".join(fields))
    words = [_encode(types, field, kind, values[field]) for field, kind in fields.items()]
    return keccak256(_type_hash(types, name) + b"".join(words))


def _type_hash(types: Mapping[str, Mapping[str, str]], name: str) -> bytes:
    """The hash of the type and, sorted by name, of those that it uses."""
    used = sorted(_used_by(types, name) - {name})
    written = (
        f"{each}({','.join(f'{kind} {field}' for field, kind in types[each].items())})"
        for each in (name, *used)
    )
    return keccak256("".join(written).encode("ascii"))


def _used_by(types: Mapping[str, Mapping[str, str]], name: str) -> set[str]:
    found = {name}
    for kind in types[name].values():
        inner = kind.removesuffix("[]")
        if inner in types:
            found |= _used_by(types, inner)
    return found


def _encode(types: Mapping[str, Mapping[str, str]], field: str, kind: str, value: Any) -> bytes:
    """One field's 32 bytes: of anything without a fixed size, its hash."""
    if kind.endswith("[]"):
        if not isinstance(value, list | tuple):
            raise InvalidValue(field=field, value=value, expected="a list")
        inner = kind.removesuffix("[]")
        return keccak256(b"".join(_encode(types, field, inner, each) for each in value))
    if kind in types:
        return _hash_struct(types, kind, value)
    if kind == "string":
        if not isinstance(value, str):
            raise InvalidValue(field=field, value=value, expected="text")
        try:
            return keccak256(value.encode("utf-8"))
        except UnicodeEncodeError as error:
            raise InvalidValue(field=field, value=value, expected="text of whole characters") from (
                error
            )
    return encode_arguments([Parameter(field, kind)], [value])


def _show(value: Any) -> Any:
    """A value as JSON and a person can read it; whole numbers that JSON may round as text."""
    if isinstance(value, Mapping):
        return {name: _show(inner) for name, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_show(inner) for inner in value]
    if isinstance(value, bytes):
        return show_address(value) if len(value) == 20 else "0x" + value.hex()
    return str(value) if isinstance(value, int) and value > EXACT_IN_JSON else value
