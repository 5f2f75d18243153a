"""A function of a contract told in two languages, as templates over the call's own values."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sentence:
    """What a call does; `row_en` and `row_zh` tell each row of a call that has a list.

    Templates name the call's arguments as the ABI does; `{count}` is the number of rows
    (`{count:tier/tiers}` with its noun), `{total}` the sum of their amounts. A row's templates name
    the row's own fields; a list of plain values has `{row}`.
    """

    en: str
    zh: str
    row_en: str = ""
    row_zh: str = ""
