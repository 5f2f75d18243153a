"""From a request to an operation: rights, the log, and the caller's own key for it.

The order is what makes it safe to repeat. First the caller's rights; then one commit that says who
asks for what, under which operation id; then the outbox. Whoever repeats the request, because an
answer was lost or a process died, gets to the same operation.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Header, Request, Response
from pydantic import BaseModel

from api.answers import Reading, answers_of
from api.callers import Caller
from api.desk import ServerDesk
from api.edge import REQUEST_ID
from api.formats import show_bytes
from api.keeping import NOT_KEPT
from api.office import reading_office, writing_office
from api.places import placed
from api.rights import Ceiling, Standing, stand
from api.schemas.operations import MOST_MADE, MadeView, OperationAnswer, OperationView
from ledger.chain.signers import KeySigner
from ledger.domain.ids import ALLIANCE_WIDE, BlockNumber, ProgrammeId
from ledger.errors import IdempotencyInFlight, InvalidValue, LedgerError, NotFound, Unforeseen
from ledger.mirror.queries.made import list_made
from ledger.office.access_log import add_line
from ledger.office.asked import (
    Asked,
    Stage,
    claim,
    find_asked,
    find_who_asked,
    forget,
    forget_abandoned,
    mark_accepted,
    operation_id_of,
)
from ledger.outbox.records import Operation, read_operation
from ledger.services.orders import Order, Rehearsed

IdempotencyKey = Annotated[
    str,
    Header(
        alias="Idempotency-Key",
        min_length=8,
        max_length=128,
        pattern=r"^[\x21-\x7e]+$",
        description="The caller's own name for this request, such as a UUID: sent again with the "
        "same body it is done once.",
        examples=["6f8f5c1e-award-2026-11"],
    ),
]


Stand = Callable[[Reading, Caller, Mapping[bytes, KeySigner]], Standing]
"""Says by what right a caller asks, and which of the server's keys signs. Raises what refuses."""


@dataclass(frozen=True, slots=True)
class Asking:
    """What a request comes to. `place` has it done; `check` refuses what only a key may do.

    It takes one of `roles`, unless `stand` says by what other right. `operation_id` is that of what
    somebody else signed, which is done under its own; the caller's key gives it otherwise.
    """

    command: str
    roles: tuple[str, ...]
    place: Callable[[Order], Operation]
    programme_id: ProgrammeId = ALLIANCE_WIDE
    credits: int = 0
    check: Callable[[Standing], Ceiling | None] = lambda _standing: None
    stand: Stand | None = None
    operation_id: bytes = b""

    def find_standing(
        self, reading: Reading, caller: Caller, signers: Mapping[bytes, KeySigner]
    ) -> Standing:
        """By what right the caller asks for it. Raises what refuses it."""
        if self.stand is not None:
            return self.stand(reading, caller, signers)
        return stand(reading, caller, self.roles, self.programme_id, signers)


@dataclass(frozen=True, slots=True)
class Taken:
    """What was taken in: its operation, and whether it had been before."""

    operation_id: bytes
    is_replayed: bool


def ask(
    request: Request,
    caller: Caller,
    key: str,
    body: BaseModel,
    prepare: Callable[[Reading], Asking],
) -> Response:
    """Have it done: 202 with the operation. Raises what refuses it, wrong values by their places
    in the body."""
    try:
        taken = take_in(request, caller, key, body, prepare)
    except InvalidValue as error:
        raise placed(error, body) from error
    return _accepted(request, taken.operation_id, is_replayed=taken.is_replayed)


def rehearse(
    request: Request, caller: Caller, key: str, prepare: Callable[[Reading], Asking]
) -> tuple[Standing, Operation]:
    """What `take_in` would have done, by whose key: all is checked, and nothing kept.

    Raises what refuses it, the contract's refusal too.
    """
    desk: ServerDesk = request.app.state.desk
    asking, standing, operation_id, ceiling = _resolve(request, caller, key, prepare)
    if ceiling is not None:
        with reading_office(request) as connection:
            ceiling.check(connection, caller, more=asking.credits)
    order = Order(desk.opened().outbox, standing.signer, operation_id, rehearses=True)
    try:
        asking.place(order)
    except Rehearsed as rehearsed:
        return standing, rehearsed.operation
    raise AssertionError(f"{asking.command} places no order")


def find_taken(request: Request, caller: Caller, key: str) -> bytes | None:
    """The operation that was asked for under a caller's key, if it was accepted."""
    with reading_office(request) as connection:
        asked = find_asked(connection, caller.account, key)
    return asked.operation_id if asked is not None and asked.stage is Stage.ACCEPTED else None


def _resolve(
    request: Request, caller: Caller, key: str, prepare: Callable[[Reading], Asking]
) -> tuple[Asking, Standing, bytes, Ceiling | None]:
    """What is asked for, by what right, under which operation id, and how much it may come to."""
    desk: ServerDesk = request.app.state.desk

    def resolve(reading: Reading) -> tuple[Asking, Standing, bytes, Ceiling | None]:
        asking = prepare(reading)
        standing = asking.find_standing(reading, caller, desk.signers())
        own = operation_id_of(reading.state.genesis_hash, caller.account, key)
        operation_id = asking.operation_id or own
        return asking, standing, operation_id, asking.check(standing)

    return answers_of(request).read(resolve)


def take_in(
    request: Request,
    caller: Caller,
    key: str,
    body: BaseModel,
    prepare: Callable[[Reading], Asking],
) -> Taken:
    """Have it done, once for each of the caller's keys. Raises what refuses it."""
    desk: ServerDesk = request.app.state.desk
    asking, standing, operation_id, ceiling = _resolve(request, caller, key, prepare)
    asked = Asked(
        account=caller.account,
        idempotency_key=key,
        body_hash=_hash(request, body),
        operation_id=operation_id,
        command=asking.command,
        programme_id=asking.programme_id,
        credits=asking.credits,
        asked_at=time.time_ns() // 1_000_000,
        stage=Stage.WORKING,
    )
    if asking.operation_id and _was_asked_otherwise(request, asked):
        return Taken(operation_id, is_replayed=True)
    if not _begin(request, caller, asked, standing, ceiling):
        return Taken(operation_id, is_replayed=True)
    _place(request, caller, asking, standing, asked)
    desk.tell()
    return Taken(operation_id, is_replayed=False)


def _was_asked_otherwise(request: Request, asked: Asked) -> bool:
    """Whether what somebody signed was brought before, under another key or by another caller."""
    with reading_office(request) as connection:
        if find_asked(connection, asked.account, asked.idempotency_key) is not None:
            return False
        if find_who_asked(connection, asked.operation_id) is None:
            return False
        try:
            read_operation(connection, asked.operation_id)
        except NotFound:
            is_brought = False  # another request for it is being checked, or its process died
        else:
            is_brought = True
    if is_brought:
        return True
    with writing_office(request) as connection:
        was_abandoned = forget_abandoned(connection, asked.operation_id, now=asked.asked_at)
    if not was_abandoned:
        raise IdempotencyInFlight(key=asked.idempotency_key)
    return False


def _begin(
    request: Request,
    caller: Caller,
    asked: Asked,
    standing: Standing,
    ceiling: Ceiling | None,
) -> bool:
    """Write down who asks for what; False where it was accepted before."""
    with writing_office(request) as connection:
        if not claim(connection, asked):
            return False
        detail = {
            "command": asked.command,
            "programme_id": asked.programme_id,
            "credits": asked.credits,
            "idempotency_key": asked.idempotency_key,
            "signed_by": show_bytes(standing.signer.address),
            "offices": sorted(standing.offices),
            "request_id": REQUEST_ID.get(),
        }
        add_line(
            connection,
            at=asked.asked_at,
            account=show_bytes(caller.account),
            via=caller.via,
            action="operation.asked",
            subject=show_bytes(asked.operation_id),
            detail=detail,
        )
        if ceiling is not None:  # by now nobody else writes here
            ceiling.check(connection, caller)
    return True


def _place(
    request: Request, caller: Caller, asking: Asking, standing: Standing, asked: Asked
) -> None:
    """Hand it to the outbox; what is refused leaves a line in the log and nothing else."""
    desk: ServerDesk = request.app.state.desk
    error: Exception | None = None
    try:
        order = Order(
            desk.accepting(), standing.signer, asked.operation_id, request_id=REQUEST_ID.get()
        )
        asking.place(order)
    except Exception as refused:  # noqa: BLE001  handed on below, once it is written down
        error = refused
    with writing_office(request) as connection:
        if error is None:
            mark_accepted(connection, asked)
        else:
            forget(connection, asked)
            add_line(
                connection,
                at=time.time_ns() // 1_000_000,
                account=show_bytes(caller.account),
                via=caller.via,
                action="operation.refused",
                subject=show_bytes(asked.operation_id),
                detail={
                    "code": error.code if isinstance(error, LedgerError) else Unforeseen.code,
                    "request_id": REQUEST_ID.get(),
                },
            )
    if error is not None:
        raise error


def _accepted(request: Request, operation_id: bytes, *, is_replayed: bool) -> Response:
    with reading_office(request) as connection:
        operation = read_operation(connection, operation_id)

    def show(reading: Reading) -> OperationAnswer:
        return OperationAnswer.stating(
            reading.about, OperationView.of(operation), made=made_by(reading, operation)
        )

    answer = answers_of(request).read(show)
    headers = {
        "Location": f"/v1/operations/{show_bytes(operation_id)}",
        **NOT_KEPT,
    }
    if is_replayed:
        headers["Idempotent-Replayed"] = "true"
    return Response(answer.model_dump_json(), 202, headers=headers, media_type="application/json")


def made_by(reading: Reading, operation: Operation) -> list[MadeView]:
    """What an operation made, as far as its block is mirrored."""
    attempt = operation.last_attempt
    if attempt is None or attempt.block_number is None:
        return []
    found = list_made(
        reading.connection,
        operation.request.operation_id,
        BlockNumber(attempt.block_number),
        limit=MOST_MADE,
    )
    return [MadeView.of(each) for each in found]


def _hash(request: Request, body: BaseModel) -> bytes:
    """SHA-256 over what is asked: method, path and the body's values, however it was written."""
    values: dict[str, Any] = body.model_dump(mode="json")
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(
        f"{request.method} {request.scope['path']}\n{text}".encode("utf-8", "surrogatepass")
    ).digest()
