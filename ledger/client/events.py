"""The stream's events (Server-Sent Events) as values, and where to go on after a cut.

`Listening` is fed lines and gives events; it knows the last event's id and how long the server asks
to wait before coming back. It reads nothing by itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

import msgspec

from ledger.client import models
from ledger.client.errors import AnswerUnreadable

RETRY_SECONDS = 2.0


class Head(msgspec.Struct, frozen=True, kw_only=True):
    """The chain's head as it was mirrored."""

    block_number: int
    block_hash: str
    timestamp: str
    final_block: int


class Withdrawn(msgspec.Struct, frozen=True, kw_only=True):
    """A reorganisation: what was told of blocks above `after_block`, and of entries above
    `after_entry`, is void; what stands there now follows."""

    after_block: int
    after_entry: int
    reason: str


Told = models.Entry | models.MembershipChange | models.Operation | Head | Withdrawn

_KINDS: Mapping[str, type[Told]] = {
    "entry": models.Entry,
    "membership": models.MembershipChange,
    "operation": models.Operation,
    "head": Head,
    "withdrawn": Withdrawn,
}


@dataclass(frozen=True, slots=True)
class Event:
    """An event; come back with its `id`, and what came since is told first."""

    id: str
    kind: str
    data: Told


@dataclass(slots=True)
class Listening:
    """Makes events of lines (WHATWG HTML, section 9.2.6). `last_id` is empty before the first."""

    last_id: str = ""
    retry_seconds: float = RETRY_SECONDS
    _fields: dict[str, str] = field(default_factory=dict)

    def begin(self) -> None:
        """A new connection: what was half told is told again."""
        self._fields = {}

    def hear(self, line: str) -> Iterator[Event]:
        """The event that a line ends, if it ends one. Raises AnswerUnreadable."""
        if line:
            name, _, value = line.partition(":")
            value = value.removeprefix(" ")
            if name == "retry" and value.isdecimal():
                self.retry_seconds = int(value) / 1000
            elif name == "data" and "data" in self._fields:
                self._fields["data"] += "\n" + value
            elif name:  # else it is a comment
                self._fields[name] = value
            return
        fields, self._fields = self._fields, {}
        kind, data = fields.get("event", "message"), fields.get("data")
        if data is None or kind not in _KINDS:
            return  # a newer server may tell what this client does not know
        try:
            told = msgspec.json.decode(data, type=_KINDS[kind])
        except msgspec.MsgspecError as error:
            raise AnswerUnreadable(f"The event {kind}: {error}.") from error
        self.last_id = fields.get("id", self.last_id)
        yield Event(self.last_id, kind, told)
