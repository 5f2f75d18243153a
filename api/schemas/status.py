"""How far the mirror is, and which chain and contracts it follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field

from api.formats import show_address_once, show_bytes, show_milliseconds
from api.problems import redact_urls
from api.schemas.base import MOST_PARTS, Address, Answer, Digest, Schema, Time, Whole, at_most
from ledger.mirror.overview import Overview, lag_seconds
from ledger.mirror.queries.moments import Contract
from ledger.mirror.ranges import VerifiedRange
from ledger.mirror.state import Halt


class ContractView(Schema):
    """A contract that the mirror follows."""

    name: Annotated[str, Field(examples=["Credits"])]
    address: Address
    code_hash: Digest
    first_block: Whole

    @classmethod
    def of(cls, contract: Contract) -> Self:
        return cls(
            name=contract.name,
            address=show_address_once(contract.address),
            code_hash=show_bytes(contract.code_hash),
            first_block=contract.first_block,
        )


class HaltView(Schema):
    """Why the mirror halted."""

    code: Annotated[str, Field(examples=["node.answer_invalid"])]
    reason: str
    block: Whole
    at: Time

    @classmethod
    def of(cls, halt: Halt) -> Self:
        return cls(
            code=halt.code,
            reason=redact_urls(halt.reason),
            block=halt.block,
            at=show_milliseconds(halt.at),
        )


class VerifiedView(Schema):
    """Blocks, both included, and what their rows rest on."""

    first_block: Whole
    last_block: Whole
    level: Annotated[Literal["receipts", "heads"], Field(examples=["receipts"])]

    @classmethod
    def of(cls, found: VerifiedRange) -> Self:
        return cls(first_block=found.first, last_block=found.last, level=found.level.value)


class Status(Answer):
    """The mirror's state. `lag` counts blocks that the chain had, at the last look, beyond it, and
    `lag_seconds` is the age of the last block applied where there are any. `verification` is the
    level of proof that every block reaches, `verified` that of each of the last 200 runs of
    blocks."""

    chain_id: Annotated[int, Field(examples=[31337])]
    genesis_hash: Digest
    deployment: Digest
    first_block: Whole
    final_block: Whole
    head_block: Whole
    lag: Whole
    lag_seconds: Whole
    verification: Annotated[Literal["receipts", "heads"], Field(examples=["receipts"])]
    verified: Annotated[list[VerifiedView], at_most(MOST_PARTS)]
    looked_at: Time
    halt: HaltView | None
    schema_version: int
    contracts: Annotated[list[ContractView], at_most(32)]

    @classmethod
    def of(
        cls, about: Answer, overview: Overview, contracts: Sequence[Contract], *, now: float
    ) -> Self:
        state = overview.state
        return cls(
            as_of=about.as_of,
            mirror=about.mirror,
            chain_id=state.chain_id,
            genesis_hash=show_bytes(state.genesis_hash),
            deployment=show_bytes(state.deployment),
            first_block=state.first_block,
            final_block=state.final_number,
            head_block=state.head_number,
            lag=state.lag,
            lag_seconds=lag_seconds(state, now),
            verification=overview.level.value,
            verified=[VerifiedView.of(each) for each in overview.ranges[-MOST_PARTS:]],
            looked_at=show_milliseconds(state.looked_at),
            halt=HaltView.of(state.halt) if state.halt else None,
            schema_version=state.schema_version,
            contracts=[ContractView.of(contract) for contract in contracts],
        )


class Health(Schema):
    """The process runs."""

    status: Literal["ok"]


class Readiness(Schema):
    """Answers are current, up to `block_number`; `lag` counts the blocks beyond it, `lag_seconds`
    is its age where there are any."""

    status: Literal["ready"]
    block_number: Whole
    lag: Whole
    lag_seconds: Whole
