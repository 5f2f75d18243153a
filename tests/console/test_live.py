"""An open page tells its reader what is new, and when it can no longer be trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Route, expect

from ledger.chain.contracts.credits import encode_award
from ledger.domain.commands import Award
from tests.http.working import Working, working
from tests.support.anvil import Anvil
from tests.support.ledger import CATEGORY, MEMBER, PROGRAMME, running_ledger

NEWS = "Something was recorded since this page was made."


@dataclass
class Opened:
    """A server over a chain, and its pages in a browser."""

    at_work: Working
    context: BrowserContext
    address: str

    def page(self, path: str) -> Page:
        found = self.context.new_page()
        found.goto(self.address + path)
        return found

    def award(self, amount: int) -> None:
        ledger = self.at_work.ledger
        calldata = encode_award(PROGRAMME, [Award(MEMBER, amount, CATEGORY)], ledger.operation())
        ledger.do(ledger.contracts.credits.address, calldata)
        self.at_work.look()


@pytest.fixture
def opened(fresh_anvil: Anvil, tmp_path: Path, browser: Browser) -> Iterator[Opened]:
    url = f"sqlite:///{tmp_path / 'ledger.sqlite3'}"
    with (
        running_ledger(fresh_anvil, tmp_path) as ledger,
        working(ledger, tmp_path, url, keys="") as at_work,
    ):
        context = browser.new_context(locale="en-GB")
        yield Opened(at_work, context, str(at_work.client().base_url).rstrip("/"))
        context.close()


def fulfil(status: int) -> Callable[[Route], None]:
    return lambda route: route.fulfill(status=status)


def test_page__of_whom_something_is_recorded__says_so_and_others_do_not(opened: Opened) -> None:
    of_member, of_all, of_another = (
        opened.page(path) for path in (f"/organisations/{MEMBER}", "/", "/organisations/2")
    )
    with of_another.expect_response("**/v1/stream**"):
        of_another.reload()

    opened.award(7)

    for page in (of_member, of_all):
        expect(page.get_by_text(NEWS)).to_be_visible()
    expect(of_another.get_by_text(NEWS)).to_be_hidden()
    of_member.get_by_role("link", name="Show it").click()
    expect(of_member.get_by_text(NEWS)).to_be_hidden()
    expect(of_member.get_by_role("cell", name="+7")).to_be_visible()


def test_page__that_was_made_before__is_told_what_came_since(opened: Opened) -> None:
    held: list[Route] = []
    opened.context.route("**/v1/stream**", lambda route: held.append(route))  # noqa: PLW0108  a builtin is no handler for it
    page = opened.page("/")
    opened.award(8)

    opened.context.unroute("**/v1/stream**")
    for route in held:
        route.continue_()

    expect(page.get_by_text(NEWS)).to_be_visible()


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (fulfil(503), "The mirror does not follow the chain now"),
        (lambda route: route.abort(), "The server does not answer."),
    ],
)
def test_page__whose_server_is_in_trouble__says_so(
    opened: Opened, answer: Callable[[Route], None], said: str
) -> None:
    opened.context.route("**/readyz", answer)

    page = opened.page("/")

    expect(page.get_by_text(said)).to_be_visible()
    opened.context.unroute("**/readyz")
    page.reload()
    expect(page.get_by_text(said)).to_be_hidden()


def test_page__that_is_not_seen__holds_no_stream(opened: Opened) -> None:
    page = opened.page("/")
    unseen = "Object.defineProperty(document, 'visibilityState', {value: 'hidden'});"
    with page.expect_event("requestfailed", lambda request: "/v1/stream" in request.url):
        page.evaluate(unseen + "document.dispatchEvent(new Event('visibilitychange'))")
