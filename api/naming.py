"""What people call organisations, programmes and accounts, looked up as sentences need them.

A proposal names a few of thousands of organisations, and which ones comes out as it is read.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from api.answers import Reading
from ledger.domain.ids import OrgId
from ledger.mirror.queries.moments import read_contracts
from ledger.mirror.queries.organisations import read_controlled_by, read_organisation_profiles
from ledger.mirror.queries.profiles import Profile
from ledger.mirror.queries.programmes import read_programme_keys, read_programmes
from ledger.services.proposals.words import CHINESE, ENGLISH, Names


def names_of(reading: Reading) -> Names:
    """The names that a reading's moment has."""
    keys = read_programme_keys(reading.connection, reading.moment)
    programmes = {int(number): key for number, key in keys.items()}
    return Names(_Organisations(reading), programmes, _Accounts(reading))


def names_by_language(reading: Reading) -> dict[str, Names]:
    """The same by language, with the programmes' names in it where the office has them."""
    names = names_of(reading)
    programmes = read_programmes(reading.connection, reading.moment)
    keys = {int(each.programme_id): each.key for each in programmes}
    named = {int(each.programme_id): each.profile for each in programmes if each.profile}
    own = {
        ENGLISH: {number: each.name_en or each.name_zh for number, each in named.items()},
        CHINESE: {number: each.name_zh or each.name_en for number, each in named.items()},
    }
    return {
        language: replace(names, programmes={**keys, **{n: t for n, t in texts.items() if t}})
        for language, texts in own.items()
    }


def contracts_of(reading: Reading) -> dict[bytes, str]:
    """The name of each of the ledger's contracts by its address."""
    return {each.address: each.name for each in read_contracts(reading.connection)}


class _Organisations(Mapping[int, str]):
    """The names of organisations by their ids."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._known: dict[int, str] = {}

    def __getitem__(self, org_id: int) -> str:
        if org_id not in self._known:
            reading = self._reading
            found = read_organisation_profiles(reading.connection, reading.moment, [OrgId(org_id)])
            self._known[org_id] = _name(found.get(OrgId(org_id)))
        return self._known[org_id]

    def __iter__(self) -> Iterator[int]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


class _Accounts(Mapping[bytes, str]):
    """The names of the organisations that accounts act for."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._known: dict[bytes, str] = {}

    def __getitem__(self, account: bytes) -> str:
        if account not in self._known:
            reading = self._reading
            found = read_controlled_by(reading.connection, reading.moment, account)
            self._known[account] = _name(found.profile) if found is not None else ""
        return self._known[account]

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._known)

    def __len__(self) -> int:
        return len(self._known)


def _name(profile: Profile | None) -> str:
    """Both names where there are both: a reader of either language finds his own."""
    if profile is None:
        return ""
    return " ".join(dict.fromkeys(filter(None, (profile.name_zh, profile.name_en))))
