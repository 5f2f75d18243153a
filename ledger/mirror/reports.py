"""What a mirror tells whoever runs it, while it runs; values only, shown by the command line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

from ledger.domain.ids import BlockNumber
from ledger.errors import LedgerError
from ledger.mirror.state import MirrorState


@dataclass(frozen=True, slots=True)
class Applied:
    """Blocks came in. `entries` is how many logs of ours they held, `rolled_back` how many blocks
    went before, because the chain no longer has them."""

    state: MirrorState
    logs: int
    rolled_back: int


@dataclass(frozen=True, slots=True)
class NodePassedOver:
    """A node's answer was refused, or it gave none; another one is asked."""

    url: str
    problem: LedgerError


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing can be done now; the next look is in `seconds`."""

    problem: LedgerError
    seconds: float


@dataclass(frozen=True, slots=True)
class Subscribed:
    """A node pushes its new blocks from now on."""

    url: str


@dataclass(frozen=True, slots=True)
class SubscriptionLost:
    """No blocks are pushed until it is there again; the chain is looked at as without it."""

    url: str
    problem: LedgerError


@dataclass(frozen=True, slots=True)
class OtherLeads:
    """Another mirror writes this database; this one waits for it to end."""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """The cursor stands at the chain's head."""

    block: BlockNumber


@dataclass(frozen=True, slots=True)
class Building:
    """Tables are built from stored facts: those of `first` to `block` are in, `last` is the end.
    `logs` came in since the report before."""

    first: BlockNumber
    block: BlockNumber
    last: BlockNumber
    logs: int


@dataclass(frozen=True, slots=True)
class Upgrading:
    """The derived tables are of an older release; new ones are built while those are read."""

    found: int
    needed: int


Report: TypeAlias = (
    Applied
    | NodePassedOver
    | Waiting
    | OtherLeads
    | CaughtUp
    | Building
    | Upgrading
    | Subscribed
    | SubscriptionLost
)
Reporter: TypeAlias = Callable[[Report], None]


def say_nothing(_report: Report) -> None:
    """A reporter for whoever does not listen."""
