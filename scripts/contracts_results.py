"""Keeps what each part of the contracts' long checks found, as soon as the part ends.

A run takes an hour or two. Broken off, it loses the part that it was in and nothing else: each part
is a file of its own, with the commit and the code that it was run on. What was found of another
code is never mixed with what was found of this one.
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bootstrap import ROOT

DEPLOYED = "ledger/artifacts/*.json"


@dataclass(frozen=True, slots=True)
class Provenance:
    """What a part was run on."""

    commit: str
    code: str
    """Digest of the contracts' deployed code, comments and metadata left out."""


class Results:
    """The kept results of one code, each of a check and a part of it."""

    def __init__(self, folder: Path, provenance: Provenance) -> None:
        self.folder = folder
        self.provenance = provenance
        self._lock = threading.Lock()

    def keep(self, check: str, part: str, result: dict[str, Any], *, seconds: float) -> None:
        """Write down what a part found. Any thread may."""
        kept = {
            "part": part,
            **result,
            "seconds": round(seconds),
            "date": time.strftime("%Y-%m-%d", time.gmtime()),
            "commit": self.provenance.commit,
            "code": self.provenance.code,
        }
        path = self.folder / check / f"{part}.json"
        with self._lock:
            path.parent.mkdir(parents=True, exist_ok=True)
            unfinished = path.with_suffix(".new")
            unfinished.write_text(json.dumps(kept, indent=1, ensure_ascii=False))
            unfinished.replace(path)

    def of(self, check: str) -> dict[str, dict[str, Any]]:
        """What was found of the code as it is now, by part."""
        found = [json.loads(p.read_text()) for p in sorted((self.folder / check).glob("*.json"))]
        return {
            result["part"]: result for result in found if result["code"] == self.provenance.code
        }

    def forget(self, check: str) -> None:
        """Remove what a check found before."""
        for path in (self.folder / check).glob("*.json"):
            path.unlink()


def provenance() -> Provenance:
    """What the checkout is now."""
    return Provenance(_commit(), code_digest(ROOT))


def code_digest(root: Path) -> str:
    """One digest over the deployed code of all contracts, without metadata, so without comments."""
    digest = hashlib.sha256()
    for path in sorted(root.glob(DEPLOYED)):
        artifact = json.loads(path.read_text())
        if "deployedBytecode" not in artifact:
            continue  # what the compiler was given
        code = bytes.fromhex(artifact["deployedBytecode"]["object"].removeprefix("0x"))
        digest.update(f"{artifact['name']}\n".encode() + without_metadata(code))
    return digest.hexdigest()[:16]


def without_metadata(code: bytes) -> bytes:
    """Solidity ends code with CBOR metadata, and with the metadata's length in two bytes."""
    return code[: -2 - int.from_bytes(code[-2:])]


def _commit() -> str:
    """The commit of the checkout, and whether something that is checked differs from it."""
    try:
        commit = _git("rev-parse", "--short=12", "HEAD")
        changed = _git(
            "status", "--porcelain", "--", "contracts", "tests/contracts", "foundry.toml"
        )
    except (OSError, subprocess.CalledProcessError):
        return "unknown"
    altered = [line for line in changed.splitlines() if line.endswith((".sol", ".toml"))]
    return f"{commit}, changed" if altered else commit


def _git(*arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
