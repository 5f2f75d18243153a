"""Whether each line of a journal was asked for: by the transaction's signer, a message, or a seat.

A transaction that calls a contract of the ledger is read whole: the lines that it wrote must be
those that its calldata asks for, and in the name of its signer, of who signed the message in it, or
of the seat whose proposal it carries out. Where a transaction reaches the ledger through another
contract (a wallet, a relay), its calldata are that contract's own; then whoever acts must itself be
an account with code, which the state's proofs show. The same holds for who signed by a contract.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from ledger.audit.history.place import Place
from ledger.chain.abi import UndecodableData, decode_arguments, encode_arguments
from ledger.chain.artifacts import AbiItem, load_artifact
from ledger.chain.keccak import keccak256
from ledger.chain.merkle import share_leaf, verify_proof
from ledger.chain.signers import recover_address
from ledger.chain.typed_data import MAX_VALIDITY, MESSAGES, MessageDomain, TypedMessage, account_of
from ledger.domain import events
from ledger.domain.ids import OrgId, ProgrammeId
from ledger.errors import InvalidValue

if TYPE_CHECKING:
    from ledger.audit.blocks import Act
    from ledger.audit.history.replay import History, Line

_SELECTOR = 4

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

# Of a list in the calldata: its name, the line that each item asks for, and the line's field that
# the item is, where it is no struct.
_LISTS: Mapping[str, tuple[str, type[object], str]] = {
    "Credits.award": ("awards", events.EntryPosted, ""),
    "Credits.awardBySignature": ("awards", events.EntryPosted, ""),
    "Credits.reverse": ("reversals", events.EntryPosted, ""),
    "Organisations.register": ("registrations", events.OrganisationRegistered, ""),
    "Memberships.admit": ("admissions", events.MembershipAdmitted, ""),
    "Memberships.admitByConsent": ("admissions", events.MembershipAdmitted, ""),
    "Memberships.renew": ("renewals", events.MembershipRenewed, ""),
    "Memberships.changeTier": ("changes", events.MembershipTierChanged, ""),
    "Memberships.suspend": ("orgIds", events.MembershipSuspended, "org_id"),
    "Memberships.resume": ("orgIds", events.MembershipResumed, "org_id"),
    "Memberships.revoke": ("orgIds", events.MembershipRevoked, "org_id"),
    "Memberships.decline": ("orgIds", events.ApplicationDeclined, "org_id"),
    "Programmes.addTiers": ("keys", events.TierAdded, "key"),
    "Programmes.openCategories": ("categories", events.CategoryStatusChanged, "category"),
    "Programmes.closeCategories": ("categories", events.CategoryStatusChanged, "category"),
    "Programmes.appendBoundaries": ("boundaries", events.EpochBoundaryAppended, "boundary"),
    "Benefits.fulfil": ("redemptionIds", events.RedemptionFulfilled, "redemption_id"),
}

_FIELDS = {"newAdmin": "successor", "newDelay": "delay", "policy": "evidence"}
"""Arguments whose lines call them otherwise."""

_NO_FIELDS = frozenset({"operationId", "base"})
"""Arguments that are no field of a line: by the operation the lines are found, of the base the line
has the hash."""


class Command(NamedTuple):
    """A call of a contract of the ledger, read from calldata."""

    contract: str
    function: str
    arguments: dict[str, Any]
    actor: bytes


class ActChecker:
    """Checks the transactions of one ledger. `outsiders` are the accounts that must have code, each
    with the first place where that matters."""

    def __init__(self, history: History, chain_id: int) -> None:
        self._history = history
        self._names = {address: name for name, address in history.addresses.items()}
        self._chain_id = chain_id
        self._seats: dict[int, bytes] = {}
        self.outsiders: dict[bytes, tuple[int, int, str, int]] = {}
        self.commands = 0
        self.signatures = 0
        self.through_others = 0

    def seat(self, programme_id: int) -> bytes:
        """The address of a programme's seat: made by the Council with CREATE2."""
        found = self._seats.get(programme_id)
        if found is None:
            code_hash = keccak256(load_artifact("Seat").bytecode)
            council, salt = self._history.addresses["Council"], programme_id.to_bytes(32, "big")
            found = keccak256(b"\xff" + council + salt + code_hash)[12:]
            self._seats[programme_id] = found
        return found

    def check(self, at: Place, act: Act, lines: Sequence[Line]) -> None:
        """Check what a transaction wrote."""
        to = act.sent.to
        if to and to not in self._names:
            self._check_outside(at, lines)
            return
        commands = self._commands(at, act, lines) if to else []
        by_right: defaultdict[tuple[str, bytes, bytes], list[Line]] = defaultdict(list)
        for line in lines:
            by_right[line.contract, line.actor, line.operation_id].append(line)
        asked: set[tuple[bytes, bytes]] = set()
        for command in commands:
            self.commands += 1
            operation_id = command.arguments.get("operationId", bytes(32))
            asked.add((command.actor, operation_id))
            answers = by_right.get((command.contract, command.actor, operation_id), [])
            if not answers:
                self._at(at, lines[0])
                at.object("acts.unanswered", function=f"{command.contract}.{command.function}")
            else:
                self._compare(at, command, answers)
        for line in lines:
            made = not to and line.actor == act.sent.sender
            if not made and (line.actor, line.operation_id) not in asked:
                self._at(at, line)
                at.object("acts.unasked", actor=line.actor)

    # --- who asks ---

    def _commands(self, at: Place, act: Act, lines: Sequence[Line]) -> list[Command]:
        """The call that the transaction is, and those that its proposal makes."""
        self._at(at, lines[0])
        command = self._read(at, self._names[act.sent.to], act.sent.data, act.sent.sender)
        if command is None:
            return []
        found = [command]
        if (command.contract, command.function) == ("Council", "execute"):
            proposal = self._history.council.all.get(command.arguments["proposalId"])
            for call in command.arguments["calls"] if proposal else []:
                name = self._names.get(call["target"])
                if proposal is not None and name is not None:
                    made = self._read(at, name, call["data"], self.seat(proposal.programme_id))
                    found += [made] if made else []
        return [self._by_signature(at, each, lines) for each in found]

    def _read(self, at: Place, contract: str, data: bytes, actor: bytes) -> Command | None:
        item = _functions(contract).get(data[:_SELECTOR])
        if item is None:
            at.object("acts.calldata", problem="no function has its selector")
            return None
        try:
            arguments = decode_arguments(item.inputs, data[_SELECTOR:])
        except UndecodableData as error:
            at.object("acts.calldata", problem=str(error))
            return None
        return Command(contract, item.name, arguments, actor)

    def _check_outside(self, at: Place, lines: Sequence[Line]) -> None:
        self.through_others += 1
        seats = {
            self.seat(line.event.programme_id)
            for line in lines
            if isinstance(line.event, events.ProposalExecuted)
        }
        for line in lines:
            if line.actor not in seats:
                self._at(at, line)
                self._require_code(at, line.actor)

    def _require_code(self, at: Place, account: bytes) -> None:
        place = (at.block, at.log_index, at.contract, at.sequence)
        self.outsiders.setdefault(account, place)

    # --- messages ---

    def _by_signature(self, at: Place, command: Command, lines: Sequence[Line]) -> Command:
        """The command in the name of who signed for it, with the signatures in it checked."""
        if command.function == "admitByConsent":
            self._check_consents(at, command)
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

    def _check_consents(self, at: Place, command: Command) -> None:
        given = command.arguments
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
            self._check_message(at, command.contract, "Application", values, signed)

    def _check_message(
        self,
        at: Place,
        contract: str,
        primary: str,
        values: Mapping[str, Any],
        signed: Mapping[str, Any],
    ) -> None:
        self.signatures += 1
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

    # --- what is asked ---

    def _compare(self, at: Place, command: Command, answers: Sequence[Line]) -> None:
        """Compare the lines of a command with its arguments, field by field."""
        listed = _LISTS.get(f"{command.contract}.{command.function}")
        if listed is not None:
            name, kind, field = listed
            items = command.arguments[name]
            found = [line for line in answers if isinstance(line.event, kind)]
            if len(found) != len(items):
                self._differs(at, answers[0], name)
            for line, item in zip(found, items, strict=False):
                self._compare_item(at, line, item, field)
        for line in answers:
            self._compare_fields(at, line, command.arguments)
        self._compare_special(at, command, answers)

    def _compare_item(self, at: Place, line: Line, item: Any, field: str) -> None:
        if field:
            if getattr(line.event, field) != item:
                self._differs(at, line, field)
        elif "entry" in item:
            entry, event = item["entry"], line.event
            named = (entry["entryId"], entry["orgId"], entry["category"], item["evidence"])
            if named != (event.refers_to, event.org_id, event.category, event.evidence):
                self._differs(at, line, "refers_to")
        else:
            self._compare_fields(at, line, item)

    def _compare_fields(self, at: Place, line: Line, arguments: Mapping[str, Any]) -> None:
        event = line.event
        for name, value in arguments.items():
            if isinstance(value, dict):
                self._compare_fields(at, line, value)
            elif not isinstance(value, list) and name not in _NO_FIELDS:
                found = getattr(event, _field(name), None)
                if found is not None and found != value:
                    self._differs(at, line, _field(name))

    def _compare_special(self, at: Place, command: Command, answers: Sequence[Line]) -> None:
        """What no name says."""
        given, first = command.arguments, answers[0]
        match command.function:
            case "appoint" | "dismiss":
                role = given["name"][:30] + given["programmeId"].to_bytes(2, "big")
                if first.event.role != role:
                    self._differs(at, first, "role")
            case "changeMetadataBase":
                if first.event.base != keccak256(given["base"].encode("utf-8")):
                    self._differs(at, first, "base")
            case "expire":
                self._compare_expiries(at, given["expiries"], answers)
            case "carryOver":
                left = [line.event.org_id for line in answers[::2]]
                if left != given["orgIds"] or len(answers) != 2 * len(left):
                    self._differs(at, first, "org_id")
            case "propose" | "execute":
                proposal = self._history.council.all.get(first.event.proposal_id)
                if proposal is None or proposal.calls_hash != _hash_calls(given["calls"]):
                    self._differs(at, first, "calls_hash")
            case "approve" | "approveBySignature":
                proposal = self._history.council.all.get(given["proposalId"])
                if proposal is None or proposal.calls_hash != given["callsHash"]:
                    self._differs(at, first, "calls_hash")
            case "claim" | "claimBySignature":
                self._compare_claim(at, first, given)

    def _compare_expiries(
        self, at: Place, expiries: Sequence[Mapping[str, Any]], answers: Sequence[Line]
    ) -> None:
        asked = {each["entryId"]: each for each in expiries}
        for line in answers:
            expiry, event = asked.get(line.event.refers_to), line.event
            right = expiry is not None and expiry["orgId"] == event.org_id
            right = right and expiry is not None and expiry["category"] == event.category
            if not right or (expiry is not None and -event.amount > expiry["amount"]):
                self._differs(at, line, "refers_to")

    def _compare_claim(self, at: Place, line: Line, given: Mapping[str, Any]) -> None:
        found = self._history.shares.all.get(given["distributionId"])
        if found is None:
            return
        programme_id, org_id = ProgrammeId(found.programme_id), OrgId(given["orgId"])
        leaf = share_leaf(programme_id, found.epoch, org_id, given["amount"])
        if not verify_proof(found.root, leaf, given["proof"]):
            self._at(at, line)
            at.object("shares.proof", organisation=given["orgId"])

    def _differs(self, at: Place, line: Line, field: str) -> None:
        self._at(at, line)
        at.object("acts.differs", field=field)

    def _at(self, at: Place, line: Line) -> None:
        at.contract, at.sequence, at.log_index = line.contract, line.sequence, line.log_index


@cache
def _functions(contract: str) -> dict[bytes, AbiItem]:
    artifact = load_artifact(contract)
    return {artifact.functions[item.signature]: item for item in artifact.items("function")}


@cache
def _message_fields(contract: str, primary: str) -> tuple[str, ...]:
    inner = MESSAGES[contract][primary].partition("(")[2].partition(")")[0]
    return tuple(field.split(" ")[1] for field in inner.split(","))


@cache
def _field(name: str) -> str:
    return _FIELDS.get(name) or re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def _hash_calls(calls: Sequence[Mapping[str, Any]]) -> bytes:
    inputs = next(item for item in _functions("Council").values() if item.name == "execute").inputs
    return keccak256(encode_arguments([inputs[1]], [calls]))


def _signer_of(digest: bytes, signature: bytes) -> bytes:
    """Who signed a message by a key; empty where nobody did."""
    if len(signature) != 65 or signature[64] not in (27, 28):
        return b""
    try:
        return recover_address(digest, signature[:64] + bytes([signature[64] - 27]))
    except ValueError:
        return b""
