"""Makes a bundle: asks a node for everything that the verifier needs, and writes it.

The exporter believes nothing that a node says where it can prove it at once: a bundle with a hole
would only be found by the auditor. Two exports of the same blocks give the same bytes. It streams:
what is in memory is some blocks, and a few numbers of each organisation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from ledger.audit.anchors import FORMAT as ANCHOR_FORMAT
from ledger.audit.anchors import Anchor, describe_anchor, write_anchor
from ledger.audit.archive import ArchiveWriter, writing_archive
from ledger.audit.blocks import BlockProver, WrongBlock
from ledger.audit.bundle import (
    BLOCKS,
    CLAIMS,
    FORMAT,
    MANIFEST,
    PLACES,
    SOURCES,
    STATE,
    AccountState,
    Claims,
    Manifest,
    MemberDigest,
    Places,
    encode_bare_record,
    encode_record,
    encode_state,
    write_canonical,
)
from ledger.audit.captures import Capture, Captures
from ledger.audit.certificates import make_certificate
from ledger.audit.findings import Findings
from ledger.audit.history.replay import History, JournalLost
from ledger.audit.proving import prove_state
from ledger.audit.state import HEAD_SLOTS, StateChecker, balance_slot, part_of, totals_slot
from ledger.chain.artifacts import JOURNALLED, load_compiler_input
from ledger.chain.headers import BloomFilter, Header, check_header, check_headers, encode_header
from ledger.chain.receipts import encode_receipt
from ledger.chain.rlp import NotCanonical
from ledger.chain.rpc import Node
from ledger.chain.seals import read_sealed
from ledger.chain.transactions import encode_transaction
from ledger.domain.ids import BlockNumber
from ledger.errors import NodeAnswerInvalid

_HEADERS_AT_ONCE = 250
_BODIES_AT_ONCE = 16
_SLOTS_AT_ONCE = 500


class DeployedContract(Protocol):
    """What must be known of a contract."""

    @property
    def address(self) -> bytes: ...

    @property
    def block_number(self) -> int: ...


class Deployed(Protocol):
    """What must be known of a deployment; a deployment file says more."""

    @property
    def chain_id(self) -> int: ...

    @property
    def genesis_hash(self) -> bytes: ...

    @property
    def recovery_delay(self) -> int: ...

    @property
    def contracts(self) -> Mapping[str, DeployedContract]: ...


@dataclass(frozen=True, slots=True)
class Exported:
    """What a bundle holds."""

    path: Path
    size: int
    first_block: int
    last_block: int
    last_hash: bytes
    blocks: int
    bodies: int
    transactions: int
    logs: int


class Exporter:
    """Writes the bundle of one ledger. `progress` is told how many blocks are done, and of how
    many. The state after the last block comes from `captures` where it is kept there."""

    def __init__(
        self,
        node: Node,
        deployment: Deployed,
        progress: Callable[[int, int], None],
        captures: Captures | None = None,
    ) -> None:
        self._captures = captures
        self._capture: Capture | None = None
        self._node = node
        self._progress = progress
        self.places = Places(
            chain_id=deployment.chain_id,
            genesis_hash=_hex(deployment.genesis_hash),
            recovery_delay=deployment.recovery_delay,
            contracts={name: _hex(each.address) for name, each in deployment.contracts.items()},
        )
        self._addresses = self.places.addresses
        self._first = min(each.block_number for each in deployment.contracts.values())

    def export(self, path: Path, last: int, first: int | None = None) -> Exported:
        """Write the bundle of all blocks from the ledger's first up to `last`.

        With `first` it holds the blocks from there on, and is verified together with one that ends
        just before; the blocks before are read all the same, since state follows from them.

        Raises the errors of a node, ProofsUnavailable where it no longer has the state after
        `last`, and NodeAnswerInvalid for an answer that is not proved.
        """
        journalled = [self._addresses[name] for name in JOURNALLED]
        prover = BlockProver(journalled, self.places.chain_id, self._first)
        with writing_archive(path) as archive:
            history = self._write_blocks(archive, prover, last, first or self._first)
            header = prover.last
            assert header is not None, "there is at least one block"  # noqa: S101
            if self._captures is not None:
                self._capture = self._captures.find(header)
            state = self._state(header, history)
            archive.add(STATE, encode_state(state))
            archive.add(CLAIMS, write_canonical(self._checked_claims(header, history)))
            archive.add(PLACES, write_canonical(self.places))
            archive.add(SOURCES, load_compiler_input())
            begins = max(self._first, first or 0)
            archive.add(MANIFEST, self._manifest(archive, header, begins))
        tally = prover.tally
        return Exported(
            path=path,
            size=path.stat().st_size,
            first_block=begins,
            last_block=header.number,
            last_hash=header.hash,
            blocks=tally.blocks,
            bodies=tally.bodies,
            transactions=tally.transactions,
            logs=tally.logs,
        )

    def _write_blocks(
        self, archive: ArchiveWriter, prover: BlockProver, last: int, first: int
    ) -> History:
        places = self.places
        # Of what is objected to, the verifier says it; here it only tells what must be proved.
        history = History(self._addresses, places.chain_id, places.recovery_delay, lambda _: None)
        total = last - self._first + 1
        with archive.member(BLOCKS) as member:
            for record in self._records(last):
                try:
                    block = prover.prove(record)
                    history.take(block)
                except WrongBlock as wrong:
                    raise NodeAnswerInvalid(
                        block=wrong.finding.block or self._first,
                        url=self._node.url,
                        problem=wrong.finding.sentence("en").rstrip("."),
                    ) from wrong
                except JournalLost as lost:
                    raise NodeAnswerInvalid(
                        block=history.place.block,
                        url=self._node.url,
                        problem=f"log {history.place.log_index} does not follow in its journal",
                    ) from lost
                if block.header.number >= first:
                    member.write(record)
                self._progress(prover.tally.blocks, total)
        return history

    def _records(self, last: int) -> Iterator[bytes]:
        may_match = BloomFilter(self._addresses[name] for name in JOURNALLED).may_match
        before: bytes | None = None
        for first in range(self._first, last + 1, _HEADERS_AT_ONCE):
            end = min(last, first + _HEADERS_AT_ONCE - 1)
            answers = self._node.headers(range(first, end + 1))
            with self._node.blamed():
                run = check_headers(answers, first=BlockNumber(first), parent_hash=before)
            before = run[-1].hash
            pairs = list(zip(run, map(encode_header, answers), strict=True))
            for start in range(0, len(pairs), _BODIES_AT_ONCE):
                part = pairs[start : start + _BODIES_AT_ONCE]
                yield from self._part([(*pair, may_match(pair[0].logs_bloom)) for pair in part])

    def _part(self, part: Sequence[tuple[Header, bytes, bool]]) -> Iterator[bytes]:
        wanted = [header.hash for header, _, matches in part if matches]
        blocks = iter(self._node.blocks(wanted) if wanted else [])
        receipts = iter(self._node.receipts(wanted) if wanted else [])
        for header, raw, matches in part:
            if not matches:
                yield encode_bare_record(raw)
                continue
            try:
                transactions = [encode_transaction(each) for each in next(blocks).transactions]
                encoded = [encode_receipt(each) for each in next(receipts)]
            except ValueError as error:
                raise NodeAnswerInvalid(
                    block=header.number, url=self._node.url, problem=str(error)
                ) from error
            yield encode_record(raw, transactions, encoded)

    def _state(self, header: Header, history: History) -> list[AccountState]:
        found = []
        for name, address in self._addresses.items():
            slots = list(HEAD_SLOTS) if name in JOURNALLED else []
            if name == "Credits":
                slots += [totals_slot(programme) for programme in _programmes(history)]
            found.append(self._prove(header, address, slots))
        return found + [
            self._prove(header, account, []) for account in sorted(history.acts.outsiders)
        ]

    def _prove(self, header: Header, address: bytes, slots: Sequence[bytes]) -> AccountState:
        kept = self._capture.prove(address, slots) if self._capture is not None else None
        return kept or prove_state(self._node, header, address, slots)

    def _checked_claims(self, header: Header, history: History) -> Claims:
        """The claims, which must be what the blocks give; words that were kept and are not so, as
        a node that lied at the time would have it, are asked for anew."""
        kept = self._capture.words if self._capture is not None else {}
        for known in (kept, {}) if kept else ({},):
            claims, findings = self._claims(header, history, known), Findings()
            StateChecker(header, history, findings).check_claims(claims)
            if not findings.total:
                return claims
        problem = f"{next(iter(findings)).row} is not what its blocks give"
        raise NodeAnswerInvalid(block=header.number, url=self._node.url, problem=problem)

    def _claims(self, header: Header, history: History, kept: Mapping[bytes, bytes]) -> Claims:
        """Balances and totals as the node tells them; the verifier compares them with history."""
        address = self._addresses["Credits"]
        pairs = sorted(history.credits.balances)
        words = self._words(address, [balance_slot(*pair) for pair in pairs], header, kept)
        programmes = _programmes(history)
        totals = self._words(address, [totals_slot(each) for each in programmes], header, kept)
        balances = [
            (programme, org, part_of(word, org % 4))
            for (programme, org), word in zip(pairs, words, strict=True)
        ]
        return Claims(
            balances=[each for each in balances if each[2]],
            totals=[
                (programme, part_of(word, 0), part_of(word, 1))
                for programme, word in zip(programmes, totals, strict=True)
            ],
        )

    def _words(
        self, address: bytes, slots: Sequence[bytes], header: Header, kept: Mapping[bytes, bytes]
    ) -> list[bytes]:
        if set(slots) <= set(kept):
            return [kept[slot] for slot in slots]
        found: list[bytes] = []
        for start in range(0, len(slots), _SLOTS_AT_ONCE):
            part = slots[start : start + _SLOTS_AT_ONCE]
            found += self._node.storage([(address, slot) for slot in part], header.hash)
        return found

    def _manifest(self, archive: ArchiveWriter, header: Header, first: int) -> bytes:
        files = {
            name: MemberDigest(size, digest.hex())
            for name, (size, digest) in archive.digests.items()
        }
        manifest = Manifest(
            format=FORMAT,
            chain_id=self.places.chain_id,
            first_block=first,
            last_block=header.number,
            last_hash=_hex(header.hash),
            files=files,
        )
        return write_canonical(manifest)


def _programmes(history: History) -> list[int]:
    return sorted({programme_id for programme_id, _ in history.credits.balances})


def _hex(value: bytes) -> str:
    return "0x" + value.hex()


def ask_anchor(node: Node, deployment: Deployed, block: int) -> tuple[bytes, dict[str, Any]]:
    """An anchor at a block, as its file and as values. It is worth what the node is."""
    answer = node.header(block)
    with node.blamed():
        header = check_header(answer)
    try:
        sealed = read_sealed(encode_header(answer))
    except NotCanonical as error:
        raise NodeAnswerInvalid(block=block, url=node.url, problem=str(error)) from error
    anchor = Anchor(
        format=ANCHOR_FORMAT,
        chain_id=deployment.chain_id,
        genesis_hash=_hex(deployment.genesis_hash),
        block_number=header.number,
        block_hash=_hex(header.hash),
        contracts={name: _hex(each.address) for name, each in deployment.contracts.items()},
        validators=[_hex(each) for each in sealed.validators] if sealed else [],
    )
    return write_anchor(anchor), describe_anchor(anchor)


def export_certificate(
    node: Node, deployment: Deployed, org_id: int, block: int, block_hash: bytes | None = None
) -> bytes:
    """The certificate of an organisation at a block, which can be one that is known by its hash.

    Raises ProofsUnavailable, and NodeAnswerInvalid where the node has another block.
    """
    answer = node.header(block)
    with node.blamed():
        header = check_header(answer)
    if block_hash is not None and header.hash != block_hash:
        problem = f"it has block {_hex(header.hash)} there, and not {_hex(block_hash)}"
        raise NodeAnswerInvalid(block=block, url=node.url, problem=problem)
    addresses = {name: each.address for name, each in deployment.contracts.items()}
    return make_certificate(
        encode_header(answer),
        org_id,
        lambda name, slots: prove_state(node, header, addresses[name], slots),
        chain_id=deployment.chain_id,
        genesis_hash=_hex(deployment.genesis_hash),
        recovery_delay=deployment.recovery_delay,
        contracts={name: _hex(address) for name, address in addresses.items()},
    )
