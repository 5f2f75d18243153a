"""Requests that wait for the chain's node: some at a time, so that the others need not wait.

A server has a bounded number of threads, and a node that is frozen holds whoever asks it for many
seconds. What anybody may ask for and takes a node (a certificate, a contract wallet's word) would
so hold up all that needs none. It asks nothing itself.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from fastapi import Request

from ledger.errors import NodeBusy

MOST_AT_NODE = 8
"""Of the forty threads that a process answers in."""


@contextmanager
def waiting_for_node(request: Request) -> Iterator[None]:
    """A place among those who wait for the node. Raises NodeBusy where there is none."""
    places: threading.BoundedSemaphore = request.app.state.places_at_node
    if not places.acquire(blocking=False):
        raise NodeBusy(most=MOST_AT_NODE)
    try:
        yield
    finally:
        places.release()
