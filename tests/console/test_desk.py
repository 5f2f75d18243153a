"""An officer's whole work at the desk, in a real browser, in both languages and widths."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from ledger.chain.addresses import show_address
from ledger.chain.contracts import authority
from ledger.chain.signers import LocalSigner
from ledger.domain.ids import ALLIANCE_WIDE
from tests.console.measuring import serious_findings
from tests.console.opened import Opened, opened_site
from tests.console.test_member import CHAIN, WALLET, sign_for
from tests.console.test_sign_in import at, install, of
from tests.http.test_office import apply, post, recommended
from tests.http.wallets import wallet
from tests.support.anvil import Anvil
from tests.support.ledger import CATEGORY, MEMBER, PROGRAMME

CONTRAST = (Path(__file__).parent / "contrast.js").read_text("utf-8")
CHECKER = wallet("checker of the desk")
ENGLISH = {
    "desk": "Desk",
    "look": "See what will happen",
    "send": "Yes, send it",
    "carried out": "It was carried out.",
    "done": "Done",
    "award": "Award credits",
    "organisation": "Organisation",
    "category": "Programme and category",
    "amount": "Credits",
    "reason_zh": "Reason, in Chinese",
    "reason_en": "Reason, in English",
    "statement": "Statement",
}
CHINESE = {
    "desk": "工作台",
    "look": "查看将要发生的变更",
    "send": "确认发送",
    "carried out": "已执行。",
    "done": "已完成",
    "award": "发放积分",
    "organisation": "组织",
    "category": "计划与类别",
    "amount": "积分",
    "reason_zh": "理由（中文）",
    "reason_en": "理由（英文）",
    "statement": "积分明细",
}


@pytest.fixture(scope="module")
def opened(
    anvil: Anvil, tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> Iterator[Opened]:
    folder: Path = tmp_path_factory.mktemp("desk")
    with opened_site(anvil, folder, browser, keys="officer,service,relayer") as site:
        ledger = site.at_work.ledger
        for role, programme, account in (
            ("registrar", ALLIANCE_WIDE, wallet("second of the desk").address),
            ("council", PROGRAMME, ledger.contracts.council.seat_of(PROGRAMME, at="latest")),
            ("councillor", PROGRAMME, ledger.officer.address),
            ("councillor", PROGRAMME, CHECKER.address),
            ("councillor", PROGRAMME, wallet("third of the desk").address),
        ):
            appoint = authority.encode_appoint(role, programme, account, ledger.operation())
            ledger.do(ledger.contracts.authority.address, appoint)
        site.at_work.look()
        yield site


def window_of(browser: Browser, width: int, language: str) -> BrowserContext:
    return browser.new_context(viewport={"width": width, "height": 900}, locale=language)


def check_page(page: Page) -> None:
    """Nothing stands out at the side, everybody can read it, and words have contrast enough."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), page.url
    assert serious_findings(page) == [], page.url
    assert page.evaluate(CONTRAST) == [], page.url


def go(page: Page, where: Locator) -> None:
    """To another page: a click may come back before the browser has left the old one."""
    with page.expect_navigation():
        where.click()


def confirmed_application(opened: Opened, name: str) -> str:
    """An application that two officers agree on."""
    at_work = opened.at_work
    officer = at_work.client(at_work.ledger.officer)
    second = at_work.client(wallet("second of the desk"))
    application_id, _, _ = apply(at_work, name)
    recommended(officer, [application_id])
    answer = post(second, "/v1/confirmations", {"applications": [application_id]})
    assert answer.status_code == 201, answer.text
    return application_id


def follow(opened: Opened, page: Page, text: str) -> None:
    """Wait on a page that follows something until it says so; the mirror goes along."""
    deadline = time.monotonic() + 60
    while page.locator("#followed").get_by_text(text).count() == 0:
        assert time.monotonic() < deadline, page.content()
        opened.at_work.look()
        page.wait_for_timeout(200)
    opened.at_work.look()


@pytest.mark.parametrize(
    ("width", "language", "words"), [(1280, "en-GB", ENGLISH), (390, "zh-CN", CHINESE)]
)
def test_officer__admits_awards_and_sees_it_on_the_statement(
    opened: Opened, browser: Browser, width: int, language: str, words: dict[str, str]
) -> None:
    officer: LocalSigner = opened.at_work.ledger.officer
    name = f"Rocket {width}"
    application_id = confirmed_application(opened, name)
    opened.at_work.look()
    window = window_of(browser, width, language)
    complaints: list[str] = []
    install(window, of(officer, "one", "Moon Wallet"), one=officer)
    page = at(opened, window)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda got: complaints.append(got.url) if got.status >= 400 else None)
    page.get_by_role("button", name="Moon Wallet").click()
    page.get_by_role("link", name=words["desk"], exact=True).first.click()
    expect(page.get_by_role("heading", level=1)).to_have_text(words["desk"])
    check_page(page)

    page.goto(f"{opened.address}/desk/applications/{application_id}")
    check_page(page)
    go(page, page.get_by_role("button", name=words["look"]))
    check_page(page)
    page.get_by_role("button", name=words["send"]).click()
    follow(opened, page, words["carried out"])
    go(page, page.locator("#followed").get_by_role("link", name=re.compile("[0-9]")).last)
    number = page.url.rpartition("/")[2]

    page.goto(f"{opened.address}/desk")
    page.get_by_role("link", name=words["award"]).click()
    page.get_by_label(words["organisation"]).fill(number)
    page.get_by_label(words["category"]).select_option("alliance/data.acquire")
    page.get_by_label(words["amount"]).fill("23")
    page.get_by_label(words["reason_zh"]).fill("提供了一批数据")
    page.get_by_label(words["reason_en"]).fill("Provided a batch of data")
    check_page(page)
    page.get_by_role("button", name=words["look"]).click()
    expect(page.locator(".told")).to_contain_text("23")
    check_page(page)
    page.get_by_role("button", name=words["send"]).dblclick()
    follow(opened, page, words["done"])
    check_page(page)
    page.goto(f"{opened.address}/organisations/{number}")

    rows = page.get_by_role("table", name=re.compile(words["statement"])).get_by_role("row")
    expect(rows).to_have_count(2)  # its head, and the one award
    expect(rows.nth(1)).to_contain_text("+23")
    said = "Provided a batch of data" if language == "en-GB" else "提供了一批数据"
    expect(rows.nth(1)).to_contain_text(said)
    assert complaints == []
    window.close()


def test_councillor__approves_a_proposal_with_his_own_wallet(
    opened: Opened, browser: Browser
) -> None:
    at_work = opened.at_work
    officer = at_work.client(at_work.ledger.officer)
    body = {
        "council": "alliance",
        "no_evidence": True,
        "calls": [
            {"command": "supply-caps", "body": {"programme": "alliance", "supply_cap": 77_777}}
        ],
    }
    made = officer.post("/v1/proposals", json=body, headers={"Idempotency-Key": "of-the-wallet"})
    assert made.status_code == 202, made.text
    at_work.wait_for(officer, made.headers["location"])
    at_work.look()
    chosen: dict[str, Any] = {}
    window = window_of(browser, 390, "en-GB")
    window.expose_function("signWithWallet", sign_for(CHECKER, chosen))
    values = {"account": "0x" + CHECKER.address.hex(), "chain": CHAIN, "refusals": {}}
    window.add_init_script(WALLET % json.dumps(values))
    page = at(opened, window)
    page.get_by_role("button", name="Star Wallet").click()
    expect(page.locator("#sign-in")).to_have_count(0)

    page.goto(f"{opened.address}/desk/proposals/1")
    check_page(page)
    page.get_by_role("button", name="Approve with my wallet").click()
    expect(page.locator(".says")).to_contain_text("proposal 1")
    check_page(page)
    assert "typed" not in chosen
    page.locator("#signing").get_by_role("button", name="Star Wallet").click()
    expect(page.locator("[data-step=included]")).to_have_attribute("aria-current", "step")
    at_work.look()

    assert chosen["typed"]["primaryType"] == "Approval"
    page.goto(f"{opened.address}/desk/proposals/1")
    expect(page.get_by_text("1 of 2 approvals")).to_be_visible()
    expect(page.get_by_role("button", name="Approve with my wallet")).to_have_count(0)
    window.close()


def test_officer__imports_a_table_on_a_phone__sees_it_first_and_follows_it(
    opened: Opened, browser: Browser, tmp_path: Path
) -> None:
    officer: LocalSigner = opened.at_work.ledger.officer
    table = tmp_path / "十二月.csv"
    rows = (f"2026-12-{each},{MEMBER},{each},{CATEGORY}" for each in ("1", "两", "3"))
    table.write_text("编号,机构,数额,类别\n" + "\n".join(rows), "gb18030")
    window = window_of(browser, 390, "zh-CN")
    complaints: list[str] = []
    install(window, of(officer, "one", "Moon Wallet"), one=officer)
    page = at(opened, window)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("response", lambda got: complaints.append(got.url) if got.status >= 400 else None)
    page.get_by_role("button", name="Moon Wallet").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("我的页面")

    page.goto(f"{opened.address}/desk/imports")
    check_page(page)
    page.get_by_role("link", name="积分发放", exact=True).click()
    page.get_by_label("表格（.csv 或 .xlsx）").set_input_files(table)
    page.get_by_label("未注明计划的行所属的计划").select_option("alliance")
    page.get_by_label("没有依据，且确系如此").check()
    check_page(page)
    page.get_by_role("button", name=CHINESE["look"]).click()
    expect(page.get_by_text("共 3 行，将发送 2 行。")).to_be_visible()
    expect(page.get_by_role("row").filter(has_text="两")).to_contain_text("必须是 1 以上的整数")
    check_page(page)
    page.get_by_label("略过有误的行（1）").check()
    page.get_by_role("button", name=CHINESE["send"]).click()
    follow(opened, page, "已结束。")
    expect(page.get_by_text("共 3 行，已完成 2 行。")).to_be_visible()
    page.reload()
    check_page(page)
    with page.expect_download() as found:
        page.get_by_role("link", name="下载每一行的结果").click()
    told = found.value.path().read_text("utf-8-sig").splitlines()

    assert [line.split(",")[2] for line in told] == ["state", "included", "wrong", "included"]
    assert complaints == []
    window.close()


def test_administrator__appoints_an_officer_gives_a_budget_and_dismisses_again(
    opened: Opened, browser: Browser
) -> None:
    officer: LocalSigner = opened.at_work.ledger.officer
    new = show_address(wallet("new issuer of the desk").address)
    window = window_of(browser, 390, "zh-CN")
    install(window, of(officer, "one", "Moon Wallet"), one=officer)
    page = at(opened, window)
    page.get_by_role("button", name="Moon Wallet").click()
    page.get_by_role("link", name="工作台", exact=True).first.click()
    page.get_by_role("link", name="工作人员", exact=True).click()
    page.get_by_label("账户").fill(new)
    page.get_by_label("职务", exact=True).select_option("issuer")
    page.get_by_label("范围").select_option("alliance")
    check_page(page)
    page.get_by_role("button", name=CHINESE["look"]).click()
    expect(page.locator(".told")).to_have_text(f"任命{new}为计划1（alliance）的发放员。")
    check_page(page)
    page.get_by_role("button", name=CHINESE["send"]).click()
    follow(opened, page, CHINESE["done"])

    page.goto(f"{opened.address}/desk/budgets?act=category-budgets&lang=en")
    page.get_by_label("Issuer").fill(new)
    page.get_by_label(ENGLISH["category"]).select_option("alliance/data.acquire")
    page.get_by_label("At most in an epoch").fill("40")
    page.get_by_role("button", name=ENGLISH["look"]).click()
    expect(page.locator(".told")).to_contain_text("to 40 credits in each epoch in the category")
    page.get_by_role("button", name=ENGLISH["send"]).click()
    follow(opened, page, ENGLISH["done"])

    page.set_viewport_size({"width": 1280, "height": 900})
    page.goto(f"{opened.address}/desk/officers")
    check_page(page)
    page.get_by_role("row", name=new).get_by_role("link", name="Dismiss").click()
    expect(page.get_by_label("Account", exact=True)).to_have_value(new)
    page.get_by_role("button", name=ENGLISH["look"]).click()
    expect(page.locator(".told")).to_contain_text(f"Dismisses {new} as issuer")
    page.get_by_role("button", name=ENGLISH["send"]).click()
    follow(opened, page, ENGLISH["done"])
    page.goto(f"{opened.address}/desk/officers")
    expect(page.get_by_role("row", name=new)).to_have_count(0)
    window.close()
