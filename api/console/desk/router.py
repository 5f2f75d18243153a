"""All pages of the officers' desk."""

from __future__ import annotations

from fastapi import APIRouter

from api.console.desk import (
    applications,
    awards,
    front,
    guide,
    memberships,
    offices,
    operations,
    proposals,
)

router = APIRouter(include_in_schema=False)
for part in (front, operations, applications, awards, memberships, proposals, offices, guide):
    router.include_router(part.router)
