"""What each error of the contracts means and what to do next: one line an error, in one table.

The sentences name the error's own values: an account as its address, a programme as "programme 3"
or "the whole alliance", a time as a date in UTC. A test fails for an error of any ABI that is not
here, and for a sentence that names a value which the error does not carry.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from ledger.chain.refusals import authority, journal, members, messages, programmes, sharing
from ledger.chain.refusals.refusal import Refusal

REFUSALS: Mapping[str, Refusal] = MappingProxyType(
    authority.REFUSALS
    | programmes.REFUSALS
    | members.REFUSALS
    | messages.REFUSALS
    | journal.REFUSALS
    | sharing.REFUSALS
)

__all__ = ["REFUSALS", "Refusal"]
