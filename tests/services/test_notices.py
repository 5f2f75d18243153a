"""E-mails to members, against a real mail server: sent once, tried again, given up, not wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from sqlalchemy import Engine

from ledger.domain.operations import new_operation_id
from ledger.errors import NotFound
from ledger.office.cases import CaseState, Form
from ledger.office.casework import confirm, file_form, note_decided, open_case, recommend_decline
from ledger.office.contacts import Contact, replace_contacts
from ledger.office.evidence import EvidenceStore
from ledger.office.notices import list_notices, retry_dead, unsubscribe
from ledger.office.profiles import Subject
from ledger.office.sessions import nonce_secret
from ledger.services.notices.sending import MailServer, NoticeSender
from ledger.store.engine import reading, writing
from tests.support.desks import Sender
from tests.support.ledger import MEMBER, PROGRAMME
from tests.support.ports import free_port

TO = "wang@example.com"
NOW = 1_800_000_000


class Inbox:
    """Takes mail, or answers as it is told to."""

    def __init__(self) -> None:
        self.taken: list[EmailMessage] = []
        self.answer = ""

    async def handle_RCPT(  # noqa: N802  aiosmtpd's name
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.answer:
            return self.answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        found = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(found, EmailMessage)
        self.taken.append(found)
        await asyncio.sleep(0)
        return "250 OK"


@pytest.fixture
def inbox() -> Iterator[tuple[Inbox, MailServer]]:
    handler = Inbox()
    controller = Controller(handler, hostname="127.0.0.1", port=free_port())
    controller.start()
    mail = MailServer(
        "127.0.0.1", controller.port, "nothing", "", "", "ledger@example.org", "https://l.example"
    )
    yield handler, mail
    controller.stop()


def declined(engine: Engine, folder: Path, to: str = TO) -> None:
    """An application of somebody with an address, declined now."""
    form = Form("银河", "Galaxy", contact=Contact("", "王小明", to))
    with writing(engine) as connection:
        case, _ = open_case(connection, "alliance", by="ann", now=NOW)
        store, one = EvidenceStore(folder / "evidence"), case.application_id
        file_form(connection, store, one, form, by="applicant", now=NOW)
        recommend_decline(connection, one, reason="documents.missing", by="ann", now=NOW)
        confirm(connection, one, by="bob", now=NOW)
        note_decided(connection, one, CaseState.DECLINED, by="bob", now=NOW + 1)


def sender_of(engine: Engine, mail: MailServer, at: float) -> NoticeSender:
    return NoticeSender(engine, mail, lambda: at)


def test_notice__of_a_decided_application__is_sent_once_in_both_languages(
    sender: Sender, inbox: tuple[Inbox, MailServer], tmp_path: Path
) -> None:
    sender.mirror()
    handler, mail = inbox
    sender_of(sender.engine, mail, NOW).drain()  # from now on
    declined(sender.engine, tmp_path)

    for _ in range(2):
        sender_of(sender.engine, mail, NOW + 5).drain()

    (message,) = handler.taken
    assert (message["To"], message["From"]) == (TO, "ledger@example.org")
    assert message["Subject"] == "入会申请未获批准 · Your application was declined"
    assert "原因：缺少材料（documents.missing）。" in message.get_content()
    assert "The reason: documents are missing (documents.missing)." in message.get_content()
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    token = message["List-Unsubscribe"].strip("<>").rpartition("/")[2]
    with writing(sender.engine) as connection:
        secret = nonce_secret(connection)
        with pytest.raises(NotFound):
            unsubscribe(connection, secret, token[:-1] + "x", now=NOW)
        unsubscribe(connection, secret, token, now=NOW)
    declined(sender.engine, tmp_path)
    sender_of(sender.engine, mail, NOW + 10).drain()
    assert len(handler.taken) == 1


def test_notice__that_a_server_refuses__is_tried_again_or_given_up(
    sender: Sender, inbox: tuple[Inbox, MailServer], tmp_path: Path
) -> None:
    sender.mirror()
    handler, mail = inbox
    sender_of(sender.engine, mail, NOW).drain()
    declined(sender.engine, tmp_path)

    def states() -> list[tuple[str, int, str]]:
        with reading(sender.engine) as connection:
            found = list_notices(connection, limit=10)
        return [(each.state, each.tries, each.problem) for each in found]

    handler.answer = "451 <wang@example.com> later"
    sender_of(sender.engine, mail, NOW + 5).drain()
    later = states()
    sender_of(sender.engine, mail, NOW + 30).drain()  # too early
    handler.answer = "550 <wang@example.com> unknown"
    sender_of(sender.engine, mail, NOW + 70).drain()

    assert later == [("waiting", 1, "refused with 451")]
    assert states() == [("dead", 1, "refused with 550")]
    handler.answer = ""
    with writing(sender.engine) as connection:
        assert retry_dead(connection, now=(NOW + 80) * 1000) == 1
    sender_of(sender.engine, mail, NOW + 80).drain()
    assert states() == [("sent", 0, "")]


def test_notices__of_an_entry_and_of_a_membership_that_ends__are_sent_once_they_are_final(
    sender: Sender, inbox: tuple[Inbox, MailServer]
) -> None:
    handler, mail = inbox
    sender.mirror()
    member = sender.ledger.contracts.memberships.membership(PROGRAMME, MEMBER, at="latest")
    with writing(sender.engine) as connection:
        key, contact = f"organisation-{MEMBER}", Contact("", "王小明", TO)
        replace_contacts(connection, Subject.ORGANISATION, key, [contact])
    soon = member.expires_at - 10 * 86400
    sender_of(sender.engine, mail, soon - 86400 * 90).drain()  # from now on
    sender.award(new_operation_id())
    sender.mirror()
    early = sender_of(sender.engine, mail, soon - 86400 * 90).drain()
    sender.ledger.anvil.mine(70)
    sender.mirror()

    sent = [sender_of(sender.engine, mail, soon).drain() for _ in range(2)]

    assert (early, sent) == (0, [2, 0])
    with reading(sender.engine) as connection:
        kinds = {each.kind for each in list_notices(connection, limit=10)}
    assert kinds == {"entry.posted", "membership.expiring"}
    assert [each["To"] for each in handler.taken] == [TO, TO]


def test_notice__to_an_address_that_no_header_takes__holds_up_no_other(
    sender: Sender,
    inbox: tuple[Inbox, MailServer],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sender.mirror()
    handler, mail = inbox
    sender_of(sender.engine, mail, NOW).drain()
    monkeypatch.setattr(Contact, "check", lambda self: None)  # as an earlier release took it
    for to in ("=?utf-8?q?x=0a?=@example.com", TO):
        declined(sender.engine, tmp_path, to)

    assert sender_of(sender.engine, mail, NOW + 5).drain() == 1
    assert [each["To"] for each in handler.taken] == [TO]
    with reading(sender.engine) as connection:
        states = {each.recipient: each.state for each in list_notices(connection, limit=10)}
    assert sorted(states.values()) == ["dead", "sent"]


def test_mail_server__that_offers_no_encryption__gets_nothing(
    sender: Sender, inbox: tuple[Inbox, MailServer], tmp_path: Path
) -> None:
    sender.mirror()
    handler, plain = inbox
    mail = MailServer(plain.host, plain.port, "starttls", "", "", plain.sender, plain.origin)
    sender_of(sender.engine, mail, NOW).drain()
    declined(sender.engine, tmp_path)

    assert sender_of(sender.engine, mail, NOW + 5).drain() == 0
    assert handler.taken == []
