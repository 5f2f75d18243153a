"""`moonlake voucher`: messages that were signed without a network, checked and brought.

What signs them stands with what they are about: `credit sign`, `membership sign`, `benefit sign`,
`distribution sign`, `proposal sign`, `org sign-rotation`, `org sign-acceptance`,
`org sign-objection`.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.chain.addresses import show_address
from ledger.cli.ordering import ReasonOption
from ledger.cli.output import JsonOption, show
from ledger.cli.sending import Sending, sends
from ledger.cli.settings_options import SENDING, with_settings
from ledger.cli.signing import Signing, signs
from ledger.cli.view import parse_time, plain
from ledger.config import Settings
from ledger.errors import VoucherCancelled, VoucherRefused, VoucherUsed

if TYPE_CHECKING:
    from ledger.services.vouchers.voucher import Voucher

app = typer.Typer(no_args_is_help=True, help="Check signed messages and bring them to the chain.")

# ruff: noqa: PLC0415  services take a second to import, and --help must not wait for them

VoucherArgument = Annotated[Path, typer.Argument(help="The voucher's file.")]


@app.command("show")
def show_command(file: VoucherArgument, *, as_json: JsonOption = False) -> None:
    """What a voucher says, without a network; whether it is good is for `check`."""
    from ledger.services.vouchers.voucher import read_voucher

    voucher = read_voucher(file)
    show(voucher.describe(), _text(voucher), as_json=as_json)


@app.command()
@with_settings(*SENDING)
def check(file: VoucherArgument, *, settings: Settings, as_json: JsonOption = False) -> None:
    """Whether a voucher is good here and now; says why not, and sends nothing."""
    from ledger.services.vouchers.checking import check_voucher
    from ledger.services.vouchers.voucher import read_voucher
    from ledger.wiring import opened_chain

    voucher = read_voucher(file)
    with opened_chain(settings) as chain:
        checked = check_voucher(voucher, chain.deployment, chain.node)
    vouched = " A contract wallet vouches for it when it is brought." if checked.by_wallet else ""
    values = {"good": True, "by_wallet": checked.by_wallet, "voucher": voucher.describe()}
    show(values, f"{_text(voucher)}\nIt is good.{vouched}", as_json=as_json)


@app.command()
@sends(
    "relayer",
    "Credits.awardBySignature",
    "Memberships.admitByConsent",
    "Benefits.redeemBySignature",
    "Shares.claimBySignature",
    "Council.approveBySignature",
    "Organisations.nominateBySignature",
    "Organisations.acceptControlBySignature",
    "Organisations.stopRecoveryBySignature",
    "Credits.cancelMessageBySignature",
    who="anybody; of an applicant's consent, a registrar or council officer of the programme",
)
def submit(
    file: VoucherArgument,
    *,
    expires: Annotated[
        str, typer.Option(help="Of a consent: when the membership ends, a day or a time.")
    ] = "",
    reason: ReasonOption = "",
    sending: Sending,
) -> None:
    """Check a voucher and bring it to the chain, once; its signer's rights are what counts."""
    from ledger.services.vouchers.bringing import Terms, bring
    from ledger.services.vouchers.checking import check_voucher
    from ledger.services.vouchers.voucher import read_voucher
    from ledger.wiring import opened_chain

    voucher = read_voucher(file)
    terms = Terms(parse_time("expires", expires), reason) if expires else None
    used: VoucherRefused | None = None
    with opened_chain(sending.settings) as chain:
        try:
            check_voucher(voucher, chain.deployment, chain.node)
        except (VoucherUsed, VoucherCancelled) as error:
            used = error  # if this outbox brought it, what is known of it is shown
    with sending.ordering() as desktop:
        operation = bring(desktop.order, voucher, terms, used)
    sending.show_done(
        operation,
        text=f"For {show_address(voucher.message.account)}, who signed it.",
        account=voucher.message.account,
        message_operation_id=voucher.operation_id,
    )


@app.command()
@sends(
    "issuer",
    "Credits.cancelMessage",
    "Memberships.cancelMessage",
    "Benefits.cancelMessage",
    "Shares.cancelMessage",
    "Council.cancelMessage",
    "Organisations.cancelMessage",
    who="whoever signed it",
)
def cancel(file: VoucherArgument, *, sending: Sending) -> None:
    """Make a voucher worthless before it is brought, by a transaction of who signed it."""
    from ledger.errors import InvalidValue
    from ledger.services.vouchers import bringing
    from ledger.services.vouchers.voucher import read_voucher

    voucher = read_voucher(file)
    account = voucher.message.account
    with sending.ordering() as desktop:
        given = desktop.order.signer.address
        if given != account:
            raise InvalidValue(
                field="key",
                value=show_address(given),
                expected=f"who signed the voucher, {show_address(account)}",
            )
        operation = bringing.cancel(desktop.order, voucher)
    sending.show_done(operation)


@app.command("sign-cancellation")
@signs("issuer", "Credits.Cancellation")
def sign_cancellation(file: VoucherArgument, *, signing: Signing) -> None:
    """Sign, without a network, that a voucher is worthless; anybody brings that."""
    from ledger.chain.messages import write_cancellation
    from ledger.services.vouchers.voucher import read_voucher

    voucher = read_voucher(file)
    signing.of(voucher.contract, voucher.operation_id).sign(write_cancellation)


def _text(voucher: Voucher) -> str:
    described: dict[str, Any] = voucher.describe()
    lines = [line for told in described["says"].values() for line in told]
    lines.append(f"Message {voucher.contract}.{voucher.kind}, operation {_operation(voucher)}")
    return "\n".join(lines)


def _operation(voucher: Voucher) -> str:
    return str(plain(voucher.operation_id))
