"""What a deployment has done so far, on the disk before it is on the chain.

One file beside the deployment file, named after the chain's id and genesis, so that the remains of
a chain that was reset are never taken for this one's. It is removed when the deployment file is
written.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from ledger.chain.deployments import decode_file, read_hex, write_json
from ledger.chain.signers import SignedTransaction
from ledger.errors import DeploymentBegun, DeploymentUnreadable, InvalidFile

_REMEDY = (
    "Put it back from a backup, or move it away and run `moonlake deploy` again: it begins with "
    "the first contract, and those of the earlier run stay on the chain unused."
)


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be deployed, on which chain and by whom; `build` is a hash over all code."""

    chain_id: int
    genesis_hash: bytes
    deployer: bytes
    admin: bytes
    admin_delay: int
    recovery_delay: int
    alliance_approvals: int
    build: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """One contract: the nonce that is set aside for it, and what was signed with it.

    All attempts have the same nonce, so at most one of them gets into a block. `predicts` is where
    contracts that come later have to stand, since this one was told so.
    """

    name: str
    nonce: int
    address: bytes
    predicts: Mapping[str, bytes]
    attempts: tuple[SignedTransaction, ...]

    def with_attempt(self, attempt: SignedTransaction) -> Step:
        """The same step with one more attempt, such as one with higher fees."""
        return replace(self, attempts=(*self.attempts, attempt))


class Progress:
    """The steps taken so far, each written before its transaction is sent."""

    def __init__(self, path: Path, plan: Plan, steps: Mapping[str, Step]) -> None:
        self.path = path
        self.plan = plan
        self.steps = dict(steps)

    @classmethod
    def open(cls, folder: Path, plan: Plan) -> Progress:
        """What an earlier run of the same plan left behind, or the beginning.

        Raises DeploymentBegun where the earlier run had another plan, DeploymentUnreadable.
        """
        path = folder / f"{plan.chain_id}-{plan.genesis_hash[:4].hex()}.begun.json"
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return cls(path, plan, {})
        try:
            file = decode_file(path, content, _ProgressFile)
        except InvalidFile as error:
            raise DeploymentUnreadable(**error.values, remedy=_REMEDY) from error
        for name, asked in _show_plan(plan).items():
            found = getattr(file, name)
            if found != asked:
                raise DeploymentBegun(what=name, found=found, asked=asked, path=path)
        return cls(path, plan, {each.name: _read_step(path, each) for each in file.steps})

    def record(self, step: Step) -> None:
        """Put a step on the disk; when this returns, its transaction may be sent."""
        self.steps[step.name] = step
        self._write()

    def discard(self) -> None:
        """Remove the file, once the deployment file stands in its place."""
        self.path.unlink(missing_ok=True)

    def forget(self, names: Sequence[str]) -> None:
        """Take steps back that have to be taken again."""
        self.steps = {name: step for name, step in self.steps.items() if name not in names}
        self._write()

    def _write(self) -> None:
        content = _show_plan(self.plan) | {
            "steps": [_show_step(each) for each in self.steps.values()]
        }
        write_json(self.path, content)


class _AttemptFile(msgspec.Struct):
    raw: str
    hash: str


class _StepFile(msgspec.Struct):
    name: str
    nonce: int
    address: str
    predicts: dict[str, str]
    attempts: tuple[_AttemptFile, ...]


class _ProgressFile(msgspec.Struct):
    chain_id: int
    genesis_hash: str
    deployer: str
    admin: str
    admin_delay: int
    recovery_delay: int
    alliance_approvals: int
    build: str
    steps: tuple[_StepFile, ...]


def _show_plan(plan: Plan) -> dict[str, Any]:
    return {
        "chain_id": plan.chain_id,
        "genesis_hash": _hex(plan.genesis_hash),
        "deployer": _hex(plan.deployer),
        "admin": _hex(plan.admin),
        "admin_delay": plan.admin_delay,
        "recovery_delay": plan.recovery_delay,
        "alliance_approvals": plan.alliance_approvals,
        "build": _hex(plan.build),
    }


def _show_step(step: Step) -> dict[str, Any]:
    return {
        "name": step.name,
        "nonce": step.nonce,
        "address": _hex(step.address),
        "predicts": {name: _hex(address) for name, address in step.predicts.items()},
        "attempts": [{"raw": _hex(each.raw), "hash": _hex(each.hash)} for each in step.attempts],
    }


def _read_step(path: Path, file: _StepFile) -> Step:
    return Step(
        name=file.name,
        nonce=file.nonce,
        address=read_hex(path, file.address, 20),
        predicts={name: read_hex(path, text, 20) for name, text in file.predicts.items()},
        attempts=tuple(
            SignedTransaction(
                raw=bytes.fromhex(each.raw[2:]),
                hash=read_hex(path, each.hash, 32),
                nonce=file.nonce,
            )
            for each in file.attempts
        ),
    )


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
