"""How far the mirror is, and which chain and contracts it follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import Field

from api.formats import show_address_once, show_bytes, show_milliseconds
from api.problems import redact_urls
from api.schemas.base import Address, Answer, Digest, Schema, Time, Whole
from ledger.mirror.queries.moments import Contract
from ledger.mirror.state import Halt, MirrorState


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


class Status(Answer):
    """The mirror's state. `lag` counts blocks that the chain had, at the last look, beyond it."""

    chain_id: Annotated[int, Field(examples=[31337])]
    genesis_hash: Digest
    deployment: Digest
    first_block: Whole
    final_block: Whole
    head_block: Whole
    lag: Whole
    looked_at: Time
    halt: HaltView | None
    schema_version: int
    contracts: list[ContractView]

    @classmethod
    def of(cls, about: Answer, state: MirrorState, contracts: Sequence[Contract]) -> Self:
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
            looked_at=show_milliseconds(state.looked_at),
            halt=HaltView.of(state.halt) if state.halt else None,
            schema_version=state.schema_version,
            contracts=[ContractView.of(contract) for contract in contracts],
        )


class Health(Schema):
    """The process runs."""

    status: Literal["ok"]


class Readiness(Schema):
    """Answers are current, up to `block_number`; `lag` counts the blocks beyond it."""

    status: Literal["ready"]
    block_number: Whole
    lag: Whole
