"""What a database is held against: a bundle's proved blocks, as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from ledger.audit.blocks import BlockProver, WrongBlock
from ledger.audit.bundle import Bundle, opened_bundle
from ledger.audit.findings import Finding, Findings
from ledger.chain.artifacts import CONTRACTS, JOURNALLED
from ledger.chain.headers import Header
from ledger.chain.immutables import Placement, runtime_code
from ledger.chain.keccak import keccak256
from ledger.chain.receipts import Log


class Placed(NamedTuple):
    """A contract of the bundle."""

    address: bytes
    code_hash: bytes
    block_number: int


class Differing(Protocol):
    """A row of the database that is not as it should be."""

    @property
    def table(self) -> str: ...

    @property
    def key(self) -> tuple[Any, ...]: ...

    @property
    def column(self) -> str: ...

    @property
    def found(self) -> Any: ...

    @property
    def right(self) -> Any: ...

    @property
    def block(self) -> int | None: ...

    @property
    def log_index(self) -> int | None: ...


class Unexplained(Protocol):
    """An act without an operation, or an operation without an act."""

    @property
    def transaction_hash(self) -> bytes: ...

    @property
    def sender(self) -> bytes: ...

    @property
    def operation_id(self) -> bytes: ...

    @property
    def block_number(self) -> int: ...

    @property
    def log_index(self) -> int | None: ...


class ProvedAct(NamedTuple):
    """A transaction that wrote into the ledger, where, and whether it made a contract."""

    transaction_hash: bytes
    sender: bytes
    creates: bool
    block_number: int
    log_index: int


class Comparison:
    """A bundle that a database is compared with; it says of its ledger what a deployment says."""

    def __init__(self, bundle: Bundle) -> None:
        places = bundle.places()
        placement = Placement(places.chain_id, places.recovery_delay, places.addresses)
        self._bundle = bundle
        self.findings = Findings()
        self.acts: list[ProvedAct] = []
        """The transactions of the blocks that `history` has given so far."""
        self.last_block = bundle.manifest.last_block
        self.chain_id = places.chain_id
        self.genesis_hash = bytes.fromhex(places.genesis_hash[2:])
        self.contracts: Mapping[str, Placed] = {
            name: Placed(
                places.addresses[name],
                keccak256(runtime_code(name, placement)),
                bundle.manifest.first_block,
            )
            for name in CONTRACTS
        }

    @classmethod
    @contextmanager
    def opened(cls, path: Path) -> Iterator[Comparison]:
        """A bundle whose digests are right. Raises BundleUnreadable."""
        with opened_bundle(path) as bundle:
            for name in bundle.wrong_digests():
                raise bundle.broken(f"{name} is not the file that the manifest names")
            yield cls(bundle)

    def history(self) -> Iterator[tuple[Header, Sequence[Log]]]:
        """The blocks, proved, with our logs in each. Raises BundleUnreadable."""
        addresses = [self.contracts[name].address for name in JOURNALLED]
        first = self._bundle.manifest.first_block
        prover = BlockProver(addresses, self.chain_id, first)
        for record in self._bundle.records():
            try:
                block = prover.prove(record)
            except WrongBlock as wrong:
                problem = wrong.finding.sentence("en").rstrip(".")
                raise self._bundle.broken(problem) from wrong
            for act in block.acts:
                log = act.logs[0]
                self.acts.append(
                    ProvedAct(
                        act.hash,
                        act.sent.sender,
                        not act.sent.to,
                        log.block_number,
                        log.log_index,
                    )
                )
            yield block.header, [log for act in block.acts for log in act.logs]

    def add(self, found: Differing) -> None:
        """Note a difference."""
        row = f"{found.table} {'/'.join(map(_shown, found.key))}"
        if found.column:
            values = {"found": _shown(found.found), "right": _shown(found.right)}
            finding = Finding(
                "compare.differs", f"{row} {found.column}", values, found.block, found.log_index
            )
        else:
            code = "compare.missing" if found.found is None else "compare.added"
            finding = Finding(code, row, {}, found.block, found.log_index)
        self.findings.add(finding)

    def add_unexplained(self, found: Unexplained) -> None:
        """Note an act of a key of ours that no operation explains, or an operation without act."""
        values = {"key": "0x" + found.sender.hex()}
        code = "outbox.unexplained"
        if found.operation_id:
            code, values = "outbox.no_act", {"operation": "0x" + found.operation_id.hex()}
        row = f"transaction 0x{found.transaction_hash.hex()}"
        self.findings.add(Finding(code, row, values, found.block_number, found.log_index))


def _shown(value: Any) -> str:
    return "0x" + value.hex() if isinstance(value, bytes) else str(value)
