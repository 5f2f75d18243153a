"""Whether credits expired by the policy that the alliance published, and no more of them.

The contract cannot know what was spent of which award. It is computed here anew, from the entries
alone, each expiry against the journal as it was just before it.
"""

from __future__ import annotations

from ledger.audit.findings import Finding, Findings
from ledger.audit.history.replay import History
from ledger.domain.events import EntryKind
from ledger.domain.expiry import ExpiryPolicy, find_wrong_expiries
from ledger.errors import InvalidValue


def check_expiries(history: History, policy: ExpiryPolicy | None, findings: Findings) -> int:
    """Compare all expiries with the policy; how many there are.

    Without a policy, expiries are reported as not checked.
    """
    credits_ = history.credits
    total = credits_.counts[int(EntryKind.EXPIRY)]
    if not total:
        return 0
    if policy is None:
        findings.add(Finding("expiry.no_policy", "Credits", {"count": total}))
        return total
    for programme_id, journal in sorted(credits_.journals.items()):
        if not credits_.policies[programme_id]:
            continue
        boundaries = history.programmes.all[programme_id].boundaries
        try:
            wrong = find_wrong_expiries(policy, journal, boundaries)
        except InvalidValue as error:
            row = f"Credits {error.values['value']}"
            findings.add(Finding("expiry.no_journal", row))
            continue
        for each in wrong:
            values = {"award": each.award_id, "amount": each.amount, "due": each.due}
            place = credits_.expiry_places[each.entry_id]
            findings.add(Finding("expiry.wrong", f"Credits {each.entry_id}", values, *place))
    return total
