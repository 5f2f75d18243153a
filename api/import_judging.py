"""Judges a file that an officer sent, and writes it down when he says yes.

Judging changes nothing. It asks the chain for thousands of rows, so that few do so at once. What
was seen is compared with what would be done at the moment of saying yes: where it is otherwise by
then, it is shown again instead.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime

from fastapi import Request
from sqlalchemy import Connection

from api.answers import Reading, answers_of
from api.callers import Caller
from api.desk import ServerDesk
from api.edge import REQUEST_ID
from api.formats import show_bytes
from api.import_drafts import Draft, Drafts
from api.import_rights import ImportRights, choose_standing, programme_of
from api.rights import Standing
from ledger.domain.commands import NO_COMMITMENT
from ledger.domain.ids import ALLIANCE_WIDE, ProgrammeId
from ledger.errors import InvalidValue, NodeBusy, NotFound, RowsWrong
from ledger.mirror.queries.programmes import read_programme
from ledger.office.access_log import add_line
from ledger.outbox.times import now_in_milliseconds
from ledger.services.imports.bringing import Written, write_down
from ledger.services.imports.columns import Subject
from ledger.services.imports.kinds import Given
from ledger.services.imports.orders import order_import
from ledger.services.imports.planning import File, Plan
from ledger.services.imports.spool import Action, Spool
from ledger.services.spreadsheets.encodings import parse_encoding
from ledger.services.spreadsheets.tables import HowToRead

MOST_ROWS = 20_000
MOST_BYTES = 16 * 1024 * 1024
"""What one file may have here; the command line takes larger ones."""

_AT_ONCE = 2
_PATIENCE_SECONDS = 45.0
_MOST_LABEL = 64
_DAY_EXPECTED = "a day such as 2027-01-31"
_MOST_WAITING = 8
"""Who waits for his turn holds one of the threads that answer everybody else."""
_PLACES = threading.BoundedSemaphore(_AT_ONCE)
_WAITING = threading.BoundedSemaphore(_AT_ONCE + _MOST_WAITING)


@dataclass(frozen=True, slots=True)
class Judged:
    """A plan, by what right it is, and who may have what of it."""

    plan: Plan
    standing: Standing
    rights: ImportRights
    draft: Draft


def drafts_of(request: Request) -> Drafts:
    """The drafts of the application that serves the request."""
    drafts: Drafts = request.app.state.import_drafts
    return drafts


@contextmanager
def judging(
    request: Request, caller: Caller, draft: Draft, evidence: bytes = NO_COMMITMENT
) -> Iterator[Judged]:
    """Judge a draft's file. `evidence` is of rows that name none.

    Raises InvalidFile, InvalidValue, ImportUnfinished, what `stand` raises, ContractRefused,
    NodeProblem; NodeBusy where too many do so, NotFound where the draft went or was sent meanwhile.
    """
    desk: ServerDesk = request.app.state.desk
    subject = Subject(draft.kind)
    standing, programme_id = _standing(request, caller, subject, draft.given, desk)
    with _own_turn():
        drafts = drafts_of(request)
        if drafts.find(draft.name, draft.account).is_sent:  # while it waited for its turn
            raise NotFound(what="preview of an import", key=draft.name)
        with drafts.judging(draft) as spool:
            rights = ImportRights(answers_of(request).read, caller, subject, standing.signer)
            file = File(
                subject,
                drafts.path(draft),
                standing.signer.address,
                _given(subject, draft.given, programme_id, evidence),
                _how(draft.given),
                bool(draft.given.get("allow_equal_rows")),
                draft.file_name,
            )
            plan = Plan(desk.opened(), file, spool, lambda _step, _done, _total: None, rights)
            plan.judge()
            found = _describe(draft, plan, standing)
            drafts.keep(found)
            yield Judged(plan, standing, rights, found)


@contextmanager
def _own_turn() -> Iterator[None]:
    if not _WAITING.acquire(blocking=False):
        raise NodeBusy(most=_AT_ONCE)
    try:
        if not _PLACES.acquire(timeout=_PATIENCE_SECONDS):
            raise NodeBusy(most=_AT_ONCE)
        try:
            yield
        finally:
            _PLACES.release()
    finally:
        _WAITING.release()


def bring(request: Request, caller: Caller, judged: Judged, *, skip_wrong: bool) -> None:
    """Write an import down, to be sent by whoever has the key; all of it in one commit.

    Raises RowsWrong, and AccessDenied where it is more than the caller may have.
    """
    plan = judged.plan
    wrong = judged.plan.counts()[Action.WRONG]
    if wrong and not skip_wrong:
        shown = plan.file.shown_name
        raise RowsWrong(wrong=f"{wrong:,}", rows=f"{plan.line_count:,}", path=shown)

    def note(connection: Connection, written: Sequence[Written]) -> None:
        judged.rights.note(connection, written)
        now = now_in_milliseconds()
        order_import(connection, plan.import_id, caller.account, now=now)
        add_line(
            connection,
            at=now,
            account=show_bytes(caller.account),
            via=caller.via,
            action="import.asked",
            subject=show_bytes(plan.import_id),
            detail=_detail(judged, written),
        )

    desk: ServerDesk = request.app.state.desk
    write_down(desk.opened(), plan, note)
    desk.tell_imports()


def _detail(judged: Judged, written: Sequence[Written]) -> dict[str, object]:
    plan = judged.plan
    return {
        "kind": plan.file.subject.value,
        "content_hash": show_bytes(plan.content_hash),
        "rows": plan.line_count,
        "to_send": sum(len(each.values) for each in written),
        "operations": len(written),
        "signed_by": show_bytes(judged.standing.signer.address),
        "offices": sorted(judged.standing.offices),
        "request_id": REQUEST_ID.get(),
    }


def _standing(
    request: Request, caller: Caller, subject: Subject, given: Mapping[str, str], desk: ServerDesk
) -> tuple[Standing, ProgrammeId]:
    key = given.get("programme", "") if subject is not Subject.ORGANISATIONS else ""
    signers = desk.signers()

    def resolve(reading: Reading) -> tuple[Standing, ProgrammeId]:
        programme_id = ALLIANCE_WIDE
        if key:
            programme_id = read_programme(reading.connection, reading.moment, key).programme_id
        return choose_standing(reading, caller, subject, programme_id, signers), programme_id

    return answers_of(request).read(resolve)


def _given(
    subject: Subject, given: Mapping[str, str], programme_id: ProgrammeId, evidence: bytes
) -> Given:
    label = given.get("label", "")
    if len(label) > _MOST_LABEL or not label.isprintable():
        expected = f"at most {_MOST_LABEL} characters in one line"
        raise InvalidValue(field="label", value=label[:_MOST_LABEL], expected=expected)
    if subject is Subject.ORGANISATIONS:
        return Given()
    if subject is Subject.MEMBERSHIPS:
        return Given(programme=programme_id, label=label, expires=_day(given.get("expires", "")))
    # What awards rest on was said in the form, were it that there is nothing.
    return Given(programme=programme_id, label=label, evidence=evidence)


def _day(text: str) -> int:
    if not text:
        return 0
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise InvalidValue(field="until", value=text[:20], expected=_DAY_EXPECTED) from error
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def _how(given: Mapping[str, str]) -> HowToRead:
    return HowToRead(
        encoding=parse_encoding(given.get("encoding", "")),
        sheet=given.get("sheet", "")[:100],
        cached_formulas=bool(given.get("cached_formulas")),
        most_rows=MOST_ROWS,
    )


def _describe(draft: Draft, plan: Plan, standing: Standing) -> Draft:
    """What is noted of a draft that was judged."""
    return replace(
        draft,
        import_id=plan.import_id.hex(),
        signer=show_bytes(standing.signer.address),
        is_own_key=standing.is_own_key,
        rows=plan.line_count,
        counts={action.value: count for action, count in plan.counts().items()},
        totals=_totals(plan),
        seen=_seen(plan.spool),
    )


def _totals(plan: Plan) -> tuple[tuple[int, int, int], ...]:
    subject = plan.file.subject
    found: dict[int, tuple[int, int]] = {}
    for group in plan.spool.groups():
        place = int(programme_of(subject, group))
        rows, total = found.get(place, (0, 0))
        for items in plan.spool.to_send(group):
            rows += len(items)
            if subject is Subject.AWARDS:
                total += sum(int(item.values[1]) for item in items)
        found[place] = (rows, total)
    return tuple((place, *sums) for place, sums in found.items())


def _seen(spool: Spool) -> str:
    hasher = hashlib.sha256()
    for line in spool.lines():
        hasher.update(f"{line.line}\n{line.action.value}\n{line.shown}\n".encode())
    return hasher.hexdigest()
