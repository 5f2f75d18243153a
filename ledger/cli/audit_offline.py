"""The commands of `moonlake audit` that need the files alone: no settings, no node, no database.

A certificate is verified by `audit_certificate`, which does without Typer too.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.audit_certificate import is_certificate, show_findings, verify_certificate_file
from ledger.cli.output import JsonOption, show
from ledger.disks import folder_unusable
from ledger.errors import InvalidValue

if TYPE_CHECKING:
    from ledger.audit.verify import Verdict
    from ledger.domain.shares import ShareRule

# ruff: noqa: PLC0415  a command imports only what it needs

_LARGEST_RULE = 1 << 20

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
RulesOption = Annotated[
    list[Path] | None,
    typer.Option(
        "--share-rule",
        help="A published rule of sharing, in JSON; again for each rule that was used.",
    ),
]

app = typer.Typer(
    no_args_is_help=True,
    help="Prove the whole history to an auditor, and verify such a proof offline.",
)
anchors = typer.Typer(no_args_is_help=True, help="What an auditor knows of a chain from elsewhere.")
app.add_typer(anchors, name="anchor")


@app.command()
def verify(
    file: Annotated[Path, typer.Argument(help="A bundle or a certificate.")],
    *,
    trust: TrustOption = None,
    compiling: CompileOption = True,
    expiry_epochs: EpochsOption = None,
    share_rules: RulesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a bundle or a certificate. Ends with 0 complete and correct, 1 wrong, 2 incomplete."""
    if is_certificate(file):
        raise typer.Exit(verify_certificate_file(file, trust, as_json))
    verdict = _verdict(file, trust, compiling, expiry_epochs, share_rules, as_json=as_json)
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
    share_rules: RulesOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a bundle and write the report as one HTML page. Ends as `verify` does."""
    from ledger.audit.report import render_report

    verdict = _verdict(bundle, trust, compiling, expiry_epochs, share_rules, as_json=as_json)
    write_file(file, render_report(verdict).encode("utf-8"))
    text = f"{file}: {verdict.word}, {verdict.findings.total} findings."
    show({"file": str(file), **verdict.to_json()}, text, as_json=as_json)
    raise typer.Exit(verdict.exit_code)


@anchors.command("show")
def anchor_show(
    file: Annotated[Path, typer.Argument(help="The anchor.")], *, as_json: JsonOption = False
) -> None:
    """Show an anchor, to read its hash to somebody or to compare it with an explorer's."""
    from ledger.audit.anchors import describe_anchor, read_anchor

    values = describe_anchor(read_anchor(file))
    lines = [
        f"chain    {values['chain_id']}, genesis {values['genesis_hash']}",
        f"block    {values['block_number']}",
        f"hash     {values['block_hash']}",
        *(f"{name:<14} {address}" for name, address in values["contracts"].items()),
        *(f"{'validator':<14} {address}" for address in values.get("validators", ())),
    ]
    show(values, "\n".join(lines), as_json=as_json)


def _verdict(
    file: Path,
    trust: Path | None,
    compiling: bool,
    expiry_epochs: int | None,
    share_rules: Sequence[Path] | None,
    *,
    as_json: bool,
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
    with progress_of("blocks", as_json) as progress:
        return verify_bundle(
            file,
            None if trust is None else read_anchor(trust),
            compiling=compiler,
            policy=None if expiry_epochs is None else ExpiryPolicy(expiry_epochs),
            rules=[_read_rule(path) for path in share_rules or ()],
            progress=progress,
        )


def _read_rule(path: Path) -> ShareRule:
    from ledger.domain.shares import ShareRule

    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_RULE)
    except OSError as error:
        expected = f"a file that can be read ({error.strerror})"
        raise InvalidValue(field="share-rule", value=str(path), expected=expected) from error
    return ShareRule.from_json(content.strip())


def _describe(verdict: Verdict) -> str:
    from ledger.audit.report import CHECKS

    lines = [f"{verdict.path}: {verdict.word}."]
    if verdict.last_hash:
        lines.append(
            f"Blocks {verdict.first_block} to {verdict.last_block} of chain {verdict.chain_id}, "
            f"the last one {verdict.last_hash}."
        )
        sealed = f"sealed by {len(verdict.validators)} validators"
        lines.append("Finality: " + (sealed if verdict.validators else "operator-trusted") + ".")
    lines += [
        f"  {each.count:>12,}  {CHECKS[each.name][0]}{'' if each.done else ' (not to the end)'}"
        for each in verdict.checks
    ]
    lines += show_findings(verdict.findings)
    return "\n".join(lines)


def write_file(file: Path, content: bytes) -> None:
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
def progress_of(what: str, as_json: bool) -> Iterator[Callable[[int, int], None]]:
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
