"""Looks for words in files byte by byte, in every form in which a program may have written them.

Packed streams are unpacked wherever they begin in a file. A search that cannot find is no proof, so
whoever uses it searches first where the words must be.
"""

from __future__ import annotations

import base64
import contextlib
import json
import urllib.parse
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

_GZIP = b"\x1f\x8b\x08"
_ALIGNMENTS = 3


def forms_of(word: str) -> set[bytes]:
    """A word as UTF-8, UTF-16, JSON's escapes, hex, base64, and in a URL."""
    raw = word.encode()
    forms = {
        raw,
        word.encode("utf-16-le"),
        word.encode("utf-16-be"),
        json.dumps(word)[1:-1].encode(),
        json.dumps(word)[1:-1].upper().replace("\\U", "\\u").encode(),
        raw.hex().encode(),
        raw.hex().upper().encode(),
        urllib.parse.quote(word).encode(),
        urllib.parse.quote_plus(word).encode(),
    }
    for skipped in range(_ALIGNMENTS):
        # What is before and behind shares its first and last letters with the word.
        packed = base64.b64encode(b"\0" * skipped + raw)
        inner = packed[4 if skipped else 0 : len(packed) // 4 * 4 - 4]
        forms |= {inner, inner.replace(b"+", b"-").replace(b"/", b"_")}
    return {form for form in forms if len(form) >= 6}


def find_words(paths: Iterable[Path], words: Iterable[str]) -> dict[str, set[str]]:
    """The files in which each word that was found stands."""
    forms = {word: forms_of(word) for word in words}
    found: dict[str, set[str]] = {}
    for path in paths:
        try:
            content = path.read_bytes() if path.is_file() else b""
        except FileNotFoundError:  # a server deleted it meanwhile
            continue
        for part in (content, *_unpacked(content)):
            for word, its_forms in forms.items():
                if any(form in part for form in its_forms):
                    found.setdefault(word, set()).add(path.name)
    return found


def _unpacked(content: bytes) -> Iterator[bytes]:
    place = content.find(_GZIP)
    while place >= 0:
        stream = zlib.decompressobj(wbits=31)
        with contextlib.suppress(zlib.error):  # three bytes may only look like it
            yield stream.decompress(content[place:])
        place = content.find(_GZIP, place + 1)
