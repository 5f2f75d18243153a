"""Turns a command, as it would be typed, into the call that a council's seat will make.

It runs the command as far as its call, and sends nothing; no key is opened.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ledger.cli.sending import Sending, drafting, sent_by
from ledger.config import Settings
from ledger.domain.operations import derive_operation_id
from ledger.errors import InvalidValue, LedgerError

if TYPE_CHECKING:
    from ledger.outbox.records import Request


# ruff: noqa: PLC0415  services take a second to import, and --help must not wait for them

_OUTSIDE = ("--as", "--operation-id", "--dry-run", "--json")


def draft(command: str, number: int, seat: bytes, sending: Sending) -> Request:
    """The call that a command would make, as the council's seat will make it.

    Its operation id follows from the proposal's, so that the same proposal has the same calls.
    """
    from ledger.cli.main import make_app
    from ledger.services.orders import Drafted

    words = _split(command)
    _require_sending(command, words)
    operation_id = derive_operation_id(
        "moonlake proposes", sending.operation_id, number.to_bytes(8, "big")
    )
    environment = sending.settings
    with drafting(seat, operation_id):
        try:
            make_app(words[0])(
                args=[*words, *_settings_as_options(environment)],
                prog_name="moonlake",
                standalone_mode=False,
            )
        except Drafted as drafted:
            return drafted.request
        except LedgerError:
            raise
        except Exception as error:
            if not hasattr(error, "format_message"):
                raise
            problem = str(error.format_message()).rstrip(".")
            raise InvalidValue(
                field="command", value=command, expected=f"a command ({problem})"
            ) from error
    raise _no_command(command)


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise _no_command(command) from error


def _require_sending(command: str, words: Sequence[str]) -> None:
    """Raise InvalidValue unless the words begin with the name of a command that sends."""
    from ledger.cli.catalogue import find_command

    for word in words:
        if word.partition("=")[0] in _OUTSIDE:
            expected = f"{word.partition('=')[0]} outside of the quotes: it is the proposal's"
            raise InvalidValue(field="command", value=command, expected=expected)
    sent = sent_by(find_command(words[0], words[1])) if len(words) > 1 else None
    if sent is None or sent.several:
        raise _no_command(command)


def _no_command(command: str) -> InvalidValue:
    expected = 'a command that sends, as it would be typed after moonlake: "programme cap 2 500"'
    return InvalidValue(field="command", value=command, expected=expected)


def _settings_as_options(settings: Settings) -> list[str]:
    """The settings of the proposal, for its commands."""
    given = {
        "--home": str(settings.home),
        "--devnet-port": str(settings.devnet_port),
        "--rpc-url": ",".join(settings.rpc_url),
        "--deployment": str(settings.deployment or ""),
        "--database-url": settings.database_url,
    }
    return [word for name, value in given.items() if value for word in (name, value)]
