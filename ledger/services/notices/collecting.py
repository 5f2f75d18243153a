"""Finds what members are to be told: ends that come near, new entries, decided applications.

Only what is final is told of the chain. Whom it is told to are an organisation's contacts with an
address, and the contact in an applicant's form. From the first look on, never of what was before.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from sqlalchemy import Connection, Engine, insert, select, update

from ledger.domain.events import EntryKind
from ledger.mirror.queries.versions import is_last_version
from ledger.mirror.state import MirrorState, read_state
from ledger.office.cases import CaseState, list_decided
from ledger.office.contacts import read_contacts
from ledger.office.notices import Notice, forget_sent, notice_id_of, queue_notice
from ledger.office.profiles import Subject
from ledger.services.notices.expiring import list_expiring
from ledger.store.engine import writing
from ledger.store.mirror_tables import entries, mirror_state, organisation_versions
from ledger.store.office_tables import notice_cursor, profiles

BLOCKS_AT_ONCE = 1000


def collect(engine: Engine, *, now: int) -> int:
    """Queue all that there is to tell since the last time; how many. `now` is in milliseconds."""
    with writing(engine) as connection:
        if connection.execute(select(mirror_state.c.id)).one_or_none() is None:
            return 0
        state = read_state(connection)
        final = min(state.final_number, state.cursor.number)
        cursor = connection.execute(select(notice_cursor)).one_or_none()
        if cursor is None or bytes(cursor.genesis_hash) != state.genesis_hash:
            _keep(connection, state.genesis_hash, final, now // 1000)
            cursor = connection.execute(select(notice_cursor)).one()
        last = min(final, cursor.block_number + BLOCKS_AT_ONCE)
        made = _tell_expiring(connection, state, now)
        made += _tell_entries(connection, state.genesis_hash, cursor.block_number + 1, last, now)
        made += _tell_decided(connection, cursor.cases_at, now)
        _keep(connection, state.genesis_hash, max(last, cursor.block_number), now // 1000)
        forget_sent(connection, now=now)
    return made


def _tell_expiring(connection: Connection, state: MirrorState, now: int) -> int:
    made = 0
    for each in list_expiring(connection, state, now=now // 1000):
        facts = {"programme": each.programme, "expires_at": each.expires_at, "days": each.days}
        subject = (each.programme_id, each.org_id, each.expires_at, each.days)
        made += _tell(
            connection, "membership.expiring", each.org_id, subject=subject, facts=facts, now=now
        )
    return made


def _tell_entries(connection: Connection, genesis: bytes, first: int, last: int, now: int) -> int:
    """One notice for all entries of an organisation in one block."""
    rows = connection.execute(
        select(entries)
        .where(entries.c.block_number.between(first, last))
        .order_by(entries.c.entry_id)
    )
    told: defaultdict[tuple[int, int], list[dict[str, Any]]] = defaultdict(list)
    for row in rows:
        kind = EntryKind(row.kind).name.lower()
        line = {"entry_id": row.entry_id, "kind": kind, "amount": row.amount}
        told[row.block_number, row.org_id].append({**line, "category": row.category})
    made = 0
    for (block, org_id), lines in told.items():
        facts = {"entries": lines}
        made += _tell(
            connection,
            "entry.posted",
            org_id,
            subject=(genesis, block, org_id),
            facts=facts,
            now=now,
        )
    return made


def _tell_decided(connection: Connection, since: int, now: int) -> int:
    made = 0
    for case in list_decided(connection, since=since):
        kind = f"application.{case.state.value}"
        people = set()
        if case.form is not None and case.form.contact is not None and case.form.contact.email:
            people.add(case.form.contact.email)
        if case.org_id is not None:
            people |= set(addresses_of(connection, case.org_id))
        is_admitted = case.state is CaseState.ADMITTED
        facts: dict[str, Any] = {"programme": case.programme, "application_id": case.shown}
        if is_admitted:
            facts["expires_at"] = case.expires_at
        else:
            facts["reason"] = case.reason
        for recipient in sorted(people):
            made += queue_notice(
                connection,
                Notice(
                    notice_id_of(kind, recipient, case.application_id),
                    kind,
                    case.org_id,
                    case.application_id,
                    recipient,
                    facts,
                ),
                now=now,
            )
    return made


def _tell(
    connection: Connection,
    kind: str,
    org_id: int,
    *,
    subject: tuple[bytes | int | str, ...],
    facts: dict[str, Any],
    now: int,
) -> int:
    made = 0
    for recipient in addresses_of(connection, org_id):
        notice_id = notice_id_of(kind, recipient, *subject)
        notice = Notice(notice_id, kind, org_id, None, recipient, facts)
        made += queue_notice(connection, notice, now=now)
    return made


def addresses_of(connection: Connection, org_id: int) -> list[str]:
    """The e-mail addresses of an organisation's contacts, each once."""
    key = profile_of(connection, org_id)[0]
    found = read_contacts(connection, Subject.ORGANISATION, key)
    return sorted({each.email for each in found if each.email})


def profile_of(connection: Connection, org_id: int) -> tuple[str, str, str]:
    """The key and the names of an organisation, as far as the office has them."""
    table = organisation_versions
    query = (
        select(profiles.c.key, profiles.c.name_zh, profiles.c.name_en)
        .join(table, table.c.profile == profiles.c.commitment)
        .where(table.c.org_id == org_id, is_last_version(table, "org_id"))
    )
    row = connection.execute(query, {"at": 2**62}).one_or_none()
    if row is None:
        return f"organisation-{org_id}", "", ""
    return row.key, row.name_zh, row.name_en


def _keep(connection: Connection, genesis: bytes, block: int, cases_at: int) -> None:
    row = {"genesis_hash": genesis, "block_number": block, "cases_at": cases_at}
    changed = connection.execute(update(notice_cursor).values(**row).returning(notice_cursor.c.id))
    if changed.one_or_none() is None:
        connection.execute(insert(notice_cursor).values(id=1, **row))
