"""What the chain lets an account do, and which of the server's keys may sign for it.

The contracts look at who signs, and the server signs with keys of its own. So it asks first whether
the account that calls holds the office itself, and signs with a key that holds the same office and,
for an issuer, no more than that: nobody gets through the server what the chain would refuse him. An
issuer's budget and his right to take back his own awards are counted by the chain for the key; here
they are counted for the account as well. Rights are read from a mirror that follows the chain, and
never from one that is stale.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection

from api.answers import Reading
from api.callers import Caller
from ledger.chain.signers import KeySigner
from ledger.domain.ids import ALLIANCE_WIDE, OrgId, ProgrammeId
from ledger.errors import AccessDenied, RightsUnknown, ServerCannotSign
from ledger.mirror.queries.accounts import read_budgets, read_roles
from ledger.mirror.queries.budgets import credits_awarded_by, has_category_budgets
from ledger.mirror.queries.moments import Condition
from ledger.mirror.queries.organisations import read_controlled_by, read_organisation
from ledger.mirror.queries.programmes import read_programme
from ledger.office.asked import credits_asked_for, find_who_asked

COUNCIL, ISSUER = "council", "issuer"
RELAYER = "relayer"
"""The name of the key that brings what others signed; see docs/keys.md."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Which of the offices that a command takes the caller holds, and who signs for him."""

    caller: Caller
    offices: frozenset[str]
    programme_id: ProgrammeId
    signer: KeySigner

    @property
    def is_own_key(self) -> bool:
        """Whether the key is the caller's own account."""
        return self.signer.address == self.caller.account

    @property
    def is_bound_as_issuer(self) -> bool:
        """Whether another's key signs for one who is an issuer and no councillor."""
        return not self.is_own_key and COUNCIL not in self.offices


def offices_of(reading: Reading, account: bytes, programme_id: ProgrammeId) -> frozenset[str]:
    """The offices that an account holds in a programme or in the whole alliance.

    Raises RightsUnknown where the mirror does not follow the chain.
    """
    _require_following(reading)
    held = read_roles(reading.connection, reading.moment, account)
    return frozenset(
        each.role for each in held if each.programme_id in (ALLIANCE_WIDE, programme_id)
    )


def places_held(reading: Reading, account: bytes, roles: Collection[str]) -> frozenset[int]:
    """Where an account holds one of the roles: programmes' ids, 0 for the whole alliance.

    Raises RightsUnknown where the mirror does not follow the chain.
    """
    _require_following(reading)
    held = read_roles(reading.connection, reading.moment, account)
    return frozenset(each.programme_id for each in held if each.role in roles)


def _require_following(reading: Reading) -> None:
    if reading.condition is not Condition.FOLLOWING:
        raise RightsUnknown(condition=reading.condition.value)


def _lacks_office(
    caller: Caller, roles: Collection[str], programme_id: ProgrammeId
) -> AccessDenied:
    where = f"programme {programme_id}" if programme_id else "the whole alliance"
    needed = f"it takes the office of {' or '.join(roles)} in {where}"
    return AccessDenied(account=caller.address, needed=needed)


def stand(
    reading: Reading,
    caller: Caller,
    roles: Collection[str],
    programme_id: ProgrammeId,
    signers: Mapping[bytes, KeySigner],
) -> Standing:
    """See that the caller holds one of `roles`, and choose a key.

    Raises AccessDenied, RightsUnknown and ServerCannotSign.
    """
    offices = offices_of(reading, caller.account, programme_id) & frozenset(roles)
    if not offices:
        raise _lacks_office(caller, roles, programme_id)
    own = signers.get(caller.account)
    if own is not None:
        return Standing(caller, offices, programme_id, own)
    for address, signer in signers.items():
        held = offices_of(reading, address, programme_id)
        if held & offices and (COUNCIL in offices or COUNCIL not in held):
            return Standing(caller, offices, programme_id, signer)
    problem = "none of its keys holds the same office" if signers else "it has no keys"
    raise ServerCannotSign(account=caller.address, problem=problem)


def stand_by(
    reading: Reading,
    caller: Caller,
    roles: Collection[str],
    programme_id: ProgrammeId,
    signer: KeySigner,
) -> Standing:
    """The same for a key that was chosen, of an import that is signed by one for all programmes.

    Raises as `stand`; ServerCannotSign where that key may not sign for the caller here.
    """
    offices = offices_of(reading, caller.account, programme_id) & frozenset(roles)
    if not offices:
        raise _lacks_office(caller, roles, programme_id)
    held = offices_of(reading, signer.address, programme_id)
    is_own = signer.address == caller.account
    if not is_own and not (held & offices and (COUNCIL in offices or COUNCIL not in held)):
        problem = "the key that signs the import does not hold the same office there"
        raise ServerCannotSign(account=caller.address, problem=problem)
    return Standing(caller, offices, programme_id, signer)


def stand_alone(
    reading: Reading,
    caller: Caller,
    roles: Collection[str],
    programme_id: ProgrammeId,
    signers: Mapping[bytes, KeySigner],
) -> Standing:
    """The same for what another's key would do in its own name: a proposal, an approval.

    Two pairs of eyes would be one where somebody proposed by the server's key and approved by his
    own. Raises as `stand`; ServerCannotSign unless the server has the caller's own key.
    """
    offices = offices_of(reading, caller.account, programme_id) & frozenset(roles)
    if not offices:
        raise _lacks_office(caller, roles, programme_id)
    own = signers.get(caller.account)
    if own is None:
        problem = "it is the caller's own to sign, and the server has not that key"
        raise ServerCannotSign(account=caller.address, problem=problem)
    return Standing(caller, offices, programme_id, own)


def stand_for(
    reading: Reading, caller: Caller, org_id: OrgId, signers: Mapping[bytes, KeySigner]
) -> Standing:
    """See that the caller acts for an organisation, or for what that was merged into.

    Raises NotFound, AccessDenied, RightsUnknown and ServerCannotSign.
    """
    _require_following(reading)
    found = read_organisation(reading.connection, reading.moment, org_id)
    if found.successor_id:
        heir = OrgId(found.successor_id)
        found = read_organisation(reading.connection, reading.moment, heir)
    if found.controller != caller.account:
        needed = f"it takes the account that acts for organisation {org_id}"
        raise AccessDenied(account=caller.address, needed=needed)
    own = signers.get(caller.account)
    if own is None:
        problem = "it has not the organisation's key; sign a message for it (/v1/typed-data)"
        raise ServerCannotSign(account=caller.address, problem=problem)
    return Standing(caller, frozenset(), ALLIANCE_WIDE, own)


def stand_as_bringer(
    reading: Reading, caller: Caller, relayer: KeySigner | None, *, is_own: bool
) -> Standing:
    """See that the caller may have the server bring what somebody signed, which costs coin.

    Officers may, and whoever acts for an organisation; others what is their own (`is_own`). Raises
    AccessDenied, RightsUnknown and ServerCannotSign.
    """
    _require_following(reading)
    connection, moment = reading.connection, reading.moment
    is_known = bool(read_roles(connection, moment, caller.account)) or (
        read_controlled_by(connection, moment, caller.account) is not None
    )
    if not (is_known or is_own):
        needed = "it is for officers, and for who acts for an organisation"
        raise AccessDenied(account=caller.address, needed=needed)
    if relayer is None:
        problem = f"none of its keys is called {RELAYER}"
        raise ServerCannotSign(account=caller.address, problem=problem)
    return Standing(caller, frozenset(), ALLIANCE_WIDE, relayer)


@dataclass(frozen=True, slots=True)
class Ceiling:
    """The most credits that an account's awards may come to that it asks this server for.

    Counted from `since` (seconds since 1970 UTC), the one that is asked for now included.
    """

    programme_id: ProgrammeId
    since: int
    most: int

    def check(self, connection: Connection, caller: Caller, *, more: int = 0) -> None:
        """Raise AccessDenied where it is passed. The connection has written the present one, or
        its credits are told as `more`."""
        since = self.since * 1000
        asked = credits_asked_for(connection, caller.account, self.programme_id, since=since)
        asked += more
        if asked > self.most:
            needed = f"its own budget lets it ask for {self.most} in this epoch, with this {asked}"
            raise AccessDenied(account=caller.address, needed=needed)


def check_budget(reading: Reading, standing: Standing, amounts: Collection[int]) -> Ceiling | None:
    """See that each award keeps to the caller's own budget where another's key signs them.

    What they may come to in the epoch is given back, less what he awarded himself; None where the
    chain counts it. Raises AccessDenied and ServerCannotSign.
    """
    found = find_allowance(reading, standing)
    if found is None:
        return None
    if max(amounts) > found.per_award:
        needed = f"its own budget is {found.per_award} for an award"
        raise AccessDenied(account=standing.caller.address, needed=needed)
    return found.ceiling


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an issuer may have another's key award: at once, and in the epoch."""

    per_award: int
    ceiling: Ceiling


def find_allowance(reading: Reading, standing: Standing) -> Allowance | None:
    """The caller's own budget where another's key signs; None where the chain counts it.

    Raises AccessDenied where he has none, and ServerCannotSign.
    """
    if not standing.is_bound_as_issuer:
        return None
    connection, moment = reading.connection, reading.moment
    account, programme_id = standing.caller.account, standing.programme_id
    shown = standing.caller.address
    budgets = {each.programme_id: each for each in read_budgets(connection, moment, account)}
    budget = budgets.get(programme_id)
    if budget is None:
        raise AccessDenied(account=shown, needed="it has no budget in this programme")
    if has_category_budgets(connection, moment, programme_id, account):
        problem = "its budgets by category bind its own key alone"
        raise ServerCannotSign(account=shown, problem=problem)
    begun = _epoch_begun(reading, programme_id)
    awarded = credits_awarded_by(connection, moment, programme_id, account, since=begun)
    return Allowance(budget.per_award, Ceiling(programme_id, begun, budget.per_epoch - awarded))


def _epoch_begun(reading: Reading, programme_id: ProgrammeId) -> int:
    """When the programme's epoch of now began, 0 for none."""
    connection, moment = reading.connection, reading.moment
    epochs = read_programme(connection, moment, str(programme_id)).rules.epochs
    return next((each.begins_at for each in epochs if each.contains(int(reading.now))), 0)


@dataclass(frozen=True, slots=True)
class BudgetLeft:
    """An issuer's budget in a programme, and what of it is spent in the present epoch."""

    programme_id: ProgrammeId
    programme: str
    per_award: int
    per_epoch: int
    spent: int

    @property
    def left(self) -> int:
        """What may still be awarded in the epoch."""
        return max(0, self.per_epoch - self.spent)


def budgets_left(
    reading: Reading, account: bytes, signers: Mapping[bytes, KeySigner]
) -> list[BudgetLeft]:
    """What an issuer may still award, by programme, as it is counted for him here and on the chain.

    What he asked this server for counts where another's key signs it; see `check_budget`.
    """
    connection, moment = reading.connection, reading.moment
    found = []
    for budget in read_budgets(connection, moment, account):
        begun = _epoch_begun(reading, budget.programme_id)
        spent = credits_awarded_by(connection, moment, budget.programme_id, account, since=begun)
        if account not in signers:
            asked_since = begun * 1000
            spent += credits_asked_for(connection, account, budget.programme_id, since=asked_since)
        found.append(
            BudgetLeft(
                budget.programme_id, budget.programme, budget.per_award, budget.per_epoch, spent
            )
        )
    return found


def check_own_awards(
    reading: Reading, standing: Standing, operation_ids: Collection[bytes]
) -> None:
    """See that the awards of these operations are the caller's own where another's key signs.

    Raises AccessDenied.
    """
    if not standing.is_bound_as_issuer:
        return
    for operation_id in operation_ids:
        if find_who_asked(reading.connection, operation_id) != standing.caller.account:
            needed = "it did not ask this server for the award"
            raise AccessDenied(account=standing.caller.address, needed=needed)
