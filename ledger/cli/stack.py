"""What `moonlake up` runs: devnet, mirror, server, senders of webhooks and, where a mail server is
named, of notices; started, watched, stopped.

Each start makes good what the last end left undone: contracts that are missing, blocks that the
devnet lost, transactions that were signed and not sent. It refuses data of another chain.
"""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import msgspec

from ledger.chain.devnet import DevnetOptions, check_tool_and_port, start_devnet
from ledger.chain.devnet_running import RunningDevnet
from ledger.cli.children import Child
from ledger.config import Settings
from ledger.disks import folder_unusable
from ledger.errors import InvalidSetting, NodeProblem
from ledger.processes import require_free_port

if TYPE_CHECKING:
    from ledger.cli.rechecks import Rechecks

Report = Callable[[str], None]
Progress = Callable[[int, int], None]

OWNER = "moonlake up"
DEMONSTRATED = ("registrar", "relayer", "issuer", "treasurer", "council")
"""The key by which a demonstration's applications are decided."""

_LOOK_EVERY = 0.1
_READY_LOOK_EVERY = 0.05
_PATIENCE = 20.0
_READINESS_EVERY = 2.0
_READINESS_TIMEOUT = 5.0
_GRACE = 8.0
_DEATH_SHOWS_WITHIN = 2.0
_EVERYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104  what they are seen as


class Interrupted(Exception):
    """It was asked to end before it was ready."""


@dataclass(frozen=True, slots=True)
class Ready:
    """Where to look."""

    console: str
    folder: str
    node: str
    chain_id: int
    block: int
    digest: str
    made_up: bool
    is_new: bool = False
    """Whether there is no programme yet."""

    def values(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "console": self.console,
            "api": self.console + "docs",
            "folder": self.folder,
            "node": self.node,
            "chain_id": self.chain_id,
            "block": self.block,
            "digest": self.digest,
            "made_up": self.made_up,
        }

    def text(self) -> str:
        """For people."""
        made_up = (
            "\nContributions and applications here are made up, and say so wherever they are shown."
            if self.made_up
            else ""
        )
        first_steps = (
            "\nThere is no programme yet. The first steps are forms of the console, for whoever "
            f"signs in as the administrator: {self.console}desk/guide (docs/console.md)."
            if self.is_new
            else ""
        )
        return (
            "\nMoonlake is ready.\n\n"
            f"  Console   {self.console}\n"
            f"  API       {self.console}docs\n"
            f"  Node      {self.node} (chain {self.chain_id})\n"
            f"  Data      {self.folder}\n"
            f"  Digest    {self.digest} (block {self.block})\n"
            f"{made_up}{first_steps}\nCtrl-C stops everything."
        )


@dataclass(frozen=True, slots=True)
class Readiness:
    """The block that the server's answers are true at; or None, and why they are not."""

    block: int | None = None
    code: str = ""
    problem: str = ""


class Stack:
    """The processes of one ledger.

    `report` and `progress` take what people should know meanwhile. Once `stopping` is set,
    `start` ends with Interrupted and `watch` returns.
    """

    def __init__(
        self, settings: Settings, *, stopping: threading.Event, report: Report, progress: Progress
    ) -> None:
        self._settings = settings
        self._stopping = stopping
        self._report = report
        self._progress = progress
        self._devnet: RunningDevnet | None = None
        # Of this port's server alone: another `moonlake up` here, refused later, has its own.
        self._not_ready = settings.home / f"starting-{settings.port}"
        self._holds_back = False
        self._server = self._new_server(settings)
        self._mirror = Child(settings, "mirror", "follow", grace=_GRACE, report=report)
        self._mirrors = False
        self._senders = [
            Child(settings, name, "send", grace=_GRACE, report=report)
            for name in ("webhook", *(["notice"] if settings.sends_mail else []))
        ]
        self._rechecks: Rechecks | None = None
        self._readiness_due = 0.0
        self._unready = ""
        self._told = ""

    def start(self, *, demo: bool) -> Ready:
        """Start everything and return when the server's answers are current."""
        settings = self._settings
        require_startable(settings)
        _prepare_folder(settings)
        self._hold_readiness_back()
        if demo:
            self._server = self._new_server(
                settings.model_copy(update={"serve_keys": _serving(settings)})
            )
        self._server.start()  # first, since it takes longest and needs no chain
        if settings.uses_devnet:
            self._start_devnet(demo=demo)

        from ledger.cli.readying import Readying  # noqa: PLC0415  while the server imports its own

        self._readying = Readying(settings, self._report, self._pulse)
        while not self._make_whole(demo=demo):
            self._report("What was not done before anvil ended is done again.")
        self._let_be_ready()
        self._wait_until_ready()
        self._begin_rechecks()
        for sender in self._senders:
            sender.start()  # last: nobody waits for them
        return self._readying.describe(self._console())

    def watch(self) -> None:
        """Keep everything running until it is asked to end."""
        while not self._stopping.wait(_LOOK_EVERY):
            self._check()

    def stop(self) -> None:
        """Stop what runs, the devnet last: it saves its state."""
        if self._rechecks is not None:
            self._rechecks.stop()
            self._rechecks = None
        for sender in self._senders:
            sender.stop()
        self._server.stop()
        self._mirror.stop()
        self._let_be_ready()
        if self._devnet is not None:
            self._devnet.stop()
            self._devnet = None

    def _new_server(self, settings: Settings) -> Child:
        return Child(
            settings,
            "serve",
            options=("--not-ready-while", str(self._not_ready)),
            grace=_GRACE,
            report=self._report,
        )

    def _start_devnet(self, *, demo: bool) -> None:
        options = DevnetOptions()
        if demo:
            from ledger.services.demonstration.calendar import season_start  # noqa: PLC0415

            # What an earlier start left of the season is recorded in the season, not today.
            options = DevnetOptions(
                genesis_time=season_start(int(time.time())), clock_follows_chain=True
            )
        self._devnet = start_devnet(self._settings, options, report=self._report, owner=OWNER)

    def _hold_readiness_back(self) -> None:
        """Have the server say that it is not ready, since it answers before all is recorded."""
        try:
            self._not_ready.touch()
        except OSError as error:
            raise folder_unusable(self._not_ready.parent, error) from error
        self._holds_back = True

    def _let_be_ready(self) -> None:
        if self._holds_back:
            self._holds_back = False
            self._not_ready.unlink(missing_ok=True)

    def _make_whole(self, *, demo: bool) -> bool:
        """Do what is not done yet; False if anvil died meanwhile, and runs again."""
        try:
            self._take_steps(demo=demo)
        except NodeProblem:
            devnet = self._devnet
            if devnet is None or not devnet.has_died(within=_DEATH_SHOWS_WITHIN):
                raise
            devnet.check()
            return False
        return True

    def _take_steps(self, *, demo: bool) -> None:
        self._readying.deploy()
        self._keep_for_good()
        self._readying.reconcile()
        if not self._mirrors:
            self._mirrors = True
            self._mirror.start()
        if demo:
            self._readying.record_season(self._counted)
            self._keep_for_good()
        if self._devnet is not None:
            self._devnet.return_to_present()
        self._readying.send_what_is_left()
        if demo:
            self._wait_until_served()
            self._readying.decide_applications(self._host(), self._settings.port)

    def _keep_for_good(self) -> None:
        """Go on only when no crash can take back what the next steps build on."""
        if self._devnet is not None:
            self._devnet.wait_until_saved()

    def _begin_rechecks(self) -> None:
        from ledger.cli.rechecks import Rechecks  # noqa: PLC0415  while the server imports its own

        self._rechecks = Rechecks(self._settings, self._report)
        self._rechecks.start()

    def _check(self) -> None:
        self._server.check()
        self._mirror.check()
        for sender in self._senders:
            sender.check()
        if self._devnet is not None and self._devnet.check():
            self._readying.reconcile()
            self._readying.send_what_is_left()
        if time.monotonic() >= self._readiness_due:
            self._readiness_due = time.monotonic() + _READINESS_EVERY
            self._say_readiness()

    def _say_readiness(self) -> None:
        """Say what is wrong with the answers where it lasts, such as a mirror that cannot write.

        A server that gives no answer is seen to, and said, where the children are.
        """
        found = self._ask_readiness()
        if found.block is not None:
            if self._told:
                self._report(f"Ready again, at block {found.block}.")
            self._unready = self._told = ""
        elif found.code:
            if found.code == self._unready and found.code != self._told:
                self._told = found.code
                self._report(f"Not ready: {found.problem}")
            self._unready = found.code

    def _pulse(self) -> None:
        """Between two steps of the start: look after the children, and notice ctrl-C."""
        if self._stopping.is_set():
            raise Interrupted
        self._server.check()
        self._mirror.check()

    def _counted(self, done: int, total: int) -> None:
        self._pulse()
        self._progress(done, total)

    def _wait_until_ready(self) -> None:
        """Return when the server's answers are true at the chain's head."""
        started = time.monotonic()
        told = False
        while True:
            self._pulse()
            found = self._ask_readiness()
            if found.block is not None and found.block >= self._readying.head():
                return
            if not told and time.monotonic() - started > _PATIENCE:
                told = True
                self._report(f"Not ready yet: {found.problem or 'the mirror is not at the head'}")
            self._stopping.wait(_READY_LOOK_EVERY)

    def _wait_until_served(self) -> None:
        """Return when the server answers, be it that it is not ready."""
        while True:
            self._pulse()
            found = self._ask_readiness()
            if found.block is not None or found.code:
                return
            self._stopping.wait(_READY_LOOK_EVERY)

    def _ask_readiness(self) -> Readiness:
        """What /readyz says."""
        connection = http.client.HTTPConnection(
            self._host(), self._settings.port, timeout=_READINESS_TIMEOUT
        )
        try:
            connection.request("GET", "/readyz")
            response = connection.getresponse()
            body = msgspec.json.decode(response.read())
        except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
            return Readiness(problem=f"the server does not answer ({error})")
        finally:
            connection.close()
        if response.status != http.HTTPStatus.OK:
            problem = f"{body.get('detail', body)} {body.get('advice', '')}".rstrip()
            return Readiness(code=str(body.get("code", "")), problem=problem)
        return Readiness(block=int(body["block_number"]))

    def _host(self) -> str:
        """Where the server is reached from this machine."""
        return _EVERYWHERE.get(self._settings.host, self._settings.host)

    def _console(self) -> str:
        host = self._host()
        shown = f"[{host}]" if ":" in host else host
        return f"http://{shown}:{self._settings.port}/"


def _serving(settings: Settings) -> tuple[str, ...]:
    """The keys that a demonstration's server signs with.

    A registrar decides the applications; with the others, whoever tries the console can redeem
    (`relayer` brings what members sign) and work at the desk.
    """
    return tuple(dict.fromkeys((*settings.serve_keys, *DEMONSTRATED)))


def require_startable(settings: Settings) -> None:
    """Refuse what cannot go well before anything is made, moved or started.

    Raises InvalidSetting, PortInUse and ToolMissing.
    """
    if settings.uses_devnet and settings.port == settings.devnet_port:
        problem = f"{settings.port} is the devnet's port too (MOONLAKE_DEVNET_PORT)"
        raise InvalidSetting(setting="MOONLAKE_PORT", problem=problem)
    if settings.smtp_url and not settings.smtp_from:
        problem = "it names nobody, and MOONLAKE_SMTP_URL a mail server"
        raise InvalidSetting(setting="MOONLAKE_SMTP_FROM", problem=problem)
    require_free_port(settings.host, settings.port, setting="MOONLAKE_PORT")
    if settings.uses_devnet:
        check_tool_and_port(settings)


def _prepare_folder(settings: Settings) -> None:
    """Make the data folder and see that it can be written. Raises FolderUnusable."""
    probe = settings.home / ".writable"
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise folder_unusable(settings.home, error) from error
