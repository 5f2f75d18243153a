"""A node does not answer, or answers what cannot be true.

NodeProblem              a node does not answer, or answers what cannot be true
├── NodeUnreachable
├── NodeBusy
├── NodeRefused
├── NodeAnswerInvalid
├── NodeAnswerUnreadable
├── NodeAnswerTooLarge
├── NodeLacksBlock
├── NodeLagging
├── NodesDisagree
└── NodeAlone
ProofProblem             what was given does not follow from the chain of headers
└── NotProved
"""

from __future__ import annotations

from typing import Any

from ledger.errors.base import LedgerError

_LONGEST_WORDS = 2_000
_UNTOUCHED = frozenset({"data"})


class NodeProblem(LedgerError):
    """A node does not answer, or answers what cannot be true.

    What a node says is shown to people, written to logs and kept in the database: so characters
    that steer a terminal, begin a line or fit into no database are shown by their numbers.
    """

    def __init__(self, **values: Any) -> None:
        super().__init__(**{key: _tamed(key, value) for key, value in values.items()})


class NodeUnreachable(NodeProblem):
    code = "node.unreachable"
    sentence = "The node at {url} does not answer: {problem}."
    next_step = (
        "Start the node (`moonlake devnet start` for the devnet) or correct MOONLAKE_RPC_URL."
    )


class NodeBusy(NodeProblem):
    """As many requests wait for the node as may; the others are answered without it."""

    code = "node.busy"
    sentence = "{most} requests wait for the chain's node already."
    next_step = "Try again in a moment; what needs no node is answered as ever."


class NodeRefused(NodeProblem):
    code = "node.refused"
    sentence = "The node at {url} refused {method}: {message} (code {node_code})."
    next_step = "Check that the node serves this method."


class NodeAnswerInvalid(NodeProblem):
    """The answer contradicts the chain of headers; nothing of it was used."""

    code = "node.answer_invalid"
    sentence = "Block {block}: the node at {url} gave an answer that cannot be true: {problem}."
    next_step = "Ask another node: add one to MOONLAKE_RPC_URL."


class NodeAnswerUnreadable(NodeProblem):
    code = "node.answer_unreadable"
    sentence = "The node at {url} answered {method} with what cannot be read: {problem}."
    next_step = "Check that the address is that of an Ethereum node, or ask another node."


class NodeAnswerTooLarge(NodeProblem):
    code = "node.answer_too_large"
    sentence = "The answer of the node at {url} to {method} is larger than {limit}."
    next_step = "Ask for less at a time."


class NodeLacksBlock(NodeProblem):
    """`block` is a number, or a hash in hex."""

    code = "node.lacks_block"
    sentence = "The node at {url} has nothing for block {block} ({method})."
    next_step = "Wait until it has caught up, or ask another node."


class NodeLagging(NodeProblem):
    code = "node.lagging"
    sentence = "The node at {url} is at block {head}, behind block {wanted}."
    next_step = "Wait until it has caught up, or add another node to MOONLAKE_RPC_URL."


class NodesDisagree(NodeProblem):
    """Each of them is right by itself; `answers` says which node has which block there."""

    code = "node.disagreement"
    sentence = "Block {block}: the nodes do not agree: {answers}."
    next_step = (
        "Nothing is taken until most of them agree. If it lasts, one of them follows another "
        "chain: find out which and remove it from MOONLAKE_RPC_URL; of three nodes, the two that "
        "agree are followed."
    )


class NodeAlone(NodeProblem):
    code = "node.alone"
    sentence = "Only the node at {url} has block {block} so far."
    next_step = "Wait until another node has it too."


class ProofProblem(LedgerError):
    """What was given does not follow from the chain of headers, whoever gave it."""

    def __init__(self, **values: Any) -> None:
        super().__init__(**{key: _tamed(key, value) for key, value in values.items()})


class NotProved(ProofProblem):
    code = "proof.not_proved"
    sentence = "Block {block}: {problem}."
    next_step = "Do not use what was given; ask another node."


def _tamed(key: str, value: Any) -> Any:
    """A value as it can stand in a sentence, whoever made it up."""
    if not isinstance(value, str) or key in _UNTOUCHED:
        return value
    cut = value if len(value) <= _LONGEST_WORDS else value[:_LONGEST_WORDS] + "…"
    if cut.isprintable():
        return cut
    return "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in cut)
