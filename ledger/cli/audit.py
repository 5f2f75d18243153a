"""`moonlake audit`: prove a ledger's history to somebody who trusts nobody, and check such proofs.

`export`, `certificate` and `anchor write` ask a node. `verify`, `report` and `anchor show` need
the file alone. Those that verify end with 0 (complete and correct), 1 (wrong) or 2 (incomplete).
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import READING, with_settings
from ledger.config import Settings
from ledger.disks import folder_unusable
from ledger.errors import CertificateUnreadable, InvalidValue

if TYPE_CHECKING:
    from ledger.audit.certificates import Certificate
    from ledger.audit.findings import Findings
    from ledger.audit.verify import Verdict
    from ledger.chain.headers import Header
    from ledger.wiring import Chain

# ruff: noqa: PLC0415  a command imports only what it needs

_ASKING = ("home", "devnet_port", "rpc_url", "deployment")

TrustOption = Annotated[
    Path | None,
    typer.Option("--trust", help="The anchor: a block that you know from elsewhere."),
]
CompileOption = Annotated[
    bool,
    typer.Option(
        "--compile/--no-compile",
        help="Compile the bundled sources and compare; without it no bundle is complete.",
    ),
]
EpochsOption = Annotated[
    int | None,
    typer.Option(
        "--expiry-epochs",
        min=0,
        help="The published expiry policy: after how many further epochs credits expire.",
    ),
]
BlockOption = Annotated[
    int | None, typer.Option(min=0, help="The block; the chain's latest where it is left out.")
]

app = typer.Typer(
    no_args_is_help=True,
    help="Prove the whole history to an auditor, and verify such a proof offline.",
)
anchors = typer.Typer(no_args_is_help=True, help="What an auditor knows of a chain from elsewhere.")
app.add_typer(anchors, name="anchor")


@app.command()
@with_settings(*_ASKING)
def export(
    file: Annotated[Path, typer.Argument(help="The bundle to write.")],
    *,
    settings: Settings,
    to: Annotated[
        int | None, typer.Option("--to", min=0, help="The last block; else the chain's latest.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Write the whole history with its proofs into one file."""
    from ledger.audit.exporting import Exporter
    from ledger.wiring import opened_chain

    with opened_chain(settings) as chain, _progress("blocks", as_json) as progress:
        last = _block(chain, to)
        try:
            done = Exporter(chain.node, chain.deployment, progress).export(file, last)
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
def verify(
    file: Annotated[Path, typer.Argument(help="A bundle or a certificate.")],
    *,
    trust: TrustOption = None,
    compiling: CompileOption = True,
    expiry_epochs: EpochsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a bundle or a certificate. Ends with 0 complete and correct, 1 wrong, 2 incomplete."""
    if _is_certificate(file):
        _verify_certificate(file, trust, as_json=as_json)
        return
    verdict = _verdict(file, trust, compiling, expiry_epochs, as_json)
    show(verdict.to_json(), _describe(verdict), as_json=as_json)
    raise typer.Exit(verdict.exit_code)


@app.command()
def report(
    bundle: Annotated[Path, typer.Argument(help="The bundle to verify.")],
    file: Annotated[Path, typer.Argument(help="The HTML page to write.")],
    *,
    trust: TrustOption = None,
    compiling: CompileOption = True,
    expiry_epochs: EpochsOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a bundle and write the report as one HTML page. Ends as `verify` does."""
    from ledger.audit.report import render_report

    verdict = _verdict(bundle, trust, compiling, expiry_epochs, as_json)
    _write(file, render_report(verdict).encode("utf-8"))
    text = f"{file}: {verdict.word}, {verdict.findings.total} findings."
    show({"file": str(file), **verdict.to_json()}, text, as_json=as_json)
    raise typer.Exit(verdict.exit_code)


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
    _write(file, content)
    show(
        {"file": str(file), "size": len(content)},
        f"{file}: {len(content):,} bytes.",
        as_json=as_json,
    )


@app.command()
@with_settings(*READING)
def compare(
    bundle: Annotated[Path, typer.Argument(help="The bundle, verified before.")],
    *,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Hold a mirrored database against a bundle, row by row. Ends with 0 where they agree, or 1."""
    from ledger.audit.findings import Finding, Findings
    from ledger.errors import BundleUnreadable
    from ledger.wiring import compare_with_bundle

    try:
        findings = compare_with_bundle(settings, bundle)
    except BundleUnreadable as error:
        findings = Findings()
        problem = {"problem": str(error.values["problem"])}
        findings.add(Finding("bundle.unreadable", bundle.name, problem))
    values = {
        "exit_code": findings.exit_code,
        "differences": findings.total,
        "findings": [each.to_json() for each in findings],
    }
    lines = [f"{findings.total:,} differences.", *_findings(findings)]
    show(values, "\n".join(lines), as_json=as_json)
    raise typer.Exit(findings.exit_code)


@anchors.command("write")
@with_settings(*_ASKING)
def anchor_write(
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
    _write(file, content)
    text = f"{file}: block {values['block_number']} is {values['block_hash']}."
    show({"file": str(file), **values}, text, as_json=as_json)


@anchors.command("show")
def anchor_show(
    file: Annotated[Path, typer.Argument(help="The anchor.")], *, as_json: JsonOption = False
) -> None:
    """Show an anchor, to read its hash to somebody or to compare it with an explorer's."""
    import msgspec

    from ledger.audit.anchors import read_anchor

    values = msgspec.to_builtins(read_anchor(file))
    lines = [
        f"chain    {values['chain_id']}, genesis {values['genesis_hash']}",
        f"block    {values['block_number']}",
        f"hash     {values['block_hash']}",
        *(f"{name:<14} {address}" for name, address in values["contracts"].items()),
    ]
    show(values, "\n".join(lines), as_json=as_json)


def _verdict(
    file: Path, trust: Path | None, compiling: bool, expiry_epochs: int | None, as_json: bool
) -> Verdict:
    from ledger.audit.anchors import read_anchor
    from ledger.audit.verify import verify_bundle
    from ledger.domain.expiry import ExpiryPolicy

    if not file.is_file():
        raise InvalidValue(field="file", value=str(file), expected="a bundle's file")
    compiler = None
    if compiling:
        from ledger.chain.recompile import Recompilation

        compiler = Recompilation
    with _progress("blocks", as_json) as progress:
        return verify_bundle(
            file,
            None if trust is None else read_anchor(trust),
            compiling=compiler,
            policy=None if expiry_epochs is None else ExpiryPolicy(expiry_epochs),
            progress=progress,
        )


def _describe(verdict: Verdict) -> str:
    from ledger.audit.report import CHECKS

    lines = [f"{verdict.path}: {verdict.word}."]
    if verdict.last_hash:
        lines.append(
            f"Blocks {verdict.first_block} to {verdict.last_block} of chain {verdict.chain_id}, "
            f"the last one {verdict.last_hash}."
        )
    lines += [
        f"  {each.count:>12,}  {CHECKS[each.name][0]}{'' if each.done else ' (not to the end)'}"
        for each in verdict.checks
    ]
    lines += _findings(verdict.findings)
    return "\n".join(lines)


def _findings(findings: Findings) -> list[str]:
    shown = [f"{each.sentence('en')} [{each.code}]" for each in findings]
    if findings.total > len(shown):
        shown.append(f"… and {findings.total - len(shown):,} more")
    return shown


def _is_certificate(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return opened.read(1) == b"{"
    except OSError:
        return False


def _verify_certificate(file: Path, trust: Path | None, *, as_json: bool) -> None:
    from ledger.audit.anchors import read_anchor
    from ledger.audit.certificates import read_certificate, verify_certificate

    anchor = None if trust is None else read_anchor(trust)
    try:
        found = read_certificate(file)
        header, findings = verify_certificate(found, anchor)
    except (CertificateUnreadable, ValueError) as error:
        problem = str(error)
        values = {"verdict": "wrong", "exit_code": 1, "problem": problem}
        show(values, f"{file}: wrong.\n{problem}", as_json=as_json)
        raise typer.Exit(1) from None
    _show_certificate(file, found, header, findings, as_json=as_json)
    raise typer.Exit(findings.exit_code)


def _show_certificate(
    file: Path, found: Certificate, header: Header, findings: Findings, *, as_json: bool
) -> None:
    import msgspec

    word = ("complete and correct", "wrong", "incomplete")[findings.exit_code]
    values: dict[str, Any] = {
        "verdict": word,
        "exit_code": findings.exit_code,
        "block_number": header.number,
        "block_hash": "0x" + header.hash.hex(),
        "org_id": found.org_id,
        "controller": found.controller,
        "standings": [msgspec.to_builtins(each) for each in found.standings],
        "findings": [each.to_json() for each in findings],
    }
    lines = [
        f"{file}: {word}.",
        f"Organisation {found.org_id} at block {header.number} (0x{header.hash.hex()}):",
        f"  acts by {found.controller}",
        *(
            f"  programme {each.programme_id}: {each.balance:,} credits, "
            f"{_STATUSES[each.status] if each.status < len(_STATUSES) else each.status}"
            for each in found.standings
        ),
        *_findings(findings),
    ]
    show(values, "\n".join(lines), as_json=as_json)


_STATUSES = ("no member", "active member", "suspended", "revoked")


def _block(chain: Chain, block: int | None) -> int:
    return chain.node.block_number() if block is None else block


def _write(file: Path, content: bytes) -> None:
    """Write a file so that it is the old one or the new one."""
    try:
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
        with os.fdopen(handle, "wb") as opened:
            os.fchmod(opened.fileno(), 0o644)
            opened.write(content)
        Path(temporary).replace(file)
    except OSError as error:
        raise folder_unusable(file.parent, error) from error


@contextmanager
def _progress(what: str, as_json: bool) -> Iterator[Callable[[int, int], None]]:
    """Tells on stderr how far it has come, where somebody looks at it."""
    if as_json or not sys.stderr.isatty():
        yield lambda _done, _total: None
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = (TextColumn(what), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        task = shown.add_task(what)
        yield lambda done, total: shown.update(task, completed=done, total=total)
