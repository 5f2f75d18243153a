"""Messages that people signed instead of sending a transaction, found in calldata and checked.

Each is written again from what the calldata and the book say, so that a signature which fits was
made for exactly this. A signature that no key made is a contract's word (ERC-1271, ERC-7913), which
cannot be asked offline; whoever signed so must be proved to have code.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from ledger.audit.calldata import calls_within, functions_of, read_arguments
from ledger.audit.history.place import Place
from ledger.chain.abi import UndecodableData
from ledger.chain.signers import recover_address
from ledger.chain.typed_data import MAX_VALIDITY, MESSAGES, MessageDomain, TypedMessage, account_of
from ledger.domain import events
from ledger.errors import InvalidValue

if TYPE_CHECKING:
    from ledger.audit.history.replay import History, Line

_MESSAGE_OF = {
    "nominateBySignature": "Rotation",
    "acceptControlBySignature": "Acceptance",
    "stopRecoveryBySignature": "Objection",
    "awardBySignature": "AwardBatch",
    "redeemBySignature": "Redemption",
    "claimBySignature": "Claim",
    "approveBySignature": "Approval",
    "cancelMessageBySignature": "Cancellation",
}


_MOST_TRIED, _MOST_VALUES = 100, 5_000
"""Places of one message that are tried in calldata, and values that are read at each: somebody may
have put them there to hold an audit up."""


class Command(NamedTuple):
    """A call of a contract of the ledger, read from calldata."""

    contract: str
    function: str
    arguments: dict[str, Any]
    actor: bytes


def commands_within(
    contract: str, data: bytes, operation_id: bytes, actor: bytes
) -> Iterator[Command]:
    """The calls of one operation that another contract may have been given to pass on.

    Signed ones are in the name that the message will say. Others are in that of `actor`, who
    signed the data, or left out where it is empty.
    """
    for selector, item in functions_of(contract).items():
        if item.name not in _MESSAGE_OF and not actor:
            continue
        calls = (call for call in calls_within(data, selector) if operation_id in call)
        for call in islice(calls, _MOST_TRIED):
            try:
                arguments = read_arguments(item.inputs, call, most=_MOST_VALUES)
            except UndecodableData:
                continue
            if arguments.get("operationId") == operation_id:
                yield Command(contract, item.name, arguments, actor)


class MessageChecker:
    """Checks the messages of one ledger. `require_code` is told which account must have code."""

    def __init__(
        self, history: History, chain_id: int, require_code: Callable[[Place, bytes], None]
    ) -> None:
        self._history = history
        self._chain_id = chain_id
        self._require_code = require_code
        self.count = 0

    def apply(self, at: Place, command: Command, lines: Sequence[Line]) -> Command:
        """The command in the name of who signed for it, with the signatures in it checked."""
        if command.function == "admitByConsent":
            self._check_consents(at, command, lines)
            return command
        primary = _MESSAGE_OF.get(command.function)
        if primary is None:
            return command
        signed = command.arguments["signed"]
        try:
            account = account_of(signed["signer"])
        except InvalidValue:
            at.object("acts.signature", account=signed["signer"])
            return command
        values = {**command.arguments, "account": account, "deadline": signed["deadline"]}
        values |= self._context(command, account, lines)
        self._check_message(at, command.contract, primary, values, signed)
        return command._replace(actor=account)

    def _context(self, command: Command, account: bytes, lines: Sequence[Line]) -> dict[str, Any]:
        """What a message says that the calldata do not, from the book."""
        given, history = command.arguments, self._history
        match command.function:
            case "awardBySignature":
                awards = [
                    {
                        **award,
                        "category": award["category"].rstrip(b"\0").decode("utf-8", "replace"),
                    }
                    for award in given["awards"]
                ]
                return {"awards": awards}
            case "redeemBySignature":
                listing = history.benefits.listings.get(given["listingId"])
                if listing is not None:
                    price = listing.price * given["quantity"]
                    return {"programmeId": listing.programme_id, "credits": price}
            case "claimBySignature":
                shared = history.shares.all.get(given["distributionId"])
                if shared is not None:
                    return {"programmeId": shared.programme_id}
            case "approveBySignature":
                proposal = history.council.all.get(given["proposalId"])
                if proposal is not None:
                    return {"programmeId": proposal.programme_id}
            case "stopRecoveryBySignature":
                for line in lines:
                    if isinstance(line.event, events.RecoveryStopped) and line.actor == account:
                        return {"successor": line.event.successor}
        return {}

    def _check_consents(self, at: Place, command: Command, lines: Sequence[Line]) -> None:
        given = command.arguments
        consented = [
            (line.event.account, line.event.application_id, line.event.org_id)
            for line in lines
            if isinstance(line.event, events.ApplicationConsented) and line.actor == command.actor
        ]
        named: list[tuple[bytes, bytes, int]] = []
        for admission, consent in zip(given["admissions"], given["consents"], strict=False):
            signed = consent["signed"]
            try:
                account = account_of(signed["signer"])
            except InvalidValue:
                at.object("acts.signature", account=signed["signer"])
                continue
            values = {
                **admission,
                "programmeId": given["programmeId"],
                "account": account,
                "applicationId": consent["applicationId"],
                "deadline": signed["deadline"],
            }
            named.append((account, consent["applicationId"], admission["orgId"]))
            self._check_message(at, command.contract, "Application", values, signed)
        if named != consented:
            at.object("acts.differs", field="application_id")

    def _check_message(
        self,
        at: Place,
        contract: str,
        primary: str,
        values: Mapping[str, Any],
        signed: Mapping[str, Any],
    ) -> None:
        self.count += 1
        account = values["account"]
        try:
            fields = {name: values[name] for name in _message_fields(contract, primary)}
            address = self._history.addresses[contract]
            message = TypedMessage(
                MessageDomain(contract, self._chain_id, address), primary, fields
            )
            digest = message.digest()
        except (InvalidValue, KeyError):
            at.object("acts.signature", account=account)
            return
        in_time = at.time <= signed["deadline"] <= at.time + MAX_VALIDITY
        at.require(in_time, "acts.signature_time", account=account)
        used = fields.get("operationId", fields.get("applicationId"))
        fresh = primary == "Cancellation" or (
            (contract, account, used) not in self._history.cancelled
        )
        at.require(fresh, "acts.signature_cancelled", account=account)
        if len(signed["signer"]) > 20:
            self._require_code(at, signed["signer"][:20])
        elif _signer_of(digest, signed["signature"]) != account:
            self._require_code(at, account)


@cache
def _message_fields(contract: str, primary: str) -> tuple[str, ...]:
    inner = MESSAGES[contract][primary].partition("(")[2].partition(")")[0]
    return tuple(field.split(" ")[1] for field in inner.split(","))


def _signer_of(digest: bytes, signature: bytes) -> bytes:
    """Who signed a message by a key; empty where nobody did."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        return b""
    try:
        return recover_address(digest, signature[:64] + bytes([signature[64] - 27]))
    except ValueError:
        return b""
