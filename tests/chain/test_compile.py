"""The committed artifacts are what the sources give, on this machine and on any other."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from pathlib import Path

import pytest

from ledger.chain import build
from ledger.chain.artifacts import CONTRACTS
from ledger.chain.build import (
    ARTIFACTS_FOLDER,
    build_artifacts,
    check_artifacts,
    stale_artifacts,
    write_artifacts,
)
from ledger.chain.compile import compile_contracts, find_compiler, pinned_version, standard_json
from ledger.errors import ArtifactsStale, CompilationFailed, ToolMissing
from tests.support.forge import NotCompiled, compile_with_forges_code

CHECKOUT = Path(__file__).parents[2]
SOURCE = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;

import {Deep} from "./inner/Deep.sol";
// import "./missing/Commented.sol";
/* import "./missing/AlsoCommented.sol"; */
import {
    Strings
} from "@openzeppelin/contracts/utils/Strings.sol";

contract Tiny is Deep {
    uint256 public immutable answer;

    constructor(uint256 answer_) {
        answer = answer_;
    }
}
"""
DEEP = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;
import "../Beside.sol";
contract Deep is Beside {}
"""
BESIDE = """// SPDX-License-Identifier: Apache-2.0
pragma solidity 0.8.37;
contract Beside { error BesideWrong(); }
"""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A small checkout with the real settings and the real packages."""
    for name in ("foundry.toml", "package.json"):
        shutil.copy(CHECKOUT / name, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(CHECKOUT / "node_modules")
    (tmp_path / "contracts" / "inner").mkdir(parents=True)
    (tmp_path / "contracts" / "Tiny.sol").write_text(SOURCE)
    (tmp_path / "contracts" / "inner" / "Deep.sol").write_text(DEEP)
    (tmp_path / "contracts" / "Beside.sol").write_text(BESIDE)
    return tmp_path


def test_artifacts__recompiled_from_the_sources__are_those_that_are_committed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The code is forge's where that has just compiled the same sources: it is the very same work,
    a minute of a processor. MOONLAKE_TEST_RECOMPILE=1 has it done again all the same."""
    if not os.environ.get("MOONLAKE_TEST_RECOMPILE"):
        with contextlib.suppress(NotCompiled):
            compiled = compile_with_forges_code(CHECKOUT)
            monkeypatch.setattr(build, "compile_contracts", lambda *_, **__: compiled)

    check_artifacts(CHECKOUT, build_artifacts(CHECKOUT))


def test_sources__of_a_contract__are_its_imports_under_paths_of_the_checkout(
    checkout: Path,
) -> None:
    document = standard_json(checkout, ["Tiny"])

    paths = list(document["sources"])
    assert paths == sorted(paths)
    assert {"contracts/Tiny.sol", "contracts/inner/Deep.sol", "contracts/Beside.sol"} <= set(paths)
    assert "node_modules/@openzeppelin/contracts/utils/Strings.sol" in paths
    assert "node_modules/@openzeppelin/contracts/utils/math/Math.sol" in paths
    assert str(checkout) not in json.dumps(document)


def test_compiling__in_another_folder__gives_the_same_bytes(
    checkout: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "copy"
    shutil.copytree(checkout, elsewhere, symlinks=True)

    one, two = (compile_contracts(root, ["Tiny"]) for root in (checkout, elsewhere))

    assert one == two
    assert one.version.startswith(pinned_version(checkout) + "+commit.")
    code = one.standard_output["contracts"]["contracts/Tiny.sol"]["Tiny"]["evm"]["bytecode"]
    assert len(code["object"]) > 100


def test_compiling__of_a_wrong_source__names_the_file_and_the_problem(checkout: Path) -> None:
    (checkout / "contracts" / "Beside.sol").write_text(BESIDE.replace("BesideWrong()", "("))

    with pytest.raises(CompilationFailed, match=r"contracts/Beside\.sol: .*Expected"):
        compile_contracts(checkout, ["Tiny"])


def test_compiling__with_an_import_that_is_not_there__names_it(checkout: Path) -> None:
    (checkout / "contracts" / "Beside.sol").unlink()

    with pytest.raises(CompilationFailed, match=r"contracts/Beside\.sol is missing"):
        compile_contracts(checkout, ["Tiny"])


def test_compiler__of_another_version_than_pinned__is_refused(checkout: Path) -> None:
    package = json.loads((checkout / "package.json").read_text())
    package["dependencies"]["solc"] = "0.8.36"
    (checkout / "package.json").write_text(json.dumps(package))

    with pytest.raises(ToolMissing, match=r"solc 0\.8\.36"), find_compiler(checkout):
        pass


def test_compiler__without_its_packages__says_how_to_get_them(checkout: Path) -> None:
    (checkout / "node_modules").unlink()

    with pytest.raises(ToolMissing) as caught, find_compiler(checkout):
        pass

    assert "npm ci" in caught.value.advice


@pytest.mark.parametrize("version", ["0.8.37", "0.8.30"])
def test_compiler__native_on_path__is_taken_only_in_the_pinned_version(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    native = programs / "solc"
    native.write_text(f"#!/bin/sh\necho 'Version: {version}+commit.f401782d.Linux.g++'\n")
    native.chmod(0o755)
    monkeypatch.setenv("PATH", str(programs), prepend=":")

    with find_compiler(checkout) as compiler:
        assert (compiler.program == native) == (version == pinned_version(checkout))
        assert compiler.version == "0.8.37+commit.f401782d"


def test_artifacts__that_differ_are_missing_or_left_over__are_stale_until_written(
    tmp_path: Path,
) -> None:
    folder = tmp_path / ARTIFACTS_FOLDER
    built = {f"{name}.json": name.encode() for name in CONTRACTS}
    assert write_artifacts(tmp_path, built) == tuple(sorted(built))
    assert write_artifacts(tmp_path, built) == ()
    (folder / "Credits.json").write_bytes(b"edited")
    (folder / "Authority.json").unlink()
    (folder / "Former.json").write_bytes(b"of a contract that is gone")

    stale = ("Authority.json", "Credits.json", "Former.json")
    assert stale_artifacts(tmp_path, built) == stale
    with pytest.raises(ArtifactsStale, match=r"Authority\.json, Credits\.json, Former\.json"):
        check_artifacts(tmp_path, built)
    assert write_artifacts(tmp_path, built) == stale
    check_artifacts(tmp_path, built)
