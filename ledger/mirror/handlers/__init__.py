"""One small function for each event: what it means in rows.

A handler also says whether the event can follow from what came before it. The contracts forbid such
events, so that one of them means that this is not the history of the contracts we know; a handler
then raises Contradiction and nothing of the batch is kept.
"""

from __future__ import annotations

from collections.abc import Mapping

from ledger.mirror.book import Handler
from ledger.mirror.handlers import authority, entries, memberships, organisations, programmes

HANDLERS: Mapping[type[object], Handler] = {
    **authority.HANDLERS,
    **programmes.HANDLERS,
    **organisations.HANDLERS,
    **memberships.HANDLERS,
    **entries.HANDLERS,
}
"""The handler of each class of event."""
