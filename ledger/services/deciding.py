"""Carries out the decisions that were asked for over HTTP, one after the other.

What a node or a database refuses for now is tried again; what cannot be done is said with the
decision. Each application asks the chain first, so that a decision which was begun by a process
that died goes on where it was.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ledger.chain.signers import Signer
from ledger.domain.ids import ProgrammeId
from ledger.errors import LedgerError, MirrorProblem, NodeProblem, SendingProblem, SetupProblem
from ledger.mirror.queries.moments import latest_moment
from ledger.mirror.queries.programmes import read_programme_keys
from ledger.mirror.state import read_state
from ledger.office.decisions import (
    Decision,
    end_decision,
    is_decision_due,
    put_off,
    take_decision,
)
from ledger.services.applications import Decider
from ledger.services.desk import Desk
from ledger.services.orders import Order
from ledger.store.engine import reading, writing

AGAIN_MS = 10_000
"""How long after something that may pass a decision is tried again."""

_PASSING = (NodeProblem, SendingProblem, SetupProblem, MirrorProblem)


def carry_out_next(
    desk: Desk,
    signers: Mapping[bytes, Signer],
    *,
    clock: Callable[[], float],
    show_account: Callable[[bytes], str],
) -> bool:
    """Carry out the oldest decision that these keys can sign; whether there was one."""
    with reading(desk.engine) as connection:
        if not is_decision_due(connection, list(signers), now_ms=int(clock() * 1000)):
            return False
    with writing(desk.engine) as connection:
        taken = take_decision(connection, list(signers), now_ms=int(clock() * 1000))
    if taken is None:
        return False
    try:
        waits_for = _carry_out(desk, signers[taken.signer], taken, clock, show_account)
    except _PASSING as error:
        with writing(desk.engine) as connection:
            until = int(clock() * 1000) + AGAIN_MS
            put_off(connection, taken.decision_id, error.code, until_ms=until)
    except LedgerError as error:
        with writing(desk.engine) as connection:
            now = int(clock())
            end_decision(connection, taken.decision_id, {}, problem=error.code, now=now)
    else:
        with writing(desk.engine) as connection:
            end_decision(connection, taken.decision_id, waits_for, now=int(clock()))
    return True


def _carry_out(
    desk: Desk,
    signer: Signer,
    taken: Decision,
    clock: Callable[[], float],
    show_account: Callable[[bytes], str],
) -> dict[bytes, str]:
    with reading(desk.engine) as connection:
        keys = read_programme_keys(connection, latest_moment(read_state(connection)))
    programmes: dict[str, ProgrammeId] = {key: number for number, key in keys.items()}
    decider = Decider(desk, Order(desk.outbox, signer), show_account(taken.account), int(clock()))
    done = decider.decide(taken.application_ids, programmes)
    return {each.application_id: each.waits_for for each in done}
