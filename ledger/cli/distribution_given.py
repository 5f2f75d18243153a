"""What a person gives a computation of shares: its rule, pages of entries, and earlier claims."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.cli.view import parse_time
from ledger.errors import InvalidValue

if TYPE_CHECKING:
    from ledger.domain.ids import OrgId
    from ledger.domain.shares import ShareRule
    from ledger.services.sharing.distributing import EpochEntries


# ruff: noqa: PLC0415  services take a second to import, and --help must not wait for them


def read_pages_of(
    files: list[Path], programme: int, epoch: int, begins: str, ends: str
) -> EpochEntries:
    from ledger.domain.ids import ProgrammeId
    from ledger.services.sharing.pages import read_pages

    if not (programme and epoch and begins and ends):
        expected = "given with --programme, --epoch, --begins and --ends"
        raise InvalidValue(field="pages", value=len(files), expected=expected)
    times = {"begins_at": parse_time("begins", begins), "ends_at": parse_time("ends", ends)}
    return read_pages(files, ProgrammeId(programme), epoch, **times)


def parse_claims(said: list[str]) -> dict[OrgId, int]:
    from ledger.domain.ids import OrgId

    claims = {}
    for each in said:
        org_id, is_given, amount = each.partition("=")
        if not (is_given and org_id.isascii() and org_id.isdigit() and amount.isdigit()):
            expected = "an organisation's id and what it claimed: 2=300"
            raise InvalidValue(field="left-out", value=each, expected=expected)
        claims[OrgId(int(org_id))] = int(amount)
    return claims


def choose_rule(
    path: Path | None, weights: list[str], default_weight: str, cap: str, minimum: str
) -> ShareRule:
    from ledger.domain.shares import ShareRule
    from ledger.services.sharing.files import read_rule

    said = (weights, default_weight, cap, minimum) != ([], "1", "1", "0")
    if path is not None:
        if said:
            raise InvalidValue(field="rule", value=str(path), expected="given without its parts")
        return read_rule(path)
    pairs = [each.partition("=") for each in weights]
    return ShareRule(
        weights={name: _fraction("weight", value) for name, _, value in pairs},
        default_weight=_fraction("default-weight", default_weight),
        cap=_fraction("cap", cap),
        minimum=_fraction("minimum", minimum),
    )


def _fraction(field: str, text: str) -> Fraction:
    try:
        return Fraction(text)
    except (ValueError, ZeroDivisionError) as error:
        expected = "a fraction such as 3/2 or 1.5"
        raise InvalidValue(field=field, value=text, expected=expected) from error
