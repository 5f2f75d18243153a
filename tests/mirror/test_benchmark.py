"""The mirror's benchmarks run, so that they cannot rot: once, on a chain of a few blocks."""

from __future__ import annotations

import pytest

from tests.benchmarks import mirror, stages

CHOSEN = ("floor", "heads", "rebuild", "push", "reorganisation")
"""One of each kind."""


@pytest.fixture(scope="module")
def chains(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Where the chain of a few blocks is kept once it is built."""
    return str(tmp_path_factory.mktemp("chains"))


def test_benchmark__of_a_few_blocks__says_all_that_was_asked_for(
    chains: str, capsys: pytest.CaptureFixture[str]
) -> None:
    scale = ("--scale", "0.004", "--folder", chains)
    mirror.main([*scale, "--repeat", "1", "--latencies", "2", "--only", *CHOSEN])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("800 entries in 10 blocks, 40 organisations")
    assert len(lines) - 4 == len(CHOSEN) + 3  # four floors


def test_benchmark__of_a_chain_made_longer__has_all_of_it_proved(
    chains: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A block that is not as it would be, and the state after the last one, would be refused."""
    scale = ("--scale", "0.004", "--folder", chains, "--longer", "3")
    mirror.main([*scale, "--repeat", "1", "--only", "floor", "sqlite", "heads"])
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("2,400 entries in 30 blocks, 40 organisations")
    assert len(lines) - 4 == 6


def test_stages__of_a_few_blocks__are_told_for_each_process(
    chains: str, capsys: pytest.CaptureFixture[str]
) -> None:
    stages.main(["--scale", "0.004", "--folder", chains])
    told = capsys.readouterr().out
    assert told.count("| seconds | share |") == told.count("| all |") == 4
    for stage in ("JSON", "insert entries", "SELECT", "put the tables in"):
        assert f"| {stage} |" in told
