"""Gives a command that sends the document that shows why: its options, and how it is kept.

    @app.command()
    @sends("issuer", "Credits.award", who="…")
    @with_evidence(must_be_said=True)
    def award(…, *, evidence: Evidence, sending: Sending) -> None: ...

takes `--evidence`, `--title-zh` and `--title-en` besides its own options; where a line of the
journal must name its evidence or say that there is none, `--no-evidence`, too.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Annotated, Any

import typer

from ledger.cli.ordering import Desktop, EvidenceOption, NoEvidenceOption, require_evidence
from ledger.cli.settings_options import take_instead

TitleZhOption = Annotated[str, typer.Option(help="The document's title in Chinese.")]
TitleEnOption = Annotated[
    str, typer.Option(help="The document's title in English; the file's name if unset.")
]


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was typed of it: a file or a commitment, or that there is none, and its titles."""

    given: str
    title_zh: str
    title_en: str
    must_be_said: bool
    there_is_none: bool

    def require(self) -> None:
        """See that what must be said of it is said; `keep` does it, too, but with a desk open.

        Raises EvidenceMissing, and InvalidValue where it is said to be none.
        """
        if self.must_be_said:
            require_evidence(self.given, there_is_none=self.there_is_none)

    def or_else(self, file: str) -> Evidence:
        """The same with this file where none was named."""
        return replace(self, given=self.given or file)

    def keep(self, desktop: Desktop) -> bytes:
        """The commitment to it: kept now where a file is named, zeros for none.

        Raises what `require` and `ledger.cli.ordering.keep_document` do.
        """
        self.require()
        return desktop.keep_evidence(self.given, self.title_zh, self.title_en)


def with_evidence(
    *, must_be_said: bool = False
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator for a command that takes `evidence`."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:

        @functools.wraps(command)
        def evidenced(
            *,
            evidence: str,
            no_evidence: bool = False,
            title_zh: str,
            title_en: str,
            **given: Any,
        ) -> None:
            typed = Evidence(evidence, title_zh, title_en, must_be_said, no_evidence)
            command(**given, evidence=typed)

        options: tuple[tuple[str, Any, Any], ...] = (
            ("evidence", EvidenceOption, ""),
            *((("no_evidence", NoEvidenceOption, False),) if must_be_said else ()),
            ("title_zh", TitleZhOption, ""),
            ("title_en", TitleEnOption, ""),
        )
        take_instead(evidenced, command, "evidence", options)
        return evidenced

    return decorate
