"""`moonlake deploy`: put the contracts on the chain, or say where they are.

Running it again goes on where it was interrupted and changes nothing where it was finished. On the
devnet the keys it needs are made and funded; on any other chain they must exist.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer

from ledger.chain.addresses import parse_address, show_address
from ledger.chain.deploy import (
    USUAL_APPROVALS,
    USUAL_RECOVERY_DELAY,
    deploy,
    verify_deployment,
)
from ledger.chain.deployments import (
    DeployedContract,
    Deployment,
    deployment_path,
    read_deployment,
    show_deployment,
)
from ledger.chain.devnet_funds import fund_accounts
from ledger.chain.keyring import Ask, ensure_named_key, find_named_key, open_named_signer
from ledger.chain.rpc import Node
from ledger.chain.signers import KeySigner
from ledger.cli.output import JsonOption, show
from ledger.cli.passwords import ask_password
from ledger.cli.settings_options import with_settings
from ledger.config import Settings
from ledger.services.checks import MAX_APPROVALS

app = typer.Typer()

DEVNET_DELAY = 0
USUAL_DELAY = 3 * 24 * 3600
DEVNET_RECOVERY_DELAY = 3600
"""The shortest that the contract takes."""

DeployerOption = Annotated[str, typer.Option(help="The key that pays for the deployment.")]
AdminOption = Annotated[
    str, typer.Option(help="Who appoints officers: a key of the data folder, or an address.")
]
AdminDelayOption = Annotated[
    int | None,
    typer.Option(
        help="Seconds that the admin's successor waits; 0 on the devnet and three days elsewhere.",
        min=0,
    ),
]
RecoveryDelayOption = Annotated[
    int | None,
    typer.Option(
        help="Seconds in which a controller can object to being recovered, an hour to 90 days; an "
        "hour on the devnet and a week elsewhere. It can never be changed.",
        min=0,
    ),
]
AllianceApprovalsOption = Annotated[
    int,
    typer.Option(
        help="How many councillors beside its maker approve a proposal of the whole alliance, 1 to "
        "16; the alliance's council can change it.",
        min=1,
        max=MAX_APPROVALS,
    ),
]


@app.command("deploy")
@with_settings(
    "home", "devnet_port", "rpc_url", "deployment", "key_password_file", "signers", "max_fee_gwei"
)
def deploy_command(
    *,
    deployer: DeployerOption = "deployer",
    admin: AdminOption = "admin",
    admin_delay: AdminDelayOption = None,
    recovery_delay: RecoveryDelayOption = None,
    alliance_approvals: AllianceApprovalsOption = USUAL_APPROVALS,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Deploy the contracts on the chain, once."""

    def report(contract: DeployedContract) -> None:
        if not as_json:
            typer.echo(
                f"{contract.name:<14} {show_address(contract.address)}"
                f"  block {contract.block_number}"
            )

    made, path = deploy_ledger(
        settings,
        deployer=deployer,
        admin=admin,
        admin_delay=admin_delay,
        recovery_delay=recovery_delay,
        alliance_approvals=alliance_approvals,
        report=report,
        ask=ask_password,
    )
    text = f"Chain {made.chain_id}: {len(made.contracts)} contracts, recorded in {path}."
    show(show_deployment(made) | {"path": str(path)}, text, as_json=as_json)


def deploy_ledger(
    settings: Settings,
    *,
    deployer: str = "deployer",
    admin: str = "admin",
    admin_delay: int | None = None,
    recovery_delay: int | None = None,
    alliance_approvals: int = USUAL_APPROVALS,
    report: Callable[[DeployedContract], None] = lambda _contract: None,
    ask: Ask | None = None,
) -> tuple[Deployment, Path]:
    """Deploy with the key of that name, or verify what is there; and the file's path.

    `admin` is the name of a key or an address; `ask` asks for a password that no setting has.
    Raises what `ledger.chain.deploy.deploy` and `ledger.chain.keyring.open_named_signer` do.
    """
    node = Node(settings.nodes[0])
    try:
        path = deployment_path(settings, node.chain_id())
        if path.exists():
            made = read_deployment(path)
            verify_deployment(node, made)
            for contract in made.contracts.values():
                report(contract)
            return made, path
        signer, admin_address = _open_keys(settings, node, deployer, admin, ask)
        if admin_delay is None:
            admin_delay = DEVNET_DELAY if settings.uses_devnet else USUAL_DELAY
        if recovery_delay is None:
            recovery_delay = DEVNET_RECOVERY_DELAY if settings.uses_devnet else USUAL_RECOVERY_DELAY
        made = deploy(
            node,
            signer,
            admin=admin_address,
            admin_delay=admin_delay,
            recovery_delay=recovery_delay,
            alliance_approvals=alliance_approvals,
            path=path,
            report=report,
            ceiling=settings.fee_ceiling,
        )
        return made, path
    finally:
        node.close()


def _open_keys(
    settings: Settings, node: Node, deployer: str, admin: str, ask: Ask | None
) -> tuple[KeySigner, bytes]:
    is_address = admin.startswith("0x")
    if settings.uses_devnet:
        for name in (deployer,) if is_address else (deployer, admin):
            ensure_named_key(settings, name)
    signer = open_named_signer(settings, deployer, ask)
    address = (
        parse_address(admin, "admin") if is_address else find_named_key(settings, admin).address
    )
    if settings.uses_devnet:
        fund_accounts(node, (signer.address, address))
    return signer, address
