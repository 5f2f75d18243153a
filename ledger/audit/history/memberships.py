"""The standing of each organisation in each programme, at every line."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from ledger.audit.history.authority import AuthorityBook
from ledger.audit.history.organisations import OrganisationsBook
from ledger.audit.history.place import Place
from ledger.audit.history.programmes import ProgrammesBook
from ledger.domain import events
from ledger.domain.events import HELD_STATUSES, MembershipStatus

_LAST_TIME = 253_402_300_799


@dataclass(slots=True)
class Membership:
    """A membership as it is stored."""

    status: MembershipStatus
    tier: int
    since: int
    expires_at: int

    @property
    def held(self) -> bool:
        """Whether it is active or suspended."""
        return self.status in HELD_STATUSES


class MembershipsBook:
    """All memberships, by programme and organisation."""

    def __init__(
        self, authority: AuthorityBook, programmes: ProgrammesBook, organisations: OrganisationsBook
    ) -> None:
        self._authority = authority
        self._programmes = programmes
        self._organisations = organisations
        self.all: dict[tuple[int, int], Membership] = {}
        self._held: defaultdict[int, int] = defaultdict(int)

    def held_by(self, org_id: int) -> int:
        """How many memberships an organisation holds."""
        return self._held[org_id]

    def require_good_standing(self, at: Place, programme_id: int, org_id: int) -> None:
        """Object unless the membership is active and not past its expiry."""
        found = self.all.get((programme_id, org_id))
        good = found is not None and found.status is MembershipStatus.ACTIVE
        good = good and found is not None and at.time < found.expires_at
        at.require(good, "credits.standing", organisation=org_id, programme=programme_id)

    def take(self, at: Place, event: object) -> None:
        """The next line of Memberships."""
        if isinstance(event, events.MetadataBaseChanged):
            self._authority.require_officer(at, event.actor, 0, "council")
            return
        programme_id, org_id = event.programme_id, event.org_id  # type: ignore[attr-defined]
        programme = self._programmes.find(at, programme_id)
        actor = event.actor  # type: ignore[attr-defined]
        self._authority.require_officer(at, actor, programme_id, "registrar", "council")
        found = self.all.get((programme_id, org_id))
        match event:
            case events.MembershipAdmitted(tier=tier, expires_at=expires_at):
                at.require(found is None or not found.held, "state.membership")
                at.require(programme.tiers.get(tier) is True, "state.tier_closed", tier=tier)
                at.require(at.time < expires_at <= _LAST_TIME, "state.membership")
                there = not self._organisations.find(at, org_id).retired
                at.require(there, "state.unknown", what="organisation", key=org_id)
                admitted = Membership(MembershipStatus.ACTIVE, tier, at.time, expires_at)
                self._held[org_id] += 1 if found is None or not found.held else 0
                self.all[programme_id, org_id] = admitted
                return
            case events.ApplicationConsented(account=account):
                self._organisations.require_controller(at, org_id, account)
                return
            case events.ApplicationDeclined():
                at.require(found is None or not found.held, "state.membership")
                there = not self._organisations.find(at, org_id).retired
                at.require(there, "state.unknown", what="organisation", key=org_id)
                return
        if found is None:
            at.object("state.unknown", what="membership", key=f"{programme_id}/{org_id}")
            return
        self._change(at, event, found, open_tiers=programme.tiers)

    def _change(
        self, at: Place, event: object, found: Membership, open_tiers: dict[int, bool]
    ) -> None:
        match event:
            case events.MembershipRenewed(expires_at=expires_at):
                later = max(found.expires_at, at.time) < expires_at <= _LAST_TIME
                at.require(found.held and later, "state.membership")
                found.expires_at = expires_at
            case events.MembershipTierChanged(tier=tier):
                at.require(found.held and found.tier != tier, "state.membership")
                at.require(open_tiers.get(tier) is True, "state.tier_closed", tier=tier)
                found.tier = tier
            case events.MembershipSuspended():
                at.require(found.status is MembershipStatus.ACTIVE, "state.membership")
                found.status = MembershipStatus.SUSPENDED
            case events.MembershipResumed():
                at.require(found.status is MembershipStatus.SUSPENDED, "state.membership")
                found.status = MembershipStatus.ACTIVE
            case events.MembershipRevoked(org_id=org_id):
                at.require(found.held, "state.membership")
                self._held[org_id] -= 1 if found.held else 0
                found.status = MembershipStatus.REVOKED
