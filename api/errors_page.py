"""All error codes on one page, made from the classes themselves: docs/errors.md.

    python -m api.errors_page > docs/errors.md

A test compares the page with what this makes.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

from api.problems import http_problem, status_of
from ledger.errors import LedgerError, SetupProblem

_HEAD = """\
# Error codes

Made by `python -m api.errors_page`; not to be edited by hand.

Every error has a `code` that never changes once it is released. Over HTTP it is a problem detail
(RFC 9457, `application/problem+json`) with `type` `urn:moonlake:problem:CODE`; the command line
shows it in brackets, and with `--json` as `error.code`. What stands in *italics* is a value. What a
set-up problem says is told to the operator alone: over HTTP it reads "The server lacks something
that it needs; its log says what."

| code | HTTP | what it says | what to do |
| --- | --- | --- | --- |
"""
_OF_HTTP = (400, 404, 405)
_VALUE = re.compile(r"\{(\w+)(?:![rs])?\}")


def render_errors() -> str:
    """The page."""
    lines = [_line(cls) for cls in sorted(_concrete(LedgerError), key=lambda cls: cls.code)]
    lines += [_http_line(status) for status in _OF_HTTP]
    return _HEAD + "\n".join(lines) + "\n"


def _line(cls: type[LedgerError]) -> str:
    status = int(status_of(cls))
    shown = f"{status} (hidden)" if issubclass(cls, SetupProblem) else str(status)
    return f"| `{cls.code}` | {shown} | {_words(cls.sentence)} | {_words(cls.next_step)} |"


def _http_line(status: int) -> str:
    problem = http_problem(status)
    return f"| `{problem.code}` | {status} | {problem.detail} | {problem.advice} |"


def _words(template: str) -> str:
    """A sentence with its values as names."""
    named = _VALUE.sub(lambda found: f"*{found[1].replace('_', ' ')}*", template)
    return named.replace("|", "\\|").strip()


def _concrete(cls: type[LedgerError]) -> Iterator[type[LedgerError]]:
    children = [each for each in cls.__subclasses__() if each.__module__.startswith("ledger.")]
    if not children and cls.__module__.startswith("ledger.errors"):
        yield cls
    for child in children:
        yield from _concrete(child)


if __name__ == "__main__":
    sys.stdout.write(render_errors())
