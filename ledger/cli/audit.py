"""`moonlake audit`: prove a ledger's history to somebody who trusts nobody, and check such proofs.

`export`, `certificate` and `anchor write` ask a node, `compare` a database. What needs the files
alone is in `audit_offline`. Those that verify end with 0 (complete and correct), 1 (wrong) or 2
(incomplete).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

import ledger.cli.audit_log
import ledger.cli.audit_now  # noqa: F401  they add their commands
from ledger.cli.audit_certificate import show_findings
from ledger.cli.audit_offline import anchors, app, progress_of, write_file
from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import READING, with_settings
from ledger.config import Settings
from ledger.disks import folder_unusable
from ledger.errors import InvalidValue

if TYPE_CHECKING:
    from ledger.wiring import Chain

# ruff: noqa: PLC0415  a command imports only what it needs

_ASKING = ("home", "devnet_port", "rpc_url", "deployment")

BlockOption = Annotated[
    int | None, typer.Option(min=0, help="The block; the chain's latest where it is left out.")
]


@app.command()
@with_settings(*_ASKING)
def export(
    file: Annotated[Path, typer.Argument(help="The bundle to write.")],
    *,
    settings: Settings,
    to: Annotated[
        int | None, typer.Option("--to", min=0, help="The last block; else the chain's latest.")
    ] = None,
    from_block: Annotated[
        int | None,
        typer.Option(
            "--from", min=1, help="The first block, after the last of an earlier bundle; else all."
        ),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the whole history with its proofs into one file."""
    from ledger.audit.exporting import Exporter
    from ledger.wiring import captures_of, opened_chain

    with opened_chain(settings) as chain, progress_of("blocks", as_json) as progress:
        last = _block(chain, to)
        try:
            if from_block is not None and from_block > last:
                expected = f"at most the last block, {last}"
                raise InvalidValue(field="from", value=from_block, expected=expected)
            captures = captures_of(settings, chain.deployment.genesis_hash)
            exporter = Exporter(chain.node, chain.deployment, progress, captures)
            done = exporter.export(file, last, from_block)

        except OSError as error:
            raise folder_unusable(file.parent, error) from error
    values = {
        "file": str(done.path),
        "size": done.size,
        "first_block": done.first_block,
        "last_block": done.last_block,
        "last_hash": "0x" + done.last_hash.hex(),
        "blocks": done.blocks,
        "bodies": done.bodies,
        "transactions": done.transactions,
        "logs": done.logs,
    }
    text = (
        f"{done.path}: blocks {done.first_block} to {done.last_block}, {done.bodies:,} of them "
        f"whole, {done.transactions:,} transactions, {done.logs:,} logs, {done.size:,} bytes.\n"
        f"Block {done.last_block} is 0x{done.last_hash.hex()}."
    )
    show(values, text, as_json=as_json)


@app.command()
@with_settings(*_ASKING)
def certificate(
    org_id: Annotated[int, typer.Argument(min=1, help="The organisation.")],
    file: Annotated[Path, typer.Argument(help="The certificate to write.")],
    *,
    settings: Settings,
    block: BlockOption = None,
    as_json: JsonOption = False,
) -> None:
    """Write a proof of what one organisation has, which `verify` checks in a moment."""
    from ledger.audit.exporting import export_certificate
    from ledger.wiring import opened_chain

    with opened_chain(settings) as chain:
        content = export_certificate(chain.node, chain.deployment, org_id, _block(chain, block))
    write_file(file, content)
    show(
        {"file": str(file), "size": len(content)},
        f"{file}: {len(content):,} bytes.",
        as_json=as_json,
    )


@app.command()
@with_settings(*_ASKING, "database_url")
def capture(*, settings: Settings, as_json: JsonOption = False) -> None:
    """Keep proofs of the state after the mirror's last block, for an export when no node has it."""
    from ledger.wiring import capture_proofs, opened_database

    with opened_database(settings) as engine:
        path = capture_proofs(settings, engine)
    size = path.stat().st_size
    show({"file": str(path), "size": size}, f"{path}: {size:,} bytes.", as_json=as_json)


@app.command()
@with_settings(*READING)
def compare(
    bundle: Annotated[Path, typer.Argument(help="The bundle, verified before.")],
    *,
    settings: Settings,
    outbox: Annotated[
        bool,
        typer.Option(
            "--outbox", help="Also name acts of the database's keys that no operation explains."
        ),
    ] = False,
    keys: Annotated[
        list[str] | None,
        typer.Option("--key", help="With --outbox: another key of ours, by its address."),
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Hold a mirrored database against a bundle, row by row. Ends with 0 where they agree, or 1."""
    from ledger.audit.findings import Finding, Findings
    from ledger.chain.addresses import parse_address
    from ledger.errors import BundleUnreadable
    from ledger.wiring import compare_with_bundle

    try:
        findings = compare_with_bundle(
            settings, bundle, outbox=outbox, keys=[parse_address(each) for each in keys or ()]
        )
    except BundleUnreadable as error:
        findings = Findings()
        problem = {"problem": str(error.values["problem"])}
        findings.add(Finding("bundle.unreadable", bundle.name, problem))
    values = {
        "exit_code": findings.exit_code,
        "differences": findings.total,
        "findings": [each.to_json() for each in findings],
    }
    lines = [f"{findings.total:,} differences.", *show_findings(findings)]
    show(values, "\n".join(lines), as_json=as_json)
    raise typer.Exit(findings.exit_code)


@anchors.command("write")
@with_settings(*_ASKING)
def anchorwrite_file(
    file: Annotated[Path, typer.Argument(help="The anchor to write.")],
    *,
    settings: Settings,
    block: BlockOption = None,
    as_json: JsonOption = False,
) -> None:
    """Note a block's hash, and where the ledger is, from a node that you trust."""
    from ledger.audit.exporting import ask_anchor
    from ledger.wiring import opened_chain

    with opened_chain(settings) as chain:
        content, values = ask_anchor(chain.node, chain.deployment, _block(chain, block))
    write_file(file, content)
    text = f"{file}: block {values['block_number']} is {values['block_hash']}."
    show({"file": str(file), **values}, text, as_json=as_json)


def _block(chain: Chain, block: int | None) -> int:
    return chain.node.block_number() if block is None else block
