"""`moonlake expiry`: credits that are too old: which are due, posting them, and what was wrong."""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.cli.output import JsonOption, show
from ledger.cli.sending import Sending, sends
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.view import parse_time, plain, show_time, table, viewing
from ledger.config import Settings
from ledger.errors import InvalidValue

app = typer.Typer(no_args_is_help=True, help="Let credits expire, and check what expired.")

# ruff: noqa: PLC0415  services take a second to import, and --help must not wait for them

WRONG = 1

ProgrammeArgument = Annotated[str, typer.Argument(help="A programme's id or key.")]
EpochsOption = Annotated[
    int,
    typer.Option(
        "--epochs", help="Whole epochs that credits stay good after their own is over.", min=0
    ),
]
AtOption = Annotated[
    str, typer.Option("--at", help="The moment, a time; that of the last mirrored block if unset.")
]


@app.command()
@with_settings(*READING)
def compute(
    programme: ProgrammeArgument,
    *,
    epochs: EpochsOption,
    at: AtOption = "",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """What is due to expire at a moment, by award."""
    from ledger.domain.expiry import ExpiryPolicy
    from ledger.services.expiries import compute_due

    with viewing(settings) as view:
        programme_id = view.programme(programme)
        time = parse_time("at", at) if at else None
        policy = ExpiryPolicy(epochs)
        due = compute_due(view.connection, view.moment, programme_id, policy, time)
        answer = view.answer(
            programme_id=programme_id,
            computed_at=due.at,
            last_entry=due.last_entry,
            policy=due.commitment,
            description=due.description.decode("utf-8"),
            expiries=due.expiries,
        )
    rows = [
        (each.entry_id, each.org_id, each.category, each.amount, each.leaves)
        for each in due.expiries
    ]
    columns = ("award#", "organisation#", "category", "credits#", "leaves#")
    text = table(columns, rows) if rows else "Nothing is due."
    end = f"\n\nAt {show_time(due.at)}, up to entry {due.last_entry}."
    show(answer, text + end, as_json=as_json)


@app.command()
@sends("council", "Credits.expire", who="a council officer of the programme")
def post(
    programme: ProgrammeArgument,
    *,
    epochs: EpochsOption,
    at: AtOption = "",
    sending: Sending,
) -> None:
    """Post what is due, oldest award first, as many as one transaction takes.

    Who repeats it under the same --operation-id names the same --at, too.
    """
    from ledger.domain.expiry import ExpiryPolicy
    from ledger.services import credits as crediting
    from ledger.services.expiries import compute_due

    with viewing(sending.settings) as view:
        programme_id = view.programme(programme)
        time = parse_time("at", at) if at else None
        policy = ExpiryPolicy(epochs)
        due = compute_due(view.connection, view.moment, programme_id, policy, time)
    if not due.expiries:
        expected = "a moment at which something is due"
        raise InvalidValue(field="at", value=show_time(due.at), expected=expected)
    with sending.ordering() as desktop:
        operation = crediting.expire(desktop.order, programme_id, due.batch, due.commitment)
    left = len(due.expiries) - len(due.batch)
    lines = [f"Computed by {due.description.decode('utf-8')}."]
    if left:
        lines.append(f"{left} more are due: run the same command again once these are mirrored.")
    sending.show_done(
        operation,
        text="\n".join(lines),
        posted=len(due.batch),
        left=left,
        policy=due.commitment,
        description=due.description.decode("utf-8"),
    )


@app.command()
@with_settings(*READING)
def check(
    programme: ProgrammeArgument,
    *,
    epochs: EpochsOption,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Which posted expiries took more than was due; exit code 1 where there are any."""
    from ledger.domain.expiry import ExpiryPolicy
    from ledger.services.expiries import count_posted, find_wrong

    with viewing(settings) as view:
        programme_id = view.programme(programme)
        found = find_wrong(view.connection, view.moment, programme_id, ExpiryPolicy(epochs))
        posted = count_posted(view.connection, view.moment, programme_id)
        answer = view.answer(correct=not found, expiries=posted, wrong=found)
    rows = [tuple(plain(each).values()) for each in found]
    columns = ("entry#", "award#", "organisation#", "took#", "due#")
    right = f"None of the {posted} expiries took more than was due."
    text = table(columns, rows) if rows else right
    show(answer, text, as_json=as_json)
    if found:
        raise typer.Exit(WRONG)
