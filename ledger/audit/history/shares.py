"""What was shared by contribution: distributions, and the claims on them."""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.audit.history.authority import AuthorityBook
from ledger.audit.history.organisations import OrganisationsBook
from ledger.audit.history.place import Place
from ledger.audit.history.programmes import MAX_AMOUNT, ProgrammesBook
from ledger.domain import events

_CHECKING_TIME = 24 * 60 * 60


@dataclass(slots=True)
class Distribution:
    """A pool that is shared."""

    programme_id: int
    epoch: int
    pool: int
    unit: bytes
    rule: bytes
    root: bytes
    claimable_from: int
    claimable_until: int
    block: int
    log_index: int
    sequence: int
    withdrawn: bool = False
    by: dict[int, int] = field(default_factory=dict)
    """What each organisation claimed."""

    @property
    def claimed(self) -> int:
        """The sum of all claims."""
        return sum(self.by.values())


class SharesBook:
    """All distributions, by id from 1."""

    def __init__(
        self, authority: AuthorityBook, programmes: ProgrammesBook, organisations: OrganisationsBook
    ) -> None:
        self._authority = authority
        self._programmes = programmes
        self._organisations = organisations
        self.all: dict[int, Distribution] = {}

    def take(self, at: Place, event: object) -> None:
        """The next line of Shares."""
        if isinstance(event, events.SharesPosted):
            self._post(at, event)
            return
        found = self.all.get(event.distribution_id)  # type: ignore[attr-defined]
        if found is None:
            key = event.distribution_id  # type: ignore[attr-defined]
            at.object("state.unknown", what="distribution", key=key)
            return
        match event:
            case events.SharesWithdrawn(actor=actor):
                self._authority.require_officer(at, actor, found.programme_id, "council")
                right = not found.withdrawn and event.programme_id == found.programme_id
                at.require(right, "state.distribution", distribution=event.distribution_id)
                found.withdrawn = True
            case events.ShareClaimed():
                self._claim(at, event, found)

    def _post(self, at: Place, event: events.SharesPosted) -> None:
        programme = self._programmes.find(at, event.programme_id)
        self._authority.require_officer(at, event.actor, event.programme_id, "council")
        new = event.distribution_id == len(self.all) + 1
        at.require(new, "state.not_new", what="distribution", key=event.distribution_id)
        boundaries = programme.boundaries
        over = 0 < event.epoch < len(boundaries) and boundaries[event.epoch] <= at.time
        usable = over and 0 < event.pool <= MAX_AMOUNT and any(event.rule) and any(event.root)
        usable = usable and at.time + _CHECKING_TIME <= event.claimable_from < event.claimable_until
        at.require(usable, "state.distribution", distribution=event.distribution_id)
        self.all[event.distribution_id] = Distribution(
            event.programme_id,
            event.epoch,
            event.pool,
            event.unit,
            event.rule,
            event.root,
            event.claimable_from,
            event.claimable_until,
            at.block,
            at.log_index,
            at.sequence,
        )

    def _claim(self, at: Place, event: events.ShareClaimed, found: Distribution) -> None:
        self._authority.require_running(at)
        heir = self._organisations.heir(event.org_id)
        self._organisations.require_controller(at, heir, event.actor)
        at.require(event.org_id not in found.by, "once.claim", organisation=event.org_id)
        found.by[event.org_id] = found.by.get(event.org_id, 0) + event.amount
        open_ = not found.withdrawn and found.claimable_from <= at.time < found.claimable_until
        right = open_ and event.amount > 0 and found.claimed <= found.pool
        at.require(right, "state.distribution", distribution=event.distribution_id)
