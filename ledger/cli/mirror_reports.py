"""How a running mirror is shown: lines for a log, or a bar with rate and time left."""

from __future__ import annotations

import json
import sys
import time
from types import TracebackType
from typing import Any, Self

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from ledger.disks import is_full
from ledger.mirror.reports import (
    Applied,
    Building,
    CaughtUp,
    NodePassedOver,
    OtherLeads,
    Report,
    Subscribed,
    SubscriptionLost,
    Upgrading,
    Waiting,
)

_CATCHING_UP_EVERY = 5.0
"""Seconds between two lines about a mirror that is far behind."""


class LineReporter:
    """One line for each thing that a person wants to know afterwards; empty blocks are none.

    With `as_json` every line is a JSON document on stdout, else a sentence on stderr.
    """

    def __init__(self, *, as_json: bool, quiet: bool = False) -> None:
        self._as_json = as_json
        self._quiet = quiet
        self._last_problem = ""
        self._is_behind = True
        self._said_at = 0.0

    def __call__(self, report: Report) -> None:
        if self._is_repeated(report) or self._quiet:
            return
        if self._as_json:
            typer.echo(json.dumps(as_values(report)))
            sys.stdout.flush()
        else:
            self._say(as_sentence(report))

    @staticmethod
    def _say(line: str) -> None:
        """Write the line, unless the disk of the log is full: that ends no mirroring."""
        try:
            typer.echo(line, err=True)
        except OSError as error:
            if not is_full(error):
                raise

    def _is_repeated(self, report: Report) -> bool:
        if isinstance(report, Waiting | NodePassedOver):
            repeated = str(report.problem) == self._last_problem
            self._last_problem, self._is_behind = str(report.problem), True
            return repeated
        if isinstance(report, CaughtUp):
            was_behind, self._is_behind = self._is_behind, False
            self._last_problem = ""
            return not was_behind
        if isinstance(report, Building):
            return not self._is_due()
        if isinstance(report, Applied) and report.state.lag > 0:
            self._is_behind = True
            return not report.rolled_back and not self._is_due()
        return isinstance(report, Applied) and report.logs == 0 and not report.rolled_back

    def _is_due(self) -> bool:
        due = time.monotonic() - self._said_at >= _CATCHING_UP_EVERY
        if due:
            self._said_at = time.monotonic()
        return due


class BarReporter:
    """A bar on a terminal for each long work, with rate and time left; a context manager."""

    def __init__(self, console: Console | None = None) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]}"),
            TimeRemainingColumn(),
            console=console or Console(stderr=True),
            transient=True,
        )
        self._tasks: dict[str, TaskID] = {}
        self._began: dict[str, float] = {}
        self._logs: dict[str, int] = {}

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def __call__(self, report: Report) -> None:
        match report:
            case Applied(state, logs, _):
                self._advance(
                    "Mirroring blocks",
                    state.cursor.number - state.first_block + 1,
                    state.head_number - state.first_block + 1,
                    logs,
                )
            case Building(first, block, last, logs):
                self._advance("Building tables", block - first + 1, last - first + 1, logs)
            case CaughtUp():
                pass
            case _:
                self._progress.console.print(as_sentence(report), highlight=False)

    def _advance(self, work: str, done: int, total: int, logs: int) -> None:
        if work not in self._tasks:
            self._tasks[work] = self._progress.add_task(work, total=total, rate="")
            self._began[work] = time.monotonic()
            self._logs[work] = 0
        self._logs[work] += logs
        rate = self._logs[work] / max(time.monotonic() - self._began[work], 0.001)
        self._progress.update(
            self._tasks[work], completed=done, total=total, rate=f"{rate:,.0f} events a second"
        )


def as_sentence(report: Report) -> str:  # noqa: PLR0911  one for each kind of report
    """A report as a person reads it."""
    match report:
        case Applied(state, logs, rolled_back):
            taken_back = f"the chain replaced {_blocks(rolled_back)}; " if rolled_back else ""
            behind = f", {_blocks(state.lag)} behind" if state.lag else ""
            return f"Block {state.cursor.number}: {taken_back}{_events(logs)}{behind}."
        case NodePassedOver(url, problem):
            return f"Asking another node instead of {url}: {problem}"
        case Waiting(problem, seconds):
            return f"Waiting: {problem} Looking again in {seconds:g} s. [{problem.code}]"
        case Subscribed(url):
            return f"New blocks are pushed by {url}."
        case SubscriptionLost(url, problem):
            return f"New blocks are no longer pushed by {url}, and asked for: {problem}"
        case OtherLeads():
            return "Waiting: another mirror writes this database."
        case Building(first, block, last, _):
            done, total = block - first + 1, last - first + 1
            return f"Building tables from stored facts: {done} of {_blocks(total)}."
        case Upgrading(found, needed):
            return f"Upgrading the mirror's tables from version {found} to {needed}."
        case CaughtUp(block):
            return f"Block {block}: the mirror is at the chain's head."


def as_values(report: Report) -> dict[str, Any]:  # noqa: PLR0911  one for each kind of report
    """A report as JSON."""
    match report:
        case Applied(state, logs, rolled_back):
            return {
                "report": "applied",
                "block_number": state.cursor.number,
                "block_hash": "0x" + state.cursor.hash.hex(),
                "head_number": state.head_number,
                "events": logs,
                "rolled_back": rolled_back,
            }
        case NodePassedOver(url, problem):
            return {"report": "node_passed_over", "url": url, "problem": _problem(problem)}
        case Waiting(problem, seconds):
            return {"report": "waiting", "seconds": seconds, "problem": _problem(problem)}
        case Subscribed(url):
            return {"report": "subscribed", "url": url}
        case SubscriptionLost(url, problem):
            return {"report": "subscription_lost", "url": url, "problem": _problem(problem)}
        case OtherLeads():
            return {"report": "other_leads"}
        case Building(first, block, last, logs):
            return {
                "report": "building",
                "first_block": first,
                "block_number": block,
                "last_block": last,
                "events": logs,
            }
        case Upgrading(found, needed):
            return {"report": "upgrading", "found": found, "needed": needed}
        case CaughtUp(block):
            return {"report": "caught_up", "block_number": block}


def _problem(problem: Any) -> dict[str, str]:
    return {"code": problem.code, "sentence": str(problem), "advice": problem.advice}


def _blocks(count: int) -> str:
    return "1 block" if count == 1 else f"{count} blocks"


def _events(count: int) -> str:
    return "1 event" if count == 1 else f"{count} events"
