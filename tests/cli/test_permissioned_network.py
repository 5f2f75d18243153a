"""A network without fees, whose keys are behind a remote signer: deployed and governed without a
coin, each key within its policy."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from unittest import mock

import pytest

from ledger.chain.rpc import Node
from ledger.cli import main as command_line
from ledger.config import ENVIRONMENT_PREFIX, Settings
from tests.support.anvil import Anvil
from tests.support.remote_signer import FakeWeb3Signer

CHAIN = 4242
SECRET = bytes(range(1, 33))
REGISTRAR = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def server() -> Iterator[FakeWeb3Signer]:
    with FakeWeb3Signer(SECRET, CHAIN) as running:
        yield running


@pytest.fixture
def chain(start_anvil: Callable[..., Anvil]) -> Anvil:
    """A network as a permissioned one is: no fees, no accounts with coin, an id of its own."""
    free = ("--base-fee", "0", "--gas-price", "0", "--chain-id", str(CHAIN))
    return start_anvil(*free, accounts=0)


@pytest.fixture
def run(
    server: FakeWeb3Signer,
    chain: Anvil,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Run:
    """Runs `moonlake …` on that network: the exit code, stdout and stderr."""
    monkeypatch.chdir(tmp_path)
    for name in Settings.model_fields:
        monkeypatch.delenv(ENVIRONMENT_PREFIX + name.upper(), raising=False)
    monkeypatch.setenv("MOONLAKE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("MOONLAKE_RPC_URL", chain.url)
    monkeypatch.setenv("MOONLAKE_MAX_FEE_GWEI", "0")
    signers = f"{server.setting('deployer')},{server.setting('admin')}"
    monkeypatch.setenv("MOONLAKE_SIGNERS", signers)
    monkeypatch.setenv("MOONLAKE_DEVNET_KEYS", f"guardian=0x{'07' * 32}")

    def once(*arguments: str) -> tuple[int, str, str]:
        with mock.patch.object(sys, "argv", ["moonlake", *arguments]):
            try:
                code = command_line.main()
            except SystemExit as ended:
                code = int(ended.code or 0)
        told = capsys.readouterr()
        return code, told.out, told.err

    return once


def test_network_without_fees__deployed_and_governed_remotely__keeps_to_each_keys_policy(
    run: Run, server: FakeWeb3Signer, chain: Anvil
) -> None:
    assert run("keys", "allow", "deployer", "deploy")[0] == 0
    assert run("keys", "allow", "admin", "--usual", "admin")[0] == 0
    code, out, said = run("deploy", "--json")
    assert code == 0, said
    assert json.loads(out)["chain_id"] == CHAIN

    appointed = ("role", "appoint", "registrar", REGISTRAR)
    code, _, said = run(*appointed)
    assert code == 0, said
    code, _, said = run("role", "pause", "--as", "admin")
    assert code == 3
    assert "'admin' does not allow Authority.pause" in said
    code, _, said = run(*appointed, "--as", "deployer")
    assert code == 3
    assert "'deployer' does not allow Authority.appoint" in said
    # The devnet's key has no role here; an appointment gets it as far as signing.
    guardian = json.loads(run("keys", "address", "guardian", "--json")[1])["address"]
    assert run("role", "appoint", "guardian", guardian)[0] == 0
    code, _, said = run("role", "pause")
    assert code == 3
    assert "'guardian' of MOONLAKE_DEVNET_KEYS signs for the devnet (chain 31337) alone" in said
    assert f"this is chain {CHAIN}" in said

    with Node(chain.url) as node:
        assert node.balance(server.address, "latest") == 0
    found = json.loads(run("doctor", "--json")[1])["findings"]
    states = {each["subject"]: each["state"] for each in found}
    assert (states["remote signers"], states["coin"]) == ("ok", "ok")
