"""`moonlake audit verify` of a certificate: a second's work, which must not wait for its imports.

Typer, with what it imports, takes longer to load than the proof takes to check. So the plain form
of the command, `audit verify FILE --trust ANCHOR --json`, is read here and answered without it,
and every other form comes here from there. It refuses to guess: what it does not understand is
Typer's to read or to refuse.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

# ruff: noqa: PLC0415  every command imports this module

if TYPE_CHECKING:
    from ledger.audit.certificates import Certificate
    from ledger.audit.findings import Findings
    from ledger.audit.witnesses import Witnesses
    from ledger.chain.headers import Header

_STATUSES = ("no member", "active member", "suspended", "revoked")


def find_certificate(arguments: list[str]) -> tuple[Path, Path | None, bool] | None:
    """The certificate that a command line asks to verify, its anchor, and whether for JSON.

    None where it asks for something else, or in another form than the plain one.
    """
    if arguments[:2] != ["audit", "verify"]:
        return None
    files: list[str] = []
    trust: str | None = None
    as_json, left = False, arguments[2:]
    while left:
        word = left.pop(0)
        if word == "--json":
            as_json = True
        elif word in ("--compile", "--no-compile"):
            continue  # a certificate has nothing to be compiled
        elif word == "--trust" and left and trust is None:
            trust = left.pop(0)
        elif word.startswith("-"):
            return None
        else:
            files.append(word)
    if len(files) != 1 or not is_certificate(Path(files[0])):
        return None
    return Path(files[0]), None if trust is None else Path(trust), as_json


def is_certificate(file: Path) -> bool:
    """Whether a file begins as a certificate does; a bundle begins otherwise."""
    try:
        with file.open("rb") as opened:
            return opened.read(1) == b"{"
    except (OSError, ValueError):
        return False


def verify_certificate_file(
    file: Path, trust: Path | None, as_json: bool, witnesses: Witnesses | None = None
) -> int:
    """Verify a certificate, say what came out, and give the exit code."""
    from ledger.audit.anchors import read_anchor
    from ledger.audit.certificates import read_certificate, verify_certificate
    from ledger.audit.findings import printable
    from ledger.errors import CertificateUnreadable

    anchor = None if trust is None else read_anchor(trust)
    try:
        found = read_certificate(file)
        header, findings = verify_certificate(found, anchor)
        if anchor is not None and (witnesses is not None or anchor.witnesses):
            from ledger.audit.witnesses import NO_WITNESSES

            (witnesses or NO_WITNESSES).check(anchor, findings)
    except (CertificateUnreadable, ValueError) as error:
        problem = printable(str(error))
        values = {"verdict": "wrong", "exit_code": 1, "problem": problem}
        _say(values, f"{file}: wrong.\n{problem}", as_json)
        return 1
    _say(*_describe(file, found, header, findings), as_json)
    return findings.exit_code


def show_findings(findings: Findings) -> list[str]:
    """A line for each finding that was kept, and one for the rest."""
    shown = [f"{each.sentence('en')} [{each.code}]" for each in findings]
    if findings.total > len(shown):
        shown.append(f"… and {findings.total - len(shown):,} more")
    return shown


def _describe(
    file: Path, found: Certificate, header: Header, findings: Findings
) -> tuple[dict[str, Any], str]:
    import msgspec

    word = ("complete and correct", "wrong", "incomplete")[findings.exit_code]
    values: dict[str, Any] = {
        "verdict": word,
        "exit_code": findings.exit_code,
        "block_number": header.number,
        "block_hash": "0x" + header.hash.hex(),
        "org_id": found.org_id,
        "controller": found.controller,
        "standings": [msgspec.to_builtins(each) for each in found.standings],
        "findings": [each.to_json() for each in findings],
    }
    lines = [
        f"{file}: {word}.",
        f"Organisation {found.org_id} at block {header.number} (0x{header.hash.hex()}):",
        f"  acts by {found.controller}",
        *(
            f"  programme {each.programme_id}: {each.balance:,} credits, "
            f"{_STATUSES[each.status] if each.status < len(_STATUSES) else each.status}"
            for each in found.standings
        ),
        *show_findings(findings),
    ]
    return values, "\n".join(lines)


def _say(values: dict[str, Any], text: str, as_json: bool) -> None:
    """As `ledger.cli.output.show` does, without Typer."""
    shown = json.dumps(values, indent=2, ensure_ascii=False) if as_json else text
    sys.stdout.buffer.write(shown.encode("utf-8", "backslashreplace") + b"\n")
    sys.stdout.flush()
