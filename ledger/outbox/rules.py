"""The numbers that sending goes by, in one place. All times are in seconds."""

from __future__ import annotations

from dataclasses import dataclass

from ledger.outbox.leases import LEASE_SECONDS


@dataclass(frozen=True, slots=True)
class Rules:
    """How long is waited for what, and how often something is tried.

    lease: after which a sender that says nothing is taken to be dead.
    fresh: for which a simulation is believed; what waited longer is simulated again.
    resend: after which bytes that are in no block are sent again, since nodes forget.
    stuck: after which a transaction is replaced by one with higher fees, once blocks go by without
        it.
    doubt: for which a nonce must seem taken, or missing, before that is believed.
    in_flight: the most transactions of a key on their way at once. geth keeps 16 of an account
        whatever happens and more while there is room (`txpool.accountslots`), Besu 200.
    raises: how often fees are raised for one nonce. The most that is ever offered is the ceiling of
        the settings, and `ceiling_factor` times what the first of them offered.
    linger: for which a lease is kept after the last operation was done, for the next one: taking it
        and giving it back costs a commit each. Who sets it closes the outbox at the end.
    """

    lease: float = LEASE_SECONDS
    fresh: float = 15.0
    resend: float = 2.0
    stuck: float = 30.0
    doubt: float = 1.0
    in_flight: int = 64
    raises: int = 5
    ceiling_factor: int = 10
    linger: float = 0.0


STUCK_BLOCKS = 2
"""Where fewer went by, it is the chain that is stuck and not the transaction."""
