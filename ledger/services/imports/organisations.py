"""A file of organisations to be registered, each with its profile and the account that acts for it.

An organisation is known by its key. What stands in the register already is left as it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from ledger.chain.contracts import organisations
from ledger.domain.commands import Registration
from ledger.errors import InvalidValue
from ledger.office.profiles import MAX_TEXT, Profile
from ledger.office.profiles import Subject as Of
from ledger.services.checks import count_of
from ledger.services.imports.columns import Subject
from ledger.services.imports.directory import Directory
from ledger.services.imports.kinds import (
    Asked,
    Given,
    Item,
    Keeper,
    Limit,
    Unbounded,
    Verdict,
    identify,
)
from ledger.services.imports.values import Cells
from ledger.services.organisations import MAX_REGISTRATIONS
from ledger.services.spreadsheets.tables import Problem, Row

USUAL_KIND = "company"

_TEXTS = ("name_zh", "name_en", "segment", "note")


class Organisations:
    """Registrations; all are of one group."""

    subject = Subject.ORGANISATIONS

    def __init__(self, given: Given) -> None:
        self._given = given

    def read(self, rows: Sequence[Row], _directory: Directory) -> list[Item | list[Problem]]:
        """Each row as an item, or all that is wrong with it."""
        return [self._read(Cells(row)) for row in rows]

    def _read(self, cells: Cells) -> Item | list[Problem]:
        key = cells.key("key", is_required=True)
        kind = cells.key("kind") or USUAL_KIND
        account = cells.account("controller")
        if account and not any(account):
            cells.refuse("controller", "an account: it is zero")
        name_zh, name_en, segment, note = (cells.text(name, most=MAX_TEXT) for name in _TEXTS)
        if not (name_zh or name_en):
            cells.refuse("name_zh", "filled in, or name_en")
        if cells.problems:
            return cells.problems
        values = (key, name_zh, name_en, segment, note, kind, account.hex())
        try:
            _profile(values).document()
        except InvalidValue as error:
            field = str(error.values["field"])
            cells.refuse(field, str(error.values["expected"]))
            return cells.problems
        return Item(
            line=cells.row.line,
            reference=key,
            shown=f"register {name_zh or name_en}",
            group="register",
            values=values,
            base=identify(self.subject, self._given.label, "key", key),
            content=identify(self.subject, "", *values),
            alone=account.hex(),
            alone_in="controller",
        )

    def judge(self, items: Sequence[Item], directory: Directory) -> dict[int, Verdict]:
        """Keys and accounts that stand in the register."""
        by_key = directory.registered([item.values[0] for item in items])
        by_account = directory.controllers([bytes.fromhex(item.values[6]) for item in items])
        verdicts: dict[int, Verdict] = {}
        for item in items:
            named = by_key.get(item.values[0])
            acting = by_account.get(bytes.fromhex(item.values[6]))
            if named is not None and named == acting:
                verdicts[item.line] = Verdict(there=f"is registered as organisation {named}")
            elif acting is not None:
                expected = f"an account that acts for no other: it acts for organisation {acting}"
                shown = "0x" + item.values[6]
                verdicts[item.line] = Verdict(Problem("controller", shown, expected))
            elif named is not None:
                expected = f"a new one: organisation {named} has it"
                verdicts[item.line] = Verdict(Problem("key", item.values[0], expected))
        return verdicts

    def limit(self, _group: str, _sender: bytes, _directory: Directory) -> Limit:
        """Nothing but the size of a call."""
        return Unbounded(MAX_REGISTRATIONS)

    def ask(self, _group: str, values: Sequence[Sequence[Any]], keeper: Keeper) -> Asked:
        """The call for some registrations."""
        registrations = [
            Registration(bytes.fromhex(row[6]), row[5], keeper.profile(_profile(row)))
            for row in values
        ]
        summary = f"Register {count_of(len(values), 'organisation')} (imported)."
        encode = partial(organisations.encode_register, registrations)
        return Asked("Organisations", "register", summary, encode)


def _profile(values: Sequence[Any]) -> Profile:
    key, name_zh, name_en, segment, note = values[:5]
    return Profile(Of.ORGANISATION, key, name_zh, name_en, segment, note)
