"""What is answered before any route is what the route would have answered, or goes to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import httpx
import msgspec
import pydantic_core
import pytest
from sqlalchemy import update

from api import quick
from api.schemas.entries import BalanceView, EntryView, written_balance, written_entry
from ledger.domain.events import EntryKind
from ledger.domain.ids import BlockNumber, EntryId, LogIndex, OrgId, ProgrammeId
from ledger.mirror.queries import direct
from ledger.mirror.queries.balances import Balance, CategorySum
from ledger.mirror.queries.direct import BlocksTransactions, Direct, PageAsked
from ledger.mirror.queries.documents import Document
from ledger.mirror.queries.entries import Entry
from ledger.store.direct import NotDirect
from ledger.store.engine import open_engine, writing
from ledger.store.mirror_tables import mirror_state
from tests.http.conftest import NOW, Ledger
from tests.http.facts import hash_of
from tests.support.loops import run_apart

Serve = Callable[..., httpx.Client]
ORGANISATIONS = range(1, 12)
QUICK = ("balances", "entries", "entries?limit=1", "entries?limit=3", "entries?limit=200")


def by_its_route(path: str) -> str:
    """The same question in a way that only its route knows how to read."""
    return path + ("&" if "?" in path else "?&")


def routes_taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What the quick way answered, as it goes on."""
    taken: list[str] = []
    answer = quick.Quick.answer

    async def noted(self: quick.Quick, path: str, *more: object) -> str | None:
        route = await answer(self, path, *more)  # type: ignore[arg-type]
        if route is not None:
            taken.append(path)
        return route

    monkeypatch.setattr(quick.Quick, "answer", noted)
    return taken


@pytest.mark.parametrize("what", QUICK)
def test_quick_answer__of_each_organisation__is_its_routes_to_the_byte(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    taken = routes_taken(monkeypatch)
    answered = 0
    for org_id in ORGANISATIONS:
        path = f"/v1/organisations/{org_id}/{what}"
        found, routed = client.get(path), client.get(by_its_route(path))
        assert (found.status_code, found.content) == (routed.status_code, routed.content)
        assert found.headers.get("content-type") == routed.headers.get("content-type")
        assert found.headers.get("cache-control") == routed.headers.get("cache-control")
        answered += path.partition("?")[0] in taken
    assert answered > 3


@pytest.mark.parametrize(
    "path",
    [
        "/v1/organisations/0/balances",
        "/v1/organisations/01/balances",
        "/v1/organisations/4294967296/balances",
        "/v1/organisations/99999999999/balances",
        "/v1/organisations/4000000000/balances",
        "/v1/organisations/4000000000/entries",
        "/v1/organisations/4/balances?limit=3",
        "/v1/organisations/4/entries?limit=0",
        "/v1/organisations/4/entries?limit=201",
        "/v1/organisations/4/entries?limit=1&limit=2",
        "/v1/organisations/4/entries?limit=%31",
        "/v1/organisations/4/entries?as_of_block=1",
        "/v1/organisations/٤/balances",
    ],
)
def test_question__that_is_not_simple__goes_to_its_route(
    client: httpx.Client, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    taken = routes_taken(monkeypatch)

    answer = client.get(path)

    assert answer.status_code in {200, 404, 422}
    assert taken == []


def test_quick_answer__whose_tag_the_reader_has__is_not_sent_again(
    own_ledger: Ledger, serve: Serve
) -> None:
    path = "/v1/organisations/4/entries?limit=2"
    tag = serve(own_ledger.settings).get(path).headers["etag"]

    again = serve(own_ledger.settings).get(path, headers={"If-None-Match": tag})

    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)


def test_quick_answer__of_a_mirror_of_another_release__is_its_routes_error(
    own_ledger: Ledger, serve: Serve
) -> None:
    client = serve(own_ledger.settings)
    assert client.get("/v1/organisations/4/balances").status_code == 200
    change_state(own_ledger, schema_version=999)

    answer = client.get("/v1/organisations/4/balances")

    assert answer.status_code == 503
    assert answer.json()["code"] == "mirror.schema_mismatch"


def test_quick_answer__when_the_chain_is_another_now__is_of_that_one(
    own_ledger: Ledger, serve: Serve
) -> None:
    client = serve(own_ledger.settings)
    paths = [f"/v1/organisations/4/{each}" for each in QUICK]
    before = {path: client.get(path).json()["as_of"]["block_hash"] for path in paths}
    change_state(own_ledger, cursor_hash=hash_of("another"))

    after = {path: client.get(path).json()["as_of"]["block_hash"] for path in paths}

    assert set(before.values()).isdisjoint(after.values())
    assert set(after.values()) == {"0x" + hash_of("another").hex()}


def change_state(ledger: Ledger, **values: object) -> None:
    engine = open_engine(ledger.settings.database)
    with writing(engine) as connection:
        connection.execute(update(mirror_state).values(**values))
    engine.dispose()


def test_organisation__with_a_longer_journal__goes_to_its_route(
    ledger: Ledger, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(direct, "MOST_ENTRIES", 0)
    taken = routes_taken(monkeypatch)

    answer = serve(ledger.settings).get("/v1/organisations/4/balances")

    assert answer.json()["items"]
    assert taken == []


def test_answer__while_which_the_mirror_goes_stale__is_not_kept_as_one_of_a_fresh_mirror(
    ledger: Ledger, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    now, late = [NOW + 1], NOW + 1 + 2 * ledger.settings.stale_after
    client = serve(ledger.settings, lambda: now[0])
    client.get("/v1/organisations/5/balances")
    read = Direct.read_balances

    async def slowly(self: Direct, org_ids: Sequence[OrgId]) -> object:
        now[0] = late
        return await read(self, org_ids)

    monkeypatch.setattr(Direct, "read_balances", slowly)
    stale = client.get("/v1/organisations/4/balances")
    monkeypatch.setattr(Direct, "read_balances", read)
    now[0] = NOW + 1  # it looked again

    fresh = client.get("/v1/organisations/4/balances")

    assert (stale.json()["mirror"], fresh.json()["mirror"]) == ("stale", "following")
    assert stale.headers["etag"] != fresh.headers["etag"]


@pytest.mark.parametrize(
    ("lines", "tags"),
    [
        ([], None),
        ([b"*"], {"*"}),
        ([b"W/*"], set()),
        ([b'*, "a"'], {'"a"'}),
        ([b"*", b"*"], set()),
        ([b'W/"a"', b' "b" '], {'"a"', '"b"'}),
    ],
)
def test_tags__that_a_reader_names__are_those_that_a_route_takes(
    lines: list[bytes], tags: set[str] | None
) -> None:
    assert quick.tags_in(lines) == tags


def test_questions__of_several_at_once__have_each_its_answer(ledger: Ledger) -> None:
    pages = [PageAsked(OrgId(org), most) for org in (4, 5, 4000) for most in (1, 3)]
    organisations = [OrgId(org) for org in (4, 5, 4000)]

    async def ask() -> None:
        asks = Direct(open_engine(ledger.settings.database))
        alone = {each: (await asks.read_pages([each]))[1][each] for each in pages}
        balances = {each: (await asks.read_balances([each]))[1][each] for each in organisations}
        if asks.takes_many:
            assert (await asks.read_pages(pages))[1] == alone
            assert (await asks.read_balances(organisations))[1] == balances
        assert alone[PageAsked(OrgId(4000), 3)] is None
        assert balances[OrgId(4000)] is None
        assert len(alone[PageAsked(OrgId(4), 1)] or ()) == 1
        asks.close()

    run_apart(ask())


def test_transactions__of_a_block__are_found_by_their_logs_and_read_once() -> None:
    read: list[list[int]] = []

    async def rows(blocks: Sequence[int]) -> list[tuple[object, ...]]:
        read.append(list(blocks))
        return [(b"seven", 5, b"second"), (b"seven", 2, b"first"), (b"eight", 0, b"other")]

    known = BlocksTransactions(rows, most=2)
    run_apart(known.know({b"seven": 7, b"eight": 8}))
    run_apart(known.know({b"eight": 8}))

    assert [known.find(b"seven", log) for log in (2, 4, 5, 90)] == [
        b"first",
        b"first",
        b"second",
        b"second",
    ]
    assert read == [[7, 8]]


def test_transactions__of_a_block_that_is_no_more__are_nobodys() -> None:
    async def rows(_blocks: Sequence[int]) -> list[tuple[object, ...]]:
        return [(b"another seven", 0, b"x")]

    known = BlocksTransactions(rows)

    with pytest.raises(NotDirect):
        run_apart(known.know({b"seven": 7}))
    with pytest.raises(NotDirect):
        known.find(b"seven", 1)


def test_transactions__of_more_blocks_than_are_kept__make_room() -> None:
    async def rows(blocks: Sequence[int]) -> list[tuple[object, ...]]:
        return [(b"%d" % each, 0, b"t") for each in blocks]

    known = BlocksTransactions(rows, most=2)
    for number in (1, 2, 3):
        run_apart(known.know({b"%d" % number: number}))

    with pytest.raises(NotDirect):
        known.find(b"1", 0)
    assert known.find(b"3", 0) == b"t"


def test_transactions__of_blocks_asked_for_with_others__do_not_make_room_for_those() -> None:
    async def rows(blocks: Sequence[int]) -> list[tuple[object, ...]]:
        return [(b"%d" % each, 0, b"t") for each in blocks]

    known = BlocksTransactions(rows, most=2)
    for numbers in ((1,), (2,), (1, 3)):
        run_apart(known.know({b"%d" % number: number for number in numbers}))

    assert [known.find(b"%d" % number, 0) for number in (1, 3)] == [b"t", b"t"]
    with pytest.raises(NotDirect):
        known.find(b"2", 0)


ODD = "".join(map(chr, (*range(1, 0x2100), 0x2028, 0x2029, 0xFEFF, 0xFFFD, 0x1F315)))


@pytest.mark.parametrize("kind", EntryKind)
@pytest.mark.parametrize("document", [None, Document(ODD, '"\\/<&>', "a/b", 3, True)])
def test_written_entry__is_the_json_of_its_model(kind: EntryKind, document: Document) -> None:
    for number in (0, 7):
        entry = Entry(
            entry_id=EntryId(2**53 - 1),
            programme_id=ProgrammeId(2),
            programme="a.b",
            org_id=OrgId(4),
            kind=kind,
            category="x" * number,
            amount=-5,
            balance_after=0,
            evidence=bytes(31) + bytes([number]),
            document=document,
            refers_to=EntryId(number),
            reversed_by=EntryId(number),
            actor=bytes(range(20)),
            operation_id=hash_of("operation"),
            block_number=BlockNumber(9),
            block_hash=hash_of("block"),
            timestamp=1_766_700_000,
            log_index=LogIndex(0),
            transaction_hash=hash_of("transaction"),
        )
        view = EntryView.of(entry)
        assert msgspec.json.encode(written_entry(entry)) == pydantic_core.to_json(view)
        assert view.model_dump(mode="json") == written_entry(entry)


def test_written_balance__is_the_json_of_its_model() -> None:
    sums = tuple(CategorySum(f"c{each}" * (each % 2), each, 1, 0) for each in range(300))
    for balance in (
        Balance(ProgrammeId(1), "p", -3, 300, EntryId(9), sums),
        Balance(ProgrammeId(1), "p", 0, 0, EntryId(0), ()),
    ):
        view = BalanceView.of(balance)
        assert msgspec.json.encode(written_balance(balance)) == pydantic_core.to_json(view)
