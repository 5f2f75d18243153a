"""`moonlake deploy`, `moonlake keys` and `moonlake contracts` as a person or a script runs them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from ledger.chain.artifacts import CONTRACTS
from ledger.chain.keystores import open_signer
from ledger.cli.main import make_app
from ledger.errors import InvalidValue, KeyExists, KeyMissing, LedgerError, PasswordUnusable
from tests.support.anvil import Anvil

Run = Callable[..., Any]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command in a data folder of its own; its answer as text, or as JSON with `--json`."""
    monkeypatch.chdir(tmp_path)
    for name in ("HOME", "RPC_URL", "DEPLOYMENT", "KEY_PASSWORD_FILE", "SIGNERS", "DEVNET_PORT"):
        monkeypatch.delenv(f"MOONLAKE_{name}", raising=False)
    monkeypatch.setenv("MOONLAKE_HOME", str(tmp_path / "home"))

    def run(*arguments: str) -> Any:
        result = CliRunner().invoke(make_app(arguments[0]), list(arguments))
        if isinstance(result.exception, LedgerError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return json.loads(result.stdout) if "--json" in arguments else result.stdout

    return run


@pytest.fixture
def devnet_port(anvil: Anvil) -> str:
    return anvil.url.rpartition(":")[2]


def test_deploy__on_the_devnet__makes_its_keys_and_the_file(
    run: Run, devnet_port: str, tmp_path: Path
) -> None:
    told = run("deploy", "--devnet-port", devnet_port)
    again = run("deploy", "--devnet-port", devnet_port, "--json")
    keys = {key["name"]: key["address"] for key in run("keys", "list", "--json")["keys"]}

    for name in CONTRACTS:
        assert name in told
    assert [contract["name"] for contract in again["contracts"]] == list(CONTRACTS)
    assert again["path"] == str(tmp_path / "home" / "deployments" / "31337.json")
    assert (again["deployer"], again["admin"]) == (keys["deployer"], keys["admin"])
    assert again["admin_delay"] == 0
    assert (again["recovery_delay"], again["alliance_approvals"]) == (3600, 1)
    content = json.loads(Path(again["path"]).read_text())
    assert content == {key: value for key, value in again.items() if key != "path"}


def test_deploy__on_another_chain__needs_keys_and_a_password(
    run: Run, anvil: Anvil, tmp_path: Path
) -> None:
    password = tmp_path / "password"
    password.write_text("correct horse\n")
    password.chmod(0o600)
    named = ("--rpc-url", anvil.url)
    unlocked = (*named, "--key-password-file", str(password))
    for given in (named, unlocked):  # a missing key is said before a missing password
        with pytest.raises(KeyMissing, match="deployer"):
            run("deploy", *given)
    # Made as on the devnet, which spares this test the cost of a strong keystore.
    made = run("keys", "create", "payer", "--json")
    with pytest.raises(PasswordUnusable, match="no password file"):
        run("deploy", *named, "--deployer", "payer")
    anvil.rpc.call("anvil_setBalance", made["address"], hex(10**20))
    lent = ("--key-password-file", str(tmp_path / "home" / "keys" / ".devnet-password"))
    officer = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    whole = ("deploy", *named, *lent, "--deployer", "payer", "--admin")
    with pytest.raises(InvalidValue, match="admin"):
        run(*whole, officer.replace("C", "c"))

    answer = run(*whole, officer, "--alliance-approvals", "3", "--json")

    assert answer["admin"] == officer
    assert answer["admin_delay"] == 3 * 24 * 3600
    assert (answer["recovery_delay"], answer["alliance_approvals"]) == (7 * 24 * 3600, 3)
    assert answer["deployer"] == made["address"]


def test_deploy__with_terms_of_its_own__records_them(run: Run, devnet_port: str) -> None:
    terms = ("--recovery-delay", "7200", "--alliance-approvals", "2", "--admin-delay", "60")

    made = run("deploy", "--devnet-port", devnet_port, *terms, "--json")

    assert (made["recovery_delay"], made["alliance_approvals"]) == (7200, 2)
    assert made["admin_delay"] == 60


def test_keys__made_listed_and_shown__never_print_a_secret(run: Run, tmp_path: Path) -> None:
    made = run("keys", "create", "issuer", "--json")
    folder = tmp_path / "home" / "keys"
    password = (folder / ".devnet-password").read_text().strip()
    signer = open_signer(folder, "issuer", password)

    outputs = [
        json.dumps(made),
        run("keys", "create", "registrar"),
        run("keys", "list"),
        run("keys", "show", "issuer", "--open"),
        run("keys", "show", "issuer", "--json"),
    ]

    assert made["address"].lower() == "0x" + signer.address.hex()
    secret = signer._key.secret.hex()
    for output in outputs:
        assert secret not in str(output)
        assert password not in str(output)
    assert "Its password opens it." in outputs[3]
    with pytest.raises(KeyExists):
        run("keys", "new", "issuer")
    with pytest.raises(KeyMissing):
        run("keys", "show", "treasurer")


def test_keys__of_an_empty_folder__say_so(run: Run) -> None:
    assert "No keys in" in run("keys", "list")


def test_contracts__listed__are_those_of_the_release(run: Run) -> None:
    rows = run("contracts", "list", "--json")["contracts"]

    assert [row["name"] for row in rows] == list(CONTRACTS)
    assert rows[0]["constructor"] == ["admin", "adminDelay"]


def test_contracts__checked_outside_a_checkout__say_what_is_missing(
    run: Run, tmp_path: Path
) -> None:
    with pytest.raises(InvalidValue, match="checkout"):
        run("contracts", "check", "--checkout", str(tmp_path))
