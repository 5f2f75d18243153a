"""What the commands that send share: who signs, under which id, and what comes of it.

Each first sends what an earlier process left, as every sender must.
"""

from __future__ import annotations

import mimetypes
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, BinaryIO

import typer

from ledger.chain.addresses import parse_address, show_address
from ledger.chain.keyring import find_named_key
from ledger.cli.output import show
from ledger.cli.passwords import ask_password
from ledger.cli.view import plain
from ledger.config import Settings
from ledger.domain.commands import NO_COMMITMENT
from ledger.domain.commitments import new_salt
from ledger.domain.operations import new_operation_id, parse_operation_id
from ledger.errors import EvidenceMissing, InvalidFile, InvalidValue, NotFound

if TYPE_CHECKING:
    from ledger.chain.keyring import Ask
    from ledger.office.profiles import Profile
    from ledger.outbox.records import Operation
    from ledger.services.desk import Desk
    from ledger.services.orders import Order

# ruff: noqa: PLC0415  sending takes a second to import, and --help must not wait for it

OperationIdOption = Annotated[
    str,
    typer.Option(
        "--operation-id",
        help="0x and 64 hex digits, by which it is done at most once; random if unset.",
    ),
]
EvidenceOption = Annotated[
    str,
    typer.Option(
        "--evidence",
        help="A document that shows why: a file, which is kept, or the commitment to one.",
    ),
]
NoEvidenceOption = Annotated[
    bool,
    typer.Option("--no-evidence", help="There is none, and the statement will say so for ever."),
]
ReasonOption = Annotated[str, typer.Option(help="A key such as fee.unpaid.")]

_COMMITMENT = re.compile(r"0x[0-9a-fA-F]{64}")


def signer_option(default: str) -> Any:
    """`--as KEY`, with the key that usually signs such a command."""
    return typer.Option(default, "--as", help="The key that signs, by its name.")


def account_of_name(settings: Settings, given: str, field: str) -> bytes:
    """The account that is named by its address (0x…) or by the name of a key, 20 bytes.

    Raises InvalidValue naming `field`, and KeyMissing.
    """
    if given.startswith("0x"):
        return parse_address(given, field)
    return find_named_key(settings, given).address


def parse_commitment(text: str) -> bytes:
    """The 32 bytes of a commitment to evidence. Raises InvalidValue."""
    if not _COMMITMENT.fullmatch(text):
        expected = "0x and 64 hex digits, the commitment to a document"
        raise InvalidValue(field="evidence", value=text, expected=expected)
    return bytes.fromhex(text[2:])


def require_evidence(given: str, *, there_is_none: bool) -> None:
    """See that a line of the journal names its evidence, or that it is meant to name none.

    Raises EvidenceMissing, and InvalidValue where both are said.
    """
    names_none = not given or (_COMMITMENT.fullmatch(given) and not int(given, 16))
    if names_none and not there_is_none:
        raise EvidenceMissing
    if there_is_none and not names_none:
        expected = "to be given beside --no-evidence"
        raise InvalidValue(field="evidence", value=given, expected=expected)


@dataclass(frozen=True, slots=True)
class Desktop:
    """An open desk, and the order that is about to be placed on it."""

    desk: Desk
    order: Order

    def keep_profile(self, profile: Profile) -> bytes:
        """The commitment to a profile, which is kept now unless the order is only rehearsed.

        Raises InvalidValue.
        """
        from ledger.office.profiles import keep_profile
        from ledger.store.engine import writing

        profile.document()
        if self.order.rehearses:
            return new_salt()  # 32 random bytes, as a commitment is
        with writing(self.desk.engine) as connection:
            return keep_profile(connection, profile)

    def keep_logo(self, name: str) -> bytes:
        """The commitment to a picture, which is kept now unless the order is only rehearsed.

        Raises NotFound, InvalidValue, InvalidFile, EvidenceRefused and FolderUnusable.
        """
        from ledger.office.evidence import Description
        from ledger.store.engine import writing

        described = Description("标志", "Logo", check_picture(name))
        with open_document(Path(name)) as content:
            if self.order.rehearses:
                return new_salt()  # as with a profile
            with writing(self.desk.engine) as connection:
                kept = self.desk.evidence.keep(
                    connection, content, described, added_at=int(time.time()), from_outside=True
                )
        return kept.commitment

    def keep_evidence(self, given: str, title_zh: str, title_en: str) -> bytes:
        """As `keep_document`; where the order is only rehearsed, nothing is kept."""
        return keep_document(self.desk, given, title_zh, title_en, rehearses=self.order.rehearses)


def keep_document(
    desk: Desk, given: str, title_zh: str = "", title_en: str = "", *, rehearses: bool = False
) -> bytes:
    """The commitment to a document: kept now where a file is named, zeros for none.

    Raises NotFound, InvalidValue, InvalidFile and FolderUnusable.
    """
    from ledger.office.evidence import Description
    from ledger.store.engine import writing

    if not given or _COMMITMENT.fullmatch(given):
        for field, title in (("title_zh", title_zh), ("title_en", title_en)):
            if title:
                expected = "a title of anything: it goes with the file that --evidence names"
                raise InvalidValue(field=field, value=title, expected=expected)
        return bytes.fromhex(given[2:]) if given else NO_COMMITMENT
    path = Path(given)
    description = Description(title_zh, title_en or path.name, media_type_of(path))
    if rehearses:
        open_document(path).close()
        return new_salt()  # as with a profile
    with open_document(path) as content, writing(desk.engine) as connection:
        kept = desk.evidence.keep(connection, content, description, added_at=int(time.time()))
    return kept.commitment


@contextmanager
def ordering(
    settings: Settings, key: str, operation_id: str = "", *, ask: Ask = ask_password
) -> Iterator[Desktop]:
    """A desk with an order that `key` signs; on the devnet the key's account gets coin.

    `ask` asks for a password that no setting has. Raises KeyMissing, KeyLocked, SignerProblem,
    InvalidValue, NodeProblem, ChainProblem and NotDeployed.
    """
    chosen = parse_operation_id(operation_id) if operation_id else new_operation_id()
    with opened_desktop(settings, key, chosen, ask=ask) as desktop:
        yield desktop


@contextmanager
def opened_desktop(
    settings: Settings,
    key: str,
    operation_id: bytes,
    *,
    rehearses: bool = False,
    ask: Ask = ask_password,
) -> Iterator[Desktop]:
    """The same with an id that was chosen. One that only rehearses sends nothing of others."""
    from ledger.chain.devnet_funds import fund_accounts
    from ledger.services.orders import Order
    from ledger.wiring import open_named_signer, opened_desk

    signer = open_named_signer(settings, key, ask)
    with opened_desk(settings) as desk:
        if settings.uses_devnet:
            fund_accounts(desk.node, (signer.address,))
        order = Order(desk.outbox, signer, operation_id, rehearses=rehearses)
        if rehearses:
            yield Desktop(desk, order)
            return
        for resumed in desk.outbox.resume():
            summary = resumed.operation.request.summary
            outcome = "" if resumed.error is None else f" It failed: {resumed.error}"
            typer.echo(f"Sent what was left of an earlier command: {summary}{outcome}", err=True)
        yield Desktop(desk, order)


def show_done(operation: Operation, *, as_json: bool, text: str = "", **more: Any) -> None:
    """Say what was done, in which transaction and block."""
    described = describe(operation)
    lines = [operation.request.summary.removesuffix(".") + ": done."]
    if text:
        lines.append(text)
    if described["transaction_hash"] is not None:
        lines.append(
            f"Transaction {described['transaction_hash']} in block {described['block_number']}."
        )
    lines.append(f"Operation {described['operation_id']}.")
    values = {"operation": described, **{name: plain(value) for name, value in more.items()}}
    show(values, "\n".join(lines), as_json=as_json)


def describe(operation: Operation, *, here: bytes | None = None) -> dict[str, Any]:
    """An operation for JSON. `here` is the first block of the chain that is here, if known."""
    request, attempt = operation.request, operation.last_attempt
    return {
        "operation_id": plain(request.operation_id),
        "command": request.command,
        "summary": request.summary,
        "contract": request.contract,
        "state": operation.state.value,
        "of_other_chain": here not in (None, operation.genesis_hash),
        "sender": show_address(operation.sender),
        "transaction_hash": plain(attempt.transaction_hash) if attempt is not None else None,
        "nonce": attempt.nonce if attempt is not None else None,
        "attempts": len(operation.attempts),
        "block_number": attempt.block_number if attempt is not None else None,
        "first_sequence": operation.first_sequence,
        "last_sequence": operation.last_sequence,
        "created_at": plain(operation.created_at, "created_at"),
        "updated_at": plain(operation.updated_at, "updated_at"),
        "request_id": request.request_id or None,
        "error": plain(operation.failure) if operation.failure is not None else None,
    }


def open_document(path: Path) -> BinaryIO:
    """A file that somebody named. Raises NotFound, InvalidValue and InvalidFile."""
    try:
        if path.exists() and not path.is_file():
            raise InvalidValue(field="evidence", value=str(path), expected="a regular file")
        return path.open("rb")
    except FileNotFoundError as error:
        raise NotFound(what="file", key=str(path)) from error
    except OSError as error:
        problem = f"it cannot be read: {error.strerror}"
        raise InvalidFile(path=path, line=1, problem=problem) from error


def check_picture(name: str) -> str:
    """What kind of picture a file is, by its name. Raises InvalidValue for anything else."""
    media_type = media_type_of(Path(name))
    if media_type not in {"image/png", "image/jpeg", "image/webp"}:
        raise InvalidValue(field="logo", value=name, expected="a PNG, JPEG or WebP file")
    return media_type


def media_type_of(path: Path) -> str:
    """What a file is, by its name."""
    guessed, _ = mimetypes.guess_type(path.name)
    return guessed or "application/octet-stream"
