"""Programs that Moonlake starts, and how it knows them again.

A process number alone says little: the system gives it to another program once the first has
ended. So a process is known here by its number and the time it started, and nothing is ever
signalled that does not answer to both. It refuses to signal groups and names.

On Linux a child can be told to die with its parent (prctl(2), PR_SET_PDEATHSIG), so that kill -9
of `moonlake up` leaves nothing behind; elsewhere the next start finds the child by its record.
"""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from ledger.disks import folder_unusable
from ledger.errors import InvalidSetting, PortInUse, ToolMissing

UNSHADOWED = ("-P",)
"""Options of Python without which `-c` takes modules from the current folder before its own."""

_PROC = Path("/proc")

_SETTINGS = "MOONLAKE_"
"""How the names of our settings begin; see `ledger.config`."""

# Runs in place of the program for a moment, then becomes it. A `preexec_fn` would do the same but
# is not safe beside threads. The parent may have died before the request: hence the second look.
_DIE_WITH_PARENT = """
import ctypes, os, signal, sys
ctypes.CDLL(None).prctl(1, int(sys.argv[1]))
if os.getppid() != int(sys.argv[2]):
    os._exit(0)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)
os.execv(sys.argv[3], sys.argv[3:])
"""


@dataclass(frozen=True, slots=True)
class ProcessIdentity:
    """A process: its number, and when it started in words that only this system understands."""

    pid: int
    started: str


def identify_process(pid: int) -> ProcessIdentity:
    """The identity of a living process. Raises ProcessLookupError; a zombie does not live."""
    if _PROC.joinpath("self", "stat").exists():
        return ProcessIdentity(pid, _linux_start(pid))
    shown = subprocess.run(
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)],
        capture_output=True,
        text=True,
        check=False,
    )
    state, _, started = shown.stdout.strip().partition(" ")
    if not started or state.startswith("Z"):
        raise ProcessLookupError(pid)
    return ProcessIdentity(pid, started.strip())


def is_running(identity: ProcessIdentity) -> bool:
    """Whether this very process still lives."""
    try:
        return identify_process(identity.pid) == identity
    except ProcessLookupError:
        return False


def signal_process(identity: ProcessIdentity, number: signal.Signals) -> bool:
    """Send a signal to this very process; False if it is gone."""
    if not is_running(identity):
        return False
    try:
        os.kill(identity.pid, number)
    except ProcessLookupError:
        return False
    return True


def end_process(identity: ProcessIdentity, *, grace: float) -> None:
    """SIGTERM, and after `grace` seconds SIGKILL; returns when the process is gone."""
    if signal_process(identity, signal.SIGTERM) and not wait_until(
        lambda: not is_running(identity), seconds=grace
    ):
        signal_process(identity, signal.SIGKILL)
        wait_until(lambda: not is_running(identity), seconds=10)


def wait_until(condition: Callable[[], bool], *, seconds: float, pause: float = 0.02) -> bool:
    """Look every `pause` seconds until the condition holds; False if it did not in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
    return True


def own_environment(**changes: str) -> dict[str, str]:
    """Our environment for a child, with some variables set anew."""
    return {**os.environ, **changes}


def strangers_environment(**changes: str) -> dict[str, str]:
    """The same for a program that is not ours: without our settings, which may hold passwords."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(_SETTINGS)}
    return {**kept, **changes}


class ChildProcess:
    """A program that we started, in a session of its own.

    The session keeps the terminal's ctrl-C from it: the parent decides when and how it ends.

    Parameters
    ----------
    name: how people know it.
    command: absolute path of the program, then its arguments.
    folder: its working folder.
    log: a file that takes its output, appended; None lets it write to ours.
    environment: replaces ours; None hands ours on.
    at_parents_end: the signal that it gets when the *thread* that started it ends, Linux only;
        None lets it live on.
    """

    def __init__(
        self,
        name: str,
        command: Sequence[str],
        *,
        folder: Path,
        log: Path | None = None,
        environment: Mapping[str, str] | None = None,
        at_parents_end: signal.Signals | None = signal.SIGKILL,
    ) -> None:
        self.name = name
        self._log = log
        self._log_start = log.stat().st_size if log is not None and log.exists() else 0
        if shutil.which(command[0]) is None:
            raise ToolMissing(tool=command[0], remedy="Check that it is there and may be run.")
        if at_parents_end is not None and sys.platform == "linux":
            command = [
                *(sys.executable, "-I", "-S", "-c", _DIE_WITH_PARENT),
                *(str(int(at_parents_end)), str(os.getpid())),
                *command,
            ]
        output = self._open_log()
        try:
            self._process = subprocess.Popen(
                command,
                cwd=folder,
                env=None if environment is None else dict(environment),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=None if output is None else subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise ToolMissing(
                tool=command[0], remedy=f"It cannot be started: {error.strerror}."
            ) from error
        finally:
            if output is not None:
                os.close(output)
        try:
            self.identity = identify_process(self._process.pid)
        except ProcessLookupError:  # ended at once; whoever waits for it will see that
            self.identity = ProcessIdentity(self._process.pid, "ended at once")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop(grace=5)

    @property
    def has_ended(self) -> bool:
        """Whether it ended, by itself or by us."""
        return self._process.poll() is not None

    @property
    def ending(self) -> str:
        """How it ended, for people: `ended with code 1`, `was ended by signal 9 (SIGKILL)`."""
        code = self._process.poll()
        if code is None:
            return "is running"
        if code >= 0:
            return f"ended with code {code}"
        try:
            return f"was ended by signal {-code} ({signal.Signals(-code).name})"
        except ValueError:
            return f"was ended by signal {-code}"

    def output(self) -> str:
        """What this process has written to its log."""
        if self._log is None:
            return ""
        with self._log.open("rb") as log:
            log.seek(self._log_start)
            return log.read().decode("utf-8", errors="replace")

    def last_words(self) -> str:
        """The last line that says something, of what this process wrote to its log."""
        lines = [line.strip() for line in self.output().splitlines() if line.strip()]
        return lines[-1] if lines else ""

    def send(self, number: signal.Signals) -> None:
        """Send it a signal, if it still lives."""
        if not self.has_ended:
            self._process.send_signal(number)

    def stop(self, *, grace: float) -> None:
        """SIGTERM, and after `grace` seconds SIGKILL; returns when it has ended."""
        self.send(signal.SIGTERM)
        try:
            self._process.wait(timeout=grace)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """End it at once; returns when it has ended."""
        self.send(signal.SIGKILL)
        self._process.wait()

    def _open_log(self) -> int | None:
        if self._log is None:
            return None
        try:
            return os.open(self._log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise folder_unusable(self._log.parent, error) from error


def require_free_port(host: str, port: int, *, setting: str) -> None:
    """Raise PortInUse, naming the owner where it can be seen, unless we could listen there.

    `setting` is the port's; InvalidSetting says why else the host or the port cannot be used.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
            probe.listen(1)
        except OSError as error:
            raise unusable_port(error, host, port, setting) from error


def unusable_port(error: OSError, host: str, port: int, setting: str) -> PortInUse | InvalidSetting:
    """What it means to a person that a port could not be listened on; `setting` is the port's."""
    if error.errno == errno.EADDRINUSE:
        return PortInUse(port=port, host=host, setting=setting, owner=port_owner(port))
    if error.errno in (errno.EACCES, errno.EPERM):
        return InvalidSetting(setting=setting, problem=f"port {port} may not be listened on by us")
    reason = (error.strerror or str(error)).rstrip(".")
    problem = f"{host} cannot be listened on: {reason}"
    named = "MOONLAKE_HOST" if setting == "MOONLAKE_PORT" else setting
    return InvalidSetting(setting=named, problem=problem)


def port_owner(port: int) -> str:
    """Who listens on a port: `nginx (process 812)`, or `another program` where it is not shown."""
    sockets = _listening_sockets(port)
    for pid in sorted(int(entry.name) for entry in _PROC.glob("[0-9]*")) if sockets else ():
        # Other people's processes do not show their files; processes end while we look.
        with contextlib.suppress(OSError):
            if any(
                str(fd.readlink()) in sockets for fd in _PROC.joinpath(str(pid), "fd").iterdir()
            ):
                name = _PROC.joinpath(str(pid), "comm").read_text().strip()
                return f"{name} (process {pid})"
    return "another program"


def _listening_sockets(port: int) -> set[str]:
    """The sockets that listen on a port, as /proc/<pid>/fd names them (proc(5), net/tcp)."""
    found = set()
    for table in ("tcp", "tcp6"):
        with contextlib.suppress(OSError):
            for line in _PROC.joinpath("net", table).read_text().splitlines()[1:]:
                columns = line.split()
                if columns[3] == "0A" and int(columns[1].rpartition(":")[2], 16) == port:
                    found.add(f"socket:[{columns[9]}]")
    return found


def _linux_start(pid: int) -> str:
    """Boot and clock ticks since then (proc(5): field 22 of stat, counted after the name)."""
    try:
        fields = _PROC.joinpath(str(pid), "stat").read_text().rpartition(")")[2].split()
        boot = _PROC.joinpath("sys", "kernel", "random", "boot_id").read_text().strip()
    except (FileNotFoundError, ProcessLookupError) as error:
        raise ProcessLookupError(pid) from error
    # A killed program is a zombie first, with threads that still hold its ports for a moment.
    if fields[0] == "X" or (fields[0] == "Z" and int(fields[17]) <= 1):
        raise ProcessLookupError(pid)
    return f"{boot}/{fields[19]}"
