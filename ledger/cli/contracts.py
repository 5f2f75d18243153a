"""`moonlake contracts`: build the Solidity sources, check what is committed, show what is deployed.

Needs a checkout of the repository; a ledger that only runs has its artifacts in the package.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

import ledger
from ledger.chain.artifacts import CONTRACTS, load_artifact
from ledger.cli.output import JsonOption, show
from ledger.errors import InvalidValue

app = typer.Typer(no_args_is_help=True, help="Build and check the contracts.")

CheckoutOption = Annotated[
    Path | None,
    typer.Option(
        help="A checkout of the repository; the one that this command runs from if unset."
    ),
]
NodeOption = Annotated[
    Path | None, typer.Option(help="The Node.js program; found by itself if unset.")
]


@app.command()
def build(
    checkout: CheckoutOption = None, node: NodeOption = None, as_json: JsonOption = False
) -> None:
    """Compile the sources and write what changed into ledger/artifacts."""
    from ledger.chain.build import build_artifacts, write_artifacts  # noqa: PLC0415  py-solc-x is slow

    root = find_checkout(checkout)
    written = write_artifacts(root, build_artifacts(root, node=node))
    text = "Wrote " + ", ".join(written) + "." if written else "Nothing changed."
    show({"written": list(written)}, text, as_json=as_json)


@app.command()
def check(
    checkout: CheckoutOption = None, node: NodeOption = None, as_json: JsonOption = False
) -> None:
    """Compile the sources and compare them, byte for byte, with ledger/artifacts."""
    from ledger.chain.build import build_artifacts, check_artifacts  # noqa: PLC0415  py-solc-x is slow

    root = find_checkout(checkout)
    check_artifacts(root, build_artifacts(root, node=node))
    show({"stale": []}, "The artifacts are what the sources give.", as_json=as_json)


@app.command("list")
def list_contracts(as_json: JsonOption = False) -> None:
    """The contracts of this release, in the order in which they are deployed."""
    rows = [_describe(name) for name in CONTRACTS]
    text = "\n".join(
        f"{row['name']:<14} {row['runtime_bytes']:>6} bytes  solc {row['compiler']}" for row in rows
    )
    show({"contracts": rows}, text, as_json=as_json)


def find_checkout(given: Path | None) -> Path:
    """The folder that holds foundry.toml and the sources. Raises InvalidValue."""
    root = given.absolute() if given is not None else Path(ledger.__file__).parent.parent
    if not (root / "foundry.toml").is_file() or not (root / "contracts").is_dir():
        raise InvalidValue(
            field="checkout",
            value=str(root),
            expected="a checkout of the repository (a folder with foundry.toml and contracts)",
        )
    return root


def _describe(name: str) -> dict[str, Any]:
    artifact = load_artifact(name)
    return {
        "name": name,
        "source": artifact.source,
        "compiler": artifact.compiler,
        "constructor": [parameter.name for parameter in artifact.constructor],
        "runtime_bytes": len(artifact.runtime_code),
        "metadata_hash": "0x" + artifact.metadata_hash.hex(),
    }
