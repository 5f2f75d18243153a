"""A proposal's calls are mirrored as they stand in the log that follows it, or nothing is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import select

from ledger.chain.contracts.council import hash_calls
from ledger.chain.logs import ContractEvents
from ledger.chain.receipts import Log
from ledger.domain.events import Call
from ledger.domain.ids import BlockNumber
from ledger.errors import JournalBroken
from ledger.mirror.apply import Applier, read_journals
from ledger.mirror.prove import ProvedRange, Prover, look_at_head
from ledger.mirror.state import read_state
from ledger.store import mirror_tables as tables
from ledger.store.engine import reading
from tests.mirror.conftest import Mirrored, Open
from tests.mirror.test_reorganisation import take_back
from tests.support.happenings import Ledger


@pytest.fixture
def before_a_proposal(
    database_url: str, told_ledger: Ledger, open_mirror: Open
) -> tuple[Mirrored, ProvedRange]:
    """A mirror of all that was before the first proposal, and what follows, proved."""
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.sync()
    with reading(mirrored.engine) as connection:
        first = connection.execute(select(tables.proposal_calls.c.block_number)).scalars().first()
        assert first is not None
    take_back(mirrored, first - 1)
    with reading(mirrored.engine) as connection:
        state = read_state(connection)
        journals = read_journals(connection, mirrored.followed, BlockNumber(first - 1))
    node = mirrored.nodes[0]
    proved = Prover(mirrored.followed).prove_range(node, state.cursor, journals, look_at_head(node))
    return mirrored, proved


def apply(mirrored: Mirrored, proved: ProvedRange, logs: Sequence[Log]) -> None:
    """Apply the range with other logs than were proved."""
    with reading(mirrored.engine) as connection:
        state = read_state(connection)
    Applier(mirrored.engine, mirrored.followed).apply_range(
        state, dataclasses.replace(proved, logs=list(logs)), final_number=0, head_number=9
    )


def is_calls(mirrored: Mirrored, log: Log) -> bool:
    council: ContractEvents = next(
        each.events for each in mirrored.followed.contracts if each.name == "Council"
    )
    return log.topics[:32] in council.annexes


def test_calls__of_every_proposal__have_the_hash_that_was_approved(
    before_a_proposal: tuple[Mirrored, ProvedRange],
) -> None:
    mirrored, proved = before_a_proposal
    apply(mirrored, proved, proved.logs)
    with reading(mirrored.engine) as connection:
        made = connection.execute(
            select(tables.proposal_versions).where(tables.proposal_versions.c.change == "made")
        ).all()
        rows = connection.execute(
            select(tables.proposal_calls).order_by(
                tables.proposal_calls.c.proposal_id, tables.proposal_calls.c.position
            )
        ).all()
    assert len(made) > 3
    assert max(row.position for row in rows) == 1
    for proposal in made:
        calls = [
            Call(bytes(row.target), bytes(row.data))
            for row in rows
            if row.proposal_id == proposal.proposal_id
        ]
        assert hash_calls(calls) == bytes(proposal.calls_hash)


def _without_calls(logs: list[Log], place: int) -> list[Log]:
    return logs[:place] + logs[place + 1 :]


def _only_the_proposal(logs: list[Log], place: int) -> list[Log]:
    return logs[:place]


def _calls_twice(logs: list[Log], place: int) -> list[Log]:
    return logs[: place + 1] + logs[place:]


def _other_calls(logs: list[Log], place: int) -> list[Log]:
    """One bit of a call is another: it can be read, and is not what was approved."""
    data = bytearray(logs[place].data)
    data[5 * 32 - 1] ^= 1
    return [*logs[:place], logs[place]._replace(data=bytes(data)), *logs[place + 1 :]]


def _malformed_calls(logs: list[Log], place: int) -> list[Log]:
    return [
        *logs[:place],
        logs[place]._replace(data=logs[place].data + bytes(32)),
        *logs[place + 1 :],
    ]


@pytest.mark.parametrize(
    ("alter", "problem"),
    [
        (_without_calls, "where ProposalCalls should"),
        (_only_the_proposal, "no ProposalCalls follows"),
        (_calls_twice, "does not stand after"),
        (_other_calls, "calls_hash"),
        (_malformed_calls, "left over"),
    ],
)
def test_calls__that_are_not_those_of_the_proposal__are_refused(
    before_a_proposal: tuple[Mirrored, ProvedRange],
    alter: Callable[[list[Log], int], list[Log]],
    problem: str,
) -> None:
    mirrored, proved = before_a_proposal
    digest = mirrored.digest
    logs = list(proved.logs)
    place = next(number for number, log in enumerate(logs) if is_calls(mirrored, log))
    with pytest.raises(JournalBroken, match=problem):
        apply(mirrored, proved, alter(logs, place))
    assert mirrored.digest == digest
