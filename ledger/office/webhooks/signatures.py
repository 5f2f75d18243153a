"""Signs a webhook's message as Standard Webhooks has it, so that any of its libraries can check it.

The scheme is symmetric (`v1`, HMAC-SHA256): https://www.standardwebhooks.com. It covers the
message's id, the second of the attempt and the body, byte for byte. A secret is shown once, when it
is made; nothing here shows one again.
"""

from __future__ import annotations

import base64
import hmac
import secrets
from collections.abc import Mapping, Sequence

SECRET_PREFIX = "whsec_"  # noqa: S105  how a secret's text begins
SECRET_BYTES = 32


def new_secret() -> bytes:
    """32 random bytes; the standard asks for 24 to 64."""
    return secrets.token_bytes(SECRET_BYTES)


def show_secret(secret: bytes) -> str:
    """The secret as the standard's libraries take it."""
    return SECRET_PREFIX + base64.b64encode(secret).decode("ascii")


def sign_message(
    keys: Sequence[bytes], message_id: str, body: bytes, *, at: int
) -> Mapping[str, str]:
    """The three headers of an attempt at `at` (seconds since 1970 UTC).

    One signature for each of the secrets in force, so that a receiver can change over in time.
    """
    signed = f"{message_id}.{at}.".encode("ascii") + body
    signatures = (
        "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode("ascii") for key in keys
    )
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(at),
        "webhook-signature": " ".join(signatures),
    }
