"""A programme's rules at a moment: tiers, categories and epochs, with what people call them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, TypeVar

from sqlalchemy import Connection, Row, select

from ledger.domain.ids import TierId
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.versions import AT, is_last_version, true_at
from ledger.store.mirror_tables import category_versions, epoch_boundaries, tier_versions
from ledger.store.office_tables import labels


@dataclass(frozen=True, slots=True)
class Label:
    """What people call a key of a programme; `side` is the side of the industry, or empty."""

    name_zh: str
    name_en: str
    side: str


@dataclass(frozen=True, slots=True)
class Tier:
    """A tier of a programme, open to new admissions or closed."""

    tier: TierId
    key: str
    open: bool
    label: Label | None


@dataclass(frozen=True, slots=True)
class Category:
    """A category of contributions, open to awards or closed."""

    category: str
    open: bool
    label: Label | None


@dataclass(frozen=True, slots=True)
class Epoch:
    """The half-open time from `begins_at` to `ends_at`, seconds since 1970 UTC."""

    number: int
    begins_at: int
    ends_at: int

    def contains(self, time: int) -> bool:
        """Whether the time lies in the epoch."""
        return self.begins_at <= time < self.ends_at


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one programme."""

    tiers: tuple[Tier, ...]
    categories: tuple[Category, ...]
    epochs: tuple[Epoch, ...]


_TIERS = (
    select(tier_versions)
    .where(is_last_version(tier_versions, "programme_id", "tier"))
    .order_by(tier_versions.c.programme_id, tier_versions.c.tier)
)
_CATEGORIES = (
    select(category_versions)
    .where(is_last_version(category_versions, "programme_id", "category"))
    .order_by(category_versions.c.programme_id, category_versions.c.category)
)
_BOUNDARIES = (
    select(epoch_boundaries)
    .where(epoch_boundaries.c.block_number <= AT)
    .order_by(epoch_boundaries.c.programme_id, epoch_boundaries.c.number)
)
_LABELS = select(labels)

LabelKey = tuple[str, str, str]
"""A programme's key, what is labelled (`tier`, `category`), and its key."""


def read_labels(connection: Connection) -> dict[LabelKey, Label]:
    """All labels that the office keeps."""
    return {
        (row.programme, row.subject, row.key): Label(row.name_zh, row.name_en, row.side)
        for row in connection.execute(_LABELS)
    }


def read_rules(
    connection: Connection, moment: Moment, programme_keys: dict[int, str]
) -> dict[int, Rules]:
    """The rules of each programme of `programme_keys`, which gives their keys."""
    at = true_at(moment)
    labelled = read_labels(connection)

    def tier(row: Row[Any]) -> Tier:
        key = (programme_keys[row.programme_id], "tier", row.key)
        return Tier(row.tier, row.key, bool(row.open), labelled.get(key))

    def category(row: Row[Any]) -> Category:
        key = (programme_keys[row.programme_id], "category", row.category)
        return Category(row.category, bool(row.open), labelled.get(key))

    tiers = _grouped(connection.execute(_TIERS, at), tier)
    categories = _grouped(connection.execute(_CATEGORIES, at), category)
    boundaries = _grouped(connection.execute(_BOUNDARIES, at), lambda row: int(row.boundary))
    return {
        programme_id: Rules(
            tuple(tiers[programme_id]),
            tuple(categories[programme_id]),
            _epochs(boundaries[programme_id]),
        )
        for programme_id in programme_keys
    }


_Value = TypeVar("_Value")


def _grouped(
    rows: Iterable[Row[Any]], value: Callable[[Row[Any]], _Value]
) -> defaultdict[int, list[_Value]]:
    """What `value` makes of the rows, by their programme and in their order."""
    grouped: defaultdict[int, list[_Value]] = defaultdict(list)
    for row in rows:
        grouped[row.programme_id].append(value(row))
    return grouped


def _epochs(boundaries: list[int]) -> tuple[Epoch, ...]:
    """Epoch n lies between boundary n and boundary n+1, so the last boundary begins none."""
    return tuple(
        Epoch(number, begins, ends) for number, (begins, ends) in enumerate(pairwise(boundaries), 1)
    )
