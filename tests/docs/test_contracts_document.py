"""The contracts' page: its figures are those of code and gas snapshot, its links lead somewhere."""

from __future__ import annotations

import json
import re
from pathlib import Path

from ledger.chain.artifacts import BUILT, load_artifact

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "contracts" / "README.md"
TEXT = PAGE.read_text("utf-8")
EIP_170 = 24_576
GAS = {
    "award, first of an organisation: neighbouring ids / scattered": (
        "award, one of 250, first entry of neighbours",
        "award, one of 250, first entry, scattered",
    ),
    "award, later": (
        "award, one of 250, later entry of neighbours",
        "award, one of 250, later entry, scattered",
    ),
    "award by signature, first / later": (
        "award by signature, one of 250, first entry of neighbours",
        "award by signature, one of 250, later entry of neighbours",
    ),
    "admission": ("admission, one of 100",),
}


def test_sizes__of_all_contracts__are_those_of_their_code_and_allowed() -> None:
    written = re.search(r"EIP-170 allows ([\d,]+)\): (.*)\.$", TEXT, re.MULTILINE)
    assert written is not None
    told = dict(re.findall(r"(\w+) ([\d,]+)", written[2]))
    sizes = {name: len(load_artifact(name).runtime_code) for name in BUILT}

    assert {name: int(size.replace(",", "")) for name, size in told.items()} == sizes
    assert int(written[1].replace(",", "")) == EIP_170
    assert max(sizes.values()) <= EIP_170


def test_gas__on_the_page__is_that_of_the_snapshot() -> None:
    snapshot = json.loads((ROOT / "tests/contracts/snapshots/gas.json").read_text("utf-8"))
    rows = {
        cells[1].strip(): cells[2].strip()
        for line in TEXT.splitlines()
        if line.startswith("| a") and len(cells := line.split("|")) == 6
    }

    for name, figures in GAS.items():
        assert rows[name] == " / ".join(f"{int(snapshot[each]):,}" for each in figures)


def test_links__of_the_page__lead_to_files_and_headings() -> None:
    links = re.findall(r"\]\(([^)#]+)(?:#([^)]+))?\)", TEXT)
    assert links
    for target, heading in links:
        path = (PAGE.parent / target).resolve()
        assert path.is_file(), target
        if heading:
            titles = re.findall(r"^## (.*)$", path.read_text("utf-8"), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", each.lower()).replace(" ", "-") for each in titles}
            assert heading in anchors, heading
