"""Answers what is asked most before any route: an answer that is kept and still holds, the balances
of an organisation, the newest page of its statement.

FastAPI needs a millisecond before it comes to a route, and SQLAlchemy a tenth of one for each
statement; the answer itself takes less. What is written here is what the routes would have written
to the byte, by the same functions, and under the same tag. Everything that is not simple goes to
its route: other parameters, an earlier moment, what is not there, a database that does not answer.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, TypeVar

import msgspec
from starlette.types import Send

from api.answers import CACHE_CONTROL, NO_HEADERS, Answers, Begun, KeptAnswer
from api.gathering import Gathering, NotSoon
from api.pagination import (
    DEFAULT_LIMIT,
    MAX_LIMIT,
    cut_page,
    link_header_at,
    question_at,
)
from api.routes.entries import place_of
from api.schemas.entries import written_balance, written_entry
from ledger.domain.ids import OrgId
from ledger.mirror.queries.balances import Balance
from ledger.mirror.queries.direct import Direct, Mark, PageAsked
from ledger.mirror.queries.entries import Entry
from ledger.store.direct import NotDirect

_PATH = re.compile(r"/v1/organisations/([1-9][0-9]{0,9})/(balances|entries)")
_LIMIT = re.compile(r"limit=([1-9][0-9]{0,2})")
_MOST_ORGANISATIONS = 2**32 - 1
_JSON = "application/json"

_Question = TypeVar("_Question")
_Told = TypeVar("_Told")


class Quick:
    """Answers requests from one database, or leaves them to their routes."""

    def __init__(self, answers: Answers, direct: Direct) -> None:
        self._answers = answers
        self._direct = direct
        self._closing: list[Callable[[], None]] = [direct.close]
        self._seen: Mark | None = None
        self._mark = self._asking(self._read_marks)
        self._balances = self._asking(self._read_balances)
        self._pages = self._asking(self._read_pages)

    def close(self) -> None:
        """End what it began."""
        for close in reversed(self._closing):
            close()

    async def answer(
        self, path: str, query: str, tags: frozenset[str] | None, send: Send
    ) -> str | None:
        """Answer; the route that it was the answer of. None where a route has to.

        `tags` are those of If-None-Match, if it is given.
        """
        try:
            found = await self._find(path, query)
        except (NotDirect, NotSoon):
            return None
        if found is None:
            return None
        tag, answer = found
        await _send(send, tag, answer, has_it=tags is not None and (tag in tags or "*" in tags))
        return answer.route

    async def _find(self, path: str, query: str) -> tuple[str, KeptAnswer] | None:
        """The answer and its tag. Raises NotDirect and NotSoon."""
        asked, seen, begun = _PATH.fullmatch(path), self._seen, None
        tag = ""
        if seen is not None:
            begun = self._answers.begun(seen)
            tag = begun.tag_of(path, query)
        # Where the head has moved on it is not asked for twice: what is made tells it as well.
        if self._answers.kept(tag) or (asked is None and self._answers.may_have(path, query)):
            self._seen = mark = await self._mark(None)
            present = self._answers.begun(mark)
            if present is not begun:
                tag = present.tag_of(path, query)
            kept = self._answers.kept(tag)
            if kept is not None:
                return tag, kept
        if asked is None or int(asked[1]) > _MOST_ORGANISATIONS:
            return None
        make = self._make_balances if asked[2] == "balances" else self._make_page
        made = await make(OrgId(int(asked[1])), path, query)
        if made is None:
            return None
        # What the answer says of itself and its tag are of one look at the clock: an answer that
        # says "stale" under the tag of one that does not would be given to all who come later.
        present, answer = made
        self._seen = present.mark
        if present is not begun:
            tag = present.tag_of(path, query)
        self._answers.keep(tag, answer)
        return tag, answer

    async def _make_balances(
        self, org_id: OrgId, path: str, query: str
    ) -> tuple[Begun, KeptAnswer] | None:
        if query:
            return None
        mark, balances = await self._balances(org_id)
        if balances is None:
            return None
        items = [written_balance(each) for each in balances]
        begun = self._answers.begun(mark)
        body = _written(begun.written, org_id=org_id, items=items)
        route = "/v1/organisations/{org_id}/balances"
        return begun, KeptAnswer(f"{path}?", body, _JSON, NO_HEADERS, route)

    async def _make_page(
        self, org_id: OrgId, path: str, query: str
    ) -> tuple[Begun, KeptAnswer] | None:
        limit, pairs = DEFAULT_LIMIT, list[tuple[str, str]]()
        if query:
            asked = _LIMIT.fullmatch(query)
            if asked is None or int(asked[1]) > MAX_LIMIT:
                return None
            limit, pairs = int(asked[1]), [("limit", asked[1])]
        mark, entries = await self._pages(PageAsked(org_id, limit + 1))
        if entries is None:
            return None
        page = cut_page(entries, limit, question_at(path, pairs), place_of)
        items = [written_entry(each) for each in page.rows]
        begun = self._answers.begun(mark)
        body = _written(begun.written, items=items, next=page.next)
        headers = link_header_at(path, pairs, page.next)
        route = "/v1/organisations/{org_id}/entries"
        return begun, KeptAnswer(f"{path}?{query}", body, _JSON, headers, route)

    def _asking(
        self, answer: Callable[[Sequence[_Question]], Awaitable[Mapping[_Question, _Told]]]
    ) -> Callable[[_Question], Awaitable[_Told]]:
        """How a question is asked: at once of a database that is at hand, else with others."""
        if self._direct.takes_many:
            gathering = Gathering(answer)
            self._closing.append(gathering.close)
            return gathering.ask

        async def at_once(question: _Question) -> _Told:
            return (await answer([question]))[question]

        return at_once

    async def _read_marks(self, _asked: Sequence[None]) -> Mapping[None, Mark]:
        return {None: await self._direct.read_mark()}

    async def _read_balances(
        self, asked: Sequence[OrgId]
    ) -> Mapping[OrgId, tuple[Mark, tuple[Balance, ...] | None]]:
        mark, found = await self._direct.read_balances(asked)
        return {org_id: (mark, balances) for org_id, balances in found.items()}

    async def _read_pages(
        self, asked: Sequence[PageAsked]
    ) -> Mapping[PageAsked, tuple[Mark, tuple[Entry, ...] | None]]:
        mark, found = await self._direct.read_pages(asked)
        return {each: (mark, entries) for each, entries in found.items()}


def _written(about: Mapping[str, Any], **parts: object) -> bytes:
    """An answer as JSON."""
    return msgspec.json.encode({**about, **parts})


async def _send(send: Send, tag: str, answer: KeptAnswer, *, has_it: bool) -> None:
    """Send an answer, or 304 to who has it."""
    headers = [(b"etag", tag.encode()), (b"cache-control", CACHE_CONTROL.encode())]
    if not has_it:
        headers += [
            (b"content-length", b"%d" % len(answer.body)),
            (b"content-type", answer.media_type.encode()),
            *((name.lower().encode(), text.encode()) for name, text in answer.headers.items()),
        ]
    status = 304 if has_it else 200
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": b"" if has_it else answer.body})


def tags_in(lines: list[bytes]) -> frozenset[str] | None:
    """The tags of If-None-Match, compared weakly; None where there are no such lines."""
    if not lines:
        return None
    each = [part.strip() for line in lines for part in line.decode("latin-1").split(",")]
    if each == ["*"]:
        return frozenset(each)
    # By itself a star is any answer; among others, or weak, it is a tag that none of ours is.
    return frozenset(part.removeprefix("W/") for part in each) - {"*"}
