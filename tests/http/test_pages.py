"""The console's pages, as HTML: what they say, in which language, and what they are true at."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import httpx
import pytest

from tests.http.conftest import Ledger
from tests.http.facts import STRANGER, hash_of

PAGES = (
    "/",
    "/organisations/4",
    "/organisations/45",
    "/programmes/community",
    "/programmes/alliance?epoch=2&category=event.keynote",
    "/entries/1",
    "/proof",
    "/audit",
    "/rankings",
    "/rankings?programme=community&epoch=2&category=data.use",
    "/benefits",
    "/benefits?programme=alliance",
    "/benefits/1",
    "/benefits/2",
    "/shares",
    "/shares?programme=alliance&standing=open",
    "/shares/1",
    "/proposals",
    "/proposals?council=0&standing=open",
    "/proposals/1",
    "/proposals/2",
    "/me",
    "/docs",
    "/?q=%E9%93%B6%E6%B2%B3&programme=community&status=active&kind=company&segment=satellite",
    "/?q=nothing+like+that",
    "/organisations/2?kind=expiry",
    "/nothing",
)
VOID = {"meta", "link", "input", "br", "img", "hr"}


def page(client: httpx.Client, path: str, language: str = "en", status: int = 200) -> str:
    answer = client.get(path, headers={"Accept": "text/html", "Accept-Language": language})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["content-language"] == ("en" if language == "en" else "zh-CN")
    return answer.text


class Outline(HTMLParser):
    """What a screen reader walks over: tags that close, headings, landmarks, names of fields."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.headings: list[int] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        identity = dict(attrs).get("id")
        if identity:
            self.ids.append(identity)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag, f"</{tag}> closes something else"


@pytest.mark.parametrize("language", ["zh-CN", "en"])
@pytest.mark.parametrize("path", PAGES)
def test_page__is_well_formed_and_has_an_outline(
    client: httpx.Client, path: str, language: str
) -> None:
    outline = Outline()
    outline.feed(page(client, path, language, 404 if path == "/nothing" else 200))

    names = [tag for tag, _ in outline.tags]
    assert outline.open == []
    assert names.count("h1") == names.count("main") == names.count("title") == 1
    assert {"header", "footer", "nav"} <= set(names)
    assert outline.headings[0] == 1
    steps = zip(outline.headings, outline.headings[1:], strict=False)
    assert all(after - before <= 1 for before, after in steps)
    assert len(outline.ids) == len(set(outline.ids))
    assert dict(outline.tags[names.index("html")][1])["lang"] == language
    assert names.count("table") == names.count("caption")
    for tag, attributes in outline.tags:
        assert not any(name.startswith("on") or name == "style" for name in attributes)
        if tag == "script":
            assert str(attributes["src"]).startswith("/static/")
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true"
        for name in ("href", "src", "action"):
            assert not re.match(r"\w+:|//", attributes.get(name) or "")
        if tag == "nav":
            assert attributes.get("aria-label")


@pytest.mark.parametrize("path", PAGES)
def test_page__has_headers_that_bind_the_browser(client: httpx.Client, path: str) -> None:
    headers = client.get(path, headers={"Accept": "text/html"}).headers

    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["vary"] == "Accept-Language, Cookie"


@pytest.mark.parametrize("path", PAGES)
def test_page__lets_its_scripts_ask_this_server_alone__but_for_the_auditors(
    client: httpx.Client, path: str
) -> None:
    policy = client.get(path, headers={"Accept": "text/html"}).headers["content-security-policy"]

    others = " https: http:" if path == "/audit" else ""
    assert f"connect-src 'self'{others};" in policy
    assert policy.count("http") == 2 * bool(others)


def test_policy__beside_the_auditors_page__stays_narrow(client: httpx.Client) -> None:
    for answer in (client.get("/audit/anchor.json"), client.get("/audit/"), client.post("/audit")):
        assert answer.status_code in {404, 405}
        assert "connect-src 'self';" in answer.headers["content-security-policy"]


def test_page__of_the_ledger__names_the_block_it_is_true_at(client: httpx.Client) -> None:
    for path in PAGES[:20]:
        text = page(client, path)
        assert "True at block <b>120</b>" in text
        assert 'title="0x' + hash_of("block", 120).hex() in text


def test_language__asked_for__is_kept_in_a_cookie(client: httpx.Client) -> None:
    first = client.get("/?lang=en", headers={"Accept-Language": "zh-CN"})

    assert first.headers["content-language"] == "en"
    assert "lang=en" in first.headers["set-cookie"]
    assert "HttpOnly" in first.headers["set-cookie"]
    again = client.get("/?lang=en", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304
    assert "lang=en" in again.headers["set-cookie"]
    kept = client.get("/", headers={"Accept-Language": "zh-CN", "Cookie": "lang=en"})
    assert kept.headers["content-language"] == "en"
    assert "set-cookie" not in kept.headers
    client.cookies.clear()


def test_language__that_is_none__changes_nothing(client: httpx.Client) -> None:
    answer = client.get("/?lang=%0d%0aX: y", headers={"Accept-Language": "en"})

    assert answer.headers["content-language"] == "en"
    assert "set-cookie" not in answer.headers


def test_register__finds_by_chinese_name_and_names_in_both_languages(client: httpx.Client) -> None:
    text = page(client, "/?q=银河", "zh-CN")

    assert "共 1 家组织" in text
    assert "银河航天" in text
    assert "GalaxySpace" in text
    assert "国际生态联盟 · 申请中" in text


def test_register__of_a_programme__counts_its_members(client: httpx.Client) -> None:
    text = page(client, "/?programme=community")

    assert "17 organisations" in text
    assert text.count('href="/organisations/') == 17


def test_register__in_pages__reaches_everybody_once(client: httpx.Client) -> None:
    seen: list[str] = []
    path = "/"
    while path:
        text = page(client, path)
        seen += re.findall(r'href="(/organisations/\d+)"', text)
        found = re.search(r'rel="next" href="([^"]+)"', text)
        path = found.group(1).replace("&amp;", "&") if found else ""

    assert sorted(seen) == sorted(f"/organisations/{number}" for number in range(1, 46))


def test_register__says_that_contributions_are_made_up(client: httpx.Client) -> None:
    assert "演示数据" in page(client, "/", "zh-CN")
    assert "made up for a demonstration" in page(client, "/programmes/community")


def test_organisation__shows_standing_credits_and_every_line(
    client: httpx.Client, ledger: Ledger
) -> None:
    text = page(client, "/organisations/4")
    entries = [entry for entry in ledger.seeded.entries if entry["org_id"] == 4]

    assert "In good standing" in text
    assert "Application pending" in text
    assert f"<b>{ledger.seeded.balance('community', 4):,}</b>" in text
    for entry in entries:
        assert f'href="/entries/{entry["entry_id"]}"' in text
        assert f'href="/evidence/0x{entry["evidence"].hex()}"' in text
        assert "0x" + hash_of("transaction", entry["block_number"], 0).hex() in text
    assert text.count("Made-up data") >= len(entries)


def test_organisation__without_a_profile__is_shown_by_its_number(client: httpx.Client) -> None:
    text = page(client, f"/organisations/{STRANGER}")

    assert "№ 45" in text
    assert "keeps no profile" in text
    assert hash_of("unknown profile").hex() in text
    assert "Revoked" in text


def test_organisation__filtered__shows_those_lines_alone(
    client: httpx.Client, ledger: Ledger
) -> None:
    wrong = next(entry for entry in ledger.seeded.entries if entry["refers_to"])

    text = page(client, f"/organisations/{wrong['org_id']}?kind=reversal&programme=community")

    assert re.findall(r'<a href="/entries/(\d+)">\1</a><br>', text) == [str(wrong["entry_id"])]
    assert "amount--minus" in text


def test_entry__reversed__links_to_its_reversal(client: httpx.Client, ledger: Ledger) -> None:
    reversal = next(entry for entry in ledger.seeded.entries if entry["refers_to"])

    undone = page(client, f"/entries/{reversal['refers_to']}")
    undoing = page(client, f"/entries/{reversal['entry_id']}")

    assert f'was reversed by <a href="/entries/{reversal["entry_id"]}">' in undone
    assert f'takes back <a href="/entries/{reversal["refers_to"]}">' in undoing


def test_evidence__that_is_markdown__is_shown_as_text(client: httpx.Client, ledger: Ledger) -> None:
    text = page(client, f"/evidence/0x{ledger.seeded.evidence[0].hex()}", "zh-CN")

    assert "<h3>会员资格暂停通知 · Notice of a suspension</h3>" in text
    assert "本文件为演示而编写" in text


def test_evidence__that_is_no_text__is_offered_alone(client: httpx.Client, ledger: Ledger) -> None:
    entry = next(each for each in ledger.seeded.entries if each["block_number"] == 24)

    text = page(client, f"/evidence/0x{entry['evidence'].hex()}")

    assert "application/pdf" in text
    assert "%PDF" not in text
    assert "Made-up" not in text


def test_programme__of_an_epoch__ranks_its_entries(client: httpx.Client) -> None:
    whole = page(client, "/programmes/community")
    first = page(client, "/programmes/community?epoch=1")

    assert whole.count('class="rank"') > first.count('class="rank"') > 0
    assert "selected" in first


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/organisations/46", 404),
        ("/organisations/0", 422),
        ("/organisations/%00", 422),
        ("/organisations/4?category=%00", 422),
        ("/organisations/4?kind=gift", 422),
        ("/organisations/4?programme=nothing", 422),
        ("/organisations/4?cursor=x", 400),
        ("/programmes/nothing", 404),
        ("/programmes/community?epoch=77", 422),
        ("/programmes/community?epoch=x", 422),
        ("/programmes/community?category=A", 422),
        ("/entries/0", 422),
        ("/entries/99999", 404),
        ("/evidence/0x12", 422),
        ("/evidence/0x" + "00" * 32, 404),
        ("/?status=x", 422),
        ("/?programme=%00", 422),
        ("/?q=%00", 422),
        ("/?q=" + "a" * 200, 422),
        ("/?cursor=x", 400),
        ("/static/moonlake.css", 404),
        ("/static/..%2fpages.py", 404),
        ("/nothing", 404),
    ],
)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
def test_page__that_cannot_be__says_so_in_the_readers_language(
    client: httpx.Client, path: str, status: int, language: str
) -> None:
    text = page(client, path, language, status)

    assert f'<p class="failure__status">{status}</p>' in text
    assert ("回到名册" if language == "zh-CN" else "To the register") in text


@pytest.mark.parametrize("empty", ["q=", "programme=&status=&kind=&segment=", "q=+++"])
def test_form__sent_empty__asks_for_everything(client: httpx.Client, empty: str) -> None:
    assert "45 organisations" in page(client, "/?" + empty)


@pytest.mark.parametrize("text", ["<script>alert(1)</script>", '"><b>', "{{ 7*7 }}", "%(x)s"])
def test_search__for_markup__is_shown_as_text(client: httpx.Client, text: str) -> None:
    answer = client.get("/", params={"q": text}, headers={"Accept-Language": "en"})

    assert answer.status_code == 200
    assert "<script>" not in answer.text
    assert "alert(1)<" not in answer.text
    assert '"><b>' not in answer.text
    assert ">49<" not in answer.text


def test_style_sheet__is_kept_for_long_under_a_name_of_its_content(client: httpx.Client) -> None:
    (path,) = re.findall(r'href="(/static/[^"]+)"', page(client, "/"))

    answer = client.get(path)

    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert "immutable" in answer.headers["cache-control"]
    assert re.search(r"moonlake\.[0-9a-f]{12}\.css", path)
    assert client.get("/favicon.ico").headers["content-type"] == "image/svg+xml"


def test_benefit__says_its_price_what_is_left_and_for_whom(client: httpx.Client) -> None:
    listed = page(client, "/benefits?programme=community&standing=open")
    one = page(client, "/benefits/1")

    assert "17 of 20 left" in listed
    assert "Factory hours" not in listed
    assert re.search(r"For one organisation at most</dt><dd>5 units", one)
    assert 'href="/me/benefits/1"' in one
    assert 'href="/me/benefits/2"' not in page(client, "/benefits/2")


def test_proposal__says_what_it_would_do_and_warns_of_what_nobody_can_read(
    client: httpx.Client,
) -> None:
    text = page(client, "/proposals/1")

    assert "Changes the cap of programme 2 (community) to 900,000 credits." in text
    assert "Nobody can tell what part of it would do." in text
    assert "A councillor can have it carried out" in text
    assert "Nobody can tell" not in page(client, "/proposals/2")


def test_shares__say_who_gets_what_and_what_is_not_claimed(client: httpx.Client) -> None:
    text = page(client, "/shares/1")

    assert re.search(r"<dd>966</dd><dt>not claimed", text)
    assert "GalaxySpace" in text


def test_ranking__of_another_programme__forgets_what_that_does_not_have(
    client: httpx.Client,
) -> None:
    text = page(client, "/rankings?programme=alliance&category=data.use&epoch=77")

    assert "Chongqing Digital Innovation Park" in text


def test_organisation__by_epoch__adds_up_to_its_balance(client: httpx.Client) -> None:
    text = page(client, "/organisations/4")
    table = re.search(r"Credits by epoch in .*?<tbody>(.*?)</tbody>", text, re.DOTALL)
    assert table is not None
    *rows, together = [
        [int(each.replace(",", "").replace("−", "-")) for each in re.findall(r">([−\d,]+)<", row)]
        for row in table.group(1).split("</tr>")[:-1]
    ]

    assert together == [600, 120, 0, 600]
    assert [sum(column) for column in zip(*rows, strict=True)] == together
    assert "<b>1,320</b>" in text
