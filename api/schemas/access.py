"""Signing in, API keys, and the log of privileged calls."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field

from api.callers import Caller
from api.formats import show_address_once, show_bytes, show_milliseconds, show_time
from api.pagination import MAX_LIMIT
from api.schemas.base import Address, Digest, Schema, Time, at_most
from api.schemas.commands import Command
from ledger.chain.sign_in import MAX_MESSAGE, MAX_SIGNATURE
from ledger.domain.access import AccessLine, Scope
from ledger.office.api_keys import MAX_DAYS, ApiKey


class NonceAnswer(Schema):
    """What a message to sign (EIP-4361) must hold; it is good until `expires_at`. `message` is
    such a message, for the address that was given, and null without one."""

    nonce: Annotated[str, Field(examples=["5d41402abc4b2a76b9719d911017c592"])]
    domain: Annotated[str, Field(examples=["ledger.example.org"])]
    uri: Annotated[str, Field(examples=["https://ledger.example.org"])]
    version: Literal["1"]
    chain_id: Annotated[int, Field(examples=[31337])]
    expires_at: Time
    message: str | None


class SignInCommand(Command):
    """A message of EIP-4361 as it was signed, and the signature: of the account's own key
    (`personal_sign`), or whatever its contract takes (ERC-1271)."""

    message: Annotated[str, Field(min_length=1, max_length=MAX_MESSAGE)]
    signature: Annotated[str, Field(pattern="^0x[0-9a-fA-F]+$", max_length=2 + 2 * MAX_SIGNATURE)]


class SessionAnswer(Schema):
    """Who is signed in. Every request that changes something sends `csrf_token` as the header
    X-CSRF-Token beside the cookie; with an API key there is none."""

    address: Address
    via: Annotated[str, Field(examples=["session:9b74c9897bac770f"])]
    scopes: Annotated[list[Scope], at_most(len(Scope))]
    csrf_token: str | None

    @classmethod
    def of(cls, caller: Caller, csrf_token: str | None) -> Self:
        return cls(
            address=caller.address,
            via=caller.via,
            scopes=sorted(caller.scopes),
            csrf_token=csrf_token,
        )


class ApiKeyCommand(Command):
    """A key to be made for the account that is signed in."""

    name: Annotated[
        str,
        Field(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f]*$", examples=["portal"]),
    ]
    scopes: Annotated[
        list[Annotated[Scope, Field(strict=False)]],
        Field(min_length=1, max_length=len(Scope), examples=[["read", "credits"]]),
    ]
    days: Annotated[int, Field(ge=1, le=MAX_DAYS)] = 90


class ApiKeyView(Schema):
    """What may be shown of a key."""

    prefix: Annotated[str, Field(examples=["Zk3fB9q2"])]
    address: Address
    name: str
    scopes: Annotated[list[Scope], at_most(len(Scope))]
    created_at: Time
    expires_at: Time
    last_used_at: Time | None
    revoked_at: Time | None

    @classmethod
    def of(cls, key: ApiKey) -> Self:
        return cls(
            prefix=key.prefix,
            address=show_address_once(key.account),
            name=key.name,
            scopes=sorted(key.scopes),
            created_at=show_time(key.created_at),
            expires_at=show_time(key.expires_at),
            last_used_at=None if key.last_used_at is None else show_time(key.last_used_at),
            revoked_at=None if key.revoked_at is None else show_time(key.revoked_at),
        )


class NewApiKey(ApiKeyView):
    """A key that was made, shown this once."""

    key: Annotated[str, Field(examples=["mlk_Zk3fB9q2_…"])]


class ApiKeysPage(Schema):
    """Keys of the account that is signed in, the newest first; `next` is the following page's."""

    items: Annotated[list[ApiKeyView], at_most(MAX_LIMIT)]
    next: Annotated[str | None, Field(examples=[None])]


class AccessLineView(Schema):
    """A line of the log. `hash` is SHA-256 over `previous` and the line's canonical JSON. `sealed`
    commits to what was said, which is for those alone whom it concerns."""

    number: Annotated[int, Field(ge=1)]
    at: Time
    account: str
    via: str
    action: Annotated[str, Field(examples=["operation.asked"])]
    subject: str
    detail: Annotated[str, Field(description="Further facts, as canonical JSON.")]
    sealed: Digest | None
    previous: Digest
    hash: Digest

    @classmethod
    def of(cls, line: AccessLine) -> Self:
        values: dict[str, Any] = {
            "at": show_milliseconds(line.at),
            "sealed": None if line.sealed is None else show_bytes(line.sealed),
            "previous": show_bytes(line.previous),
            "hash": show_bytes(line.hash),
        }
        kept = ("number", "account", "via", "action", "subject", "detail")
        return cls(**{name: getattr(line, name) for name in kept}, **values)


class AccessLines(Schema):
    """Lines of the log, the newest first; `next` is what to give as `before`."""

    items: Annotated[list[AccessLineView], at_most(MAX_LIMIT)]
    next: int | None
