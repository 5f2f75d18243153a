"""The table of commands is what the commands say of themselves, and leaves no contract call out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from ledger.chain.artifacts import CONTRACTS, load_artifact
from ledger.chain.typed_data import MESSAGES
from ledger.cli.catalogue import list_verbs, write_table
from ledger.cli.signing import signed_by
from ledger.services.proposals.reading import is_always_refused, is_reading

ROOT = Path(__file__).parents[2]
DOCUMENT = (ROOT / "docs" / "commands.md").read_text("utf-8")
VERBS = [verb for verb in list_verbs() if verb.sent is not None]

WITHOUT_A_COMMAND = {
    # From contract to contract, or always refused.
    "Credits.redeem",
    "Credits.refund",
    "Credits.settle",
    "Memberships.announceMove",
    "Memberships.safeTransferFrom",
    # With a wallet: it cannot be undone.
    "Authority.renounceRole",
}


def test_document__its_table__is_that_of_the_commands() -> None:
    assert write_table() in DOCUMENT, "run `python -m ledger.cli.catalogue` and put it there"


def test_document__is_found_from_the_readme() -> None:
    assert "(docs/commands.md)" in (ROOT / "README.md").read_text("utf-8")


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.words)
def test_command__names_who_may_and_functions_that_there_are(verb: object) -> None:
    sent = next(each.sent for each in VERBS if each is verb)

    assert sent is not None
    assert sent.who
    assert set(sent.calls) <= _changing() | {f"{name}.cancelMessage" for name in MESSAGES}


def test_commands__cover_every_function_that_changes_something() -> None:
    called = {call for verb in VERBS if verb.sent is not None for call in verb.sent.calls}
    by_any = {name.partition(".")[2] for name in called if "cancelMessage" in name}

    missing = {
        name
        for name in _changing() - called - WITHOUT_A_COMMAND
        if name.partition(".")[2] not in by_any
    }

    assert missing == set()


def test_commands__sign_every_message_that_a_contract_takes() -> None:
    signed = {signed_by(verb.callback) for verb in list_verbs()} - {None}

    assert {f"{contract}.{name}" for contract, names in MESSAGES.items() for name in names} == {
        *signed,
        *(f"{contract}.Cancellation" for contract in MESSAGES),
    }


def test_examples__begin_with_commands_that_there_are() -> None:
    known = {verb.words for verb in list_verbs()}
    shown = re.findall(r"^moonlake (\S+ \S+)", DOCUMENT, flags=re.MULTILINE)

    assert shown
    assert set(shown) <= known


def _changing() -> set[str]:
    return {
        f"{name}.{item.name}"
        for name in CONTRACTS
        for item in load_artifact(name).items("function")
        if not is_reading(item) and not is_always_refused(item)
    }
