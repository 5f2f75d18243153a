"""Every error of every contract can be read, and nodes may word it as they like."""

from __future__ import annotations

import string
from typing import Any

import pytest

from ledger.chain.abi import encode_arguments
from ledger.chain.artifacts import BUILT, AbiItem, Parameter, load_artifact
from ledger.chain.keccak import keccak256
from ledger.chain.refusals import REFUSALS
from ledger.chain.reverts import (
    decode_revert,
    find_revert_data,
    is_revert,
)
from ledger.domain.keys import encode_key, encode_role

ABI_ERRORS = {item.signature: item for name in BUILT for item in load_artifact(name).items("error")}
ACCOUNT = bytes.fromhex("f39fd6e51aad88f6f4ce6ab8827279cfffb92266")
SHOWN_ACCOUNT = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
DENIED = "AuthorityRoleMissing(address,bytes32,uint16)"


def revert_data(signature: str, *values: Any) -> bytes:
    item = ABI_ERRORS[signature]
    return keccak256(signature.encode())[:4] + encode_arguments(item.inputs, values)


def sample(parameter: Parameter) -> Any:
    if parameter.type == "address":
        return ACCOUNT
    if parameter.type == "bytes32":
        return encode_key("satellite.manufacture")
    if parameter.type == "string":
        return "text"
    return parameter.type == "bool" or 3


@pytest.mark.parametrize("item", ABI_ERRORS.values(), ids=lambda item: item.name)
def test_table__for_every_abi_error__has_a_meaning_and_a_next_step(item: AbiItem) -> None:
    refusal = REFUSALS[item.name]
    named = {
        field
        for text in (refusal.meaning, refusal.hint)
        for _, field, _, _ in string.Formatter().parse(text)
        if field
    }

    assert named <= {parameter.name for parameter in item.inputs}
    assert refusal.meaning.endswith(".")
    assert refusal.hint.endswith(".")


def test_table__has_no_line__for_an_error_that_no_contract_has() -> None:
    known = {item.name for item in ABI_ERRORS.values()} | {"Error", "Panic"}

    assert set(REFUSALS) == known


@pytest.mark.parametrize("item", ABI_ERRORS.values(), ids=lambda item: item.name)
def test_decoding__of_every_abi_error__names_it_with_its_values(item: AbiItem) -> None:
    data = revert_data(item.signature, *[sample(parameter) for parameter in item.inputs])

    refused = decode_revert(data)

    assert refused.values["name"] == item.name
    assert list(refused.values["arguments"]) == [parameter.name for parameter in item.inputs]
    assert all(isinstance(value, int | str) for value in refused.values["arguments"].values())
    assert refused.advice
    assert "{" not in str(refused)


def test_decoding__of_a_missing_role__reads_like_a_sentence() -> None:
    refused = decode_revert(revert_data(DENIED, ACCOUNT, encode_key("issuer"), 2))

    assert refused.values["arguments"] == {
        "account": SHOWN_ACCOUNT,
        "role": "issuer",
        "programmeId": 2,
    }
    assert refused.values["meaning"] == f"{SHOWN_ACCOUNT} is not issuer of programme 2."
    assert str(refused).startswith("The contract refused: AuthorityRoleMissing(account=0xf39F")


def test_decoding__of_values_with_readings_of_their_own__shows_these() -> None:
    alliance_wide = decode_revert(revert_data(DENIED, ACCOUNT, encode_key("council"), 0))
    status = decode_revert(revert_data("MembershipsStatus(uint16,uint32,uint8,uint8)", 1, 7, 2, 1))
    lapsed = decode_revert(
        revert_data("MembershipsLapsed(uint16,uint32,uint40)", 1, 7, 1_700_000_000)
    )
    role = decode_revert(
        revert_data(
            "AccessControlUnauthorizedAccount(address,bytes32)", ACCOUNT, encode_role("issuer", 3)
        )
    )
    admin = decode_revert(
        revert_data("AccessControlUnauthorizedAccount(address,bytes32)", ACCOUNT, bytes(32))
    )
    tier = decode_revert(
        revert_data("ProgrammesUnchanged(uint16,bytes32)", 1, (4).to_bytes(32, "big"))
    )

    assert alliance_wide.values["meaning"].endswith("is not council of the whole alliance.")
    assert (status.values["arguments"]["found"], status.values["arguments"]["needed"]) == (
        "suspended",
        "active",
    )
    assert "lapsed on 2023-11-14 22:13:20 UTC" in lapsed.values["meaning"]
    assert lapsed.values["arguments"]["expiredAt"] == 1_700_000_000
    assert role.values["arguments"]["neededRole"] == "issuer of programme 3"
    assert admin.values["arguments"]["neededRole"] == "admin"
    assert tier.values["arguments"]["key"] == "tier 4"
    closed = decode_revert(revert_data("CouncilProposalClosed(uint64,uint8)", 4, 2))
    settled = decode_revert(revert_data("BenefitsRedemptionSettled(uint64,uint8)", 4, 3))
    delay = decode_revert(revert_data("OrganisationsDelayUnusable(uint40,uint40,uint40)", 1, 2, 3))
    expired = decode_revert(revert_data("SignedExpired(uint256,uint256)", 1_700_000_000, 2**60))
    assert closed.values["meaning"] == "Proposal 4 is executed."
    assert settled.values["meaning"] == "Redemption 4 is cancelled already."
    assert delay.values["meaning"] == "A recovery cannot wait 1 s: it is to be 2 s to 3 s."
    assert "good until 2023-11-14 22:13:20 UTC; it is" in expired.values["meaning"]


def test_decoding__of_solidity_s_own_errors__gives_message_and_reason() -> None:
    text = [Parameter("message", "string")]
    number = [Parameter("code", "uint256")]

    said = decode_revert(bytes.fromhex("08c379a0") + encode_arguments(text, ["not today"]))
    overflow = decode_revert(bytes.fromhex("4e487b71") + encode_arguments(number, [0x11]))
    strange = decode_revert(bytes.fromhex("4e487b71") + encode_arguments(number, [0x99]))

    assert (said.values["name"], said.values["arguments"]) == ("Error", {"message": "not today"})
    assert "not today" in str(said).lower()
    assert "an arithmetic overflow" in overflow.values["meaning"]
    assert "panic 0x99" in strange.values["meaning"]


@pytest.mark.parametrize(
    "data",
    [
        b"\xde\xad\xbe\xef",
        b"\xde\xad\xbe\xef\1\2",
        b"\1",
        revert_data(DENIED, ACCOUNT, bytes(32), 1)[:-1],
    ],
)
def test_decoding__of_an_unknown_error__gives_the_raw_data(data: bytes) -> None:
    refused = decode_revert(data)

    assert refused.values["name"] == "0x" + data[:4].hex()
    assert refused.values["arguments"] == {"data": "0x" + data.hex()}
    assert refused.advice


def test_decoding__of_no_data__says_that_there_is_no_reason() -> None:
    assert decode_revert(b"").values["name"] == "NoReason"


@pytest.mark.parametrize(
    ("code", "message", "data"),
    [
        (3, "execution reverted: custom error 0x01020304", "0x01020304"),  # anvil, geth
        (-32000, "Execution reverted", "0x01020304"),  # Besu
        (-32015, "VM execution error.", "Reverted 0x01020304"),  # Nethermind, OpenEthereum
        (-32603, "Error: VM Exception while processing transaction", {"data": "0x01020304"}),
        (-32603, "VM Exception", {"message": "revert", "data": {"data": "0x01020304"}}),  # Hardhat
        (
            -32000,
            "VM Exception",
            {"0xabcd": {"error": "revert", "return": "0x01020304"}},
        ),  # Ganache
        (-32000, "VM Exception", {"hash": None, "result": "0x01020304"}),  # Ganache 7
        (3, "execution reverted: 0x01020304", None),
    ],
)
def test_revert_data__in_every_nodes_shape__are_found(code: int, message: str, data: Any) -> None:
    assert is_revert(code, message)
    assert find_revert_data(data, message) == b"\1\2\3\4"


def test_revert_data__of_an_error_that_is_none__are_empty() -> None:
    assert not is_revert(-32602, "invalid params")
    assert not is_revert(-32000, "insufficient funds for gas * price + value")
    assert find_revert_data(None, "execution reverted") == b""
    assert find_revert_data("0x", "execution reverted") == b""
