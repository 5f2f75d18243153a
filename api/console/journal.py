"""The page of one entry, and of the document that an entry or a membership rests on."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading
from api.console.languages import Language
from api.console.markdown import render_markdown
from api.console.names import organisation_name
from api.console.pages import page
from api.formats import parse_digest
from api.parameters import CommitmentPath, EntryPath
from api.schemas.evidence import content_path
from ledger.domain.ids import EntryId
from ledger.errors import EvidenceDamaged
from ledger.mirror.queries.entries import read_entry
from ledger.mirror.queries.organisations import read_organisation_profiles
from ledger.office.evidence import EvidenceStore
from ledger.office.queries import EvidenceRecord, read_evidence

router = APIRouter(include_in_schema=False)

_SHOWN_BYTES = 64 * 1024


@router.get("/entries/{entry_id}")
def entry(request: Request, entry_id: EntryPath) -> Response:
    """One entry, with all that it takes to check it."""

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        found = read_entry(reading.connection, reading.moment, EntryId(entry_id))
        profiles = read_organisation_profiles(reading.connection, reading.moment, [found.org_id])
        return {
            "entry": found,
            "name": organisation_name(language, profiles.get(found.org_id), found.org_id),
        }

    return page(request, "entry.html", build)


@router.get("/evidence/{commitment}")
def evidence(request: Request, commitment: CommitmentPath) -> Response:
    """A document, how it is checked against the chain, and its text where it is one."""
    raw = parse_digest("commitment", commitment)
    store: EvidenceStore = request.app.state.evidence

    def build(reading: Reading, _language: Language) -> Mapping[str, Any]:
        record = read_evidence(reading.connection, raw)
        text, is_whole = _text_of(store, reading, record)
        return {
            "record": record,
            "content": content_path(raw),
            "text": render_markdown(text) if _is_markdown(record) else text,
            "is_markdown": _is_markdown(record),
            "is_whole": is_whole,
        }

    return page(request, "evidence.html", build)


def _is_markdown(record: EvidenceRecord) -> bool:
    return record.media_type.startswith("text/markdown")


def _text_of(store: EvidenceStore, reading: Reading, record: EvidenceRecord) -> tuple[str, bool]:
    """The document's text where it is a short one, and whether the document is what it was."""
    try:
        _, chunks = store.read(reading.connection, record.commitment)
    except EvidenceDamaged:
        return "", False
    with contextlib.closing(chunks):
        if not record.media_type.startswith("text/") or record.size > _SHOWN_BYTES:
            return "", True
        return b"".join(chunks).decode("utf-8", errors="replace"), True
