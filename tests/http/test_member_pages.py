"""A member's own pages that need no wallet: its profile and contacts, and what it may claim."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from ledger.office.sessions import begin_session
from ledger.store.engine import open_engine, writing
from tests.http.conftest import NOW, Templates, serving
from tests.http.desk import Shown, opened, sent
from tests.http.facts import account_of


@pytest.fixture(scope="module")
def member(
    templates: Templates, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """The browser of the account that acts for organisation 4."""
    ledger = templates.copy("sqlite", tmp_path_factory.mktemp("member-pages"))
    engine = open_engine(ledger.settings.database)
    with writing(engine) as connection:
        session = begin_session(connection, account_of(4), now=NOW)
    engine.dispose()
    with serving(ledger.settings, lambda: NOW + 1) as client:
        client.cookies.set("moonlake_session", session.token)
        client.headers["Accept"] = "text/html"
        client.headers["Accept-Language"] = "en"
        yield client


def test_contacts__saved_by_the_member__are_its_own_to_see(member: httpx.Client) -> None:
    page = opened(member, "/me/profile")
    fields = {**page.form(), "person_0": "Li Moon", "email_0": "li@example.org"}
    wrong = sent(member, "/me/profile", {**fields, "email_0": "nobody"})
    assert wrong.status_code == 422
    assert "Write an e-mail address" in wrong.text
    assert 'aria-describedby="t-email_0"' in wrong.text
    assert Shown(wrong.text).form()["person_0"] == "Li Moon"
    assert sent(member, "/me/profile", {**fields, "csrf": "x"}).status_code == 403

    answer = sent(member, "/me/profile", fields)

    assert (answer.status_code, answer.headers["location"]) == (303, "/me/profile?saved=contacts")
    kept = opened(member, "/me/profile?saved=contacts")
    assert kept.form()["email_0"] == "li@example.org"
    assert "person_1" in kept.form()
    assert "Li Moon" not in member.get("/organisations/4").text


def test_claim__of_what_is_claimed_or_anothers__offers_nothing_to_sign(
    member: httpx.Client,
) -> None:
    page = opened(member, "/me/shares/1").text

    assert "There is nothing left to do here." in page
    assert 'id="signing"' not in page
    assert member.get("/me/shares/1?organisation=7").status_code == 404
    assert member.get("/me/shares/77").status_code == 404
