"""Whom to call at an organisation. Never committed to, and never shown to everybody.

A person changes more often than an organisation's name, and a commitment for each would be a
transaction each; so contacts stand beside the profile, and the chain knows nothing of them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Connection, delete, insert, select

from ledger.errors import InvalidValue
from ledger.office.profiles import Subject, check_text
from ledger.office.rows import raise_revision
from ledger.store.office_tables import contacts

MAX_CONTACTS = 20

# An encoded word (RFC 2047) would be another address once a header is read.
_EMAIL = re.compile(r"(?!.*=\?)[^@\s<>,;:\"()\[\]\\]{1,64}@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_PHONE = re.compile(r"[0-9(][0-9 ().+-]{4,30}")


@dataclass(frozen=True, slots=True)
class Contact:
    """A person or desk; any text but one may be empty. `role` is what they are asked about."""

    role: str = ""
    person: str = ""
    email: str = ""
    phone: str = ""
    address: str = ""

    def check(self) -> None:
        """Raise InvalidValue for what cannot be kept."""
        for name in ("role", "person", "email", "address"):
            check_text(name, getattr(self, name))
        if not (self.person or self.email or self.phone):
            raise InvalidValue(field="contact", value="", expected="a person, e-mail or phone")
        if self.email and not _EMAIL.fullmatch(self.email):
            raise InvalidValue(field="email", value=self.email, expected="an e-mail address")
        # With 00 for a plus sign: what begins with one is a formula to a spreadsheet program.
        if self.phone and not _PHONE.fullmatch(self.phone):
            expected = "a phone number such as 0086 10 1234 5678"
            raise InvalidValue(field="phone", value=self.phone, expected=expected)


def replace_contacts(
    connection: Connection, subject: Subject, key: str, wanted: Sequence[Contact]
) -> None:
    """Keep these contacts of a subject, in place of all before. Raises InvalidValue."""
    if len(wanted) > MAX_CONTACTS:
        raise InvalidValue(field="contacts", value=len(wanted), expected=f"{MAX_CONTACTS} at most")
    for contact in wanted:
        contact.check()
    raise_revision(connection)
    connection.execute(delete(contacts).where(*_of(subject, key)))
    for number, contact in enumerate(wanted, start=1):
        connection.execute(
            insert(contacts).values(
                subject=subject.value,
                key=key,
                number=number,
                role=contact.role,
                person=contact.person,
                email=contact.email,
                phone=contact.phone,
                address=contact.address,
            )
        )


def read_contacts(connection: Connection, subject: Subject, key: str) -> list[Contact]:
    """The contacts of a subject, in their order."""
    rows = connection.execute(
        select(contacts).where(*_of(subject, key)).order_by(contacts.c.number)
    )
    return [Contact(row.role, row.person, row.email, row.phone, row.address) for row in rows]


def _of(subject: Subject, key: str) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    return contacts.c.subject == subject.value, contacts.c.key == key
