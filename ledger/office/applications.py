"""Applications for membership that an officer has not decided yet.

Filing one changes nothing on the chain: an applicant is nobody's member. Whether it was decided is
read from the chain (admitted or declined), so that an application is never marked here.
"""

from __future__ import annotations

from sqlalchemy import Connection, select

from ledger.domain.ids import OrgId
from ledger.office.profiles import check_text
from ledger.office.rows import insert_if_absent
from ledger.store.office_tables import applications


def file_application(
    connection: Connection, org_id: OrgId, programme: str, *, filed_at: int, note: str = ""
) -> bool:
    """File an application; whether it is a new one.

    `programme` is the programme's key, `filed_at` seconds since 1970 UTC. Raises InvalidValue.
    """
    check_text("note", note)
    return insert_if_absent(
        connection,
        applications,
        {"org_id": org_id, "programme": programme, "filed_at": filed_at, "note": note},
    )


def is_filed(connection: Connection, org_id: OrgId, programme: str) -> bool:
    """Whether the organisation has applied to the programme (by its key)."""
    query = select(applications.c.org_id).where(
        applications.c.org_id == org_id, applications.c.programme == programme
    )
    return connection.execute(query).one_or_none() is not None
