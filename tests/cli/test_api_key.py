"""`moonlake api-key` makes keys that open what they say, shows them once, and takes them back."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from ledger.domain.access import Scope
from ledger.errors import ApiKeyRefused
from ledger.office.access_log import read_lines, verify_access_log
from ledger.office.api_keys import find_api_key
from ledger.store.engine import open_engine, reading, writing
from ledger.store.office_tables import access_log
from tests.support.stacks import CommandLine, stack_settings

ACCOUNT = "0x90F79bf6EB2c4f870365E785982E1f101E93b906"


@pytest.fixture
def moonlake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """The command line on a data folder of this test alone."""
    return CommandLine(stack_settings(tmp_path / "home"), monkeypatch)


def test_api_key__made_listed_and_revoked__opens_until_then(
    moonlake: CommandLine, tmp_path: Path
) -> None:
    made = moonlake.json("api-key", "create", ACCOUNT, "portal", "--scope", "read", "--scope=rules")
    text, prefix = made["key"], made["api_key"]["prefix"]
    engine = open_engine(f"sqlite:///{tmp_path / 'home' / 'moonlake.sqlite3'}")
    with reading(engine) as connection:
        key = find_api_key(connection, text, now=time.time())
    assert key.scopes == {Scope.READ, Scope.RULES}
    assert "0x" + key.account.hex() == ACCOUNT.lower()

    listed = moonlake.json("api-key", "list")
    assert [each["prefix"] for each in listed["api_keys"]] == [prefix]
    assert text not in str(listed) + moonlake.run("api-key", "list").stdout

    assert moonlake.run("api-key", "revoke", prefix).returncode == 0
    with reading(engine) as connection:
        with pytest.raises(ApiKeyRefused):
            find_api_key(connection, text, now=time.time())
        assert verify_access_log(connection) == 2
        assert [each.action for each in read_lines(connection)] == [
            "api_key.created",
            "api_key.revoked",
        ]
    check_log(moonlake, engine)
    engine.dispose()


def check_log(moonlake: CommandLine, engine: Engine) -> None:
    """By the command; a line that is changed, or is not the one that was noted, ends in 1."""
    checked = moonlake.json("audit", "log")
    noted = checked["last"]
    assert (checked["lines"], checked["erased"]) == (2, 0)
    assert moonlake.run("audit", "log", "--noted", noted).returncode == 0
    other = moonlake.run("audit", "log", "--noted", noted[:-4] + "0000")
    later = moonlake.run("audit", "log", "--noted", "3" + noted[1:])
    with writing(engine) as connection:
        connection.execute(update(access_log).values(account="0x00"))
    changed = moonlake.run("audit", "log")
    assert [each.returncode for each in (other, later, changed)] == [1, 1, 1]
    assert "access.log_broken" in changed.stderr
    assert moonlake.run("audit", "log", "--noted", "2").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("create", ACCOUNT, "portal", "--scope", "everything"), 2),
        (("create", ACCOUNT, "", "--scope", "read"), 2),
        (("create", ACCOUNT, "=1+1", "--scope", "read"), 2),
        (("create", ACCOUNT, "portal", "--scope", "read", "--days", "0"), 2),
        (("create", "0x1234", "portal", "--scope", "read"), 2),
        (("create", "nokey", "portal", "--scope", "read"), 3),
        (("revoke", "AAAAAAAA"), 2),
    ],
)
def test_api_key__that_cannot_be_meant__is_refused(
    moonlake: CommandLine, arguments: tuple[str, ...], code: int
) -> None:
    assert moonlake.run("api-key", *arguments).returncode == code
