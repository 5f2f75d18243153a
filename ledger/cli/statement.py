"""Lines of a statement for people: each entry with its evidence, block and transaction.

One line an entry where the output goes elsewhere, so that other programs can take it line by line,
and on a terminal that is wide enough; else an entry's transaction and evidence have lines of their
own below it. Nothing is ever cut: a hash that is cut proves nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from ledger.cli.view import plain, show_day
from ledger.domain.commands import NO_COMMITMENT

if TYPE_CHECKING:
    from ledger.mirror.queries.entries import Entry

_FIGURES = ("entry#", "day", "programme", "category", "kind", "amount#", "balance#", "block#")
_GAP = "  "


def show_entries(entries: Sequence[Entry], width: int | None) -> str:
    """The entries in the order given, for a terminal of `width` columns; None is without bound."""
    if not entries:
        return "None yet."
    figures = [_figures(entry) for entry in entries]
    whole = [
        (*row, _transaction(entry), _evidence(entry))
        for row, entry in zip(figures, entries, strict=True)
    ]
    lines = _align((*_FIGURES, "transaction", "evidence"), whole)
    if width is None or max(_cells(line) for line in lines) <= width:
        return "\n".join(lines)
    head, *rows = _align(_FIGURES, figures)
    told = [head]
    for row, entry in zip(rows, entries, strict=True):
        told += [row, f"  transaction {_transaction(entry)}", f"  evidence {_evidence(entry)}"]
    return "\n".join(told)


def _figures(entry: Entry) -> tuple[str, ...]:
    return (
        str(entry.entry_id),
        show_day(entry.timestamp),
        entry.programme,
        entry.category,
        str(plain(entry.kind)),
        str(entry.amount),
        str(entry.balance_after),
        str(entry.block_number),
    )


def _transaction(entry: Entry) -> str:
    return "0x" + entry.transaction_hash.hex()


def _evidence(entry: Entry) -> str:
    """The document's title, or the commitment where the document is not known here."""
    if entry.document is not None:
        title = entry.document.title_en or entry.document.title_zh
        return title + (" (made up)" if entry.document.made_up else "")
    return "none" if entry.evidence == NO_COMMITMENT else "0x" + entry.evidence.hex()


def _align(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines with the columns' names first; columns that end with # hold numbers."""
    names = [column.removesuffix("#") for column in columns]
    widths = [max(map(_cells, cells)) for cells in zip(names, *rows, strict=True)]
    lines = []
    for cells in (names, *rows):
        padded = []
        for column, cell, width in zip(columns, cells, widths, strict=True):
            space = " " * (width - _cells(cell))
            padded.append(space + cell if column.endswith("#") else cell + space)
        lines.append(_GAP.join(padded).rstrip())
    return lines


def _cells(text: str) -> int:
    """The columns that a terminal needs for it: two for a Chinese character."""
    from rich.cells import cell_len  # noqa: PLC0415  not for --help

    return cell_len(text)
