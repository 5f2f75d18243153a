"""Memberships as credentials, which of them hold, and by which keys they are checked.

Whoever checks one is nobody that the office knows: the lists and the keys are everybody's, also
where reading is for members alone, and any page's script may fetch them (`api.edge`).
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Annotated, Any

import msgspec
from fastapi import APIRouter, Path, Request, Response

from api.answers import CACHE_CONTROL, Reading, answers_of, names_any, names_tag
from api.callers import clock_of
from api.issuing import Issuing, issuing_of
from api.parameters import ProgrammePath, TokenPath
from api.routes.declared import ALWAYS, NOT_MODIFIED, Responses, problems
from api.routes.named import programme_named
from api.schemas.credentials import CredentialAnswer
from ledger.domain.ids import TokenId
from ledger.office.credentials.keys import IssuerKey
from ledger.services.credentials import (
    MEDIA_TYPE,
    Credential,
    Issuer,
    describe_issuer,
    describe_keys,
    issue_credential,
    issue_status_list,
)

router = APIRouter(tags=["credentials"])
lists = APIRouter(tags=["credentials"])
well_known = APIRouter(prefix="/.well-known", tags=["credentials"])

_MAX_LIST = 2**32
_TOKEN = {"schema": {"type": "string", "pattern": r"^[\w-]+\.[\w-]+\.[\w-]+$"}}
_NO_KEY = problems(
    s503="There is no key to sign with (`office.issuer_key_missing`), or nothing is mirrored yet."
)
_OF_MEMBERSHIP: Responses = {
    **ALWAYS,
    **problems(
        s404="No membership that is held has this token.",
        s409="The membership is not in force (`office.membership_not_in_force`).",
    ),
    **_NO_KEY,
}


def _declared(what: str) -> Responses:
    return {200: {"description": what, "content": {MEDIA_TYPE: _TOKEN}}}


@router.get(
    "/memberships/{token_id}/credential",
    operation_id="getMembershipCredential",
    response_model=CredentialAnswer,
    responses=_OF_MEMBERSHIP,
)
def get_credential(request: Request, token_id: TokenPath) -> Response:
    """A membership in force as an Open Badges 3.0 credential. Its subject is the account that acts
    for the organisation."""
    issuing = issuing_of(request)
    key = issuing.published()[0]

    def build(reading: Reading) -> tuple[bytes, Mapping[str, str]]:
        answer = CredentialAnswer.of(reading.about, _issue(issuing, key, reading, token_id))
        return answer.__pydantic_serializer__.to_json(answer), {}

    return answers_of(request).respond(
        request, build, media_type="application/json", variant=key.kid
    )


@router.get(
    "/memberships/{token_id}/credential.jwt",
    operation_id="getMembershipCredentialFile",
    response_class=Response,
    responses={**_declared("The credential."), **_OF_MEMBERSHIP},
)
def get_credential_file(request: Request, token_id: TokenPath) -> Response:
    """The same as a file for a wallet: the JSON Web Token alone."""
    issuing = issuing_of(request)
    key = issuing.published()[0]

    def build(reading: Reading) -> tuple[bytes, Mapping[str, str]]:
        saved = f'attachment; filename="membership-{token_id}.jwt"'
        issued = _issue(issuing, key, reading, token_id)
        return issued.jwt.encode("ascii"), {"Content-Disposition": saved}

    return answers_of(request).respond(request, build, media_type=MEDIA_TYPE, variant=key.kid)


@lists.get(
    "/programmes/{programme}/credential-status/{number}",
    operation_id="getCredentialStatusList",
    response_class=Response,
    responses={
        **_declared("The list, as a credential of its own."),
        **ALWAYS,
        **problems(s404="There is no such programme."),
        **_NO_KEY,
    },
)
def get_status_list(
    request: Request,
    programme: ProgrammePath,
    number: Annotated[
        int, Path(ge=0, le=_MAX_LIST, description="The list's number, from 0.", examples=[0])
    ],
) -> Response:
    """Which of a programme's credentials hold (W3C Bitstring Status List): the bit of one that is
    in force is clear. Everybody may read it."""
    issuing = issuing_of(request)
    key = issuing.published()[0]

    def build(reading: Reading) -> tuple[bytes, Mapping[str, str]]:
        found = programme_named(reading, programme)
        issued = issue_status_list(
            reading.connection,
            reading.moment,
            found.programme_id,
            number=number,
            looked_at=reading.state.looked_at // 1000,
            issuer=issuing.issuer,
            signing=issuing.signing(key),
        )
        return issued.jwt.encode("ascii"), {}

    hour = int(clock_of(request)() // 3600)  # its validity goes by hours
    return answers_of(request).respond(
        request, build, media_type=MEDIA_TYPE, variant=f"{key.kid} {hour}"
    )


def _publish(
    path: str,
    name: str,
    description: str,
    describe: Callable[[Issuer, tuple[IssuerKey, ...]], dict[str, Any]],
    media_type: str,
) -> None:
    @well_known.get(
        path,
        operation_id=name,
        response_class=Response,
        responses={
            200: {
                "description": "The document.",
                "content": {media_type: {"schema": {"type": "object"}}},
            },
            **NOT_MODIFIED,
            **problems(s500="The server met an error that it does not know."),
            **_NO_KEY,
        },
        description=description,
    )
    def get_document(request: Request) -> Response:
        issuing = issuing_of(request)
        content = msgspec.json.encode(describe(issuing.issuer, issuing.published()))
        tag = f'"{hashlib.blake2b(content, digest_size=12).hexdigest()}"'
        headers = {"ETag": tag, "Cache-Control": CACHE_CONTROL}
        if names_tag(request, tag) or names_any(request):
            return Response(status_code=304, headers=headers)
        return Response(content, media_type=media_type, headers=headers)


_publish(
    "/did.json",
    "getIssuer",
    "Who gives the credentials (did:web), with every key that their signatures are checked by.",
    describe_issuer,
    "application/did+json",
)
_publish(
    "/jwks.json",
    "getIssuerKeys",
    "The same keys as a JSON Web Key Set.",
    describe_keys,
    "application/jwk-set+json",
)


def _issue(issuing: Issuing, key: IssuerKey, reading: Reading, token_id: int) -> Credential:
    return issue_credential(
        reading.connection,
        reading.moment,
        TokenId(token_id),
        chain_id=reading.state.chain_id,
        issuer=issuing.issuer,
        signing=issuing.signing(key),
    )
