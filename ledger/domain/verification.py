"""How far a mirror's rows are proved, and what makes a block final: the choices there are."""

from __future__ import annotations

from enum import StrEnum


class Level(StrEnum):
    """What the rows of a block rest on.

    `RECEIPTS`: headers, and each block's own transactions and receipts by the header's roots.
    `HEADS`: headers, logs as the node told them, and each contract's journal, which they must lead
    to without a gap; for nodes that serve no receipts. A line of a journal cannot be dropped, added
    or altered, unless the only node that answers makes up the journals' heads as well and refuses
    to prove them; logs that are no lines of one (standard events), the places of logs in their
    blocks and the hashes of transactions are not proved.
    """

    RECEIPTS = "receipts"
    HEADS = "heads"


class Finality(StrEnum):
    """What makes a block final: its depth, the chain's own word, or whichever comes first."""

    EITHER = "either"
    DEPTH = "depth"
    TAG = "tag"
