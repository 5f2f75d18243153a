"""No word of the console is left in one language, and no text stands in a template untranslated."""

from __future__ import annotations

import re
import string
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po

from api.console.languages import LOCALES, choose_language, languages

CONSOLE = Path(__file__).parents[2] / "api" / "console"
TEMPLATES = sorted((CONSOLE / "templates").glob("*.html"))

METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
OPTIONS = {"templates/**.html": {"trimmed": "true", "silent": "false"}}

UNTRANSLATED = {"UTC", "GET", "№", "XLSX", "CSV"}
"""What is the same in every language."""


def extracted() -> set[object]:
    """Every string that the console's sources ask to be translated."""
    found = extract_from_dir(CONSOLE, METHODS, OPTIONS)
    return {message for _, _, message, _, _ in found}


def catalogue(name: str) -> Catalog:
    with (LOCALES / f"{name}.po").open("rb") as file:
        return read_po(file, locale=name)


@pytest.mark.parametrize("name", ["zh_CN", "en"])
def test_catalogue__has_every_string_and_no_other(name: str) -> None:
    known = {message.id for message in catalogue(name) if message.id}

    assert known == extracted()
    assert len(known) > 150


@pytest.mark.parametrize("name", ["zh_CN", "en"])
def test_catalogue__translates_every_string_with_its_places(name: str) -> None:
    for message in catalogue(name):
        if not message.id:
            continue
        assert not message.fuzzy
        originals = message.id if isinstance(message.id, tuple) else (message.id,)
        given = message.string if isinstance(message.string, tuple) else (message.string,)
        assert all(given), message.id
        places = set(re.findall(r"%\((\w+)\)s", originals[-1]))
        for text in given:
            assert set(re.findall(r"%\((\w+)\)s", text)) == places, message.id


def test_catalogue__of_chinese__is_in_chinese() -> None:
    for message in catalogue("zh_CN"):
        if not message.id:
            continue
        text = message.string[0] if isinstance(message.string, tuple) else message.string
        plain = re.sub(
            r"%\(\w+\)s|<[^>]+>|JSON|SHA-256|OpenAPI|HTTP|UTC|GalaxySpace|UTF|MiB|xlsx|csv",
            "",
            text,
        )
        assert not re.search(r"[A-Za-z]{3,}", plain), text


# One word for one thing: what the first stands for is called the second everywhere.
ONE_WORD = {
    "会籍": "会员资格",
    "吸纳": "接纳",
    "中止": "暂停",
    "等级": "级别",
    "任职人员": "工作人员",
    "控制账户": "代表账户",
}


def test_catalogue__of_chinese__has_one_word_for_one_thing() -> None:
    chinese = {message.id: str(message.string) for message in catalogue("zh_CN") if message.id}
    for text in chinese.values():
        for other, ours in ONE_WORD.items():
            assert other not in text, f"{text}: {ours}"
    # English has one word for what are two in Chinese: a segment, and what one files; a benefit
    # that can be had, and a proposal that is not decided.
    assert chinese["Membership applications"] != chinese["Applications"]
    assert chinese["Can be redeemed"] != chinese["Open"]


class Words(HTMLParser):
    """Collects the text and the readable attributes of a template without its expressions."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_code = False

    def handle_data(self, data: str) -> None:
        if not self._in_code:  # commands are the same in every language
            self.found.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_code &= tag != "code"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_code |= tag == "code"
        self.found += [
            value
            for name, value in attrs
            if name in {"title", "alt", "aria-label", "placeholder"} and value
        ]


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda path: path.name)
def test_template__has_no_word_of_its_own(template: Path) -> None:
    source = template.read_text("utf-8")
    source = re.sub(r"\{% trans.*?%\}.*?\{% endtrans %\}", "", source, flags=re.DOTALL)
    source = re.sub(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", " ", source, flags=re.DOTALL)
    words = Words()
    words.feed(source)

    left = " ".join(words.found)
    for same in UNTRANSLATED:
        left = left.replace(same, "")
    found = re.findall(rf"[^\W\d_{string.punctuation}]{{2,}}", left)
    assert found in ([], ["openapi", "json"]), found


def test_reasons__that_our_own_services_give__have_names() -> None:
    services = CONSOLE.parents[1] / "ledger" / "services"
    sources = [path.read_text("utf-8") for path in services.rglob("*.py")]
    given = {key for each in sources for key in re.findall(r'(?:Ground\(|reason=)"([^"]+)"', each)}
    macros = (CONSOLE / "templates" / "macros.html").read_text("utf-8")

    assert given
    assert given <= set(re.findall(r'"([a-z.]+)": _\(', macros))


@pytest.mark.parametrize(
    ("asked", "cookie", "accepted", "expected"),
    [
        ("en", "zh-CN", "zh", "en"),
        ("zh-CN", "en", "en", "zh-CN"),
        (None, "en", "zh-CN", "en"),
        (None, "fr", "en-GB,zh;q=0.5", "en"),
        ("fr", None, "", "zh-CN"),
        (None, None, "", "zh-CN"),
        (None, None, "fr,de;q=0.8", "zh-CN"),
        (None, None, "fr, en;q=0.3, zh;q=0.2", "en"),
        (None, None, "en;q=0, zh-TW", "zh-CN"),
        (None, None, "zh-Hans-CN", "zh-CN"),
        (None, None, "EN-us", "en"),
        (None, None, "en;q=abc", "en"),
        (None, None, ";;;,,,q=1", "zh-CN"),
        ("../../etc", "\x00", "*" * 5000, "zh-CN"),
    ],
)
def test_language__is_that_of_the_url_then_the_cookie_then_the_browser(
    asked: str | None, cookie: str | None, accepted: str, expected: str
) -> None:
    chosen = choose_language(asked, cookie, accepted, languages()["zh-CN"])

    assert chosen.tag == expected


def test_numbers_and_times__are_written_as_in_the_language() -> None:
    chinese, english = languages()["zh-CN"], languages()["en"]

    assert chinese.number(-1234567) == english.number(-1234567) == "−1,234,567"
    assert (english.signed(5), english.signed(0), english.signed(-5)) == ("+5", "0", "−5")
    assert chinese.date(1_740_787_200) == "2025年3月1日"
    assert english.date(1_740_787_200) == "1 Mar 2025"
    assert chinese.time(1_740_787_200) == "2025年3月1日 00:00"
    assert english.time(1_740_787_200) == "1 Mar 2025, 00:00"
