"""Memberships: admitting, renewing, moving between tiers, suspending, resuming, ending.

All are signed by a registrar or a council officer of the programme, and are done for all the
organisations named or for none. Beside them, where wallets find what the tokens show.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ledger.chain.contracts import memberships
from ledger.domain.commands import (
    NO_COMMITMENT,
    NO_REASON,
    Admission,
    Renewal,
    TierChange,
)
from ledger.domain.ids import MAX_TIER, OrgId, ProgrammeId
from ledger.domain.keys import encode_key
from ledger.errors import InvalidValue
from ledger.outbox.records import Operation
from ledger.services.checks import (
    check_distinct,
    check_organisation,
    check_programme,
    check_range,
    check_some,
    check_time,
    count_of,
)
from ledger.services.orders import Encode, Order

MAX_CHANGES = 200
"""As in Memberships.sol: the most in one transaction."""

MAX_BASE = 256
"""As in Memberships.sol: the most bytes of a metadata base."""


@dataclass(frozen=True, slots=True)
class Ground:
    """Why something is changed: a reason (a key such as `fee.unpaid`) and evidence, or neither."""

    reason: str = NO_REASON
    evidence: bytes = NO_COMMITMENT


NO_GROUND = Ground()


def admit(
    order: Order,
    programme_id: ProgrammeId,
    admissions: Sequence[Admission],
    *,
    reason: str = NO_REASON,
) -> Operation:
    """Admit organisations. The evidence is each admission's own."""
    _check(programme_id, [given.org_id for given in admissions], reason)
    for given in admissions:
        check_range("tier", given.tier, 1, MAX_TIER)
        check_time("expiry", given.expires_at)
    encode = partial(memberships.encode_admit, programme_id, admissions, reason)
    return _place(order, "admit", programme_id, len(admissions), encode)


def renew(
    order: Order,
    programme_id: ProgrammeId,
    renewals: Sequence[Renewal],
    ground: Ground = NO_GROUND,
) -> Operation:
    """Prolong memberships."""
    _check(programme_id, [given.org_id for given in renewals], ground.reason)
    for given in renewals:
        check_time("expiry", given.expires_at)
    encode = partial(
        memberships.encode_renew, programme_id, renewals, ground.reason, evidence=ground.evidence
    )
    return _place(order, "renew", programme_id, len(renewals), encode)


def change_tier(
    order: Order,
    programme_id: ProgrammeId,
    changes: Sequence[TierChange],
    ground: Ground = NO_GROUND,
) -> Operation:
    """Move memberships into other tiers."""
    _check(programme_id, [given.org_id for given in changes], ground.reason)
    for given in changes:
        check_range("tier", given.tier, 1, MAX_TIER)
    encode = partial(
        memberships.encode_change_tier,
        programme_id,
        changes,
        ground.reason,
        evidence=ground.evidence,
    )
    return _place(order, "tier", programme_id, len(changes), encode)


def suspend(
    order: Order,
    programme_id: ProgrammeId,
    org_ids: Sequence[OrgId],
    ground: Ground = NO_GROUND,
) -> Operation:
    """Suspend active memberships, lapsed ones too."""
    return _change_standing(order, "suspend", programme_id, org_ids, ground)


def resume(
    order: Order,
    programme_id: ProgrammeId,
    org_ids: Sequence[OrgId],
    ground: Ground = NO_GROUND,
) -> Operation:
    """End suspensions."""
    return _change_standing(order, "resume", programme_id, org_ids, ground)


def revoke(
    order: Order,
    programme_id: ProgrammeId,
    org_ids: Sequence[OrgId],
    ground: Ground = NO_GROUND,
) -> Operation:
    """End memberships; only a new admission undoes it."""
    return _change_standing(order, "revoke", programme_id, org_ids, ground)


def decline(
    order: Order,
    programme_id: ProgrammeId,
    org_ids: Sequence[OrgId],
    ground: Ground = NO_GROUND,
) -> Operation:
    """Record that applications were declined."""
    return _change_standing(order, "decline", programme_id, org_ids, ground)


def change_metadata_base(order: Order, base: str) -> Operation:
    """Say where wallets find the tokens' metadata; empty takes it away.

    A token's is at `base` and its number, all tokens' at `base` and `contract`. Signed by a council
    officer of the whole alliance. Raises InvalidValue for what could lead nowhere.
    """
    is_usable = _BASE.fullmatch(base) and len(base) <= MAX_BASE
    if base and not is_usable:
        raise InvalidValue(
            field="base",
            value=base,
            expected="an http or https URL of host and path that ends in /, without user, query, "
            f"fragment and quotes, at most {MAX_BASE} ASCII characters, such as "
            "https://ledger.example.org/v1/tokens/",
        )
    encode = partial(memberships.encode_change_metadata_base, base)
    summary = f"Let wallets look for memberships under {base}." if base else _NO_BASE
    return order.place("Memberships", "metadata-base", summary, encode)


_HOST = r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?"
_BASE = re.compile(rf"https?://{_HOST}/(?:[A-Za-z0-9._~!$&()*+,;=:@%-]+/)*")
"""A host, perhaps a port, and a path (RFC 3986), without what could end it where it is quoted."""
_NO_BASE = "Let wallets look for memberships nowhere."
_SENTENCES = {
    "admit": "Admit {count} to programme {programme}.",
    "renew": "Renew {count} in programme {programme}.",
    "tier": "Move {count} of programme {programme} to another tier.",
    "suspend": "Suspend {count} of programme {programme}.",
    "resume": "Resume {count} of programme {programme}.",
    "revoke": "Revoke {count} of programme {programme}.",
    "decline": "Decline {count} to programme {programme}.",
}
_NOUNS = {"admit": "organisation", "decline": "application"}
_ENCODERS = {
    "suspend": memberships.encode_suspend,
    "resume": memberships.encode_resume,
    "revoke": memberships.encode_revoke,
    "decline": memberships.encode_decline,
}


def _change_standing(
    order: Order,
    command: str,
    programme_id: ProgrammeId,
    org_ids: Sequence[OrgId],
    ground: Ground,
) -> Operation:
    _check(programme_id, org_ids, ground.reason)
    encode = partial(
        _ENCODERS[command], programme_id, org_ids, ground.reason, evidence=ground.evidence
    )
    return _place(order, command, programme_id, len(org_ids), encode)


def _check(programme_id: ProgrammeId, org_ids: Sequence[OrgId], reason: str) -> None:
    check_programme(programme_id)
    check_some("organisations", org_ids)
    for org_id in org_ids:
        check_organisation(org_id)
    check_distinct("organisation", org_ids)
    if reason:
        encode_key(reason, "reason")


def _place(
    order: Order, command: str, programme_id: ProgrammeId, number: int, encode: Encode
) -> Operation:
    count = count_of(number, _NOUNS.get(command, "membership"))
    summary = _SENTENCES[command].format(count=count, programme=programme_id)
    return order.place("Memberships", command, summary, encode)
