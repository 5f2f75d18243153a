"""The root of the tree of errors, the one for what nobody foresaw, and the one for who was stopped.

LedgerError
├── Interrupted
└── Unforeseen

An error carries its values as keyword arguments; its sentence is made from them, so that the
same facts reach a person, a log line and a JSON answer. A `code` never changes once released.
Values that are words for a sentence and no facts are named in `phrases`; JSON leaves them out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar


class LedgerError(Exception):
    """Root of the tree; raised only through its subclasses.

    Parameters are the values that `sentence` and `advice` name. `str(error)` is the sentence,
    `error.advice` what to do next.
    """

    code: ClassVar[str] = "ledger"
    sentence: ClassVar[str] = ""
    next_step: ClassVar[str] = ""
    phrases: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, **values: Any) -> None:
        self.values: Mapping[str, Any] = values
        super().__init__(self.sentence.format(**values))

    @property
    def advice(self) -> str:
        """What the reader can do next; empty where nothing can be done."""
        return self.next_step.format(**self.values)

    @property
    def facts(self) -> Mapping[str, Any]:
        """The values, without those that are parts of its sentences."""
        return {key: value for key, value in self.values.items() if key not in self.phrases}


class Interrupted(LedgerError):
    """Somebody, or the system, told a command to end before it was done."""

    code = "command.interrupted"
    sentence = "Interrupted."
    next_step = "{remedy}"
    phrases = frozenset({"remedy"})

    def __init__(self, *, remedy: str = "Run the same command again.", **values: object) -> None:
        super().__init__(remedy=remedy, **values)


class Unforeseen(LedgerError):
    """A fault of Moonlake's own, made from an exception that nothing foresaw."""

    code = "internal.unforeseen"
    sentence = "Moonlake met what it did not foresee: {problem}."
    next_step = "Report it with {path}, which says where it happened."
