"""A file of awards: credits for organisations, each with its category and evidence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from ledger.chain.contracts import credits as journal
from ledger.domain.commands import Award, IssuerTerms, MembershipState
from ledger.domain.events import MembershipStatus
from ledger.domain.ids import OrgId, ProgrammeId
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
from ledger.services.imports.programmes import begin_row, read_members, say_day
from ledger.services.imports.values import Cells
from ledger.services.spreadsheets.tables import Problem, Row


class Awards:
    """Awards; a group is a programme."""

    subject = Subject.AWARDS

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
        amount = cells.amount("amount")
        category = cells.key("category", is_required=True)
        if category and not isinstance(programme, Problem):
            expected = directory.category_problem(programme, category)
            if expected:
                cells.refuse("category", expected)
        evidence = read_evidence(cells, self._documents, is_needed=self._given.evidence_needed)
        if cells.problems or isinstance(programme, Problem) or isinstance(organisation, Problem):
            return cells.problems
        asked = (programme, organisation, amount, category, identity_of(evidence))
        base, content = identify_row(self.subject, self._given.label, reference, asked)
        return Item(
            line=cells.row.line,
            reference=reference,
            shown=f"{amount} {category} to {cells.row['organisation']}",
            group=str(programme),
            values=(organisation, amount, category, evidence),
            base=base,
            content=content,
        )

    def judge(self, items: Sequence[Item], directory: Directory) -> dict[int, Verdict]:
        """Members that are not in good standing get nothing."""
        verdicts: dict[int, Verdict] = {}
        groups = {item.group for item in items}
        for group in groups:
            programme_id = ProgrammeId(int(group))
            own = [item for item in items if item.group == group]
            ids = {OrgId(item.values[0]) for item in own}
            bad = directory.standings(programme_id, ids)
            for item in own:
                state = bad.get(item.values[0])
                if state is not None:
                    key = directory.programme_key(programme_id)
                    problem = Problem("organisation", str(item.values[0]), _standing(state, key))
                    verdicts[item.line] = Verdict(problem)
        return verdicts

    def limit(self, group: str, sender: bytes, directory: Directory) -> Limit:
        """An issuer's budgets and the programme's cap."""
        programme_id, at = ProgrammeId(int(group)), directory.block
        contracts = directory.contracts
        is_council = contracts.authority.is_officer("council", programme_id, sender, at=at)
        terms = contracts.programmes.award_terms(programme_id, sender, at=at)
        by_category = terms.by_category and not is_council
        most = contracts.credits.max_awards(by_category=by_category, at=at)
        if not is_council and terms.per_award == 0:
            return Unbounded(most)  # it may not award at all, which the contract says best
        return _Budget(most, programme_id, sender, directory, is_council)

    def ask(self, group: str, values: Sequence[Sequence[Any]], keeper: Keeper) -> Asked:
        """The call for some awards of a programme."""
        programme_id = ProgrammeId(int(group))
        awards = [
            Award(OrgId(org_id), amount, category, keeper.evidence(evidence))
            for org_id, amount, category, evidence in values
        ]
        total = count_of(sum(each.amount for each in awards), "credit")
        number = count_of(len(awards), "award")
        summary = f"Award {total} in programme {programme_id} ({number}, imported)."
        encode = partial(journal.encode_award, programme_id, awards)
        return Asked("Credits", "award", summary, encode)


@dataclass(slots=True)
class _Budget:
    """What an issuer may still give, as the rows use it up."""

    most: int
    _programme_id: ProgrammeId
    _sender: bytes
    _directory: Directory
    _is_council: bool
    _terms: dict[str, IssuerTerms] = field(default_factory=dict)
    _by_category: dict[str, int] = field(default_factory=dict)
    _total: int = 0

    def refuse(self, values: Sequence[Any]) -> Problem | None:
        amount, category = int(values[1]), str(values[2])
        terms = self._terms_of(category)
        used = self._by_category.get(category, 0)
        bounds = [(terms.left_under_cap - self._total, "what the programme's cap leaves")]
        if not self._is_council:
            bounds += [
                (terms.per_award, "the most that the issuer may give in one award"),
                (terms.left_in_epoch - self._total, "what the issuer's budget leaves this epoch"),
                (terms.left_in_category - used, "what its budget of the category leaves"),
            ]
        for left, meaning in bounds:
            if amount > left:
                expected = f"within {meaning}: {max(left, 0)}, after the rows before it"
                return Problem("amount", str(amount), expected)
        self._total += amount
        self._by_category[category] = used + amount
        return None

    def _terms_of(self, category: str) -> IssuerTerms:
        if category not in self._terms:
            self._terms[category] = self._directory.contracts.credits.issuer_terms(
                self._programme_id, self._sender, category, at=self._directory.block
            )
        return self._terms[category]


def _standing(state: MembershipState, programme: str) -> str:
    member = f"a member of {programme} in good standing"
    if state.status is MembershipStatus.ACTIVE:
        return f"{member}: it lapsed on {say_day(state.expires_at)}"
    words = {
        MembershipStatus.NONE: "it never was one",
        MembershipStatus.SUSPENDED: "it is suspended",
        MembershipStatus.REVOKED: "it was revoked",
    }
    return f"{member}: {words[state.status]}"
