"""The season is carried out on a devnet, once, at its own times, and marked as made up."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import func, select

from ledger.chain.devnet import DevnetOptions
from ledger.chain.devnet_rpc import DevnetRpc
from ledger.cli.deploy import deploy_ledger
from ledger.config import Settings
from ledger.domain.ids import ALLIANCE_WIDE, OrgId, ProgrammeId
from ledger.errors import DemonstrationRefused
from ledger.mirror.follow import sync
from ledger.services.demonstration.calendar import season_start
from ledger.services.demonstration.seeding import OFFICERS, Hands, Season
from ledger.services.desk import Desk
from ledger.services.orders import Order
from ledger.services.roles import Office, appoint
from ledger.store.engine import reading
from ledger.store.mirror_tables import blocks, entries
from ledger.store.office_tables import evidence_files
from ledger.wiring import (
    ensure_devnet_keys,
    list_accounts,
    open_controllers,
    open_named_signer,
    opened_desk,
    opened_mirror,
)
from tests.support.devnet import Devnet, new_settings, running_devnet


class Stopped(Exception):
    """Stands for the end of the process."""


class Stage:
    """A devnet whose chain began in time for a season, and what seeds it."""

    def __init__(self, settings: Settings, devnet: Devnet, now: int) -> None:
        self.settings = settings
        self.devnet = devnet
        self.now = now
        self.deployment, _ = deploy_ledger(settings)

    @contextmanager
    def season(self) -> Iterator[tuple[Season, Desk]]:
        with opened_desk(self.settings) as desk:
            start = self.devnet.rpc.block(0).timestamp
            yield Season(desk, start=start, accounts=list_accounts(self.settings)), desk

    def mirror(self) -> None:
        with opened_mirror(self.settings, self.deployment, stop=threading.Event()) as mirror:
            sync(mirror)

    def seed(self, *, stop_after: int | None = None) -> int:
        """Seed, stopping after some steps; how many blocks the chain then has."""
        with self.season() as (season, desk), DevnetRpc(self.settings.nodes[0]) as rpc:
            list(desk.outbox.resume())
            season.check(self.now)
            keys = ensure_devnet_keys(self.settings, desk.node, ("admin", *OFFICERS))

            def progress(done: int, _total: int) -> None:
                if done == stop_after:
                    raise Stopped

            hands = Hands(
                rpc=rpc,
                signers={key.name: open_named_signer(self.settings, key.name) for key in keys},
                controllers=open_controllers(self.settings, season.roster),
                wait_for_mirror=lambda _block: self.mirror(),
                report=lambda _line: None,
                progress=progress,
            )
            season.seed(hands, now=self.now)
            return rpc.head().number


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    now = int(time.time())
    settings = new_settings(tmp_path / "home")
    with running_devnet(settings, DevnetOptions(genesis_time=season_start(now))) as devnet:
        yield Stage(settings, devnet, now)


def test_seed__stopped_half_way_and_repeated__ends_with_one_season(stage: Stage) -> None:
    for stop_after in (1, 24):
        with pytest.raises(Stopped):
            stage.seed(stop_after=stop_after)
    head = stage.seed()

    with stage.season() as (season, desk):
        assert season.is_complete()
        assert desk.contracts.credits.sequence(at="latest") == 270
    assert stage.seed() == head
    _check_mirror(stage, head)
    _check_clock(stage)


def _check_mirror(stage: Stage, head: int) -> None:
    """Balances add up to the chain's; each entry has its document, made up; times are in order."""
    stage.mirror()
    with stage.season() as (season, desk), reading(desk.engine) as connection:
        sums = connection.execute(
            select(entries.c.programme_id, func.sum(entries.c.amount)).group_by(
                entries.c.programme_id
            )
        ).all()
        assert {row[0]: int(row[1]) for row in sums} == {
            number: desk.contracts.credits.outstanding(ProgrammeId(number), at="latest")
            for number in (1, 2, 3)
        }
        documents = connection.execute(
            select(entries.c.evidence, evidence_files.c.made_up).outerjoin(
                evidence_files, evidence_files.c.commitment == entries.c.evidence
            )
        ).all()
        assert [row.made_up for row in documents] == [1] * 270
        for row in documents:
            desk.evidence.read(connection, bytes(row.evidence))
        times = connection.execute(
            select(blocks.c.timestamp).where(blocks.c.number > 0).order_by(blocks.c.number)
        ).scalars()
        timeline = list(times)
        assert timeline == sorted(timeline)
        last = connection.execute(select(func.max(blocks.c.number))).scalar_one()
        assert last == head
        assert season.steps[-1].at == timeline[-1]


def _check_clock(stage: Stage) -> None:
    """A real transaction after the season has the present time."""
    with stage.season() as (_season, desk):
        stage.devnet.mine()
        head = stage.devnet.rpc.head()
        members = [
            desk.contracts.memberships.in_good_standing(
                ProgrammeId(2), OrgId(number), at=head.number
            )
            for number in range(1, 45)
        ]
    assert head.timestamp >= stage.now
    assert sum(members) == 17


def test_check__ledger_that_holds_something_else__is_refused(stage: Stage) -> None:
    with stage.season() as (season, desk):
        (key,) = ensure_devnet_keys(stage.settings, desk.node, ("admin",))
        order = Order(desk.outbox, open_named_signer(stage.settings, "admin"), b"\x01" * 32)
        appoint(order, Office("council", ALLIANCE_WIDE, key.address))

        with pytest.raises(DemonstrationRefused):
            season.check(stage.now)


def test_check__chain_that_began_today__is_refused(stage: Stage) -> None:
    with stage.season() as (season, _desk), pytest.raises(DemonstrationRefused):
        season.check(stage.now - 86_400)


def test_seed__chain_that_went_on_to_the_present__is_refused_before_anything_is_recorded(
    stage: Stage,
) -> None:
    stage.devnet.rpc.call("evm_setTime", stage.now)
    head = stage.devnet.mine()

    with pytest.raises(DemonstrationRefused) as refused:
        stage.seed()

    assert "--fresh" in refused.value.advice
    assert stage.devnet.rpc.head() == head
