"""Reads a proposal's calls, so that an approver knows what they would do.

Only what is understood whole is told as a sentence: the target must be one of the ledger's
contracts, the function one of its own, and the arguments encoded in the one canonical way. Of
anything else it is said, loudly, that it cannot be read. Nothing here says whether a call would
succeed, or whether it should be approved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from ledger.chain.addresses import show_address
from ledger.chain.artifacts import BUILT, AbiItem, Parameter, load_artifact
from ledger.chain.contracts.contract import DecodedCall, decode_call
from ledger.chain.typed_data import MESSAGES
from ledger.domain.events import Call
from ledger.errors import InvalidValue, NotFound
from ledger.services.proposals import accounts, members, officers
from ledger.services.proposals.sentence import Sentence
from ledger.services.proposals.words import LANGUAGES, Count, Names, Words

SENTENCES: Mapping[str, Sentence] = MappingProxyType(
    officers.SENTENCES
    | members.SENTENCES
    | accounts.SENTENCES
    | {
        f"{contract}.{function}": sentence
        for contract in MESSAGES
        for function, sentence in officers.MESSAGES.items()
    }
)
"""`Contract.function`, or `Contract.function:variant`, to what it does."""

MAX_DEPTH = 3
"""Proposals within proposals that are told; what is deeper is said to be unreadable."""

_LISTS = ("awards", "reversals", "expiries", "admissions", "renewals", "changes", "registrations")
_PLAIN_LISTS = ("orgIds", "keys", "categories", "boundaries", "redemptionIds")
_CALLS = "calls"

_VARIANTS: Mapping[str, Callable[[Mapping[str, Any]], str]] = MappingProxyType(
    {
        "Authority.beginDefaultAdminTransfer": lambda given: (
            "" if any(given["newAdmin"]) else "nobody"
        ),
        "Programmes.setTierOpen": lambda given: "" if given["open"] else "closed",
        "Programmes.setBudget": lambda given: "" if given["perEpoch"] else "none",
        "Programmes.setCategoryBudget": lambda given: "" if given["limited"] else "none",
        "Organisations.nominate": lambda given: "" if any(given["successor"]) else "nobody",
        "Organisations.nominateBySignature": lambda given: (
            "" if any(given["successor"]) else "nobody"
        ),
        "Organisations.retire": lambda given: "" if given["successorId"] else "alone",
    }
)


@dataclass(frozen=True, slots=True)
class Reading:
    """One call in words. `number` counts from 1, `target` is the contract's name or its address.

    `rows` tell each line of a batch; `inner` the calls of a proposal within the proposal;
    `arguments` is every value by its path, whatever the sentence leaves out. A call is not
    `readable` where its sentence says why, with nothing else but the raw data, or where one of its
    inner calls is not.
    """

    number: int
    readable: bool
    target: str
    function: str
    sentence: str
    rows: tuple[str, ...] = ()
    inner: tuple[Reading, ...] = ()
    arguments: tuple[tuple[str, str], ...] = ()


def read_calls(
    calls: Sequence[Call],
    contracts: Mapping[bytes, str],
    names: Names,
    language: str,
) -> tuple[Reading, ...]:
    """What each call would do, in order.

    `contracts` is the name of each of the ledger's contracts by its address; seats and credit
    tokens can be among them. Raises InvalidValue for a language that has no catalogue.
    """
    if language not in LANGUAGES:
        raise InvalidValue(
            field="language", value=language, expected="one of " + ", ".join(LANGUAGES)
        )
    return _Reader(contracts, Words(language, names)).read(calls, depth=1)


@dataclass(frozen=True, slots=True)
class _Reader:
    contracts: Mapping[bytes, str]
    words: Words

    def read(self, calls: Sequence[Call], *, depth: int) -> tuple[Reading, ...]:
        return tuple(self._read(number, call, depth) for number, call in enumerate(calls, start=1))

    def _read(self, number: int, call: Call, depth: int) -> Reading:
        contract = self.contracts.get(call.target)
        if contract not in BUILT:
            return self._unreadable(number, call, self._whose(call.target))
        if depth > MAX_DEPTH:
            reason = self.words.choose(
                "it stands too deep within other proposals", "它在其他提案中嵌套过深"
            )
            return self._unreadable(number, call, reason)
        try:
            decoded = decode_call(contract, call.data)
        except (InvalidValue, NotFound):
            reason = self.words.choose(
                f"its data is no call of the contract {contract}",
                f"其数据不是对{contract}合约的调用",
            )
            return self._unreadable(number, call, reason)
        return self._tell(number, call, decoded, depth)

    def _tell(self, number: int, call: Call, decoded: DecodedCall, depth: int) -> Reading:
        item = function_of(decoded.contract, call.data)
        rows: tuple[str, ...] = ()
        inner: tuple[Reading, ...] = ()
        if is_reading(item):
            sentence = self.words.choose(
                f"Only asks {decoded.contract} for {decoded.function}, and changes nothing.",
                f"只是向{decoded.contract}查询{decoded.function}，不作任何变更。",
            )
        elif is_always_refused(item):
            sentence = self.words.choose(
                f"Calls {decoded.function} of {decoded.contract}, which always refuses it.",
                f"调用{decoded.contract}的{decoded.function}，该合约一律拒绝。",
            )
        else:
            told = SENTENCES[sentence_key(decoded)]
            sentence = self._fill(told, item, decoded.arguments)
            rows = tuple(self._rows(told, item, decoded.arguments))
            inner = self._inner(decoded.arguments, depth)
        return Reading(
            number=number,
            readable=all(each.readable for each in inner),
            target=decoded.contract,
            function=item.signature,
            sentence=sentence,
            rows=rows,
            inner=inner,
            arguments=tuple(self._arguments(item.inputs, decoded.arguments, "")),
        )

    def _fill(self, told: Sentence, item: AbiItem, given: Mapping[str, Any]) -> str:
        values: dict[str, str | Count] = {**self._fields(item.inputs, given)}
        for parameter in item.inputs:
            listed = given.get(parameter.name)
            if isinstance(listed, list) and parameter.name != "proof" and "count" not in values:
                values["count"] = Count(len(listed), self.words.amount(len(listed)))
                values["total"] = self.words.amount(sum(_amount(row) for row in listed))
        return self.words.choose(told.en, told.zh).format(**values)

    def _rows(self, told: Sentence, item: AbiItem, given: Mapping[str, Any]) -> Iterator[str]:
        template = self.words.choose(told.row_en, told.row_zh)
        if not template:
            return
        parameter = next(each for each in item.inputs if each.name in (*_LISTS, *_PLAIN_LISTS))
        for row in given[parameter.name]:
            if parameter.name in _LISTS:
                yield template.format(**self._fields(parameter.components, row))
            else:
                yield template.format(row=self.words.value(parameter, row))

    def _inner(self, given: Mapping[str, Any], depth: int) -> tuple[Reading, ...]:
        calls = [Call(row["target"], row["data"]) for row in given.get(_CALLS, ())]
        return self.read(calls, depth=depth + 1)

    def _fields(self, parameters: Sequence[Parameter], given: Mapping[str, Any]) -> dict[str, str]:
        """Every plain value in words; those of a struct beside those that it stands with."""
        found: dict[str, str] = {}
        for parameter in parameters:
            value = given[parameter.name]
            if parameter.type == "tuple":
                found = self._fields(parameter.components, value) | found
            elif not parameter.type.endswith("[]"):
                found[parameter.name] = self.words.value(parameter, value)
        return found

    def _arguments(
        self, parameters: Sequence[Parameter], given: Mapping[str, Any], path: str
    ) -> Iterator[tuple[str, str]]:
        for number, parameter in enumerate(parameters):
            name = parameter.name or f"_{number}"
            yield from self._argument(parameter, given[name], path + name)

    def _argument(self, parameter: Parameter, value: Any, path: str) -> Iterator[tuple[str, str]]:
        if isinstance(value, list):
            for place, row in enumerate(value):
                yield from self._argument(parameter, row, f"{path}[{place}]")
        elif isinstance(value, Mapping):
            yield from self._arguments(parameter.components, value, path + ".")
        else:
            yield path, self.words.value(parameter, value)

    def _whose(self, target: bytes) -> str:
        return self.words.choose(
            f"{show_address(target)} is no contract of this ledger",
            f"{show_address(target)}不是本账本的合约",
        )

    def _unreadable(self, number: int, call: Call, reason: str) -> Reading:
        data = "0x" + call.data.hex()
        sentence = self.words.choose(
            f"CANNOT BE READ: {reason}. Nobody can tell what this call would do with the powers of "
            "the council. Do not approve it unless you have checked its data yourself.",
            f"【无法读懂】{reason}。无人能说明这一调用会以理事会的权力做什么。"
            "除非您亲自核对过其数据，否则请勿批准。",
        )
        return Reading(
            number=number,
            readable=False,
            target=show_address(call.target),
            function="",
            sentence=sentence,
            arguments=(("data", data),),
        )


def function_of(contract: str, calldata: bytes) -> AbiItem:
    """The ABI's line of the function that the calldata call."""
    artifact = load_artifact(contract)
    return next(
        item
        for item in artifact.items("function")
        if artifact.functions[item.signature] == calldata[:4]
    )


def is_reading(item: AbiItem) -> bool:
    """Whether a function only answers."""
    answers = any(output.type != "bool" for output in item.outputs)
    return item.state_mutability == "view" or (item.state_mutability == "pure" and answers)


def is_always_refused(item: AbiItem) -> bool:
    """Whether a function looks at nothing and answers nothing: all that it can do is refuse."""
    return item.state_mutability == "pure" and not is_reading(item)


def sentence_key(decoded: DecodedCall) -> str:
    """The catalogue's key of a call that changes something."""
    key = f"{decoded.contract}.{decoded.function}"
    variant = _VARIANTS[key](decoded.arguments) if key in _VARIANTS else ""
    return f"{key}:{variant}" if variant else key


def _amount(row: Any) -> int:
    if not isinstance(row, Mapping):
        return 0
    return int(row.get("amount", row.get("entry", {}).get("amount", 0)))
