"""`moonlake membership`: admit, renew, move between tiers, suspend, resume, revoke, decline.

Each names one programme and one or more organisations, and is done for all of them or for none;
but for `metadata-base`, which is about the tokens of all, and `credential`, which tells of one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.evidence import Evidence, with_evidence
from ledger.cli.membership_credential import credential
from ledger.cli.ordering import (
    ReasonOption,
    parse_commitment,
)
from ledger.cli.output import JsonOption, show
from ledger.cli.sending import Sending, sends
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.signing import Signing, signs
from ledger.cli.view import (
    name_of,
    org_ids_of,
    parse_time,
    programme_id_of,
    show_day,
    table,
    tier_id_of,
    viewing,
)
from ledger.config import Settings
from ledger.domain.commands import Admission, Renewal, TierChange
from ledger.errors import InvalidValue

if TYPE_CHECKING:
    from ledger.chain.typed_data import TypedMessage
    from ledger.domain.ids import OrgId, ProgrammeId
    from ledger.services.memberships import Ground
    from ledger.services.orders import Order

app = typer.Typer(no_args_is_help=True, help="Admit members and change their standing.")
app.command()(credential)

# ruff: noqa: PLC0415  queries and services take a second to import; --help must not wait for them

_WHO = "a registrar or council officer of the programme"

ProgrammeArgument = Annotated[str, typer.Argument(help="A programme's id or key.")]
OrganisationsArgument = Annotated[list[str], typer.Argument(help="Organisations' ids or keys.")]
ExpiresOption = Annotated[
    str, typer.Option("--expires", help="When it ends: a day or a time, such as 2027-12-31.")
]
TierOption = Annotated[str, typer.Option("--tier", help="A tier's number or key.")]


@app.command("list")
@with_settings(*READING)
def list_command(
    programme: Annotated[str, typer.Argument(help="A programme's id or key; all if unset.")] = "",
    *,
    programme_too: Annotated[
        str, typer.Option("--programme", help="The same, as with `org list`.")
    ] = "",
    standing: Annotated[
        str, typer.Option(help="active, lapsed, suspended or revoked; all that are held if unset.")
    ] = "",
    limit: Annotated[int, typer.Option(min=1, max=10_000)] = 200,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Memberships, by programme and organisation."""
    from ledger.mirror.queries.memberships import Standing, list_memberships
    from ledger.mirror.queries.organisations import read_organisation_profiles

    if programme and programme_too not in ("", programme):
        expected = f"the programme {programme!r}, which is named too"
        raise InvalidValue(field="--programme", value=programme_too, expected=expected)
    programme = programme or programme_too
    if standing and standing not in [each.value for each in Standing]:
        expected = "one of " + ", ".join(each.value for each in Standing)
        raise InvalidValue(field="standing", value=standing, expected=expected)
    with viewing(settings) as view:
        found = list_memberships(
            view.connection,
            view.moment,
            programme_id=view.programme(programme) if programme else None,
            standing=Standing(standing) if standing else None,
            limit=limit,
        )
        ids = sorted({each.org_id for each in found})
        profiles = read_organisation_profiles(view.connection, view.moment, ids)
        answer = view.answer(memberships=found)
    rows = [
        (
            each.programme,
            each.org_id,
            name_of(profiles.get(each.org_id)),
            each.tier_key,
            each.standing.value,
            show_day(each.expires_at),
        )
        for each in found
    ]
    columns = ("programme", "id#", "organisation", "tier", "standing", "expires")
    show(answer, table(columns, rows) if rows else "None found.", as_json=as_json)


@app.command()
@sends("registrar", "Memberships.admit", who=_WHO)
@with_evidence()
def admit(
    programme: ProgrammeArgument,
    organisations: OrganisationsArgument,
    *,
    expires: ExpiresOption,
    tier: TierOption = "1",
    reason: ReasonOption = "",
    evidence: Evidence,
    sending: Sending,
) -> None:
    """Admit organisations to a programme."""
    from ledger.services import memberships

    expires_at = parse_time("expires", expires)
    programme_id = programme_id_of(sending.settings, programme)
    org_ids = org_ids_of(sending.settings, organisations)
    tier_id = tier_id_of(sending.settings, programme_id, tier)
    with sending.ordering() as desktop:
        commitment = evidence.keep(desktop)
        admissions = [Admission(each, tier_id, expires_at, commitment) for each in org_ids]
        operation = memberships.admit(desktop.order, programme_id, admissions, reason=reason)
    sending.show_done(operation)


@app.command()
@sends("registrar", "Memberships.renew", who=_WHO)
@with_evidence()
def renew(
    programme: ProgrammeArgument,
    organisations: OrganisationsArgument,
    *,
    expires: ExpiresOption,
    reason: ReasonOption = "",
    evidence: Evidence,
    sending: Sending,
) -> None:
    """Prolong memberships."""
    from ledger.services import memberships

    expires_at = parse_time("expires", expires)

    subject = _Subject(programme, organisations, reason, evidence)
    with _changing(sending, subject) as change:
        renewals = [Renewal(each, expires_at) for each in change.org_ids]
        operation = memberships.renew(change.order, change.programme_id, renewals, change.ground)
    sending.show_done(operation)


@app.command("tier")
@sends("registrar", "Memberships.changeTier", who=_WHO)
@with_evidence()
def change_tier(
    programme: ProgrammeArgument,
    organisations: OrganisationsArgument,
    *,
    tier: TierOption,
    reason: ReasonOption = "",
    evidence: Evidence,
    sending: Sending,
) -> None:
    """Move memberships into another tier."""
    from ledger.services import memberships

    tier_id = tier_id_of(sending.settings, programme_id_of(sending.settings, programme), tier)
    subject = _Subject(programme, organisations, reason, evidence)
    with _changing(sending, subject) as change:
        changes = [TierChange(each, tier_id) for each in change.org_ids]
        operation = memberships.change_tier(
            change.order, change.programme_id, changes, change.ground
        )
    sending.show_done(operation)


def _add_standing_command(name: str, description: str) -> None:
    """A command that names organisations and nothing else about them."""

    @app.command(name, help=description)
    @sends("registrar", f"Memberships.{name}", who=_WHO)
    @with_evidence()
    def change_standing(
        programme: ProgrammeArgument,
        organisations: OrganisationsArgument,
        *,
        reason: ReasonOption = "",
        evidence: Evidence,
        sending: Sending,
    ) -> None:
        from ledger.services import memberships

        place = {
            "suspend": memberships.suspend,
            "resume": memberships.resume,
            "revoke": memberships.revoke,
            "decline": memberships.decline,
        }[name]
        subject = _Subject(programme, organisations, reason, evidence)
        with _changing(sending, subject) as change:
            operation = place(change.order, change.programme_id, change.org_ids, change.ground)
        sending.show_done(operation)


_add_standing_command("suspend", "Suspend active memberships, lapsed ones too.")
_add_standing_command("resume", "End suspensions.")
_add_standing_command("revoke", "End memberships; only a new admission undoes it.")
_add_standing_command("decline", "Record that applications were declined.")


@app.command()
@signs("controller", "Memberships.Application")
def sign(
    programme: Annotated[int, typer.Argument(help="A programme's id.", min=1)],
    organisation: Annotated[int, typer.Argument(help="The applicant's id.", min=1)],
    *,
    tier: Annotated[int, typer.Option(help="The tier's number.", min=1, max=255)],
    evidence: Annotated[
        str, typer.Option(help="The commitment to the application's document, 0x….")
    ] = "",
    signing: Signing,
) -> None:
    """Sign, without a network, that an applicant agrees to be admitted; a registrar brings it."""
    from ledger.chain.messages import write_application
    from ledger.domain.commands import NO_COMMITMENT
    from ledger.domain.ids import OrgId, ProgrammeId, TierId

    commitment = parse_commitment(evidence) if evidence else NO_COMMITMENT
    admission = Admission(OrgId(organisation), TierId(tier), 0, commitment)

    def write(*values: Any, operation_id: bytes, **named: Any) -> TypedMessage:
        return write_application(*values, application_id=operation_id, **named)

    signing.sign(write, ProgrammeId(programme), admission)


@app.command("metadata-base")
@sends("council", "Memberships.changeMetadataBase", who="a council officer of the whole alliance")
def metadata_base(
    base: Annotated[
        str,
        typer.Argument(
            help="A URL that ends in /. This server's is its public address and /v1/tokens/, such "
            "as https://ledger.example.org/v1/tokens/.",
        ),
    ] = "",
    *,
    none: Annotated[bool, typer.Option("--none", help="Take the present one away.")] = False,
    sending: Sending,
) -> None:
    """Say where wallets find names and pictures of the memberships' tokens."""
    from ledger.services.memberships import change_metadata_base

    if bool(base) == none:
        raise InvalidValue(field="base", value=base, expected="a URL, or --none instead of one")
    with sending.ordering() as desktop:
        operation = change_metadata_base(desktop.order, base)
    where = f"A token's metadata is asked for at {base}<token id>, all tokens' at {base}contract."
    sending.show_done(operation, text=where if base else "", base=base)


@dataclass(frozen=True, slots=True)
class _Subject:
    """Who is meant, and why, as it was typed."""

    programme: str
    organisations: list[str]
    reason: str
    evidence: Evidence


@dataclass(frozen=True, slots=True)
class _Change:
    """A change about to be placed."""

    order: Order
    programme_id: ProgrammeId
    org_ids: list[OrgId]
    ground: Ground


@contextmanager
def _changing(sending: Sending, subject: _Subject) -> Iterator[_Change]:
    from ledger.services.memberships import Ground

    programme_id = programme_id_of(sending.settings, subject.programme)
    org_ids = org_ids_of(sending.settings, subject.organisations)
    with sending.ordering() as desktop:
        commitment = subject.evidence.keep(desktop)
        yield _Change(desktop.order, programme_id, org_ids, Ground(subject.reason, commitment))
