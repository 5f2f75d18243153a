"""An import at the desk: how far it is, what came of each row, and going on where it stands still.

Whoever holds the office that an import takes may see it; to go on with it, and to take back what is
not sent, is for who asked this server for it.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fastapi import APIRouter, Request, Response
from fastapi.responses import FileResponse
from sqlalchemy import Engine
from starlette.types import Receive, Scope, Send

from api.answers import Reading, answers_of
from api.callers import Caller
from api.console.desk import import_words as words
from api.console.desk.acting import desk_page, require_roles, to
from api.console.desk.forms import Form, Officer, Sender, SentForm, Trouble
from api.console.desk.imports import SHOWN, after_of, kinds_of, order_of
from api.console.languages import Language
from api.desk import ServerDesk
from api.import_rights import OFFICES
from api.keeping import NOT_KEPT
from api.office import writing_office
from api.problems import redact_urls
from api.spreadsheets import CSV_TYPE
from ledger.disks import folder_unusable
from ledger.domain.ids import ALLIANCE_WIDE
from ledger.errors import AccessDenied, NotFound
from ledger.office.asked import programmes_asked_for
from ledger.outbox.times import now_in_milliseconds
from ledger.services.imports import journal
from ledger.services.imports.columns import Subject
from ledger.services.imports.orders import ImportOrder, Stage, set_going
from ledger.services.imports.results import Result, read_results, summarise, write_results
from ledger.services.imports.withdrawing import cancel_unsent

router = APIRouter(include_in_schema=False)

GO_ON, TAKE_BACK = "go_on", "take_back"
_IMPORT_ID = re.compile(r"[0-9a-f]{12,64}")
_WRONG_LINES = (journal.WRONG, journal.FAILED, journal.CANCELLED)


@router.get("/desk/imports/{import_id}")
def one_import(request: Request, import_id: str, caller: Officer) -> Response:
    """An import: how far it is, and what came of each row."""

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        found = _find(reading, caller, import_id)
        order = order_of(reading, found, now_in_milliseconds())
        summary = summarise(reading.connection, found)
        is_running = order is not None and order.stage is Stage.RUNNING
        return {
            "found": found,
            "kind": Subject(found.kind),
            "summary": summary,
            "done": sum(summary.counts.get(each, 0) for each in ("included", "final", "there")),
            "order": order,
            "is_own": order is not None and order.account == caller.account,
            "trouble": _trouble(order),
            "is_followed": is_running or not _is_settled(summary.counts),
            "form": Form({}),
            **_results(request, found),
            "after": after_of(request),
            "refusal_in": words.refusal_in,
            "say": lambda text: words.say_result(language, Subject(found.kind), text),
        }

    return desk_page(request, caller, "desk_import.html", build)


@router.post("/desk/imports/{import_id}")
def change_import(request: Request, import_id: str, form: SentForm, caller: Sender) -> Response:
    """Go on with an import that stands still, or take back what is not sent of it."""

    def check(reading: Reading) -> journal.Import:
        found = _find(reading, caller, import_id)
        places = require_roles(reading, caller, OFFICES[Subject(found.kind)])
        order = order_of(reading, found, now_in_milliseconds())
        if order is None or order.account != caller.account:
            needed = "an import is for who asked this server for it"
            raise AccessDenied(account=caller.address, needed=needed)
        if form.step == GO_ON and ALLIANCE_WIDE not in places:
            _check_office(reading, caller, found, places)
        return found

    found = answers_of(request).read(check)
    if form.step == TAKE_BACK:
        engine: Engine = request.app.state.office
        cancel_unsent(engine, found)
    elif form.step == GO_ON:
        with writing_office(request) as connection:
            now = now_in_milliseconds()
            set_going(connection, found.import_id, caller.account, now=now)
        desk: ServerDesk = request.app.state.desk
        desk.tell_imports()
    return to(f"/desk/imports/{found.import_id.hex()}")


@router.get("/desk/imports/{import_id}/results.csv")
def results_file(request: Request, import_id: str, caller: Officer) -> Response:
    """Every row's result, as a table."""
    found = answers_of(request).read(lambda reading: _find(reading, caller, import_id))
    engine: Engine = request.app.state.office
    try:
        handle, path = tempfile.mkstemp(suffix=".csv", prefix="moonlake-results-")
    except OSError as error:
        raise folder_unusable(Path(tempfile.gettempdir()), error) from error
    os.close(handle)
    try:
        write_results(Path(path), engine, found)
    except BaseException:
        Path(path).unlink(missing_ok=True)
        raise
    headers = {
        "Content-Disposition": f'attachment; filename="{found.kind}-{found.name}.results.csv"',
        "Accept-Ranges": "none",
        **NOT_KEPT,
    }
    return _PassingFile(path, media_type=CSV_TYPE, headers=headers)


class _PassingFile(FileResponse):
    """A file that is gone once it was answered with, however that ended.

    It is sent whole: made anew for each request, its parts would be of different files.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""
        kept = [each for each in scope["headers"] if each[0] != b"range"]
        try:
            await super().__call__({**scope, "headers": kept}, receive, send)
        finally:
            Path(self.path).unlink(missing_ok=True)


def _check_office(
    reading: Reading, caller: Caller, found: journal.Import, places: frozenset[int]
) -> None:
    """See that he still holds the office wherever something is left to do. Raises AccessDenied."""
    left = journal.open_batches(reading.connection, found.import_id)
    wanted = programmes_asked_for(reading.connection, [each.request.operation_id for each in left])
    if not wanted <= places:
        needed = "it takes the office in every programme of which rows are left"
        raise AccessDenied(account=caller.address, needed=needed)


def _find(reading: Reading, caller: Caller, import_id: str) -> journal.Import:
    """An import of a kind that the caller's office is for. Raises NotFound."""
    missing = NotFound(what="import", key=import_id[:64])
    if not _IMPORT_ID.fullmatch(import_id):
        raise missing
    found = journal.find_import(reading.connection, import_id)
    if Subject(found.kind) not in kinds_of(reading, caller):
        raise missing
    return found


def _results(request: Request, found: journal.Import) -> dict[str, Any]:
    """Some rows' results, from where the reader is; and the first of those that came to nothing."""
    engine: Engine = request.app.state.office
    rows = _some(engine, found, after_of(request))
    return {
        "results": rows[:SHOWN],
        "next_after": rows[SHOWN - 1].line if len(rows) > SHOWN else 0,
        "troubled": _some(engine, found, -1, _WRONG_LINES)[:SHOWN],
    }


def _some(
    engine: Engine, found: journal.Import, after: int, states: tuple[str, ...] = ()
) -> list[Result]:
    rows = []
    for each in read_results(engine, found, after=after, states=states):
        rows.append(each)
        if len(rows) > SHOWN:
            break
    return rows


def _trouble(order: ImportOrder | None) -> Trouble | None:
    if order is None or not order.code:
        return None
    return Trouble(
        "", order.code, redact_urls(order.sentence), "", words.refusal_in(order.sentence)
    )


def _is_settled(counts: Mapping[str, int]) -> bool:
    return not any(counts.get(each) for each in ("waiting", "accepted", "sent"))
