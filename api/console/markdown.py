"""A little of Markdown as HTML: what short documents use, and nothing that could carry a script.

Headings, quotes, lists, paragraphs, bold and code. Everything is escaped first; links, images and
HTML stay the text that they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from markupsafe import Markup, escape

_BOLD = re.compile(r"\*\*(.+?)\*\*")
_CODE = re.compile(r"`([^`]+)`")
_HEADING = re.compile(r"(#{1,4}) +(.*)")


def render_markdown(text: str) -> Markup:
    """The HTML of a text; its headings begin at the third level, below those of the page."""
    return Markup("\n").join(_block(lines) for lines in _blocks(text))


def _blocks(text: str) -> Iterator[list[str]]:
    """The lines of each block; a blank line ends one, and so does a line of another sort.

    A quote of several paragraphs becomes several quotes.
    """
    block: list[str] = []
    for line in [*text.splitlines(), ""]:
        is_blank = not line.strip("> ")
        is_continued = line.startswith("  ") and bool(block)
        if block and (is_blank or (not is_continued and _sort(line) != _sort(block[0]))):
            yield block
            block = []
        if not is_blank:
            block.append(line)


def _sort(line: str) -> str:
    if _HEADING.match(line):
        return line
    return line[:2] if line[:2] in {"> ", "- "} else ""


def _block(lines: list[str]) -> Markup:
    heading = _HEADING.match(lines[0])
    if heading:
        level = min(6, len(heading.group(1)) + 2)
        return Markup("<h{0}>{1}</h{0}>").format(level, _inline(heading.group(2)))
    if lines[0].startswith(">"):
        return Markup("<blockquote><p>{}</p></blockquote>").format(
            _inline(" ".join(line.lstrip("> ") for line in lines))
        )
    if lines[0].startswith("- "):
        items = "\n".join(lines).removeprefix("- ").split("\n- ")
        made = (Markup("<li>{}</li>").format(_inline(" ".join(item.split()))) for item in items)
        return Markup("<ul>{}</ul>").format(Markup("").join(made))
    return Markup("<p>{}</p>").format(_inline(" ".join(lines)))


def _inline(text: str) -> Markup:
    marked = _BOLD.sub(r"<strong>\1</strong>", str(escape(text)))
    return Markup(_CODE.sub(r"<code>\1</code>", marked))  # noqa: S704  escaped above
