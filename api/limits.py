"""How much one address or one API key may ask of this server, of all its processes together.

A bucket for each, filled evenly and a minute deep, in memory that the processes of a machine share
(`ledger.shared_counters`): a count in the database would cost an answer more than the answer does.
Servers on several machines count each for itself; what stands before them bounds the sum. Whoever
stands behind a proxy is known by X-Forwarded-For where the proxy is on this machine.
"""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache

from fastapi import Request
from starlette.types import Scope

from ledger.errors import TooManyRequests
from ledger.shared_counters import SharedCounters

MOST_KEPT = 20_000
"""Keys that a process knows as good; beyond it the one that was found so first goes."""

MINUTE = 60.0

SIGN_IN_COST = 20
"""What a sign-in, or a credential that is none, counts for."""


_LONGEST_KEPT = 100
"""Bytes of an Authorization header; one of ours has 63."""

_SUBSCRIBER_BITS = 64


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
        self.charge(self.name_of(scope, authorization), 1)

    def name_of(self, scope: Scope, authorization: bytes | None) -> str:
        """The bucket of whoever asks: that of a known key, or that of the address."""
        prefix = self._known.get(authorization) if authorization is not None else None
        return _address_of(scope) if prefix is None else f"key {prefix}"

    def knows(self, authorization: bytes) -> bool:
        """Whether this header is charged to its key."""
        return authorization in self._known

    def remember_key(self, authorization: bytes, prefix: str) -> None:
        """Charge what carries this header to the key, from now on.

        A key can be written with any number of blanks before it: only short headers are kept.
        """
        if len(authorization) > _LONGEST_KEPT:
            return
        with self._lock:
            self._known[authorization] = prefix
            while len(self._known) > MOST_KEPT:
                self._known.popitem(last=False)

    def charge_address(self, scope: Scope, cost: int = 1) -> None:
        """Take from the bucket of a request's address. Raises TooManyRequests."""
        self.charge(_address_of(scope), cost)

    def charge_failure(self, request: Request) -> None:
        """Take what a wrong credential costs. Raises TooManyRequests."""
        self.charge_address(request.scope, SIGN_IN_COST)

    def charge(self, name: str, cost: int) -> None:
        """Take `cost` from a bucket. Raises TooManyRequests where it holds less."""
        if not self.a_minute:
            return
        seconds = min(cost * MINUTE / self.a_minute, MINUTE)  # all that it can ever hold
        with self._lock:
            wait = self._counters.take(name, seconds, depth=MINUTE, now=self._clock())
        if wait > 0:
            raise TooManyRequests(limit=self.a_minute, seconds=max(1, math.ceil(wait)))


def _address_of(scope: Scope) -> str:
    client = scope.get("client")
    return f"address {_network_of(client[0])}" if client else "address"


@lru_cache(maxsize=4096)
def _network_of(host: str) -> str:
    """Whom an address belongs to: one of IPv6 is one of the 2^64 that a single subscriber has."""
    try:
        found = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return host
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped is not None:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((found, _SUBSCRIBER_BITS), strict=False))
