"""A list given in pages is the list: nothing twice, nothing left out, whatever comes in between."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from api.pagination import decode_cursor, encode_cursor
from ledger.errors import CursorInvalid
from ledger.store import mirror_tables as tables
from ledger.store.engine import open_engine, writing
from tests.http.conftest import Ledger
from tests.http.facts import LAST_BLOCK, account_of, hash_of

LISTS = (
    "/v1/organisations",
    "/v1/organisations?programme=community",
    "/v1/organisations?status=applicant",
    "/v1/memberships",
    "/v1/memberships?programme=fund-group",
    "/v1/entries",
    "/v1/entries?programme=community&kind=award",
    "/v1/organisations/4/entries",
    "/v1/programmes",
    "/v1/programmes/community/categories",
    "/v1/programmes/community/epochs",
    "/v1/officers",
    "/v1/budgets",
    "/v1/organisations/4/history",
    "/v1/organisations/4/memberships/community/history",
    "/v1/organisations/4/expiries?programme=community&epochs=1",
    "/v1/rankings?programme=community",
    "/v1/rankings?programme=community&epoch=2",
)

NUMBERS = st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=3).map(tuple)


def follow(client: httpx.Client, path: str, limit: int) -> tuple[list[Any], list[int]]:
    """All items by following `Link`, and how many each page had."""
    items: list[Any] = []
    sizes: list[int] = []
    url: str | None = f"{path}{'&' if '?' in path else '?'}limit={limit}"
    while url is not None:
        answer = client.get(url)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        items += body["items"]
        sizes.append(len(body["items"]))
        found = re.search(r'<([^>]+)>; rel="next"', answer.headers["link"])
        assert (found is not None) == (body["next"] is not None)
        url = found.group(1) if found else None
        if found:
            assert f"cursor={body['next']}" in found.group(1)
    return items, sizes


@pytest.mark.parametrize("limit", [1, 3, 7, 50])
@pytest.mark.parametrize("path", LISTS)
def test_pages__of_any_size__are_the_whole_list_in_its_order(
    client: httpx.Client, path: str, limit: int
) -> None:
    whole, _ = follow(client, path, 200)

    paged, sizes = follow(client, path, limit)

    assert paged == whole
    assert whole
    assert all(size == limit for size in sizes[:-1])
    assert sizes[-1] > 0


def test_pages__of_the_community__hold_exactly_17(client: httpx.Client) -> None:
    items, sizes = follow(client, "/v1/organisations?programme=community", 5)

    assert sizes == [5, 5, 5, 2]
    assert len({item["org_id"] for item in items}) == 17


def test_links__keep_the_question_and_name_the_first_page(client: httpx.Client) -> None:
    path = "/v1/organisations?q=%E7%A9%BA&limit=1"
    second = re.findall(r"<([^>]+)>", client.get(path).headers["link"])[1]

    links = client.get(second).headers["link"]

    assert links.startswith(f'<{path}>; rel="first"')


def add_entry(ledger: Ledger, entry_id: int) -> None:
    """Post one more entry in the last block, as a mirror would while somebody pages."""
    engine = open_engine(ledger.settings.database)
    place = {"block_number": LAST_BLOCK, "log_index": 1000 + entry_id}
    with writing(engine) as connection:
        if entry_id == len(ledger.seeded.entries) + 1:
            connection.execute(
                insert(tables.transactions).values(
                    block_number=LAST_BLOCK, transaction_index=99, hash=hash_of("late")
                )
            )
        connection.execute(
            insert(tables.logs).values(
                **place, transaction_index=99, contract_id=1, topics=b"", data=b""
            )
        )
        connection.execute(
            insert(tables.entries).values(
                **place,
                entry_id=entry_id,
                programme_id=2,
                org_id=4,
                kind=1,
                category="data.use",
                amount=1,
                balance_after=1,
                evidence=bytes(32),
                refers_to=0,
                actor=account_of("issuer"),
                operation_id=hash_of("late", entry_id),
            )
        )
    engine.dispose()


def test_pages__while_entries_come_in__neither_repeat_nor_skip(
    own_ledger: Ledger, serve: Callable[..., httpx.Client]
) -> None:
    client = serve(own_ledger.settings)
    count = len(own_ledger.seeded.entries)
    seen: list[int] = []
    cursor: dict[str, str] = {}
    while True:
        body = client.get("/v1/entries", params={"limit": 17, **cursor}).json()
        seen += [item["entry_id"] for item in body["items"]]
        if body["next"] is None:
            break
        cursor = {"cursor": body["next"]}
        count += 1
        add_entry(own_ledger, count)

    assert seen == list(range(len(own_ledger.seeded.entries), 0, -1))


@pytest.mark.parametrize(
    "other",
    [
        "/v1/organisations?programme=fund-group",
        "/v1/organisations",
        "/v1/memberships?programme=community",
        "/v1/organisations?programme=community&as_of_block=50",
    ],
)
def test_cursor__of_another_question__is_refused(client: httpx.Client, other: str) -> None:
    given = client.get("/v1/organisations?programme=community&limit=2").json()["next"]

    answer = client.get(other + ("&" if "?" in other else "?") + f"cursor={given}")

    assert answer.status_code == 400


def test_cursor__with_another_limit__goes_on(client: httpx.Client) -> None:
    given = client.get("/v1/memberships?limit=2").json()["next"]

    rest = client.get("/v1/memberships", params={"limit": 200, "cursor": given}).json()

    assert len(rest["items"]) == 27


@given(place=NUMBERS)
def test_cursor__decoded__is_the_place_it_was_made_of(place: tuple[int, ...]) -> None:
    assert decode_cursor("/q?", encode_cursor("/q?", place), len(place)) == place


@given(place=NUMBERS, data=st.data())
def test_cursor__changed_in_any_character__is_refused(
    place: tuple[int, ...], data: st.DataObject
) -> None:
    cursor = encode_cursor("/q?", place)
    at = data.draw(st.integers(0, len(cursor) - 1))
    changed = data.draw(
        st.sampled_from("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_=/+")
    )
    forged = cursor[:at] + changed + cursor[at + 1 :]
    if forged == cursor:
        return

    with pytest.raises(CursorInvalid):
        decode_cursor("/q?", forged, len(place))


@given(text=st.text(max_size=60), numbers=st.integers(1, 3))
def test_cursor__of_any_text__is_refused_and_breaks_nothing(text: str, numbers: int) -> None:
    with pytest.raises(CursorInvalid):
        decode_cursor("/q?", text, numbers)
