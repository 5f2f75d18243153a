"""A voucher: a message that somebody signed, and the file that it travels in.

The file is JSON for people and programs: what the message says, in sentences of both languages; the
message as a wallet shows it (EIP-712); who signed, and the signature. Nothing in it is believed:
the message must be one that our contracts take, in the one form that it has, and the sentences must
be those that follow from it, so that a file cannot say one thing and be signed for another.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ledger.chain.typed_data import MESSAGES, MessageDomain, TypedMessage
from ledger.domain.messages import SignedMessage
from ledger.errors import InvalidFile, InvalidValue, LedgerError
from ledger.services.vouchers.words import describe_message

SCHEMA = "moonlake.voucher/1"

_MEMBERS = frozenset({"schema", "says", "typed_data", "signer", "signature", "proof"})
_MOST_BYTES = 1_000_000
_NAME_PREFIX = "Moonlake "


@dataclass(frozen=True, slots=True)
class Voucher:
    """A signed message. `proof` is what a claim of a share brings beside it (Merkle proof)."""

    message: TypedMessage
    signed: SignedMessage
    proof: tuple[bytes, ...] = ()

    @property
    def contract(self) -> str:
        """The name of the contract that takes it."""
        return self.message.domain.contract

    @property
    def kind(self) -> str:
        """The message's type: `AwardBatch`, `Approval` …."""
        return self.message.primary_type

    @property
    def operation_id(self) -> bytes:
        """By what it counts once: the account's operation, of an applicant its application."""
        values = self.message.values
        found: bytes = values["applicationId" if "applicationId" in values else "operationId"]
        return found

    def describe(self) -> dict[str, Any]:
        """The file's JSON."""
        return {
            "schema": SCHEMA,
            "says": describe_message(self.message),
            "typed_data": self.message.to_json(),
            "signer": "0x" + self.signed.signer.hex(),
            "signature": "0x" + self.signed.signature.hex(),
        } | ({"proof": ["0x" + each.hex() for each in self.proof]} if self.proof else {})


def read_voucher(path: Path) -> Voucher:
    """Read a voucher's file. Raises InvalidFile; signatures are not checked here."""
    try:
        content = path.read_bytes()
    except OSError as error:
        problem = f"it cannot be read: {error.strerror}"
        raise InvalidFile(path=path, line=1, problem=problem) from error
    try:
        return parse_voucher(content)
    except LedgerError as error:
        raise InvalidFile(path=path, line=1, problem=str(error).rstrip(".")) from error


def parse_voucher(content: bytes) -> Voucher:
    """The voucher that a file's content is. Raises InvalidValue and NotFound."""
    if len(content) > _MOST_BYTES:
        raise _unusable("voucher", f"{len(content)} bytes", f"at most {_MOST_BYTES} bytes")
    try:
        found = json.loads(content)
        if not isinstance(found, dict) or found["schema"] != SCHEMA or not found.keys() <= _MEMBERS:
            expected = f"of the schema {SCHEMA}, with its members alone"
            raise _unusable("voucher", "the file", expected)
        message = parse_message(found["typed_data"])
        signed = SignedMessage(
            _hex("signer", found["signer"]),
            message.deadline,
            _hex("signature", found["signature"]),
        )
        proof = tuple(_hex("proof", each) for each in found.get("proof", ()))
        says = found["says"]
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        problem = f"of the schema {SCHEMA} ({type(error).__name__}: {error})"
        raise _unusable("voucher", "the file", problem) from error
    if says != describe_message(message):
        expected = "what the signed message says; it may have been altered to mislead"
        raise _unusable("says", "the file's sentence", expected)
    return Voucher(message, signed, proof)


def parse_message(typed: Mapping[str, Any]) -> TypedMessage:
    """The message of what a wallet shows (EIP-712), in the one form that it has.

    Raises InvalidValue and NotFound.
    """
    try:
        message = _parse_message(typed)
        is_same = message.to_json() == typed
    except (
        ValueError,
        KeyError,
        TypeError,
        AttributeError,
        RecursionError,
        OverflowError,
    ) as error:
        problem = f"a message that a contract takes ({type(error).__name__}: {error})"
        raise _unusable("typed_data", "what was sent", problem) from error
    if not is_same:
        raise _unusable("typed_data", "what was sent", f"the {message.primary_type} as signed")
    return message


def _parse_message(typed: Mapping[str, Any]) -> TypedMessage:
    domain = typed["domain"]
    contract = str(domain["name"]).removeprefix(_NAME_PREFIX)
    kind = typed["primaryType"]
    if kind not in MESSAGES.get(contract, {}):
        raise _unusable("primaryType", f"{contract}.{kind}", "a message that a contract takes")
    types = {
        name: {field["name"]: field["type"] for field in fields}
        for name, fields in typed["types"].items()
    }
    return TypedMessage(
        MessageDomain(contract, domain["chainId"], _hex("contract", domain["verifyingContract"])),
        kind,
        _parse_struct(types, kind, typed["message"]),
    )


def _parse_struct(
    types: Mapping[str, Mapping[str, str]], name: str, values: Mapping[str, Any]
) -> dict[str, Any]:
    return {field: _parse(types, field, kind, values[field]) for field, kind in types[name].items()}


def _parse(types: Mapping[str, Mapping[str, str]], field: str, kind: str, value: Any) -> Any:
    if kind.endswith("[]"):
        return [_parse(types, field, kind.removesuffix("[]"), each) for each in value]
    if kind in types:
        return _parse_struct(types, kind, value)
    if kind == "address" or kind.startswith("bytes"):
        return _hex(field, value)
    if kind.startswith("uint"):
        return int(value) if isinstance(value, str) and value.isdecimal() else value
    return value


def _hex(field: str, text: Any) -> bytes:
    if not isinstance(text, str) or not text.startswith("0x"):
        raise _unusable(field, text, "0x and hex digits")
    try:
        return bytes.fromhex(text[2:])
    except ValueError as error:
        raise _unusable(field, text, "0x and hex digits") from error


def _unusable(field: str, value: object, expected: str) -> InvalidValue:
    return InvalidValue(field=field, value=value, expected=expected)
