"""Gives a command that signs a message what all of these have, and writes the voucher.

    @app.command()
    @signs("issuer", "Credits.AwardBatch")
    def sign(..., *, signing: Signing) -> None: ...

takes `--as`, `--good-until`, `--operation-id`, `--out` and `--json`. No network is needed: the
deployment file says for which chain and contract it is signed. It refuses to write over a file.
"""

from __future__ import annotations

import functools
import inspect
import json
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.chain.addresses import show_address
from ledger.cli.ordering import OperationIdOption, signer_option
from ledger.cli.output import JsonOption
from ledger.cli.passwords import ask_password
from ledger.cli.settings_options import take_instead, with_settings
from ledger.cli.view import parse_time, show_time
from ledger.config import Settings
from ledger.domain.operations import new_operation_id, parse_operation_id
from ledger.errors import InvalidFile

if TYPE_CHECKING:
    from ledger.chain.typed_data import TypedMessage

# ruff: noqa: PLC0415  services take a second to import, and --help must not wait for them

USUAL_DAYS = 7
_DAY = 86_400

OFFLINE = ("home", "devnet_port", "rpc_url", "deployment", "key_password_file", "signers")
"""What a command needs that signs without a network; the URL only tells that it is no devnet."""

GoodUntilOption = Annotated[
    str,
    typer.Option(
        "--good-until", help="A day or a time until which it can be brought; a week if unset."
    ),
]
OutOption = Annotated[
    Path | None,
    typer.Option("--out", help="The file that the voucher is written into; stdout if unset."),
]


@dataclass(frozen=True, slots=True)
class Signing:
    """How a command that signs was asked for."""

    settings: Settings
    contract: str
    key: str
    operation_id: bytes
    deadline: int
    out: Path | None
    as_json: bool

    def of(self, contract: str, operation_id: bytes) -> Signing:
        """The same for a message of another contract, about another's operation."""
        return replace(self, contract=contract, operation_id=operation_id)

    def sign(
        self, write: Callable[..., TypedMessage], *values: Any, proof: Sequence[bytes] = ()
    ) -> None:
        """Sign a message, and write the voucher down or show it.

        `write` is one of `ledger.chain.messages`, given what every message names beside `values`:
        where it counts, for whom, by what it counts once, and how long. Raises NotDeployed,
        KeyMissing, KeyLocked, PolicyRefused, InvalidValue, and InvalidFile.
        """
        from ledger.chain.deployments import only_deployment_path, read_deployment
        from ledger.chain.typed_data import MessageDomain, sign_message
        from ledger.services.vouchers.voucher import Voucher
        from ledger.wiring import open_named_signer

        deployment = read_deployment(only_deployment_path(self.settings))
        signer = open_named_signer(self.settings, self.key, ask_password)
        address = deployment.contracts[self.contract].address
        message = write(
            MessageDomain(self.contract, deployment.chain_id, address),
            *values,
            account=signer.address,
            operation_id=self.operation_id,
            deadline=self.deadline,
        )
        signed = sign_message(message, signer, now=int(time.time()))
        self._hand_out(Voucher(message, signed, tuple(proof)).describe())

    def _hand_out(self, voucher: dict[str, Any]) -> None:
        text = json.dumps(voucher, indent=2, ensure_ascii=False) + "\n"
        if self.out is None:
            typer.echo(text, nl=False)
            return
        write_new(self.out, text)
        if self.as_json:
            typer.echo(text, nl=False)
            return
        lines = [line for told in voucher["says"].values() for line in told]
        lines.append(f"Signed by {show_address(bytes.fromhex(voucher['signer'][2:]))}: {self.out}")
        until = show_time(self.deadline)
        lines.append(f"Good until {until}; `moonlake voucher submit {self.out}` brings it.")
        typer.echo("\n".join(lines))


def signs(key: str, message: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """A decorator for a command that takes `signing`.

    `message` is what it signs (`Credits.AwardBatch`), `key` the name of the key that usually does.
    """

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        contract = message.partition(".")[0]

        @functools.wraps(command)
        def with_signing(
            *,
            signer: str,
            good_until: str,
            operation_id: str,
            out: Path | None,
            as_json: bool,
            settings: Settings,
            **given: Any,
        ) -> None:
            chosen = parse_operation_id(operation_id) if operation_id else new_operation_id()
            deadline = parse_time("good-until", good_until) if good_until else _usual_deadline()
            command(
                **given,
                signing=Signing(settings, contract, signer, chosen, deadline, out, as_json),
            )

        options: tuple[tuple[str, Any, Any], ...] = (
            ("signer", str, signer_option(key)),
            ("good_until", GoodUntilOption, ""),
            ("operation_id", OperationIdOption, ""),
            ("out", OutOption, None),
            ("as_json", JsonOption, False),
            ("settings", Settings, inspect.Parameter.empty),
        )
        take_instead(with_signing, command, "signing", options)
        decorated = with_settings(*OFFLINE)(with_signing)
        decorated.signed = message  # type: ignore[attr-defined]
        return decorated

    return decorate


def signed_by(command: Callable[..., object] | None) -> str | None:
    """The message that a command signs; None for one that signs none."""
    found: str | None = getattr(command, "signed", None)
    return found


def _usual_deadline() -> int:
    """The end of the day in a week."""
    return (int(time.time()) // _DAY + USUAL_DAYS + 1) * _DAY - 1


def write_new(path: Path, text: str) -> None:
    """Write a file for its owner alone. Raises InvalidFile where it is there, or cannot be."""
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        raise InvalidFile(path=path, line=1, problem="it is there already") from error
    except OSError as error:
        problem = f"it cannot be written: {error.strerror}"
        raise InvalidFile(path=path, line=1, problem=problem) from error
