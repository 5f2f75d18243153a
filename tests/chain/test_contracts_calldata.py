"""The wrappers' calldata beside web3's, and read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from web3 import Web3

from ledger.chain.artifacts import CONTRACTS, load_artifact
from ledger.chain.contracts import authority, memberships, organisations, programmes
from ledger.chain.contracts import credits as journal
from ledger.chain.contracts.contract import decode_call, encode_call, find_function
from ledger.chain.keccak import keccak256
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
from ledger.errors import InvalidValue, NotFound

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


# What each wrapper writes, and the same call in web3's terms.
CALLS: list[tuple[str, bytes, str, list[Any]]] = [
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


@pytest.mark.parametrize(
    ("contract", "calldata", "function", "arguments"), CALLS, ids=[f"{c[0]}.{c[2]}" for c in CALLS]
)
def test_calldata__of_every_wrapper__is_web3s(
    contract: str, calldata: bytes, function: str, arguments: list[Any]
) -> None:
    oracle = Web3().eth.contract(abi=load_artifact(contract).raw_abi)  # type: ignore[call-overload]

    assert "0x" + calldata.hex() == oracle.encode_abi(function, arguments)


def test_calldata__has_a_wrapper__for_every_function_that_changes_something() -> None:
    wrapped = {(contract, function) for contract, _, function, _ in CALLS}
    # Standard functions that a contract always refuses, or that only their caller's wallet makes.
    left_out = {
        ("Authority", "grantRole"),
        ("Authority", "revokeRole"),
        ("Authority", "renounceRole"),
        ("Authority", "rollbackDefaultAdminDelay"),
    }
    changing = {
        (name, item.name)
        for name in CONTRACTS
        for item in load_artifact(name).items("function")
        if item.state_mutability == "nonpayable" and not item.name.endswith("ransferFrom")
    }

    assert changing - wrapped <= left_out
    assert not wrapped - changing


@pytest.mark.parametrize(("contract", "calldata", "function", "arguments"), CALLS)
def test_decoding__of_calldata__names_function_and_arguments(
    contract: str, calldata: bytes, function: str, arguments: list[Any]
) -> None:
    read = decode_call(contract, calldata)

    item, selector = find_function(contract, function)
    assert (read.contract, read.function) == (contract, function)
    assert list(read.arguments) == [parameter.name for parameter in item.inputs]
    again = encode_call(contract, function, *read.arguments.values())
    assert again == calldata
    assert calldata[:4] == selector == keccak256(item.signature.encode())[:4]


def test_decoding__of_what_is_no_call__is_refused() -> None:
    good = authority.encode_pause(OP)
    for bad in (b"", b"\1\2\3", b"\0" * 36, good[:-1], good + b"\0"):
        with pytest.raises(InvalidValue, match="calldata"):
            decode_call("Authority", bad)
    with pytest.raises(NotFound):
        decode_call("Authorities", good)
    with pytest.raises(NotFound):
        find_function("Memberships", "safeTransferFrom")  # overloaded: by signature only
    assert find_function("Memberships", "safeTransferFrom(address,address,uint256)")


def test_calldata__with_a_wrong_value__names_it() -> None:
    wrongs: tuple[tuple[Callable[[], bytes], str], ...] = (
        (lambda: journal.encode_award(P1, [Award(O1, 5, "Data Acquire")], OP), "category"),
        (lambda: journal.encode_award(P1, [Award(O1, -5, "data.acquire")], OP), "amount"),
        (lambda: journal.encode_award(P1, [Award(O1, 2**64, "data.acquire")], OP), "amount"),
        (lambda: journal.encode_award(P1, [Award(OrgId(2**32), 5, "a")], OP), "orgId"),
        (lambda: journal.encode_award(P1, [Award(O1, 5, "a", b"short")], OP), "evidence"),
        (lambda: journal.encode_award(P1, [], b"short"), "operationId"),
        (lambda: memberships.encode_suspend(P1, [O1], "No Reason", OP), "reason"),
        (lambda: organisations.encode_register([Registration(b"x", "company")], OP), "controller"),
        (lambda: authority.encode_appoint("issuer", ProgrammeId(70_000), ACCOUNT, OP), "programme"),
    )
    for wrong, field in wrongs:
        with pytest.raises(InvalidValue, match=field):
            wrong()
