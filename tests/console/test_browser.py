"""What people do with the console, in a real browser, on a desk and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.http.conftest import Ledger
from tests.http.facts import STRANGER, SUSPENDED

Visit = Callable[..., Page]

CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8")


CUT_OFF = """[...document.querySelectorAll("select")].filter(select => {
  const alone = select.cloneNode(false);
  alone.append(select.selectedOptions[0].cloneNode(true), new Option(select.options[0].text));
  Object.assign(alone.style, {position: "absolute", width: "max-content"});
  select.parentElement.append(alone);
  const needed = alone.getBoundingClientRect().width;
  alone.remove();
  return needed > select.getBoundingClientRect().width + 0.5;
}).map(select => select.name + ": " + select.selectedOptions[0].text)"""
"""Those whose chosen value, or the one for all, is wider than they are."""


def paths_of(seeded: Ledger) -> list[str]:
    """A page of each kind."""
    suspended = seeded.seeded.org_ids[SUSPENDED]
    return [
        "/",
        "/?q=nothing",
        "/organisations/4",
        f"/organisations/{suspended}",
        "/organisations/45",
        "/programmes/community",
        "/benefits/1",
        "/shares/1",
        "/proposals/1",
        "/entries/10",
        f"/evidence/0x{seeded.seeded.evidence[0].hex()}",
        "/proof",
        "/audit",
        "/me",
        "/docs",
    ]


def test_member__finds_itself_by_its_chinese_name_and_reads_its_statement(visit: Visit) -> None:
    page = visit("/")
    page.get_by_role("searchbox").fill("银河")
    page.get_by_role("button", name="查询").click()

    expect(page.get_by_role("status")).to_have_text("共 1 家组织")
    page.get_by_role("link", name="银河航天").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("银河航天")

    statement = page.get_by_role("table", name=re.compile("积分明细"))
    expect(statement.get_by_role("row")).to_have_count(4)
    last = statement.get_by_role("row").nth(1)
    expect(last).to_contain_text("卫星研制")
    expect(last).to_contain_text("演示数据")
    expect(last).to_contain_text("第 112 块")


def test_reader__changes_the_language_and_stays_where_he_is(visit: Visit) -> None:
    page = visit("/organisations/4?category=factory.capacity")
    page.get_by_role("link", name="English").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("GalaxySpace")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    assert "category=factory.capacity" in page.url
    page.get_by_role("link", name="Register", exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Public register")
    assert "lang=" not in page.url


def test_reader__follows_a_line_to_its_evidence_and_the_document(
    visit: Visit, seeded: Ledger
) -> None:
    page = visit("/entries/10", language="en-GB")
    page.locator("dl").get_by_role("link", name=re.compile("Delivery note")).click()

    expect(page.get_by_text("This document was made up")).to_be_visible()
    page.get_by_role("link", name="Open the document").click()
    expect(page.locator("body")).to_contain_text("演示资料，内容虚构")


def test_reader__filters_a_ranking_by_epoch(visit: Visit) -> None:
    page = visit("/programmes/community", language="en-GB")
    table = page.get_by_role("table", name=re.compile("by their credits"))
    before = table.get_by_role("row").count()
    page.locator("select[name=epoch]").select_option("1")
    page.get_by_role("button", name="Show").click()

    expect(page.locator("select[name=epoch]")).to_have_value("1")
    assert 1 < table.get_by_role("row").count() < before


@pytest.mark.parametrize("javascript", [True, False])
def test_console__without_scripts__is_the_same(visit: Visit, javascript: bool) -> None:
    page = visit("/", language="en-GB", javascript=javascript)
    page.locator("select[name=programme]").select_option("fund-group")
    page.get_by_role("button", name="Search").click()
    expect(page.get_by_role("status")).to_have_text("10 organisations")
    page.get_by_role("link", name="中文").click()
    expect(page.get_by_role("status")).to_have_text("共 10 家组织")


def test_keyboard__first_reaches_the_link_to_the_content(visit: Visit) -> None:
    page = visit("/", language="en-GB")
    page.keyboard.press("Tab")

    focused = page.locator(":focus")
    expect(focused).to_have_text("Skip to the content")
    expect(focused).to_be_in_viewport()
    page.keyboard.press("Enter")
    assert page.url.endswith("#content")


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("width", [320, 768])  # 390: test_measures
def test_pages__on_a_narrow_screen__need_no_sideways_scrolling(
    visit: Visit, seeded: Ledger, width: int, language: str
) -> None:
    page = visit("/", width=width, language=language)
    base = page.url.rstrip("/")
    for path in paths_of(seeded):
        page.goto(base + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("width", [390, 1280])
def test_pages__of_people_whose_words_never_end__stay_as_wide_as_the_screen(
    visit: Visit, wordy: tuple[Ledger, str], width: int, language: str
) -> None:
    ledger, address = wordy
    page = visit("/", width=width, language=language, address=address)
    for path in paths_of(ledger):
        page.goto(address + path)
        if path not in {
            "/proof",
            "/audit",
            "/me",
            "/docs",
            "/proposals/1",
        }:  # which hold nothing that people wrote
            assert "n" * 200 in page.content(), path
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_choices__that_stand_in_a_form__are_not_cut_off(
    visit: Visit, width: int, language: str
) -> None:
    page = visit("/", width=width, language=language)
    base = page.url.rstrip("/")
    for path in ("/", "/organisations/4", "/programmes/community?epoch=2"):
        page.goto(base + path)
        assert page.evaluate(CUT_OFF) == [], path


def test_docs__opened_on_a_phone__need_no_sideways_scrolling(visit: Visit) -> None:
    page = visit("/docs", width=390)
    for summary in page.locator("summary").all():
        summary.click()

    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    expect(page.get_by_text('"block_number"').first).to_be_visible()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_words__stand_out_from_what_is_behind_them(
    visit: Visit, seeded: Ledger, scheme: str
) -> None:
    page = visit("/", scheme=scheme, language="en-GB")
    base = page.url.rstrip("/")
    for path in paths_of(seeded):
        page.goto(base + path)
        assert page.evaluate(CONTRAST) == [], path


def test_reason__of_a_change__is_named_or_shown_as_a_key(visit: Visit, seeded: Ledger) -> None:
    card = visit(f"/organisations/{seeded.seeded.org_ids[SUSPENDED]}").locator(".card__change")
    expect(card.filter(has_text="逾期未提交报告")).to_have_count(1)
    expect(card.locator("code", has_text="report.overdue")).to_have_count(0)


def test_reason__without_a_name__is_shown_as_the_key_that_it_is(visit: Visit) -> None:
    card = visit(f"/organisations/{STRANGER}").locator(".card__change")

    expect(card.locator("code.key")).to_have_text("left")


def test_heading__of_the_reference__stands_off_from_what_follows(visit: Visit) -> None:
    page = visit("/docs")
    heading = page.locator("h1").bounding_box()
    lead = page.locator(".head__lead").bounding_box()

    assert heading is not None
    assert lead is not None
    assert lead["y"] - (heading["y"] + heading["height"]) >= 8


def test_page__that_is_not_there__leads_back(visit: Visit) -> None:
    page = visit("/organisations/999", expected=404)
    expect(page.get_by_role("navigation").get_by_role("link")).to_have_count(12)
    page.get_by_role("link", name="回到名册").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("公共名册")
