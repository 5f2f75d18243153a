"""All contracts of a ledger, opened together through one node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ledger.chain.contracts.authority import Authority
from ledger.chain.contracts.benefits import Benefits
from ledger.chain.contracts.contract import Contract
from ledger.chain.contracts.council import Council
from ledger.chain.contracts.credit_tokens import CreditTokens
from ledger.chain.contracts.credits import Credits
from ledger.chain.contracts.memberships import Memberships
from ledger.chain.contracts.organisations import Organisations
from ledger.chain.contracts.programmes import Programmes
from ledger.chain.contracts.shares import Shares
from ledger.chain.rpc import Node

WRAPPERS: Mapping[str, type[Contract]] = {
    wrapper.NAME: wrapper
    for wrapper in (
        Authority,
        Programmes,
        Organisations,
        Memberships,
        Credits,
        Benefits,
        Shares,
        Council,
        CreditTokens,
    )
}
"""The wrapper of each contract by its name; a test compares it with CONTRACTS."""


@dataclass(frozen=True, slots=True)
class LedgerContracts:
    """The wrappers of one ledger."""

    authority: Authority
    programmes: Programmes
    organisations: Organisations
    memberships: Memberships
    credits: Credits
    benefits: Benefits
    shares: Shares
    council: Council
    credit_tokens: CreditTokens


def open_contracts(node: Node, addresses: Mapping[str, bytes]) -> LedgerContracts:
    """The wrappers of the contracts at these addresses, by contract name."""
    return LedgerContracts(
        authority=Authority(node, addresses["Authority"]),
        programmes=Programmes(node, addresses["Programmes"]),
        organisations=Organisations(node, addresses["Organisations"]),
        memberships=Memberships(node, addresses["Memberships"]),
        credits=Credits(node, addresses["Credits"]),
        benefits=Benefits(node, addresses["Benefits"]),
        shares=Shares(node, addresses["Shares"]),
        council=Council(node, addresses["Council"]),
        credit_tokens=CreditTokens(node, addresses["CreditTokens"]),
    )
