"""Bringing what somebody signed: checked as the command line checks vouchers, sent by a key whose
only office is to pay for it."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from api.answers import Reading
from api.asking import Asking
from api.commanding.offices import REGISTRARS
from api.desk import ServerDesk
from api.formats import parse_time
from api.kinds import Kind
from api.rights import Standing, stand_as_bringer
from api.schemas.messages import SignedMessageCommand
from api.waiting import waiting_for_node
from ledger.domain.access import Scope
from ledger.domain.ids import ALLIANCE_WIDE, ProgrammeId
from ledger.domain.messages import SignedMessage
from ledger.errors import InvalidValue, VoucherCancelled, VoucherRefused, VoucherUsed
from ledger.outbox.records import Operation
from ledger.services.orders import Order
from ledger.services.vouchers.bringing import (
    APPLICATION,
    CANCELLATION,
    Terms,
    bring,
    outbox_id,
)
from ledger.services.vouchers.checking import check_voucher
from ledger.services.vouchers.voucher import Voucher, parse_message


def _bring(request: Request, _reading: Reading, body: SignedMessageCommand) -> Asking:
    voucher = _voucher(body)
    terms = _terms(voucher, body)
    desk: ServerDesk = request.app.state.desk

    def place(order: Order) -> Operation:
        used: VoucherRefused | None = None
        with waiting_for_node(request):  # anybody may bring what he signed himself
            try:
                check_voucher(voucher, desk.deployment(), desk.opened().node)
            except (VoucherUsed, VoucherCancelled) as error:
                used = error  # if this outbox brought it, what is known of it is shown
            return bring(order, voucher, terms, used)

    programme_id = ProgrammeId(voucher.message.values.get("programmeId", ALLIANCE_WIDE))
    command = "bring-" + voucher.kind.lower()
    if terms is not None:
        return Asking(command, REGISTRARS, place, programme_id)

    def by_what(now: Reading, caller: Any, _signers: Any) -> Standing:
        own = caller.account == voucher.message.account and voucher.kind != CANCELLATION
        return stand_as_bringer(now, caller, desk.relayer(), is_own=own)

    return Asking(command, (), place, programme_id, stand=by_what, operation_id=outbox_id(voucher))


def _voucher(body: SignedMessageCommand) -> Voucher:
    message = parse_message(body.typed_data.model_dump())
    signer = message.account if body.signer is None else bytes.fromhex(body.signer[2:])
    signed = SignedMessage(signer, message.deadline, bytes.fromhex(body.signature[2:]))
    return Voucher(message, signed, tuple(bytes.fromhex(each[2:]) for each in body.proof))


def _terms(voucher: Voucher, body: SignedMessageCommand) -> Terms | None:
    """What a registrar adds to a consent, and to nothing else."""
    is_consent = voucher.kind == APPLICATION
    if is_consent != (body.expires_at is not None):
        expected = "given with an applicant's consent, and with nothing else"
        raise InvalidValue(field="expires_at", value=body.expires_at, expected=expected)
    if body.expires_at is None:
        if body.reason is not None:
            expected = "given with an applicant's consent, and with nothing else"
            raise InvalidValue(field="reason", value=body.reason, expected=expected)
        return None
    return Terms(parse_time("expires_at", body.expires_at), body.reason or "")


KINDS = (
    Kind(
        "signed-messages",
        "createSignedMessages",
        SignedMessageCommand,
        Scope.MESSAGES,
        "Bring a signed message to the chain, once. Its signer's rights are what counts; the "
        "server pays. For its signer, for officers, and for who acts for an organisation.",
        _bring,
    ),
)
