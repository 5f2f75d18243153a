"""The unsubscribe button of mail programs (RFC 8058): one POST, by whoever got the e-mail.

A GET changes nothing, since programs that scan mail follow every link.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from api.callers import clock_of
from api.keeping import NOT_KEPT
from api.office import writing_office
from api.routes.declared import problems
from ledger.office.notices import unsubscribe
from ledger.office.sessions import nonce_secret

router = APIRouter(tags=["profiles"])

TokenPath = Annotated[
    str,
    Path(
        pattern="^ntc_[0-9a-f]{32}[.][0-9a-f]{32}$",
        description="What the link of the e-mail holds.",
        examples=["ntc_" + "5b" * 16 + "." + "5b" * 16],
    ),
]


@router.post(
    "/unsubscriptions/{token}",
    operation_id="createUnsubscription",
    status_code=204,
    responses=problems(
        s401="The session's credential is good for nothing.",
        s403="The request is not the session's own.",
        s404="No e-mail has this link.",
        s422="A value cannot be used; `errors` names each.",
        s429="Too many requests.",
        s500="The server met an error that it does not know.",
        s503="The database cannot be used.",
    ),
)
def create(request: Request, token: TokenPath) -> Response:
    """Send no more e-mails to whoever got this one."""
    with writing_office(request) as connection:
        now = int(clock_of(request)())
        unsubscribe(connection, nonce_secret(connection), token, now=now)
    return Response(status_code=204, headers=NOT_KEPT)
