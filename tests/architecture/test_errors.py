"""The error tree is complete: drawn as it is, each error with a stable code and a sentence."""

from __future__ import annotations

import importlib
import pkgutil
import re
import string
from types import ModuleType

import pytest

from ledger import errors
from ledger.errors import LedgerError


def _tree(cls: type[LedgerError]) -> list[type[LedgerError]]:
    found = [cls]
    for child in cls.__subclasses__():
        found += _tree(child)
    return found


def _is_ours(cls: type[LedgerError]) -> bool:
    return cls.__module__.startswith(f"{errors.__name__}.")


MODULES = [
    importlib.import_module(f"{errors.__name__}.{found.name}")
    for found in pkgutil.iter_modules(errors.__path__)
]
ALL = [cls for cls in _tree(LedgerError) if _is_ours(cls)]
CONCRETE = [cls for cls in ALL if not cls.__subclasses__()]


def _fields(template: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(template) if name}


@pytest.mark.parametrize("module", [errors, *MODULES], ids=lambda module: module.__name__)
def test_tree__drawn_in_a_module__is_the_tree_that_there_is(module: ModuleType) -> None:
    assert module.__doc__ is not None
    drawn = set(re.findall(r"(?:[├└]── |^)([A-Z]\w+)$", module.__doc__, flags=re.MULTILINE))
    drawn |= set(re.findall(r"(?:[├└]── |^)([A-Z]\w+)  ", module.__doc__, flags=re.MULTILINE))

    assert drawn >= {cls.__name__ for cls in ALL if cls.__module__ == module.__name__}
    assert drawn <= {cls.__name__ for cls in ALL}


def test_errors__of_every_module__are_taken_from_the_package() -> None:
    assert {cls.__name__ for cls in ALL} == set(errors.__all__)


def test_errors__outside_the_package__are_none() -> None:
    assert [cls for cls in _tree(LedgerError) if not _is_ours(cls)] == []


@pytest.mark.parametrize("cls", CONCRETE, ids=lambda cls: cls.__name__)
def test_error__has_a_code_a_sentence_and_a_way_on(cls: type[LedgerError]) -> None:
    assert re.fullmatch(r"[a-z]+\.[a-z_]+", cls.code)
    assert cls.sentence.endswith((".", "}"))
    assert cls.next_step


def test_codes__of_all_errors__are_different() -> None:
    codes = [cls.code for cls in CONCRETE]

    assert len(codes) == len(set(codes))


@pytest.mark.parametrize(
    "cls",
    # A contract's refusal makes its sentence from the contract's own values.
    [cls for cls in CONCRETE if cls is not errors.ContractRefused],
    ids=lambda cls: cls.__name__,
)
def test_error__given_its_values__shows_each_of_them(cls: type[LedgerError]) -> None:
    names = _fields(cls.sentence) | _fields(cls.next_step)

    error = cls(**{name: f"<{name}>" for name in names})

    shown = str(error) + error.advice
    assert all(f"<{name}>" in shown for name in names)
    assert set(error.values) == names


def test_facts__of_an_error__hold_no_words_of_its_sentences() -> None:
    refused = errors.ContractRefused(
        name="CreditsNoEpoch", arguments={"programmeId": 2}, meaning="No.", hint="Wait."
    )
    missing = errors.ToolMissing(tool="anvil", remedy="Install it.")

    assert refused.facts == {"name": "CreditsNoEpoch", "arguments": {"programmeId": 2}}
    assert missing.facts == {"tool": "anvil"}


@pytest.mark.parametrize("cls", CONCRETE, ids=lambda cls: cls.__name__)
def test_phrases__of_every_error__are_values_that_it_has(cls: type[LedgerError]) -> None:
    assert cls.phrases <= _fields(cls.sentence) | _fields(cls.next_step) | {"meaning"}
