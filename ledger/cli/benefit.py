"""`moonlake benefit`: what credits buy: listings, redemptions, and what became of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.evidence import Evidence, with_evidence
from ledger.cli.output import JsonOption, show
from ledger.cli.sending import Sending, sends
from ledger.cli.settings_options import SENDING, with_settings
from ledger.cli.signing import Signing, signs
from ledger.cli.view import (
    org_ids_of,
    parse_id,
    parse_time,
    plain,
    programme_id_of,
    show_day,
    table,
)
from ledger.config import Settings

if TYPE_CHECKING:
    from ledger.domain.ids import ListingId, RedemptionId

app = typer.Typer(no_args_is_help=True, help="List benefits, redeem credits, settle redemptions.")

# ruff: noqa: PLC0415  services take a second to import, and --help must not wait for them

_OFFICER = "a treasurer or council officer of the programme"

ProgrammeArgument = Annotated[str, typer.Argument(help="A programme's id or key.")]
ListingArgument = Annotated[str, typer.Argument(help="A listing's number.")]
RedemptionArgument = Annotated[str, typer.Argument(help="A redemption's number.")]
OrganisationArgument = Annotated[str, typer.Argument(help="An organisation's id or key.")]
QuantityArgument = Annotated[int, typer.Argument(help="How many units.", min=1)]


@app.command("list")
@with_settings(*SENDING)
def list_command(
    programme: Annotated[str, typer.Argument(help="A programme's id or key; all if unset.")] = "",
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Benefits, the latest first, with what is left of each."""
    from ledger.domain.ids import ListingId
    from ledger.wiring import opened_chain

    wanted = programme_id_of(settings, programme) if programme else None
    found = []
    with opened_chain(settings) as chain:
        at = chain.node.block_number()
        contract = chain.contracts.benefits
        for number in range(contract.listing_count(at=at), 0, -1):
            state = contract.listing(ListingId(number), at=at)
            if wanted in (None, state.listing.programme_id):
                found.append((number, state))
            if len(found) == limit:
                break
    rows = [
        (
            number,
            state.listing.programme_id,
            state.listing.price,
            state.listing.capacity - state.redeemed,
            state.listing.capacity,
            state.listing.per_organisation,
            show_day(state.listing.opens_at),
            show_day(state.listing.closes_at),
            "closed" if state.closed else "",
        )
        for number, state in found
    ]
    columns = ("id#", "programme#", "price#", "left#", "of#", "each#", "opens", "closes", "")
    listings = [
        {"listing_id": number, "left": state.listing.capacity - state.redeemed} | plain(state)
        for number, state in found
    ]
    values = {"at_block": at, "listings": listings}
    show(values, table(columns, rows) if rows else "None.", as_json=as_json)


@app.command("redemptions")
@with_settings(*SENDING)
def redemptions(
    *,
    listing: Annotated[int, typer.Option(help="Only of this listing.", min=0)] = 0,
    organisation: Annotated[str, typer.Option(help="Only of this organisation.")] = "",
    open_only: Annotated[bool, typer.Option("--open", help="Only those to be settled.")] = False,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Redemptions, the latest first, and what became of each."""
    from ledger.domain.ids import RedemptionId
    from ledger.wiring import opened_chain

    org_id = org_ids_of(settings, [organisation])[0] if organisation else None
    found = []
    with opened_chain(settings) as chain:
        at = chain.node.block_number()
        contract = chain.contracts.benefits
        for number in range(contract.redemption_count(at=at), 0, -1):
            state = contract.redemption(RedemptionId(number), at=at)
            given = state.redemption
            if listing in (0, given.listing_id) and org_id in (None, given.org_id):
                status = state.status.name.lower()
                if status == "open" or not open_only:
                    found.append((number, state, status))
            if len(found) == limit:
                break
    rows = [
        (
            number,
            each.redemption.listing_id,
            each.redemption.org_id,
            each.redemption.quantity,
            status,
            each.entry_id,
        )
        for number, each, status in found
    ]
    values = {
        "at_block": at,
        "redemptions": [{"redemption_id": number} | plain(each) for number, each, _status in found],
    }
    columns = ("id#", "listing#", "organisation#", "units#", "status", "entry#")
    show(values, table(columns, rows) if rows else "None.", as_json=as_json)


@app.command("open")
@sends("treasurer", "Benefits.list", who=_OFFICER)
def list_benefit(
    programme: ProgrammeArgument,
    key: Annotated[str, typer.Argument(help="A short name for it, such as scenario-slot.")],
    price: Annotated[int, typer.Argument(help="Credits a unit.", min=1)],
    capacity: Annotated[int, typer.Argument(help="Units in all.", min=1)],
    *,
    per_organisation: Annotated[
        int, typer.Option(help="Units for one organisation at most; all if unset.", min=0)
    ] = 0,
    opens: Annotated[str, typer.Option(help="A day or a time from which it can be redeemed.")],
    closes: Annotated[str, typer.Option(help="A day or a time before which it can be.")],
    name_zh: Annotated[str, typer.Option(help="Its name in Chinese.")] = "",
    name_en: Annotated[str, typer.Option(help="Its name in English.")] = "",
    note: Annotated[str, typer.Option(help="A sentence about it.")] = "",
    sending: Sending,
) -> None:
    """Open a benefit to be redeemed: its price, its units, and when."""
    from ledger.domain.keys import encode_key
    from ledger.domain.sharing import Listing
    from ledger.office.profiles import Profile, Subject
    from ledger.services import benefits

    encode_key(key, "benefit")
    profile = Profile(Subject.BENEFIT, key, name_zh or name_en or key, name_en, note=note)
    opens_at, closes_at = parse_time("opens", opens), parse_time("closes", closes)
    programme_id = programme_id_of(sending.settings, programme)
    with sending.ordering() as desktop:
        listing = Listing(
            programme_id,
            price,
            capacity,
            per_organisation or capacity,
            opens_at,
            closes_at,
            desktop.keep_profile(profile),
        )
        operation, listing_id = benefits.list_benefit(desktop.order, listing)
    sending.show_done(operation, text=f"Listing {listing_id}.", listing_id=listing_id)


@app.command()
@sends("treasurer", "Benefits.close", who=_OFFICER)
def close(listing: ListingArgument, *, sending: Sending) -> None:
    """Close a benefit for good; what was redeemed of it is settled as before."""
    from ledger.services import benefits

    listing_id = _listing_id(listing)
    with sending.ordering() as desktop:
        operation = benefits.close(desktop.order, listing_id)
    sending.show_done(operation)


@app.command()
@sends("controller", "Benefits.redeem", who="the organisation's controller")
def redeem(
    listing: ListingArgument,
    organisation: OrganisationArgument,
    quantity: QuantityArgument = 1,
    *,
    sending: Sending,
) -> None:
    """Redeem an organisation's credits for units of a benefit."""
    from ledger.domain.sharing import Redemption
    from ledger.services import benefits

    listing_id = _listing_id(listing)
    (org_id,) = org_ids_of(sending.settings, [organisation])
    with sending.ordering() as desktop:
        redemption = Redemption(listing_id, org_id, quantity)
        operation, redemption_id = benefits.redeem(desktop.order, redemption)
    sending.show_done(operation, text=f"Redemption {redemption_id}.", redemption_id=redemption_id)


@app.command()
@sends("treasurer", "Benefits.fulfil", who=_OFFICER)
@with_evidence()
def fulfil(
    programme: ProgrammeArgument,
    redemptions: Annotated[list[str], typer.Argument(help="The redemptions' numbers.")],
    *,
    evidence: Evidence,
    sending: Sending,
) -> None:
    """Record that redemptions were fulfilled, all or none; they are not refunded any more."""
    from ledger.services import benefits

    ids = [_redemption_id(each) for each in redemptions]
    programme_id = programme_id_of(sending.settings, programme)
    with sending.ordering() as desktop:
        commitment = evidence.keep(desktop)
        operation = benefits.fulfil(desktop.order, programme_id, ids, commitment)
    sending.show_done(operation)


@app.command()
@sends("treasurer", "Benefits.cancel", who=_OFFICER)
@with_evidence()
def cancel(
    redemption: RedemptionArgument,
    *,
    evidence: Evidence,
    sending: Sending,
) -> None:
    """Cancel a redemption and give its credits back."""
    from ledger.services import benefits

    redemption_id = _redemption_id(redemption)
    with sending.ordering() as desktop:
        commitment = evidence.keep(desktop)
        operation = benefits.cancel(desktop.order, redemption_id, commitment)
    sending.show_done(operation)


@app.command()
@signs("controller", "Benefits.Redemption")
def sign(
    listing: ListingArgument,
    organisation: Annotated[int, typer.Argument(help="The organisation's id.", min=1)],
    quantity: QuantityArgument = 1,
    *,
    programme: Annotated[int, typer.Option(help="The listing's programme, by id.", min=1)],
    price: Annotated[int, typer.Option(help="Credits a unit, as it is listed.", min=1)],
    signing: Signing,
) -> None:
    """Sign, without a network, that an organisation redeems; anybody brings it."""
    from ledger.chain.messages import write_redemption
    from ledger.domain.ids import OrgId, ProgrammeId
    from ledger.domain.sharing import Redemption
    from ledger.services.benefits import check_redemption

    redemption = Redemption(_listing_id(listing), OrgId(organisation), quantity)
    check_redemption(redemption)
    signing.sign(write_redemption, ProgrammeId(programme), redemption, price)


def _listing_id(text: str) -> ListingId:
    from ledger.domain.ids import ListingId
    from ledger.services.benefits import MAX_LISTING_ID

    return ListingId(parse_id("listing", text, MAX_LISTING_ID))


def _redemption_id(text: str) -> RedemptionId:
    from ledger.domain.ids import RedemptionId
    from ledger.services.benefits import MAX_REDEMPTION_ID

    return RedemptionId(parse_id("redemption", text, MAX_REDEMPTION_ID))
