"""What the office keeps of an organisation and shows to those entitled: profile, contacts, all."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field

from api.schemas.applications import ContactBody, ContactView
from api.schemas.base import Digest, Schema, Time, at_most
from api.schemas.commands import Command, Organisation, Words
from ledger.office.contacts import MAX_CONTACTS


class ProfileCommand(Command):
    """What is to be public of an organisation from now on; what is not given stays."""

    name_zh: Annotated[Words | None, Field(examples=["银河航天"])] = None
    name_en: Annotated[Words | None, Field(examples=["GalaxySpace"])] = None
    segment: Annotated[Words | None, Field(examples=["satellite"])] = None
    note: Words | None = None
    uscc: Annotated[
        str | None,
        Field(
            max_length=18,
            description="The unified social credit code; its check digit is checked.",
            examples=["91110000600037341L"],
        ),
    ] = None
    website: Annotated[Words | None, Field(examples=["https://www.example.org"])] = None


class ContactsCommand(Command):
    """Whom to call at an organisation, in place of all before."""

    contacts: Annotated[list[ContactBody], Field(max_length=MAX_CONTACTS)]


class ErasureCommand(Command):
    """An organisation to be erased from the office, for good; its id is named once more."""

    organisation: Organisation
    with_evidence: Annotated[
        bool, Field(description="Also the documents that its facts alone rest on.")
    ] = False


class ProfileAnswer(Schema):
    """What is kept of an organisation. `document` with `salt` is what `commitment`, which stands on
    the chain, is of; it is null where it was erased or is kept elsewhere."""

    org_id: Annotated[int, Field(ge=1, examples=[4])]
    commitment: Digest
    salt: Digest | None
    document: Annotated[
        dict[str, Any] | None, Field(examples=[{"key": "galaxyspace", "name_en": "GalaxySpace"}])
    ]
    contacts: Annotated[list[ContactView], at_most(MAX_CONTACTS)]


class ExportAnswer(Schema):
    """All that the office keeps of an organisation, to be handed to it."""

    org_id: Annotated[int, Field(ge=1, examples=[4])]
    exported_at: Time
    held: dict[str, Any]


class ErasureAnswer(Schema):
    """How many rows of each kind are gone; `remaining` says what may still hold a trace."""

    org_id: Annotated[int, Field(ge=1, examples=[4])]
    profiles: int
    contacts: int
    applications: int
    documents: int
    remaining: list[str]
