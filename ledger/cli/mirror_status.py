"""How a mirror does, as JSON and as sentences."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ledger.mirror.nodes import Condition
from ledger.mirror.overview import Overview, lag_seconds

_OTHER_CHAIN = (
    "Block {} of a chain that is not here any more; of the chain that is here nothing is mirrored. "
    "`moonlake mirror rebuild` mirrors it once the contracts are there; `moonlake up --fresh` "
    "moves the old data aside."
)
_CONDITIONS = {
    Condition.IN_USE: "is asked",
    Condition.STANDING_BY: "stands by",
    Condition.LAGGING: "lags behind",
    Condition.PASSED_OVER: "was passed over",
}


def describe(overview: Overview, now: float) -> dict[str, Any]:
    """Times in seconds since 1970 UTC, ages and lags in seconds and blocks."""
    state, tallies, leader = overview.state, overview.tallies, overview.leader
    cursor, halt = state.cursor, state.halt
    return {
        "chain_id": state.chain_id,
        "schema_version": state.schema_version,
        "verification": overview.level.value,
        "verified": [
            {"first_block": each.first, "last_block": each.last, "level": each.level.value}
            for each in overview.ranges
        ],
        "block_number": cursor.number,
        "block_hash": "0x" + cursor.hash.hex(),
        "block_timestamp": cursor.timestamp,
        "final_block": state.final_number,
        "head_number": state.head_number,
        "lag_blocks": state.lag,
        "lag_seconds": lag_seconds(state, now),
        "looked_at": state.looked_at / 1000,
        "looked_seconds_ago": round(max(0.0, now - state.looked_at / 1000), 3),
        "generation": state.generation,
        "commits": tallies.commits,
        "events": tallies.applied_logs,
        "reorganisations": tallies.reorganisations,
        "leader": {"epoch": leader.epoch, "holder": leader.holder or None},
        "nodes": [
            {
                "name": node.name,
                "condition": node.condition.value,
                "head_number": node.head_number,
                "code": node.code or None,
                "problem": node.problem or None,
                "at": node.at / 1000,
            }
            for node in overview.nodes
        ],
        "halted": None
        if halt is None
        else {
            "code": halt.code,
            "reason": halt.reason,
            "block_number": halt.block,
            "at": halt.at / 1000,
        },
    }


def sentences(
    overview: Overview, now: float, *, stale_after: float, is_other: bool
) -> Iterator[str]:
    """The same for a person: what there is to be said, and no more."""
    state = overview.state
    if is_other:
        yield _OTHER_CHAIN.format(state.cursor.number)
    else:
        yield (
            f"Block {state.cursor.number} of {state.head_number} on chain {state.chain_id}, "
            f"proved by {overview.level.value}."
        )
    if state.lag:
        yield f"Behind by {state.lag} blocks, {lag_seconds(state, now)} seconds."
    age = now - state.looked_at / 1000
    if age > stale_after:
        yield f"The chain was last looked at {age:.0f} seconds ago."
    elif age < -stale_after:
        yield f"The last look at the chain is dated {-age:.0f} seconds ahead of this clock."
    if overview.leader.holder:
        yield f"Written by the mirror {overview.leader.holder}."
    if len(overview.nodes) > 1 or any(node.code for node in overview.nodes):
        for node in overview.nodes:
            why = f": {node.problem} [{node.code}]" if node.code else "."
            yield f"The node {node.name} {_CONDITIONS[node.condition]}{why}"
    if state.halt is not None:
        yield f"Halted at block {state.halt.block}: {state.halt.reason} [{state.halt.code}]"
