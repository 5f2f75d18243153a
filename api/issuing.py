"""The key that the server signs membership credentials with, opened when it is first needed.

Which key that is, the folder says at each request: a new one signs from its making, and one that
was set aside signs nothing more, without a restart. To open one takes a second, so the opened one
is kept.
"""

from __future__ import annotations

import threading

from fastapi import Request

from ledger.config import Settings
from ledger.errors import IssuerKeyMissing, LedgerError
from ledger.office.credentials.keys import IssuerKey, SigningKey
from ledger.services.credentials import Issuer
from ledger.wiring import issuer_of, list_published_keys, open_signing_key


class Issuing:
    """The issuer of one server process."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._lock = threading.Lock()
        self._opened: SigningKey | None = None
        self.issuer: Issuer = issuer_of(settings)

    def published(self) -> tuple[IssuerKey, ...]:
        """Every key that signatures can be checked by, the one that signs first.

        Raises IssuerKeyMissing where there is none, InvalidFile, KeyLocked.
        """
        keys = list_published_keys(self._settings)
        if not keys:
            raise IssuerKeyMissing()
        return keys

    @property
    def is_ready(self) -> bool:
        """Whether there is a key to sign with."""
        try:
            return bool(self.published())
        except LedgerError:
            return False

    def signing(self, key: IssuerKey) -> SigningKey:
        """The key, opened. Raises InvalidFile, KeyLocked, PasswordUnusable, IssuerKeyMissing."""
        with self._lock:
            if self._opened is None or self._opened.public != key:
                self._opened = open_signing_key(self._settings, key)
            return self._opened


def issuing_of(request: Request) -> Issuing:
    """The issuer of the application that serves the request."""
    issuing: Issuing = request.app.state.issuing
    return issuing


def origin_of(request: Request) -> str:
    """Where people reach the server: never what a request says of it, which anybody can write."""
    return issuing_of(request).issuer.origin
