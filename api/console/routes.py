"""Puts the console's pages and what they load among the routes."""

from __future__ import annotations

from fastapi import APIRouter, Depends, Request, Response
from starlette.exceptions import HTTPException

from api.callers import may_read
from api.console import (
    audit,
    benefits,
    journal,
    me,
    member,
    organisations,
    profile,
    programmes,
    proof,
    proposals,
    rankings,
    reference,
    register,
    shares,
)
from api.console.desk.router import router as desk
from api.console.pages import STATIC, Pages

assets = APIRouter(include_in_schema=False)

_FOR_LONG = "public, max-age=31536000, immutable"
_FOR_A_DAY = "public, max-age=86400"


def include_console(every: APIRouter) -> None:
    """Put the console's pages among all routes."""
    for router in (
        register.router,
        organisations.router,
        programmes.router,
        rankings.router,
        benefits.router,
        shares.router,
        proposals.router,
        journal.router,
        proof.router,
        audit.router,
        reference.router,
    ):
        every.include_router(router, dependencies=[Depends(may_read)])
    every.include_router(me.router)
    every.include_router(desk)
    every.include_router(member.router)
    every.include_router(profile.router)
    every.include_router(assets)


@assets.get("/static/{name}")
async def asset(request: Request, name: str) -> Response:
    """A file that pages load, under its present name: an older page asks for an older in vain."""
    pages: Pages = request.app.state.pages
    for each in pages.assets.values():
        if each.served_as == name:
            headers = {"Cache-Control": _FOR_LONG}
            return Response(each.content, media_type=each.media_type, headers=headers)
    raise HTTPException(404)


@assets.get("/favicon.ico")
@assets.get("/favicon.svg")
async def icon() -> Response:
    """The moon over the lake."""
    body = (STATIC / "moon.svg").read_bytes()
    return Response(body, media_type="image/svg+xml", headers={"Cache-Control": _FOR_A_DAY})
