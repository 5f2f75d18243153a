"""Verifies a bundle: everything that can be known of a ledger's history from its bytes alone.

No network, no database, and none of the mirror's code. What it needs besides the bundle is an
anchor (`anchors`) and, to compare the contracts' code with their sources, a compiler, which comes
as an argument. Memory is bounded by the largest block and by the number of entries, not by the
bundle's size. What is wrong is collected; where nothing after it could be believed, it ends there
and says so. The same bundle gives the same report.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ledger.audit.anchors import Anchor, AnchorChecker
from ledger.audit.blocks import BlockProver, Tally, WrongBlock
from ledger.audit.bundle import MANIFEST, SOURCES, Bundle, Claims, Places, opened_bundle
from ledger.audit.code import CheckedCode, Compiling, check_code
from ledger.audit.expiries import check_expiries
from ledger.audit.findings import Finding, Findings
from ledger.audit.history.authority import RoleChange
from ledger.audit.history.replay import History, JournalLost
from ledger.audit.shares import check_shares
from ledger.audit.state import StateChecker
from ledger.audit.witnesses import NO_WITNESSES, Witnesses
from ledger.chain.artifacts import load_compiler_input
from ledger.chain.headers import Header
from ledger.domain.expiry import ExpiryPolicy
from ledger.domain.shares import ShareRule
from ledger.errors import BundleUnreadable

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Check:
    """A check that was made, and of how many things; `done` says whether it came to its end."""

    name: str
    count: int
    done: bool = True


@dataclass(slots=True)
class Verdict:
    """What came out of an audit."""

    path: Path
    findings: Findings
    checks: list[Check] = field(default_factory=list)
    chain_id: int = 0
    genesis_hash: str = ""
    first_block: int = 0
    last_block: int = 0
    last_hash: str = ""
    last_time: int = 0
    anchored: int | None = None
    contracts: dict[str, str] = field(default_factory=dict)
    roles: Sequence[RoleChange] = ()
    totals: dict[int, tuple[int, int]] = field(default_factory=dict)
    notes: dict[str, int] = field(default_factory=dict)
    validators: list[str] = field(default_factory=list)
    witnesses: int = 0

    @property
    def finality(self) -> str:
        """Who made the last block final: `validators`, or `operator`, whom one has to trust."""
        return "validators" if self.validators else "operator"

    @property
    def exit_code(self) -> int:
        """0: complete and correct. 1: something is wrong. 2: something is missing."""
        return self.findings.exit_code

    @property
    def word(self) -> str:
        """`complete and correct`, `wrong` or `incomplete`."""
        return ("complete and correct", "wrong", "incomplete")[self.exit_code]

    def to_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "verdict": self.word,
            "exit_code": self.exit_code,
            "chain_id": self.chain_id,
            "genesis_hash": self.genesis_hash,
            "first_block": self.first_block,
            "last_block": self.last_block,
            "last_hash": self.last_hash,
            "anchored_to_block": self.anchored,
            "witnesses": self.witnesses,
            "finality": self.finality,
            "validators": self.validators,
            "contracts": self.contracts,
            "checks": [
                {"name": each.name, "count": each.count, "done": each.done} for each in self.checks
            ],
            "totals": [
                {"programme": key, "outstanding": pair[0], "refundable": pair[1]}
                for key, pair in sorted(self.totals.items())
            ],
            "notes": self.notes,
            "findings_total": self.findings.total,
            "findings_by_code": dict(sorted(self.findings.counts.items())),
            "findings": [each.to_json() for each in self.findings],
        }


def verify_bundle(
    path: Path,
    anchor: Anchor | None,
    *,
    compiling: Compiling | None = None,
    policy: ExpiryPolicy | None = None,
    rules: Sequence[ShareRule] = (),
    after: Sequence[Path] = (),
    witnesses: Witnesses = NO_WITNESSES,
    progress: Progress | None = None,
) -> Verdict:
    """Verify a bundle against an anchor; without one it is never complete.

    `compiling` compiles the bundled sources; without it that check is missing. `policy` is the
    expiry policy that the alliance published; it is needed where credits expired. `rules` are the
    published rules of sharing; that of each distribution is needed, and known by its digest.
    `after` are the bundles that this one goes on from, the oldest first; they are proved again.
    `witnesses` are those who must have signed the anchor.
    """
    verdict = Verdict(path, Findings())
    if anchor is not None:
        verdict.witnesses = witnesses.check(anchor, verdict.findings)
    try:
        with ExitStack() as opened:
            bundles = [opened.enter_context(opened_bundle(each)) for each in (*after, path)]
            _Verification(
                bundles,
                verdict,
                anchor=anchor,
                compiling=compiling,
                policy=policy,
                rules=rules,
                progress=progress or _say_nothing,
            ).run()
    except BundleUnreadable as error:
        problem = str(error.values["problem"])
        row = Path(str(error.values["path"])).name
        verdict.findings.add(Finding("bundle.unreadable", row, {"problem": problem}))
    return verdict


def _say_nothing(done: int, total: int) -> None:
    del done, total


class _Verification:
    def __init__(
        self,
        bundles: Sequence[Bundle],
        verdict: Verdict,
        *,
        anchor: Anchor | None,
        compiling: Compiling | None,
        policy: ExpiryPolicy | None,
        rules: Sequence[ShareRule],
        progress: Progress,
    ) -> None:
        *self._earlier, self._bundle = bundles
        self._verdict = verdict
        self._findings = verdict.findings
        self._compiling = compiling
        self._policy = policy
        self._rules = {rule.digest(): rule for rule in rules}
        self._progress = progress
        self._anchor = AnchorChecker(anchor, self._findings)

    def run(self) -> None:
        """All checks, in the order in which one rests on the other."""
        bundle, verdict = self._bundle, self._verdict
        if not self._check_digests():
            return
        places, claims, states = bundle.places(), bundle.claims(), bundle.state()
        sources = bundle.read(SOURCES)
        manifest = bundle.manifest
        verdict.chain_id, verdict.genesis_hash = places.chain_id, places.genesis_hash
        verdict.last_block = manifest.last_block
        verdict.first_block = self._first_block
        verdict.last_hash, verdict.contracts = manifest.last_hash, places.contracts
        if manifest.chain_id != places.chain_id:
            self._findings.add(Finding("bundle.contradiction", "manifest.json"))
        self._anchor.check_places(places)
        history = History(
            places.addresses, places.chain_id, places.recovery_delay, self._findings.add
        )
        # Other sources than the release's are objected to, and no compiler is made to read them.
        ours = sources == load_compiler_input()
        compiling = self._compiling(sources) if self._compiling is not None and ours else None
        try:
            last = self._replay(places, history)
            if last is not None:
                checker = StateChecker(last, history, self._findings)
                checker.check(states)
                self._checked("accounts", checker.accounts)
                self._checked("slots", checker.slots)
                self._check_claims(checker, claims)
                self._check_code(places, sources, checker, compiling)
                self._check_expiries(history)
                count, complete = check_shares(history, self._rules, self._findings)
                self._checked("shares", count, done=complete)
        finally:
            if compiling is not None:
                compiling.close()

    @property
    def _bundles(self) -> Sequence[Bundle]:
        return [*self._earlier, self._bundle]

    @property
    def _first_block(self) -> int:
        return self._bundles[0].manifest.first_block

    def _check_digests(self) -> bool:
        """Check all files of all bundles; whether they are as they were written, of one ledger."""
        right = True
        for bundle in self._bundles:
            for name in bundle.wrong_digests():
                self._findings.add(Finding("bundle.digest", name))
                right = False
        self._checked("digests", 5 * len(self._bundles))
        for bundle in self._earlier if right else ():
            if bundle.places() != self._bundle.places():
                self._findings.add(Finding("bundle.other_ledger", bundle.path.name))
                right = False
        return right

    def _replay(self, places: Places, history: History) -> Header | None:
        """Prove and replay all blocks; the last header, None where it did not come that far."""
        manifest = self._bundle.manifest
        addresses = list(history.contracts)
        prover = BlockProver(addresses, places.chain_id, self._first_block)
        total = manifest.last_block - self._first_block + 1
        try:
            for bundle in self._bundles:
                self._replay_one(bundle, prover, history, total)
        except WrongBlock as wrong:
            self._findings.add(wrong.finding)
            self._tell(prover.tally, history, done=False)
            return None
        except JournalLost:
            self._tell(prover.tally, history, done=False)
            return None
        last = prover.last
        self._progress(total, total)
        if prover.unexplained is not None:
            self._findings.add(Finding("seals.validators", "blocks.rlp", {}, prover.unexplained))
        if last is not None:
            self._verdict.last_time = last.timestamp
            self._verdict.anchored = self._anchor.end(last)
        self._verdict.validators = [
            "0x" + each.hex() for each in sorted(prover.validators.in_force)
        ]
        self._tell(prover.tally, history, done=True)
        return last

    def _replay_one(
        self, bundle: Bundle, prover: BlockProver, history: History, total: int
    ) -> None:
        """Replay a bundle's blocks, which must be those that its manifest names."""
        first: int | None = None
        for record in bundle.records():
            block = prover.prove(record)
            first = block.header.number if first is None else first
            self._anchor.see(block.header, prover.validators.in_force)
            history.take(block)
            if prover.tally.blocks % 1000 == 0:
                self._progress(prover.tally.blocks, total)
        last, manifest = prover.last, bundle.manifest
        found = (first, last.number, "0x" + last.hash.hex()) if last is not None else None
        if found != (manifest.first_block, manifest.last_block, manifest.last_hash):
            row = MANIFEST if bundle is self._bundle else f"{bundle.path.name} {MANIFEST}"
            self._findings.add(Finding("bundle.contradiction", row))

    def _tell(self, tally: Tally, history: History, *, done: bool) -> None:
        for name, count in (
            ("headers", tally.blocks),
            ("sealed", tally.sealed),
            ("blooms", tally.blocks - tally.bodies),
            ("bodies", tally.bodies),
            ("transactions", tally.transactions),
            ("receipts", tally.receipts),
            ("signers", tally.signers),
            ("lines", history.lines),
            ("entries", sum(history.credits.counts.values())),
            ("operations", history.operations),
            ("commands", history.acts.commands),
            ("messages", history.acts.signatures),
            ("role_changes", len(history.authority.changes)),
            ("proposals", len(history.council.all)),
        ):
            self._checked(name, count, done=done)
        self._verdict.roles = history.authority.changes
        credits_ = history.credits
        self._verdict.totals = {
            each: (credits_.outstanding[each], credits_.refundable[each])
            for each in sorted({key[0] for key in credits_.balances})
        }
        self._verdict.notes = {
            "through_other_contracts": history.acts.through_others,
            "accounts_with_code": len(history.acts.outsiders),
        }
        self._check_book(history)

    def _check_book(self, history: History) -> None:
        """Double entry: what was credited less what was debited is what is held, and what is held
        is what is outstanding in all programmes."""
        credits_ = history.credits
        held = sum(credits_.balances.values())
        outstanding = sum(credits_.outstanding.values())
        if not credits_.credits - credits_.debits == held == outstanding:
            self._findings.add(Finding("credits.double_entry", "Credits"))

    def _check_claims(self, checker: StateChecker, claims: Claims) -> None:
        checker.check_claims(claims)
        self._checked("claims", len(claims.balances) + len(claims.totals))

    def _check_code(
        self, places: Places, sources: bytes, checker: StateChecker, compiling: CheckedCode | None
    ) -> None:
        count = check_code(places, sources, checker.code_hashes, compiling, self._findings)
        self._checked("contracts", count)
        self._checked("compiled", count if compiling is not None else 0, done=compiling is not None)

    def _check_expiries(self, history: History) -> None:
        count = check_expiries(history, self._policy, self._findings)
        self._checked("expiries", count, done=not count or self._policy is not None)

    def _checked(self, name: str, count: int, *, done: bool = True) -> None:
        self._verdict.checks.append(Check(name, count, done))
