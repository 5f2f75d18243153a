"""The picture of a membership: a card with its names, its standing and a sky of its own, as SVG.

The stars are drawn from the token's number, so that each card differs and none ever changes. Names
come from outside: what is not seen is taken out of them, what XML would read is escaped, and what
is too long is set smaller, then cut.
"""

from __future__ import annotations

import base64
import hashlib
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate, takewhile
from xml.sax.saxutils import escape

from ledger.domain.ids import TokenId

SIZE = 600
_EDGE = 48
_ROOM = SIZE - 2 * _EDGE
_HUES = ("#ffd27a", "#8fd0ff", "#ffb0c0", "#b8f0c6", "#d6c2ff")
_STARS, _BRIGHT = 40, 5
_WIDE, _NARROW = 1.0, 0.56
"""Widths of a full-width and, as a rule, of another character, in parts of the letter size."""
_FONTS = "'Noto Sans SC','PingFang SC','Microsoft YaHei','Segoe UI',Roboto,Arial,sans-serif"

_OPENING = (
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {SIZE} {SIZE}" '
    f'width="{SIZE}" height="{SIZE}" font-family="{_FONTS}">'
)
_SKY = (
    '<defs><radialGradient id="sky" cx=".82" cy="0" r="1.2">'
    '<stop offset="0" stop-color="#2b4096"/><stop offset=".35" stop-color="#1d2f74"/>'
    '<stop offset=".75" stop-color="#0b1230"/><stop offset="1" stop-color="#070b20"/>'
    "</radialGradient></defs>"
    f'<rect width="{SIZE}" height="{SIZE}" fill="url(#sky)"/>'
    '<circle cx="486" cy="156" r="46" fill="#ffe9b8"/>'
    '<circle cx="486" cy="156" r="66" fill="#ffe9b8" opacity=".12"/>'
    '<g stroke="#8fb4ff" stroke-linecap="round" stroke-width="2" opacity=".7">'
    '<path d="M420 540h132M448 552h76M462 564h48"/></g>'
)


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text. `least` is the smallest letter size; what is longer then is cut."""

    text: str
    y: int
    size: int
    least: int
    fill: str = "#eef1ff"
    bold: bool = False


def draw_card(token: TokenId, lines: tuple[Line, ...]) -> str:
    """The card of a token as a `data:` URI; the collection's own is that of token 0."""
    encoded = base64.b64encode(draw_svg(token, lines).encode("utf-8")).decode("ascii")
    return f"data:image/svg+xml;base64,{encoded}"


def draw_svg(token: TokenId, lines: tuple[Line, ...]) -> str:
    """The same as a document of its own."""
    hue = _HUES[((token >> 32) - 1) % len(_HUES)]
    parts = [
        _OPENING,
        _SKY,
        *_stars(token, hue),
        *(_set(line) for line in lines if line.text),
        f'<rect x="{_EDGE}" y="372" width="56" height="4" rx="2" fill="{hue}"/>',
        "</svg>",
    ]
    return "".join(parts)


def _stars(token: TokenId, hue: str) -> Iterator[str]:
    """Faint stars, and a constellation of the programme's colour."""
    places = [_place(token, number) for number in range(_STARS)]
    for number, (x, y) in enumerate(places[_BRIGHT:]):
        radius = 0.8 + number % 3 * 0.4
        yield f'<circle cx="{x}" cy="{y}" r="{radius:.1f}" fill="#cdd8ff" opacity=".4"/>'
    bright = sorted(places[:_BRIGHT])
    line = " ".join(f"{x},{y}" for x, y in bright)
    yield f'<polyline points="{line}" fill="none" stroke="{hue}" opacity=".45"/>'
    for x, y in bright:
        yield f'<circle cx="{x}" cy="{y}" r="3.2" fill="{hue}"/>'


def _place(token: TokenId, number: int) -> tuple[int, int]:
    """A place in the upper part, away from the moon and the text."""
    drawn = hashlib.blake2b(b"card %d %d" % (token, number), digest_size=4).digest()
    across = int.from_bytes(drawn[:2], "big") * 360 // 2**16
    down = int.from_bytes(drawn[2:], "big") * 170 // 2**16
    return 40 + across, 70 + down


def _set(line: Line) -> str:
    text, size = _fit(line)
    weight = ' font-weight="600"' if line.bold else ""
    # Wide letters are pressed together where the estimate of their width was too small.
    pressed = f' textLength="{_ROOM}" lengthAdjust="spacingAndGlyphs"' if size < line.size else ""
    return (
        f'<text x="{_EDGE}" y="{line.y}" font-size="{size:.1f}" fill="{line.fill}"{weight}'
        f"{pressed}>{escape(text)}</text>"
    )


def _fit(line: Line) -> tuple[str, float]:
    """The text and the letter size with which it stays on the card."""
    size = min(line.size, _ROOM / max(_width(line.text), 1.0))
    if size >= line.least:
        return line.text, size
    room = _ROOM / line.least - _width("…")
    ends = accumulate(_width(each) for each in line.text)
    kept = sum(1 for _ in takewhile(lambda end: end <= room, ends))
    return line.text[:kept] + "…", line.least


def _width(text: str) -> float:
    """The width in parts of the letter size; nothing is looked at twice, however long it is."""
    return sum(_WIDE if unicodedata.east_asian_width(each) in "WFA" else _NARROW for each in text)
