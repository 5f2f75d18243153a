"""All that a mirror's database tells about the mirror, read at one moment.

The mirror and whoever asks how it does are different processes, so it is all in the database: how
far it is, what its rows rest on, who writes it, what was done so far, how its nodes do.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection

from ledger.domain.verification import Level
from ledger.mirror.lease import Leader, read_leader
from ledger.mirror.nodes import NodeNote, read_nodes
from ledger.mirror.ranges import VerifiedRange, read_ranges, weakest_level
from ledger.mirror.state import MirrorState, Tallies, read_state, read_tallies


@dataclass(frozen=True, slots=True)
class Overview:
    """How a mirror does."""

    state: MirrorState
    tallies: Tallies
    leader: Leader
    ranges: tuple[VerifiedRange, ...]
    nodes: tuple[NodeNote, ...]

    @property
    def level(self) -> Level:
        """The level that every mirrored block reaches."""
        return weakest_level(self.ranges)


def read_overview(connection: Connection) -> Overview:
    """How the mirror does. Raises MirrorEmpty where the database holds none."""
    state = read_state(connection)
    return Overview(
        state=state,
        tallies=read_tallies(connection),
        leader=read_leader(connection),
        ranges=read_ranges(connection, state),
        nodes=read_nodes(connection),
    )


def lag_seconds(state: MirrorState, now: float) -> int:
    """For how long the chain has gone on without the mirror: 0 at the head of the last look, else
    the age of the last block applied. `now` is in seconds since 1970 UTC."""
    return max(0, int(now) - state.cursor.timestamp) if state.lag else 0
