"""Makes a ledger whole at a start: contracts, mirror, outbox, season; and says where it is."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Engine

from ledger.chain.deployments import Deployment, deployment_path
from ledger.chain.devnet_rpc import DevnetRpc
from ledger.chain.keyring import ensure_named_key
from ledger.chain.rpc import Node
from ledger.cli.deploy import deploy_ledger
from ledger.cli.stack import Ready
from ledger.config import Settings
from ledger.domain.access import Scope
from ledger.domain.ids import BlockNumber
from ledger.errors import (
    ChainMismatch,
    CodeMismatch,
    ContractMissing,
    DataOfOtherChain,
    MirrorEmpty,
    OtherRelease,
)
from ledger.mirror.digest import compute_digest
from ledger.mirror.queries.moments import latest_moment
from ledger.mirror.queries.programmes import read_programmes
from ledger.mirror.rebuild import rebuild
from ledger.mirror.state import read_state
from ledger.office.api_keys import create_api_key, revoke_api_key
from ledger.office.cases import ENDED, list_cases
from ledger.office.queries import holds_made_up
from ledger.processes import wait_until
from ledger.services.recovery import Footing, compare_mirror
from ledger.store.engine import reading, writing
from ledger.store.migrations import HEAD
from ledger.store.schema import read_revision
from ledger.wiring import (
    database_to_read,
    ensure_devnet_keys,
    list_accounts,
    open_controllers,
    open_named_signer,
    open_wallets,
    opened_database,
    opened_desk,
    opened_mirror,
)

Report = Callable[[str], None]

_MIRROR_SECONDS = 60.0
RELAYER = "relayer"


class Readying:
    """The steps of a start, for one ledger whose chain answers.

    `pulse` is called between steps and may raise, which ends the start.
    """

    def __init__(self, settings: Settings, report: Report, pulse: Callable[[], None]) -> None:
        self._settings = settings
        self._report = report
        self._pulse = pulse
        self._node = Node(settings.nodes[0])
        self._deployment: Deployment | None = None

    def deploy(self) -> None:
        """Deploy the contracts, or see that they are there."""
        if not self._deployment_path().exists():
            self._refuse_other_chains_mirror()
            self._report("Deploying the contracts.")
        try:
            self._deployment, _ = deploy_ledger(self._settings)
        except ChainMismatch as error:
            if not self._settings.uses_devnet:
                raise
            raise DataOfOtherChain(what="the deployment file") from error
        except CodeMismatch as error:
            if not self._settings.uses_devnet:
                raise
            raise OtherRelease(detail=str(error)) from error
        except ContractMissing:
            # A start goes on from a deployment only once it is saved: nothing else can be lost.
            if not self._settings.uses_devnet:
                raise
            aside = self._set_deployment_aside()
            self._report(f"The devnet lost the contracts; they are deployed anew ({aside}).")
            self._deployment, _ = deploy_ledger(self._settings)
        self._pulse()

    def _refuse_other_chains_mirror(self) -> None:
        """Before the first contract costs anything. Raises DataOfOtherChain.

        A database that is not made yet, as at a first start, is not waited for.
        """
        if not self._settings.uses_devnet:
            return
        engine = database_to_read(self._settings)
        try:
            with reading(engine) as connection:
                is_current = read_revision(connection) == HEAD
            if is_current and compare_mirror(engine, self._node).footing is Footing.OTHER_CHAIN:
                raise DataOfOtherChain(what="the mirror in the database")
        finally:
            engine.dispose()

    def reconcile(self) -> None:
        """See that the mirror stands on the chain; on the devnet, mirror anew what was lost."""
        if not self._settings.uses_devnet:
            return  # a mirror of a network waits for a node that lags, or halts and says why
        with opened_database(self._settings) as engine:
            comparison = compare_mirror(engine, self._node)
        if comparison.footing is Footing.OTHER_CHAIN:
            raise DataOfOtherChain(what="the mirror in the database")
        if comparison.footing is Footing.LOST:
            blocks = f"its last {comparison.lost} blocks" if comparison.lost else "some blocks"
            self._report(
                f"The devnet lost {blocks}, killed between two saves; the mirror is built anew "
                "from what the chain has."
            )
            with opened_mirror(self._settings, self._found_deployment()) as mirror:
                rebuild(mirror)
        self._pulse()

    def record_season(self, progress: Callable[[int, int], None]) -> None:
        """Record what is missing of the demonstration's season."""
        from ledger.services.demonstration.seeding import (  # noqa: PLC0415  only for --demo
            OFFICERS,
            Hands,
            Season,
        )

        now = int(time.time())
        url = self._settings.nodes[0]
        with opened_desk(self._settings) as desk, DevnetRpc(url) as rpc:
            accounts = list_accounts(self._settings)
            season = Season(desk, start=rpc.block(0).timestamp, accounts=accounts)
            # It brings what members sign; a season of an earlier release has none yet.
            ensure_named_key(self._settings, RELAYER)
            if season.is_complete():
                return
            season.check(now)
            self._say("Preparing the officers' keys and the demonstration.")
            keys = ensure_devnet_keys(self._settings, desk.node, ("admin", *OFFICERS, RELAYER))
            hands = Hands(
                rpc=rpc,
                signers={key.name: open_named_signer(self._settings, key.name) for key in keys},
                controllers=open_controllers(self._settings, season.roster),
                wait_for_mirror=lambda block: self._wait_for_mirror(desk.engine, block),
                report=self._say,
                progress=progress,
            )
            season.seed(hands, now=now)

    def decide_applications(self, host: str, port: int) -> None:
        """Have the demonstration's applications filed and decided through the server."""
        from ledger.services.demonstration.applying import (  # noqa: PLC0415  only for --demo
            Applicants,
            Officers,
        )
        from ledger.services.demonstration.calendar import midnight  # noqa: PLC0415
        from ledger.services.demonstration.season import SECOND_TERM_SECONDS  # noqa: PLC0415
        from ledger.services.demonstration.seeding import demonstration_roster  # noqa: PLC0415

        roster = demonstration_roster()
        wanted = sum(len(row.applies_to) for row in roster.organisations)
        with opened_database(self._settings) as engine, DevnetRpc(self._settings.nodes[0]) as rpc:
            with reading(engine) as connection:
                if sum(each.state in ENDED for each in list_cases(connection)) >= wanted:
                    return
            self._say("Filing the applications.")
            self._wait_for_mirror(engine, self.head())
            applicants = Applicants(
                roster=roster,
                wallets=open_wallets(self._settings, roster),
                host=host,
                port=port,
                expires_at=midnight(rpc.block(0).timestamp + SECOND_TERM_SECONDS),
                pulse=self._pulse,
            )
            with self._officers(engine) as (first, second):
                counts = applicants.run(Officers(first, second))
            self._wait_for_mirror(engine, self.head())
        admitted, declined = counts["admitted"], counts["declined"]
        self._say(f"Applications: {admitted} admitted, {declined} declined.")

    @contextmanager
    def _officers(self, engine: Engine) -> Iterator[tuple[str, str]]:
        """API keys of two officers, good for no longer than this."""
        accounts = list_accounts(self._settings)
        made: list[tuple[str, str]] = []
        with writing(engine) as connection:
            for name in ("registrar", "council"):
                scopes = (Scope.READ, Scope.MEMBERS)
                key, text = create_api_key(
                    connection, accounts[name], "demonstration", scopes, days=1, now=time.time()
                )
                made.append((key.prefix, text))
        try:
            yield made[0][1], made[1][1]
        finally:
            with writing(engine) as connection:
                for prefix, _ in made:
                    revoke_api_key(connection, prefix, now=time.time())

    def send_what_is_left(self) -> None:
        """Send again what was signed and is not in the chain."""
        with opened_desk(self._settings) as desk:
            for resumed in desk.outbox.resume():
                summary = resumed.operation.request.summary
                if resumed.error is None:
                    self._say(f"Sent again after the last end: {summary}")
                else:
                    self._say(f"Could not be done after the last end: {summary} {resumed.error}")

    def head(self) -> BlockNumber:
        """The number of the chain's latest block."""
        return self._node.block_number()

    def describe(self, console: str) -> Ready:
        """Where to look, with the digest of what is mirrored."""
        with opened_database(self._settings) as engine, reading(engine) as connection:
            block = read_state(connection).cursor.number
            digest = compute_digest(connection)
            made_up = holds_made_up(connection)
            is_new = not read_programmes(connection, latest_moment(read_state(connection)))
        return Ready(
            console=console,
            folder=str(self._settings.home),
            node=self._node.url,
            chain_id=self._found_deployment().chain_id,
            block=block,
            digest="0x" + digest.hex(),
            made_up=made_up,
            is_new=is_new,
        )

    def _found_deployment(self) -> Deployment:
        assert self._deployment is not None, "deploy comes first"  # noqa: S101
        return self._deployment

    def _set_deployment_aside(self) -> Path:
        path = self._deployment_path()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        return path.rename(path.with_name(f"{path.name}.lost-{stamp}"))

    def _deployment_path(self) -> Path:
        return deployment_path(self._settings, self._node.chain_id())

    def _wait_for_mirror(self, engine: Engine, block: BlockNumber) -> None:
        def is_there() -> bool:
            self._pulse()
            try:
                with reading(engine) as connection:
                    return read_state(connection).cursor.number >= block
            except MirrorEmpty:
                return False

        wait_until(is_there, seconds=_MIRROR_SECONDS)

    def _say(self, line: str) -> None:
        self._pulse()
        self._report(line)
