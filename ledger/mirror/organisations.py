"""The organisations' versions, looked up the other way round too: for whom an account acts."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from ledger.mirror.history import MOST_KEPT, History
from ledger.mirror.rows import OrganisationVersion
from ledger.store.mirror_tables import organisation_versions

NO_ORGANISATION = 0

_EVER_CONTROLLED = (
    select(organisation_versions.c.org_id)
    .where(organisation_versions.c.controller == bindparam("account"))
    .distinct()
)


class Organisations(History[OrganisationVersion]):
    """The latest version of each organisation. An account acts for one at most."""

    def __init__(self) -> None:
        super().__init__(OrganisationVersion, "org_id")
        self._acts_for: dict[bytes, int] = {}

    def controlled_by(self, connection: Connection, account: bytes) -> int:
        """The organisation that the account acts for, NO_ORGANISATION where it acts for none."""
        if account in self._acts_for or self._complete:
            return self._acts_for.get(account, NO_ORGANISATION)
        found = NO_ORGANISATION
        for org_id in connection.execute(_EVER_CONTROLLED, {"account": account}).scalars().all():
            version = self.latest(connection, org_id)
            if version is not None and version.controller == account:
                found = org_id
        self._acts_for[account] = found
        return found

    def note(self, row: OrganisationVersion) -> None:
        """Remember a version, and who acts for the organisation by it."""
        before = self._known.get((row.org_id,))
        if before is not None and before.controller is not None:
            self._acts_for[before.controller] = NO_ORGANISATION
        if row.controller is not None:
            self._acts_for[row.controller] = row.org_id
        super().note(row)

    def write(self, connection: Connection) -> None:
        """Put the new versions into the database."""
        super().write(connection)
        if len(self._acts_for) > MOST_KEPT:
            self.forget()

    def forget(self, *, table_is_empty: bool = False) -> None:
        """Start again from what the database holds."""
        super().forget(table_is_empty=table_is_empty)
        self._acts_for = {}
