"""Logs read without web3: decoders made from an ABI, and a contract's journal checked.

All fields of our events are of static types, so that every field of an event stands at one place
for ever: a decoder is made once for each event and then reads a log with one `struct.unpack`, in
about 1.5 microseconds where eth_abi takes 25 and web3.py 250. It is strict: another number of
topics, another length, or a word that is not written as the ABI has it (bits set above a number's
width, a bool of 2, an address with something before it) is refused.

A journal is checked on the raw bytes, before and without any decoding; contracts/interfaces/
IJournal.sol has the rule.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from operator import itemgetter
from struct import Struct
from typing import Any

from ledger.chain.abi import UndecodableData, decode_arguments
from ledger.chain.artifacts import AbiItem, Parameter
from ledger.chain.keccak import keccak, keccak256
from ledger.chain.receipts import Log
from ledger.domain.ids import Sequence
from ledger.errors import EventUnknown, JournalBroken

_WORD = 32
_WORD_BITS = 256
_ALL = (1 << _WORD_BITS) - 1
_DECODED_AT_ONCE = 250
_NUMBER = re.compile(r"^(u?)int(\d+)$")
_DYNAMIC = ("string", "bytes")
_FIXED_BYTES = re.compile(r"^bytes(\d+)$")


class UndecodableLog(ValueError):
    """The log is not one of the event's; the message says how."""


class UnsupportedEvent(ValueError):
    """The event has a field without a fixed place, or no topic to know it by."""


def namespaced_slot(namespace: str) -> bytes:
    """The slot of a storage namespace by ERC-7201, 32 bytes."""
    inner = int.from_bytes(keccak256(namespace.encode()), "big") - 1
    return keccak256(inner.to_bytes(_WORD, "big"))[:-1] + b"\0"


JOURNAL_HEAD_SLOT = namespaced_slot("moonlake.storage.Journal")
JOURNAL_SEQUENCE_SLOT = (int.from_bytes(JOURNAL_HEAD_SLOT, "big") + 1).to_bytes(_WORD, "big")


# --- journals -----------------------------------------------------------------------------------


def journal_event_hash(topics: bytes, data: bytes) -> bytes:
    """What a journal event puts into the head: all topics and the data but for the head itself."""
    return keccak256(topics + data[:-_WORD])


def next_head(head: bytes, event_hash: bytes) -> bytes:
    """The head after an event."""
    return keccak256(head + event_hash)


@dataclass(frozen=True, slots=True)
class JournalCursor:
    """How far a contract's journal has been followed: its last sequence number and its head."""

    sequence: Sequence
    head: bytes

    @classmethod
    def at_start(cls) -> JournalCursor:
        """Before the first event of a contract."""
        return cls(Sequence(0), bytes(_WORD))

    @property
    def words(self) -> list[bytes]:
        """What then stands in the contract's slots: its head, and its sequence number."""
        return [self.head, self.sequence.to_bytes(_WORD, "big")]

    def advance(self, log: Log) -> JournalCursor:
        """The cursor after the next journal event. Raises JournalBroken if `log` is not that."""
        return self.advance_all((log,))

    def advance_all(self, logs: Iterable[Log]) -> JournalCursor:
        """The cursor after the next journal events of one contract, in order.

        The logs must be journal events (`ContractEvents.journal` has their topics). Raises
        JournalBroken with the first that does not follow.
        """
        sequence, head = int(self.sequence), self.head
        for log in logs:
            topics, data = log.topics, log.data
            sequence += 1
            found = int.from_bytes(topics[32:64], "big")
            if found != sequence:
                raise _broken(log, f"sequence {found} stands where {sequence} should")
            head = keccak(head + keccak(topics + data[:-32]).digest()).digest()
            if data[-32:] != head:
                raise _broken(log, f"the head of event {sequence} is not that of its history")
        return JournalCursor(Sequence(sequence), head)


def _broken(log: Log, problem: str) -> JournalBroken:
    return JournalBroken(
        block=log.block_number,
        log_index=log.log_index,
        contract="0x" + log.address.hex(),
        problem=problem,
    )


# --- events -------------------------------------------------------------------------------------


class EventDecoder:
    """Reads the logs of one event."""

    def __init__(self, event: AbiItem) -> None:
        """Raises UnsupportedEvent for an anonymous event or one with a dynamic field."""
        if event.anonymous:
            raise UnsupportedEvent(f"{event.name} is anonymous")
        indexed = [place for place, field in enumerate(event.inputs) if field.indexed]
        others = [place for place, field in enumerate(event.inputs) if not field.indexed]
        order = indexed + others
        words = [_word(event.inputs[place]) for place in order]
        self.name = event.name
        self.signature = event.signature
        self.topic = keccak256(event.signature.encode())
        self.fields = tuple(field.name for field in event.inputs)
        self.is_journal = _is_journal_event(event)
        self._topics_size = _WORD * (1 + len(indexed))
        self._data_size = _WORD * len(others)
        fields = "".join(word.format for word in words)
        self._unpack = Struct(">" + fields).unpack
        self._unpack_all = Struct(f">{_WORD}x{fields}").iter_unpack  # the topic stands before them
        self._must_be_zero = _joined(word.must_be_zero for word in words)
        self._must_be_sign = _joined(word.must_be_sign for word in words)
        self._zero_if_positive = self._must_be_zero | self._must_be_sign | self._must_be_sign << 1
        self._masks: dict[int, tuple[int, int]] = {}
        self._conversions = [(i, word.convert) for i, word in enumerate(words) if word.convert]
        self._reorder: Callable[[Any], Any] | None = None
        if order != sorted(order):
            self._reorder = itemgetter(*[order.index(place) for place in range(len(order))])

    def decode(self, topics: bytes, data: bytes) -> tuple[Any, ...]:
        """The event's fields in the ABI's order. Raises UndecodableLog.

        `topics` are all topics one after the other. Numbers are ints, addresses 20 bytes, bytesN N
        bytes; an indexed field of a dynamic type is the hash that stands in its topic.
        """
        if topics[:_WORD] != self.topic:
            raise UndecodableLog(f"it is not {self.name}")
        if len(topics) != self._topics_size or len(data) != self._data_size:
            raise UndecodableLog(
                f"{self.name} has {len(topics)} bytes of topics and {len(data)} of data"
                f" instead of {self._topics_size} and {self._data_size}"
            )
        payload = topics[_WORD:] + data
        bits = int.from_bytes(payload, "big")
        # Where no number is negative, as in most logs, one mask tells all.
        if bits & self._zero_if_positive and (
            bits & self._must_be_zero or (bits ^ bits >> 1) & self._must_be_sign
        ):
            raise UndecodableLog(f"{self.name} has a field with bits beyond its type")
        return self._converted(self._unpack(payload))

    def decode_all(self, topics: list[bytes], data: list[bytes]) -> list[tuple[Any, ...]]:
        """What `decode` gives for each of many logs, in a third of the time.

        Raises UndecodableLog, and does not say for which.
        """
        found: list[tuple[Any, ...]] = []
        for start in range(0, len(topics), _DECODED_AT_ONCE):
            part = slice(start, start + _DECODED_AT_ONCE)
            found += self._unpack_all(self._checked(topics[part], data[part]))
        if self._conversions or self._reorder is not None:
            return [self._converted(values) for values in found]
        return found

    def _checked(self, topics: list[bytes], data: list[bytes]) -> bytes:
        """The logs' bytes one after the other, if each is of this event."""
        if (
            {each[:_WORD] for each in topics} != {self.topic}
            or set(map(len, topics)) != {self._topics_size}
            or set(map(len, data)) != {self._data_size}
        ):
            raise UndecodableLog(f"one of them is not {self.name}")
        payload = b"".join([part for pair in zip(topics, data, strict=True) for part in pair])
        # They are looked at as one number.
        zero, sign = self._masks_of(len(topics))
        bits = int.from_bytes(payload, "big")
        if bits & zero or (bits ^ bits >> 1) & sign:
            raise UndecodableLog(f"one {self.name} has a field with bits beyond its type")
        return payload

    def _masks_of(self, logs: int) -> tuple[int, int]:
        """The bits of so many logs that must be zero, and those that must be as the one above."""
        if logs not in self._masks:
            size = self._topics_size + self._data_size
            zero, sign = (
                int.from_bytes(mask.to_bytes(size, "big") * logs, "big")
                for mask in (self._must_be_zero, self._must_be_sign)
            )
            if logs != _DECODED_AT_ONCE:
                return zero, sign
            self._masks[logs] = zero, sign
        return self._masks[logs]

    def _converted(self, values: tuple[Any, ...]) -> tuple[Any, ...]:
        """Values as they stand in a log, as the fields in the ABI's order."""
        if self._conversions:
            changed = list(values)
            for place, convert in self._conversions:
                changed[place] = convert(changed[place])
            values = tuple(changed)
        return values if self._reorder is None else self._reorder(values)

    def decode_named(self, topics: bytes, data: bytes) -> dict[str, Any]:
        """The event's fields by name. Raises UndecodableLog."""
        return dict(zip(self.fields, self.decode(topics, data), strict=True))


class AnnexDecoder:
    """Reads the logs of an event that carries what a line of the journal only has the hash of.

    Its other fields are of dynamic types, so that it is read by the general decoder, which is as
    strict and much slower. No journal event is of this kind.
    """

    def __init__(self, event: AbiItem) -> None:
        """Raises UnsupportedEvent for an anonymous event and for an event of a journal's shape."""
        if event.anonymous or _is_journal_event(event):
            raise UnsupportedEvent(f"{event.name} cannot have a field without a fixed place")
        self.name = event.name
        self.topic = keccak256(event.signature.encode())
        self._indexed = tuple(field for field in event.inputs if field.indexed)
        self._others = tuple(field for field in event.inputs if not field.indexed)

    def decode_named(self, topics: bytes, data: bytes) -> dict[str, Any]:
        """The event's fields by name, structs as dicts. Raises UndecodableLog.

        What is taken is the one way in which the ABI writes the values, so that a hash of the data
        is a hash of the values.
        """
        if topics[:_WORD] != self.topic:
            raise UndecodableLog(f"it is not {self.name}")
        try:
            indexed = decode_arguments(self._indexed, topics[_WORD:])
            return indexed | decode_arguments(self._others, data)
        except UndecodableData as error:
            raise UndecodableLog(f"{self.name}: {error}") from error


class ContractEvents:
    """All events of one contract: those of its journal, annexes to them, and the echoes that
    standards ask for."""

    def __init__(self, contract: str, abi: Iterable[AbiItem]) -> None:
        """`contract` is its name in messages. Raises UnsupportedEvent."""
        items = [item for item in abi if item.type == "event"]
        decoders = [EventDecoder(item) for item in items if not _has_dynamic_data(item)]
        annexes = [AnnexDecoder(item) for item in items if _has_dynamic_data(item)]
        self.contract = contract
        self.annexes: Mapping[bytes, AnnexDecoder] = {each.topic: each for each in annexes}
        self.journal: Mapping[bytes, EventDecoder] = {
            decoder.topic: decoder for decoder in decoders if decoder.is_journal
        }
        self.echoes: Mapping[bytes, EventDecoder] = {
            decoder.topic: decoder for decoder in decoders if not decoder.is_journal
        }
        self._decoders = {**self.echoes, **self.journal}

    def decode(self, log: Log) -> tuple[EventDecoder, tuple[Any, ...]]:
        """Which event a log of this contract is, and its fields.

        Raises EventUnknown, and JournalBroken where the log is not as the event has to be.
        """
        decoder = self._decoders.get(log.topics[:_WORD])
        if decoder is None:
            raise EventUnknown(
                block=log.block_number,
                log_index=log.log_index,
                contract=self.contract,
                topic="0x" + log.topics[:_WORD].hex(),
            )
        try:
            return decoder, decoder.decode(log.topics, log.data)
        except UndecodableLog as error:
            raise JournalBroken(
                block=log.block_number,
                log_index=log.log_index,
                contract=self.contract,
                problem=str(error),
            ) from error


def _has_dynamic_data(event: AbiItem) -> bool:
    """Whether a field that is not indexed has no fixed place."""
    return any(
        not field.indexed and (field.type in _DYNAMIC or field.type.endswith("[]"))
        for field in event.inputs
    )


def _is_journal_event(event: AbiItem) -> bool:
    """Whether the event is of the journal, by the shape that IJournal.sol asks for.

    Its first field is the sequence number, whatever the event calls it (an entry's is its id).
    """
    if len(event.inputs) < 2:
        return False
    first, last = event.inputs[0], event.inputs[-1]
    numbered = first.type == "uint64" and first.indexed
    return numbered and (last.name, last.type, last.indexed) == ("head", "bytes32", False)


# --- words --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Word:
    """How one field is read out of its 32 bytes.

    `must_be_zero` are the bits that no canonical value has; `must_be_sign` those that must equal
    the bit above them, which is how a negative number is extended to the word.
    """

    format: str
    must_be_zero: int = 0
    must_be_sign: int = 0
    convert: Callable[[Any], Any] | None = None


def _word(field: Parameter) -> _Word:
    number, fixed = _NUMBER.match(field.type), _FIXED_BYTES.match(field.type)
    if number:
        return _number_word(int(number[2]), signed=not number[1])
    if fixed:
        size = int(fixed[1])
        return _Word(f"{size}s{_WORD - size}x", _ALL >> 8 * size)
    if field.type == "address":
        return _Word("12x20s", _above(160))
    if field.type == "bool":
        return _Word("31x?", _above(1))
    if field.indexed:
        return _Word("32s")
    raise UnsupportedEvent(f"{field.name} is of type {field.type}, which has no fixed place")


def _number_word(bits: int, *, signed: bool) -> _Word:
    if signed:
        # Bits from the sign's place up to the second highest each equal the one above.
        must_be_sign = _above(bits - 1) & (_ALL >> 1)
        if bits <= 64:
            return _Word("24xq", must_be_sign=must_be_sign)
        return _Word("32s", 0, must_be_sign, _signed)
    if bits <= 64:
        return _Word("24xQ", _above(bits))
    return _Word("32s", _above(bits), 0, _unsigned)


def _above(bits: int) -> int:
    return _ALL ^ ((1 << bits) - 1)


def _signed(word: bytes) -> int:
    return int.from_bytes(word, "big", signed=True)


def _unsigned(word: bytes) -> int:
    return int.from_bytes(word, "big")


def _joined(masks: Iterable[int]) -> int:
    joined = 0
    for mask in masks:
        joined = joined << _WORD_BITS | mask
    return joined
