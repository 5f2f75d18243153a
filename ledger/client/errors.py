"""What can go wrong for whoever uses the API, as classes to catch.

ClientError
├── Unreachable             no answer came, however often it was asked
├── AnswerUnreadable        an answer that the API's own description does not allow
├── OperationFailed         what was asked for was not done, and why
├── OperationUnsettled      it is not decided yet, and no more time is given
├── SignInImpossible        what the server gave to sign is not what was asked for
└── Problem                 the server's own word (RFC 9457): code, sentence, advice, fields
    ├── RequestWrong        400, 413, 422: asked again as it is, it will be refused again
    ├── SignInNeeded        401
    ├── NotAllowed          403
    ├── NotThere            404
    ├── Conflicting         409: a contract's refusal, or another request's
    ├── TooMany             429: `wait_seconds` says how long to wait
    └── ServerTrouble       5xx

`code` never changes once released; docs/errors.md lists all, and `kind` is the class of
`ledger.errors` that has it, so that `error.kind is ContractRefused` needs no text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from ledger.errors import LedgerError


class ClientError(Exception):
    """Root of the tree."""


class Unreachable(ClientError):
    """No answer came; `__cause__` is what the connection said."""


class AnswerUnreadable(ClientError):
    """The answer is not what the API's description says."""


class SignInImpossible(ClientError):
    """The server gave a message's parts that do not belong to the address that was asked."""


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one value of a request."""

    field: str
    problem: str


class Coded(ClientError):
    """An error with a stable code, a sentence and advice."""

    def __init__(self, code: str, sentence: str, advice: str = "") -> None:
        super().__init__(f"{sentence} {advice}".rstrip())
        self.code = code
        self.sentence = sentence
        self.advice = advice

    @property
    def kind(self) -> type[LedgerError] | None:
        """The class of `ledger.errors` with this code; None for one of HTTP itself."""
        return _kinds().get(self.code)


class OperationFailed(Coded):
    """An operation ended without being done; `values` are a contract's own, by name."""

    def __init__(
        self,
        operation_id: str,
        code: str,
        sentence: str,
        advice: str = "",
        values: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(code, sentence, advice)
        self.operation_id = operation_id
        self.values = dict(values or {})


class OperationUnsettled(ClientError):
    """An operation is not as far as it was waited for; it goes on by itself."""

    def __init__(self, operation_id: str, state: str) -> None:
        super().__init__(f"The operation {operation_id} is {state} still.")
        self.operation_id = operation_id
        self.state = state


class Problem(Coded):
    """The server refused, or could not; `request_id` finds the request in its log."""

    def __init__(
        self,
        status: int,
        code: str,
        sentence: str,
        *,
        advice: str = "",
        fields: tuple[FieldError, ...] = (),
        request_id: str = "",
        wait_seconds: float | None = None,
    ) -> None:
        super().__init__(code, sentence, advice)
        self.status = status
        self.fields = fields
        self.request_id = request_id
        self.wait_seconds = wait_seconds


class RequestWrong(Problem):
    """A value, the form or the size of a request; `fields` names each value."""


class SignInNeeded(Problem):
    """Nobody is signed in, or the credential is good for nothing."""


class NotAllowed(Problem):
    """The account or the key may not."""


class NotThere(Problem):
    """There is no such thing."""


class Conflicting(Problem):
    """It cannot be done as things stand."""


class TooMany(Problem):
    """Too many requests."""


class ServerTrouble(Problem):
    """The server, its mirror or the chain's node is not as it should be."""


def problem_class(status: int) -> type[Problem]:
    """The class for a status."""
    if status >= 500:
        return ServerTrouble
    return _BY_STATUS.get(status, RequestWrong)


_BY_STATUS: Mapping[int, type[Problem]] = {
    401: SignInNeeded,
    403: NotAllowed,
    404: NotThere,
    409: Conflicting,
    429: TooMany,
}


@cache
def _kinds() -> Mapping[str, type[LedgerError]]:
    return {each.code: each for each in _below(LedgerError)}


def _below(cls: type[LedgerError]) -> Iterator[type[LedgerError]]:
    for child in cls.__subclasses__():
        yield from _below(child)
        if not child.__subclasses__():
            yield child
