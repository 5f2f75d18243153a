"""The mirror's benchmarks run, so that they cannot rot: once, on a chain of a few blocks."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks import mirror, stages

CHOSEN = ("floor", "heads", "rebuild", "push", "reorganisation")
"""One of each kind."""


def test_benchmark__of_a_few_blocks__says_all_that_was_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    scale = ("--scale", "0.004", "--folder", str(tmp_path))
    mirror.main([*scale, "--repeat", "1", "--latencies", "2", "--only", *CHOSEN])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("800 entries in 10 blocks, 40 organisations")
    assert len(lines) - 4 == len(CHOSEN) + 3  # four floors


def test_stages__of_a_few_blocks__are_told_for_each_process(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    stages.main(["--scale", "0.004", "--folder", str(tmp_path)])
    told = capsys.readouterr().out
    assert told.count("| seconds | share |") == told.count("| all |") == 4
    for stage in ("JSON", "insert entries", "SELECT", "put the tables in"):
        assert f"| {stage} |" in told
