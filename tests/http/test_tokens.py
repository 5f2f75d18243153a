"""What wallets are told of membership tokens: who, where, how long, and whether it holds."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import httpx
import pytest
from sqlalchemy import update

from api.cards import SIZE, Line, draw_card
from ledger.domain.ids import OrgId, ProgrammeId, TokenId, token_id
from ledger.store.engine import open_engine, writing
from ledger.store.office_tables import profiles
from tests.http.conftest import Ledger
from tests.http.facts import (
    BLOCK_SECONDS,
    LAPSED,
    PROGRAMME_KEYS,
    STRANGER,
    SUSPENDED,
    TERM_END,
)

Serve = Callable[..., httpx.Client]


def token_of(ledger: Ledger, programme: str, key: str) -> int:
    return token_id(
        ProgrammeId(PROGRAMME_KEYS.index(programme) + 1), OrgId(ledger.seeded.org_ids[key])
    )


def traits(token: Any) -> dict[str, Any]:
    return {each["trait_type"]: each["value"] for each in token["attributes"]}


def texts_of(image: str) -> list[str]:
    """The lines of text on a card, which must be well-formed XML."""
    kind, _, encoded = image.partition(",")
    assert kind == "data:image/svg+xml;base64"
    root = ElementTree.fromstring(base64.b64decode(encoded))
    return [each.text or "" for each in root.iter("{http://www.w3.org/2000/svg}text")]


def test_token__of_a_member__says_who_where_and_how_long_in_both_languages(
    client: httpx.Client, ledger: Ledger
) -> None:
    token = token_of(ledger, "community", "galaxyspace")
    membership = client.get(f"/v1/organisations/{token & 0xFFFFFFFF}/memberships").json()["items"]
    (held,) = [each for each in membership if each["token_id"] == token]

    answer = client.get(f"/v1/tokens/{token}")

    assert answer.headers["content-type"] == "application/json"
    found = answer.json()
    assert found["name"].startswith("银河航天 GalaxySpace · ")
    assert "银河航天在" in found["description"]
    assert "The membership of GalaxySpace in " in found["description"]
    said = traits(found)
    assert (said["Organisation"], said["组织"]) == ("GalaxySpace", "银河航天")
    assert said["Organisation number"] == token & 0xFFFFFFFF
    assert (said["Status"], said["状态"]) == ("active", "有效")
    assert said["Expires"] == TERM_END
    assert said["Programme"] != said["计划"]
    assert held["admitted_at"].startswith(re.findall(r"from (\S+) to", found["description"])[0])
    lines = texts_of(found["image"])
    assert {"银河航天", "GalaxySpace", "有效 · active"} <= set(lines)
    assert found["as_of"] == client.get("/v1/memberships").json()["as_of"]


@pytest.mark.parametrize(
    ("programme", "key", "status", "word"),
    [("fund-group", LAPSED, "lapsed", "已过期"), ("community", SUSPENDED, "suspended", "已暂停")],
)
def test_token__of_a_membership_without_standing__says_so(
    client: httpx.Client, ledger: Ledger, programme: str, key: str, status: str, word: str
) -> None:
    found = client.get(f"/v1/tokens/{token_of(ledger, programme, key)}").json()

    assert (traits(found)["Status"], traits(found)["状态"]) == (status, word)
    assert f"{word} · {status}" in texts_of(found["image"])


def test_token__as_of_an_earlier_block__has_the_standing_of_then(
    client: httpx.Client, ledger: Ledger
) -> None:
    path = f"/v1/tokens/{token_of(ledger, 'fund-group', LAPSED)}"
    now = client.get(path).json()
    ended = traits(now)["Expires"]
    begun = traits(now)["Admitted"]
    blocks = (ended - begun) // BLOCK_SECONDS

    then = client.get(path, params={"as_of_block": max(blocks // 2, 10)}).json()

    assert (traits(then)["Status"], traits(now)["Status"]) == ("active", "lapsed")


@pytest.mark.parametrize(
    "token",
    [
        0,
        4,
        token_id(ProgrammeId(2), OrgId(STRANGER)),
        token_id(ProgrammeId(60_000), OrgId(4)),
        (1 << 48) + (2 << 32) + 4,
        2**63 - 1,
    ],
    ids=["zero", "no programme", "revoked", "another programme", "too large", "largest"],
)
def test_token__that_is_not_there__is_a_problem(client: httpx.Client, token: int) -> None:
    answer = client.get(f"/v1/tokens/{token}")

    assert answer.status_code == 404
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] == "input.not_found"


@pytest.mark.parametrize("token", ["x", "1e3", "-1", "0x10", "1.json", str(2**64)])
def test_token__that_is_no_number__is_refused_by_its_name(client: httpx.Client, token: str) -> None:
    answer = client.get(f"/v1/tokens/{token}")

    assert answer.status_code == 422
    assert [each["field"] for each in answer.json()["errors"]] == ["token_id"]


def test_token__as_a_marketplace_reads_it__has_a_page_and_a_picture_for_any_page_of_the_web(
    client: httpx.Client, ledger: Ledger
) -> None:
    token = token_of(ledger, "community", "galaxyspace")
    foreign = {"Origin": "https://marketplace.example"}

    answer = client.get(f"/v1/tokens/{token}", headers=foreign)
    found = answer.json()

    assert found["external_url"] == f"{ledger.settings.origin}/organisations/{token & 0xFFFFFFFF}"
    assert {"name", "description", "image", "attributes"} <= set(found)
    assert all(set(each) <= {"display_type", "trait_type", "value"} for each in found["attributes"])
    picture = client.get(f"/v1/tokens/{token}/image.svg", headers=foreign)
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.headers["content-security-policy"]
    assert picture.content == base64.b64decode(found["image"].partition(",")[2])
    tag = {"If-None-Match": answer.headers["etag"]}
    for each in (answer, picture, client.get(f"/v1/tokens/{token}", headers={**foreign, **tag})):
        assert each.headers["access-control-allow-origin"] == "*"
        assert "access-control-allow-credentials" not in each.headers
    assert client.get("/v1/tokens/contract").json()["external_link"] == f"{ledger.settings.origin}/"
    assert "access-control-allow-origin" not in client.get("/v1/status", headers=foreign).headers
    assert client.get("/v1/tokens/4/image.svg").status_code == 404


def test_collection__says_what_the_tokens_are(client: httpx.Client) -> None:
    found = client.get("/v1/tokens/contract").json()

    assert (found["name"], found["symbol"]) == ("Moonlake membership", "MOONLAKE")
    assert "cannot be transferred" in found["description"]
    assert "不可转让" in found["description"]
    names = client.get("/v1/programmes").json()["items"]
    assert all(each["name_en"] in found["description"] for each in names)
    assert "明月湖会员资格" in texts_of(found["image"])


@pytest.mark.parametrize("path", ["/v1/tokens/contract", "/v1/tokens/8589934596"])
def test_metadata__that_the_reader_has__is_not_sent_again(client: httpx.Client, path: str) -> None:
    tag = client.get(path).headers["etag"]

    assert client.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert client.get(path, headers={"If-None-Match": '"other"'}).status_code == 200


def test_names__that_try_to_be_markup_or_are_too_long__are_text_that_fits(
    own_ledger: Ledger, serve: Serve
) -> None:
    nasty = '</text><script>alert(1)</script>&"\x00\x1b\u202e\nend'
    engine = open_engine(own_ledger.settings.database)
    with writing(engine) as connection:
        nasty = nasty.replace("\x00", "")  # PostgreSQL keeps none
        changed = update(profiles).where(profiles.c.key == "galaxyspace")
        connection.execute(changed.values(name_zh="长" * 200, name_en=nasty))
    engine.dispose()
    path = f"/v1/tokens/{token_of(own_ledger, 'community', 'galaxyspace')}"

    found = serve(own_ledger.settings).get(path).json()

    cleaned = '</text><script>alert(1)</script>&" end'
    lines = texts_of(found["image"])
    assert cleaned in lines
    assert traits(found)["Organisation"] == cleaned
    assert [each for each in lines if each.startswith("长长") and each.endswith("…")]


def test_names__that_the_office_does_not_have__are_numbers_and_keys(
    own_ledger: Ledger, serve: Serve
) -> None:
    engine = open_engine(own_ledger.settings.database)
    with writing(engine) as connection:
        connection.execute(profiles.delete())
    engine.dispose()
    token = token_of(own_ledger, "community", "galaxyspace")

    found = serve(own_ledger.settings).get(f"/v1/tokens/{token}").json()

    assert found["name"] == f"№ {token & 0xFFFFFFFF} · community"
    assert traits(found)["组织"] == f"№ {token & 0xFFFFFFFF}"


@pytest.mark.parametrize("token", [0, 1, 4_294_967_297, 8589934596, 2**48 - 1])
def test_card__of_any_token__has_a_sky_of_its_own_that_never_changes(token: int) -> None:
    lines = (Line("组织", 300, 40, 20), Line("", 320, 40, 20), Line("<&>", 340, 40, 20))

    card = draw_card(TokenId(token), lines)

    assert card == draw_card(TokenId(token), lines)
    assert card != draw_card(TokenId(token + 1), lines)
    assert texts_of(card) == ["组织", "<&>"]


def test_card__with_a_text_without_end__is_cut_without_looking_at_it_twice() -> None:
    # A million letters, each looked at once more for every one that is cut, would take hours.
    card = base64.b64decode(
        draw_card(TokenId(1), (Line("国" * 10**6, 300, 46, 22),)).partition(",")[2]
    ).decode()

    # 504 wide, 22 a letter and the mark of what is missing.
    assert f">{'国' * 21}…</text>" in card


@pytest.mark.parametrize("text", ["国" * n for n in (1, 9, 12, 30)] + ["W" * 80, "a b " * 99])
def test_card__with_text_of_any_length__keeps_it_on_the_card(text: str) -> None:
    card = base64.b64decode(draw_card(TokenId(1), (Line(text, 300, 46, 22),)).partition(",")[2])
    shown = re.search(r'<text x="(\d+)" y="300" font-size="([0-9.]+)"[^>]*>([^<]*)<', card.decode())

    assert shown is not None
    left, size, kept = int(shown[1]), float(shown[2]), shown[3]
    assert 22 <= size <= 46
    assert kept == text or (kept.endswith("…") and text.startswith(kept[:-1]))
    wide = sum(1.0 if ord(each) > 0x2E80 else 0.56 for each in kept)
    assert left + wide * size <= SIZE
