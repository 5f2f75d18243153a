"""Child processes: known by more than a number, watched, and gone when their parent is."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.errors import InvalidSetting, PortInUse, ToolMissing
from ledger.processes import (
    ChildProcess,
    ProcessIdentity,
    end_process,
    identify_process,
    is_running,
    port_owner,
    require_free_port,
    signal_process,
    unusable_port,
    wait_until,
)

SLEEP = [sys.executable, "-c", "import time; time.sleep(600)"]
IGNORES_SIGTERM = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("ready", flush=True)
time.sleep(600)
"""
STUBBORN = [sys.executable, "-c", IGNORES_SIGTERM]


def test_identity__of_a_living_process__holds_until_it_ends(tmp_path: Path) -> None:
    with ChildProcess("sleeper", SLEEP, folder=tmp_path) as child:
        assert identify_process(child.identity.pid) == child.identity
        assert is_running(child.identity)
        child.kill()
        assert not is_running(child.identity)
        with pytest.raises(ProcessLookupError):
            identify_process(child.identity.pid)


def test_identity__with_the_number_of_another__is_not_signalled() -> None:
    recycled = ProcessIdentity(os.getpid(), "another start")

    assert not is_running(recycled)
    assert not signal_process(recycled, signal.SIGKILL)
    end_process(recycled, grace=0)


def test_end_process__that_ignores_sigterm__is_killed(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with ChildProcess("stubborn", STUBBORN, folder=tmp_path, log=log) as child:
        assert wait_until(lambda: child.last_words() == "ready", seconds=30)

        end_process(child.identity, grace=0.1)

        assert wait_until(lambda: child.has_ended, seconds=10)
        assert child.ending == "was ended by signal 9 (SIGKILL)"


def test_child__that_ends_by_itself__tells_how_and_its_last_words(tmp_path: Path) -> None:
    program = "import sys; print('one'); print('two', file=sys.stderr); print(); sys.exit(3)"
    log = tmp_path / "log"
    log.write_text("of another run\n")
    with ChildProcess("brief", [sys.executable, "-c", program], folder=tmp_path, log=log) as child:
        assert wait_until(lambda: child.has_ended, seconds=30)
        assert child.ending == "ended with code 3"
        assert child.last_words() in ("one", "two")
    assert log.read_text().startswith("of another run\n")
    assert (log.stat().st_mode & 0o777) == 0o644


def test_child__of_a_program_that_is_not_there__is_a_tool_missing(tmp_path: Path) -> None:
    with pytest.raises(ToolMissing, match="/nowhere/program"):
        ChildProcess("none", ["/nowhere/program"], folder=tmp_path)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child of its parent's end")
def test_child__whose_parent_is_killed__ends_too(tmp_path: Path) -> None:
    parent = f"""
import os, signal
from pathlib import Path
from ledger.processes import ChildProcess
child = ChildProcess("child", {SLEEP!r}, folder=Path({str(tmp_path)!r}))
print(child.identity.pid, child.identity.started, flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""
    done = subprocess.run(
        [sys.executable, "-c", parent], capture_output=True, text=True, check=False
    )
    pid, started = done.stdout.split(maxsplit=1)
    child = ProcessIdentity(int(pid), started.strip())

    assert done.returncode == -signal.SIGKILL
    assert wait_until(lambda: not is_running(child), seconds=10)


def test_child__of_ours__does_not_hear_the_terminals_interrupt(tmp_path: Path) -> None:
    with ChildProcess("sleeper", SLEEP, folder=tmp_path) as child:
        assert os.getsid(child.identity.pid) == child.identity.pid != os.getsid(0)


def test_require_free_port__taken_by_us__names_us(free_port: int) -> None:
    require_free_port("127.0.0.1", free_port, setting="MOONLAKE_PORT")
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", free_port))
        listener.listen()

        with pytest.raises(PortInUse) as raised:
            require_free_port("127.0.0.1", free_port, setting="MOONLAKE_PORT")

        assert f"(process {os.getpid()})" in str(raised.value)
        assert raised.value.advice.endswith("MOONLAKE_PORT.")
    assert port_owner(free_port) == "another program"


def test_require_free_port__of_an_address_that_is_not_ours__names_the_host(free_port: int) -> None:
    with pytest.raises(InvalidSetting, match=r"MOONLAKE_HOST: 192.0.2.7 cannot be listened on"):
        require_free_port("192.0.2.7", free_port, setting="MOONLAKE_PORT")


def test_unusable_port__that_the_system_keeps_to_itself__is_not_called_in_use() -> None:
    refused = unusable_port(PermissionError(13, "Permission denied"), "127.0.0.1", 80, "A_PORT")

    assert isinstance(refused, InvalidSetting)
    assert refused.values["setting"] == "A_PORT"
