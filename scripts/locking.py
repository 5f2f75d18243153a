"""Writes the lock files; see `scripts/lock`."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from bootstrap import ROOT, VENV, find_node, pip_settings, run, step

HEADER = "# Written by scripts/lock; not to be edited by hand.\n"
PYTHON_SOURCES = {
    "install": ["requirements/install.in"],
    "node": ["requirements/node.in"],
    "slither": ["requirements/slither.in"],
    "halmos": ["requirements/halmos.in"],
    "runtime": ["pyproject.toml"],
    "dev": ["pyproject.toml", "--extra", "dev", "--constraint", "requirements/runtime.txt"],
}
CPUS = {"amd64": "x64", "arm64": "arm64"}


def lock_everything() -> None:
    """Take the newest versions that pyproject.toml and package.json allow."""
    for name, arguments in PYTHON_SOURCES.items():
        with step(f"{name}.txt"):
            _lock_python(ROOT / "requirements" / f"{name}.txt", arguments)
    with step("package-lock.json"):
        _lock_node(ROOT / "package-lock.json")


def _lock_python(path: Path, arguments: list[str]) -> None:
    """For every platform and every Python from 3.11, without a word of where files come from."""
    done = run(
        [
            *(str(VENV / "bin" / "uv"), "pip", "compile", "--quiet", *arguments),
            *("--universal", "--python-version", "3.11", "--generate-hashes", "--upgrade"),
            *("--no-header", "--no-annotate"),
        ],
        env={**pip_settings(), **os.environ},
    )
    path.write_text(HEADER + done.stdout)


def _lock_node(path: Path) -> None:
    run([*find_node().npm, "install", "--package-lock-only", "--ignore-scripts"])
    content = json.loads(path.read_text())
    for entry in list(content["packages"].values()):
        for name, version in entry.get("optionalDependencies", {}).items():
            if name.startswith("@foundry-rs/"):
                content["packages"].setdefault(
                    f"node_modules/{name}", _program_of_a_platform(name, version, entry)
                )
    content["packages"] = dict(sorted(content["packages"].items()))
    path.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n")


def _program_of_a_platform(name: str, version: str, wanted_by: dict[str, Any]) -> dict[str, Any]:
    """An entry for a platform whose package this index does not have.

    npm leaves it out, and then `npm ci` refuses the lock file on every platform. It has a version
    but no digest: npm takes the one that its index gives.
    """
    _, system, machine = name.rsplit("-", 2)
    return {
        "version": version,
        "cpu": [CPUS[machine]],
        **({"dev": True} if wanted_by.get("dev") else {}),
        "license": wanted_by["license"],
        "optional": True,
        "os": [system],
        "engines": {"node": ">=20"},
    }
