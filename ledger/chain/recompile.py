"""Compiles a compiler's input that somebody else hands over, as a process of its own.

For audits: the input is bytes and is passed on as bytes, so nothing of it is read or run here, and
solc reads no file but what the input itself holds. The compiler must be of exactly the version that
the artifacts were made by: a native one on PATH, else npm's through Node.js.
"""

from __future__ import annotations

import contextlib
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from typing import IO

import msgspec

from ledger.chain.artifacts import BUILT, load_artifact
from ledger.chain.compile import SOLC_WRAPPER, version_of
from ledger.chain.toolchain import find_node, find_node_package
from ledger.errors import CompilationFailed, ToolMissing
from ledger.processes import strangers_environment

_SECONDS = 900


class Recompilation:
    """A compilation of the contracts `names`, under way; it begins when it is made. Raises
    ToolMissing from `codes` where there is no compiler of the version."""

    def __init__(self, standard_input: bytes, names: Sequence[str] = BUILT) -> None:
        self._names = names
        self._process: subprocess.Popen[bytes] | None = None
        self._answer: IO[bytes] | None = None
        self._problem: ToolMissing | None = None
        try:
            command = _compiler_command()
        except ToolMissing as error:
            self._problem = error
            return
        self._answer = tempfile.TemporaryFile()  # noqa: SIM115  it lives as long as the process
        with tempfile.TemporaryFile() as given:
            given.write(standard_input)
            given.seek(0)
            self._process = subprocess.Popen(
                [*command, "--standard-json"],
                stdin=given,
                stdout=self._answer,
                stderr=subprocess.DEVNULL,
                env=strangers_environment(),
            )

    def codes(self) -> Mapping[str, tuple[bytes, bytes]]:
        """The creation code and the runtime code of each of the contracts, by name.

        Raises ToolMissing and CompilationFailed.
        """
        if self._problem is not None or self._process is None or self._answer is None:
            raise self._problem or CompilationFailed(problem="no compiler was started")
        try:
            self._process.wait(_SECONDS)
        except subprocess.TimeoutExpired as error:
            raise CompilationFailed(problem=f"it took over {_SECONDS} s") from error
        self._answer.seek(0)
        try:
            output = msgspec.json.decode(self._answer.read(), type=_Output)
            return {
                name: _codes(output.contracts[f"contracts/{name}.sol"][name])
                for name in self._names
            }
        except (msgspec.DecodeError, KeyError, ValueError) as error:
            raise CompilationFailed(problem="the compiler gave no code") from error

    def close(self) -> None:
        """End the compiler, if it has not ended."""
        if self._process is not None:
            with contextlib.suppress(OSError):
                self._process.kill()
            self._process.wait()
        if self._answer is not None:
            self._answer.close()


class _Code(msgspec.Struct):
    object: str


class _Evm(msgspec.Struct, rename="camel"):
    bytecode: _Code
    deployed_bytecode: _Code


class _Contract(msgspec.Struct):
    evm: _Evm


class _Output(msgspec.Struct):
    contracts: dict[str, dict[str, _Contract]]


def _codes(contract: _Contract) -> tuple[bytes, bytes]:
    evm = contract.evm
    return bytes.fromhex(evm.bytecode.object), bytes.fromhex(evm.deployed_bytecode.object)


def _compiler_command() -> list[str]:
    """How the compiler of the artifacts' version is started. Raises ToolMissing."""
    wanted = load_artifact(BUILT[0]).compiler
    native = shutil.which("solc")
    if native is not None and version_of([native]) == wanted:
        return [native]
    package = find_node_package("solc")
    command = [str(find_node()), str(SOLC_WRAPPER)]
    found = version_of(command)
    if found != wanted:
        raise ToolMissing(
            tool=f"solc {wanted}", remedy=f"{package} is of version {found}; run `npm ci`."
        )
    return command
