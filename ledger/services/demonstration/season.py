"""The plan of the made-up season: what is recorded when, drawn from nothing but the chain's age.

A season begins with the chain's first block and has a fixed length, so that a demonstration that
was stopped half-way goes on with the same plan on any later day, and one that is complete finds
nothing to add. Every draw is a hash of what it decides about: leaving one step out would change no
other. The plan refuses to invent members: it only lets those of the roster contribute.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ledger.services.demonstration.calendar import DAY, first_term_end, midnight
from ledger.services.roster.reading import CategoryRow, OrganisationRow, ProgrammeRow, Roster
from ledger.services.spreadsheets.tables import read_rows

SEED = "moonlake.demonstration.1"

SECOND_TERM_SECONDS = 912 * DAY
_RENEWAL_DAY = 171
_SUSPENSION_DAY = 118
_RESUMPTION_DAY = 139
LAPSED = ("fund-group", "yuanhang")
"""The membership that nobody renews."""
SUSPENDED = ("community", "spacety")

_FIRST_BATCH_DAY = 6
_LAST_BATCH_DAY = 297


@dataclass(frozen=True, slots=True)
class _Pace:
    """How often a programme records contributions, and how many at once."""

    days: int
    fewest: int
    most: int


_PACES = {"community": _Pace(10, 4, 8), "fund-group": _Pace(19, 2, 4), "alliance": _Pace(24, 2, 2)}
_USUAL_PACE = _Pace(20, 1, 3)

# Which contribution of which batch turns out to be wrong, and who takes it back.
_MISTAKES = (
    ("community", 3, 0, "issuer"),
    ("community", 14, 1, "issuer"),
    ("fund-group", 7, 0, "council"),
)
_DAYS_UNTIL_NOTICED = 8


@dataclass(frozen=True, slots=True)
class Sample:
    """A contribution that organisations of some segments could make, in the words of a document."""

    category: str
    segments: tuple[str, ...]
    low: int
    high: int
    title_zh: str
    title_en: str
    text_zh: str
    text_en: str


@dataclass(frozen=True, slots=True)
class Contribution:
    """One award of the season. `key` names it and its document."""

    key: str
    organisation: OrganisationRow
    category: CategoryRow
    amount: int
    sample: Sample


@dataclass(frozen=True, slots=True)
class Step:
    """Something that is recorded at a time, in seconds since 1970 UTC. `key` names it for ever."""

    key: str
    at: int
    programme: ProgrammeRow

    @property
    def signer(self) -> str:
        """The name of the officer's key that signs it."""
        return "registrar"


@dataclass(frozen=True, slots=True)
class Awards(Step):
    contributions: tuple[Contribution, ...]

    @property
    def signer(self) -> str:
        """The issuer's."""
        return "issuer"


@dataclass(frozen=True, slots=True)
class Mistake(Step):
    """An award that was wrong and is reversed by `officer`, the name of a key."""

    contribution: Contribution
    officer: str

    @property
    def signer(self) -> str:
        """That of the officer who noticed it."""
        return self.officer


@dataclass(frozen=True, slots=True)
class Renewals(Step):
    organisations: tuple[OrganisationRow, ...]
    expires_at: int


@dataclass(frozen=True, slots=True)
class Suspension(Step):
    organisation: OrganisationRow


@dataclass(frozen=True, slots=True)
class Resumption(Step):
    organisation: OrganisationRow


def read_samples(path: Path) -> tuple[Sample, ...]:
    """What contributions.csv offers. Raises InvalidFile."""
    texts = ("title_zh", "title_en", "text_zh", "text_en")
    rows = read_rows(path, required=("category", "segments", "low", "high", *texts))
    return tuple(
        Sample(
            row["category"],
            tuple(row["segments"].split("|")),
            int(row["low"]),
            int(row["high"]),
            *(row[text] for text in texts),
        )
        for row in rows
    )


def plan_season(roster: Roster, samples: tuple[Sample, ...], start: int) -> tuple[Step, ...]:
    """Every step of the season that begins at `start`, in the order of time, no two at once."""
    steps: list[Step] = []
    for programme in roster.programmes:
        batches = tuple(_batches(roster, programme, samples, start))
        steps += batches
        steps += _mistakes(programme, batches)
        steps += _terms(roster, programme, start)
    latest = start
    planned = []
    for step in sorted(steps, key=lambda step: (step.at, step.key)):
        latest = max(step.at, latest + 1)
        planned.append(_moved(step, latest))
    return tuple(planned)


def _batches(
    roster: Roster, programme: ProgrammeRow, samples: tuple[Sample, ...], start: int
) -> Iterator[Awards]:
    pace = _PACES.get(programme.key, _USUAL_PACE)
    for number, day in enumerate(range(_FIRST_BATCH_DAY, _LAST_BATCH_DAY, pace.days), start=1):
        key = f"{programme.key}/{number}"
        at = _office_hour(start, day, key)
        chances = _chances(roster, programme, samples, start, at)
        if not chances:
            continue
        wanted = pace.fewest + _draw(pace.most - pace.fewest + 1, key, "size")
        yield Awards(key, at, programme, tuple(_contributions(key, chances, wanted)))


def _chances(
    roster: Roster, programme: ProgrammeRow, samples: tuple[Sample, ...], start: int, at: int
) -> list[tuple[OrganisationRow, CategoryRow, Sample]]:
    """Who could contribute what to the programme at that time."""
    categories = {category.key: category for category in programme.categories}
    return [
        (organisation, categories[sample.category], sample)
        for organisation in _members(roster, programme)
        if _in_good_standing(organisation, programme, start, at)
        for sample in samples
        if sample.category in categories and organisation.segment in sample.segments
    ]


def _contributions(
    key: str, chances: list[tuple[OrganisationRow, CategoryRow, Sample]], wanted: int
) -> Iterator[Contribution]:
    """The first of the chances in a drawn order, each of another organisation."""
    drawn = sorted(
        chances, key=lambda chance: _draw(1 << 64, key, chance[0].key, chance[2].title_en)
    )
    seen: set[str] = set()
    for organisation, category, sample in drawn:
        if organisation.key in seen:
            continue
        seen.add(organisation.key)
        name = f"{key}/{organisation.key}"
        amount = sample.low + 10 * _draw((sample.high - sample.low) // 10 + 1, name, "amount")
        yield Contribution(name, organisation, category, amount, sample)
        if len(seen) == wanted:
            return


def _mistakes(programme: ProgrammeRow, batches: tuple[Awards, ...]) -> Iterator[Mistake]:
    for key, batch, position, officer in _MISTAKES:
        if programme.key != key or batch > len(batches):
            continue
        wrong = batches[batch - 1].contributions[position]
        at = batches[batch - 1].at + _DAYS_UNTIL_NOTICED * DAY
        yield Mistake(f"{wrong.key}/reversal", at, programme, wrong, officer)


def _terms(roster: Roster, programme: ProgrammeRow, start: int) -> Iterator[Step]:
    members = _members(roster, programme)
    renewed = tuple(member for member in members if (programme.key, member.key) != LAPSED)
    if renewed:
        key = f"{programme.key}/renewal"
        at = _office_hour(start, _RENEWAL_DAY, key)
        yield Renewals(key, at, programme, renewed, midnight(start + SECOND_TERM_SECONDS))
    for member in members:
        if (programme.key, member.key) == SUSPENDED:
            key = f"{programme.key}/{member.key}"
            suspended = _office_hour(start, _SUSPENSION_DAY, key)
            resumed = _office_hour(start, _RESUMPTION_DAY, key)
            yield Suspension(f"{key}/suspension", suspended, programme, member)
            yield Resumption(f"{key}/resumption", resumed, programme, member)


def _members(roster: Roster, programme: ProgrammeRow) -> tuple[OrganisationRow, ...]:
    return tuple(row for row in roster.organisations if programme.key in row.member_of)


def _in_good_standing(
    organisation: OrganisationRow, programme: ProgrammeRow, start: int, at: int
) -> bool:
    membership = programme.key, organisation.key
    if membership == LAPSED:
        return at < first_term_end(start)
    if membership == SUSPENDED:
        return not start + _SUSPENSION_DAY * DAY <= at <= start + (_RESUMPTION_DAY + 1) * DAY
    return True


def _moved(step: Step, at: int) -> Step:
    if step.at == at:
        return step
    return replace(step, at=at)


def _office_hour(start: int, day: int, key: str) -> int:
    """A moment of that day of the season, when an office in China is open (01:00 to 09:00 UTC)."""
    return midnight(start + day * DAY) + 3600 + _draw(8 * 3600, key, "hour")


def _draw(below: int, *about: str) -> int:
    """A number from 0 to below, that depends on nothing but what it is about."""
    text = "\n".join((SEED, *about))
    return int.from_bytes(hashlib.sha256(text.encode("utf-8")).digest(), "big") % below
