"""Reads what logs say: entries as the rows that they become, other events as they stand.

Nearly all logs of a season are entries. They are read many at a time and kept as plain tuples: an
object for each would take as long as all that is done with it. Echoes say nothing, and are left
out. Nothing is decided here; whether an event may follow is for the handlers to say.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, TypeAlias

from ledger.chain.receipts import Log
from ledger.domain.events import EntryPosted
from ledger.domain.keys import decode_key
from ledger.mirror.contracts import Followed

EntryFields: TypeAlias = tuple[
    int, int, int, int, int, int, str, int, int, bytes, int, bytes, bytes
]
"""The fields of an EntryRow."""

_NO_CATEGORY = bytes(32)
_KEY_BYTES = 31


class Run(NamedTuple):
    """Some events that are no entries, and the entries after them up to the next such event."""

    others: list[Log]
    entries: list[EntryFields]


def read_logs(followed: Followed, logs: Iterable[Log]) -> list[Run]:
    """What logs say, in order. Raises EventUnknown, and JournalBroken for an odd entry."""
    by_address = followed.by_address
    runs: list[Run] = []
    others: list[Log] = []
    entries: list[Log] = []
    for log in logs:
        contract = by_address[log[4]]
        if log[5][:32] == contract.entry_topic:
            entries.append(log)
        elif not contract.is_echo(log):
            if entries:
                runs.append(Run(others, _read_entries(followed, entries)))
                others, entries = [], []
            others.append(log)
    if others or entries:
        runs.append(Run(others, _read_entries(followed, entries)))
    return runs


def _read_entries(followed: Followed, logs: list[Log]) -> list[EntryFields]:
    if not logs:
        return []
    name = decode_category
    read = followed.by_address[logs[0].address].read_entries(logs)
    return [
        (entry, log[0], log[1], programme, org, kind, name(of), amount, after, why, to, by, done)
        for log, (entry, programme, org, kind, of, amount, after, why, to, by, done, _) in zip(
            logs, read, strict=True
        )
    ]


def as_event(entry: EntryFields) -> EntryPosted:
    """The event that an entry was read from."""
    entry_id, _, _, programme_id, org_id, kind, category, *rest = entry
    return EntryPosted(entry_id, programme_id, org_id, kind, _encode_category(category), *rest)  # type: ignore[arg-type]


@lru_cache(maxsize=4096)
def decode_category(raw: bytes) -> str:
    """A category's key, empty where there is none.

    A season has a few dozen categories and hundreds of thousands of entries.
    """
    return "" if raw == _NO_CATEGORY else decode_key(raw)


def _encode_category(category: str) -> bytes:
    """The bytes that `decode_category` was given."""
    if len(category) > _KEY_BYTES:  # no key, and so in hex
        return bytes.fromhex(category[2:])
    return category.encode("ascii").ljust(32, b"\0")
