"""What callers of the API may be let do, and the log of what they were let do.

Each line of the log carries a hash over itself and over the line before, so that nobody can change,
drop or add one without changing all that follow. It needs no database: whoever has the lines checks
them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from enum import StrEnum

from ledger.errors import AccessLogBroken

NO_HASH = bytes(32)
"""What the first line of a log follows."""


SALT_BYTES = 32
"""Of the commitment to what was said."""


class Scope(StrEnum):
    """What an API key is good for; its account must have the right on the chain besides."""

    READ = "read"
    """Read what the account may read."""
    CREDITS = "credits"
    """Award credits, take awards back, and carry balances over."""
    MEMBERS = "members"
    """Register and admit organisations, and change their standing."""
    CONTROL = "control"
    """Recover, retire and merge organisations, and object to a recovery."""
    RULES = "rules"
    """Found programmes, and change their tiers, categories, epochs, caps and budgets."""
    OFFICERS = "officers"
    """Appoint and dismiss officers."""
    BENEFITS = "benefits"
    """List benefits, redeem credits, settle redemptions; share pools and claim shares."""
    COUNCIL = "council"
    """Propose to a council, approve, carry out."""
    MESSAGES = "messages"
    """Bring messages that somebody signed."""
    EVIDENCE = "evidence"
    """Keep documents, and read those that not everybody may."""
    WEBHOOKS = "webhooks"
    """Look after webhooks."""


@dataclass(frozen=True, slots=True)
class AccessLine:
    """A line of the log: who did what, when (milliseconds since 1970 UTC), by what credential.

    `account` is 0x hex, or the name that a command line was given; `via` is `session:…`, `key:…`,
    `command line` or, for a step of the office, `office`; `subject` is the id of what it is about;
    `detail` holds further facts as canonical JSON, nothing of it secret. `sealed` commits to what
    was said, which is erased by emptying `said` and `salt`.
    """

    number: int
    at: int
    account: str
    via: str
    action: str
    subject: str
    detail: str
    previous: bytes
    hash: bytes
    sealed: bytes | None = None
    said: str = ""
    salt: bytes | None = None


def seal_words(salt: bytes, said: str) -> bytes:
    """What a line's hash covers of words that may have to be erased: SHA-256 of salt and words."""
    return hashlib.sha256(salt + said.encode("utf-8")).digest()


def hash_line(line: AccessLine) -> bytes:
    """What the line's hash must be: SHA-256 over the one before and the line's canonical JSON, with
    `sealed` as hex where something was said, and without the words."""
    values = {name: value for name, value in asdict(line).items() if name not in _APART}
    if line.sealed is not None:
        values["sealed"] = line.sealed.hex()
    text = json.dumps(values, sort_keys=True, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(line.previous + text.encode("utf-8")).digest()


_APART = ("previous", "hash", "sealed", "said", "salt")


def check_lines(lines: Iterable[AccessLine], *, last: tuple[int, bytes] | None = None) -> int:
    """See that the lines, from the first, follow each other; how many there are.

    `last` is the number and hash of the line that must be the last one, from wherever somebody
    wrote it down: without it, lines cut off the end are not missed. Raises AccessLogBroken.
    """
    number, previous = 0, NO_HASH
    for line in lines:
        number += 1
        if line.number != number:
            raise AccessLogBroken(number=number, problem="is missing")
        if line.previous != previous:
            raise AccessLogBroken(number=number, problem="does not follow the one before")
        if line.hash != hash_line(line):
            raise AccessLogBroken(number=number, problem="is not as it was written")
        if not _is_said(line):
            raise AccessLogBroken(number=number, problem="does not say what was said")
        previous = line.hash
    if last is not None and (number, previous) != last:
        raise AccessLogBroken(number=last[0], problem="is not the last, as it was noted")
    return number


def _is_said(line: AccessLine) -> bool:
    """Whether its words are those that it was sealed with, or erased, or were never there."""
    if line.salt is None:
        return not line.said
    if len(line.salt) != SALT_BYTES:  # a longer one could begin the words, and they go on from it
        return False
    return line.sealed == seal_words(line.salt, line.said)
