"""What is asked of the mirror after organisations changed hands, merged, and spent credits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import Connection, select

from ledger.domain.events import EntryKind
from ledger.domain.ids import BlockNumber, EntryId, OrgId, ProgrammeId
from ledger.errors import NotFound
from ledger.mirror.queries.balances import read_balances
from ledger.mirror.queries.entries import EntryFilter, list_entries
from ledger.mirror.queries.memberships import Standing, list_memberships
from ledger.mirror.queries.moments import Moment, latest_moment, moment_at_block
from ledger.mirror.queries.organisations import (
    Organisation,
    OrganisationFilter,
    OrganisationStatus,
    ProgrammeFilter,
    count_organisations,
    list_organisations,
    read_controlled_by,
    read_organisation,
)
from ledger.mirror.queries.programmes import read_category_totals
from ledger.mirror.queries.rankings import read_ranking
from ledger.mirror.state import read_state
from ledger.services.proofs import prove_entry
from ledger.store import mirror_tables as tables
from ledger.store.engine import reading
from tests.mirror.conftest import Open
from tests.support.happenings import Ledger

MOST = 100


@pytest.fixture
def connection(database_url: str, told_ledger: Ledger, open_mirror: Open) -> Iterator[Connection]:
    """A mirror of the ledger in which everything happened."""
    mirrored = open_mirror(database_url, told_ledger.deployment, told_ledger.anvil.url)
    mirrored.sync()
    with reading(mirrored.engine) as opened:
        yield opened


@pytest.fixture
def now(connection: Connection) -> Moment:
    return latest_moment(read_state(connection))


def changed(connection: Connection, change: str) -> tuple[OrgId, Moment, Moment]:
    """The first organisation that a change happened to, just before it and just after."""
    table = tables.organisation_versions
    row = connection.execute(
        select(table).where(table.c.change == change).order_by(table.c.block_number)
    ).first()
    assert row is not None
    state = read_state(connection)
    before, after = (
        moment_at_block(connection, state, BlockNumber(row.block_number - less)) for less in (1, 0)
    )
    return row.org_id, before, after


@pytest.mark.parametrize("change", ["rotated", "recovered"])
def test_account__after_it_was_followed__acts_for_nobody(
    connection: Connection, change: str
) -> None:
    org_id, before, after = changed(connection, change)
    old = _controller(read_organisation(connection, before, org_id))
    new = _controller(read_organisation(connection, after, org_id))
    assert old != new
    for moment, acting, other in ((before, old, new), (after, new, old)):
        found = read_controlled_by(connection, moment, acting)
        assert found is not None
        assert found.org_id == org_id
        assert read_controlled_by(connection, moment, other) is None


@pytest.mark.parametrize("change", ["rotated", "recovered"])
def test_memberships__of_an_organisation_that_changed_hands__are_the_new_controller_s(
    connection: Connection, change: str
) -> None:
    org_id, before, after = changed(connection, change)
    for moment in (before, after):
        organisation = read_organisation(connection, moment, org_id)
        held = [each for each in organisation.memberships if each.standing != Standing.REVOKED]
        assert held
        assert {each.owner for each in held} == {organisation.controller}
        listed = [
            each
            for each in list_memberships(connection, moment, limit=MOST)
            if each.org_id == org_id
        ]
        assert {each.owner for each in listed} == {organisation.controller}


def test_statement__of_an_organisation_that_changed_hands__stays_as_it_was(
    connection: Connection,
) -> None:
    org_id, before, after = changed(connection, "rotated")
    wanted = EntryFilter(org_id=org_id)
    statements = [
        list_entries(connection, moment, wanted, limit=MOST) for moment in (before, after)
    ]
    assert statements[0] == statements[1]
    assert statements[0]


def test_organisation__that_is_retired__is_listed_as_retired(
    connection: Connection, now: Moment
) -> None:
    org_id, before, after = changed(connection, "retired")
    acting = _controller(read_organisation(connection, before, org_id))
    retired = read_organisation(connection, after, org_id)
    assert (retired.retired, retired.controller) == (True, None)
    assert retired.successor_id != 0
    assert read_controlled_by(connection, after, acting) is None
    assert not read_organisation(connection, before, org_id).retired
    wanted = OrganisationFilter(status=OrganisationStatus.RETIRED)
    found = list_organisations(connection, now, wanted, limit=MOST)
    assert len(found) == count_organisations(connection, now, wanted) == 3
    assert all(each.retired for each in found)
    everybody = list_organisations(connection, now, OrganisationFilter(), limit=MOST)
    assert {each.org_id for each in found} < {each.org_id for each in everybody}
    assert count_organisations(connection, before, wanted) == 0


def test_organisation__whose_successor_is_named_later__was_retired_alone(
    connection: Connection,
) -> None:
    org_id, before, after = changed(connection, "successor_named")
    alone, merged = (read_organisation(connection, each, org_id) for each in (before, after))
    assert (alone.retired, alone.successor_id) == (True, 0)
    assert (merged.retired, merged.controller) == (True, None)
    assert not read_organisation(connection, after, merged.successor_id).retired


def test_organisations__retired_from_a_programme__are_those_that_were_in_it(
    connection: Connection, now: Moment
) -> None:
    counts = [
        count_organisations(
            connection,
            now,
            OrganisationFilter(
                programme=ProgrammeFilter(ProgrammeId(programme), key),
                status=OrganisationStatus.RETIRED,
            ),
        )
        for programme, key in ((1, "alliance"), (4, "pool"))
    ]
    assert counts == [0, 3]


def _controller(organisation: Organisation) -> bytes:
    assert organisation.controller is not None
    return organisation.controller


def test_balances__with_every_kind_of_entry__are_sums_of_their_categories(
    connection: Connection, now: Moment
) -> None:
    kinds = set(connection.execute(select(tables.entries.c.kind)).scalars())
    assert kinds == set(EntryKind)
    for organisation in list_organisations(connection, now, OrganisationFilter(), limit=MOST):
        for balance in read_balances(connection, now, organisation.org_id):
            assert balance.credits == sum(each.amount for each in balance.categories)


def test_entries__of_every_kind__are_listed_with_what_they_refer_to(
    connection: Connection, now: Moment
) -> None:
    for kind in EntryKind:
        found = list_entries(connection, now, EntryFilter(kind=kind), limit=MOST)
        assert found
        plain = kind in {EntryKind.REDEMPTION, EntryKind.REFUND, EntryKind.CARRY_OVER}
        assert all((each.category == "") == plain for each in found)
        if kind in {EntryKind.REVERSAL, EntryKind.REFUND, EntryKind.EXPIRY}:
            assert all(each.refers_to for each in found)


def test_ranking__after_credits_were_spent__is_of_what_was_contributed(
    connection: Connection, now: Moment
) -> None:
    programme = ProgrammeId(4)
    rows = connection.execute(
        select(tables.entries).where(
            tables.entries.c.programme_id == programme,
            tables.entries.c.kind.in_((EntryKind.AWARD, EntryKind.REVERSAL)),
        )
    ).all()
    expected: dict[int, int] = {}
    for row in rows:
        expected[row.org_id] = expected.get(row.org_id, 0) + row.amount
    latest = read_ranking(connection, now, programme, limit=MOST)
    assert {each.org_id: each.credits for each in latest} == expected
    # by way of the entries, where the balances of now do not help
    earlier = Moment(now.block_number, now.block_hash, now.timestamp, is_latest=False)
    assert read_ranking(connection, earlier, programme, limit=MOST) == latest
    totals = read_category_totals(connection, now, programme)
    assert sum(each.amount for each in totals) == sum(expected.values())


def test_proof__of_every_entry__is_what_the_chain_s_own_logs_give(
    connection: Connection, told_ledger: Ledger
) -> None:
    """Also where the line before the entry is no entry: a message that was cancelled."""
    awards = connection.execute(
        select(tables.entries.c.entry_id).where(tables.entries.c.kind == EntryKind.AWARD)
    ).scalars()
    for entry_id in awards.all():
        expected = told_ledger.reversal(entry_id)
        found = prove_entry(connection, EntryId(entry_id))
        assert found.entry == expected.entry
        assert found.head_before == expected.head_before
        assert found.hashes_after == expected.hashes_after


def test_proof__of_a_line_that_is_no_entry__is_not_found(connection: Connection) -> None:
    ids = set(connection.execute(select(tables.entries.c.entry_id)).scalars())
    missing = next(number for number in range(1, max(ids)) if number not in ids)
    with pytest.raises(NotFound):
        prove_entry(connection, EntryId(missing))
