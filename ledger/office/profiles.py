"""Who an organisation or a programme is, in words; the chain holds a salted commitment to it.

A profile is written before the transaction that commits to it is signed, so that there is never a
commitment on the chain whose document was lost in between. Nothing here is changed or deleted by
a later profile: which one is current is what the chain says.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass, field
from enum import StrEnum

from sqlalchemy import Connection, select

from ledger.domain.commitments import canonical_json, commit_to_document, new_salt
from ledger.errors import InvalidValue
from ledger.office.rows import insert_if_absent
from ledger.store.office_tables import profiles

MAX_TEXT = 500
"""Characters of one field; a profile is a business card, not a brochure."""

FORMULA_MARKS = ("=", "+", "-", "@", "\t", "\r")
"""Text that begins so is a formula to a spreadsheet program (OWASP, CSV injection)."""


BLANKS = frozenset("\u115f\u1160\u2800\u3164\uffa0\U0001d159")
"""Letters and symbols that are drawn as nothing: Hangul fillers, the empty pattern of Braille, a
note's empty head (Unicode, `Default_Ignorable_Code_Point`, and the code charts)."""


CREDIT_CODE = "uscc"
WEBSITE = "website"
LOGO = "logo"
"""Details that have a form; a logo is the commitment to a kept picture."""

_WEBSITE = re.compile(r"https?://[A-Za-z0-9][A-Za-z0-9.-]*(?::[0-9]{1,5})?(?:/[!-~]*)?")
_COMMITMENT = re.compile(r"0x[0-9a-f]{64}")


class Subject(StrEnum):
    """What a profile is of."""

    ORGANISATION = "organisation"
    PROGRAMME = "programme"
    BENEFIT = "benefit"


@dataclass(frozen=True, slots=True)
class Profile:
    """Names and words about a subject; `key` is its key in the file it was imported from.

    `details` are further named texts (a programme's role, a contact), all part of the document.
    """

    subject: Subject
    key: str
    name_zh: str
    name_en: str
    segment: str = ""
    note: str = ""
    details: tuple[tuple[str, str], ...] = field(default=())

    def document(self) -> bytes:
        """The canonical JSON that the commitment is of. Raises InvalidValue."""
        values = {
            "subject": self.subject.value,
            "key": self.key,
            "name_zh": self.name_zh,
            "name_en": self.name_en,
            "segment": self.segment,
            "note": self.note,
        }
        for name, text in self.details:
            if name in values:
                raise InvalidValue(field="details", value=name, expected="a name not yet taken")
            values[name] = text
        for name, text in values.items():
            check_text(name, text)
        _check_details(values)
        if not (self.name_zh or self.name_en):
            raise InvalidValue(field="name", value="", expected="a name in at least one language")
        return canonical_json(values)


def check_credit_code(text: str) -> str:
    """A unified social credit code (GB 32100-2015) without blanks, in capitals.

    Raises InvalidValue where its length, letters or check digit are wrong.
    """
    # A tenth of a second to import, which only who checks a code shall wait for.
    from stdnum.cn import uscc  # noqa: PLC0415
    from stdnum.exceptions import ValidationError  # noqa: PLC0415

    try:
        return str(uscc.validate(text))
    except ValidationError as error:
        expected = "a unified social credit code: 18 digits and letters, the last one checking them"
        raise InvalidValue(field=CREDIT_CODE, value=text, expected=expected) from error


def _check_details(values: dict[str, str]) -> None:
    """Those details that have a form are in it."""
    code = values.get(CREDIT_CODE, "")
    if code and check_credit_code(code) != code:
        raise InvalidValue(field=CREDIT_CODE, value=code, expected=check_credit_code(code))
    website = values.get(WEBSITE, "")
    if website and not _WEBSITE.fullmatch(website):
        raise InvalidValue(field=WEBSITE, value=website, expected="an http or https URL")
    logo = values.get(LOGO, "")
    if logo and not _COMMITMENT.fullmatch(logo):
        raise InvalidValue(field=LOGO, value=logo, expected="the commitment to a kept picture")


def check_text(name: str, text: str) -> None:
    """Raise InvalidValue for text that is longer than MAX_TEXT, a formula, or shows nothing.

    And for characters that are not printed. Whatever is kept may one day stand in a spreadsheet,
    whichever way it came in.
    """
    if len(text) > MAX_TEXT:
        raise InvalidValue(
            field=name, value=text[:20] + "…", expected=f"at most {MAX_TEXT} characters long"
        )
    if any(not character.isprintable() for character in text):
        raise InvalidValue(field=name, value=text, expected="text without control characters")
    if text and not any(_is_seen(character) for character in text):
        raise InvalidValue(field=name, value=text, expected="text that shows something, or none")
    if is_formula(text):
        marks = " ".join(mark for mark in FORMULA_MARKS if mark.isprintable())
        expected = f"text that begins otherwise than with {marks}, as formulas do"
        raise InvalidValue(field=name, value=text, expected=expected)


def _is_seen(character: str) -> bool:
    """Whether a character shows something by itself, as marks and spaces do not."""
    return unicodedata.category(character)[0] in "LNPS" and character not in BLANKS


def is_formula(text: str) -> bool:
    """Whether a spreadsheet program would calculate the text where it stands in a cell."""
    return text.startswith(FORMULA_MARKS) or text.strip().startswith(FORMULA_MARKS)


def may_be_formula(text: str) -> bool:
    """The same for what is written out: programs of China and Japan take wide signs for narrow
    ones. In a text that somebody gives they are no more than punctuation."""
    return is_formula(unicodedata.normalize("NFKC", text[:1000]))


def keep_profile(connection: Connection, profile: Profile) -> bytes:
    """Keep the profile and give its commitment; the one given before where it is kept already.

    Raises InvalidValue where a text cannot be kept.
    """
    document = profile.document()
    for commitment, kept in _of_key(connection, profile.subject, profile.key):
        if kept == document:
            return commitment
    salt = new_salt()
    commitment = commit_to_document(salt, document)
    insert_if_absent(
        connection,
        profiles,
        {
            "commitment": commitment,
            "subject": profile.subject.value,
            "key": profile.key,
            "salt": salt,
            "document": document,
            "name_zh": profile.name_zh,
            "name_en": profile.name_en,
            "segment": profile.segment,
            "note": profile.note,
        },
    )
    return commitment


def commitments_of(connection: Connection, subject: Subject, key: str) -> frozenset[bytes]:
    """The commitments of every profile that was ever kept under the key."""
    return frozenset(commitment for commitment, _ in _of_key(connection, subject, key))


def read_document(connection: Connection, commitment: bytes) -> bytes | None:
    """The document behind a commitment; None where it is not kept here."""
    query = select(profiles.c.document).where(profiles.c.commitment == commitment)
    found = connection.execute(query).scalar_one_or_none()
    return bytes(found) if found is not None else None


def read_salt(connection: Connection, commitment: bytes) -> bytes | None:
    """The salt of a kept profile; None where it is not kept here."""
    query = select(profiles.c.salt).where(profiles.c.commitment == commitment)
    found = connection.execute(query).scalar_one_or_none()
    return bytes(found) if found is not None else None


def _of_key(connection: Connection, subject: Subject, key: str) -> list[tuple[bytes, bytes]]:
    query = select(profiles.c.commitment, profiles.c.document).where(
        profiles.c.subject == subject.value, profiles.c.key == key
    )
    return [(bytes(row.commitment), bytes(row.document)) for row in connection.execute(query)]
