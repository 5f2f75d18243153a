"""The sender of e-mails: finds what is to be told and hands it to the mail server, encrypted.

A mail server that is not on this machine is spoken to through TLS or not at all, and its
certificate is checked. What it refuses for good (5xx) is given up, anything else is tried again.
"""

from __future__ import annotations

import smtplib
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from email.message import EmailMessage
from email.utils import formatdate
from urllib.parse import unquote, urlsplit

from sqlalchemy import Connection, Engine, select

from ledger.config import Settings
from ledger.office.notices import (
    Notice,
    is_any_due,
    note_failed,
    note_sent,
    read_choice,
    take_due,
    unsubscribe_token,
)
from ledger.office.sessions import nonce_secret
from ledger.services.notices.collecting import collect, profile_of
from ledger.services.notices.texts import write_notice
from ledger.store.engine import reading, writing
from ledger.store.office_tables import profiles

LOOK_EVERY = 5.0
TIMEOUT = 15.0
_AT_ONCE = 20
_PERMANENT = 500


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. `encrypts` is `tls`, `starttls`, or `nothing` (this machine)."""

    host: str
    port: int
    encrypts: str
    user: str
    password: str
    sender: str
    origin: str

    @classmethod
    def of(cls, settings: Settings) -> MailServer:
        """As the settings say; their form was checked there."""
        parts = urlsplit(settings.smtp_url)
        is_tls = parts.scheme == "smtps"
        host = parts.hostname or ""
        is_here = host in ("localhost", "127.0.0.1", "::1")
        encrypts = "tls" if is_tls else "nothing" if is_here else "starttls"
        return cls(
            host,
            parts.port or (465 if is_tls else 587),
            encrypts,
            unquote(parts.username or ""),
            settings.smtp_password.get_secret_value(),
            settings.smtp_from,
            settings.origin,
        )

    def connect(self) -> smtplib.SMTP:
        """A connection that is encrypted and signed in. Raises OSError and SMTPException."""
        context = ssl.create_default_context()
        if self.encrypts == "tls":
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                self.host, self.port, timeout=TIMEOUT, context=context
            )
        else:
            server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT)
        try:
            if self.encrypts == "starttls":
                server.starttls(context=context)
            if self.user:
                server.login(self.user, self.password)
        except BaseException:
            server.close()
            raise
        return server


@dataclass
class NoticeSender:
    """Sends what is due; `clock` gives seconds since 1970 UTC."""

    engine: Engine
    mail: MailServer
    clock: Callable[[], float] = time.time

    def run(self, stop: threading.Event) -> None:
        """Send until `stop` is set."""
        while not stop.is_set():
            self.drain()
            stop.wait(LOOK_EVERY)

    def drain(self) -> int:
        """Find what is to be told and send what is due; how many went."""
        collect(self.engine, now=self._now())
        sent = 0
        while True:
            with reading(self.engine) as connection:
                if not is_any_due(connection, now=self._now()):
                    return sent
            with writing(self.engine) as connection:
                taken = take_due(connection, now=self._now(), limit=_AT_ONCE)
                secret = nonce_secret(connection)
            sent += self._send(taken, secret)

    def _send(self, taken: list[Notice], secret: bytes) -> int:
        try:
            server = self.mail.connect()
        except (OSError, smtplib.SMTPException) as error:
            for notice in taken:  # the server's trouble is no fault of a recipient
                self._note(notice, _what(error), for_good=False)
            return 0
        sent = 0
        try:
            for notice in taken:
                sent += self._send_one(server, notice, secret)
        finally:
            server.close()
        return sent

    def _send_one(self, server: smtplib.SMTP, notice: Notice, secret: bytes) -> bool:
        try:
            message = self._write(notice, secret)
        except (ValueError, LookupError, AttributeError) as error:
            # Of an address that no header takes. The others must not wait for it for ever.
            problem = f"it makes no e-mail ({type(error).__name__})"
            self._note(notice, problem, for_good=True)
            return False
        try:
            server.send_message(message)
        except smtplib.SMTPRecipientsRefused as error:
            code = next(iter(error.recipients.values()))[0]
            self._note(notice, f"refused with {code}", for_good=code >= _PERMANENT)
            return False
        except (OSError, smtplib.SMTPException) as error:
            is_final = isinstance(error, smtplib.SMTPDataError | smtplib.SMTPSenderRefused)
            code = getattr(error, "smtp_code", 0)
            self._note(notice, _what(error), for_good=is_final and code >= _PERMANENT)
            return False
        with writing(self.engine) as connection:
            note_sent(connection, notice, now=self._now())
        return True

    def _write(self, notice: Notice, secret: bytes) -> EmailMessage:
        with reading(self.engine) as connection:
            _, language = read_choice(connection, notice.recipient)
            names = _names_of(connection, notice)
            programme = _programme_of(connection, str(notice.facts.get("programme", "")))
        subject, text = write_notice(notice, names=names, programme=programme, language=language)
        message = EmailMessage()
        message["Subject"] = subject
        message["From"] = self.mail.sender
        message["To"] = notice.recipient
        message["Date"] = formatdate(self.clock())
        domain = self.mail.sender.rpartition("@")[2].rstrip(">")
        message["Message-ID"] = f"<{notice.notice_id}@{domain}>"
        message["Auto-Submitted"] = "auto-generated"
        token = unsubscribe_token(secret, notice.notice_id)
        link = f"{self.mail.origin}/v1/unsubscriptions/{token}"
        message["List-Unsubscribe"] = f"<{link}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(text)
        return message

    def _note(self, notice: Notice, problem: str, *, for_good: bool) -> None:
        with writing(self.engine) as connection:
            note_failed(connection, notice, problem, for_good=for_good, now=self._now())

    def _now(self) -> int:
        return int(self.clock() * 1000)


def _names_of(connection: Connection, notice: Notice) -> tuple[str, str]:
    if notice.org_id is None:
        return "", ""
    _, zh, en = profile_of(connection, notice.org_id)
    return zh, en


def _programme_of(connection: Connection, key: str) -> tuple[str, str]:
    query = select(profiles.c.name_zh, profiles.c.name_en).where(
        profiles.c.subject == "programme", profiles.c.key == key
    )
    row = connection.execute(query.limit(1)).one_or_none()
    return ("", "") if row is None else (row.name_zh, row.name_en)


def _what(error: Exception) -> str:
    """A code or a class; the server's words repeat the address."""
    code = getattr(error, "smtp_code", None)
    return f"the mail server said {code}" if code else f"no connection ({type(error).__name__})"
