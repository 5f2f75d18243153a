"""The mirror cannot go on, or cannot answer.

MirrorProblem
├── MirrorHalted
├── MirrorEmpty
├── LedgerPreparing
├── MirrorStale
├── ClockAstray
├── MirrorCannotWrite
├── ReorganisationTooDeep
├── JournalBroken
├── EventUnknown
├── MirrorDamaged
├── FactsDamaged
├── MirrorOfAnother
└── SchemaMismatch
"""

from __future__ import annotations

from ledger.errors.base import LedgerError


class MirrorProblem(LedgerError):
    """The mirror cannot go on, or cannot answer."""


class MirrorHalted(MirrorProblem):
    code = "mirror.halted"
    sentence = "The mirror halted at block {block}: {reason}"
    next_step = "What was mirrored stays served. Mend the cause and start the mirror again."


class MirrorEmpty(MirrorProblem):
    code = "mirror.empty"
    sentence = "Nothing is mirrored yet."
    next_step = "Run `moonlake mirror sync`."


class LedgerPreparing(MirrorProblem):
    """What is mirrored is true; whoever started the server has more to record first."""

    code = "mirror.preparing"
    sentence = "The ledger is being prepared, and not everything is recorded yet."
    next_step = "Come back in a moment; `moonlake up` says when it is ready."


class MirrorStale(MirrorProblem):
    code = "mirror.stale"
    sentence = "The mirror has not looked at the chain for {seconds} s."
    next_step = "Start it again with `moonlake mirror follow`, and see whether the node answers."


class ClockAstray(MirrorProblem):
    """Nobody can tell how long ago it was: a clock was set, or two machines differ."""

    code = "mirror.clock_astray"
    sentence = "The mirror's last look at the chain is dated {seconds} s after the time that it is."
    next_step = (
        "Set the clocks of this machine and of the one that runs the mirror; a mirror that runs "
        "dates its next look anew."
    )


class MirrorCannotWrite(MirrorProblem):
    code = "mirror.cannot_write"
    sentence = "The mirror cannot write to its database, which stays at block {block}."
    next_step = (
        "Free some space where the database is, or see why it cannot be written; "
        "the mirror then goes on by itself."
    )


class ReorganisationTooDeep(MirrorProblem):
    code = "mirror.reorganisation_too_deep"
    sentence = (
        "The chain no longer has block {block} ({block_hash}), which is {depth} blocks deep "
        "and was final at {finality}."
    )
    next_step = (
        "If the chain was reset on purpose, run `moonlake mirror rebuild`; "
        "otherwise do not trust this node."
    )


class JournalBroken(MirrorProblem):
    code = "mirror.journal_broken"
    sentence = (
        "Block {block}, log {log_index}: the journal of {contract} does not follow: {problem}."
    )
    next_step = "Do not trust this node; compare with another."


class EventUnknown(MirrorProblem):
    code = "mirror.event_unknown"
    sentence = (
        "Block {block}, log {log_index}: {contract} emitted an event that is not known: {topic}."
    )
    next_step = "Use a release that knows this contract."


class MirrorDamaged(MirrorProblem):
    """The database refuses a row that must fit: somebody else has written into the mirror."""

    code = "mirror.damaged"
    sentence = "The mirror's rows contradict the chain: {problem}."
    next_step = "Run `moonlake mirror rebuild`."


class FactsDamaged(MirrorProblem):
    """A raw fact is not as it came from the chain: nothing can be built from it."""

    code = "mirror.facts_damaged"
    sentence = "The stored facts are damaged at block {block}, log {log_index}: {problem}."
    next_step = "Run `moonlake mirror rebuild --from-chain`, which asks the node for all of them."


class MirrorOfAnother(MirrorProblem):
    code = "mirror.of_another_ledger"
    sentence = "The database mirrors another ledger: {what} is {found}, and not {expected}."
    next_step = (
        "Run `moonlake mirror rebuild` to mirror this one instead, or name another database "
        "with MOONLAKE_DATABASE_URL."
    )


class SchemaMismatch(MirrorProblem):
    code = "mirror.schema_mismatch"
    sentence = "The database has schema {found}, this release needs {needed}."
    next_step = (
        "An older database is brought to it by `moonlake mirror sync` or `follow` of this release, "
        "from its own facts; a newer one needs the release that wrote it."
    )
