"""What nodes say to a signed transaction that they do not take, as one table.

Every line names the client and the file that its text was read in. A text that no line has is
UNKNOWN: whoever sent looks the transaction's hash up, and never signs another in its place.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto


class Fate(Enum):
    """What a node's answer to signed bytes means for whoever sent them."""

    ACCEPTED = auto()
    KNOWN = auto()
    """It has this very transaction already."""
    NONCE_TOO_LOW = auto()
    """A transaction with this nonce is in a block: this one, or another."""
    UNDERPRICED = auto()
    """It has another with this nonce, or wants a higher fee: replace it with higher fees."""
    POOL_FULL = auto()
    """It takes no more now, of this account or of all: send the same bytes later."""
    TOO_EARLY = auto()
    """An earlier nonce is missing, or the node is not ready: send the same bytes later."""
    POOR = auto()
    """The account cannot pay for it, or not for it and those that wait before it."""
    REJECTED = auto()
    """No node of this chain will ever take these bytes."""
    UNKNOWN = auto()
    """No line of the table: look the hash up."""


@dataclass(frozen=True, slots=True)
class Saying:
    """`words` in lower case, as they stand somewhere in the client's message."""

    words: str
    fate: Fate
    client: str
    source: str


_GETH_POOL = "core/txpool/errors.go"
_GETH_CORE = "core/error.go"
_BESU = "RpcErrorType.java"
_ANVIL = "crates/anvil/src/eth/error.rs"
_ERIGON = "txnprovider/txpool/txpoolcfg/txpoolcfg.go"
_NETHERMIND = "Nethermind.TxPool/AcceptTxResult.cs"

# The first line whose words are found counts: what is narrower stands before what is wider.
SAYINGS: tuple[Saying, ...] = (
    Saying("already known", Fate.KNOWN, "geth", _GETH_POOL),
    Saying("known transaction", Fate.KNOWN, "besu", _BESU),
    Saying("already imported", Fate.KNOWN, "anvil", _ANVIL),
    Saying("existing txn with same hash", Fate.KNOWN, "erigon", _ERIGON),
    Saying("existing tx with same hash", Fate.KNOWN, "erigon", "erigon-lib, until 2024"),
    Saying("alreadyknown", Fate.KNOWN, "nethermind", _NETHERMIND),
    Saying("authority nonce too low", Fate.REJECTED, "geth", _GETH_POOL),
    Saying("nonce too low", Fate.NONCE_TOO_LOW, "geth", _GETH_CORE),
    Saying("nonce too low", Fate.NONCE_TOO_LOW, "besu", _BESU),
    Saying("nonce too low", Fate.NONCE_TOO_LOW, "anvil", _ANVIL),
    Saying("nonce too low", Fate.NONCE_TOO_LOW, "erigon", _ERIGON),
    Saying("oldnonce", Fate.NONCE_TOO_LOW, "nethermind", _NETHERMIND),
    Saying("nonce below", Fate.NONCE_TOO_LOW, "besu", "MainnetTransactionValidator.java"),
    Saying("replacement transaction underpriced", Fate.UNDERPRICED, "geth", _GETH_POOL),
    Saying("replacement transaction underpriced", Fate.UNDERPRICED, "besu", _BESU),
    Saying("replacement transaction underpriced", Fate.UNDERPRICED, "erigon", _ERIGON),
    Saying("to replace existing transaction", Fate.UNDERPRICED, "anvil", _ANVIL),
    Saying("could not replace existing tx", Fate.UNDERPRICED, "erigon", _ERIGON),
    Saying("replacementnotallowed", Fate.UNDERPRICED, "nethermind", _NETHERMIND),
    Saying("underpriced", Fate.UNDERPRICED, "geth", _GETH_POOL),
    Saying("underpriced", Fate.UNDERPRICED, "erigon", _ERIGON),
    Saying("less than block base fee", Fate.UNDERPRICED, "geth", _GETH_CORE),
    Saying("less than block base fee", Fate.UNDERPRICED, "anvil", _ANVIL),
    Saying("below current base fee", Fate.UNDERPRICED, "besu", _BESU),
    Saying("below configured minimum gas price", Fate.UNDERPRICED, "besu", _BESU),
    Saying("fee too low", Fate.UNDERPRICED, "erigon", _ERIGON),
    Saying("feetoolow", Fate.UNDERPRICED, "nethermind", _NETHERMIND),
    Saying("replaced by transaction with higher tip", Fate.UNDERPRICED, "erigon", _ERIGON),
    Saying("txpool is full", Fate.POOL_FULL, "geth", "core/txpool/legacypool/legacypool.go"),
    Saying("account limit exceeded", Fate.POOL_FULL, "geth", _GETH_POOL),
    Saying("sub-pool is full", Fate.POOL_FULL, "erigon", _ERIGON),
    Saying("pool is full", Fate.POOL_FULL, "reth", "crates/transaction-pool/src/error.rs"),
    Saying("pool overflow", Fate.POOL_FULL, "geth", "until 2023"),
    Saying("spammer", Fate.POOL_FULL, "erigon", _ERIGON),
    Saying("future transaction tries to replace", Fate.TOO_EARLY, "geth", _GETH_POOL),
    Saying("nonce too high", Fate.TOO_EARLY, "geth", _GETH_CORE),
    Saying("nonce too high", Fate.TOO_EARLY, "besu", _BESU),
    Saying("nonce too high", Fate.TOO_EARLY, "anvil", _ANVIL),
    Saying("noncegap", Fate.TOO_EARLY, "nethermind", _NETHERMIND),
    Saying("noncetoofarinfuture", Fate.TOO_EARLY, "nethermind", _NETHERMIND),
    Saying("nonce is too distant", Fate.TOO_EARLY, "besu", _BESU),
    Saying("transaction with a lower nonce exists", Fate.TOO_EARLY, "besu", _BESU),
    Saying("transaction pool not enabled", Fate.TOO_EARLY, "besu", _BESU),
    Saying("initial sync is still in progress", Fate.TOO_EARLY, "besu", _BESU),
    Saying("insufficient funds", Fate.POOR, "geth", _GETH_CORE),
    Saying("insufficient funds", Fate.POOR, "anvil", _ANVIL),
    Saying("insufficient funds", Fate.POOR, "erigon", _ERIGON),
    Saying("upfront cost exceeds", Fate.POOR, "besu", _BESU),
    Saying("insufficientfunds", Fate.POOR, "nethermind", _NETHERMIND),
    Saying("intrinsic gas too low", Fate.REJECTED, "geth", _GETH_CORE),
    Saying("intrinsic gas too", Fate.REJECTED, "anvil", _ANVIL),
    Saying("intrinsic gas exceeds gas limit", Fate.REJECTED, "besu", _BESU),
    Saying("intrinsicgas", Fate.REJECTED, "erigon", _ERIGON),
    Saying("exceeds block gas limit", Fate.REJECTED, "geth", _GETH_POOL),
    Saying("exceeds block gas limit", Fate.REJECTED, "besu", _BESU),
    Saying("greater than the block gas limit", Fate.REJECTED, "anvil", _ANVIL),
    Saying("gas limit is too high", Fate.REJECTED, "erigon", _ERIGON),
    Saying("gaslimitexceeded", Fate.REJECTED, "nethermind", _NETHERMIND),
    Saying("invalid chain id", Fate.REJECTED, "anvil", _ANVIL),
    Saying("wrong chainid", Fate.REJECTED, "besu", _BESU),
    Saying("invalid sender", Fate.REJECTED, "geth", _GETH_POOL),
    Saying("invalid sender", Fate.REJECTED, "erigon", _ERIGON),
    Saying("invalid signature", Fate.REJECTED, "besu", _BESU),
    Saying("not authorized to send transactions", Fate.REJECTED, "besu", _BESU),
    Saying("oversized data", Fate.REJECTED, "geth", _GETH_POOL),
    Saying("oversized data", Fate.REJECTED, "erigon", _ERIGON),
    Saying("max priority fee per gas higher than", Fate.REJECTED, "geth", _GETH_CORE),
    Saying("sender not an eoa", Fate.REJECTED, "geth", _GETH_CORE),
    Saying("transaction fee cap exceeded", Fate.REJECTED, "besu", _BESU),
    Saying("max initcode size exceeded", Fate.REJECTED, "geth", _GETH_CORE),
)


def fate_of(message: str) -> Fate:
    """What a node's message to a signed transaction means; UNKNOWN where no line has it."""
    text = message.lower()
    return next((each.fate for each in SAYINGS if each.words in text), Fate.UNKNOWN)
