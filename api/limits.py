"""How much one address or one API key may ask of this server, of all its processes together.

A bucket for each, filled evenly and a minute deep, in memory that the processes of a machine share
(`ledger.shared_counters`): a count in the database would cost an answer more than the answer does.
Servers on several machines count each for itself; what stands before them bounds the sum. Whoever
stands behind a proxy is known by X-Forwarded-For where the proxy is on this machine.
"""

from __future__ import annotations

import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable

from fastapi import Request
from starlette.types import Scope

from ledger.errors import TooManyRequests
from ledger.shared_counters import SharedCounters

MOST_KEPT = 20_000
"""Keys that a process knows as good; beyond it the one that was found so first goes."""

MINUTE = 60.0

SIGN_IN_COST = 20
"""What a sign-in, or a credential that is none, counts for."""


class Limits:
    """The buckets of a server. `a_minute` is 0 where nothing is limited.

    `clock` gives seconds that all processes of the machine share.
    """

    def __init__(
        self,
        a_minute: int,
        counters: SharedCounters | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.a_minute = a_minute
        self._counters = counters or SharedCounters()
        self._clock = clock
        self._lock = threading.Lock()
        self._known: OrderedDict[bytes, str] = OrderedDict()

    def charge_caller(self, scope: Scope, authorization: bytes | None) -> None:
        """Take from the bucket of the API key that a request carries, else of its address.

        A key counts as one once it was found good here: whoever makes keys up is charged as who he
        is. Raises TooManyRequests.
        """
        prefix = self._known.get(authorization) if authorization is not None else None
        if prefix is None:
            self.charge_address(scope)
        else:
            self.charge(f"key {prefix}", 1)

    def remember_key(self, authorization: bytes, prefix: str) -> None:
        """Charge what carries this header to the key, from now on."""
        with self._lock:
            self._known[authorization] = prefix
            while len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)

    def charge_address(self, scope: Scope, cost: int = 1) -> None:
        """Take from the bucket of a request's address. Raises TooManyRequests."""
        client = scope.get("client")
        self.charge(f"address {client[0]}" if client else "address", cost)

    def charge_failure(self, request: Request) -> None:
        """Take what a wrong credential costs. Raises TooManyRequests."""
        self.charge_address(request.scope, SIGN_IN_COST)

    def charge(self, name: str, cost: int) -> None:
        """Take `cost` from a bucket. Raises TooManyRequests where it holds less."""
        if not self.a_minute:
            return
        seconds = cost * MINUTE / self.a_minute
        with self._lock:
            wait = self._counters.take(name, seconds, depth=MINUTE, now=self._clock())
        if wait > 0:
            raise TooManyRequests(limit=self.a_minute, seconds=max(1, math.ceil(wait)))
