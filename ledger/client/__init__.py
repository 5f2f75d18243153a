"""A typed client of the HTTP API, for a portal's programs.

    from ledger.client import Ledger, models

    with Ledger("https://ledger.example.org", api_key=KEY) as ledger:
        for entry in ledger.each_entry(programme="community"):
            ...
        asked = ledger.create_awards(
            programme="community",
            awards=[models.AwardItem(organisation=4, amount=120, category="data.acquire")],
            no_evidence=True,
        )
        ledger.wait(asked)

`models` and the methods are generated from the API's own description (`python -m
api.client_code`). It is for the server's release: values that a later one adds to a closed list
are refused, further members of an answer are not.

It imports nothing of the ledger but its error codes, and opens no database and no node.
"""

from __future__ import annotations

from ledger.client import models
from ledger.client.asynchronous import AsyncLedger
from ledger.client.errors import (
    AnswerUnreadable,
    ClientError,
    Conflicting,
    FieldError,
    NotAllowed,
    NotThere,
    OperationFailed,
    OperationUnsettled,
    Problem,
    RequestWrong,
    ServerTrouble,
    SignInImpossible,
    SignInNeeded,
    TooMany,
    Unreachable,
)
from ledger.client.events import Event, Head, Withdrawn
from ledger.client.sync import Ledger

__all__ = [
    "AnswerUnreadable",
    "AsyncLedger",
    "ClientError",
    "Conflicting",
    "Event",
    "FieldError",
    "Head",
    "Ledger",
    "NotAllowed",
    "NotThere",
    "OperationFailed",
    "OperationUnsettled",
    "Problem",
    "RequestWrong",
    "ServerTrouble",
    "SignInImpossible",
    "SignInNeeded",
    "TooMany",
    "Unreachable",
    "Withdrawn",
    "models",
]
