"""Whether each pool was shared as the published rule shares it: its tree, made again from entries.

The chain holds a tree's root and the SHA-256 of a rule. The entries of the epoch are in the proved
history, so that with the rule's text the shares, the tree and the root follow. What a distribution
that was withdrawn gave away before is left out of the one in its place; the withdrawn one itself
was taken back, and is nobody's claim any more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ledger.audit.findings import Finding, Findings
from ledger.audit.history.replay import History
from ledger.audit.history.shares import Distribution
from ledger.chain.merkle import shares_tree
from ledger.domain.ids import OrgId, ProgrammeId
from ledger.domain.shares import SharedPool, ShareRule, leave_out, share_pool
from ledger.errors import InvalidValue


def check_shares(
    history: History, rules: Mapping[bytes, ShareRule], findings: Findings
) -> tuple[int, bool]:
    """Compare all distributions that stand with their rules; how many, and whether all could be.

    `rules` are the published rules by the digest that the chain has of each.
    """
    checked, complete = 0, True
    for number, found in sorted(history.shares.all.items()):
        if found.withdrawn:
            continue
        rule = rules.get(found.rule)
        if rule is None:
            complete = False
            _say(findings, found, "shares.no_rule", rule="0x" + found.rule.hex())
            continue
        checked += 1
        _check(history, number, found, rule, findings)
    return checked, complete


def _check(
    history: History, number: int, found: Distribution, rule: ShareRule, findings: Findings
) -> None:
    try:
        shared = _share(history, number, found, rule)
    except InvalidValue as error:
        _say(findings, found, "shares.not_computable", problem=str(error).rstrip("."))
        return
    if not shared.shares:
        _say(findings, found, "shares.nobody")
        return
    root = shares_tree(ProgrammeId(found.programme_id), found.epoch, shared).root
    if root != found.root or shared.pool != found.pool:
        values = {"found": "0x" + found.root.hex(), "right": "0x" + root.hex()}
        _say(findings, found, "shares.root", **values, pool=found.pool, right_pool=shared.pool)


def _share(history: History, number: int, found: Distribution, rule: ShareRule) -> SharedPool:
    """The pool as the rule shares it. Raises InvalidValue where it cannot be shared."""
    before = [
        other
        for key, other in sorted(history.shares.all.items())
        if key < number and other.withdrawn and _is_of_the_same(other, found)
    ]
    left_out: defaultdict[OrgId, int] = defaultdict(int)
    for other in before:
        for org_id, amount in other.by.items():
            left_out[OrgId(org_id)] += amount
    boundaries = history.programmes.all[found.programme_id].boundaries
    if not 0 < found.epoch < len(boundaries):
        raise InvalidValue(field="epoch", value=found.epoch, expected="an epoch that is over")
    begins, ends = boundaries[found.epoch - 1], boundaries[found.epoch]
    entries = [
        dated.entry
        for dated in history.credits.journals[found.programme_id]
        if begins <= dated.posted_at < ends
    ]
    shared = share_pool(rule, before[0].pool if left_out else found.pool, entries)
    return leave_out(shared, left_out) if left_out else shared


def _is_of_the_same(one: Distribution, other: Distribution) -> bool:
    return (one.programme_id, one.epoch, one.unit) == (other.programme_id, other.epoch, other.unit)


def _say(findings: Findings, of: Distribution, code: str, **values: object) -> None:
    row = f"Shares {of.sequence}"
    findings.add(Finding(code, row, values, of.block, of.log_index))
