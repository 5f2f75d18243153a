"""How every answer is given: one moment of the database, the block it is true at, and its ETag.

A route says what it wants to read; everything that could differ between two routes is here. The
tag of an answer changes with the chain's head, the office, the mirror's condition and the release,
so a reader who has the answer is told so after reading one row, and nothing else is asked of the
database.
"""

from __future__ import annotations

import hashlib
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from fastapi import Request, Response
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError
from starlette.types import Scope

from api.formats import parse_time
from api.logs import route_of
from api.schemas.base import Answer, AsOf, Schema
from ledger import __version__
from ledger.errors import InvalidValue, LedgerError, MirrorEmpty, SchemaMismatch
from ledger.mirror.queries.direct import Mark
from ledger.mirror.queries.moments import (
    Condition,
    Moment,
    condition_of,
    is_stale,
    latest_moment,
    moment_at_block,
    moment_at_time,
)
from ledger.mirror.state import MirrorState, read_state
from ledger.mirror.trouble import is_in_trouble
from ledger.office.queries import read_revision as read_office_revision
from ledger.store.engine import database_unusable, reading
from ledger.store.migrations import HEAD
from ledger.store.mirror_tables import SCHEMA_VERSION
from ledger.store.schema import NEW
from ledger.store.schema import read_revision as read_schema_revision

if TYPE_CHECKING:
    from collections.abc import Iterator

CACHE_CONTROL = "no-cache"  # keep it, but ask each time whether it still holds

NO_HEADERS: Mapping[str, str] = MappingProxyType({})

KEPT_BYTES = 16 * 1024 * 1024
"""Of answers that a process keeps to give again."""

_KEPT_BESIDE = 500

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class MomentAsked:
    """Which moment a request wants: the latest, a block, or a time as it was written."""

    block: int | None = None
    time: str | None = None

    def resolve(self, connection: Connection, state: MirrorState) -> Moment:
        """The moment. Raises InvalidValue where it is not mirrored, or two are asked for."""
        if self.block is not None and self.time is not None:
            raise InvalidValue(
                field="as_of_block", value=self.block, expected="allowed together with as_of"
            )
        if self.block is not None:
            return moment_at_block(connection, state, self.block)
        if self.time is not None:
            return self._at_time(connection, state, self.time)
        return latest_moment(state)

    @staticmethod
    def _at_time(connection: Connection, state: MirrorState, asked: str) -> Moment:
        try:
            return moment_at_time(connection, state, parse_time("as_of", asked))
        except InvalidValue as error:
            # The time as it was written, not the seconds that it comes to.
            raise InvalidValue(
                field="as_of", value=asked, expected=error.values["expected"]
            ) from error


LATEST = MomentAsked()


@dataclass(frozen=True, slots=True)
class Reading:
    """One moment of the database: what queries need, and what an answer says of itself."""

    connection: Connection
    state: MirrorState
    moment: Moment
    condition: Condition
    now: float

    @property
    def about(self) -> Answer:
        """The part that all answers share."""
        return Answer(as_of=AsOf.of(self.moment), mirror=self.condition)


@dataclass(frozen=True, slots=True)
class KeptAnswer:
    """An answer that was given: its body, the headers that came with it, and its route."""

    question: str
    body: bytes
    media_type: str
    headers: Mapping[str, str]
    route: str

    @property
    def size(self) -> int:
        """About the bytes that it takes: a question can be longer than its answer, and a header
        that repeats it, with what has to be escaped, longer still."""
        beside = sum(len(text) for text in self.headers.values())
        return len(self.body) + 2 * len(self.question) + beside + _KEPT_BESIDE


class Kept:
    """Answers by their tags, which were given lately: what is asked for again is not made again.

    A tag stands for everything that an answer depends on, so one that fits is the answer; else a
    reader who has it would have to be told other than 304.
    """

    def __init__(self, most: int = KEPT_BYTES) -> None:
        self._most = most
        self._size = 0
        self._lock = threading.Lock()
        self._answers: OrderedDict[str, KeptAnswer] = OrderedDict()
        self._questions: dict[str, int] = {}

    def find(self, tag: str) -> KeptAnswer | None:
        """The answer of a tag, if it is kept."""
        with self._lock:
            found = self._answers.get(tag)
            if found is not None:
                self._answers.move_to_end(tag)
            return found

    def has(self, question: str) -> bool:
        """Whether any answer to this question is kept, be it of an earlier moment."""
        return question in self._questions

    def keep(self, tag: str, answer: KeptAnswer) -> None:
        """Keep an answer; those that were not asked for the longest make room."""
        if len(answer.body) > self._most // 100:
            return
        with self._lock:
            if tag in self._answers:
                return
            self._answers[tag] = answer
            self._size += answer.size
            count = self._questions.get(answer.question, 0)
            self._questions[answer.question] = count + 1
            while self._size > self._most:
                _, gone = self._answers.popitem(last=False)
                self._size -= gone.size
                self._questions[gone.question] -= 1
                if not self._questions[gone.question]:
                    del self._questions[gone.question]


@dataclass(frozen=True, slots=True)
class Begun:
    """What the answers of a moment share: the beginning of their tags, and of themselves."""

    mark: Mark
    digest: hashlib.blake2b
    about: Answer
    written: dict[str, Any]

    def tag_of(self, path: str, query: str) -> str:
        """The tag of a question's answer, for answers in no language."""
        digest = self.digest.copy()
        digest.update(f"\n{path}\n{query}".encode())
        return f'"{digest.hexdigest()}"'


class Answers:
    """Gives answers from one database."""

    def __init__(self, engine: Engine, *, stale_after: float, clock: Callable[[], float]) -> None:
        self.engine = engine
        self._stale_after = stale_after
        self._clock = clock
        self._kept = Kept()
        self._last_begun: Begun | None = None

    def json(
        self,
        request: Request,
        build: Callable[[Reading], tuple[Schema, Mapping[str, str]] | Schema],
        asked: MomentAsked = LATEST,
        *,
        volatile: bool = False,
    ) -> Response:
        """The JSON of what `build` makes, or 304 where the reader has it.

        `build` may give headers beside the schema. `volatile` answers also tell when the mirror
        last looked at the chain, and so does their tag.
        """

        def body(answered: Reading) -> tuple[bytes, Mapping[str, str]]:
            built = build(answered)
            schema, headers = built if isinstance(built, tuple) else (built, NO_HEADERS)
            return schema.__pydantic_serializer__.to_json(schema), headers

        return self.respond(request, body, asked, media_type="application/json", volatile=volatile)

    def respond(
        self,
        request: Request,
        build: Callable[[Reading], tuple[bytes, Mapping[str, str]]],
        asked: MomentAsked = LATEST,
        *,
        media_type: str,
        variant: str = "",
        headers: Mapping[str, str] = NO_HEADERS,
        volatile: bool = False,
    ) -> Response:
        """The body that `build` makes, or 304 where the reader has it.

        `variant` names what, beside the URL, the body depends on (its language); `headers` are
        sent with either.
        """
        with self._reading() as (connection, state):
            condition = condition_of(state, now=self._clock(), stale_after=self._stale_after)
            if volatile and condition is Condition.FOLLOWING and is_in_trouble(connection):
                condition = Condition.STALE  # what the row cannot say yet
            office = read_office_revision(connection)
            tag = _tag(request, state, condition, office, variant, volatile=volatile)
            headers = {**headers, "ETag": tag, "Cache-Control": CACHE_CONTROL}
            if names_tag(request, tag):
                return Response(status_code=304, headers=headers)
            kept = None if volatile else self._kept.find(tag)
            if kept is not None:
                body, more = kept.body, kept.headers
            else:
                moment = asked.resolve(connection, state)
                answered = Reading(connection, state, moment, condition, self._clock())
                body, more = build(answered)
                if not volatile:
                    question = _question(*asked_of(request.scope)) if not variant else ""
                    route = route_of(request.scope)
                    self._kept.keep(tag, KeptAnswer(question, body, media_type, more, route))
        if names_any(request):
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=media_type, headers={**headers, **more})

    def read(self, use: Callable[[Reading], _T]) -> _T:
        """What `use` makes of the latest moment, for answers without a tag."""
        with self._reading() as (connection, state):
            condition = condition_of(state, now=self._clock(), stale_after=self._stale_after)
            return use(Reading(connection, state, latest_moment(state), condition, self._clock()))

    def may_have(self, path: str, query: str) -> bool:
        """Whether an answer to this question is kept, perhaps of an earlier moment."""
        return self._kept.has(_question(path, query))

    def kept(self, tag: str) -> KeptAnswer | None:
        """The answer of a tag, if it is kept."""
        return self._kept.find(tag)

    def keep(self, tag: str, answer: KeptAnswer) -> None:
        """Keep an answer, to give it again as long as its tag holds."""
        self._kept.keep(tag, answer)

    def begun(self, mark: Mark) -> Begun:
        """What is the same now for all answers of a moment, made once for it."""
        condition, begun = self._condition_of(mark), self._last_begun
        if begun is None or begun.mark is not mark or begun.about.mirror is not condition:
            digest = _begin(mark.deployment, mark.moment.block_hash, mark.office, condition, "")
            about = Answer(as_of=AsOf.of(mark.moment), mirror=condition)
            written = about.model_dump(mode="json")
            self._last_begun = begun = Begun(mark, digest, about, written)
        return begun

    def _condition_of(self, mark: Mark) -> Condition:
        if mark.is_halted:
            return Condition.HALTED
        stale = is_stale(mark.looked_at, now=self._clock(), stale_after=self._stale_after)
        return Condition.STALE if stale else Condition.FOLLOWING

    @contextmanager
    def _reading(self) -> Iterator[tuple[Connection, MirrorState]]:
        """One read transaction. Raises the LedgerError that a database's refusal stands for."""
        try:
            with reading(self.engine) as connection:
                state = read_state(connection)
                if state.schema_version != SCHEMA_VERSION:
                    raise SchemaMismatch(found=state.schema_version, needed=SCHEMA_VERSION)
                yield connection, state
        except DBAPIError as error:
            raise self._meaning_of(error) from error

    def _meaning_of(self, error: DBAPIError) -> LedgerError:
        try:
            with reading(self.engine) as connection:
                found = read_schema_revision(connection)
        except DBAPIError as again:
            return database_unusable(self.engine, again)
        if found == NEW:
            return MirrorEmpty()
        if found != HEAD:
            return SchemaMismatch(found=found, needed=HEAD)
        return database_unusable(self.engine, error)


def answers_of(request: Request) -> Answers:
    """The answers of the application that serves the request."""
    answers: Answers = request.app.state.answers
    return answers


def _tag(
    request: Request,
    state: MirrorState,
    condition: Condition,
    office: int,
    variant: str,
    *,
    volatile: bool,
) -> str:
    looks = (state.looked_at, state.head_number, state.final_number) if volatile else ()
    return _digest(
        state.deployment,
        state.cursor.hash,
        office,
        condition,
        variant,
        *asked_of(request.scope),
        *looks,
    )


def asked_of(scope: Scope) -> tuple[str, str]:
    """Path and query as they were sent. A request's `url` is put together with its Host, by which
    a caller could have his answer taken for that of another question."""
    return scope["path"], scope["query_string"].decode("latin-1")


def _digest(
    deployment: bytes,
    cursor_hash: bytes,
    office: int,
    condition: Condition,
    *more: object,
) -> str:
    """The tag of an answer that depends on these, and on nothing else but the release."""
    return f'"{_begin(deployment, cursor_hash, office, condition, *more).hexdigest()}"'


def _begin(
    deployment: bytes,
    cursor_hash: bytes,
    office: int,
    condition: Condition,
    *more: object,
) -> hashlib.blake2b:
    """A tag to which lines may still be added."""
    parts = (__version__, deployment.hex(), cursor_hash.hex(), office, condition.value, *more)
    text = "\n".join(str(part) for part in parts)
    return hashlib.blake2b(text.encode(), digest_size=12)


def _question(path: str, query: str) -> str:
    return f"{path}?{query}"


def names_tag(request: Request, tag: str) -> bool:
    """Whether If-None-Match names the tag, compared weakly (RFC 9110, section 13.1.2)."""
    return tag in {each.removeprefix("W/") for each in _tags_given(request)}


def names_any(request: Request) -> bool:
    """Whether If-None-Match is `*`: whoever has any answer has this one, if there is one at all."""
    return _tags_given(request) == ["*"]


def _tags_given(request: Request) -> list[str]:
    """The members of If-None-Match, which may come in several lines."""
    lines = request.headers.getlist("if-none-match")
    return [each.strip() for line in lines for each in line.split(",")]
