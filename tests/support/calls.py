"""Calls of every function that changes something: what our wrappers write, and in web3's terms."""

from __future__ import annotations

from typing import Any

from ledger.chain.contracts import authority, memberships, organisations, programmes
from ledger.chain.contracts import credits as journal
from ledger.domain.commands import (
    Admission,
    Award,
    Budget,
    Registration,
    Renewal,
    Reversal,
    TierChange,
)
from ledger.domain.events import EntryKind, EntryPosted
from ledger.domain.ids import ALLIANCE_WIDE, OrgId, ProgrammeId, TierId

P1 = ProgrammeId(1)
O1, O2 = OrgId(1), OrgId(2)
T1, T2 = TierId(1), TierId(2)
OP = b"\x0f" * 32
WORD = bytes(range(32))
ACCOUNT = b"\xac" * 20
ENTRY = EntryPosted(
    entry_id=7,
    programme_id=1,
    org_id=2,
    kind=EntryKind.AWARD,
    category=b"data.acquire".ljust(32, b"\0"),
    amount=40,
    balance_after=-2,
    evidence=WORD,
    refers_to=0,
    actor=ACCOUNT,
    operation_id=OP,
)


def word(text: str) -> bytes:
    return text.encode().ljust(32, b"\0")


PLAIN: list[tuple[str, bytes, str, list[Any]]] = [
    (
        "Authority",
        authority.encode_appoint("issuer", P1, ACCOUNT, OP),
        "appoint",
        [word("issuer"), 1, ACCOUNT, OP],
    ),
    (
        "Authority",
        authority.encode_dismiss("council", ALLIANCE_WIDE, ACCOUNT, OP),
        "dismiss",
        [word("council"), 0, ACCOUNT, OP],
    ),
    ("Authority", authority.encode_pause(OP), "pause", [OP]),
    ("Authority", authority.encode_resume(OP), "resume", [OP]),
    (
        "Authority",
        authority.encode_begin_admin_transfer(ACCOUNT),
        "beginDefaultAdminTransfer",
        [ACCOUNT],
    ),
    ("Authority", authority.encode_cancel_admin_transfer(), "cancelDefaultAdminTransfer", []),
    ("Authority", authority.encode_accept_admin_transfer(), "acceptDefaultAdminTransfer", []),
    ("Authority", authority.encode_change_admin_delay(60), "changeDefaultAdminDelay", [60]),
    (
        "Programmes",
        programmes.encode_create_programme("alliance", WORD, 1000, 2, OP),
        "createProgramme",
        [word("alliance"), WORD, 1000, 2, OP],
    ),
    ("Programmes", programmes.encode_change_profile(P1, WORD, OP), "changeProfile", [1, WORD, OP]),
    ("Programmes", programmes.encode_change_supply_cap(P1, 9, OP), "changeSupplyCap", [1, 9, OP]),
    (
        "Programmes",
        programmes.encode_change_approvals_needed(P1, 3, OP),
        "changeApprovalsNeeded",
        [1, 3, OP],
    ),
    (
        "Programmes",
        programmes.encode_add_tiers(P1, ["gold", "silver"], OP),
        "addTiers",
        [1, [word("gold"), word("silver")], OP],
    ),
    (
        "Programmes",
        programmes.encode_set_tier_open(P1, T2, is_open=False, operation_id=OP),
        "setTierOpen",
        [1, 2, False, OP],
    ),
    (
        "Programmes",
        programmes.encode_open_categories(P1, ["data.acquire"], OP),
        "openCategories",
        [1, [word("data.acquire")], OP],
    ),
    (
        "Programmes",
        programmes.encode_close_categories(P1, ["data.acquire"], OP),
        "closeCategories",
        [1, [word("data.acquire")], OP],
    ),
    (
        "Programmes",
        programmes.encode_append_boundaries(P1, [5, 6], OP),
        "appendBoundaries",
        [1, [5, 6], OP],
    ),
    (
        "Programmes",
        programmes.encode_set_budget(P1, ACCOUNT, Budget(5, 50), OP),
        "setBudget",
        [1, ACCOUNT, 5, 50, OP],
    ),
    (
        "Organisations",
        organisations.encode_register([Registration(ACCOUNT, "company", WORD)], OP),
        "register",
        [[(ACCOUNT, word("company"), WORD)], OP],
    ),
    (
        "Organisations",
        organisations.encode_change_profile(O2, WORD, OP),
        "changeProfile",
        [2, WORD, OP],
    ),
    (
        "Memberships",
        memberships.encode_admit(P1, [Admission(O2, T1, 99, WORD)], "founding", OP),
        "admit",
        [1, [(2, 1, 99, WORD)], word("founding"), OP],
    ),
    (
        "Memberships",
        memberships.encode_renew(P1, [Renewal(O2, 99)], "", OP),
        "renew",
        [1, [(2, 99)], bytes(32), bytes(32), OP],
    ),
    (
        "Memberships",
        memberships.encode_change_tier(P1, [TierChange(O2, T2)], "grown", OP, evidence=WORD),
        "changeTier",
        [1, [(2, 2)], word("grown"), WORD, OP],
    ),
    (
        "Memberships",
        memberships.encode_suspend(P1, [O1, O2], "fee.unpaid", OP),
        "suspend",
        [1, [1, 2], word("fee.unpaid"), bytes(32), OP],
    ),
    (
        "Memberships",
        memberships.encode_resume(P1, [O1], "", OP),
        "resume",
        [1, [1], bytes(32), bytes(32), OP],
    ),
    (
        "Memberships",
        memberships.encode_revoke(P1, [O1], "left", OP, evidence=WORD),
        "revoke",
        [1, [1], word("left"), WORD, OP],
    ),
    (
        "Memberships",
        memberships.encode_decline(P1, [O1], "incomplete", OP),
        "decline",
        [1, [1], word("incomplete"), bytes(32), OP],
    ),
    (
        "Credits",
        journal.encode_award(
            P1, [Award(O1, 5, "data.acquire", WORD), Award(O2, 6, "data.store")], OP
        ),
        "award",
        [1, [(1, 5, word("data.acquire"), WORD), (2, 6, word("data.store"), bytes(32))], OP],
    ),
    (
        "Credits",
        journal.encode_reverse(P1, [Reversal(ENTRY, WORD, (OP, WORD), OP)], OP),
        "reverse",
        [
            1,
            [
                (
                    (7, 1, 2, 1, word("data.acquire"), 40, -2, WORD, 0, ACCOUNT, OP),
                    WORD,
                    [OP, WORD],
                    OP,
                )
            ],
            OP,
        ],
    ),
]
