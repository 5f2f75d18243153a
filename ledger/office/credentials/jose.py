"""JSON Web Signatures as credentials use them: compact, ES256, and nothing else.

There is no reader here: who checks a credential has a library of his own. The same payload has the
same signature (RFC 6979), so that an answer keeps its tag.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping

from Crypto.Hash import SHA256
from Crypto.PublicKey import ECC
from Crypto.Signature import DSS

ALGORITHM = "ES256"


def encode_base64url(content: bytes) -> str:
    """Base64url without padding (RFC 7515, section 2)."""
    return base64.urlsafe_b64encode(content).decode("ascii").rstrip("=")


def sign_compact(
    secret: ECC.EccKey, header: Mapping[str, str], payload: Mapping[str, object]
) -> str:
    """`header.payload.signature`; `alg` is added to the header."""
    parts = ({"alg": ALGORITHM, **header}, payload)
    signed = ".".join(encode_base64url(_json(part)) for part in parts)
    signer = DSS.new(secret, "deterministic-rfc6979", encoding="binary")
    return f"{signed}.{encode_base64url(signer.sign(SHA256.new(signed.encode('ascii'))))}"


def _json(value: Mapping[str, object]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8")
