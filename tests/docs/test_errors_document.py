"""docs/errors.md lists every error that there is, as the code has it."""

from __future__ import annotations

from pathlib import Path

from api.errors_page import render_errors
from ledger import errors
from ledger.errors import LedgerError

DOCUMENT = Path(__file__).parents[2] / "docs" / "errors.md"


def test_document__is_what_the_code_makes() -> None:
    made = render_errors()

    assert DOCUMENT.read_text("utf-8") == made, "run `python -m api.errors_page > docs/errors.md`"


def test_document__has_every_code_once() -> None:
    classes = [getattr(errors, name) for name in errors.__all__]
    codes = [cls.code for cls in classes if not cls.__subclasses__() and cls is not LedgerError]
    rows = DOCUMENT.read_text("utf-8").splitlines()

    for code in codes:
        assert len([row for row in rows if row.startswith(f"| `{code}` |")]) == 1, code
