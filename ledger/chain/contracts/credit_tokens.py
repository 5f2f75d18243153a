"""CreditTokens: each programme's credits as wallets see them. Not mirrored, since it only reads."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from ledger.chain.contracts.contract import Contract, encode_call
from ledger.chain.rpc import BlockName
from ledger.domain.ids import ProgrammeId


def encode_create(programme_id: ProgrammeId) -> bytes:
    """Put a programme's token on the chain. Anybody, once."""
    return encode_call("CreditTokens", "create", programme_id)


@dataclass(frozen=True, slots=True)
class CreditTokens(Contract):
    """Reads of CreditTokens."""

    NAME: ClassVar[str] = "CreditTokens"

    def token_of(self, programme_id: ProgrammeId, *, at: BlockName) -> bytes:
        """The address of a programme's token, whether it is there yet or not, 20 bytes."""
        return bytes(self.read("tokenOf", programme_id, at=at))


@dataclass(frozen=True, slots=True)
class CreditToken(Contract):
    """Reads of one programme's token (ERC-20, read only)."""

    NAME: ClassVar[str] = "CreditToken"

    def balance_of(self, account: bytes, *, at: BlockName) -> int:
        """The credits of the organisation that the account acts for; a debt is zero."""
        return int(self.read("balanceOf", account, at=at))

    def total_supply(self, *, at: BlockName) -> int:
        """The programme's credits outstanding; below zero is zero."""
        return int(self.read("totalSupply", at=at))

    def name(self, *, at: BlockName) -> str:
        """The token's name."""
        return str(self.read("name", at=at))

    def symbol(self, *, at: BlockName) -> str:
        """The token's symbol."""
        return str(self.read("symbol", at=at))
