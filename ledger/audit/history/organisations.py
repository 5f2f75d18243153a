"""Who acted for each organisation when: registrations, changes of control, recoveries, ends."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.audit.history.authority import AuthorityBook
from ledger.audit.history.place import Place
from ledger.domain import events

if TYPE_CHECKING:
    from ledger.audit.history.memberships import MembershipsBook

NOBODY = bytes(20)


@dataclass(slots=True)
class Organisation:
    """An organisation; one that is retired has no controller."""

    controller: bytes
    nominated: bytes = NOBODY
    recovery: tuple[bytes, int] | None = None
    successor_id: int = 0

    @property
    def retired(self) -> bool:
        """Whether nobody acts for it any more."""
        return self.controller == NOBODY


class OrganisationsBook:
    """All organisations, by id from 1."""

    def __init__(self, authority: AuthorityBook, recovery_delay: int) -> None:
        self._authority = authority
        self._recovery_delay = recovery_delay
        self.all: dict[int, Organisation] = {}
        self.by_controller: dict[bytes, int] = {}
        self.memberships: MembershipsBook

    def find(self, at: Place, org_id: int) -> Organisation:
        """An organisation, retired or not; objects where there is none."""
        found = self.all.get(org_id)
        if found is None:
            at.object("state.unknown", what="organisation", key=org_id)
            found = self.all[org_id] = Organisation(NOBODY)
        return found

    def require_controller(self, at: Place, org_id: int, account: bytes) -> None:
        """Object unless the account acts for the organisation."""
        acts = self.find(at, org_id).controller == account and account != NOBODY
        at.require(acts, "rights.not_controller", actor=account, organisation=org_id)

    def heir(self, org_id: int) -> int:
        """The organisation that one is part of now, through its mergers."""
        seen = {org_id}
        while org_id in self.all and self.all[org_id].successor_id not in (0, *seen):
            org_id = self.all[org_id].successor_id
            seen.add(org_id)
        return org_id

    def take(self, at: Place, event: object) -> None:
        """The next line of Organisations."""
        if isinstance(event, events.OrganisationRegistered):
            self._register(at, event)
            return
        found = self.find(at, event.org_id)  # type: ignore[attr-defined]
        match event:
            case events.OrganisationProfileChanged(actor=actor):
                self._authority.require_running(at)
                may = actor == found.controller or self._authority.is_officer("registrar", 0, actor)
                may = may and not found.retired
                org_id = event.org_id
                at.require(may, "rights.not_controller", actor=actor, organisation=org_id)
            case events.ControllerNominated(actor=actor, successor=successor):
                self._authority.require_running(at)
                self.require_controller(at, event.org_id, actor)
                free = successor == NOBODY or successor not in self.by_controller
                at.require(free, "state.controller_in_use", account=successor)
                found.nominated = successor
            case events.ControllerChanged():
                self._change(at, event, found)
            case events.RecoveryBegun(actor=actor, successor=successor):
                self._authority.require_officer(at, actor, 0, "council")
                at.require(not found.retired and found.recovery is None, "state.recovery")
                self._require_free(at, successor)
                on_time = event.finishable_from == at.time + self._recovery_delay
                at.require(on_time, "state.recovery")
                found.recovery = (successor, event.finishable_from)
            case events.RecoveryStopped(actor=actor, successor=successor):
                if actor != found.controller:
                    self._authority.require_officer(at, actor, 0, "council")
                there = found.recovery is not None and found.recovery[0] == successor
                at.require(there, "state.recovery")
                found.recovery = None
            case events.OrganisationRetired():
                self._retire(at, event, found)
            case events.SuccessorNamed(actor=actor, successor_id=successor_id):
                self._authority.require_officer(at, actor, 0, "council")
                heir = self.find(at, successor_id)
                right = found.retired and found.successor_id == 0 and not heir.retired
                at.require(right, "state.successor", organisation=event.org_id)
                found.successor_id = successor_id

    def _register(self, at: Place, event: events.OrganisationRegistered) -> None:
        self._authority.require_officer(at, event.actor, 0, "registrar")
        new = event.org_id == len(self.all) + 1
        at.require(new, "state.not_new", what="organisation", key=event.org_id)
        self._require_free(at, event.controller)
        self.all[event.org_id] = Organisation(event.controller)
        self.by_controller[event.controller] = event.org_id

    def _change(self, at: Place, event: events.ControllerChanged, found: Organisation) -> None:
        at.require(event.previous == found.controller, "state.controller_before")
        if event.recovered:
            self._authority.require_officer(at, event.actor, 0, "council")
            successor, due = found.recovery or (b"", 0)
            right = successor == event.controller and due <= at.time
            at.require(right, "state.recovery")
        else:
            self._authority.require_running(at)
            nominated = event.actor == event.controller == found.nominated
            org_id = event.org_id
            at.require(nominated, "rights.not_nominated", actor=event.actor, organisation=org_id)
        self._require_free(at, event.controller)
        self.by_controller.pop(found.controller, None)
        self.by_controller[event.controller] = event.org_id
        found.controller, found.nominated, found.recovery = event.controller, NOBODY, None

    def _retire(self, at: Place, event: events.OrganisationRetired, found: Organisation) -> None:
        self._authority.require_officer(at, event.actor, 0, "council")
        right = not found.retired and event.successor_id != event.org_id
        if event.successor_id:
            right = right and not self.find(at, event.successor_id).retired
        at.require(right, "state.successor", organisation=event.org_id)
        held = self.memberships.held_by(event.org_id)
        at.require(held == 0, "state.still_member", organisation=event.org_id)
        self.by_controller.pop(found.controller, None)
        found.controller, found.nominated, found.recovery = NOBODY, NOBODY, None
        found.successor_id = event.successor_id

    def _require_free(self, at: Place, account: bytes) -> None:
        free = account != NOBODY and account not in self.by_controller
        at.require(free, "state.controller_in_use", account=account)
