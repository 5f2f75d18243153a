"""Reads why a contract reverted: the error by its Solidity name, with its values readable.

A node hands over the return data in shapes of its own; all known ones are read here. An error that
no ABI of ours has is shown with its raw data, never guessed at. A mined transaction that failed
keeps no reason; it is asked for by calling again on the state before its block.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from ledger.chain.abi import UndecodableData, decode_arguments
from ledger.chain.addresses import show_address
from ledger.chain.artifacts import BUILT, AbiItem, Parameter, load_artifact
from ledger.chain.refusals import REFUSALS
from ledger.chain.rpc import Node
from ledger.domain.events import EntryKind, MembershipStatus, ProposalStatus, RedemptionStatus
from ledger.domain.keys import decode_key, decode_role
from ledger.errors import ContractRefused, LedgerError, NodeRefused

SELECTOR = 4

NO_REASON = "NoReason"
OUT_OF_GAS = "OutOfGas"
NOT_REPRODUCED = "NotReproduced"

_STANDARD = {
    bytes.fromhex("08c379a0"): AbiItem("error", "Error", (Parameter("message", "string"),)),
    bytes.fromhex("4e487b71"): AbiItem("error", "Panic", (Parameter("code", "uint256"),)),
}

# The Solidity documentation, "Panic via assert and Error via require".
_PANICS = {
    0x00: "a panic that the compiler put in",
    0x01: "a failed assertion",
    0x11: "an arithmetic overflow",
    0x12: "a division by zero",
    0x21: "a number that is no value of its enumeration",
    0x22: "a wrongly encoded byte array in storage",
    0x31: "an element taken from an empty array",
    0x32: "an index beyond an array",
    0x41: "too much memory",
    0x51: "a call of a function that was never set",
}

_ENUMERATIONS = {
    "enum IBenefits.RedemptionStatus": {int(each): each.name.lower() for each in RedemptionStatus},
    "enum ICouncil.Status": {int(status): status.name.lower() for status in ProposalStatus},
    "enum IMemberships.Status": {int(status): status.name.lower() for status in MembershipStatus},
    "enum ICredits.Kind": {0: "none"} | {int(kind): kind.name.lower() for kind in EntryKind},
}

_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_REVERT_WORDS = re.compile(r"revert|VM execution error|VM Exception|invalid opcode", re.IGNORECASE)
_REVERT_CODE = 3
"""geth's code for "execution reverted" with data; anvil, Erigon, Reth and Nethermind follow it."""

_KEYS = ("key", "category", "kind", "reason")
_TIMES = ("schedule", "time", "deadline", "latest", "earliest")
_OF_DURATIONS = ("OrganisationsDelayUnusable",)
_LATEST_TIME = 253_402_300_799  # the end of the year 9999


@dataclass(frozen=True, slots=True)
class FailedTransaction:
    """A transaction that is in a block with status 0; it sent no value."""

    sender: bytes
    to: bytes
    calldata: bytes
    block: int
    gas_used: int
    gas_limit: int


def decode_revert(data: bytes) -> ContractRefused:
    """The contract's refusal from the return data of a reverted call."""
    if not data:
        return ContractRefused(
            name=NO_REASON,
            arguments={},
            meaning="The call was stopped without a reason.",
            hint="Check that the address carries the contract meant and that the gas suffices.",
        )
    item = _errors().get(data[:SELECTOR])
    if item is not None:
        try:
            return _refusal(item, decode_arguments(item.inputs, data[SELECTOR:]))
        except UndecodableData:
            pass  # a stranger's error may have our selector and other values
    return ContractRefused(
        name=_hex(data[:SELECTOR]),
        arguments={"data": _hex(data)},
        meaning="This release does not know the error.",
        hint="Use the release that knows the contract, or look the first four bytes up.",
    )


def is_revert(code: int, message: str) -> bool:
    """Whether a JSON-RPC error says that the call itself reverted."""
    return code == _REVERT_CODE or bool(_REVERT_WORDS.search(message))


def find_revert_data(data: Any, message: str = "") -> bytes:
    """The return data in a JSON-RPC error's `data` member, empty where there are none.

    Known shapes: a hex string (geth, anvil, Erigon, Reth, Besu), "Reverted 0x…" (Nethermind,
    OpenEthereum), an object with `data`, `result`, `output` or `return`, itself nested (Hardhat,
    Ganache), and a message that ends in the data.
    """
    found = _search(data)
    if found is None:
        found = _search(message)
    return found or b""


def refusal_of(error: NodeRefused) -> LedgerError:
    """The contract's refusal behind a node's, or the node's own where no contract is behind it."""
    code, message = error.values["node_code"], error.values["message"]
    if not is_revert(code, message):
        return error
    return decode_revert(find_revert_data(error.values.get("data"), message))


def explain_failure(node: Node, failed: FailedTransaction) -> ContractRefused:
    """Why a mined transaction failed, by calling again what it called.

    The state before the block is asked first, the state after it second: another transaction of
    the same block may have been the cause.
    """
    for state in (failed.block - 1, failed.block):
        try:
            node.call(failed.to, failed.calldata, state, sender=failed.sender)
        except NodeRefused as error:
            refusal = refusal_of(error)
            if isinstance(refusal, ContractRefused):
                return refusal
            raise
    if failed.gas_used >= failed.gas_limit:
        return ContractRefused(
            name=OUT_OF_GAS,
            arguments={"gas_limit": failed.gas_limit},
            meaning="The transaction used all the gas it was given.",
            hint="Run the same command again; the gas is estimated anew.",
        )
    return ContractRefused(
        name=NOT_REPRODUCED,
        arguments={"block": failed.block},
        meaning="The transaction failed for a reason that held only within its block.",
        hint="Run the same command again.",
    )


def show_value(parameter: Parameter, value: Any) -> Any:
    """A value as JSON and a reader can hold it: keys and roles by name, bytes as 0x hex."""
    if parameter.internal_type in _ENUMERATIONS:
        return _ENUMERATIONS[parameter.internal_type].get(value, value)
    if parameter.type == "address":
        return show_address(value)
    if parameter.type == "bytes32":
        return _show_word(parameter.name, value)
    if isinstance(value, bytes):
        return _hex(value)
    return value


def _refusal(item: AbiItem, values: Mapping[str, Any]) -> ContractRefused:
    shown = {part.name: show_value(part, values[part.name]) for part in item.inputs}
    if item.name == "ProgrammesUnchanged" and not any(values["key"][:31]):
        shown["key"] = f"tier {values['key'][31]}"  # a tier is named by its number there
    words = {part.name: _say(part, shown[part.name]) for part in item.inputs}
    if item.name in _OF_DURATIONS:
        words = {part.name: f"{values[part.name]} s" for part in item.inputs}
    if item.name == "Panic":
        words["reason"] = _PANICS.get(values["code"], f"panic {values['code']:#04x}")
    refusal = REFUSALS[item.name]
    return ContractRefused(
        name=item.name,
        arguments=shown,
        meaning=_sentence(refusal.meaning.format(**words)),
        hint=refusal.hint.format(**words),
    )


def _say(parameter: Parameter, shown: Any) -> str:
    """A value as part of a sentence: every uint16 is a programme, every uint40 a time."""
    if parameter.type == "uint16":
        return f"programme {shown}" if shown else "the whole alliance"
    if parameter.type == "uint40" or parameter.name in _TIMES:
        return _say_time(shown)
    return str(shown)


def _say_time(seconds: int) -> str:
    if seconds > _LATEST_TIME:
        return f"{seconds} s"
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _show_word(name: str, word: bytes) -> Any:
    if name in ("role", "neededRole"):
        role, programme_id = decode_role(word)
        return f"{role} of programme {programme_id}" if programme_id else role
    return decode_key(word) if name in _KEYS else _hex(word)


@cache
def _errors() -> dict[bytes, AbiItem]:
    """Every error of every ABI by its selector: one contract hands on what another says."""
    found = dict(_STANDARD)
    for name in BUILT:
        artifact = load_artifact(name)
        for item in artifact.items("error"):
            found[artifact.errors[item.signature]] = item
    return found


def _search(value: Any) -> bytes | None:
    if isinstance(value, Mapping):
        for key in ("data", "result", "output", "return"):
            if key in value:
                found = _search(value[key])
                if found is not None:
                    return found
        for inner in value.values():
            found = _search(inner) if isinstance(inner, Mapping) else None
            if found is not None:
                return found
        return None
    if isinstance(value, str):
        found_hex = _HEX.findall(value)
        return bytes.fromhex(found_hex[-1][2:]) if found_hex else None
    return None


def _hex(data: bytes) -> str:
    return "0x" + data.hex()
