"""Makes the console's pages: templates, the reader's language, and the block they are true at."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fastapi import Request, Response
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from api.answers import LATEST, NO_HEADERS, MomentAsked, Reading, answers_of
from api.console.languages import (
    COOKIE,
    PARAMETER,
    Language,
    choose_language,
    language_named,
    languages,
)
from api.console.menu import menu_of, with_desk
from api.console.names import capitalised, label_in, name_in, organisation_name, programme_names
from api.formats import show_address_once, show_bytes, show_time
from api.keeping import NOT_KEPT
from api.problems import Problem
from api.streaming import position_after
from ledger import __version__
from ledger.errors import LedgerError
from ledger.mirror.queries.accounts import read_roles
from ledger.mirror.queries.programmes import read_programmes
from ledger.office.queries import holds_made_up

HERE = Path(__file__).parent
TEMPLATES = HERE / "templates"
STATIC = HERE / "static"
MEDIA_TYPE = "text/html; charset=utf-8"

_MEDIA_TYPES = {
    **dict.fromkeys(("moonlake.css", "audit.css", "desk.css"), "text/css"),
    **dict.fromkeys(
        (
            *("live.js", "wallets.js", "sign_in.js", "signing.js", "desk.js"),
            *("audit.js", "certificate.mjs", "check.mjs", "compare.mjs", "hashes.mjs"),
        ),
        "text/javascript; charset=utf-8",
    ),
}
_YEAR = 365 * 24 * 3600
_LEAST_SERVER_ERROR = 500
_VARY = "Accept-Language, Cookie"


@dataclass(frozen=True, slots=True)
class Asset:
    """A file that pages load. Its name changes with its content, so that it keeps for long."""

    served_as: str
    content: bytes
    media_type: str


class Pages:
    """The templates, once for each language."""

    def __init__(self, language: str) -> None:
        self.otherwise = language_named(language)
        self.assets = {name: _read_asset(name) for name in _MEDIA_TYPES}
        self._environments = {tag: _environment(each) for tag, each in languages().items()}

    def asset(self, name: str) -> str:
        """Where a file of `static` is served."""
        return f"/static/{self.assets[name].served_as}"

    def language_of(self, request: Request) -> Language:
        """The language that the reader gets."""
        return choose_language(
            request.query_params.get(PARAMETER),
            request.cookies.get(COOKIE),
            request.headers.get("accept-language", ""),
            self.otherwise,
        )

    def render(self, language: Language, template: str, values: Mapping[str, Any]) -> bytes:
        """The page in a language."""
        made = self._environments[language.tag].get_template(template).render(values)
        return made.encode()


def page(
    request: Request,
    template: str,
    build: Callable[[Reading, Language], Mapping[str, Any]],
    asked: MomentAsked = LATEST,
    *,
    volatile: bool = False,
) -> Response:
    """The page of what `build` reads, or 304 where the reader has it.

    `volatile` pages also tell when the mirror looked, and so are made anew after each look.
    """
    pages: Pages = request.app.state.pages
    language = pages.language_of(request)

    def body(reading: Reading) -> tuple[bytes, Mapping[str, str]]:
        shared = _shared(request, pages, language) | _about(reading, language)
        values = {**shared, **build(reading, language)}
        return pages.render(language, template, values), NO_HEADERS

    return answers_of(request).respond(
        request,
        body,
        asked,
        media_type=MEDIA_TYPE,
        variant=language.tag,
        headers=_headers(request, language),
        volatile=volatile,
    )


def own_page(
    request: Request,
    template: str,
    build: Callable[[Reading, Language], Mapping[str, Any]],
    *,
    status: int = 200,
    more_headers: Mapping[str, str] = NO_HEADERS,
) -> Response:
    """The page of what `build` reads for the reader alone: nobody keeps a copy of it.

    Where it gives a `caller` who holds an office, the menu has the desk.
    """
    pages: Pages = request.app.state.pages
    language = pages.language_of(request)

    def values(reading: Reading) -> dict[str, Any]:
        shared = _shared(request, pages, language) | _about(reading, language)
        found = {**shared, **build(reading, language)}
        caller = found.get("caller")
        if caller is not None and read_roles(reading.connection, reading.moment, caller.account):
            found["menu"] = with_desk(language, found["menu"])
        return found

    body = pages.render(language, template, answers_of(request).read(values))
    headers = {**_headers(request, language), **NOT_KEPT, **more_headers}
    return Response(body, status, media_type=MEDIA_TYPE, headers=headers)


def plain_page(request: Request, template: str, values: Mapping[str, Any]) -> Response:
    """A page that says nothing about the ledger, and so is true at no block."""
    pages: Pages = request.app.state.pages
    language = pages.language_of(request)
    body = pages.render(language, template, {**_shared(request, pages, language), **values})
    return Response(body, media_type=MEDIA_TYPE, headers=_headers(request, language))


def error_page(request: Request, problem: Problem, headers: Mapping[str, str]) -> Response:
    """A failure in the reader's language.

    Its menu names the programmes as other pages do. It needs no database: where one does not
    answer, or the failure may be its own, the menu is short.
    """
    values: dict[str, Any] = {"problem": problem}
    is_open = request.app.state.settings.read_policy == "open"  # a refused reader gets no menu
    if problem.status < _LEAST_SERVER_ERROR and is_open:
        language = request.app.state.pages.language_of(request)
        with suppress(LedgerError):
            values |= answers_of(request).read(lambda reading: _menu(reading, language))
    response = plain_page(request, "error.html", values)
    response.status_code = problem.status
    response.headers.update(headers)
    return response


def _shared(request: Request, pages: Pages, language: Language) -> dict[str, Any]:
    kept = [
        item for item in request.query_params.multi_items() if item[0] not in {PARAMETER, "cursor"}
    ]

    path = "/" + request.url.path.lstrip("/")  # two slashes would lead to another server

    def here(**changed: object) -> str:
        """This page with other values in its query; an empty one leaves the parameter out."""
        query = {**dict(kept), **changed}
        text = urlencode({name: value for name, value in query.items() if value not in ("", None)})
        return f"{path}?{text}" if text else path

    return {
        "language": language,
        "languages": languages(),
        "here": here,
        "path": path,
        "asset": pages.asset,
        "version": __version__,
        "reading": None,
        "followed": {},
        "programmes": (),
        "named": {},
        "menu": menu_of(language),
        "made_up": False,
    }


def _about(reading: Reading, language: Language) -> dict[str, Any]:
    return {
        "reading": reading,
        **_menu(reading, language),
        "made_up": holds_made_up(reading.connection),
        "told": position_after(reading.state, int(reading.now * 1000)).id,
    }


def _menu(reading: Reading, language: Language) -> dict[str, Any]:
    programmes = read_programmes(reading.connection, reading.moment)
    named = programme_names(language, programmes)
    return {
        "programmes": programmes,
        "named": named,
        "menu": menu_of(language, programmes, named),
    }


def _headers(request: Request, language: Language) -> dict[str, str]:
    headers = {"Content-Language": language.tag, "Vary": _VARY}
    if request.query_params.get(PARAMETER) == language.tag:
        headers["Set-Cookie"] = (
            f"{COOKIE}={language.tag}; Path=/; Max-Age={_YEAR}; SameSite=Lax; HttpOnly"
        )
    return headers


def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        extensions=["jinja2.ext.i18n"],
    )
    environment.policies["ext.i18n.trimmed"] = True
    environment.install_gettext_translations(  # type: ignore[attr-defined]  # the extension's own
        language.translations, newstyle=True
    )
    environment.globals.update(
        name_in=name_in, organisation_name=organisation_name, label_in=label_in
    )
    environment.filters.update(
        number=language.number,
        signed=language.signed,
        date=language.date,
        time=language.time,
        rfc3339=show_time,
        capitalised=capitalised,
        hex=show_bytes,
        address=show_address_once,
    )
    return environment


def _read_asset(name: str) -> Asset:
    content = (STATIC / name).read_bytes()
    stem, _, suffix = name.rpartition(".")
    served_as = f"{stem}.{hashlib.sha256(content).hexdigest()[:12]}.{suffix}"
    return Asset(served_as, content, _MEDIA_TYPES[name])
