"""What two officers decided, carried out: registered and admitted, or declined.

It takes several blocks, so it is kept, carried out behind the request, and looked at under its own
id; whoever asks again under the same key gets to the same.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy import Connection

from api.answers import Reading, answers_of
from api.asking import IdempotencyKey
from api.callers import Caller, has_office
from api.desk import ServerDesk
from api.noting import Author, Change, answer, note
from api.office import reading_office
from api.parties import REGISTRARS, programme_ids, require_office
from api.rights import Standing, stand
from api.routes.applications import OF_ONE, STEP, id_of
from api.routes.casework import Officer, Reader
from api.routes.declared import problems
from api.schemas.applications import ApplicationsCommand, DecisionAnswer
from ledger.domain.ids import ALLIANCE_WIDE
from ledger.errors import AccessDenied, ApplicationElsewhere
from ledger.office.asked import operation_id_of
from ledger.office.cases import Case, CaseState, read_case
from ledger.office.decisions import Decision, ask_for_decision, read_decision

router = APIRouter(tags=["applications"])

DecisionPath = Annotated[
    str,
    Path(pattern="^0x[0-9a-fA-F]{64}$", description="Its id.", examples=["0x" + "5b" * 32]),
]


@router.post(
    "/decisions",
    operation_id="createDecision",
    status_code=202,
    responses={
        202: {
            "description": "It is kept, and will be carried out; `Location` is where to look.",
            "model": DecisionAnswer,
        },
        **STEP,
        **problems(s503="The mirror does not follow the chain, or the server has no key for it."),
    },
)
def decide(
    request: Request, body: ApplicationsCommand, key: IdempotencyKey, caller: Officer
) -> Response:
    """Carry out what was confirmed, for one or many: register who is new and admit, or decline. For
    alliance-wide registrars; for the programme's registrars and the council where all are on the
    register."""
    desk: ServerDesk = request.app.state.desk
    ids = [id_of(each) for each in dict.fromkeys(body.applications)]

    def resolve(reading: Reading) -> tuple[Standing, bytes]:
        found = [read_case(reading.connection, each) for each in ids]
        standing = standing_to_decide(reading, caller, found, desk)
        decision_id = operation_id_of(reading.state.genesis_hash, caller.account, f"decision {key}")
        return standing, decision_id

    standing, decision_id = answers_of(request).read(resolve)

    def do(connection: Connection, now: int) -> str:
        for case in (read_case(connection, each) for each in ids):
            if case.state is not CaseState.CONFIRMED:
                state = case.state.value
                raise ApplicationElsewhere(application=case.shown, state=state, wanted="decided")
        ask_for_decision(
            connection,
            decision_id,
            ids,
            account=caller.account,
            signer=standing.signer.address,
            now=now,
        )
        return "0x" + decision_id.hex()

    change = Change("applications.decided", do)
    noted = note(request, Author.of(caller), key, body, change)
    desk.tell()
    place = {**noted.headers, "Location": f"/v1/decisions/{noted.subject}"}
    return answer(_decision(request, id_of(noted.subject)), 202, place)


@router.get(
    "/decisions/{decision_id}",
    operation_id="getDecision",
    response_model=DecisionAnswer,
    responses={**OF_ONE, **problems(s404="There is no such decision.")},
)
def get_decision(request: Request, decision_id: DecisionPath, caller: Reader) -> Response:
    """A decision, and what became of each application. For officers."""
    if not has_office(request, caller):
        raise AccessDenied(account=caller.address, needed="decisions are for officers")
    return answer(_decision(request, id_of(decision_id)))


def standing_to_decide(
    reading: Reading, caller: Caller, found: list[Case], desk: ServerDesk
) -> Standing:
    """Who signs for the caller. Raises as `api.rights.stand`."""
    programmes = {case.programme for case in found}
    for programme in programmes:
        require_office(reading, caller, programme)
    signers = desk.signers()
    registers = any(case.org_id is None and not case.reason for case in found)
    if registers or len(programmes) > 1:
        # Only the whole alliance's registrar registers anybody.
        roles = ("registrar",) if registers else tuple(REGISTRARS)
        return stand(reading, caller, roles, ALLIANCE_WIDE, signers)
    (programme,) = programmes
    return stand(reading, caller, tuple(REGISTRARS), programme_ids(reading)[programme], signers)


def _decision(request: Request, decision_id: bytes) -> DecisionAnswer:
    def find(connection: Connection) -> tuple[Decision, list[Case]]:
        decision = read_decision(connection, decision_id)
        return decision, [read_case(connection, each) for each in decision.application_ids]

    with reading_office(request) as connection:
        return DecisionAnswer.of(*find(connection))
