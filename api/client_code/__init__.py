"""Makes what a portal builds on, a Python client and TypeScript's types, from the description of
the API.

    python -m api.client_code

writes `ledger/client/models.py`, `ledger/client/calls.py` and `api/openapi.d.ts`. They are
committed, and a test compares them with what would be made now. It refuses what it does not know:
a schema that it has no type for ends it, so that nothing is typed by a guess.
"""
