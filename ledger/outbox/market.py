"""What a transaction costs now, asked of the node now and then instead of for each command.

Fees and balances move from block to block; a second's age does no harm, since a fee leaves room for
six full blocks and the balance is asked again where it seems too low.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from ledger.chain.addresses import show_address
from ledger.chain.rpc import Node
from ledger.chain.sending import (
    GAS_MARGIN,
    MAX_GAS,
    Call,
    Fees,
    estimate_gas,
    read_fees,
    run_within,
)
from ledger.errors import ChainMismatch, FundsTooLow
from ledger.outbox.combining import Combiner

_FRESH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Prices:
    """What one unit of gas costs, and how much of it a transaction may use."""

    fees: Fees
    most_gas: int
    read_at: float


class Market:
    """One node's prices; threads may share it. `ceiling` is the most wei for one unit of gas."""

    def __init__(
        self,
        node: Node,
        *,
        chain_id: int,
        ceiling: int | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._node = node
        self._chain_id = chain_id
        self._clock = clock
        self._lock = threading.Lock()
        self._prices: Prices | None = None
        self._simulation = Combiner(partial(run_within, node))
        self._limits: dict[tuple[bytes, bytes, int], int] = {}
        self._balances: dict[bytes, tuple[int, float]] = {}
        self.ceiling = ceiling

    def prices(self) -> Prices:
        """The present prices. Raises FeesTooHigh, ChainMismatch and NodeProblem."""
        with self._lock:
            known = self._prices
            if known is None or self._clock() - known.read_at > _FRESH_SECONDS:
                served = self._node.chain_id()
                if served != self._chain_id:
                    raise ChainMismatch(what="the chain id", found=served, expected=self._chain_id)
                latest = self._node.header("latest")
                known = Prices(
                    read_fees(self._node, latest, ceiling=self.ceiling),
                    min(MAX_GAS, int(latest.gas_limit, 16)),
                    self._clock(),
                )
                self._prices = known
            return known

    def gas_limit(self, call: Call) -> int:
        """Run a call without sending it: the gas that it may use.

        A limit that an earlier call of the same shape got is tried first: one run shows that it
        suffices, where an estimate takes a node a dozen. Raises ContractRefused where it would
        revert, TransactionTooLarge, and FundsTooLow where
        the sender could not pay.
        """
        prices = self.prices()
        shape = (call.to, call.data[:4], len(call.data))
        limit = self._limits.get(shape, 0)
        if not (limit and self._simulation.ask((call, limit))):
            gas = estimate_gas(self._node, call, most=prices.most_gas)
            limit = min(max(int(gas * GAS_MARGIN), limit), prices.most_gas)
            self._limits[shape] = limit
        self.check_funds(call.sender, limit * prices.fees.max_fee)
        return limit

    def check_funds(self, sender: bytes, needed: int) -> None:
        """Raise FundsTooLow where an account has less than `needed` wei."""
        if needed == 0:
            return
        balance, read_at = self._balances.get(sender, (0, 0.0))
        if balance < needed or self._clock() - read_at > _FRESH_SECONDS:
            balance = self._node.balance(sender, "latest")
            self._balances[sender] = (balance, self._clock())
        if balance < needed:
            raise FundsTooLow(address=show_address(sender), balance=balance, needed=needed)
