"""What an interrupted command says: what may have been done, and how to go on so that it is once.

Typer by itself would end without a word, and whoever asked could only guess.
"""

from __future__ import annotations

from typing import Any

from typer._click.core import Context  # what TyperGroup itself takes
from typer.core import TyperGroup

from ledger.errors import Interrupted


class Commands(TyperGroup):
    """Commands whose interruption is told like an error."""

    def invoke(self, ctx: Context) -> Any:
        """Run the command that was asked for. Raises Interrupted, and what the command raises."""
        try:
            return super().invoke(ctx)
        except KeyboardInterrupt as error:
            raise Interrupted from error
