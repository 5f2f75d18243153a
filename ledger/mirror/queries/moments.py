"""The moment that an answer is true at: the last block applied, or an earlier one asked for.

Every query takes a moment, so that what an answer says of itself and what it was read at cannot
differ. A moment is only meaningful in the SQL transaction that it was read in.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import BigInteger, Connection, Row, bindparam, select

from ledger.domain.ids import BlockNumber
from ledger.errors import InvalidValue
from ledger.mirror.state import MirrorState
from ledger.store.mirror_tables import blocks, contracts


class Condition(StrEnum):
    """How the mirror does, as far as its own row tells."""

    FOLLOWING = "following"
    STALE = "stale"
    HALTED = "halted"


@dataclass(frozen=True, slots=True)
class Moment:
    """A block of the chain; `timestamp` is in seconds since 1970 UTC.

    `is_latest` says that no later block was applied, so that derived tables may be read.
    """

    block_number: BlockNumber
    block_hash: bytes
    timestamp: int
    is_latest: bool


@dataclass(frozen=True, slots=True)
class Contract:
    """A contract that the mirror follows."""

    name: str
    address: bytes
    code_hash: bytes
    first_block: BlockNumber


_BLOCK = select(blocks).where(blocks.c.number == bindparam("number", type_=BigInteger))
_BLOCK_AT_TIME = (
    select(blocks)
    .where(blocks.c.timestamp <= bindparam("time", type_=BigInteger))
    .order_by(blocks.c.timestamp.desc(), blocks.c.number.desc())
    .limit(1)
)
_CONTRACTS = select(contracts).order_by(contracts.c.contract_id)


def condition_of(state: MirrorState, *, now: float, stale_after: float) -> Condition:
    """How the mirror does at `now` (seconds since 1970 UTC).

    It is stale when it has not looked at the chain for more than `stale_after` seconds.
    """
    if state.halt is not None:
        return Condition.HALTED
    stale = is_stale(state.looked_at, now=now, stale_after=stale_after)
    return Condition.STALE if stale else Condition.FOLLOWING


def is_stale(looked_at: int, *, now: float, stale_after: float) -> bool:
    """Whether a look (milliseconds since 1970 UTC) is too old at `now`, in seconds.

    One that is dated as far ahead tells nothing: a clock was set back, and until it has caught up
    with that date a mirror that is dead would look as if it lived.
    """
    return abs(now - looked_at / 1000) > stale_after


def latest_moment(state: MirrorState) -> Moment:
    """The last block applied."""
    cursor = state.cursor
    return Moment(cursor.number, cursor.hash, cursor.timestamp, is_latest=True)


def moment_at_block(connection: Connection, state: MirrorState, block: int) -> Moment:
    """The moment of a block. Raises InvalidValue where that block is not mirrored."""
    if block == state.cursor.number:
        return latest_moment(state)
    row = None
    if state.first_block <= block < state.cursor.number:
        row = connection.execute(_BLOCK, {"number": block}).one_or_none()
    if row is None:
        raise InvalidValue(
            field="as_of_block",
            value=block,
            expected=f"a mirrored block ({state.first_block} to {state.cursor.number})",
        )
    return _moment(row, state)


def moment_at_time(connection: Connection, state: MirrorState, time: int) -> Moment:
    """The last mirrored block at or before `time`, in seconds since 1970 UTC.

    Raises InvalidValue where the ledger had not begun.
    """
    row = connection.execute(_BLOCK_AT_TIME, {"time": time}).one_or_none()
    if row is None:
        raise InvalidValue(
            field="as_of", value=time, expected="a time after the ledger's first block"
        )
    return _moment(row, state)


def read_contracts(connection: Connection) -> tuple[Contract, ...]:
    """The contracts that the mirror follows, in the order of their deployment."""
    return tuple(
        Contract(row.name, bytes(row.address), bytes(row.code_hash), row.first_block)
        for row in connection.execute(_CONTRACTS)
    )


def _moment(row: Row[tuple[object, ...]], state: MirrorState) -> Moment:
    is_latest = row.number == state.cursor.number
    return Moment(row.number, bytes(row.hash), row.timestamp, is_latest=is_latest)
