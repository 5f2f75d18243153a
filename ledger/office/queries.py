"""Reading what the office keeps: the state of its rows, and what is known of a document.

Names and titles that belong to mirrored rows are joined there (`ledger.mirror.queries`); here is
what is asked for by itself.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select

from ledger.errors import NotFound
from ledger.store.office_tables import evidence_files, office_state, private_evidence, profiles


@dataclass(frozen=True, slots=True)
class EvidenceRecord:
    """What makes a commitment checkable: SHA-256 of `salt` and `content_hash` is `commitment`.

    `added_at` is in seconds since 1970 UTC.
    """

    commitment: bytes
    salt: bytes
    content_hash: bytes
    media_type: str
    size: int
    title_zh: str
    title_en: str
    made_up: bool
    added_at: int


def read_revision(connection: Connection) -> int:
    """How often the office has changed; 0 where nothing is kept yet."""
    return connection.execute(select(office_state.c.revision)).scalar_one_or_none() or 0


def holds_made_up(connection: Connection) -> bool:
    """Whether any document kept here was made up for a demonstration."""
    query = select(evidence_files.c.commitment).where(evidence_files.c.made_up == 1).limit(1)
    return connection.execute(query).first() is not None


def read_profile_texts(connection: Connection, commitment: bytes) -> dict[str, str]:
    """Every named text of a profile's document; empty where no such profile is kept."""
    query = select(profiles.c.document).where(profiles.c.commitment == commitment)
    document = connection.execute(query).scalar_one_or_none()
    if document is None:
        return {}
    values = json.loads(bytes(document))
    return {name: text for name, text in values.items() if isinstance(text, str)}


def read_evidence(
    connection: Connection, commitment: bytes, *, entitled: bool = False
) -> EvidenceRecord:
    """What anybody may know of the document behind a commitment.

    Raises NotFound, also for a private one to whom it is not said to be `entitled`.
    """
    query = select(evidence_files).where(evidence_files.c.commitment == commitment)
    if not entitled:
        hidden = select(private_evidence.c.commitment)
        query = query.where(evidence_files.c.commitment.not_in(hidden))
    row = connection.execute(query).one_or_none()
    if row is None:
        raise NotFound(what="evidence document", key="0x" + commitment.hex())
    return _evidence(row)


def _evidence(row: Row[Any]) -> EvidenceRecord:
    return EvidenceRecord(
        commitment=bytes(row.commitment),
        salt=bytes(row.salt),
        content_hash=bytes(row.content_hash),
        media_type=row.media_type,
        size=row.size,
        title_zh=row.title_zh,
        title_en=row.title_en,
        made_up=bool(row.made_up),
        added_at=row.added_at,
    )
