"""Operations as people read them: in sentences of their language, and why one failed.

What was asked for is read from its own call, as a form's preview is; so both say the same.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from api.answers import Reading
from api.console.desk.acting import tell
from api.console.desk.forms import Trouble
from api.console.languages import Language
from api.problems import redact_urls
from ledger.outbox.records import Failure, Operation


@dataclass(frozen=True, slots=True)
class Followed:
    """An operation, in a sentence, and why it failed if it did."""

    operation: Operation
    sentence: str
    trouble: Trouble | None


def followed(
    reading: Reading, language: Language, operations: Sequence[Operation]
) -> list[Followed]:
    """The operations in the reader's language."""
    told = tell(reading, language, [each.request for each in operations])
    return [
        Followed(each, words.sentence, trouble_of(each.failure))
        for each, words in zip(operations, told, strict=True)
    ]


def trouble_of(failure: Failure | None) -> Trouble | None:
    """Why an operation failed, as a form would say it."""
    if failure is None:
        return None
    name = str(failure.values.get("name", "")) if failure.code == "contract.refused" else ""
    detail, advice = redact_urls(failure.sentence), redact_urls(failure.advice)
    return Trouble("", failure.code, detail, advice, name)
