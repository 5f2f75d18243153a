"""The console's languages: which one a reader gets, its words, and how it writes numbers and times.

The catalogues are text files beside this module, read once when the application is put together;
nothing is compiled at build time that could be older than its source. To bring them up to date
after a string has changed:

    pybabel extract -F api/console/babel.cfg -o console.pot api
    pybabel update -i console.pot -o api/console/locales/zh_CN.po -l zh_CN --no-fuzzy-matching
    pybabel update -i console.pot -o api/console/locales/en.po -l en --no-fuzzy-matching
"""

from __future__ import annotations

import gettext
import io
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from babel import Locale
from babel.dates import format_date, format_datetime
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal

from ledger.errors import InvalidSetting

LOCALES = Path(__file__).parent / "locales"
COOKIE = "lang"
PARAMETER = "lang"

_DATE_PATTERNS = {"zh-CN": "y年M月d日", "en": "d MMM y"}
_TIME_PATTERNS = {"zh-CN": "y年M月d日 HH:mm", "en": "d MMM y, HH:mm"}
_WEIGHT = re.compile(r"q=([01](?:\.[0-9]{0,3})?)")


@dataclass(frozen=True, slots=True)
class Language:
    """A language of the console. `tag` is BCP 47, as in `lang=` and in Accept-Language."""

    tag: str
    own_name: str
    locale: Locale
    translations: gettext.NullTranslations

    @property
    def is_chinese(self) -> bool:
        """Whether Chinese names come first."""
        return self.tag.startswith("zh")

    def number(self, value: int) -> str:
        """A whole number with its thousands set apart."""
        text: str = format_decimal(value, locale=self.locale)
        return text.replace("-", "−")

    def signed(self, value: int) -> str:
        """A whole number that always has its sign."""
        return f"+{self.number(value)}" if value > 0 else self.number(value)

    def date(self, seconds: int) -> str:
        """The day, in UTC."""
        day = datetime.fromtimestamp(seconds, UTC).date()
        text: str = format_date(day, _DATE_PATTERNS[self.tag], locale=self.locale)
        return text

    def time(self, seconds: int) -> str:
        """Day and minute, in UTC."""
        moment = datetime.fromtimestamp(seconds, UTC)
        text: str = format_datetime(moment, _TIME_PATTERNS[self.tag], locale=self.locale)
        return text


@cache
def languages() -> dict[str, Language]:
    """All languages by their tag; the catalogues are read at the first call."""
    return {
        "zh-CN": Language("zh-CN", "中文", Locale.parse("zh_CN"), _read_catalogue("zh_CN")),
        "en": Language("en", "English", Locale.parse("en"), _read_catalogue("en")),
    }


def language_named(tag: str) -> Language:
    """The language of a setting. Raises InvalidSetting."""
    found = languages().get(tag)
    if found is None:
        raise InvalidSetting(
            setting="MOONLAKE_LANGUAGE", problem=f"{tag!r} is not one of {', '.join(languages())}"
        )
    return found


def choose_language(
    asked: str | None, cookie: str | None, accepted: str, otherwise: Language
) -> Language:
    """The language asked for in the URL, else in the cookie, else by Accept-Language."""
    for tag in (asked, cookie):
        if tag in languages():
            return languages()[tag]
    for wanted in _by_weight(accepted):
        for tag, language in languages().items():
            if wanted.partition("-")[0] == tag.partition("-")[0]:
                return language
    return otherwise


def _by_weight(accepted: str) -> list[str]:
    """The tags of an Accept-Language header, the most wanted first; those with q=0 left out."""
    weighted = []
    for position, part in enumerate(accepted.split(",")[:20]):
        tag, _, parameters = part.strip().partition(";")
        match = _WEIGHT.search(parameters)
        weight = float(match.group(1)) if match else 1.0
        if tag and weight > 0:
            weighted.append((-weight, position, tag.strip().lower()))
    return [tag for _, _, tag in sorted(weighted)]


def _read_catalogue(name: str) -> gettext.NullTranslations:
    with (LOCALES / f"{name}.po").open("rb") as source:
        catalogue = read_po(source, locale=name)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)
