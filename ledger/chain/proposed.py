"""What a proposal would call, and why it was made: from a node's logs.

The council keeps a hash of the calls alone; they stand in the log of the proposal's making. A node
is asked and not believed: calls that do not have the hash which the council keeps are refused.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import msgspec

from ledger.chain.artifacts import load_artifact
from ledger.chain.contracts.council import Council, hash_calls
from ledger.chain.logs import ContractEvents
from ledger.domain.events import Call
from ledger.domain.ids import ProposalId
from ledger.domain.sharing import ProposalState
from ledger.errors import NodeAnswerInvalid

_MADE, _CALLS = "ProposalMade", "ProposalCalls"


@dataclass(frozen=True, slots=True)
class Proposed:
    """A proposal's calls in their order, and the commitment to the document that says why."""

    calls: tuple[Call, ...]
    evidence: bytes


class _Log(msgspec.Struct):
    topics: list[str]
    data: str


def read_proposed(
    council: Council, proposal_id: ProposalId, state: ProposalState, *, first_block: int
) -> Proposed:
    """What the proposal with this state is about. Raises NodeAnswerInvalid where it is not told."""
    events = ContractEvents(council.NAME, load_artifact(council.NAME).abi)
    made = next(each for each in events.journal.values() if each.name == _MADE)
    annex = next(each for each in events.annexes.values() if each.name == _CALLS)
    number = "0x" + proposal_id.to_bytes(32, "big").hex()

    def ask(*topics: str | None) -> list[tuple[bytes, bytes]]:
        query = {
            "fromBlock": hex(first_block),
            "toBlock": "latest",
            "address": "0x" + council.address.hex(),
            "topics": list(topics),
        }
        found = council.node.ask("eth_getLogs", (query,), list[_Log])
        return [
            (
                b"".join(bytes.fromhex(topic[2:]) for topic in log.topics),
                bytes.fromhex(log.data[2:]),
            )
            for log in found
        ]

    calls_logs = ask("0x" + annex.topic.hex(), number)
    made_logs = ask("0x" + made.topic.hex(), None, None, number)
    if len(calls_logs) != 1 or len(made_logs) != 1:
        raise _wrong(council, f"it shows {len(calls_logs)} logs of proposal {proposal_id}'s calls")
    rows: list[dict[str, Any]] = annex.decode_named(*calls_logs[0])["calls"]
    calls = tuple(Call(row["target"], row["data"]) for row in rows)
    if hash_calls(calls) != state.calls_hash:
        raise _wrong(council, f"the calls of proposal {proposal_id} are not those of its hash")
    fields = dict(zip(made.fields, made.decode(*made_logs[0]), strict=True))
    return Proposed(calls, bytes(fields["evidence"]))


def _wrong(council: Council, problem: str) -> NodeAnswerInvalid:
    return NodeAnswerInvalid(block="latest", url=council.node.url, problem=problem)
