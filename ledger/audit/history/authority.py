"""Who held which role when: appointments, dismissals, the default admin, the pause."""

from __future__ import annotations

from typing import NamedTuple

from ledger.audit.history.place import Place
from ledger.domain import events
from ledger.domain.keys import DEFAULT_ADMIN_ROLE, ROLE_NAMES, decode_role

_LONGEST_WAIT = 5 * 24 * 60 * 60
_LONGEST_DELAY = 365 * 24 * 60 * 60


class RoleChange(NamedTuple):
    """A line of the authority's history, for the report."""

    block: int
    time: int
    role: str
    programme_id: int
    account: bytes
    granted: bool
    actor: bytes


class AuthorityBook:
    """The roles that are held, by role and account, with the line that gave each."""

    def __init__(self) -> None:
        self.held: dict[tuple[bytes, bytes], int] = {}
        self.admin = b""
        self.paused = False
        self.changes: list[RoleChange] = []
        self._pending: tuple[bytes, int] | None = None
        self._delay = 0
        self._later_delay: tuple[int, int] | None = None
        self._empty = True

    def is_officer(self, name: str, programme_id: int, account: bytes) -> bool:
        """Whether an account holds a role in a programme, or alliance-wide."""
        role = name.encode("ascii").ljust(30, b"\0")
        held = self.held
        return (role + programme_id.to_bytes(2, "big"), account) in held or (
            role + b"\0\0",
            account,
        ) in held

    def appointed_at(self, name: str, programme_id: int, account: bytes) -> int:
        """The line that gave a role which is held now; 0 where it is not held."""
        role = name.encode("ascii").ljust(30, b"\0") + programme_id.to_bytes(2, "big")
        return self.held.get((role, account), 0)

    def require_running(self, at: Place) -> None:
        """Object to what is done while the ledger is paused."""
        at.require(not self.paused, "rights.paused")

    def require_officer(
        self, at: Place, actor: bytes, programme_id: int, *names: str, even_paused: bool = False
    ) -> None:
        """Object unless the actor held one of the roles just before this line."""
        if not even_paused:
            self.require_running(at)
        if not any(self.is_officer(name, programme_id, actor) for name in names):
            at.object("rights.missing", actor=actor, role="/".join(names), programme=programme_id)

    def take(self, at: Place, event: object) -> None:
        """The next line of the Authority."""
        match event:
            case events.OfficerAppointed():
                self._appoint(at, event)
            case events.OfficerDismissed():
                self._dismiss(at, event)
            case events.LedgerPaused(actor=actor):
                may = actor == self.admin or self.is_officer("guardian", 0, actor)
                at.require(may, "rights.missing", actor=actor, role="guardian", programme=0)
                at.require(not self.paused, "rights.paused")
                self.paused = True
            case events.LedgerResumed(actor=actor):
                self._require_admin(at, actor)
                at.require(self.paused, "rights.not_paused")
                self.paused = False
            case events.AdminTransferBegun(actor=actor):
                self._require_admin(at, actor)
                on_time = event.acceptable_from == at.time + self._delay_at(at.time) + 1
                at.require(on_time, "rights.admin_step")
                self._pending = (event.successor, event.acceptable_from)
            case events.AdminTransferCancelled(actor=actor):
                self._require_admin(at, actor)
                at.require(self._pending is not None, "rights.admin_step")
                self._pending = None
            case events.AdminDelayChangeBegun(actor=actor):
                self._require_admin(at, actor)
                self._change_delay(at, event)
            case events.AdminDelayChangeCancelled(actor=actor):
                self._require_admin(at, actor)
                at.require(self._later_delay is not None, "rights.admin_step")
                self._later_delay = None

    def begin(self, delay: int) -> None:
        """The delay of the default admin's transfers, as the contract was made with."""
        self._delay = delay

    def _delay_at(self, time: int) -> int:
        later = self._later_delay
        return later[0] if later is not None and later[1] <= time else self._delay

    def _change_delay(self, at: Place, event: events.AdminDelayChangeBegun) -> None:
        """A longer delay counts after it has been waited for, though no longer than five days; a
        shorter one after the difference (OpenZeppelin's AccessControlDefaultAdminRules)."""
        now = self._delay_at(at.time)
        wait = min(event.delay, _LONGEST_WAIT) if event.delay > now else now - event.delay
        on_time = event.effective_from == at.time + wait + 1
        at.require(on_time and event.delay <= _LONGEST_DELAY, "rights.admin_step")
        self._delay, self._later_delay = now, (event.delay, event.effective_from)

    def _require_admin(self, at: Place, actor: bytes) -> None:
        at.require(actor == self.admin, "rights.not_admin", actor=actor)

    def _appoint(self, at: Place, event: events.OfficerAppointed) -> None:
        name, _ = decode_role(event.role)
        if event.role == DEFAULT_ADMIN_ROLE:
            self._new_admin(at, event)
        else:
            self._require_admin(at, event.actor)
            at.require(name in ROLE_NAMES, "rights.role_unknown", role=name)
        at.require((event.role, event.account) not in self.held, "rights.already_held")
        self.held[event.role, event.account] = event.sequence
        self._note(at, event.role, event.account, event.actor, granted=True)

    def _new_admin(self, at: Place, event: events.OfficerAppointed) -> None:
        """The first admin at the deployment, or a successor that waited as long as it must."""
        if not self._empty:
            accepted = self._pending is not None and self._pending[0] == event.account
            waited = self._pending is not None and self._pending[1] <= at.time
            right = accepted and waited and event.actor == event.account and self.admin == b""
            at.require(right, "rights.admin_step")
        self._empty = False
        self._pending = None
        self.admin = event.account

    def _dismiss(self, at: Place, event: events.OfficerDismissed) -> None:
        if event.role == DEFAULT_ADMIN_ROLE:
            successor, due = self._pending or (b"", at.time + 1)
            # By the successor that accepts, or by the admin itself that renounces to nobody.
            accepts = event.actor == successor
            renounces = event.actor == event.account and successor == bytes(20)
            at.require((accepts or renounces) and due <= at.time, "rights.admin_step")
            self.admin = b""
        elif event.actor != event.account or any(event.operation_id):
            self._require_admin(at, event.actor)
        at.require((event.role, event.account) in self.held, "rights.not_held")
        self.held.pop((event.role, event.account), None)
        self._note(at, event.role, event.account, event.actor, granted=False)

    def _note(self, at: Place, role: bytes, account: bytes, actor: bytes, *, granted: bool) -> None:
        name, programme_id = decode_role(role)
        change = RoleChange(at.block, at.time, name, programme_id, account, granted, actor)
        self.changes.append(change)
