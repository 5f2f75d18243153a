"""`moonlake proposal`: what a council decides on, one proposing and others approving.

Any command that sends can be proposed: it is written as it would be typed, in quotes, and its call
is made by the council's seat once enough councillors approved it. What a proposal would do is told
in sentences before anybody puts a name to it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.chain.addresses import show_address
from ledger.cli.evidence import Evidence, with_evidence
from ledger.cli.output import JsonOption, show
from ledger.cli.proposal_drafting import draft
from ledger.cli.proposal_telling import (
    describe_proposal,
    known_names,
    read_in_both,
    tell_calls,
    tell_proposal,
)
from ledger.cli.sending import Sending, sends
from ledger.cli.settings_options import SENDING, with_settings
from ledger.cli.signing import Signing, signs
from ledger.cli.view import parse_id, parse_time, plain, show_time, table
from ledger.config import Settings
from ledger.domain.ids import ALLIANCE_WIDE
from ledger.errors import InvalidFile

if TYPE_CHECKING:
    from ledger.domain.events import Call
    from ledger.domain.ids import ProgrammeId, ProposalId
    from ledger.services.councils import Proposal
    from ledger.services.desk import Desk
    from ledger.wiring import Chain

app = typer.Typer(no_args_is_help=True, help="Propose, approve and carry out what a council does.")

# ruff: noqa: PLC0415  services take a second to import, and --help must not wait for them

USUAL_DAYS = 14
_DAY = 86_400
_COUNCILLOR = "a councillor of the programme, or of the whole alliance"

ProposalArgument = Annotated[str, typer.Argument(help="A proposal's number.")]


@app.command()
@sends("council", "Council.propose", who=_COUNCILLOR)
@with_evidence(must_be_said=True)
def propose(
    council: Annotated[
        str, typer.Argument(help="Whose council: a programme's id or key; 0, the whole alliance's.")
    ],
    commands: Annotated[
        list[str],
        typer.Argument(
            help='What it shall do, each as it would be typed: "programme cap community 5000".'
        ),
    ],
    *,
    expires: Annotated[
        str, typer.Option(help="When it ends: a day or a time; two weeks from today if unset.")
    ] = "",
    though_refused: Annotated[
        bool, typer.Option("--though-refused", help="Propose what would be refused if done now.")
    ] = False,
    evidence: Evidence,
    sending: Sending,
) -> None:
    """Propose one command or several, which the council's seat does, all or none."""
    from ledger.domain.events import Call
    from ledger.services import councils
    from ledger.wiring import opened_chain

    evidence.require()
    expires_at = parse_time("expires", expires) if expires else _usual_end()
    programme_id = _council_of(sending.settings, council)
    with opened_chain(sending.settings) as chain:
        seat = chain.contracts.council.seat_of(programme_id, at="latest")
        addresses = dict(chain.addresses)
    requests = [
        draft(command, number, seat, sending) for number, command in enumerate(commands, start=1)
    ]
    calls = [Call(addresses[each.contract], each.calldata) for each in requests]
    with sending.ordering() as desktop:
        refused = councils.try_calls(desktop.desk.node, seat, calls)
        if 1 in refused and not though_refused:
            raise refused[1]
        for number, error in refused.items():
            typer.echo(f"Call {number} would be refused now: {error}", err=True)
        commitment = evidence.keep(desktop)
        operation, proposal_id = councils.propose(
            desktop.order, programme_id, calls, expires_at, commitment
        )
    lines = [f"Proposal {proposal_id}, open until {show_time(expires_at)}:"]
    lines += [f"{number}. {each.summary}" for number, each in enumerate(requests, start=1)]
    sending.show_done(operation, text="\n".join(lines), proposal_id=proposal_id)


@app.command()
@sends("council", "Council.approve", who=f"{_COUNCILLOR}, other than its maker")
def approve(proposal: ProposalArgument, *, sending: Sending) -> None:
    """Approve a proposal, after its calls were shown."""
    from ledger.services import councils

    with sending.ordering() as desktop:
        found = _read(desktop.desk, proposal)
        _show_calls(sending, desktop.desk, found)
        operation = councils.approve(desktop.order, found)
        approvals = desktop.desk.contracts.council.approvals_of(found.proposal_id, at="latest")
    text = f"{approvals} of {found.state.approvals_needed} approvals."
    sending.show_done(operation, text=text, proposal_id=found.proposal_id, approvals=approvals)


@app.command()
@sends("council", "Council.execute", who=_COUNCILLOR)
def execute(proposal: ProposalArgument, *, sending: Sending) -> None:
    """Carry out a proposal that has its approvals: all of its calls, or none."""
    from ledger.services import councils

    with sending.ordering() as desktop:
        found = _read(desktop.desk, proposal)
        _show_calls(sending, desktop.desk, found)
        operation = councils.execute(desktop.order, found)
    sending.show_done(operation, proposal_id=found.proposal_id)


@app.command()
@sends(
    "council",
    "Council.cancel",
    who="its maker; a guardian, unless all its calls go to the Authority",
)
def cancel(proposal: ProposalArgument, *, sending: Sending) -> None:
    """Cancel a proposal."""
    from ledger.services import councils

    proposal_id = _proposal_id(proposal)
    with sending.ordering() as desktop:
        operation = councils.cancel(desktop.order, proposal_id)
    sending.show_done(operation, proposal_id=proposal_id)


@app.command("alliance-approvals")
@sends(
    "council", "Council.changeAllianceApprovals", who="the whole alliance's council, by proposal"
)
def alliance_approvals(
    approvals: Annotated[int, typer.Argument(help="Beside the maker's.", min=1, max=255)],
    *,
    sending: Sending,
) -> None:
    """Change how many approvals the whole alliance's proposals need; only within a proposal."""
    from ledger.services import councils

    with sending.ordering() as desktop:
        operation = councils.change_alliance_approvals(desktop.order, approvals)
    sending.show_done(operation)


@app.command()
@signs("council", "Council.Approval")
def sign(
    file: Annotated[
        Path, typer.Argument(help="What `moonlake proposal show NUMBER --json` answered.")
    ],
    *,
    signing: Signing,
) -> None:
    """Sign, without a network, that a councillor approves; the file's calls are what is signed."""
    from ledger.chain.contracts.council import hash_calls
    from ledger.chain.messages import write_approval
    from ledger.domain.ids import ProgrammeId, ProposalId
    from ledger.services.councils import check_proposal

    given = _read_file(file)
    check_proposal(given.proposal_id)
    for readings in _read_offline(signing.settings, given.calls).values():
        typer.echo("\n".join(tell_calls(readings)), err=True)
    signing.sign(
        write_approval,
        ProgrammeId(given.programme_id),
        ProposalId(given.proposal_id),
        hash_calls(given.calls),
    )


@app.command("list")
@with_settings(*SENDING)
def list_command(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 20,
    open_only: Annotated[bool, typer.Option("--open", help="Only those still to be decided.")] = (
        False
    ),
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """The latest proposals, newest first, as the chain has them."""
    from ledger.domain.ids import ProposalId
    from ledger.wiring import opened_chain

    found = []
    with opened_chain(settings) as chain:
        contract, (at, now) = chain.contracts.council, _latest(chain)
        for number in range(contract.proposal_count(at=at), 0, -1):
            state = contract.proposal(ProposalId(number), at=at)
            standing = _standing(state.status.name.lower(), state.expires_at, now)
            if open_only and standing != "open":
                continue
            approvals = contract.approvals_of(ProposalId(number), at=at)
            found.append((number, state, standing, approvals))
            if len(found) == limit:
                break
    rows = [
        (
            number,
            state.programme_id or "the whole alliance",
            standing,
            f"{approvals} of {state.approvals_needed}",
            show_time(state.expires_at),
            show_address(state.maker),
        )
        for number, state, standing, approvals in found
    ]
    values = {
        "at_block": at,
        "proposals": [
            {"proposal_id": number, "standing": standing, "approvals": approvals} | plain(state)
            for number, state, standing, approvals in found
        ],
    }
    columns = ("id#", "programme", "standing", "approvals", "ends", "made by")
    show(values, table(columns, rows) if rows else "None.", as_json=as_json)


@app.command("show")
@with_settings(*SENDING)
def show_command(
    proposal: ProposalArgument, *, settings: Settings, as_json: JsonOption = False
) -> None:
    """One proposal: what it would do, in both languages, and who approved it."""
    from ledger.services import councils
    from ledger.wiring import opened_chain

    with opened_chain(settings) as chain:
        at, now = _latest(chain)
        contract = chain.contracts.council
        found = councils.read_proposal(
            contract, _proposal_id(proposal), first_block=chain.deployment.first_block, at=at
        )
        seat = contract.seat_of(found.state.programme_id, at=at)
        standing = _standing(found.state.status.name.lower(), found.state.expires_at, now)
        refused = councils.try_calls(chain.node, seat, found.calls) if standing == "open" else {}
        told = read_in_both(chain.addresses, found.calls, known_names(settings))
    values = describe_proposal(found, standing, told) | {"at_block": at, "refused_now": {}}
    values["refused_now"] = {str(number): str(error) for number, error in refused.items()}
    show(values, tell_proposal(found, standing, told, refused), as_json=as_json)


@dataclass(frozen=True, slots=True)
class _Given:
    """A proposal out of a file: what an approval names, and the calls that it is about."""

    proposal_id: int
    programme_id: int
    calls: tuple[Call, ...]


def _read_file(path: Path) -> _Given:
    from ledger.domain.events import Call

    try:
        found = json.loads(path.read_bytes())
        calls = tuple(
            Call(bytes.fromhex(each["target"][2:]), bytes.fromhex(each["data"][2:]))
            for each in found["calls"]
        )
        return _Given(int(found["proposal_id"]), int(found["programme_id"]), calls)
    except OSError as error:
        problem = f"it cannot be read: {error.strerror}"
        raise InvalidFile(path=path, line=1, problem=problem) from error
    except (ValueError, KeyError, TypeError) as error:
        problem = "it is not what `moonlake proposal show NUMBER --json` answers"
        raise InvalidFile(path=path, line=1, problem=problem) from error


def _read_offline(settings: Settings, calls: Sequence[Call]) -> dict[str, Any]:
    from ledger.chain.deployments import only_deployment_path, read_deployment

    deployment = read_deployment(only_deployment_path(settings))
    addresses = {name: found.address for name, found in deployment.contracts.items()}
    return read_in_both(addresses, calls)


def _show_calls(sending: Sending, desk: Desk, proposal: Proposal) -> None:
    """Tell a person what the calls do before a name is put to them."""
    addresses = desk.outbox.addresses
    told = read_in_both(addresses, proposal.calls, known_names(sending.settings))
    for readings in told.values():
        typer.echo("\n".join(tell_calls(readings)), err=True)


def _read(desk: Desk, proposal: str) -> Proposal:
    from ledger.services import councils

    return councils.read_proposal(
        desk.contracts.council, _proposal_id(proposal), first_block=desk.outbox.first_block
    )


def _proposal_id(text: str) -> ProposalId:
    from ledger.domain.ids import ProposalId
    from ledger.services.councils import MAX_PROPOSAL_ID

    return ProposalId(parse_id("proposal", text, MAX_PROPOSAL_ID))


def _council_of(settings: Settings, reference: str) -> ProgrammeId:
    from ledger.cli.view import programme_id_of

    return ALLIANCE_WIDE if reference == "0" else programme_id_of(settings, reference)


def _usual_end() -> int:
    """The end of the day in two weeks: the same all day, for the same command given again."""
    return (int(time.time()) // _DAY + USUAL_DAYS + 1) * _DAY


def _latest(chain: Chain) -> tuple[int, int]:
    """The number and the time of the chain's last block."""
    header = chain.node.header("latest")
    return int(header.number, 16), int(header.timestamp, 16)


def _standing(status: str, expires_at: int, now: int) -> str:
    return "expired" if status == "open" and expires_at <= now else status
