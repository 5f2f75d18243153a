"""How every command answers: a text for people, or with `--json` one JSON document.

Errors are not shown here; they travel to `ledger.cli.main` as LedgerError.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Any

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="Answer with one JSON document.")]


def show(values: Mapping[str, Any], text: str, *, as_json: bool) -> None:
    """Print `values` as JSON where it was asked for, else `text`."""
    if as_json:
        typer.echo(json.dumps(values, indent=2, ensure_ascii=False))
    elif text:
        typer.echo(text)
