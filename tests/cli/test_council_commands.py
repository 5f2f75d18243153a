"""Councils on the command line: proposed as it would be typed, approved, carried out, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.chain.addresses import show_address
from ledger.domain.ids import ProgrammeId
from ledger.wiring import list_accounts, opened_chain
from tests.support.stacks import CommandLine, RunningStack

REFUSED = 5
COMMUNITY = ProgrammeId(2)


@pytest.fixture
def command_line(demonstration: RunningStack, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(demonstration.settings, monkeypatch)


@pytest.fixture
def council(command_line: CommandLine, demonstration: RunningStack) -> CommandLine:
    """The community's council: a maker, a checker, and its seat in office."""
    have = {each["name"] for each in command_line.json("keys", "list")["keys"]}
    if "checker" not in have:
        for name in ("maker", "checker"):
            command_line.json("keys", "new", name)
            command_line.json("role", "appoint", "councillor", name, "--programme", "community")
        with opened_chain(demonstration.settings) as chain:
            seat = show_address(chain.contracts.council.seat_of(COMMUNITY, at="latest"))
        command_line.json("role", "appoint", "council", seat, "--programme", "community")
        command_line.json("keys", "new", "relayer")
    return command_line


def propose(council: CommandLine, *arguments: str) -> int:
    done = council.json("proposal", "propose", "community", *arguments, "--as", "maker")
    number: int = done["proposal_id"]
    return number


def sent_of(demonstration: RunningStack, key: str) -> int:
    """How many transactions the chain has of a key."""
    with opened_chain(demonstration.settings) as chain:
        return chain.node.nonce(list_accounts(demonstration.settings)[key], "latest")


def test_proposal__of_two_commands_approved_by_another__does_both(
    council: CommandLine, demonstration: RunningStack
) -> None:
    commands = ("programme cap community 900000", "programme open community data.shared")
    number = propose(council, *commands, "--no-evidence")

    shown = council.json("proposal", "show", str(number))
    early = council.json("proposal", "execute", str(number), "--as", "maker")["error"]
    own = council.json("proposal", "approve", str(number), "--as", "maker")["error"]
    approved = council.json("proposal", "approve", str(number), "--as", "checker")
    done = council.json("proposal", "execute", str(number), "--as", "maker")

    assert [each["sentence"] for each in shown["says"]["en"]] == [
        "Changes the cap of programme 2 (community) to 900,000 credits.",
        "Opens 1 category of programme 2 (community) to awards.",
    ]
    assert shown["says"]["zh-CN"][0]["sentence"] == "将计划2（community）的积分上限改为900,000。"
    assert early["values"]["name"] == "CouncilApprovalsMissing"
    assert own["values"]["name"] == "CouncilMakerCannotApprove"
    assert approved["approvals"] == 1
    assert done["operation"]["state"] == "included"
    with opened_chain(demonstration.settings) as chain:
        rules = chain.contracts.programmes.programme(COMMUNITY, at="latest")
    assert rules.supply_cap == 900_000
    listed = council.json("proposal", "list")["proposals"]
    assert (listed[0]["proposal_id"], listed[0]["standing"]) == (number, "executed")


def test_proposal__repeated_under_one_id__is_one_proposal(council: CommandLine) -> None:
    given = ("programme cap community 800000", "--no-evidence", "--operation-id", f"0x{77:064x}")

    first, again = propose(council, *given), propose(council, *given)

    assert again == first
    text = council.run("proposal", "list", "--open").stdout
    assert sum(line.split()[:1] == [str(first)] for line in text.splitlines()) == 1
    assert council.run("proposal", "cancel", str(first), "--as", "maker").returncode == 0
    shown = council.json("proposal", "show", str(first))
    assert shown["standing"] == "cancelled"


def test_proposal__by_nobody_of_the_council__is_refused_and_nothing_is_sent(
    council: CommandLine, demonstration: RunningStack
) -> None:
    before = sent_of(demonstration, "issuer")

    refused = council.run(
        "proposal", "propose", "community", "programme cap community 1", "--no-evidence", "--as",
        "issuer",
    )  # fmt: skip

    assert refused.returncode == REFUSED
    assert "AuthorityRoleMissing" in refused.stderr
    assert sent_of(demonstration, "issuer") == before


def test_proposal__of_what_would_be_refused__says_so_before_it_is_made(
    council: CommandLine,
) -> None:
    award = "credit award community huawei 5 data.acquire --no-evidence"
    given = ("proposal", "propose", "community", award, "--no-evidence", "--as", "maker")

    error = council.json(*given)["error"]
    rehearsed = council.json(*given, "--though-refused", "--dry-run")

    assert error["values"]["name"] == "MembershipsUnknown"
    assert (rehearsed["call"], rehearsed["operation"]["state"]) == ("Council.propose", None)


@pytest.mark.parametrize(
    "command",
    [
        "org list",
        "up --demo",
        "programme cap",
        "programme cap community many",
        "nothing at all",
        "programme cap community 5 --as council",
        "",
        "programme cap 'community",
    ],
)
def test_proposal__of_what_is_no_command_that_sends__is_refused(
    council: CommandLine, command: str
) -> None:
    error = council.json(
        "proposal", "propose", "community", command, "--no-evidence", "--as", "maker"
    )["error"]

    assert error["code"] == "input.invalid_value"
    assert error["values"]["field"] == "command"


def test_approval__signed_without_a_network__counts_once_whoever_brings_it(
    council: CommandLine, demonstration: RunningStack, tmp_path: Path
) -> None:
    number = propose(council, "programme cap community 700000", "--no-evidence")
    proposal, voucher = tmp_path / "proposal.json", tmp_path / "approval.json"
    proposal.write_text(json.dumps(council.json("proposal", "show", str(number))), "utf-8")

    told = council.run("proposal", "sign", str(proposal), "--as", "checker", "--out", str(voucher))
    checked = council.json("voucher", "check", str(voucher))
    done = council.json("voucher", "submit", str(voucher))
    again = council.json("voucher", "submit", str(voucher))
    by_another = council.json("voucher", "submit", str(voucher), "--as", "issuer")["error"]

    assert "700,000 credits" in told.stderr
    assert f"Approves proposal {number} of programme 2" in told.stdout
    assert f"批准计划2的第{number}号提案" in told.stdout
    assert checked["good"]
    assert again["operation"] == done["operation"]
    assert done["account"] == show_address(list_accounts(demonstration.settings)["checker"])
    assert done["operation"]["sender"] != done["account"]
    assert by_another["code"] == "sending.operation_of_another_signer"
    assert council.json("proposal", "show", str(number))["approvals"] == 1
    assert council.json("voucher", "check", str(voucher))["error"]["code"] == "voucher.used"
