"""What issuers may award: their budgets in a programme, by category too, and what is left of them.

Part of `moonlake programme`.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.chain.addresses import show_address
from ledger.cli.ordering import account_of_name
from ledger.cli.output import JsonOption, show
from ledger.cli.sending import Sending, sends
from ledger.cli.settings_options import SENDING, with_settings
from ledger.cli.view import programme_id_of, table, viewing
from ledger.config import Settings
from ledger.domain.commands import Budget

app = typer.Typer()

# ruff: noqa: PLC0415  queries and services take a second to import; --help must not wait for them

_TREASURER = "a treasurer or council officer of the programme"

ProgrammeArgument = Annotated[str, typer.Argument(help="A programme's id or key.")]


@app.command("budget")
@sends("treasurer", "Programmes.setBudget", who=_TREASURER)
def set_budget(
    programme: ProgrammeArgument,
    issuer: Annotated[
        str, typer.Argument(help="An account (0x…), or the name of a key of the data folder.")
    ],
    *,
    per_award: Annotated[int, typer.Option(help="The most credits in one award.")],
    per_epoch: Annotated[int, typer.Option(help="The most credits in one epoch.")],
    sending: Sending,
) -> None:
    """Give an issuer a budget; 0 and 0 take it away."""
    from ledger.services import programmes

    account = account_of_name(sending.settings, issuer, "issuer")
    programme_id = programme_id_of(sending.settings, programme)
    with sending.ordering() as desktop:
        budget = Budget(per_award, per_epoch)
        operation = programmes.set_budget(desktop.order, programme_id, account, budget)
    sending.show_done(operation)


@app.command("category-budget")
@sends("treasurer", "Programmes.setCategoryBudget", who=_TREASURER)
def set_category_budget(
    programme: ProgrammeArgument,
    issuer: Annotated[str, typer.Argument(help="An account (0x…), or the name of a key.")],
    category: Annotated[str, typer.Argument(help="A category: data.acquire …")],
    per_epoch: Annotated[int, typer.Option(help="The most credits in one epoch.", min=0)] = 0,
    *,
    none: Annotated[bool, typer.Option("--none", help="Take the limit away.")] = False,
    sending: Sending,
) -> None:
    """Limit what an issuer may award in one category in an epoch; `--none` takes the limit away."""
    from ledger.services import programmes

    account = account_of_name(sending.settings, issuer, "issuer")
    programme_id = programme_id_of(sending.settings, programme)
    with sending.ordering() as desktop:
        operation = programmes.set_category_budget(
            desktop.order, programme_id, account, category, None if none else per_epoch
        )
    sending.show_done(operation)


@app.command("budgets")
@with_settings(*SENDING)
def budgets(
    programme: ProgrammeArgument, *, settings: Settings, as_json: JsonOption = False
) -> None:
    """What each issuer may award in the epoch in force, and what is left of it, by the chain."""
    from ledger.services.budgets import read_budgets_left
    from ledger.wiring import opened_chain

    with viewing(settings) as view, opened_chain(settings) as chain:
        programme_id = view.programme(programme)
        found = read_budgets_left(view.connection, view.moment, chain.contracts, programme_id)
        answer = view.answer(programme_id=programme_id, budgets=found)
    rows = [
        (
            show_address(each.issuer),
            each.category or "all",
            each.per_award,
            each.per_epoch,
            each.left,
            each.epoch or "none in force",
        )
        for each in found
    ]
    columns = ("issuer", "category", "an award#", "an epoch#", "left#", "epoch")
    show(answer, table(columns, rows) if rows else "None has a budget.", as_json=as_json)
