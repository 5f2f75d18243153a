"""Turns the Solidity sources of a checkout into artifacts, the same bytes on every machine.

The compiler's settings come from `foundry.toml`, so that what forge tests is what we deploy. Every
source that a contract reaches goes into the compiler's input as text, under a path relative to the
checkout: the metadata hash inside the bytecode then depends on the sources alone, and the input can
be handed to an auditor. npm's WebAssembly solc does the work; a native solc on PATH is taken
instead only where it is of exactly the pinned version. Nothing is ever downloaded here.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from ledger.chain.toolchain import find_node
from ledger.errors import CompilationFailed, ToolMissing

SOLC_WRAPPER = Path(__file__).with_name("solc.cjs")

CONTRACT_OUTPUTS = (
    "abi",
    "metadata",
    "storageLayout",
    "evm.bytecode.object",
    "evm.deployedBytecode.object",
    "evm.deployedBytecode.immutableReferences",
    "evm.methodIdentifiers",
)

_COMMENT = re.compile(r"//[^\n]*|/\*.*?\*/", re.DOTALL)
_IMPORT = re.compile(r"""\bimport\s+(?:[^"';]*?\bfrom\s+)?["']([^"']+)["']""")
_VERSION = re.compile(r"Version: (\d+\.\d+\.\d+\+commit\.[0-9a-f]+)")


@dataclass(frozen=True, slots=True)
class Compiler:
    """A solc program that reads standard JSON, and its version such as 0.8.37+commit.f401782d."""

    program: Path
    version: str


@dataclass(frozen=True, slots=True)
class Compilation:
    """One run of the compiler: what went in, what came out, and by which version."""

    version: str
    standard_input: Mapping[str, Any]
    standard_output: Mapping[str, Any]


def compile_contracts(root: Path, names: Sequence[str], *, node: Path | None = None) -> Compilation:
    """Compile `contracts/<name>.sol` of the checkout at `root`, for each of `names`.

    Raises CompilationFailed with the compiler's first error, ToolMissing without a compiler.
    """
    import solcx  # noqa: PLC0415  half a second, and only a build needs it
    from solcx.exceptions import SolcError  # noqa: PLC0415

    standard_input = standard_json(root, names)
    with find_compiler(root, node=node) as compiler:
        try:
            output = solcx.compile_standard(standard_input, solc_binary=compiler.program)
        except SolcError as error:
            error.stdin_data = error.stdout_data = None  # megabytes that no traceback should show
            raise CompilationFailed(problem=_first_error(error)) from error
    return Compilation(compiler.version, standard_input, output)


def standard_json(root: Path, names: Sequence[str]) -> dict[str, Any]:
    """The compiler's whole input: the sources of `names` and all they import, and the settings."""
    settings = _read_settings(root)
    remappings: list[str] = settings["remappings"]
    sources = _read_closure(root, [f"contracts/{name}.sol" for name in names], remappings)
    return {
        "language": "Solidity",
        "settings": settings,
        "sources": {path: {"content": sources[path]} for path in sorted(sources)},
    }


@contextmanager
def find_compiler(root: Path, *, node: Path | None = None) -> Iterator[Compiler]:
    """The solc to use: a native one of the pinned version, else npm's through Node.js.

    `node` is the Node.js program; None means the one that the toolchain finds.
    """
    pinned = pinned_version(root)
    native = shutil.which("solc")
    if native is not None:
        version = version_of([native])
        if version.split("+")[0] == pinned:
            yield Compiler(Path(native), version)
            return
    if not (root / "node_modules" / "solc").is_dir():
        raise ToolMissing(tool=f"solc {pinned}", remedy=f"Run `npm ci` in {root}.")
    program = node or find_node()
    with tempfile.TemporaryDirectory() as folder:
        # py-solc-x starts a program without arguments of our own, and our Node.js may not be on
        # PATH, where the wrapper's first line looks for it.
        launcher = Path(folder) / "solc"
        launcher.write_text(f'#!/bin/sh\nexec "{program}" "{SOLC_WRAPPER}" "$@"\n')
        launcher.chmod(0o700)
        version = version_of([launcher])
        if version.split("+")[0] != pinned:
            raise ToolMissing(
                tool=f"solc {pinned}",
                remedy=f"node_modules has {version.split('+')[0]}: run `npm ci` in {root}.",
            )
        yield Compiler(launcher, version)


def pinned_version(root: Path) -> str:
    """The solc version that `package.json` pins."""
    package = json.loads((root / "package.json").read_text())
    return str(package["dependencies"]["solc"])


def version_of(command: Sequence[str | Path]) -> str:
    """The version of a solc, such as 0.8.37+commit.f401782d; 0 for what does not answer as one."""
    answer = subprocess.run(
        [*command, "--version"], capture_output=True, text=True, check=False, timeout=60
    )
    found = _VERSION.search(answer.stdout)
    return found.group(1) if found else "0"


def _read_settings(root: Path) -> dict[str, Any]:
    """foundry.toml's profile in the compiler's own words."""
    profile = tomllib.loads((root / "foundry.toml").read_text())["profile"]["default"]
    return {
        "evmVersion": profile["evm_version"],
        "libraries": {},
        "metadata": {
            "appendCBOR": profile["cbor_metadata"],
            "bytecodeHash": profile["bytecode_hash"],
        },
        "optimizer": {"enabled": profile["optimizer"], "runs": profile["optimizer_runs"]},
        "outputSelection": {"*": {"": ["ast"], "*": list(CONTRACT_OUTPUTS)}},
        "remappings": list(profile["remappings"]),
        "viaIR": profile["via_ir"],
    }


def _read_closure(root: Path, entries: Sequence[str], remappings: Sequence[str]) -> dict[str, str]:
    """The text of `entries` and of every file that they import, by path within the checkout."""
    sources: dict[str, str] = {}
    waiting = list(entries)
    while waiting:
        path = waiting.pop()
        if path in sources:
            continue
        try:
            text = (root / path).read_text(encoding="utf-8")
        except FileNotFoundError as error:
            raise CompilationFailed(problem=f"{path} is missing; run `npm ci`") from error
        sources[path] = text
        waiting += [
            _resolve_import(target, path, remappings)
            for target in _IMPORT.findall(_COMMENT.sub("", text))
        ]
    return sources


def _resolve_import(target: str, importer: str, remappings: Sequence[str]) -> str:
    if target.startswith("."):
        return _normalise(PurePosixPath(importer).parent / target)
    for remapping in remappings:
        prefix, _, replacement = remapping.partition("=")
        if target.startswith(prefix):
            return replacement + target[len(prefix) :]
    return target


def _normalise(path: PurePosixPath) -> str:
    parts: list[str] = []
    for part in path.parts:
        if part == "..":
            parts.pop()
        elif part != ".":
            parts.append(part)
    return "/".join(parts)


def _first_error(error: Any) -> str:
    """The first complaint of a SolcError, on one line."""
    for found in error.error_dict or ():
        if found["severity"] == "error":
            place = found.get("sourceLocation", {}).get("file", "")
            return f"{place}: {found['message']}" if place else str(found["message"])
    return str(error).strip().partition("\n")[0]
