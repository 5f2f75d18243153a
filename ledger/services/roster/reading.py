"""A roster as it stands in a folder of CSV files, checked as a whole before anything is done.

    programmes.csv     key, name_zh, name_en; role_zh, role_en
    tiers.csv          programme, key, name_zh, name_en            (the file is optional)
    categories.csv     key, programme, side, name_zh, name_en
    organisations.csv  key, name_zh, name_en, kind, segment, member_of, applies_to, note; controller
    benefits.csv       key, programme, kind, name_zh, name_en; source   (the file is optional)

`member_of` and `applies_to` name programmes, separated by `|`. A programme without a tier of its
own has one, `member`. Columns after a semicolon are optional. The files name each other's keys, so
a roster with one wrong row is refused whole.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from ledger.chain.addresses import parse_address
from ledger.domain.keys import encode_key
from ledger.errors import InvalidFile, InvalidValue
from ledger.office.profiles import MAX_TEXT
from ledger.services.spreadsheets.tables import Row, read_rows, refuse_duplicates

NAMES = ("name_zh", "name_en")
SEPARATOR = "|"


@dataclass(frozen=True, slots=True)
class TierRow:
    """A tier that a programme is to have, in the order in which they are numbered."""

    key: str
    name_zh: str
    name_en: str


DEFAULT_TIER = TierRow("member", "会员", "member")


@dataclass(frozen=True, slots=True)
class CategoryRow:
    """A kind of contribution."""

    key: str
    side: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class BenefitRow:
    """Something that members share in; kept as a label."""

    key: str
    kind: str
    name_zh: str
    name_en: str


@dataclass(frozen=True, slots=True)
class ProgrammeRow:
    """A programme with what belongs to it."""

    key: str
    name_zh: str
    name_en: str
    role_zh: str
    role_en: str
    tiers: tuple[TierRow, ...]
    categories: tuple[CategoryRow, ...]
    benefits: tuple[BenefitRow, ...]


@dataclass(frozen=True, slots=True)
class OrganisationRow:
    """An organisation; `controller` is None where the roster names no account for it."""

    line: int
    key: str
    name_zh: str
    name_en: str
    kind: str
    segment: str
    member_of: tuple[str, ...]
    applies_to: tuple[str, ...]
    note: str
    controller: bytes | None


@dataclass(frozen=True, slots=True)
class Roster:
    """Programmes and organisations, in the order of the files."""

    folder: Path
    programmes: tuple[ProgrammeRow, ...]
    organisations: tuple[OrganisationRow, ...]


def read_roster(folder: Path, *, tiers_file: Path | None = None) -> Roster:
    """Read and check the folder; `tiers_file` stands in for the folder's own.

    Raises InvalidFile with the first thing that is wrong.
    """
    programmes = read_rows(
        folder / "programmes.csv", required=("key", *NAMES), optional=("role_zh", "role_en")
    )
    _check(programmes, "key")
    if not programmes:
        raise InvalidFile(path=folder / "programmes.csv", line=1, problem="names no programme")
    keys = {row["key"] for row in programmes}
    tiers = _tables(tiers_file or folder / "tiers.csv", keys, ("programme", "key", *NAMES))
    categories = _tables(
        folder / "categories.csv", keys, ("key", "programme", "side", *NAMES), needed=True
    )
    benefits = _tables(
        folder / "benefits.csv", keys, ("key", "programme", "kind", *NAMES), ("source",)
    )
    return Roster(
        folder,
        tuple(_programme(row, tiers, categories, benefits) for row in programmes),
        _organisations(folder / "organisations.csv", keys),
    )


def _programme(
    row: Row, tiers: tuple[Row, ...], categories: tuple[Row, ...], benefits: tuple[Row, ...]
) -> ProgrammeRow:
    key = row["key"]
    own_tiers = tuple(
        TierRow(tier["key"], tier["name_zh"], tier["name_en"]) for tier in _of(key, tiers)
    )
    return ProgrammeRow(
        key=key,
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        role_zh=row["role_zh"],
        role_en=row["role_en"],
        tiers=own_tiers or (DEFAULT_TIER,),
        categories=tuple(
            CategoryRow(line["key"], line["side"], line["name_zh"], line["name_en"])
            for line in _of(key, categories)
        ),
        benefits=tuple(
            BenefitRow(line["key"], line["kind"], line["name_zh"], line["name_en"])
            for line in _of(key, benefits)
        ),
    )


def _of(programme: str, rows: Iterable[Row]) -> Iterable[Row]:
    return (row for row in rows if row["programme"] == programme)


def _tables(
    path: Path,
    programmes: set[str],
    required: tuple[str, ...],
    optional: tuple[str, ...] = (),
    *,
    needed: bool = False,
) -> tuple[Row, ...]:
    """The rows of a file whose keys belong to programmes; none where it may be missing."""
    if not needed and not path.exists():
        return ()
    rows = read_rows(path, required=required, optional=optional)
    for row in rows:
        if row.required("programme") not in programmes:
            row.refuse(f"the programme {row['programme']!r} is not in programmes.csv")
    _check(rows, "programme", "key")
    return rows


def _organisations(path: Path, programmes: set[str]) -> tuple[OrganisationRow, ...]:
    rows = read_rows(
        path,
        required=("key", *NAMES, "kind", "segment", "member_of", "applies_to", "note"),
        optional=("controller",),
    )
    _check(rows, "key")
    for row in rows:
        _key(row, "kind")
    found = tuple(_organisation(row, programmes) for row in rows)
    _refuse_shared_controllers(path, found)
    return found


def _organisation(row: Row, programmes: set[str]) -> OrganisationRow:
    member_of = _programmes_named(row, "member_of", programmes)
    applies_to = _programmes_named(row, "applies_to", programmes)
    both = sorted(set(member_of) & set(applies_to))
    if both:
        row.refuse(f"applies to {', '.join(both)} and is a member of it")
    return OrganisationRow(
        line=row.line,
        key=row["key"],
        name_zh=row["name_zh"],
        name_en=row["name_en"],
        kind=row["kind"],
        segment=row["segment"],
        member_of=member_of,
        applies_to=applies_to,
        note=row["note"],
        controller=_value(row, lambda: parse_address(row["controller"], "controller"))
        if row["controller"]
        else None,
    )


def _programmes_named(row: Row, column: str, programmes: set[str]) -> tuple[str, ...]:
    names = tuple(name.strip() for name in row[column].split(SEPARATOR)) if row[column] else ()
    for name in names:
        if name not in programmes:
            row.refuse(f"{column}: the programme {name!r} is not in programmes.csv")
    if len(set(names)) < len(names):
        row.refuse(f"{column} names a programme twice")
    return names


def _refuse_shared_controllers(path: Path, rows: tuple[OrganisationRow, ...]) -> None:
    """An account controls at most one organisation, however it is written."""
    seen: dict[bytes, int] = {}
    for row in rows:
        if row.controller is None:
            continue
        if row.controller in seen:
            problem = f"the controller was in line {seen[row.controller]}"
            raise InvalidFile(path=path, line=row.line, problem=problem)
        seen[row.controller] = row.line


def _check(rows: tuple[Row, ...], *identity: str) -> None:
    """What holds of every row: a well-formed key of its own, and names of a decent length."""
    for row in rows:
        _key(row, "key")
        if not (row["name_zh"] or row["name_en"]):
            row.refuse("has no name in either language")
        for column, text in row.cells.items():
            if len(text) > MAX_TEXT:
                row.refuse(f"{column} has more than {MAX_TEXT} characters")
    refuse_duplicates(rows, *identity)


def _key(row: Row, column: str) -> None:
    _value(row, lambda: encode_key(row.required(column), column))


def _value(row: Row, read: Callable[[], bytes]) -> bytes:
    """What `read` gives; where it refuses a value, the file and line are named."""
    try:
        return read()
    except InvalidValue as error:
        row.refuse(
            f"{error.values['field']} {error.values['value']!r} is not {error.values['expected']}"
        )
