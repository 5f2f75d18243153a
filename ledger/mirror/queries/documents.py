"""What the office knows of the document behind a commitment on the chain.

The join is by the commitment alone. A document that was made up for a demonstration says so, and
whoever shows what rests on it shows that as well.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Row

from ledger.store.office_tables import evidence_files


@dataclass(frozen=True, slots=True)
class Document:
    """What the office knows of a piece of evidence; `size` is in bytes."""

    title_zh: str
    title_en: str
    media_type: str
    size: int
    made_up: bool


DOCUMENT_COLUMNS = (
    evidence_files.c.title_zh,
    evidence_files.c.title_en,
    evidence_files.c.media_type,
    evidence_files.c.size,
    evidence_files.c.made_up,
)
"""What `document_of` needs of an outer join with the evidence files."""


def document_of(row: Row[tuple[object, ...]]) -> Document | None:
    """The document in a row that has DOCUMENT_COLUMNS; None where the office has none."""
    if row.media_type is None:
        return None
    return Document(row.title_zh, row.title_en, row.media_type, row.size, bool(row.made_up))
