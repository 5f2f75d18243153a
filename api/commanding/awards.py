"""Awards and their reversals."""

from __future__ import annotations

from fastapi import Request

from api.answers import Reading
from api.asking import Asking
from api.commanding.offices import ISSUERS
from api.kinds import Kind
from api.rights import Ceiling, Standing, check_budget, check_own_awards
from api.routes.named import programme_named
from api.schemas.commands import AwardsCommand, ReversalsCommand, commitment_of
from ledger.domain.access import Scope
from ledger.domain.commands import Award, Reversal
from ledger.domain.ids import EntryId, OrgId
from ledger.errors import EvidenceMissing
from ledger.mirror.queries.entries import read_entry
from ledger.services import credits as crediting


def _award(_request: Request, reading: Reading, body: AwardsCommand) -> Asking:
    if not body.no_evidence and not all(each.evidence for each in body.awards):
        raise EvidenceMissing
    awards = [
        Award(OrgId(each.organisation), each.amount, each.category, commitment_of(each.evidence))
        for each in body.awards
    ]
    amounts = [each.amount for each in awards]
    programme_id = programme_named(reading, body.programme).programme_id

    def check(standing: Standing) -> Ceiling | None:
        return check_budget(reading, standing, amounts)

    return Asking(
        "award",
        ISSUERS,
        lambda order: crediting.award(order, programme_id, awards),
        programme_id,
        sum(amounts),
        check,
    )


def _reverse(_request: Request, reading: Reading, body: ReversalsCommand) -> Asking:
    if not body.no_evidence and body.evidence is None:
        raise EvidenceMissing
    corrections = [
        crediting.Correction(EntryId(each), commitment_of(body.evidence)) for each in body.entries
    ]
    found = [read_entry(reading.connection, reading.moment, each.entry_id) for each in corrections]
    reversals: list[Reversal] = []

    def check(standing: Standing) -> None:
        check_own_awards(reading, standing, [each.operation_id for each in found])
        # Proving takes the whole journal after an entry; nobody else is to set it off.
        reversals.extend(crediting.prove_awards(reading.connection, corrections))

    return Asking(
        "reverse",
        ISSUERS,
        lambda order: crediting.reverse(order, reversals),
        found[0].programme_id,
        check=check,
    )


KINDS = (
    Kind(
        "awards",
        "createAwards",
        AwardsCommand,
        Scope.CREDITS,
        "Award credits for contributions, with the evidence of them. For issuers and the council.",
        _award,
    ),
    Kind(
        "reversals",
        "createReversals",
        ReversalsCommand,
        Scope.CREDITS,
        "Take awards back. For the issuer that made them, and for the council.",
        _reverse,
    ),
)
