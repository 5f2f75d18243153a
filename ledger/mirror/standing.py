"""What is remembered of each node of a pool: its head, what was wrong with it, when it rests.

A node that fails is left alone for a while, each time longer, so that a dead one costs next to
nothing. Whether it is asked nevertheless is the pool's to decide.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import TypeVar

from ledger.chain.headers import Header
from ledger.chain.rpc import Node
from ledger.errors import (
    LedgerError,
    NodeAlone,
    NodeLacksBlock,
    NodeLagging,
    NodesDisagree,
    NodeUnreachable,
)

T = TypeVar("T")

FIRST_REST = 1.0
LONGEST_REST = 60.0
"""Seconds. From its sixth failure on a node is asked once in 45 to 60 seconds."""

_FORGOTTEN_AFTER = 600.0
_JITTER = 0.25
_TOLD_EVERY = 60.0

_NO_FAULT = (NodesDisagree, NodeAlone, NodeLagging)
"""What says that nodes differ, and not that this one is wrong: it goes on being asked."""

_OVER_WHEN_IT_ANSWERS = (NodeUnreachable, NodeLacksBlock)


class Standing:
    """One node as the pool knows it. `position` is its place in the settings, from 0.

    `head` and `final` are the latest block and the number of the final one that it told, unproved;
    `is_surveyed` says that it was asked for the latter.
    `problem` is what was wrong with it last, None once it did well; `problem_at` is when, in
    milliseconds since 1970 UTC.
    """

    def __init__(self, position: int, node: Node, clock: Callable[[], float]) -> None:
        self.position = position
        self.node = node
        self.head: Header | None = None
        self.final: int | None = None
        self.is_surveyed = False
        self.problem: LedgerError | None = None
        self.problem_at = 0
        self._clock = clock
        self._failures = 0
        self._failed_at = 0.0
        self._rest_until = 0.0
        self._told: tuple[str, float] = ("", 0.0)

    @property
    def is_resting(self) -> bool:
        """Whether it failed so lately that it should be left alone."""
        return self._clock() < self._rest_until

    @property
    def is_sound(self) -> bool:
        """Whether nothing is wrong with it, as far as is known."""
        return self.problem is None or isinstance(self.problem, _NO_FAULT)

    @property
    def head_number(self) -> int:
        """The number of its latest block, -1 where it told none."""
        return self.head.number if self.head is not None else -1

    def did_well(self) -> None:
        """What it was asked for, it answered rightly."""
        self._failures = 0
        self.seems_well()

    def seems_well(self) -> None:
        """It answers, or has caught up. What it does when it is asked for more is to be seen: one
        that tells a new head at once and is silent about all else would be asked first each time.
        """
        self.problem = None
        self._rest_until = 0.0
        self._told = ("", 0.0)

    def saw(self, head: Header) -> None:
        """It told its latest block."""
        self.head = head
        if isinstance(self.problem, _OVER_WHEN_IT_ANSWERS):
            self.seems_well()

    def failed(self, problem: LedgerError) -> bool:
        """Something was wrong with it; whether that is worth telling a person now."""
        self.problem, self.problem_at = problem, _now()
        now = self._clock()
        if not isinstance(problem, _NO_FAULT):
            if now - self._failed_at > _FORGOTTEN_AFTER:
                self._failures = 0
            self._failed_at = now
            rest = min(FIRST_REST * 2**self._failures, LONGEST_REST)
            # So that many mirrors do not all come back to a node at the same moment.
            rest *= 1 - _JITTER * random.random()  # noqa: S311
            self._failures = min(self._failures + 1, 16)
            self._rest_until = now + rest
        code, at = self._told
        is_new = problem.code != code or now - at >= _TOLD_EVERY
        if is_new:
            self._told = (problem.code, now)
        return is_new


def ask_aside(node: Node, question: Callable[[Node], T]) -> Future[T]:
    """Ask a node in a thread of its own, which ends with the process: one that hangs holds up
    nobody."""
    answer: Future[T] = Future()

    def ask() -> None:
        try:
            answer.set_result(question(node))
        except Exception as problem:  # noqa: BLE001  a thread's end: whoever asked is told
            answer.set_exception(problem)

    Thread(target=ask, name=f"asking {node.url}", daemon=True).start()
    return answer


def _now() -> int:
    return time.time_ns() // 1_000_000
