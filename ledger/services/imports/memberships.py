"""A file of memberships: admissions, and changes of those that there are.

An action stands in its column: admit (where it is empty), renew, tier, suspend, resume, revoke. An
organisation stands in a file once for each programme, since calls that are on their way together
have no order among them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from ledger.chain.contracts import memberships
from ledger.domain.commands import NO_COMMITMENT, Admission, Renewal, TierChange
from ledger.domain.events import MembershipStatus
from ledger.domain.ids import OrgId, ProgrammeId, TierId
from ledger.services.checks import count_of
from ledger.services.imports.columns import Subject
from ledger.services.imports.directory import Directory
from ledger.services.imports.evidence import Documents, identity_of, read_evidence
from ledger.services.imports.kinds import (
    Asked,
    Given,
    Item,
    Keeper,
    Limit,
    Unbounded,
    Verdict,
    identify_row,
)
from ledger.services.imports.programmes import begin_row, read_members
from ledger.services.imports.values import Cells
from ledger.services.memberships import MAX_CHANGES, Ground
from ledger.services.spreadsheets.tables import Problem, Row

ADMIT, RENEW, TIER = "admit", "renew", "tier"
ACTIONS = {
    ADMIT: ("admit", "准入", "加入"),
    RENEW: ("renew", "续期"),
    TIER: ("tier", "变更级别", "变更等级"),
    "suspend": ("suspend", "暂停"),
    "resume": ("resume", "恢复"),
    "revoke": ("revoke", "撤销"),
}
_WORDS = {word: action for action, words in ACTIONS.items() for word in words}
_SENTENCES = {
    ADMIT: "Admit {count} to programme {programme} (imported).",
    RENEW: "Renew {count} in programme {programme} (imported).",
    TIER: "Move {count} of programme {programme} to another tier (imported).",
    "suspend": "Suspend {count} of programme {programme} (imported).",
    "resume": "Resume {count} of programme {programme} (imported).",
    "revoke": "Revoke {count} of programme {programme} (imported).",
}
_STANDINGS: dict[str, Callable[..., bytes]] = {
    "suspend": memberships.encode_suspend,
    "resume": memberships.encode_resume,
    "revoke": memberships.encode_revoke,
}


class Memberships:
    """Memberships; a group is an action in a programme with one reason and, but for admissions,
    one document."""

    subject = Subject.MEMBERSHIPS

    def __init__(self, given: Given) -> None:
        self._given = given
        self._documents = Documents(given.folder)

    def read(self, rows: Sequence[Row], directory: Directory) -> list[Item | list[Problem]]:
        """Each row as an item, or all that is wrong with it."""
        members = read_members(rows, directory, self._given.programme)
        return [
            self._read(Cells(row), *member, directory)
            for row, member in zip(rows, members, strict=True)
        ]

    def _read(
        self,
        cells: Cells,
        programme: ProgrammeId | Problem,
        organisation: OrgId | Problem,
        directory: Directory,
    ) -> Item | list[Problem]:
        reference = begin_row(cells, programme, organisation)
        action = _WORDS.get(cells.row["action"].casefold() or ADMIT, "")
        if not action:
            cells.refuse("action", "one of " + ", ".join(ACTIONS))
        tier = self._tier(cells, action, programme, directory)
        expires = self._expires(cells, action)
        reason = cells.key("reason")
        evidence = read_evidence(cells, self._documents, is_needed=False)
        if cells.problems or isinstance(programme, Problem) or isinstance(organisation, Problem):
            return cells.problems
        asked = (programme, organisation, action, tier, expires, reason, identity_of(evidence))
        base, content = identify_row(self.subject, self._given.label, reference, asked)
        common = "" if action == ADMIT else evidence
        return Item(
            line=cells.row.line,
            reference=reference,
            shown=f"{action} {cells.row['organisation']}",
            group="\n".join((str(programme), action, reason, common)),
            values=(organisation, tier, expires, evidence),
            base=base,
            content=content,
            alone=f"{programme} {organisation}",
            alone_in="organisation",
        )

    def _tier(
        self,
        cells: Cells,
        action: str,
        programme: ProgrammeId | Problem,
        directory: Directory,
    ) -> int:
        text = cells.text("tier", most=100)
        if action not in (ADMIT, TIER):
            if text:
                cells.refuse("tier", "empty: it goes with admit and tier")
            return 0
        if not text:
            cells.refuse("tier", "filled in with a tier's number or key")
            return 0
        if isinstance(programme, Problem):
            return 0
        found = directory.tier(programme, text)
        if found is None:
            cells.refuse("tier", f"a tier of {directory.programme_key(programme)}")
            return 0
        return found

    def _expires(self, cells: Cells, action: str) -> int:
        found = cells.time("expires")
        if action not in (ADMIT, RENEW):
            if found:
                cells.refuse("expires", "empty: it goes with admit and renew")
            return 0
        if not cells.row["expires"]:
            if not self._given.expires:
                cells.refuse("expires", "filled in, or named for all rows with --expires")
            return self._given.expires
        return found

    def judge(self, items: Sequence[Item], directory: Directory) -> dict[int, Verdict]:
        """Who is a member already, just as the row asks for it, needs nothing."""
        verdicts: dict[int, Verdict] = {}
        admissions = [item for item in items if item.group.split("\n")[1] == ADMIT]
        for group in {item.group for item in admissions}:
            programme_id = ProgrammeId(int(group.split("\n")[0]))
            own = [item for item in admissions if item.group == group]
            held = directory.held(programme_id, {OrgId(item.values[0]) for item in own})
            for item in own:
                state = held.get(item.values[0])
                if state is None or state.status in (
                    MembershipStatus.NONE,
                    MembershipStatus.REVOKED,
                ):
                    continue
                if (state.tier, state.expires_at) == (item.values[1], item.values[2]):
                    verdicts[item.line] = Verdict(there="is a member already")
                    continue
                key = directory.programme_key(programme_id)
                expected = f"one that is no member of {key} yet; renew, or change its tier"
                verdicts[item.line] = Verdict(
                    Problem("organisation", str(item.values[0]), expected)
                )
        return verdicts

    def limit(self, _group: str, _sender: bytes, _directory: Directory) -> Limit:
        """Nothing but the size of a call."""
        return Unbounded(MAX_CHANGES)

    def ask(self, group: str, values: Sequence[Sequence[Any]], keeper: Keeper) -> Asked:
        """The call for some rows of one action."""
        programme, action, reason, common = group.split("\n")
        programme_id = ProgrammeId(int(programme))
        noun = "organisation" if action == ADMIT else "membership"
        count = count_of(len(values), noun)
        summary = _SENTENCES[action].format(count=count, programme=programme_id)
        evidence = NO_COMMITMENT if action == ADMIT else keeper.evidence(common)
        return Asked(
            "Memberships",
            action,
            summary,
            _encoder(programme_id, action, Ground(reason, evidence), values, keeper),
        )


def _encoder(
    programme_id: ProgrammeId,
    action: str,
    ground: Ground,
    values: Sequence[Sequence[Any]],
    keeper: Keeper,
) -> Callable[[bytes], bytes]:
    if action == ADMIT:
        admissions = [
            Admission(OrgId(org_id), TierId(tier), expires, keeper.evidence(token))
            for org_id, tier, expires, token in values
        ]
        return partial(memberships.encode_admit, programme_id, admissions, ground.reason)
    if action == RENEW:
        renewals = [Renewal(OrgId(row[0]), row[2]) for row in values]
        return partial(
            memberships.encode_renew,
            programme_id,
            renewals,
            ground.reason,
            evidence=ground.evidence,
        )
    if action == TIER:
        changes = [TierChange(OrgId(row[0]), TierId(row[1])) for row in values]
        return partial(
            memberships.encode_change_tier,
            programme_id,
            changes,
            ground.reason,
            evidence=ground.evidence,
        )
    org_ids = [OrgId(row[0]) for row in values]
    return partial(
        _STANDINGS[action], programme_id, org_ids, ground.reason, evidence=ground.evidence
    )
