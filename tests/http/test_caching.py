"""An answer's tag holds as long as the answer does, and no longer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from api.answers import Kept, KeptAnswer
from ledger.office.labels import Label, Labelled, keep_label
from ledger.store.engine import open_engine, writing
from ledger.store.mirror_tables import mirror_state
from tests.http.conftest import NOW, Ledger
from tests.http.facts import hash_of
from tests.http.test_wrong_input import ROUTES

Serve = Callable[..., httpx.Client]
PATH = "/v1/organisations/4/entries"
PAGES = ("/", "/organisations/4", "/programmes/community", "/entries/1")


def tag_of(client: httpx.Client, path: str = PATH, **headers: str) -> str:
    return client.get(path, headers=headers).headers["etag"]


def change_state(ledger: Ledger, **values: Any) -> None:
    """Change the mirror's row about itself."""
    engine = open_engine(ledger.settings.database)
    with writing(engine) as connection:
        connection.execute(update(mirror_state).values(**values))
    engine.dispose()


@pytest.mark.parametrize("path", [*ROUTES, *PAGES])
def test_answer__that_the_reader_has__is_not_sent_again(client: httpx.Client, path: str) -> None:
    first = client.get(path)
    tag = first.headers["etag"]

    for given in (tag, f'"other", {tag}', f"W/{tag}", "*"):
        again = client.get(path, headers={"If-None-Match": given})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
        assert again.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("path", [PATH, "/"])
def test_answer__named_in_one_of_several_lines__is_not_sent_again(
    client: httpx.Client, path: str
) -> None:
    tag = client.get(path).headers["etag"]

    again = client.get(path, headers=[("If-None-Match", '"other"'), ("If-None-Match", tag)])

    assert again.status_code == 304


@pytest.mark.parametrize("given", ['"other"', "", "W/", '""', "x" * 3000])
def test_answer__that_the_reader_does_not_have__is_sent(client: httpx.Client, given: str) -> None:
    assert client.get(PATH, headers={"If-None-Match": given}).status_code == 200


def test_tag__of_another_question__is_another(client: httpx.Client) -> None:
    tags = {tag_of(client, f"{PATH}?limit={limit}") for limit in (1, 2, 3)}
    tags |= {tag_of(client, path) for path in ROUTES}

    assert len(tags) == 3 + len(ROUTES)


def test_tag__of_an_unchanged_ledger__stays(client: httpx.Client) -> None:
    assert tag_of(client) == tag_of(client)


@pytest.mark.parametrize(
    "values",
    [
        {"cursor_hash": hash_of("another block")},  # a block came in, or another took its place
        {"deployment": hash_of("another deployment")},
        {
            "halted_code": "node.answer_invalid",
            "halted_reason": "no",
            "halted_at": 1,
            "halted_block": 7,
        },
        {"looked_at": 0},
    ],
)
def test_tag__when_the_mirror_changes__changes(
    own_ledger: Ledger, serve: Serve, values: dict[str, Any]
) -> None:
    client = serve(own_ledger.settings)
    before = tag_of(client)

    change_state(own_ledger, **values)

    assert tag_of(client) != before
    assert client.get(PATH, headers={"If-None-Match": before}).status_code == 200


def test_tag__when_the_mirror_only_looked_again__stays_but_for_the_status(
    own_ledger: Ledger, serve: Serve
) -> None:
    client = serve(own_ledger.settings)
    before, status_before = tag_of(client), tag_of(client, "/v1/status")

    change_state(own_ledger, looked_at=int(NOW * 1000) + 500)

    assert tag_of(client) == before
    assert tag_of(client, "/v1/status") != status_before


def test_tag__when_the_office_changes__changes(own_ledger: Ledger, serve: Serve) -> None:
    client = serve(own_ledger.settings)
    before = tag_of(client, "/v1/programmes")
    label = Label("community", Labelled.CATEGORY, "data.use", "新名", "a new name")

    engine = open_engine(own_ledger.settings.database)
    with writing(engine) as connection:
        keep_label(connection, label)
    engine.dispose()

    answer = client.get("/v1/programmes", headers={"If-None-Match": before})
    assert answer.status_code == 200
    assert "a new name" in answer.text


def test_tag__of_a_page__is_that_of_its_language(client: httpx.Client) -> None:
    tags = {tag_of(client, "/", **{"Accept-Language": each}) for each in ("zh-CN", "en")}

    assert len(tags) == 2


@pytest.mark.parametrize("end", ["#", "?", ""])
def test_host__that_looks_like_another_question__gets_nobody_a_wrong_answer(
    own_ledger: Ledger, serve: Serve, end: str
) -> None:
    client = serve(own_ledger.settings)
    wanted, asked = "/v1/organisations/5/balances", "/v1/organisations/4/balances"
    client.get(asked, headers={"Host": f"a{wanted}{end}"})

    answer = client.get(wanted)

    assert answer.json()["org_id"] == 5


def test_answer__given_again__is_the_same_with_the_same_headers(
    own_ledger: Ledger, serve: Serve
) -> None:
    client = serve(own_ledger.settings)
    for path in ("/v1/organisations?limit=2", "/v1/organisations/4/statement.csv"):
        first, second = client.get(path), client.get(path)
        varying = {"date", "x-request-id"}
        assert first.content == second.content
        assert {name: value for name, value in first.headers.items() if name not in varying} == {
            name: value for name, value in second.headers.items() if name not in varying
        }


def test_answers__that_are_kept__take_no_more_than_their_room() -> None:
    kept = Kept(most=1000)
    for number in range(500):
        answer = KeptAnswer(f"question {number % 50}", b"x" * 10, "text/plain", {}, "")
        kept.keep(f"tag {number}", answer)
    kept.keep("large", KeptAnswer("large", b"x" * 11, "text/plain", {}, ""))

    assert kept.find("tag 499") is not None
    assert kept.find("tag 399") is None
    assert kept.find("large") is None
    assert kept.has("question 49")
    assert not kept.has("large")
