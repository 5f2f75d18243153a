"""`moonlake shares`: compute an epoch's shares from entries alone, and check a posted root.

Nothing is posted here. A council computes with it what it proposes, and anybody computes the same
again: from the mirror, or without one from pages of entries that a server answered.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.cli.output import JsonOption, show
from ledger.cli.settings_options import READING, with_settings
from ledger.cli.view import parse_id, parse_time, plain, table, viewing
from ledger.config import Settings
from ledger.domain.ids import MAX_PROGRAMME_ID, DistributionId, ProgrammeId
from ledger.errors import InvalidValue, NotFound

if TYPE_CHECKING:
    from ledger.domain.shares import ShareRule
    from ledger.services.sharing import ComputedShares, Sharing

app = typer.Typer(no_args_is_help=True, help="Compute shares again, and check posted ones.")

# ruff: noqa: PLC0415  queries and services take a second to import; --help must not wait for them

MAX_NUMBER = 2**32 - 1

RuleOption = Annotated[
    Path | None,
    typer.Option(help="The published rule; without it each credit counts once, without a cap."),
]


@app.command()
@with_settings(*READING)
def compute(
    programme: Annotated[str, typer.Argument(help="A programme's id; with a mirror also its key.")],
    epoch: Annotated[int, typer.Argument(help="The number of an epoch that is over.")],
    pool: Annotated[int, typer.Argument(help="What is shared, in whole units.")],
    *,
    rule: RuleOption = None,
    entries: Annotated[
        list[Path] | None,
        typer.Option(
            help="Pages of entries as GET /v1/entries answers them, instead of a mirror; "
            "all of the epoch. Give this as often as there are pages."
        ),
    ] = None,
    begins: Annotated[str, typer.Option(help="With --entries: when the epoch began.")] = "",
    ends: Annotated[str, typer.Option(help="With --entries: when it ended.")] = "",
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """The shares of an epoch by a rule, the root of their tree, and with --json the proofs."""
    from ledger.services.sharing import Sharing, compute_epoch_shares

    wanted = _read_rule(rule)
    if entries:
        programme_id = ProgrammeId(parse_id("programme", programme, MAX_PROGRAMME_ID))
        asked = Sharing(programme_id, epoch, pool, wanted)
        computed = _from_pages(asked, entries, begins, ends)
        show(_answer(computed), _text(computed), as_json=as_json)
        return
    with viewing(settings) as view:
        asked = Sharing(view.programme(programme), epoch, pool, wanted)
        computed = compute_epoch_shares(view.connection, view.moment, asked)
        answer = view.answer(**_answer(computed))
    show(answer, _text(computed), as_json=as_json)


@app.command()
@with_settings(*READING)
def check(
    distribution: Annotated[str, typer.Argument(help="The number of a posted distribution.")],
    *,
    rule: RuleOption = None,
    pool: Annotated[
        int | None,
        typer.Option(help="What was shared, where that is not the posted or withdrawn pool."),
    ] = None,
    settings: Settings,
    as_json: JsonOption = False,
) -> None:
    """Whether a posted root follows from the mirrored entries; ends with 1 where it does not."""
    from ledger.services.sharing import check_distribution

    distribution_id = DistributionId(parse_id("distribution", distribution, MAX_NUMBER))
    wanted = _read_rule(rule)
    with viewing(settings) as view:
        checked = check_distribution(
            view.connection, view.moment, distribution_id, wanted, pool=pool
        )
        answer = view.answer(
            correct=not checked.findings,
            findings=checked.findings,
            posted=checked.posted,
            left_out=checked.left_out,
            computed=_answer(checked.computed),
        )
    said = [f"Distribution {distribution_id}: {finding}." for finding in checked.findings] or [
        f"Distribution {distribution_id} is right: its root follows from the entries."
    ]
    show(answer, "\n".join([*said, "", _text(checked.computed)]), as_json=as_json)
    if checked.findings:
        raise typer.Exit(1)


def _from_pages(asked: Sharing, pages: list[Path], begins: str, ends: str) -> ComputedShares:
    from ledger.services.sharing import compute_shares, read_published_entries

    if not begins or not ends:
        raise InvalidValue(
            field="entries",
            value=len(pages),
            expected="given with --begins and --ends, the epoch's times",
        )
    by_id = {
        dated.entry.entry_id: dated
        for page in pages
        for dated in read_published_entries(str(page), _read(page))
    }
    return compute_shares(
        asked,
        by_id.values(),
        begins_at=parse_time("begins", begins),
        ends_at=parse_time("ends", ends),
    )


def _read_rule(path: Path | None) -> ShareRule:
    from ledger.domain.shares import ShareRule

    return ShareRule() if path is None else ShareRule.from_json(_read(path).strip())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise NotFound(what="file", key=str(path)) from error


def _answer(computed: ComputedShares) -> dict[str, Any]:
    shares = [
        {"org_id": share.org_id, "amount": share.amount, "proof": computed.proof(share)}
        for share in computed.shared.shares
    ]
    values = {
        "programme_id": computed.asked.programme_id,
        "epoch": computed.asked.epoch,
        "pool": computed.shared.pool,
        "undistributed": computed.shared.undistributed,
        "rule": computed.asked.rule.to_json().decode(),
        "rule_digest": computed.asked.rule.digest(),
        "root": computed.root,
        "shares": shares,
    }
    return {name: plain(value) for name, value in values.items()}


def _text(computed: ComputedShares) -> str:
    rows = [(share.org_id, share.amount) for share in computed.shared.shares]
    return "\n".join(
        [
            f"root           0x{computed.root.hex()}",
            f"rule           0x{computed.asked.rule.digest().hex()}",
            f"pool           {computed.shared.pool}",
            f"undistributed  {computed.shared.undistributed}",
            "",
            table(("organisation#", "share#"), rows),
        ]
    )
