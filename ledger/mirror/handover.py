"""What passes between a mirror and the process that proves ahead of it, as msgpack.

Both ends are of one release and one machine, joined by pipes that nobody else holds. What is passed
are the values of proved ranges and no objects: 10,000 logs take 12 milliseconds to write and as
many to read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import msgspec

from ledger import errors
from ledger.chain.headers import Header
from ledger.chain.jsonrpc import Access
from ledger.chain.logs import JournalCursor
from ledger.chain.receipts import Log
from ledger.domain.verification import Level
from ledger.errors import LedgerError
from ledger.mirror import prove
from ledger.mirror.contracts import Followed
from ledger.mirror.marks import BlockMark
from ledger.mirror.prove import ProvedRange

LENGTH_BYTES = 8
_LOGS_AT_ONCE = 2_000


class Place(msgspec.Struct, array_like=True):
    """Where a contract is."""

    address: bytes
    code_hash: bytes
    block_number: int


class Ledger(msgspec.Struct, tag=True, array_like=True):
    """What is followed; the first message to the other process."""

    chain_id: int
    genesis_hash: bytes
    contracts: dict[str, Place]
    level: Level
    most_logs: int
    most_blocks: int

    @classmethod
    def of(cls, followed: Followed, level: Level) -> Ledger:
        """What a mirror follows, how far it is to be proved, and when a range ends."""
        places = {
            each.name: Place(each.address, each.code_hash, each.first_block)
            for each in followed.contracts
        }
        return cls(
            followed.chain_id,
            followed.genesis_hash,
            places,
            level,
            prove.MOST_LOGS,
            prove.MOST_BLOCKS,
        )


class Task(msgspec.Struct, tag=True, array_like=True):
    """What to prove: the blocks after `parent` up to `head`, of one node. `number` tells tasks
    apart, of which only the last is wanted."""

    number: int
    access: Access
    parent: BlockMark
    journals: dict[bytes, JournalCursor]
    head: Header


class Logs(msgspec.Struct, tag=True, array_like=True, gc=False):
    """Some logs of the range that comes next, in order: a whole range at once would take the room
    of another one at either end."""

    task: int
    logs: list[Log]


class Proved(msgspec.Struct, tag=True, array_like=True, gc=False):
    """A range of a task, in order, but for its logs, which were passed before."""

    task: int
    parent: BlockMark
    headers: list[Header]
    journals: dict[bytes, JournalCursor]
    level: Level

    def with_logs(self, logs: list[Log]) -> ProvedRange:
        """The same range."""
        return ProvedRange(self.parent, self.headers, logs, self.journals, self.level)


def frames_of(task: int, found: ProvedRange) -> Iterator[bytes]:
    """A proved range as it is passed."""
    logs = list(found.logs)
    for start in range(0, len(logs), _LOGS_AT_ONCE):
        yield frame(Logs(task, logs[start : start + _LOGS_AT_ONCE]))
    headers = list(found.headers)
    yield frame(Proved(task, found.parent, headers, dict(found.journals), found.level))


class Forked(msgspec.Struct, tag=True, array_like=True):
    """A task ended with ChainForked."""

    task: int


class Failed(msgspec.Struct, tag=True, array_like=True):
    """A task ended with one of our errors, by its class and values."""

    task: int
    name: str
    values: dict[str, Any]

    @classmethod
    def of(cls, task: int, error: LedgerError) -> Failed:
        """An error that was raised."""
        return cls(task, type(error).__name__, dict(error.values))

    def as_error(self) -> LedgerError:
        """The same error."""
        kind: type[LedgerError] = getattr(errors, self.name)
        return kind(**self.values)


encode = msgspec.msgpack.Encoder().encode
read_order = msgspec.msgpack.Decoder(Ledger | Task).decode
read_answer = msgspec.msgpack.Decoder(Logs | Proved | Forked | Failed).decode


def frame(message: msgspec.Struct) -> bytes:
    """A message as it is passed."""
    content = encode(message)
    return len(content).to_bytes(LENGTH_BYTES, "big") + content


def read_frame(read: Callable[[int], bytes]) -> bytes:
    """A message's content, by what reads so many bytes or fewer. Raises EOFError at the end."""
    length = int.from_bytes(_read_all(read, LENGTH_BYTES), "big")
    return _read_all(read, length)


def _read_all(read: Callable[[int], bytes], length: int) -> bytes:
    pieces: list[bytes] = []
    while length:
        piece = read(length)
        if not piece:
            raise EOFError
        pieces.append(piece)
        length -= len(piece)
    return b"".join(pieces)
