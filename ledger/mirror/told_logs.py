"""What blocks hold of ours as a node tells it, for nodes that serve no receipts.

It takes the place of `ledger.mirror.bodies`: no root proves what comes back, only that it cannot be
shown to be false. That nothing is missing or altered is shown by the contracts' journals, which
`ledger.mirror.prove` follows to each contract's own head at the end of a range. What that does not
cover is said in `ledger.domain.verification`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Executor, Future

from ledger.chain.headers import Header
from ledger.chain.log_answers import check_logs
from ledger.chain.receipts import Log
from ledger.chain.rpc import Node
from ledger.errors import NodeAnswerTooLarge
from ledger.mirror.bodies import BYTES_AT_ONCE
from ledger.mirror.contracts import Followed

FIRST_AT_ONCE = 50
MOST_AT_ONCE = 1_000


class ToldLogs:
    """Logs by `eth_getLogs`, asked for so many blocks at once as the node takes and as the bytes
    allow that it brought before: 1,000 blocks of 80 entries would be 100 MB."""

    def __init__(self, followed: Followed, executor: Executor | None = None) -> None:
        self.at_once = FIRST_AT_ONCE
        self._addresses = followed.addresses
        self._named = sorted(followed.addresses)
        self._executor = executor

    def begin(self, node: Node, headers: Sequence[Header]) -> Callable[[], list[Log]]:
        """Ask a node for the logs of some blocks, in order; what is returned waits for them.

        It raises NotProved and the errors of a node.
        """
        if not headers:
            return list
        if self._executor is None:
            return lambda: self._ask(node, headers)
        asked: Future[list[Log]] = self._executor.submit(self._ask, node, headers)
        return asked.result

    def _ask(self, node: Node, headers: Sequence[Header]) -> list[Log]:
        before = node.bytes_read
        try:
            answers = node.logs(headers[0].number, headers[-1].number, self._named)
        except NodeAnswerTooLarge:
            if len(headers) == 1:
                raise
            half = len(headers) // 2
            self.at_once = max(1, half)
            return self._ask(node, headers[:half]) + self._ask(node, headers[half:])
        wanted = BYTES_AT_ONCE * len(headers) // max(1, node.bytes_read - before)
        self.at_once = max(1, min(wanted, 2 * len(headers), MOST_AT_ONCE))
        return check_logs(headers, answers, self._addresses)
