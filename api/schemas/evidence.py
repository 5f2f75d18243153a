"""Documents that entries and memberships rest on."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field

from api.formats import show_bytes, show_time
from api.schemas.base import Answer, Digest, Schema, Time, Whole
from ledger.mirror.queries.documents import Document
from ledger.office.queries import EvidenceRecord


def content_path(commitment: bytes) -> str:
    """Where the document behind a commitment is served."""
    return f"/v1/evidence/{show_bytes(commitment)}/content"


class DocumentView(Schema):
    """A document of the office. What is `made_up` was written for a demonstration."""

    title_zh: str
    title_en: str
    media_type: Annotated[str, Field(examples=["application/pdf"])]
    size: Whole
    made_up: bool
    content: Annotated[str, Field(description="Where the document itself is.")]


class EvidenceRef(Schema):
    """The commitment on the chain, and the document where the office has it."""

    commitment: Digest
    document: DocumentView | None

    @classmethod
    def of(cls, commitment: bytes, document: Document | None) -> Self | None:
        """None where the chain has no commitment."""
        written = written_evidence(commitment, document)
        return cls(**written) if written is not None else None


def written_evidence(commitment: bytes, document: Document | None) -> dict[str, Any] | None:
    """An EvidenceRef as JSON has it; None where the chain has no commitment."""
    if not any(commitment):
        return None
    if document is None:
        return {"commitment": show_bytes(commitment), "document": None}
    return {
        "commitment": show_bytes(commitment),
        "document": {
            "title_zh": document.title_zh,
            "title_en": document.title_en,
            "media_type": document.media_type,
            "size": document.size,
            "made_up": document.made_up,
            "content": content_path(commitment),
        },
    }


class EvidenceAnswer(Answer):
    """A document. SHA-256 of `salt` and `content_hash` together is the commitment on the chain,
    and SHA-256 of the document itself is `content_hash`."""

    commitment: Digest
    salt: Digest
    content_hash: Digest
    media_type: str
    size: Whole
    title_zh: str
    title_en: str
    made_up: bool
    added_at: Time
    content: str

    @classmethod
    def of(cls, about: Answer, record: EvidenceRecord) -> Self:
        return cls(
            as_of=about.as_of,
            mirror=about.mirror,
            commitment=show_bytes(record.commitment),
            salt=show_bytes(record.salt),
            content_hash=show_bytes(record.content_hash),
            media_type=record.media_type,
            size=record.size,
            title_zh=record.title_zh,
            title_en=record.title_en,
            made_up=record.made_up,
            added_at=show_time(record.added_at),
            content=content_path(record.commitment),
        )
