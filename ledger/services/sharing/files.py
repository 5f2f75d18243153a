"""The two files of a distribution, which anybody can read and make: its entries, and its shares.

Both are JSON that a person can read. A file of entries has all that a computation needs, so that
who has it needs no database, no node and no word of ours; a file of shares has the rule, the root,
and every share with its proof. What is read of a file of shares is computed again from its own
shares: one whose root does not follow from them is refused.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from ledger.chain.merkle import share_leaf
from ledger.domain.events import EntryKind, EntryPosted
from ledger.domain.expiry import DatedEntry
from ledger.domain.ids import OrgId, ProgrammeId
from ledger.domain.keys import decode_key, recode_key
from ledger.domain.shares import Share, SharedPool, ShareRule
from ledger.errors import InvalidFile, InvalidValue, LedgerError
from ledger.services.sharing.distributing import EpochEntries, Shares

ENTRIES_SCHEMA = "moonlake.entries/1"
SHARES_SCHEMA = "moonlake.shares/1"

T = TypeVar("T")


def describe_entries(given: EpochEntries) -> dict[str, Any]:
    """The file of an epoch's entries."""
    return {
        "schema": ENTRIES_SCHEMA,
        "programme_id": given.programme_id,
        "epoch": given.epoch,
        "begins_at": given.begins_at,
        "ends_at": given.ends_at,
        "entries": [
            {
                "entry_id": dated.entry.entry_id,
                "posted_at": dated.posted_at,
                "org_id": dated.entry.org_id,
                "kind": EntryKind(dated.entry.kind).name.lower(),
                "category": _show_category(dated.entry.category),
                "amount": dated.entry.amount,
            }
            for dated in given.entries
        ],
    }


def read_entries(path: Path) -> EpochEntries:
    """Read a file of entries. Raises InvalidFile."""
    return _read(path, ENTRIES_SCHEMA, _entries)


def describe_shares(shares: Shares) -> dict[str, Any]:
    """The file of a distribution's shares."""
    return {
        "schema": SHARES_SCHEMA,
        "programme_id": shares.programme_id,
        "epoch": shares.epoch,
        "begins_at": shares.begins_at,
        "ends_at": shares.ends_at,
        "entry_count": shares.entry_count,
        "rule": json.loads(shares.rule.to_json()),
        "rule_digest": "0x" + shares.rule.digest().hex(),
        "asked_pool": shares.asked_pool,
        "left_out": [
            {"org_id": org_id, "amount": amount} for org_id, amount in shares.left_out.items()
        ],
        "pool": shares.shared.pool,
        "undistributed": shares.shared.undistributed,
        "root": "0x" + shares.root.hex(),
        "shares": [
            {
                "org_id": share.org_id,
                "amount": share.amount,
                "proof": ["0x" + each.hex() for each in proof],
            }
            for share, proof in _proved(shares)
        ],
    }


def read_shares(path: Path) -> Shares:
    """Read a file of shares. Raises InvalidFile, also where its root is not that of its shares."""
    return _read(path, SHARES_SCHEMA, _shares)


def parse_shares(content: bytes) -> Shares:
    """The shares that a file's content is. Raises InvalidValue, also where its root is not that of
    its shares."""
    try:
        found = json.loads(content)
        _require_schema(found["schema"], SHARES_SCHEMA)
        return _shares(found)
    except InvalidValue:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, LedgerError) as error:
        raise InvalidValue(
            field="shares", value=content[:40], expected=f"a file of the schema {SHARES_SCHEMA}"
        ) from error


def read_rule(path: Path) -> ShareRule:
    """Read a published rule. Raises InvalidFile."""
    try:
        return ShareRule.from_json(_content(path).strip())
    except InvalidValue as error:
        raise InvalidFile(path=path, line=1, problem=str(error).rstrip(".")) from error


def _read(path: Path, schema: str, parse: Callable[[dict[str, Any]], T]) -> T:
    try:
        found = json.loads(_content(path))
        _require_schema(found["schema"], schema)
        return parse(found)
    except InvalidFile:
        raise
    except LedgerError as error:
        raise InvalidFile(path=path, line=1, problem=str(error).rstrip(".")) from error
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
        problem = f"it is no file of the schema {schema}: {type(error).__name__}: {error}"
        raise InvalidFile(path=path, line=1, problem=problem) from error


def _require_schema(found: object, schema: str) -> None:
    if found != schema:
        raise InvalidValue(field="schema", value=found, expected=schema)


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        problem = f"it cannot be read: {error.strerror}"
        raise InvalidFile(path=path, line=1, problem=problem) from error


def _entries(found: dict[str, Any]) -> EpochEntries:
    programme_id = ProgrammeId(_whole(found["programme_id"]))
    return EpochEntries(
        programme_id,
        _whole(found["epoch"]),
        _whole(found["begins_at"]),
        _whole(found["ends_at"]),
        tuple(
            DatedEntry(
                EntryPosted(
                    entry_id=_whole(row["entry_id"]),
                    programme_id=programme_id,
                    org_id=_whole(row["org_id"]),
                    kind=EntryKind[row["kind"].upper()],
                    category=recode_key(row["category"]),
                    amount=_whole(row["amount"]),
                    balance_after=0,
                    evidence=bytes(32),
                    refers_to=0,
                    actor=bytes(20),
                    operation_id=bytes(32),
                ),
                _whole(row["posted_at"]),
            )
            for row in found["entries"]
        ),
    )


def _shares(found: dict[str, Any]) -> Shares:
    rule = ShareRule.from_json(
        json.dumps(found["rule"], ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode(
            "utf-8"
        )
    )
    rows = tuple(
        Share(OrgId(_whole(row["org_id"])), _whole(row["amount"])) for row in found["shares"]
    )
    shares = Shares(
        ProgrammeId(_whole(found["programme_id"])),
        _whole(found["epoch"]),
        _whole(found["begins_at"]),
        _whole(found["ends_at"]),
        _whole(found["entry_count"]),
        rule,
        _whole(found["asked_pool"]),
        SharedPool(_whole(found["pool"]), rows, _whole(found["undistributed"])),
        {OrgId(_whole(row["org_id"])): _whole(row["amount"]) for row in found["left_out"]},
    )
    given = sum(share.amount for share in rows) + shares.shared.undistributed
    if given != shares.shared.pool or found["root"] != "0x" + shares.root.hex():
        raise InvalidValue(
            field="root", value=found["root"], expected="the root of the file's own shares"
        )
    return shares


def _proved(shares: Shares) -> Iterator[tuple[Share, tuple[bytes, ...]]]:
    """Every share with what leads from it to the root."""
    if not shares.shared.shares:
        return
    tree = shares.tree
    for share in shares.shared.shares:
        leaf = share_leaf(shares.programme_id, shares.epoch, share.org_id, share.amount)
        yield share, tree.proof(leaf)


def _show_category(category: bytes) -> str:
    return decode_key(category) if any(category) else ""


def _whole(value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise InvalidValue(field="value", value=value, expected="a whole number")
    return value
