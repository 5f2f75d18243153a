"""What the mirror follows: the contracts of one deployment, and what each of their events means.

Every event of an ABI is of the journal, or an annex to a line of it, and then has a handler; or it
is an echo: what a standard asks a contract to emit besides, which says nothing that the journal
does not. Echoes are kept raw. An event that is none of these is refused. A contract without a
journal holds nothing of its own, and is not followed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import Any, Protocol

from ledger.chain.artifacts import JOURNALLED, load_artifact
from ledger.chain.headers import BloomFilter
from ledger.chain.keccak import keccak256
from ledger.chain.logs import AnnexDecoder, ContractEvents, EventDecoder, UndecodableLog
from ledger.chain.receipts import Log
from ledger.domain import events
from ledger.domain.ids import BlockNumber
from ledger.errors import EventUnknown, JournalBroken

_NO_TOPIC = b""

_ACCESS_CONTROL = "OpenZeppelin's AccessControl; OfficerAppointed and OfficerDismissed say the same"
_ADMIN_RULES = (
    "OpenZeppelin's AccessControlDefaultAdminRules; the journal's Admin… events say the same"
)
_PAUSABLE = "OpenZeppelin's Pausable; LedgerPaused and LedgerResumed say the same"
_TOKEN = "ERC-721; admissions, revocations and changes of controllers say the same"  # noqa: S105
_NEVER = "in the standard's ABI, and never emitted: a membership is locked"
_DOMAIN = {"EIP712DomainChanged": "in ERC-5267's ABI, and never emitted: the domain is fixed"}

ECHOES: Mapping[str, Mapping[str, str]] = {
    "Authority": {
        "RoleGranted": _ACCESS_CONTROL,
        "RoleRevoked": _ACCESS_CONTROL,
        "RoleAdminChanged": _ACCESS_CONTROL,
        "DefaultAdminTransferScheduled": _ADMIN_RULES,
        "DefaultAdminTransferCanceled": _ADMIN_RULES,
        "DefaultAdminDelayChangeScheduled": _ADMIN_RULES,
        "DefaultAdminDelayChangeCanceled": _ADMIN_RULES,
        "Paused": _PAUSABLE,
        "Unpaused": _PAUSABLE,
    },
    "Organisations": _DOMAIN,
    "Credits": _DOMAIN,
    "Benefits": _DOMAIN,
    "Shares": _DOMAIN,
    "Council": _DOMAIN,
    "Memberships": {
        **_DOMAIN,
        "Transfer": _TOKEN,
        "Approval": _NEVER,
        "ApprovalForAll": _NEVER,
        "Locked": "ERC-5192; every membership is locked when it is admitted",
        "Unlocked": _NEVER,
        "MetadataUpdate": "ERC-4906; the journal's events say what changed",
        "BatchMetadataUpdate": "ERC-4906; MetadataBaseChanged says the same",
        "ContractURIUpdated": "ERC-7572; MetadataBaseChanged says the same",
    },
}
"""The echoes of each contract, and why nothing is lost by not reading them."""


class FollowedContract:
    """One contract of the deployment. `contract_id` is its number in the mirror's rows."""

    def __init__(
        self, contract_id: int, name: str, address: bytes, code_hash: bytes, first_block: int
    ) -> None:
        self.contract_id = contract_id
        self.name = name
        self.address = address
        self.code_hash = code_hash
        self.first_block = first_block
        self.events = ContractEvents(name, load_artifact(name).abi)
        listed = ECHOES.get(name, {})
        self._echoes = frozenset(
            topic for topic, decoder in self.events.echoes.items() if decoder.name in listed
        )
        self._event_types: dict[bytes, type[object]] = {
            topic: getattr(events, decoder.name) for topic, decoder in self.events.journal.items()
        }
        entry = [topic for topic, kind in self._event_types.items() if kind is events.EntryPosted]
        self.entry_topic = entry[0] if entry else _NO_TOPIC
        self._entries = self.events.journal[entry[0]] if entry else None

    def is_line(self, log: Log) -> bool:
        """Whether the log is of the journal. Raises EventUnknown for an event we do not know."""
        if log.topics[:32] in self._event_types:
            return True
        self.is_echo(log)
        return False

    def is_echo(self, log: Log) -> bool:
        """Whether the log is an echo. Raises EventUnknown where it is of no event we know."""
        topic = log.topics[:32]
        if topic in self._event_types or topic in self.events.annexes:
            return False
        if topic in self._echoes:
            return True
        raise EventUnknown(
            block=log.block_number,
            log_index=log.log_index,
            contract=self.name,
            topic="0x" + topic.hex(),
        )

    def read_event(self, log: Log) -> object:
        """What a log that is no echo says, as its class. Raises JournalBroken for an odd log."""
        annex = self.events.annexes.get(log.topics[:32])
        if annex is not None:
            return self._read_annex(annex, log)
        decoder, values = self.events.decode(log)
        # The head, an event's last field, is checked on the raw log and is no part of its meaning.
        return self._event_types[decoder.topic](*values[:-1])

    def read_entries(self, logs: Sequence[Log]) -> list[tuple[Any, ...]]:
        """The fields of logs that begin with `entry_topic`: those of EntryPosted, and the head.

        Raises JournalBroken for the first odd log.
        """
        assert self._entries is not None, "only Credits have entries"  # noqa: S101
        try:
            return self._entries.decode_all([log[5] for log in logs], [log[6] for log in logs])
        except UndecodableLog:
            return [self._read_entry(self._entries, log) for log in logs]

    def _read_entry(self, decoder: EventDecoder, log: Log) -> tuple[Any, ...]:
        try:
            return decoder.decode(log.topics, log.data)
        except UndecodableLog as error:
            raise self._odd(log, error) from error

    def _read_annex(self, annex: AnnexDecoder, log: Log) -> object:
        try:
            return _ANNEXES[annex.name](annex.decode_named(log.topics, log.data), log)
        except UndecodableLog as error:
            raise self._odd(log, error) from error

    def _odd(self, log: Log, error: UndecodableLog) -> JournalBroken:
        return JournalBroken(
            block=log.block_number,
            log_index=log.log_index,
            contract=self.name,
            problem=str(error),
        )


def _read_calls(fields: Mapping[str, Any], log: Log) -> events.ProposalCalls:
    calls = tuple(events.Call(call["target"], call["data"]) for call in fields["calls"])
    # The log's data is the calls and nothing else, written as `abi.encode(calls)` writes them.
    return events.ProposalCalls(fields["proposalId"], keccak256(log.data), calls)


_ANNEXES: Mapping[str, Callable[[Mapping[str, Any], Log], object]] = {
    "ProposalCalls": _read_calls,
}


class DeployedContract(Protocol):
    """What must be known of a contract."""

    @property
    def address(self) -> bytes: ...

    @property
    def code_hash(self) -> bytes: ...

    @property
    def block_number(self) -> int: ...


class Deployed(Protocol):
    """What must be known of a deployment; a deployment file says more."""

    @property
    def chain_id(self) -> int: ...

    @property
    def genesis_hash(self) -> bytes: ...

    @property
    def contracts(self) -> Mapping[str, DeployedContract]: ...


class Followed:
    """All that is followed: the chain that it stands on, and its contracts."""

    def __init__(self, deployment: Deployed) -> None:
        self.chain_id = deployment.chain_id
        self.genesis_hash = deployment.genesis_hash
        self.contracts = tuple(
            FollowedContract(number, name, found.address, found.code_hash, found.block_number)
            for number, name in enumerate(JOURNALLED, start=1)
            for found in [deployment.contracts[name]]
        )
        self.first_block = BlockNumber(min(each.first_block for each in self.contracts))
        self.by_address = {each.address: each for each in self.contracts}
        self.addresses = frozenset(self.by_address)
        self.credits = next(each for each in self.contracts if each.entry_topic)
        self.blooms = BloomFilter(self.addresses)

    @cached_property
    def digest(self) -> bytes:
        """SHA-256 over the contracts' names, addresses and code hashes, in their order."""
        return hashlib.sha256(
            b"".join(
                each.name.encode("ascii").ljust(32, b"\0") + each.address + each.code_hash
                for each in self.contracts
            )
        ).digest()
