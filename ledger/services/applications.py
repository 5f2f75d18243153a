"""Carries out what two officers decided: registers, admits with the applicant's consent, declines.

Each step asks the chain first what is there, so that it can be run again after any interruption:
who is registered already is not registered twice, who is a member is not admitted twice. Where an
application cannot go on yet, that is its result, and the others go on.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from ledger.chain.contracts import memberships as encoders
from ledger.chain.messages import write_application
from ledger.chain.signers import recover_address
from ledger.chain.typed_data import MAX_VALIDITY, TypedMessage
from ledger.domain.commands import Admission, Registration
from ledger.domain.commitments import new_salt
from ledger.domain.events import HELD_STATUSES
from ledger.domain.ids import OrgId, ProgrammeId, TierId
from ledger.domain.messages import Consent, SignedMessage
from ledger.errors import ContractRefused, InvalidValue
from ledger.office.cases import Case, CaseState, profile_key, read_case
from ledger.office.casework import keep_consent, note_decided, note_registered
from ledger.office.profiles import keep_profile
from ledger.services import memberships, organisations
from ledger.services.desk import Desk
from ledger.services.memberships import Ground
from ledger.services.orders import Order
from ledger.store.engine import reading, writing

Admit = Callable[[Sequence[Case], ProgrammeId], None]

AT_ONCE = 50
"""Organisations of one transaction."""


@dataclass(frozen=True, slots=True)
class Decided:
    """What became of an application; `waits_for` says what it still needs, empty for nothing."""

    application_id: bytes
    state: CaseState
    org_id: OrgId | None
    waits_for: str = ""


@dataclass(frozen=True, slots=True)
class Decider:
    """An officer at a desk, `by` its name in the log; without an order it can sign nothing."""

    desk: Desk
    order: Order | None
    by: str
    now: int
    refused: dict[bytes, str] = field(default_factory=dict)
    """What the contract said to applications that it would not admit."""

    def decide(
        self, application_ids: Sequence[bytes], programmes: dict[str, ProgrammeId]
    ) -> list[Decided]:
        """Carry out confirmed applications; `programmes` are the ids by their keys.

        Without a consent, the registrar admits by its own right. Where the order is only rehearsed,
        nothing is kept, and the first transaction ends it by Rehearsed. Raises ApplicationElsewhere
        for one that is not confirmed, and what the outbox raises.
        """
        cases = [self._read(each) for each in application_ids]
        declined = [case for case in cases if case.state is CaseState.CONFIRMED and case.reason]
        self._decline(declined, programmes)
        wanted = [case for case in cases if case.state is CaseState.CONFIRMED and not case.reason]
        self._register([case for case in wanted if case.org_id is None and case.controller])
        again = map(self._again, wanted)  # whose applicant named another account meanwhile waits
        is_ready = CaseState.CONFIRMED
        ready = [each for each in again if each.org_id is not None and each.state is is_ready]
        self._admit(ready, programmes)
        return [self._result(self._again(case)) for case in cases]

    def message_for(self, case: Case, programme_id: ProgrammeId, *, deadline: int) -> TypedMessage:
        """What the applicant's wallet signs, to be admitted as it was confirmed.

        Raises InvalidValue where it is not registered or not confirmed yet.
        """
        admission = _admission_of(case)
        at = self.desk.node.block_number()
        account = self.desk.contracts.organisations.controller_of(admission.org_id, at=at)
        if deadline > self.now + MAX_VALIDITY:
            raise InvalidValue(field="deadline", value=deadline, expected="within 180 days")
        return write_application(
            self.desk.contracts.memberships.message_domain(at=at),
            programme_id,
            admission,
            account=account,
            application_id=case.application_id,
            deadline=deadline,
        )

    def take_consent(
        self, application_id: bytes, programme_id: ProgrammeId, signature: bytes, deadline: int
    ) -> Case:
        """Keep the applicant's signature. Raises InvalidValue where it is another's.

        A contract wallet's signature is judged by the wallet, when it is used.
        """
        self.check_consent(self._read(application_id), programme_id, signature, deadline)
        with writing(self.desk.engine) as connection:
            return keep_consent(
                connection, application_id, signature, deadline, by="applicant", now=self.now
            )

    def check_consent(
        self, case: Case, programme_id: ProgrammeId, signature: bytes, deadline: int
    ) -> None:
        """Raise InvalidValue for a signature that is not the applicant's."""
        message = self.message_for(case, programme_id, deadline=deadline)
        is_wallet = bool(self.desk.node.code(message.account, "latest"))
        if not is_wallet and _signer_of(message, signature) != message.account:
            expected = "a signature of the account that acts for the applicant"
            raise InvalidValue(field="signature", value="0x" + signature.hex(), expected=expected)

    def _decline(self, cases: Sequence[Case], programmes: dict[str, ProgrammeId]) -> None:
        """One operation each: its id is then the application's alone, and it is recorded once."""
        for case in cases:
            if case.org_id is not None:
                programme_id = programmes[case.programme]
                order = self._order("decline", [case])
                memberships.decline(order, programme_id, [case.org_id], Ground(case.reason))
            self._settle([case], CaseState.DECLINED)

    def _register(self, cases: Sequence[Case]) -> None:
        contracts, at = self.desk.contracts, self.desk.node.block_number()
        missing: list[Case] = []
        for case in cases:
            if case.controller is None:
                continue
            org_id = contracts.organisations.organisation_of(case.controller, at=at)
            if org_id:
                self._note_registered(case, org_id)
            else:
                missing.append(case)
        for start in range(0, len(missing), AT_ONCE):
            some = missing[start : start + AT_ONCE]
            commitments = self._keep_profiles(some)
            registrations = [
                Registration(
                    case.controller or b"",
                    case.form.kind if case.form is not None else "company",
                    commitment,
                )
                for case, commitment in zip(some, commitments, strict=True)
            ]
            order = self._order("register", some)
            _, org_ids = organisations.register(order, registrations)
            for case, org_id in zip(some, org_ids, strict=True):
                self._note_registered(case, org_id)

    def _keep_profiles(self, cases: Sequence[Case]) -> list[bytes]:
        """The commitments to the profiles of who is registered; zeros for who filed no form."""
        profiles = [
            case.form.profile(profile_key(case)) if case.form is not None else None
            for case in cases
        ]
        if self._rehearses:
            return [bytes(32) if each is None else new_salt() for each in profiles]
        with writing(self.desk.engine) as connection:
            return [
                bytes(32) if each is None else keep_profile(connection, each) for each in profiles
            ]

    @property
    def _rehearses(self) -> bool:
        return self.order is not None and self.order.rehearses

    def _admit(self, cases: Sequence[Case], programmes: dict[str, ProgrammeId]) -> None:
        contracts, at = self.desk.contracts, self.desk.node.block_number()
        groups: defaultdict[tuple[str, bool], list[Case]] = defaultdict(list)
        for case in cases:
            programme_id = programmes[case.programme]
            org_id = _admission_of(case).org_id
            state = contracts.memberships.membership(programme_id, org_id, at=at)
            if state.status in HELD_STATUSES:
                self._settle([case], CaseState.ADMITTED)
            else:
                groups[case.programme, case.consent is not None].append(case)
        for (programme, has_consent), some in groups.items():
            admit = self._admit_by_consent if has_consent else self._admit_by_right
            for start in range(0, len(some), AT_ONCE):
                self._admit_batch(some[start : start + AT_ONCE], programmes[programme], admit)

    def _admit_batch(self, cases: Sequence[Case], programme_id: ProgrammeId, admit: Admit) -> None:
        """All at once; where the contract refuses that, one by one, and it refuses some of them."""
        try:
            admit(cases, programme_id)
        except ContractRefused as error:
            if len(cases) == 1:
                self.refused[cases[0].application_id] = str(error)
                return
            for case in cases:
                self._admit_batch([case], programme_id, admit)
            return
        self._settle(cases, CaseState.ADMITTED)

    def _admit_by_right(self, cases: Sequence[Case], programme_id: ProgrammeId) -> None:
        admissions = [_admission_of(case) for case in cases]
        memberships.admit(self._order("admit", cases), programme_id, admissions)

    def _admit_by_consent(self, cases: Sequence[Case], programme_id: ProgrammeId) -> None:
        at = self.desk.node.block_number()
        admissions = [_admission_of(case) for case in cases]
        consents = []
        for case, admission in zip(cases, admissions, strict=True):
            account = self.desk.contracts.organisations.controller_of(admission.org_id, at=at)
            signed = SignedMessage(account, case.consent_until or 0, case.consent or b"")
            consents.append(Consent(case.application_id, signed))
        self._order("consent", cases).place(
            "Memberships",
            "admit",
            f"Admit {len(cases)} by consent to programme {programme_id}.",
            partial(encoders.encode_admit_by_consent, programme_id, admissions, consents, ""),
        )

    def _order(self, what: str, cases: Sequence[Case]) -> Order:
        """An order whose id follows from the step and its applications."""
        if self.order is None:
            raise InvalidValue(field="signer", value="nobody", expected="an officer's key")
        named = ",".join(case.application_id.hex() for case in cases)
        return replace(self.order, operation_id=b"", purpose=f"applications {what} {named}")

    def _settle(self, cases: Sequence[Case], state: CaseState) -> None:
        if self._rehearses:
            return
        with writing(self.desk.engine) as connection:
            for case in cases:
                note_decided(connection, case.application_id, state, by=self.by, now=self.now)

    def _note_registered(self, case: Case, org_id: OrgId) -> None:
        if self._rehearses:
            return
        with writing(self.desk.engine) as connection:
            note_registered(connection, case.application_id, org_id, by=self.by, now=self.now)

    def _read(self, application_id: bytes) -> Case:
        with reading(self.desk.engine) as connection:
            return read_case(connection, application_id)

    def _again(self, case: Case) -> Case:
        return self._read(case.application_id)

    def _result(self, case: Case) -> Decided:
        waits_for = ""
        if case.state is not CaseState.CONFIRMED:
            waits_for = "" if case.state in _DONE else "two officers' decision"
        elif case.controller is None and case.org_id is None:
            waits_for = "an account that acts for the applicant"
        else:
            waits_for = self.refused.get(case.application_id, "")
        return Decided(case.application_id, case.state, case.org_id, waits_for)


_DONE = (CaseState.ADMITTED, CaseState.DECLINED, CaseState.WITHDRAWN)


def _admission_of(case: Case) -> Admission:
    if case.org_id is None or case.tier is None or case.expires_at is None:
        expected = "registered, and confirmed to be admitted"
        raise InvalidValue(field="application", value=case.shown, expected=expected)
    return Admission(case.org_id, TierId(case.tier), case.expires_at, case.evidence or bytes(32))


def _signer_of(message: TypedMessage, signature: bytes) -> bytes:
    """Whose signature it is, empty for nobody's; wallets give the parity as 27 or 28."""
    if len(signature) == 65 and signature[64] in (27, 28):
        signature = signature[:64] + bytes([signature[64] - 27])
    try:
        return recover_address(message.digest(), signature)
    except ValueError:
        return b""
