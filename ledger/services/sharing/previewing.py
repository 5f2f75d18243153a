"""What a claim would bring, before anybody asks for it: from mirrored rows and the file of shares.

The rules are those of `Shares.claim`, looked at by the time of the block that the answer is true
at. Nothing is kept, asked of a node, or promised: a council can withdraw what is not yet claimed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.domain.ids import OrgId
from ledger.errors import EvidenceDamaged, NotFound
from ledger.mirror.queries.authority import is_paused
from ledger.mirror.queries.moments import Moment
from ledger.mirror.queries.shares import (
    Claim,
    DistributionStanding,
    ListedDistribution,
    read_claims_of,
)
from ledger.services.previews import Obstacle
from ledger.services.sharing.entitlements import SharesShelf


@dataclass(frozen=True, slots=True)
class PreviewedClaim:
    """What an organisation gets of a distribution, and why it could not be claimed now.

    `amount` is 0 where it gets nothing, and None where the office has not the file of shares;
    `claim` is the one that was made already.
    """

    posted: ListedDistribution
    org_id: OrgId
    amount: int | None
    claim: Claim | None
    obstacles: tuple[Obstacle, ...]

    @property
    def is_due(self) -> bool:
        """Whether there is something that can be claimed now."""
        return not self.obstacles

    @property
    def is_coming(self) -> bool:
        """Whether there is something that can be claimed later."""
        is_upcoming = self.posted.standing is DistributionStanding.UPCOMING
        return is_upcoming and bool(self.amount) and self.claim is None


def preview_claims(
    connection: Connection,
    moment: Moment,
    shelf: SharesShelf,
    org_id: OrgId,
    posted: Sequence[ListedDistribution],
) -> list[PreviewedClaim]:
    """What the organisation would get of each of these distributions at the moment."""
    numbers = [each.distribution_id for each in posted]
    claims = read_claims_of(connection, moment, numbers, [org_id])
    stopped = is_paused(connection, moment)
    found = []
    for each in posted:
        amount = _amount_of(connection, shelf, each, org_id)
        claim = claims.get((each.distribution_id, org_id))
        obstacles = tuple(_obstacles(each, amount, claim, stopped=stopped))
        found.append(PreviewedClaim(each, org_id, amount, claim, obstacles))
    return found


_BY_STANDING = {
    DistributionStanding.UPCOMING: Obstacle(
        "distribution.upcoming",
        "尚未到领取时间：在此之前，任何人都可以重新核算。",
        "It cannot be claimed yet: until then, anybody can compute it again.",
    ),
    DistributionStanding.OVER: Obstacle(
        "distribution.over",
        "领取期已结束，未领取的份额已失效。",
        "The time in which it could be claimed is over; what was not claimed is gone.",
    ),
    DistributionStanding.WITHDRAWN: Obstacle(
        "distribution.withdrawn",
        "理事会已撤回此次分配，未领取的份额不能再领取。",
        "The council withdrew it: what was not claimed cannot be claimed any more.",
    ),
}


def _obstacles(
    posted: ListedDistribution, amount: int | None, claim: Claim | None, *, stopped: bool
) -> Iterator[Obstacle]:
    if claim is not None:
        yield Obstacle(
            "share.claimed",
            f"该份额（{claim.amount}）已领取；每份只能领取一次。",
            f"The share of {claim.amount} was claimed already, and each is claimed once.",
        )
        return
    if amount is None:
        yield Obstacle(
            "shares.no_file",
            "办公室没有此次分配的份额文件，因此本页无法给出领取凭证。请联系联盟办公室。",
            "The office has not the file of these shares, so that this page has no proof to claim "
            "by. Ask the alliance's office for it.",
        )
    if amount == 0:
        yield Obstacle(
            "share.none",
            "贵组织在此次分配中没有份额：该周期内没有计入的贡献。",
            "The organisation gets nothing of it: nothing of its own counted in the epoch.",
        )
    if posted.standing in _BY_STANDING:
        yield _BY_STANDING[posted.standing]
    if stopped:
        yield Obstacle("ledger.paused", "账本已暂停。", "The ledger is stopped.")


def _amount_of(
    connection: Connection, shelf: SharesShelf, posted: ListedDistribution, org_id: OrgId
) -> int | None:
    try:
        return shelf.read(connection, posted).share_of(org_id).amount
    except EvidenceDamaged:
        return None
    except NotFound as error:
        return 0 if error.values.get("what") == "share of organisation" else None
