"""What the reading commands share: the mirror at its last block, values as JSON, tables for people.

An answer always says which block it is true at.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Any

from ledger.chain.addresses import show_address
from ledger.config import Settings
from ledger.domain.ids import MAX_ORG_ID, MAX_PROGRAMME_ID, MAX_TIER
from ledger.domain.texts import printable
from ledger.errors import InvalidValue

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ledger.domain.ids import OrgId, ProgrammeId, TierId
    from ledger.mirror.queries.moments import Moment
    from ledger.mirror.queries.organisations import Organisation
    from ledger.mirror.queries.profiles import Profile

_TIMES = frozenset({"timestamp", "since"})
_MILLISECONDS = frozenset({"created_at", "updated_at", "signed_at"})
_ADDRESS_BYTES = 20
_WIDE = 10_000
_MOST_DIGITS = 20

# ruff: noqa: PLC0415  the queries take a second to import, and --help must not wait for them


@dataclasses.dataclass(frozen=True, slots=True)
class View:
    """The mirror at its last block, in one SQL transaction."""

    connection: Connection
    moment: Moment

    def answer(self, **values: Any) -> dict[str, Any]:
        """The JSON of an answer: values, and the block that they are true at."""
        moment = self.moment
        as_of = {
            "block_number": moment.block_number,
            "block_hash": "0x" + moment.block_hash.hex(),
            "timestamp": show_time(moment.timestamp),
        }
        return {"as_of": as_of, **{name: plain(value) for name, value in values.items()}}

    def programme(self, reference: str) -> ProgrammeId:
        """The programme with this id or key. Raises NotFound."""
        from ledger.mirror.queries.programmes import find_programme

        return find_programme(self.connection, self.moment, reference)

    def organisation(self, reference: str) -> Organisation:
        """The organisation with this id or key. Raises NotFound."""
        from ledger.domain.ids import OrgId
        from ledger.errors import NotFound
        from ledger.mirror.queries.organisations import (
            OrganisationFilter,
            list_organisations,
            read_organisation,
        )

        if _is_number(reference):
            org_id = OrgId(parse_id("organisation", reference, MAX_ORG_ID))
            return read_organisation(self.connection, self.moment, org_id)
        wanted = OrganisationFilter(search=reference)
        for found in list_organisations(self.connection, self.moment, wanted, limit=1000):
            if found.profile is not None and found.profile.key == reference:
                return found
        raise NotFound(what="organisation", key=reference)


def programme_id_of(settings: Settings, reference: str) -> ProgrammeId:
    """The programme with this id or key. Raises NotFound and MirrorEmpty for a key.

    A number is taken as it is, without a mirror: the contract knows whether there is such a one.
    """
    from ledger.domain.ids import ProgrammeId

    if _is_number(reference):
        return ProgrammeId(parse_id("programme", reference, MAX_PROGRAMME_ID))
    with viewing(settings) as view:
        return view.programme(reference)


def org_ids_of(settings: Settings, references: Sequence[str]) -> list[OrgId]:
    """The organisations with these ids or keys; as `programme_id_of`."""
    from ledger.domain.ids import OrgId

    numbers = {
        each: OrgId(parse_id("organisation", each, MAX_ORG_ID))
        for each in references
        if _is_number(each)
    }
    if len(numbers) == len(set(references)):
        return [numbers[each] for each in references]
    with viewing(settings) as view:
        return [
            numbers[each] if each in numbers else view.organisation(each).org_id
            for each in references
        ]


def tier_id_of(settings: Settings, programme_id: ProgrammeId, reference: str) -> TierId:
    """The tier of a programme with this number or key; as `programme_id_of`."""
    from ledger.domain.ids import TierId
    from ledger.errors import NotFound
    from ledger.mirror.queries.programmes import read_programme

    if _is_number(reference):
        return TierId(parse_id("tier", reference, MAX_TIER))
    with viewing(settings) as view:
        found = read_programme(view.connection, view.moment, str(programme_id))
    for tier in found.rules.tiers:
        if tier.key == reference:
            return tier.tier
    raise NotFound(what="tier", key=reference)


@contextmanager
def viewing(settings: Settings) -> Iterator[View]:
    """The mirror in the database of the settings. Raises MirrorEmpty where nothing is mirrored."""
    from ledger.mirror.queries.moments import latest_moment
    from ledger.mirror.state import read_state
    from ledger.store.engine import reading
    from ledger.wiring import opened_database

    with opened_database(settings) as engine, reading(engine) as connection:
        yield View(connection, latest_moment(read_state(connection)))


def plain(value: Any, name: str = "") -> Any:
    """A value as JSON holds it: bytes as hex, accounts by EIP-55, times by RFC 3339."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        names = [field.name for field in dataclasses.fields(value)]
        return {each: plain(getattr(value, each), each) for each in names}
    if isinstance(value, Mapping):
        return {str(key): plain(inner, str(key)) for key, inner in value.items()}
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return plain(value._asdict())
    if isinstance(value, tuple | list):
        return [plain(inner) for inner in value]
    return _plain_leaf(value, name)


def _plain_leaf(value: Any, name: str) -> Any:
    if isinstance(value, Enum):
        return value.name.lower() if isinstance(value, IntEnum) else value.value
    if isinstance(value, bytes):
        return show_address(value) if len(value) == _ADDRESS_BYTES else "0x" + value.hex()
    if isinstance(value, int) and name in _MILLISECONDS:
        return show_time(value // 1000)
    if isinstance(value, int) and (name in _TIMES or name.endswith("_at")):
        return show_time(value)
    return value


def show_time(seconds: int) -> str:
    """RFC 3339 of seconds since 1970 UTC."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def show_day(seconds: int) -> str:
    """The day, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).date().isoformat()


def parse_time(field: str, text: str) -> int:
    """Seconds since 1970 of a day (its first second, UTC) or of an RFC 3339 time.

    Raises InvalidValue naming `field`.
    """
    expected = "a day such as 2027-01-31, or a time such as 2027-01-31T08:00:00Z"
    try:
        found = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidValue(field=field, value=text, expected=expected) from error
    is_day = len(text) == len("2027-01-31")
    if found.tzinfo is None and not is_day:
        raise InvalidValue(field=field, value=text, expected=expected)
    return int((found.replace(tzinfo=UTC) if is_day else found).timestamp())


def name_of(profile: Profile | None) -> str:
    """A name in both languages, empty where none is known."""
    if profile is None:
        return ""
    return " ".join(name for name in (profile.name_zh, profile.name_en) if name)


def terminal_width() -> int | None:
    """How many columns the terminal has; None where the output goes elsewhere."""
    import shutil
    import sys

    return max(shutil.get_terminal_size().columns, 60) if sys.stdout.isatty() else None


def table(columns: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A table for people; columns that end with # hold numbers.

    As wide as the terminal; where the output goes elsewhere, wide enough to cut nothing. Control
    characters are not given to the terminal, which would obey them.
    """
    from io import StringIO

    from rich import box
    from rich.console import Console
    from rich.table import Table

    shown = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for column in columns:
        is_number = column.endswith("#")
        shown.add_column(
            column.removesuffix("#"), justify="right" if is_number else "left", overflow="fold"
        )
    for row in rows:
        shown.add_row(*(printable(str(cell)) for cell in row))
    text = StringIO()
    width = terminal_width() or _WIDE
    console = Console(file=text, width=width, color_system=None, markup=False, emoji=False)
    console.print(shown)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())


def parse_id(field: str, text: str, most: int) -> int:
    """An id from its digits. Raises InvalidValue where it is none, or too large for a database."""
    expected = f"a whole number, 1 to {most}"
    # Python refuses to read thousands of digits, and would need long for them.
    if not _is_number(text) or len(text) > _MOST_DIGITS or not 1 <= int(text) <= most:
        raise InvalidValue(field=field, value=text, expected=expected)
    return int(text)


def _is_number(reference: str) -> bool:
    return reference.isascii() and reference.isdigit()
