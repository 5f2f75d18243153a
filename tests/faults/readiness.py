"""What `/readyz` says of a database, asked of the real application without a socket."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

import httpx

from api.app import create_app
from ledger.config import Settings


class Readiness:
    """The application over a database, with a clock that a test may set."""

    def __init__(self, database_url: str) -> None:
        settings = Settings(home=Path("/nonexistent"), database_url=database_url, _env_file=None)
        self._now: float | None = None
        self._app = create_app(settings, clock=lambda: self._now or time.time())
        self._loop = asyncio.new_event_loop()

    def close(self) -> None:
        """Close its connections."""
        self._app.state.answers.engine.dispose()
        self._loop.close()

    def status(self, *, at: float | None = None) -> int:
        """The HTTP status of `/readyz`, as at a time in seconds since 1970 UTC."""
        self._now = at
        return self._loop.run_until_complete(self._get())

    async def _get(self) -> int:
        transport = httpx.ASGITransport(app=self._app)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return (await client.get("/readyz")).status_code
