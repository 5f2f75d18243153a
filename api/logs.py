"""What the server writes down of itself: trouble as text, or all of it as JSON, a line each.

With `MOONLAKE_LOG_FORMAT=json` each request is a line, and so is what becomes of each operation
(`ledger.outbox.telling`); the request's id is in both. What a line can hold is listed here, so that
no secret gets in by a slip: a path is the route's own with its places open, and there is no query,
no header, no body and no credential. Addresses of nodes are cut down to their host.
"""

from __future__ import annotations

import logging
import sys
import time
from datetime import UTC, datetime
from typing import Any, TextIO

import msgspec
from starlette.types import Scope

from api.problems import redact_urls

FIELDS = (
    "request_id",
    "method",
    "route",
    "status",
    "duration_ms",
    "account",
    "via",
    "operation_id",
    "command",
    "transaction_hash",
    "block_number",
    "code",
)
"""What a line may hold beside its time, level, logger and message."""

_VERSIONED = "/v1"

requests = logging.getLogger("moonlake.requests")


class JsonLines(logging.Formatter):
    """Each record as a line of JSON."""

    def format(self, record: logging.LogRecord) -> str:
        """The line."""
        line: dict[str, Any] = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": redact_urls(record.getMessage()),
        }
        for name in FIELDS:
            value = getattr(record, name, None)
            if value not in (None, ""):
                line[name] = value
        if record.exc_info:
            line["traceback"] = redact_urls(self.formatException(record.exc_info))
        return msgspec.json.encode(line).decode()


class RequestId(logging.Filter):
    """Gives a record the id of the request that is answered now, unless it has one."""

    def __init__(self, present: Any) -> None:
        super().__init__()
        self._present = present

    def filter(self, record: logging.LogRecord) -> bool:
        """Always true."""
        if not getattr(record, "request_id", ""):
            record.request_id = self._present.get()
        return True


def write_json_lines(present: Any, stream: TextIO | None = None) -> None:
    """Have the process write JSON to `stream`, else standard error.

    `present` is the context's variable of the request that is answered. Libraries are heard from
    their warnings on: what they say of less is nobody's business, and may name a node's address.
    """
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(JsonLines())
    handler.addFilter(RequestId(present))
    root = logging.getLogger()
    root.handlers = [handler]
    root.setLevel(logging.WARNING)
    logging.getLogger("moonlake").setLevel(logging.INFO)


class RequestLine:
    """One request as it goes; `end` writes its line."""

    __slots__ = ("_begun", "method", "route", "status")

    def __init__(self, method: str) -> None:
        self._begun = time.perf_counter()
        self.method = method
        self.status = 0
        self.route = ""

    def end(self, scope: Scope, request_id: str) -> None:
        """Write it down. A status of 0 is that of a caller who went away."""
        caller = scope.get("state", {}).get("caller")
        requests.info(
            "request",
            extra={
                "request_id": request_id,
                "method": self.method,
                "route": self.route or route_of(scope),
                "status": self.status,
                "duration_ms": round((time.perf_counter() - self._begun) * 1000, 3),
                "account": caller.address if caller is not None else None,
                "via": caller.via if caller is not None else None,
            },
        )


def is_told() -> bool:
    """Whether anybody listens to requests."""
    return requests.isEnabledFor(logging.INFO)


def route_of(scope: Scope) -> str:
    """The path of the route that answered, its places open; empty where none did."""
    path: str = getattr(scope.get("route"), "path", "")
    is_versioned = scope["path"].startswith(_VERSIONED + "/") and not path.startswith(_VERSIONED)
    return _VERSIONED + path if path and is_versioned else path
