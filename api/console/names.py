"""How things are called on a page: by the office's names where it has them, by keys and ids else.

A reader's own language comes first and the other one second; a name that exists in one language
only is shown in that one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import takewhile

from api.console.languages import Language
from ledger.mirror.queries.profiles import Profile
from ledger.mirror.queries.programmes import Programme
from ledger.mirror.queries.rules import Label

_LEAST_SHORT = 2
_LONGEST_SHORT = 20


@dataclass(frozen=True, slots=True)
class Name:
    """A name to show, and the one in the other language; `other` is empty where it says no more.

    The tags say which language each is in, for fonts and screen readers.
    """

    main: str
    main_lang: str
    other: str
    other_lang: str


def name_in(language: Language, zh: str, en: str, otherwise: str) -> Name:
    """The name for a reader of `language`."""
    chinese, english = (zh, "zh-CN"), (en, "en")
    first, second = (chinese, english) if language.is_chinese else (english, chinese)
    if not first[0]:
        first, second = second, ("", "")
    if not first[0]:
        return Name(otherwise, language.tag, "", "")
    other = second if second[0] != first[0] else ("", "")
    return Name(first[0], first[1], other[0], other[1])


def organisation_name(language: Language, profile: Profile | None, org_id: int) -> Name:
    """An organisation's name; its number where the office has no profile."""
    if profile is None:
        return name_in(language, "", "", f"№ {org_id}")
    return name_in(language, profile.name_zh, profile.name_en, f"№ {org_id}")


def label_in(language: Language, label: Label | None, key: str) -> str:
    """What a tier or category is called, as a heading; its key where it has no label."""
    if label is None:
        return key
    return capitalised(name_in(language, label.name_zh, label.name_en, key).main)


def capitalised(text: str) -> str:
    """The text with a capital at its beginning, for where it stands alone."""
    return text[:1].upper() + text[1:]


@dataclass(frozen=True, slots=True)
class ProgrammeName:
    """A programme's name, and a short form of it for a badge."""

    key: str
    name: Name
    short: str


def programme_names(
    language: Language, programmes: Sequence[Programme]
) -> dict[str, ProgrammeName]:
    """The names of all programmes by their keys.

    The short form in Chinese leaves out what all the names begin with; in English it is the key,
    which says the same in one word. It is cut off where it is not short.
    """
    chinese = [each.profile.name_zh for each in programmes if each.profile]
    shared = _shared_beginning(chinese) if len(chinese) > 1 else ""
    return {
        each.key: ProgrammeName(
            each.key,
            name_in(
                language,
                each.profile.name_zh if each.profile else "",
                each.profile.name_en if each.profile else "",
                each.key,
            ),
            _cut_off(_short(language, each, shared)),
        )
        for each in programmes
    }


def _shared_beginning(texts: Sequence[str]) -> str:
    alike = takewhile(lambda column: len(set(column)) == 1, zip(*texts, strict=False))
    return "".join(column[0] for column in alike)


def _cut_off(text: str) -> str:
    return text if len(text) <= _LONGEST_SHORT else text[: _LONGEST_SHORT - 1].rstrip() + "…"


def _short(language: Language, programme: Programme, shared: str) -> str:
    if language.is_chinese and programme.profile and programme.profile.name_zh:
        rest = programme.profile.name_zh.removeprefix(shared)
        return rest if len(rest) >= _LEAST_SHORT else programme.profile.name_zh
    return programme.key.replace("-", " ").replace("_", " ").replace(".", " ").capitalize()
