"""Applications: filed, asked about, decided by two, and carried out on the chain, once."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from ledger.chain.keccak import keccak256
from ledger.chain.signers import LocalSigner
from ledger.chain.typed_data import sign_message
from ledger.domain.events import MembershipStatus
from ledger.domain.ids import OrgId
from ledger.errors import (
    ApplicationElsewhere,
    EvidenceRefused,
    InvalidValue,
    NotFound,
    SameOfficer,
    StorageUnusable,
)
from ledger.mirror.queries.memberships import read_applications_of
from ledger.mirror.queries.moments import latest_moment
from ledger.mirror.state import read_state
from ledger.office.cases import (
    Case,
    CaseState,
    Form,
    documents_of,
    follow_link,
    list_cases,
    profile_key,
    read_case,
)
from ledger.office.casework import (
    answer,
    ask_back,
    attach_document,
    confirm,
    erase_case,
    file_form,
    name_controller,
    open_case,
    recommend_admission,
    recommend_decline,
    send_back,
    withdraw,
)
from ledger.office.contacts import Contact, read_contacts
from ledger.office.evidence import Description, EvidenceStore, describe_documents
from ledger.office.log import read_steps
from ledger.office.profiles import Subject
from ledger.office.webhooks.addresses import Gate
from ledger.office.webhooks.endpoints import add_endpoint
from ledger.services.applications import Decider
from ledger.services.backups import digest_rows
from ledger.services.erasure import erase_organisation, export_organisation
from ledger.services.orders import Rehearsed
from ledger.store.engine import reading, writing
from ledger.store.office_tables import webhook_messages
from tests.support.desks import Sender
from tests.support.ledger import PROGRAMME, STRANGER, Ledger

FAR = 1_900_000_000
CONTACT = Contact("fees", "王小明", "wang@example.com", "0086 10 1234 5678")
FORM = Form("银河", "Galaxy", "company", "data", "We launch.", "91110000600037341L", CONTACT)
PROGRAMMES = {"alliance": PROGRAMME}
CHARTER = Description("章程", "Charter", "application/pdf")


@pytest.fixture
def store(tmp_path: Path) -> EvidenceStore:
    return EvidenceStore(tmp_path / "evidence")


def filed(
    engine: Engine,
    store: EvidenceStore,
    *,
    org_id: OrgId | None = None,
    controller: bytes | None = None,
    form: Form = FORM,
) -> Case:
    with writing(engine) as connection:
        case, _ = open_case(
            connection, "alliance", by="registrar", now=1, org_id=org_id, controller=controller
        )
        return file_form(connection, store, case.application_id, form, by="applicant", now=2)


def confirmed(engine: Engine, case: Case, *, decline: str = "") -> Case:
    with writing(engine) as connection:
        if decline:
            recommend_decline(connection, case.application_id, reason=decline, by="a", now=3)
        else:
            recommend_admission(
                connection, case.application_id, tier=1, expires_at=FAR, by="a", now=3
            )
        return confirm(connection, case.application_id, by="b", now=4)


def wallet(number: int) -> LocalSigner:
    return LocalSigner(keccak256(f"applicant {number}".encode()))


def decider(sender: Sender) -> Decider:
    now = int(sender.ledger.node.header("latest").timestamp, 16)
    return Decider(sender.desk, sender.order(b""), "registrar", now)


# --- the office's own steps -----------------------------------------------------------------------


def test_application__from_invitation_to_confirmation__has_every_step_in_the_log(
    engine: Engine, store: EvidenceStore
) -> None:
    with writing(engine) as connection:
        case, secret = open_case(connection, "alliance", by="registrar", now=1)
        one = case.application_id
        taken = store.receive(io.BytesIO(b"%PDF-1"), CHARTER)
        attach_document(connection, store, one, taken, CHARTER, by="applicant", now=2)
        file_form(connection, store, one, FORM, by="applicant", now=3)
        ask_back(connection, one, "Which satellites?", by="ann", now=4)
        answer(connection, one, "All of them.", by="applicant", now=5)
        recommend_admission(connection, one, tier=1, expires_at=FAR, by="ann", now=6)
        send_back(connection, one, "Why this tier?", by="bob", now=7)
        recommend_admission(connection, one, tier=2, expires_at=FAR, by="ann", now=8)
        with pytest.raises(SameOfficer):
            confirm(connection, one, by="ann", now=9)
        done = confirm(connection, one, by="bob", now=9)
        steps = read_steps(connection, f"application:{case.shown}")
        assert follow_link(connection, secret) == done
        assert done.form == FORM
        assert len(documents_of(connection, one)) == 2

    assert (done.state, done.tier, done.recommended_by, done.confirmed_by) == (
        CaseState.CONFIRMED,
        2,
        "ann",
        "bob",
    )
    assert [(each.action, each.actor, each.detail) for each in steps] == [
        ("opened", "registrar", ""),
        ("attached", "applicant", ""),
        ("filed", "applicant", ""),
        ("asked", "ann", "Which satellites?"),
        ("answered", "applicant", "All of them."),
        ("recommended", "ann", ""),
        ("sent_back", "bob", "Why this tier?"),
        ("recommended", "ann", ""),
        ("confirmed", "bob", ""),
    ]
    assert [each.number for each in steps] == list(range(1, 10))


def test_application__in_another_state__refuses_the_step(
    engine: Engine, store: EvidenceStore
) -> None:
    case = filed(engine, store)
    one = case.application_id
    with writing(engine) as connection:
        for step in (
            lambda: confirm(connection, one, by="b", now=3),
            lambda: answer(connection, one, "x", by="applicant", now=3),
            lambda: erase_case(connection, store, one),
        ):
            with pytest.raises(ApplicationElsewhere):
                step()
        withdraw(connection, one, by="applicant", now=3)
        for step in (
            lambda: ask_back(connection, one, "x", by="a", now=4),
            lambda: withdraw(connection, one, by="applicant", now=4),
            lambda: file_form(connection, store, one, FORM, by="applicant", now=4),
            lambda: recommend_decline(connection, one, reason="x", by="a", now=4),
        ):
            with pytest.raises(ApplicationElsewhere):
                step()
        with pytest.raises(NotFound):
            read_case(connection, bytes(32))
        with pytest.raises(NotFound):
            follow_link(connection, "guessed")


def test_application__its_documents__are_private_and_what_they_say(
    engine: Engine, store: EvidenceStore
) -> None:
    case = filed(engine, store)
    with writing(engine) as connection:
        (form,) = documents_of(connection, case.application_id)
        with pytest.raises(NotFound):
            store.read(connection, form)
        _, chunks = store.read(connection, form, entitled=True)
        assert json.loads(b"".join(chunks))["name_en"] == "Galaxy"
        with pytest.raises(EvidenceRefused):
            store.receive(io.BytesIO(b"MZ"), CHARTER)
        taken = store.receive(io.BytesIO(b"%PDF-1"), CHARTER)
        charter = attach_document(
            connection, store, case.application_id, taken, CHARTER, by="applicant", now=3
        )
        with pytest.raises(NotFound):
            store.read(connection, charter.commitment)


@pytest.mark.parametrize("is_confirmed", [False, True])
def test_account__changed_after_it_was_recommended__is_to_be_recommended_anew(
    sqlite_engine: Engine, store: EvidenceStore, is_confirmed: bool
) -> None:
    one = filed(sqlite_engine, store, controller=wallet(1).address).application_id
    with writing(sqlite_engine) as connection:
        recommend_admission(connection, one, tier=1, expires_at=FAR, by="ann", now=3)
        if is_confirmed:
            confirm(connection, one, by="bob", now=4)
        state = read_case(connection, one).state
        same = name_controller(connection, one, wallet(1).address, by="applicant", now=5)
        other = name_controller(connection, one, wallet(2).address, by="applicant", now=6)

        assert (same.state, other.state) == (state, CaseState.FILED)
        assert (other.recommended_by, other.confirmed_by, other.tier) == ("", "", None)


def test_erasing__whose_file_could_not_be_deleted__finds_it_the_next_time(
    sqlite_engine: Engine, store: EvidenceStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = filed(sqlite_engine, store, org_id=OrgId(7))
    with reading(sqlite_engine) as connection:
        (commitment,) = documents_of(connection, case.application_id)
        (found,) = describe_documents(connection, [commitment])

    def refuse(self: EvidenceStore, content_hash: bytes) -> None:
        raise StorageUnusable(scheme="s3", problem="TimeoutError")

    with monkeypatch.context() as patched:
        patched.setattr(EvidenceStore, "discard", refuse)
        with pytest.raises(StorageUnusable):
            erase_organisation(sqlite_engine, store, OrgId(7), actor="dpo", now=5)
    assert store.path_of(found.content_hash).exists()

    erase_organisation(sqlite_engine, store, OrgId(7), actor="dpo", now=6)
    assert not store.path_of(found.content_hash).exists()


@pytest.mark.parametrize(
    "form",
    [
        Form("", ""),
        Form("名", "", credit_code="911100006000373410"),
        Form("名", "", note="=1+1"),
        Form("名", "", contact=Contact(email="nobody")),
    ],
)
def test_form__that_cannot_be_kept__is_not_filed(
    sqlite_engine: Engine, store: EvidenceStore, form: Form
) -> None:
    with pytest.raises(InvalidValue):
        filed(sqlite_engine, store, form=form)


def test_steps__told_to_webhooks__say_nothing_of_the_form(
    engine: Engine, store: EvidenceStore
) -> None:
    gate = Gate(resolve=lambda host, port: ["93.184.215.14"])
    with writing(engine) as connection:
        add_endpoint(connection, gate, "https://example.com/", types=("application.*",), now=1)
    case = filed(engine, store)
    with writing(engine) as connection:
        ask_back(connection, case.application_id, "Whose?", by="ann", now=3)

    with reading(engine) as connection:
        bodies = [
            bytes(row) for row in connection.execute(select(webhook_messages.c.body)).scalars()
        ]
    told = sorted(json.loads(body)["type"] for body in bodies)
    assert told == ["application.asked", "application.filed"]
    for word in ("银河", "Galaxy", "王小明", "wang", "Whose", "ann"):
        assert not any(word.encode() in body for body in bodies)


def test_application__erased__leaves_its_steps_without_words(
    engine: Engine, store: EvidenceStore
) -> None:
    case = filed(engine, store)
    with writing(engine) as connection:
        ask_back(connection, case.application_id, "Whose?", by="ann", now=3)
        withdraw(connection, case.application_id, by="applicant", now=4)
        files = erase_case(connection, store, case.application_id)
        found = read_case(connection, case.application_id)
        steps = read_steps(connection, f"application:{case.shown}")

    assert (found.form, found.evidence, found.state) == (None, None, CaseState.WITHDRAWN)
    assert len(files) == 1
    assert [each.action for each in steps] == ["opened", "filed", "asked", "withdrawn"]
    assert not any(each.detail for each in steps)


# --- on the chain ---------------------------------------------------------------------------------


def test_decided__many_at_once__are_registered_admitted_and_declined_once(
    sender: Sender, own_ledger: Ledger
) -> None:
    engine, store = sender.engine, sender.desk.evidence
    new = [
        filed(engine, store, controller=wallet(number).address, form=Form(f"名{number}", ""))
        for number in range(3)
    ]
    known = filed(engine, store, org_id=STRANGER)
    refused = filed(engine, store, controller=wallet(9).address)
    homeless = filed(engine, store)
    cases = [confirmed(engine, case) for case in (*new, known, homeless)]
    cases.append(confirmed(engine, refused, decline="documents.missing"))
    ids = [case.application_id for case in cases]

    done = decider(sender).decide(ids, PROGRAMMES)
    contracts = own_ledger.contracts
    count = contracts.organisations.organisation_count(at="latest")
    nonce = sender.nonce()
    again = decider(sender).decide(ids, PROGRAMMES)

    assert [each.state.value for each in done] == [
        *(["admitted"] * 4),
        "confirmed",
        "declined",
    ]
    assert done[4].waits_for == "an account that acts for the applicant"
    assert again == done
    assert count == 5
    assert sender.nonce() == nonce, "run again, it sends nothing"
    for each in done[:4]:
        assert each.org_id is not None
        state = contracts.memberships.membership(PROGRAMME, each.org_id, at="latest")
        assert (state.status, state.expires_at) == (MembershipStatus.ACTIVE, FAR)
    sender.mirror()
    with reading(engine) as connection:
        moment = latest_moment(read_state(connection))
        assert read_applications_of(connection, moment, [STRANGER]) == {}
        assert len(list_cases(connection, state=CaseState.ADMITTED)) == 4

    with writing(engine) as connection:
        one = homeless.application_id
        name_controller(connection, one, wallet(7).address, by="applicant", now=9)
    (later,) = decider(sender).decide([one], PROGRAMMES)
    assert later.state is CaseState.ADMITTED
    with reading(engine) as connection:
        key = profile_key(homeless)
        assert read_contacts(connection, Subject.ORGANISATION, key) == [CONTACT]


def test_decided__where_it_is_only_rehearsed__keeps_and_sends_nothing(sender: Sender) -> None:
    engine, store = sender.engine, sender.desk.evidence
    new = confirmed(engine, filed(engine, store, controller=wallet(1).address))
    refused = confirmed(engine, filed(engine, store), decline="documents.missing")
    ids = [refused.application_id, new.application_id]
    nonce = sender.nonce()
    with reading(engine) as connection:
        before = digest_rows(connection)
    rehearsing = decider(sender)
    assert rehearsing.order is not None
    rehearsing = replace(rehearsing, order=replace(rehearsing.order, rehearses=True))

    with pytest.raises(Rehearsed) as ended:
        rehearsing.decide(ids, PROGRAMMES)

    assert ended.value.operation.request.command == "register"
    assert sender.nonce() == nonce
    with reading(engine) as connection:
        assert digest_rows(connection) == before


def test_decided__after_a_crash_before_it_was_written_down__does_not_register_twice(
    sender: Sender, own_ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = confirmed(
        sender.engine, filed(sender.engine, sender.desk.evidence, controller=wallet(1).address)
    )

    class Ended(Exception):
        pass

    def end(*_: object, **__: object) -> None:
        raise Ended

    with monkeypatch.context() as patched:
        patched.setattr("ledger.services.applications.note_registered", end)
        with pytest.raises(Ended):
            decider(sender).decide([case.application_id], PROGRAMMES)
    with monkeypatch.context() as patched:
        patched.setattr("ledger.services.applications.note_decided", end)
        with pytest.raises(Ended):
            decider(sender).decide([case.application_id], PROGRAMMES)
    (done,) = decider(sender).decide([case.application_id], PROGRAMMES)

    assert done.state is CaseState.ADMITTED
    assert own_ledger.contracts.organisations.organisation_count(at="latest") == 3


def test_consent__of_the_applicants_wallet__admits_by_it_and_another_ones_is_refused(
    sender: Sender, own_ledger: Ledger
) -> None:
    engine = sender.engine
    applicant = wallet(1)
    case = filed(engine, sender.desk.evidence, controller=applicant.address)
    one = confirmed(engine, case).application_id
    officer = decider(sender)
    officer._register([case])  # as a first `decide` does before a wallet has signed
    with reading(engine) as connection:
        case = read_case(connection, one)
    deadline = officer.now + 10_000
    message = officer.message_for(case, PROGRAMME, deadline=deadline)
    stranger = wallet(2).sign_digest(message.digest())

    with pytest.raises(InvalidValue, match="signature"):
        officer.take_consent(one, PROGRAMME, stranger, deadline)
    signed = sign_message(message, applicant, now=officer.now)
    with pytest.raises(InvalidValue, match="signature"):
        officer.take_consent(one, PROGRAMME, signed.signature, deadline + 1)
    officer.take_consent(one, PROGRAMME, signed.signature, deadline)
    (done,) = officer.decide([one], PROGRAMMES)

    assert done.state is CaseState.ADMITTED
    sender.mirror()
    with reading(engine) as connection:
        rows = connection.exec_driver_sql(
            "SELECT account, application_id FROM application_consents"
        )
        assert [(bytes(a), bytes(b)) for a, b in rows] == [(applicant.address, one)]


def test_decided__of_which_the_contract_refuses_one__admits_the_others_and_says_why(
    sender: Sender,
) -> None:
    engine, store = sender.engine, sender.desk.evidence
    good = filed(engine, store, controller=wallet(1).address)
    bad = filed(engine, store, controller=wallet(2).address)
    with writing(engine) as connection:
        for case, tier in ((good, 1), (bad, 9)):
            recommend_admission(
                connection, case.application_id, tier=tier, expires_at=FAR, by="a", now=3
            )
            confirm(connection, case.application_id, by="b", now=4)

    first, second = decider(sender).decide([good.application_id, bad.application_id], PROGRAMMES)

    assert first.state is CaseState.ADMITTED
    assert second.state is CaseState.CONFIRMED
    assert "tier" in second.waits_for.lower()


def test_organisation__erased__takes_its_applications_with_it(sender: Sender) -> None:
    engine, store = sender.engine, sender.desk.evidence
    case = confirmed(engine, filed(engine, store, controller=wallet(1).address))
    (done,) = decider(sender).decide([case.application_id], PROGRAMMES)
    assert done.org_id is not None
    sender.mirror()
    with reading(engine) as connection:
        held = export_organisation(connection, done.org_id)
    assert held["cases"][0]["form"]["contact"]["person"] == "王小明"

    erase_organisation(engine, store, done.org_id, actor="officer", now=9)

    with reading(engine) as connection:
        found = export_organisation(connection, done.org_id)
    assert found["cases"][0]["form"] is None
    assert (found["profiles"], found["contacts"], found["cases"][0]["documents"]) == ([], [], [])
