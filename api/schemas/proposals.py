"""Proposals: what they would do, in both languages, and who decides on them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from api.formats import show_address_once, show_bytes, show_time
from api.schemas.base import (
    MOST_PARTS,
    Address,
    Answer,
    Digest,
    Key,
    Page,
    ProgrammeNumber,
    Schema,
    Time,
    Whole,
    at_most,
)
from api.schemas.commands import Command, Commitment, Moment, ProgrammeRef
from api.schemas.evidence import EvidenceRef
from ledger.domain.events import Call
from ledger.mirror.queries.proposals import Approval, MadeProposal, ProposalStanding
from ledger.services.councils import MAX_PROPOSAL_ID
from ledger.services.proposals.reading import Reading as Told

MOST_CALLS = 32
"""As in Council.sol."""

MOST_ROWS = 65_536
"""Of what is told of a call: its bytes are no more, and none of it is left out."""

ProposalNumber = Annotated[int, Field(ge=1, le=MAX_PROPOSAL_ID, examples=[1])]


class CallSummaryView(Schema):
    """A call in one sentence. Where it is not `readable`, nobody can tell what it would do, and the
    sentence says why."""

    number: Annotated[int, Field(ge=1)]
    readable: bool
    sentence_zh: str
    sentence_en: str

    @classmethod
    def of(cls, zh: Told, en: Told) -> Self:
        return cls(
            number=zh.number,
            readable=zh.readable,
            sentence_zh=zh.sentence,
            sentence_en=en.sentence,
        )


class ArgumentView(Schema):
    """A value of a call by its path, as people read it."""

    path: Annotated[str, Field(examples=["supplyCap"])]
    value_zh: str
    value_en: str


class CallView(CallSummaryView):
    """A call: the contract and the function that it calls, a line for each row of a batch, every
    argument, and the calls of a proposal within the proposal."""

    contract: Annotated[str, Field(examples=["Programmes"])]
    function: Annotated[str, Field(examples=["changeSupplyCap(uint16,uint64,bytes32)"])]
    rows_zh: Annotated[list[str], at_most(MOST_ROWS)]
    rows_en: Annotated[list[str], at_most(MOST_ROWS)]
    arguments: Annotated[list[ArgumentView], at_most(MOST_ROWS)]
    inner: Annotated[list[CallView], at_most(MOST_ROWS)]

    @classmethod
    def of(cls, zh: Told, en: Told) -> Self:
        return cls(
            number=zh.number,
            readable=zh.readable,
            sentence_zh=zh.sentence,
            sentence_en=en.sentence,
            contract=zh.target,
            function=zh.function,
            rows_zh=list(zh.rows),
            rows_en=list(en.rows),
            arguments=[
                ArgumentView(path=path, value_zh=value, value_en=other)
                for (path, value), (_, other) in zip(zh.arguments, en.arguments, strict=True)
            ],
            inner=[CallView.of(*each) for each in zip(zh.inner, en.inner, strict=True)],
        )


class RawCallView(Schema):
    """A call as it is made, of which all calls' hash is `calls_hash`."""

    target: Address
    data: Annotated[str, Field(pattern="^0x[0-9a-f]*$")]

    @classmethod
    def of(cls, call: Call) -> Self:
        return cls(target=show_address_once(call.target), data=show_bytes(call.data))


class ApprovalView(Schema):
    """An approval. It `counts` while its councillor is still the one that it was when the proposal
    was made."""

    councillor: Address
    counts: bool
    block_number: Whole
    timestamp: Time

    @classmethod
    def of(cls, found: Approval) -> Self:
        return cls(
            councillor=show_address_once(found.councillor),
            counts=found.counts,
            block_number=found.block_number,
            timestamp=show_time(found.timestamp),
        )


class ProposalView(Schema):
    """A proposal to a council, that of the whole alliance where `programme` is null.

    `approvals_counting` of `approvals_needed` are given; `may_approve` are the councillors that
    have not approved and may (of either 200 at most). Where it is `executable`, a councillor can
    have it carried out. It can be neither approved nor carried out once its maker is dismissed.
    Account, operation and block are those of its last change."""

    proposal_id: ProposalNumber
    programme_id: ProgrammeNumber | None
    programme: Key | None
    standing: ProposalStanding
    calls: Annotated[list[CallSummaryView], at_most(MOST_CALLS)]
    maker: Address
    maker_dismissed: bool
    made_at: Time
    expires_at: Time
    evidence: EvidenceRef | None
    calls_hash: Digest
    approvals_needed: Whole
    approvals_counting: Whole
    approvals: Annotated[list[ApprovalView], at_most(MOST_PARTS)]
    may_approve: Annotated[list[Address], at_most(MOST_PARTS)]
    executable: bool
    actor: Address
    operation_id: Digest
    block_number: Whole
    timestamp: Time

    @classmethod
    def of(cls, found: MadeProposal, zh: Sequence[Told], en: Sequence[Told]) -> Self:
        return cls(
            proposal_id=found.proposal_id,
            programme_id=found.programme_id or None,
            programme=found.programme or None,
            standing=found.standing,
            calls=[CallSummaryView.of(*each) for each in zip(zh, en, strict=True)],
            maker=show_address_once(found.maker),
            maker_dismissed=not found.maker_counts,
            made_at=show_time(found.made_at),
            expires_at=show_time(found.expires_at),
            evidence=EvidenceRef.of(found.evidence, found.document),
            calls_hash=show_bytes(found.calls_hash),
            approvals_needed=found.approvals_needed,
            approvals_counting=found.approvals_counting,
            approvals=[ApprovalView.of(each) for each in found.approvals[:MOST_PARTS]],
            may_approve=[show_address_once(each) for each in found.may_approve[:MOST_PARTS]],
            executable=found.executable,
            actor=show_address_once(found.actor),
            operation_id=show_bytes(found.operation_id),
            block_number=found.block_number,
            timestamp=show_time(found.timestamp),
        )


class ProposalAnswer(ProposalView, Answer):
    """One proposal, with all that its calls hold, in words and as they are made."""

    told: Annotated[list[CallView], at_most(MOST_CALLS)]
    raw_calls: Annotated[list[RawCallView], at_most(MOST_CALLS)]


class ProposalsPage(Page[ProposalView]):
    """Proposals, the latest first."""


class ApprovalCommand(Command):
    """A proposal to be approved. `calls_hash` is that of the calls which the caller was shown: a
    proposal of others is refused."""

    proposal: ProposalNumber
    calls_hash: Annotated[
        str,
        Field(
            pattern="^0x[0-9a-fA-F]{64}$",
            description="The proposal's `calls_hash`.",
            examples=["0x" + "5b" * 32],
        ),
    ]


class ProposalCommand(Command):
    """A proposal to be carried out, or cancelled."""

    proposal: ProposalNumber


class ProposalOptions(Command):
    """To whose council, until when (two weeks unless given, 90 days at most), and why. A proposal
    without evidence has none for ever, so `no_evidence` must say that this is meant.

    What would be refused if it were done now is refused, unless `though_refused`."""

    council: Annotated[
        ProgrammeRef,
        Field(description="A programme, by its id or its key; 0 is the whole alliance."),
    ]
    expires_at: Moment | None = None
    evidence: Commitment | None = None
    no_evidence: bool = False
    though_refused: bool = False
