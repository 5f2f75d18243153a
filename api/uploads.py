"""Files that are sent as a request's body or with a form: taken in piece by piece, within bounds.

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
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import ClientDisconnect
from starlette.types import Scope

from ledger.config import Settings
from ledger.errors import EvidenceRefused, InvalidValue

_PATHS = re.compile(r"/v1/evidence|/v1/applications/0x[0-9a-fA-F]{64}/documents")
_FORMS = frozenset({"/desk/imports"})
"""Where a form of the console sends a file."""
MOST_OF_A_FORM = 64 * 1024 * 1024
"""Bytes of a form with a file. The page behind it takes less, and says so better than this can."""
_MOST_FIELDS = 40
_MOST_OF_A_FIELD = 16 * 1024
MULTIPART = "multipart/form-data"
_CHARSET = re.compile("charset[^;]*")
_UTF_8 = re.compile(r'charset="?utf-8"?\s*')
_IN_MEMORY = 1024 * 1024
"""Bytes of a document that are held in memory while it comes in; the rest is on the disk."""


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came in."""

    content: BinaryIO
    sha256: bytes
    media_type: str


@dataclass(frozen=True, slots=True)
class SentFile:
    """A file that came with a form, and how it is called there."""

    content: BinaryIO
    name: str
    size: int


def most_of(scope: Scope, settings: Settings) -> int:
    """The bytes of the longest body where one is a file, which is streamed and no JSON of ours; 0
    where it is none."""
    if scope["method"] != "POST":
        return 0
    if scope["path"] in _FORMS:
        return MOST_OF_A_FORM
    is_document = _PATHS.fullmatch(scope["path"]) is not None
    return settings.evidence_max_mib * 1024 * 1024 if is_document else 0


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


@asynccontextmanager
async def received_form(
    request: Request,
) -> AsyncIterator[tuple[list[tuple[str, str]], SentFile | None]]:
    """The fields of a form with a file, and the file, which is gone afterwards.

    Raises InvalidValue where it is no such form, and RequestTooLarge.
    """
    kind = request.headers.get("content-type", "")
    name, _, parameters = kind.partition(";")
    # Python decodes by any name that it knows, and some of them take minutes.
    named = _CHARSET.findall(parameters.lower())
    is_plain = all(_UTF_8.fullmatch(each) for each in named)
    if name.strip().lower() != MULTIPART or not is_plain:
        raise InvalidValue(field="Content-Type", value=kind[:100], expected=MULTIPART)
    reader = _FormReader(
        request.headers,
        request.stream(),
        max_files=1,
        max_fields=_MOST_FIELDS,
        max_part_size=_MOST_OF_A_FIELD,
    )
    expected = "a form that comes in whole, as a browser sends it"
    try:
        try:
            form = await reader.parse()
        except (MultiPartException, ClientDisconnect, ValueError) as error:
            raise InvalidValue(field="body", value="", expected=expected) from error
        if not reader.is_whole:
            raise InvalidValue(field="body", value="", expected=expected)
        pairs: list[tuple[str, str]] = []
        file: SentFile | None = None
        for name, each in form.multi_items():
            if isinstance(each, str):
                pairs.append((name, each))
            elif name == "file":
                file = SentFile(each.file, each.filename or "", each.size or 0)
        yield pairs, file
    finally:
        reader.close()


class _FormReader(MultiPartParser):
    """Starlette's reader, which takes a form that breaks off for a whole one, and leaves open the
    file that it was reading then."""

    is_whole = False

    def on_end(self) -> None:
        self.is_whole = True

    def close(self) -> None:
        """Close what was read into."""
        for each in self._files_to_close_on_error:
            each.close()
