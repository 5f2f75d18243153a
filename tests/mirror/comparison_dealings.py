"""Holds a mirror against Benefits, Shares, Council and what was signed, one value at a time."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, Table, select

from ledger.chain.contracts.council import hash_calls
from ledger.domain.events import Call, ProposalStatus, RedemptionStatus
from ledger.domain.ids import (
    ALLIANCE_WIDE,
    DistributionId,
    EntryId,
    ListingId,
    OrgId,
    ProgrammeId,
    ProposalId,
    RedemptionId,
)
from ledger.domain.sharing import (
    Distribution,
    DistributionState,
    Listing,
    ListingState,
    ProposalState,
    Redemption,
    RedemptionState,
)
from ledger.store import mirror_tables as tables
from tests.support.happenings import Ledger


def latest_rows(connection: Connection, table: Table, *subject: str) -> dict[Any, Row[Any]]:
    rows = connection.execute(select(table).order_by(table.c.block_number, table.c.log_index))
    found: dict[Any, Row[Any]] = {}
    for row in rows:
        key = tuple(getattr(row, name) for name in subject)
        found[key[0] if len(key) == 1 else key] = row
    return found


def compare_benefits(connection: Connection, ledger: Ledger, at: bytes) -> None:
    """Listings, redemptions, and what of them is taken."""
    contract = ledger.contracts.benefits
    listings = latest_rows(connection, tables.listing_versions, "listing_id")
    taken = latest_rows(connection, tables.redemption_versions, "listing_id")
    assert sorted(listings) == list(range(1, contract.listing_count(at=at) + 1))
    for listing_id, row in listings.items():
        listing = Listing(
            ProgrammeId(row.programme_id),
            row.price,
            row.capacity,
            row.per_organisation,
            row.opens_at,
            row.closes_at,
            bytes(row.profile),
        )
        redeemed = taken[listing_id].taken if listing_id in taken else 0
        expected = ListingState(listing, redeemed, bool(row.closed))
        assert contract.listing(ListingId(listing_id), at=at) == expected
    subject = ("listing_id", "org_id")
    for (listing_id, org_id), row in latest_rows(
        connection, tables.redemption_versions, *subject
    ).items():
        assert contract.redeemed_by(listing_id, org_id, at=at) == row.taken_by_organisation
    _compare_redemptions(connection, ledger, at)


def _compare_redemptions(connection: Connection, ledger: Ledger, at: bytes) -> None:
    contract = ledger.contracts.benefits
    redemptions = latest_rows(connection, tables.redemption_versions, "redemption_id")
    assert sorted(redemptions) == list(range(1, contract.redemption_count(at=at) + 1))
    for redemption_id, row in redemptions.items():
        asked = Redemption(ListingId(row.listing_id), OrgId(row.org_id), row.quantity)
        expected = RedemptionState(asked, RedemptionStatus(row.status), EntryId(row.entry_id))
        assert contract.redemption(RedemptionId(redemption_id), at=at) == expected
    for programme in {row.programme_id for row in redemptions.values()}:
        refundable = sum(
            row.amount
            for row in redemptions.values()
            if row.programme_id == programme and row.status == RedemptionStatus.OPEN
        )
        assert ledger.contracts.credits.refundable(programme, at=at) == refundable


def compare_shares(connection: Connection, ledger: Ledger, at: bytes) -> None:
    """Distributions, and who claimed of them."""
    contract = ledger.contracts.shares
    found = latest_rows(connection, tables.distribution_versions, "distribution_id")
    claims = connection.execute(select(tables.share_claims)).all()
    assert sorted(found) == list(range(1, contract.distribution_count(at=at) + 1))
    organisations = range(1, ledger.contracts.organisations.organisation_count(at=at) + 1)
    for distribution_id, row in found.items():
        distribution = Distribution(
            ProgrammeId(row.programme_id),
            row.epoch,
            row.pool,
            row.unit,
            bytes(row.rule),
            bytes(row.root),
            row.claimable_from,
            row.claimable_until,
        )
        own = {each.org_id: each for each in claims if each.distribution_id == distribution_id}
        claimed = sum(each.amount for each in own.values())
        assert max((each.claimed_after for each in own.values()), default=0) == claimed
        expected = DistributionState(distribution, claimed, bool(row.withdrawn))
        assert contract.distribution(DistributionId(distribution_id), at=at) == expected
        for org_id in organisations:
            asked = contract.is_claimed(distribution_id, OrgId(org_id), at=at)
            assert asked == (org_id in own)


def compare_council(connection: Connection, ledger: Ledger, at: bytes) -> None:
    """Proposals with their calls and approvals, and how many the alliance asks for."""
    contract = ledger.contracts.council
    found = latest_rows(connection, tables.proposal_versions, "proposal_id")
    assert sorted(found) == list(range(1, contract.proposal_count(at=at) + 1))
    for proposal_id, row in found.items():
        calls = _calls(connection, proposal_id)
        assert hash_calls(calls) == bytes(row.calls_hash)
        expected = ProposalState(
            programme_id=ProgrammeId(row.programme_id),
            status=ProposalStatus(row.status),
            approvals_needed=row.approvals_needed,
            expires_at=row.expires_at,
            authority_only=all(call.target == ledger.addresses["Authority"] for call in calls),
            authority_sequence=row.authority_sequence,
            maker=bytes(row.maker),
            calls_hash=bytes(row.calls_hash),
        )
        assert contract.proposal(ProposalId(proposal_id), at=at) == expected
        approvers = _approvers(connection, proposal_id)
        assert contract.approvers_of(ProposalId(proposal_id), at=at) == tuple(approvers)
        assert row.approvals == len(approvers)
        counting = [each for each in approvers if _counts(connection, row, each)]
        assert contract.approvals_of(ProposalId(proposal_id), at=at) == len(counting)
    rules = connection.execute(select(tables.alliance_approvals.c.approvals_needed)).scalars()
    assert contract.alliance_approvals(at=at) == rules.all()[-1]


def _calls(connection: Connection, proposal_id: int) -> list[Call]:
    table = tables.proposal_calls
    statement = select(table).where(table.c.proposal_id == proposal_id).order_by(table.c.position)
    return [Call(bytes(row.target), bytes(row.data)) for row in connection.execute(statement)]


def _approvers(connection: Connection, proposal_id: int) -> list[bytes]:
    table = tables.proposal_approvals
    statement = select(table).where(table.c.proposal_id == proposal_id).order_by(table.c.number)
    return [bytes(row.councillor) for row in connection.execute(statement)]


def _counts(connection: Connection, proposal: Row[Any], account: bytes) -> bool:
    """Whether the account is a councillor, and was appointed before the proposal."""
    roles = latest_rows(connection, tables.role_changes, "role", "programme_id", "account")
    held = (
        roles.get(("councillor", programme, account))
        for programme in (proposal.programme_id, ALLIANCE_WIDE)
    )
    return any(
        row is not None and row.held and row.sequence <= proposal.authority_sequence for row in held
    )


def compare_messages(connection: Connection, ledger: Ledger, at: bytes) -> None:
    """Every message that is cancelled is so in its contract."""
    for contract in connection.execute(select(tables.contracts)).all():
        for row in cancellations_in(connection, contract.name):
            wrapper: Any = getattr(ledger.contracts, contract.name.lower())
            assert wrapper.is_cancelled(bytes(row.account), bytes(row.message_id), at=at)


def cancellations_in(connection: Connection, contract: str) -> list[Row[Any]]:
    """The messages cancelled in a contract."""
    table = tables.message_cancellations
    statement = (
        select(table)
        .join(tables.contracts, tables.contracts.c.contract_id == table.c.contract_id)
        .where(tables.contracts.c.name == contract)
    )
    return list(connection.execute(statement).all())
