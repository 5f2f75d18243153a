"""Sign-in with Ethereum: a good message signs in, and no other does, in whatever way it is bad."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx
import pytest

from ledger.chain.addresses import show_address
from ledger.chain.sign_in import (
    MAX_MESSAGE,
    is_signed_by_contract,
    is_signed_with_key,
    parse_message,
)
from ledger.chain.signers import CURVE_ORDER, LocalSigner, personal_digest
from ledger.errors import SignInRefused
from tests.http.conftest import NOW, Ledger
from tests.http.wallets import rfc3339, sign, sign_in, wallet, write_message

CLOCK = NOW + 1
OWNER = wallet("owner")
ADDRESS = show_address(OWNER.address)


def post(client: httpx.Client, message: str, signature: str) -> httpx.Response:
    return client.post("/v1/sessions", json={"message": message, "signature": signature})


def given_by(client: httpx.Client) -> dict[str, Any]:
    found: dict[str, Any] = client.get("/v1/sign-in/nonce").json()
    return found


@pytest.fixture
def own_client(own_ledger: Ledger, serve: Callable[..., httpx.Client]) -> httpx.Client:
    """A client of a server of this test alone."""
    return serve(own_ledger.settings)


def test_message__signed_as_asked_for__signs_in(own_client: httpx.Client) -> None:
    answer = sign_in(own_client, OWNER, now=CLOCK)

    assert answer["address"] == ADDRESS
    cookie = own_client.cookies.get("moonlake_session")
    assert cookie
    assert cookie not in str(answer)
    again = own_client.get("/v1/session").json()
    assert (again["address"], again["csrf_token"]) == (ADDRESS, answer["csrf_token"])


def test_cookie__over_http__is_for_the_server_alone(own_client: httpx.Client) -> None:
    given = given_by(own_client)
    message = write_message(ADDRESS, given, now=CLOCK)

    header = post(own_client, message, sign(OWNER, message)).headers["set-cookie"]

    assert "HttpOnly" in header
    assert "SameSite=Lax" in header
    assert "Path=/" in header
    assert "Secure" not in header


def test_cookie__over_https__is_secure_and_this_hosts(
    own_ledger: Ledger, serve: Callable[..., httpx.Client]
) -> None:
    settings = own_ledger.settings.model_copy(update={"public_url": "https://ledger.example.org"})
    client = serve(settings)
    given = given_by(client)
    message = write_message(ADDRESS, given, now=CLOCK)

    answer = post(client, message, sign(OWNER, message))

    assert (given["domain"], given["uri"]) == ("ledger.example.org", "https://ledger.example.org")
    assert answer.status_code == 201
    header = answer.headers["set-cookie"]
    assert header.startswith("__Host-moonlake=")
    assert "Secure" in header
    assert "max-age" in answer.headers["strict-transport-security"]


@dataclass(frozen=True)
class Attack:
    """A way to make a message bad: other values, another text, or another signature."""

    name: str
    changed: dict[str, Any] | None = None
    text: Callable[[str], str] = lambda text: text
    signature: Callable[[str], str] | None = None


def tampered(signature: str) -> bytes:
    return bytes.fromhex(signature[2:])


def high_s(message: str) -> str:
    """The other signature of the same key, which contracts refuse (EIP-2)."""
    raw = tampered(sign(OWNER, message))
    s = CURVE_ORDER - int.from_bytes(raw[32:64], "big")
    return "0x" + (raw[:32] + s.to_bytes(32, "big") + bytes([55 - raw[64]])).hex()


def compact(message: str) -> str:
    """The signature as EIP-2098 has it."""
    raw = tampered(sign(OWNER, message))
    s = int.from_bytes(raw[32:64], "big") | (raw[64] - 27) << 255
    return "0x" + (raw[:32] + s.to_bytes(32, "big")).hex()


ATTACKS = [
    Attack("another domain", {"domain": "evil.example"}),
    Attack("a domain that begins alike", {"domain": "127.0.0.1:8000.evil.example"}),
    Attack("a user before the domain", {"domain": "127.0.0.1:8000@evil.example"}),
    Attack("our domain as a user", {"domain": "evil@127.0.0.1:8000"}),
    Attack("a domain with another port", {"domain": "127.0.0.1:8001"}),
    Attack("a domain without its port", {"domain": "127.0.0.1"}),
    Attack("another scheme", {"scheme": "https://"}),
    Attack("another server's URI", {"uri": "http://evil.example"}),
    Attack("a URI that begins alike", {"uri": "http://127.0.0.1:8000.evil.example/"}),
    Attack("a URI of another scheme", {"uri": "https://127.0.0.1:8000"}),
    Attack("a URI that is none", {"uri": "127.0.0.1:8000"}),
    Attack("version 2", {"version": "2"}),
    Attack("version 1.0", {"version": "1.0"}),
    Attack("another chain", {"chain_id": 1}),
    Attack("a chain with zeros before it", {"chain_id": "031337"}),
    Attack("a chain in hex", {"chain_id": "0x7a69"}),
    Attack("a nonce of its own", {"nonce": "a" * 56}),
    Attack("a short nonce", {"nonce": "abcdefg"}),
    Attack("a nonce with signs", {"nonce": "abcdefgh-12"}),
    Attack("issued in the future", {"issued_at": rfc3339(CLOCK + 3600)}),
    Attack("issued long ago", {"issued_at": rfc3339(CLOCK - 3600)}),
    Attack("issued at no time", {"issued_at": "2025-02-30T00:00:00Z"}),
    Attack("issued without a zone", {"issued_at": "2025-12-25T22:00:00"}),
    Attack("expired", {"more": f"\nExpiration Time: {rfc3339(CLOCK - 1)}"}),
    Attack(
        "expired before it was issued",
        {"issued_at": rfc3339(CLOCK + 30), "more": f"\nExpiration Time: {rfc3339(CLOCK + 10)}"},
    ),
    Attack("not good yet", {"more": f"\nNot Before: {rfc3339(CLOCK + 60)}"}),
    Attack(
        "fields in another order",
        {"more": f"\nNot Before: {rfc3339(CLOCK - 60)}\nExpiration Time: {rfc3339(CLOCK + 600)}"},
    ),
    Attack("a field that is not known", {"more": "\nAdmin: yes"}),
    Attack("a resource that is no URI", {"more": "\nResources:\n- not a uri"}),
    Attack("text after its end", {"more": "\n"}),
    Attack("an address in small letters", {"address": ADDRESS.lower()}),
    Attack("an address in capitals", {"address": "0x" + ADDRESS[2:].upper()}),
    Attack("another's address", {"address": show_address(wallet("other").address)}),
    Attack("nobody's address", {"address": "0x" + "00" * 20}),
    Attack("a statement of two lines", {"statement": "One\nTwo"}),
    Attack("a statement in other letters", {"statement": "签名"}),
    Attack("line ends of another system", text=lambda text: text.replace("\n", "\r\n")),
    Attack("a space before it", text=lambda text: " " + text),
    Attack("a zero byte in it", text=lambda text: text.replace("URI", "\x00URI")),
    Attack("too long", {"statement": "a" * MAX_MESSAGE}),
    Attack("another's signature", signature=lambda text: sign(wallet("other"), text)),
    Attack("a signature of another text", signature=lambda text: sign(OWNER, text + " ")),
    Attack("a high s", signature=high_s),
    Attack("a compact signature", signature=compact),
    Attack("a signature without v", signature=lambda text: sign(OWNER, text)[:-2]),
    Attack("a signature with more", signature=lambda text: sign(OWNER, text) + "00"),
    Attack("v of 0 or 1", signature=lambda text: sign(OWNER, text)[:-2] + "00"),
    Attack("zeros as a signature", signature=lambda _text: "0x" + "00" * 65),
    Attack(
        "r above the curve's order",
        signature=lambda text: "0x" + "ff" * 32 + sign(OWNER, text)[66:],
    ),
    Attack("a signature in no hex", signature=lambda text: "0xzz" + sign(OWNER, text)[4:]),
]


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack.name)
def test_message__that_is_bad__signs_nobody_in(
    writable_client: httpx.Client, attack: Attack
) -> None:
    given = given_by(writable_client)
    message = attack.text(write_message(ADDRESS, given, now=CLOCK, **(attack.changed or {})))
    signature = (attack.signature or (lambda text: sign(OWNER, text)))(message)

    answer = post(writable_client, message, signature)

    # No contract stands behind the address, so that a bad signature is asked of a node: there is
    # none in this test, and whatever is asked is not believed.
    assert answer.status_code in {401, 422, 502}, answer.text
    assert "set-cookie" not in answer.headers
    assert writable_client.get("/v1/session").status_code == 401


def test_attacks__are_forty_and_more() -> None:
    assert len({attack.name for attack in ATTACKS}) >= 40


def test_nonce__used_once__is_used_up(own_client: httpx.Client) -> None:
    message = write_message(ADDRESS, given_by(own_client), now=CLOCK)
    assert post(own_client, message, sign(OWNER, message)).status_code == 201

    again = post(own_client, message, sign(OWNER, message))

    assert again.status_code == 401
    assert "nonce" in again.json()["detail"]


def test_nonce__of_another_ledger__is_none_here(
    templates: Any, tmp_path: Any, serve: Callable[..., httpx.Client]
) -> None:
    ledgers = [tmp_path / name for name in ("one", "two")]
    for each in ledgers:
        each.mkdir()
    one, two = (serve(templates.copy("sqlite", each).settings) for each in ledgers)
    message = write_message(ADDRESS, given_by(one), now=CLOCK)

    assert post(two, message, sign(OWNER, message)).status_code == 401


def test_nonce__of_another_process__is_good_and_once(
    own_ledger: Ledger, serve: Callable[..., httpx.Client]
) -> None:
    one, two = serve(own_ledger.settings), serve(own_ledger.settings)
    message = write_message(ADDRESS, given_by(one), now=CLOCK)

    assert post(two, message, sign(OWNER, message)).status_code == 201
    assert post(one, message, sign(OWNER, message)).status_code == 401


def test_nonce__too_old__is_refused(own_ledger: Ledger, serve: Callable[..., httpx.Client]) -> None:
    times = [CLOCK]
    client = serve(own_ledger.settings, lambda: times[0])
    given = given_by(client)
    times[0] += 601
    message = write_message(ADDRESS, given, now=times[0])

    answer = post(client, message, sign(OWNER, message))

    assert answer.status_code == 401
    assert "too old" in answer.json()["detail"]


def test_session__at_its_end__is_over(
    own_ledger: Ledger, serve: Callable[..., httpx.Client]
) -> None:
    times = [CLOCK]
    client = serve(own_ledger.settings, lambda: times[0])
    sign_in(client, OWNER, now=CLOCK)
    times[0] += 12 * 3600

    assert client.get("/v1/session").status_code == 401


def test_session__signed_out__is_over_for_every_copy(own_client: httpx.Client) -> None:
    session = sign_in(own_client, OWNER, now=CLOCK)
    cookie = own_client.cookies.get("moonlake_session") or ""
    csrf = {"X-CSRF-Token": session["csrf_token"]}

    assert own_client.delete("/v1/session").status_code == 403
    assert own_client.delete("/v1/session", headers=csrf).status_code == 204

    copy = {"Cookie": f"moonlake_session={cookie}"}
    assert own_client.get("/v1/session", headers=copy).status_code == 401


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "0" * 64},
        {"X-CSRF-Token": "good", "Origin": "https://evil.example"},
        {"X-CSRF-Token": "good", "Origin": "null"},
    ],
)
def test_change__that_another_page_could_ask_for__is_refused(
    own_client: httpx.Client, headers: dict[str, str]
) -> None:
    session = sign_in(own_client, OWNER, now=CLOCK)
    if headers.get("X-CSRF-Token") == "good":
        headers = {**headers, "X-CSRF-Token": session["csrf_token"]}

    answer = own_client.post(
        "/v1/api-keys", json={"name": "portal", "scopes": ["read"]}, headers=headers
    )

    assert answer.status_code == 403
    assert answer.json()["code"] == "access.forgery_refused"


def test_parser__of_a_message_with_everything__reads_it() -> None:
    given = {
        "domain": "a.example",
        "uri": "https://a.example/x?y#z",
        "chain_id": 1,
        "nonce": "a1B2c3D4",
    }
    more = (
        f"\nExpiration Time: {rfc3339(CLOCK + 600)}\nNot Before: {rfc3339(CLOCK)}"
        "\nRequest ID: some-id\nResources:\n- ipfs://one\n- https://two.example/%20"
    )
    found = parse_message(
        write_message(ADDRESS, given, now=CLOCK, scheme="https://", statement="", more=more)
    )

    assert (found.scheme, found.domain, found.account) == ("https", "a.example", OWNER.address)
    assert (found.expires_at, found.not_before) == (int(CLOCK + 600), int(CLOCK))


def test_parser__of_the_standards_own_example__reads_it() -> None:
    # EIP-4361, "Informal Message Template" filled as in its first example.
    text = (
        "example.com wants you to sign in with your Ethereum account:\n"
        "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2\n"
        "\n"
        "I accept the ExampleOrg Terms of Service: https://example.com/tos\n"
        "\n"
        "URI: https://example.com/login\n"
        "Version: 1\n"
        "Chain ID: 1\n"
        "Nonce: 32891756\n"
        "Issued At: 2021-09-30T16:25:24Z\n"
        "Resources:\n"
        "- ipfs://bafybeiemxf5abjwjbikoz4mc3a3dla6ual3jsgpdr4cjr3oz3evfyavhwq/\n"
        "- https://example.com/my-web2-claim.json"
    )

    assert parse_message(text).nonce == "32891756"
    with pytest.raises(SignInRefused):
        parse_message(text + "\n- ")


class Contract:
    """A node whose contract wallets answer as they are told (ERC-1271)."""

    def __init__(self, code: bytes, answer: bytes) -> None:
        self._code, self._answer = code, answer
        self.asked: list[bytes] = []

    def code(self, _address: bytes, _block: str) -> bytes:
        return self._code

    def call(self, _to: bytes, data: bytes, _block: str) -> bytes:
        self.asked.append(data)
        return self._answer


MAGIC = bytes.fromhex("1626ba7e") + bytes(28)


@pytest.mark.parametrize(
    ("code", "answer", "good"),
    [
        (b"\x60", MAGIC, True),
        (b"", MAGIC, False),
        (b"\x60", b"", False),
        (b"\x60", bytes(32), False),
        (b"\x60", MAGIC[:4], False),
        (b"\x60", MAGIC + bytes(32), False),
        (b"\x60", bytes(31) + b"\x01", False),
        (b"\x60", bytes.fromhex("1626ba7e") + b"\xff" * 28, False),
    ],
)
def test_contract_wallet__is_believed_for_the_magic_value_alone(
    code: bytes, answer: bytes, good: bool
) -> None:
    node: Any = Contract(code, answer)

    assert is_signed_by_contract(node, OWNER.address, bytes(32), b"\x01" * 70) is good
    for data in node.asked:
        assert data[:4] == bytes.fromhex("1626ba7e")
        assert data[4:36] == bytes(32)
        assert int.from_bytes(data[68:100], "big") == 70
        assert len(data) == 4 + 96 + 96


def test_key__that_signed__is_known() -> None:
    signer = LocalSigner(b"\x07" * 32)
    digest = personal_digest("hello")

    assert is_signed_with_key(signer.address, digest, signer.sign_digest(digest))
    assert not is_signed_with_key(OWNER.address, digest, signer.sign_digest(digest))
