"""The values of a call in words: organisations and programmes by name, times as dates.

Names come from outside and could hold anything: what would break a line or turn the reading
direction is taken out of them, so that no name can pretend to be a sentence of ours.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from ledger.chain.addresses import show_address
from ledger.chain.artifacts import Parameter
from ledger.domain.keys import DEFAULT_ADMIN, decode_key, decode_role
from ledger.office.profiles import BLANKS

ENGLISH = "en"
CHINESE = "zh-CN"
LANGUAGES = (ENGLISH, CHINESE)

_LONGEST_NAME = 120
_MOST_MARKS = 3
"""Upon one letter; writings that have more of them are not known to us."""
_LAST_TIME = 253_402_300_799  # the end of the year 9999
_ORGANISATIONS = ("orgId", "orgIds", "successorId")
_KEYS = ("category", "categories", "key", "keys", "kind", "reason", "unit")
_TIMES = ("expiresAt", "deadline", "boundaries", "opensAt", "closesAt")
_CLAIM_TIMES = ("claimableFrom", "claimableUntil")
_DURATIONS = ("newDelay",)

_ROLES_ZH = {
    "registrar": "登记员",
    "issuer": "发放员",
    "treasurer": "司库",
    "council": "理事会职权",
    "councillor": "理事",
    "guardian": "守护人",
}


@dataclass(frozen=True, slots=True)
class Names:
    """What people call organisations, programmes and accounts; who is missing has only an id."""

    organisations: Mapping[int, str] = field(default_factory=dict)
    programmes: Mapping[int, str] = field(default_factory=dict)
    accounts: Mapping[bytes, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Words:
    """Writes values for readers of one language."""

    language: str
    names: Names

    @property
    def is_chinese(self) -> bool:
        """Whether the reader reads Chinese; English otherwise."""
        return self.language == CHINESE

    def choose(self, en: str, zh: str) -> str:
        """The text in the reader's language."""
        return zh if self.is_chinese else en

    def value(self, parameter: Parameter, value: Any) -> str:
        """One value that is no list and no struct, as its parameter means it."""
        kind = parameter.type.removesuffix("[]")
        if kind == "uint16":
            return self._programme(value)
        if parameter.name in _ORGANISATIONS:
            return self._named(self.choose("organisation", "组织"), value, self.names.organisations)
        if kind == "address" or (parameter.name == "signer" and len(value) == 20):
            return self._account(value)
        if kind == "bytes32":
            return self._word(parameter.name, value)
        if isinstance(value, int) and kind != "bool":
            return self._number(parameter.name, value)
        return self._other(value)

    def amount(self, value: int) -> str:
        """A whole number with its thousands set apart."""
        return f"{value:,}"

    def _other(self, value: Any) -> str:
        if isinstance(value, bool):
            return self.choose(*(("yes", "是") if value else ("no", "否")))
        # Text is escaped: it could hold characters that turn or hide what stands around it.
        return json.dumps(value) if isinstance(value, str) else "0x" + value.hex()

    def _number(self, name: str, value: int) -> str:
        if name in _TIMES or name in _CLAIM_TIMES:
            return self._time(value)
        if name in _DURATIONS:
            return self.choose(f"{value:,} seconds", f"{value:,}秒")
        return self.amount(value)

    def _time(self, seconds: int) -> str:
        if seconds > _LAST_TIME:
            return self.choose("the end of time", "永远")
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")

    def _programme(self, programme_id: int) -> str:
        if programme_id == 0:
            return self.choose("the whole alliance", "全联盟")
        return self._named(self.choose("programme", "计划"), programme_id, self.names.programmes)

    def _named(self, what: str, number: int, names: Mapping[int, str]) -> str:
        name = beside(names.get(number, ""))
        shown = self.choose(f"{what} {number}", f"{what}{number}")
        return shown + (self.choose(f" ({name})", f"（{name}）") if name else "")

    def _account(self, raw: bytes) -> str:
        if not any(raw):
            return self.choose("nobody", "无人")
        name = beside(self.names.accounts.get(raw, ""))
        return show_address(raw) + (self.choose(f" ({name})", f"（{name}）") if name else "")

    def _word(self, name: str, word: bytes) -> str:
        if name == "name":
            role = decode_key(word)
            return _ROLES_ZH.get(role, role) if self.is_chinese else role
        if name == "role":
            return self._role(word)
        if name in _KEYS:
            return decode_key(word) if any(word) else self.choose("none given", "未注明")
        return "0x" + word.hex()

    def _role(self, word: bytes) -> str:
        role, programme_id = decode_role(word)
        if role == DEFAULT_ADMIN:
            return self.choose("default admin", "默认管理员")
        shown = _ROLES_ZH.get(role, role) if self.is_chinese else role
        of = self._programme(programme_id)
        return self.choose(f"{shown} of {of}", f"{of}的{shown}")


@dataclass(frozen=True, slots=True)
class Count:
    """A number of things in a template: `{count}`, or with a noun, `{count:tier/tiers}`."""

    number: int
    shown: str

    def __format__(self, nouns: str) -> str:
        one, _, many = nouns.partition("/")
        return f"{self.shown} {one if self.number == 1 else many}" if nouns else self.shown


def beside(name: str) -> str:
    """A name as it stands in brackets beside a number, which are ours to close.

    A name's own brackets stay where each that opens is closed, as in "中国（重庆）"; any other is
    taken out, as are heaps of marks and what looks like nothing. It is not as long as a sentence.
    """
    text = _without_heaps(plain(name))
    if len(text) > _LONGEST_NAME:
        text = text[: _LONGEST_NAME - 1].rstrip() + "…"
    kept, opened = list(text), []
    for place, character in enumerate(text):
        kind = unicodedata.category(character)
        if kind == "Ps":
            opened.append(place)
        elif kind == "Pe" and opened:
            opened.pop()
        elif kind == "Pe":
            kept[place] = " "
    for place in opened:
        kept[place] = " "
    return " ".join("".join(kept).split())


def _without_heaps(name: str) -> str:
    """Without blanks that are letters, and marks that would be drawn over what stands before."""
    kept: list[str] = []
    marks = _MOST_MARKS  # and so none at the beginning, where our bracket stands before
    for character in name:
        is_mark = unicodedata.category(character) in ("Mn", "Me")
        marks = marks + 1 if is_mark else 0
        if marks <= _MOST_MARKS:
            kept.append(" " if character in BLANKS else character)
    return " ".join("".join(kept).split())


def plain(name: str) -> str:
    """A name on one line, without what is not seen, and what turns or breaks what is."""
    kept = "".join(
        " " if character.isspace() else character
        for character in name
        if character.isspace() or character.isprintable()
    )
    return " ".join(kept.split())
