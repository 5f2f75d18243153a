"""Councils on the command line: proposed as it would be typed, approved, carried out, once."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ledger.chain.addresses import show_address
from ledger.chain.devnet_rpc import DevnetRpc
from ledger.domain.ids import ProgrammeId
from ledger.processes import wait_until
from ledger.wiring import list_accounts, opened_chain
from tests.support.stacks import CommandLine, RunningStack

REFUSED = 5
COMMUNITY = ProgrammeId(2)
ONCE = ("--operation-id", f"0x{4711:064x}")


@pytest.fixture
def command_line(demonstration: RunningStack, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(demonstration.settings, monkeypatch)


@pytest.fixture
def council(command_line: CommandLine) -> CommandLine:
    """The community's council: a maker and a checker; its seat is in office already."""
    have = {each["name"] for each in command_line.json("keys", "list")["keys"]}
    if "checker" not in have:
        for name in ("maker", "checker"):
            command_line.json("keys", "new", name)
            command_line.json("role", "appoint", "councillor", name, "--programme", "community")
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


def test_proposal__in_a_new_demonstration__is_made_and_carried_out_by_its_own_councillors(
    command_line: CommandLine,
) -> None:
    for programme, command in (
        ("fund-group", "programme cap fund-group 900000"),
        ("0", "programme cap alliance 900000"),
    ):
        made = command_line.json("proposal", "propose", programme, command, "--no-evidence")
        number = str(made["proposal_id"])
        assert command_line.json("proposal", "approve", number, "--as", "registrar")["approvals"]
        done = command_line.json("proposal", "execute", number)
        assert done["operation"]["state"] == "included"


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


def test_proposal__of_what_the_seat_may_not__says_to_appoint_the_seat(
    command_line: CommandLine, demonstration: RunningStack
) -> None:
    register = "org register new 0x00000000000000000000000000000000000000aa --name-en New"
    error = command_line.json("proposal", "propose", "community", register, "--no-evidence")[
        "error"
    ]

    with opened_chain(demonstration.settings) as chain:
        seat = show_address(chain.contracts.council.seat_of(COMMUNITY, at="latest"))
    assert error["values"]["name"] == "AuthorityRoleMissing"
    assert f"moonlake role appoint registrar {seat}`" in error["advice"]


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


# --- the default admin, and tokens ---


@pytest.fixture
def successor(command_line: CommandLine, demonstration: RunningStack) -> str:
    """The address of a key that can be the admin."""
    if "successor" not in list_accounts(demonstration.settings):
        command_line.json("keys", "new", "successor")
    return show_address(list_accounts(demonstration.settings)["successor"])


def accept(command_line: CommandLine, demonstration: RunningStack, key: str) -> None:
    """Take the office over, in a block after the second of its announcement."""

    def is_accepted() -> bool:
        with DevnetRpc(demonstration.settings.nodes[0]) as rpc:
            rpc.call("evm_mine")
        return "operation" in command_line.json("role", "accept-handover", "--as", key)

    assert wait_until(is_accepted, seconds=20, pause=0.2)


def test_handover__begun_accepted_and_given_back__moves_the_office(
    command_line: CommandLine, demonstration: RunningStack, successor: str
) -> None:
    own = show_address(list_accounts(demonstration.settings)["admin"])

    begun = command_line.json("role", "begin-handover", "successor", *ONCE)
    again = command_line.json("role", "begin-handover", "successor", *ONCE)
    shown = command_line.json("role", "handover")
    accept(command_line, demonstration, "successor")
    taken = command_line.json("role", "handover")
    refused = command_line.json("role", "begin-handover", "admin")["error"]
    command_line.json("role", "begin-handover", "admin", "--as", "successor")
    accept(command_line, demonstration, "admin")

    assert begun["operation"]["state"] == "included"
    assert begun["operation"]["first_sequence"] > 0
    assert again["operation"]["transaction_hash"] == begun["operation"]["transaction_hash"]
    assert (shown["admin"], shown["announced"]["successor"]) == (own, successor)
    assert taken["admin"] == successor
    assert refused["values"]["name"] == "AccessControlUnauthorizedAccount"
    assert command_line.json("role", "handover")["admin"] == own


def test_handover__withdrawn__leaves_the_office_and_its_delay(
    command_line: CommandLine, successor: str
) -> None:
    command_line.json("role", "begin-handover", successor)
    command_line.json("role", "cancel-handover")
    changed = command_line.json("role", "handover-delay", "3600")
    command_line.json("role", "cancel-handover-delay")
    left = command_line.json("role", "handover")

    assert changed["announced"]["next_delay"] == 3600
    assert not left["announced"]["acceptable_from"]
    assert not left["announced"]["delay_from"]
    assert command_line.json("role", "handover-delay", "99999999999")["error"]["code"]
    nobody = command_line.json("role", "begin-handover", "0x" + "00" * 20)["error"]
    assert nobody["values"]["field"] == "successor"


def test_token__of_a_programme__is_made_once(command_line: CommandLine) -> None:
    token = ("--operation-id", f"0x{4712:064x}")
    made = command_line.json("credit", "create-token", "community", *token)
    again = command_line.json("credit", "create-token", "community", *token)
    other = command_line.json("credit", "create-token", "community")["error"]

    assert made["operation"]["state"] == "included"
    assert again["operation"]["transaction_hash"] == made["operation"]["transaction_hash"]
    assert other["values"]["arguments"]["token"] == made["token"]
