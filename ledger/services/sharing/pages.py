"""An epoch's entries out of pages of `GET /v1/entries`, for who has no mirror and believes no root.

Whether the pages are complete only the journal's head says: that is what a mirror checks.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from ledger.chain.addresses import parse_address
from ledger.domain.events import EntryKind, EntryPosted
from ledger.domain.expiry import DatedEntry
from ledger.domain.ids import ProgrammeId
from ledger.domain.keys import recode_key
from ledger.errors import InvalidFile
from ledger.services.sharing.distributing import EpochEntries


def read_pages(
    paths: Sequence[Path], programme_id: ProgrammeId, epoch: int, *, begins_at: int, ends_at: int
) -> EpochEntries:
    """The entries of an epoch, each once and in order; those outside of it are left out.

    Raises InvalidFile.
    """
    found = {dated.entry.entry_id: dated for path in paths for dated in _read_page(path)}
    entries = tuple(
        found[number]
        for number in sorted(found)
        if begins_at <= found[number].posted_at < ends_at
        and found[number].entry.programme_id == programme_id
    )
    return EpochEntries(programme_id, epoch, begins_at, ends_at, entries)


def _read_page(path: Path) -> Iterator[DatedEntry]:
    try:
        for item in json.loads(path.read_bytes())["items"]:
            yield DatedEntry(_published(item), int(_time(item["timestamp"])))
    except OSError as error:
        problem = f"it cannot be read: {error.strerror}"
        raise InvalidFile(path=path, line=1, problem=problem) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = "it is not a page of entries as GET /v1/entries answers it"
        raise InvalidFile(path=path, line=1, problem=problem) from error


def _published(item: Mapping[str, Any]) -> EntryPosted:
    evidence = item["evidence"]["commitment"] if item["evidence"] else "0x" + "00" * 32
    return EntryPosted(
        entry_id=item["entry_id"],
        programme_id=item["programme_id"],
        org_id=item["org_id"],
        kind=EntryKind[item["kind"].upper()],
        category=recode_key(item["category"] or ""),
        amount=item["amount"],
        balance_after=item["balance_after"],
        evidence=bytes.fromhex(evidence[2:]),
        refers_to=item["refers_to"] or 0,
        actor=parse_address(item["actor"]),
        operation_id=bytes.fromhex(item["operation_id"][2:]),
    )


def _time(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
