"""Sharing pools by contribution, claiming shares, and letting credits expire."""

from __future__ import annotations

import time

from fastapi import Request

from api.answers import Reading
from api.asking import Asking
from api.commanding.offices import COUNCIL
from api.formats import parse_time
from api.kinds import Kind
from api.office import writing_office
from api.rights import Standing, stand_for
from api.routes.named import programme_named
from api.schemas.commands import commitment_of
from api.schemas.shares import (
    ClaimCommand,
    DistributionCommand,
    ExpiriesCommand,
    WithdrawalCommand,
)
from ledger.domain.access import Scope
from ledger.domain.expiry import ExpiryPolicy
from ledger.domain.ids import DistributionId, OrgId
from ledger.domain.sharing import Distribution
from ledger.errors import InvalidValue
from ledger.mirror.queries.shares import read_listed
from ledger.outbox.records import Operation
from ledger.services import credits as crediting
from ledger.services.expiries import DueExpiries, compute_due
from ledger.services.orders import Order
from ledger.services.sharing import distributing
from ledger.services.sharing.checking import claimed_of_withdrawn
from ledger.services.sharing.distributing import Shares, compute_shares, read_epoch
from ledger.services.sharing.entitlements import SharesShelf


def _post(request: Request, reading: Reading, body: DistributionCommand) -> Asking:
    rule = body.rule.rule()
    times = (
        parse_time("claimable_from", body.claimable_from),
        parse_time("claimable_until", body.claimable_until),
    )
    programme_id = programme_named(reading, body.programme).programme_id
    connection, moment = reading.connection, reading.moment
    computed: list[Shares] = []

    def check(_standing: Standing) -> None:
        # It takes a whole epoch's entries; nobody else is to set it off.
        found = read_epoch(connection, moment, programme_id, body.epoch)
        left_out = claimed_of_withdrawn(connection, moment, programme_id, body.epoch, body.unit)
        shares = compute_shares(found, rule, body.pool, left_out)
        if not shares.shared.shares:
            expected = "an epoch and a rule by which somebody gets a share"
            raise InvalidValue(field="epoch", value=body.epoch, expected=expected)
        computed.append(shares)

    def place(order: Order) -> Operation:
        shares = computed[0]
        shelf: SharesShelf = request.app.state.shares
        with writing_office(request) as connection:
            commitment = shelf.keep(connection, shares, added_at=int(time.time()))
        distribution = Distribution(
            programme_id,
            body.epoch,
            shares.shared.pool,
            body.unit,
            rule.digest(),
            shares.root,
            *times,
        )
        return distributing.ask_for_distribution(order, distribution, commitment)

    return Asking("post-distribution", COUNCIL, place, programme_id, check=check)


def _withdraw(_request: Request, reading: Reading, body: WithdrawalCommand) -> Asking:
    distribution_id = DistributionId(body.distribution)
    found = read_listed(reading.connection, reading.moment, distribution_id)
    evidence = commitment_of(body.evidence)
    return Asking(
        "withdraw-distribution",
        COUNCIL,
        lambda order: distributing.withdraw(order, distribution_id, evidence),
        found.terms.programme_id,
    )


def _claim(request: Request, reading: Reading, body: ClaimCommand) -> Asking:
    distribution_id, org_id = DistributionId(body.distribution), OrgId(body.organisation)
    found = read_listed(reading.connection, reading.moment, distribution_id)
    shelf: SharesShelf = request.app.state.shares
    shares = shelf.read(reading.connection, found)
    share, proof = shares.share_of(org_id), shares.proof_of(org_id)
    return Asking(
        "claim",
        (),
        lambda order: distributing.claim(order, distribution_id, share, proof),
        found.terms.programme_id,
        stand=lambda now, caller, signers: stand_for(now, caller, org_id, signers),
    )


def _expire(_request: Request, reading: Reading, body: ExpiriesCommand) -> Asking:
    programme_id = programme_named(reading, body.programme).programme_id
    policy = ExpiryPolicy(body.epochs)
    computed: list[DueExpiries] = []

    def check(_standing: Standing) -> None:
        due = compute_due(reading.connection, reading.moment, programme_id, policy)
        if not due.expiries:
            expected = "a policy by which something is due"
            raise InvalidValue(field="epochs", value=body.epochs, expected=expected)
        computed.append(due)

    def place(order: Order) -> Operation:
        due = computed[0]
        return crediting.expire(order, programme_id, due.batch, due.commitment)

    return Asking("expire", COUNCIL, place, programme_id, check=check)


KINDS = (
    Kind(
        "shares",
        "createShares",
        DistributionCommand,
        Scope.BENEFITS,
        "Share a pool by an epoch's contributions. For the programme's council.",
        _post,
    ),
    Kind(
        "share-withdrawals",
        "createShareWithdrawals",
        WithdrawalCommand,
        Scope.BENEFITS,
        "Take back what is not yet claimed of a distribution. For the programme's council.",
        _withdraw,
    ),
    Kind(
        "claims",
        "createClaims",
        ClaimCommand,
        Scope.BENEFITS,
        "Claim an organisation's share, where the server has its own key. For its controller, or "
        "that of its successor; who has a wallet signs a message (/v1/typed-data).",
        _claim,
    ),
    Kind(
        "expiries",
        "createExpiries",
        ExpiriesCommand,
        Scope.CREDITS,
        "Let what is due expire. For the programme's council.",
        _expire,
    ),
)
