"""What a commitment on the chain stands for in words, where the office has it.

A profile can be missing for good reasons (erased, or registered by another operator), so every
answer says what it can without it. The join is by the commitment alone: a profile that the chain
does not commit to is never shown.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Row

from ledger.store.office_tables import profiles


@dataclass(frozen=True, slots=True)
class Profile:
    """Who an organisation or a programme is, in two languages; any text can be empty."""

    key: str
    name_zh: str
    name_en: str
    segment: str
    note: str


PROFILE_COLUMNS = (
    profiles.c.key.label("profile_key"),
    profiles.c.name_zh,
    profiles.c.name_en,
    profiles.c.segment,
    profiles.c.note,
)
"""What `profile_of` needs of an outer join with the profiles."""


def profile_of(row: Row[tuple[object, ...]]) -> Profile | None:
    """The profile in a row that has PROFILE_COLUMNS; None where the office has none."""
    if row.profile_key is None:
        return None
    return Profile(row.profile_key, row.name_zh, row.name_en, row.segment, row.note)
