"""Distributions: shares computed from an epoch's entries, posted as a root, claimed with a proof.

The contract takes any root; what makes it right is that everybody can compute it again. So shares
are computed here from entries alone, the same way for who posts them and for who checks them, and
a distribution whose file does not follow from the mirrored entries is not posted.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import Connection

from ledger.chain.contracts import shares
from ledger.chain.merkle import MerkleTree, share_leaf, shares_tree
from ledger.domain.commands import NO_COMMITMENT
from ledger.domain.events import EntryPosted
from ledger.domain.expiry import DatedEntry
from ledger.domain.ids import DistributionId, OrgId, ProgrammeId
from ledger.domain.shares import Share, SharedPool, ShareRule, leave_out, share_pool
from ledger.domain.sharing import Distribution
from ledger.errors import InvalidValue, NotFound
from ledger.mirror.queries.journals import read_boundaries, read_journal
from ledger.mirror.queries.moments import Moment
from ledger.outbox.records import Operation
from ledger.services.checks import check_organisation, check_range, check_time
from ledger.services.orders import Order

MAX_DISTRIBUTION_ID = 2**32 - 1
NO_ROOT = bytes(32)


@dataclass(frozen=True, slots=True)
class EpochEntries:
    """The entries that a programme's journal got in one epoch, and when that was.

    `begins_at` is the epoch's first second and `ends_at` the first after it, since 1970 UTC.
    """

    programme_id: ProgrammeId
    epoch: int
    begins_at: int
    ends_at: int
    entries: tuple[DatedEntry, ...]


@dataclass(frozen=True, slots=True)
class Shares:
    """What everybody gets of a pool, and what it was computed from.

    `left_out` is what each had claimed already of distributions that were withdrawn; where there is
    some, the pool of `shared` is what is left of `asked_pool`.
    """

    programme_id: ProgrammeId
    epoch: int
    begins_at: int
    ends_at: int
    entry_count: int
    rule: ShareRule
    asked_pool: int
    shared: SharedPool
    left_out: Mapping[OrgId, int] = field(default_factory=dict)

    @property
    def tree(self) -> MerkleTree:
        """The tree of all shares. Raises InvalidValue where nobody has one."""
        return shares_tree(self.programme_id, self.epoch, self.shared)

    @property
    def root(self) -> bytes:
        """What a council posts; zeros, which no contract takes, where nobody has a share."""
        return self.tree.root if self.shared.shares else NO_ROOT

    def share_of(self, org_id: OrgId) -> Share:
        """An organisation's share. Raises NotFound where it has none."""
        for share in self.shared.shares:
            if share.org_id == org_id:
                return share
        raise NotFound(what="share of organisation", key=org_id)

    def proof_of(self, org_id: OrgId) -> tuple[bytes, ...]:
        """What leads from an organisation's share to the root. Raises NotFound."""
        amount = self.share_of(org_id).amount
        return self.tree.proof(share_leaf(self.programme_id, self.epoch, org_id, amount))


def read_epoch(
    connection: Connection, moment: Moment, programme_id: ProgrammeId, epoch: int
) -> EpochEntries:
    """The mirrored entries of an epoch that is over. Raises InvalidValue where it is not."""
    boundaries = read_boundaries(connection, moment, programme_id)
    is_over = 0 < epoch < len(boundaries) and boundaries[epoch] <= moment.timestamp
    if not is_over:
        over = sum(boundary <= moment.timestamp for boundary in boundaries[1:])
        raise InvalidValue(
            field="epoch",
            value=epoch,
            expected=f"an epoch that is over: 1 to {over}" if over else "over; none is yet",
        )
    begins_at, ends_at = boundaries[epoch - 1], boundaries[epoch]
    found = read_journal(connection, moment, programme_id, since=begins_at, until=ends_at)
    return EpochEntries(programme_id, epoch, begins_at, ends_at, found)


def compute_shares(
    given: EpochEntries, rule: ShareRule, pool: int, left_out: Mapping[OrgId, int] | None = None
) -> Shares:
    """Share a pool by the epoch's entries, less what was claimed of it already.

    Raises InvalidValue where the entries are not of one epoch.
    """
    _check_entries(given)
    claimed = left_out or {}
    shared = share_pool(rule, pool, [dated.entry for dated in given.entries])
    return Shares(
        given.programme_id,
        given.epoch,
        given.begins_at,
        given.ends_at,
        len(given.entries),
        rule,
        pool,
        leave_out(shared, claimed) if claimed else shared,
        claimed,
    )


def post(
    order: Order, distribution: Distribution, evidence: bytes = NO_COMMITMENT
) -> tuple[Operation, DistributionId]:
    """Post a distribution; its number. Signed by a council officer of the programme."""
    operation = ask_for_distribution(order, distribution, evidence)
    (distribution_id,) = order.outbox.made_by(operation, "distributionId")
    return operation, DistributionId(distribution_id)


def ask_for_distribution(
    order: Order, distribution: Distribution, evidence: bytes = NO_COMMITMENT
) -> Operation:
    """Post a distribution, without looking which number it got."""
    check_time("first claims", distribution.claimable_from)
    check_time("last claims", distribution.claimable_until)
    summary = (
        f"Share {distribution.pool} {distribution.unit} by the contributions of epoch "
        f"{distribution.epoch} of programme {distribution.programme_id}."
    )
    encode = partial(shares.encode_post, distribution, evidence=evidence)
    return order.place("Shares", "post-distribution", summary, encode)


def withdraw(
    order: Order, distribution_id: DistributionId, evidence: bytes = NO_COMMITMENT
) -> Operation:
    """Take back what is not yet claimed of a distribution. Signed by a council officer."""
    check_range("distribution", distribution_id, 1, MAX_DISTRIBUTION_ID)
    encode = partial(shares.encode_withdraw, distribution_id, evidence=evidence)
    summary = f"Withdraw distribution {distribution_id}."
    return order.place("Shares", "withdraw-distribution", summary, encode)


def claim(
    order: Order, distribution_id: DistributionId, share: Share, proof: Sequence[bytes]
) -> Operation:
    """Claim an organisation's share. Signed by its controller, or by its successor's."""
    check_range("distribution", distribution_id, 1, MAX_DISTRIBUTION_ID)
    check_organisation(share.org_id)
    encode = partial(shares.encode_claim, distribution_id, share, proof)
    summary = (
        f"Claim {share.amount} of distribution {distribution_id} for organisation {share.org_id}."
    )
    return order.place("Shares", "claim", summary, encode)


def _check_entries(given: EpochEntries) -> None:
    check_range("epoch's end", given.ends_at, given.begins_at + 1, 2**40)
    for dated in given.entries:
        if not given.begins_at <= dated.posted_at < given.ends_at:
            raise _foreign(dated.entry, f"posted within epoch {given.epoch}")
        if dated.entry.programme_id != given.programme_id:
            raise _foreign(dated.entry, f"of programme {given.programme_id}")
    _check_once([dated.entry for dated in given.entries])


def _check_once(entries: Iterable[EntryPosted]) -> None:
    last = 0
    for entry in entries:
        if entry.entry_id <= last:
            raise _foreign(entry, "named once, in growing order")
        last = entry.entry_id


def _foreign(entry: EntryPosted, expected: str) -> InvalidValue:
    return InvalidValue(field="entry", value=entry.entry_id, expected=expected)
