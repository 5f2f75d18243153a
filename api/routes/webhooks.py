"""Who is told what happened: webhooks added, given new secrets, taken out of use, looked into.

For the council and the default admin of the whole alliance: what leaves the house by itself is no
matter of one programme. An address that points inside is refused here and again at each attempt.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Path, Query, Request, Response
from sqlalchemy import Connection, Engine

from api.answers import Reading, answers_of
from api.asking import IdempotencyKey
from api.callers import Caller, Needs, clock_of
from api.formats import parse_time
from api.keeping import NOT_KEPT
from api.noting import Author, Change, Noted, answer, note
from api.office import reading_office
from api.pagination import (
    Place,
    bytes_of,
    cut_page,
    decode_cursor,
    link_header,
    numbers_of,
    question_of,
)
from api.parameters import LIMIT, CursorQuery, LimitQuery
from api.rights import offices_of
from api.routes.declared import problems
from api.schemas.webhooks import (
    DeliveriesPage,
    DeliveryView,
    ReplayAnswer,
    ReplayCommand,
    SecretCommand,
    TestAnswer,
    WebhookAnswer,
    WebhookCommand,
    WebhooksAnswer,
    WebhookView,
)
from ledger.domain.access import Scope
from ledger.domain.ids import ALLIANCE_WIDE
from ledger.errors import AccessDenied
from ledger.office.webhooks import deliveries, endpoints
from ledger.office.webhooks.deliveries import Delivery
from ledger.services.webhooks.collecting import begin
from ledger.services.webhooks.sending import WebhookSender
from ledger.wiring import open_gate

router = APIRouter(tags=["webhooks"])

FAULTS = problems(
    s401="Nobody is signed in, or the credential is good for nothing.",
    s403="The account lacks the office, or the key the scope.",
    s422="A value cannot be used, or the Idempotency-Key was used for another request.",
    s429="Too many requests.",
    s500="The server met an error that it does not know.",
    s503="The mirror does not follow the chain, or the database cannot be used.",
)
OF_ONE = {**FAULTS, **problems(s404="There is no such webhook.")}

_MESSAGE, _MESSAGE_BYTES = "msg_", 16
"""How a message's id begins, and the bytes that follow in hex."""

WebhookPath = Annotated[
    str,
    Path(
        pattern="^ep_[0-9a-f]{16}$",
        description="The webhook's id.",
        examples=["ep_0123456789abcdef"],
    ),
]
StateQuery = Annotated[
    Literal["waiting", "delivered", "dead"] | None, Query(description="Only those in this state.")
]


class _Keeper(Needs):
    """A caller that may look after webhooks."""

    def __init__(self) -> None:
        super().__init__(Scope.WEBHOOKS)

    def __call__(self, request: Request) -> Caller:
        """The caller. Raises AccessDenied besides what a caller raises."""
        caller = super().__call__(request)

        def check(reading: Reading) -> None:
            if not offices_of(reading, caller.account, ALLIANCE_WIDE) & {"council", "admin"}:
                needed = "it takes the office of council or admin in the whole alliance"
                raise AccessDenied(account=caller.address, needed=needed)

        answers_of(request).read(check)
        return caller


Keeper = Annotated[Caller, Depends(_Keeper())]
SetState = Callable[[Connection, str, int], None]


@router.post(
    "/webhooks",
    operation_id="createWebhook",
    status_code=201,
    response_model=WebhookAnswer,
    responses=FAULTS,
)
def create(request: Request, body: WebhookCommand, key: IdempotencyKey, caller: Keeper) -> Response:
    """Send what becomes final from now on to a URL; the secret that signs it is shown this once.
    For the council and the admin."""
    made: list[str] = []

    def do(connection: Connection, now: int) -> str:
        if not endpoints.list_endpoints(connection):
            begin(connection, now=now * 1000)
        endpoint, secret = endpoints.add_endpoint(
            connection,
            open_gate(request.app.state.settings),
            body.url,
            types=tuple(body.types),
            description=body.description,
            now=now,
        )
        made.append(secret)
        return endpoint.endpoint_id

    noted = note(request, Author.of(caller), key, body, Change("webhook.added", do))
    return _one(request, noted, made[0] if made else None)


@router.get(
    "/webhooks", operation_id="listWebhooks", response_model=WebhooksAnswer, responses=FAULTS
)
def list_all(request: Request, caller: Keeper) -> Response:  # noqa: ARG001  it must be one
    """The webhooks. For the council and the admin."""
    with reading_office(request) as connection:
        found = endpoints.list_endpoints(connection)
    return answer(WebhooksAnswer(items=[WebhookView.of(each) for each in found]))


@router.get(
    "/webhooks/{webhook_id}",
    operation_id="getWebhook",
    response_model=WebhookAnswer,
    responses=OF_ONE,
)
def get_one(
    request: Request,
    webhook_id: WebhookPath,
    caller: Keeper,  # noqa: ARG001
) -> Response:
    """A webhook. For the council and the admin."""
    return answer(_shown(request, webhook_id))


@router.delete(
    "/webhooks/{webhook_id}", operation_id="deleteWebhook", status_code=204, responses=OF_ONE
)
def delete(request: Request, webhook_id: WebhookPath, caller: Keeper) -> Response:
    """Forget a webhook, its secrets and its log. For the council and the admin."""

    def do(connection: Connection, _now: int) -> str:
        endpoints.remove_endpoint(connection, webhook_id)
        return webhook_id

    author = Author.of(caller)
    note(request, author, secrets.token_hex(16), None, Change("webhook.removed", do))
    return Response(status_code=204, headers=NOT_KEPT)


@router.post(
    "/webhooks/{webhook_id}/secrets",
    operation_id="createWebhookSecret",
    status_code=201,
    response_model=WebhookAnswer,
    responses=OF_ONE,
)
def rotate(
    request: Request,
    webhook_id: WebhookPath,
    body: SecretCommand,
    key: IdempotencyKey,
    caller: Keeper,
) -> Response:
    """Make a new secret; until the overlap ends, messages carry a signature of each. For the
    council and the admin."""
    made: list[str] = []

    def do(connection: Connection, now: int) -> str:
        overlap = body.overlap_hours * 3600
        made.append(endpoints.rotate_secret(connection, webhook_id, overlap=overlap, now=now))
        return webhook_id

    noted = note(request, Author.of(caller), key, body, Change("webhook.secret_made", do))
    return _one(request, noted, made[0] if made else None)


def _add_state_route(path: str, name: str, action: str, change: SetState, words: str) -> None:
    @router.post(
        f"/webhooks/{{webhook_id}}/{path}",
        operation_id=name,
        status_code=201,
        response_model=WebhookAnswer,
        responses=OF_ONE,
        description=words,
    )
    def create_one(
        request: Request, webhook_id: WebhookPath, key: IdempotencyKey, caller: Keeper
    ) -> Response:
        def do(connection: Connection, now: int) -> str:
            change(connection, webhook_id, now)
            return webhook_id

        return _one(request, note(request, Author.of(caller), key, None, Change(action, do)))


_add_state_route(
    "disablements",
    "createWebhookDisablement",
    "webhook.disabled",
    lambda connection, webhook_id, now: endpoints.disable_endpoint(
        connection, webhook_id, because="by hand", now=now
    ),
    "Send nothing to it any more; what comes meanwhile is kept, to be replayed. For the council "
    "and the admin.",
)
_add_state_route(
    "enablements",
    "createWebhookEnablement",
    "webhook.enabled",
    lambda connection, webhook_id, _now: endpoints.enable_endpoint(connection, webhook_id),
    "Use it again; a replay of the dead sends what it missed. For the council and the admin.",
)


@router.get(
    "/webhooks/{webhook_id}/deliveries",
    operation_id="listWebhookDeliveries",
    response_model=DeliveriesPage,
    responses={**OF_ONE, **problems(s400="The cursor was not given for this question.")},
)
def list_deliveries(
    request: Request,
    webhook_id: WebhookPath,
    caller: Keeper,  # noqa: ARG001
    *,
    state: StateQuery = None,
    limit: LimitQuery = LIMIT,
    cursor: CursorQuery = None,
) -> Response:
    """What was sent, how often, and what was answered; what changed last first. For the council and
    the admin."""
    question = question_of(request)
    before = _place_after(question, cursor) if cursor is not None else None
    with reading_office(request) as connection:
        endpoints.read_endpoint(connection, webhook_id)
        found = deliveries.list_deliveries(
            connection,
            endpoint_id=webhook_id,
            state=state or "",
            before=before,
            limit=limit + 1,
        )
    page = cut_page(found, limit, question, _place_of)
    items = [DeliveryView.of(each) for each in page.rows]
    links = dict(link_header(request, page.next))
    return answer(DeliveriesPage(items=items, next=page.next), headers=links)


def _place_of(delivery: Delivery) -> Place:
    message = bytes.fromhex(delivery.message_id.removeprefix(_MESSAGE))
    return (delivery.updated_at, *numbers_of(message, _MESSAGE_BYTES))


def _place_after(question: str, cursor: str) -> tuple[int, str]:
    updated_at, *rest = decode_cursor(question, cursor, 1 + len(numbers_of(b"", _MESSAGE_BYTES)))
    return updated_at, _MESSAGE + bytes_of(tuple(rest), _MESSAGE_BYTES).hex()


@router.post(
    "/webhooks/{webhook_id}/replays",
    operation_id="createWebhookReplay",
    status_code=201,
    response_model=ReplayAnswer,
    responses=OF_ONE,
)
def replay(
    request: Request,
    webhook_id: WebhookPath,
    body: ReplayCommand,
    key: IdempotencyKey,
    caller: Keeper,
) -> Response:
    """Send again, under the same ids. For the council and the admin."""
    since = parse_time("since", body.since) if body.since is not None else None

    def do(connection: Connection, now: int) -> str:
        count = deliveries.replay(
            connection,
            webhook_id,
            now=now * 1000,
            message_id=body.message_id or "",
            dead=body.dead,
            since=since,
        )
        return f"{webhook_id} {count}"

    noted = note(request, Author.of(caller), key, body, Change("webhook.replayed", do))
    count = int(noted.subject.partition(" ")[2])
    return answer(ReplayAnswer(replayed=count), 201, noted.headers)


@router.post(
    "/webhooks/{webhook_id}/tests",
    operation_id="createWebhookTest",
    status_code=201,
    response_model=TestAnswer,
    responses=OF_ONE,
)
def try_one(request: Request, webhook_id: WebhookPath, caller: Keeper) -> Response:
    """Send a `webhook.test` now, whatever its state; what was answered. For the council and the
    admin."""

    def do(connection: Connection, _now: int) -> str:
        return endpoints.read_endpoint(connection, webhook_id).endpoint_id

    author = Author.of(caller)
    note(request, author, secrets.token_hex(16), None, Change("webhook.tested", do))
    engine: Engine = request.app.state.office
    sender = WebhookSender(engine, open_gate(request.app.state.settings), clock=clock_of(request))
    return answer(TestAnswer.of(sender.test(webhook_id)), 201)


def _one(request: Request, noted: Noted, secret: str | None = None) -> Response:
    place = {**noted.headers, "Location": f"/v1/webhooks/{noted.subject}"}
    return answer(_shown(request, noted.subject, secret), 201, place)


def _shown(request: Request, webhook_id: str, secret: str | None = None) -> WebhookAnswer:
    with reading_office(request) as connection:
        found = WebhookView.of(endpoints.read_endpoint(connection, webhook_id))
    return WebhookAnswer(**dict(found), secret=secret)
