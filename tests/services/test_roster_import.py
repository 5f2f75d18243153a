"""A roster is brought over once, however often it is interrupted or repeated."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Iterator
from itertools import cycle
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, select

from ledger.data import ROSTER
from ledger.domain.events import MembershipStatus
from ledger.domain.ids import OrgId, ProgrammeId
from ledger.office.queries import read_revision
from ledger.services import memberships, organisations, programmes
from ledger.services.demonstration.calendar import quarter_boundaries
from ledger.services.roster.importing import RosterImport, Signers, Terms
from ledger.services.roster.planning import Action, PlannedRow
from ledger.services.roster.reading import Roster, read_roster
from ledger.store.engine import reading
from ledger.store.office_tables import applications, evidence_files, labels
from tests.support.anvil import Anvil
from tests.support.desks import Cut, Sender, bare_ledger, dying_sender, opened_engine
from tests.support.ledger import Ledger

FAR = 4_000_000_000


@pytest.fixture
def ledger(anvil: Anvil, tmp_path: Path) -> Iterator[Ledger]:
    with bare_ledger(anvil, tmp_path) as running:
        yield running


@pytest.fixture
def sender(ledger: Ledger, sqlite_engine: Engine, tmp_path: Path) -> Sender:
    return Sender(ledger, sqlite_engine, tmp_path)


def importing(sender: Sender, roster: Roster | None = None) -> RosterImport:
    read = roster or read_roster(ROSTER)
    seed = sender.ledger.issuer
    controllers = {
        row.key: row.controller or seed.derive(row.key.encode()).address
        for row in read.organisations
    }
    return RosterImport(sender.desk, read, controllers, lambda _line: None)


def run(sender: Sender, roster: Roster | None = None) -> list[PlannedRow]:
    officer = sender.ledger.officer
    now = int(sender.ledger.node.header("latest").timestamp, 16)
    terms = Terms(FAR, quarter_boundaries(now, 1))
    return importing(sender, roster).run(Signers(officer, officer), terms)


def counts(rows: list[PlannedRow]) -> Counter[tuple[str, str]]:
    return Counter((row.subject, row.action.value) for row in rows)


def members_of(ledger: Ledger, programme: int) -> int:
    chain = ledger.contracts.memberships
    return sum(
        chain.membership(ProgrammeId(programme), OrgId(number), at="latest").status
        is MembershipStatus.ACTIVE
        for number in range(1, 45)
    )


def test_import__into_an_empty_ledger__brings_all_of_it(
    ledger: Ledger, engine: Engine, tmp_path: Path
) -> None:
    sender = Sender(ledger, engine, tmp_path)

    rows = run(sender)

    assert counts(rows) == {
        ("programme", "add"): 3,
        ("tier", "add"): 3,
        ("epochs", "add"): 3,
        ("category", "add"): 19,
        ("organisation", "add"): 44,
        ("membership", "add"): 29,
        ("application", "add"): 42,
    }
    chain = ledger.contracts
    assert chain.programmes.programme_count(at="latest") == 3
    assert chain.organisations.organisation_count(at="latest") == 44
    assert [members_of(ledger, programme) for programme in (1, 2, 3)] == [2, 17, 10]
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(applications)).scalar() == 42
        assert connection.execute(select(func.count()).select_from(labels)).scalar() == 30
        (document,) = connection.execute(select(evidence_files)).all()
    assert not document.made_up


def test_import__again__does_nothing_and_says_so(sender: Sender) -> None:
    run(sender)
    nonce = sender.nonce()

    rows = run(sender)

    assert {row.action for row in rows} == {Action.KEEP}
    assert sender.nonce() == nonce


def test_plan__of_an_empty_ledger__changes_nothing(sender: Sender) -> None:
    nonce = sender.nonce()

    rows = importing(sender).plan()

    assert {row.action for row in rows} == {Action.ADD}
    assert sender.nonce() == nonce
    with reading(sender.engine) as connection:
        assert read_revision(connection) == 0


def test_import__ended_at_every_transaction__completes_and_does_nothing_twice(
    ledger: Ledger, sqlite_engine: Engine, tmp_path: Path
) -> None:
    ends = 0
    for taken in cycle([False, True]):
        with dying_sender(ledger, sqlite_engine, tmp_path, taken=taken) as dying:
            try:
                list(dying.outbox.resume())
                run(dying)
            except Cut:
                ends += 1
            else:
                break

    chain = ledger.contracts
    assert ends > 16
    assert chain.programmes.programme_count(at="latest") == 3
    # 3 programmes, 3 tiers, 19 categories, 5 boundaries each.
    assert chain.programmes.sequence(at="latest") == 3 + 3 + 19 + 15
    assert chain.organisations.sequence(at="latest") == 44
    assert chain.memberships.sequence(at="latest") == 29
    rows = run(Sender(ledger, sqlite_engine, tmp_path))
    assert {row.action for row in rows} == {Action.KEEP}


def test_import__database_lost__registers_nobody_twice_and_keeps_the_profiles_anew(
    sender: Sender, tmp_path: Path
) -> None:
    run(sender)
    with opened_engine(f"sqlite:///{tmp_path / 'new.sqlite3'}") as engine:
        again = Sender(sender.ledger, engine, tmp_path)

        rows = run(again)
        repeated = run(again)

    chain = sender.ledger.contracts
    assert counts(rows)["profile", "add"] == 47
    assert counts(rows)["application", "add"] == 42
    assert counts(rows)["organisation", "keep"] == 44
    assert {row.action for row in repeated} == {Action.KEEP}
    assert chain.organisations.organisation_count(at="latest") == 44
    assert chain.memberships.sequence(at="latest") == 29


def test_import__with_one_row_more_and_one_changed__adds_the_one_and_says_of_the_other(
    sender: Sender, tmp_path: Path
) -> None:
    run(sender)
    folder = tmp_path / "roster"
    shutil.copytree(ROSTER, folder)
    path = folder / "organisations.csv"
    text = path.read_text("utf-8").replace("LandSpace,", "Land Space,")
    path.write_text(text + "new,新会员,New member,company,data,community,,\n", "utf-8")

    rows = run(sender, read_roster(folder))

    added = [row for row in rows if row.action is Action.ADD]
    told = [row for row in rows if row.note]
    assert [(row.subject, row.key) for row in added] == [
        ("organisation", "new"),
        ("membership", "new"),
    ]
    assert [(row.subject, row.key, row.action) for row in told] == [
        ("profile", "landspace", Action.KEEP)
    ]


def test_import__over_what_officers_decided_since__leaves_it(sender: Sender) -> None:
    run(sender)
    order = sender.order
    operation = sender.ledger.operation
    memberships.revoke(order(operation()), ProgrammeId(2), [OrgId(4)])
    memberships.suspend(order(operation()), ProgrammeId(2), [OrgId(5)])
    programmes.close_categories(order(operation()), ProgrammeId(2), ["data.use"])
    organisations.change_profile(
        order(operation()),
        OrgId(1),
        sender.ledger.contracts.organisations.organisation(OrgId(2), at="latest").profile,
    )
    nonce = sender.nonce()

    rows = run(sender)

    assert {(row.subject, row.key, row.action): row.note for row in rows if row.note} == {
        ("membership", "galaxyspace", Action.CANNOT): (
            "was revoked; only `moonlake membership admit` undoes that"
        ),
        ("membership", "siwei", Action.KEEP): "is suspended",
        ("category", "data.use", Action.KEEP): "is closed and stays so",
        ("profile", "digital-innovation-park", Action.KEEP): (
            "is another than the roster's and stays so"
        ),
    }
    assert sender.nonce() == nonce
