"""What somebody signed off the chain, as the contracts take it. Signatures are not checked here."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SignedMessage:
    """A signature, whose it is, and how long it is good.

    `signer` is an account (20 bytes), or a verifier and a key (ERC-7913); `deadline` the last
    second in which it is good, since 1970 UTC.
    """

    signer: bytes
    deadline: int
    signature: bytes


@dataclass(frozen=True, slots=True)
class Consent:
    """An applicant's agreement to its admission. `application_id` counts once, 32 bytes."""

    application_id: bytes
    signed: SignedMessage
