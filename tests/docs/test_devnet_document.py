"""hardhat-free-devnet.md does what it says: its command blocks are run, in order, in one shell."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ledger.chain.devnet import stop_devnet
from ledger.config import load_settings
from ledger.processes import own_environment
from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "hardhat-free-devnet.md"
SHOWN = re.compile(r"^(?P<command>.*?)\s+# => (?P<answer>.*)$")


def shell_script(document: str) -> str:
    """The document's `sh` blocks; a line with `# =>` ends the script unless it answers so."""
    lines = ["set -euo pipefail"]
    for block in re.findall(r"^```sh\n(.*?)^```$", document, re.MULTILINE | re.DOTALL):
        for line in block.splitlines():
            shown = SHOWN.match(line)
            if shown is None:
                lines.append(line)
                continue
            command, answer = shown["command"], shlex.quote(shown["answer"])
            complaint = f'echo {shlex.quote(command)} gave "$got" >&2; exit 9'
            lines.append(f'got="$({command})"')
            lines.append(f'[ "$got" = {answer} ] || {{ {complaint}; }}')
    return "\n".join(lines)


def test_document__has_commands_for_everything_it_promises() -> None:
    script = shell_script(DOCUMENT.read_text("utf-8"))

    for promised in (
        "start",
        "reset",
        "fork-url",
        "--demo --fresh",
        "kill -9",
        "anvil_reorg",
        "evm_revert",
        "curl",
    ):
        assert promised in script


@pytest.mark.parametrize(
    ("line", "passes"), [("echo 5   # => 5", True), ("echo 6   # => 5", False), ("false", False)]
)
def test_shell_script__with_a_wrong_answer__fails(line: str, passes: bool) -> None:
    script = shell_script(f"```sh\n{line}\n```\n")

    done = subprocess.run(["bash", "-c", script], capture_output=True, check=False)

    assert (done.returncode == 0) is passes


def test_commands__run_from_top_to_bottom__do_what_is_shown(tmp_path: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("curl is not on this machine")
    home, fork_home = tmp_path / "home", tmp_path / "fork"
    port, fork_port, server_port = free_port(), free_port(), free_port()
    document = DOCUMENT.read_text("utf-8")
    for written, used in (
        (":8545", f":{port}"),
        ("8546", str(fork_port)),
        (".moonlake-fork", str(fork_home)),
    ):
        document = document.replace(written, used)
    programs = f"{Path(sys.executable).parent}:{own_environment()['PATH']}"
    try:
        done = subprocess.run(
            ["bash", "-c", shell_script(document)],
            cwd=ROOT,
            env=own_environment(
                MOONLAKE_HOME=str(home),
                MOONLAKE_DEVNET_PORT=str(port),
                MOONLAKE_PORT=str(server_port),
                PATH=programs,
            ),
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )
    finally:
        for folder, used_port in ((home, port), (fork_home, fork_port)):
            stop_devnet(load_settings(home=folder, devnet_port=used_port), report=print)

    assert done.returncode == 0, done.stdout + done.stderr
    assert "state.json is unusable" in done.stderr
    assert [path.name for path in (home / "set-aside").glob("*/devnet")] == ["devnet"]
