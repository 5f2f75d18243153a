"""Every error has its HTTP status, and says no more than a stranger may know."""

from __future__ import annotations

import string

import pytest

from api.problems import STATUS_BY_ERROR, problem_of, redact_urls, status_of
from ledger import errors
from ledger.errors import ContractRefused, LedgerError, SetupProblem


def _tree(cls: type[LedgerError]) -> list[type[LedgerError]]:
    return [cls] + [each for child in cls.__subclasses__() for each in _tree(child)]


CONCRETE = [
    cls
    for cls in _tree(LedgerError)
    if not cls.__subclasses__() and cls.__module__.startswith(f"{errors.__name__}.")
]


def an_error(cls: type[LedgerError]) -> LedgerError:
    """An error of the class, whose values are recognisable."""
    if cls is ContractRefused:
        return ContractRefused(name="CreditsNoEpoch", arguments={"programmeId": 2}, hint="Wait.")
    templates = (cls.sentence, cls.next_step)
    names = {name for each in templates for _, name, _, _ in string.Formatter().parse(each) if name}
    return cls(**dict.fromkeys(names, "<value>"))


@pytest.mark.parametrize("cls", CONCRETE, ids=lambda cls: cls.__name__)
def test_error__of_every_class__has_a_status_and_a_problem(cls: type[LedgerError]) -> None:
    problem = problem_of(an_error(cls))

    assert 400 <= status_of(cls) <= 599
    assert problem.code == cls.code
    assert problem.title
    assert problem.detail


def test_table__names_no_class_in_vain() -> None:
    assert all(issubclass(cls, LedgerError) for cls in STATUS_BY_ERROR)
    assert LedgerError not in STATUS_BY_ERROR


@pytest.mark.parametrize(
    "cls", [cls for cls in CONCRETE if issubclass(cls, SetupProblem)], ids=lambda cls: cls.__name__
)
def test_setup_problem__says_nothing_about_the_machine(cls: type[LedgerError]) -> None:
    assert "<value>" not in problem_of(an_error(cls)).body("/").decode()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("at https://user:pw@node.example:443/v3/KEY?x=1#y ok", "at https://node.example:443 ok"),
        ("(http://127.0.0.1:8545)", "(http://127.0.0.1:8545)"),
        ("http://127.0.0.1:8545: refused", "http://127.0.0.1:8545: refused"),
        ("wss://node/KEY, http://b/KEY2", "wss://node, http://b"),
        ("postgresql://u:p@h/db", "postgresql://h"),
        ("nothing to hide", "nothing to hide"),
    ],
)
def test_redact_urls__leaves_the_host_alone(given: str, shown: str) -> None:
    assert redact_urls(given) == shown
