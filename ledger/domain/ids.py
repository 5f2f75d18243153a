"""Ids and heights, each with a type of its own so that one cannot pass for another."""

from __future__ import annotations

from typing import NewType

OrgId = NewType("OrgId", int)
"""An organisation, 1 to 2**32 - 1."""

ProgrammeId = NewType("ProgrammeId", int)
"""A programme, 1 to 2**16 - 1; 0 stands for the whole alliance where a role is meant."""

EntryId = NewType("EntryId", int)
"""A line of the credit journal, from 1 without gaps."""

TierId = NewType("TierId", int)
"""A tier within a programme, 1 to 255."""

TokenId = NewType("TokenId", int)
"""A membership token: `programme_id << 32 | org_id`, below 2**48 and so exact in JSON."""

ListingId = NewType("ListingId", int)
"""A listed benefit, counted from 1 over all programmes, as are the others below."""

RedemptionId = NewType("RedemptionId", int)
DistributionId = NewType("DistributionId", int)
ProposalId = NewType("ProposalId", int)

BlockNumber = NewType("BlockNumber", int)
LogIndex = NewType("LogIndex", int)
Sequence = NewType("Sequence", int)
"""A contract's count of its journal events, from 1 without gaps."""

MAX_ORG_ID = 2**32 - 1
MAX_PROGRAMME_ID = 2**16 - 1
MAX_TIER = 2**8 - 1
MAX_ENTRY_ID = 2**63 - 1
"""The largest that a database holds; the chain's are counted from 1 and come nowhere near."""

ALLIANCE_WIDE = ProgrammeId(0)


def token_id(programme_id: ProgrammeId, org_id: OrgId) -> TokenId:
    """The membership token of an organisation in a programme."""
    return TokenId(programme_id << 32 | org_id)
