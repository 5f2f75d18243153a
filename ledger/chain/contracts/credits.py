"""Credits: the journal of all entries.

`redeem`, `refund` and `settle` have no command here: the contract takes them from Benefits alone.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from ledger.chain.contracts.contract import encode_call
from ledger.chain.contracts.messages import MessageTaker, signed_row
from ledger.chain.rpc import BlockName
from ledger.domain.commands import NO_COMMITMENT, Award, Expiry, IssuerTerms, Reversal
from ledger.domain.events import EntryPosted
from ledger.domain.ids import EntryId, OrgId, ProgrammeId
from ledger.domain.keys import encode_key
from ledger.domain.messages import SignedMessage


def encode_award(programme_id: ProgrammeId, awards: Sequence[Award], operation_id: bytes) -> bytes:
    """Award credits. Council, or an issuer within its budget."""
    return encode_call("Credits", "award", programme_id, _awards(awards), operation_id)


def encode_award_by_signature(
    programme_id: ProgrammeId, awards: Sequence[Award], operation_id: bytes, signed: SignedMessage
) -> bytes:
    """Award by an issuer's message (`write_award_batch`). Anybody brings it."""
    return encode_call(
        "Credits",
        "awardBySignature",
        programme_id,
        _awards(awards),
        operation_id,
        signed_row(signed),
    )


def encode_reverse(
    programme_id: ProgrammeId, reversals: Sequence[Reversal], operation_id: bytes
) -> bytes:
    """Reverse awards, each once. Council, or the issuer that made the award.

    An issuer takes back no more in an epoch than its budget for it (`issuer_terms`).
    """
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


def encode_expire(
    programme_id: ProgrammeId, expiries: Sequence[Expiry], policy: bytes, operation_id: bytes
) -> bytes:
    """Take back what was not spent of awards that are too old, each once. Council.

    Of each its amount, or what the balance has above what it leaves; refused where all of it was
    spent. `policy` commits to the computation (`ledger.domain.expiry`).
    """
    rows = [
        {
            "entryId": given.entry_id,
            "orgId": given.org_id,
            "amount": given.amount,
            "leaves": given.leaves,
            "category": encode_key(given.category, "category"),
        }
        for given in expiries
    ]
    return encode_call("Credits", "expire", programme_id, rows, policy, operation_id)


def encode_carry_over(
    programme_id: ProgrammeId,
    org_ids: Sequence[OrgId],
    operation_id: bytes,
    *,
    evidence: bytes = NO_COMMITMENT,
) -> bytes:
    """Carry merged organisations' balances over to their successors. Council."""
    return encode_call("Credits", "carryOver", programme_id, list(org_ids), evidence, operation_id)


@dataclass(frozen=True, slots=True)
class Credits(MessageTaker):
    """Reads of Credits."""

    NAME: ClassVar[str] = "Credits"

    def max_awards(self, *, by_category: bool, at: BlockName) -> int:
        """The most awards of one transaction.

        Fewer by an issuer that has budgets by category and awards by them (`by_category`).
        """
        return int(self.read("MAX_AWARDS_BY_CATEGORY" if by_category else "MAX_AWARDS", at=at))

    def balance_of(self, programme_id: ProgrammeId, org_id: OrgId, *, at: BlockName) -> int:
        """An organisation's balance in a programme; it can be below zero."""
        return int(self.read("balanceOf", programme_id, org_id, at=at))

    def outstanding(self, programme_id: ProgrammeId, *, at: BlockName) -> int:
        """The sum of all balances of a programme."""
        return int(self.read("outstanding", programme_id, at=at))

    def spent(self, programme_id: ProgrammeId, epoch: int, issuer: bytes, *, at: BlockName) -> int:
        """What an issuer has awarded in an epoch."""
        return int(self.read("spent", programme_id, epoch, issuer, at=at))

    def spent_in(
        self, programme_id: ProgrammeId, epoch: int, issuer: bytes, category: str, *, at: BlockName
    ) -> int:
        """What an issuer has awarded in an epoch in a category that has a budget of its own."""
        word = encode_key(category, "category")
        return int(self.read("spentIn", programme_id, epoch, issuer, word, at=at))

    def reversed(
        self, programme_id: ProgrammeId, epoch: int, issuer: bytes, *, at: BlockName
    ) -> int:
        """What an issuer has taken back of its awards in an epoch, whatever epoch they were of."""
        return int(self.read("reversed", programme_id, epoch, issuer, at=at))

    def refundable(self, programme_id: ProgrammeId, *, at: BlockName) -> int:
        """Credits of open redemptions, which refunds would bring back."""
        return int(self.read("refundable", programme_id, at=at))

    def issuer_terms(
        self, programme_id: ProgrammeId, issuer: bytes, category: str, *, at: BlockName
    ) -> IssuerTerms:
        """What an issuer's budgets leave it at the block's time: to award in one category, and to
        take back of its own awards.
        """
        word = encode_key(category, "category")
        found = self.read("issuerTerms", programme_id, issuer, word, at=at)
        return IssuerTerms(
            epoch=found["epoch"],
            epoch_ends_at=found["epochEndsAt"],
            per_award=found["perAward"],
            left_in_epoch=found["leftInEpoch"],
            left_in_category=found["leftInCategory"],
            left_to_reverse=found["leftToReverse"],
            left_under_cap=found["leftUnderCap"],
        )

    def reversed_by(
        self, programme_id: ProgrammeId, entry_id: EntryId, *, at: BlockName
    ) -> EntryId:
        """The entry that reversed a programme's award; 0 for none."""
        return EntryId(self.read("reversedBy", programme_id, entry_id, at=at))

    def expiry_of(
        self, programme_id: ProgrammeId, entry_id: EntryId, *, at: BlockName
    ) -> tuple[EntryId, int]:
        """The entry by which a programme's award expired, and how much of it; zeros for none."""
        found = self.read("expiryOf", programme_id, entry_id, at=at)
        return EntryId(found["expiredBy"]), int(found["amount"])

    def head_at(self, entry_id: EntryId, *, at: BlockName) -> bytes:
        """The journal's head after an entry, 32 bytes; zero where the contract does not keep it."""
        return bytes(self.read("headAt", entry_id, at=at))


def _awards(awards: Sequence[Award]) -> list[dict[str, Any]]:
    return [
        {
            "orgId": given.org_id,
            "amount": given.amount,
            "category": encode_key(given.category, "category"),
            "evidence": given.evidence,
        }
        for given in awards
    ]


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
