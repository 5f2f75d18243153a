"""How a pool is shared by contribution: the published rule, and the shares that follow from it.

The contract `Shares` holds only the root of the result. Anybody who has the epoch's entries and the
rule computes the same shares again, so nothing here depends on the order of the entries, on the
time of computing, or on anything but whole numbers and fractions: no float comes in or goes out.

What counts is what was posted within the epoch. A reversal counts in the epoch in which it was
posted, whenever its award was: an award that is reversed later has been shared already, and is
taken from what the organisation scores then. So the shares of an epoch are final once it is over.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from itertools import islice
from math import floor
from types import MappingProxyType

from ledger.domain.commitments import canonical_json
from ledger.domain.events import EntryKind, EntryPosted
from ledger.domain.ids import OrgId
from ledger.domain.keys import KEY_PATTERN, decode_key
from ledger.errors import InvalidValue

MAX_POOL = 2**53 - 1
"""As in the contract: every reader keeps it exact."""

FORMAT = 1
ROUNDING = "largest-remainder"
TIE_BREAK = "lowest-organisation"

_FRACTION = re.compile(r"[0-9]{1,40}(/[0-9]{1,40})?")
_COUNTABLE = (EntryKind.AWARD, EntryKind.REVERSAL)


@dataclass(frozen=True, slots=True)
class ShareRule:
    """What a credit is worth in sharing, and how much one organisation can get.

    `weights` is by category; a category that it does not name has the `default_weight`. `cap` is
    the part of the pool that one organisation gets at most, `minimum` the score that it needs to
    get anything. `kinds` are the entries that count: awards, and reversals unless they are left
    out. Raises InvalidValue for a rule that means nothing.
    """

    weights: Mapping[str, Fraction] = field(default_factory=dict)
    default_weight: Fraction = Fraction(1)
    cap: Fraction = Fraction(1)
    minimum: Fraction = Fraction(0)
    kinds: tuple[EntryKind, ...] = _COUNTABLE

    def __post_init__(self) -> None:
        for category, weight in self.weights.items():
            if not KEY_PATTERN.fullmatch(category):
                raise InvalidValue(field="weights", value=category, expected="a category's key")
            _require_fraction(f"weights.{category}", weight)
        _require_fraction("default_weight", self.default_weight)
        _require_fraction("minimum", self.minimum)
        _require_fraction("cap", self.cap)
        if not 0 < self.cap <= 1:
            raise InvalidValue(field="cap", value=str(self.cap), expected="above 0 and at most 1")
        if self.kinds not in (_COUNTABLE, _COUNTABLE[:1]):
            raise InvalidValue(
                field="kinds", value=self.kinds, expected="awards, or awards and reversals"
            )
        object.__setattr__(self, "weights", MappingProxyType(dict(self.weights)))

    def __hash__(self) -> int:
        return hash(self.to_json())

    def weight(self, category: str) -> Fraction:
        """What one credit of the category scores."""
        return self.weights.get(category, self.default_weight)

    def to_json(self) -> bytes:
        """The rule as it is published: canonical JSON, fractions as text in lowest terms."""
        return canonical_json(
            {
                "cap": str(self.cap),
                "default_weight": str(self.default_weight),
                "format": FORMAT,
                "kinds": [kind.name.lower() for kind in self.kinds],
                "minimum": str(self.minimum),
                "rounding": ROUNDING,
                "tie_break": TIE_BREAK,
                "weights": {name: str(weight) for name, weight in self.weights.items()},
            }
        )

    def digest(self) -> bytes:
        """SHA-256 of the canonical JSON: the `rule` of a distribution on the chain."""
        return hashlib.sha256(self.to_json()).digest()

    @classmethod
    def from_json(cls, content: bytes) -> ShareRule:
        """Read a published rule. Raises InvalidValue unless it is one, written canonically."""
        try:
            found = json.loads(content)
            rule = cls(
                weights={name: _read_fraction(text) for name, text in found["weights"].items()},
                default_weight=_read_fraction(found["default_weight"]),
                cap=_read_fraction(found["cap"]),
                minimum=_read_fraction(found["minimum"]),
                kinds=tuple(EntryKind[name.upper()] for name in found["kinds"]),
            )
        except (
            ValueError,
            KeyError,
            TypeError,
            AttributeError,
            ArithmeticError,
            RecursionError,
        ) as error:
            raise InvalidValue(
                field="rule", value=content[:80], expected="a rule in JSON"
            ) from error
        if rule.to_json() != content:
            raise InvalidValue(
                field="rule", value=content[:80], expected="a rule in its canonical form"
            )
        return rule


@dataclass(frozen=True, slots=True)
class Share:
    """What one organisation gets of a pool, in whole units, more than zero."""

    org_id: OrgId
    amount: int


@dataclass(frozen=True, slots=True)
class SharedPool:
    """Shares by organisation's id, and what nobody can get; together they are the pool.

    `undistributed` is above zero only where nobody scored, or everybody who did is at the cap.
    """

    pool: int
    shares: tuple[Share, ...]
    undistributed: int


def share_pool(rule: ShareRule, pool: int, entries: Iterable[EntryPosted]) -> SharedPool:
    """Share `pool` whole units by the entries that one programme's journal got in one epoch.

    Each organisation gets the part that its score is of all scores. What that gives somebody over
    the cap goes to the others by the same rule. Parts of a unit: everybody gets the whole units;
    what is left goes unit by unit to the largest remainders, and of equal ones to the
    organisation with the lowest id. Raises InvalidValue for a pool that is no pool, and for
    entries of more than one programme.
    """
    if isinstance(pool, bool) or not 0 < pool <= MAX_POOL:
        raise InvalidValue(field="pool", value=pool, expected=f"1 to {MAX_POOL}")
    quotas = _cap(score_contributions(rule, entries), pool, floor(rule.cap * pool))
    amounts = {org_id: floor(quota) for org_id, quota in quotas.items()}
    # Capped quotas are whole, so a unit more goes to nobody at the cap.
    rest = floor(sum(quotas.values())) - sum(amounts.values())
    by_remainder = sorted(quotas, key=lambda org_id: (amounts[org_id] - quotas[org_id], org_id))
    for org_id in islice(by_remainder, rest):
        amounts[org_id] += 1
    shares = tuple(Share(org_id, amounts[org_id]) for org_id in sorted(amounts) if amounts[org_id])
    return SharedPool(pool, shares, pool - sum(share.amount for share in shares))


def leave_out(shared: SharedPool, claimed: Mapping[OrgId, int]) -> SharedPool:
    """What is still to be shared after a distribution of the same pool was withdrawn.

    Each share less what its organisation has claimed by then. A claim that was larger than the
    share stands, and nobody else's share is smaller for it: with such a claim, what was claimed and
    what is left are more than the pool.
    """
    left = tuple(
        Share(share.org_id, share.amount - claimed.get(share.org_id, 0)) for share in shared.shares
    )
    shares = tuple(share for share in left if share.amount > 0)
    pool = sum(share.amount for share in shares) + shared.undistributed
    return SharedPool(pool, shares, shared.undistributed)


def score_contributions(rule: ShareRule, entries: Iterable[EntryPosted]) -> dict[OrgId, Fraction]:
    """What each organisation scores, for those that score enough to get a share.

    What an organisation contributed stays its own after a merger: the contract lets the successor
    claim it.
    """
    amounts: dict[tuple[int, bytes], int] = defaultdict(int)
    programmes = set()
    counted = frozenset(int(kind) for kind in rule.kinds)
    for entry in entries:
        programmes.add(entry.programme_id)
        if entry.kind in counted:
            amounts[entry.org_id, entry.category] += entry.amount
    if len(programmes) > 1:
        raise InvalidValue(
            field="entries", value=sorted(programmes), expected="of one programme alone"
        )
    scores: dict[OrgId, Fraction] = defaultdict(Fraction)
    for (org_id, category), amount in amounts.items():
        scores[OrgId(org_id)] += rule.weight(decode_key(category)) * amount
    return {
        org_id: score for org_id, score in scores.items() if score > 0 and score >= rule.minimum
    }


def _cap(scores: Mapping[OrgId, Fraction], pool: int, cap: int) -> dict[OrgId, Fraction]:
    """The exact part of the pool that each gets: in proportion, none above the cap."""
    quotas: dict[OrgId, Fraction] = {}
    left, below = pool, dict(scores)
    while below:
        unit = Fraction(left) / sum(below.values())
        above = [org_id for org_id, score in below.items() if score * unit > cap]
        if not above:
            break
        for org_id in above:
            quotas[org_id] = Fraction(cap)
            del below[org_id]
        left -= cap * len(above)
    return quotas | {org_id: score * unit for org_id, score in below.items()}


def _read_fraction(text: str) -> Fraction:
    """A fraction as `str` writes it. `Fraction("1e999999999")` would compute for hours."""
    if not _FRACTION.fullmatch(text):
        raise ValueError("a fraction is one whole number, or two with a stroke between them")
    return Fraction(text)


def _require_fraction(name: str, value: object) -> None:
    if not isinstance(value, Fraction) or value < 0:
        raise InvalidValue(field=name, value=str(value), expected="a fraction, zero or more")
