"""The commands do what they say, and show a contract's refusal by name and values."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from ledger.domain.ids import OrgId, ProgrammeId, token_id
from ledger.processes import wait_until
from ledger.wiring import opened_chain
from tests.support.stacks import CommandLine, RunningStack

REFUSED = 5


@pytest.fixture
def command_line(demonstration: RunningStack, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    return CommandLine(demonstration.settings, monkeypatch)


def operation_id(number: int) -> str:
    return f"0x{number:064x}"


def test_award__with_evidence__is_an_entry_of_the_statement(
    command_line: CommandLine, tmp_path: Path
) -> None:
    document = tmp_path / "report.txt"
    document.write_text("What was delivered.\n", "utf-8")
    award = ("credit", "award", "community", "galaxyspace", "12", "data.acquire")
    balances = command_line.json("credit", "balance", "galaxyspace")["balances"]
    before = next(each["credits"] for each in balances if each["programme"] == "community")

    done = command_line.json(*award, "--evidence", str(document), "--title-en", "Delivery report")

    (entry,) = done["entry_ids"]
    assert done["operation"]["state"] == "included"
    assert done["operation"]["command"] == "award"
    line = _statement_line(command_line, entry)
    assert line["amount"] == 12
    assert line["balance_after"] == before + 12
    assert line["document"] == {
        "title_zh": "",
        "title_en": "Delivery report",
        "media_type": "text/plain",
        "size": 20,
        "made_up": False,
    }
    assert line["transaction_hash"] == done["operation"]["transaction_hash"]
    assert line["block_number"] == done["operation"]["block_number"]


def test_award__with_the_same_document_called_otherwise__shows_each_name_where_it_was_given(
    command_line: CommandLine, tmp_path: Path
) -> None:
    award = ("credit", "award", "community", "galaxyspace", "1", "data.acquire", "--evidence")
    entries = []
    for name in ("plan.png", "map.txt"):
        (tmp_path / name).write_bytes(b"one content")
        entries += command_line.json(*award, str(tmp_path / name))["entry_ids"]

    lines = [_statement_line(command_line, each)["document"] for each in entries]

    assert [(line["title_en"], line["media_type"]) for line in lines] == [
        ("plan.png", "image/png"),
        ("map.txt", "text/plain"),
    ]


def test_title__where_no_file_is_kept__is_refused(command_line: CommandLine) -> None:
    award = ("credit", "award", "community", "galaxyspace", "1", "data.acquire", "--title-en", "X")

    for evidence in (("--no-evidence",), ("--evidence", "0x" + "5b" * 32)):
        error = command_line.json(*award, *evidence)["error"]
        assert (error["code"], error["values"]["field"]) == ("input.invalid_value", "title_en")


def test_award__and_at_once_its_reversal__leave_the_balance_as_it_was(
    command_line: CommandLine,
) -> None:
    award = ("credit", "award", "community", "landspace", "5", "rocket.manufacture")
    (entry,) = command_line.json(*award, "--no-evidence")["entry_ids"]

    reverse = ("credit", "reverse", str(entry), "--no-evidence")
    (reversal,) = command_line.json(*reverse)["entry_ids"]

    assert reversal > entry
    again = command_line.json(*reverse)["error"]
    assert again["values"]["name"] == "CreditsAlreadyReversed"
    assert again["values"]["arguments"] == {"entryId": entry, "reversedBy": reversal}


@pytest.mark.parametrize(
    ("arguments", "name", "values"),
    [
        (
            ("community", "galaxyspace", "100", "data.acquire", "--as", "registrar"),
            "AuthorityRoleMissing",
            {"role": "issuer", "programmeId": 2},
        ),
        (
            ("community", "galaxyspace", "1001", "data.acquire"),
            "CreditsAwardOverLimit",
            {"asked": 1001, "perAward": 1000},
        ),
        (
            ("fund-group", "yuanhang", "10", "capital.commitment"),
            "MembershipsLapsed",
            {"orgId": 28},
        ),
        (
            ("community", "galaxyspace", "10", "data.unheard"),
            "ProgrammesCategoryUnknown",
            {"programmeId": 2, "category": "data.unheard"},
        ),
        (("community", "huawei", "10", "data.use"), "MembershipsUnknown", {"orgId": 29}),
        (("9", "1", "10", "data.use"), "ProgrammesUnknown", {"programmeId": 9}),
    ],
    ids=["non-issuer", "over-limit", "lapsed", "unknown-category", "no-member", "no-programme"],
)
def test_award__refused__shows_the_contracts_error_in_text_and_json(
    command_line: CommandLine, arguments: tuple[str, ...], name: str, values: dict[str, Any]
) -> None:
    award = ("credit", "award", *arguments, "--no-evidence")

    text = command_line.run(*award)
    answer = command_line.json(*award)["error"]

    assert text.returncode == REFUSED
    assert text.stdout == ""
    assert f"error: The contract refused: {name}(" in text.stderr
    assert all(f"{key}={value}" in text.stderr for key, value in values.items())
    assert "Traceback" not in text.stderr
    assert answer["code"] == "contract.refused"
    assert answer["values"]["name"] == name
    assert values.items() <= answer["values"]["arguments"].items()
    assert answer["advice"]


def test_award__with_a_commitment_or_none__names_it_or_says_that_there_is_none(
    command_line: CommandLine,
) -> None:
    award = ("credit", "award", "community", "galaxyspace", "1", "data.acquire")

    (proven,) = command_line.json(*award, "--evidence", "0x" + "5b" * 32)["entry_ids"]
    (bare,) = command_line.json(*award, "--no-evidence")["entry_ids"]

    assert _statement_line(command_line, proven)["evidence"] == "0x" + "5b" * 32
    assert _statement_line(command_line, bare)["evidence"] == "0x" + "00" * 32


def test_award__over_what_is_left_of_the_budget__shows_how_much_is_left(
    command_line: CommandLine,
) -> None:
    budget = ("programme", "budget", "alliance", "issuer", "--per-award", "9")
    command_line.json(*budget, "--per-epoch", "9")

    award = ("credit", "award", "alliance", "csa", "9", "event.keynote", "--no-evidence")
    answer = command_line.json(*award)

    assert answer["error"]["values"]["name"] == "CreditsAwardOverBudget"
    assert answer["error"]["values"]["arguments"]["left"] == 0


def test_award__used_operation_id__is_done_once_and_refused_for_anything_else(
    command_line: CommandLine,
) -> None:
    award = ("credit", "award", "community", "geovis", "7", "data.use")
    other = ("credit", "award", "community", "geovis", "8", "data.use")
    option = ("--no-evidence", "--operation-id", operation_id(1))
    first = command_line.json(*award, *option)

    again = command_line.json(*award, *option)
    refused = command_line.run(*other, *option)
    answer = command_line.json(*other, *option)["error"]

    assert again["entry_ids"] == first["entry_ids"]
    assert again["operation"] == first["operation"]
    assert refused.returncode == REFUSED
    assert f"JournalOperationDone(operationId={operation_id(1)}, sequence=" in refused.stderr
    assert answer["values"]["arguments"] == {
        "operationId": operation_id(1),
        "sequence": first["entry_ids"][0],
    }


def test_membership__suspended_and_resumed__is_shown_in_its_standing(
    command_line: CommandLine,
) -> None:
    change = ("community", "ispace", "--reason", "report.overdue")

    command_line.json("membership", "suspend", *change)
    suspended = _standing(command_line, "ispace", "community", "suspended")
    command_line.json("membership", "resume", *change)

    assert suspended["reason"] == "report.overdue"
    assert _standing(command_line, "ispace", "community", "active")["change"] == "resumed"


def test_membership__of_who_was_declined_before__leaves_the_application(
    command_line: CommandLine,
) -> None:
    shown = command_line.json("org", "show", "cq-energy")["organisation"]
    assert [each["declined"] for each in shown["applications"]] == [True]

    admit = ("membership", "admit", "alliance", "cq-energy", "--expires", "2099-12-31")
    done = command_line.json(*admit, "--tier", "observer")

    assert done["operation"]["state"] == "included"
    held = _standing(command_line, "cq-energy", "alliance", "active")
    assert (held["tier_key"], held["expires_at"]) == ("observer", "2099-12-31T00:00:00Z")


def test_award__repeated_with_another_key__is_refused_and_not_awarded_twice(
    command_line: CommandLine,
) -> None:
    given = ("2", "4", "3", "data.acquire", "--no-evidence", "--operation-id", operation_id(0xA5A5))
    done = command_line.json("credit", "award", *given)

    refused = command_line.run("credit", "award", *given, "--as", "council", "--json")

    assert refused.returncode == 2
    error = json.loads(refused.stdout)["error"]
    assert error["code"] == "sending.operation_of_another_signer"
    assert error["values"]["signer"] == done["operation"]["sender"]
    again = command_line.json("credit", "award", *given)
    assert again["entry_ids"] == done["entry_ids"]


def test_metadata_base__of_the_own_server__leads_wallets_to_names_and_pictures(
    command_line: CommandLine, demonstration: RunningStack
) -> None:
    base = f"http://127.0.0.1:{demonstration.settings.port}/v1/tokens/"

    done = command_line.json("membership", "metadata-base", base)

    assert (done["base"], done["operation"]["state"]) == (base, "included")
    with opened_chain(demonstration.settings) as chain:
        token = token_id(ProgrammeId(2), OrgId(4))
        at = [
            chain.contracts.memberships.token_uri(token, at="latest"),
            chain.contracts.memberships.contract_uri(at="latest"),
        ]
    found = [httpx.get(each).json() for each in at]
    assert found[0]["name"].startswith("银河航天 GalaxySpace · ")
    assert found[1]["name"] == "Moonlake membership"
    for wrong in ((), (base, "--none"), (base.removesuffix("/"),)):
        refused = command_line.json("membership", "metadata-base", *wrong)
        assert refused["error"]["code"] == "input.invalid_value"
    assert command_line.json("membership", "metadata-base", "--none")["base"] == ""


def test_membership_list__takes_its_programme_like_the_other_commands_and_like_org_list(
    command_line: CommandLine,
) -> None:
    listed = command_line.json("membership", "list", "community")["memberships"]
    by_option = command_line.json("membership", "list", "--programme", "community")["memberships"]
    all_ = command_line.json("membership", "list")["memberships"]
    both = ("membership", "list", "community", "--programme", "alliance")

    assert {each["programme"] for each in listed} == {"community"}
    assert by_option == listed
    assert len(all_) > len(listed)
    assert command_line.json(*both)["error"]["code"] == "input.invalid_value"


def test_org__registered_and_renamed__is_found_by_its_new_name(command_line: CommandLine) -> None:
    controller = "0x00000000000000000000000000000000000000AB"
    names = ("--name-zh", "新会员", "--name-en", "New member")
    done = command_line.json("org", "register", "new-member", controller.lower(), *names)

    (org_id,) = done["org_ids"]
    _wait_for_org(command_line, "new-member")
    renaming = ("org", "profile", str(org_id), "--name-en", "Renamed")
    command_line.json(*renaming, "--website", "https://new.example")

    _wait_for_org(command_line, "Renamed", org_id)
    rehearsed = ("org", "profile", str(org_id), "--name-zh", "不会保存")
    assert command_line.json(*rehearsed, "--dry-run")["dry_run"] is True
    command_line.json("org", "profile", str(org_id), "--name-en", "Again")
    _wait_for_org(command_line, "Again", org_id)
    held = command_line.json("org", "export", str(org_id))["held"]
    documents = [each["document"] for each in held["profiles"]]
    assert "不会保存" not in {each["name_zh"] for each in documents}
    (latest,) = [each for each in documents if each["name_en"] == "Again"]
    assert latest["website"] == "https://new.example", "what is not given stays"


def test_programme__founded__can_be_furnished_by_its_number(command_line: CommandLine) -> None:
    done = command_line.json("programme", "create", "guild", "--name-en", "Guild")
    number = str(done["programme_id"])

    tiers = command_line.json("programme", "add-tiers", number, "one", "two")
    opened = command_line.json("programme", "open", number, "data.use")
    epochs = command_line.json("programme", "epochs", number, "2020-01-01", "2090-01-01")

    states = [each["operation"]["state"] for each in (tiers, opened, epochs)]
    assert states == ["included"] * 3


def test_role__appointed_and_dismissed__is_listed_and_not(command_line: CommandLine) -> None:
    command_line.json("keys", "new", "second")
    office = ("issuer", "second", "--programme", "community")

    command_line.json("role", "appoint", *office)
    held = command_line.json("role", "appoint", *office)["error"]
    command_line.json("role", "dismiss", *office)

    assert held["values"]["name"] == "AuthorityRoleHeld"
    officers = command_line.json("role", "list")["officers"]
    assert {(each["role"], each["key"]) for each in officers} >= {
        ("admin", "admin"),
        ("council", "council"),
        ("issuer", "issuer"),
        ("registrar", "registrar"),
        ("treasurer", "treasurer"),
    }


def test_operation__shown__says_what_was_asked_and_what_came_of_it(
    command_line: CommandLine,
) -> None:
    listed = command_line.json("operation", "list", "--limit", "1")["operations"]
    shown = command_line.json("operation", "show", listed[0]["operation_id"])["operation"]
    text = command_line.run("operation", "show", listed[0]["operation_id"])

    assert shown == listed[0]
    assert set(shown) == {
        "operation_id",
        "command",
        "summary",
        "request_id",
        "contract",
        "state",
        "of_other_chain",
        "sender",
        "transaction_hash",
        "nonce",
        "attempts",
        "block_number",
        "first_sequence",
        "last_sequence",
        "created_at",
        "updated_at",
        "error",
    }
    assert shown["transaction_hash"] in text.stdout


def test_operation__nothing_waits__says_so_and_cancels_nothing_that_is_done(
    command_line: CommandLine,
) -> None:
    (done,) = command_line.json("operation", "list", "--limit", "1")["operations"]

    sent = command_line.json("operation", "send")
    refused = command_line.run("operation", "cancel", done["operation_id"])
    resumed = command_line.run("operation", "resume", "issuer")

    assert sent == {"operations": []}
    assert (refused.returncode, resumed.returncode) == (7, 2)
    assert "[sending.operation_settled]" in refused.stderr
    assert "[input.not_found]" in resumed.stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("org", "show", "nobody"), "input.not_found"),
        (("credit", "balance", "nobody"), "input.not_found"),
        (("programme", "show", "nothing"), "input.not_found"),
        (("operation", "show", "0x12"), "input.invalid_value"),
        (("operation", "list", "--state", "lost"), "input.invalid_value"),
        (("membership", "list", "--standing", "odd"), "input.invalid_value"),
        (
            ("credit", "award", "2", "4", "1", "data.use", "--no-evidence", "--as", "nobody"),
            "setup.key_missing",
        ),
        (("credit", "award", "2", "4", "1", "data.use"), "input.evidence_missing"),
        (("credit", "award", "2", "4", "0", "data.use"), "input.invalid_value"),
        (
            ("credit", "award", "2", "4", "1", "data.use", "--evidence", "gone.pdf"),
            "input.not_found",
        ),
        (("membership", "admit", "2", "4", "--expires", "soon"), "input.invalid_value"),
        (("org", "profile", "galaxyspace", "--name-zh", "=1+1"), "input.invalid_value"),
        (("role", "appoint", "king", "issuer"), "input.invalid_value"),
        (("import", "roster", "."), "input.not_found"),
    ],
)
def test_command__that_cannot_be_meant__is_refused_in_one_line(
    command_line: CommandLine, arguments: tuple[str, ...], code: str
) -> None:
    done = command_line.run(*arguments)
    answer = command_line.json(*arguments)["error"]

    assert done.returncode != 0
    assert done.stderr.count("\n") == 1
    assert f"[{code}]" in done.stderr
    assert answer["code"] == code


@pytest.mark.parametrize(
    "arguments",
    [
        ("org", "list", "--search", "银河"),
        ("org", "show", "galaxyspace"),
        ("membership", "list", "--programme", "fund-group"),
        ("programme", "list"),
        ("programme", "show", "community"),
        ("role", "list"),
        ("credit", "balance", "galaxyspace"),
        ("credit", "statement", "galaxyspace"),
        ("operation", "list"),
    ],
    ids=" ".join,
)
def test_reading_commands__for_people__print_a_table_and_for_programs_one_document(
    command_line: CommandLine, arguments: tuple[str, ...]
) -> None:
    done = command_line.run(*arguments)
    answer = command_line.json(*arguments)

    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) >= 3
    assert "…" not in done.stdout
    if arguments[0] != "operation":
        assert set(answer["as_of"]) == {"block_number", "block_hash", "timestamp"}


def _statement_line(command_line: CommandLine, entry_id: int) -> dict[str, Any]:
    found: list[dict[str, Any]] = []

    def is_there() -> bool:
        answer = command_line.json("credit", "statement", "galaxyspace", "--limit", "5")
        found[:] = [each for each in answer["entries"] if each["entry_id"] == entry_id]
        return bool(found)

    _wait(is_there)
    return found[0]


def _standing(command_line: CommandLine, org: str, programme: str, standing: str) -> dict[str, Any]:
    """The membership once the mirror shows it in this standing."""
    found: list[dict[str, Any]] = []

    def is_there() -> bool:
        shown = command_line.json("org", "show", org)["organisation"]["memberships"]
        found[:] = [
            each for each in shown if (each["programme"], each["standing"]) == (programme, standing)
        ]
        return bool(found)

    _wait(is_there)
    return found[0]


def _wait_for_org(command_line: CommandLine, name: str, org_id: int | None = None) -> None:
    def is_there() -> bool:
        found = command_line.json("org", "list", "--search", name)["organisations"]
        return bool(found) and org_id in (None, found[0]["org_id"])

    _wait(is_there)


def _wait(condition: Any) -> None:
    assert wait_until(condition, seconds=30)
