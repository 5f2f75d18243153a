"""A key's policy: what it names is signed, and nothing else; and the file cannot be misread."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.artifacts import CONTRACTS, load_artifact
from ledger.chain.contracts.authority import encode_appoint
from ledger.chain.contracts.credits import encode_award
from ledger.chain.messages import write_award_batch, write_cancellation
from ledger.chain.policies import (
    DEPLOY,
    GuardedSigner,
    Policy,
    check_entry,
    policy_path,
    read_policy,
    write_policy,
)
from ledger.chain.signers import LocalSigner, TransactionFields
from ledger.chain.typed_data import MESSAGES, MessageDomain
from ledger.chain.usual_policies import USUAL_CALLS
from ledger.domain.commands import Award
from ledger.domain.ids import OrgId, ProgrammeId
from ledger.errors import InvalidFile, InvalidValue, PolicyRefused

CHAIN = 31337
SIGNER = LocalSigner(b"\x11" * 32)
ADDRESSES = {name: bytes([0xC0 + index]) * 20 for index, name in enumerate(CONTRACTS)}
AWARD = encode_award(ProgrammeId(1), [Award(OrgId(1), 1, "data.acquire")], b"\x01" * 32)
APPOINT = encode_appoint("issuer", ProgrammeId(1), b"\xab" * 20, b"\x01" * 32)
STRANGER = b"\xee" * 20


def guarded(*allow: str, names: dict[bytes, str] | None = None) -> GuardedSigner:
    known = {address: name for name, address in ADDRESSES.items()} if names is None else names
    return GuardedSigner(
        "issuer",
        SIGNER,
        Policy(()).adding(allow),
        lambda chain_id: known if chain_id == CHAIN else {},
    )


def fields(to: bytes, data: bytes, **given: Any) -> TransactionFields:
    return TransactionFields(
        chain_id=given.pop("chain_id", CHAIN),
        nonce=0,
        to=to,
        data=data,
        gas_limit=100_000,
        max_fee=1,
        max_priority_fee=0,
        **given,
    )


@pytest.mark.parametrize(
    "entry",
    [
        "Credits.award",
        "Credits.*",
        "Credits.award(uint16,(uint32,uint64,bytes32,bytes32)[],bytes32)",
    ],
)
def test_call__that_the_policy_names__is_signed_as_without_one(entry: str) -> None:
    asked = fields(ADDRESSES["Credits"], AWARD)

    assert guarded(entry).sign_transaction(asked) == SIGNER.sign_transaction(asked)


def test_call__that_the_policy_does_not_name__is_refused_with_key_contract_and_function() -> None:
    with pytest.raises(PolicyRefused) as caught:
        guarded("Credits.reverse").sign_transaction(fields(ADDRESSES["Credits"], AWARD))

    assert "'issuer'" in str(caught.value)
    assert "Credits.award at 0xC4" in str(caught.value)
    assert "moonlake keys allow issuer Credits.award" in caught.value.advice


@pytest.mark.parametrize(
    ("asked", "what"),
    [
        (fields(ADDRESSES["Authority"], APPOINT), "Authority.appoint"),
        (fields(ADDRESSES["Authority"], AWARD), "no function of it"),
        (fields(ADDRESSES["Credits"], b"\xde\xad\xbe\xef"), "0xdeadbeef of Credits"),
        (fields(ADDRESSES["Credits"], b""), "0x of Credits"),
        (fields(STRANGER, AWARD), "no contract of this ledger"),
        (fields(STRANGER, b""), "no contract of this ledger"),
        (fields(ADDRESSES["Credits"], AWARD, value=1), "1 wei to be sent along"),
        (fields(ADDRESSES["Credits"], AWARD, chain_id=1), "no contract of this ledger"),
        (fields(SIGNER.address, b"", value=1), "no contract of this ledger"),
        (fields(b"", b"\x60\x80"), "the creation of a contract"),
    ],
)
def test_transaction__beyond_the_policy__is_refused_before_it_is_signed(
    asked: TransactionFields, what: str
) -> None:
    with pytest.raises(PolicyRefused, match=what):
        guarded("Credits.award", "Memberships.*").sign_transaction(asked)


def test_policy__without_entries__allows_nothing() -> None:
    with pytest.raises(PolicyRefused):
        guarded().sign_transaction(fields(ADDRESSES["Credits"], AWARD))


def test_transaction__to_oneself_that_does_nothing__is_always_signed() -> None:
    blank = fields(SIGNER.address, b"")

    assert guarded().sign_transaction(blank) == SIGNER.sign_transaction(blank)


def test_deployment__is_allowed_by_a_word_of_its_own() -> None:
    asked = fields(b"", b"\x60\x80")

    assert guarded(DEPLOY, names={}).sign_transaction(asked) == SIGNER.sign_transaction(asked)


def test_message__is_signed_if_named_and_for_this_ledgers_contract() -> None:
    domain = MessageDomain("Credits", CHAIN, ADDRESSES["Credits"])
    given: dict[str, Any] = {"account": SIGNER.address, "operation_id": b"\x01" * 32}
    given["deadline"] = 2_000_000_000
    message = write_award_batch(domain, ProgrammeId(1), [], **given)
    elsewhere = write_award_batch(
        MessageDomain("Credits", CHAIN, STRANGER), ProgrammeId(1), [], **given
    )
    other_chain = write_award_batch(
        MessageDomain("Credits", 1, ADDRESSES["Credits"]), ProgrammeId(1), [], **given
    )
    signer = guarded("Credits.AwardBatch")

    assert signer.sign_typed_data(message) == SIGNER.sign_typed_data(message)
    for refused in (elsewhere, other_chain, write_cancellation(domain, **given)):
        with pytest.raises(PolicyRefused, match=refused.primary_type):
            signer.sign_typed_data(refused)
    with pytest.raises(PolicyRefused, match=r"the message Credits\.AwardBatch"):
        guarded("Credits.award").sign_typed_data(message)


@pytest.mark.parametrize(
    "entry",
    [
        "", "*", "Credits", "Credits.", ".award", "credits.award", "Credits.Award", "Credits.mint",
        "Credits.balanceOf", "Credits.award()", "Nothing.award", "Nothing.*", "Credits.*.award",
        "deploy.*", "Deploy", "0xc4c4c4c4", "Credits.award ", "Authority.AwardBatch",
    ],
)  # fmt: skip
def test_entry__that_names_nothing_to_sign__is_refused(entry: str) -> None:
    with pytest.raises(InvalidValue):
        check_entry(entry)


def test_entry__of_an_overloaded_function__covers_one_by_its_signature() -> None:
    artifact = load_artifact("Memberships")
    short = "safeTransferFrom(address,address,uint256)"
    long = "safeTransferFrom(address,address,uint256,bytes)"
    to = ADDRESSES["Memberships"]
    signer = guarded(f"Memberships.{short}")

    assert signer.sign_transaction(fields(to, artifact.functions[short]))
    with pytest.raises(PolicyRefused):
        signer.sign_transaction(fields(to, artifact.functions[long]))
    with pytest.raises(PolicyRefused):
        signer.sign_transaction(fields(to, artifact.functions["cancelMessage(bytes32)"]))


def test_policy_file__written__is_read_back_and_is_its_owners_alone(tmp_path: Path) -> None:
    policy = Policy(()).adding(["Credits.award", DEPLOY, "Credits.AwardBatch"])

    path = write_policy(tmp_path / "keys", "issuer", policy)

    assert read_policy(tmp_path / "keys", "issuer") == policy
    assert path == policy_path(tmp_path / "keys", "issuer")
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["allow"] == sorted(policy.allow)
    assert read_policy(tmp_path / "keys", "registrar") is None
    assert [each.name for each in path.parent.iterdir()] == ["issuer.policy.json"]


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "{}",
        '{"format": 1}',
        '{"format": 2, "allow": []}',
        '{"format": 1, "allow": "Credits.award"}',
        '{"format": 1, "allow": [1]}',
        '{"format": 1, "allow": ["Credits.mint"]}',
        '{"format": 1, "allow": [], "deny": ["Credits.award"]}',
    ],
)
def test_policy_file__that_is_damaged__locks_the_key_and_is_never_taken_for_none(
    tmp_path: Path, content: str
) -> None:
    path = policy_path(tmp_path, "issuer")
    path.write_text(content)
    path.chmod(0o600)

    with pytest.raises(InvalidFile, match=r"issuer\.policy\.json"):
        read_policy(tmp_path, "issuer")


def test_policy_file__that_others_may_change__is_not_relied_upon(tmp_path: Path) -> None:
    path = write_policy(tmp_path, "issuer", Policy(("Credits.award",)))
    path.chmod(0o664)

    with pytest.raises(InvalidFile, match="chmod 600"):
        read_policy(tmp_path, "issuer")


def test_usual_policies__name_only_what_can_be_signed() -> None:
    for entries in USUAL_CALLS.values():
        for entry in entries:
            assert check_entry(entry) == entry


SENT_BY_NO_OFFICE = {
    "Authority.renounceRole",
    "Council.changeAllianceApprovals",  # the alliance's seat
    "Credits.redeem", "Credits.refund", "Credits.settle",  # Benefits
    "Memberships.safeTransferFrom",  # always refused
    "Organisations.nominate", "Organisations.acceptControl",  # controllers
    "Benefits.redeem", "Shares.claim",
    "Memberships.cancelMessage", "Organisations.cancelMessage",
    "Benefits.cancelMessage", "Shares.cancelMessage",
}  # fmt: skip


def test_usual_policies__together__cover_every_function_that_an_office_sends() -> None:
    allowed = {entry for entries in USUAL_CALLS.values() for entry in entries}
    functions = {
        f"{name}.{item.name}"
        for name in CONTRACTS
        for item in load_artifact(name).items("function")
        if item.state_mutability not in ("view", "pure")
    }

    missing = {
        each
        for each in functions
        if each not in allowed and f"{each.partition('.')[0]}.*" not in allowed
    }

    assert missing == SENT_BY_NO_OFFICE
    messages = {f"{contract}.{name}" for contract, names in MESSAGES.items() for name in names}
    assert {entry for entry in allowed if entry in messages} == {
        "Credits.AwardBatch",
        "Credits.Cancellation",
        "Council.Approval",
        "Council.Cancellation",
    }
