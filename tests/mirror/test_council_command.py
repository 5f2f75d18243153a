"""`moonlake council`: what is proposed, in sentences told from the mirrored calls."""

from __future__ import annotations

import json
import sys
from typing import Any
from unittest import mock

import pytest

from ledger.chain.addresses import show_address
from ledger.cli import main as command_line
from tests.mirror.conftest import Open
from tests.support.happenings import Ledger


def run(capture: pytest.CaptureFixture[str], url: str, *arguments: str) -> tuple[int, str]:
    """Run `moonlake council …` in this process: its exit code and what it said."""
    given = ["moonlake", "council", *arguments, "--database-url", url]
    with mock.patch.object(sys, "argv", given):
        try:
            code = command_line.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, capture.readouterr().out


@pytest.fixture
def url(sqlite_url: str, told_ledger: Ledger, open_mirror: Open) -> str:
    """A mirror of a ledger in which councils did all that they can do."""
    open_mirror(sqlite_url, told_ledger.deployment, told_ledger.anvil.url).sync()
    return sqlite_url


def test_council__of_every_proposal__tells_what_it_would_do(
    url: str, told_ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(capsys, url, "list", "--json")
    proposals: list[dict[str, Any]] = json.loads(said)["proposals"]
    count = told_ledger.contracts.council.proposal_count(at="latest")

    assert code == 0
    assert [each["proposal_id"] for each in proposals] == list(range(count, 0, -1))
    for each in proposals:
        code, said = run(capsys, url, "show", str(each["proposal_id"]), "--json")
        answer = json.loads(said)
        assert code == 0
        assert [call["number"] for call in answer["calls"]] == [
            number for number, _ in enumerate(each["calls"], start=1)
        ]
        assert all(call["readable"] for call in answer["calls"]), answer
        assert answer["proposal"]["calls_hash"] == each["calls_hash"]


def test_council__of_one_proposal__says_in_words_who_approved_what(
    url: str, told_ledger: Ledger, capsys: pytest.CaptureFixture[str]
) -> None:
    code, said = run(capsys, url, "show", "1")

    assert code == 0
    assert said.startswith("Proposal 1 of programme 3: executed.\n")
    assert f"by {show_address(told_ledger.officers['checker'].address)}" in said
    assert "\n1. " in said
    sentence = "2. Lets proposals of programme 3 (fund) need 2 approvals from now on."
    assert said.splitlines()[-1] == sentence

    code, said = run(capsys, url, "show", "1", "--language", "zh-CN")
    assert code == 0
    assert "2" in said.splitlines()[-1]
    assert "fund" in said.splitlines()[-1]
    assert not said.splitlines()[-1].isascii()


def test_council__asked_for_what_is_none__says_so(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in (("show", "99"), ("show", "x"), ("show", "1", "--language", "fr")):
        code, said = run(capsys, url, *arguments, "--json")
        assert (code, json.loads(said)["error"]["code"][:6]) == (2, "input.")
