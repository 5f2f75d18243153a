"""`moonlake audit` as a person or a script runs it: answers, files and exit codes."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from ledger.processes import own_environment
from tests.audit.conftest import RULES, Audited
from tests.support.devnet import MOONLAKE


def audit(folder: Path, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command: Sequence[str | Path] = [*MOONLAKE, "audit", *arguments]
    return subprocess.run(
        command,
        cwd=folder,
        env=own_environment(MOONLAKE_HOME=str(folder / "home")),
        capture_output=True,
        text=True,
        check=False,
    )


def answer(done: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture
def chain(audited: Audited) -> list[str]:
    return ["--rpc-url", audited.ledger.anvil.url, "--deployment", str(audited.ledger.path)]


def test_export__by_command__gives_the_bundle_that_verify_takes(
    audited: Audited, chain: list[str], tmp_path: Path
) -> None:
    bundle, anchor = tmp_path / "ledger.tar", tmp_path / "anchor.json"
    last = str(audited.anchor.block_number)

    exported = audit(tmp_path, "export", bundle, "--to", last, *chain, "--json")
    anchored = audit(tmp_path, "anchor", "write", anchor, "--block", last, *chain, "--json")
    rule = tmp_path / "rule.json"
    rule.write_bytes(RULES[0].to_json() + b"\n")
    verified = audit(
        *(tmp_path, "verify", bundle, "--trust", anchor, "--no-compile", "--json"),
        *("--share-rule", rule),
    )

    assert (exported.returncode, anchored.returncode) == (0, 0), exported.stderr + anchored.stderr
    assert bundle.read_bytes() == audited.bundle.read_bytes()
    assert answer(exported)["last_hash"] == answer(anchored)["block_hash"]
    assert verified.returncode == 2
    said = answer(verified)
    assert said["verdict"] == "incomplete"
    assert list(said["findings_by_code"]) == ["code.not_compiled"]
    assert said["anchored_to_block"] == audited.anchor.block_number


def test_verify__of_a_changed_bundle__ends_with_1_and_one_sentence(
    audited: Audited, tmp_path: Path
) -> None:
    changed, whole = tmp_path / "changed.tar", bytearray(audited.bundle.read_bytes())
    whole[len(whole) // 2] ^= 4
    changed.write_bytes(whole)

    done = audit(tmp_path, "verify", changed, "--trust", audited.anchor_file, "--no-compile")

    assert done.returncode == 1
    assert ": The file is not the one whose SHA-256 the manifest has." in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_verify__of_a_file_that_is_not_there__is_wrong_usage(tmp_path: Path) -> None:
    done = audit(tmp_path, "verify", "nothing.tar", "--no-compile")

    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert "nothing.tar" in done.stderr


def test_verify__with_an_anchor_that_is_none__says_so(audited: Audited, tmp_path: Path) -> None:
    anchor = tmp_path / "anchor.json"
    anchor.write_text("{}")

    done = audit(tmp_path, "verify", audited.bundle, "--trust", anchor, "--no-compile")

    assert done.returncode not in (0, 1)
    assert "audit.anchor_unreadable" in done.stderr


def test_certificate__by_command__is_verified_by_the_same_command(
    audited: Audited, chain: list[str], tmp_path: Path
) -> None:
    file, last = tmp_path / "two.json", str(audited.anchor.block_number)

    made = audit(tmp_path, "certificate", str(audited.org_id), file, "--block", last, *chain)
    verified = audit(tmp_path, "verify", file, "--trust", audited.anchor_file, "--json")

    assert made.returncode == 0, made.stderr
    assert file.read_bytes() == audited.certificate
    assert verified.returncode == 0
    assert answer(verified)["org_id"] == audited.org_id
    file.write_bytes(file.read_bytes().replace(b'"tier":1', b'"tier":3', 1))
    assert audit(tmp_path, "verify", file, "--trust", audited.anchor_file).returncode == 1


def test_report__by_command__writes_the_page_and_ends_as_verify_does(
    audited: Audited, tmp_path: Path
) -> None:
    page = tmp_path / "report.html"

    done = audit(
        tmp_path, "report", audited.bundle, page, "--trust", audited.anchor_file, "--no-compile"
    )

    assert done.returncode == 2
    assert "Incomplete · 不完整" in page.read_text("utf-8")


def test_anchor__shown__has_the_hash_to_read_out(audited: Audited, tmp_path: Path) -> None:
    done = audit(tmp_path, "anchor", "show", audited.anchor_file)

    assert done.returncode == 0
    assert audited.anchor.block_hash in done.stdout


def test_certificate__verified_by_command__waits_for_no_import_that_it_does_not_need(
    audited: Audited, tmp_path: Path
) -> None:
    file = tmp_path / "two.json"
    file.write_bytes(audited.certificate)
    words = ["moonlake", "audit", "verify", str(file), "--trust", str(audited.anchor_file)]
    script = (
        f"import sys; sys.argv = {words!r}\n"
        "from ledger.cli.main import main\n"
        "code = main()\n"
        "slow = {'typer', 'pydantic', 'web3', 'sqlalchemy', 'ledger.audit.history'}\n"
        "sys.exit(code or len(slow & set(sys.modules)) and 90)"
    )

    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, cwd=tmp_path, check=False
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.startswith(f"{file}: complete and correct.")


def test_certificate__in_a_form_that_typer_reads__is_answered_the_same(
    audited: Audited, tmp_path: Path
) -> None:
    file = tmp_path / "two.json"
    file.write_bytes(audited.certificate)

    plain = audit(tmp_path, "verify", file, "--trust", audited.anchor_file, "--json")
    other = audit(tmp_path, "verify", f"--trust={audited.anchor_file}", "--json", file)

    assert (plain.returncode, plain.stdout) == (other.returncode, other.stdout)
    assert plain.returncode == 0
