"""What handlers write into and look things up in: the rows of a batch, and the latest before them.

Rows stay in memory until `write`, which puts them into the database in bulk. The book must be
forgotten when a batch was not committed: its memory would be ahead of the database.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from sqlalchemy import Connection

from ledger.mirror.accounts import Accounts
from ledger.mirror.history import History
from ledger.mirror.organisations import Organisations
from ledger.mirror.rows import (
    TABLES,
    AllianceApprovals,
    CategoryVersion,
    DistributionVersion,
    EpochBoundary,
    ListingVersion,
    MembershipVersion,
    MessageCancellation,
    Pause,
    ProgrammeVersion,
    ProposalApproval,
    ProposalVersion,
    RedemptionVersion,
    RoleChange,
    ShareClaim,
    TierVersion,
)
from ledger.store.bulk import insert_rows


class Contradiction(Exception):
    """An event that cannot follow from the events before it; the message says why."""


class Place(NamedTuple):
    """Where an event stands: its block, its log, the block's time (seconds since 1970 UTC), and
    the number of its contract in the mirror's rows."""

    block_number: int
    log_index: int
    timestamp: int
    contract_id: int


class Awaited(NamedTuple):
    """What must be the next event after the one at `at`: of this type, with these fields."""

    at: Place
    event_type: type[object]
    fields: Mapping[str, object]


class Book:
    """All that a batch writes. `open` it on the batch's connection before it is written into."""

    def __init__(self) -> None:
        self.connection: Connection
        self.awaited: Awaited | None = None
        self.roles = History(RoleChange, "account", "role", "programme_id")
        self.pauses = History(Pause)
        self.programmes = History(ProgrammeVersion, "programme_id")
        self.tiers = History(TierVersion, "programme_id", "tier")
        self.categories = History(CategoryVersion, "programme_id", "category")
        self.boundaries = History(EpochBoundary, "programme_id")
        self.boundaries_by_number = History(EpochBoundary, "programme_id", "number")
        self.organisations = Organisations()
        self.memberships = History(MembershipVersion, "org_id", "programme_id")
        self.accounts = Accounts()
        self.listings = History(ListingVersion, "listing_id")
        self.redemptions = History(RedemptionVersion, "redemption_id")
        self.redemptions_by_listing = History(RedemptionVersion, "listing_id")
        self.redemptions_by_member = History(RedemptionVersion, "listing_id", "org_id")
        self.distributions = History(DistributionVersion, "distribution_id")
        self.claims = History(ShareClaim, "distribution_id")
        self.claims_by_member = History(ShareClaim, "distribution_id", "org_id")
        self.proposals = History(ProposalVersion, "proposal_id")
        self.approvals = History(ProposalApproval, "proposal_id", "number")
        self.approvals_by_councillor = History(ProposalApproval, "proposal_id", "councillor")
        self.alliance_approvals = History(AllianceApprovals)
        self.cancellations = History(MessageCancellation, "contract_id", "account", "message_id")
        self._plain: dict[type[tuple[Any, ...]], list[tuple[Any, ...]]] = {}

    def open(self, connection: Connection) -> None:
        """Write into this connection's transaction from now on."""
        self.connection = connection

    def add(self, row: tuple[Any, ...]) -> None:
        """Add a row that no later event is compared with."""
        self._plain.setdefault(type(row), []).append(row)

    def add_all(self, row_type: type[tuple[Any, ...]], rows: Iterable[tuple[Any, ...]]) -> None:
        """Add rows of one type that no later event is compared with; plain tuples will do."""
        self._plain.setdefault(row_type, []).extend(rows)

    def await_next(self, at: Place, event_type: type[object], **fields: object) -> None:
        """Say what the next event must be, since the one at `at` is only half of what happened."""
        self.awaited = Awaited(at, event_type, fields)

    def write(self) -> None:
        """Put everything into the database, in the transaction of the connection."""
        for row_type, rows in self._plain.items():
            insert_rows(self.connection, TABLES[row_type], rows)
        self._plain = {}
        for part in self._parts():
            part.write(self.connection)

    def forget(self, *, database_is_empty: bool = False) -> None:
        """Drop what was not written and what is remembered; the database is asked again.

        Of an empty database nothing need be asked.
        """
        self._plain = {}
        self.awaited = None
        for part in self._parts():
            part.forget(table_is_empty=database_is_empty)

    def _parts(self) -> tuple[History[Any] | Accounts, ...]:
        return (
            self.roles,
            self.pauses,
            self.programmes,
            self.tiers,
            self.categories,
            self.boundaries,
            self.boundaries_by_number,
            self.organisations,
            self.memberships,
            self.accounts,
            self.listings,
            self.redemptions,
            self.redemptions_by_listing,
            self.redemptions_by_member,
            self.distributions,
            self.claims,
            self.claims_by_member,
            self.proposals,
            self.approvals,
            self.approvals_by_councillor,
            self.alliance_approvals,
            self.cancellations,
        )


Handler = Callable[[Book, Place, Any], None]
"""Writes into the book what an event means; the event is of the class it is registered for."""
