"""What each organisation gets of a posted distribution, from the file of shares that it was posted
with.

The file is a document of the office, and the chain has its commitment and the root; a file of
another root says nothing about the distribution, and is not believed.
"""

from __future__ import annotations

import io
import json
from collections import OrderedDict

from sqlalchemy import Connection

from ledger.errors import InvalidValue, NotFound
from ledger.mirror.queries.shares import ListedDistribution
from ledger.office.evidence import Description, EvidenceStore
from ledger.services.sharing.distributing import Shares
from ledger.services.sharing.files import describe_shares, parse_shares

MEDIA_TYPE = "application/json"
MOST_KEPT = 16
"""Files of shares that a process keeps as it read them: their content never changes."""


class SharesShelf:
    """Reads files of shares, and keeps those that were read lately."""

    def __init__(self, store: EvidenceStore) -> None:
        self._store = store
        self._kept: OrderedDict[bytes, Shares] = OrderedDict()

    def read(self, connection: Connection, posted: ListedDistribution) -> Shares:
        """The shares of a distribution.

        Raises NotFound where it was posted without such a file, or the office has it no more.
        """
        kept = self._kept.get(posted.shares)
        if kept is None:
            kept = self._read(connection, posted)
            self._kept[posted.shares] = kept
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        if kept.root != posted.terms.root or kept.programme_id != posted.terms.programme_id:
            raise _missing(posted)
        return kept

    def keep(self, connection: Connection, shares: Shares, *, added_at: int) -> bytes:
        """Keep a file of shares; the commitment that a distribution is posted with."""
        text = json.dumps(describe_shares(shares), indent=1, ensure_ascii=False) + "\n"
        described = Description(
            f"计划{shares.programme_id}第{shares.epoch}周期的分配",
            f"Shares of epoch {shares.epoch} of programme {shares.programme_id}",
            MEDIA_TYPE,
        )
        content = io.BytesIO(text.encode("utf-8"))
        return self._store.keep(connection, content, described, added_at=added_at).commitment

    def _read(self, connection: Connection, posted: ListedDistribution) -> Shares:
        if not any(posted.shares):
            raise _missing(posted)
        _evidence, chunks = self._store.read(connection, posted.shares)
        try:
            return parse_shares(b"".join(chunks))
        except InvalidValue as error:
            raise _missing(posted) from error


def _missing(posted: ListedDistribution) -> NotFound:
    return NotFound(what="file of shares of distribution", key=posted.distribution_id)
