"""What is kept beside the chain is not as it was kept.

OfficeProblem
├── ApplicationElsewhere
├── EvidenceDamaged
├── IssuerKeyMissing
├── MembershipNotInForce
├── SameOfficer
├── ScannerFailed
└── StorageUnusable
"""

from __future__ import annotations

from ledger.errors.base import LedgerError


class OfficeProblem(LedgerError):
    """What is kept beside the chain is not as it was kept."""


class EvidenceDamaged(OfficeProblem):
    code = "office.evidence_damaged"
    sentence = "The evidence document {commitment} cannot be shown: {problem}."
    next_step = "Put the file back from a backup; the chain's commitment tells whether it is right."


class ScannerFailed(OfficeProblem):
    code = "office.scanner_failed"
    sentence = "The document could not be scanned, and was not kept: {problem}."
    next_step = "See that the command of MOONLAKE_EVIDENCE_SCAN works, then send it again."


class StorageUnusable(OfficeProblem):
    """The storage of evidence files; `problem` is the class of its own error."""

    code = "office.storage_unusable"
    sentence = "The storage of documents ({scheme}) cannot be used: {problem}."
    next_step = "See MOONLAKE_EVIDENCE_URL, the storage's credentials and the way to it."


class ApplicationElsewhere(OfficeProblem):
    """A step that the application's state does not allow."""

    code = "office.application_elsewhere"
    sentence = "Application {application} is {state}; it cannot be {wanted}."
    next_step = "`moonlake application show` says what was done with it, and what may come next."


class SameOfficer(OfficeProblem):
    """Whoever recommended a decision cannot confirm it."""

    code = "office.same_officer"
    sentence = "{officer} recommended this decision and cannot confirm it."
    next_step = "Another officer confirms it."


class IssuerKeyMissing(OfficeProblem):
    code = "office.issuer_key_missing"
    sentence = "There is no key that membership credentials are signed with."
    next_step = "`moonlake credential-key create` makes one; the server finds it without a restart."


class MembershipNotInForce(OfficeProblem):
    """A credential of it would be refused by whoever checks it."""

    code = "office.membership_not_in_force"
    sentence = "The membership of token {token} is {standing}, and no credential is given of it."
    next_step = "Ask again when it is active."
