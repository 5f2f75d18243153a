"""A ledger deployed on a real chain, and officers who write into it with signed transactions.

`tests.support.stories` makes the contracts emit every event that they have.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import msgspec

from ledger.chain.artifacts import load_artifact
from ledger.chain.contracts import authority, memberships, organisations, programmes
from ledger.chain.contracts.credits import encode_award, encode_reverse
from ledger.chain.contracts.registry import LedgerContracts, open_contracts
from ledger.chain.deploy import deploy
from ledger.chain.deployments import Deployment
from ledger.chain.keccak import keccak256
from ledger.chain.logs import ContractEvents, EventDecoder, journal_event_hash
from ledger.chain.receipts import LogAnswer
from ledger.chain.rpc import Node
from ledger.chain.signers import LocalSigner, TransactionFields
from ledger.domain.commands import (
    Admission,
    Award,
    Budget,
    Registration,
    Reversal,
)
from ledger.domain.events import EntryPosted
from ledger.domain.ids import EntryId, OrgId, ProgrammeId, TierId
from ledger.processes import wait_until
from tests.support.anvil import Anvil

DELAY = 5
"""Seconds that a successor of the default admin waits."""

FAR = 4_000_000_000
"""A time in the year 2096."""

KEPT_EVERY = 128
GAS = 16_000_000
_FEE = 10**12


def commitment(text: str) -> bytes:
    """Stands for a document."""
    return hashlib.sha256(text.encode()).digest()


NAMES = (
    "admin",
    "council",
    "registrar",
    "issuer",
    "treasurer",
    "guardian",
    "councillor",
    "checker",
    "second",
    "member",
)
"""Those who have keys of their own from the beginning."""

ROLES = ("council", "registrar", "issuer", "treasurer", "guardian", "councillor")
"""Roles that are given to the officers of their names."""


class Ledger:
    """A deployed ledger. Each officer is a key of its own; `send` mines unless told not to."""

    def __init__(self, anvil: Anvil, folder: Path) -> None:
        self.anvil = anvil
        self.node = Node(anvil.url)
        self.officers = {name: LocalSigner(keccak256(name.encode())) for name in NAMES}
        for officer in self.officers.values():
            self.fund(officer.address)
        self._operations = itertools.count(1)
        self.deployment: Deployment = deploy(
            self.node,
            self.officers["admin"],
            admin=self.officers["admin"].address,
            admin_delay=DELAY,
            path=folder / "deployment.json",
        )
        self.path = folder / "deployment.json"
        self.addresses = {name: each.address for name, each in self.deployment.contracts.items()}
        self.contracts: LedgerContracts = open_contracts(self.node, self.addresses)

    def close(self) -> None:
        """Close the connections to the node."""
        self.node.close()

    def fund(self, account: bytes) -> None:
        """Give an account all the coin it can want."""
        self.anvil.rpc.call("anvil_setBalance", "0x" + account.hex(), hex(10**24))

    def controller(self, org_id: OrgId) -> str:
        """The name of the account that an organisation was registered with."""
        name = f"organisation {org_id}"
        if name not in self.officers:
            self.officers[name] = _controller(org_id)
            self.fund(self.officers[name].address)
        return name

    @property
    def now(self) -> int:
        """The time of the last block."""
        return int(self.node.header("latest").timestamp, 16)

    def pass_time(self, seconds: int) -> None:
        """Let the chain's clock go on."""
        self.anvil.rpc.call("evm_increaseTime", hex(seconds))
        self.anvil.mine()

    def operation(self) -> bytes:
        """A new operation id."""
        return commitment(f"operation {next(self._operations)}")

    def hold(self, officer: str, contract: str, calldata: bytes) -> bytes:
        """Hand a signed transaction to the node; its hash. It is mined when the chain mines."""
        nonce = self.node.nonce(self.officers[officer].address, "pending")
        return self.node.send_raw_transaction(self.sign(officer, contract, calldata, nonce))

    def sign(self, officer: str, contract: str, calldata: bytes, nonce: int) -> bytes:
        """A signed transaction that nobody was handed yet."""
        fields = TransactionFields(
            self.deployment.chain_id, nonce, self.addresses[contract], calldata, GAS, _FEE, 0
        )
        return self.officers[officer].sign_transaction(fields)

    def send(self, officer: str, contract: str, calldata: bytes) -> int:
        """Send a transaction that must succeed; its block."""
        receipt = self.anvil.receipt("0x" + self.hold(officer, contract, calldata).hex())
        assert receipt["status"] == "0x1", f"{contract} refused the call of {officer}"
        return int(receipt["blockNumber"], 16)

    def together(self, sends: Callable[[], Sequence[bytes]]) -> int:
        """Mine what `sends` holds in one block; the block."""
        self.anvil.rpc.call("evm_setAutomine", False)
        try:
            hashes = sends()
            self.anvil.mine()
        finally:
            self.anvil.rpc.call("evm_setAutomine", True)
        receipts = [self.anvil.receipt("0x" + each.hex()) for each in hashes]
        assert all(receipt["status"] == "0x1" for receipt in receipts)
        numbers = {int(receipt["blockNumber"], 16) for receipt in receipts}
        assert len(numbers) == 1
        return numbers.pop()

    # --- what officers do ---

    def appoint_officers(self) -> None:
        """Give every officer its role in the whole alliance."""
        for role in ROLES:
            account = self.officers[role].address
            self.send(
                "admin",
                "Authority",
                authority.encode_appoint(role, ProgrammeId(0), account, self.operation()),
            )

    def found_programme(
        self, key: str, *, cap: int = 10**9, boundaries: Sequence[int] = (1_600_000_000, FAR)
    ) -> ProgrammeId:
        """A programme with two tiers, three categories, an epoch to 2096, a budget for us."""
        create = programmes.encode_create_programme(key, commitment(key), cap, 1, self.operation())
        self.send("council", "Programmes", create)
        found = ProgrammeId(self.contracts.programmes.programme_count(at="latest"))
        for calldata in (
            programmes.encode_add_tiers(found, ["core", "associate"], self.operation()),
            programmes.encode_open_categories(
                found, ["satellite.build", "data.acquire", "scenario.share"], self.operation()
            ),
            programmes.encode_append_boundaries(found, boundaries, self.operation()),
        ):
            self.send("council", "Programmes", calldata)
        budget = programmes.encode_set_budget(
            found, self.officers["issuer"].address, Budget(10**6, 10**8), self.operation()
        )
        self.send("treasurer", "Programmes", budget)
        return found

    def register(self, count: int) -> list[OrgId]:
        """Register organisations, in as many transactions as it takes; their ids."""
        first = self.contracts.organisations.organisation_count(at="latest") + 1
        for start in range(first, first + count, 100):
            given = [
                Registration(_controller(number).address, "company", commitment(str(number)))
                for number in range(start, min(start + 100, first + count))
            ]
            calldata = organisations.encode_register(given, self.operation())
            self.send("registrar", "Organisations", calldata)
        return [OrgId(number) for number in range(first, first + count)]

    def admit(self, programme: ProgrammeId, org_ids: Sequence[OrgId]) -> None:
        """Admit organisations into tier 1, for long."""
        for start in range(0, len(org_ids), 100):
            given = [Admission(each, TierId(1), FAR) for each in org_ids[start : start + 100]]
            calldata = memberships.encode_admit(programme, given, "", self.operation())
            self.send("registrar", "Memberships", calldata)

    def award_call(
        self, programme: ProgrammeId, amounts: Sequence[tuple[OrgId, int]], operation: bytes
    ) -> bytes:
        """The calldata of an award."""
        awards = [
            Award(org_id, amount, "data.acquire", commitment(f"{org_id} {amount}"))
            for org_id, amount in amounts
        ]
        return encode_award(programme, awards, operation)

    def award(self, programme: ProgrammeId, *amounts: tuple[OrgId, int]) -> int:
        """Award credits in one transaction; its block."""
        calldata = self.award_call(programme, amounts, self.operation())
        return self.send("issuer", "Credits", calldata)

    def reverse(self, programme: ProgrammeId, entry_id: int) -> int:
        """Take an award back; the block."""
        calldata = encode_reverse(programme, [self.reversal(entry_id)], self.operation())
        return self.send("council", "Credits", calldata)

    def change_memberships(
        self,
        encode: Callable[..., bytes],
        programme: ProgrammeId,
        subjects: Sequence[Any],
        reason: str = "",
    ) -> int:
        """Renew, suspend, … with one of the encoders of `memberships`; the block."""
        calldata = encode(programme, subjects, reason, self.operation())
        return self.send("registrar", "Memberships", calldata)

    def reversal(self, entry_id: int) -> Reversal:
        """What a reversal must bring: the entry, and what leads from it to a head that is kept."""
        logs = self._journal_of_credits()
        heads = [bytes(32), *(data[-32:] for _, data in logs)]
        last = next(
            number
            for number in range(entry_id, len(logs) + 1)
            if self.contracts.credits.head_at(EntryId(number), at="latest") != bytes(32)
        )
        return Reversal(
            entry=_entry(*logs[entry_id - 1]),
            head_before=heads[entry_id - 1],
            hashes_after=tuple(journal_event_hash(*log) for log in logs[entry_id:last]),
            evidence=commitment(f"reversal of {entry_id}"),
        )

    def entries(self, programme: ProgrammeId) -> list[EntryPosted]:
        """All entries of a programme, in order."""
        posted = next(key for key, each in _credit_events().journal.items() if _is_entry(each))
        logs = [log for log in self._journal_of_credits() if log[0][:32] == posted]
        found = [_entry(*log) for log in logs]
        return [each for each in found if each.programme_id == programme]

    def _journal_of_credits(self) -> list[tuple[bytes, bytes]]:
        """The topics and data of its lines."""
        answers = self.node.logs(
            self.deployment.first_block,
            self.node.block_number(),
            [self.addresses["Credits"]],
            list(_credit_events().journal),
        )
        return [(b"".join(topics_of(each)), bytes.fromhex(each.data[2:])) for each in answers]


@cache
def _credit_events() -> ContractEvents:
    return ContractEvents("Credits", load_artifact("Credits").abi)


def _is_entry(decoder: EventDecoder) -> bool:
    return decoder.name == "EntryPosted"


def _entry(topics: bytes, data: bytes) -> EntryPosted:
    decoder = next(each for each in _credit_events().journal.values() if _is_entry(each))
    return EntryPosted(*decoder.decode(topics, data)[:-1])


def _controller(number: int) -> LocalSigner:
    """The key of an organisation's first controller."""
    return LocalSigner(keccak256(b"organisation %d" % number))


def topics_of(answer: LogAnswer) -> list[bytes]:
    """The topics of a log as a node gave it."""
    texts = msgspec.json.decode(answer.topics, type=list[str])
    return [bytes.fromhex(text[2:]) for text in texts]


def found_ledger(anvil: Anvil, folder: Path, *, organisations: int = 5) -> Ledger:
    """A ledger with officers, one programme and some members, and nothing credited yet."""
    ledger = Ledger(anvil, folder)
    ledger.appoint_officers()
    programme = ledger.found_programme("alliance")
    ledger.admit(programme, ledger.register(organisations))
    return ledger


def wait_for(condition: Callable[[], bool], what: str, seconds: float = 90.0) -> None:
    """Return when the condition holds; fail with `what` where it does not in time."""
    assert wait_until(condition, seconds=seconds, pause=0.01), what
