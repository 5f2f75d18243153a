"""`moonlake up --demo`, end to end: what a newcomer sees is all of the roster and adds up."""

from __future__ import annotations

import csv
from collections import Counter
from typing import Any

import pytest

from ledger.config import Settings
from ledger.data import ROSTER
from ledger.domain.ids import ProgrammeId
from ledger.office.access_log import read_lines, verify_access_log
from ledger.office.log import VIA, read_steps
from ledger.store.engine import reading
from ledger.wiring import opened_chain, opened_database
from tests.support.stacks import RunningStack, moonlake, moonlake_json


@pytest.fixture
def settings(demonstration: RunningStack) -> Settings:
    return demonstration.settings


def pages(stack: RunningStack, path: str, name: str) -> list[dict[str, Any]]:
    """All items of a listing, page by page."""
    items: list[dict[str, Any]] = []
    following: str | None = path
    while following:
        status, body = stack.get(following)
        assert status == 200, body
        items += body[name]
        cursor = body["next"]
        joined = "&" if "?" in path else "?"
        following = f"{path}{joined}cursor={cursor}" if cursor else None
    return items


def test_roster__over_http__has_the_events_counts(demonstration: RunningStack) -> None:
    organisations = pages(demonstration, "/v1/organisations?limit=10", "items")
    members = pages(demonstration, "/v1/organisations?programme=community&limit=5", "items")

    assert len(organisations) == 44
    assert len(members) == 17
    _, found = demonstration.get("/v1/organisations?q=%E9%93%B6%E6%B2%B3")
    assert [each["name_en"] for each in found["items"]] == ["GalaxySpace"]


def test_memberships__of_all_programmes__are_the_rosters_and_who_was_admitted(
    settings: Settings,
) -> None:
    found = moonlake_json(settings, "membership", "list")["memberships"]

    standings = [each["standing"] for each in found]
    assert len(found) == 29 + 40
    assert (standings.count("active"), standings.count("lapsed")) == (68, 1)
    assert sum(each["programme"] == "community" for each in found) == 17


def test_applications__of_the_roster__were_filed_reviewed_and_decided_over_http(
    demonstration: RunningStack, settings: Settings
) -> None:
    with ROSTER.joinpath("organisations.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["applies_to"]]
    found = moonlake_json(settings, "application", "list")["applications"]
    with opened_database(settings) as engine, reading(engine) as connection:
        steps = [
            [(each.actor, each.action) for each in read_steps(connection, subject)]
            for subject in (f"application:{each['application_id']}" for each in found)
        ]
        asked = Counter(each.action for each in read_lines(connection) if each.via != VIA)
        verify_access_log(connection)

    assert (len(rows), sum(not row["member_of"] for row in rows)) == (42, 16)
    states = Counter((each["state"], each["reason"]) for each in found)
    assert states == {
        ("admitted", ""): 40,
        ("declined", "documents.missing"): 1,
        ("declined", "membership.lapsed"): 1,
    }
    for case, taken in zip(found, steps, strict=True):
        assert case["recommended_by"] != case["confirmed_by"]
        assert [action for _, action in taken if action != "attached"] == [
            "opened",
            "filed",
            "recommended",
            "confirmed",
            case["state"],
        ]
        assert taken[0][0] == case["controller"]  # it signed in with its own wallet
    assert (asked["application.filed"], asked["application.attached"]) == (42, 41)
    assert (asked["application.recommended"], asked["applications.decided"]) == (3, 1)
    _, programme = demonstration.get("/v1/programmes/alliance")
    assert programme["member_count"] == 42


def test_balances__of_every_organisation__add_up_to_what_is_outstanding_on_the_chain(
    demonstration: RunningStack,
) -> None:
    organisations = pages(demonstration, "/v1/organisations?limit=100", "items")
    sums: dict[str, int] = {}
    for each in organisations:
        _, body = demonstration.get(f"/v1/organisations/{each['org_id']}/balances")
        for balance in body["items"]:
            sums[balance["programme"]] = sums.get(balance["programme"], 0) + balance["credits"]

    with opened_chain(demonstration.settings) as chain:
        outstanding = {
            key: chain.contracts.credits.outstanding(ProgrammeId(number), at="latest")
            for number, key in enumerate(("alliance", "community", "fund-group"), start=1)
        }
    assert sums == outstanding
    assert all(amount > 0 for amount in outstanding.values())


def test_entries__every_one__names_block_transaction_and_evidence_that_exists_and_is_made_up(
    demonstration: RunningStack,
) -> None:
    entries = pages(demonstration, "/v1/entries?limit=100", "items")

    season = [each for each in entries if each["entry_id"] <= 270]
    assert len(season) == 270
    for entry in season:
        assert entry["block_number"] > 0
        assert len(entry["transaction_hash"]) == 66
        assert entry["evidence"]["document"]["made_up"] is True
    for commitment in {entry["evidence"]["commitment"] for entry in season[:5]}:
        status, body = demonstration.get(f"/v1/evidence/{commitment}")
        assert status == 200, body
        assert body["made_up"] is True


def test_doctor__of_a_running_demonstration__finds_everything_right(settings: Settings) -> None:
    done = moonlake(settings, "doctor")
    found = moonlake_json(settings, "doctor")

    assert done.returncode == 0, done.stdout
    assert found["healthy"] is True
    assert {each["state"] for each in found["findings"]} == {"ok"}
    assert [each["subject"] for each in found["findings"]] == [
        "Python",
        "Node.js",
        "anvil",
        "data folder",
        "server's port",
        "database",
        "keys",
        "policies",
        "remote signers",
        "chain",
        "coin",
        "deployment",
        "mirror",
    ]


def test_import__of_the_roster_that_is_there__does_nothing_and_says_so(settings: Settings) -> None:
    done = moonlake(settings, "import", "roster", str(ROSTER))
    counts = moonlake_json(settings, "import", "roster", str(ROSTER), "--dry-run")["counts"]

    assert done.returncode == 0, done.stderr
    assert "nothing to do" in done.stdout
    assert counts["organisation"] == {"add": 0, "keep": 44, "cannot": 0}
    assert counts["membership"] == {"add": 0, "keep": 29, "cannot": 0}
