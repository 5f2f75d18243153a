"""What all wrappers stand on: calldata by function name, and reads at a block that is named.

A wrapper has two faces. Its module's `encode_…` functions turn domain values into calldata and need
no node. Its class reads the contract's state, always at an explicit block: an answer without a
block is true at no particular time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any, ClassVar

from ledger.chain.abi import UndecodableData, decode_arguments, encode_arguments
from ledger.chain.artifacts import BUILT, AbiItem, load_artifact
from ledger.chain.reverts import refusal_of
from ledger.chain.rpc import BlockName, Node
from ledger.domain.keys import encode_key
from ledger.errors import InvalidValue, NodeAnswerInvalid, NodeRefused, NotFound

SELECTOR = 4


@dataclass(frozen=True, slots=True)
class Contract:
    """A deployed contract, read through one node."""

    NAME: ClassVar[str] = ""

    node: Node
    address: bytes

    def read(self, function: str, *values: Any, at: BlockName) -> Any:
        """Call a view function at a block.

        The answer is the value itself where the function gives one, else a dict by name. Raises
        ContractRefused where the contract reverts, NodeAnswerInvalid where the answer has another
        shape than the ABI says.
        """
        item, selector = find_function(self.NAME, function)
        calldata = selector + encode_arguments(item.inputs, values)
        try:
            returned = self.node.call(self.address, calldata, at)
        except NodeRefused as error:
            raise refusal_of(error) from error
        try:
            answers = decode_arguments(item.outputs, returned)
        except UndecodableData as error:
            raise NodeAnswerInvalid(
                block="0x" + at.hex() if isinstance(at, bytes) else at,
                url=self.node.url,
                problem=f"{self.NAME}.{function} answered {len(returned)} bytes: {error}",
            ) from error
        return next(iter(answers.values())) if len(answers) == 1 else answers

    def sequence(self, *, at: BlockName) -> int:
        """How many journal events the contract has emitted."""
        return int(self.read("sequence", at=at))

    def head(self, *, at: BlockName) -> bytes:
        """The hash over its whole journal, 32 bytes; zero where it is empty."""
        return bytes(self.read("head", at=at))

    def operation_sequence(self, actor: bytes, operation_id: bytes, *, at: BlockName) -> int:
        """The first journal event of an actor's operation; 0 where it was not done.

        `actor` is by whose right: who sent the transaction, or signed the message.
        """
        return int(self.read("operationSequence", actor, operation_id, at=at))


@dataclass(frozen=True, slots=True)
class DecodedCall:
    """A call as a person reads it: the function's name, and its arguments by name."""

    contract: str
    function: str
    arguments: dict[str, Any]


def encode_call(contract: str, function: str, *values: Any) -> bytes:
    """Calldata of a function, by its name. Raises InvalidValue naming a wrong argument."""
    item, selector = find_function(contract, function)
    return selector + encode_arguments(item.inputs, values)


def decode_call(contract: str, calldata: bytes) -> DecodedCall:
    """Read calldata that was or will be sent to a contract.

    Raises InvalidValue where the contract has no such function, or where the arguments are not
    encoded in the one canonical way.
    """
    item = _by_selector(contract).get(calldata[:SELECTOR])
    if item is None:
        raise InvalidValue(
            field="calldata",
            value="0x" + calldata[:SELECTOR].hex(),
            expected=f"the selector of a function of {contract}",
        )
    try:
        arguments = decode_arguments(item.inputs, calldata[SELECTOR:])
    except UndecodableData as error:
        raise InvalidValue(
            field="calldata",
            value=f"{len(calldata)} bytes",
            expected=f"an encoding of {item.signature}: {error}",
        ) from error
    return DecodedCall(contract, item.name, arguments)


def find_function(contract: str, function: str) -> tuple[AbiItem, bytes]:
    """A function's ABI line and selector, by its name, or by its signature if overloaded."""
    found = _functions(contract).get(function)
    if found is None:
        raise NotFound(what="function", key=f"{contract}.{function}")
    return found


def optional_key(key: str, field: str) -> bytes:
    """A key's 32 bytes, zero for an empty one."""
    return encode_key(key, field) if key else bytes(32)


def encode_keys(keys: Sequence[str], field: str) -> list[bytes]:
    """The 32 bytes of each key. Raises InvalidValue naming `field`."""
    return [encode_key(key, field) for key in keys]


@cache
def _functions(contract: str) -> dict[str, tuple[AbiItem, bytes]]:
    artifact = load_artifact(contract)
    items = artifact.items("function")
    names = [item.name for item in items]
    found: dict[str, tuple[AbiItem, bytes]] = {}
    for item in items:
        entry = (item, artifact.functions[item.signature])
        found[item.signature] = entry
        if names.count(item.name) == 1:
            found[item.name] = entry
    return found


@cache
def _by_selector(contract: str) -> dict[bytes, AbiItem]:
    if contract not in BUILT:
        raise NotFound(what="contract", key=contract)
    artifact = load_artifact(contract)
    return {artifact.functions[item.signature]: item for item in artifact.items("function")}
