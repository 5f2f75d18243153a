"""What an audit objects to, and where: a row, a block, a log, in two languages.

A finding is `wrong` (what is there contradicts something that is proved) or `missing` (what would
prove it is not there). One that is missing is never a pass. Sentences are made here alone, from a
code and values, so that a script reads the code and a person the sentence.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ledger.audit.sentences import SENTENCES, is_missing

MOST_KEPT = 200
"""Findings that are kept; the rest is counted."""


def printable(text: str) -> str:
    """A text without what would steer a terminal: parts of it are an operator's."""
    return "".join(each if each.isprintable() else "\ufffd" for each in text)


@dataclass(frozen=True, slots=True)
class Finding:
    """One objection. `row` says which fact it is about, such as `Credits 17` or `blocks.rlp`."""

    code: str
    row: str
    values: Mapping[str, Any] = field(default_factory=dict)
    block: int | None = None
    log_index: int | None = None

    @property
    def is_missing(self) -> bool:
        """Whether something lacks, and nothing is contradicted."""
        return is_missing(self.code)

    def sentence(self, language: str) -> str:
        """What is wrong and where, in `en` or `zh-CN`."""
        chinese = language == "zh-CN"
        text = SENTENCES[self.code][1 if chinese else 0].format(**self.values)
        place = [self.row]
        if self.block is not None:
            place.append(f"区块 {self.block}" if chinese else f"block {self.block}")
        if self.log_index is not None:
            place.append(f"日志 {self.log_index}" if chinese else f"log {self.log_index}")
        whole = ("，".join(place) + "：" if chinese else ", ".join(place) + ": ") + text
        return printable(whole)

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "code": self.code,
            "kind": "missing" if self.is_missing else "wrong",
            "row": self.row,
            "block": self.block,
            "log_index": self.log_index,
            "values": {key: _plain(value) for key, value in self.values.items()},
            "en": self.sentence("en"),
            "zh-CN": self.sentence("zh-CN"),
        }


class Findings:
    """Collects findings, the first ones whole; `counts` are those of each code."""

    def __init__(self) -> None:
        self.kept: list[Finding] = []
        self.counts: dict[str, int] = {}

    def add(self, finding: Finding) -> None:
        """Take another one."""
        if len(self.kept) < MOST_KEPT:
            self.kept.append(finding)
        self.counts[finding.code] = self.counts.get(finding.code, 0) + 1

    def __iter__(self) -> Iterator[Finding]:
        return iter(self.kept)

    @property
    def total(self) -> int:
        """How many there are, also those that are not kept."""
        return sum(self.counts.values())

    @property
    def exit_code(self) -> int:
        """0 where there are none, 1 where something is wrong, 2 where something only lacks."""
        if any(not is_missing(code) for code in self.counts):
            return 1
        return 2 if self.counts else 0


def _plain(value: Any) -> Any:
    return "0x" + value.hex() if isinstance(value, bytes) else value
