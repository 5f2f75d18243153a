"""What an answer's tag follows from, read in one statement, for answers that are given again.

Whether an answer that was given before still holds takes one row of the mirror and one of the
office. SQLAlchemy needs half a millisecond for it and FastAPI a whole one before it comes to a
route; the same statement on the driver's own connection needs 30 microseconds on SQLite. So what is
kept is answered here, before any route, and everything else goes on to its route. A statement that
fails is nobody's answer: the route asks again and says what is wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from fastapi.concurrency import run_in_threadpool
from sqlalchemy import Engine
from starlette.datastructures import MutableHeaders
from starlette.types import Send

from api.answers import CACHE_CONTROL, Answers, KeptAnswer, Mark
from ledger.store.engine import POSTGRESQL
from ledger.store.mirror_tables import SCHEMA_VERSION

_STATEMENT = """
SELECT schema_version, deployment, cursor_hash, looked_at,
       CASE WHEN halted_code IS NULL THEN 0 ELSE 1 END,
       COALESCE((SELECT revision FROM office_state), 0)
FROM mirror_state
"""


@dataclass(frozen=True, slots=True)
class Again:
    """Answers requests whose answer is kept."""

    answers: Answers
    marks: Marks

    async def answer(
        self, path: str, query: str, tags: frozenset[str] | None, send: Send
    ) -> KeptAnswer | None:
        """Answer from what is kept; None where there is nothing, and a route has to.

        `tags` are those of If-None-Match, if it is given.
        """
        if not self.answers.may_have(path, query):
            return None
        mark = await self.marks.read()
        if mark is None:
            return None
        tag = self.answers.tag_of(mark, path, query)
        found = self.answers.kept(tag)
        if found is None:
            return None
        headers = MutableHeaders({"ETag": tag, "Cache-Control": CACHE_CONTROL})
        has_it = tags is not None and (tag in tags or "*" in tags)
        body = b"" if has_it else found.body
        if not has_it:
            headers["Content-Length"] = str(len(body))
            headers["Content-Type"] = found.media_type
            for name, value in found.headers.items():
                headers[name] = value
        start = {"type": "http.response.start", "status": 304 if has_it else 200}
        await send({**start, "headers": headers.raw})
        await send({"type": "http.response.body", "body": body})
        return found


class Marks:
    """Reads marks of one database, on connections of its own."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._in_thread = engine.dialect.name == POSTGRESQL  # it may be on another machine
        self._idle: list[Any] = []

    async def read(self) -> Mark | None:
        """The present mark; None where it cannot be had in this way."""
        return await run_in_threadpool(self._read) if self._in_thread else self._read()

    def close(self) -> None:
        """Close the connections."""
        while self._idle:
            self._idle.pop().close()

    def _read(self) -> Mark | None:
        try:
            connection = self._idle.pop() if self._idle else self._connect()
            row = connection.execute(_STATEMENT).fetchone()
        except Exception:  # noqa: BLE001  a driver's; the connection is given up, the route asks
            return None
        self._idle.append(connection)
        if row is None or row[0] != SCHEMA_VERSION:
            return None
        return Mark(bytes(row[1]), bytes(row[2]), row[3], bool(row[4]), row[5])

    def _connect(self) -> Any:
        raw = self._engine.raw_connection()
        driver: Any = raw.driver_connection
        raw.detach()  # from the pool: it is this object's own
        if self._in_thread:
            driver.autocommit = True
        return driver


def tags_in(lines: list[bytes]) -> frozenset[str] | None:
    """The tags of If-None-Match, compared weakly; None where there are no such lines."""
    if not lines:
        return None
    each = (part.strip() for line in lines for part in line.decode("latin-1").split(","))
    found = [part.removeprefix("W/") for part in each]
    # By itself a star is any answer; among others it is a tag that none of ours is.
    return frozenset(found if found == ["*"] else (part for part in found if part != "*"))
