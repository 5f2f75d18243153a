"""What `/readyz` says of a database, asked of the real application without a socket."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from pathlib import Path
from tempfile import gettempdir

import httpx
from fastapi import FastAPI

from api.answers import Answers
from api.app import create_app
from ledger.config import Settings
from ledger.store.engine import open_engine

STALE_AFTER = 30.0


class Readiness:
    """The application over a database, with a clock that a test may set."""

    def __init__(self, database_url: str) -> None:
        self._now: float | None = None
        self._engine = open_engine(database_url)
        self._answers = Answers(
            self._engine, stale_after=STALE_AFTER, clock=lambda: self._now or time.time()
        )
        # In a thread, since a browser's tests leave a running loop in the one that runs tests.
        self._thread = ThreadPoolExecutor(1)

    def close(self) -> None:
        """Close its connections."""
        self._thread.shutdown()
        self._engine.dispose()

    def status(self, *, at: float | None = None) -> int:
        """The HTTP status of `/readyz`, as at a time in seconds since 1970 UTC."""
        self._now = at
        application = _application()
        application.state.answers = self._answers
        return self._thread.submit(asyncio.run, self._get(application)).result()

    @staticmethod
    async def _get(application: FastAPI) -> int:
        transport = httpx.ASGITransport(app=application)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return (await client.get("/readyz")).status_code


@cache
def _application() -> FastAPI:
    """One application for all databases: its routes take longer to make than a test takes."""
    unused = f"sqlite:///{Path(gettempdir()) / 'moonlake-nobody-reads-this.sqlite3'}"
    return create_app(Settings(home=Path("/nonexistent"), database_url=unused, _env_file=None))
