"""Benefits, proposals and a distribution of the seeded ledger, as a mirror would have written them.

The community lists two benefits, of which one is closed; galaxyspace redeems, one redemption is
fulfilled and one cancelled. Its council has three proposals; a pool is shared by its second epoch.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Protocol

from sqlalchemy import Connection, Table

from ledger.chain.contracts import authority, programmes
from ledger.chain.contracts.council import hash_calls
from ledger.domain.events import Call, ProposalStatus, RedemptionStatus
from ledger.domain.ids import BlockNumber, ProgrammeId
from ledger.domain.shares import ShareRule
from ledger.mirror.queries.moments import Moment
from ledger.office.evidence import EvidenceStore
from ledger.office.profiles import Profile, Subject, keep_profile
from ledger.services.sharing.distributing import compute_shares, read_epoch
from ledger.services.sharing.entitlements import SharesShelf
from ledger.store import mirror_tables as tables
from tests.http.facts import (
    BEGINNING,
    LAST_BLOCK,
    TERM_END,
    account_of,
    hash_of,
    time_of,
)

COMMUNITY = ProgrammeId(2)
POOL = 1000
COUNCILLORS = (("councillor", 2), ("checker", 2), ("second", 0))


class Writer(Protocol):
    """What writes a row with the log that it came from."""

    def add(self, table: Table, block: int, **values: Any) -> None: ...


def write_benefits(writer: Writer, connection: Connection) -> None:
    """Two listings, and four redemptions of the first."""
    for listing_id, key, zh, en in (
        (1, "scenario-slot", "应用场景名额", "Scenario slot"),
        (2, "factory-hours", "工厂工时", "Factory hours"),
    ):
        profile = keep_profile(connection, Profile(Subject.BENEFIT, key, zh, en))
        terms = {
            "listing_id": listing_id,
            "programme_id": COMMUNITY,
            "price": 10 * listing_id,
            "capacity": 20,
            "per_organisation": 5,
            "opens_at": BEGINNING,
            "closes_at": TERM_END,
            "profile": profile,
        }
        writer.add(tables.listing_versions, 90, change="listed", closed=0, **terms)
        if listing_id == 2:
            writer.add(tables.listing_versions, 95, change="closed", closed=1, **terms)
    for block, number, org_id, quantity, status, taken, own in (
        (100, 1, 4, 2, RedemptionStatus.OPEN, 2, 2),
        (101, 2, 7, 1, RedemptionStatus.OPEN, 3, 1),
        (102, 3, 4, 1, RedemptionStatus.OPEN, 4, 3),
        (105, 2, 7, 1, RedemptionStatus.FULFILLED, 4, 1),
        (106, 3, 4, 1, RedemptionStatus.CANCELLED, 3, 2),
    ):
        writer.add(
            tables.redemption_versions,
            block,
            redemption_id=number,
            listing_id=1,
            programme_id=COMMUNITY,
            org_id=org_id,
            quantity=quantity,
            amount=10 * quantity,
            status=int(status),
            entry_id=number,
            refund_id=9 if status is RedemptionStatus.CANCELLED else 0,
            taken=taken,
            taken_by_organisation=own,
            actor=account_of(org_id),
        )


def write_proposals(writer: Writer) -> None:
    """One that is open with an approval, one that is carried out, one of the whole alliance."""
    for name, programme_id in COUNCILLORS:
        writer.add(
            tables.role_changes,
            4,
            sequence=500 + programme_id,
            role="councillor",
            programme_id=programme_id,
            account=account_of(name),
            held=1,
        )
    cap = programmes.encode_change_supply_cap(COMMUNITY, 900_000, hash_of("cap"))
    appoint = authority.encode_appoint("issuer", COMMUNITY, account_of(4), hash_of("appoint"))
    calls = {
        1: [Call(account_of("Programmes"), cap), Call(account_of("nobody's"), b"\x01\x02\x03\x04")],
        2: [Call(account_of("Programmes"), cap)],
        3: [Call(account_of("Authority"), appoint)],
    }
    made = {
        number: {
            "proposal_id": number,
            "programme_id": programme_id,
            "maker": account_of("councillor" if programme_id else "second"),
            "calls_hash": hash_calls(calls[number]),
            "approvals_needed": 1,
            "expires_at": ends,
            "authority_sequence": 900,
            "made_at": time_of(100),
        }
        for number, programme_id, ends in ((1, 2, TERM_END), (2, 2, TERM_END), (3, 0, time_of(115)))
    }
    for number, values in made.items():
        _change(writer, 100, "made", ProposalStatus.OPEN, 0, values)
        for position, call in enumerate(calls[number]):
            writer.add(
                tables.proposal_calls,
                100,
                position=position,
                proposal_id=number,
                target=call.target,
                data=call.data,
            )
    for number, councillor in ((1, "second"), (2, "checker")):
        writer.add(
            tables.proposal_approvals,
            102,
            proposal_id=number,
            councillor=account_of(councillor),
            number=1,
        )
        _change(writer, 102, "approved", ProposalStatus.OPEN, 1, made[number])
    _change(writer, 103, "executed", ProposalStatus.EXECUTED, 1, made[2])


def _change(
    writer: Writer,
    block: int,
    change: str,
    status: ProposalStatus,
    approvals: int,
    made: dict[str, Any],
) -> None:
    writer.add(
        tables.proposal_versions,
        block,
        change=change,
        status=int(status),
        approvals=approvals,
        **made,
    )


def write_distribution(writer: Writer, connection: Connection, home: Path) -> None:
    """A pool shared by the entries that are written, of which one organisation has its share."""
    moment = Moment(
        BlockNumber(LAST_BLOCK), hash_of("block", LAST_BLOCK), time_of(LAST_BLOCK), is_latest=True
    )
    entries = read_epoch(connection, moment, COMMUNITY, 2)
    shares = compute_shares(entries, ShareRule(), POOL)
    shelf = SharesShelf(EvidenceStore(home / "evidence"))
    writer.add(
        tables.distribution_versions,
        110,
        distribution_id=1,
        change="posted",
        programme_id=COMMUNITY,
        epoch=2,
        pool=shares.shared.pool,
        unit="scenario-slot",
        rule=shares.rule.digest(),
        root=shares.root,
        claimable_from=time_of(111),
        claimable_until=TERM_END,
        withdrawn=0,
        evidence=shelf.keep(connection, shares, added_at=BEGINNING),
    )
    claimed = shares.shared.shares[0]
    writer.add(
        tables.share_claims,
        114,
        distribution_id=1,
        org_id=claimed.org_id,
        amount=claimed.amount,
        claimed_after=claimed.amount,
        actor=account_of(claimed.org_id),
    )
    assert any(each.org_id == 4 for each in shares.shared.shares), "the examples ask for it"
