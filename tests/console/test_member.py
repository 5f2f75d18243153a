"""What a member does on its own pages, in a real browser; its wallet signs with a real key."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from eth_account.messages import _hash_eip191_message, encode_typed_data
from playwright.sync_api import Browser, BrowserContext, Page, expect

from ledger.chain.addresses import show_address
from ledger.chain.signers import LocalSigner, personal_digest
from tests.console.measuring import serious_findings
from tests.console.opened import Opened, opened_site
from tests.http.wallets import rfc3339, wallet
from tests.http.working import award_of
from tests.support.anvil import running_anvil

DAY = 86_400
MEMBER, SUCCESSOR, STRANGER = (wallet(f"{name} of the pages") for name in ("one", "two", "three"))
ORGANISATION = 3
CHAIN = 31337
WALLET = (Path(__file__).parent / "wallet.js").read_text("utf-8")


@dataclass
class House:
    """A site with a member that has 60 credits, a benefit that costs 10, and two pools shared by an
    epoch that is over: of the first it has 30 to claim now, and of the second later."""

    site: Opened
    listing: int
    shares: tuple[int, int] = (0, 0)

    @property
    def address(self) -> str:
        return self.site.address

    def do(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """A command of the officer's, done and mirrored."""
        at_work = self.site.at_work
        key = {"Idempotency-Key": f"{path}-{time.monotonic_ns()}"}
        answer = self.officer.post(f"/v1/{path}", json=body, headers=key)
        assert answer.status_code == 202, answer.text
        assert at_work.wait_for(self.officer, answer.headers["location"])["state"] == "included"
        at_work.look()
        found: dict[str, Any] = self.officer.get(answer.headers["location"]).json()
        return found

    @property
    def officer(self) -> Any:
        if not hasattr(self, "_officer"):
            self._officer = self.site.at_work.client(self.site.at_work.ledger.officer)
        return self._officer

    def balance(self) -> int:
        """What the member has."""
        items = self.officer.get(f"/v1/organisations/{ORGANISATION}/balances").json()["items"]
        found: int = items[0]["credits"]
        return found

    def mine(self) -> None:
        """Blocks enough that what was done is final, seen by the mirror."""
        self.site.at_work.ledger.anvil.rpc.call("anvil_mine", hex(80))
        self.site.at_work.look()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, browser: Browser) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("member")
    # A chain that begins days ago: an epoch must be over, and a day be left for checking, before
    # anything is claimed; today comes when all that is done.
    begun = int(time.time()) - 3 * DAY
    with (
        running_anvil(folder, "--timestamp", str(begun)) as anvil,
        opened_site(anvil, folder, browser, keys="officer,service,relayer") as site,
    ):
        found = House(site, 0)
        names = {"key": "star", "name_zh": "星桥", "name_en": "Star Bridge", "kind": "company"}
        member = {"controller": show_address(MEMBER.address), **names}
        found.do("organisations", {"organisations": [member]})
        ends = rfc3339(time.time() + 30 * DAY)
        admitted = {"programme": "alliance", "organisations": [ORGANISATION], "expires_at": ends}
        found.do("admissions", admitted)
        found.shares = shared_pools(found, begun)
        awards = [{"organisation": ORGANISATION, "amount": 90, "category": "data.acquire"}]
        found.do("awards", award_of(1, awards=awards))
        now = time.time()
        listing = {
            "programme": "alliance",
            "key": "scenario-slot",
            "name_zh": "应用场景名额",
            "name_en": "Scenario slot",
            "price": 10,
            "capacity": 9,
            "per_organisation": 7,
            "opens_at": rfc3339(now - DAY),
            "closes_at": rfc3339(now + DAY),
        }
        found.listing = found.do("benefits", listing)["made"][0]["number"]
        yield found


def shared_pools(house: House, begun: int) -> tuple[int, int]:
    """Pools of a programme of its own, shared by its first epoch, and today."""
    rpc = house.site.at_work.ledger.anvil.rpc

    def pass_to(moment: float) -> None:
        rpc.call("evm_setNextBlockTimestamp", int(moment))
        rpc.call("evm_mine")
        house.site.at_work.look()

    of = {"programme": "pool"}
    house.do("programmes", {"key": "pool", "name_zh": "共享池", "name_en": "Pool"})
    house.do("tiers", {**of, "tiers": [{"key": "member"}]})
    house.do("category-openings", {**of, "categories": [{"key": "data.use"}]})
    ends = [rfc3339(begun + days * DAY) for days in (-0.1, 0.5, 100)]
    house.do("epoch-boundaries", {**of, "boundaries": ends})
    ends_at = {"expires_at": rfc3339(begun + 50 * DAY)}
    house.do("admissions", {**of, "organisations": [ORGANISATION], **ends_at})
    award = {"organisation": ORGANISATION, "amount": 30, "category": "data.use"}
    house.do("awards", {**of, "awards": [award], "no_evidence": True})
    pass_to(begun + DAY)
    pool = {**of, "epoch": 1, "pool": 30, "rule": {}, "claimable_until": rfc3339(begun + 60 * DAY)}
    numbers = [
        house.do("shares", {**pool, "unit": unit, "claimable_from": rfc3339(begun + days * DAY)})
        for unit, days in (("seat", 2.5), ("launch", 30))
    ]
    pass_to(time.time())
    first, second = (each["made"][0]["number"] for each in numbers)
    return first, second


@pytest.fixture
def windows(browser: Browser) -> Iterator[list[BrowserContext]]:
    """Windows that are closed in the end."""
    opened: list[BrowserContext] = []
    yield opened
    for each in opened:
        each.close()


def sign_for(signer: LocalSigner, chosen: dict[str, Any]) -> Any:
    """What a wallet does when it is asked to sign; `chosen` keeps what it was shown."""

    def sign(method: str, text: str) -> str:
        if method == "personal_sign":
            digest = personal_digest(bytes.fromhex(text.removeprefix("0x")).decode())
        else:
            chosen["typed"] = json.loads(text)
            digest = digest_of(chosen["typed"])
        return "0x" + signer.sign_digest(digest).hex()

    return sign


def digest_of(typed: dict[str, Any]) -> bytes:
    """The digest of typed data as a wallet computes it, and not as this ledger does."""
    return bytes(_hash_eip191_message(encode_typed_data(full_message=typed)))


def window(
    browser: Browser,
    windows: list[BrowserContext],
    signer: LocalSigner,
    *,
    language: str = "en-GB",
    width: int = 1280,
    **told: Any,
) -> tuple[BrowserContext, dict[str, Any]]:
    """A window with a wallet; what that was shown."""
    context = browser.new_context(locale=language, viewport={"width": width, "height": 900})
    windows.append(context)
    chosen: dict[str, Any] = {}
    context.expose_function("signWithWallet", sign_for(signer, chosen))
    account = "0x" + signer.address.hex()
    values = {"account": account, "chain": CHAIN, "refusals": {}, **told}
    context.add_init_script(WALLET % json.dumps(values))
    return context, chosen


def sign_in(house: House, context: BrowserContext, path: str = "/me") -> Page:
    page = context.new_page()
    page.goto(house.address + path)
    page.get_by_role("button", name="Star Wallet").click()
    expect(page.locator("#sign-in")).to_have_count(0)
    return page


@pytest.mark.parametrize(
    ("language", "width", "go_on", "done"),
    [("en-GB", 1280, "Go on to sign", "It is redeemed."), ("zh-CN", 390, "继续签名", "兑换完成")],
)
def test_member__redeems_what_the_preview_showed_and_follows_it_to_the_end(
    house: House,
    browser: Browser,
    windows: list[BrowserContext],
    language: str,
    width: int,
    go_on: str,
    done: str,
) -> None:
    before = house.balance()
    context, chosen = window(browser, windows, MEMBER, language=language, width=width)
    page = sign_in(house, context)
    page.locator(f"a[href='/me/benefits/{house.listing}']").click()
    page.locator("input[name=quantity]").fill("2")
    page.locator("input[name=quantity]").press("Enter")
    balance = page.locator(".change tbody tr").first
    expect(balance.locator("td").nth(0)).to_contain_text(str(before))
    expect(balance.locator("td").nth(1)).to_contain_text(str(before - 20))

    page.get_by_role("button", name=go_on).click()
    expect(page.locator(".says")).to_contain_text("20")
    expect(page.locator("[data-begin], [data-again]").first).to_be_hidden()
    expect(page.locator("[data-again]")).to_be_hidden()
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert "typed" not in chosen  # nothing is asked of a wallet before its sentences are shown
    page.locator("#signing").get_by_role("button", name="Star Wallet").click()
    expect(page.locator("[data-step=included]")).to_have_attribute("aria-current", "step")
    house.mine()

    expect(page.get_by_text(done)).to_be_visible(timeout=30_000)
    expect(page.locator("[data-step=final]")).to_have_class(re.compile("is-done"))
    assert chosen["typed"]["message"]["quantity"] in (2, "2")
    assert house.balance() == before - 20
    page.goto(house.address + "/me")
    expect(page.locator("table", has_text=re.compile("What I redeemed|我的兑换"))).to_be_visible()
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_member__claims_its_share_once_and_is_told_what_can_be_claimed_when(
    house: House, browser: Browser, windows: list[BrowserContext]
) -> None:
    now, later = house.shares
    context, chosen = window(browser, windows, MEMBER, language="zh-CN", width=390)
    page = sign_in(house, context)
    expect(page.locator(f"a[href='/me/shares/{later}']")).to_be_visible()
    page.locator(f"a[href='/me/shares/{now}']").click()
    expect(page.locator(".change tbody tr").first).to_contain_text("30")
    page.get_by_role("button", name="继续签名").click()
    expect(page.locator(".says")).to_contain_text("组织3（星桥 Star Bridge）")
    assert serious_findings(page) == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert "typed" not in chosen  # nothing is asked of a wallet before its sentences are shown
    page.locator("#signing").get_by_role("button", name="Star Wallet").click()
    expect(page.locator("[data-step=included]")).to_have_attribute("aria-current", "step")
    house.mine()
    expect(page.get_by_text("份额已领取。")).to_be_visible(timeout=30_000)
    assert chosen["typed"]["primaryType"] == "Claim"
    assert chosen["typed"]["message"]["amount"] in (30, "30")

    page.goto(f"{house.address}/me/shares/{now}?lang=en")
    expect(page.get_by_text("There is nothing left to do here.")).to_be_visible()
    expect(page.locator("#signing")).to_have_count(0)
    page.goto(f"{house.address}/me/shares/{later}")
    expect(page.get_by_text("It cannot be claimed yet")).to_be_visible()
    expect(page.locator("#signing")).to_have_count(0)
    page.goto(f"{house.address}/me")
    expect(page.locator("table", has_text="What I claimed")).to_contain_text("30")
    expect(page.locator(f"a[href='/me/shares/{now}']")).to_have_count(0)
    assert serious_findings(page) == []


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ({"refusals": {"eth_signTypedData_v4": 4001}}, "You declined in your wallet."),
        ({"refusals": {"eth_signTypedData_v4": 4900}}, "Your wallet does not answer."),
        ({"chain": 1, "refusals": {"wallet_switchEthereumChain": 4902}}, "on another network"),
        ({"later": "0x" + STRANGER.address.hex()}, "The wallet is at another account."),
    ],
)
def test_wallet__that_does_not_sign__is_told_and_nothing_is_redeemed(
    house: House,
    browser: Browser,
    windows: list[BrowserContext],
    told: dict[str, Any],
    said: str,
) -> None:
    before = house.balance()
    context, chosen = window(browser, windows, MEMBER, **told)
    page = sign_in(house, context, f"/me/benefits/{house.listing}")
    page.get_by_role("button", name="Go on to sign").click()
    page.locator("#signing").get_by_role("button", name="Star Wallet").click()

    expect(page.get_by_text(said)).to_be_visible()
    expect(page.locator("#signing").get_by_role("button", name="Star Wallet")).to_be_enabled()
    assert "typed" not in chosen
    house.site.at_work.look()
    assert house.balance() == before


def test_wallet__on_another_network__is_switched_where_it_lets_itself(
    house: House, browser: Browser, windows: list[BrowserContext]
) -> None:
    before = house.balance()
    context, _ = window(browser, windows, MEMBER, chain=1)
    page = sign_in(house, context, f"/me/benefits/{house.listing}")
    page.get_by_role("button", name="Go on to sign").click()
    page.locator("#signing").get_by_role("button", name="Star Wallet").click()

    expect(page.locator("[data-step=included]")).to_have_attribute("aria-current", "step")
    house.mine()
    assert house.balance() == before - 10


def test_preview__of_more_than_may_be_redeemed__says_why_and_offers_nothing_to_sign(
    house: House, browser: Browser, windows: list[BrowserContext]
) -> None:
    context, _ = window(browser, windows, MEMBER)
    page = sign_in(house, context, f"/me/benefits/{house.listing}?quantity=9")

    expect(page.get_by_text("This would be refused:")).to_be_visible()
    expect(page.locator("#signing")).to_have_count(0)


def test_number__changed_after_its_preview__is_previewed_before_it_is_signed(
    house: House, browser: Browser, windows: list[BrowserContext]
) -> None:
    context, _ = window(browser, windows, MEMBER)
    page = sign_in(house, context, f"/me/benefits/{house.listing}")
    page.locator("input[name=quantity]").fill("2")
    page.get_by_role("button", name="Go on to sign").click()

    expect(page).to_have_url(re.compile(r"quantity=2$"))
    expect(page.locator(".change tbody tr").first).to_contain_text("−20")
    expect(page.locator(".says li")).to_have_count(0)

    # And handing on to oneself is no handing on.
    page.goto(house.address + "/me/control")
    field = page.locator("[data-value=successor]")
    field.fill("0x" + MEMBER.address.hex())
    page.get_by_role("button", name="Go on to sign").click()
    assert "already" in field.evaluate("field => field.validationMessage")
    expect(page.locator(".says li")).to_have_count(0)


def test_member__without_a_wallet__is_told_what_to_do(
    house: House, browser: Browser, windows: list[BrowserContext]
) -> None:
    context = browser.new_context(locale="en-GB")
    windows.append(context)
    page = context.new_page()
    page.goto(f"{house.address}/me/benefits/{house.listing}")

    expect(page.get_by_text("This browser has no wallet.")).to_be_visible()


def test_control__handed_on_on_one_page__is_taken_over_on_the_others(
    house: House, browser: Browser, windows: list[BrowserContext]
) -> None:
    context, _ = window(browser, windows, MEMBER)
    page = sign_in(house, context, "/me/control")
    page.locator("input[data-value=successor]").fill(show_address(SUCCESSOR.address))
    page.get_by_role("button", name="Go on to sign").click()
    expect(page.locator(".says")).to_contain_text(show_address(SUCCESSOR.address))
    page.locator("#signing").get_by_role("button", name="Star Wallet").click()
    expect(page.locator("[data-step=included]")).to_have_attribute("aria-current", "step")
    house.mine()
    expect(page.get_by_text("The account is named.")).to_be_visible(timeout=30_000)

    other, _ = window(browser, windows, SUCCESSOR)
    theirs = sign_in(house, other)
    theirs.get_by_role("link", name="Take it over").click()
    theirs.get_by_role("button", name="Go on to sign").click()
    theirs.locator("#signing").get_by_role("button", name="Star Wallet").click()
    expect(theirs.locator("[data-step=included]")).to_have_attribute("aria-current", "step")
    house.mine()

    theirs.goto(house.address + "/me")
    expect(theirs.get_by_role("link", name="Star Bridge")).to_be_visible()
    page.goto(house.address + "/me/control")
    expect(page.get_by_text("This account acts for no organisation")).to_be_visible()
