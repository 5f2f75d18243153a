"""What the rows of a file name, looked up for many rows at once.

Names and standings come from the mirror, in one query for a thousand rows, since asking a node for
each would take minutes. The mirror only ever says which rows look wrong; that one is, the chain is
asked. So a mirror that is behind costs time and refuses nobody. Where nothing is mirrored, ids are
taken as they are, keys are unknown, and the contracts have the only word.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, select

from ledger.chain.contracts.registry import LedgerContracts
from ledger.chain.headers import check_header
from ledger.chain.rpc import Node
from ledger.domain.commands import MembershipState
from ledger.domain.events import MembershipStatus
from ledger.domain.ids import MAX_ORG_ID, OrgId, ProgrammeId, TierId
from ledger.domain.keys import encode_key
from ledger.errors import ContractRefused, InvalidValue, MirrorEmpty
from ledger.mirror.queries.moments import Moment, latest_moment
from ledger.mirror.queries.programmes import read_programme
from ledger.mirror.queries.rules import Tier
from ledger.mirror.queries.versions import is_last_version, true_at
from ledger.mirror.state import read_state
from ledger.services.desk import Desk
from ledger.store.engine import reading
from ledger.store.mirror_tables import membership_versions, organisation_versions
from ledger.store.office_tables import profiles

T = TypeVar("T")

MIRROR_SECONDS = 10.0
"""How long a mirror that is behind is waited for where a name is not known yet."""

_AT_ONCE = 500
_M = membership_versions
_O = organisation_versions


class Directory:
    """What is known at one block; `now` is that block's time, in seconds since 1970 UTC."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.contracts: LedgerContracts = desk.contracts
        self._node: Node = desk.node
        head = check_header(desk.node.header("latest"))
        self.block, self.now = head.number, head.timestamp
        self._programmes = self._read_programmes()
        self._organisation_count = self.contracts.organisations.organisation_count(at=self.block)
        self._categories: dict[tuple[int, str], str] = {}
        self._tiers: dict[int, tuple[Tier, ...]] = {}
        self._tier_counts: dict[int, int] = {}
        self._has_waited = False

    def programme(self, reference: str) -> ProgrammeId | None:
        """A programme by its id or key; None where there is none."""
        if _is_number(reference):
            number = int(reference) if len(reference) < 6 else 0
            return ProgrammeId(number) if number in self._programmes.values() else None
        return self._programmes.get(reference)

    def programme_key(self, programme_id: int) -> str:
        """A programme's key, for people."""
        return next(
            (key for key, known in self._programmes.items() if known == programme_id),
            str(programme_id),
        )

    def organisations(self, references: Collection[str]) -> dict[str, OrgId]:
        """Organisations by their ids or keys, as far as there are such."""
        found: dict[str, OrgId] = {}
        keys = []
        for reference in references:
            if not _is_number(reference):
                keys.append(reference)
            elif len(reference) <= len(str(MAX_ORG_ID)):
                number = int(reference)
                if 1 <= number <= self._organisation_count:
                    found[reference] = OrgId(number)
        known = self._by_key(keys)
        if len(known) < len(keys) and self._wait_for_mirror():
            known = self._by_key(keys)
        return found | known

    def registered(self, keys: Sequence[str]) -> dict[str, OrgId]:
        """The organisations that stand in the register under these keys."""
        return self._by_key(keys)

    def controllers(self, accounts: Collection[bytes]) -> dict[bytes, OrgId]:
        """The organisations that these accounts act for, as far as they act for any."""
        found: dict[bytes, OrgId] = {}
        with reading(self._desk.engine) as connection:
            moment = _moment(connection)
            if moment is None:
                return {
                    account: org_id
                    for account in accounts
                    if (
                        org_id := self.contracts.organisations.organisation_of(
                            account, at=self.block
                        )
                    )
                }
            for some in _portions(accounts):
                query = select(_O.c.org_id, _O.c.controller).where(
                    _O.c.controller.in_(some), is_last_version(_O, "org_id")
                )
                for row in connection.execute(query, true_at(moment)):
                    found[bytes(row.controller)] = OrgId(row.org_id)
        return found

    def tier(self, programme_id: ProgrammeId, reference: str) -> TierId | None:
        """A programme's tier by its number or key; None where there is none."""
        if programme_id not in self._tier_counts:
            rules = self.contracts.programmes.programme(programme_id, at=self.block)
            self._tier_counts[programme_id] = rules.tier_count
        if _is_number(reference):
            number = int(reference) if len(reference) < 4 else 0
            return TierId(number) if 1 <= number <= self._tier_counts[programme_id] else None
        for tier in self._tiers_of(programme_id):
            if tier.key == reference:
                return tier.tier
        return None

    def category_problem(self, programme_id: ProgrammeId, category: str) -> str:
        """Why nothing is awarded in a category; empty where it can be."""
        place = (programme_id, category)
        if place not in self._categories:
            self._categories[place] = self._ask_category(programme_id, category)
        return self._categories[place]

    def standings(
        self, programme_id: ProgrammeId, org_ids: Collection[OrgId]
    ) -> dict[OrgId, MembershipState]:
        """The memberships of these organisations that are not in good standing, as the chain has
        them; those that are missing here are in good standing, or nothing is mirrored."""
        with reading(self._desk.engine) as connection:
            moment = _moment(connection)
            if moment is None:
                return {}
            good: set[int] = set()
            for some in _portions(org_ids):
                query = select(_M.c.org_id).where(
                    _M.c.programme_id == programme_id,
                    _M.c.org_id.in_(some),
                    _M.c.status == MembershipStatus.ACTIVE,
                    _M.c.expires_at > self.now,
                    is_last_version(_M, "programme_id", "org_id"),
                )
                good.update(connection.execute(query, true_at(moment)).scalars())
        doubtful = [each for each in org_ids if each not in good]
        states = {each: self.membership(programme_id, each) for each in doubtful}
        return {each: state for each, state in states.items() if not self.is_good(state)}

    def membership(self, programme_id: ProgrammeId, org_id: OrgId) -> MembershipState:
        """A membership as the chain has it."""
        return self.contracts.memberships.membership(programme_id, org_id, at=self.block)

    def held(
        self, programme_id: ProgrammeId, org_ids: Collection[OrgId]
    ) -> dict[OrgId, MembershipState]:
        """The memberships that these organisations have or had, as the chain has them; where
        nothing is mirrored, none."""
        with reading(self._desk.engine) as connection:
            moment = _moment(connection)
            if moment is None:
                return {}
            known: set[int] = set()
            for some in _portions(org_ids):
                query = select(_M.c.org_id).where(
                    _M.c.programme_id == programme_id, _M.c.org_id.in_(some)
                )
                known.update(connection.execute(query).scalars())
        return {OrgId(each): self.membership(programme_id, OrgId(each)) for each in sorted(known)}

    def is_good(self, state: MembershipState) -> bool:
        """Whether a membership is active and has not lapsed."""
        return state.status is MembershipStatus.ACTIVE and state.expires_at > self.now

    # --- reading ---

    def _read_programmes(self) -> dict[str, ProgrammeId]:
        programmes = self.contracts.programmes
        count = programmes.programme_count(at=self.block)
        ids = (ProgrammeId(number) for number in range(1, count + 1))
        return {programmes.programme(each, at=self.block).key: each for each in ids}

    def _by_key(self, keys: Sequence[str]) -> dict[str, OrgId]:
        """Organisations by their profiles' keys; a key that two have stands for none."""
        found: dict[str, set[int]] = {}
        with reading(self._desk.engine) as connection:
            moment = _moment(connection) if keys else None
            if moment is None:
                return {}
            for some in _portions(keys):
                query = (
                    select(_O.c.org_id, profiles.c.key)
                    .join(profiles, profiles.c.commitment == _O.c.profile)
                    .where(
                        profiles.c.subject == "organisation",
                        profiles.c.key.in_(some),
                        is_last_version(_O, "org_id"),
                    )
                )
                for row in connection.execute(query, true_at(moment)):
                    found.setdefault(row.key, set()).add(row.org_id)
        return {key: OrgId(next(iter(ids))) for key, ids in found.items() if len(ids) == 1}

    def _tiers_of(self, programme_id: ProgrammeId) -> tuple[Tier, ...]:
        if programme_id not in self._tiers:
            with reading(self._desk.engine) as connection:
                moment = _moment(connection)
                self._tiers[programme_id] = (
                    read_programme(connection, moment, str(programme_id)).rules.tiers
                    if moment is not None
                    else ()
                )
        return self._tiers[programme_id]

    def _ask_category(self, programme_id: ProgrammeId, category: str) -> str:
        try:
            word = encode_key(category, "category")
            self.contracts.programmes.read(
                "requireOpenCategories", programme_id, [word], at=self.block
            )
        except InvalidValue as error:
            return str(error.values["expected"])
        except ContractRefused as refusal:
            key = self.programme_key(programme_id)
            if refusal.values["name"] == "ProgrammesCategoryUnknown":
                return f"a category of {key}"
            if refusal.values["name"] == "ProgrammesCategoryClosed":
                return f"an open category of {key}: it is closed"
            raise
        return ""

    def _wait_for_mirror(self) -> bool:
        """Wait once until the mirror is at our block; whether it came nearer."""
        if self._has_waited:
            return False
        self._has_waited = True
        deadline = time.monotonic() + MIRROR_SECONDS
        first = last = self._mirrored()
        while last < self.block and first >= 0 and time.monotonic() < deadline:
            time.sleep(0.1)
            last = self._mirrored()
        return last > first

    def _mirrored(self) -> int:
        with reading(self._desk.engine) as connection:
            moment = _moment(connection)
        return moment.block_number if moment is not None else -1


def _moment(connection: Connection) -> Moment | None:
    """The mirror's last block; None where nothing is mirrored."""
    try:
        return latest_moment(read_state(connection))
    except MirrorEmpty:
        return None


def _is_number(reference: str) -> bool:
    return reference.isascii() and reference.isdigit()


def _portions(values: Iterable[T]) -> Iterator[list[T]]:
    """What one statement takes at once."""
    left = iter(values)
    while some := list(islice(left, _AT_ONCE)):
        yield some
