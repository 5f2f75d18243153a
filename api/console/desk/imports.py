"""Importing a table at the desk: send it, see what each row would do, say yes, follow it.

The file is judged by what judges it on the command line, and by the offices of who sends it.
Nothing is done before somebody says yes to what he saw; loading a page again, or saying yes twice,
does nothing twice.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Request, Response
from fastapi.concurrency import run_in_threadpool

from api.answers import Reading, answers_of
from api.callers import Caller, check_session
from api.console.desk import import_words as words
from api.console.desk.acting import desk_page, places_of, require_roles, to
from api.console.desk.forms import (
    Form,
    Officer,
    Sender,
    SentForm,
    Trouble,
    form_of,
    require_officer,
)
from api.console.desk.grounds import check_ground, evidence_of
from api.console.languages import Language
from api.desk import ServerDesk
from api.formats import show_bytes
from api.import_drafts import Draft
from api.import_judging import (
    MOST_BYTES,
    MOST_ROWS,
    Judged,
    bring,
    drafts_of,
    judging,
)
from api.import_rights import OFFICES
from api.keeping import NOT_KEPT
from api.office import reading_office
from api.problems import status_of
from api.rights import budgets_left
from api.schemas.commands import commitment_of
from api.spreadsheets import CSV_TYPE, write_csv
from api.uploads import SentFile, received_form
from ledger.domain.ids import ALLIANCE_WIDE
from ledger.domain.texts import printable
from ledger.errors import AccessDenied, ImportUnfinished, InvalidValue, LedgerError, NotFound
from ledger.mirror.queries.accounts import read_roles
from ledger.mirror.queries.programmes import read_programmes
from ledger.outbox.times import now_in_milliseconds
from ledger.services.imports import journal
from ledger.services.imports.columns import Subject, headings_of
from ledger.services.imports.orders import ImportOrder, find_order
from ledger.services.imports.results import summarise
from ledger.services.imports.spool import Action, Line

router = APIRouter(include_in_schema=False)

SEND, DROP = "send", "drop"
CONFLICT = 409
SHOWN = 100
_LISTED = 50
_MOST_NAME = 80
_OF_FILE: tuple[str, ...] = (
    *("programme", "expires", "label", "sheet", "encoding", "cached_formulas"),
    *("allow_equal_rows", "ground", "reason_zh", "reason_en", "commitment"),
)

KindPath = Annotated[Subject, Path()]


@dataclass(frozen=True, slots=True)
class Upload:
    """A form with a file, and whose it is."""

    form: Form
    file: SentFile | None
    caller: Caller


async def _read_upload(request: Request) -> AsyncIterator[Upload]:
    """Read it for who is signed in, and for nobody else: its token comes with the fields."""
    await run_in_threadpool(check_session, request)
    async with received_form(request) as (pairs, file):
        form = form_of(request, pairs)
        yield Upload(form, file, await run_in_threadpool(require_officer, request))


Sent = Annotated[Upload, Depends(_read_upload)]


@router.get("/desk/imports")
def list_imports(request: Request, caller: Officer) -> Response:
    """What was imported, and ways to import more."""

    def build(reading: Reading, _language: Language) -> Mapping[str, Any]:
        kinds = kinds_of(reading, caller)
        found = [
            each
            for each in journal.list_imports(reading.connection, limit=_LISTED)
            if each.kind in kinds
        ]
        now = now_in_milliseconds()
        return {
            "kinds": kinds,
            "imports": [
                (each, summarise(reading.connection, each), order_of(reading, each, now))
                for each in found
            ],
        }

    return desk_page(request, caller, "desk_imports.html", build)


@router.get("/desk/imports/new/{kind}")
def new_import(request: Request, kind: KindPath, caller: Officer) -> Response:
    """A form that sends a table."""
    return _show_form(request, caller, kind, Form({}))


@router.get("/desk/imports/new/{kind}/table.csv")
def empty_table(request: Request, kind: KindPath, caller: Officer) -> Response:  # noqa: ARG001
    """An empty table with the headings, in the reader's language."""
    is_chinese = request.app.state.pages.language_of(request).is_chinese
    body = write_csv(headings_of(kind, chinese=is_chinese), [])
    headers = {"Content-Disposition": f'attachment; filename="{kind.value}.csv"', **NOT_KEPT}
    return Response(body, media_type=CSV_TYPE, headers=headers)


@router.post("/desk/imports")
def send_table(request: Request, sent: Sent) -> Response:
    """Take a table in and judge it; nothing is done yet."""
    form, caller = sent.form, sent.caller
    try:
        kind = Subject(form.text("kind"))
    except ValueError as error:
        expected = "awards, memberships or organisations"
        raise InvalidValue(field="kind", value=form.text("kind")[:40], expected=expected) from error
    answers_of(request).read(lambda reading: require_roles(reading, caller, OFFICES[kind]))
    drafts = drafts_of(request)
    draft = None
    try:
        file = _require_file(sent.file)
        if kind is Subject.AWARDS:
            check_ground(form)
        given = {name: form.text(name) for name in _OF_FILE if form.text(name)}
        name = _name_of(file.name)
        asked = Draft("", show_bytes(caller.account), kind.value, name, given, 0)
        draft = drafts.add(asked, file.content)
        with judging(request, caller, draft):
            pass
    except LedgerError as error:
        if draft is not None:
            drafts.drop(draft)
        return _show_form(request, caller, kind, form, error)
    return to(f"/desk/imports/previews/{draft.name}")


@router.get("/desk/imports/previews/{name}")
def preview(request: Request, name: str, caller: Officer) -> Response:
    """What each row of a table would do."""
    draft = drafts_of(request).find(name, show_bytes(caller.account))
    if draft.is_sent:
        return to(f"/desk/imports/{draft.import_id}")
    return _show_preview(request, caller, draft, 200)


@router.post("/desk/imports/previews/{name}")
def confirm(request: Request, name: str, form: SentForm, caller: Sender) -> Response:
    """Say yes to a table, or forget it."""
    drafts = drafts_of(request)
    draft = drafts.find(name, show_bytes(caller.account))
    place = f"/desk/imports/{draft.import_id if draft.is_sent else 'previews/' + draft.name}"
    if form.step == DROP and not draft.is_sent:
        drafts.drop(draft)
        place = "/desk/imports"
    if form.step != SEND or draft.is_sent:
        return to(place)
    try:
        outcome = _carry_out(request, caller, draft, form)
    except LedgerError as error:
        if _is_sent(request, caller, name):  # by the same form, a moment ago
            return to(f"/desk/imports/{draft.import_id}")
        return _show_preview(request, caller, draft, int(status_of(type(error))), error)
    if outcome is not None:
        return to(f"/desk/imports/{outcome.import_id}")
    now = drafts.find(name, draft.account)
    if now.is_sent:
        return to(f"/desk/imports/{now.import_id}")
    return _show_preview(request, caller, now, CONFLICT, has_changed=True)


# --- saying yes -----------------------------------------------------------------------------------


def _carry_out(request: Request, caller: Caller, draft: Draft, form: Form) -> Draft | None:
    """Judge a table again, and write it down where it is as it was shown; None where it is not.

    What was shown, the form itself says: another window, or an impatient second press of the
    button, may have been shown something else since.
    """
    evidence = bytes(32)
    if draft.kind == Subject.AWARDS.value:
        text, _is_none = evidence_of(request, caller, Form(draft.given))
        evidence = commitment_of(text)
    with judging(request, caller, draft, evidence) as judged:
        if not _was_brought(request, caller, judged):
            if judged.draft.seen != form.text("seen"):
                return None
            _check_sendable(caller, judged)
            bring(request, caller, judged, skip_wrong=bool(form.text("skip_wrong")))
        drafts_of(request).close(judged.draft)  # before another window has its turn
    return judged.draft


def _was_brought(request: Request, caller: Caller, judged: Judged) -> bool:
    """Whether the same yes was said before, here or in another window."""
    if judged.plan.counts()[Action.SEND]:
        return False
    with reading_office(request) as connection:
        order = find_order(connection, judged.plan.import_id, now=now_in_milliseconds())
    return order is not None and order.account == caller.account


def _check_sendable(caller: Caller, judged: Judged) -> None:
    counts = judged.plan.counts()
    if not counts[Action.SEND] + counts[Action.WAITING] and not counts[Action.WRONG]:
        raise InvalidValue(field="file", value="", expected="a table in which something is to do")
    for group in judged.plan.spool.groups(Action.WAITING):
        problem = judged.rights.refuse(group)
        if problem is not None:
            raise AccessDenied(account=caller.address, needed=str(problem))


def _is_sent(request: Request, caller: Caller, name: str) -> bool:
    try:
        return drafts_of(request).find(name, show_bytes(caller.account)).is_sent
    except NotFound:
        return False


def _require_file(file: SentFile | None) -> SentFile:
    if file is None or not file.size:
        raise InvalidValue(field="file", value="", expected="a table with something in it")
    if file.size > MOST_BYTES:
        expected = f"a table of at most {MOST_BYTES // 1024 // 1024} MiB"
        raise InvalidValue(field="size", value=str(file.size), expected=expected)
    return file


def _name_of(name: str) -> str:
    """What people call a file, without the folders that some browsers tell."""
    last = printable(name.replace("\\", "/").rpartition("/")[2].strip())
    return last[-_MOST_NAME:] or "table"


# --- pages ----------------------------------------------------------------------------------------


def _show_form(
    request: Request,
    caller: Caller,
    kind: Subject,
    form: Form,
    error: LedgerError | None = None,
) -> Response:
    desk: ServerDesk = request.app.state.desk
    told = form if error is None else form.wrong(Trouble.of(error, {}))
    status = 200 if error is None else int(status_of(type(error)))

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        places = require_roles(reading, caller, OFFICES[kind])
        return {
            "form": told,
            "kind": kind,
            "places": places,
            "is_everywhere": ALLIANCE_WIDE in places,
            "columns": headings_of(kind, chinese=language.is_chinese),
            "about_file": "" if error is None else words.say_file(language, error),
            "unfinished": _unfinished(error),
            "most_rows": MOST_ROWS,
            "most_mib": MOST_BYTES // 1024 // 1024,
            "budgets": (
                budgets_left(reading, caller.account, desk.signers())
                if kind is Subject.AWARDS
                else []
            ),
        }

    return desk_page(request, caller, "desk_import_new.html", build, status=status)


def _show_preview(
    request: Request,
    caller: Caller,
    draft: Draft,
    status: int,
    error: LedgerError | None = None,
    *,
    has_changed: bool = False,
) -> Response:
    desk: ServerDesk = request.app.state.desk
    kind, after = Subject(draft.kind), after_of(request)
    only = request.query_params.get("show", "")
    wanted = tuple(each for each in Action if each.value == only)
    with drafts_of(request).rows(draft) as spool:
        lines = list(spool.lines(*wanted, limit=SHOWN + 1, after=after))
    form = Form({})
    told = form if error is None else form.wrong(Trouble.of(error, {}))

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        budgets = budgets_left(reading, caller.account, desk.signers())
        return {
            "form": told,
            "draft": draft,
            "signer": bytes.fromhex(draft.signer[2:]),
            "kind": kind,
            "counts": draft.counts or {},
            "lines": [_shown(language, kind, each) for each in lines[:SHOWN]],
            "next_after": lines[SHOWN - 1].line if len(lines) > SHOWN else 0,
            "after": after,
            "only": only if wanted else "",
            "by_id": {each.programme_id: each.key for each in _programmes(reading)},
            "budgets": {each.programme_id: each for each in budgets},
            "has_changed": has_changed,
            "about_file": "" if error is None else words.say_file(language, error),
            "unfinished": _unfinished(error),
        }

    return desk_page(request, caller, "desk_import_preview.html", build, status=status)


@dataclass(frozen=True, slots=True)
class ShownLine:
    """A row of a preview, in the reader's language."""

    line: int
    reference: str
    action: str
    what: str
    note: str
    wrong: list[words.Wrong]


def _shown(language: Language, kind: Subject, line: Line) -> ShownLine:
    return ShownLine(
        line.line,
        line.reference,
        line.action.value,
        words.say(language, line.shown) if line.shown else "",
        words.say(language, line.note) if line.note else "",
        words.say_wrong(language, kind, line),
    )


def after_of(request: Request) -> int:
    """Behind which row the reader goes on; -1 for the beginning."""
    text = request.query_params.get("after", "")
    return int(text) if re.fullmatch("[0-9]{1,9}", text) else -1


def _programmes(reading: Reading) -> list[Any]:
    return list(read_programmes(reading.connection, reading.moment))


def kinds_of(reading: Reading, caller: Caller) -> list[Subject]:
    """What the caller may have imported somewhere."""
    held = read_roles(reading.connection, reading.moment, caller.account)
    return [kind for kind, roles in OFFICES.items() if places_of(held, roles)]


def order_of(reading: Reading, found: journal.Import, now: int) -> ImportOrder | None:
    """Who asked a server for an import, where somebody did."""
    return find_order(reading.connection, found.import_id, now=now)


def _unfinished(error: LedgerError | None) -> str:
    """The import that has to be finished first, by the first digits of its id."""
    return str(error.values["import_id"]) if isinstance(error, ImportUnfinished) else ""
