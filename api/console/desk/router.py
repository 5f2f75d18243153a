"""All pages of the officers' desk."""

from __future__ import annotations

from fastapi import APIRouter

from api.console.desk import (
    applications,
    awards,
    front,
    guide,
    import_results,
    imports,
    memberships,
    offices,
    operations,
    proposals,
)

router = APIRouter(include_in_schema=False)
for part in (
    front,
    operations,
    applications,
    awards,
    memberships,
    proposals,
    imports,
    import_results,
    offices,
    guide,
):
    router.include_router(part.router)
