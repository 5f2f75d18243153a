"""How long an auditor waits: bundles of 100,000 entries, and a certificate.

    python -m tests.benchmarks.audit --folder FOLDER [--scale 1.0] [--compile]

Two ledgers are built on anvil and exported once, and their bundles kept in the folder: 100,000
entries in 2,500 transactions of 40, and in 100,000 transactions of one. Each bundle is then
verified by the command line in a process of its own, whose time and greatest memory are told, with
the time of a single pass of SHA-256 over the same file beside it as the floor. The compiler takes
as long on any bundle and runs beside the rest: without `--compile` it is left out, and with it its
time alone is told as well.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from ledger.audit.exporting import Exporter, ask_anchor, export_certificate
from ledger.chain.artifacts import load_compiler_input
from ledger.chain.contracts.credits import encode_award
from ledger.chain.recompile import Recompilation
from ledger.domain.commands import Award
from ledger.domain.ids import OrgId, ProgrammeId
from tests.benchmarks.workload import say
from tests.support.anvil import running_anvil
from tests.support.happenings import Ledger

ENTRIES = 100_000
ORGANISATIONS = 2_000
BY_BLOCK = 100
_STEP = 7919  # a prime, so that the awards go round all organisations
_COMMAND = "from ledger.cli.main import main; raise SystemExit(main())"


@dataclass(frozen=True, slots=True)
class Case:
    """A ledger that is audited: so many transactions of so many awards."""

    name: str
    transactions: int
    awards: int


def cases(scale: float) -> list[Case]:
    """The two of the targets, at a scale."""
    entries = max(40, int(ENTRIES * scale))
    return [Case("batches", entries // 40, 40), Case("singles", entries, 1)]


def build(folder: Path, case: Case, organisations: int) -> Path:
    """The bundle of a case with its anchor and a certificate, built if they are not there."""
    kept = folder / f"{case.name}-{case.transactions}-{organisations}"
    if kept.exists():
        return kept
    say(f"building {case.name}: {case.transactions:,} transactions of {case.awards} awards")
    with tempfile.TemporaryDirectory(dir=folder) as name:
        made = Path(name, kept.name)
        made.mkdir()
        with running_anvil(made, accounts=0, states_kept=0) as anvil:
            ledger = Ledger(anvil, made)
            ledger.appoint_officers()
            programme = ledger.found_programme("alliance")
            ledger.admit(programme, ledger.register(organisations))
            _award(ledger, programme, case, organisations)
            last = ledger.node.block_number()
            began = time.monotonic()
            Exporter(ledger.node, ledger.deployment, lambda _done, _total: None).export(
                made / "bundle.tar", last
            )
            say(f"exported in {time.monotonic() - began:.1f} s")
            anchor, _ = ask_anchor(ledger.node, ledger.deployment, last)
            certificate = export_certificate(ledger.node, ledger.deployment, 1, last)
            ledger.close()
        (made / "anchor.json").write_bytes(anchor)
        (made / "certificate.json").write_bytes(certificate)
        made.rename(kept)
    return kept


def _award(ledger: Ledger, programme: ProgrammeId, case: Case, organisations: int) -> None:
    ledger.anvil.rpc.call("evm_setAutomine", False)
    issuer = ledger.officers["issuer"]
    nonce = ledger.node.nonce(issuer.address, "latest")
    for first in range(0, case.transactions, BY_BLOCK):
        raws = []
        for number in range(first, min(first + BY_BLOCK, case.transactions)):
            calldata = encode_award(
                programme,
                list(_awards(number, case.awards, organisations)),
                hashlib.sha256(b"%d" % number).digest(),
            )
            raw = ledger.sign("issuer", "Credits", calldata, nonce + number)
            raws.append(("0x" + raw.hex(),))
        ledger.node.ask_many("eth_sendRawTransaction", raws, str)
        mined = 0
        while ledger.node.nonce(issuer.address, "latest") < nonce + first + len(raws):
            ledger.anvil.rpc.call("evm_mine")
            mined += 1
            assert mined <= BY_BLOCK, "the transactions are not mined"
        if first // BY_BLOCK % 100 == 99:
            say(f"{first + len(raws):,} transactions")
    ledger.anvil.rpc.call("evm_setAutomine", True)


def _awards(number: int, count: int, organisations: int) -> Iterator[Award]:
    for entry in range(number * count, (number + 1) * count):
        org_id = OrgId(entry * _STEP % organisations + 1)
        evidence = hashlib.sha256(b"evidence %d" % entry).digest()
        yield Award(org_id, entry % 19 + 1, "data.acquire", evidence)


def verify(file: Path, anchor: Path, *, compiling: bool) -> tuple[float, int, dict[str, object]]:
    """Verify in a process of its own: seconds, greatest memory in bytes, and what it said."""
    option = "--compile" if compiling else "--no-compile"
    command = [sys.executable, "-c", _COMMAND, "audit", "verify", str(file), "--trust", str(anchor)]
    with tempfile.TemporaryFile() as answer:
        began = time.monotonic()
        process = subprocess.Popen([*command, option, "--json"], stdout=answer)
        _, _, usage = os.wait4(process.pid, 0)
        seconds = time.monotonic() - began
        answer.seek(0)
        return seconds, usage.ru_maxrss * 1024, json.loads(answer.read())


def measure(folder: Path, scale: float, organisations: int, *, compiling: bool) -> list[str]:
    """A line of the table for each case."""
    lines = []
    certificate: Path | None = None
    for case in cases(scale):
        kept = build(folder, case, organisations)
        bundle, certificate = kept / "bundle.tar", kept
        began = time.monotonic()
        with bundle.open("rb") as file:
            hashlib.file_digest(file, "sha256")
        floor = time.monotonic() - began
        seconds, memory, said = verify(bundle, kept / "anchor.json", compiling=compiling)
        expected = "complete and correct" if compiling else "incomplete"
        assert said["verdict"] == expected, said["findings"]
        lines.append(
            f"{case.name}: {case.transactions * case.awards:,} entries in "
            f"{case.transactions:,} transactions, {bundle.stat().st_size / 1e6:.0f} MB: "
            f"{seconds:.1f} s, {memory / 2**20:.0f} MiB (SHA-256 of the file {floor:.2f} s)"
        )
    if compiling:
        began = time.monotonic()
        compilation = Recompilation(load_compiler_input())
        compilation.codes()
        compilation.close()
        lines.append(f"compiling the contracts' sources alone: {time.monotonic() - began:.1f} s")
    if certificate is not None:
        seconds, memory, said = verify(
            certificate / "certificate.json", certificate / "anchor.json", compiling=False
        )
        assert said["exit_code"] == 0
        lines.append(f"certificate: {seconds:.2f} s, {memory / 2**20:.0f} MiB")
    return lines


def main() -> None:
    """Measure, and print a line for each figure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--scale", type=float, default=1.0)
    parser.add_argument("--organisations", type=int, default=ORGANISATIONS)
    parser.add_argument("--compile", action="store_true")
    given = parser.parse_args()
    given.folder.mkdir(parents=True, exist_ok=True)
    found = measure(given.folder, given.scale, given.organisations, compiling=given.compile)
    sys.stdout.write("\n".join(found) + "\n")


if __name__ == "__main__":
    main()
