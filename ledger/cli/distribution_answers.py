"""How computed shares are shown, and handed out as a file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from ledger.cli.view import table

if TYPE_CHECKING:
    from ledger.services.sharing.distributing import Shares


# ruff: noqa: PLC0415  services take a second to import, and --help must not wait for them


def tell_shares(shares: Shares) -> str:
    rows = [(each.org_id, each.amount) for each in shares.shared.shares]
    lines = [
        table(("organisation#", "share#"), rows),
        f"Rule {'0x' + shares.rule.digest().hex()}",
        f"Root {'0x' + shares.root.hex()}",
        f"Pool {shares.shared.pool}, of which {shares.shared.undistributed} is nobody's",
    ]
    if shares.left_out:
        claimed = ", ".join(f"{amount} by {org_id}" for org_id, amount in shares.left_out.items())
        lines.append(f"Left out, since it was claimed before: {claimed}")
    return "\n".join(lines)


def hand_out(values: dict[str, Any], out: Path | None) -> None:
    from ledger.cli.signing import write_new

    text = json.dumps(values, indent=1, ensure_ascii=False) + "\n"
    if out is None:
        typer.echo(text, nl=False)
        return
    write_new(out, text)
    typer.echo(f"Written: {out}")
