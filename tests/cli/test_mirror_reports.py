"""How a running mirror is shown: bars with rate and time left, or a line now and then."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from rich.console import Console

from ledger.cli import mirror_reports
from ledger.cli.mirror_reports import BarReporter, LineReporter
from ledger.domain.ids import BlockNumber
from ledger.mirror.reports import Applied, Building, CaughtUp, OtherLeads, Report, Upgrading
from ledger.mirror.state import BlockMark, MirrorState


def applied(block: int, head: int, logs: int) -> Applied:
    """A range that ends at a block."""
    mark = BlockMark(BlockNumber(block), b"\1" * 32, 5)
    state = MirrorState(
        schema_version=1,
        chain_id=1,
        genesis_hash=b"\2" * 32,
        deployment=b"\3" * 32,
        first_block=BlockNumber(1),
        cursor=mark,
        final_number=BlockNumber(0),
        generation=0,
        head_number=BlockNumber(head),
        looked_at=0,
        halt=None,
    )
    return Applied(state, logs, 0)


def building(block: int, logs: int = 100) -> Building:
    """Tables built up to a block."""
    return Building(BlockNumber(1), BlockNumber(block), BlockNumber(1000), logs)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Sets the reporters' time."""
    now = [100.0]
    monkeypatch.setattr(mirror_reports.time, "monotonic", lambda: now[0])

    def set_to(seconds: float) -> None:
        now[0] = 100.0 + seconds

    return set_to


@pytest.mark.parametrize(
    ("first", "second", "name"),
    [
        (applied(1, 1000, 100), applied(500, 1000, 900), "Mirroring blocks"),
        (building(1), building(500, 900), "Building tables"),
    ],
)
def test_bar__on_a_terminal__has_count_rate_and_time_left(
    clock: Callable[[float], None], first: Report, second: Report, name: str
) -> None:
    terminal = io.StringIO()
    console = Console(file=terminal, force_terminal=True, width=120)
    with BarReporter(console) as bar:
        bar(first)
        clock(2.0)
        bar(second)
        bar(OtherLeads())
        bar(CaughtUp(BlockNumber(1000)))
    shown = terminal.getvalue()
    assert name in shown
    assert "500/1000" in shown
    assert "500 events a second" in shown
    assert "0:00:0" in shown
    assert "another mirror writes this database" in shown


def test_lines__of_a_long_build__come_now_and_then(
    clock: Callable[[float], None], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = LineReporter(as_json=False)
    lines(Upgrading(2, 3))
    for seconds in range(12):
        clock(float(seconds))
        lines(building(10 * seconds + 1))
    said = capsys.readouterr().err.splitlines()
    assert said == [
        "Upgrading the mirror's tables from version 2 to 3.",
        "Building tables from stored facts: 1 of 1000 blocks.",
        "Building tables from stored facts: 51 of 1000 blocks.",
        "Building tables from stored facts: 101 of 1000 blocks.",
    ]
