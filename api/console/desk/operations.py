"""The page of an operation: how far it is, what it made, and what to do where it failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fastapi import APIRouter, Request, Response

from api.answers import Reading
from api.asking import made_by
from api.console.desk.acting import desk_page, places_of, tell
from api.console.desk.following import trouble_of
from api.console.desk.forms import Officer
from api.console.desk.guide import READERS
from api.console.languages import Language
from api.formats import parse_digest, show_bytes
from api.routes.operations import OperationPath
from ledger.errors import NotFound
from ledger.mirror.queries.accounts import read_roles
from ledger.outbox.records import Operation, list_of

router = APIRouter(include_in_schema=False)


@router.get("/desk/operations/{operation_id}")
def operation(request: Request, operation_id: OperationPath, caller: Officer) -> Response:
    """One operation, followed until it is final."""
    wanted = parse_digest("operation_id", operation_id)

    def build(reading: Reading, language: Language) -> Mapping[str, Any]:
        found = list_of(reading.connection, [wanted]).get(wanted)
        if found is None:
            raise NotFound(what="operation", key=show_bytes(wanted))
        return {
            "operation": found,
            "says": tell(reading, language, [found.request])[0],
            "made": [each.path.removeprefix("/v1") for each in made_by(reading, found)],
            "trouble": trouble_of(found.failure),
            "is_followed": not is_settled(found),
            "may_set_up": bool(
                places_of(read_roles(reading.connection, reading.moment, caller.account), READERS)
            ),
        }

    return desk_page(request, caller, "desk_operation.html", build)


def is_settled(operation: Operation) -> bool:
    """Whether nothing changes about it any more."""
    return operation.state.value in ("final", "failed", "cancelled")
