"""`moonlake expiry`: which credits are due to expire, and whether the posted expiries were right.

Nothing is posted here. A council computes with it what it proposes, and anybody who has a mirror
computes the same again.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.view import parse_time, table, viewing
from ledger.config import Settings

app = typer.Typer(no_args_is_help=True, help="Compute expiries of credits, and check posted ones.")

# ruff: noqa: PLC0415  queries take a second to import, and --help must not wait for them

ProgrammeArgument = Annotated[str, typer.Argument(help="A programme's id or key.")]
EpochsOption = Annotated[
    int,
    typer.Option(help="The policy: how many more epochs credits live after their own; 0 is none."),
]


@app.command()
@with_settings(*READING)
def compute(
    programme: ProgrammeArgument,
    *,
    epochs: EpochsOption,
    at: Annotated[
        str, typer.Option(help="A day or a time; without it, that of the last mirrored block.")
    ] = "",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """What is due at a moment: the awards, what is unspent of them, and what each one leaves."""
    from ledger.domain.expiry import (
        ExpiryPolicy,
        commit_to_computation,
        compute_expiries,
        describe_computation,
    )
    from ledger.domain.ids import EntryId
    from ledger.mirror.queries.recomputation import read_boundaries, read_journal

    policy = ExpiryPolicy(epochs)
    with viewing(settings) as view:
        moment = parse_time("at", at) if at else view.moment.timestamp
        programme_id = view.programme(programme)
        asked = (view.connection, view.moment, programme_id)
        journal = [dated for dated in read_journal(*asked) if dated.posted_at <= moment]
        due = compute_expiries(policy, journal, read_boundaries(*asked), moment)
        last = EntryId(journal[-1].entry.entry_id if journal else 0)
        described = describe_computation(policy, programme_id, last, moment)
        digest = commit_to_computation(described)
        answer = view.answer(computation=described.decode(), policy=digest, expiries=due)
    rows = [(each.entry_id, each.org_id, each.amount, each.leaves, each.category) for each in due]
    columns = ("award#", "organisation#", "amount#", "leaves#", "category")
    shown = table(columns, rows) if rows else "Nothing is due."
    text = f"{shown}\n\npolicy  0x{digest.hex()}\n        {described.decode()}"
    show(answer, text, as_json=as_json)


@app.command()
@with_settings(*READING)
def check(
    programme: ProgrammeArgument,
    *,
    epochs: EpochsOption,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Whether a posted expiry took more than was due just before it; ends with 1 where one did."""
    from ledger.domain.events import EntryKind
    from ledger.domain.expiry import ExpiryPolicy, find_wrong_expiries
    from ledger.mirror.queries.recomputation import read_boundaries, read_journal

    with viewing(settings) as view:
        asked = (view.connection, view.moment, view.programme(programme))
        journal = list(read_journal(*asked))
        wrong = find_wrong_expiries(ExpiryPolicy(epochs), journal, read_boundaries(*asked))
        posted = sum(dated.entry.kind == EntryKind.EXPIRY for dated in journal)
        answer = view.answer(correct=not wrong, expiries=posted, wrong=wrong)
    rows = [(each.entry_id, each.award_id, each.org_id, each.amount, each.due) for each in wrong]
    columns = ("entry#", "award#", "organisation#", "took#", "due#")
    right = f"None of the {posted} expiries took more than was due."
    show(answer, table(columns, rows) if rows else right, as_json=as_json)
    if wrong:
        raise typer.Exit(1)
