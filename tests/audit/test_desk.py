"""The auditor's desk, and certificates that a reader's own browser checks."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, expect

from ledger.audit.anchors import describe_anchor
from ledger.audit.findings import Finding
from ledger.audit.folder import ANCHOR, BUNDLE, REPORT, AuditFolder, AuditState
from ledger.audit.report import render_report
from ledger.audit.verify import Verdict, verify_bundle
from ledger.mirror.queries.moments import latest_moment
from ledger.mirror.queries.offices import list_terms
from ledger.mirror.state import read_state
from ledger.processes import identify_process
from ledger.store.engine import open_engine, reading
from tests.audit.conftest import POLICY, RULES, Audited, Compiled, Served, served_ledger
from tests.audit.open_door import nodes_behind_an_open_door
from tests.console.measuring import serious_findings
from tests.support.anvil import running_anvil
from tests.support.ports import free_port

BEGUN, ENDED = 1_800_000_000.0, 1_800_000_100.0
POISON = "<script>alert('moon')</script>\u202e"

Tab = Callable[..., Page]


@pytest.fixture(scope="module")
def served(audited: Audited, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with served_ledger(audited, tmp_path_factory.mktemp("desk")) as found:
        yield found


@pytest.fixture(scope="module")
def verdict(audited: Audited) -> Verdict:
    """What an auditor finds who was given everything."""
    return verify_bundle(
        audited.bundle, audited.anchor, compiling=Compiled, policy=POLICY, rules=RULES
    )


@pytest.fixture
def folder(served: Served, audited: Audited, verdict: Verdict) -> AuditFolder:
    """The folder of the server's audits after one that ended well."""
    found = served.folder
    found.path.mkdir(exist_ok=True)
    for name in ("state.json", "done.json"):
        (found.path / name).unlink(missing_ok=True)
    found.put(BUNDLE, audited.bundle.read_bytes())
    found.put(ANCHOR, audited.anchor_file.read_bytes())
    found.put(REPORT, render_report(verdict).encode())
    found.write(done(audited, verdict.to_json()))
    return found


@pytest.fixture(scope="module")
def tabs(served: Served, browser: Browser) -> Iterator[Tab]:
    """Opens a tab of a reader, or of the officer; whatever it complains about fails the test."""
    address = str(served.client.base_url).rstrip("/")
    complaints: list[str] = []
    contexts = []

    def hear(told: ConsoleMessage) -> None:
        if told.type == "error":
            complaints.append(told.text)

    def opened(path: str, *, officer: bool = False, fails: bool = False, **how: Any) -> Page:
        context = browser.new_context(**{"locale": "en-GB", **how})
        contexts.append(context)
        if officer:
            name, _, value = served.officer["Cookie"].partition("=")
            context.add_cookies([{"name": name, "value": value, "url": address}])
        page = context.new_page()
        if not fails:  # where what it asks is to fail, of which browsers complain by themselves
            page.on("console", hear)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address + path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def done(audited: Audited, verdict: dict[str, Any]) -> AuditState:
    return AuditState("done", BEGUN, ENDED, verdict=verdict, anchor=describe_anchor(audited.anchor))


def desk(served: Served, language: str = "en", **headers: str) -> str:
    answer = served.client.get("/audit", headers={"Accept-Language": language, **headers})
    assert answer.status_code == 200, answer.text
    assert answer.headers["cache-control"] == "no-store"
    return answer.text


@pytest.mark.parametrize(
    ("language", "word", "check"),
    [
        ("en", "Complete and correct", "Lines of the journals, without a gap"),
        ("zh-CN", "完整且正确", "连续无缺的日志簿行"),
    ],
)
def test_desk__after_an_audit__tells_the_verdict_its_checks_and_how_to_do_without_us(
    served: Served, folder: AuditFolder, audited: Audited, language: str, word: str, check: str
) -> None:
    text = desk(served, language)

    assert folder.bundle.is_file()
    assert word in text
    assert check in text
    assert audited.anchor.block_hash in text
    for command in ("anchor write", "export ledger.tar", "verify ledger.tar", "compare ledger.tar"):
        assert f"moonlake audit {command}" in text


def test_desk__of_a_wrong_history__has_each_finding_as_a_sentence_and_nothing_as_markup(
    served: Served, folder: AuditFolder, audited: Audited, verdict: Verdict
) -> None:
    findings = [
        Finding("bundle.unreadable", POISON, {"problem": POISON}, 7, 3),
        Finding("history.sequence", "Credits 17", {"found": 18, "right": 17}, 12, 1),
    ]
    wrong = {
        **verdict.to_json(),
        "verdict": "wrong",
        "exit_code": 1,
        "findings_total": 5,
        "findings": [each.to_json() for each in findings],
    }
    folder.write(done(audited, wrong))

    text = desk(served)

    assert '<p class="verdict__word">Wrong</p>' in text
    assert "Credits 17, block 12, log 1: Line 18 of the journal stands where line 17 should" in text
    assert "and 3 more" in text
    assert POISON not in text
    assert "<script>alert" not in text
    assert "\u202e" not in text


def test_desk__while_an_audit_runs__shows_how_far_it_is_and_the_verdict_before(
    served: Served, folder: AuditFolder
) -> None:
    mine = identify_process(os.getpid())
    running = AuditState("running", BEGUN, process=(mine.pid, mine.started))
    folder.write(msgspec.structs.replace(running, step="verify", done=30, total=144))

    text = desk(served, **served.officer)

    assert '<progress aria-label="Blocks" max="144" value="30">' in text
    assert "30 / 144" in text
    assert "Complete and correct" in text
    assert 'id="begin-audit"' not in text


def test_desk__after_an_audit_that_failed__says_so_beside_the_verdict_before(
    served: Served, folder: AuditFolder
) -> None:
    folder.write(AuditState("failed", BEGUN, ENDED, problem=POISON))

    text = desk(served)

    assert "did not come to its end" in text
    assert "<script>alert" not in text
    assert "Complete and correct" in text


def test_desk__of_whom_may_begin_an_audit__offers_it_to_officers_alone(
    served: Served, folder: AuditFolder
) -> None:
    assert folder.last() is not None
    assert 'id="begin-audit"' in desk(served, **served.officer)
    assert 'id="begin-audit"' not in desk(served)


def test_files__of_the_last_audit__are_kept_and_not_opened_here(
    served: Served, folder: AuditFolder, audited: Audited
) -> None:
    anchor = served.client.get("/audit/anchor.json")
    report = served.client.get("/audit/report.html")

    assert anchor.content == audited.anchor_file.read_bytes()
    assert report.content == folder.report.read_bytes()
    for answer in (anchor, report):
        assert answer.headers["content-disposition"].startswith("attachment")
    for name in ("state.json", "audit.log", "lock", "..%2fmoonlake.sqlite3", "bundle.tar"):
        assert served.client.get(f"/audit/{name}").status_code == 404


def test_terms__of_the_mirror__are_those_that_the_verifier_replays(
    served: Served, verdict: Verdict
) -> None:
    engine = open_engine(f"sqlite:///{served.folder.path.parent / 'moonlake.sqlite3'}")
    with reading(engine) as connection:
        terms = list_terms(connection, latest_moment(read_state(connection)), limit=1000)
    engine.dispose()

    found = {
        (each.begun.block, each.begun.time, each.role, each.programme_id, each.account, True)
        for each in terms
    } | {
        (each.ended.block, each.ended.time, each.role, each.programme_id, each.account, False)
        for each in terms
        if each.ended is not None
    }
    assert found == {each[:6] for each in verdict.roles}
    assert any(each.ended is not None for each in terms)
    assert [each.begun.block for each in terms] == sorted(
        (each.begun.block for each in terms), reverse=True
    )


def test_certificate__of_a_page__is_checked_in_the_browser_and_by_the_readers_own_hash(
    tabs: Tab, audited: Audited
) -> None:
    page = tabs(f"/organisations/{audited.org_id}")
    part = page.locator("#check")
    check = part.get_by_role("button", name="Check it in my browser")

    check.click()
    expect(part.get_by_text("Correct, by the hash that this site names")).to_be_visible()
    expect(part.get_by_role("listitem").first).to_have_text(re.compile(r": -?[\d,]+$"))
    part.get_by_role("textbox").fill(audited.anchor.block_hash.upper().replace("X", "x"))
    check.click()
    expect(part.get_by_text("Correct, by the hash that you gave")).to_be_visible()
    part.get_by_role("textbox").fill("0x" + "11" * 32)
    check.click()
    expect(part.get_by_text("Wrong. It does not prove what it says")).to_be_visible()
    expect(part.get_by_role("list")).to_be_hidden()


def test_certificate__that_somebody_gave__is_checked_in_the_browser_alone(
    tabs: Tab, served: Served, audited: Audited, tmp_path: Path
) -> None:
    page = tabs("/audit")
    part, asked = page.locator("#check"), list[str]()
    false = audited.certificate.replace(b'"tier":1', b'"tier":3', 1)
    other = json.loads(audited.certificate) | {"org_id": 8}
    right, wrong, odd = (tmp_path / name for name in ("right.json", "wrong.json", "odd.json"))
    for path, content in ((right, audited.certificate), (wrong, false), (odd, b"{}")):
        path.write_bytes(content)
    another = tmp_path / "other.json"
    another.write_text(json.dumps(other, sort_keys=True, separators=(",", ":")) + "\n")
    part.get_by_label("The hash of its block").fill(audited.anchor.block_hash)
    page.on("request", lambda request: asked.append(request.url))

    for path, answer in (
        (right, "Correct, by the hash that you gave"),
        (wrong, "another standing is proved"),
        (another, "a node is not the one that is named"),
        (odd, "it is no certificate"),
        (right, "Correct, by the hash that you gave"),
    ):
        part.locator("input[type=file]").set_input_files(path)
        part.get_by_role("button", name="Check it in my browser").click()
        expect(part.get_by_text(answer)).to_be_visible()
    assert [url for url in asked if ".mjs" not in url and "/readyz" not in url] == []


def compare_with(page: Page, address: str, told: str) -> None:
    """Compare with the node at an address; the page's one sentence is the one expected."""
    part = page.locator("#compare")
    part.get_by_label("The node's address").fill(address)
    part.get_by_role("button", name="Compare in my browser").click()
    said = part.get_by_role("status").locator("> :visible")
    expect(said).to_contain_text(told, timeout=20_000)
    expect(said).to_have_count(1)


def test_comparison__with_the_ledgers_own_node__finds_every_line_the_same(
    tabs: Tab, served: Served, folder: AuditFolder, audited: Audited
) -> None:
    early = audited.ledger.anvil.rpc.call("eth_getBlockByNumber", hex(100), False)["hash"]
    verdict = {**folder.read().verdict, "last_block": 100, "last_hash": early}  # type: ignore[dict-item]
    folder.write(done(audited, verdict))
    page, asked = tabs("/audit"), list[str]()
    results = page.locator("#compare [data-result]")
    page.on("request", lambda each: asked.append(each.url) if each.resource_type == "fetch" else 0)
    with nodes_behind_an_open_door(audited.ledger.anvil.url) as door:
        compare_with(page, f" {door}/0 ", "The same. What this site says")
        expect(results).to_have_text(["the same"] * (5 + len(audited.ledger.deployment.contracts)))
        answers = page.locator("#compare [data-node]").all_inner_texts()
        assert {early, audited.anchor.block_hash} < set(answers)

    assert len(asked) == len(answers)
    assert set(asked) == {f"{door}/0"}  # and so this site was told nothing
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        for width in (390, 1280):
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            assert serious_findings(page) == []


def test_comparison__with_a_node_of_another_chain__is_told_plainly(
    tabs: Tab, folder: AuditFolder, audited: Audited, tmp_path: Path
) -> None:
    page = tabs("/audit")
    lines = page.locator("#compare tbody tr")
    with (
        running_anvil(tmp_path, "--timestamp", "1700000000", accounts=0) as other,
        nodes_behind_an_open_door(other.url) as door,
    ):
        compare_with(page, f"{door}/0", "Different. This site and that node do not have the same")
        expect(lines.filter(has_text="Hash of block 0")).to_contain_text("different")
        expect(lines.filter(has_text="The last block")).to_contain_text("blocks that it lacks: ")
        expect(lines.filter(has_text="Credits")).to_contain_text("not known to the node")
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
            assert serious_findings(page) == []
        ahead = audited.anchor.block_number + 2
        other.mine(ahead)
        compare_with(page, f"{door}/0", "Different. This site and that node do not have the same")
        last = f"Hash of block {audited.anchor.block_number}"
        expect(lines.filter(has_text=last)).to_contain_text("different")
        expect(lines.filter(has_text="The last block")).to_contain_text("blocks since: 2")
        expect(lines.filter(has_text="Credits")).to_contain_text("no code there")


def test_comparison__that_cannot_be_made__says_why_in_a_sentence(
    tabs: Tab, folder: AuditFolder, audited: Audited
) -> None:
    page = tabs("/audit", fails=True)
    table = page.locator("#compare table")
    page.clock.install()
    with nodes_behind_an_open_door(audited.ledger.anvil.url) as door:
        for address, told in (
            ("node", "This is no address that a page can ask"),
            ("file:///etc/passwd", "This is no address that a page can ask"),
            ("http://moon:lake@127.0.0.1:1", "This is no address that a page can ask"),
            (f"http://127.0.0.1:{free_port()}", "Nothing came back from this address"),
            (audited.ledger.anvil.url, "Nothing came back from this address"),  # lets no site ask
            (f"{door}/page", "but not as a node answers"),
            (f"{door}/poison", "but not as a node answers"),
        ):
            compare_with(page, address, told)
            expect(table).to_be_hidden()
        assert "<script>alert" not in page.content()
        compare_with(page, f"{door}/silent", "Your browser asks the node")
        page.clock.fast_forward(10_000)
        expect(page.get_by_text("did not answer within 10 seconds")).to_be_visible()


def test_comparison__on_a_page_that_came_encrypted__asks_no_node_in_the_clear_but_on_this_machine(
    tabs: Tab, served: Served, folder: AuditFolder
) -> None:
    page, asked = tabs("/proof", fails=True), list[str]()
    site, address = "https://moonlake.test", str(served.client.base_url).rstrip("/")

    def answer(route: Route) -> None:
        if route.request.resource_type == "eventsource":  # which has no end
            return route.abort()
        return route.fulfill(response=route.fetch(url=route.request.url.replace(site, address)))

    page.route(f"{site}/**", answer)
    page.goto(f"{site}/audit")
    page.on("request", lambda each: asked.append(each.url) if each.resource_type == "fetch" else 0)

    compare_with(page, "http://192.0.2.1:8545", "This page came over an encrypted connection")
    assert asked == []
    for machine in ("127.0.0.1", "localhost", "[::1]"):
        compare_with(page, f"http://{machine}:{free_port()}", "Nothing came back from this address")


def test_desk__without_scripts__reads_the_same_and_says_what_needs_them(
    tabs: Tab, folder: AuditFolder
) -> None:
    page = tabs("/audit", java_script_enabled=False)

    assert folder.bundle.is_file()
    expect(page.get_by_text("Complete and correct")).to_be_visible()
    expect(page.get_by_text("Checking here needs JavaScript")).to_be_visible()
    expect(page.locator("#check form")).to_be_hidden()
    expect(page.get_by_text("Comparing here needs JavaScript")).to_be_visible()
    expect(page.locator("#compare form")).to_be_hidden()
    expect(page.get_by_role("link", name="Anchor", exact=True)).to_be_visible()


def test_audit__begun_by_an_officer_on_the_page__is_followed_to_its_verdict(
    tabs: Tab, folder: AuditFolder, tmp_path: Path
) -> None:
    rule = tmp_path / "rule.json"
    rule.write_bytes(RULES[0].to_json())
    page = tabs("/audit", officer=True)
    page.get_by_label("Compile the contracts").uncheck()
    page.get_by_label("Published rules of sharing").set_input_files(rule)

    page.get_by_role("button", name="Verify now").click()

    expect(page.get_by_role("heading", name="An audit is running")).to_be_visible()
    expect(page.locator(".verdict__word")).to_have_text("Incomplete", timeout=90_000)
    expect(page.locator(".findings li")).to_have_count(1)
    assert folder.read().condition == "done"
