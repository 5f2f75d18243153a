"""How far the mirror is, and whether this server should be asked at all."""

from __future__ import annotations

from pathlib import Path

from fastapi import APIRouter, Request, Response

from api.answers import Reading, answers_of
from api.keeping import NOT_KEPT
from api.metrics import CONTENT_TYPE, render_metrics, render_unreadable
from api.routes.declared import ALWAYS, problems
from api.schemas.status import Health, Readiness, Status
from ledger.errors import (
    ClockAstray,
    LedgerError,
    LedgerPreparing,
    MirrorCannotWrite,
    MirrorHalted,
    MirrorStale,
)
from ledger.mirror.overview import lag_seconds, read_overview
from ledger.mirror.queries.moments import Condition, read_contracts
from ledger.mirror.trouble import is_in_trouble

router = APIRouter(tags=["status"])
probes = APIRouter(tags=["status"])


@router.get("/status", operation_id="getStatus", response_model=Status, responses=ALWAYS)
def get_status(request: Request) -> Response:
    """The mirror's state, the chain that it follows, and the contracts."""

    def build(reading: Reading) -> Status:
        overview = read_overview(reading.connection)
        contracts = read_contracts(reading.connection)
        return Status.of(reading.about, overview, contracts, now=reading.now)

    return answers_of(request).json(request, build, volatile=True)


@probes.get("/healthz", operation_id="getHealth", response_model=Health)
async def get_health() -> Response:
    """That the process runs; says nothing about the database or the chain."""
    return Response(b'{"status":"ok"}', media_type="application/json", headers=NOT_KEPT)


@probes.get(
    "/readyz",
    operation_id="getReadiness",
    response_model=Readiness,
    responses=problems(
        s503="The ledger is being prepared, nothing is mirrored, the mirror halted, cannot write "
        "or has not looked at the chain lately, or the database is of another release."
    ),
)
def get_readiness(request: Request) -> Response:
    """That answers are current: the mirror follows the chain and has looked at it lately.

    Under `moonlake up` it says so once everything is recorded that the start brings.
    """
    held_back_by: Path | None = request.app.state.not_ready_while
    if held_back_by is not None and held_back_by.exists():
        raise LedgerPreparing

    def check(reading: Reading) -> Readiness:
        state = reading.state
        if state.halt is not None:
            raise MirrorHalted(block=state.halt.block, reason=state.halt.reason)
        if is_in_trouble(reading.connection):
            raise MirrorCannotWrite(block=state.cursor.number)
        if reading.condition is Condition.STALE:
            seconds = round(reading.now - state.looked_at / 1000)
            raise MirrorStale(seconds=seconds) if seconds >= 0 else ClockAstray(seconds=-seconds)
        return Readiness(
            status="ready",
            block_number=state.cursor.number,
            lag=state.lag,
            lag_seconds=lag_seconds(state, reading.now),
        )

    ready = answers_of(request).read(check)
    return Response(ready.model_dump_json(), media_type="application/json", headers=NOT_KEPT)


@probes.get("/metrics", include_in_schema=False)
def get_metrics(request: Request) -> Response:
    """How the mirror does, for Prometheus; 200 also where it cannot be read, and says so."""

    def render(reading: Reading) -> bytes:
        return render_metrics(
            read_overview(reading.connection),
            now=reading.now,
            can_write=not is_in_trouble(reading.connection),
        )

    try:
        body = answers_of(request).read(render)
    except LedgerError as error:
        body = render_unreadable(error.code)
    headers = {**NOT_KEPT, "Content-Type": CONTENT_TYPE}
    return Response(body, headers=headers)
