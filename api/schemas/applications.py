"""Applications: what an applicant files, what officers do about it, and what each is shown.

An applicant is not shown who recommended what: until it is decided, its application is in review,
and the office speaks with one voice.
"""

from __future__ import annotations

from typing import Annotated, Any, Self

from pydantic import Field, WithJsonSchema, model_validator

from api.formats import show_address_once, show_bytes, show_time
from api.pagination import MAX_LIMIT
from api.schemas.base import MOST_PARTS, Address, Digest, NameEn, NameZh, Schema, Time, at_most
from api.schemas.commands import (
    Account,
    Command,
    KeyText,
    Moment,
    Organisation,
    ProgrammeRef,
    Tier,
    Words,
)
from ledger.office.cases import Case, CaseState, Form
from ledger.office.casework import APPLICANT, MAX_DOCUMENTS
from ledger.office.contacts import Contact
from ledger.office.decisions import Decision
from ledger.office.evidence import Evidence
from ledger.office.log import Step
from ledger.office.profiles import check_credit_code

MAX_AT_ONCE = 200
_DIGEST = "^0x[0-9a-fA-F]{64}$"
_EXAMPLE = "0x" + "5b" * 32

ApplicationRef = Annotated[
    str, Field(pattern=_DIGEST, description="An application's id.", examples=[_EXAMPLE])
]
Applications = Annotated[
    list[ApplicationRef], Field(min_length=1, max_length=MAX_AT_ONCE, examples=[[_EXAMPLE]])
]
Said = Annotated[
    str,
    Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f\x7f]*$"),
]
Status = Annotated[
    str,
    WithJsonSchema(
        {
            "type": "string",
            "enum": [*(each.value for each in CaseState), "in_review"],
            "description": "How far it is. An applicant is shown `in_review` while it is decided.",
            "examples": ["filed"],
        }
    ),
]


class ContactBody(Command):
    """A person or desk to turn to. One of person, e-mail and phone must be there."""

    role: Annotated[Words, Field(examples=["fees"])] = ""
    person: Annotated[Words, Field(examples=["王小明"])] = ""
    email: Annotated[Words, Field(examples=["wang@example.com"])] = ""
    phone: Annotated[Words, Field(examples=["0086 10 1234 5678"])] = ""
    address: Words = ""

    def contact(self) -> Contact:
        """As the office keeps it. Raises InvalidValue."""
        made = Contact(self.role, self.person, self.email, self.phone, self.address)
        made.check()
        return made


class FormCommand(Command):
    """What an applicant says of itself. The names and the code become public once it is admitted;
    contact and note never do."""

    name_zh: Annotated[Words, Field(examples=["银河航天"])] = ""
    name_en: Annotated[Words, Field(examples=["GalaxySpace"])] = ""
    kind: Annotated[KeyText, Field(examples=["company"])] = "company"
    segment: Annotated[Words, Field(examples=["satellite"])] = ""
    note: Annotated[Words, Field(examples=["We build and fly satellites."])] = ""
    uscc: Annotated[
        str,
        Field(
            max_length=18,
            description="The unified social credit code; its check digit is checked.",
            examples=["91110000600037341L"],
        ),
    ] = ""
    contact: ContactBody | None = None

    def form(self) -> Form:
        """As the office keeps it. Raises InvalidValue."""
        code = check_credit_code(self.uscc) if self.uscc else ""
        contact = self.contact.contact() if self.contact is not None else None
        made = Form(self.name_zh, self.name_en, self.kind, self.segment, self.note, code, contact)
        made.encode()
        return made


class ApplicationCommand(Command):
    """An application of the account that is signed in."""

    programme: ProgrammeRef
    form: FormCommand


class InvitationCommand(Command):
    """An application to be opened for somebody, who is then given its secret."""

    programme: ProgrammeRef
    organisation: Annotated[
        Organisation | None, Field(description="Where it is on the register already.")
    ] = None
    controller: Annotated[
        Account | None, Field(description="The account that acts for it, where it has one.")
    ] = None


class SaidCommand(Command):
    """A question, an answer, or why a recommendation is sent back."""

    text: Annotated[Said, Field(examples=["Please send the charter."])]


class AccountCommand(Command):
    """The account that acts for an applicant which had none."""

    account: Account


class ConsentCommand(Command):
    """The applicant's signature of the consent message, and the deadline that it names."""

    signature: Annotated[str, Field(pattern="^0x[0-9a-fA-F]+$", max_length=10_000)]
    deadline: Annotated[int, Field(ge=1, le=2**63 - 1, examples=[1_900_000_000])]


class ConsentMessage(Schema):
    """Typed data (EIP-712) as `eth_signTypedData_v4` takes it; the deadline is sent back with the
    signature."""

    deadline: Annotated[int, Field(ge=1, examples=[1_900_000_000])]
    typed_data: dict[str, Any]


class RecommendationsCommand(Command):
    """What should become of one or many: admission (`tier` and `expires_at`), or a refusal
    (`reason`). All or none of them."""

    applications: Applications
    tier: Tier | None = None
    expires_at: Moment | None = None
    reason: Annotated[KeyText | None, Field(examples=["documents.missing"])] = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> Self:
        admits = self.tier is not None and self.expires_at is not None
        partly = self.tier is not None or self.expires_at is not None
        if admits == (self.reason is not None) or (partly and not admits):
            raise ValueError("It needs either tier and expires_at, or reason")
        return self


class ApplicationsCommand(Command):
    """Applications to be confirmed or decided, all or none of them."""

    applications: Applications


class ContactView(Schema):
    """A person or desk to turn to."""

    role: str
    person: str
    email: str
    phone: str
    address: str

    @classmethod
    def of(cls, contact: Contact) -> Self:
        return cls(
            role=contact.role,
            person=contact.person,
            email=contact.email,
            phone=contact.phone,
            address=contact.address,
        )


class FormView(Schema):
    """What an applicant said of itself."""

    name_zh: str
    name_en: str
    kind: str
    segment: str
    note: str
    uscc: str
    contact: ContactView | None

    @classmethod
    def of(cls, form: Form) -> Self:
        return cls(
            name_zh=form.name_zh,
            name_en=form.name_en,
            kind=form.kind,
            segment=form.segment,
            note=form.note,
            uscc=form.credit_code,
            contact=ContactView.of(form.contact) if form.contact is not None else None,
        )


class ApplicationLineView(Schema):
    """An application in a queue."""

    application_id: Digest
    programme: str
    status: Status
    org_id: int | None
    controller: Address | None
    name_zh: NameZh
    name_en: NameEn
    recommended_by: Annotated[str | None, Field(description="The officer; for officers alone.")]
    tier: int | None
    expires_at: Time | None
    reason: Annotated[str | None, Field(examples=["documents.missing"])]
    opened_at: Time
    updated_at: Time

    @classmethod
    def of(cls, case: Case) -> Self:
        form = case.form
        return cls(
            application_id=case.shown,
            programme=case.programme,
            status=case.state.value,
            org_id=case.org_id,
            controller=None if case.controller is None else show_address_once(case.controller),
            name_zh=form.name_zh if form is not None else None,
            name_en=form.name_en if form is not None else None,
            recommended_by=case.recommended_by or None,
            tier=case.tier,
            expires_at=_time(case.expires_at),
            reason=case.reason or None,
            opened_at=show_time(case.opened_at),
            updated_at=show_time(case.updated_at),
        )


class ApplicationsPage(Schema):
    """A part of a queue, oldest first; `counts` are of all its states."""

    items: Annotated[list[ApplicationLineView], at_most(MAX_LIMIT)]
    counts: Annotated[dict[str, int], Field(examples=[{"filed": 3, "recommended": 1}])]
    next: Annotated[str | None, Field(examples=[None])]


class AttachedView(Schema):
    """A document of an application, for those whom it concerns."""

    commitment: Digest
    title: str
    media_type: str
    size: int
    added_at: Time

    @classmethod
    def of(cls, kept: Evidence) -> Self:
        described = kept.description
        return cls(
            commitment=show_bytes(kept.commitment),
            title=described.title_en or described.title_zh,
            media_type=described.media_type,
            size=kept.size,
            added_at=show_time(kept.added_at),
        )


class StepView(Schema):
    """What was done about it, when, and by whom: `applicant`, `office`, or an officer's name."""

    at: Time
    actor: str
    action: Annotated[str, Field(examples=["filed"])]
    said: str


class ApplicationAnswer(Schema):
    """An application with its form, its documents, and its steps, the latest 200. `secret` opens
    it without signing in; it is shown once, to whoever opened it or renewed its link."""

    application_id: Digest
    programme: str
    status: Status
    org_id: int | None
    controller: Address | None
    form: FormView | None
    documents: Annotated[list[AttachedView], at_most(MAX_DOCUMENTS)]
    tier: int | None
    expires_at: Time | None
    reason: Annotated[str | None, Field(examples=["documents.missing"])]
    recommended_by: str | None
    confirmed_by: str | None
    has_consent: bool
    steps: Annotated[list[StepView], at_most(MOST_PARTS)]
    opened_at: Time
    updated_at: Time
    secret: str | None

    @classmethod
    def of(
        cls,
        case: Case,
        documents: list[Evidence],
        steps: list[Step],
        *,
        for_officer: bool,
        secret: str | None = None,
    ) -> Self:
        is_told = for_officer or case.is_told
        return cls(
            application_id=case.shown,
            programme=case.programme,
            status=case.state.value if is_told or not case.is_in_review else "in_review",
            org_id=case.org_id,
            controller=None if case.controller is None else show_address_once(case.controller),
            form=FormView.of(case.form) if case.form is not None else None,
            documents=[AttachedView.of(each) for each in documents],
            tier=case.tier if is_told else None,
            expires_at=_time(case.expires_at) if is_told else None,
            reason=(case.reason or None) if is_told else None,
            recommended_by=(case.recommended_by or None) if for_officer else None,
            confirmed_by=(case.confirmed_by or None) if for_officer else None,
            has_consent=case.consent is not None,
            steps=[
                StepView(
                    at=show_time(each.at),
                    actor=each.actor if for_officer else _voice(case, each),
                    action=each.action,
                    said=each.detail,
                )
                for each in steps
                if for_officer or each.action not in _INSIDE
            ][-MOST_PARTS:],
            opened_at=show_time(case.opened_at),
            updated_at=show_time(case.updated_at),
            secret=secret,
        )


_INSIDE = frozenset({"recommended", "confirmed", "sent_back"})
"""Steps of which an applicant hears nothing."""


class ApplicationsAnswer(Schema):
    """The applications that something was done about."""

    items: list[ApplicationLineView]


class DecidedView(Schema):
    """What became of an application; `waits_for` says what it still needs, empty for nothing."""

    application_id: Digest
    status: Status
    org_id: int | None
    waits_for: Annotated[str, Field(examples=["an account that acts for the applicant"])]


class DecisionAnswer(Schema):
    """A decision, and how far it is; what was not done may be asked for again."""

    decision_id: Digest
    state: Annotated[
        str,
        WithJsonSchema(
            {"type": "string", "enum": ["waiting", "done", "failed"], "examples": ["done"]}
        ),
    ]
    asked_by: Address
    signed_by: Address
    asked_at: Time
    ended_at: Time | None
    problem: Annotated[
        str | None, Field(description="An error's code, where it waits or failed for one.")
    ]
    applications: Annotated[list[DecidedView], at_most(MAX_AT_ONCE)]

    @classmethod
    def of(cls, decision: Decision, cases: list[Case]) -> Self:
        return cls(
            decision_id=show_bytes(decision.decision_id),
            state=decision.state,
            asked_by=show_address_once(decision.account),
            signed_by=show_address_once(decision.signer),
            asked_at=show_time(decision.asked_at),
            ended_at=_time(decision.ended_at),
            problem=decision.problem or None,
            applications=[
                DecidedView(
                    application_id=case.shown,
                    status=case.state.value,
                    org_id=case.org_id,
                    waits_for=decision.waits_for[case.application_id],
                )
                for case in cases
            ],
        )


def _voice(case: Case, step: Step) -> str:
    """Who did it, as an applicant is told."""
    own = () if case.controller is None else (show_address_once(case.controller),)
    return APPLICANT if step.actor in (APPLICANT, *own) else "office"


def _time(seconds: int | None) -> str | None:
    return None if seconds is None else show_time(seconds)
