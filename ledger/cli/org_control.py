"""Who acts for an organisation: rotation, recovery and its objection, retirement, merger.

Part of `moonlake org`. An organisation outlives its keys, and each way to another key has who
consents to it: its controller, the account that takes over, or the whole alliance's council.
"""

from __future__ import annotations

from typing import Annotated

import typer

from ledger.chain.addresses import parse_address
from ledger.cli.evidence import Evidence, with_evidence
from ledger.cli.ordering import (
    account_of_name,
)
from ledger.cli.sending import Sending, sends
from ledger.cli.signing import Signing, signs
from ledger.cli.view import org_ids_of, show_time
from ledger.errors import InvalidValue

app = typer.Typer()

# ruff: noqa: PLC0415  services take a second to import; --help must not wait for them

_ALLIANCE_COUNCIL = "a council officer of the whole alliance"

OrgIdArgument = Annotated[int, typer.Argument(help="An organisation's id.", min=1)]
OrganisationArgument = Annotated[str, typer.Argument(help="An organisation's id or key.")]


@app.command()
@sends("controller", "Organisations.nominate", who="the organisation's controller")
def rotate(
    organisation: OrganisationArgument,
    successor: Annotated[
        str, typer.Argument(help="The account that shall act next (0x…), or the name of a key.")
    ] = "",
    *,
    nobody: Annotated[bool, typer.Option("--nobody", help="Withdraw who was named.")] = False,
    sending: Sending,
) -> None:
    """Name the account that shall act for an organisation; it takes over once it accepts."""
    from ledger.chain.contracts.organisations import NOBODY
    from ledger.services import organisations

    if bool(successor) == nobody:
        expected = "an account, or --nobody instead of one"
        raise InvalidValue(field="successor", value=successor, expected=expected)
    account = NOBODY if nobody else account_of_name(sending.settings, successor, "successor")
    (org_id,) = org_ids_of(sending.settings, [organisation])
    with sending.ordering() as desktop:
        operation = organisations.nominate(desktop.order, org_id, account)
    sending.show_done(operation)


@app.command()
@sends("controller", "Organisations.acceptControl", who="the account that the controller named")
def accept(organisation: OrganisationArgument, *, sending: Sending) -> None:
    """Act for an organisation from now on, as the account that was named."""
    from ledger.services import organisations

    (org_id,) = org_ids_of(sending.settings, [organisation])
    with sending.ordering() as desktop:
        operation = organisations.accept_control(desktop.order, org_id)
    sending.show_done(operation)


@app.command()
@sends("council", "Organisations.beginRecovery", who=_ALLIANCE_COUNCIL)
@with_evidence(must_be_said=True)
def recover(
    organisation: OrganisationArgument,
    successor: Annotated[
        str, typer.Argument(help="The account that shall take over (0x…), or a key's name.")
    ],
    *,
    evidence: Evidence,
    sending: Sending,
) -> None:
    """Begin to give an organisation whose key is lost to another account; it can be objected to."""
    from ledger.services import organisations

    evidence.require()
    account = account_of_name(sending.settings, successor, "successor")
    (org_id,) = org_ids_of(sending.settings, [organisation])
    with sending.ordering() as desktop:
        commitment = evidence.keep(desktop)
        operation = organisations.begin_recovery(desktop.order, org_id, account, commitment)
        found = desktop.desk.contracts.organisations.recovery_of(org_id, at="latest")
    text = f"It can be finished from {show_time(found.finishable_from)} on."
    sending.show_done(operation, text=text, finishable_from=found.finishable_from)


@app.command("object")
@sends(
    "controller",
    "Organisations.stopRecovery",
    who="the organisation's controller, or a council officer of the whole alliance",
)
def stop_recovery(organisation: OrganisationArgument, *, sending: Sending) -> None:
    """Object to a recovery of an organisation, or withdraw it: it ends."""
    from ledger.services import organisations

    (org_id,) = org_ids_of(sending.settings, [organisation])
    with sending.ordering() as desktop:
        operation = organisations.stop_recovery(desktop.order, org_id)
    sending.show_done(operation)


@app.command("finish-recovery")
@sends("council", "Organisations.finishRecovery", who=_ALLIANCE_COUNCIL)
def finish_recovery(organisation: OrganisationArgument, *, sending: Sending) -> None:
    """Give an organisation to the account of its recovery, once the time to object is over."""
    from ledger.services import organisations

    (org_id,) = org_ids_of(sending.settings, [organisation])
    with sending.ordering() as desktop:
        operation = organisations.finish_recovery(desktop.order, org_id)
    sending.show_done(operation)


@app.command()
@sends("council", "Organisations.retire", who=_ALLIANCE_COUNCIL)
@with_evidence(must_be_said=True)
def retire(
    organisation: OrganisationArgument,
    *,
    evidence: Evidence,
    sending: Sending,
) -> None:
    """Retire an organisation that is no more and part of no other, for good."""
    from ledger.services import organisations

    evidence.require()
    (org_id,) = org_ids_of(sending.settings, [organisation])
    with sending.ordering() as desktop:
        commitment = evidence.keep(desktop)
        operation = organisations.retire(desktop.order, org_id, evidence=commitment)
    sending.show_done(operation)


@app.command()
@sends("council", "Organisations.retire", who=_ALLIANCE_COUNCIL)
@with_evidence(must_be_said=True)
def merge(
    organisation: OrganisationArgument,
    into: Annotated[str, typer.Argument(help="What it is part of now, by id or key.")],
    *,
    evidence: Evidence,
    sending: Sending,
) -> None:
    """Retire an organisation that is part of another now; its memberships are revoked before.

    `credit carry-over` then moves its balances.
    """
    from ledger.services import organisations

    evidence.require()
    (org_id,) = org_ids_of(sending.settings, [organisation])
    (successor_id,) = org_ids_of(sending.settings, [into])
    with sending.ordering() as desktop:
        commitment = evidence.keep(desktop)
        operation = organisations.retire(desktop.order, org_id, successor_id, commitment)
    text = f"`moonlake credit carry-over PROGRAMME {org_id}` moves its balance in each programme."
    sending.show_done(operation, text=text)


@app.command("name-successor")
@sends("council", "Organisations.nameSuccessor", who=_ALLIANCE_COUNCIL)
@with_evidence(must_be_said=True)
def name_successor(
    organisation: OrganisationArgument,
    successor: Annotated[str, typer.Argument(help="What it is part of, by id or key.")],
    *,
    evidence: Evidence,
    sending: Sending,
) -> None:
    """Say what an organisation that was retired alone is part of, once and for good."""
    from ledger.services import organisations

    evidence.require()
    (org_id,) = org_ids_of(sending.settings, [organisation])
    (successor_id,) = org_ids_of(sending.settings, [successor])
    with sending.ordering() as desktop:
        commitment = evidence.keep(desktop)
        operation = organisations.name_successor(desktop.order, org_id, successor_id, commitment)
    sending.show_done(operation)


@app.command("sign-rotation")
@signs("controller", "Organisations.Rotation")
def sign_rotation(
    organisation: OrgIdArgument,
    successor: Annotated[str, typer.Argument(help="The account that shall act next, 0x….")],
    *,
    signing: Signing,
) -> None:
    """Sign, without a network, who shall act for an organisation next; anybody brings it."""
    from ledger.chain.messages import write_rotation
    from ledger.domain.ids import OrgId

    account = parse_address(successor, "successor")
    signing.sign(write_rotation, OrgId(organisation), account)


@app.command("sign-acceptance")
@signs("controller", "Organisations.Acceptance")
def sign_acceptance(organisation: OrgIdArgument, *, signing: Signing) -> None:
    """Sign, without a network, to act for an organisation, as the account that was named."""
    from ledger.chain.messages import write_acceptance
    from ledger.domain.ids import OrgId

    signing.sign(write_acceptance, OrgId(organisation))


@app.command("sign-objection")
@signs("controller", "Organisations.Objection")
def sign_objection(
    organisation: OrgIdArgument,
    successor: Annotated[str, typer.Argument(help="Whom it is to be recovered to, 0x….")],
    *,
    signing: Signing,
) -> None:
    """Sign, without a network, to object to a recovery; anybody brings it, also while paused."""
    from ledger.chain.messages import write_objection
    from ledger.domain.ids import OrgId

    account = parse_address(successor, "successor")
    signing.sign(write_objection, OrgId(organisation), account)
