"""One look at the chain: what is new is proved and committed, and what is wrong is raised.

It holds what a process remembers between two looks (the state, the journals, the nodes that it has
checked) and trusts none of it longer than the database agrees: where another process has moved the
mirror, everything is read again.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Sequence

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from ledger.chain.headers import Header, check_header
from ledger.chain.rpc import Node
from ledger.domain.ids import BlockNumber
from ledger.domain.verification import Finality, Level
from ledger.errors import (
    ChainMismatch,
    DatabaseUnusable,
    DiskFull,
    LedgerError,
    MirrorEmpty,
    MirrorOfAnother,
    NodeLacksBlock,
    NodeLagging,
    SchemaMismatch,
)
from ledger.mirror.ahead import WORTH_A_PROCESS, Ahead, ProverDied
from ledger.mirror.apply import Applier, read_journals
from ledger.mirror.contracts import Followed
from ledger.mirror.lease import LeaseLost, Stopped
from ledger.mirror.marks import BlockMark
from ledger.mirror.nodes import NoteDue, describe_nodes, write_nodes
from ledger.mirror.pool import Pool
from ledger.mirror.prove import (
    ChainForked,
    Journals,
    ProvedRange,
    Prover,
    check_code,
    look_at_head,
)
from ledger.mirror.reorganise import finalized_block, find_ancestor, read_marks
from ledger.mirror.reports import Applied, Reporter, say_nothing
from ledger.mirror.state import (
    Fence,
    MirrorState,
    Overtaken,
    now_in_milliseconds,
    read_state,
    record_halt,
    record_look,
    unfenced,
    write_first_state,
)
from ledger.mirror.state_proofs import StateProofs
from ledger.store.bulk import insert_rows
from ledger.store.engine import reading, writing
from ledger.store.mirror_tables import SCHEMA_VERSION, blocks, contracts

_LOOK_WRITTEN_EVERY = 1.0
"""Seconds between two notes that nothing is new; a note is a write to the disk."""


class Mirror:
    """The mirror of one deployment in one database, whose lease this process must hold.

    `nodes` are asked in turn. `finality_blocks` are the blocks after which one may no longer be
    reorganised, `finality` says whether they are what counts. `level` is what new rows rest on.
    `follows` says that this is done for good: what is not needed for a row is then done beside.
    Once `stop` is set, a look ends early with Stopped.
    """

    def __init__(
        self,
        engine: Engine,
        nodes: Sequence[Node],
        followed: Followed,
        *,
        finality_blocks: int,
        stop: threading.Event,
        report: Reporter = say_nothing,
        level: Level = Level.RECEIPTS,
        finality: Finality = Finality.EITHER,
    ) -> None:
        self.engine = engine
        self.stop = stop
        self.report = report
        self._nodes = tuple(nodes)
        self.followed = followed
        self.follows = False
        self._finality_blocks = finality_blocks
        self._pool = Pool(nodes, stop, report)
        self._level = level
        self._finality = finality
        self._prover = Prover(followed, self._pause, level=level)
        self._note_due = NoteDue()
        self._ahead = Ahead(followed, self._pause, level=level)
        self._applier = Applier(engine, followed)
        self._fence: Fence = unfenced
        self._introduced: set[Node] = set()
        self._held: tuple[MirrorState, Journals] | None = None
        self._look_written = 0.0
        self._proofs = StateProofs(self._prover, level)

    def in_database(self, engine: Engine) -> Mirror:
        """A mirror of the same deployment, from the same nodes, in another database."""
        return Mirror(
            engine,
            self._nodes,
            self.followed,
            finality_blocks=self._finality_blocks,
            stop=self.stop,
            report=self.report,
            level=self._level,
            finality=self._finality,
        )

    def lead_by(self, fence: Fence) -> None:
        """Let every transaction that writes begin with this fence."""
        self._fence = self._applier.fence = fence

    def check_database(self) -> None:
        """Refuse a database that mirrors something else, or with other tables.

        Raises MirrorOfAnother and SchemaMismatch. No halt: what is mirrored there stands.
        """
        try:
            with reading(self.engine) as connection:
                state = read_state(connection)
        except MirrorEmpty:
            return
        if state.schema_version != SCHEMA_VERSION:
            raise SchemaMismatch(found=state.schema_version, needed=SCHEMA_VERSION)
        self.check_ledger()

    def check_ledger(self) -> None:
        """Refuse a database that mirrors something else. Raises MirrorOfAnother and MirrorEmpty."""
        with reading(self.engine) as connection:
            state = read_state(connection)
        for what, found, expected in (
            ("its chain's id", state.chain_id, self.followed.chain_id),
            ("its chain's first block", state.genesis_hash, self.followed.genesis_hash),
            ("its deployment", state.deployment, self.followed.digest),
        ):
            if found != expected:
                raise MirrorOfAnother(what=what, found=_shown(found), expected=_shown(expected))

    def look(self) -> MirrorState:
        """Look once; `state.lag` is 0 where nothing is left to do.

        Raises what is wrong: an error in `pool.PASSING`, or one that halts the mirror.
        """
        with self._ahead:
            state = self._look()
        if state.lag == 0:
            self._ahead.close()
        return state

    def _look(self) -> MirrorState:
        try:
            state = self._pool.ask(self._look_at)
        except Overtaken:
            self.forget()
            self.check_database()
            state = self._pool.ask(self._look_at)
        except LedgerError:
            # A node that went wrong may come back as another chain.
            self._introduced.clear()
            # What is wrong with the nodes matters more than that it cannot be noted.
            with contextlib.suppress(DBAPIError, DatabaseUnusable, DiskFull, Overtaken, LeaseLost):
                self._note_nodes()
            raise
        self._note_nodes()
        return state

    def forget(self) -> None:
        """Read everything anew at the next look, and write down that it was made."""
        self._held = None
        self._look_written = 0.0
        self._introduced.clear()

    def halt(self, problem: LedgerError) -> None:
        """Write down why the mirror stops."""
        with writing(self.engine) as connection:
            self._fence(connection)
            record_halt(connection, problem)

    def _look_at(self, node: Node) -> MirrorState:
        self._pause()
        self._introduce(node)
        head = look_at_head(node)
        self._pool.saw_head(node, head)
        state, journals = self._held or self._load(node, head)
        if head.number > state.cursor.number:
            return self._commit(node, state, self._prove(node, state, journals, head), head)
        if not self._is_mirrored(state, head):
            return self._commit(node, state, self._prove_branch(node, state, head), head)
        known = max(state.cursor.number, self._pool.agreed_head)
        if head.number < known:
            raise NodeLagging(url=node.url, head=head.number, wanted=known)
        return self._note_look(node, state, journals, head)

    def _introduce(self, node: Node) -> None:
        """Check once that a node serves our chain, with our contracts on it."""
        if node in self._introduced:
            return
        found = node.chain_id()
        if found != self.followed.chain_id:
            raise ChainMismatch(what="its id", found=found, expected=self.followed.chain_id)
        with node.blamed():
            genesis = check_header(node.header(0))
        if genesis.hash != self.followed.genesis_hash:
            raise ChainMismatch(
                what="its first block",
                found="0x" + genesis.hash.hex(),
                expected="0x" + self.followed.genesis_hash.hex(),
            )
        check_code(node, self.followed, look_at_head(node))
        self._introduced.add(node)

    def _load(self, node: Node, head: Header) -> tuple[MirrorState, Journals]:
        """Read where the mirror stands, beginning one where there is none."""
        try:
            with reading(self.engine) as connection:
                state = read_state(connection)
                journals = read_journals(connection, self.followed, state.cursor.number)
        except MirrorEmpty:
            state = self._begin(node, head)
            with reading(self.engine) as connection:
                journals = read_journals(connection, self.followed, state.cursor.number)
        is_empty = state.cursor.number < self.followed.first_block
        behind = head.number - state.cursor.number
        self._proofs.waits = not self.follows or is_empty or behind >= WORTH_A_PROCESS
        self._applier.forget(database_is_empty=is_empty)
        self._held = state, journals
        return self._held

    def _begin(self, node: Node, head: Header) -> MirrorState:
        """Write the state of a mirror before its first block."""
        with node.blamed():
            parent = BlockMark.of(check_header(node.header(self.followed.first_block - 1)))
        self._pool.confirm(node, parent)
        state = MirrorState(
            schema_version=SCHEMA_VERSION,
            chain_id=self.followed.chain_id,
            genesis_hash=self.followed.genesis_hash,
            deployment=self.followed.digest,
            first_block=self.followed.first_block,
            cursor=parent,
            final_number=parent.number,
            generation=0,
            head_number=head.number,
            looked_at=now_in_milliseconds(),
            halt=None,
        )
        with writing(self.engine) as connection:
            self._fence(connection)
            write_first_state(connection, state)
            self._write_contracts(connection)
            insert_rows(connection, blocks, [(parent.number, parent.hash, parent.timestamp)])
        return state

    def _write_contracts(self, connection: Connection) -> None:
        rows = [
            (each.contract_id, each.name, each.address, each.code_hash, each.first_block)
            for each in self.followed.contracts
        ]
        insert_rows(connection, contracts, rows)

    def _is_mirrored(self, state: MirrorState, head: Header) -> bool:
        """Whether a head at or below the cursor is a block of ours, or below all of ours."""
        if head.number == state.cursor.number:
            return head.hash == state.cursor.hash
        with reading(self.engine) as connection:
            held = read_marks(connection, range(head.number, head.number + 1))
        return head.number not in held or held[head.number].hash == head.hash

    def _prove(
        self, node: Node, state: MirrorState, journals: Journals, head: Header
    ) -> ProvedRange:
        """What comes after the cursor, or after an ancestor of it where the chain forked."""
        try:
            return self._prove_next(node, state.cursor, journals, head)
        except ChainForked:
            return self._prove_branch(node, state, head)

    def _prove_next(
        self, node: Node, parent: BlockMark, journals: Journals, head: Header
    ) -> ProvedRange:
        """What comes after `parent`: proved by another process where there is much."""
        if self._ahead.is_worth_it(node, parent, journals, head):
            self._proofs.ask_ahead(node, head, journals)
            try:
                return self._ahead.take(node, parent, journals, head)
            except ProverDied:
                self._ahead.close()
        return self._prover.prove_range(node, parent, journals, head)

    def _prove_branch(self, node: Node, state: MirrorState, head: Header) -> ProvedRange:
        """What the chain has now instead of our last blocks."""
        self._introduced.discard(node)
        self._introduce(node)
        with reading(self.engine) as connection:
            ancestor = find_ancestor(
                connection, node, state, head, finality_blocks=self._finality_blocks
            )
            journals = read_journals(connection, self.followed, ancestor.number)
        try:
            return self._prover.prove_range(node, ancestor, journals, head)
        except ChainForked:
            # It changed once more since; another look will find out to what.
            raise NodeLacksBlock(
                url=node.url, method="eth_getBlockByNumber", block=ancestor.number + 1
            ) from None

    def _commit(
        self, node: Node, state: MirrorState, proved: ProvedRange, head: Header
    ) -> MirrorState:
        self._pause()
        if proved.end.number == head.number:
            # Not `head`: the chain may have changed since, and the range is what is written.
            self._proofs.prove(node, proved.headers[-1], proved.journals)
        self._pool.confirm(node, proved.end)
        if self._level is Level.HEADS:
            self._confirm_journals(node, proved)
        after = self._applier.apply_range(
            state,
            proved,
            final_number=self._final_number(node, state, proved),
            head_number=head.number,
        )
        self._held = after, proved.journals
        self._look_written = time.monotonic()
        rolled_back = state.cursor.number - proved.parent.number
        self.report(Applied(after, len(proved.logs), rolled_back))
        return after

    def _confirm_journals(self, node: Node, proved: ProvedRange) -> None:
        """Let the other nodes say how far the contracts' journals are.

        The logs of this level rest on that, and a node that refuses to prove it can tell anything.
        """
        end = proved.headers[-1]
        places = self._prover.journal_places(end)
        there = (proved.journals[address] for address, _ in places[::2])
        words = [word for each in there for word in each.words]
        self._pool.confirm_words(
            node, end.number, words, lambda other: other.storage(places, end.hash)
        )

    def _final_number(self, node: Node, state: MirrorState, proved: ProvedRange) -> BlockNumber:
        """The highest block that may no longer go, once this range is mirrored."""
        final = state.final_number
        if self._finality is not Finality.TAG:
            final = BlockNumber(max(final, proved.end.number - self._finality_blocks))
        called_final = finalized_block(node) if self._finality is not Finality.DEPTH else None
        if called_final is not None and final < called_final.number <= proved.end.number:
            hashes = {header.number: header.hash for header in proved.headers}
            if hashes.get(called_final.number) == called_final.hash or (
                called_final.number <= proved.parent.number
                and self._is_mirrored(state, called_final)
            ):
                # What stands below a final block of ours is final too.
                others = self._pool.final_at_most(node)
                called = called_final.number
                final = BlockNumber(max(final, called if others is None else min(called, others)))
        return final

    def _note_look(
        self, node: Node, state: MirrorState, journals: Journals, head: Header
    ) -> MirrorState:
        """Write down now and then that all is well and nothing is new."""
        self._proofs.prove(node, head, journals)
        now = time.monotonic()
        if now - self._look_written >= _LOOK_WRITTEN_EVERY or state.halt is not None:
            with writing(self.engine) as connection:
                self._fence(connection)
                record_look(connection, state, head_number=head.number)
                state = read_state(connection)
            self._held = state, journals
            self._look_written = now
        return state

    def _note_nodes(self) -> None:
        """Write down how the nodes do: soon where that changed, else now and then."""
        notes = describe_nodes(self._pool.standings, self._pool.preferred)
        if not self._note_due.is_due(notes):
            return
        with writing(self.engine) as connection:
            self._fence(connection)
            write_nodes(connection, notes)
        self._note_due.wrote(notes)

    def _pause(self) -> None:
        if self.stop.is_set():
            raise Stopped


def _shown(value: int | bytes) -> int | str:
    return "0x" + value.hex() if isinstance(value, bytes) else value
