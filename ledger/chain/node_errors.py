"""What nodes and providers mean by the errors that they word each in their own way.

Two meanings matter: asked too often, which another attempt may mend, and asked for too much at
once, which asking for less mends. Everything else is a refusal. The texts are those that geth,
Besu, Nethermind, Reth, Erigon and the public providers are known to send.
"""

from __future__ import annotations

import re

_BUSY_CODES = frozenset({429, -32016, -32029, -32097})
_BUSY = re.compile(
    r"rate limit|too many requests|request rate|capacity exceeded|no backend is currently healthy"
)

_TOO_MUCH = re.compile(
    "|".join(
        (
            # results
            r"response (is )?(too (large|big)|size)|log response size",
            r"more than [\d,]+ (results|logs)|too many (results|logs)|exceeds? max results",
            r"exceeds limit of \d+|smaller than size \d+",
            # ranges; one that ends beyond the head is a node that lags, and no wide range
            r"(range|distance)[^.]*(too (wide|large|big)|exceed|limit|maximum|greater)",
            r"(exceeds?|max(imum)?|limited to|up to)\b[^.]*\b(block range|range|distance)\b",
            r"too many blocks|requested blocks is|blocks distance|limit the query to",
            r"limited to a? ?[\d,]+|max range|ranges? over \d+|range allowed for",
            # calls in one request
            r"batch (is )?(too (large|big)|size|limit)|max batch|too many (calls|requests) in",
            r"query timeout exceeded",
        )
    )
)


def means_busy(code: int, message: str) -> bool:
    """Whether an error says that the node is asked too often, or cannot just now."""
    return code in _BUSY_CODES or _BUSY.search(message.lower()) is not None


def means_too_much(message: str) -> bool:
    """Whether an error says that too many blocks, logs, bytes or calls were asked for at once."""
    return _TOO_MUCH.search(message.lower()) is not None
