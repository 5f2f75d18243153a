"""What a programme's keys are called by people: categories, tiers, benefits, in two languages.

A label is a courtesy: a key without one is shown as it is. So a label may be corrected at any
time, and nothing on the chain depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import Connection

from ledger.office.profiles import check_text
from ledger.office.rows import insert_or_replace
from ledger.store.office_tables import labels


class Labelled(StrEnum):
    """What a label is of."""

    CATEGORY = "category"
    TIER = "tier"
    BENEFIT = "benefit"
    REASON = "reason"


@dataclass(frozen=True, slots=True)
class Label:
    """The names of a key within a programme; `side` is the side of the industry it belongs to."""

    programme: str
    labelled: Labelled
    key: str
    name_zh: str
    name_en: str
    side: str = ""


def keep_label(connection: Connection, label: Label) -> None:
    """Keep the label, in place of the one that its key had. Raises InvalidValue."""
    check_text("name_zh", label.name_zh)
    check_text("name_en", label.name_en)
    insert_or_replace(
        connection,
        labels,
        {
            "programme": label.programme,
            "subject": label.labelled.value,
            "key": label.key,
            "name_zh": label.name_zh,
            "name_en": label.name_en,
            "side": label.side,
        },
    )
