"""How much one address or one API key may ask of this process.

A bucket for each, filled evenly and a minute deep. They are in memory: a count in the database
would cost each answer more than the answer does, and several processes share an address' requests
among themselves. Whoever stands behind a proxy is known by X-Forwarded-For where the proxy is on
this machine.
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

MOST_KEPT = 20_000
"""Buckets in memory; beyond it the one that was longest unused goes, which was full again."""

SIGN_IN_COST = 20
"""What a sign-in, or a credential that is none, counts for."""


class Limits:
    """The buckets of one process. `a_minute` is 0 where nothing is limited."""

    def __init__(self, a_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.a_minute = a_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()
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
        now = self._clock()
        rate = self.a_minute / 60
        with self._lock:
            level, at = self._buckets.pop(name, (float(self.a_minute), now))
            level = min(float(self.a_minute), level + (now - at) * rate)
            enough = level >= cost
            self._buckets[name] = (level - cost if enough else level, now)
            while len(self._buckets) > MOST_KEPT:
                self._buckets.popitem(last=False)
        if not enough:
            raise TooManyRequests(
                limit=self.a_minute, seconds=max(1, math.ceil((cost - level) / rate))
            )
