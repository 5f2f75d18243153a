"""The audit of the whole ledger: how it stands, and what came out."""

from __future__ import annotations

from typing import Annotated, Any, Literal, Self

from pydantic import Field

from api.formats import show_time
from api.schemas.base import Digest, Schema, Time, Whole, at_most
from api.schemas.commands import Command
from ledger.audit.findings import MOST_KEPT
from ledger.audit.folder import AuditState
from ledger.audit.options import MOST_RULES, AuditOptions

BUNDLE_PATH = "/v1/audits/latest/bundle"
_LONGEST = 10_000
_OF_FINDING = ("code", "kind", "row", "block", "log_index", "en")


class AuditCommand(Command):
    """By what to verify. Without compiling, and without the policies that were used, the best that
    comes out is `incomplete`."""

    compile: Annotated[
        bool, Field(description="Compile the contracts' sources anew and compare; half a minute.")
    ] = True
    expiry_epochs: Annotated[
        int | None,
        Field(ge=0, le=_LONGEST, description="After how many further epochs credits expire."),
    ] = None
    share_rules: Annotated[
        tuple[dict[str, Any], ...],
        Field(max_length=MOST_RULES, description="The published rules of sharing.", strict=False),
    ] = ()

    @property
    def options(self) -> AuditOptions:
        """As the audit takes them."""
        return AuditOptions(self.compile, self.expiry_epochs, list(self.share_rules))


class AuditCheckView(Schema):
    """A check, and of how many things it was made."""

    name: Annotated[str, Field(examples=["headers"])]
    count: Whole
    done: Annotated[bool, Field(description="Whether it came to its end.")]


class AuditFindingView(Schema):
    """What is objected to, and where."""

    code: Annotated[str, Field(examples=["credits.balance_after"])]
    kind: Literal["wrong", "missing"]
    row: Annotated[str, Field(examples=["Credits 17"])]
    block: Annotated[int | None, Field(examples=[1204])]
    log_index: int | None
    zh: Annotated[str, Field(description="The sentence, in Chinese.")]
    en: Annotated[str, Field(description="The sentence, in English.")]


class VerdictView(Schema):
    """What came out. `anchored_to_block` rests on the server's own node, and `finality` says who
    made the blocks final: take the bundle and an anchor of your own to believe it."""

    verdict: Literal["complete and correct", "wrong", "incomplete"]
    first_block: Whole
    last_block: Whole
    last_hash: Annotated[str, Field(examples=["0x" + "5b" * 32])]
    anchored_to_block: int | None
    finality: Literal["validators", "operator"]
    checks: Annotated[list[AuditCheckView], at_most(100)]
    findings_total: Whole
    findings: Annotated[list[AuditFindingView], at_most(MOST_KEPT)]

    @classmethod
    def of(cls, verdict: dict[str, Any]) -> Self:
        found = [
            AuditFindingView(
                zh=each["zh-CN"],
                **{
                    name: each[name] for name in ("code", "kind", "row", "block", "log_index", "en")
                },
            )
            for each in verdict["findings"]
        ]
        plain = ("verdict", "first_block", "last_block", "last_hash", "anchored_to_block")
        return cls(
            **{name: verdict[name] for name in (*plain, "finality", "findings_total")},
            checks=[AuditCheckView(**each) for each in verdict["checks"]],
            findings=found,
        )


class AuditAnswer(Schema):
    """How the audit stands: none was ever asked for; one is running; or how the last one ended.
    While one is running, `done` of `total` blocks are through its `step`."""

    state: Literal["none", "running", "done", "failed"]
    begun_at: Time | None
    ended_at: Time | None
    step: Annotated[str, Field(examples=["verify"])]
    done: Whole
    total: Whole
    problem: Annotated[str, Field(description="Why it failed, where it did.")]
    verdict: VerdictView | None
    bundle: Annotated[str | None, Field(description="Where the last bundle is.")]

    @classmethod
    def of(cls, state: AuditState, *, has_bundle: bool) -> Self:
        return cls(
            state=state.condition,
            begun_at=show_time(int(state.begun_at)) if state.begun_at else None,
            ended_at=show_time(int(state.ended_at)) if state.ended_at else None,
            step=state.step,
            done=state.done,
            total=state.total,
            problem=state.problem,
            verdict=VerdictView.of(state.verdict) if state.verdict else None,
            bundle=BUNDLE_PATH if has_bundle else None,
        )


class CertificateStandingView(Schema):
    """The organisation in one programme. `status` is 0 none, 1 active, 2 suspended, 3 revoked."""

    programme_id: Whole
    balance: int
    status: Whole
    tier: Whole
    since: Whole
    expires_at: Whole


class CertificateProofView(Schema):
    """A contract's account and slots: the nodes of the state's tries, in hex."""

    account: list[str]
    slots: list[list[str]]


class CertificateAnswer(Schema):
    """A proof of what the organisation has at one block; `moonlake audit verify` checks it, and
    docs/audit-format.md says how it is made. Its bytes are canonical JSON."""

    format: Literal[1]
    chain_id: Whole
    genesis_hash: Digest
    recovery_delay: Whole
    contracts: dict[str, str]
    header: Annotated[str, Field(description="The block's header, as its hash is taken.")]
    org_id: Whole
    controller: str
    standings: list[CertificateStandingView]
    proofs: dict[str, CertificateProofView]
