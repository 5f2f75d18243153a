"""Shares, computed again: what anybody does to find out whether a posted root is the right one.

Takes the journal's entries and the published rule, from wherever they come, and never what anybody
said the result is. Posts nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from ledger.chain.addresses import parse_address
from ledger.chain.merkle import MerkleTree, share_leaf, shares_tree
from ledger.domain.events import EntryKind, EntryPosted
from ledger.domain.expiry import DatedEntry
from ledger.domain.ids import DistributionId, OrgId, ProgrammeId
from ledger.domain.keys import encode_key
from ledger.domain.shares import Share, SharedPool, ShareRule, leave_out, share_pool
from ledger.errors import InvalidFile, InvalidValue
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.recomputation import (
    NO_CATEGORY,
    PostedDistribution,
    read_boundaries,
    read_distribution,
    read_distributions,
    read_journal,
)

NO_ROOT = bytes(32)


@dataclass(frozen=True, slots=True)
class Sharing:
    """What is to be shared, in whole units, by which epoch's entries and which rule."""

    programme_id: ProgrammeId
    epoch: int
    pool: int
    rule: ShareRule


@dataclass(frozen=True)
class ComputedShares:
    """The shares that follow, with the tree that proves them.

    The pool of `shared` is smaller than that of `asked` where something is left out.
    """

    asked: Sharing
    shared: SharedPool

    @cached_property
    def tree(self) -> MerkleTree:
        """The tree of all shares. Raises InvalidValue where nobody has one."""
        return shares_tree(self.asked.programme_id, self.asked.epoch, self.shared)

    @property
    def root(self) -> bytes:
        """What a council posts; zeros, which no contract takes, where nobody has a share."""
        return self.tree.root if self.shared.shares else NO_ROOT

    def proof(self, share: Share) -> tuple[bytes, ...]:
        """What a claim of the share brings."""
        asked = self.asked
        leaf = share_leaf(asked.programme_id, asked.epoch, share.org_id, share.amount)
        return self.tree.proof(leaf)


@dataclass(frozen=True)
class CheckedDistribution:
    """A posted distribution beside what follows from the entries.

    `left_out` is what was claimed of withdrawn distributions whose place this one takes.
    """

    posted: PostedDistribution
    computed: ComputedShares
    left_out: Mapping[OrgId, int]

    @property
    def findings(self) -> tuple[str, ...]:
        """What is not as it should be; empty where everything is."""
        posted, computed = self.posted.distribution, self.computed
        found = []
        if posted.rule != computed.asked.rule.digest():
            found.append("it was posted with another rule")
        if not computed.shared.shares:
            found.append("nobody has a share of it by these entries")
        elif posted.root != computed.root:
            found.append("its root does not follow from the entries by this rule and pool")
        if posted.pool != computed.shared.pool:
            found.append(
                f"its pool is {posted.pool}, and what was shared is {computed.shared.pool}"
            )
        return tuple(found)


def compute_shares(
    asked: Sharing, entries: Iterable[DatedEntry], *, begins_at: int, ends_at: int
) -> ComputedShares:
    """The shares by entries that may be of other programmes and times too: those do not count."""
    counted = [
        dated.entry
        for dated in entries
        if begins_at <= dated.posted_at < ends_at and dated.entry.programme_id == asked.programme_id
    ]
    return ComputedShares(asked, share_pool(asked.rule, asked.pool, counted))


def compute_epoch_shares(connection: Connection, moment: Moment, asked: Sharing) -> ComputedShares:
    """The shares by the mirrored entries. Raises InvalidValue unless the epoch is over."""
    boundaries = read_boundaries(connection, moment, asked.programme_id)
    epoch = asked.epoch
    if not 1 <= epoch < len(boundaries) or boundaries[epoch] > moment.timestamp:
        raise InvalidValue(field="epoch", value=epoch, expected="an epoch that is over")
    begins_at, ends_at = boundaries[epoch - 1 : epoch + 1]
    entries = read_journal(connection, moment, asked.programme_id, since=begins_at, until=ends_at)
    return compute_shares(asked, entries, begins_at=begins_at, ends_at=ends_at)


def check_distribution(
    connection: Connection,
    moment: Moment,
    distribution_id: DistributionId,
    rule: ShareRule,
    *,
    pool: int | None = None,
) -> CheckedDistribution:
    """Compare a posted distribution with what follows from the mirrored entries.

    Where it takes the place of withdrawn ones of the same epoch and unit, what was claimed of them
    is left out of it, and the pool that is shared is that of the first of them, unless `pool` says
    otherwise. Raises NotFound.
    """
    posted = read_distribution(connection, moment, distribution_id)
    given = posted.distribution
    before = [
        other
        for number, other in read_distributions(connection, moment).items()
        if number < distribution_id and other.withdrawn and _same_share(other, posted)
    ]
    left_out: dict[OrgId, int] = {}
    for other in before:
        for org_id, amount in other.claims.items():
            left_out[org_id] = left_out.get(org_id, 0) + amount
    if pool is None:
        pool = before[0].distribution.pool if left_out else given.pool
    asked = Sharing(given.programme_id, given.epoch, pool, rule)
    whole = compute_epoch_shares(connection, moment, asked)
    computed = ComputedShares(asked, leave_out(whole.shared, left_out))
    return CheckedDistribution(posted, computed, left_out)


def read_published_entries(name: str, content: bytes) -> Iterator[DatedEntry]:
    """Entries of a page as `GET /v1/entries` answers it. Raises InvalidFile naming `name`."""
    try:
        for item in json.loads(content)["items"]:
            yield DatedEntry(_published(item), _seconds(item["timestamp"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        problem = "it is not a page of entries as GET /v1/entries answers it"
        raise InvalidFile(path=name, line=1, problem=problem) from error


def _published(item: Mapping[str, Any]) -> EntryPosted:
    evidence = item["evidence"]["commitment"] if item["evidence"] else "0x" + "00" * 32
    return EntryPosted(
        entry_id=item["entry_id"],
        programme_id=item["programme_id"],
        org_id=item["org_id"],
        kind=EntryKind[item["kind"].upper()],
        category=encode_key(item["category"]) if item["category"] else NO_CATEGORY,
        amount=item["amount"],
        balance_after=item["balance_after"],
        evidence=bytes.fromhex(evidence[2:]),
        refers_to=item["refers_to"] or 0,
        actor=parse_address(item["actor"]),
        operation_id=bytes.fromhex(item["operation_id"][2:]),
    )


def _seconds(text: str) -> int:
    return int(datetime.fromisoformat(text).timestamp())


def _same_share(one: PostedDistribution, other: PostedDistribution) -> bool:
    first, second = one.distribution, other.distribution
    return (first.programme_id, first.epoch, first.unit) == (
        second.programme_id,
        second.epoch,
        second.unit,
    )
