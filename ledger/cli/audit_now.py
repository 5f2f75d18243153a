"""`moonlake audit now`: export and verify the running ledger, and leave the result for its server.

The server starts this command for whoever asks it to verify now, so that minutes of computing are
no server process's. Its anchor comes from this machine's own node: it tells whether bundle and
node agree, and nobody else should take it for more.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import msgspec
import typer

from ledger.cli.audit_offline import app
from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import with_settings
from ledger.config import Settings
from ledger.disks import folder_unusable
from ledger.errors import LedgerError

if TYPE_CHECKING:
    from ledger.audit.folder import AuditFolder, AuditState
    from ledger.audit.options import AuditOptions

# ruff: noqa: PLC0415  a command imports only what it needs


@app.command()
@with_settings("home", "devnet_port", "rpc_url", "deployment")
def now(
    *,
    settings: Settings,
    options: Annotated[
        str, typer.Option(help="What to check by, in JSON: compile, expiry_epochs, share_rules.")
    ] = "{}",
    lock: Annotated[
        int | None, typer.Option(hidden=True, help="The descriptor that holds the lock.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Export and verify up to the latest block, and keep bundle and result in the data folder."""
    from ledger.audit.options import read_options
    from ledger.wiring import audit_folder

    folder, chosen = audit_folder(settings), read_options(options)
    held = folder.lock() if lock is None else lock  # until its end, however that comes
    state = _perform(settings, folder, chosen)
    os.close(held)
    verdict: dict[str, Any] = state.verdict or {}
    word = verdict.get("verdict", state.problem)
    text = f"{folder.bundle}: {word}."
    show({"condition": state.condition, "problem": state.problem, **verdict}, text, as_json=as_json)
    raise typer.Exit(int(verdict.get("exit_code", 1)))


def _perform(settings: Settings, folder: AuditFolder, options: AuditOptions) -> AuditState:
    from ledger.audit.anchors import read_anchor
    from ledger.audit.exporting import Exporter, ask_anchor
    from ledger.audit.folder import ANCHOR, REPORT, AuditState, telling
    from ledger.audit.report import render_report
    from ledger.audit.verify import verify_bundle
    from ledger.chain.recompile import Recompilation
    from ledger.wiring import opened_chain

    began = time.time()
    try:
        with telling(folder, time.time) as tell, opened_chain(settings) as chain:
            last, made = chain.node.block_number(), Path(folder.path, ".bundle.new")
            exporter = Exporter(
                chain.node, chain.deployment, lambda done, total: tell("export", done, total)
            )
            exporter.export(made, last)
            content, described = ask_anchor(chain.node, chain.deployment, last)
            folder.put(ANCHOR, content)
            made.replace(folder.bundle)
            verdict = verify_bundle(
                folder.bundle,
                read_anchor(folder.anchor),
                compiling=Recompilation if options.compile else None,
                policy=options.policy,
                rules=options.rules,
                progress=lambda done, total: tell("verify", done, total),
            )
    except LedgerError as error:
        state = AuditState("failed", began, time.time(), problem=str(error), code=error.code)
        folder.write(state)
        raise
    except OSError as error:
        problem = folder_unusable(folder.path, error)
        folder.write(AuditState("failed", began, time.time(), problem=str(problem)))
        raise problem from error
    folder.put(REPORT, render_report(verdict).encode("utf-8"))
    done = AuditState(
        "done", began, time.time(), verdict=verdict.to_json(), anchor=msgspec.to_builtins(described)
    )
    folder.write(done)
    return done
