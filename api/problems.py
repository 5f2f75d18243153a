"""Errors as `application/problem+json` (RFC 9457), each with the stable code of its class.

One table says which HTTP status a family of errors has. What could help an attacker or is nobody's
business stays inside: the words of a set-up problem, the paths and credentials in a node's URL,
and everything about an error that nobody foresaw.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

import msgspec

from ledger.errors import (
    AccessDenied,
    AccessLogBroken,
    AccessProblem,
    ApiKeyRefused,
    ApplicationElsewhere,
    AuditProblem,
    AuditRunning,
    ChainProblem,
    ContractRefused,
    CursorInvalid,
    ForgeryRefused,
    IdempotencyConflict,
    IdempotencyInFlight,
    InputRefused,
    Interrupted,
    InvalidValue,
    IssuerKeyMissing,
    LedgerError,
    LinkRefused,
    MembershipNotInForce,
    MirrorProblem,
    NodeBusy,
    NodeProblem,
    NotFound,
    NotSignedIn,
    OfficeProblem,
    OperationConflict,
    OperationOfAnother,
    ProofProblem,
    ProofsUnavailable,
    RequestTooLarge,
    RightsUnknown,
    SameOfficer,
    ScannerFailed,
    ScopeMissing,
    SendingProblem,
    ServerCannotSign,
    SetupProblem,
    SignInRefused,
    StorageUnusable,
    TooManyRequests,
    Unforeseen,
)

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:moonlake:problem:"

STATUS_BY_ERROR: Mapping[type[LedgerError], HTTPStatus] = {
    InputRefused: HTTPStatus.UNPROCESSABLE_ENTITY,
    NotFound: HTTPStatus.NOT_FOUND,
    CursorInvalid: HTTPStatus.BAD_REQUEST,
    ContractRefused: HTTPStatus.CONFLICT,
    SetupProblem: HTTPStatus.SERVICE_UNAVAILABLE,
    NodeProblem: HTTPStatus.BAD_GATEWAY,
    NodeBusy: HTTPStatus.SERVICE_UNAVAILABLE,
    ProofProblem: HTTPStatus.BAD_GATEWAY,
    AuditProblem: HTTPStatus.UNPROCESSABLE_ENTITY,
    AuditRunning: HTTPStatus.CONFLICT,
    ProofsUnavailable: HTTPStatus.SERVICE_UNAVAILABLE,
    ChainProblem: HTTPStatus.SERVICE_UNAVAILABLE,
    MirrorProblem: HTTPStatus.SERVICE_UNAVAILABLE,
    OfficeProblem: HTTPStatus.INTERNAL_SERVER_ERROR,
    ApplicationElsewhere: HTTPStatus.CONFLICT,
    IssuerKeyMissing: HTTPStatus.SERVICE_UNAVAILABLE,
    MembershipNotInForce: HTTPStatus.CONFLICT,
    SameOfficer: HTTPStatus.CONFLICT,
    ScannerFailed: HTTPStatus.SERVICE_UNAVAILABLE,
    StorageUnusable: HTTPStatus.SERVICE_UNAVAILABLE,
    SendingProblem: HTTPStatus.SERVICE_UNAVAILABLE,
    OperationConflict: HTTPStatus.CONFLICT,
    OperationOfAnother: HTTPStatus.CONFLICT,
    AccessProblem: HTTPStatus.FORBIDDEN,
    SignInRefused: HTTPStatus.UNAUTHORIZED,
    NotSignedIn: HTTPStatus.UNAUTHORIZED,
    ApiKeyRefused: HTTPStatus.UNAUTHORIZED,
    LinkRefused: HTTPStatus.UNAUTHORIZED,
    AccessDenied: HTTPStatus.FORBIDDEN,
    ScopeMissing: HTTPStatus.FORBIDDEN,
    ForgeryRefused: HTTPStatus.FORBIDDEN,
    TooManyRequests: HTTPStatus.TOO_MANY_REQUESTS,
    RequestTooLarge: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    IdempotencyConflict: HTTPStatus.UNPROCESSABLE_ENTITY,
    IdempotencyInFlight: HTTPStatus.CONFLICT,
    RightsUnknown: HTTPStatus.SERVICE_UNAVAILABLE,
    ServerCannotSign: HTTPStatus.SERVICE_UNAVAILABLE,
    AccessLogBroken: HTTPStatus.INTERNAL_SERVER_ERROR,
    Interrupted: HTTPStatus.SERVICE_UNAVAILABLE,
    Unforeseen: HTTPStatus.INTERNAL_SERVER_ERROR,
}
"""The status of an error's class, or else of the nearest family above it."""

_URL = re.compile(r"\b([a-z][a-z0-9+.-]*)://([^\s/?#]*@)?([^\s/?#@]+)[^\s,;]*")
_WORD = re.compile(r"(?<!^)(?=[A-Z])")
_UNFORESEEN_CODE = "internal.unforeseen"


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one value of a request, in a sentence."""

    field: str
    problem: str


@dataclass(frozen=True, slots=True)
class Problem:
    """What went wrong, for a machine (`code`, `errors`) and a person (`detail`, `advice`)."""

    status: int
    code: str
    title: str
    detail: str
    advice: str = ""
    errors: Sequence[FieldError] = ()

    def body(self, instance: str) -> bytes:
        """The JSON of the problem; `instance` is the path that was asked for."""
        members: dict[str, Any] = {
            "type": TYPE_PREFIX + self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            "instance": instance,
            "code": self.code,
        }
        if self.advice:
            members["advice"] = self.advice
        if self.errors:
            members["errors"] = [
                {"field": error.field, "problem": error.problem} for error in self.errors
            ]
        return msgspec.json.encode(members)


def status_of(error: type[LedgerError]) -> HTTPStatus:
    """The HTTP status of a class of errors."""
    return next(STATUS_BY_ERROR[cls] for cls in error.__mro__ if cls in STATUS_BY_ERROR)


def problem_of(error: LedgerError) -> Problem:
    """What a reader is told of an error."""
    title = _title(type(error))
    if isinstance(error, SetupProblem):
        detail = "The server lacks something that it needs; its log says what."
        return Problem(status_of(type(error)), error.code, title, detail)
    return Problem(
        status=status_of(type(error)),
        code=error.code,
        title=title,
        detail=redact_urls(str(error)),
        advice=redact_urls(error.advice),
        errors=_field_errors(error),
    )


def invalid_parameters(errors: Sequence[FieldError]) -> Problem:
    """Values of the path or the query that cannot be meant; all of them are named."""
    named = ", ".join(dict.fromkeys(error.field for error in errors))
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        InvalidValue.code,
        _title(InvalidValue),
        f"These cannot be used: {named}." if named else "The request cannot be used.",
        "Correct what `errors` names and try again; /docs lists what each route takes.",
        errors,
    )


def http_problem(status: int) -> Problem:
    """An error of HTTP itself: no such route, a method that is not served."""
    phrase = HTTPStatus(status).phrase
    code = "http." + phrase.lower().replace(" ", "_").replace("-", "_")
    return Problem(
        status,
        code,
        phrase.capitalize(),
        HTTPStatus(status).description or phrase + ".",
        "See /docs for the routes and methods that are served.",
    )


def unforeseen_problem() -> Problem:
    """An error that nobody foresaw; what it was stands in the server's log only."""
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        _UNFORESEEN_CODE,
        "Unforeseen error",
        "The server met an error that it does not know.",
        "Try again; if it stays, tell the operator the time and the path.",
    )


def redact_urls(text: str) -> str:
    """The text with every URL cut down to its host: the rest may be a key."""
    return _URL.sub(r"\1://\3", text)


def _field_errors(error: LedgerError) -> Sequence[FieldError]:
    if isinstance(error, InvalidValue):
        return [FieldError(str(error.values["field"]), f"It is not {error.values['expected']}.")]
    if isinstance(error, CursorInvalid):
        return [FieldError("cursor", "It was not given for this question.")]
    return ()


def _title(cls: type[LedgerError]) -> str:
    return _WORD.sub(" ", cls.__name__).capitalize()
