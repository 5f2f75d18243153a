"""Every sentence of an audit, in English and Chinese, by the code of its finding."""

from __future__ import annotations

from collections.abc import Mapping

from ledger.audit.sentences import blocks, books, outcome, rights

_MISSING = frozenset(
    {
        "acts.no_right",
        "anchor.none",
        "anchor.outside",
        "anchor.beyond",
        "anchor.witnesses",
        "history.begins_later",
        "code.not_compiled",
        "code.no_compiler",
        "expiry.no_policy",
        "seals.validators",
        "shares.no_rule",
        "state.missing",
    }
)


def is_missing(code: str) -> bool:
    """Whether a finding says that something lacks, and not that something is wrong."""
    return code in _MISSING


SENTENCES: Mapping[str, tuple[str, str]] = {
    **blocks.SENTENCES,
    **rights.SENTENCES,
    **books.SENTENCES,
    **outcome.SENTENCES,
}
