"""`moonlake council`: the councils' proposals, each call in a sentence.

For who is asked to approve one: what it would do, told from the calls themselves, whatever its
maker says of it. Nothing is proposed or approved here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.chain.addresses import show_address
from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.view import View, name_of, parse_id, plain, show_time, table, viewing
from ledger.config import Settings
from ledger.domain.ids import ALLIANCE_WIDE, ProposalId

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ledger.mirror.queries.proposals import Proposal
    from ledger.services.proposals.reading import Reading
    from ledger.services.proposals.words import Names

app = typer.Typer(no_args_is_help=True, help="Look at councils' proposals.")

# ruff: noqa: PLC0415  queries and services take a second to import; --help must not wait for them

MAX_NUMBER = 2**63 - 1
MOST_NAMES = 1_000_000


@app.command("list")
@with_settings(*READING)
def list_command(*, settings: Settings, as_json: JsonOption = False) -> None:
    """All proposals, the newest first."""
    from ledger.mirror.queries.proposals import read_proposals

    with viewing(settings) as view:
        found = read_proposals(view.connection, view.moment)
        answer = view.answer(proposals=found)
    rows = [
        (
            each.proposal_id,
            _whose(each),
            each.standing,
            f"{len(each.councillors)} of {each.approvals_needed}",
            len(each.calls),
            show_time(each.expires_at),
        )
        for each in found
    ]
    columns = ("proposal#", "of", "standing", "approvals", "calls#", "expires")
    show(answer, table(columns, rows) if rows else "None yet.", as_json=as_json)


@app.command("show")
@with_settings(*READING)
def show_command(
    proposal: Annotated[str, typer.Argument(help="A proposal's number.")],
    *,
    language: Annotated[str, typer.Option(help="en or zh-CN.")] = "en",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """What a proposal would do, call by call, and who has approved it."""
    from ledger.mirror.queries.moments import read_contracts
    from ledger.mirror.queries.proposals import read_proposal
    from ledger.services.proposals.reading import read_calls

    proposal_id = ProposalId(parse_id("proposal", proposal, MAX_NUMBER))
    with viewing(settings) as view:
        found = read_proposal(view.connection, view.moment, proposal_id)
        contracts = {each.address: each.name for each in read_contracts(view.connection)}
        told = read_calls(found.calls, contracts, _names(view), language)
        answer = view.answer(proposal=found, standing=found.standing, calls=told)
    show(answer, _text(found, told), as_json=as_json)


def _names(view: View) -> Names:
    """What people call organisations, programmes and contracts."""
    from ledger.mirror.queries.moments import read_contracts
    from ledger.mirror.queries.organisations import OrganisationFilter, list_organisations
    from ledger.mirror.queries.programmes import read_programme_keys
    from ledger.services.proposals.words import Names

    asked = (view.connection, view.moment)
    organisations = list_organisations(*asked, OrganisationFilter(), limit=MOST_NAMES)
    return Names(
        {each.org_id: name for each in organisations if (name := name_of(each.profile))},
        {int(each): key for each, key in read_programme_keys(*asked).items()},
        {each.address: each.name for each in read_contracts(view.connection)},
    )


def _text(proposal: Proposal, told: Sequence[Reading]) -> str:
    approved = ", ".join(show_address(each) for each in proposal.councillors) or "nobody yet"
    lines = [
        f"Proposal {proposal.proposal_id} of {_whose(proposal)}: {proposal.standing}.",
        f"made      {show_time(proposal.made_at)} by {show_address(proposal.maker)}",
        f"expires   {show_time(proposal.expires_at)}",
        f"approved  by {approved}; it needs {proposal.approvals_needed}",
        f"evidence  {plain(proposal.evidence)}",
        f"calls     {plain(proposal.calls_hash)}, which is what is approved",
    ]
    return "\n".join([*lines, "", *_sentences(told, "")])


def _sentences(told: Sequence[Reading], indent: str) -> list[str]:
    lines: list[str] = []
    for reading in told:
        lines.append(f"{indent}{reading.number}. {reading.sentence}")
        lines += [f"{indent}   - {row}" for row in reading.rows]
        lines += _sentences(reading.inner, indent + "   ")
    return lines


def _whose(proposal: Proposal) -> str:
    if proposal.programme_id == ALLIANCE_WIDE:
        return "the whole alliance"
    return f"programme {proposal.programme_id}"
