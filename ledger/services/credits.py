"""Credits: awarding them for contributions, taking an award back, and what time takes.

And what a merger moves: the balance of an organisation that is part of another now.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

from sqlalchemy import Connection

from ledger.chain.contracts import credits as journal
from ledger.chain.contracts.credit_tokens import encode_create
from ledger.chain.contracts.registry import LedgerContracts
from ledger.domain.commands import NO_COMMITMENT, Award, Expiry, Reversal
from ledger.domain.ids import EntryId, OrgId, ProgrammeId
from ledger.domain.keys import encode_key
from ledger.outbox.records import Operation
from ledger.services.checks import (
    MAX_AMOUNT,
    check_distinct,
    check_organisation,
    check_programme,
    check_range,
    check_some,
    count_of,
)
from ledger.services.orders import Order
from ledger.services.proofs import prove_entry


@dataclass(frozen=True, slots=True)
class Correction:
    """An award to be taken back, and the evidence that shows why."""

    entry_id: EntryId
    evidence: bytes = NO_COMMITMENT


def most_awards(contracts: LedgerContracts, programme_id: ProgrammeId, account: bytes) -> int:
    """How many awards this account can give at once now, as the contracts have it.

    An issuer with budgets by category fewer than others; they do not bind a council officer, even
    one who is such an issuer too.
    """
    check_programme(programme_id)
    now = contracts.credits.node.block_number()
    is_council = contracts.authority.is_officer("council", programme_id, account, at=now)
    terms = contracts.programmes.award_terms(programme_id, account, at=now)
    return contracts.credits.max_awards(by_category=terms.by_category and not is_council, at=now)


def split_awards(awards: Sequence[Award], most: int) -> tuple[Sequence[Award], ...]:
    """Batches of at most `most` awards, in their order, as even as can be.

    Each batch is an operation of its own. A job that may be interrupted keeps its batches, or
    `most`: an operation is known by what it brings, so that other batches would be other
    operations, and what was awarded would be awarded again.
    """
    check_some("awards", awards)
    check_range("most", most, 1, MAX_AMOUNT)
    count = -(-len(awards) // most)
    small, larger = divmod(len(awards), count)
    ends = [number * small + min(number, larger) for number in range(count + 1)]
    return tuple(awards[start:end] for start, end in pairwise(ends))


def award(order: Order, programme_id: ProgrammeId, awards: Sequence[Award]) -> Operation:
    """Award credits, all or none. Its journal lines are the entries.

    Signed by an issuer within its budget, or by a council officer; at most `most_awards` of them.
    """
    check_programme(programme_id)
    check_some("awards", awards)
    for given in awards:
        check_organisation(given.org_id)
        check_range("amount", given.amount, 1, MAX_AMOUNT)
        encode_key(given.category, "category")
    total = count_of(sum(given.amount for given in awards), "credit")
    number = count_of(len(awards), "award")
    return order.place(
        "Credits",
        "award",
        f"Award {total} in programme {programme_id} ({number}).",
        partial(journal.encode_award, programme_id, awards),
    )


def prove_awards(connection: Connection, corrections: Sequence[Correction]) -> list[Reversal]:
    """What a reversal of these awards must bring.

    `connection` reads the mirror, where the entries stand and from which their proofs are made.
    Raises NotFound for an entry that is not mirrored, JournalBroken where the mirror is wrong.
    """
    check_some("entries", corrections)
    check_distinct("entry", (given.entry_id for given in corrections))
    proofs = [(prove_entry(connection, given.entry_id), given.evidence) for given in corrections]
    return [
        Reversal(proof.entry, proof.head_before, proof.hashes_after, evidence)
        for proof, evidence in proofs
    ]


def reverse(order: Order, reversals: Sequence[Reversal]) -> Operation:
    """Take awards of one programme back, all or none. Its journal lines are the entries.

    Signed by the issuer that made the awards, or by a council officer.
    """
    check_some("entries", reversals)
    # Where the entries are of several programmes, the contract names the first that differs.
    programme_id = ProgrammeId(reversals[0].entry.programme_id)
    number = count_of(len(reversals), "award")
    return order.place(
        "Credits",
        "reverse",
        f"Reverse {number} of programme {programme_id}.",
        partial(journal.encode_reverse, programme_id, reversals),
    )


def expire(
    order: Order, programme_id: ProgrammeId, expiries: Sequence[Expiry], policy: bytes
) -> Operation:
    """Post expiries, all or none, oldest award first. Its journal lines are the entries.

    `policy` commits to how they were computed (`ledger.domain.expiry`). Signed by a council officer
    of the programme.
    """
    check_programme(programme_id)
    check_some("expiries", expiries)
    check_distinct("award", (given.entry_id for given in expiries))
    total = count_of(sum(given.amount for given in expiries), "credit")
    number = count_of(len(expiries), "award")
    return order.place(
        "Credits",
        "expire",
        f"Let up to {total} of {number} of programme {programme_id} expire.",
        partial(journal.encode_expire, programme_id, expiries, policy),
    )


def carry_over(
    order: Order,
    programme_id: ProgrammeId,
    org_ids: Sequence[OrgId],
    evidence: bytes = NO_COMMITMENT,
) -> Operation:
    """Carry the balances of merged organisations over to what they are part of, all or none.

    Signed by a council officer of the programme.
    """
    check_programme(programme_id)
    check_some("organisations", org_ids)
    check_distinct("organisation", org_ids)
    for org_id in org_ids:
        check_organisation(org_id)
    number = count_of(len(org_ids), "merged organisation")
    return order.place(
        "Credits",
        "carry-over",
        f"Carry the balances of {number} in programme {programme_id} over.",
        partial(journal.encode_carry_over, programme_id, org_ids, evidence=evidence),
    )


def create_token(order: Order, programme_id: ProgrammeId) -> Operation:
    """Put a programme's token on the chain, which shows its credits in wallets. Anybody, once."""
    check_programme(programme_id)
    summary = f"Put the token of programme {programme_id} on the chain."
    return order.place(
        "CreditTokens", "create-token", summary, lambda _: encode_create(programme_id)
    )
