"""Puts the application together: settings come in as an argument, and nothing happens at import."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import APIRouter, Depends, FastAPI

from api.answers import Answers
from api.console.routes import install_console
from api.edge import Edge
from api.failures import install_failures
from api.openapi import describe
from api.parameters import refuse_unknown_parameters
from api.routes import entries, evidence, memberships, organisations, programmes, status, tokens
from ledger import __version__
from ledger.config import Settings
from ledger.wiring import database_to_read, open_evidence


def create_app(
    settings: Settings,
    *,
    clock: Callable[[], float] = time.time,
    not_ready_while: Path | None = None,
) -> FastAPI:
    """The HTTP API and the console over the database of `settings`.

    It reads and writes nothing but that database and the folder of evidence, and needs no node: a
    chain that does not answer leaves what was mirrored served and marked as stale. `clock` gives
    the time in seconds since 1970 UTC. `/readyz` says no while the file `not_ready_while` is there.
    Raises InvalidSetting and FolderUnusable.
    """
    engine = database_to_read(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        yield
        engine.dispose()

    app = FastAPI(
        title="Moonlake",
        version=__version__,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.settings = settings
    app.state.answers = Answers(engine, stale_after=settings.stale_after, clock=clock)
    app.state.evidence = open_evidence(settings)
    app.state.not_ready_while = not_ready_while
    app.state.parameter_names = {}

    versioned = APIRouter(prefix="/v1", dependencies=[Depends(refuse_unknown_parameters)])
    for router in (
        status.router,
        programmes.router,
        organisations.router,
        memberships.router,
        tokens.router,
        entries.router,
        organisations.accounts,
        evidence.router,
    ):
        versioned.include_router(router)
    app.include_router(versioned)
    app.include_router(status.probes)
    install_console(app)
    install_failures(app)
    app.add_middleware(Edge)
    describe(app)
    return app
