"""Asks several nodes in turn, lets them vote, and says what it means when none of them is right.

The node that answered last is asked first, unless another one is ahead of it. One whose answer is
refused is passed over and rests; a node that was asked while its chain changed is given another
chance at once, since its answers were of two chains and neither was a lie.

Proofs tell a false answer, and not a false chain that is consistent in itself: so before anything
is written, the other nodes are asked for the same block. One that says otherwise has a vote, as has
the one that was asked; one that has no such block yet has none. What no majority of the votes is
for is not taken, and where three nodes or more answer, neither is what only one of them has. With
two nodes a contradiction that no proof settles is waited out, and told with what each one says.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, wait
from typing import TypeVar

from ledger.chain.headers import Header, check_header
from ledger.chain.rpc import Node
from ledger.chain.transport import Patience
from ledger.domain.ids import BlockNumber
from ledger.errors import (
    ChainProblem,
    JournalBroken,
    LedgerError,
    MirrorProblem,
    NodeAlone,
    NodeAnswerInvalid,
    NodeAnswerTooLarge,
    NodeAnswerUnreadable,
    NodeLacksBlock,
    NodeLagging,
    NodeProblem,
    NodeRefused,
    NodesDisagree,
    NodeUnreachable,
)
from ledger.mirror.lease import Stopped
from ledger.mirror.marks import BlockMark
from ledger.mirror.prove import look_at_head
from ledger.mirror.reorganise import finalized_block
from ledger.mirror.reports import NodePassedOver, Reporter
from ledger.mirror.standing import Standing, ask_aside

T = TypeVar("T")

PASSING: tuple[type[LedgerError], ...] = (
    NodeUnreachable,
    NodeLagging,
    NodeRefused,
    NodeLacksBlock,
    NodeAnswerUnreadable,
    NodeAnswerTooLarge,
    NodesDisagree,
    NodeAlone,
)
"""What may be over soon: it is waited for. Everything else that is wrong with a node's chain, if
it is wrong with that of every node, halts the mirror."""

_RACES = (NodeAnswerInvalid, NodeLacksBlock, NodeRefused, JournalBroken)
"""What a node that seals a block between two of our questions may look like. A journal is among it
since anvil, asked for the state after its latest block just then, tells that of the new one."""

_ATTEMPTS = 3
_PAUSE_SECONDS = 0.1

_SURVEY_EVERY = 1.0
"""Seconds between two questions to the other nodes how far they are."""

_VOTE_SECONDS = 2.0
"""How long the others' votes are waited for; who takes longer has none, and rests."""

_VOTERS_FOR_TWO = 3
"""Where so many nodes answer, one alone is not believed."""

PATIENCE = Patience(attempts=2, timeout=5.0, longest=20.0)
"""How long a node of a pool is waited for: there is another one to ask, and a server calls a mirror
stale that says nothing for half a minute."""


class Pool:
    """Some nodes of one chain. One thread at a time may use it."""

    def __init__(
        self,
        nodes: Sequence[Node],
        stop: threading.Event,
        report: Reporter,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.standings = tuple(
            Standing(position, node, clock) for position, node in enumerate(nodes)
        )
        self._stop = stop
        self._report = report
        self._clock = clock
        self.preferred = self.standings[0]
        self._surveys: dict[Standing, Future[tuple[Header, int | None]]] = {}
        self._survey_due = 0.0

    def ask(self, work: Callable[[Node], T]) -> T:
        """What `work` gives with the first node that it succeeds with.

        Where it succeeds with none, raises what may pass if there is any such problem, else the
        first node's problem.
        """
        if len(self.standings) > 1:
            self._survey()
        turn = self._turn()
        problems: list[LedgerError] = []
        for standing in turn:
            try:
                result = self._attempt(standing.node, work)
            except (NodeProblem, ChainProblem, MirrorProblem) as problem:
                problems.append(problem)
                self._blame(standing, problem)
            else:
                standing.did_well()
                self.preferred = standing
                return result
        resting = [each for each in self.standings if each not in turn]
        problems += [each.problem for each in resting if each.problem is not None]
        passing = [problem for problem in problems if isinstance(problem, PASSING)]
        raise (passing or problems)[0]

    def saw_head(self, node: Node, head: Header) -> None:
        """A node's latest block, told by whoever looked at it."""
        for standing in self.standings:
            if standing.node is node:
                standing.saw(head)

    @property
    def agreed_head(self) -> int:
        """The highest block that as many nodes say they have as must, to be believed; -1 for none.

        Only those count with which nothing is wrong.
        """
        heads = sorted(each.head_number for each in self._awake() if each.is_sound)
        needed = 2 if len(heads) >= _VOTERS_FOR_TWO else 1
        return heads[-needed] if heads else -1

    def confirm(self, node: Node, mark: BlockMark) -> None:
        """Let the other nodes vote on a block that was proved from the answers of `node`.

        Raises NodesDisagree where no majority is for it, NodeAlone where nobody else has it and
        three nodes or more answer.
        """
        others = [each for each in self._awake() if each.node is not node]
        if not others:
            return

        def question(other: Node) -> bytes:
            with other.blamed():
                return check_header(other.header(mark.number)).hash

        votes, silent = self._collect_votes(others, question)
        against = {each: found for each, found in votes.items() if found != mark.hash}
        agreeing = 1 + len(votes) - len(against)
        if against:
            said = {node: mark.hash} | {each.node: found for each, found in votes.items()}
            problem = NodesDisagree(block=mark.number, answers=_quote(said))
            if len(against) >= agreeing:
                raise problem
            for standing in against:
                self._blame(standing, problem)
        if agreeing == 1 and agreeing + len(against) + silent >= _VOTERS_FOR_TWO:
            raise NodeAlone(url=node.url, block=mark.number)

    def confirm_words(
        self, node: Node, block: BlockNumber, words: T, question: Callable[[Node], T]
    ) -> None:
        """Let the other nodes vote on what `node` answered to a question that no proof settles.

        One that refuses the question has no vote. Raises NodesDisagree where as many answer
        otherwise as say the same.
        """
        others = [each for each in self._awake() if each.node is not node]
        votes, _ = self._collect_votes(others, question) if others else ({}, 0)
        against = [each for each, found in votes.items() if found != words]
        if not against:
            return
        said = "; ".join(f"{each.node.url} says otherwise" for each in against)
        problem = NodesDisagree(
            block=block, answers=f"{node.url} tells how far the contracts' journals are; {said}"
        )
        if 2 * len(against) >= 1 + len(votes):
            raise problem
        for standing in against:
            self._blame(standing, problem)

    def final_at_most(self, node: Node) -> int | None:
        """The lowest block that one of the other nodes called final last; None where there is no
        other node, and -1 where none of them said any, or one was not asked yet.

        A node that calls final what is not would stop the mirror at the next reorganisation, and
        what is final stays so.
        """
        if len(self.standings) == 1:
            return None
        others = [each for each in self._awake() if each.node is not node]
        if not all(each.is_surveyed for each in others):
            return -1
        found = [each.final for each in others if each.final is not None]
        return min(found, default=-1)

    # --- in turn ---

    def _turn(self) -> list[Standing]:
        """Whom to ask now, best first; where all rest, all of them."""
        agreed = self.agreed_head

        def rank(each: Standing) -> tuple[bool, bool, bool, int]:
            lags = 0 <= each.head_number < agreed
            return not each.is_sound, lags, each is not self.preferred, each.position

        return sorted(self._awake() or self.standings, key=rank)

    def _awake(self) -> list[Standing]:
        return [each for each in self.standings if not each.is_resting]

    def _attempt(self, node: Node, work: Callable[[Node], T]) -> T:
        for attempt in range(1, _ATTEMPTS):
            try:
                return work(node)
            except _RACES:
                if self._stop.wait(attempt * _PAUSE_SECONDS):
                    raise
        return work(node)

    def _blame(self, standing: Standing, problem: LedgerError) -> None:
        if standing.failed(problem) and len(self.standings) > 1:
            self._report(NodePassedOver(standing.node.url, problem))

    # --- the others ---

    def _survey(self) -> None:
        """Learn now and then, without waiting for it, how far the nodes are that nobody asks."""
        for standing, asked in list(self._surveys.items()):
            if asked.done():
                del self._surveys[standing]
                self._take_in(standing, asked)
        if self._clock() < self._survey_due:
            return
        self._survey_due = self._clock() + _SURVEY_EVERY
        for standing in self.standings:
            if standing is self.preferred or standing.is_resting or standing in self._surveys:
                continue
            self._surveys[standing] = ask_aside(standing.node, _how_far)

    def _take_in(self, standing: Standing, asked: Future[tuple[Header, int | None]]) -> None:
        problem = asked.exception()
        if isinstance(problem, LedgerError):
            self._blame(standing, problem)
        elif problem is None:
            lagged = isinstance(standing.problem, NodeLagging)
            head, standing.final = asked.result()
            standing.is_surveyed = True
            standing.saw(head)
            self._judge_lag(standing, was_lagging=lagged)
        elif not isinstance(problem, Stopped):
            raise problem

    def _judge_lag(self, standing: Standing, *, was_lagging: bool) -> None:
        agreed = self.agreed_head
        if standing.head_number < agreed:
            number = standing.head_number
            lagging = NodeLagging(url=standing.node.url, head=number, wanted=agreed)
            self._blame(standing, lagging)
        elif was_lagging:
            standing.seems_well()

    def _collect_votes(
        self, others: Sequence[Standing], question: Callable[[Node], T]
    ) -> tuple[dict[Standing, T], int]:
        """What each node answers, and how many have no such block yet."""
        asked = {each: ask_aside(each.node, question) for each in others}
        wait(asked.values(), timeout=_VOTE_SECONDS)
        votes: dict[Standing, T] = {}
        silent = 0
        for standing, answer in asked.items():
            if not answer.done():
                problem = f"it took more than {_VOTE_SECONDS:g} s"
                self._blame(standing, NodeUnreachable(url=standing.node.url, problem=problem))
                continue
            refusal = answer.exception()
            if refusal is None:
                votes[standing] = answer.result()
            elif isinstance(refusal, NodeLacksBlock):
                silent += 1
            elif isinstance(refusal, LedgerError):
                self._blame(standing, refusal)
            elif not isinstance(refusal, Stopped):
                raise refusal
        return votes, silent


def _how_far(node: Node) -> tuple[Header, int | None]:
    final = finalized_block(node)
    return look_at_head(node), final.number if final is not None else None


def _quote(said: dict[Node, bytes]) -> str:
    """Who says what, as evidence for a person."""
    return "; ".join(f"{node.url} has 0x{found.hex()}" for node, found in said.items())
