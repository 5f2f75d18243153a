"""What the chain holds of a document that stays off it: a salted SHA-256.

The salt makes a commitment say nothing about a document that can be guessed, and erasing the salt
makes the commitment meaningless for ever. A document that is not text or whole numbers has no
canonical form and is refused, since two readers could write it differently.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Mapping

from ledger.errors import InvalidValue

SALT_BYTES = 32


def new_salt() -> bytes:
    """32 random bytes."""
    return secrets.token_bytes(SALT_BYTES)


def canonical_json(document: Mapping[str, object]) -> bytes:
    """The one way to write a document: keys sorted, no spaces, UTF-8, nothing escaped needlessly.

    The same as RFC 8785 for the values allowed here: text, whole numbers, true, false, null, and
    lists and objects of these. Raises InvalidValue for any other value.
    """
    _refuse_ambiguous(document, "document")
    return json.dumps(
        document, ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False
    ).encode("utf-8")


def commit_to_document(salt: bytes, document: bytes) -> bytes:
    """SHA-256 of salt and document: a profile's commitment."""
    return hashlib.sha256(salt + document).digest()


def commit_to_content(salt: bytes, content_hash: bytes) -> bytes:
    """SHA-256 of salt and the content's SHA-256: an evidence file's commitment.

    Over the hash and not the content, so that a large file is hashed once whatever its salt.
    """
    return hashlib.sha256(salt + content_hash).digest()


def _refuse_ambiguous(value: object, field: str) -> None:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            if not isinstance(key, str) or not key.isascii():
                raise InvalidValue(field=field, value=key, expected="a name of ASCII characters")
            _refuse_ambiguous(inner, f"{field}.{key}")
    elif isinstance(value, list | tuple):
        for position, inner in enumerate(value):
            _refuse_ambiguous(inner, f"{field}[{position}]")
    elif not isinstance(value, str | int | None):
        raise InvalidValue(
            field=field, value=value, expected="text, a whole number, true, false or null"
        )
