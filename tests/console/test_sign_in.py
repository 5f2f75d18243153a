"""People sign in with a wallet, in a real browser; the wallet signs with a real key."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from ledger.chain.contracts import organisations
from ledger.chain.signers import LocalSigner, personal_digest
from ledger.domain.commands import Registration
from tests.console.opened import Opened, opened_site
from tests.http.wallets import wallet
from tests.http.working import award_of
from tests.support.anvil import Anvil
from tests.support.ledger import PROFILE

MEMBERS_WALLET = wallet("member of the console")
WALLET = """
(({uuid, name, account, refusal}) => {
  const provider = {request: async ({method, params}) => {
    if (refusal && method === refusal.method) throw {code: refusal.code, message: "no"};
    if (method === "eth_requestAccounts") return [account];
    if (method === "personal_sign") return window.signWithWallet(uuid, params[0], params[1]);
    throw {code: 4200, message: "unsupported"};
  }};
  const icon = "data:image/svg+xml,<svg xmlns='http://www.w3.org/2000/svg'/>";
  const detail = Object.freeze({info: {uuid, name, icon, rdns: "org.example"}, provider});
  const announce = () => dispatchEvent(new CustomEvent("eip6963:announceProvider", {detail}));
  addEventListener("eip6963:requestProvider", announce);
  announce();
})(%s)
"""
PROBLEMS = [
    ({"method": "eth_requestAccounts", "code": 4001}, "You declined in your wallet."),
    ({"method": "personal_sign", "code": 4001}, "You declined in your wallet."),
    ({"method": "eth_requestAccounts", "code": -32002}, "already has a question open"),
    ({"method": "personal_sign", "code": 4900}, "Your wallet does not answer."),
]


@pytest.fixture(scope="module")
def opened(
    anvil: Anvil, tmp_path_factory: pytest.TempPathFactory, browser: Browser
) -> Iterator[Opened]:
    folder: Path = tmp_path_factory.mktemp("sign-in")
    with opened_site(anvil, folder, browser, keys="officer") as site:
        ledger = site.at_work.ledger
        member = Registration(MEMBERS_WALLET.address, "company", PROFILE)
        calldata = organisations.encode_register([member], ledger.operation())
        ledger.do(ledger.contracts.organisations.address, calldata)
        site.at_work.look()
        yield site


@pytest.fixture
def window(opened: Opened, browser: Browser) -> Iterator[BrowserContext]:
    """A window of a reader who never was here."""
    context = browser.new_context(locale="en-GB")
    yield context
    context.close()


def at(opened: Opened, window: BrowserContext, path: str = "/me") -> Page:
    page = window.new_page()
    page.goto(opened.address + path)
    return page


def install(window: BrowserContext, *wallets: dict[str, object], **keys: LocalSigner) -> None:
    """Put wallets into each page of the window; they sign what they are asked to."""

    def sign(uuid: str, text: str, account: str) -> str:
        signer = keys[uuid]
        assert account == address_of(signer)
        message = bytes.fromhex(text.removeprefix("0x")).decode()
        return "0x" + signer.sign_digest(personal_digest(message)).hex()

    window.expose_function("signWithWallet", sign)
    for each in wallets:
        window.add_init_script(WALLET % json.dumps(each))


def address_of(signer: LocalSigner) -> str:
    return "0x" + signer.address.hex()


def of(signer: LocalSigner, uuid: str, name: str, **more: object) -> dict[str, object]:
    return {"uuid": uuid, "name": name, "account": address_of(signer), **more}


def test_member__with_a_wallet__signs_in_sees_its_own_and_signs_out(
    opened: Opened, window: BrowserContext
) -> None:
    install(window, of(MEMBERS_WALLET, "one", "Star Wallet"), one=MEMBERS_WALLET)
    page = at(opened, window)
    page.get_by_role("button", name="Star Wallet").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("My page")
    expect(page.get_by_text("This account holds no office.")).to_be_visible()
    page.get_by_role("link", name="№ 3").click()
    expect(page).to_have_url(re.compile("/organisations/3$"))

    page.goto(opened.address + "/me")
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")


def test_officer__with_several_wallets__chooses_and_sees_offices_and_requests(
    opened: Opened, window: BrowserContext
) -> None:
    officer = opened.at_work.ledger.officer
    client = opened.at_work.client(officer)
    asked = client.post(
        "/v1/awards", json=award_of(7), headers={"Idempotency-Key": "of-the-console"}
    )
    assert asked.status_code == 202, asked.text
    opened.at_work.wait_for(client, asked.headers["location"])
    wallets = (of(MEMBERS_WALLET, "one", "Star Wallet"), of(officer, "two", "Moon Wallet"))
    install(window, *wallets, one=MEMBERS_WALLET, two=officer)
    page = at(opened, window)

    page.get_by_role("button", name="Moon Wallet").click()

    offices = page.get_by_role("region", name="My offices")
    expect(offices.get_by_role("heading", level=3)).to_have_text(
        ["Administrator", "Council's powers", "Issuer", "Registrar", "Treasurer"]
    )
    requests = page.get_by_role("table", name=re.compile("Requests of this account"))
    expect(requests.get_by_role("row").nth(1)).to_contain_text("Done")


@pytest.mark.parametrize(("refusal", "said"), PROBLEMS)
def test_wallet__that_refuses__is_told_and_can_be_asked_again(
    opened: Opened, window: BrowserContext, refusal: dict[str, object], said: str
) -> None:
    told = of(MEMBERS_WALLET, "one", "Star Wallet", refusal=refusal)
    install(window, told, one=MEMBERS_WALLET)
    page = at(opened, window)
    button = page.get_by_role("button", name="Star Wallet")

    button.click()

    expect(page.get_by_text(said)).to_be_visible()
    expect(button).to_be_enabled()


def test_wallet__of_another_key_than_it_says__is_refused_by_the_server(
    opened: Opened, window: BrowserContext
) -> None:
    window.expose_function("signWithWallet", lambda *_: "0x" + "11" * 65)
    claimed = {"uuid": "one", "name": "Star", "account": "0x" + "3c" * 20}
    window.add_init_script(WALLET % json.dumps(claimed))
    page = at(opened, window)
    page.get_by_role("button", name="Star").click()

    expect(page.get_by_text("The server did not take the signature.")).to_contain_text(
        "access.sign_in_refused"
    )


def test_browser__without_a_wallet__says_what_to_do(opened: Opened, window: BrowserContext) -> None:
    page = at(opened, window)

    expect(page.get_by_text("This browser has no wallet.")).to_be_visible()


def test_browser__without_scripts__says_what_it_needs(opened: Opened, browser: Browser) -> None:
    context = browser.new_context(java_script_enabled=False, locale="zh-CN")
    page = at(opened, context)

    expect(page.get_by_text("登录需要启用脚本")).to_be_visible()
    context.close()


def test_my_page__of_one__is_kept_by_nobody(opened: Opened) -> None:
    answer = opened.at_work.client().get("/me")

    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert "etag" not in answer.headers


def test_page__that_needs_signing_in__signs_in_there_and_is_shown(
    opened: Opened, window: BrowserContext
) -> None:
    install(window, of(MEMBERS_WALLET, "one", "Star Wallet"), one=MEMBERS_WALLET)
    page = at(opened, window, "/desk/guide")
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in first")
    page.get_by_role("button", name="Star Wallet").click()

    expect(page.get_by_role("heading", level=1)).to_have_text("This is not for your account")
    expect(page).to_have_url(opened.address + "/desk/guide")


def test_server__that_cannot_bring_a_message__says_so_before_one_is_signed(
    opened: Opened, window: BrowserContext
) -> None:
    install(window, of(MEMBERS_WALLET, "one", "Star Wallet"), one=MEMBERS_WALLET)
    page = at(opened, window, "/me/control")
    page.get_by_role("button", name="Star Wallet").click()

    expect(page.get_by_text("nothing can be signed here now")).to_be_visible()
    expect(page.locator("#signing")).to_have_count(0)
