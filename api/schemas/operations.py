"""What was asked for, and what became of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field

from api.formats import show_address_once, show_bytes, show_milliseconds
from api.problems import redact_urls
from api.schemas.base import Address, Answer, Digest, Page, Schema, Time, Whole, at_most
from ledger.mirror.queries.made import Made
from ledger.outbox.records import Failure, Operation, State


class FailureView(Schema):
    """Why nothing was done; of a contract's refusal, `values` has its name and arguments."""

    code: Annotated[str, Field(examples=["contract.refused"])]
    detail: str
    advice: str
    values: dict[str, Any]

    @classmethod
    def of(cls, failure: Failure) -> Self:
        return cls(
            code=failure.code,
            detail=redact_urls(failure.sentence),
            advice=redact_urls(failure.advice),
            values=failure.values,
        )


class OperationView(Schema):
    """An operation. `accepted`: checked and kept; `sent`: a node has it; `included`: in a block;
    `final`: no reorganisation takes it back; `failed`, `cancelled`: nothing was done.

    `signed_by` is the account that the chain sees. `request_id` is the `X-Request-ID` of the
    request that asked for it, null where none did. `first_line` and `last_line` are the lines of
    the contract's journal that it caused; of an award, its entries."""

    operation_id: Digest
    command: Annotated[str, Field(examples=["award"])]
    summary: str
    contract: Annotated[str, Field(examples=["Credits"])]
    state: State
    signed_by: Address
    transaction_hash: Digest | None
    block_number: Whole | None
    first_line: Annotated[int | None, Field(ge=1)]
    last_line: Annotated[int | None, Field(ge=1)]
    created_at: Time
    updated_at: Time
    request_id: Annotated[str | None, Field(examples=["5f0c9ab2315e84d6"])]
    failure: FailureView | None

    @classmethod
    def of(cls, operation: Operation) -> Self:
        attempt = operation.last_attempt
        return cls(
            operation_id=show_bytes(operation.request.operation_id),
            command=operation.request.command,
            summary=operation.request.summary,
            contract=operation.request.contract,
            state=operation.state,
            signed_by=show_address_once(operation.sender),
            transaction_hash=show_bytes(attempt.transaction_hash) if attempt else None,
            block_number=attempt.block_number if attempt else None,
            first_line=operation.first_sequence,
            last_line=operation.last_sequence,
            created_at=show_milliseconds(operation.created_at),
            updated_at=show_milliseconds(operation.updated_at),
            request_id=operation.request.request_id or None,
            failure=FailureView.of(operation.failure) if operation.failure else None,
        )


MOST_MADE = 500


class MadeView(Schema):
    """What an operation made, its number, and where to read it."""

    what: Annotated[
        Literal[
            "programme",
            "organisation",
            "entry",
            "benefit",
            "redemption",
            "distribution",
            "proposal",
        ],
        Field(examples=["benefit"]),
    ]
    number: Annotated[int, Field(ge=1, examples=[3])]
    path: Annotated[str, Field(examples=["/v1/benefits/3"])]

    @classmethod
    def of(cls, made: Made) -> Self:
        values: dict[str, Any] = {"what": made.what, "number": made.number}
        return cls(**values, path=f"/v1/{_PATHS[made.what]}/{made.number}")


_PATHS = {
    "programme": "programmes",
    "organisation": "organisations",
    "entry": "entries",
    "benefit": "benefits",
    "redemption": "redemptions",
    "distribution": "shares",
    "proposal": "proposals",
}


class OperationAnswer(OperationView, Answer):
    """One operation. `made` is what it made that has a number, at most 500 of them, once its block
    is mirrored."""

    made: Annotated[list[MadeView], at_most(MOST_MADE)]


class OperationsPage(Page[OperationView]):
    """Operations, the newest first."""
