"""Bundles taken apart, changed and put together again with right digests, as an operator could."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec

from ledger.audit.archive import writing_archive
from ledger.audit.bundle import (
    BLOCKS,
    MANIFEST,
    ORDER,
    STATE,
    AccountState,
    Manifest,
    MemberDigest,
    encode_state,
    opened_bundle,
    read_account,
    write_canonical,
)
from ledger.chain.rlp import Item, decode, encode

Files = dict[str, bytes]


def take_apart(path: Path) -> Files:
    """The files of a bundle, by name."""
    with opened_bundle(path) as bundle:
        found: Files = {}
        for name, member in bundle.members.items():
            bundle.file.seek(member.start)
            found[name] = bundle.file.read(member.size)
        return found


def put_together(path: Path, files: Mapping[str, bytes]) -> Path:
    """A bundle of these files; the manifest has their digests, and says the rest as it did."""
    before = msgspec.json.decode(files[MANIFEST], type=Manifest)
    with writing_archive(path) as archive:
        for name in ORDER[:-1]:
            archive.add(name, files[name])
        digests = {
            name: MemberDigest(size, digest.hex())
            for name, (size, digest) in archive.digests.items()
        }
        archive.add(MANIFEST, write_canonical(msgspec.structs.replace(before, files=digests)))
    return path


def records_of(files: Files) -> list[Any]:
    """The blocks' records, decoded."""
    return [decode(record) for record in split_records(files[BLOCKS])]


def split_records(content: bytes) -> list[bytes]:
    """The records as they stand."""
    found, at = [], 0
    while at < len(content):
        head = content[at]
        if head <= 0xF7:
            length = 1 + head - 0xC0
        else:
            size = head - 0xF7
            length = 1 + size + int.from_bytes(content[at + 1 : at + 1 + size], "big")
        found.append(content[at : at + length])
        at += length
    return found


def join_records(records: list[Item]) -> bytes:
    """The file of these records."""
    return b"".join(encode(record) for record in records)


def change_state(files: Files, change: Callable[[list[AccountState]], list[AccountState]]) -> Files:
    """The files with other proofs."""
    items = decode(files[STATE])
    assert isinstance(items, list)
    accounts = [read_account(encode(item)) for item in items]
    return {**files, STATE: encode_state(change(accounts))}
