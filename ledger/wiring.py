"""The only place that builds engines, nodes, signers and services from the settings.

Everything else takes what it needs as an argument. What is opened here is closed by the context
that it was opened in. What only a sender or a mirror needs is imported where it is built, since a
command that reads must not wait for it.
"""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from ledger.config import Settings
from ledger.errors import LedgerError

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from ledger.audit.captures import Captures
    from ledger.audit.findings import Findings
    from ledger.audit.folder import AuditFolder
    from ledger.chain.contracts.registry import LedgerContracts
    from ledger.chain.deployments import Deployment
    from ledger.chain.keyring import NamedKey
    from ledger.chain.rpc import Node
    from ledger.chain.signers import KeySigner, LocalSigner
    from ledger.mirror.follow import Waiter
    from ledger.mirror.look import Mirror
    from ledger.mirror.reports import Reporter
    from ledger.office.credentials.keys import IssuerKey, SigningKey
    from ledger.office.evidence import EvidenceStore
    from ledger.office.webhooks.addresses import Gate
    from ledger.services.credentials import Issuer
    from ledger.services.desk import Desk
    from ledger.services.roster.reading import Roster

EVIDENCE_FOLDER = "evidence"
AUDIT_FOLDER = "audit"
PROOFS_FOLDER = "proofs"
CONTROLLERS_FOLDER = "controllers"
CONTROLLERS_SEED = "seed"
_LINGER_SECONDS = 0.2
"""How long a command that sends one operation after the other keeps a key between two."""

# ruff: noqa: PLC0415  see the module's docstring


@dataclass(frozen=True, slots=True)
class Chain:
    """The chain that the settings name, with the ledger that is deployed on it."""

    node: Node
    deployment: Deployment

    @property
    def addresses(self) -> Mapping[str, bytes]:
        """The contracts' addresses, by name."""
        return {name: found.address for name, found in self.deployment.contracts.items()}

    @property
    def contracts(self) -> LedgerContracts:
        """The contracts, read through the node."""
        from ledger.chain.contracts.registry import open_contracts

        return open_contracts(self.node, self.addresses)


@contextmanager
def opened_database(settings: Settings, *, durable: bool = True) -> Iterator[Engine]:
    """The database, with the schema of this release.

    Raises InvalidSetting, FolderUnusable, DatabaseUnusable and SchemaMismatch.
    """
    from ledger.store.engine import open_engine
    from ledger.store.schema import upgrade_schema

    engine = open_engine(settings.database, durable=durable)
    try:
        upgrade_schema(engine)
        yield engine
    finally:
        engine.dispose()


def database_to_read(settings: Settings) -> Engine:
    """The database as it is, connected to when it is first read, so that a server can say what is
    wrong with it. Raises InvalidSetting and FolderUnusable."""
    from ledger.store.engine import open_engine

    return open_engine(settings.database)


def genesis_here(settings: Settings) -> bytes | None:
    """The first block of the chain that the settings mean, as far as this machine's files tell.

    Empty where the devnet's chain was set aside and no other began; None where no file tells.
    Asks no node.
    """
    from ledger.chain.deployments import only_deployment_path, read_deployment
    from ledger.chain.devnet import devnet_folder

    if settings.uses_devnet:
        folder = devnet_folder(settings)
        chain = folder.chain
        if chain is not None:
            return bytes.fromhex(chain.genesis_hash.removeprefix("0x"))
        if folder.was_set_aside:
            return b""
    try:
        return read_deployment(only_deployment_path(settings)).genesis_hash
    except LedgerError:
        return None


@contextmanager
def asking_node(settings: Settings) -> Iterator[Node]:
    """The first node of the settings, for one question that somebody waits for.

    What it says is proved by nothing: whoever runs the server chose it.
    """
    from ledger.chain.rpc import Node
    from ledger.mirror.pool import PATIENCE

    with Node(settings.nodes[0], patience=PATIENCE) as node:
        yield node


@contextmanager
def opened_chain(settings: Settings) -> Iterator[Chain]:
    """The first node of the settings, which must serve the chain of the deployment file.

    Raises NodeUnreachable, NotDeployed, DeploymentUnreadable and ChainMismatch.
    """
    from ledger.chain.deploy import check_chain
    from ledger.chain.deployments import deployment_path, read_deployment
    from ledger.chain.rpc import Node

    node = Node(settings.nodes[0])
    try:
        deployment = read_deployment(deployment_path(settings, node.chain_id()))
        check_chain(node, deployment)
        yield Chain(node, deployment)
    finally:
        node.close()


@contextmanager
def opened_desk(settings: Settings) -> Iterator[Desk]:
    """All that a command which sends works with. What was left unsent is not sent yet."""
    from ledger.outbox.rules import Rules
    from ledger.outbox.sending import ChainIdentity, Outbox
    from ledger.services.desk import Desk

    with opened_database(settings) as engine, opened_chain(settings) as chain:
        outbox = Outbox(
            engine,
            chain.node,
            chain=ChainIdentity(chain.deployment.chain_id, chain.deployment.genesis_hash),
            addresses=chain.addresses,
            first_block=chain.deployment.first_block,
            finality=settings.finality,
            finality_blocks=settings.finality_blocks,
            fee_ceiling=settings.fee_ceiling,
            rules=Rules(linger=_LINGER_SECONDS),
        )
        try:
            yield Desk(chain.node, chain.contracts, engine, open_evidence(settings), outbox)
        finally:
            outbox.close()


@contextmanager
def opened_mirror(
    settings: Settings,
    deployment: Deployment,
    *,
    stop: threading.Event | None = None,
    report: Reporter | None = None,
) -> Iterator[Mirror]:
    """The mirror of a deployment in the database of the settings."""
    from ledger.chain.rpc import Node
    from ledger.mirror.contracts import Followed
    from ledger.mirror.lease import interruptible_sleep
    from ledger.mirror.look import Mirror
    from ledger.mirror.pool import PATIENCE
    from ledger.mirror.reports import say_nothing

    stop = stop or threading.Event()
    with ExitStack() as opened:
        engine = opened.enter_context(opened_database(settings, durable=False))
        patience = PATIENCE if len(settings.nodes) > 1 else None
        sleep = interruptible_sleep(stop)
        nodes = [Node(url, patience=patience, sleep=sleep) for url in settings.nodes]
        for node in nodes:
            opened.callback(node.close)
        yield Mirror(
            engine,
            nodes,
            Followed(deployment),
            finality_blocks=settings.finality_blocks,
            stop=stop,
            report=report or say_nothing,
            level=settings.verify,
            finality=settings.finality,
        )


@contextmanager
def opened_waiter(settings: Settings, report: Reporter) -> Iterator[Waiter]:
    """What a follower waits with: pushes of a node where the settings name one, else time."""
    from ledger.mirror.follow import POLLING
    from ledger.mirror.reports import Subscribed, SubscriptionLost

    url = settings.subscribe_url
    if not url:
        yield POLLING
        return
    from ledger.chain.subscription import HeadSubscription

    def tell(problem: LedgerError | None) -> None:
        shown = subscription.shown_url
        report(Subscribed(shown) if problem is None else SubscriptionLost(shown, problem))

    with HeadSubscription(url, on_change=tell) as subscription:
        yield subscription


def compare_with_bundle(
    settings: Settings, path: Path, *, outbox: bool = False, keys: Collection[bytes] = ()
) -> Findings:
    """Hold the database of the settings against a bundle, row by row.

    With `outbox` also the operations against the acts of the keys that signed for them, and of
    `keys`. The bundle's blocks are proved on the way; that it is anchored and made by rights is for
    `verify`. Raises BundleUnreadable, BlocksDiffer, MirrorEmpty, FactsDamaged.
    """
    from ledger.audit.comparing import Comparison
    from ledger.mirror.compare import compare_database
    from ledger.mirror.contracts import Followed
    from ledger.outbox.explaining import SeenAct, find_unexplained

    with opened_database(settings) as engine, Comparison.opened(path) as comparison:
        followed = Followed(comparison)
        for found in compare_database(engine, followed, comparison.history()):
            comparison.add(found)
        if outbox:
            acts = {each.transaction_hash: SeenAct(*each) for each in comparison.acts}
            with engine.connect() as connection:
                for unexplained in find_unexplained(
                    connection, comparison.genesis_hash, acts, comparison.last_block, keys
                ):
                    comparison.add_unexplained(unexplained)
        return comparison.findings


def captures_of(settings: Settings, genesis_hash: bytes) -> Captures:
    """Where proofs of one chain's state are kept."""
    from ledger.audit.captures import Captures

    return Captures(settings.home / PROOFS_FOLDER / genesis_hash.hex()[:16])


def capture_if_due(settings: Settings, engine: Engine) -> Path | None:
    """Keep proofs of the state at the mirror's head where an epoch ended since the last ones.

    Raises as `capture_proofs`, and DatabaseUnusable.
    """
    from sqlalchemy.exc import DBAPIError

    from ledger.errors import MirrorEmpty
    from ledger.mirror.queries.moments import latest_moment
    from ledger.mirror.queries.turning import last_boundary
    from ledger.mirror.state import read_state
    from ledger.store.engine import database_unusable, reading

    try:
        with reading(engine) as connection:
            state = read_state(connection)
            boundary = last_boundary(connection, latest_moment(state))
    except MirrorEmpty:
        return None
    except DBAPIError as error:
        raise database_unusable(engine, error) from error
    if boundary <= captures_of(settings, state.genesis_hash).newest_time():
        return None
    return capture_proofs(settings, engine)


def capture_proofs(settings: Settings, engine: Engine) -> Path:
    """Keep proofs of the state after the mirror's last block; the file.

    Raises the errors of a node, ProofsUnavailable, NodeAnswerInvalid where the node has another
    block than the mirror, MirrorEmpty, NotDeployed and FolderUnusable.
    """
    from ledger.audit.captures import capture_state
    from ledger.errors import NodeAnswerInvalid
    from ledger.mirror.queries.turning import read_extent
    from ledger.mirror.state import read_state
    from ledger.store.engine import reading

    with reading(engine) as connection:
        cursor = read_state(connection).cursor
        extent = read_extent(connection)
    with opened_chain(settings) as chain:
        header, content = capture_state(
            chain.node,
            dict(chain.addresses),
            cursor.number,
            programmes=extent.programmes,
            organisations=extent.organisations,
            accounts=extent.accounts,
        )
        if header.hash != cursor.hash:
            problem = "it is on another branch than the mirror"
            raise NodeAnswerInvalid(block=cursor.number, url=chain.node.url, problem=problem)
        return captures_of(settings, chain.deployment.genesis_hash).add(header, content)


def audit_folder(settings: Settings) -> AuditFolder:
    """Where the audits of the ledger that is served are kept."""
    from ledger.audit.folder import AuditFolder

    return AuditFolder(settings.home / AUDIT_FOLDER)


def make_certificate(
    settings: Settings, chain_id: int, org_id: int, block: int, block_hash: bytes
) -> bytes:
    """The certificate of an organisation at a block that is known by its hash.

    Raises the errors of a node, NodeAnswerInvalid where its block is another, ProofsUnavailable,
    NotDeployed and DeploymentUnreadable.
    """
    from ledger.audit.exporting import export_certificate
    from ledger.chain.deployments import deployment_path, read_deployment

    deployment = read_deployment(deployment_path(settings, chain_id))
    with asking_node(settings) as node:
        return export_certificate(node, deployment, org_id, block, block_hash)


def open_evidence(settings: Settings) -> EvidenceStore:
    """The store of evidence files: in the data folder, or where the settings say.

    Raises ToolMissing and InvalidSetting.
    """
    from ledger.office.evidence import EvidenceStore
    from ledger.office.shelves import RemoteShelf

    return EvidenceStore(
        settings.home / EVIDENCE_FOLDER,
        shelf=RemoteShelf(settings.evidence_url) if settings.evidence_url else None,
        scan=shlex.split(settings.evidence_scan),
        max_bytes=settings.evidence_max_mib * 1024 * 1024,
    )


def open_gate(settings: Settings) -> Gate:
    """What webhooks may reach."""
    from ledger.office.webhooks.addresses import Gate, parse_networks

    return Gate(parse_networks(settings.webhook_networks))


def open_named_signer(
    settings: Settings, name: str, ask: Callable[[str], str] | None = None
) -> KeySigner:
    """The signer behind a key's name, as far as the key's policy lets it.

    `ask` asks a person for a password where no setting has it. Raises what
    `ledger.chain.keyring.open_named_signer` does.
    """
    from ledger.chain import keyring

    return keyring.open_named_signer(settings, name, ask)


def issuer_of(settings: Settings) -> Issuer:
    """Who gives membership credentials, as the settings name him."""
    from ledger.services.credentials import Issuer

    return Issuer(settings.issuer_name, settings.origin)


def list_published_keys(settings: Settings) -> tuple[IssuerKey, ...]:
    """The issuer's keys, the one that signs first. Raises InvalidFile, KeyLocked."""
    from ledger.chain.keystores import key_folder
    from ledger.office.credentials.keys import issuer_key_folder, list_issuer_keys

    return list_issuer_keys(issuer_key_folder(key_folder(settings)))


def open_signing_key(
    settings: Settings, key: IssuerKey, ask: Callable[[str], str] | None = None
) -> SigningKey:
    """One of the issuer's keys, to sign with; `ask` as in `open_named_signer`.

    Raises InvalidFile, IssuerKeyMissing, KeyLocked, PasswordUnusable.
    """
    from ledger.chain.keystores import read_password
    from ledger.office.credentials.keys import open_issuer_key

    return open_issuer_key(key, read_password(settings, ask))


def list_accounts(settings: Settings) -> dict[str, bytes]:
    """The accounts of all keys, by the keys' names.

    Raises InvalidFile, InvalidSetting, InvalidValue, KeyLocked.
    """
    from ledger.chain.keyring import list_named_keys

    return {key.name: key.address for key in list_named_keys(settings)}


def ensure_devnet_keys(settings: Settings, node: Node, names: Sequence[str]) -> list[NamedKey]:
    """Keys by their names, made where they are missing, and with coin of the devnet."""
    from ledger.chain.devnet_funds import fund_accounts
    from ledger.chain.keyring import ensure_named_key

    keys = [ensure_named_key(settings, name) for name in names]
    fund_accounts(node, [key.address for key in keys])
    _ensure_issuer_key(settings)
    return keys


def _ensure_issuer_key(settings: Settings) -> None:
    """A devnet's memberships are given as credentials, too."""
    from ledger.chain.keystores import key_folder, read_password, scrypt_cost
    from ledger.office.credentials.keys import create_issuer_key, issuer_key_folder

    if not list_published_keys(settings):
        folder = issuer_key_folder(key_folder(settings))
        create_issuer_key(folder, read_password(settings), cost=scrypt_cost(settings))


def open_wallets(settings: Settings, roster: Roster) -> dict[str, LocalSigner]:
    """The wallets of a roster's organisations whose accounts it does not name, by their keys.

    For a demonstration, in which the applicants act themselves. Raises as `open_controllers`.
    """
    from ledger.chain.keystores import (
        ensure_key,
        key_folder,
        open_signer,
        read_password,
        scrypt_cost,
    )

    folder = key_folder(settings) / CONTROLLERS_FOLDER
    password = read_password(settings, None)
    ensure_key(folder, CONTROLLERS_SEED, password, cost=scrypt_cost(settings))
    seed = open_signer(folder, CONTROLLERS_SEED, password)
    rows = [row for row in roster.organisations if row.controller is None]
    return {row.key: seed.derive(row.key.encode("ascii")) for row in rows}


def open_controllers(
    settings: Settings,
    roster: Roster,
    *,
    make_seed: bool = True,
    ask: Callable[[str], str] | None = None,
) -> dict[str, bytes]:
    """The account of every organisation of a roster, by the organisation's key.

    It is the roster's own where it names one. Else it follows from the organisation's key and one
    random seed, which is kept encrypted as `keys/controllers/seed.json`: a keystore for each
    organisation would take a second each to open. Where there is no seed and none is to be made,
    such organisations are left out; none of them can be on the chain. `ask` asks for a password
    that no setting has.
    """
    from ledger.chain.keystores import (
        ensure_key,
        key_folder,
        list_keys,
        open_signer,
        read_password,
        scrypt_cost,
    )

    named = {row.key: row.controller for row in roster.organisations if row.controller is not None}
    if len(named) == len(roster.organisations):
        return named
    folder = key_folder(settings) / CONTROLLERS_FOLDER
    if not make_seed and not list_keys(folder):
        return named
    password = read_password(settings, ask)
    ensure_key(folder, CONTROLLERS_SEED, password, cost=scrypt_cost(settings))
    seed = open_signer(folder, CONTROLLERS_SEED, password)
    keys = (row.key for row in roster.organisations)
    return {key: seed.derive(key.encode("ascii")).address for key in keys} | named
