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
from typing import TYPE_CHECKING, Annotated, NamedTuple

import typer

from ledger.chain.addresses import parse_address
from ledger.cli.audit_certificate import is_certificate, show_findings, verify_certificate_file
from ledger.cli.output import JsonOption, show
from ledger.disks import folder_unusable
from ledger.errors import InvalidValue

if TYPE_CHECKING:
    from ledger.audit.verify import Verdict
    from ledger.audit.witnesses import Witnesses
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
AfterOption = Annotated[
    list[Path] | None,
    typer.Option("--after", help="The bundle that this one goes on from; several, oldest first."),
]
WitnessesOption = Annotated[
    int, typer.Option("--witnesses", min=0, help="How many of the --witness must have signed.")
]
WitnessOption = Annotated[
    list[str] | None,
    typer.Option("--witness", help="The address of a witness that you accept; again for each."),
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
    after: AfterOption = None,
    witnesses: WitnessesOption = 0,
    witness: WitnessOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a bundle or a certificate. Ends with 0 complete and correct, 1 wrong, 2 incomplete."""
    if is_certificate(file):
        accepted = _witnesses(trust, witnesses, witness)
        raise typer.Exit(verify_certificate_file(file, trust, as_json, accepted))
    verdict = _verdict(
        file,
        _Given(trust, compiling, expiry_epochs, share_rules, after),
        _witnesses(trust, witnesses, witness),
        as_json=as_json,
    )
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
    after: AfterOption = None,
    witnesses: WitnessesOption = 0,
    witness: WitnessOption = None,
    as_json: JsonOption = False,
) -> None:
    """Verify a bundle and write the report as one HTML page. Ends as `verify` does."""
    from ledger.audit.report import render_report

    verdict = _verdict(
        bundle,
        _Given(trust, compiling, expiry_epochs, share_rules, after),
        _witnesses(trust, witnesses, witness),
        as_json=as_json,
    )
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
        *(f"{'witness':<14} {each['address']}" for each in values.get("witnesses", ())),
    ]
    show(values, "\n".join(lines), as_json=as_json)


class _Given(NamedTuple):
    """What an auditor gives beside the bundle."""

    trust: Path | None
    compiling: bool
    expiry_epochs: int | None
    share_rules: Sequence[Path] | None
    after: Sequence[Path] | None


def _witnesses(trust: Path | None, needed: int, accepted: Sequence[str] | None) -> Witnesses:
    """Who must have signed the anchor. Raises InvalidValue where nobody is named or can have."""
    from ledger.audit.witnesses import Witnesses

    found = frozenset(parse_address(each, "witness") for each in accepted or ())
    if needed > len(found) or (found and trust is None):
        expected = "an anchor by --trust, and as many --witness ADDRESS of those that you accept"
        raise InvalidValue(field="witnesses", value=needed, expected=expected)
    return Witnesses(found, needed)


def _verdict(file: Path, given: _Given, witnesses: Witnesses, *, as_json: bool) -> Verdict:
    from ledger.audit.anchors import read_anchor
    from ledger.audit.verify import verify_bundle
    from ledger.domain.expiry import ExpiryPolicy

    for path in (file, *(given.after or ())):
        if not path.is_file():
            raise InvalidValue(field="file", value=str(path), expected="a bundle's file")
    compiler = None
    if given.compiling:
        from ledger.chain.recompile import Recompilation

        compiler = Recompilation
    with progress_of("blocks", as_json) as progress:
        epochs = given.expiry_epochs
        return verify_bundle(
            file,
            None if given.trust is None else read_anchor(given.trust),
            compiling=compiler,
            policy=None if epochs is None else ExpiryPolicy(epochs),
            rules=[_read_rule(path) for path in given.share_rules or ()],
            after=given.after or (),
            witnesses=witnesses,
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


@anchors.command("witness")
def anchor_witness(
    file: Annotated[Path, typer.Argument(help="The anchor.")],
    *,
    signature: Annotated[
        str | None, typer.Option(help="A wallet's signature of the words, in hex.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Print the words that a witness of the block signs; with its signature, add it to the file."""
    from ledger.audit.anchors import read_anchor, write_anchor
    from ledger.audit.witnesses import add_witness, witness_text

    anchor = read_anchor(file)
    if signature is None:
        text = witness_text(anchor)
        show({"file": str(file), "text": text}, text, as_json=as_json)
        return
    witnessed, address = add_witness(anchor, signature)
    write_file(file, write_anchor(witnessed))
    count = len(witnessed.witnesses)
    show(
        {"file": str(file), "witness": address, "witnesses": count},
        f"{file}: {address} is witness {count}.",
        as_json=as_json,
    )


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
