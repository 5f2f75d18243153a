"""A process that mirrors and is killed, again and again; a test tells it when.

It reads lines of JSON and forks for each: the child mirrors in small ranges and kills itself, as
`kill -9` would, when it has come to the point that the line names. A point is a statement, a
commit (just before and just after) or a question to the node. It forks before anything is opened
and has no threads, so that a child is as if it had just been started.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

from sqlalchemy import event

from ledger.chain.deployments import read_deployment
from ledger.chain.rpc import Node
from ledger.chain.transport import Transport
from ledger.mirror import prove
from ledger.mirror.contracts import Followed
from ledger.mirror.follow import sync
from ledger.mirror.look import Mirror
from ledger.store.engine import open_engine


class Points:
    """Counts what happens, and ends the process at one of them."""

    def __init__(self, last: int) -> None:
        self._left = last

    def __call__(self, *_: Any) -> None:
        """One more point is reached."""
        self._left -= 1
        if self._left == 0:
            os.kill(os.getpid(), signal.SIGKILL)


def mirror(database_url: str, node_url: str, followed: Followed, kill_at: int) -> None:
    """Bring the database to the chain's head, or die on the way."""
    prove.MOST_BLOCKS = 2
    reached = Points(kill_at)
    engine = open_engine(database_url, durable=False)
    event.listen(engine, "before_cursor_execute", reached)
    event.listen(engine, "after_cursor_execute", reached)
    event.listen(engine, "commit", reached)
    event.listen(engine, "checkin", reached)
    post = Transport.post

    def counted(transport: Transport, body: bytes, read: Any, **more: Any) -> Any:
        reached()
        return post(transport, body, read, **more)

    Transport.post = counted  # type: ignore[method-assign]
    with Node(node_url) as node:
        sync(Mirror(engine, [node], followed, finality_blocks=64, stop=threading.Event()))


def main() -> None:
    """Fork for every line until there is no more."""
    deployment, database_url, node_url = sys.argv[1:]
    followed = Followed(read_deployment(Path(deployment)))
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            mirror(database_url, node_url, followed, json.loads(line)["kill_at"])
            os._exit(0)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        print(json.dumps({"ended": status}), flush=True)  # noqa: T201  its answer


if __name__ == "__main__":
    main()
