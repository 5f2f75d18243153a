"""A balance by epoch and category, as columns: what came in above a line, what went out below it.

The drawing says nothing that the table below it does not say in numbers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from ledger.mirror.queries.rules import Epoch
from ledger.mirror.queries.seasons import EpochSum

HUES = 6
"""Colours of categories; what is smaller than the largest of them shares the last."""

MOST_EPOCHS = 8
_HEIGHT = 100.0
_GAP = 0.8


@dataclass(frozen=True, slots=True)
class Block:
    """A part of a column: its place from the top and its height, in percent, and its colour."""

    top: float
    height: float
    hue: int


@dataclass(frozen=True, slots=True)
class Column:
    """An epoch's column. `amounts` are in the order of the chart's categories."""

    epoch: Epoch
    blocks: tuple[Block, ...]
    amounts: tuple[int, ...]

    @property
    def sum(self) -> int:
        """What the epoch brought, less what it took."""
        return sum(self.amounts)


@dataclass(frozen=True, slots=True)
class Columns:
    """Columns of all epochs; `hues` are the categories' colours, `line` where nothing is."""

    categories: tuple[str, ...]
    hues: tuple[int, ...]
    columns: tuple[Column, ...]
    line: float


def draw_columns(sums: Sequence[EpochSum], epochs: Sequence[Epoch]) -> Columns | None:
    """The columns of these epochs; None where nothing was posted in any of them."""
    by_epoch: dict[int, dict[str, int]] = defaultdict(dict)
    for each in sums:
        by_epoch[each.epoch][each.category] = each.amount
    shown = [each for each in epochs if each.number in by_epoch]
    if not shown:
        return None
    weights: dict[str, int] = defaultdict(int)
    for epoch in shown:
        for category, amount in by_epoch[epoch.number].items():
            weights[category] += abs(amount)
    categories = tuple(sorted(weights, key=lambda name: (not name, -weights[name], name)))
    hues = tuple(HUES if not name else min(at, HUES - 1) for at, name in enumerate(categories, 1))
    above = max(_above(by_epoch[each.number]) for each in shown)
    below = max(_below(by_epoch[each.number]) for each in shown)
    scale = _HEIGHT / (above + below) if above + below else 0.0
    line = above * scale
    first, last = shown[0].number, shown[-1].number
    colours = dict(zip(categories, hues, strict=True))
    columns = tuple(
        _column(each, by_epoch[each.number], colours, line, scale)
        for each in epochs
        if first <= each.number <= last
    )
    return Columns(categories, hues, columns, round(line, 2))


def _above(amounts: dict[str, int]) -> int:
    return sum(each for each in amounts.values() if each > 0)


def _below(amounts: dict[str, int]) -> int:
    return -sum(each for each in amounts.values() if each < 0)


def _column(
    epoch: Epoch, amounts: dict[str, int], hues: dict[str, int], line: float, scale: float
) -> Column:
    up = down = line
    blocks = []
    for category, hue in hues.items():
        height = abs(amounts.get(category, 0)) * scale
        if not height:
            continue
        drawn = round(max(height - _GAP, min(height, _GAP)), 2)
        if amounts[category] > 0:
            up -= height
            blocks.append(Block(round(up, 2), drawn, hue))
        else:
            blocks.append(Block(round(down, 2), drawn, hue))
            down += height
    return Column(epoch, tuple(blocks), tuple(amounts.get(each, 0) for each in hues))
