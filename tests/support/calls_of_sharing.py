"""Calls of councils, benefits, shares and signed messages; as in tests.support.calls."""

from __future__ import annotations

from typing import Any

from ledger.chain.contracts import (
    benefits,
    council,
    credit_tokens,
    memberships,
    organisations,
    programmes,
    shares,
)
from ledger.chain.contracts import credits as journal
from ledger.chain.contracts.messages import (
    encode_cancel_message,
    encode_cancel_message_by_signature,
)
from ledger.chain.typed_data import MESSAGES
from ledger.domain.commands import Admission, Award, Expiry
from ledger.domain.events import Call
from ledger.domain.ids import DistributionId, EntryId, ListingId, ProposalId, RedemptionId
from ledger.domain.messages import Consent, SignedMessage
from ledger.domain.shares import Share
from ledger.domain.sharing import Distribution, Listing, Redemption
from tests.support.calls import ACCOUNT, O1, O2, OP, P1, T1, WORD, word

SIGNED = SignedMessage(ACCOUNT, 99, b"\x05" * 65)
SIGNED_ROW = (ACCOUNT, 99, b"\x05" * 65)
L4, R5, D6, N7 = ListingId(4), RedemptionId(5), DistributionId(6), ProposalId(7)
INNER = [Call(ACCOUNT, b"\x01\x02\x03\x04"), Call(ACCOUNT, b"\x01" * 40)]
INNER_ROWS = [(call.target, call.data) for call in INNER]

_ORGANISATIONS: list[tuple[bytes, str, list[Any]]] = [
    (organisations.encode_nominate(O2, ACCOUNT, OP), "nominate", [2, ACCOUNT, OP]),
    (
        organisations.encode_nominate_by_signature(O2, ACCOUNT, OP, SIGNED),
        "nominateBySignature",
        [2, ACCOUNT, OP, SIGNED_ROW],
    ),
    (organisations.encode_accept_control(O2, OP), "acceptControl", [2, OP]),
    (
        organisations.encode_accept_control_by_signature(O2, OP, SIGNED),
        "acceptControlBySignature",
        [2, OP, SIGNED_ROW],
    ),
    (
        organisations.encode_begin_recovery(O2, ACCOUNT, OP, evidence=WORD),
        "beginRecovery",
        [2, ACCOUNT, WORD, OP],
    ),
    (organisations.encode_stop_recovery(O2, OP), "stopRecovery", [2, OP]),
    (
        organisations.encode_stop_recovery_by_signature(O2, OP, SIGNED),
        "stopRecoveryBySignature",
        [2, OP, SIGNED_ROW],
    ),
    (organisations.encode_finish_recovery(O2, OP), "finishRecovery", [2, OP]),
    (
        organisations.encode_retire(O2, OP, successor_id=O1, evidence=WORD),
        "retire",
        [2, 1, WORD, OP],
    ),
    (
        organisations.encode_name_successor(O2, O1, OP, evidence=WORD),
        "nameSuccessor",
        [2, 1, WORD, OP],
    ),
]

_MEMBERSHIPS: list[tuple[bytes, str, list[Any]]] = [
    (
        memberships.encode_admit_by_consent(
            P1, [Admission(O2, T1, 99, WORD)], [Consent(WORD, SIGNED)], "founding", OP
        ),
        "admitByConsent",
        [1, [(2, 1, 99, WORD)], [(WORD, SIGNED_ROW)], word("founding"), OP],
    ),
    (
        memberships.encode_change_metadata_base("https://example.org/", OP),
        "changeMetadataBase",
        ["https://example.org/", OP],
    ),
]

_PROGRAMMES: list[tuple[bytes, str, list[Any]]] = [
    (
        programmes.encode_set_category_budget(P1, ACCOUNT, "data.acquire", 50, OP),
        "setCategoryBudget",
        [1, ACCOUNT, word("data.acquire"), True, 50, OP],
    ),
    (
        programmes.encode_set_category_budget(P1, ACCOUNT, "data.acquire", None, OP),
        "setCategoryBudget",
        [1, ACCOUNT, word("data.acquire"), False, 0, OP],
    ),
]

_CREDITS: list[tuple[bytes, str, list[Any]]] = [
    (
        journal.encode_award_by_signature(P1, [Award(O1, 5, "data.acquire", WORD)], OP, SIGNED),
        "awardBySignature",
        [1, [(1, 5, word("data.acquire"), WORD)], OP, SIGNED_ROW],
    ),
    (
        journal.encode_expire(P1, [Expiry(EntryId(8), O1, 5, 3, "data.acquire")], WORD, OP),
        "expire",
        [1, [(8, 1, 5, 3, word("data.acquire"))], WORD, OP],
    ),
    (
        journal.encode_carry_over(P1, [O1, O2], OP, evidence=WORD),
        "carryOver",
        [1, [1, 2], WORD, OP],
    ),
]

_BENEFITS: list[tuple[bytes, str, list[Any]]] = [
    (
        benefits.encode_list(Listing(P1, 50, 9, 3, 100, 200, WORD), OP),
        "list",
        [(1, 50, 9, 3, 100, 200, WORD), OP],
    ),
    (benefits.encode_close(L4, OP), "close", [4, OP]),
    (benefits.encode_redeem(Redemption(L4, O2, 3), OP), "redeem", [4, 2, 3, OP]),
    (
        benefits.encode_redeem_by_signature(Redemption(L4, O2, 3), OP, SIGNED),
        "redeemBySignature",
        [4, 2, 3, OP, SIGNED_ROW],
    ),
    (benefits.encode_fulfil(P1, [R5], OP, evidence=WORD), "fulfil", [1, [5], WORD, OP]),
    (benefits.encode_cancel(R5, OP, evidence=WORD), "cancel", [5, WORD, OP]),
]

_SHARES: list[tuple[bytes, str, list[Any]]] = [
    (
        shares.encode_post(Distribution(P1, 3, 900, "slots", WORD, OP, 100, 200), OP),
        "post",
        [(1, 3, 900, word("slots"), WORD, OP, 100, 200), bytes(32), OP],
    ),
    (shares.encode_withdraw(D6, OP, evidence=WORD), "withdraw", [6, WORD, OP]),
    (
        shares.encode_claim(D6, Share(O2, 12), [WORD, OP], OP),
        "claim",
        [6, 2, 12, [WORD, OP], OP],
    ),
    (
        shares.encode_claim_by_signature(D6, Share(O2, 12), [WORD], OP, SIGNED),
        "claimBySignature",
        [6, 2, 12, [WORD], OP, SIGNED_ROW],
    ),
]

_COUNCIL: list[tuple[bytes, str, list[Any]]] = [
    (
        council.encode_propose(P1, INNER, 99, OP, evidence=WORD),
        "propose",
        [1, INNER_ROWS, 99, WORD, OP],
    ),
    (council.encode_approve(N7, WORD, OP), "approve", [7, WORD, OP]),
    (
        council.encode_approve_by_signature(N7, WORD, OP, SIGNED),
        "approveBySignature",
        [7, WORD, OP, SIGNED_ROW],
    ),
    (council.encode_execute(N7, INNER, OP), "execute", [7, INNER_ROWS, OP]),
    (council.encode_cancel(N7, OP), "cancel", [7, OP]),
    (council.encode_change_alliance_approvals(3, OP), "changeAllianceApprovals", [3, OP]),
]

_TOKENS: list[tuple[bytes, str, list[Any]]] = [
    (credit_tokens.encode_create(P1), "create", [1]),
]

SIGNED_AND_SHARED: list[tuple[str, bytes, str, list[Any]]] = [
    (contract, *call)
    for contract, calls in (
        ("Organisations", _ORGANISATIONS),
        ("Memberships", _MEMBERSHIPS),
        ("Programmes", _PROGRAMMES),
        ("Credits", _CREDITS),
        ("Benefits", _BENEFITS),
        ("Shares", _SHARES),
        ("Council", _COUNCIL),
        ("CreditTokens", _TOKENS),
    )
    for call in calls
] + [
    call
    for contract in MESSAGES
    for call in (
        (contract, encode_cancel_message(contract, OP), "cancelMessage", [OP]),
        (
            contract,
            encode_cancel_message_by_signature(contract, OP, SIGNED),
            "cancelMessageBySignature",
            [OP, SIGNED_ROW],
        ),
    )
]
