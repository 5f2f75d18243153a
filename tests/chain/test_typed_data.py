"""Messages' digests beside Solidity's and eth_account's, their types beside the contracts'."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import SignableMessage, encode_typed_data

from ledger.chain import messages
from ledger.chain.abi import encode_arguments
from ledger.chain.artifacts import AbiItem, Parameter
from ledger.chain.keccak import keccak256
from ledger.chain.rpc import Node
from ledger.chain.signers import LocalSigner
from ledger.chain.typed_data import (
    MAX_VALIDITY,
    MESSAGES,
    MessageDomain,
    TypedMessage,
    account_of,
    sign_message,
)
from ledger.domain.commands import Admission, Award
from ledger.domain.ids import (
    DistributionId,
    ListingId,
    OrgId,
    ProgrammeId,
    ProposalId,
    TierId,
)
from ledger.domain.sharing import Redemption
from ledger.errors import InvalidValue, NotFound
from tests.support.anvil import Anvil
from tests.support.typed_probe import compile_probe

CASES = 1000
CONTRACTS_FOLDER = Path(__file__).parents[2] / "contracts"
KEPT_ELSEWHERE = {"AwardMessage": "Credits"}
"""Files that keep the types of another contract's messages."""
EVERY = [(contract, name) for contract, taken in MESSAGES.items() for name in taken]
CREDITS = MessageDomain("Credits", 31337, b"\xc5" * 20)
OP = b"\x0f" * 32
WHO = b"\xac" * 20


def drawn(dice: random.Random, kind: str) -> Any:
    """A value of an ABI type; the ends of its range are as likely as all that lies between."""
    if kind.startswith("uint"):
        most = 2 ** int(kind[4:]) - 1
        return dice.choice((0, 1, most, dice.randint(0, most)))
    if kind == "address":
        return dice.randbytes(20)
    if kind == "bytes32":
        return dice.choice((bytes(32), dice.randbytes(32)))
    if kind == "string":
        return dice.choice(("", "data.acquire", "发射", "a" * 31, "x" * dice.randint(1, 90)))
    assert kind == "Award[]"
    fields = {"orgId": "uint32", "amount": "uint64", "category": "string", "evidence": "bytes32"}
    return [
        {name: drawn(dice, each) for name, each in fields.items()}
        for _ in range(dice.choice((0, 1, 2, 7)))
    ]


def message_of(dice: random.Random, domain: MessageDomain, name: str) -> TypedMessage:
    fields = MESSAGES[domain.contract][name].partition("(")[2].partition(")")[0].split(",")
    values = {field: drawn(dice, kind) for kind, field in map(str.split, fields)}
    for field in values.keys() & {"operationId", "applicationId"}:
        values[field] = dice.randbytes(32)  # no journal takes zero
    return TypedMessage(domain, name, values)


def oracle_digest(message: TypedMessage) -> bytes:
    signable: SignableMessage = encode_typed_data(full_message=message.to_json())
    return keccak256(b"\x19" + signable.version + signable.header + signable.body)


@pytest.fixture(scope="module")
def probe(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[str, AbiItem]]:
    return compile_probe(tmp_path_factory.mktemp("probe"))


@pytest.fixture(scope="module")
def solidity(anvil: Anvil, probe: tuple[bytes, dict[str, AbiItem]]) -> Iterator[Callable[..., Any]]:
    """The probes' domains by contract, and what they give for a message."""
    code, functions = probe
    node = Node(anvil.url)
    domains = {}
    for contract in MESSAGES:
        name = encode_arguments([Parameter("name", "string")], [f"Moonlake {contract}"])
        made = anvil.send(data="0x" + (code + name).hex())
        address = bytes.fromhex(made["contractAddress"][2:])
        domains[contract] = MessageDomain(contract, node.chain_id(), address)

    def digest(message: TypedMessage) -> bytes:
        name = message.primary_type
        item = functions[name[0].lower() + name[1:]]
        values = [message.values[parameter.name] for parameter in item.inputs]
        selector = keccak256(item.signature.encode())[:4]
        data = selector + encode_arguments(item.inputs, values)
        return node.call(message.domain.address, data, "latest")

    digest.domains = domains  # type: ignore[attr-defined]
    yield digest
    node.close()


def test_digest__of_a_thousand_random_messages__is_soliditys(solidity: Any) -> None:
    dice = random.Random(712)

    for number in range(CASES):
        contract, name = EVERY[number % len(EVERY)]
        message = message_of(dice, solidity.domains[contract], name)
        assert message.digest() == solidity(message), message


def test_digest__of_random_messages__is_eth_accounts() -> None:
    dice = random.Random(191)

    for number in range(300):
        contract, name = EVERY[number % len(EVERY)]
        domain = MessageDomain(contract, dice.randint(1, 2**64), dice.randbytes(20))
        message = message_of(dice, domain, name)
        assert message.digest() == oracle_digest(message), message


def test_types__of_all_messages__are_those_of_the_contracts() -> None:
    literals = re.compile(r'keccak256\(\s*((?:"[^"]*"\s*)+)\)')
    found: dict[str, set[str]] = {}
    for path in CONTRACTS_FOLDER.glob("*.sol"):
        for match in literals.finditer(path.read_text()):
            text = "".join(re.findall(r'"([^"]*)"', match.group(1)))
            if "deadline" in text:
                found.setdefault(KEPT_ELSEWHERE.get(path.stem, path.stem), set()).add(text)

    shared = found.pop("SignedMessages")
    # Solidity keeps a struct's type twice: alone, and after the type that uses it.
    assert {name: set(types.values()) - shared for name, types in MESSAGES.items()} == found
    assert all(shared <= set(types.values()) for types in MESSAGES.values())


def test_domains__of_all_contracts__are_named_as_in_their_constructors() -> None:
    text = "".join(path.read_text() for path in CONTRACTS_FOLDER.glob("*.sol"))
    named = set(re.findall(r'SignedMessages\("([^"]+)"\)', text))

    assert named == {MessageDomain(name, 1, bytes(20)).name for name in MESSAGES}


def test_signature__of_a_message__is_eth_accounts_and_recovers_its_signer() -> None:
    signer = LocalSigner(keccak256(b"somebody"))
    message = messages.write_cancellation(
        CREDITS, account=signer.address, operation_id=OP, deadline=99
    )

    signed = sign_message(message, signer, now=0)

    expected = Account.sign_typed_data(keccak256(b"somebody"), full_message=message.to_json())
    assert signed.signature == bytes(expected.signature)
    assert (signed.signer, signed.deadline) == (signer.address, 99)


def test_signature__of_a_message_of_another_account__is_not_made() -> None:
    message = messages.write_cancellation(CREDITS, account=WHO, operation_id=OP, deadline=99)

    with pytest.raises(InvalidValue, match="account"):
        sign_message(message, LocalSigner(keccak256(b"somebody")), now=0)


def test_signature__of_a_message_that_would_sleep__is_not_made() -> None:
    signer, now = LocalSigner(keccak256(b"somebody")), 1_800_000_000

    def signed_until(deadline: int) -> int:
        message = messages.write_cancellation(
            CREDITS, account=signer.address, operation_id=OP, deadline=deadline
        )
        return sign_message(message, signer, now=now).deadline

    assert signed_until(now + MAX_VALIDITY) == now + MAX_VALIDITY
    with pytest.raises(
        InvalidValue, match=r"deadline: \d+ is not at most \d+, 180 days"
    ) as refused:
        signed_until(now + MAX_VALIDITY + 1)
    assert refused.value.code == "input.invalid_value"


P3 = ProgrammeId(3)
WRITTEN: list[tuple[str, Callable[[MessageDomain], TypedMessage], dict[str, Any]]] = [
    (
        "Organisations",
        lambda domain: messages.write_rotation(
            domain, OrgId(7), b"\xab" * 20, account=WHO, operation_id=OP, deadline=9
        ),
        {"orgId": 7, "successor": b"\xab" * 20},
    ),
    (
        "Organisations",
        lambda domain: messages.write_acceptance(
            domain, OrgId(7), account=WHO, operation_id=OP, deadline=9
        ),
        {"orgId": 7},
    ),
    (
        "Organisations",
        lambda domain: messages.write_objection(
            domain, OrgId(7), b"\xab" * 20, account=WHO, operation_id=OP, deadline=9
        ),
        {"orgId": 7, "successor": b"\xab" * 20},
    ),
    (
        "Credits",
        lambda domain: messages.write_award_batch(
            domain, P3, [Award(OrgId(7), 5, "launch", OP)], account=WHO, operation_id=OP, deadline=9
        ),
        {
            "programmeId": 3,
            "awards": [{"orgId": 7, "amount": 5, "category": "launch", "evidence": OP}],
        },
    ),
    (
        "Benefits",
        lambda domain: messages.write_redemption(
            domain,
            P3,
            Redemption(ListingId(4), OrgId(7), 2),
            price=50,
            account=WHO,
            operation_id=OP,
            deadline=9,
        ),
        {"programmeId": 3, "listingId": 4, "orgId": 7, "quantity": 2, "credits": 100},
    ),
    (
        "Shares",
        lambda domain: messages.write_claim(
            domain, P3, DistributionId(4), OrgId(7), 12, account=WHO, operation_id=OP, deadline=9
        ),
        {"programmeId": 3, "distributionId": 4, "orgId": 7, "amount": 12},
    ),
    (
        "Council",
        lambda domain: messages.write_approval(
            domain, P3, ProposalId(4), OP, account=WHO, operation_id=OP, deadline=9
        ),
        {"programmeId": 3, "proposalId": 4, "callsHash": OP},
    ),
]


@pytest.mark.parametrize(
    ("contract", "write", "values"), WRITTEN, ids=lambda value: str(value)[:14]
)
def test_message__written_from_our_values__has_the_fields_of_its_type(
    contract: str, write: Callable[[MessageDomain], TypedMessage], values: dict[str, Any]
) -> None:
    message = write(MessageDomain(contract, 31337, b"\xc5" * 20))

    assert message.values == values | {"account": WHO, "operationId": OP, "deadline": 9}
    assert message.digest() == oracle_digest(message)


def test_application__has_an_id_of_its_own_and_no_expiry() -> None:
    domain = MessageDomain("Memberships", 31337, b"\xc5" * 20)
    admission = Admission(OrgId(7), TierId(2), 12345, OP)

    message = messages.write_application(
        domain, P3, admission, account=WHO, application_id=OP, deadline=9
    )

    assert message.values == {
        "programmeId": 3,
        "orgId": 7,
        "tier": 2,
        "evidence": OP,
        "account": WHO,
        "applicationId": OP,
        "deadline": 9,
    }
    assert message.digest() == oracle_digest(message)


def test_message__shown_to_a_wallet__is_readable() -> None:
    message = messages.write_award_batch(
        CREDITS,
        P3,
        [Award(OrgId(7), 5, "launch", OP)],
        account=WHO,
        operation_id=OP,
        deadline=2**60,
    )

    shown = message.to_json()

    assert shown["domain"] == {
        "name": "Moonlake Credits",
        "version": "1",
        "chainId": 31337,
        "verifyingContract": "0xc5C5C5c5c5c5c5c5c5c5c5C5c5c5C5C5C5c5c5C5",
    }
    assert shown["message"]["awards"][0]["category"] == "launch"
    assert shown["message"]["deadline"] == str(2**60)
    assert shown["message"]["account"] == "0xacACAcacAcACaCaCACACacACACacacaCACacaCAc"
    assert shown["message"]["operationId"] == "0x" + OP.hex()
    assert list(shown["types"]) == ["EIP712Domain", "AwardBatch", "Award"]


def test_message__that_no_contract_takes__is_refused() -> None:
    with pytest.raises(NotFound, match=r"Credits\.Approval"):
        TypedMessage(CREDITS, "Approval", {})
    with pytest.raises(NotFound, match=r"Authority\.Cancellation"):
        TypedMessage(MessageDomain("Authority", 1, bytes(20)), "Cancellation", {})


def test_message__with_wrong_values__is_refused_by_their_name() -> None:
    good = {"account": WHO, "operationId": OP, "deadline": 9}
    for wrong, field in (
        ({"operationId": OP, "deadline": 9}, "Cancellation"),
        ({"account": WHO, "operationId": OP}, "Cancellation"),
        (good | {"more": 1}, "Cancellation"),
        (good | {"deadline": -1}, "deadline"),
        (good | {"deadline": 2**256}, "deadline"),
        (good | {"deadline": 9.0}, "deadline"),
        (good | {"deadline": True}, "deadline"),
        (good | {"operationId": OP[:31]}, "operationId"),
        (good | {"operationId": bytes(32)}, "operationId"),
        (good | {"account": 20}, "account"),
        (good | {"account": WHO[:19]}, "account"),
    ):
        with pytest.raises(InvalidValue, match=field):
            TypedMessage(CREDITS, "Cancellation", wrong)
    award = {"orgId": 1, "amount": 1, "category": "launch", "evidence": OP}
    for awards, field in (
        ([award | {"category": b"launch"}], "category"),
        ([award | {"category": "\ud800"}], "category"),
        ([award | {"amount": True}], "amount"),
        ([[1, 1, "launch", OP]], "Award"),
        ({"orgId": 1}, "awards"),
    ):
        with pytest.raises(InvalidValue, match=field):
            TypedMessage(CREDITS, "AwardBatch", good | {"programmeId": 1, "awards": awards})
    with pytest.raises(InvalidValue, match="applicationId"):
        messages.write_application(
            MessageDomain("Memberships", 1, bytes(20)),
            P3,
            Admission(OrgId(7), TierId(2), 12345, OP),
            account=WHO,
            application_id=bytes(32),
            deadline=9,
        )


def test_longest_validity__of_a_message__is_the_contracts() -> None:
    text = (CONTRACTS_FOLDER / "SignedMessages.sol").read_text()
    (days,) = re.findall(r"MAX_VALIDITY = (\d+) days;", text)

    assert int(days) * 24 * 60 * 60 == MAX_VALIDITY


def test_account__of_a_signer__is_itself_or_the_end_of_its_hash() -> None:
    assert account_of(b"\x01" * 20) == b"\x01" * 20
    assert account_of(b"\x01" * 21) == keccak256(b"moonlake.signer" + b"\x01" * 21)[12:]
    with pytest.raises(InvalidValue, match="signer"):
        account_of(b"\x01" * 19)
