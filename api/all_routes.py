"""All routes of the API and the console, put together once a process.

They know nothing of an application: its settings and its state come with each request.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence

from fastapi import APIRouter, Depends
from starlette.routing import BaseRoute

from api.callers import may_read
from api.console.routes import include_console
from api.openapi import types as typescript
from api.parameters import refuse_unknown_parameters
from api.routes import (
    access,
    applications,
    audits,
    benefits,
    casework,
    commands,
    consents,
    credentials,
    decisions,
    entries,
    evidence,
    expiries,
    histories,
    memberships,
    messages,
    offices,
    operations,
    organisations,
    profiles,
    programmes,
    proposals,
    shares,
    statements,
    status,
    stream,
    tokens,
    unsubscriptions,
    webhooks,
)


@functools.cache
def all_routes() -> Sequence[BaseRoute]:
    """The routes, in the order in which they are tried.

    FastAPI works out 194 of them when they are first asked for, 0.4 s of a processor, and again for
    each application that includes their routers. So applications are given these as they are.
    """
    every = APIRouter()
    known = [Depends(refuse_unknown_parameters)]
    versioned = APIRouter(dependencies=[*known, Depends(may_read)])
    for router in (
        status.router,
        programmes.router,
        organisations.router,
        memberships.router,
        tokens.router,
        credentials.router,
        entries.router,
        organisations.accounts,
        evidence.router,
        histories.router,
        statements.router,
        audits.router,
        offices.router,
        benefits.router,
        proposals.router,
        shares.router,
        expiries.router,
        messages.router,
    ):
        versioned.include_router(router)
    every.include_router(versioned, prefix="/v1")
    guarded = APIRouter(dependencies=known)  # each route says whom it is for
    for router in (
        access.router,
        operations.router,
        commands.router,
        audits.commands,
        expiries.signed_in,
        evidence.uploads,
        stream.router,
        applications.router,
        casework.router,
        consents.router,
        decisions.router,
        profiles.router,
        webhooks.router,
        unsubscriptions.router,
        credentials.lists,
    ):
        guarded.include_router(router)
    every.include_router(guarded, prefix="/v1")
    every.include_router(status.probes)
    every.include_router(credentials.well_known)
    every.include_router(typescript)
    include_console(every)
    return tuple(every.routes)
