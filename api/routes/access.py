"""Signing in and out, API keys, and the log of privileged calls."""

from __future__ import annotations

import time
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sqlalchemy import Connection

from api.answers import answers_of
from api.callers import Caller, Needs, clock_of, cookie_name, has_office
from api.edge import REQUEST_ID
from api.formats import show_bytes, show_time
from api.keeping import NOT_KEPT
from api.limits import SIGN_IN_COST, Limits
from api.office import reading_office, writing_office
from api.pagination import Place, link_header, numbers_of, page_of_whole, question_of
from api.parameters import LIMIT, CursorQuery, LimitQuery, Number
from api.routes.declared import problems
from api.schemas.access import (
    AccessLines,
    AccessLineView,
    ApiKeyCommand,
    ApiKeysPage,
    ApiKeyView,
    NewApiKey,
    NonceAnswer,
    SessionAnswer,
    SignInCommand,
)
from api.waiting import waiting_for_node
from ledger.chain.addresses import parse_address
from ledger.chain.sign_in import (
    Relied,
    SignInMessage,
    check_message,
    is_signed_by_contract,
    is_signed_with_key,
    parse_message,
    parse_signature,
    write_message,
)
from ledger.config import Settings
from ledger.domain.access import Scope
from ledger.errors import AccessDenied, SignInRefused
from ledger.office.access_log import add_line, list_newest
from ledger.office.api_keys import (
    ApiKey,
    create_api_key,
    list_api_keys,
    require_room,
    revoke_api_key,
)
from ledger.office.sessions import (
    begin_session,
    check_nonce,
    csrf_token_of,
    end_session,
    new_nonce,
    nonce_secret,
    use_nonce,
)
from ledger.wiring import asking_node

router = APIRouter(tags=["access"])

FAULTS = problems(
    s422="A value cannot be used; `errors` names each.",
    s429="Too many requests.",
    s500="The server met an error that it does not know.",
    s503="Nothing is mirrored yet, or the database cannot be used.",
)
SIGNED_IN = {
    **FAULTS,
    **problems(
        s401="Nobody is signed in, or the credential is good for nothing.",
        s403="It may not do this, or the request is not the session's own.",
    ),
}
LAST_LINE = 2**63 - 1
_PREFIX = 8

PrefixPath = Annotated[
    str,
    Path(pattern="^[A-Za-z0-9]{8}$", description="How the key is known.", examples=["Zk3fB9q2"]),
]
SignerQuery = Annotated[
    str | None,
    Query(
        pattern="^0x[0-9a-fA-F]{40}$",
        description="The account that will sign: then `message` is what it is to sign.",
        examples=["0x" + "3c" * 20],
    ),
]
BeforeQuery = Annotated[
    Number, Query(ge=1, le=LAST_LINE, description="Lines below this number.", examples=[100])
]


@router.get("/sign-in/nonce", operation_id="getNonce", response_model=NonceAnswer, responses=FAULTS)
def get_nonce(request: Request, *, address: SignerQuery = None) -> Response:
    """What a message to sign in with must hold, and with an address the message itself."""
    relied = _relied(request)
    now = clock_of(request)()
    nonce, expires_at = new_nonce(_secret(request), now=now)
    account = parse_address(address) if address is not None else None
    answer = NonceAnswer(
        nonce=nonce,
        domain=relied.domain,
        uri=relied.origin,
        version="1",
        chain_id=relied.chain_id,
        expires_at=show_time(expires_at),
        message=write_message(relied, account, nonce, now=now) if account else None,
    )
    return Response(answer.model_dump_json(), media_type="application/json", headers=NOT_KEPT)


@router.post(
    "/sessions",
    operation_id="createSession",
    status_code=201,
    response_model=SessionAnswer,
    responses={
        **FAULTS,
        **problems(
            s401="The message or its signature is not good.",
            s413="The body is too large.",
            s502="A contract wallet must be asked, and the chain's node does not answer.",
        ),
    },
)
def create_session(request: Request, body: SignInCommand) -> Response:
    """Sign in with Ethereum (EIP-4361). The session is in a cookie that no page can read."""
    limits: Limits = request.app.state.limits
    limits.charge_address(request.scope, SIGN_IN_COST)
    now = clock_of(request)()
    message = parse_message(body.message)
    signature = parse_signature(body.signature)
    check_message(message, _relied(request), now=now)
    secret = _secret(request)
    check_nonce(secret, message.nonce, now=now)  # before a node is asked for whoever made one up
    _check_signature(request, message, signature)
    with writing_office(request) as connection:
        use_nonce(connection, secret, message.nonce, now=now)
        new = begin_session(connection, message.account, now=now, until=message.expires_at)
        _log(connection, message.account, f"session:{new.session.name}", "session.begun")
    caller = Caller(message.account, f"session:{new.session.name}", frozenset(Scope))
    answer = SessionAnswer.of(caller, new.csrf_token)
    lasting = new.session.expires_at - new.session.created_at
    headers = {**NOT_KEPT, "Set-Cookie": _cookie(request, new.token, lasting)}
    return Response(answer.model_dump_json(), 201, media_type="application/json", headers=headers)


@router.get(
    "/session", operation_id="getSession", response_model=SessionAnswer, responses=SIGNED_IN
)
def get_session(
    request: Request,  # noqa: ARG001  its dependency reads it
    caller: Annotated[Caller, Depends(Needs())],
) -> Response:
    """Who calls: the account, and what its credential is good for."""
    token = csrf_token_of(caller.token) if caller.has_session else None
    answer = SessionAnswer.of(caller, token)
    return Response(answer.model_dump_json(), media_type="application/json", headers=NOT_KEPT)


@router.delete("/session", operation_id="deleteSession", status_code=204, responses=SIGNED_IN)
def delete_session(
    request: Request, caller: Annotated[Caller, Depends(Needs(session=True))]
) -> Response:
    """Sign out: the cookie is good for nothing from now on, wherever a copy of it is."""
    with writing_office(request) as connection:
        end_session(connection, caller.token, now=clock_of(request)())
        _log(connection, caller.account, caller.via, "session.ended")
    return Response(status_code=204, headers={**NOT_KEPT, "Set-Cookie": _cookie(request, "", 0)})


@router.post(
    "/api-keys",
    operation_id="createApiKey",
    status_code=201,
    response_model=NewApiKey,
    responses={**SIGNED_IN, **problems(s413="The body is too large.")},
)
def create_key(
    request: Request,
    body: ApiKeyCommand,
    caller: Annotated[Caller, Depends(Needs(session=True))],
) -> Response:
    """Make an API key for the account that is signed in. The key is shown this once."""
    now = clock_of(request)()
    with writing_office(request) as connection:
        require_room(connection, caller.account, now=now)
        key, text = create_api_key(
            connection, caller.account, body.name, body.scopes, days=body.days, now=now
        )
        _log(
            connection,
            caller.account,
            caller.via,
            "api_key.created",
            subject=key.prefix,
            scopes=sorted(key.scopes),
        )
    answer = NewApiKey(**dict(ApiKeyView.of(key)), key=text)
    return Response(answer.model_dump_json(), 201, media_type="application/json", headers=NOT_KEPT)


@router.get(
    "/api-keys",
    operation_id="listApiKeys",
    response_model=ApiKeysPage,
    responses={**SIGNED_IN, **problems(s400="The cursor was not given for this question.")},
)
def list_keys(
    request: Request,
    caller: Annotated[Caller, Depends(Needs(session=True))],
    *,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """The API keys of the account that is signed in, the newest first."""
    with reading_office(request) as connection:
        found = list_api_keys(connection, caller.account)
    page = page_of_whole(found, limit, question_of(request), cursor, _place_of)
    answer = ApiKeysPage(items=[ApiKeyView.of(each) for each in page.rows], next=page.next)
    headers = {**NOT_KEPT, **link_header(request, page.next)}
    return Response(answer.model_dump_json(), media_type="application/json", headers=headers)


@router.delete(
    "/api-keys/{prefix}",
    operation_id="deleteApiKey",
    response_model=ApiKeyView,
    responses={**SIGNED_IN, **problems(s404="The account has no such key.")},
)
def delete_key(
    request: Request,
    prefix: PrefixPath,
    caller: Annotated[Caller, Depends(Needs(session=True))],
) -> Response:
    """Revoke an API key: it opens nothing from now on."""
    with writing_office(request) as connection:
        key = revoke_api_key(connection, prefix, now=clock_of(request)(), account=caller.account)
        _log(connection, caller.account, caller.via, "api_key.revoked", subject=prefix)
    answer = ApiKeyView.of(key)
    return Response(answer.model_dump_json(), media_type="application/json", headers=NOT_KEPT)


@router.get(
    "/access-log",
    operation_id="listAccessLog",
    response_model=AccessLines,
    responses=SIGNED_IN,
)
def list_log(
    request: Request,
    caller: Annotated[Caller, Depends(Needs(Scope.READ))],
    *,
    before: BeforeQuery = LAST_LINE,
    limit: LimitQuery = LIMIT,
) -> Response:
    """The log of privileged calls, the newest first. For officers.

    Each line follows the one before by its hash, so that a copy of the last one shows whether any
    was changed since.
    """
    if not has_office(request, caller):
        raise AccessDenied(account=caller.address, needed="the log is for officers")
    with reading_office(request) as connection:
        found = list_newest(connection, before=before, limit=limit)
    more = found[-1].number if len(found) == limit and found[-1].number > 1 else None
    answer = AccessLines(items=[AccessLineView.of(each) for each in found], next=more)
    links = link_header(request, str(more) if more is not None else None, "before")
    headers = {**NOT_KEPT, **links}
    return Response(answer.model_dump_json(), media_type="application/json", headers=headers)


def _place_of(key: ApiKey) -> Place:
    return (-key.created_at, *numbers_of(key.prefix.encode(), _PREFIX))


def _relied(request: Request) -> Relied:
    settings: Settings = request.app.state.settings
    chain_id = answers_of(request).read(lambda read: read.state.chain_id)
    return Relied(settings.origin, chain_id)


def _secret(request: Request) -> bytes:
    """The secret of nonces; made once, and then the same for ever."""
    state = request.app.state
    if state.nonce_secret is None:
        with writing_office(request) as connection:
            state.nonce_secret = nonce_secret(connection)
    secret: bytes = state.nonce_secret
    return secret


def _check_signature(request: Request, message: SignInMessage, signature: bytes) -> None:
    """Raise SignInRefused unless the account itself signed, or its contract says so."""
    if is_signed_with_key(message.account, message.digest(), signature):
        return
    with waiting_for_node(request), asking_node(request.app.state.settings) as node:
        if is_signed_by_contract(node, message.account, message.digest(), signature):
            return
    raise SignInRefused(problem="the signature is not the account's")


def _cookie(request: Request, token: str, seconds: int) -> str:
    settings: Settings = request.app.state.settings
    secure = "; Secure" if settings.origin.startswith("https:") else ""
    name = cookie_name(settings)
    return f"{name}={token}; Path=/; Max-Age={seconds}; HttpOnly; SameSite=Lax{secure}"


def _log(
    connection: Connection,
    account: bytes,
    via: str,
    action: str,
    *,
    subject: str = "",
    **detail: object,
) -> None:
    add_line(
        connection,
        at=time.time_ns() // 1_000_000,
        account=show_bytes(account),
        via=via,
        action=action,
        subject=subject,
        detail={**detail, "request_id": REQUEST_ID.get()},
    )
