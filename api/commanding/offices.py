"""Which offices a command takes, by the names that the chain has for them."""

from __future__ import annotations

ISSUERS = ("issuer", "council")
REGISTRARS = ("registrar", "council")
TREASURERS = ("treasurer", "council")
COUNCIL = ("council",)
COUNCILLORS = ("councillor",)
ADMIN = ("admin",)
