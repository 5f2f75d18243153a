"""Webhooks: who is told what happened, and what became of the telling."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from api.formats import show_milliseconds, show_time
from api.pagination import MAX_LIMIT
from api.schemas.base import MOST_PARTS, Schema, Time, at_most
from api.schemas.commands import Command, Moment, Words
from ledger.office.webhooks.addresses import MAX_URL
from ledger.office.webhooks.deliveries import Delivery
from ledger.office.webhooks.endpoints import LONGEST_OVERLAP, MAX_ENDPOINTS, Endpoint
from ledger.office.webhooks.posting import Outcome

_HOURS = LONGEST_OVERLAP // 3600


class WebhookCommand(Command):
    """Where messages are to be sent, and which: none named means all."""

    url: Annotated[
        str,
        Field(
            min_length=1,
            max_length=MAX_URL,
            description="An https URL of a public host.",
            examples=["https://portal.example.org/hooks/ledger"],
        ),
    ]
    types: Annotated[
        list[Annotated[str, Field(max_length=60, examples=["entry.posted"])]],
        Field(max_length=50, default_factory=list, examples=[["entry.posted", "membership.*"]]),
    ]
    description: Annotated[Words, Field(examples=["the portal"])] = ""


class SecretCommand(Command):
    """A secret to be made; the present one signs beside it for `overlap_hours`."""

    overlap_hours: Annotated[int, Field(ge=0, le=_HOURS, examples=[24])] = 24


class ReplayCommand(Command):
    """What is to be sent again: one message, all that were given up, or all made since a time."""

    message_id: Annotated[
        str | None, Field(pattern="^msg_[0-9a-f]{32}$", examples=["msg_" + "5b" * 16])
    ] = None
    dead: bool = False
    since: Moment | None = None

    @model_validator(mode="after")
    def _says_what(self) -> Self:
        if self.message_id is None and not self.dead and self.since is None:
            raise ValueError("It names no message, not dead, and no time")
        return self


class WebhookView(Schema):
    """A webhook. `types` are those of its messages, none for all."""

    webhook_id: Annotated[str, Field(examples=["ep_0123456789abcdef"])]
    url: str
    description: str
    types: Annotated[list[str], at_most(MOST_PARTS)]
    state: Literal["in_use", "disabled"]
    created_at: Time
    disabled_at: Time | None
    disabled_because: str
    failing_since: Time | None

    @classmethod
    def of(cls, endpoint: Endpoint) -> Self:
        since, disabled = endpoint.failing_since, endpoint.disabled_at
        return cls(
            webhook_id=endpoint.endpoint_id,
            url=endpoint.url,
            description=endpoint.description,
            types=list(endpoint.types),
            state="in_use" if disabled is None else "disabled",
            created_at=show_time(endpoint.created_at),
            disabled_at=None if disabled is None else show_time(disabled),
            disabled_because=endpoint.disabled_because,
            failing_since=None if since is None else show_milliseconds(since),
        )


class WebhookAnswer(WebhookView):
    """A webhook; `secret` signs its messages, and is shown once, when it is made."""

    secret: Annotated[str | None, Field(examples=["whsec_…"])]


class WebhooksAnswer(Schema):
    """All webhooks, oldest first."""

    items: Annotated[list[WebhookView], at_most(MAX_ENDPOINTS)]


class DeliveryView(Schema):
    """A message to a webhook, and its last attempt."""

    message_id: Annotated[str, Field(examples=["msg_" + "5b" * 16])]
    webhook_id: str
    type: Annotated[str, Field(examples=["entry.posted"])]
    state: Annotated[str, Field(examples=["delivered"])]
    attempts: int
    due_at: Time
    updated_at: Time
    last_status: int | None
    last_problem: str

    @classmethod
    def of(cls, delivery: Delivery) -> Self:
        return cls(
            message_id=delivery.message_id,
            webhook_id=delivery.endpoint_id,
            type=delivery.kind,
            state=delivery.state,
            attempts=delivery.attempts,
            due_at=show_milliseconds(delivery.due_at),
            updated_at=show_milliseconds(delivery.updated_at),
            last_status=delivery.last_status,
            last_problem=delivery.last_problem,
        )


class DeliveriesPage(Schema):
    """Deliveries, those that changed last first; `next` as on a page of the mirror's."""

    items: Annotated[list[DeliveryView], at_most(MAX_LIMIT)]
    next: Annotated[str | None, Field(examples=[None])]


class ReplayAnswer(Schema):
    """How many messages are sent again."""

    replayed: Annotated[int, Field(ge=0)]


class TestAnswer(Schema):
    """What a webhook answered to a test message."""

    delivered: bool
    status: int | None
    problem: str
    took_ms: int

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        return cls(
            delivered=outcome.is_delivered,
            status=outcome.status,
            problem=outcome.problem,
            took_ms=outcome.took_ms,
        )
