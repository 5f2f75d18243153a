"""What members and officers do on the command line: benefits, control, vouchers; what they see."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from ledger.chain.addresses import show_address
from ledger.domain.ids import OrgId, ProgrammeId
from ledger.processes import wait_until
from ledger.wiring import list_accounts, opened_chain
from tests.support.stacks import CommandLine, RunningStack

REFUSED = 5
COMMUNITY = ProgrammeId(2)
FAR = "2099-12-31"


@pytest.fixture
def command_line(demonstration: RunningStack, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(demonstration.settings, monkeypatch)


@pytest.fixture
def member(command_line: CommandLine, demonstration: RunningStack) -> OrgId:
    """A member of the community whose key is here, with 100 credits at first."""
    have = {each["name"] for each in command_line.json("keys", "list")["keys"]}
    if "member" not in have:
        for name in ("member", "heir", "relayer", "other-relayer"):
            if name not in have:
                command_line.json("keys", "new", name)
        account = show_address(list_accounts(demonstration.settings)["member"])
        command_line.json("org", "register", "a-member", account, "--name-en", "A member")
    with opened_chain(demonstration.settings) as chain:
        account_bytes = list_accounts(demonstration.settings)["member"]
        org_id = chain.contracts.organisations.organisation_of(account_bytes, at="latest")
    if "member" not in have:
        command_line.json("membership", "admit", "2", str(org_id), "--expires", FAR)
        award = ("credit", "award", "2", str(org_id), "100", "data.acquire", "--no-evidence")
        command_line.json(*award)
    return org_id


def days_from_now(demonstration: RunningStack, days: int) -> str:
    with opened_chain(demonstration.settings) as chain:
        now = int(chain.node.header("latest").timestamp, 16)
    moment = time.gmtime(max(now, int(time.time())) + days * 86_400)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", moment)


def sign_awards(command_line: CommandLine, path: Path, *given: str) -> dict[str, Any]:
    command_line.run("credit", "sign", "2", *given, "--no-evidence", "--out", str(path))
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def test_benefit__opened_redeemed_and_settled__is_seen_in_lists(
    command_line: CommandLine, demonstration: RunningStack, member: OrgId
) -> None:
    window = ("--opens", "2026-01-01", "--closes", FAR)
    opened = command_line.json(
        "benefit", "open", "community", "pilot-slot", "10", "3", "--name-en", "A slot", *window
    )
    number = str(opened["listing_id"])
    redeem = ("benefit", "redeem", number, str(member), "2", "--as", "member")
    key = ("--operation-id", f"0x{4040:064x}")

    first, again = command_line.json(*redeem, *key), command_line.json(*redeem, *key)
    second = command_line.json("benefit", "redeem", number, str(member), "1", "--as", "member")
    over = command_line.json(*redeem)["error"]
    by_officer = command_line.json("benefit", "redeem", number, str(member), "--as", "council")
    fulfilled = command_line.run("benefit", "fulfil", "community", str(first["redemption_id"]))
    cancelled = command_line.run("benefit", "cancel", str(second["redemption_id"]))
    found = command_line.json("benefit", "redemptions", "--listing", number)["redemptions"]

    assert again["operation"] == first["operation"]
    assert again["redemption_id"] == first["redemption_id"]
    assert over["values"]["name"] == "BenefitsOverCapacity"
    assert by_officer["error"]["values"]["name"] == "BenefitsNotController"
    assert (fulfilled.returncode, cancelled.returncode) == (0, 0)
    assert [each["status"] for each in found] == ["cancelled", "fulfilled"]
    listed = command_line.json("benefit", "list", "community")["listings"]
    assert (listed[0]["listing_id"], listed[0]["left"]) == (int(number), 1)
    assert command_line.run("benefit", "close", number).returncode == 0
    assert "closed" in command_line.run("benefit", "list").stdout


def test_org__rotated_and_accepted__is_acted_for_by_the_other_key(
    command_line: CommandLine, demonstration: RunningStack
) -> None:
    for name in ("first-key", "second-key"):
        command_line.json("keys", "new", name)
    accounts = list_accounts(demonstration.settings)
    done = command_line.json(
        "org", "register", "rotated", show_address(accounts["first-key"]), "--name-en", "Rotated"
    )
    org = str(done["org_ids"][0])

    stranger = command_line.json("org", "rotate", org, "second-key", "--as", "council")["error"]
    command_line.json("org", "rotate", org, "second-key", "--as", "first-key")
    accepted = command_line.run("org", "accept", org, "--as", "second-key")

    assert stranger["values"]["name"] == "OrganisationsNotController"
    assert f"Act for organisation {org} from now on: done." in accepted.stdout
    with opened_chain(demonstration.settings) as chain:
        controller = chain.contracts.organisations.controller_of(OrgId(int(org)), at="latest")
    assert controller == accounts["second-key"]


def test_org__recovered__can_be_objected_to_and_is_not_finished_early(
    command_line: CommandLine, demonstration: RunningStack, member: OrgId
) -> None:
    recover = ("org", "recover", str(member), "heir", "--no-evidence")

    begun = command_line.json(*recover)
    early = command_line.json("org", "finish-recovery", str(member))["error"]
    objected = command_line.run("org", "object", str(member), "--as", "member")
    gone = command_line.json("org", "finish-recovery", str(member))["error"]

    assert begun["finishable_from"] > 0
    assert early["values"]["name"] == "OrganisationsRecoveryTooEarly"
    assert objected.returncode == 0
    assert gone["values"]["name"] == "OrganisationsNoRecovery"


def test_org__merged__leaves_its_balance_to_what_it_is_part_of(
    command_line: CommandLine, demonstration: RunningStack, member: OrgId
) -> None:
    done = command_line.json("org", "register", "merged", "0x" + "ab" * 20, "--name-en", "Merged")
    org = str(done["org_ids"][0])
    command_line.json("membership", "admit", "2", org, "--expires", FAR)
    command_line.json("credit", "award", "2", org, "7", "data.acquire", "--no-evidence")

    still = command_line.json("org", "merge", org, str(member), "--no-evidence")["error"]
    command_line.json("membership", "revoke", "2", org)
    merged = command_line.run("org", "merge", org, str(member), "--no-evidence")
    moved = command_line.json("credit", "carry-over", "2", org)

    assert still["values"]["name"] == "OrganisationsStillMember"
    assert f"moonlake credit carry-over PROGRAMME {org}" in merged.stdout
    assert moved["operation"]["state"] == "included"
    with opened_chain(demonstration.settings) as chain:
        left = chain.contracts.credits.balance_of(COMMUNITY, OrgId(int(org)), at="latest")
    assert left == 0


def test_voucher__of_an_award__is_brought_once_by_a_key_that_may_not_award(
    command_line: CommandLine, member: OrgId, tmp_path: Path
) -> None:
    path = tmp_path / "award.json"
    found = sign_awards(command_line, path, f"{member}:5:data.acquire", f"{member}:6:data.use")
    assert found["says"]["en"][0].startswith("Awards 11 credits in programme 2, in 2 entries.")
    assert f"组织{member}因data.use得6积分，证明文件无" in found["says"]["zh-CN"]

    shown = command_line.run("voucher", "show", str(path))
    rehearsed = command_line.json("voucher", "submit", str(path), "--dry-run")
    done = command_line.json("voucher", "submit", str(path))
    again = command_line.json("voucher", "submit", str(path))

    assert "Awards 11 credits" in shown.stdout
    assert rehearsed["call"] == "Credits.awardBySignature"
    assert done["operation"]["last_sequence"] == done["operation"]["first_sequence"] + 1
    assert again["operation"] == done["operation"]


@pytest.mark.parametrize(
    ("alter", "code"),
    [
        (lambda file: file["typed_data"]["domain"].update(chainId=5), "voucher.other_chain"),
        (
            lambda file: file["typed_data"]["domain"].update(
                verifyingContract=show_address(b"\x07" * 20)
            ),
            "voucher.other_contract",
        ),
        (lambda file: file.update(signature=_high(file["signature"])), "voucher.signature_high"),
        (lambda file: file.update(signature="0x1234"), "voucher.signature_unusable"),
        (
            lambda file: file.update(signature=_other_parity(file["signature"])),
            "voucher.wrong_signer",
        ),
        (lambda file: file["says"]["en"].append("And nothing else."), "input.invalid_file"),
        (lambda file: file["typed_data"]["message"].update(programmeId=1), "input.invalid_file"),
        (lambda file: file.update(schema="moonlake.voucher/2"), "input.invalid_file"),
    ],
    ids=["chain", "contract", "high-s", "no-signature", "signer", "says", "message", "schema"],
)
def test_voucher__that_was_altered__is_refused_by_name_before_anything_is_sent(
    command_line: CommandLine, member: OrgId, tmp_path: Path, alter: Any, code: str
) -> None:
    path = tmp_path / "award.json"
    found = sign_awards(command_line, path, f"{member}:5:data.acquire")
    alter(found)
    path.write_text(json.dumps(found), "utf-8")

    for verb in ("check", "submit"):
        done = command_line.run("voucher", verb, str(path), "--json")
        assert done.returncode == 2, done.stdout
        assert json.loads(done.stdout)["error"]["code"] == code


def test_voucher__expired_or_asleep__is_refused(
    command_line: CommandLine, demonstration: RunningStack, member: OrgId, tmp_path: Path
) -> None:
    award = ("credit", "sign", "2", f"{member}:5:data.acquire", "--no-evidence")
    late, path = tmp_path / "late.json", tmp_path / "far.json"

    command_line.run(*award, "--good-until", "2026-01-01", "--out", str(late))
    far = command_line.json(*award, "--good-until", "2099-01-01")

    assert command_line.json("voucher", "submit", str(late))["error"]["code"] == "voucher.expired"
    assert far["error"]["values"]["field"] == "deadline"
    assert not path.exists()


def test_voucher__cancelled_by_its_signer__counts_no_more(
    command_line: CommandLine, member: OrgId, tmp_path: Path
) -> None:
    path, cancellation = tmp_path / "award.json", tmp_path / "cancellation.json"
    sign_awards(command_line, path, f"{member}:5:data.acquire")

    by_another = command_line.json("voucher", "cancel", str(path), "--as", "council")["error"]
    command_line.run("voucher", "sign-cancellation", str(path), "--out", str(cancellation))
    done = command_line.json("voucher", "submit", str(cancellation))

    assert by_another["values"]["field"] == "key"
    assert done["operation"]["state"] == "included"
    refused = command_line.json("voucher", "submit", str(path))["error"]
    assert refused["code"] == "voucher.cancelled"
    again = command_line.json("voucher", "submit", str(cancellation))
    assert again["operation"]["operation_id"] == done["operation"]["operation_id"]


def test_voucher__of_a_consent__admits_the_applicant_by_the_registrar(
    command_line: CommandLine, demonstration: RunningStack, tmp_path: Path
) -> None:
    command_line.json("keys", "new", "applicant")
    account = list_accounts(demonstration.settings)["applicant"]
    done = command_line.json(
        "org", "register", "applicant", show_address(account), "--name-en", "Applicant"
    )
    org, path = str(done["org_ids"][0]), tmp_path / "consent.json"
    sign = ("membership", "sign", "2", org, "--tier", "1", "--as", "applicant")
    command_line.run(*sign, "--out", str(path))
    bring = ("voucher", "submit", str(path), "--as", "registrar")

    without_end = command_line.json(*bring)["error"]
    by_nobody = command_line.json("voucher", "submit", str(path), "--expires", FAR)["error"]
    admitted = command_line.json(*bring, "--expires", FAR)

    assert without_end["values"]["field"] == "expires"
    assert by_nobody["values"]["name"] == "AuthorityRoleMissing"
    assert admitted["operation"]["command"] == "bring-application"
    assert command_line.json(*bring, "--expires", FAR)["error"]["code"] == "voucher.used"


def test_vouchers__of_redemption_and_rotation__act_for_who_signed_them(
    command_line: CommandLine, demonstration: RunningStack, member: OrgId, tmp_path: Path
) -> None:
    window = ("--opens", "2026-01-01", "--closes", FAR)
    opened = command_line.json("benefit", "open", "2", "one-slot", "4", "5", *window)
    redemption, rotation = tmp_path / "redemption.json", tmp_path / "rotation.json"
    sign = ("benefit", "sign", str(opened["listing_id"]), str(member), "2", "--programme", "2")
    command_line.run(*sign, "--price", "4", "--as", "member", "--out", str(redemption))
    heir = show_address(list_accounts(demonstration.settings)["heir"])
    rotate = ("org", "sign-rotation", str(member), heir, "--as", "member")
    command_line.run(*rotate, "--out", str(rotation))

    redeemed = command_line.json("voucher", "submit", str(redemption))
    rotated = command_line.json("voucher", "submit", str(rotation), "--as", "other-relayer")

    assert redeemed["operation"]["state"] == rotated["operation"]["state"] == "included"
    with opened_chain(demonstration.settings) as chain:
        nominated = chain.contracts.organisations.nominated_by(member, at="latest")
    assert show_address(nominated) == heir
    command_line.json("org", "rotate", str(member), "--nobody", "--as", "member")


def test_signing__over_a_file_or_without_the_key__is_refused(
    command_line: CommandLine, member: OrgId, tmp_path: Path
) -> None:
    path = tmp_path / "award.json"
    path.write_text("mine", "utf-8")
    award = ("credit", "sign", "2", f"{member}:5:data.acquire")

    over = command_line.json(*award, "--no-evidence", "--out", str(path))["error"]
    bare = command_line.json(*award)["error"]
    keyless = command_line.json(*award, "--no-evidence", "--as", "nobody")["error"]

    assert (over["code"], path.read_text("utf-8")) == ("input.invalid_file", "mine")
    assert bare["code"] == "input.evidence_missing"
    assert keyless["code"] == "setup.key_missing"


def test_budgets__after_an_award__say_what_is_left(
    command_line: CommandLine, demonstration: RunningStack, member: OrgId
) -> None:
    def left() -> dict[str, int]:
        found = command_line.json("programme", "budgets", "community")["budgets"]
        issuer = show_address(list_accounts(demonstration.settings)["issuer"])
        return {each["category"]: each["left"] for each in found if each["issuer"] == issuer}

    limit = ("programme", "category-budget", "community", "issuer", "data.use")
    command_line.json(*limit, "--per-epoch", "50")
    assert wait_until(lambda: "data.use" in left(), seconds=30)
    before = left()
    command_line.json("credit", "award", "2", str(member), "8", "data.use", "--no-evidence")
    after = left()

    assert (before[""] - after[""], before["data.use"] - after["data.use"]) == (8, 8)
    command_line.json(*limit, "--none")
    label = ("programme", "label", "community", "reason", "fee.late", "--name-en", "Fee is late")
    assert command_line.run(*label).returncode == 0


def _high(signature: str) -> str:
    """The other signature of the same key, which EIP-2 rules out."""
    order = 0xFFFFFFFF_FFFFFFFF_FFFFFFFF_FFFFFFFE_BAAEDCE6_AF48A03B_BFD25E8C_D0364141
    raw = bytes.fromhex(signature[2:])
    s = order - int.from_bytes(raw[32:64], "big")
    return "0x" + (raw[:32] + s.to_bytes(32, "big") + bytes([55 - raw[64]])).hex()


def _other_parity(signature: str) -> str:
    """A signature over the same digest, of whoever has the other key that it could be of."""
    raw = bytes.fromhex(signature[2:])
    return "0x" + (raw[:64] + bytes([55 - raw[64]])).hex()
