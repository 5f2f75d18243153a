"""An open page tells its reader what is new, and when it can no longer be trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from tests.console.opened import Opened, opened_site
from tests.support.anvil import Anvil
from tests.support.ledger import MEMBER

NEWS = "Something was recorded since this page was made."


@pytest.fixture
def opened(fresh_anvil: Anvil, tmp_path: Path, browser: Browser) -> Iterator[Opened]:
    with opened_site(fresh_anvil, tmp_path, browser) as site:
        yield site


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
