"""The officers' desk over HTTP: forms that need no script, rights, previews, and sending once."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from ledger.chain.addresses import show_address
from ledger.chain.contracts import authority
from ledger.chain.signers import LocalSigner
from ledger.domain.ids import ALLIANCE_WIDE
from tests.http.desk import Shown, done, officer_at, opened, previewed, sent
from tests.http.wallets import wallet
from tests.http.working import Working, secret_of, working
from tests.support.anvil import Anvil
from tests.support.ledger import CATEGORY, MEMBER, PROGRAMME, running_ledger

AWARD = {
    "organisation": str(MEMBER),
    "category": f"alliance/{CATEGORY}",
    "amount": "7",
    "ground": "none",
}
MEMBERSHIP = f"/desk/memberships/alliance/{MEMBER}"


@pytest.fixture(scope="module")
def at_work(anvil: Anvil, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Working]:
    """A server that may sign, also for two councillors of three, and a treasurer elsewhere."""
    folder = tmp_path_factory.mktemp("desk")
    url = f"sqlite:///{folder / 'ledger.sqlite3'}"
    with running_ledger(anvil, folder) as ledger:
        seat = ledger.contracts.council.seat_of(PROGRAMME, at="latest")
        for role, account in (
            ("treasurer", wallet("treasurer").address),
            ("council", seat),
            ("councillor", ledger.officer.address),
            ("councillor", LocalSigner(secret_of(folder, "maker")).address),
            ("councillor", LocalSigner(secret_of(folder, "checker")).address),
            ("councillor", wallet("third").address),
        ):
            where = ALLIANCE_WIDE if role == "treasurer" else PROGRAMME
            appoint = authority.encode_appoint(role, where, account, ledger.operation())
            ledger.do(ledger.contracts.authority.address, appoint)
        with working(ledger, folder, url, keys="officer,service,maker,checker") as found:
            yield found


@pytest.fixture(scope="module")
def officer(at_work: Working) -> httpx.Client:
    """Who holds every office; the server has the key."""
    return officer_at(at_work, at_work.ledger.officer)


@pytest.fixture(scope="module")
def issuer(at_work: Working) -> httpx.Client:
    """An issuer with a budget of 50 an award and 80 an epoch; another's key signs for him."""
    return officer_at(at_work, at_work.ledger.issuer)


@pytest.fixture(scope="module")
def treasurer(at_work: Working) -> httpx.Client:
    return officer_at(at_work, wallet("treasurer"))


def entries(at_work: Working) -> int:
    at_work.look()
    found: int = len(at_work.client().get(f"/v1/organisations/{MEMBER}/entries").json()["items"])
    return found


def test_desk__of_an_officer__shows_what_waits_and_what_he_may(
    officer: httpx.Client, treasurer: httpx.Client
) -> None:
    page = opened(officer, "/desk").text

    assert "Ending within 60 days" in page
    assert "№ 1" in page  # its membership ends in eleven days
    assert "No membership is suspended." in page
    assert "/desk/awards" in page
    other = opened(treasurer, "/desk").text
    assert "/desk/awards" not in other
    assert "Renewals due" not in other


@pytest.mark.parametrize("path", ["/desk", "/desk/awards", MEMBERSHIP, "/desk/reversals"])
def test_desk__for_nobody_and_for_members__is_refused(at_work: Working, path: str) -> None:
    stranger = officer_at(at_work, wallet("stranger of the desk"))
    nobody = at_work.client()
    nobody.headers["Accept"] = "text/html"

    assert nobody.get(path).status_code == 401
    assert "/me" in nobody.get(path).text
    assert stranger.get(path).status_code == 403
    assert stranger.get(path).headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/desk/awards", "/desk/reversals", MEMBERSHIP])
def test_form__for_another_office__is_refused(
    at_work: Working, treasurer: httpx.Client, officer: httpx.Client, path: str
) -> None:
    fields = {**opened(officer, path).form(), **AWARD, "entry": "1", "step": "send"}
    fields["csrf"] = at_csrf(treasurer)

    assert treasurer.get(path).status_code == 403
    answer = sent(treasurer, path, fields)

    assert answer.status_code == 403, answer.text
    assert entries(at_work) == 0


def at_csrf(client: httpx.Client) -> str:
    found: str = client.get("/v1/session").json()["csrf_token"]
    return found


@pytest.mark.parametrize("token", [None, "", "x" * 43])
def test_form__without_the_sessions_token__is_refused(
    at_work: Working, officer: httpx.Client, token: str | None
) -> None:
    fields = {**opened(officer, "/desk/awards").form(), **AWARD, "step": "send"}
    del fields["csrf"]
    answer = sent(officer, "/desk/awards", fields if token is None else {**fields, "csrf": token})

    assert answer.status_code == 403
    assert entries(at_work) == 0


def test_form__of_another_page__is_refused(officer: httpx.Client) -> None:
    fields = {**opened(officer, "/desk/awards").form(), **AWARD, "step": "send"}
    headers = {"Origin": "https://elsewhere.example"}

    assert officer.post("/desk/awards", data=fields, headers=headers).status_code == 403


def test_award__previewed_and_sent_twice__is_done_once(
    at_work: Working, officer: httpx.Client
) -> None:
    before = entries(at_work)
    shown = previewed(officer, "/desk/awards", **{**AWARD, "organisation": "№ 1"})
    assert entries(at_work) == before
    assert "7 credits" in shown.text
    assert "data.acquire" in shown.text
    fields = {**shown.form(), "step": "send"}

    answers = [sent(officer, "/desk/awards", fields) for _ in range(3)]

    assert {each.status_code for each in answers} == {303}
    (place,) = {each.headers["location"] for each in answers}
    at_work.wait_for(officer, place.replace("/desk/", "/v1/"))
    assert entries(at_work) == before + 1
    page = opened(officer, place).text
    assert "Done" in page
    assert "/entries/" in page
    again = sent(officer, "/desk/awards", {**fields, "step": "preview"})
    assert (again.status_code, again.headers["location"]) == (303, place)
    other = sent(officer, "/desk/awards", {**fields, "amount": "8"})
    assert other.status_code == 422
    assert "This form was sent already" in other.text


def test_award__by_an_issuer__shows_the_budget_that_is_left(
    at_work: Working, issuer: httpx.Client
) -> None:
    assert "80 of 80 credits left" in opened(issuer, "/desk/awards").text
    page = done(at_work, issuer, "/desk/awards", **{**AWARD, "amount": "45"})

    assert "Done" in page
    assert "35 of 80 credits left" in opened(issuer, "/desk/awards").text
    fields = {**opened(issuer, "/desk/awards").form(), **AWARD, "amount": "40"}
    over = sent(issuer, "/desk/awards", {**fields, "step": "preview"})
    assert over.status_code == 403
    assert "more than your budget allows" in over.text
    assert 'value="40"' in over.text  # nothing that was written is lost


def test_award__that_the_contract_refuses__is_told_before_it_is_sent(
    officer: httpx.Client,
) -> None:
    fields = {**opened(officer, "/desk/awards").form(), **AWARD, "amount": "5000"}

    answer = sent(officer, "/desk/awards", {**fields, "step": "preview"})

    assert answer.status_code == 409
    assert "cap does not allow" in answer.text


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("amount", "1.5", "Write a whole number of credits"),
        ("organisation", "99", "one organisation on the register"),
        ("organisation", "nobody at all", "one organisation on the register"),
        ("category", "", "Choose a category"),
        ("ground", "", "say that there is none"),
        ("ground", "kept", "0x and 64 digits"),
        ("ground", "written", "in both languages"),
    ],
)
def test_award__with_a_wrong_field__says_so_beside_it_in_both_languages(
    at_work: Working, officer: httpx.Client, field: str, value: str, said: str
) -> None:
    fields = {**opened(officer, "/desk/awards").form(), **AWARD, field: value}

    answer = sent(officer, "/desk/awards", {**fields, "step": "preview"})

    assert answer.status_code == 422
    assert said in answer.text
    headers = {"Accept-Language": "zh-CN"}
    chinese = officer.post("/desk/awards", data={**fields, "step": "send"}, headers=headers)
    assert chinese.status_code == 422
    assert "没有发送任何内容" in chinese.text
    assert said not in chinese.text


def test_award__with_a_reason_in_two_languages__rests_on_it(
    at_work: Working, officer: httpx.Client
) -> None:
    reason = {"ground": "written", "reason_zh": "提供了数据。", "reason_en": "Provided data."}
    done(at_work, officer, "/desk/awards", **{**AWARD, **reason})

    found = at_work.client().get(f"/v1/organisations/{MEMBER}/entries").json()["items"][0]
    commitment = found["evidence"]["commitment"]
    document = at_work.client().get(f"/v1/evidence/{commitment}").json()
    assert (document["title_zh"], document["title_en"]) == ("提供了数据。", "Provided data.")


def test_reversal__from_the_page_of_an_entry__takes_it_back(
    at_work: Working, officer: httpx.Client
) -> None:
    done(at_work, officer, "/desk/awards", **{**AWARD, "amount": "3"})
    entry = at_work.client().get(f"/v1/organisations/{MEMBER}/entries").json()["items"][0]
    link = f"/desk/reversals?entry={entry['entry_id']}"
    assert link in opened(officer, f"/entries/{entry['entry_id']}").text
    shown = previewed(officer, link, ground="none")
    assert "This cannot be taken back." in shown.text

    page = done(at_work, officer, link, ground="none")

    assert "Done" in page
    found = at_work.client().get(f"/v1/entries/{entry['entry_id']}").json()
    assert found["reversed_by"]
    assert link not in opened(officer, f"/entries/{entry['entry_id']}").text
    fields = {**opened(officer, link).form(), "ground": "none", "step": "preview"}
    again = sent(officer, "/desk/reversals", fields)
    assert again.status_code == 409
    assert "taken back already" in again.text


def test_membership__renewed_suspended_and_resumed__stands_so(
    at_work: Working, officer: httpx.Client
) -> None:
    def standing() -> str:
        found = at_work.client().get(f"/v1/organisations/{MEMBER}").json()["memberships"][0]
        return f"{found['status']} {found['expires_at'][:10]} {found['tier']}"

    shown = previewed(officer, f"{MEMBERSHIP}?act=renewals", until="2091-05-04")
    assert "4 May 2091" in shown.text or "2091-05-04" in shown.text
    done(at_work, officer, f"{MEMBERSHIP}?act=renewals", until="2091-05-04")
    done(at_work, officer, f"{MEMBERSHIP}?act=tier-changes", tier="2")
    renewed = standing()
    page = opened(officer, f"{MEMBERSHIP}?act=suspensions")
    missing = sent(officer, MEMBERSHIP, {**page.form(), "reason": "", "step": "send"})
    done(at_work, officer, f"{MEMBERSHIP}?act=suspensions", reason="fee.unpaid")
    suspended = standing()
    assert "№ 1" in opened(officer, "/desk").text.partition("Suspended</h2>")[2]
    done(at_work, officer, f"{MEMBERSHIP}?act=resumptions")

    assert renewed.startswith("active 2091-05-04")
    assert (missing.status_code, "Choose a reason." in missing.text) == (422, True)
    assert suspended.startswith("suspended")
    assert standing() == renewed


def test_page__of_an_operation__is_for_officers_and_says_what_is_not_there(
    at_work: Working, officer: httpx.Client
) -> None:
    path = "/desk/operations/0x" + "5b" * 32

    assert officer.get(path).status_code == 404
    assert officer_at(at_work, wallet("stranger of the desk")).get(path).status_code == 403


def test_forms__that_are_no_forms__are_refused(officer: httpx.Client) -> None:
    for content, kind in (
        (b"{}", "application/json"),
        (b"a=%ff", "application/x-www-form-urlencoded"),
        (b"a=1", "application/x-www-form-urlencoded"),
        (
            b"&".join(b"a%d=1" % number for number in range(400)),
            "application/x-www-form-urlencoded",
        ),
    ):
        headers = {"Content-Type": kind}
        assert officer.post("/desk/awards", content=content, headers=headers).status_code == 422


def test_preview__of_what_somebody_wrote__is_escaped(officer: httpx.Client) -> None:
    fields = {**opened(officer, "/desk/awards").form(), **AWARD, "organisation": "<b>x</b>"}

    answer = sent(officer, "/desk/awards", {**fields, "step": "preview"})

    assert "<b>x</b>" not in answer.text
    assert Shown(answer.text).form()["organisation"] == "<b>x</b>"


def test_proposal__approved_by_two_and_carried_out_at_the_desk__is_done(
    at_work: Working, officer: httpx.Client, treasurer: httpx.Client
) -> None:
    folder = at_work.settings.home.parent
    maker = at_work.client(LocalSigner(secret_of(folder, "maker")))
    checker = officer_at(at_work, LocalSigner(secret_of(folder, "checker")))
    cap = {"programme": "alliance", "supply_cap": 77_777}
    body = {
        "council": "alliance",
        "no_evidence": True,
        "calls": [{"command": "supply-caps", "body": cap}],
    }
    made = maker.post("/v1/proposals", json=body, headers={"Idempotency-Key": "of-the-desk"})
    assert made.status_code == 202, made.text
    at_work.wait_for(maker, made.headers["location"])
    at_work.look()

    assert "77,777" in opened(officer, "/desk").text
    assert "/desk/proposals/1" not in opened(treasurer, "/desk").text
    path = "/desk/proposals/1"
    assert "77,777" in opened(treasurer, path).text
    assert not any("act" in form for form in opened(treasurer, path).forms)
    fields = {**opened(officer, path).form(0), "csrf": at_csrf(treasurer), "step": "send"}
    assert fields["act"] == "approvals"
    assert sent(treasurer, path, fields).status_code == 403
    swapped = {**opened(officer, path).form(0), "calls_hash": "0x" + "11" * 32, "step": "preview"}
    assert sent(officer, path, swapped).status_code == 422
    third = officer_at(at_work, wallet("third"))
    assert "Approve with my wallet" in opened(third, path).text
    for client in (officer, checker):
        step(at_work, client, path, "approvals")
    assert "2 of 2 approvals" in opened(officer, path).text
    page = step(at_work, officer, path, "executions")

    assert "Done" in page
    assert at_work.client().get("/v1/programmes/alliance").json()["supply_cap"] == 77_777
    assert "Nothing is for you to do about it." in opened(officer, path).text
    assert path in opened(officer, "/desk/proposals?standing=executed").text


def step(at_work: Working, client: httpx.Client, path: str, act: str) -> str:
    """Do one of the things that a page offers; the page of its operation once it is done."""
    forms = opened(client, path).forms
    fields = next({**each, "step": "preview"} for each in forms if each.get("act") == act)
    del fields[""]
    shown = sent(client, path, fields)
    assert shown.status_code == 200, shown.text
    answer = sent(client, path, {**Shown(shown.text).form(), "step": "send"})
    assert answer.status_code == 303, answer.text
    place = answer.headers["location"]
    at_work.wait_for(client, place.replace("/desk/", "/v1/"))
    at_work.look()
    return opened(client, place).text


def test_guide__reads_from_the_ledger_what_is_done(
    at_work: Working, officer: httpx.Client, treasurer: httpx.Client, issuer: httpx.Client
) -> None:
    def following() -> str:
        page = opened(officer, "/desk/guide").text
        return page.partition("card--told")[2].partition("/desk/guide/")[2].partition('"')[0]

    names = {"name_zh": "新", "name_en": "New"}
    assert following() == ""
    done(at_work, officer, "/desk/guide/programme", key="fresh", **names)
    assert following() == "tiers"
    of_fresh = {"programme": "fresh", **names}
    done(at_work, officer, "/desk/guide/tiers", key="regular", **of_fresh)
    assert following() == "categories"
    done(at_work, officer, "/desk/guide/categories", key="data.new", **of_fresh)
    assert following() == "epochs"
    days = {"begins": "2090-01-01", "ends": "2091-01-01"}
    done(at_work, officer, "/desk/guide/epochs", programme="fresh", **days)
    assert following() == ""
    account = show_address(wallet("new issuer").address)
    issuing = {"role": "issuer", "programme": "fresh", "account": account}
    shown = previewed(officer, "/desk/guide/officers", **issuing)
    assert account in shown.text
    assert "can be taken from the account again" in shown.text
    done(at_work, officer, "/desk/guide/officers", **issuing)
    amounts = {"per_award": "5", "per_epoch": "12"}
    given = {"programme": "fresh", "account": account, **amounts}
    keyless = {**opened(treasurer, "/desk/guide/budget").form(), **given, "step": "preview"}
    unsigned = sent(treasurer, "/desk/guide/budget", keyless)
    assert (unsigned.status_code, "no key that may sign" in unsigned.text) == (503, True)
    done(at_work, officer, "/desk/guide/budget", **given)
    assert (
        "12 of 12 credits left"
        in opened(officer_at(at_work, wallet("new issuer")), "/desk/awards").text
    )

    assert "no key that signs this for you" in opened(treasurer, "/desk/guide").text
    assert "no key that signs this for you" not in opened(officer, "/desk/guide").text
    assert (
        show_address(at_work.ledger.officer.address)
        in opened(officer, "/desk/guide/council").form().values()
    )
    over = {**opened(officer, "/desk/guide/budget").form(), **given, "per_award": "13"}
    too_much = sent(officer, "/desk/guide/budget", {**over, "step": "preview"})
    assert "no more than at most in an epoch" in too_much.text

    assert issuer.get("/desk/guide").status_code == 403
    page = opened(treasurer, "/desk/guide/officers")
    refused = sent(treasurer, "/desk/guide/officers", {**page.form(), **issuing, "step": "preview"})
    assert refused.status_code == 403
    nameless = {**opened(officer, "/desk/guide/tiers").form(), "key": "x", "step": "preview"}
    answer = sent(officer, "/desk/guide/tiers", nameless)
    assert (answer.status_code, "a name in both languages" in answer.text) == (422, True)


def test_budgets__given_at_the_desk__are_listed_with_what_is_left(
    at_work: Working, officer: httpx.Client, treasurer: httpx.Client
) -> None:
    account = show_address(wallet("budgeted").address)
    whole, category = "/desk/budgets", "/desk/budgets?act=category-budgets"
    of = {"account": account, "programme": "alliance"}
    done(at_work, officer, whole, **of, per_award="61", per_epoch="973")
    of_category = {"account": account, "category": f"alliance/{CATEGORY}"}
    done(at_work, officer, category, **of_category, per_epoch="457")

    page = opened(treasurer, whole).text
    table = page.partition("</table>")[0]
    rows = [re.sub(r"<[^>]+>|\s+", " ", row) for row in table.split("<tr>")]
    shown = [row.split() for row in rows if account.lower()[:10] in row]
    assert [[each for each in row if each.isdigit()] for row in shown] == [
        ["61", "973", "973"],
        ["457", "457"],
    ]
    assert "holds no office to award by now" in page
    taken = previewed(officer, category, **of_category, per_epoch="").text
    assert f"Takes the limit of the issuer {account}" in taken
    wrong = sent(officer, whole, {**opened(officer, whole).form(), **of, "step": "preview"})
    assert wrong.status_code == 422
    assert "Write a whole number of credits." in wrong.text
