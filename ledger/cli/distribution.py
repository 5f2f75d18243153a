"""`moonlake distribution`: pools shared by contribution.

Shares follow from an epoch's entries and a published rule; anybody computes them again, with or
without this database (`entries`, `recompute`).
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from ledger.cli.distribution_answers import hand_out, tell_shares
from ledger.cli.distribution_given import choose_rule, parse_claims, read_pages_of
from ledger.cli.evidence import Evidence, with_evidence
from ledger.cli.output import JsonOption, show
from ledger.cli.sending import Sending, sends
from ledger.cli.settings_options import READING, SENDING, with_settings
from ledger.cli.signing import Signing, signs
from ledger.cli.view import parse_id, parse_time, plain, show_day, show_time, table, viewing
from ledger.config import Settings

if TYPE_CHECKING:
    from ledger.domain.ids import DistributionId

app = typer.Typer(no_args_is_help=True, help="Share pools by contribution.")

# ruff: noqa: PLC0415  services take a second to import, and --help must not wait for them

WRONG = 1

ProgrammeArgument = Annotated[str, typer.Argument(help="A programme's id or key.")]
EpochArgument = Annotated[int, typer.Argument(help="An epoch that is over.", min=1)]
DistributionArgument = Annotated[str, typer.Argument(help="A distribution's number.")]
OrganisationArgument = Annotated[int, typer.Argument(help="The organisation's id.", min=1)]
SharesArgument = Annotated[
    Path, typer.Argument(help="A file of shares, which `distribution compute` writes.")
]
UnitOption = Annotated[
    str,
    typer.Option(
        "--unit",
        help="What the pool is of, where a distribution of the same was withdrawn: what was "
        "claimed of that is left out.",
    ),
]
PoolOption = Annotated[int, typer.Option("--pool", help="Whole units to be shared.", min=1)]
RuleOption = Annotated[
    Path | None, typer.Option("--rule", help="A published rule; else the options below say it.")
]
WeightOption = Annotated[
    list[str] | None,
    typer.Option("--weight", help="What a credit of a category scores: data.acquire=3/2."),
]
DefaultWeightOption = Annotated[
    str, typer.Option("--default-weight", help="What a credit of other categories scores.")
]
CapOption = Annotated[
    str, typer.Option("--cap", help="The part of the pool that one organisation gets at most.")
]
MinimumOption = Annotated[
    str, typer.Option("--minimum", help="The score that is needed to get anything.")
]
OutOption = Annotated[Path | None, typer.Option("--out", help="The file; stdout if unset.")]


@app.command("list")
@with_settings(*SENDING)
def list_command(
    *,
    limit: Annotated[int, typer.Option(min=1, max=1000)] = 50,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Distributions, the latest first, as the chain has them."""
    from ledger.domain.ids import DistributionId
    from ledger.wiring import opened_chain

    with opened_chain(settings) as chain:
        at = chain.node.block_number()
        contract = chain.contracts.shares
        count = contract.distribution_count(at=at)
        found = [
            (number, contract.distribution(DistributionId(number), at=at))
            for number in range(count, max(count - limit, 0), -1)
        ]
    rows = [
        (
            number,
            state.distribution.programme_id,
            state.distribution.epoch,
            state.distribution.pool,
            state.distribution.unit,
            state.claimed,
            show_day(state.distribution.claimable_from),
            show_day(state.distribution.claimable_until),
            "withdrawn" if state.withdrawn else "",
        )
        for number, state in found
    ]
    columns = ("id#", "programme#", "epoch#", "pool#", "unit", "claimed#", "from", "until", "")
    given = [{"distribution_id": number} | plain(state) for number, state in found]
    values = {"at_block": at, "distributions": given}
    show(values, table(columns, rows) if rows else "None.", as_json=as_json)


@app.command("show")
@with_settings(*SENDING)
def show_command(
    distribution: DistributionArgument, *, settings: Settings, as_json: JsonOption = False
) -> None:
    """One distribution, as the chain has it."""
    from ledger.wiring import opened_chain

    number = _number(distribution)
    with opened_chain(settings) as chain:
        at = chain.node.block_number()
        state = chain.contracts.shares.distribution(number, at=at)
    given = state.distribution
    lines = [
        f"Distribution {number}: {given.pool} {given.unit}"
        + (" (withdrawn)" if state.withdrawn else ""),
        f"By the contributions of epoch {given.epoch} of programme {given.programme_id}",
        f"Claimed: {state.claimed}",
        f"Claims from {show_time(given.claimable_from)} to {show_time(given.claimable_until)}",
        f"Rule: 0x{given.rule.hex()}",
        f"Root: 0x{given.root.hex()}",
    ]
    values = {"at_block": at, "distribution_id": number} | plain(state)
    show(values, "\n".join(lines), as_json=as_json)


@app.command()
@with_settings(*READING)
def entries(
    programme: ProgrammeArgument,
    epoch: EpochArgument,
    *,
    out: OutOption = None,
    settings: Settings,
) -> None:
    """Write an epoch's entries into a file, from which alone anybody computes shares again."""
    from ledger.services.sharing.distributing import read_epoch
    from ledger.services.sharing.files import describe_entries

    with viewing(settings) as view:
        programme_id = view.programme(programme)
        found = read_epoch(view.connection, view.moment, programme_id, epoch)
    hand_out(describe_entries(found), out)


@app.command()
@with_settings(*READING)
def compute(
    programme: ProgrammeArgument,
    epoch: EpochArgument,
    *,
    pool: PoolOption,
    unit: UnitOption = "",
    rule: RuleOption = None,
    weight: WeightOption = None,
    default_weight: DefaultWeightOption = "1",
    cap: CapOption = "1",
    minimum: MinimumOption = "0",
    out: OutOption = None,
    settings: Settings,
) -> None:
    """Compute everybody's share of a pool by an epoch's contributions, into a file of shares."""
    from ledger.services.sharing.checking import claimed_of_withdrawn
    from ledger.services.sharing.distributing import compute_shares, read_epoch
    from ledger.services.sharing.files import describe_shares

    chosen = choose_rule(rule, weight or [], default_weight, cap, minimum)
    with viewing(settings) as view:
        programme_id = view.programme(programme)
        found = read_epoch(view.connection, view.moment, programme_id, epoch)
        left_out = claimed_of_withdrawn(view.connection, view.moment, programme_id, epoch, unit)
    hand_out(describe_shares(compute_shares(found, chosen, pool, left_out)), out)


@app.command()
def recompute(
    files: Annotated[
        list[Path],
        typer.Argument(
            help="A file of entries, which `distribution entries` writes; or all pages of an "
            "epoch's entries as GET /v1/entries answers them."
        ),
    ],
    *,
    pool: PoolOption,
    rule: RuleOption = None,
    weight: WeightOption = None,
    default_weight: DefaultWeightOption = "1",
    cap: CapOption = "1",
    minimum: MinimumOption = "0",
    left_out: Annotated[
        list[str] | None,
        typer.Option(help="What an organisation had claimed of a withdrawn one: 2=300."),
    ] = None,
    programme: Annotated[int, typer.Option(help="With pages: the programme's id.", min=1)] = 0,
    epoch: Annotated[int, typer.Option(help="With pages: the epoch's number.", min=1)] = 0,
    begins: Annotated[str, typer.Option(help="With pages: when the epoch began.")] = "",
    ends: Annotated[str, typer.Option(help="With pages: when it ended.")] = "",
    root: Annotated[
        str, typer.Option(help="The root that was posted; exit code 1 where another follows.")
    ] = "",
    as_json: JsonOption = False,
) -> None:
    """Compute shares again from entries alone: no database, no node, no settings."""
    from ledger.services.sharing.distributing import compute_shares
    from ledger.services.sharing.files import describe_shares, read_entries

    chosen = choose_rule(rule, weight or [], default_weight, cap, minimum)
    if programme or epoch or begins or ends or len(files) > 1:
        given = read_pages_of(files, programme, epoch, begins, ends)
    else:
        given = read_entries(files[0])
    computed = compute_shares(given, chosen, pool, parse_claims(left_out or []))
    agrees = not root or root.lower() == "0x" + computed.root.hex()
    lines = [tell_shares(computed)]
    if root:
        lines.append("It is the root that was posted." if agrees else f"It is not {root}.")
    values = describe_shares(computed) | {"agrees": agrees if root else None}
    show(values, "\n".join(lines), as_json=as_json)
    if not agrees:
        raise typer.Exit(WRONG)


@app.command()
@with_settings(*READING)
def check(
    distribution: DistributionArgument,
    *,
    rule: RuleOption = None,
    weight: WeightOption = None,
    default_weight: DefaultWeightOption = "1",
    cap: CapOption = "1",
    minimum: MinimumOption = "0",
    pool: Annotated[
        int | None,
        typer.Option(help="What was shared, where that is not the posted or withdrawn pool."),
    ] = None,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Whether a posted root follows from the mirrored entries; exit code 1 where it does not."""
    from ledger.services.sharing.checking import check_distribution
    from ledger.services.sharing.files import describe_shares

    chosen, number = (
        choose_rule(rule, weight or [], default_weight, cap, minimum),
        _number(distribution),
    )
    with viewing(settings) as view:
        checked = check_distribution(view.connection, view.moment, number, chosen, pool=pool)
        answer = view.answer(
            correct=not checked.findings,
            findings=checked.findings,
            posted=checked.posted,
            computed=describe_shares(checked.computed),
        )
    said = [f"Distribution {number}: {finding}." for finding in checked.findings] or [
        f"Distribution {number} is right: its root follows from the entries."
    ]
    show(answer, "\n".join([*said, "", tell_shares(checked.computed)]), as_json=as_json)
    if checked.findings:
        raise typer.Exit(WRONG)


@app.command()
@sends("council", "Shares.post", who="a council officer of the programme")
@with_evidence()
def post(
    shares: SharesArgument,
    *,
    unit: Annotated[str, typer.Option(help="What the pool is of: scenario-slot.")],
    claims_from: Annotated[
        str, typer.Option("--from", help="When claims begin: in a day or later, to be checked.")
    ],
    claims_until: Annotated[str, typer.Option("--until", help="Before when they end.")],
    evidence: Evidence,
    sending: Sending,
) -> None:
    """Post a distribution, after its file was computed again; the file is kept as its evidence."""
    from ledger.domain.sharing import Distribution
    from ledger.services.sharing import distributing
    from ledger.services.sharing.checking import require_mirrored
    from ledger.services.sharing.files import read_shares

    given = read_shares(shares)
    with viewing(sending.settings) as view:
        require_mirrored(view.connection, view.moment, given, unit)
    times = parse_time("from", claims_from), parse_time("until", claims_until)
    with sending.ordering() as desktop:
        commitment = evidence.or_else(str(shares)).keep(desktop)
        distribution = Distribution(
            given.programme_id,
            given.epoch,
            given.shared.pool,
            unit,
            given.rule.digest(),
            given.root,
            *times,
        )
        operation, number = distributing.post(desktop.order, distribution, commitment)
    sending.show_done(operation, text=f"Distribution {number}.", distribution_id=number)


@app.command()
@sends("council", "Shares.withdraw", who="a council officer of the programme")
@with_evidence()
def withdraw(
    distribution: DistributionArgument,
    *,
    evidence: Evidence,
    sending: Sending,
) -> None:
    """Take back what is not yet claimed of a distribution."""
    from ledger.services.sharing import distributing

    number = _number(distribution)
    with sending.ordering() as desktop:
        commitment = evidence.keep(desktop)
        operation = distributing.withdraw(desktop.order, number, commitment)
    sending.show_done(operation)


@app.command()
@sends("controller", "Shares.claim", who="the organisation's controller, or that of its successor")
def claim(
    distribution: DistributionArgument,
    organisation: OrganisationArgument,
    shares: SharesArgument,
    *,
    sending: Sending,
) -> None:
    """Claim an organisation's share, with its proof from the file of shares."""
    from ledger.domain.ids import OrgId
    from ledger.services.sharing import distributing
    from ledger.services.sharing.files import read_shares

    number, given, org_id = _number(distribution), read_shares(shares), OrgId(organisation)
    share, proof = given.share_of(org_id), given.proof_of(org_id)
    with sending.ordering() as desktop:
        operation = distributing.claim(desktop.order, number, share, proof)
    sending.show_done(operation, amount=share.amount)


@app.command()
@signs("controller", "Shares.Claim")
def sign(
    distribution: DistributionArgument,
    organisation: OrganisationArgument,
    shares: SharesArgument,
    *,
    signing: Signing,
) -> None:
    """Sign, without a network, that an organisation claims its share; anybody brings it."""
    from ledger.chain.messages import write_claim
    from ledger.domain.ids import OrgId
    from ledger.services.sharing.files import read_shares

    number, given, org_id = _number(distribution), read_shares(shares), OrgId(organisation)
    share = given.share_of(org_id)
    signing.sign(
        write_claim, given.programme_id, number, org_id, share.amount, proof=given.proof_of(org_id)
    )


def _number(text: str) -> DistributionId:
    from ledger.domain.ids import DistributionId
    from ledger.services.sharing.distributing import MAX_DISTRIBUTION_ID

    return DistributionId(parse_id("distribution", text, MAX_DISTRIBUTION_ID))
