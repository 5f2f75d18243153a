"""Tables that wait for a yes: two windows at once, and what went meanwhile."""

from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path

import pytest

from api.import_drafts import FOLDER, Draft, Drafts
from ledger.errors import NotFound

ACCOUNT = "0x" + "11" * 20


@pytest.fixture
def drafts(tmp_path: Path) -> Drafts:
    return Drafts(tmp_path)


@pytest.fixture
def draft(drafts: Drafts) -> Draft:
    kept = drafts.add(Draft("", ACCOUNT, "awards", "a.csv", {}, 0), io.BytesIO(b"table"))
    with drafts.judging(kept):
        drafts.keep(kept)
    return kept


def test_draft__sent_while_another_window_judges_it__stays_sent(
    drafts: Drafts, draft: Draft, tmp_path: Path
) -> None:
    with drafts.judging(draft):
        drafts.close(replace(draft, import_id="ab" * 32))
        drafts.keep(replace(draft, import_id="cd" * 32))

    found = drafts.find(draft.name, ACCOUNT)
    assert found.is_sent
    assert found.import_id == "ab" * 32
    left = {each.name for each in (tmp_path / FOLDER / draft.name).iterdir()}
    assert left == {"about.json", "sent"}


def test_draft__dropped_while_it_is_written_down__ends_no_request(
    drafts: Drafts, draft: Draft, tmp_path: Path
) -> None:
    with drafts.judging(draft):
        drafts.drop(draft)
    drafts.close(replace(draft, import_id="ab" * 32))

    assert not list((tmp_path / FOLDER).iterdir())


def test_draft__dropped_before_it_is_judged__is_not_there(drafts: Drafts, draft: Draft) -> None:
    drafts.drop(draft)

    with pytest.raises(NotFound), drafts.judging(draft):
        pass
    with pytest.raises(NotFound):
        drafts.keep(draft)
