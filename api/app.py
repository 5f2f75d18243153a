"""Puts the application together: settings come in as an argument, and nothing happens at import."""

from __future__ import annotations

import threading
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

from fastapi import FastAPI
from fastapi.concurrency import run_in_threadpool

from api.all_routes import all_routes
from api.answers import Answers
from api.auditing import Auditing
from api.console.pages import Pages
from api.desk import ServerDesk
from api.edge import Edge
from api.failures import install_failures
from api.import_drafts import Drafts
from api.issuing import Issuing
from api.limits import Limits
from api.openapi import describe
from api.quick import Quick
from api.waiting import MOST_AT_NODE
from ledger import __version__
from ledger.config import Settings
from ledger.mirror.queries.direct import Direct
from ledger.services.sharing.entitlements import SharesShelf
from ledger.shared_counters import SharedCounters
from ledger.wiring import database_to_read, open_evidence


def create_app(
    settings: Settings,
    *,
    clock: Callable[[], float] = time.time,
    not_ready_while: Path | None = None,
    is_stopping: Callable[[], bool] = lambda: False,
    counters: SharedCounters | None = None,
) -> FastAPI:
    """The HTTP API and the console over the database of `settings`.

    What it reads is in that database and the folder of evidence, and needs no node: a chain that
    does not answer leaves what was mirrored served and marked as stale. Where the settings name
    keys that it may sign with, it also takes what officers ask for to the chain. `clock` gives the
    time in seconds since 1970 UTC. `/readyz` says no while the file `not_ready_while` is there.
    Streams end soon after `is_stopping` says so. `counters` are what this server's processes have
    in common. Raises InvalidSetting and FolderUnusable.
    """
    engine = database_to_read(settings)
    desk = ServerDesk(settings)
    limits = Limits(settings.rate_limit, counters)
    auditing = Auditing(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        desk.start(not_before=not_ready_while)
        yield
        await run_in_threadpool(auditing.stop)
        await run_in_threadpool(desk.stop)
        quick.close()
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
    quick = Quick(app.state.answers, Direct(engine))
    app.state.evidence = open_evidence(settings)
    app.state.shares = SharesShelf(app.state.evidence)
    app.state.not_ready_while = not_ready_while
    app.state.parameter_names = {}
    app.state.office = engine
    app.state.desk = desk
    app.state.auditing = auditing
    app.state.import_drafts = Drafts(settings.home, clock)
    app.state.issuing = Issuing(settings)
    app.state.limits = limits
    app.state.clock = clock
    app.state.nonce_secret = None
    app.state.places_at_node = threading.BoundedSemaphore(MOST_AT_NODE)
    app.state.streams = {}
    app.state.is_stopping = is_stopping

    app.router.routes.extend(all_routes())
    app.state.pages = Pages(settings.language)
    install_failures(app)
    app.add_middleware(Edge, settings=settings, limits=limits, quick=quick)
    describe(app)
    return app
