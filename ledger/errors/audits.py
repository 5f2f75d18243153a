"""What an audit is given cannot be used, or cannot be made.

AuditProblem             what an audit is given cannot be used, or cannot be made
├── BundleUnreadable
├── AnchorUnreadable
├── CertificateUnreadable
├── ProofsUnavailable
├── AuditRunning
└── BlocksDiffer
"""

from __future__ import annotations

from ledger.errors.base import LedgerError


class AuditProblem(LedgerError):
    """What an audit is given cannot be used, or cannot be made."""


class BundleUnreadable(AuditProblem):
    code = "audit.bundle_unreadable"
    sentence = "{path} is not a bundle as it was written: {problem}."
    next_step = "Get it again from whoever made it, or make it with `moonlake audit export`."


class AnchorUnreadable(AuditProblem):
    code = "audit.anchor_unreadable"
    sentence = "{path} is no anchor: {problem}."
    next_step = "Write one with `moonlake audit anchor write` from a node that you trust."


class CertificateUnreadable(AuditProblem):
    code = "audit.certificate_unreadable"
    sentence = "{path} is not a certificate as it was written: {problem}."
    next_step = "Get it again, or make it with `moonlake audit certificate`."


class ProofsUnavailable(AuditProblem):
    code = "audit.proofs_unavailable"
    sentence = "No node gives proofs of the state after block {block}: {problem}."
    next_step = (
        "Export up to a later block, of which the node still has the state, or up to one of which "
        "proofs were kept (`moonlake audit capture`), or ask a node that keeps all states."
    )


class AuditRunning(AuditProblem):
    code = "audit.running"
    sentence = "An audit of this ledger is running."
    next_step = "Wait for its end: `GET /v1/audits/latest` says how far it is."


class BlocksDiffer(AuditProblem):
    code = "audit.blocks_differ"
    sentence = "The database is at block {block}, and the bundle ends at block {last}."
    next_step = (
        "Export up to the database's block with `--to`, or bring the database there with "
        "`moonlake mirror sync`."
    )
