"""When the contracts' own state is proved: before the first commit that reaches the chain's head,
and now and then afterwards.

Such a proof is dear for some nodes (anvil takes a second where 200,000 entries are), so that it is
asked for ahead while much is to be done, and looked at when it is there while a mirror follows: by
then each row is proved by the receipts of its block already. A follower that starts again asks some
seconds later, when it is ready: a node goes on computing for whoever died meanwhile, and mirrors
that are started together, or again and again, would have it busy with nothing else. Where rows rest
on the contracts' heads alone, it is always waited for.
"""

from __future__ import annotations

import time
from concurrent.futures import Future
from typing import NamedTuple

from ledger.chain.headers import Header
from ledger.chain.rpc import Node
from ledger.domain.verification import Level
from ledger.errors import LedgerError
from ledger.mirror.prove import Journals, Proofs, Prover
from ledger.mirror.standing import ask_aside

PROOF_EVERY = 60.0
"""Seconds between two proofs while following."""

FIRST_PROOF_AFTER = 5.0
"""Seconds after which a follower asks for its first one, where it need not wait for that."""


class _Asked(NamedTuple):
    """A proof that is under way."""

    node: Node
    block: Header
    journals: Journals
    answer: Future[Proofs]


class StateProofs:
    """The proofs of one mirror. `waits` says whether the next one is waited for; whoever has had
    one need not wait for another."""

    def __init__(self, prover: Prover, level: Level) -> None:
        self.waits = True
        self._prover = prover
        self._always_waits = level is Level.HEADS
        self._asked: _Asked | None = None
        self._proved: Journals = {}
        self._due = 0.0
        self._begun = time.monotonic()

    def ask_ahead(self, node: Node, head: Header, journals: Journals) -> None:
        """Ask for the first proof while there is much else to do."""
        if self._asked is None and not self._proved:
            self._ask(node, head, journals)

    def prove(self, node: Node, block: Header, journals: Journals) -> None:
        """Prove the journals that went on since they were proved, if that is due.

        Raises what `Prover.prove_contracts` raises, of this block or of one that it was asked for
        before.
        """
        if not self._waits:
            self._settle(node)
        moved = {each: at for each, at in journals.items() if self._proved.get(each) != at}
        if not moved or time.monotonic() < self._due:
            return
        if self._waits:
            asked, self._asked = self._asked, None
            fits = (
                asked is not None and asked[:2] == (node, block) and list(asked[2]) == list(moved)
            )
            answer = asked.answer.result if asked is not None and fits else None
            self._prover.prove_contracts(node, block, moved, answer)
            self._is_proved(moved)
            self.waits = False
        elif self._asked is None and self._is_warm:
            self._ask(node, block, moved)

    @property
    def _waits(self) -> bool:
        return self.waits or self._always_waits

    @property
    def _is_warm(self) -> bool:
        """Whether the mirror runs for a while, or has had a proof."""
        return bool(self._proved) or time.monotonic() >= self._begun + FIRST_PROOF_AFTER

    def _ask(self, node: Node, block: Header, journals: Journals) -> None:
        answer = ask_aside(node, lambda it: self._prover.ask_proofs(it, block, journals))
        self._asked = _Asked(node, block, journals, answer)

    def _settle(self, node: Node) -> None:
        """Look at what was asked for aside, if it is there."""
        asked = self._asked
        if asked is None or not asked.answer.done():
            return
        self._asked = None
        if asked.node is not node:
            return  # whoever answers now is asked anew, so that nobody is blamed for another
        try:
            self._prover.prove_contracts(node, asked.block, asked.journals, asked.answer.result)
        except LedgerError:
            self.waits = True
            raise
        self._is_proved(asked.journals)

    def _is_proved(self, journals: Journals) -> None:
        self._proved = {**self._proved, **journals}
        self._due = time.monotonic() + PROOF_EVERY
