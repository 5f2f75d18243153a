"""What a reader gets when a request fails: a problem for programs, a page for people.

Whoever asks under /v1 is a program; elsewhere the Accept header says. An error that nobody foresaw
is logged whole and told to nobody.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.exceptions import RequestValidationError
from fastapi.routing import iter_route_contexts
from starlette.exceptions import HTTPException
from starlette.routing import compile_path

from api.console.pages import error_page
from api.edge import MAX_BODY, REQUEST_ID
from api.keeping import NOT_KEPT
from api.problems import (
    MEDIA_TYPE,
    FieldError,
    Problem,
    http_problem,
    invalid_parameters,
    problem_of,
    redact_urls,
    unforeseen_problem,
)
from ledger.errors import LedgerError, RequestTooLarge, TooManyRequests

log = logging.getLogger("moonlake.api")

_LEAST_SERVER_ERROR = 500
_PROGRAM_PATHS = ("/v1/", "/healthz", "/readyz", "/metrics", "/openapi.json")
_LONGEST_ECHO = 200
_RETRY_AFTER = {"Retry-After": "5"}
# The server drops a connection whose request ended in an exception; a client that is not told
# sends its next request into it.
_LAST_ANSWER = {"Connection": "close"}


def install_failures(app: FastAPI) -> None:
    """Have every failure of the application answered here."""
    app.exception_handler(LedgerError)(_on_ledger_error)
    app.exception_handler(RequestValidationError)(_on_invalid_request)
    app.exception_handler(HTTPException)(_on_http_error)
    app.exception_handler(Exception)(_on_unforeseen)


async def _on_ledger_error(request: Request, error: LedgerError) -> Response:
    problem = problem_of(error)
    if problem.status >= _LEAST_SERVER_ERROR:
        log.warning(
            "%s %s %s: %s: %s",
            REQUEST_ID.get(),
            request.method,
            _on_one_line(request.url.path),
            error.code,
            redact_urls(str(error)),
            extra={"code": error.code},
        )
    headers = {}
    if problem.status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="moonlake"'
    if isinstance(error, TooManyRequests):
        headers["Retry-After"] = str(error.values["seconds"])
    return await _answer(request, problem, headers)


async def _on_invalid_request(request: Request, error: RequestValidationError) -> Response:
    return await _answer(request, invalid_parameters(_field_errors(error.errors())))


async def _on_http_error(request: Request, error: HTTPException) -> Response:
    if error.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return await _on_ledger_error(request, RequestTooLarge(most=MAX_BODY))
    headers = dict(error.headers or {})
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        headers["Allow"] = ", ".join(sorted(_methods_of(request)))
    return await _answer(request, http_problem(error.status_code), headers)


def _methods_of(request: Request) -> set[str]:
    """The methods that a path answers: its routes are one for each, and each knows its own."""
    found: set[str] = set()
    for context in iter_route_contexts(request.app.routes):
        if context.path is not None and context.methods:
            pattern, _, _ = compile_path(context.path)
            if pattern.match(request.scope["path"]):
                found |= context.methods
    return found | ({"HEAD"} if "GET" in found else set())  # each GET answers HEAD (api/edge.py)


async def _on_unforeseen(request: Request, error: Exception) -> Response:
    path = _on_one_line(request.url.path)
    log.error("%s %s %s", REQUEST_ID.get(), request.method, path, exc_info=error)
    return await _answer(request, unforeseen_problem(), _LAST_ANSWER)


async def _answer(
    request: Request, problem: Problem, headers: Mapping[str, str] | None = None
) -> Response:
    more = {**(headers or {}), **NOT_KEPT}
    if problem.status == 503:
        more |= _RETRY_AFTER
    if _wants_page(request):
        return await run_in_threadpool(error_page, request, problem, more)  # it may read SQL
    body = problem.body(_shortened(request.url.path))
    return Response(body, problem.status, media_type=MEDIA_TYPE, headers=more)


def _wants_page(request: Request) -> bool:
    if request.url.path.startswith(_PROGRAM_PATHS):
        return False
    return "text/html" in request.headers.get("accept", "")


def _on_one_line(path: str) -> str:
    """A path for a log: nobody writes lines of his own into it."""
    return _shortened(path).encode("unicode_escape").decode("ascii")


def _shortened(given: str) -> str:
    return given if len(given) <= _LONGEST_ECHO else given[:_LONGEST_ECHO] + "…"


def _field_errors(errors: Sequence[Mapping[str, Any]]) -> list[FieldError]:
    """FastAPI's errors, by the name of the parameter; what was given for it is not repeated."""
    return [
        FieldError(_shortened(_field(error["loc"])), _sentence(str(error["msg"])))
        for error in errors
    ]


def _field(place: Sequence[Any]) -> str:
    """A parameter by its name, a value of the body by its path: `awards.0.amount`."""
    if place[0] != "body":
        return str(place[-1])
    return ".".join(str(part) for part in place[1:]) or "body"


def _sentence(message: str) -> str:
    return message.removeprefix("Value error, ").rstrip(".") + "."
