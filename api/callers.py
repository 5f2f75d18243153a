"""Who calls: somebody who signed in, a program with an API key, or anybody.

A caller is an account and what its credential is good for. What the account may do is the chain's
to say and is read from the mirror for each command (`api.rights`). An API key is looked up for each
request, so that one which was revoked opens nothing a moment later, in any server process.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from fastapi import Request
from fastapi.concurrency import run_in_threadpool

from api.answers import Reading, answers_of
from api.limits import Limits
from api.office import reading_office, writing_office
from ledger.chain.addresses import show_address
from ledger.config import Settings
from ledger.domain.access import Scope
from ledger.errors import (
    AccessDenied,
    ApiKeyRefused,
    ForgeryRefused,
    LedgerError,
    NotSignedIn,
    ScopeMissing,
)
from ledger.mirror.queries.accounts import read_roles
from ledger.mirror.queries.memberships import read_memberships_of
from ledger.mirror.queries.organisations import read_controlled_by
from ledger.office.api_keys import find_api_key, needs_note, note_use
from ledger.office.sessions import csrf_token_of, find_session

CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
EVERY_SCOPE = frozenset(Scope)


@dataclass(frozen=True, slots=True)
class Caller:
    """An account, and by what it is known: `session:…` or `key:…`."""

    account: bytes
    via: str
    scopes: frozenset[Scope]
    token: str = ""

    @property
    def address(self) -> str:
        """The account as people read it."""
        return show_address(self.account)

    @property
    def has_session(self) -> bool:
        """Whether it is a person who signed in, and no program."""
        return self.via.startswith("session:")


def cookie_name(settings: Settings) -> str:
    """The cookie's name; a browser takes one with __Host- over https and from this host alone."""
    return "__Host-moonlake" if settings.origin.startswith("https:") else "moonlake_session"


def find_caller(request: Request) -> Caller | None:
    """Who calls; None where nobody says so.

    Raises ApiKeyRefused and NotSignedIn for a credential that is good for nothing, ForgeryRefused
    for a change that a session's own page did not ask for. To be called in a thread.
    """
    if not hasattr(request.state, "caller"):
        request.state.caller = _find(request)
    found: Caller | None = request.state.caller
    return found


def require_caller(request: Request, scope: Scope | None = None) -> Caller:
    """Who calls. Raises NotSignedIn for nobody, ScopeMissing, and as `find_caller`."""
    caller = find_caller(request)
    if caller is None:
        raise NotSignedIn(problem="nobody is")
    if scope is not None and scope not in caller.scopes:
        raise ScopeMissing(scope=scope.value)
    return caller


class Needs:
    """A route's dependency: a caller, with a scope of this kind where a key is used."""

    def __init__(self, scope: Scope | None = None, *, session: bool = False) -> None:
        self.scope = scope
        self.session = session

    def __call__(self, request: Request) -> Caller:
        """The caller. Raises as `require_caller`; NotSignedIn also where a key is not enough."""
        caller = require_caller(request, self.scope)
        if self.session and not caller.has_session:
            raise NotSignedIn(problem="an API key is not enough")
        return caller


async def may_read(request: Request) -> None:
    """A route's dependency: whoever reads what belongs to the ledger.

    Under the policy `open` that is anybody. Raises NotSignedIn, AccessDenied and ScopeMissing.
    """
    settings: Settings = request.app.state.settings
    if settings.read_policy != "open":
        await run_in_threadpool(check_reader, request)


def has_office(request: Request, caller: Caller) -> bool:
    """Whether the caller's account holds any role."""
    return answers_of(request).read(
        lambda read: bool(read_roles(read.connection, read.moment, caller.account))
    )


def check_session(request: Request) -> None:
    """See that somebody with an office is signed in here, before a long body of his is read: whose
    form it is, a field of that body says. Raises NotSignedIn and AccessDenied."""
    settings: Settings = request.app.state.settings
    token = request.cookies.get(cookie_name(settings))
    if token is None:
        raise NotSignedIn(problem="nobody is")
    with reading_office(request) as connection:
        session = find_session(connection, token, now=clock_of(request)())
    caller = Caller(session.account, f"session:{session.name}", EVERY_SCOPE, token)
    if not has_office(request, caller):
        raise AccessDenied(account=caller.address, needed="the desk is for officers")


def check_reader(request: Request) -> None:
    """The same, in a thread."""
    settings: Settings = request.app.state.settings
    if settings.read_policy == "open":
        return
    caller = require_caller(request, Scope.READ)

    def may(read: Reading) -> bool:
        if read_roles(read.connection, read.moment, caller.account):
            return True
        own = read_controlled_by(read.connection, read.moment, caller.account)
        if own is None:
            return False
        held = read_memberships_of(read.connection, read.moment, [own.org_id])
        return any(each.owner is not None for each in held.get(own.org_id, ()))

    if not answers_of(request).read(may):
        raise AccessDenied(
            account=caller.address,
            needed="reading is for members, and for officers",
        )


def _find(request: Request) -> Caller | None:
    header = request.headers.get("authorization")
    if header is not None:
        return _by_key(request, header)
    settings: Settings = request.app.state.settings
    token = request.cookies.get(cookie_name(settings))
    if token is None:
        return None
    with reading_office(request) as connection:
        session = find_session(connection, token, now=clock_of(request)())
    if request.method not in SAFE_METHODS:
        _check_forgery(request, settings, token)
    return Caller(session.account, f"session:{session.name}", EVERY_SCOPE, token)


def _by_key(request: Request, header: str) -> Caller:
    kind, _, text = header.partition(" ")
    limits: Limits = request.app.state.limits
    if kind.lower() != "bearer":
        limits.charge_failure(request)
        raise ApiKeyRefused(problem="it is to be sent as `Authorization: Bearer KEY`")
    now = clock_of(request)()
    try:
        with reading_office(request) as connection:
            key = find_api_key(connection, text.strip(), now=now)
    except ApiKeyRefused:
        limits.charge_failure(request)
        raise
    raw = header.encode("latin-1")
    if not limits.knows(raw) and _is_of_the_ledger(request, key.account):
        limits.remember_key(raw, key.prefix)
    if needs_note(key, now=now):
        with writing_office(request) as connection:
            note_use(connection, key, now=now)
    return Caller(key.account, f"key:{key.prefix}", key.scopes)


def _is_of_the_ledger(request: Request, account: bytes) -> bool:
    """Whether the chain knows the account. Whoever makes accounts up makes as many keys as he
    likes, and is charged as who he is."""

    def is_known(read: Reading) -> bool:
        if read_roles(read.connection, read.moment, account):
            return True
        return read_controlled_by(read.connection, read.moment, account) is not None

    try:
        return answers_of(request).read(is_known)
    except LedgerError:
        return False  # the mirror cannot be read now; the next request asks again


def _check_forgery(request: Request, settings: Settings, token: str) -> None:
    origin = request.headers.get("origin")
    allowed = (settings.origin, *settings.cors_origins)
    if origin is not None and origin.lower() not in allowed and not _is_here(request, origin):
        raise ForgeryRefused(problem="its Origin is another page's")
    # A form of the console has it in a field (api/console/desk/forms.py).
    sent = request.headers.get(CSRF_HEADER, "") or str(getattr(request.state, "csrf_field", ""))
    if not hmac.compare_digest(sent.encode("utf-8", "replace"), csrf_token_of(token).encode()):
        raise ForgeryRefused(problem="it has not the session's X-CSRF-Token")


def _is_here(request: Request, origin: str) -> bool:
    """Whether the page is of the host that the request itself names."""
    return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower() != ""


def clock_of(request: Request) -> Callable[[], float]:
    """The clock of the application that serves the request."""
    clock: Callable[[], float] = getattr(request.app.state, "clock", time.time)
    return clock
