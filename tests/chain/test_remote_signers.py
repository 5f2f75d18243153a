"""A remote signer is used for what it was asked for, and for nothing else that it may answer."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from ledger.chain.addresses import show_address
from ledger.chain.contracts.credits import encode_award, encode_award_by_signature
from ledger.chain.messages import write_award_batch
from ledger.chain.node_words import Fate
from ledger.chain.remote_signers import RemoteSigner, check_signed
from ledger.chain.rlp import decode, encode
from ledger.chain.sending import Call, broadcast, prepare_transaction, wait_until_mined
from ledger.chain.signers import CURVE_ORDER, LocalSigner, TransactionFields, sign
from ledger.chain.transport import Patience
from ledger.chain.typed_data import MessageDomain, TypedMessage, sign_message
from ledger.domain.commands import Award
from ledger.domain.ids import OrgId, ProgrammeId
from ledger.errors import SignerAnswerInvalid, SignerRefused, SignerUnreachable
from tests.chain.fake_node import Body, Cut, Hang, HangUp, Refusal, Status
from tests.support.ledger import CATEGORY, MEMBER, PROGRAMME, Ledger
from tests.support.remote_signer import FakeWeb3Signer

KEY = bytes(range(1, 33))
CHAIN = 31337
FIELDS = TransactionFields(
    chain_id=CHAIN,
    nonce=7,
    to=b"\xac" * 20,
    data=bytes.fromhex("a9059cbb") + bytes(64),
    gas_limit=90_000,
    max_fee=3_000_000_000,
    max_priority_fee=1_000_000_000,
)
QUICK = Patience(attempts=2, timeout=1.0, longest=2.0, first_pause=0.01)


@pytest.fixture
def server() -> Iterator[FakeWeb3Signer]:
    with FakeWeb3Signer(KEY, CHAIN) as running:
        yield running


@pytest.fixture
def remote(server: FakeWeb3Signer) -> Iterator[RemoteSigner]:
    signer = RemoteSigner(server.url, server.address, patience=QUICK)
    yield signer
    signer.close()


def award_message() -> TypedMessage:
    domain = MessageDomain("Credits", CHAIN, b"\xcc" * 20)
    awards = [Award(OrgId(1), 5, "data.acquire", bytes(range(32)))]
    return write_award_batch(
        domain,
        ProgrammeId(1),
        awards,
        account=LocalSigner(KEY).address,
        operation_id=b"\x07" * 32,
        deadline=2_000_000_000,
    )


@pytest.mark.parametrize(
    "fields",
    [
        FIELDS,
        replace(FIELDS, to=b"", data=b"\x60\x80\x60\x40"),
        replace(FIELDS, nonce=0, max_fee=0, max_priority_fee=0),
        replace(FIELDS, data=b"", value=10**18),
    ],
)
def test_transaction__signed_remotely__is_what_the_key_itself_signs(
    remote: RemoteSigner, server: FakeWeb3Signer, fields: TransactionFields
) -> None:
    signed = sign(fields, remote)

    assert check_signed(signed.raw, fields) == server.address
    assert signed.raw == LocalSigner(KEY).sign_transaction(fields)
    method, params = server.asked[-1]
    assert method == "eth_signTransaction"
    assert params[0]["from"] == "0x" + server.address.hex()
    assert params[0]["chainId"] == hex(CHAIN)
    assert "gasPrice" not in params[0]


def test_transaction__answered_as_geth_and_clef_do__is_used(
    remote: RemoteSigner, server: FakeWeb3Signer
) -> None:
    server.lies["eth_signTransaction"] = lambda _params, raw: {"raw": raw, "tx": {"nonce": "0x7"}}

    assert check_signed(remote.sign_transaction(FIELDS), FIELDS) == server.address


ALTERED: dict[str, dict[str, object]] = {
    "nonce": {"nonce": 8},
    "maxPriorityFeePerGas": {"maxPriorityFeePerGas": 1},
    "maxFeePerGas": {"maxFeePerGas": 4_000_000_000},
    "gas": {"gas": 90_001},
    "to": {"to": show_address(b"\xad" * 20)},
    "value": {"value": 1},
    "data": {"data": "0x00"},
    "chain id": {"chainId": 1},
    "access list": {"accessList": [{"address": "0x" + "dd" * 20, "storageKeys": []}]},
}


@pytest.mark.parametrize("field", ALTERED)
def test_transaction__with_one_field_altered__is_refused_by_the_fields_name(
    remote: RemoteSigner, server: FakeWeb3Signer, field: str
) -> None:
    server.lies["eth_signTransaction"] = lambda params, _raw: server.signed(
        params[0], **ALTERED[field]
    )

    with pytest.raises(SignerAnswerInvalid, match=f"its {field} is"):
        remote.sign_transaction(FIELDS)


def high_s(raw: bytes) -> bytes:
    """The same signature in its other form, which every node took before EIP-2."""
    items = decode(raw[1:])
    assert isinstance(items, list)
    parity, s = items[9], items[11]
    assert isinstance(s, bytes)
    items[9] = b"" if parity else b"\x01"
    items[11] = (CURVE_ORDER - int.from_bytes(s, "big")).to_bytes(32, "big")
    return b"\x02" + encode(items)


def signature_of(number: int) -> Callable[[bytes], bytes]:
    """Puts a number in the place of s."""

    def alter(raw: bytes) -> bytes:
        items = decode(raw[1:])
        assert isinstance(items, list)
        items[11] = number.to_bytes(33, "big").lstrip(b"\0")
        return b"\x02" + encode(items)

    return alter


@pytest.mark.parametrize(
    ("alter", "problem"),
    [
        (high_s, "its s is high"),
        (signature_of(0), "it is no signature"),
        (signature_of(CURVE_ORDER), "its s is high"),
        (signature_of(1 << 257), "it has no signature"),
        (signature_of(1), "signed by|no signature of anybody"),
        (lambda raw: raw[:-1], "it is not RLP"),
        (lambda raw: raw + b"\0", "it is not RLP"),
        (lambda raw: b"\x01" + raw[1:], "not of type 2"),
        (lambda raw: raw[1:], "not of type 2"),
        (lambda _raw: b"", "not of type 2"),
        (lambda _raw: b"\x02" + encode([b"\1"] * 9), "twelve fields"),
        (lambda _raw: b"\x02\x80", "twelve fields"),
    ],
)
def test_transaction__with_a_broken_signature_or_shape__is_refused(
    remote: RemoteSigner,
    server: FakeWeb3Signer,
    alter: Callable[[bytes], bytes],
    problem: str,
) -> None:
    server.lies["eth_signTransaction"] = lambda _params, raw: (
        "0x" + alter(bytes.fromhex(raw[2:])).hex()
    )

    with pytest.raises(SignerAnswerInvalid, match=problem):
        remote.sign_transaction(FIELDS)


def test_transaction__signed_by_another_key__is_refused_with_both_addresses(
    remote: RemoteSigner, server: FakeWeb3Signer
) -> None:
    other = LocalSigner(b"\x05" * 32)
    server.lies["eth_signTransaction"] = lambda _params, _raw: (
        "0x" + other.sign_transaction(FIELDS).hex()
    )

    with pytest.raises(SignerAnswerInvalid) as caught:
        remote.sign_transaction(FIELDS)

    assert show_address(other.address) in str(caught.value)
    assert show_address(server.address) in str(caught.value)


def test_transaction__of_a_signer_set_to_another_chain__is_refused() -> None:
    with FakeWeb3Signer(KEY, 1) as server:
        remote = RemoteSigner(server.url, server.address, patience=QUICK)
        with pytest.raises(SignerAnswerInvalid, match="its chain id is 0x01, and not 0x7a69"):
            remote.sign_transaction(FIELDS)
        remote.close()


def test_signing__for_an_account_that_it_has_not__says_what_to_look_at(
    server: FakeWeb3Signer,
) -> None:
    remote = RemoteSigner(server.url, b"\x77" * 20, patience=QUICK)
    for attempt in (
        lambda: remote.sign_transaction(FIELDS),
        lambda: remote.sign_typed_data(award_message()),
    ):
        with pytest.raises(SignerRefused, match="No unlocked account") as caught:
            attempt()
        assert "holds this account's key" in caught.value.advice
    with pytest.raises(SignerAnswerInvalid, match="not this account's"):
        remote.check()
    remote.close()


@pytest.mark.parametrize(
    ("url", "private"),
    [
        ("http://127.0.0.1:9000", True),
        ("http://me:pw@localhost:9000/x", True),
        ("http://[::1]:9000", True),
        ("https://signer.example", True),
        ("http://signer.example", False),
        ("http://127.0.0.1.example:9000", False),
    ],
)
def test_signer__over_a_network__is_private_with_tls_alone(url: str, private: bool) -> None:
    assert RemoteSigner(url, b"\x77" * 20).is_private is private


def test_check__of_a_signer_that_has_the_key__signs_nothing(
    remote: RemoteSigner, server: FakeWeb3Signer
) -> None:
    remote.check()

    assert [method for method, _ in server.asked] == ["eth_accounts"]


@pytest.mark.parametrize("fault", [Hang(), HangUp(), Cut(), Status(503), Body(b"<html>")])
def test_signer__that_stumbles_once__is_asked_again(
    server: FakeWeb3Signer, fault: Hang | HangUp | Cut | Status | Body
) -> None:
    patience = replace(QUICK, timeout=2.0)
    remote = RemoteSigner(server.url, server.address, patience=patience)
    server.faults.append(fault)

    assert check_signed(remote.sign_transaction(FIELDS), FIELDS) == server.address
    remote.close()


@pytest.mark.parametrize("fault", [Hang(), HangUp(), Cut(), Status(503)])
def test_signer__that_stays_silent__is_said_as_the_signer_and_not_as_a_node(
    server: FakeWeb3Signer, fault: Hang | HangUp | Cut | Status
) -> None:
    patience = replace(QUICK, timeout=0.2)
    url = server.url.replace("http://", "http://ledger:secret@") + "/path-with-a-key"
    remote = RemoteSigner(url, server.address, patience=patience)
    server.faults.extend([fault] * 4)

    with pytest.raises(SignerUnreachable) as caught:
        remote.sign_transaction(FIELDS)

    shown = f"{caught.value} {caught.value.advice} {remote!r}"
    assert server.url in shown
    assert "secret" not in shown
    assert "path-with-a-key" not in shown
    assert "MOONLAKE_RPC_URL" not in shown
    remote.close()


def test_signer__with_a_password_in_its_url__gets_it_as_basic_authentication(
    server: FakeWeb3Signer,
) -> None:
    remote = RemoteSigner(server.url.replace("//", "//ledger:s%40me@"), server.address)

    remote.check()

    assert server.headers[-1]["Authorization"] == "Basic bGVkZ2VyOnNAbWU="
    remote.close()


def test_signer__answering_an_error_with_an_http_status__is_read(
    remote: RemoteSigner, server: FakeWeb3Signer
) -> None:
    error = {"jsonrpc": "2.0", "id": 1, "error": {"code": -32602, "message": "Invalid params"}}
    server.faults.append(Status(400, body=json.dumps(error).encode()))

    with pytest.raises(SignerRefused, match="Invalid params"):
        remote.sign_transaction(FIELDS)


def test_signer__that_is_none__is_said_with_what_it_should_serve(
    remote: RemoteSigner, server: FakeWeb3Signer
) -> None:
    server.methods["eth_signTransaction"] = lambda _params: Refusal(-32601, "Method not found")

    with pytest.raises(SignerRefused) as caught:
        remote.sign_transaction(FIELDS)

    assert "eth1" in caught.value.advice


@pytest.mark.parametrize("answer", ["", "zz", "0xzz", None, 7, [], {"tx": {}}])
def test_signer__answering_nonsense__is_refused(
    remote: RemoteSigner, server: FakeWeb3Signer, answer: object
) -> None:
    server.lies["eth_signTransaction"] = lambda _params, _raw: answer
    server.lies["eth_signTypedData"] = lambda _params, _raw: answer

    for attempt in (
        lambda: remote.sign_transaction(FIELDS),
        lambda: remote.sign_typed_data(award_message()),
    ):
        with pytest.raises(SignerAnswerInvalid):
            attempt()


def test_message__signed_remotely__is_what_the_key_itself_signs(
    remote: RemoteSigner, server: FakeWeb3Signer
) -> None:
    message = award_message()

    signed = sign_message(message, remote, now=message.deadline)

    assert signed == sign_message(message, LocalSigner(KEY), now=message.deadline)
    assert json.loads(server.asked[-1][1][1]) == message.to_json()


def test_message__with_v_as_a_parity__is_given_as_contracts_take_it(
    remote: RemoteSigner, server: FakeWeb3Signer
) -> None:
    server.lies["eth_signTypedData"] = lambda _params, raw: (
        raw[:-2] + f"{int(raw[-2:], 16) - 27:02x}"
    )
    message = award_message()

    assert remote.sign_typed_data(message) == LocalSigner(KEY).sign_typed_data(message)


@pytest.mark.parametrize(
    ("alter", "problem"),
    [
        (lambda raw: raw[:-2], "no signature"),
        (lambda raw: raw[:-2] + "02", "no signature"),
        (lambda raw: raw[:-2] + ("1c" if raw[-2:] == "1b" else "1b"), "signed by|of anybody"),
        (lambda raw: "0x" + "00" * 64 + "1b", "no signature"),
        (
            lambda raw: (
                raw[:66]
                + f"{CURVE_ORDER - int(raw[66:130], 16):064x}"
                + ("1c" if raw[-2:] == "1b" else "1b")
            ),
            "its s is high",
        ),
    ],
)
def test_message__with_a_wrong_signature__is_refused(
    remote: RemoteSigner, server: FakeWeb3Signer, alter: Callable[[str], str], problem: str
) -> None:
    server.lies["eth_signTypedData"] = lambda _params, raw: alter(raw)

    with pytest.raises(SignerAnswerInvalid, match=problem):
        remote.sign_typed_data(award_message())


def test_signatures__of_a_remote_issuer__are_taken_by_the_contract(ledger: Ledger) -> None:
    key = ledger.issuer._key.secret
    credits_ = ledger.contracts.credits
    domain = MessageDomain("Credits", CHAIN, credits_.address)
    awards = [Award(MEMBER, 2, CATEGORY)]
    first, second = ledger.operation(), ledger.operation()
    now = int(ledger.node.header("latest").timestamp, 16)
    with FakeWeb3Signer(key, CHAIN) as server:
        remote = RemoteSigner(server.url, ledger.issuer.address)
        voucher = write_award_batch(
            domain,
            PROGRAMME,
            awards,
            account=remote.address,
            operation_id=first,
            deadline=now + 3600,
        )
        signed = sign_message(voucher, remote, now=now)
        calldata = encode_award(PROGRAMME, awards, second)
        call = Call(remote.address, credits_.address, calldata)
        nonce = ledger.node.nonce(remote.address, "pending")
        fields = prepare_transaction(ledger.node, call, chain_id=CHAIN, nonce=nonce)
        transaction = sign(fields, remote)

    brought = encode_award_by_signature(PROGRAMME, awards, first, signed)
    ledger.do(credits_.address, brought)
    assert broadcast(ledger.node, transaction.raw) is Fate.ACCEPTED
    assert wait_until_mined(ledger.node, transaction.hash, seconds=30).succeeded
    for operation in (first, second):
        assert credits_.operation_sequence(remote.address, operation, at="latest") > 0


def test_check_signed__of_any_own_signature__gives_the_signer() -> None:
    for number in range(1, 40):
        signer = LocalSigner(number.to_bytes(32, "big"))
        fields = replace(FIELDS, nonce=number)

        assert check_signed(signer.sign_transaction(fields), fields) == signer.address
