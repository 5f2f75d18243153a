"""Shares are computed again from entries alone, and a wrong root is told from a right one.

The epoch is over: three members have 50, 30 and 20 credits of it, and a fourth has awards of the
epoch after it only.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from api.schemas.entries import EntryView
from ledger.chain.contracts import shares
from ledger.cli import main as command_line
from ledger.cli.view import show_time
from ledger.domain.ids import DistributionId, OrgId
from ledger.domain.shares import Share, ShareRule
from ledger.domain.sharing import Distribution
from ledger.errors import InvalidValue
from ledger.mirror.queries.entries import EntryFilter, list_entries
from ledger.mirror.queries.moments import latest_moment
from ledger.services.sharing.distributing import compute_shares, read_epoch
from ledger.store.engine import reading
from tests.mirror.conftest import Mirrored, Open
from tests.support.dealings import CHECKING
from tests.support.happenings import FAR, Ledger

POOL, EPOCH, UNIT = 10, 1, "slots"
AWARDED = ((OrgId(1), 50), (OrgId(2), 30), (OrgId(3), 20))
SHARES = {1: 5, 2: 3, 3: 2}


class Season:
    """A programme whose first epoch is over, and the command line on a mirror of it."""

    def __init__(
        self, ledger: Ledger, mirrored: Mirrored, url: str, capture: pytest.CaptureFixture[str]
    ) -> None:
        self.ledger, self.mirrored, self.url, self.capture = ledger, mirrored, url, capture
        self.begins, self.ends = 1_600_000_000, ledger.now + 10_000
        self.programme = ledger.found_programme("season", boundaries=(self.begins, self.ends, FAR))
        ledger.admit(self.programme, [OrgId(1), OrgId(2), OrgId(3), OrgId(4)])
        ledger.award(self.programme, *AWARDED)
        ledger.pass_time(10_001)
        ledger.award(self.programme, (OrgId(4), 1000))

    def right(self) -> Distribution:
        """What a council that computes rightly posts."""
        state = self.mirrored.sync()
        with reading(self.mirrored.engine) as connection:
            given = read_epoch(connection, latest_moment(state), self.programme, EPOCH)
        computed = compute_shares(given, ShareRule(), POOL)
        begins = self.ledger.now + 2 * CHECKING
        return Distribution(
            self.programme, EPOCH, POOL, UNIT, ShareRule().digest(), computed.tree.root, begins, FAR
        )

    def post(self, distribution: Distribution) -> DistributionId:
        """Post it; its number."""
        post = shares.encode_post(distribution, self.ledger.operation())
        self.ledger.send("council", "Shares", post)
        return DistributionId(self.ledger.contracts.shares.distribution_count(at="latest"))

    def claim(self, distribution_id: DistributionId, share: Share, proof: Sequence[str]) -> None:
        """Claim by the organisation's controller."""
        hashes = [bytes.fromhex(each[2:]) for each in proof]
        claim = shares.encode_claim(distribution_id, share, hashes, self.ledger.operation())
        self.ledger.send(self.ledger.controller(share.org_id), "Shares", claim)

    def run(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """Run `moonlake distribution …` on the mirror: its exit code and its answer."""
        self.mirrored.sync()
        return run(self.capture, *arguments, "--database-url", self.url)


def run(capture: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    """Run `moonlake distribution …` in this process: its exit code and its answer."""
    # What computes a file answers with it, and has no other answer.
    form = [] if arguments[0] == "compute" else ["--json"]
    with mock.patch.object(sys, "argv", ["moonlake", "distribution", *arguments, *form]):
        try:
            code = command_line.main()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return code, json.loads(capture.readouterr().out)


@pytest.fixture
def season(
    ledger: Ledger, open_mirror: Open, sqlite_url: str, capsys: pytest.CaptureFixture[str]
) -> Season:
    mirrored = open_mirror(sqlite_url, ledger.deployment, ledger.anvil.url)
    return Season(ledger, mirrored, sqlite_url, capsys)


def amounts(answer: dict[str, Any]) -> dict[int, int]:
    return {share["org_id"]: share["amount"] for share in answer["shares"]}


def test_root__posted_by_the_rule__is_found_right_and_its_proofs_are_taken(season: Season) -> None:
    posted = season.post(season.right())

    code, answer = season.run("check", str(posted))

    assert (code, answer["correct"], answer["findings"]) == (0, True, [])
    assert amounts(answer["computed"]) == SHARES
    season.ledger.pass_time(2 * CHECKING)
    for share in answer["computed"]["shares"]:
        season.claim(posted, Share(OrgId(share["org_id"]), share["amount"]), share["proof"])


def test_root__computed_from_a_server_s_pages__is_that_of_the_mirror(
    season: Season, tmp_path: Path
) -> None:
    """Somebody who has no mirror and believes no root, only entries."""
    state = season.mirrored.sync()
    with reading(season.mirrored.engine) as connection:
        listed = list_entries(connection, latest_moment(state), EntryFilter(), limit=100)
    pages = []
    for number, part in enumerate((listed[:2], listed[2:])):
        path = tmp_path / f"page-{number}.json"
        items = [EntryView.of(entry).model_dump(mode="json") for entry in part]
        path.write_text(json.dumps({"items": items, "next": None}), "utf-8")
        pages.append(str(path))
    times = ("--begins", show_time(season.begins), "--ends", show_time(season.ends))

    of = ("--programme", str(season.programme), "--epoch", str(EPOCH), "--pool", str(POOL))
    root = "0x" + season.right().root.hex()

    code, answer = run(season.capture, "recompute", *pages, *of, *times, "--root", root)

    assert (code, answer.pop("agrees"), amounts(answer)) == (0, True, SHARES)
    assert answer == season.run("compute", "season", str(EPOCH), "--pool", str(POOL))[1]

    code, answer = run(season.capture, "recompute", pages[0], *of, *times, "--root", root)
    assert (code, answer["agrees"]) == (1, False)


def test_distribution__that_does_not_follow_from_the_entries__is_found_wrong(
    season: Season,
) -> None:
    right = season.right()
    for wrong, finding in (
        (replace(right, root=b"\7" * 32), "root"),
        (replace(right, pool=POOL + 1), "root"),
        (replace(right, rule=b"\7" * 32), "rule"),
    ):
        code, answer = season.run("check", str(season.post(wrong)))

        assert (code, answer["correct"]) == (1, False)
        assert [finding in each for each in answer["findings"]] == [True]


def test_distribution__in_the_place_of_a_withdrawn_one__leaves_out_what_was_claimed(
    season: Season,
) -> None:
    first = season.post(season.right())
    season.ledger.pass_time(2 * CHECKING)
    _, answer = season.run("check", str(first))
    claimed = next(share for share in answer["computed"]["shares"] if share["org_id"] == 2)
    season.claim(first, Share(OrgId(2), claimed["amount"]), claimed["proof"])
    withdraw = shares.encode_withdraw(first, season.ledger.operation())
    season.ledger.send("council", "Shares", withdraw)
    again = season.post(season.right())  # as if nobody had claimed

    code, answer = season.run("check", str(again))

    assert (code, answer["computed"]["left_out"]) == (1, [{"org_id": 2, "amount": 3}])
    assert amounts(answer["computed"]) == {1: 5, 3: 2}
    rest = bytes.fromhex(answer["computed"]["root"][2:])
    right = season.post(replace(season.right(), pool=POOL - 3, root=rest))
    assert season.run("check", str(right))[0] == 0
    computed = season.run("compute", "season", str(EPOCH), "--pool", str(POOL), "--unit", UNIT)[1]
    assert (computed["root"], computed["pool"]) == ("0x" + rest.hex(), POOL - 3)


def test_shares__where_nobody_contributed__are_none_and_a_posted_root_is_wrong(
    season: Season, tmp_path: Path
) -> None:
    rule = tmp_path / "rule.json"
    rule.write_bytes(ShareRule(minimum=Fraction(1000)).to_json())
    posted = season.post(season.right())

    code, answer = season.run("check", str(posted), "--rule", str(rule))

    assert code == 1
    assert answer["findings"][:2] == [
        "it was posted with another rule",
        "nobody has a share of it by these entries",
    ]
    code, answer = season.run("compute", "season", "1", "--pool", str(POOL), "--rule", str(rule))
    assert (code, answer["shares"], answer["undistributed"]) == (0, [], POOL)
    assert answer["root"] == "0x" + "00" * 32


@pytest.mark.parametrize("epoch", [0, 2, 3])
def test_shares__of_an_epoch_that_is_not_over__are_refused(season: Season, epoch: int) -> None:
    state = season.mirrored.sync()

    with (
        reading(season.mirrored.engine) as connection,
        pytest.raises(InvalidValue, match=r"^epoch: .* is not an epoch that is over: 1 to 1\.$"),
    ):
        read_epoch(connection, latest_moment(state), season.programme, epoch)


@pytest.mark.parametrize("content", ["", "[]", '{"items": [{}]}', '{"items": 7}'])
def test_page__that_is_none__is_refused_by_its_name(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str
) -> None:
    path = tmp_path / "page.json"
    path.write_text(content, "utf-8")
    of = ("--programme", "1", "--epoch", "1", "--pool", "10")
    times = ("--begins", "2026-01-01", "--ends", "2026-04-01")

    code, answer = run(capsys, "recompute", str(path), *of, *times)

    assert (code, answer["error"]["code"]) == (2, "input.invalid_file")
    assert str(path) in answer["error"]["sentence"]
