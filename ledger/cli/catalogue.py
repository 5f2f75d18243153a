"""Every command that sends: what it calls, and who may. `docs/commands.md` has it as a table.

`python -m ledger.cli.catalogue` writes the table; a test compares the document with it.
"""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import typer

from ledger.cli.sending import Sent, sent_by

_GROUPS = (
    "programme",
    "org",
    "membership",
    "credit",
    "expiry",
    "benefit",
    "distribution",
    "proposal",
    "voucher",
    "role",
    "application",
)


@dataclass(frozen=True, slots=True)
class Verb:
    """A command, as it is typed after `moonlake`; `sent` is None for one that sends nothing."""

    words: str
    callback: Callable[..., Any]
    sent: Sent | None

    @property
    def meaning(self) -> str:
        """What it is for, in one line."""
        return (inspect.getdoc(self.callback) or "").partition("\n\n")[0].replace("\n", " ")


def list_verbs() -> Iterator[Verb]:
    """All commands of the groups that have some that send."""
    for group in _GROUPS:
        app: typer.Typer = importlib.import_module(f"ledger.cli.{group}").app
        for command in app.registered_commands:
            callback = command.callback
            if callback is not None:
                name = command.name or callback.__name__.replace("_", "-")
                yield Verb(f"{group} {name}", _described(callback, command.help), sent_by(callback))


def find_command(group: str, name: str) -> Callable[..., Any] | None:
    """A command's function by its two words; None where there is none in these groups."""
    found = (each.callback for each in list_verbs() if each.words == f"{group} {name}")
    return next(found, None)


def write_table() -> str:
    """The table of `docs/commands.md`: every command that sends, one a row."""
    lines = ["| command | does | who may | contract call |", "| --- | --- | --- | --- |"]
    for verb in list_verbs():
        if verb.sent is not None:
            calls = ", ".join(f"`{call}`" for call in verb.sent.calls)
            lines.append(
                f"| `moonlake {verb.words}` | {verb.meaning} | {verb.sent.who} | {calls} |"
            )
    return "\n".join(lines)


def _described(callback: Callable[..., Any], described: str | None) -> Callable[..., Any]:
    if described and not callback.__doc__:
        callback.__doc__ = described
    return callback


if __name__ == "__main__":
    typer.echo(write_table())
