"""The office's commands as a person gives them, on a data folder without a chain."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.config import Settings, load_settings
from ledger.office.profiles import Profile, Subject, keep_profile
from ledger.store.engine import writing
from ledger.wiring import opened_database
from tests.support.receivers import Receiver, running_receiver
from tests.support.stacks import CommandLine

NETWORK = ("--webhook-networks", "127.0.0.0/8")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return load_settings(home=tmp_path / "home")


@pytest.fixture
def commands(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(settings, monkeypatch)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with running_receiver() as running:
        yield running


def test_webhook__from_adding_to_removing__says_what_it_does(
    commands: CommandLine, receiver: Receiver
) -> None:
    added = commands.json("webhook", "add", receiver.url, "--types", "entry.posted", *NETWORK)
    one = added["webhook"]["endpoint_id"]
    assert added["secret"].startswith("whsec_")

    assert commands.json("webhook", "test", one, *NETWORK)["delivered"] is True
    receiver.status = 500
    failed = commands.run("webhook", "test", one, *NETWORK)
    assert (failed.returncode, failed.stdout) == (1, "Not delivered: it answered 500.\n")

    (listed,) = commands.json("webhook", "list")["webhooks"]
    assert (listed["state"], listed["types"]) == ("in_use", ["entry.posted"])
    assert listed["failing_since"] is not None
    assert "whsec_" not in commands.run("webhook", "list", "--json").stdout
    assert commands.json("webhook", "rotate", one)["secret"] != added["secret"]
    states = [each["state"] for each in commands.json("webhook", "deliveries", one)["deliveries"]]
    assert sorted(states) == ["dead", "delivered"]

    assert commands.json("webhook", "disable", one)["webhook"]["disabled_because"] == "by hand"
    assert commands.run("webhook", "replay", one, "--dead").returncode == 2
    commands.json("webhook", "enable", one)
    receiver.status = 200
    assert commands.json("webhook", "replay", one, "--dead") == {"replayed": 1}
    assert commands.run("webhook", "send", "--once", *NETWORK).returncode == 0
    assert len(receiver.requests) == 3
    commands.json("webhook", "remove", one)
    assert commands.json("webhook", "list") == {"webhooks": []}


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("add", "https://127.0.0.1/"), "input.address_refused"),
        (("add", "https://user@example.com/"), "input.invalid_value"),
        (("rotate", "ep_none"), "input.not_found"),
        (("deliveries", "--state", "lost"), "input.invalid_value"),
        (("replay", "ep_none"), "input.invalid_value"),
    ],
)
def test_webhook__that_cannot_be_meant__is_refused(
    commands: CommandLine, arguments: tuple[str, ...], code: str
) -> None:
    assert commands.json("webhook", *arguments)["error"]["code"] == code


def test_backup__restored_elsewhere__has_the_same_digest(
    commands: CommandLine, settings: Settings, tmp_path: Path
) -> None:
    with opened_database(settings) as engine, writing(engine) as connection:
        keep_profile(connection, Profile(Subject.ORGANISATION, "one", "一", "One"))
    file = str(tmp_path / "office.tar.gz")

    made = commands.json("backup", file)
    refused = commands.json("restore", file)
    # The environment of these tests names the database; the option wins.
    url = f"sqlite:///{tmp_path / 'other.sqlite3'}"
    found = commands.json("restore", file, "--database-url", url)

    assert refused["error"]["code"] == "input.restore_refused"
    assert found["digest"] == made["digest"]
    assert found["rows"]["profiles"] == 1


def test_applications__none_yet__are_listed_as_none(commands: CommandLine) -> None:
    assert commands.json("application", "list") == {"applications": []}
    unknown = commands.json("application", "show", "0x" + "11" * 32)
    assert unknown["error"]["code"] == "input.not_found"
    wrong = commands.json("application", "list", "--state", "lost")
    assert wrong["error"]["code"] == "input.invalid_value"
