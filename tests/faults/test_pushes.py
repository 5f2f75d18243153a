"""New blocks that a node pushes: they come at once, and when they end nothing is missed."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.client import connect
from websockets.sync.server import Server, ServerConnection, serve

from ledger.chain import subscription
from ledger.chain.subscription import HeadSubscription
from ledger.domain.verification import Level
from ledger.errors import NodeProblem, NodeRefused
from ledger.mirror import follow
from ledger.mirror.ranges import read_ranges, weakest_level
from ledger.mirror.state import read_state
from ledger.store.engine import open_engine, reading
from tests.faults.conftest import ONE, Target, Targets
from tests.faults.proxy import Proxy
from tests.support.devnet import MOONLAKE
from tests.support.happenings import Ledger, wait_for
from tests.support.ports import free_port

NEVER = 3600.0


class PushProxy:
    """A WebSocket before a node's, that can be cut, and come back, and refuse."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream.replace("http://", "ws://")
        self.port = free_port()
        self.url = f"ws://127.0.0.1:{self.port}"
        self.refusal: str | bytes = ""
        self._server: Server | None = None
        self._thread = threading.Thread()
        self._open: list[ServerConnection] = []

    def start(self) -> None:
        """Take connections."""
        self._server = serve(self._pass_on, "127.0.0.1", self.port, compression=None)
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()

    def stop(self) -> None:
        """Cut all connections, and take none."""
        if self._server is None:
            return
        for each in self._open:
            each.close_socket()
        self._server.shutdown()
        self._thread.join()
        self._server = None

    def _pass_on(self, client: ServerConnection) -> None:
        self._open.append(client)
        asked = client.recv()
        if self.refusal:
            client.send(self.refusal)
            return
        with connect(self.upstream, proxy=None, compression=None) as node:
            node.send(asked)
            closing = threading.Thread(target=self._close_after, args=(client, node))
            closing.start()
            try:
                for message in node:
                    client.send(message)
            except Exception:  # noqa: BLE001  either side was cut
                pass
            finally:
                client.close_socket()
                closing.join()

    @staticmethod
    def _close_after(client: ServerConnection, node: Any) -> None:
        try:
            for _ in client:
                pass
        except Exception:  # noqa: BLE001  either side was cut
            pass
        finally:
            node.close_socket()


@pytest.fixture
def pushes(ledger: Ledger) -> Iterator[PushProxy]:
    """A WebSocket that a test can cut."""
    proxy = PushProxy(ledger.anvil.url)
    proxy.start()
    yield proxy
    proxy.stop()


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subscription, "_FIRST_PAUSE", 0.01)
    monkeypatch.setattr(subscription, "_LONGEST_PAUSE", 0.05)


class Following:
    """A mirror that follows by pushes, and would poll once an hour."""

    def __init__(self, target: Target, url: str, poll_interval: float = NEVER) -> None:
        self.target = target
        self.changes: list[NodeProblem | None] = []
        self.subscription = HeadSubscription(url, on_change=self.changes.append)
        self._thread = threading.Thread(
            target=follow.follow,
            args=(target.mirror,),
            kwargs={"poll_interval": poll_interval, "waiter": self.subscription},
        )

    def __enter__(self) -> Following:
        self.subscription.__enter__()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.target.stop.set()
        self._thread.join()
        self.subscription.__exit__(None, None, None)


class Flood(PushProxy):
    """Subscribes, and then sends the same frame without end, or only closes again."""

    frame = b""

    def _pass_on(self, client: ServerConnection) -> None:
        self._open.append(client)
        client.recv()
        client.send('{"jsonrpc":"2.0","id":1,"result":"0x1"}')
        with contextlib.suppress(Exception):  # until it is cut
            while self.frame:
                client.send(self.frame)
        client.close_socket()


@pytest.fixture
def flood(ledger: Ledger) -> Iterator[Flood]:
    """A WebSocket that means harm."""
    proxy = Flood(ledger.anvil.url)
    yield proxy
    proxy.stop()


NEVER_WAS = json.dumps(
    {
        "jsonrpc": "2.0",
        "method": "eth_subscription",
        "params": {"subscription": "0x1", "result": {"number": hex(2**80), "hash": "0x00"}},
    }
)
FRAMES = {
    "heads that never were": NEVER_WAS.encode(),
    "nothing": b"\0",
    "half a megabyte": b"[" * (1 << 19),
}


@pytest.mark.parametrize("what", FRAMES)
def test_follow__of_a_node_that_floods__looks_a_bounded_number_of_times(
    targets: Targets,
    proxy: Proxy,
    flood: Flood,
    ledger: Ledger,
    monkeypatch: pytest.MonkeyPatch,
    what: str,
) -> None:
    target = targets.get("sqlite")
    monkeypatch.setattr(subscription, "_LOOKS_AT_ONCE", 3)
    monkeypatch.setattr(subscription, "_LOOKS_EVERY", 0.2)
    flood.frame = FRAMES[what]
    flood.start()
    target.through(proxy.url)
    with Following(target, flood.url) as following:
        wait_for(lambda: target.is_at_head, "it did not follow")
        wait_for(lambda: following.subscription.is_live, "it is not subscribed")
        for number in range(2):
            ledger.award(ONE, (1 + number, 1))
            wait_for(lambda: target.is_at_head, "the flood drowned a block")
        began, asked = time.monotonic(), proxy.requests
        wait_for(lambda: time.monotonic() - began > 0.6, "time stands still")
        # One request each, of a chain that is quiet: three at once, and then one in a fifth of 1 s.
        assert proxy.requests - asked <= 5 + (time.monotonic() - began) / 0.2
    target.assert_equal()


def test_subscription__that_is_closed_again_at_once__is_tried_ever_more_seldom(
    flood: Flood, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each time it was live, and each time that is a line in somebody's log."""
    pauses: list[float] = []
    enough = threading.Event()

    def note(ended: threading.Event, seconds: float) -> bool:
        pauses.append(seconds)
        enough.set() if len(pauses) >= 8 else None
        return ended.wait(0.001)

    monkeypatch.setattr(subscription, "_FIRST_PAUSE", 1.0)
    monkeypatch.setattr(subscription, "_LONGEST_PAUSE", 30.0)
    monkeypatch.setattr(subscription, "_pause", note)
    flood.start()
    with HeadSubscription(flood.url):
        assert enough.wait(20)
    assert pauses[0] <= 1.0
    assert all(each > 20.0 for each in pauses[6:8])


def test_follow__of_a_node_that_pushes__takes_each_block_at_once(
    target: Target, pushes: PushProxy, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(subscription, "_LOOK_ANYWAY", NEVER)
    target.through(ledger.anvil.url)
    with Following(target, pushes.url) as following:
        wait_for(lambda: following.subscription.is_live, "it is not subscribed")
        for number in range(3):
            ledger.award(ONE, (1 + number, 1))
            wait_for(lambda: target.is_at_head, "the push was not heard")
    target.assert_equal()


def test_wait__while_which_pushes_begin__ends(flood: Flood) -> None:
    """What came before them was not pushed, and the next push may be an hour away."""
    waiting = HeadSubscription(flood.url)
    ended = threading.Event()

    def wait() -> None:
        waiting.wait(threading.Event(), NEVER)
        ended.set()

    threading.Thread(target=wait, daemon=True).start()
    assert not ended.wait(0.2)  # it is not subscribed yet
    flood.start()
    with waiting:
        assert ended.wait(20)


def test_follow__whose_pushes_are_cut__polls_until_they_come_again(
    target: Target, pushes: PushProxy, ledger: Ledger
) -> None:
    target.through(ledger.anvil.url)
    with Following(target, pushes.url, poll_interval=0.01) as following:
        wait_for(lambda: following.subscription.is_live, "it is not subscribed")
        for _ in range(2):
            pushes.stop()
            wait_for(lambda: not following.subscription.is_live, "the cut was not noticed")
            ledger.award(ONE, (1, 1))
            wait_for(lambda: target.is_at_head, "it does not poll")
            assert target.readiness.status() == 200
            pushes.start()
            wait_for(lambda: following.subscription.is_live, "it did not subscribe again")
            ledger.award(ONE, (2, 1))
            wait_for(lambda: target.is_at_head, "it did not go on")
    target.assert_equal()
    told = [each is None for each in following.changes]
    assert told == [True, False, True, False, True]


def test_follow__whose_pushes_fall_silent__looks_nevertheless(
    target: Target, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The connection stands, and nothing comes: a second is the longest wait."""
    monkeypatch.setattr(subscription, "_LOOK_ANYWAY", 0.05)

    def say_nothing(client: ServerConnection) -> None:
        client.recv()
        client.send('{"jsonrpc":"2.0","id":1,"result":"0x1"}')
        for _ in client:
            pass

    target.through(ledger.anvil.url)
    with serve(say_nothing, "127.0.0.1", 0, compression=None) as server:
        running = threading.Thread(target=server.serve_forever)
        running.start()
        port = server.socket.getsockname()[1]
        with Following(target, f"ws://127.0.0.1:{port}", poll_interval=0.01) as following:
            wait_for(lambda: following.subscription.is_live, "it is not subscribed")
            ledger.award(ONE, (1, 1))
            wait_for(lambda: target.is_at_head, "it waits for a push for ever")
        server.shutdown()
        running.join()
    target.assert_equal()


@pytest.mark.parametrize(
    "refusal",
    [
        '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"no subscriptions here"}}',
        '{"jsonrpc":"2.0","id":1}',
        "[]",
        "nonsense",
        pytest.param("[" * 100_000, id="too long"),
        pytest.param("[" * 4_000, id="too deep"),
        pytest.param(b"\xff\xfe", id="no text"),
    ],
)
def test_follow__of_a_node_that_refuses_to_push__polls_and_says_so_once(
    target: Target, pushes: PushProxy, ledger: Ledger, refusal: str | bytes
) -> None:
    pushes.refusal = refusal
    target.through(ledger.anvil.url)
    with Following(target, pushes.url, poll_interval=0.01) as following:
        ledger.award(ONE, (1, 1))
        wait_for(lambda: target.is_at_head, "it does not poll")
        wait_for(lambda: bool(following.changes), "it says nothing")
    assert len(following.changes) == 1
    problem = following.changes[0]
    assert problem is not None
    assert isinstance(problem, NodeRefused) == ("error" in str(refusal))
    target.assert_equal()


def test_subscription__of_what_is_not_there__ends_at_once_when_asked() -> None:
    began = time.monotonic()
    with HeadSubscription(f"ws://user:secret@127.0.0.1:{free_port()}/key") as subscribed:
        assert "secret" not in subscribed.shown_url
        assert "key" not in subscribed.shown_url
        stop = threading.Event()
        stop.set()
        subscribed.wait(stop, NEVER)
    assert time.monotonic() - began < NEVER


@pytest.mark.parametrize("rest", ["user:secret@127.0.0.1:1/key#part", "us:secret@127.0.0.1:1/ke y"])
def test_subscription__of_an_address_that_is_none__says_so_without_its_secrets(rest: str) -> None:
    said: list[str] = []
    told = threading.Event()

    def tell(problem: NodeProblem | None) -> None:
        said.append(str(problem))
        told.set()

    with HeadSubscription(f"ws://{rest}", on_change=tell):
        assert told.wait(20)
    assert "127.0.0.1:1" in said[0]
    assert not [word for word in ("secret", "key", "ke y") if word in said[0]]


def test_command__with_a_level_and_a_subscription__follows(
    sqlite_url: str, pushes: PushProxy, ledger: Ledger, tmp_path: Path
) -> None:
    log = tmp_path / "log"
    command = [
        *(*MOONLAKE, "mirror", "follow", "--json", "--home", str(tmp_path / "home")),
        *("--rpc-url", ledger.anvil.url, "--deployment", str(ledger.path)),
        *("--database-url", sqlite_url, "--poll-interval", "30"),
        *("--verify", "heads", "--subscribe-url", pushes.url, "--finality", "depth"),
    ]
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said, cwd=tmp_path)
    try:
        wait_for(lambda: '"subscribed"' in log.read_text(), "it did not subscribe")
        wait_for(lambda: '"caught_up"' in log.read_text(), "it did not catch up")
        block = ledger.award(ONE, (1, 1))
        wait_for(lambda: f'"block_number": {block}' in log.read_text(), log.read_text())
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
    finally:
        process.kill()
        process.wait()
    engine = open_engine(sqlite_url)
    with reading(engine) as connection:
        assert weakest_level(read_ranges(connection, read_state(connection))) is Level.HEADS
    engine.dispose()
