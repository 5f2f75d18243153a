"""What became final is told, signed, at least once, until it arrives or is given up."""

from __future__ import annotations

import ipaddress
import json
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest
import standardwebhooks
from sqlalchemy import Engine, select, update

from ledger.domain.operations import new_operation_id
from ledger.errors import AddressRefused, InvalidValue, NotFound
from ledger.office.queries import read_revision
from ledger.office.webhooks import deliveries as kept
from ledger.office.webhooks.addresses import Gate
from ledger.office.webhooks.deliveries import PAUSES, TAKEN_ON_MS, list_deliveries, replay, take_on
from ledger.office.webhooks.endpoints import (
    add_endpoint,
    disable_endpoint,
    enable_endpoint,
    list_endpoints,
    read_endpoint,
    remove_endpoint,
    rotate_secret,
)
from ledger.office.webhooks.messages import Message, announce
from ledger.services.webhooks.collecting import begin, collect
from ledger.services.webhooks.expiring import tell_expiring
from ledger.services.webhooks.sending import WebhookSender
from ledger.store.engine import reading, writing
from ledger.store.office_tables import webhook_endpoints, webhook_messages
from ledger.store.outbox_tables import operations
from tests.support.desks import Sender
from tests.support.ledger import MEMBER, PROGRAMME
from tests.support.receivers import Receiver, running_receiver

GATE = Gate((ipaddress.ip_network("127.0.0.0/8"),))
NOW = 1_800_000_000


@dataclass
class Clock:
    """Time that passes when a test says so."""

    now: float = NOW

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


@dataclass
class Post:
    """A sender, its clock, and one endpoint at the receiver."""

    engine: Engine
    sender: WebhookSender
    clock: Clock
    endpoint_id: str
    secret: str

    def tell(self, number: int = 1, kind: str = "entry.posted") -> None:
        messages = [Message(kind, NOW, (each,), {"n": each}) for each in range(number)]
        with writing(self.engine) as connection:
            announce(connection, messages, now=int(self.clock() * 1000))

    def states(self) -> list[tuple[str, int]]:
        with reading(self.engine) as connection:
            found = list_deliveries(connection, limit=100)
        return [(each.state, each.attempts) for each in found]


@pytest.fixture
def office(engine: Engine, receiver: Receiver) -> Post:
    clock = Clock()
    sender = WebhookSender(engine, GATE, clock, random.Random(7))
    with writing(engine) as connection:
        made, secret = add_endpoint(connection, GATE, receiver.url, now=NOW)
    return Post(engine, sender, clock, made.endpoint_id, secret)


def test_message__delivered__is_verified_by_the_standards_own_library(
    office: Post, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.clock.now = time.time()  # which the library compares with its own
    office.tell()

    assert office.sender.drain() == 1

    (request,) = receiver.requests
    told = standardwebhooks.Webhook(office.secret).verify(request.body, request.headers)
    assert told == {"type": "entry.posted", "timestamp": "2027-01-15T08:00:00Z", "data": {"n": 0}}
    assert office.states() == [("delivered", 1)]
    with pytest.raises(standardwebhooks.WebhookVerificationError):
        standardwebhooks.Webhook(office.secret).verify(request.body + b" ", request.headers)


def test_secret__rotated__both_sign_until_the_overlap_ends(
    office: Post, receiver: Receiver
) -> None:
    office.clock.now = time.time()
    with writing(office.engine) as connection:
        new = rotate_secret(connection, office.endpoint_id, overlap=3600, now=int(office.clock()))
    office.tell()
    office.sender.drain()

    (request,) = receiver.requests
    assert len(request.headers["webhook-signature"].split()) == 2
    for secret in (office.secret, new):
        standardwebhooks.Webhook(secret).verify(request.body, request.headers)

    office.clock.now += 3601
    with writing(office.engine) as connection:
        replay(connection, office.endpoint_id, now=int(office.clock() * 1000), since=0)
    office.sender.drain()
    assert len(receiver.requests[1].headers["webhook-signature"].split()) == 1


def test_secret__rotated_without_overlap__signs_no_more(office: Post, receiver: Receiver) -> None:
    with writing(office.engine) as connection:
        rotate_secret(connection, office.endpoint_id, overlap=3600, now=NOW)
        rotate_secret(connection, office.endpoint_id, overlap=0, now=NOW)
    office.tell()
    office.sender.drain()

    assert len(receiver.requests[0].headers["webhook-signature"].split()) == 1


def test_delivery__that_fails__is_tried_after_ever_longer_pauses_and_then_dead(
    office: Post, receiver: Receiver
) -> None:
    receiver.status = 500
    office.tell()
    waited = []
    for _ in range(len(PAUSES) + 1):
        assert office.sender.drain() == 1
        assert office.sender.drain() == 0, "not before its time"
        with reading(office.engine) as connection:
            (delivery,) = list_deliveries(connection, limit=2)
        if delivery.state == "waiting":
            waited.append(delivery.due_at / 1000 - office.clock())
            office.clock.now = delivery.due_at / 1000
        with writing(office.engine) as connection:  # five days are another test's
            enable_endpoint(connection, office.endpoint_id)

    assert office.states() == [("dead", len(PAUSES) + 1)]
    assert delivery.last_problem == "it answered 500"
    for pause, usual in zip(waited, PAUSES, strict=True):
        assert 0.8 * usual <= pause <= 1.2 * usual
    assert waited != list(PAUSES), "they are spread"
    ids = {request.headers["webhook-id"] for request in receiver.requests}
    assert len(ids) == 1


def test_delivery__dead__is_replayed_under_its_own_id(office: Post, receiver: Receiver) -> None:
    receiver.status = 500
    office.tell()
    office.sender.drain()
    with writing(office.engine) as connection:
        disable_endpoint(connection, office.endpoint_id, because="by hand", now=NOW)
        with pytest.raises(InvalidValue, match="enable it first"):
            replay(connection, office.endpoint_id, now=NOW * 1000, dead=True)
        enable_endpoint(connection, office.endpoint_id)
        receiver.status = 200
        assert replay(connection, office.endpoint_id, now=NOW * 1000, dead=True) == 1
        with pytest.raises(NotFound):
            replay(connection, office.endpoint_id, now=NOW * 1000, message_id="msg_none")
    office.sender.drain()

    assert office.states() == [("delivered", 2)]
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body


def test_retry_after__of_a_receiver__is_heeded_within_a_day(
    office: Post, receiver: Receiver
) -> None:
    receiver.status, receiver.headers = 429, {"Retry-After": "900000"}
    office.tell()
    office.sender.drain()

    with reading(office.engine) as connection:
        (delivery,) = list_deliveries(connection, limit=1)
    assert delivery.due_at == (NOW + 86400) * 1000


def test_endpoint__that_fails_for_five_days__is_disabled_and_keeps_what_it_misses(
    office: Post, receiver: Receiver
) -> None:
    receiver.status = 503
    office.tell()
    office.sender.drain()
    office.clock.now += 5 * 86400 + 1
    office.sender.drain()

    with reading(office.engine) as connection:
        found = read_endpoint(connection, office.endpoint_id)
    assert found.disabled_because == "every attempt of five days failed"
    office.tell(3)
    assert office.sender.drain() == 0
    assert office.states() == [("dead", 2), ("dead", 0), ("dead", 0)] or sorted(
        office.states()
    ) == [("dead", 0), ("dead", 0), ("dead", 2)]


def test_endpoint__with_one_success_in_between__is_not_disabled(
    office: Post, receiver: Receiver
) -> None:
    receiver.status = 503
    office.tell()
    office.sender.drain()
    receiver.status = 200
    office.clock.now += 10
    office.sender.drain()
    receiver.status = 503
    office.clock.now += 5 * 86400 + 1
    office.tell(2)
    office.sender.drain()

    with reading(office.engine) as connection:
        assert read_endpoint(connection, office.endpoint_id).disabled_at is None


def test_endpoint__that_is_gone__is_disabled_at_once(office: Post, receiver: Receiver) -> None:
    receiver.status = 410
    office.tell()
    office.sender.drain()

    with reading(office.engine) as connection:
        assert "410" in read_endpoint(connection, office.endpoint_id).disabled_because
    assert office.states() == [("dead", 1)]


def test_endpoint__of_some_types__gets_those_alone(engine: Engine, receiver: Receiver) -> None:
    with writing(engine) as connection:
        add_endpoint(
            connection, GATE, receiver.url, types=("membership.*", "entry.posted"), now=NOW
        )
        told = [
            Message(kind, NOW, (), {})
            for kind in ("membership.admitted", "entry.posted", "operation.final")
        ]
        assert announce(connection, told, now=NOW * 1000) == 2
    WebhookSender(engine, GATE, Clock()).drain()

    kinds = sorted(json.loads(request.body)["type"] for request in receiver.requests)
    assert kinds == ["entry.posted", "membership.admitted"]


def test_endpoint__at_an_inner_address__is_not_added(engine: Engine) -> None:
    with writing(engine) as connection, pytest.raises(AddressRefused):
        add_endpoint(connection, Gate(), "https://127.0.0.1/", now=NOW)


def test_endpoint__removed__leaves_nothing_of_itself(office: Post) -> None:
    office.tell()
    office.sender.drain()
    with writing(office.engine) as connection:
        remove_endpoint(connection, office.endpoint_id)
        assert list_endpoints(connection) == []
        assert list_deliveries(connection, limit=10) == []


def test_sender__that_dies_with_an_attempt_in_hand__leaves_it_to_the_next(office: Post) -> None:
    office.tell()
    with writing(office.engine) as connection:
        assert len(take_on(connection, now=NOW * 1000, limit=8, each=2)) == 1
        assert take_on(connection, now=NOW * 1000, limit=8, each=2) == []
    assert office.sender.drain() == 0
    office.clock.now += TAKEN_ON_MS / 1000

    assert office.sender.drain() == 1
    assert office.states() == [("delivered", 1)]


def test_endpoint__with_much_to_get__leaves_places_to_others(office: Post) -> None:
    with writing(office.engine) as connection:
        other, _ = add_endpoint(connection, GATE, "http://127.0.0.1:2/", now=NOW)
    office.tell(20)
    with writing(office.engine) as connection:
        taken = take_on(connection, now=NOW * 1000, limit=8, each=2, busy=[office.endpoint_id])

    assert sorted(due.endpoint_id == other.endpoint_id for due in taken) == [False, True, True]


def test_endpoint__whose_url_this_release_refuses__fails_by_itself(
    office: Post, receiver: Receiver
) -> None:
    """It was taken by a release that refused less; the others still get theirs."""
    with writing(office.engine) as connection:
        other, _ = add_endpoint(connection, GATE, receiver.url + "2", now=NOW)
        changed = update(webhook_endpoints).where(
            webhook_endpoints.c.endpoint_id == office.endpoint_id
        )
        connection.execute(changed.values(url="https://a..b/"))
    office.tell()

    assert office.sender.drain() == 2
    assert [each.path for each in receiver.requests] == ["/hook2"]
    with reading(office.engine) as connection:
        found = {each.endpoint_id: each.state for each in list_deliveries(connection, limit=9)}
    assert found[other.endpoint_id] == "delivered"
    assert found[office.endpoint_id] != "delivered"


def test_messages__old_and_done__are_forgotten_and_those_that_wait_are_not(
    office: Post, receiver: Receiver
) -> None:
    office.tell(2)
    office.sender.drain()
    receiver.status = 500
    with writing(office.engine) as connection:
        announce(connection, [Message("x.y", NOW, (), {})], now=NOW * 1000)
    office.sender.drain()
    with writing(office.engine) as connection:
        later = (NOW + kept.KEPT_SECONDS + 10) * 1000
        assert kept.forget_old(connection, now=later) == 2

    assert office.states() == [("waiting", 1)]


def test_test_message__is_sent_at_once_and_once(office: Post, receiver: Receiver) -> None:
    assert office.sender.test(office.endpoint_id).is_delivered
    receiver.status = 500
    office.clock.now += 1
    assert office.sender.test(office.endpoint_id).problem == "it answered 500"

    assert json.loads(receiver.requests[0].body)["type"] == "webhook.test"
    assert sorted(office.states()) == [("dead", 1), ("delivered", 1)]


# --- what the chain and the outbox give to tell ---------------------------------------------------


def _told(engine: Engine) -> list[dict[str, object]]:
    with reading(engine) as connection:
        rows = connection.execute(select(webhook_messages.c.body)).scalars()
        return sorted((json.loads(row) for row in rows), key=str)


def test_entry__not_final__is_not_told_before_it_is_and_then_once(
    sender: Sender, receiver: Receiver
) -> None:
    engine, anvil = sender.engine, sender.ledger.anvil
    sender.mirror()
    with writing(engine) as connection:
        begin(connection, now=NOW * 1000)
        add_endpoint(connection, GATE, receiver.url, types=("entry.posted",), now=NOW)
    snapshot = anvil.rpc.call("evm_snapshot")
    sender.award(new_operation_id(), amount=7)
    sender.mirror()
    assert collect(engine, now=NOW * 1000) == 0

    anvil.rpc.call("evm_revert", snapshot)  # the award is undone by a reorganisation
    sender.award(new_operation_id(), amount=5)
    anvil.mine(70)
    sender.mirror()
    with reading(engine) as connection:
        revision = read_revision(connection)

    assert collect(engine, now=NOW * 1000) == 1
    assert collect(engine, now=NOW * 1000) == 0
    (told,) = _told(engine)
    assert told["type"] == "entry.posted"
    data = told["data"]
    assert isinstance(data, dict)
    assert (data["amount"], data["kind"], data["org_id"]) == (5, "award", 1)
    with reading(engine) as connection:
        assert read_revision(connection) == revision, "readers' answers stay as they are"


def test_operation__settled__is_told_once_and_without_names(
    sender: Sender, receiver: Receiver
) -> None:
    engine = sender.engine
    sender.mirror()
    with writing(engine) as connection:
        begin(connection, now=0)
        add_endpoint(connection, GATE, receiver.url, types=("operation.*",), now=NOW)
    operation_id = new_operation_id()
    sender.award(operation_id)
    with writing(engine) as connection:
        connection.execute(operations.update().values(state="final", updated_at=NOW * 1000))

    assert collect(engine, now=NOW * 1000) == 0, "its commit may still be under way"
    assert collect(engine, now=(NOW + 4) * 1000) == 1
    assert collect(engine, now=(NOW + 5) * 1000) == 0
    (told,) = _told(engine)
    assert told["type"] == "operation.final"
    data = told["data"]
    assert isinstance(data, dict)
    assert data["operation_id"] == "0x" + operation_id.hex()
    assert "summary" not in data


def test_history__before_the_first_endpoint__is_not_told_and_that_of_a_new_chain_is(
    sender: Sender, receiver: Receiver
) -> None:
    engine = sender.engine
    sender.award(new_operation_id())
    sender.ledger.anvil.mine(70)
    sender.mirror()
    with writing(engine) as connection:
        begin(connection, now=NOW * 1000)
        add_endpoint(connection, GATE, receiver.url, now=NOW)
    assert collect(engine, now=NOW * 1000) == 0

    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE mirror_state SET genesis_hash = x'" + "11" * 32 + "'")
    made = collect(engine, now=NOW * 1000)

    assert made == len(_told(engine)) > 3


def test_membership__that_ends_soon__is_told_once_for_each_of_the_days_before(
    sender: Sender, receiver: Receiver
) -> None:
    engine = sender.engine
    sender.ledger.anvil.mine(70)
    sender.mirror()
    membership = sender.ledger.contracts.memberships.membership(PROGRAMME, MEMBER, at="latest")
    ends, day = membership.expires_at, 86400
    with writing(engine) as connection:
        add_endpoint(connection, GATE, receiver.url, types=("entry.*",), now=NOW)
    assert tell_expiring(engine, now=(ends - 10 * day) * 1000) == 0, "nobody wants it"
    with writing(engine) as connection:
        add_endpoint(connection, GATE, receiver.url, types=("membership.expiring",), now=NOW)

    counts = {
        days: [tell_expiring(engine, now=(ends - days * day) * 1000) for _ in range(2)]
        for days in (61, 59, 29, 8, 6)
    }
    after = tell_expiring(engine, now=(ends + 1) * 1000)

    assert counts == {61: [0, 0], 59: [1, 0], 29: [1, 0], 8: [0, 0], 6: [1, 0]}
    assert after == 0
    told = [each["data"] for each in _told(engine)]
    assert sorted(each["days"] for each in told if isinstance(each, dict)) == [7, 30, 60]
    assert {each["expires_at"] for each in told if isinstance(each, dict)} == {ends}
