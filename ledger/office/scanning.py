"""Looks a document through before it is kept: that it is what it says, and that a scanner lets it.

The scanner is the operator's own command (`clamdscan --fdpass --no-summary`), given the file's path
as its last argument: 0 means clean, 1 that something was found, as ClamAV and others have it. Where
it cannot look, the document is refused: an upload that was not scanned is never kept.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from ledger.errors import EvidenceRefused, InvalidValue, ScannerFailed
from ledger.processes import strangers_environment

SCAN_SECONDS = 120.0

_ZIP = (b"PK\x03\x04",)
_TEXT: tuple[bytes, ...] = ()
_OFFICE = "application/vnd.openxmlformats-officedocument."

KINDS: Mapping[str, tuple[bytes, ...]] = {
    "application/pdf": (b"%PDF-",),
    "image/png": (b"\x89PNG\r\n\x1a\n",),
    "image/jpeg": (b"\xff\xd8\xff",),
    "image/webp": (b"RIFF",),
    "text/plain": _TEXT,
    "text/markdown": _TEXT,
    "text/csv": _TEXT,
    "application/json": _TEXT,
    _OFFICE + "wordprocessingml.document": _ZIP,
    _OFFICE + "spreadsheetml.sheet": _ZIP,
    _OFFICE + "presentationml.presentation": _ZIP,
}
"""The types taken from outside, and how such a file begins; text begins with no such mark."""

_HEAD = 16


def check_kind(path: Path, media_type: str) -> None:
    """Raise InvalidValue for a type that is not taken, EvidenceRefused for what is no such file."""
    kind = media_type.partition(";")[0].strip()
    if kind not in KINDS:
        raise InvalidValue(field="media_type", value=kind, expected="one of " + ", ".join(KINDS))
    beginnings = KINDS[kind]
    if not beginnings:
        _check_text(path, kind)
        return
    with path.open("rb") as file:
        head = file.read(_HEAD)
    is_webp = kind != "image/webp" or head[8:12] == b"WEBP"
    if not head.startswith(beginnings) or not is_webp:
        raise EvidenceRefused(problem=f"it is no {kind}")


def scan_file(path: Path, command: Sequence[str]) -> None:
    """Have the operator's scanner look at a file. Raises EvidenceRefused and ScannerFailed."""
    if not command:
        return
    try:
        done = subprocess.run(
            [*command, str(path)],
            stdin=subprocess.DEVNULL,
            # Nothing that it says is used, and whoever has its pipe could keep us waiting.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=SCAN_SECONDS,
            env=strangers_environment(),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ScannerFailed(problem=f"it took more than {SCAN_SECONDS:g} seconds") from error
    except OSError as error:
        raise ScannerFailed(problem=f"{command[0]}: {error.strerror}") from error
    if done.returncode == 1:
        raise EvidenceRefused(problem="the scanner found something harmful in it")
    if done.returncode != 0:
        raise ScannerFailed(problem=f"it ended with {done.returncode}")


def _check_text(path: Path, kind: str) -> None:
    with path.open("r", encoding="utf-8", newline="") as file:
        try:
            while chunk := file.read(1 << 16):
                if "\0" in chunk:
                    raise EvidenceRefused(problem=f"it is no {kind}")
        except UnicodeDecodeError as error:
            raise EvidenceRefused(problem=f"it is no {kind} in UTF-8") from error
