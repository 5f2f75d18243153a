"""`moonlake up` names on its terminal what keeps its answers from being true, once, and its end."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ledger.cli.stack import Readiness, Stack
from tests.support.stacks import stack_settings

READY = Readiness(block=7)
SILENT = Readiness(problem="the server does not answer (refused)")
STALE = Readiness(code="mirror.stale", problem="The mirror has not looked for 31 s.")
FULL = Readiness(code="mirror.cannot_write", problem="The mirror cannot write.")


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ([READY, READY], []),
        ([FULL, READY], []),  # it passed before anybody could do anything
        ([SILENT, SILENT, SILENT], []),
        (
            [READY, FULL, FULL, FULL, READY, READY],
            ["Not ready: The mirror cannot write.", "Ready again, at block 7."],
        ),
        (
            [STALE, STALE, FULL, FULL, SILENT, FULL],
            [
                "Not ready: The mirror has not looked for 31 s.",
                "Not ready: The mirror cannot write.",
            ],
        ),
    ],
)
def test_readiness__asked_again_and_again__is_said_where_it_lasts(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    answers: list[Readiness],
    said: list[str],
) -> None:
    told: list[str] = []
    stack = Stack(
        stack_settings(tmp_path / "home"),
        stopping=threading.Event(),
        report=told.append,
        progress=lambda _done, _total: None,
    )
    given = iter(answers)
    monkeypatch.setattr(stack, "_ask_readiness", lambda: next(given))

    for _ in answers:
        stack._say_readiness()

    assert told == said
