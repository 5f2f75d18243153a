"""The wrappers' calldata beside web3's, and read back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from web3 import Web3

from ledger.chain.artifacts import CONTRACTS, load_artifact
from ledger.chain.contracts import authority, memberships, organisations
from ledger.chain.contracts import credits as journal
from ledger.chain.contracts.contract import decode_call, encode_call, find_function
from ledger.chain.keccak import keccak256
from ledger.domain.commands import Award, Registration
from ledger.domain.ids import OrgId, ProgrammeId
from ledger.errors import InvalidValue, NotFound
from tests.support.calls import ACCOUNT, O1, OP, P1, PLAIN
from tests.support.calls_of_sharing import SIGNED_AND_SHARED

CALLS = [*PLAIN, *SIGNED_AND_SHARED]


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
        # One contract asks another for these; nobody else can.
        ("Memberships", "announceMove"),
        ("Credits", "redeem"),
        ("Credits", "refund"),
        ("Credits", "settle"),
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
