"""Files that are sent as a request's body: taken in piece by piece, within the bound for documents.

Nothing of a file is in memory at once, and nothing of it is looked at here: what may be kept is for
the store to say. A body that says no type, or is longer than may be, is refused before it is read.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import BinaryIO

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from ledger.config import Settings
from ledger.errors import EvidenceRefused, InvalidValue

_PATHS = re.compile(r"/v1/evidence|/v1/applications/0x[0-9a-fA-F]{64}/documents")
_IN_MEMORY = 1024 * 1024
"""Bytes of a document that are held in memory while it comes in; the rest is on the disk."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came in."""

    content: BinaryIO
    sha256: bytes
    media_type: str


def takes_file(scope: Scope) -> bool:
    """Whether a request's body is a file, which is streamed and no JSON of ours."""
    return scope["method"] == "POST" and _PATHS.fullmatch(scope["path"]) is not None


def most_bytes(settings: Settings) -> int:
    """The bytes of the largest document that is kept."""
    return settings.evidence_max_mib * 1024 * 1024


@asynccontextmanager
async def received(request: Request) -> AsyncIterator[Upload]:
    """The request's body as a file that is gone afterwards; the edge bounds it.

    Raises InvalidValue, and EvidenceRefused for a body that breaks off.
    """
    media_type = request.headers.get("content-type", "").strip().lower()
    if not media_type or media_type.startswith(("multipart/", "application/x-www-form")):
        expected = "the media type of the file that is the body"
        raise InvalidValue(field="Content-Type", value=media_type, expected=expected)
    hasher = hashlib.sha256()
    with tempfile.SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        try:
            async for chunk in request.stream():
                hasher.update(chunk)
                await run_in_threadpool(file.write, chunk)
        except ClientDisconnect as error:
            raise EvidenceRefused(problem="it did not come in whole") from error
        file.seek(0)
        yield Upload(file, hasher.digest(), media_type)  # type: ignore[arg-type]  # it is one
