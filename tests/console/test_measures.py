"""Every public page, in both languages and both widths: who reads by ear or by key reads it too, it
is light, and it stands still."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from ledger.office.sessions import begin_session
from ledger.store.engine import open_engine, writing
from tests.console.measuring import MOST_BYTES, measure, serious_findings
from tests.http.conftest import NOW, Ledger
from tests.http.facts import SUSPENDED, account_of


@pytest.fixture(scope="module")
def tab(browser: Browser, site: str) -> Iterator[Callable[[str, int], Page]]:
    """The one window of these tests, as wide and in the language that is asked for."""
    context = browser.new_context()
    page = context.new_page()

    def open_as(language: str, width: int) -> Page:
        page.set_viewport_size({"width": width, "height": 900})
        page.goto(f"{site}/proof?lang={language}")  # which keeps it
        return page

    yield open_as
    context.close()


def public_paths(seeded: Ledger) -> list[str]:
    """A page of each kind."""
    return [
        "/",
        "/?q=nothing",
        "/organisations/4",
        f"/organisations/{seeded.seeded.org_ids[SUSPENDED]}",
        "/programmes/community",
        "/rankings?programme=community",
        "/benefits",
        "/benefits?programme=alliance",
        "/benefits/1",
        "/shares",
        "/shares/1",
        "/proposals",
        "/proposals/1",
        "/entries/10",
        f"/evidence/0x{seeded.seeded.evidence[0].hex()}",
        "/proof",
        "/me",
        "/docs",
        "/nothing",
    ]


@pytest.mark.parametrize("width", [390, 1280])
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_pages__are_accessible_light_and_stand_still(
    tab: Callable[[str, int], Page], site: str, seeded: Ledger, language: str, width: int
) -> None:
    page = tab(language, width)
    bytes_of: dict[str, int] = {}
    figures: dict[str, Any] = {}
    for path in public_paths(seeded):
        page.goto(site + path)
        for summary in page.locator("main details:not(.operation) > summary").all():
            summary.click()
        found = measure(page)
        bytes_of |= found["resources"]
        figures[path] = {**found, "resources": sum(found["resources"].values())}

        if path != "/docs" or (language, width) == ("en", 1280):  # which is long, and one text
            assert serious_findings(page) == [], path
        assert found["width"] <= width, path
        assert found["shift"] < 0.01, path
        assert 0 < sum(found["resources"].values()) < MOST_BYTES, path
    # All scripts and styles there are weigh less than that, however one walks.
    assert sum(bytes_of.values()) < MOST_BYTES
    _keep(language, width, figures)


def own_paths() -> dict[str, list[str]]:
    """By whose they are: a page of each kind that is made for one reader."""
    membership = "/desk/memberships/community/4"
    return {
        "4": ["/me", "/me/benefits/1", "/me/shares/1", "/me/profile", "/me/control"],
        "council": [
            "/me",
            "/desk",
            "/desk/applications",
            "/desk/awards",
            "/desk/reversals?entry=10",
            membership,
            f"{membership}?act=suspensions",
            "/desk/proposals",
            "/desk/proposals/1",
            "/desk/officers",
            "/desk/budgets",
            "/desk/budgets?act=category-budgets",
            "/desk/guide",
            "/desk/guide/budget",
            "/audit",
        ],
    }


@pytest.mark.parametrize(("language", "width"), [("zh-CN", 390), ("en", 1280)])
def test_own_pages__are_accessible_and_an_officers_menu_has_the_desk(
    tab: Callable[[str, int], Page], site: str, seeded: Ledger, language: str, width: int
) -> None:
    page = tab(language, width)
    engine = open_engine(seeded.settings.database)
    for whose, paths in own_paths().items():
        account = account_of(int(whose) if whose.isdigit() else whose)
        with writing(engine) as connection:
            session = begin_session(connection, account, now=NOW)
        page.context.add_cookies(
            [{"name": "moonlake_session", "value": session.token, "url": site}]
        )
        for path in paths:
            answer = page.goto(site + path)
            assert answer is not None
            assert answer.status == 200, path
            assert serious_findings(page) == [], path
            assert page.evaluate("document.documentElement.scrollWidth") <= width, path
            assert page.locator("#menu a[href='/desk']").count() == (whose == "council"), path
        page.goto(f"{site}/benefits")  # the same for everybody, whoever is signed in
        assert page.locator("#menu a[href='/desk']").count() == 0
    engine.dispose()
    page.context.clear_cookies(name="moonlake_session")


def test_menu__on_a_phone__opens_without_a_script_and_is_accessible(
    browser: Browser, tab: Callable[[str, int], Page], site: str
) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site}/?lang=en")
    menu = page.get_by_role("navigation", name="Main")
    assert menu.count() == 0
    page.get_by_role("button", name="Menu").click()
    menu.get_by_role("link", name="Benefits").click()
    expect(page).to_have_url(f"{site}/benefits")
    context.close()

    page = tab("en", 390)
    page.get_by_role("button", name="Menu").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert serious_findings(page) == []


def _keep(language: str, width: int, figures: dict[str, Any]) -> None:
    """Write the figures down where somebody asks for them; no test looks at times."""
    folder = os.environ.get("MOONLAKE_CONSOLE_FIGURES")
    if folder:
        path = Path(folder) / f"{language}-{width}.json"
        path.write_text(json.dumps(figures, indent=1), "utf-8")
