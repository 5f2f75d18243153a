"""Whether each line of a journal was asked for: by the transaction's signer, a message, or a seat.

A transaction that calls a contract of the ledger is read whole: the lines that it wrote must be
those that its calldata asks for, and in the name of its signer, of who signed the message in it, or
of the seat whose proposal it carries out. Where a transaction reaches the ledger through another
contract (a wallet, a relay), its calldata are that contract's own. Then a signed message is looked
for in them, as it was passed on; whoever did not sign one must itself be an account with code,
which the state's proofs show. The same holds for who signed by a contract. Nobody else is asked for
who cancels messages of an account that has no right: anybody may, by what leaves no trace, and it
changes nothing.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, Any

from ledger.audit.calldata import functions_of, read_arguments
from ledger.audit.history.place import Place
from ledger.audit.signatures import Command, MessageChecker, commands_within
from ledger.chain.abi import UndecodableData, decode_arguments, encode_arguments
from ledger.chain.artifacts import JOURNALLED, load_artifact
from ledger.chain.keccak import keccak256
from ledger.chain.merkle import share_leaf, verify_proof
from ledger.domain import events
from ledger.domain.events import EntryKind, MessageCancelled
from ledger.domain.ids import OrgId, ProgrammeId

if TYPE_CHECKING:
    from ledger.audit.blocks import Act
    from ledger.audit.findings import Finding
    from ledger.audit.history.replay import History, Line

_SELECTOR = 4

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

_SILENT = frozenset(
    {
        "Authority.cancelDefaultAdminTransfer",
        "Authority.rollbackDefaultAdminDelay",
        "Authority.renounceRole",
    }
)
"""Calls that write nothing where there is nothing to take back."""

_FIELDS = {"newAdmin": "successor", "newDelay": "delay", "policy": "evidence"}
"""Arguments whose lines call them otherwise."""

_NO_FIELDS = frozenset({"operationId", "base"})
"""Arguments that are no field of a line: by the operation the lines are found, of the base the line
has the hash."""


class ActChecker:
    """Checks the transactions of one ledger. `outsiders` are the accounts that must have code, each
    with the first place where that matters."""

    def __init__(self, history: History, chain_id: int) -> None:
        self._history = history
        self._names = {address: name for name, address in history.addresses.items()}
        self._seats: dict[int, bytes] = {}
        self.outsiders: dict[bytes, tuple[int, int, str, int]] = {}
        self.commands = 0
        self._messages = MessageChecker(history, chain_id, self._require_code)
        self.through_others = 0

    @property
    def signatures(self) -> int:
        """How many signed messages were checked."""
        return self._messages.count

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
        if not act.sent.to and _is_first_of_its_contract(lines[0]):
            self._check_creation(at, act, lines)
            return
        if act.sent.to not in self._names:
            self._check_outside(at, act, lines)
            return
        commands = self._commands(at, act, lines)
        by_right: defaultdict[tuple[str, bytes, bytes], list[Line]] = defaultdict(list)
        for line in lines:
            by_right[line.contract, line.actor, line.operation_id].append(line)
        asked: set[tuple[str, bytes, bytes]] = set()
        for command in commands:
            self.commands += 1
            operation_id = command.arguments.get("operationId", bytes(32))
            asked.add((command.contract, command.actor, operation_id))
            answers = by_right.get((command.contract, command.actor, operation_id), [])
            if not answers and _may_be_silent(command):
                continue
            if not answers:
                self._at(at, lines[0])
                at.object("acts.unanswered", function=f"{command.contract}.{command.function}")
            else:
                self._compare(at, command, answers)
        unasked = [line for line in lines if _right_of(line) not in asked]
        if any(self._reaches_out(command) for command in commands):
            self._check_passed_on(at, act, unasked, lines)
            return
        for line in unasked:
            self._at(at, line)
            at.object("acts.unasked", actor=line.actor)

    def _check_creation(self, at: Place, act: Act, lines: Sequence[Line]) -> None:
        """A contract was made: the code is the release's, and its first line is its terms'."""
        first = lines[0]
        self._at(at, first)
        artifact = load_artifact(first.contract)
        code, arguments = artifact.bytecode, act.sent.data[len(artifact.bytecode) :]
        if not act.sent.data.startswith(code) or len(lines) != 1:
            at.object("acts.calldata", problem="it does not make the contract by its own code")
            return
        try:
            terms = decode_arguments(artifact.constructor, arguments)
        except UndecodableData as error:
            at.object("acts.calldata", problem=str(error))
            return
        said = {"account": terms.get("admin"), "approvals_needed": terms.get("allianceApprovals_")}
        for field, value in said.items():
            if value is not None and getattr(first.event, field, None) != value:
                self._differs(at, first, field)
        if first.actor != act.sent.sender or any(first.operation_id):
            at.object("acts.unasked", actor=first.actor)
        if "adminDelay" in terms:
            self._history.authority.begin(terms["adminDelay"])

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
        return [self._messages.apply(at, each, lines) for each in found]

    def _read(self, at: Place, contract: str, data: bytes, actor: bytes) -> Command | None:
        item = functions_of(contract).get(data[:_SELECTOR])
        if item is None:
            at.object("acts.calldata", problem="no function has its selector")
            return None
        try:
            arguments = read_arguments(item.inputs, data[_SELECTOR:])
        except UndecodableData as error:
            at.object("acts.calldata", problem=str(error))
            return None
        return Command(contract, item.name, arguments, actor)

    def _reaches_out(self, command: Command) -> bool:
        """Whether a proposal that is carried out also calls a contract that is not the ledger's."""
        if (command.contract, command.function) != ("Council", "execute"):
            return False
        return any(call["target"] not in self._names for call in command.arguments["calls"])

    # --- through another contract ---

    def _check_outside(self, at: Place, act: Act, lines: Sequence[Line]) -> None:
        self.through_others += 1
        seats = {
            self.seat(line.event.programme_id)
            for line in lines
            if isinstance(line.event, events.ProposalExecuted)
        }
        passed = [line for line in lines if line.actor not in seats]
        self._check_passed_on(at, act, passed, lines)

    def _check_passed_on(
        self, at: Place, act: Act, passed: Sequence[Line], lines: Sequence[Line]
    ) -> None:
        """Whoever acts signed for it, or must be an account with code."""
        for line in {_right_of(line): line for line in reversed(passed)}.values():
            self._at(at, line)
            idle = isinstance(line.event, MessageCancelled) and not self._has_right(line.actor)
            if not idle and not self._is_signed(at, act, line, lines):
                self._require_code(at, line.actor)

    def _has_right(self, account: bytes) -> bool:
        authority, organisations = self._history.authority, self._history.organisations
        return (
            account in organisations.by_controller
            or any(each.nominated == account for each in organisations.all.values())
            or any(holder == account for _, holder in authority.held)
        )

    def _is_signed(self, at: Place, act: Act, line: Line, lines: Sequence[Line]) -> bool:
        """Whether what its account signed for just this line stands in the calldata.

        That is a message, or the calldata themselves where the account sent them to the code that
        its key lent it for the time being (EIP-7702).
        """
        right = _right_of(line)
        own = line.actor if act.sent.sender == act.sent.to == line.actor else b""
        answers = [each for each in lines if (each.contract, *_right_of(each)[1:]) == right]
        for passed_on in commands_within(right[0], act.sent.data, line.operation_id, own):
            objections: list[Finding] = []
            quiet = replace(at, say=objections.append)
            command = self._messages.apply(quiet, passed_on, lines)
            if command.actor != line.actor or not answers:
                continue
            self._compare(quiet, command, answers)
            if not objections:
                self.commands += 1
                return True
        return False

    def _require_code(self, at: Place, account: bytes) -> None:
        place = (at.block, at.log_index, at.contract, at.sequence)
        self.outsiders.setdefault(account, place)

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
                if first.event.base != keccak256(given["base"].encode(errors="surrogateescape")):
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


def _may_be_silent(command: Command) -> bool:
    """Whether a call may write no line: it only reads, keeps no journal, or found nothing to do."""
    name = f"{command.contract}.{command.function}"
    if command.contract not in JOURNALLED or name in _SILENT:
        return True
    items = functions_of(command.contract).values()
    return any(
        item.name == command.function and item.state_mutability in ("view", "pure")
        for item in items
    )


def _is_first_of_its_contract(line: Line) -> bool:
    """Whether it is the line that a contract writes when it is made."""
    return line.sequence == 1 and line.contract in ("Authority", "Council")


def _right_of(line: Line) -> tuple[str, bytes, bytes]:
    """By whose command it is: the contract that was called, the actor, and the operation."""
    return "Benefits" if _is_of_benefits(line) else line.contract, line.actor, line.operation_id


def _is_of_benefits(line: Line) -> bool:
    """Whether an entry is one that Benefits posts for whoever redeems or cancels."""
    kinds = (EntryKind.REDEMPTION, EntryKind.REFUND)
    return isinstance(line.event, events.EntryPosted) and line.event.kind in kinds


@cache
def _field(name: str) -> str:
    return _FIELDS.get(name) or re.sub(r"(?<!^)([A-Z])", r"_\1", name).lower()


def _hash_calls(calls: Sequence[Mapping[str, Any]]) -> bytes:
    inputs = next(
        item for item in functions_of("Council").values() if item.name == "execute"
    ).inputs
    return keccak256(encode_arguments([inputs[1]], [calls]))
