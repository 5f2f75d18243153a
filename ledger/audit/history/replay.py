"""Replays all that the ledger's contracts logged, block after block, into one book."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ledger.audit.acts import ActChecker
from ledger.audit.blocks import Act, ProvedBlock
from ledger.audit.findings import Finding
from ledger.audit.history.authority import AuthorityBook
from ledger.audit.history.benefits import BenefitsBook
from ledger.audit.history.council import CouncilBook
from ledger.audit.history.credits import CreditsBook
from ledger.audit.history.memberships import MembershipsBook
from ledger.audit.history.organisations import OrganisationsBook
from ledger.audit.history.place import Place
from ledger.audit.history.programmes import ProgrammesBook
from ledger.audit.history.shares import SharesBook
from ledger.chain.artifacts import JOURNALLED, load_artifact
from ledger.chain.keccak import keccak, keccak256
from ledger.chain.logs import AnnexDecoder, ContractEvents, EventDecoder, UndecodableLog
from ledger.chain.receipts import Log
from ledger.domain import events
from ledger.domain.events import Call, EntryPosted, MessageCancelled, ProposalCalls

_NO_OPERATION = bytes(32)


class JournalLost(Exception):
    """A journal does not go on from where it was, so that nothing after it can be believed."""


class Line(NamedTuple):
    """A line of a journal."""

    contract: str
    event: Any
    sequence: int
    log_index: int
    actor: bytes
    operation_id: bytes


class _Contract:
    """What is known of one contract's logs, and how far its journal has come."""

    def __init__(self, name: str) -> None:
        decoded = ContractEvents(name, load_artifact(name).abi)
        self.name = name
        self.journal: Mapping[bytes, EventDecoder] = decoded.journal
        self.annexes: Mapping[bytes, AnnexDecoder] = decoded.annexes
        self.echoes: Mapping[bytes, EventDecoder] = decoded.echoes
        self.types = {topic: getattr(events, each.name) for topic, each in decoded.journal.items()}
        self.sequence = 0
        self.head = bytes(32)


class History:
    """The whole ledger, as its own history makes it. `say` takes the objections."""

    def __init__(
        self,
        addresses: Mapping[str, bytes],
        chain_id: int,
        recovery_delay: int,
        say: Callable[[Finding], None],
    ) -> None:
        self.addresses = addresses
        self.place = Place(say)
        self.contracts = {addresses[name]: _Contract(name) for name in JOURNALLED}
        self.authority = AuthorityBook()
        self.programmes = ProgrammesBook(self.authority)
        self.organisations = OrganisationsBook(self.authority, recovery_delay)
        self.memberships = MembershipsBook(self.authority, self.programmes, self.organisations)
        self.organisations.memberships = self.memberships
        self.credits = CreditsBook(
            self.authority, self.programmes, self.organisations, self.memberships
        )
        self.benefits = BenefitsBook(
            self.authority, self.programmes, self.organisations, self.memberships, self.credits
        )
        self.shares = SharesBook(self.authority, self.programmes, self.organisations)
        self.council = CouncilBook(self.authority, self.programmes, addresses["Authority"])
        self.cancelled: set[tuple[str, bytes, bytes]] = set()
        self.lines = 0
        self.acts = ActChecker(self, chain_id)
        self._operations: dict[tuple[str, bytes, bytes], tuple[bytes, int]] = {}
        self._books = {
            "Authority": self.authority.take,
            "Programmes": self.programmes.take,
            "Organisations": self.organisations.take,
            "Memberships": self.memberships.take,
            "Benefits": self.benefits.take,
            "Shares": self.shares.take,
            "Council": self._take_council,
        }

    @property
    def journals(self) -> dict[str, tuple[int, bytes]]:
        """How far each contract's journal has come, by name: sequence and head."""
        return {each.name: (each.sequence, each.head) for each in self.contracts.values()}

    @property
    def operations(self) -> int:
        """How many operations were done, each once."""
        return len(self._operations)

    def take(self, block: ProvedBlock) -> None:
        """The next block. Raises JournalLost."""
        for act in block.acts:
            self._take_act(act, block.header.timestamp)

    def _take_act(self, act: Act, time: int) -> None:
        at = self.place
        at.time, at.transaction = time, act.hash
        lines: list[Line] = []
        for log in act.logs:
            at.block, at.log_index = log.block_number, log.log_index
            line = self._take_log(at, self.contracts[log.address], log)
            if line is not None:
                lines.append(line)
        if lines:
            self.credits.end_of_transaction(at)
            self.council.end_of_transaction(at)
            self.acts.check(at, act, lines)
        self.lines += len(lines)

    def _take_log(self, at: Place, contract: _Contract, log: Log) -> Line | None:
        topic = log.topics[:32]
        decoder = contract.journal.get(topic)
        at.contract, at.sequence = contract.name, contract.sequence + (decoder is not None)
        if decoder is None:
            self._take_other(at, contract, log)
            return None
        self._follow(at, contract, log)
        try:
            event = contract.types[topic](*decoder.decode(log.topics, log.data)[:-1])
        except UndecodableLog as error:
            at.object("history.undecodable", problem=str(error))
            raise JournalLost from error
        actor, operation_id = _actor_of(event)
        line = Line(contract.name, event, contract.sequence, log.log_index, actor, operation_id)
        if isinstance(event, MessageCancelled):
            key = (contract.name, actor, operation_id)
            fresh = key not in self._operations and key not in self.cancelled
            at.require(fresh, "once.operation", operation=operation_id)
            self.cancelled.add(key)
            return line
        self._count_operation(at, line)
        if isinstance(event, EntryPosted):
            self.credits.take(at, event)
        else:
            self.council.authority_sequence = self.contracts[self.addresses["Authority"]].sequence
            self._books[contract.name](at, event)
        return line

    def _follow(self, at: Place, contract: _Contract, log: Log) -> None:
        """The journal's own rule: the next number, and the head that all before it gives."""
        sequence = contract.sequence + 1
        found = int.from_bytes(log.topics[32:64], "big")
        if found != sequence:
            if found > sequence and not any(each.sequence for each in self.contracts.values()):
                at.object("history.begins_later", found=found)
            else:
                at.object("history.sequence", found=found, right=sequence)
            raise JournalLost
        head = keccak(contract.head + keccak(log.topics + log.data[:-32]).digest()).digest()
        if log.data[-32:] != head:
            at.object("history.head")
            raise JournalLost
        contract.sequence, contract.head = sequence, head

    def _take_other(self, at: Place, contract: _Contract, log: Log) -> None:
        """An annex to a line, or an echo that a standard asks for."""
        topic = log.topics[:32]
        annex = contract.annexes.get(topic)
        echo = contract.echoes.get(topic)
        try:
            if annex is not None:
                fields = annex.decode_named(log.topics, log.data)
                calls = tuple(Call(call["target"], call["data"]) for call in fields["calls"])
                shown = ProposalCalls(fields["proposalId"], keccak256(log.data), calls)
                self.council.take_calls(at, shown)
            elif echo is not None:
                echo.decode(log.topics, log.data)
            else:
                at.object("history.unknown_event", topic=topic)
        except UndecodableLog as error:
            at.object("history.undecodable", problem=str(error))

    def _take_council(self, at: Place, event: object) -> None:
        self.council.take(at, event, self.acts.seat(0))

    def _count_operation(self, at: Place, line: Line) -> None:
        event = line.event
        if isinstance(event, events.ApplicationConsented):
            used = (line.contract, event.account, event.application_id)
            fresh = used not in self._operations
            at.require(fresh, "once.operation", operation=event.application_id)
            self._operations[used] = (at.transaction, 0)
        if line.operation_id == _NO_OPERATION:
            may = line.contract == "Authority" or line.sequence == 1
            at.require(may, "once.operation_missing")
            return
        key = (line.contract, line.actor, line.operation_id)
        before = self._operations.get(key)
        if before is not None and before != (at.transaction, line.sequence - 1):
            at.object("once.operation", operation=line.operation_id)
        self._operations[key] = (at.transaction, line.sequence)


def _actor_of(event: Any) -> tuple[bytes, bytes]:
    """By whose right a line was written, and its operation; zero where it has none."""
    for name in ("actor", "maker", "councillor", "account"):
        actor = getattr(event, name, None)
        if actor is not None:
            return actor, getattr(event, "operation_id", _NO_OPERATION)
    raise AssertionError("a line that nobody wrote")
