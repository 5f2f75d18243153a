"""`moonlake doctor`: looks at everything that a ledger needs, and says what to do where it lacks.

It changes nothing. What is not there yet but need not be (a devnet that is stopped, an empty data
folder) is no problem and is said so.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass

import typer

from ledger.chain.transport import Patience
from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import with_settings
from ledger.cli.view import table
from ledger.config import Settings
from ledger.errors import LedgerError, MirrorEmpty, NodeUnreachable, NotDeployed, PortInUse

app = typer.Typer()

# ruff: noqa: PLC0415  each check imports what it looks at

OK = "ok"
NOT_YET = "not yet"
PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one look found; `advice` is empty where nothing need be done."""

    subject: str
    state: str
    detail: str
    advice: str = ""


@app.command("doctor")
@with_settings(
    "home",
    "host",
    "port",
    "devnet_port",
    "database_url",
    "rpc_url",
    "deployment",
    "anvil",
    "key_password_file",
    "signers",
    "max_fee_gwei",
)
def doctor(*, settings: Settings, as_json: JsonOption = False) -> None:
    """Check this machine, the settings and the ledger. Ends with 1 if something is wrong."""
    findings = list(examine(settings))
    problems = [each for each in findings if each.state == PROBLEM]
    rows = [(each.subject, each.state, each.detail) for each in findings]
    text = table(("what", "state", "found"), rows)
    for each in findings:
        if each.advice:
            text += f"\n\n{each.subject}: {each.advice}"
    values = {"healthy": not problems, "findings": [asdict(each) for each in findings]}
    show(values, text, as_json=as_json)
    if problems:
        raise typer.Exit(1)


def examine(settings: Settings) -> Iterator[Finding]:
    """Look at everything, in the order in which it is needed."""
    looks: tuple[tuple[str, Callable[[Settings], Finding]], ...] = (
        ("Python", _python),
        ("Node.js", _node_js),
        ("anvil", _anvil),
        ("data folder", _folder),
        ("server's port", _server_port),
        ("database", _database),
        ("keys", _keys),
        ("policies", _policies),
        ("remote signers", _remote_signers),
        ("chain", _chain),
        ("coin", _coin),
        ("deployment", _deployment),
        ("mirror", _mirror),
    )
    for subject, look in looks:
        try:
            yield look(settings)
        except LedgerError as error:
            yield Finding(subject, PROBLEM, str(error), error.advice)


def _python(_settings: Settings) -> Finding:
    if sys.version_info < (3, 11):  # noqa: UP036  said before anything newer is used
        return Finding("Python", PROBLEM, platform.python_version(), "Use Python 3.11 or later.")
    return Finding("Python", OK, platform.python_version())


def _node_js(_settings: Settings) -> Finding:
    from ledger.chain.toolchain import find_node

    return Finding("Node.js", OK, str(find_node()))


def _anvil(settings: Settings) -> Finding:
    if not settings.uses_devnet:
        return Finding("anvil", OK, "not needed: MOONLAKE_RPC_URL names a node")
    from ledger.chain.toolchain import find_anvil

    return Finding("anvil", OK, str(find_anvil(settings)))


def _folder(settings: Settings) -> Finding:
    home = settings.home
    if not home.exists():
        return Finding("data folder", NOT_YET, f"{home}: made by the first `moonlake up`")
    if not home.is_dir() or not os.access(home, os.W_OK | os.X_OK):
        return Finding(
            "data folder",
            PROBLEM,
            f"{home} cannot be written",
            "Make it writable, or choose another with MOONLAKE_HOME.",
        )
    return Finding("data folder", OK, str(home))


def _server_port(settings: Settings) -> Finding:
    from ledger.processes import require_free_port

    where = f"{settings.host}:{settings.port}"
    try:
        require_free_port(settings.host, settings.port, setting="MOONLAKE_PORT")
    except PortInUse as error:
        if _is_moonlake(settings):
            return Finding("server's port", OK, f"{where} is served by Moonlake")
        return Finding("server's port", PROBLEM, str(error), error.advice)
    return Finding("server's port", OK, f"{where} is free")


def _is_moonlake(settings: Settings) -> bool:
    """Whether the program on the server's port answers as our server does."""
    import http.client

    connection = http.client.HTTPConnection(settings.host, settings.port, timeout=3)
    try:
        connection.request("GET", "/healthz")
        response = connection.getresponse()
        return response.status == http.HTTPStatus.OK and b'"status"' in response.read()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _database(settings: Settings) -> Finding:
    from ledger.store.engine import open_engine, reading
    from ledger.store.schema import NEW, read_revision

    if not settings.database_url and not settings.home.exists():
        return Finding("database", NOT_YET, "made by the first `moonlake up`")
    engine = open_engine(settings.database)
    try:
        with reading(engine) as connection:
            revision = read_revision(connection)
    finally:
        engine.dispose()
    shown = engine.url.render_as_string(hide_password=True)
    if revision == NEW:
        return Finding("database", NOT_YET, f"{shown} is empty")
    return Finding("database", OK, f"{shown}, schema {revision}")


def _keys(settings: Settings) -> Finding:
    from ledger.chain.keyring import Kind, list_named_keys
    from ledger.chain.keystores import has_password, key_folder, open_signer, read_password

    folder = key_folder(settings)
    keys = list_named_keys(settings)
    if not keys:
        advice = "`moonlake keys create NAME` makes one." if not settings.uses_devnet else ""
        return Finding("keys", NOT_YET, f"none in {folder}", advice)
    kept = [key for key in keys if key.kind is Kind.KEYSTORE]
    names = ", ".join(key.name for key in keys)
    if kept and not has_password(settings):
        return Finding("keys", OK, f"{names} (not opened: no setting has their password)")
    if kept:
        name = settings.signers_by_name.get(kept[0].name, kept[0].name)
        open_signer(folder, str(name), read_password(settings))
    return Finding("keys", OK, names)


def _policies(settings: Settings) -> Finding:
    from ledger.chain.keyring import list_named_keys
    from ledger.chain.keystores import key_folder
    from ledger.chain.policies import SUFFIX

    keys = list_named_keys(settings)
    known = {key.name for key in keys}
    folder = key_folder(settings)
    names = sorted(path.name.removesuffix(SUFFIX) for path in folder.glob(f"*{SUFFIX}"))
    stray = [name for name in names if name not in known]
    if stray:
        detail = f"there is a policy, and no key: {', '.join(stray)}"
        advice = f"Correct the file's name in {folder}, or keep it for the next key of that name."
        return Finding("policies", NOT_YET, detail, advice)
    free = [key.name for key in keys if key.policy is None]
    if not free:
        return Finding("policies", OK, "every key has one" if keys else "no keys yet")
    detail = f"none for {', '.join(free)}: free to sign anything"
    if settings.uses_devnet:
        return Finding("policies", OK, detail)
    advice = f"`moonlake keys allow {free[0]} --usual OFFICE` holds a key to what it is for."
    return Finding("policies", NOT_YET, detail, advice)


def _remote_signers(settings: Settings) -> Finding:
    from ledger.chain.keyring import open_remote

    found, bare = [], []
    for name in settings.signers_by_name:
        remote = open_remote(settings, name)
        if remote is None:
            continue
        try:
            remote.check()
        finally:
            remote.close()
        found.append(f"{name} at {remote.url}")
        if not remote.is_private:
            bare.append(name)
    if bare:
        advice = "Put TLS before it (https://), or reach it over loopback."
        detail = f"asked over a network without TLS: {', '.join(bare)}"
        return Finding("remote signers", PROBLEM, detail, advice)
    return Finding("remote signers", OK, ", ".join(found) if found else "none are used")


def _coin(settings: Settings) -> Finding:
    from ledger.chain.keyring import list_named_keys
    from ledger.chain.rpc import Node
    from ledger.cli.key_checks import read_coin

    if settings.uses_devnet:
        return Finding("coin", OK, "the devnet gives its keys what they need")
    poor, enough = [], []
    with Node(settings.nodes[0], patience=_impatient()) as node:
        try:
            for key in list_named_keys(settings):
                coin = read_coin(node, settings, key.address)
                if coin.largest is None:
                    advice = "Wait, or raise MOONLAKE_MAX_FEE_GWEI."
                    return Finding("coin", PROBLEM, "fees are above the ceiling now", advice)
                if coin.missing:
                    poor.append(f"{key.name} lacks {coin.missing} wei")
                else:
                    enough.append(key.name)
        except NodeUnreachable:
            return Finding("coin", NOT_YET, "not known: the chain does not answer")
    if poor:
        detail = f"for one large transaction now, {', '.join(poor)}"
        advice = "Send coin to those that send transactions; `moonlake keys address` has where."
        return Finding("coin", NOT_YET, detail, advice)
    return Finding("coin", OK, f"enough: {', '.join(enough)}" if enough else "no keys yet")


def _chain(settings: Settings) -> Finding:
    from ledger.chain.rpc import Node

    node = Node(settings.nodes[0], patience=_impatient())
    try:
        detail = f"{node.url}: chain {node.chain_id()}, block {node.block_number()}"
    except NodeUnreachable as error:
        if settings.uses_devnet:
            return Finding("chain", NOT_YET, "the devnet is stopped; `moonlake up` starts it")
        return Finding("chain", PROBLEM, str(error), error.advice)
    finally:
        node.close()
    return Finding("chain", OK, detail)


def _deployment(settings: Settings) -> Finding:
    from ledger.chain.deploy import verify_deployment
    from ledger.chain.deployments import only_deployment_path, read_deployment
    from ledger.chain.rpc import Node

    try:
        path = only_deployment_path(settings)
        deployment = read_deployment(path)
    except NotDeployed as error:
        return Finding("deployment", NOT_YET, str(error), "`moonlake up` or `moonlake deploy`.")
    node = Node(settings.nodes[0], patience=_impatient())
    try:
        verify_deployment(node, deployment)
    except NodeUnreachable:
        return Finding("deployment", OK, f"{path} (not compared: the chain does not answer)")
    finally:
        node.close()
    return Finding("deployment", OK, f"{path}: {len(deployment.contracts)} contracts, code checked")


def _mirror(settings: Settings) -> Finding:
    from ledger.mirror.state import read_state
    from ledger.store.engine import open_engine, reading
    from ledger.store.schema import NEW, read_revision

    if not settings.database_url and not settings.home.exists():
        return Finding("mirror", NOT_YET, "nothing is mirrored yet")
    engine = open_engine(settings.database)
    try:
        with reading(engine) as connection:
            if read_revision(connection) == NEW:
                return Finding("mirror", NOT_YET, "nothing is mirrored yet")
            state = read_state(connection)
    except MirrorEmpty:
        return Finding("mirror", NOT_YET, "nothing is mirrored yet")
    finally:
        engine.dispose()
    if state.halt is not None:
        advice = "Mend the cause; `moonlake up` or `moonlake mirror follow` looks again."
        return Finding("mirror", PROBLEM, f"halted: {state.halt.reason}", advice)
    detail = f"at block {state.cursor.number}, {state.lag} behind the chain's head at the last look"
    return Finding("mirror", OK, detail)


def _impatient() -> Patience:
    return Patience(attempts=1, timeout=3.0)
