"""What the commands of `moonlake application` share: a case by its id, and how it is shown."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.chain.addresses import show_address
from ledger.cli.output import show
from ledger.cli.view import programme_id_of, show_time
from ledger.config import Settings
from ledger.errors import InvalidValue

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from ledger.domain.ids import ProgrammeId
    from ledger.office.cases import Case

# ruff: noqa: PLC0415  SQLAlchemy takes a second, and --help must not wait for it

ApplicationArgument = Annotated[str, typer.Argument(help="An application's id, 0x….")]
ByOption = Annotated[str, typer.Option(help="Who does this, as the log shall name them.")]
APPLICATION_ID = re.compile(r"0x[0-9a-fA-F]{64}")


@contextmanager
def writing_cases(settings: Settings) -> Iterator[Connection]:
    """A transaction of the database that cases stand in."""
    from ledger.store.engine import writing
    from ledger.wiring import opened_database

    with opened_database(settings) as engine, writing(engine) as connection:
        yield connection


@contextmanager
def reading_cases(settings: Settings) -> Iterator[Connection]:
    """The same, for reading alone."""
    from ledger.store.engine import reading
    from ledger.wiring import opened_database

    with opened_database(settings) as engine, reading(engine) as connection:
        yield connection


def programme_ids_of(settings: Settings, cases: Sequence[Case]) -> dict[str, ProgrammeId]:
    """The ids of the programmes that the cases are of, by key."""
    return {key: programme_id_of(settings, key) for key in {case.programme for case in cases}}


def parse_application(text: str) -> bytes:
    """An application's id, 32 bytes. Raises InvalidValue."""
    if not APPLICATION_ID.fullmatch(text):
        raise InvalidValue(field="application", value=text, expected="0x and 64 hex digits")
    return bytes.fromhex(text[2:])


def now() -> int:
    """Seconds since 1970."""
    return int(time.time())


def name_of_applicant(case: Case) -> str:
    """What it calls itself; empty where it has said nothing yet."""
    if case.form is None:
        return f"organisation {case.org_id}" if case.org_id is not None else ""
    return " ".join(each for each in (case.form.name_zh, case.form.name_en) if each)


def describe_case(case: Case) -> dict[str, Any]:
    """A case for JSON."""
    return {
        "application_id": case.shown,
        "programme": case.programme,
        "state": case.state.value,
        "org_id": case.org_id,
        "controller": None if case.controller is None else show_address(case.controller),
        "name": name_of_applicant(case),
        "tier": case.tier,
        "expires_at": None if case.expires_at is None else show_time(case.expires_at),
        "reason": case.reason,
        "recommended_by": case.recommended_by,
        "confirmed_by": case.confirmed_by,
        "has_consent": case.consent is not None,
        "opened_at": show_time(case.opened_at),
        "updated_at": show_time(case.updated_at),
    }


def show_case(case: Case, done: str, *, as_json: bool) -> None:
    """Say what was done with an application."""
    text = f"Application {case.shown} is {done}."
    show({"application": describe_case(case)}, text, as_json=as_json)


def show_cases(cases: Sequence[Case], done: str, *, as_json: bool) -> None:
    """Say what was done with several."""
    text = "\n".join(f"Application {case.shown} is {done}." for case in cases)
    show({"applications": [describe_case(case) for case in cases]}, text, as_json=as_json)
