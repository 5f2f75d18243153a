"""Reads and checks stored facts in another process, while this one works on what was read before.

Half of what a rebuild takes is reading logs, following their journals and decoding them, which
needs nothing of the other half. The process ends with its parent, gets what it needs on a pipe (a
database's URL may hold a password) and writes nothing.
"""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any

import msgspec
from sqlalchemy import Connection

from ledger.chain.logs import JournalCursor
from ledger.chain.receipts import Log
from ledger.domain.ids import BlockNumber
from ledger.domain.ids import Sequence as JournalSequence
from ledger.domain.verification import Level
from ledger.errors import FactsDamaged
from ledger.mirror.ahead import OtherProcess, ProverDied
from ledger.mirror.contracts import Followed
from ledger.mirror.facts import Facts, FactsReader
from ledger.mirror.handover import Ledger, frame, read_frame
from ledger.mirror.readings import EntryFields, Run
from ledger.store.engine import open_engine, reading

_COMMAND = "from ledger.mirror.facts_process import main; main()"
PARTS_READ_HERE = 2
_IN, _OUT = 0, 1

Journals = list[tuple[bytes, int, bytes]]


class Order(msgspec.Struct, array_like=True):
    """What to read: the logs after `block`, where `journals` are there, up to the block `until`."""

    url: str
    ledger: Ledger
    block: int
    until: int
    journals: Journals


class Part(msgspec.Struct, tag=True, array_like=True):
    """Facts as `FactsReader.read` gives them, and the journals after them."""

    runs: list[tuple[list[tuple[int, int, int, str, bytes, bytes, bytes]], list[EntryFields]]]
    times: dict[int, int]
    count: int
    end: int
    journals: Journals


class Damaged(msgspec.Struct, tag=True, array_like=True):
    """What is wrong with the facts."""

    block: int
    log_index: int
    problem: str


class End(msgspec.Struct, tag=True, array_like=True):
    """There is no more."""


_order = msgspec.msgpack.Decoder(Order)
_answer = msgspec.msgpack.Decoder(Part | Damaged | End)


def read_apart(
    facts: Connection,
    followed: Followed,
    reader: FactsReader,
    until: int,
    pause: Callable[[], None],
) -> Iterator[Facts]:
    """What `reader.read` would give of a database; the reader is then as far.

    `pause` is called while it is waited for. Raises FactsDamaged, and ProverDied where the other
    process ended by itself.
    """
    process = OtherProcess(_COMMAND)
    try:
        # It takes a while to start.
        first = list(islice(reader.read(facts, until), PARTS_READ_HERE))
        url = facts.engine.url.render_as_string(hide_password=False)
        ledger = Ledger.of(followed, Level.RECEIPTS)
        order = Order(url, ledger, reader.block, until, _written(reader.journals))
        with contextlib.suppress(ProverDied):  # as reading from it will say
            process.send(frame(order))
        yield from first
        while True:
            match _answer.decode(process.read(pause)):
                case Part(found, times, count, end, journals):
                    reader.block, reader.journals = BlockNumber(end), _read(journals)
                    runs = [Run(list(map(Log._make, logs)), entries) for logs, entries in found]
                    known: dict[Any, int] = times
                    yield Facts(runs, known, count, reader.block)
                case Damaged(block, log_index, problem):
                    raise FactsDamaged(block=block, log_index=log_index, problem=problem)
                case End():
                    reader.block = BlockNumber(until)
                    return
    finally:
        process.end()


def main() -> None:
    """Read what the order on standard input says, to standard output."""
    gc.disable()  # see ledger.mirror.garbage
    order = _order.decode(read_frame(lambda length: os.read(_IN, length)))
    followed = Followed(order.ledger)
    reader = FactsReader(followed)
    reader.block, reader.journals = BlockNumber(order.block), _read(order.journals)
    engine = open_engine(order.url, durable=False)
    try:
        with reading(engine) as connection:
            for facts in reader.read(connection, order.until):
                journals = _written(reader.journals)
                _write(Part(facts.runs, facts.times, facts.count, facts.end, journals))  # type: ignore[arg-type]
        _write(End())
    except FactsDamaged as error:
        values = error.values
        _write(Damaged(values["block"], values["log_index"], values["problem"]))


def _write(answer: msgspec.Struct) -> None:
    rest = memoryview(frame(answer))
    while rest:
        rest = rest[os.write(_OUT, rest) :]


def _written(journals: dict[bytes, JournalCursor]) -> Journals:
    return [(address, cursor.sequence, cursor.head) for address, cursor in journals.items()]


def _read(journals: Journals) -> dict[bytes, JournalCursor]:
    return {
        address: JournalCursor(JournalSequence(sequence), head)
        for address, sequence, head in journals
    }
