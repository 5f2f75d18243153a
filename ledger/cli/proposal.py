"""`moonlake proposal`: what a council decides on, one proposing and others approving.

Any command that sends can be proposed: it is written as it would be typed, in quotes, and its call
is made by the council's seat once enough councillors approved it. What a proposal would do is told
in sentences before anybody puts a name to it.
"""

from __future__ import annotations

import json
import shlex
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.chain.addresses import show_address
from ledger.cli.ordering import (
    EvidenceOption,
    NoEvidenceOption,
    TitleEnOption,
    TitleZhOption,
    require_evidence,
)
from ledger.cli.output import JsonOption, show
from ledger.cli.sending import Sending, drafting, sends, sent_by
from ledger.cli.settings_options import SENDING, with_settings
from ledger.cli.signing import Signing, signs
from ledger.cli.view import parse_id, parse_time, plain, show_time, table
from ledger.config import Settings
from ledger.domain.ids import ALLIANCE_WIDE
from ledger.domain.operations import derive_operation_id
from ledger.errors import InvalidFile, InvalidValue, LedgerError

if TYPE_CHECKING:
    from ledger.domain.events import Call
    from ledger.domain.ids import ProgrammeId, ProposalId
    from ledger.outbox.records import Request
    from ledger.services.councils import Proposal
    from ledger.services.desk import Desk
    from ledger.wiring import Chain

app = typer.Typer(no_args_is_help=True, help="Propose, approve and carry out what a council does.")

# ruff: noqa: PLC0415  services take a second to import, and --help must not wait for them

USUAL_DAYS = 14
_DAY = 86_400
_COUNCILLOR = "a councillor of the programme, or of the whole alliance"
_OUTSIDE = ("--as", "--operation-id", "--dry-run", "--json")

ProposalArgument = Annotated[str, typer.Argument(help="A proposal's number.")]


@app.command()
@sends("council", "Council.propose", who=_COUNCILLOR)
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
    evidence: EvidenceOption = "",
    no_evidence: NoEvidenceOption = False,
    title_zh: TitleZhOption = "",
    title_en: TitleEnOption = "",
    sending: Sending,
) -> None:
    """Propose one command or several, which the council's seat does, all or none."""
    from ledger.domain.events import Call
    from ledger.services import councils
    from ledger.wiring import opened_chain

    require_evidence(evidence, there_is_none=no_evidence)
    expires_at = parse_time("expires", expires) if expires else _usual_end()
    programme_id = _council_of(sending.settings, council)
    with opened_chain(sending.settings) as chain:
        seat = chain.contracts.council.seat_of(programme_id, at="latest")
        addresses = dict(chain.addresses)
    requests = [
        _draft(command, number, seat, sending) for number, command in enumerate(commands, start=1)
    ]
    calls = [Call(addresses[each.contract], each.calldata) for each in requests]
    with sending.ordering() as desktop:
        refused = councils.try_calls(desktop.desk.node, seat, calls)
        if 1 in refused and not though_refused:
            raise refused[1]
        for number, error in refused.items():
            typer.echo(f"Call {number} would be refused now: {error}", err=True)
        commitment = desktop.keep_evidence(evidence, title_zh, title_en)
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
        lambda slip: write_approval(
            slip.domain,
            ProgrammeId(given.programme_id),
            ProposalId(given.proposal_id),
            hash_calls(given.calls),
            account=slip.account,
            operation_id=slip.operation_id,
            deadline=slip.deadline,
        )
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
        told = read_in_both(chain.addresses, found.calls, _names(settings))
    values = describe_proposal(found, standing, told) | {"at_block": at, "refused_now": {}}
    values["refused_now"] = {str(number): str(error) for number, error in refused.items()}
    show(values, _text(found, standing, told, refused), as_json=as_json)


def read_in_both(
    addresses: Mapping[str, bytes], calls: Sequence[Call], names: Any = None
) -> dict[str, Any]:
    """What calls would do, by language."""
    from ledger.services.proposals.reading import read_calls
    from ledger.services.proposals.words import LANGUAGES, Names

    contracts = {address: name for name, address in addresses.items()}
    known = names if names is not None else Names()
    return {language: read_calls(calls, contracts, known, language) for language in LANGUAGES}


def describe_proposal(proposal: Proposal, standing: str, told: Mapping[str, Any]) -> dict[str, Any]:
    """A proposal for JSON: also what `proposal sign` reads."""
    return {
        "proposal_id": proposal.proposal_id,
        "standing": standing,
        "approvals": proposal.approvals,
        "approvers": [show_address(each) for each in proposal.approvers],
        "evidence": plain(proposal.proposed.evidence),
        **plain(proposal.state),
        "calls": [
            {"target": show_address(each.target), "data": plain(each.data)}
            for each in proposal.calls
        ],
        "says": {language: plain(readings) for language, readings in told.items()},
    }


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


def _text(
    proposal: Proposal,
    standing: str,
    told: Mapping[str, Any],
    refused: Mapping[int, LedgerError],
) -> str:
    state = proposal.state
    of = f"programme {state.programme_id}" if state.programme_id else "the whole alliance"
    lines = [
        f"Proposal {proposal.proposal_id} to the council of {of}: {standing}",
        f"Made by {show_address(state.maker)}, ends {show_time(state.expires_at)}",
        f"Approvals: {proposal.approvals} of {state.approvals_needed}",
        *(f"  {show_address(each)}" for each in proposal.approvers),
        f"Evidence: {plain(proposal.proposed.evidence)}",
    ]
    for readings in told.values():
        lines += ["", *tell_calls(readings)]
    lines += [f"Call {number} would be refused now: {error}" for number, error in refused.items()]
    return "\n".join(lines)


def tell_calls(readings: Sequence[Any], indent: str = "") -> list[str]:
    """What calls would do, line by line; proposals within a proposal further in."""
    lines = []
    for each in readings:
        lines.append(f"{indent}{each.number}. {each.sentence}")
        lines += [f"{indent}   - {row}" for row in each.rows]
        lines += tell_calls(each.inner, indent + "   ")
    return lines


def _show_calls(sending: Sending, desk: Desk, proposal: Proposal) -> None:
    """Tell a person what the calls do before a name is put to them."""
    addresses = desk.outbox.addresses
    told = read_in_both(addresses, proposal.calls, _names(sending.settings))
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


def _draft(command: str, number: int, seat: bytes, sending: Sending) -> Request:
    """The call that a command would make, as the council's seat will make it.

    Its operation id follows from the proposal's, so that the same proposal has the same calls.
    """
    from ledger.cli.main import make_app
    from ledger.services.orders import Drafted

    words = _split(command)
    _require_sending(command, words)
    operation_id = derive_operation_id(
        "moonlake proposes", sending.operation_id, number.to_bytes(8, "big")
    )
    environment = sending.settings
    with drafting(seat, operation_id):
        try:
            make_app(words[0])(
                args=[*words, *_settings_as_options(environment)],
                prog_name="moonlake",
                standalone_mode=False,
            )
        except Drafted as drafted:
            return drafted.request
        except LedgerError:
            raise
        except Exception as error:
            if not hasattr(error, "format_message"):
                raise
            problem = str(error.format_message()).rstrip(".")
            raise InvalidValue(
                field="command", value=command, expected=f"a command ({problem})"
            ) from error
    raise _no_command(command)


def _split(command: str) -> list[str]:
    try:
        return shlex.split(command)
    except ValueError as error:
        raise _no_command(command) from error


def _require_sending(command: str, words: Sequence[str]) -> None:
    """Raise InvalidValue unless the words begin with the name of a command that sends."""
    from ledger.cli.catalogue import find_command

    for word in words:
        if word.partition("=")[0] in _OUTSIDE:
            expected = f"{word.partition('=')[0]} outside of the quotes: it is the proposal's"
            raise InvalidValue(field="command", value=command, expected=expected)
    sent = sent_by(find_command(words[0], words[1])) if len(words) > 1 else None
    if sent is None or sent.several:
        raise _no_command(command)


def _no_command(command: str) -> InvalidValue:
    expected = 'a command that sends, as it would be typed after moonlake: "programme cap 2 500"'
    return InvalidValue(field="command", value=command, expected=expected)


def _settings_as_options(settings: Settings) -> list[str]:
    """The settings of the proposal, for its commands."""
    given = {
        "--home": str(settings.home),
        "--devnet-port": str(settings.devnet_port),
        "--rpc-url": ",".join(settings.rpc_url),
        "--deployment": str(settings.deployment or ""),
        "--database-url": settings.database_url,
    }
    return [word for name, value in given.items() if value for word in (name, value)]


def _latest(chain: Chain) -> tuple[int, int]:
    """The number and the time of the chain's last block."""
    header = chain.node.header("latest")
    return int(header.number, 16), int(header.timestamp, 16)


def _standing(status: str, expires_at: int, now: int) -> str:
    return "expired" if status == "open" and expires_at <= now else status


def _names(settings: Settings) -> Any:
    """What people call organisations, programmes and keys, as far as the mirror is here."""
    from ledger.chain.keyring import list_named_keys
    from ledger.cli.view import name_of, viewing
    from ledger.errors import MirrorEmpty
    from ledger.mirror.queries.organisations import OrganisationFilter, list_organisations
    from ledger.mirror.queries.programmes import read_programme_keys
    from ledger.services.proposals.words import Names

    accounts = {key.address: key.name for key in list_named_keys(settings)}
    try:
        with viewing(settings) as view:
            keys = read_programme_keys(view.connection, view.moment)
            found = list_organisations(
                view.connection, view.moment, OrganisationFilter(), limit=10_000
            )
    except MirrorEmpty:
        return Names(accounts=accounts)
    organisations = {int(each.org_id): name_of(each.profile) for each in found}
    programmes = {int(number): key for number, key in keys.items()}
    return Names(organisations, programmes, accounts)
