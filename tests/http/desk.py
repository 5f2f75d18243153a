"""A browser without scripts, as far as the officers' desk needs one: it fills in forms."""

from __future__ import annotations

from html.parser import HTMLParser

import httpx

from ledger.chain.signers import LocalSigner
from tests.http.working import Working


class Shown(HTMLParser):
    """The fields of a page's forms that send something, as a browser would send them."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.text = text
        self.forms: list[dict[str, str]] = []
        self._select = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append({"": given.get("action", "")})
        elif not self.forms:
            return
        elif tag == "input" and given.get("name"):
            is_off = given.get("type") in ("radio", "checkbox") and "checked" not in given
            if not is_off:
                self.forms[-1][given["name"]] = given.get("value", "")
        elif tag == "select":
            self._select = given["name"]
        elif tag == "option" and self._select:
            value = given.get("value", "")
            self.forms[-1].setdefault(self._select, value)
            self.forms[-1] |= {self._select: value} if "selected" in given else {}

    def handle_endtag(self, tag: str) -> None:
        if tag == "select":
            self._select = ""

    def form(self, number: int = -1) -> dict[str, str]:
        """The fields of a form."""
        return {name: value for name, value in self.forms[number].items() if name}


def officer_at(at_work: Working, signer: LocalSigner, *, language: str = "en") -> httpx.Client:
    """Somebody's browser: the session's cookie, and no header that a program would send."""
    client = at_work.client(signer)
    del client.headers["X-CSRF-Token"]
    client.headers["Accept"] = "text/html"
    client.headers["Accept-Language"] = language
    return client


def opened(client: httpx.Client, path: str) -> Shown:
    """A page."""
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return Shown(answer.text)


def sent(client: httpx.Client, path: str, fields: dict[str, str]) -> httpx.Response:
    """What a form that is sent is answered with."""
    return client.post(path, data=fields)


def previewed(client: httpx.Client, path: str, **fields: str) -> Shown:
    """The preview of the page's last form, filled in."""
    page = opened(client, path)
    answer = sent(client, path.partition("?")[0], {**page.form(), **fields, "step": "preview"})
    assert answer.status_code == 200, answer.text
    return Shown(answer.text)


def done(at_work: Working, client: httpx.Client, path: str, **fields: str) -> str:
    """Fill in a form, look at the preview, send it; the page of its operation once it is done."""
    shown = previewed(client, path, **fields)
    answer = sent(client, path.partition("?")[0], {**shown.form(), "step": "send"})
    assert answer.status_code == 303, answer.text
    place = answer.headers["location"]
    at_work.wait_for(client, place.replace("/desk/", "/v1/"))
    at_work.look()
    return opened(client, place).text
