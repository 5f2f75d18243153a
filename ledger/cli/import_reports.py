"""What an import shows: rows as they were judged, results, and the list of imports.

On a terminal only the first of many rows; as JSON, or in a file, all of them. A million rows are
written as they are read, so that they need no memory.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import typer

from ledger.chain.addresses import show_address
from ledger.cli.view import plain, table

if TYPE_CHECKING:
    from ledger.services.imports.journal import Import
    from ledger.services.imports.planning import Plan
    from ledger.services.imports.results import Result, Summary
    from ledger.services.imports.spool import Line

SHOWN_ROWS = 20

# ruff: noqa: PLC0415  services take a second to import, and --help must not wait for them


def stream_json(values: Mapping[str, Any], name: str, rows: Iterable[Mapping[str, Any]]) -> None:
    """One JSON document with `rows` as a list under `name`, written as they come."""
    head = json.dumps(values, indent=2, ensure_ascii=False)
    out = sys.stdout
    out.write(head.removesuffix("\n}") + f',\n  "{name}": [')
    for number, row in enumerate(rows):
        out.write(("," if number else "") + "\n    " + json.dumps(row, ensure_ascii=False))
    out.write("\n  ]\n}\n")
    out.flush()


def describe_plan(plan: Plan) -> dict[str, Any]:
    """A preview's head, for JSON."""
    return {
        "preview": True,
        "kind": plan.file.subject.value,
        "file": str(plan.file.path),
        "content_hash": plain(plan.content_hash),
        "import_id": plain(plan.import_id),
        "signer": show_address(plan.file.sender),
        "rows_total": plan.line_count,
        "counts": {action.value: count for action, count in plan.counts().items()},
    }


def describe_line(line: Line) -> dict[str, Any]:
    """A row of a preview, for JSON."""
    return {
        "row": line.line,
        "reference": line.reference,
        "action": line.action.value,
        "what": line.shown,
        "note": line.note,
        "problems": [
            {
                "field": each.field,
                "value": each.value,
                "expected": each.expected,
                "sentence": str(each),
            }
            for each in line.problems
        ],
    }


def say_plan(plan: Plan) -> str:
    """A preview for people: the first rows that are wrong, and how many there are of what."""
    from ledger.services.imports.spool import Action

    counts = plan.counts()
    parts = []
    if counts[Action.WRONG]:
        parts.append(_table_of_wrong(plan, counts[Action.WRONG]))
    elif counts[Action.SEND]:
        first = list(plan.lines(Action.SEND, limit=5))
        parts.append(table(("row#", "reference", "what"), [_shown(each) for each in first]))
    meanings = {
        Action.SEND: "would be sent",
        Action.WAITING: "on their way, written down before",
        Action.DONE: "brought before; nothing is done about them",
        Action.THERE: "so already",
        Action.WRONG: "wrong",
    }
    told = [(f"{counts[each]:,}", meaning) for each, meaning in meanings.items() if counts[each]]
    parts.append(table((f"{plan.line_count:,}#", "rows of " + plan.file.path.name), told))
    return "\n\n".join(parts)


def write_plan(path: Any, plan: Plan) -> int:
    """Write a preview's rows, all of them, as CSV or as a workbook."""
    from ledger.services.spreadsheets.writing import write_table

    headings = ("row", "reference", "action", "what", "note", "field", "value", "expected")
    return write_table(
        path,
        headings,
        (
            (
                *(each.line, each.reference, each.action.value, each.shown, each.note),
                *_joined(each),
            )
            for each in plan.lines()
        ),
    )


def describe_summary(summary: Summary) -> dict[str, Any]:
    """An import with its counts, for JSON."""
    found = summary.found
    return {
        "import_id": plain(found.import_id),
        "kind": found.kind,
        "file": found.file_name,
        "content_hash": plain(found.content_hash),
        "label": found.label,
        "signer": show_address(found.sender),
        "rows_total": found.line_count,
        "created_at": plain(found.created_at, "created_at"),
        "finished": summary.is_finished,
        "counts": summary.counts,
    }


def describe_result(result: Result, made: str) -> dict[str, Any]:
    """A line's result, for JSON."""
    return {
        "row": result.line,
        "reference": result.reference,
        "state": result.state,
        "operation_id": plain(result.operation_id) if result.operation_id else None,
        made: result.made,
        "transaction_hash": plain(result.transaction_hash) if result.transaction_hash else None,
        "block_number": result.block_number,
        "earlier": result.earlier,
        "error": {"code": result.code, "sentence": result.sentence} if result.code else None,
    }


def say_results(found: Import, results: Iterable[Result], summary: Summary) -> str:
    """Results for people: the first that are not done, and how many there are of what."""
    open_ones: list[tuple[object, ...]] = []
    left_out = 0
    for each in results:
        if each.is_done:
            continue
        if len(open_ones) < SHOWN_ROWS:
            open_ones.append((each.line, each.reference, each.state, each.sentence))
        else:
            left_out += 1
    parts = []
    if open_ones:
        shown = table(("row#", "reference", "state", "why"), open_ones)
        parts.append(shown + _left_out(left_out, "in the results"))
    told = sorted(summary.counts.items())
    rows = [(f"{count:,}", state) for state, count in told]
    parts.append(table((f"{found.line_count:,}#", f"rows of {found.file_name}"), rows))
    return "\n\n".join(parts)


def say_imports(summaries: Iterable[Summary]) -> str:
    """A table of imports."""
    rows = [
        (
            each.found.name,
            plain(each.found.created_at, "created_at"),
            each.found.kind,
            each.found.file_name,
            f"{each.found.line_count:,}",
            ", ".join(f"{count:,} {state}" for state, count in sorted(each.counts.items())),
        )
        for each in summaries
    ]
    return (
        table(("import", "at", "kind", "file", "rows#", "how far"), rows) if rows else "None yet."
    )


def note(line: str, *, quiet: bool = False) -> None:
    """A line for people, on stderr."""
    if not quiet:
        typer.echo(line, err=True)


def _table_of_wrong(plan: Plan, count: int) -> str:
    from ledger.services.imports.spool import Action

    rows = []
    for line in plan.lines(Action.WRONG, limit=SHOWN_ROWS):
        for each in line.problems:
            told = each.sentence or f"is not {each.expected}"
            rows.append((line.line, line.reference, each.field, each.value, told))
    shown = table(("row#", "reference", "column", "holds", "why it is wrong"), rows)
    return shown + _left_out(count - SHOWN_ROWS, "with --report FILE or --json")


def _left_out(count: int, where: str) -> str:
    return f"\n… and {count:,} more; all are {where}." if count > 0 else ""


def _shown(line: Line) -> tuple[object, ...]:
    return line.line, line.reference, line.shown


def _joined(line: Line) -> tuple[str, str, str]:
    fields = "; ".join(each.field for each in line.problems)
    values = "; ".join(each.value for each in line.problems)
    expected = "; ".join(each.sentence or each.expected for each in line.problems)
    return fields, values, expected
