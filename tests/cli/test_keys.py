"""`moonlake keys`, as an administrator uses it; and no secret of his is ever seen."""

from __future__ import annotations

import io
import json
import os
import pty
import re
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import eth_account
import pytest
import typer.main

from ledger.chain.keystores import DEVNET_COST, create_key, open_signer
from ledger.cli import main as command_line
from ledger.cli.doctor import examine
from ledger.config import ENVIRONMENT_PREFIX, Settings, load_settings
from tests.support.anvil import Anvil
from tests.support.devnet import MOONLAKE
from tests.support.remote_signer import FakeWeb3Signer

SECRET = bytes(range(1, 33))
ADDRESS = eth_account.Account.from_key(SECRET).address


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, which every command uses, and no other setting."""
    for name in Settings.model_fields:
        monkeypatch.delenv(ENVIRONMENT_PREFIX + name.upper(), raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MOONLAKE_HOME", str(tmp_path / "home"))
    return tmp_path / "home"


@pytest.fixture
def server() -> Iterator[FakeWeb3Signer]:
    with FakeWeb3Signer(SECRET, 31337) as running:
        yield running


class Shell:
    """Runs `moonlake …` in this process and keeps all that it said."""

    def __init__(self, capture: pytest.CaptureFixture[str]) -> None:
        self._capture = capture
        self.said = ""

    def run(self, *arguments: str) -> tuple[int, str, str]:
        """The exit code, stdout and stderr."""
        with mock.patch.object(sys, "argv", ["moonlake", *arguments]):
            try:
                code = command_line.main()
            except SystemExit as ended:
                code = int(ended.code or 0)
        told = self._capture.readouterr()
        self.said += told.out + told.err
        return code, told.out, told.err

    def ok(self, *arguments: str) -> str:
        """What it says where it must work."""
        code, out, error = self.run(*arguments)
        assert code == 0, error
        return out

    def refused(self, *arguments: str, code: int) -> str:
        """The one line that it says where it must not."""
        ended, _, error = self.run(*arguments)
        assert ended == code, error
        assert error.count("\n") == 1
        return error


@pytest.fixture
def shell(capsys: pytest.CaptureFixture[str]) -> Shell:
    return Shell(capsys)


def secret_file(path: Path, content: str) -> Path:
    path.write_text(content)
    path.chmod(0o600)
    return path


def test_key__created_listed_checked_and_removed__is_known_until_then(
    shell: Shell, home: Path, anvil: Anvil
) -> None:
    port = anvil.url.rpartition(":")[2]
    made = json.loads(shell.ok("keys", "create", "issuer", "--json"))

    assert shell.ok("keys", "address", "issuer").strip() == made["address"]
    assert re.search(rf"issuer +{made['address']} +keystore +anything", shell.ok("keys", "list"))
    checked = json.loads(shell.ok("keys", "check", "issuer", "--devnet-port", port, "--json"))
    assert (checked["opens"], checked["held_by"], checked["balance"]) == (True, "keystore", 0)
    assert "send it" in shell.ok("keys", "check", "issuer", "--devnet-port", port)
    assert "signer.unreachable" not in shell.said
    removed = json.loads(shell.ok("keys", "remove", "issuer", "--yes", "--json"))
    assert Path(removed["path"]).is_file()
    assert Path(removed["path"]).is_relative_to(home / "keys" / "set-aside")
    assert "keys create issuer" in shell.refused("keys", "address", "issuer", code=3)


@pytest.mark.parametrize("answer", ["n\n", ""])
def test_key__not_confirmed__is_not_removed(
    shell: Shell, monkeypatch: pytest.MonkeyPatch, answer: str
) -> None:
    shell.ok("keys", "create", "issuer")
    monkeypatch.setattr("sys.stdin", io.StringIO(answer))

    code, _, said = shell.run("keys", "remove", "issuer")

    assert code == 1
    assert "out of use?" in said
    assert shell.ok("keys", "address", "issuer").startswith("0x")


@pytest.mark.parametrize("content", [SECRET.hex(), "0x" + SECRET.hex() + "\n"])
def test_key__imported_from_a_file__is_that_key_and_is_not_shown(
    shell: Shell, home: Path, tmp_path: Path, content: str
) -> None:
    file = secret_file(tmp_path / "secret", content)

    shell.ok("keys", "import", "issuer", "--secret-file", str(file))

    assert shell.ok("keys", "address", "issuer").strip() == ADDRESS
    assert "Its password opens it." in shell.ok("keys", "show", "issuer", "--open")
    assert "already" in shell.refused(
        "keys", "import", "issuer", "--secret-file", str(file), code=3
    )
    assert SECRET.hex() not in shell.said


def test_key__imported_from_a_keystore__is_kept_under_our_password(
    shell: Shell, home: Path, tmp_path: Path
) -> None:
    theirs = create_key(tmp_path / "theirs", "other", "their password", cost=DEVNET_COST)
    lent = secret_file(tmp_path / "password", "their password\n")
    named = ("--keystore", str(theirs.path), "--keystore-password-file", str(lent))

    shell.ok("keys", "import", "issuer", *named)

    ours = (home / "keys" / ".devnet-password").read_text().strip()
    assert open_signer(home / "keys", "issuer", ours).address == theirs.address
    wrong = secret_file(tmp_path / "wrong", "wrong\n")
    shell.refused("keys", "import", "b", *named[:3], str(wrong), code=3)
    missing = ("--keystore", str(tmp_path / "nowhere.json"), *named[2:])
    assert "nowhere.json" in shell.refused("keys", "import", "b", *missing, code=3)
    both = (*named, "--secret-file", str(lent))
    shell.refused("keys", "import", "b", *both, code=2)
    assert "their password" not in shell.said


@pytest.mark.parametrize("content", ["hunter2", "ab" * 31, "00" * 32, "ff" * 32])
def test_key__that_is_none__is_refused_without_being_shown(
    shell: Shell, tmp_path: Path, content: str
) -> None:
    file = secret_file(tmp_path / "secret", content)

    shell.refused("keys", "import", "issuer", "--secret-file", str(file), code=2)

    assert content not in shell.said


def test_file_with_a_secret__that_others_can_read__is_not_used(
    shell: Shell, tmp_path: Path
) -> None:
    file = secret_file(tmp_path / "secret", SECRET.hex())
    file.chmod(0o644)

    said = shell.refused("keys", "import", "issuer", "--secret-file", str(file), code=3)

    assert f"chmod 600 {file}" in said
    said = shell.refused("keys", "create", "issuer", "--password-file", str(file), code=3)
    assert f"chmod 600 {file}" in said


def test_password__without_a_file_and_a_terminal__is_said_with_what_to_set(shell: Shell) -> None:
    elsewhere = ("--rpc-url", "http://127.0.0.1:1")

    said = shell.refused("keys", "create", "issuer", *elsewhere, code=3)

    assert "no password file is named" in said
    assert "MOONLAKE_KEY_PASSWORD" in said
    assert shell.run("keys", "import", "issuer", *elsewhere)[0] == 3


def test_policy__of_a_key__is_made_changed_shown_and_lifted(shell: Shell, home: Path) -> None:
    shell.ok("keys", "create", "issuer")
    assert "may sign anything" in shell.ok("keys", "policy", "issuer")

    made = json.loads(
        shell.ok("keys", "allow", "issuer", "Credits.award", "Credits.AwardBatch", "--json")
    )
    more = json.loads(shell.ok("keys", "allow", "issuer", "--usual", "issuer", "--json"))
    fewer = json.loads(shell.ok("keys", "disallow", "issuer", "Credits.reverse", "--json"))

    path = home / "keys" / "issuer.policy.json"
    assert made == {
        "name": "issuer",
        "path": str(path),
        "allow": ["Credits.AwardBatch", "Credits.award"],
    }
    assert "Credits.reverse" in more["allow"]
    assert set(fewer["allow"]) == set(more["allow"]) - {"Credits.reverse"}
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert "Credits.award" in shell.ok("keys", "policy", "issuer")
    assert "4 calls" in shell.ok("keys", "list")
    for entry in fewer["allow"]:
        shell.ok("keys", "disallow", "issuer", entry)
    assert "may sign nothing" in shell.ok("keys", "policy", "issuer")
    assert "may sign anything" in shell.ok("keys", "policy", "issuer", "--lift")
    assert not path.exists()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("allow", "issuer", "Credits.mint"), 2, "a function that Credits has: award"),
        (("allow", "issuer", "Credit.award"), 2, "contracts: Authority"),
        (("allow", "issuer"), 2, "--usual"),
        (("allow", "issuer", "--usual", "king"), 2, "one of deployer"),
        (("allow", "nobody", "Credits.award"), 3, "no key 'nobody'"),
        (("disallow", "issuer", "Credits.award"), 2, "policy of key"),
    ],
)
def test_policy__that_cannot_be_meant__is_refused_with_what_can(
    shell: Shell, home: Path, arguments: tuple[str, ...], code: int, said: str
) -> None:
    shell.ok("keys", "create", "issuer")

    assert said in shell.refused("keys", *arguments, code=code)

    assert not (home / "keys" / "issuer.policy.json").exists()


def test_remote_signer__behind_a_name__is_listed_and_checked(
    shell: Shell, server: FakeWeb3Signer
) -> None:
    named = ("--signers", server.setting("issuer").replace("//", "//me:hunter2@"))

    assert "remote signer" in shell.ok("keys", "list", *named)
    assert "answers and has the key" in shell.ok("keys", "check", "issuer", *named)
    shell.ok("keys", "allow", "issuer", "Credits.award", *named)
    assert "Credits.award" in shell.ok("keys", "show", "issuer", *named)
    server.methods["eth_accounts"] = lambda _params: []
    assert "signer.answer_invalid" in shell.refused("keys", "check", "issuer", *named, code=3)
    assert "hunter2" not in shell.said


def test_deploying__with_a_remote_signer_and_a_policy__signs_what_the_policy_allows(
    shell: Shell, server: FakeWeb3Signer, anvil: Anvil, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONLAKE_DEVNET_PORT", anvil.url.rpartition(":")[2])
    monkeypatch.setenv("MOONLAKE_SIGNERS", server.setting("deployer"))
    shell.ok("keys", "allow", "deployer", "CreditTokens.create")

    said = shell.refused("deploy", code=3)

    assert "'deployer' does not allow the creation of a contract" in said
    assert "moonlake keys allow deployer deploy" in said
    shell.ok("keys", "allow", "deployer", "deploy")
    made = json.loads(shell.ok("deploy", "--json"))
    assert made["deployer"] == ADDRESS
    assert not (home / "keys" / "deployer.json").exists()
    assert {method for method, _ in server.asked} == {"eth_signTransaction"}


def test_deploying__above_the_fee_ceiling__signs_nothing(
    shell: Shell, server: FakeWeb3Signer, anvil: Anvil, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOONLAKE_DEVNET_PORT", anvil.url.rpartition(":")[2])
    monkeypatch.setenv("MOONLAKE_SIGNERS", server.setting("deployer"))

    said = shell.refused("deploy", "--max-fee-gwei", "0.000000001", code=7)

    assert "more than the 1 wei that MOONLAKE_MAX_FEE_GWEI allows" in said
    assert server.asked == []


def findings(settings: Settings) -> dict[str, tuple[str, str]]:
    return {
        each.subject: (each.state, f"{each.detail} {each.advice}") for each in examine(settings)
    }


def test_doctor__of_keys_that_can_sign__says_so(
    shell: Shell, server: FakeWeb3Signer, anvil: Anvil, home: Path
) -> None:
    shell.ok("keys", "create", "admin")
    given = {"rpc_url": anvil.url, "signers": server.setting("issuer")}
    password = home / "keys" / ".devnet-password"
    anvil.rpc.call("anvil_setBalance", ADDRESS, hex(10**21))

    found = findings(load_settings(key_password_file=password, **given))

    assert found["keys"] == ("ok", "admin, issuer ")
    assert found["remote signers"] == ("ok", f"issuer at {server.url} ")
    assert found["policies"][0] == "not yet"
    assert "keys allow admin --usual" in found["policies"][1]
    assert found["coin"][0] == "not yet"
    assert re.search(r"admin lacks \d+ wei", found["coin"][1])
    assert "issuer lacks" not in found["coin"][1]


def test_doctor__of_keys_that_cannot_sign__says_why(
    shell: Shell, server: FakeWeb3Signer, home: Path
) -> None:
    shell.ok("keys", "create", "admin")
    shell.ok("keys", "allow", "admin", "--usual", "admin")
    (home / "keys" / "admni.policy.json").write_text("{}")
    server.methods["eth_accounts"] = lambda _params: []
    settings = load_settings(
        rpc_url="http://127.0.0.1:1", signers=server.setting("issuer"), key_password="wrong"
    )

    found = findings(settings)

    assert found["keys"][0] == "problem"
    assert found["remote signers"][0] == "problem"
    assert "not this account's" in found["remote signers"][1]
    assert found["policies"][0] == "not yet"
    assert found["policies"][1].startswith("there is a policy, and no key: admni Correct the file")
    (home / "keys" / "admni.policy.json").unlink()
    (home / "keys" / "admin.policy.json").write_text("{")
    assert findings(settings)["policies"][0] == "problem"


def test_doctor__of_keys_whose_password_is_typed__is_content(shell: Shell) -> None:
    shell.ok("keys", "create", "admin")

    found = findings(load_settings(rpc_url="http://127.0.0.1:1"))

    assert found["keys"] == ("ok", "admin (not opened: no setting has their password) ")


def test_key__made_anew_under_the_same_name__keeps_the_names_policy(shell: Shell) -> None:
    shell.ok("keys", "create", "issuer")
    shell.ok("keys", "allow", "issuer", "Credits.award")

    assert "Its policy stays" in shell.ok("keys", "remove", "issuer", "--yes")
    shell.ok("keys", "create", "issuer")

    assert "Credits.award" in shell.ok("keys", "show", "issuer")


def test_command_line__has_no_option_that_takes_a_secret() -> None:
    root = typer.main.get_command(command_line.make_app())
    seen = []

    def walk(command: object) -> None:
        for each in getattr(command, "params", ()):
            seen.extend(each.opts)
        for inner in getattr(command, "commands", {}).values():
            walk(inner)

    walk(root)

    assert "--key-password-file" in seen
    secret = re.compile("password|secret|private|mnemonic|devnet-keys")
    assert [name for name in seen if secret.search(name) and not name.endswith("-file")] == []


def type_at_a_terminal(arguments: list[str], answers: list[str], **environment: str) -> str:
    """Run `moonlake …` at a terminal of its own; all that was on the screen."""
    child, terminal = pty.fork()
    if child == 0:  # the program itself, which does not return
        os.execve(MOONLAKE[0], [*MOONLAKE, *arguments], {**os.environ, **environment})
    screen = b""
    left = list(answers)
    while True:
        try:
            read = os.read(terminal, 1024)
        except OSError:  # the terminal's other end is closed
            read = b""
        if not read:
            break
        screen += read
        if left and screen.endswith(b": "):
            os.write(terminal, left.pop(0).encode() + b"\n")
            screen += b"|"
    os.close(terminal)
    assert os.waitpid(child, 0)[1] == 0, screen.decode()
    assert left == []
    return screen.decode()


def test_password__typed_at_a_terminal__opens_the_key_and_is_not_echoed(home: Path) -> None:
    elsewhere = {"MOONLAKE_RPC_URL": "http://127.0.0.1:1"}

    made = type_at_a_terminal(
        ["keys", "import", "issuer"],
        [SECRET.hex(), "correct horse", "correct horse"],
        **elsewhere,
    )
    checked = type_at_a_terminal(["keys", "check", "issuer"], ["correct horse"], **elsewhere)

    assert ADDRESS in made
    assert "Its password opens it." in checked
    for screen in (made, checked):
        assert "correct horse" not in screen
        assert SECRET.hex() not in screen


def test_credential_key__made_changed_listed_and_withdrawn__signs_as_the_newest(
    shell: Shell, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "None yet." in shell.ok("credential-key", "list")
    first = json.loads(shell.ok("credential-key", "create", "--json"))
    second = json.loads(shell.ok("credential-key", "create", "--json"))

    assert stat.S_IMODE(Path(first["path"]).stat().st_mode) == 0o600
    assert Path(first["path"]).is_relative_to(home / "keys" / "credentials")
    listed = json.loads(shell.ok("credential-key", "list", "--json"))["keys"]
    assert [(each["kid"], each["signs"]) for each in listed] == [
        (second["kid"], True),
        (first["kid"], False),
    ]
    assert re.search(rf"{first['kid']} +\S+ +checks", shell.ok("credential-key", "list"))
    assert shell.ok("keys", "list").startswith("No keys in")  # they are no keys of the chain
    monkeypatch.setenv("MOONLAKE_KEY_PASSWORD", "another")
    assert "password is another" in shell.refused("credential-key", "create", code=3)
    monkeypatch.delenv("MOONLAKE_KEY_PASSWORD")
    removed = json.loads(shell.ok("credential-key", "remove", second["kid"], "--yes", "--json"))
    assert Path(removed["path"]).is_relative_to(home / "keys" / "credentials" / "set-aside")
    assert "signs" in shell.ok("credential-key", "list")
    assert "no key" in shell.refused("credential-key", "remove", second["kid"], "--yes", code=3)


def test_credential__without_an_issuers_key__says_how_to_make_one(shell: Shell) -> None:
    said = shell.refused("membership", "credential", "community", "4", code=3)

    assert "moonlake credential-key create" in said
    assert "[office.issuer_key_missing]" in said
