"""The night sky of the register: a star for each membership, a constellation for each programme.

Each place is drawn from the membership's own number, so a star never moves while others come and
go; its brightness follows the credits. It is an ornament that is true, and says nothing that the
page below does not say in words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.domain.ids import TokenId
from ledger.mirror.queries.memberships import Membership, Standing

WIDTH, HEIGHT = 1200, 340
_MARGIN = 22
_FAINT_STARS = 90
_HUES = 5
_SMALLEST, _LARGEST = 2.0, 5.4


@dataclass(frozen=True, slots=True)
class Star:
    """A point of the sky; `hue` counts the programmes, and 0 is the far background."""

    x: float
    y: float
    radius: float
    hue: int


@dataclass(frozen=True, slots=True)
class Sky:
    """Background stars, members' stars, and a line through each programme's (`x,y x,y …`)."""

    faint: Sequence[Star]
    stars: Sequence[Star]
    lines: Sequence[tuple[int, str]]


def draw_sky(memberships: Sequence[Membership], credited: Mapping[TokenId, int]) -> Sky:
    """The sky over these memberships; `credited` is what each of their tokens stands at."""
    most = max(credited.values(), default=0)
    by_hue: dict[int, list[Star]] = {}
    for membership in memberships:
        if membership.standing is Standing.REVOKED:
            continue
        hue = (membership.programme_id - 1) % _HUES + 1
        share = max(0, credited.get(membership.token_id, 0)) / most if most > 0 else 0.0
        radius = _SMALLEST + (_LARGEST - _SMALLEST) * share**0.5
        x, y = _place(b"member", membership.token_id)
        by_hue.setdefault(hue, []).append(Star(x, y, round(radius, 2), hue))
    lines = [
        (hue, " ".join(f"{star.x},{star.y}" for star in sorted(stars, key=lambda star: star.x)))
        for hue, stars in sorted(by_hue.items())
        if len(stars) > 1
    ]
    return Sky(_faint(), [star for stars in by_hue.values() for star in stars], lines)


def _faint() -> list[Star]:
    places = (_place(b"faint", number) for number in range(_FAINT_STARS))
    return [Star(x, y, 0.6 + number % 3 * 0.25, 0) for number, (x, y) in enumerate(places)]


def _place(kind: bytes, number: int) -> tuple[float, float]:
    drawn = hashlib.blake2b(kind + number.to_bytes(8, "big"), digest_size=8).digest()
    across = int.from_bytes(drawn[:4], "big") / 2**32
    down = int.from_bytes(drawn[4:], "big") / 2**32
    return (
        round(_MARGIN + across * (WIDTH - 2 * _MARGIN), 1),
        round(_MARGIN + down * (HEIGHT - 2 * _MARGIN), 1),
    )
