"""What stands in the menu of every page, in its order: the one place to add an entry to.

Words are marked with `N_` so that the catalogues have them; they are translated where they are
shown.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from api.console.languages import Language
from api.console.names import ProgrammeName
from ledger.mirror.queries.programmes import Programme


def N_(word: str) -> str:  # noqa: N802  the mark that the extraction looks for
    """The word as it is: it is translated later, for each reader."""
    return word


@dataclass(frozen=True, slots=True)
class Entry:
    """A page, and the word for it."""

    path: str
    word: str


FIRST = (Entry("/", N_("Register")),)
"""What stands before the programmes."""

LAST = (
    Entry("/rankings", N_("Ranking")),
    Entry("/benefits", N_("Benefits")),
    Entry("/shares", N_("Shares")),
    Entry("/proposals", N_("Proposals")),
    Entry("/proof", N_("Proof")),
    Entry("/audit", N_("Audit")),
    Entry("/docs", N_("API")),
)
"""What stands after them."""


def menu_of(
    language: Language,
    programmes: Sequence[Programme] = (),
    named: Mapping[str, ProgrammeName] | None = None,
) -> tuple[Entry, ...]:
    """The menu in a reader's language, with the programmes that there are."""
    names = named or {}
    own = (Entry(f"/programmes/{each.key}", names[each.key].short) for each in programmes)
    say = language.translations.gettext
    return (
        *(Entry(each.path, say(each.word)) for each in FIRST),
        *own,
        *(Entry(each.path, say(each.word)) for each in LAST),
    )
