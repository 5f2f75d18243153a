"""Metadata of the membership tokens, for wallets: what the contract's base URI leads to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response

from api.answers import MomentAsked, Reading, answers_of
from api.cards import draw_svg
from api.issuing import origin_of
from api.parameters import TokenPath, asked_moment
from api.routes.declared import ALWAYS, problems
from api.schemas.tokens import CollectionAnswer, Said, TokenAnswer
from ledger.domain.ids import TokenId
from ledger.mirror.queries.tokens import list_named_programmes, read_token

router = APIRouter(tags=["tokens"])

SVG_TYPE = "image/svg+xml"


@router.get(
    "/tokens/contract",
    operation_id="getTokenCollection",
    response_model=CollectionAnswer,
    responses={**ALWAYS},
)
def get_collection(
    request: Request, asked: Annotated[MomentAsked, Depends(asked_moment)]
) -> Response:
    """What the membership tokens are (ERC-7572), where `contractURI` leads to."""

    def build(reading: Reading) -> CollectionAnswer:
        programmes = list_named_programmes(reading.connection, reading.moment)
        return CollectionAnswer.of(reading.about, programmes, origin_of(request))

    return answers_of(request).json(request, build, asked)


@router.get(
    "/tokens/{token_id}",
    operation_id="getToken",
    response_model=TokenAnswer,
    responses={**ALWAYS, **problems(s404="No membership that is held has this token.")},
)
def get_one(
    request: Request, token_id: TokenPath, asked: Annotated[MomentAsked, Depends(asked_moment)]
) -> Response:
    """A membership token's metadata (ERC-721), where `tokenURI` leads to; texts in Chinese and
    English. A revoked membership has no token."""

    def build(reading: Reading) -> TokenAnswer:
        found = read_token(reading.connection, reading.moment, TokenId(token_id))
        return TokenAnswer.of(reading.about, found, origin_of(request))

    return answers_of(request).json(request, build, asked)


@router.get(
    "/tokens/{token_id}/image.svg",
    operation_id="getTokenImage",
    response_class=Response,
    responses={
        200: {"description": "The picture.", "content": {SVG_TYPE: {"schema": {"type": "string"}}}},
        **ALWAYS,
        **problems(s404="No membership that is held has this token."),
    },
)
def get_image(
    request: Request, token_id: TokenPath, asked: Annotated[MomentAsked, Depends(asked_moment)]
) -> Response:
    """The picture of the metadata as a file, for those who take no `data:` URI."""

    def build(reading: Reading) -> tuple[bytes, Mapping[str, str]]:
        found = read_token(reading.connection, reading.moment, TokenId(token_id))
        return draw_svg(found.membership.token_id, Said.of(found).card()).encode("utf-8"), {}

    return answers_of(request).respond(request, build, asked, media_type=SVG_TYPE)
