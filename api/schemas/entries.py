"""Entries of the credit journal, balances, rankings, and the documents that entries rest on."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, Self

from pydantic import Field

from api.formats import show_address_once, show_time
from api.schemas.base import (
    MOST_PARTS,
    MOST_PROGRAMMES,
    Address,
    Answer,
    Credits,
    Digest,
    EntryNumber,
    Key,
    NameEn,
    NameZh,
    OrganisationNumber,
    Page,
    ProgrammeNumber,
    Schema,
    Time,
    Whole,
    at_most,
)
from api.schemas.evidence import EvidenceRef, written_evidence
from ledger.domain.events import EntryKind
from ledger.mirror.queries.balances import Balance, CategorySum
from ledger.mirror.queries.entries import Entry
from ledger.mirror.queries.profiles import Profile
from ledger.mirror.queries.rankings import Rank


class EntryKindName(StrEnum):
    """What an entry is."""

    AWARD = "award"
    REVERSAL = "reversal"
    REDEMPTION = "redemption"
    REFUND = "refund"
    EXPIRY = "expiry"
    CARRY_OVER = "carry_over"

    @classmethod
    def of(cls, kind: EntryKind) -> EntryKindName:
        return cls[kind.name]

    def kind(self) -> EntryKind:
        """The number that the chain has for it."""
        return EntryKind[self.name]


class EntryView(Schema):
    """A line of the journal. It is never changed; `reversed_by` names the entry that undid it.

    Redemptions, refunds and what is carried over have no category. `operation_id` is its actor's
    own: the same id of another actor is another operation."""

    entry_id: EntryNumber
    programme_id: ProgrammeNumber
    programme: Annotated[Key, Field(examples=["community"])]
    org_id: OrganisationNumber
    kind: EntryKindName
    category: Key | None
    amount: Credits
    balance_after: Credits
    evidence: EvidenceRef | None
    refers_to: Annotated[int | None, Field(ge=1)]
    reversed_by: Annotated[int | None, Field(ge=1)]
    actor: Address
    operation_id: Digest
    block_number: Whole
    block_hash: Digest
    timestamp: Time
    log_index: Whole
    transaction_hash: Digest

    @classmethod
    def of(cls, entry: Entry) -> Self:
        return cls(**written_entry(entry))


def written_entry(entry: Entry) -> dict[str, Any]:
    """An EntryView as JSON has it, each part in its place: a page of the journal is written from
    these, since to make two hundred models of them takes longer than to read them."""
    return {
        "entry_id": entry.entry_id,
        "programme_id": entry.programme_id,
        "programme": entry.programme,
        "org_id": entry.org_id,
        "kind": _KIND_NAMES[entry.kind],
        "category": entry.category or None,
        "amount": entry.amount,
        "balance_after": entry.balance_after,
        "evidence": written_evidence(entry.evidence, entry.document),
        "refers_to": entry.refers_to or None,
        "reversed_by": entry.reversed_by or None,
        "actor": show_address_once(entry.actor),
        "operation_id": "0x" + entry.operation_id.hex(),
        "block_number": entry.block_number,
        "block_hash": "0x" + entry.block_hash.hex(),
        "timestamp": show_time(entry.timestamp),
        "log_index": entry.log_index,
        "transaction_hash": "0x" + entry.transaction_hash.hex(),
    }


_KIND_NAMES = {kind: EntryKindName.of(kind).value for kind in EntryKind}


class EntryAnswer(EntryView, Answer):
    """One entry."""


class CategorySumView(Schema):
    """The sum of an organisation's entries in a category; of redemptions, refunds and what is
    carried over where it is null. `made_up_count` of them rest on documents that were made up for a
    demonstration."""

    category: Key | None
    credits: Credits
    entry_count: Whole
    made_up_count: Whole


class BalanceView(Schema):
    """An organisation's credits in a programme. Its `categories` add up to `credits`; of
    `category_count` the 200 largest are listed."""

    programme_id: ProgrammeNumber
    programme: Annotated[Key, Field(examples=["community"])]
    credits: Credits
    entry_count: Whole
    last_entry: Annotated[int | None, Field(ge=1)]
    categories: Annotated[list[CategorySumView], at_most(MOST_PARTS)]
    category_count: Whole

    @classmethod
    def of(cls, balance: Balance) -> Self:
        return cls(**written_balance(balance))


def written_balance(balance: Balance) -> dict[str, Any]:
    """A BalanceView as JSON has it, each part in its place."""
    return {
        "programme_id": balance.programme_id,
        "programme": balance.programme,
        "credits": balance.credits,
        "entry_count": balance.entry_count,
        "last_entry": balance.last_entry or None,
        "categories": [_written_sum(each) for each in balance.categories[:MOST_PARTS]],
        "category_count": len(balance.categories),
    }


def _written_sum(each: CategorySum) -> dict[str, Any]:
    return {
        "category": each.category or None,
        "credits": each.amount,
        "entry_count": each.entry_count,
        "made_up_count": each.made_up_count,
    }


class BalancesAnswer(Answer):
    """An organisation's balance in each programme that it ever was in or has entries in."""

    org_id: OrganisationNumber
    items: Annotated[list[BalanceView], at_most(MOST_PROGRAMMES)]

    @classmethod
    def of(cls, about: Answer, org_id: int, balances: Sequence[Balance]) -> Self:
        return cls(
            as_of=about.as_of,
            mirror=about.mirror,
            org_id=org_id,
            items=[BalanceView.of(each) for each in balances],
        )


class RankView(Schema):
    """An organisation's place. Equal ones share a rank, and the next rank counts them all."""

    rank: Annotated[int, Field(ge=1)]
    org_id: OrganisationNumber
    name_zh: NameZh
    name_en: NameEn
    credits: Credits
    entry_count: Whole

    @classmethod
    def of(cls, rank: Rank, profile: Profile | None) -> Self:
        return cls(
            rank=rank.rank,
            org_id=rank.org_id,
            name_zh=profile.name_zh if profile else None,
            name_en=profile.name_en if profile else None,
            credits=rank.credits,
            entry_count=rank.entry_count,
        )


class EntriesPage(Page[EntryView]):
    """A part of the journal, the newest first."""


class RankingPage(Page[RankView]):
    """A part of a ranking, the highest first."""
