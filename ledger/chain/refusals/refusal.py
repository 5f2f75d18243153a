"""The meaning of an error, and what several errors have in common."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Refusal:
    """The meaning of an error, and the next step; both are format strings over its values."""

    meaning: str
    hint: str


NOBODY = "Give the account's address; the zero address is nobody."
NOTHING_LEFT = "Nothing is left to do."
BATCH = Refusal(
    "{given} rows were given in one transaction; it takes 1 to {most}.",
    "Split the rows over several operations, each with an id of its own.",
)
NOT_CONTROLLER = Refusal(
    "{account} does not act for organisation {orgId}.", "Sign with the organisation's controller."
)
OUR_OWN = "Report it with the transaction; no value of yours should cause it."
