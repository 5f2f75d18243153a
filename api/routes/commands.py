"""What is asked for: each a record, and an operation that answers it.

The routes are made from the kinds of `api.commanding`, so that no two of them differ in how they
are asked, logged and repeated.
"""

from __future__ import annotations

from fastapi import APIRouter

from api.commanding import (
    awards,
    benefits,
    control,
    councils,
    members,
    messages,
    officers,
    rules,
    sharing,
)
from api.kinds import serve_kinds

router = APIRouter(tags=["commands"])

serve_kinds(
    router,
    (
        *awards.KINDS,
        *members.KINDS,
        *control.KINDS,
        *rules.KINDS,
        *officers.KINDS,
        *benefits.KINDS,
        *sharing.KINDS,
        *councils.KINDS,
        *messages.KINDS,
    ),
)
