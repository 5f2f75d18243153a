"""Asks several nodes in turn, and says what it means when none of them is right.

The node that answered last is asked first. One whose answer is refused is passed over for this
time; a node that was asked while its chain changed is given another chance at once, since its
answers were of two chains and neither was a lie.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import TypeVar

from ledger.chain.rpc import Node
from ledger.errors import (
    ChainProblem,
    JournalBroken,
    LedgerError,
    MirrorProblem,
    NodeAnswerInvalid,
    NodeAnswerTooLarge,
    NodeAnswerUnreadable,
    NodeLacksBlock,
    NodeLagging,
    NodeProblem,
    NodeRefused,
    NodeUnreachable,
)
from ledger.mirror.reports import NodePassedOver, Reporter

T = TypeVar("T")

PASSING: tuple[type[LedgerError], ...] = (
    NodeUnreachable,
    NodeLagging,
    NodeRefused,
    NodeLacksBlock,
    NodeAnswerUnreadable,
    NodeAnswerTooLarge,
)
"""What may be over soon: it is waited for. Everything else that is wrong with a node's chain, if
it is wrong with that of every node, halts the mirror."""

_RACES = (NodeAnswerInvalid, NodeLacksBlock, NodeRefused, JournalBroken)
"""What a node that seals a block between two of our questions may look like. A journal is among it
since anvil, asked for the state after its latest block just then, tells that of the new one."""

_ATTEMPTS = 3
_PAUSE_SECONDS = 0.1


class Pool:
    """Some nodes of one chain."""

    def __init__(self, nodes: Sequence[Node], stop: threading.Event, report: Reporter) -> None:
        self._nodes = list(nodes)
        self._stop = stop
        self._report = report

    def ask(self, work: Callable[[Node], T]) -> T:
        """What `work` gives with the first node that it succeeds with.

        Where it succeeds with none, raises what may pass if there is any such problem, else the
        first node's problem.
        """
        problems: list[LedgerError] = []
        for node in list(self._nodes):
            try:
                result = self._attempt(node, work)
            except (NodeProblem, ChainProblem, MirrorProblem) as problem:
                problems.append(problem)
                if len(self._nodes) > 1:
                    self._report(NodePassedOver(node.url, problem))
            else:
                self._prefer(node)
                return result
        passing = [problem for problem in problems if isinstance(problem, PASSING)]
        raise (passing or problems)[0]

    def _attempt(self, node: Node, work: Callable[[Node], T]) -> T:
        for attempt in range(1, _ATTEMPTS):
            try:
                return work(node)
            except _RACES:
                if self._stop.wait(attempt * _PAUSE_SECONDS):
                    raise
        return work(node)

    def _prefer(self, node: Node) -> None:
        self._nodes.remove(node)
        self._nodes.insert(0, node)
