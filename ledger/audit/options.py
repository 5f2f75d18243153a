"""What an audit that a server runs is to check by: the compiler, and the published policies."""

from __future__ import annotations

from typing import Any

import msgspec

from ledger.domain.commitments import canonical_json
from ledger.domain.expiry import ExpiryPolicy
from ledger.domain.shares import ShareRule
from ledger.errors import InvalidValue

MOST_RULES = 64
LARGEST = 96 << 10
"""Bytes of options: they are handed over on a command line, of which one word takes 128 KiB."""


class AuditOptions(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """As JSON has them. `share_rules` are published rules, each as an object."""

    compile: bool = True
    expiry_epochs: int | None = None
    share_rules: list[dict[str, Any]] = []

    @property
    def policy(self) -> ExpiryPolicy | None:
        """The expiry policy, where one is given."""
        return None if self.expiry_epochs is None else ExpiryPolicy(self.expiry_epochs)

    @property
    def rules(self) -> list[ShareRule]:
        """The rules of sharing. Raises InvalidValue."""
        return [ShareRule.from_json(canonical_json(each)) for each in self.share_rules]


def read_options(text: str) -> AuditOptions:
    """Read options from JSON. Raises InvalidValue for what cannot be used."""
    if len(text.encode("utf-8", "replace")) > LARGEST:
        expected = f"at most {LARGEST} bytes of options and rules together"
        raise InvalidValue(field="options", value=f"{len(text)} characters", expected=expected)
    try:
        found = msgspec.json.decode(text, type=AuditOptions)
    except (msgspec.DecodeError, UnicodeError, RecursionError) as error:
        raise InvalidValue(field="options", value=text[:80], expected=str(error)) from error
    if len(found.share_rules) > MOST_RULES:
        expected = f"at most {MOST_RULES} rules"
        raise InvalidValue(field="share_rules", value=len(found.share_rules), expected=expected)
    _ = found.policy, found.rules
    return found


def write_options(options: AuditOptions) -> str:
    """The same as text, for a command line."""
    return msgspec.json.encode(options).decode()
