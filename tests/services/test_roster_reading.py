"""A roster is read whole, or refused with the row that is wrong."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.data import DEMONSTRATION, ROSTER
from ledger.errors import InvalidFile
from ledger.services.roster.reading import DEFAULT_TIER, read_roster

Edit = Callable[[str, str, str], Path]


@pytest.fixture
def edit(tmp_path: Path) -> Edit:
    """Copies the roster, replacing the first such text in one of its files."""

    def change(file: str, old: str, new: str) -> Path:
        folder = tmp_path / "roster"
        shutil.copytree(ROSTER, folder)
        text = (folder / file).read_text("utf-8")
        assert old in text
        (folder / file).write_text(text.replace(old, new, 1), "utf-8")
        return folder

    return change


def test_read_roster__the_one_that_ships__has_the_events_facts() -> None:
    roster = read_roster(ROSTER)

    members = [programme for row in roster.organisations for programme in row.member_of]
    assert len(roster.organisations) == 44
    assert len(members) == 29
    assert {key: members.count(key) for key in set(members)} == {
        "alliance": 2,
        "community": 17,
        "fund-group": 10,
    }
    assert [row.key for row in roster.programmes] == ["alliance", "community", "fund-group"]
    assert all(row.tiers == (DEFAULT_TIER,) for row in roster.programmes)
    assert sum(len(row.categories) for row in roster.programmes) == 19
    assert sum(len(row.benefits) for row in roster.programmes) == 8


def test_read_roster__with_tiers_of_another_file__has_them_in_order() -> None:
    roster = read_roster(ROSTER, tiers_file=DEMONSTRATION / "tiers.csv")

    assert [tier.key for tier in roster.programmes[0].tiers] == ["founder", "member", "observer"]


def test_read_roster__controller_column__takes_precedence(edit: Edit) -> None:
    address = "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed"
    folder = edit("organisations.csv", "applies_to,note\n", "applies_to,note,controller\n")
    path = folder / "organisations.csv"
    lines = path.read_text("utf-8").splitlines()
    rows = [line + "," for line in lines[1:]]
    rows[3] += address
    path.write_text("\n".join([lines[0], *rows]), "utf-8")

    roster = read_roster(folder)

    assert roster.organisations[3].controller == bytes.fromhex(address[2:])
    assert roster.organisations[4].controller is None


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("organisations.csv", "landspace,", "galaxyspace,", "key 'galaxyspace' was in line 4"),
        ("organisations.csv", ",community,alliance,", ",guild,alliance,", "'guild' is not in"),
        ("organisations.csv", ",community,alliance,", ",community,community,", "is a member of it"),
        ("organisations.csv", "alliance|community", "alliance|alliance", "twice"),
        ("organisations.csv", "landspace,", "Land Space,", "key 'Land Space' is not 1 to 31"),
        ("organisations.csv", "landspace,", ",", "key is empty"),
        ("organisations.csv", "蓝箭航天,LandSpace", ",", "has no name in either language"),
        ("organisations.csv", "LandSpace,company", "LandSpace,", "kind is empty"),
        ("organisations.csv", "LandSpace", "L" * 501, "more than 500 characters"),
        ("categories.csv", "rocket.manufacture,", "satellite.manufacture,", "was in line 2"),
        ("categories.csv", "manufacture,community", "manufacture,guild", "'guild' is not in"),
        ("programmes.csv", "fund-group,", "community,", "key 'community' was in line 3"),
        ("benefits.csv", "scenario-slot,community", "scenario-slot,guild", "'guild' is not in"),
    ],
)
def test_read_roster__one_wrong_row__is_refused_whole_and_says_which(
    edit: Edit, file: str, old: str, new: str, problem: str
) -> None:
    folder = edit(file, old, new)

    with pytest.raises(InvalidFile) as refused:
        read_roster(folder)

    assert Path(refused.value.values["path"]).name == file
    assert problem in refused.value.values["problem"]


def test_read_roster__two_organisations_with_one_controller__are_refused(tmp_path: Path) -> None:
    folder = tmp_path / "roster"
    shutil.copytree(ROSTER, folder)
    address = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
    (folder / "organisations.csv").write_text(
        "key,name_zh,name_en,kind,segment,member_of,applies_to,note,controller\n"
        f"a,甲,A,company,x,,,,{address}\n"
        f"b,乙,B,company,x,,,,0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed\n",
        "utf-8",
    )

    with pytest.raises(InvalidFile) as refused:
        read_roster(folder)

    assert (refused.value.values["line"], "line 2" in str(refused.value)) == (3, True)
