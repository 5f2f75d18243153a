"""`moonlake credit`: award credits, take an award back, look at balances and statements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.chain.addresses import show_address
from ledger.cli.evidence import Evidence, with_evidence
from ledger.cli.ordering import (
    NoEvidenceOption,
    parse_commitment,
    require_evidence,
)
from ledger.cli.output import JsonOption, show
from ledger.cli.sending import Sending, sends
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.signing import Signing, signs
from ledger.cli.statement import show_entries
from ledger.cli.view import (
    name_of,
    org_ids_of,
    parse_id,
    programme_id_of,
    table,
    terminal_width,
    viewing,
)
from ledger.config import Settings
from ledger.domain.commands import NO_COMMITMENT, Award
from ledger.domain.ids import MAX_ENTRY_ID, EntryId
from ledger.errors import InvalidValue, NotFound

if TYPE_CHECKING:
    from ledger.domain.commands import Reversal
    from ledger.services.credits import Correction
    from ledger.services.desk import Desk

app = typer.Typer(no_args_is_help=True, help="Award credits and look at them.")

# ruff: noqa: PLC0415  queries and services take a second to import; --help must not wait for them

MIRROR_SECONDS = 5.0
"""How long an entry that is on the chain is waited for until it is mirrored."""

ProgrammeArgument = Annotated[str, typer.Argument(help="A programme's id or key.")]
OrganisationArgument = Annotated[str, typer.Argument(help="An organisation's id or key.")]


@app.command(context_settings={"ignore_unknown_options": True})  # so that -5 is an amount
@sends(
    "issuer",
    "Credits.award",
    who="an issuer within its budget, or a council officer of the programme",
)
@with_evidence(must_be_said=True)
def award(
    programme: ProgrammeArgument,
    organisation: OrganisationArgument,
    amount: Annotated[int, typer.Argument(help="Whole credits.")],
    category: Annotated[str, typer.Argument(help="What was contributed: data.acquire …")],
    *,
    evidence: Evidence,
    sending: Sending,
) -> None:
    """Award credits for a contribution, with the evidence of it."""
    from ledger.services import credits as crediting
    from ledger.services.checks import MAX_AMOUNT, check_range

    check_range("amount", amount, 1, MAX_AMOUNT)
    evidence.require()
    programme_id = programme_id_of(sending.settings, programme)
    (org_id,) = org_ids_of(sending.settings, [organisation])
    with sending.ordering() as desktop:
        commitment = evidence.keep(desktop)
        given = Award(org_id, amount, category, commitment)
        operation = crediting.award(desktop.order, programme_id, [given])
    entry = operation.first_sequence
    sending.show_done(operation, text=f"Entry {entry}.", entry_ids=[entry])


@app.command()
@sends(
    "issuer",
    "Credits.reverse",
    who="the issuer that made the awards, or a council officer of the programme",
)
@with_evidence(must_be_said=True)
def reverse(
    entries: Annotated[list[str], typer.Argument(help="The awards' entry ids.")],
    *,
    evidence: Evidence,
    sending: Sending,
) -> None:
    """Take awards of one programme back, all or none, with evidence that shows why."""
    from ledger.services import credits as crediting

    ids = [EntryId(parse_id("entry", each, MAX_ENTRY_ID)) for each in entries]
    evidence.require()
    with sending.ordering() as desktop:
        commitment = evidence.keep(desktop)
        corrections = [crediting.Correction(each, commitment) for each in ids]
        reversals = _prove_when_mirrored(desktop.desk, corrections)
        operation = crediting.reverse(desktop.order, reversals)
    first, last = operation.first_sequence or 0, operation.last_sequence or 0
    made = list(range(first, last + 1))
    text = "Entries " + ", ".join(str(each) for each in made) + "."
    sending.show_done(operation, text=text, entry_ids=made)


@app.command("create-token")
@sends("deployer", "CreditTokens.create", who="anybody, once")
def create_token(programme: ProgrammeArgument, *, sending: Sending) -> None:
    """Put a programme's token (ERC-20, read only) on the chain: wallets show its credits."""
    from ledger.services import credits as journal

    programme_id = programme_id_of(sending.settings, programme)
    with sending.ordering() as desktop:
        operation = journal.create_token(desktop.order, programme_id)
        token = desktop.desk.contracts.credit_tokens.token_of(programme_id, at="latest")
    sending.show_done(operation, text=f"Token {show_address(token)}.", token=show_address(token))


@app.command("carry-over")
@sends("council", "Credits.carryOver", who="a council officer of the programme")
@with_evidence()
def carry_over(
    programme: ProgrammeArgument,
    organisations: Annotated[list[str], typer.Argument(help="Merged organisations' ids or keys.")],
    *,
    evidence: Evidence,
    sending: Sending,
) -> None:
    """Carry the balances of merged organisations over to what they are part of, all or none."""
    from ledger.services import credits as crediting

    programme_id = programme_id_of(sending.settings, programme)
    org_ids = org_ids_of(sending.settings, organisations)
    with sending.ordering() as desktop:
        commitment = evidence.keep(desktop)
        operation = crediting.carry_over(desktop.order, programme_id, org_ids, commitment)
    sending.show_done(operation)


@app.command()
@signs("issuer", "Credits.AwardBatch")
def sign(
    programme: Annotated[int, typer.Argument(help="A programme's id.", min=1)],
    awards: Annotated[
        list[str],
        typer.Argument(
            help="ORGANISATION:CREDITS:CATEGORY, by its id, such as 4:12:data.acquire; a fourth "
            "part is the commitment to its evidence."
        ),
    ],
    *,
    no_evidence: NoEvidenceOption = False,
    signing: Signing,
) -> None:
    """Sign awards without a network; anybody brings them to the chain, once."""
    from ledger.chain.messages import write_award_batch
    from ledger.domain.ids import ProgrammeId

    given = [_award(text, no_evidence=no_evidence) for text in awards]
    signing.sign(write_award_batch, ProgrammeId(programme), given)


@app.command()
@with_settings(*READING)
def balance(
    organisation: OrganisationArgument,
    *,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """An organisation's credits, by programme and category."""
    from ledger.mirror.queries.balances import read_balances

    with viewing(settings) as view:
        found = view.organisation(organisation)
        balances = read_balances(view.connection, view.moment, found.org_id)
        answer = view.answer(org_id=found.org_id, profile=found.profile, balances=balances)
    rows = [
        (each.programme, part.category, part.amount, part.entry_count)
        for each in balances
        for part in each.categories
    ]
    rows += [(each.programme, "all", each.credits, each.entry_count) for each in balances]
    text = f"{found.org_id} {name_of(found.profile)}\n\n"
    text += table(("programme", "category", "credits#", "entries#"), sorted(rows))
    show(answer, text, as_json=as_json)


@app.command()
@with_settings(*READING)
def statement(
    organisation: OrganisationArgument,
    *,
    programme: Annotated[str, typer.Option(help="A programme's id or key; all if unset.")] = "",
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """An organisation's entries, newest first, each with its evidence, block and transaction."""
    from ledger.mirror.queries.entries import EntryFilter, list_entries

    with viewing(settings) as view:
        found = view.organisation(organisation)
        wanted = EntryFilter(
            org_id=found.org_id, programme_id=view.programme(programme) if programme else None
        )
        entries = list_entries(view.connection, view.moment, wanted, limit=limit)
        answer = view.answer(org_id=found.org_id, profile=found.profile, entries=entries)
    text = f"{found.org_id} {name_of(found.profile)}\n\n"
    show(answer, text + show_entries(entries, terminal_width()), as_json=as_json)


def _award(text: str, *, no_evidence: bool) -> Award:
    """An award as it is signed offline. Raises InvalidValue, EvidenceMissing."""
    from ledger.domain.ids import MAX_ORG_ID, OrgId
    from ledger.domain.keys import encode_key
    from ledger.services.checks import MAX_AMOUNT

    parts = text.split(":")
    if len(parts) not in (3, 4):
        expected = "ORGANISATION:CREDITS:CATEGORY, or these and :0xEVIDENCE"
        raise InvalidValue(field="award", value=text, expected=expected)
    organisation, amount, category, *evidence = parts
    commitment = evidence[0] if evidence else ""
    require_evidence(commitment, there_is_none=no_evidence and not commitment)
    encode_key(category, "category")
    return Award(
        OrgId(parse_id("organisation", organisation, MAX_ORG_ID)),
        parse_id("amount", amount, MAX_AMOUNT),
        category,
        parse_commitment(commitment) if commitment else NO_COMMITMENT,
    )


def _prove_when_mirrored(desk: Desk, corrections: list[Correction]) -> list[Reversal]:
    """The proofs of these awards; one that is new on the chain is mirrored in a moment."""
    from ledger.processes import wait_until
    from ledger.services.credits import prove_awards
    from ledger.store.engine import reading

    proofs: list[Reversal] = []
    newest = max(given.entry_id for given in corrections)
    is_on_chain = desk.contracts.credits.sequence(at="latest") >= newest

    def are_proved() -> bool:
        with reading(desk.engine) as connection:
            try:
                proofs.extend(prove_awards(connection, corrections))
            except NotFound:
                return False
        return True

    if not are_proved() and not (is_on_chain and wait_until(are_proved, seconds=MIRROR_SECONDS)):
        raise NotFound(what="entry", key=newest)
    return proofs
