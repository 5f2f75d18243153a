"""Runs what is asynchronous from a test that is not.

A worker that has opened a browser has a loop of its own for it, in the thread of the tests: another
cannot be run there, so it is in a thread by itself.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

_Found = TypeVar("_Found")


def run_apart(coroutine: Coroutine[Any, Any, _Found]) -> _Found:
    """What the coroutine returns. Raises what it raises."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, coroutine).result()
