"""All pages of the officers' desk."""

from __future__ import annotations

from fastapi import APIRouter

from api.console.desk import awards, front, memberships, operations

router = APIRouter(include_in_schema=False)
for part in (front, operations, awards, memberships):
    router.include_router(part.router)
