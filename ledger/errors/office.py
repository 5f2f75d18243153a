"""What is kept beside the chain is not as it was kept.

OfficeProblem
└── EvidenceDamaged
"""

from __future__ import annotations

from ledger.errors.base import LedgerError


class OfficeProblem(LedgerError):
    """What is kept beside the chain is not as it was kept."""


class EvidenceDamaged(OfficeProblem):
    code = "office.evidence_damaged"
    sentence = "The evidence document {commitment} cannot be shown: {problem}."
    next_step = "Put the file back from a backup; the chain's commitment tells whether it is right."
