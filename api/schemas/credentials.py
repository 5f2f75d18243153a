"""A membership as a credential that others can check."""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field

from api.schemas.base import Answer
from ledger.services.credentials import Credential


class CredentialAnswer(Answer):
    """A membership as an Open Badges 3.0 credential: to read, and signed."""

    credential: Annotated[
        dict[str, Any],
        Field(
            description="The claims of the token: a W3C Verifiable Credential (2.0) with the "
            "registered claims of a JSON Web Token. They prove nothing without its signature."
        ),
    ]
    jwt: Annotated[
        str,
        Field(
            description="The credential itself: a JSON Web Token (ES256), whose key is named by "
            "its header and is in `/.well-known/did.json`.",
            pattern="^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$",
        ),
    ]

    @classmethod
    def of(cls, about: Answer, found: Credential) -> Self:
        return cls(
            as_of=about.as_of, mirror=about.mirror, credential=dict(found.payload), jwt=found.jwt
        )
