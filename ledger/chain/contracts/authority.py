"""Authority: who may do what."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ledger.chain.contracts.contract import Contract, encode_call
from ledger.chain.rpc import BlockName
from ledger.domain.ids import ProgrammeId
from ledger.domain.keys import encode_key, encode_role


def encode_appoint(
    role: str, programme_id: ProgrammeId, account: bytes, operation_id: bytes
) -> bytes:
    """Give a role in a programme (0 for the whole alliance). Only the default admin."""
    return encode_call("Authority", "appoint", _name(role), programme_id, account, operation_id)


def encode_dismiss(
    role: str, programme_id: ProgrammeId, account: bytes, operation_id: bytes
) -> bytes:
    """Take a role from an account. Only the default admin."""
    return encode_call("Authority", "dismiss", _name(role), programme_id, account, operation_id)


def encode_pause(operation_id: bytes) -> bytes:
    """Stop the ledger. An alliance-wide guardian, or the default admin."""
    return encode_call("Authority", "pause", operation_id)


def encode_resume(operation_id: bytes) -> bytes:
    """Let the ledger go on. Only the default admin."""
    return encode_call("Authority", "resume", operation_id)


def encode_begin_admin_transfer(successor: bytes) -> bytes:
    """Name a successor of the default admin, who can accept after the delay."""
    return encode_call("Authority", "beginDefaultAdminTransfer", successor)


def encode_cancel_admin_transfer() -> bytes:
    """Withdraw the successor."""
    return encode_call("Authority", "cancelDefaultAdminTransfer")


def encode_accept_admin_transfer() -> bytes:
    """Become the default admin. Only the successor, after the delay."""
    return encode_call("Authority", "acceptDefaultAdminTransfer")


def encode_change_admin_delay(seconds: int) -> bytes:
    """Announce another delay for the transfers of the default admin."""
    return encode_call("Authority", "changeDefaultAdminDelay", seconds)


def encode_cancel_admin_delay() -> bytes:
    """Withdraw an announced delay that is not yet in force."""
    return encode_call("Authority", "rollbackDefaultAdminDelay")


@dataclass(frozen=True, slots=True)
class Handover:
    """What is announced of the default admin's office; times in seconds since 1970 UTC.

    successor: who was named, 20 bytes; zero where nobody is.
    acceptable_from: from when the successor can accept; 0 where nobody is named.
    next_delay: the delay of handovers from `delay_from` on; both 0 where none is announced.
    """

    successor: bytes
    acceptable_from: int
    next_delay: int
    delay_from: int


@dataclass(frozen=True, slots=True)
class Authority(Contract):
    """Reads of the Authority."""

    NAME: ClassVar[str] = "Authority"

    def is_officer(
        self, role: str, programme_id: ProgrammeId, account: bytes, *, at: BlockName
    ) -> bool:
        """Whether the account holds the role in the programme or alliance-wide."""
        return bool(self.read("isOfficer", _name(role), programme_id, account, at=at))

    def holds(self, role: str, programme_id: ProgrammeId, account: bytes, *, at: BlockName) -> bool:
        """Whether the account holds exactly this role."""
        return bool(self.read("hasRole", encode_role(role, programme_id), account, at=at))

    def appointed_at(
        self, role: str, programme_id: ProgrammeId, account: bytes, *, at: BlockName
    ) -> int:
        """The journal line by which the account got exactly this role; 0 where it has it not."""
        return int(self.read("appointedAt", _name(role), programme_id, account, at=at))

    def default_admin(self, *, at: BlockName) -> bytes:
        """The account that appoints officers, 20 bytes; zero where there is none."""
        return bytes(self.read("defaultAdmin", at=at))

    def admin_delay(self, *, at: BlockName) -> int:
        """Seconds that a successor of the default admin waits before accepting."""
        return int(self.read("defaultAdminDelay", at=at))

    def handover(self, *, at: BlockName) -> Handover:
        """What is announced of the default admin's office."""
        admin = self.read("pendingDefaultAdmin", at=at)
        delay = self.read("pendingDefaultAdminDelay", at=at)
        # OpenZeppelin's schedules are the last second of waiting.
        return Handover(
            bytes(admin["newAdmin"]),
            _after(int(admin["schedule"])),
            int(delay["newDelay"]),
            _after(int(delay["schedule"])),
        )

    def paused(self, *, at: BlockName) -> bool:
        """Whether the ledger is stopped."""
        return bool(self.read("paused", at=at))


def _after(schedule: int) -> int:
    return schedule + 1 if schedule else 0


def _name(role: str) -> bytes:
    # The contract knows the names and refuses others with an error of its own.
    return encode_key(role, "role")
