"""What a job that takes many commands works with, handed over as one value.

Made by `ledger.wiring`; a service that does one thing takes the outbox alone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy import Engine

from ledger.chain.contracts.registry import LedgerContracts
from ledger.chain.rpc import Node
from ledger.office.evidence import EvidenceStore
from ledger.outbox.sending import Outbox

Report = Callable[[str], None]
"""Takes a line for people."""


@dataclass(frozen=True, slots=True)
class Desk:
    """A ledger to work on: its chain, its database, its documents, and the way to send."""

    node: Node
    contracts: LedgerContracts
    engine: Engine
    evidence: EvidenceStore
    outbox: Outbox
