"""What an officer may have imported: as the API lets him command it, row by row.

The offices are those of the single commands, in every programme that a row names; and where another
key signs for an issuer, his own budget binds the rows as it binds his awards one by one. Each batch
is noted as asked for by him, so that the next one counts it.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import Connection

from api.answers import Reading
from api.callers import Caller
from api.commanding.offices import ISSUERS, REGISTRARS
from api.rights import Allowance, Standing, find_allowance, places_held, stand, stand_by
from ledger.chain.signers import KeySigner
from ledger.domain.ids import ALLIANCE_WIDE, ProgrammeId
from ledger.errors import AccessDenied, ServerCannotSign
from ledger.office.asked import Asked, Stage, credits_asked_for, note_written
from ledger.services.imports.bringing import Written
from ledger.services.imports.columns import Subject
from ledger.services.imports.kinds import Limit
from ledger.services.spreadsheets.tables import Problem

OFFICES: Mapping[Subject, tuple[str, ...]] = {
    Subject.AWARDS: ISSUERS,
    Subject.MEMBERSHIPS: REGISTRARS,
    Subject.ORGANISATIONS: ("registrar",),
}
"""Who may have what imported: as of the commands `awards`, `admissions`, `registrations`."""

_T = TypeVar("_T")
Read = Callable[[Callable[[Reading], _T]], _T]


def programme_of(subject: Subject, group: str) -> ProgrammeId:
    """The programme that a group's rows are of; the whole alliance for organisations."""
    if subject is Subject.ORGANISATIONS:
        return ALLIANCE_WIDE
    return ProgrammeId(int(group.partition("\n")[0]))


def choose_standing(
    reading: Reading,
    caller: Caller,
    subject: Subject,
    programme_id: ProgrammeId,
    signers: Mapping[bytes, KeySigner],
) -> Standing:
    """By what right an officer imports, and which key signs all of it.

    `programme_id` is of rows that name none; where there is none, the office of the whole alliance
    counts, or that in the one programme where he holds it. Raises as `stand`.
    """
    roles = OFFICES[subject]
    if not programme_id and subject is not Subject.ORGANISATIONS:
        places = places_held(reading, caller.account, roles)
        if ALLIANCE_WIDE not in places and len(places) == 1:
            programme_id = ProgrammeId(next(iter(places)))
    return stand(reading, caller, roles, programme_id, signers)


@dataclass(slots=True)
class _OwnLimit:
    """An issuer's own budget, as the rows use it up; and after it what the chain counts."""

    most: int
    inner: Limit
    per_award: int
    left: int
    used: int = 0

    def refuse(self, values: Sequence[Any]) -> Problem | None:
        amount = int(values[1])
        bounds = (
            (self.per_award, "the most that the issuer may give in one award"),
            (self.left - self.used, "what the issuer's budget leaves this epoch"),
        )
        for left, meaning in bounds:
            if amount > left:
                expected = f"within {meaning}: {max(left, 0)}, after the rows before it"
                return Problem("amount", str(amount), expected)
        problem = self.inner.refuse(values)
        if problem is None:
            self.used += amount
        return problem


class ImportRights:
    """What bounds the rows of one import: see `ledger.services.imports.planning.Bounds`."""

    def __init__(
        self, read: Callable[..., Any], caller: Caller, subject: Subject, signer: KeySigner
    ) -> None:
        self._read = read
        self._caller = caller
        self._subject = subject
        self._signer = signer
        self._allowances: dict[ProgrammeId, Allowance | None] = {}

    def refuse(self, group: str) -> Problem | None:
        """Why no row of a group is the caller's to ask for. Raises RightsUnknown."""
        programme_id = programme_of(self._subject, group)
        try:
            self._allowances[programme_id] = self._read(
                lambda reading: self._allowance(reading, programme_id)
            )
        except (AccessDenied, ServerCannotSign) as error:
            sentence = f"{error} {error.advice}".strip()
            return Problem("programme", str(programme_id or ""), error.code, sentence)
        return None

    def limit(self, group: str, limit: Limit) -> Limit:
        """His own budget, where another's key signs."""
        allowance = self._allowances.get(programme_of(self._subject, group))
        if allowance is None:
            return limit
        asked = self._read(lambda reading: self._asked(reading, allowance))
        left = allowance.ceiling.most - asked
        return _OwnLimit(limit.most, limit, allowance.per_award, left)

    def note(self, connection: Connection, written: Sequence[Written]) -> None:
        """Note what is asked for, in the transaction that writes it down.

        Raises AccessDenied where it is more than he may have by now.
        """
        now = time.time_ns() // 1_000_000
        for each in written:
            programme_id = programme_of(self._subject, each.group)
            is_award = self._subject is Subject.AWARDS
            total = sum(int(values[1]) for values in each.values) if is_award else 0
            operation_id = each.request.operation_id
            asked = Asked(
                account=self._caller.account,
                # No request can have it: a key of theirs has no space.
                idempotency_key=f"import {operation_id.hex()}",
                body_hash=hashlib.sha256(each.request.calldata).digest(),
                operation_id=operation_id,
                command=each.request.command,
                programme_id=programme_id,
                credits=total,
                asked_at=now,
                stage=Stage.ACCEPTED,
            )
            note_written(connection, asked)
        for programme_id in {programme_of(self._subject, each.group) for each in written}:
            allowance = self._allowances.get(programme_id)
            if allowance is not None:  # by now nobody else writes here
                allowance.ceiling.check(connection, self._caller)

    def _allowance(self, reading: Reading, programme_id: ProgrammeId) -> Allowance | None:
        roles = OFFICES[self._subject]
        standing = stand_by(reading, self._caller, roles, programme_id, self._signer)
        return find_allowance(reading, standing) if self._subject is Subject.AWARDS else None

    def _asked(self, reading: Reading, allowance: Allowance) -> int:
        since = allowance.ceiling.since * 1000
        programme_id = allowance.ceiling.programme_id
        return credits_asked_for(
            reading.connection, self._caller.account, programme_id, since=since
        )
