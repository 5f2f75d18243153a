"""The applicant's consent on the chain: the message that its wallet signs, and the signature kept.

Without one the registrar admits by its own right; with one the chain shows that the applicant
itself asked to be a member, on these terms.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy import Connection

from api.answers import answers_of
from api.asking import IdempotencyKey
from api.callers import clock_of
from api.noting import answer
from api.parameters import Number
from api.parties import SecretHeader, party_to, programme_ids
from api.routes.applications import OF_ONE, STEP, ApplicationPath, Asked, id_of, take_step
from api.routes.declared import problems
from api.schemas.applications import ApplicationAnswer, ConsentCommand, ConsentMessage
from api.waiting import waiting_for_node
from ledger.errors import InvalidValue
from ledger.office import casework
from ledger.office.cases import Case
from ledger.services.applications import Decider
from ledger.wiring import opened_desk

router = APIRouter(tags=["applications"])

DaysQuery = Annotated[
    Number, Query(ge=1, le=179, description="How many days the consent is to be good.")
]


@router.get(
    "/applications/{application_id}/consent-message",
    operation_id="getConsentMessage",
    response_model=ConsentMessage,
    responses={**OF_ONE, **problems(s502="The chain's node does not answer as it should.")},
)
def get_consent_message(
    request: Request,
    application_id: ApplicationPath,
    secret: SecretHeader = None,
    days: DaysQuery = 30,
) -> Response:
    """What the applicant's wallet signs (EIP-712) to be admitted as it was confirmed, for an
    organisation of the register."""
    case, _ = party_to(request, id_of(application_id), secret)
    programme_id = answers_of(request).read(programme_ids)[case.programme]
    now = int(clock_of(request)())
    deadline = now + days * 86400
    with waiting_for_node(request), opened_desk(request.app.state.settings) as desk:
        found = Decider(desk, None, "", now).message_for(case, programme_id, deadline=deadline)
    return answer(ConsentMessage(deadline=deadline, typed_data=found.to_json()))


@router.post(
    "/applications/{application_id}/consents",
    operation_id="createConsent",
    status_code=201,
    response_model=ApplicationAnswer,
    responses={**STEP, **problems(s502="The chain's node does not answer as it should.")},
)
def give_consent(
    request: Request,
    application_id: ApplicationPath,
    body: ConsentCommand,
    key: IdempotencyKey,
    secret: SecretHeader = None,
) -> Response:
    """Keep the applicant's signature; the decision then admits by it."""
    if len(body.signature) % 2:
        raise InvalidValue(field="signature", value=body.signature[:80], expected="whole bytes")
    raw = bytes.fromhex(body.signature[2:])
    case, _ = party_to(request, id_of(application_id), secret)
    programme_id = answers_of(request).read(programme_ids)[case.programme]
    with waiting_for_node(request), opened_desk(request.app.state.settings) as desk:
        decider = Decider(desk, None, "", int(clock_of(request)()))
        decider.check_consent(case, programme_id, raw, body.deadline)

    def do(connection: Connection, case: Case, by: str, now: int) -> None:
        casework.keep_consent(connection, case.application_id, raw, body.deadline, by=by, now=now)

    return take_step(Asked(request, application_id, secret, key), body, "application.consented", do)
