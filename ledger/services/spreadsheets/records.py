"""What every kind of spreadsheet is read as: records of cells, each by the line it stands in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class CellKind(StrEnum):
    """What a cell of a workbook holds besides plain text."""

    NUMBER = "number"
    ROUNDED = "rounded"
    """A number of more digits than a spreadsheet program keeps: it is another by now."""
    DATE = "date"
    BOOLEAN = "boolean"
    ERROR = "error"
    FORMULA = "formula"


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one line. `kinds` says by place which of them are not plain text.

    A formula's text is the value that was last calculated for it. `hidden` rows are not seen by
    whoever looks at the sheet. A `sparse` one ends with its last cell that holds something: what
    the header has beyond is empty, and not missing.
    """

    line: int
    cells: list[str]
    kinds: Mapping[int, CellKind] = field(default_factory=dict)
    hidden: bool = False
    sparse: bool = False
