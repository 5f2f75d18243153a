"""Tells what a proposal would do, in both languages, before anybody puts a name to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from ledger.chain.addresses import show_address
from ledger.cli.view import plain, show_time
from ledger.config import Settings
from ledger.errors import LedgerError

if TYPE_CHECKING:
    from ledger.domain.events import Call
    from ledger.services.councils import Proposal


# ruff: noqa: PLC0415  services take a second to import, and --help must not wait for them


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


def tell_proposal(
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


def known_names(settings: Settings) -> Any:
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
