"""What stands in the menu of every page, in its order: the one place to add an entry to.

The menu of public pages is the same for everybody: they are answered by their ETag, by whoever
keeps them, so that nothing in them may depend on who reads. What is an officer's stands in the menu
of the pages that are made for one reader and kept by nobody (`own_page`).

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

DESK = Entry("/desk", N_("Desk"))
"""What an officer has besides, on pages of its own."""


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


def with_desk(language: Language, menu: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """The menu of an officer."""
    return (*menu, Entry(DESK.path, language.translations.gettext(DESK.word)))
