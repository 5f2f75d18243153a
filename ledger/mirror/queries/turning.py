"""When proofs of the state are to be kept, and of whom: the ends of epochs, and who may act."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, func, select

from ledger.mirror.queries.moments import Moment
from ledger.store.mirror_tables import (
    epoch_boundaries,
    membership_versions,
    organisation_versions,
    programme_versions,
    role_changes,
)


@dataclass(frozen=True, slots=True)
class Extent:
    """How many there are, and every account that ever held a role or acted for an organisation."""

    programmes: int
    organisations: int
    accounts: frozenset[bytes]


def last_boundary(connection: Connection, moment: Moment) -> int:
    """The time of the last epoch boundary of any programme by a moment; 0 where there was none."""
    found = connection.execute(
        select(func.max(epoch_boundaries.c.boundary)).where(
            epoch_boundaries.c.boundary <= moment.timestamp
        )
    ).scalar_one()
    return int(found or 0)


def read_extent(connection: Connection) -> Extent:
    """Of the last block applied."""
    controllers = select(organisation_versions.c.controller).where(
        organisation_versions.c.controller.is_not(None)
    )
    accounts = [
        *connection.execute(controllers.distinct()),
        *connection.execute(select(role_changes.c.account).distinct()),
        *connection.execute(select(membership_versions.c.actor).distinct()),
    ]
    programmes = select(func.max(programme_versions.c.programme_id))
    organisations = select(func.max(organisation_versions.c.org_id))
    return Extent(
        int(connection.execute(programmes).scalar_one() or 0),
        int(connection.execute(organisations).scalar_one() or 0),
        frozenset(bytes(row[0]) for row in accounts),
    )
