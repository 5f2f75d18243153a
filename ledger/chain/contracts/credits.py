"""Credits: the journal of awards and reversals."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ledger.chain.contracts.contract import Contract, encode_call
from ledger.chain.rpc import BlockName
from ledger.domain.commands import Award, Reversal
from ledger.domain.events import EntryPosted
from ledger.domain.ids import EntryId, OrgId, ProgrammeId
from ledger.domain.keys import encode_key


def encode_award(programme_id: ProgrammeId, awards: Sequence[Award], operation_id: bytes) -> bytes:
    """Award credits. Council, or an issuer within its budget."""
    rows = [
        {
            "orgId": given.org_id,
            "amount": given.amount,
            "category": encode_key(given.category, "category"),
            "evidence": given.evidence,
        }
        for given in awards
    ]
    return encode_call("Credits", "award", programme_id, rows, operation_id)


def encode_reverse(
    programme_id: ProgrammeId, reversals: Sequence[Reversal], operation_id: bytes
) -> bytes:
    """Reverse awards, each once. Council, or the issuer that made the award."""
    rows = [
        {
            "entry": _entry(given.entry),
            "headBefore": given.head_before,
            "hashesAfter": list(given.hashes_after),
            "evidence": given.evidence,
        }
        for given in reversals
    ]
    return encode_call("Credits", "reverse", programme_id, rows, operation_id)


@dataclass(frozen=True, slots=True)
class Credits(Contract):
    """Reads of Credits."""

    NAME: ClassVar[str] = "Credits"

    def balance_of(self, programme_id: ProgrammeId, org_id: OrgId, *, at: BlockName) -> int:
        """An organisation's balance in a programme; it can be below zero."""
        return int(self.read("balanceOf", programme_id, org_id, at=at))

    def outstanding(self, programme_id: ProgrammeId, *, at: BlockName) -> int:
        """The sum of all balances of a programme."""
        return int(self.read("outstanding", programme_id, at=at))

    def spent(self, programme_id: ProgrammeId, epoch: int, issuer: bytes, *, at: BlockName) -> int:
        """What an issuer has awarded in an epoch."""
        return int(self.read("spent", programme_id, epoch, issuer, at=at))

    def reversed_by(self, entry_id: EntryId, *, at: BlockName) -> EntryId:
        """The entry that reversed this one; 0 for none."""
        return EntryId(self.read("reversedBy", entry_id, at=at))

    def head_at(self, entry_id: EntryId, *, at: BlockName) -> bytes:
        """The journal's head after an entry, 32 bytes; zero where the contract does not keep it."""
        return bytes(self.read("headAt", entry_id, at=at))


def _entry(entry: EntryPosted) -> dict[str, Any]:
    return {
        "entryId": entry.entry_id,
        "programmeId": entry.programme_id,
        "orgId": entry.org_id,
        "kind": entry.kind,
        "category": entry.category,
        "amount": entry.amount,
        "balanceAfter": entry.balance_after,
        "evidence": entry.evidence,
        "refersTo": entry.refers_to,
        "actor": entry.actor,
        "operationId": entry.operation_id,
    }
