"""Texts that strangers wrote, as far as databases and terminals can take them."""

from __future__ import annotations

REPLACEMENT = "\ufffd"


def printable(text: str) -> str:
    """A text with a mark in the place of what shows nothing: a terminal obeys an escape, a mark
    that turns the direction of writing hides what stands behind it, and PostgreSQL keeps no NUL."""
    if text.isprintable():
        return text
    return "".join(each if each.isprintable() else REPLACEMENT for each in text)
