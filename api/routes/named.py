"""Programmes that a query names: what is not one is a wrong value, not a missing page."""

from __future__ import annotations

from api.answers import Reading
from ledger.domain.ids import ALLIANCE_WIDE, ProgrammeId
from ledger.errors import InvalidValue, NotFound
from ledger.mirror.queries.organisations import ProgrammeFilter
from ledger.mirror.queries.programmes import find_programme, read_programme_keys


def programme_named(reading: Reading, reference: str) -> ProgrammeFilter:
    """The programme with this id or key. Raises InvalidValue."""
    try:
        programme_id = find_programme(reading.connection, reading.moment, reference)
    except NotFound as error:
        raise InvalidValue(
            field="programme", value=reference, expected="the id or key of a programme"
        ) from error
    keys = read_programme_keys(reading.connection, reading.moment)
    return ProgrammeFilter(programme_id, keys[programme_id])


def council_named(reading: Reading, reference: str) -> ProgrammeId:
    """The programme whose council is meant, 0 for the whole alliance's. Raises InvalidValue."""
    if reference == str(ALLIANCE_WIDE):
        return ALLIANCE_WIDE
    try:
        return programme_named(reading, reference).programme_id
    except InvalidValue as error:
        raise InvalidValue(
            field="council", value=reference, expected="the id or key of a programme, or 0"
        ) from error
