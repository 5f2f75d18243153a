"""Who gets what answer from which route: one table of all routes and kinds of callers.

Complete by construction: a route that is served and not in the table fails the test, and so does
one in the table that is not served.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute, iter_route_contexts
from pydantic import SecretStr
from sqlalchemy import Engine, insert, select

from api.app import create_app
from api.pagination import encode_cursor
from ledger.domain.access import Scope
from ledger.office.api_keys import create_api_key, revoke_api_key
from ledger.office.cases import Form
from ledger.office.casework import file_form, open_case
from ledger.office.credentials.keys import create_issuer_key
from ledger.office.evidence import EvidenceStore
from ledger.office.sessions import begin_session
from ledger.store.engine import open_engine, writing
from ledger.store.mirror_tables import logs, role_changes
from tests.http.conftest import NOW, Ledger, Templates, serving
from tests.http.facts import account_of, hash_of
from tests.http.wallets import wallet

ROLES = (
    "anonymous",
    "revoked key",
    "stranger",
    "member",
    "issuer",
    "registrar",
    "treasurer",
    "council",
    "councillor",
    "guardian",
    "admin",
)
"""Nobody; a key that was revoked; somebody signed in without and with a membership; and officers.

The issuer and the councillor are of the community, the treasurer of the fund group, the others
alliance-wide."""

ACCOUNTS = {
    "stranger": wallet("stranger").address,
    "member": account_of(4),
    **{name: account_of(name) for name in ROLES[4:]},
}


def row(anonymous: int, signed_in: int, **others: int) -> dict[str, int]:
    """A row: what nobody gets, what everybody who is signed in gets, and who gets otherwise."""
    nobody = {"anonymous": anonymous, "revoked key": anonymous}
    return {**dict.fromkeys(ROLES, signed_in), **nobody, **others}


def allowed(*roles: str) -> dict[str, int]:
    """A row of a command: those who may are told that this server has no key to sign it with."""
    return row(401, 403, **dict.fromkeys(roles, 503))


ALL = row(200, 200)
OFFICERS = ROLES[4:]
MEMBERS_OFFICES = allowed("registrar", "council")

COMMUNITY = {"programme": "community", "organisations": [4]}
AWARDS = {
    "programme": "community",
    "awards": [{"organisation": 4, "amount": 1, "category": "data.acquire"}],
    "no_evidence": True,
}
OFFICE = {"account": "0x" + "11" * 20, "role": "issuer"}
ENDS = {"expires_at": "2090-01-01T00:00:00Z"}
NEW = {"organisations": [{"controller": "0x" + "11" * 20, "kind": "company", "key": "a"}]}
BUDGET = {"programme": "fund-group", "issuer": "0x" + "11" * 20, "per_award": 1, "per_epoch": 1}
COUNCILS = allowed("council")
OF_COMMUNITY = {"programme": "community"}
KEYED = {**OF_COMMUNITY, "categories": [{"key": "data.use"}]}
WINDOW = {"opens_at": "2030-01-01T00:00:00Z", "closes_at": "2031-01-01T00:00:00Z"}
LISTING = {"programme": "fund-group", "key": "a", "price": 1, "capacity": 1, **WINDOW}
SHARING = {
    **OF_COMMUNITY,
    "epoch": 2,
    "pool": 10,
    "unit": "seat",
    "claimable_from": "2030-01-01T00:00:00Z",
    "claimable_until": "2031-01-01T00:00:00Z",
}
LOST = {"organisation": 4, "no_evidence": True}
CAP = {"programme": "community", "supply_cap": 5}
PROPOSAL = {
    "council": "community",
    "no_evidence": True,
    "calls": [{"command": "supply-caps", "body": CAP}],
}
DRAFT = {
    "message": {
        "kind": "redemption",
        "account": "0x" + "11" * 20,
        "listing": 1,
        "organisation": 4,
    }
}
SIGNED = {"typed_data": "{typed_data}", "signature": "0x" + "11" * 65}

FORM = {"name_zh": "新", "name_en": "New"}
WORDS = {"text": "The charter?"}
TO_OFFICERS = dict.fromkeys(("registrar", "council"), 201)
"""Of the alliance, to which the table's applications are; the issuer is no registrar."""
APPLICANTS = row(401, 403, **dict.fromkeys(("member", "registrar", "council"), 201))
"""The member is who applies."""
AT_REGISTRARS = row(401, 403, **TO_OFFICERS)
HELD_BY = row(401, 403, **dict.fromkeys(("member", "registrar", "council"), 200))
KEEPERS = ("council", "admin")
HOOK = "ep_" + "5b" * 8


def at_desk(*roles: str) -> dict[str, int]:
    """A row of a page of the officers' desk: for these of them alone."""
    return row(401, 403, **dict.fromkeys(roles, 200))


ISSUERS, REGISTRARS = ("issuer", "council"), ("registrar", "council")
NOT_THERE = row(401, 403, **dict.fromkeys(OFFICERS, 404))
A_FORM = b"form_key=of-the-table&step=send&"
AN_AWARD = b"organisation=4&category=community%2Fdata.acquire&amount=1&ground=none"
DESK: dict[tuple[str, str], tuple[dict[str, int], Any]] = {
    ("GET", "/desk"): (at_desk(*OFFICERS), None),
    ("POST", "/me/profile"): (
        row(401, 403, member=303),
        b"form_key=of-the-table&person_0=Li",
    ),
    ("GET", "/desk/operations/0x" + "5b" * 32): (NOT_THERE, None),
    ("GET", "/desk/applications"): (at_desk(*REGISTRARS), None),
    ("GET", "/desk/applications/{application}"): (at_desk(*REGISTRARS), None),
    ("POST", "/desk/applications/{application}"): (
        row(401, 403, **dict.fromkeys(REGISTRARS, 409)),
        A_FORM + b"act=confirm",
    ),
    ("GET", "/desk/decisions/0x" + "5b" * 32): (
        row(401, 403, **dict.fromkeys(REGISTRARS, 404)),
        None,
    ),
    ("GET", "/desk/imports"): (at_desk(*OFFICERS), None),
    ("POST", "/desk/imports"): (row(401, 403, **dict.fromkeys(OFFICERS, 422)), A_FORM),
    ("GET", "/desk/imports/new/awards"): (at_desk(*ISSUERS), None),
    ("GET", "/desk/imports/new/awards/table.csv"): (at_desk(*OFFICERS), None),
    ("GET", "/desk/imports/previews/a"): (NOT_THERE, None),
    ("POST", "/desk/imports/previews/a"): (NOT_THERE, A_FORM),
    ("GET", "/desk/imports/" + "5b" * 16): (NOT_THERE, None),
    ("POST", "/desk/imports/" + "5b" * 16): (NOT_THERE, A_FORM),
    ("GET", "/desk/imports/" + "5b" * 16 + "/results.csv"): (NOT_THERE, None),
    ("GET", "/desk/proposals"): (at_desk(*OFFICERS), None),
    ("GET", "/desk/proposals/1"): (at_desk(*OFFICERS), None),
    ("POST", "/desk/proposals/1"): (allowed("councillor"), A_FORM + b"act=executions"),
    ("GET", "/desk/guide"): (at_desk("treasurer", "council", "admin"), None),
    ("GET", "/desk/guide/tiers"): (at_desk("treasurer", "council", "admin"), None),
    ("POST", "/desk/guide/officers"): (
        allowed("admin"),
        A_FORM + b"role=issuer&account=0x" + b"11" * 20,
    ),
    ("GET", "/desk/officers"): (at_desk("treasurer", "council", "admin"), None),
    ("POST", "/desk/officers"): (
        allowed("admin"),
        A_FORM + b"act=appointments&role=issuer&account=0x" + b"11" * 20,
    ),
    ("GET", "/desk/budgets"): (at_desk("treasurer", "council", "admin"), None),
    ("POST", "/desk/budgets"): (
        allowed("treasurer", "council"),
        A_FORM + b"act=category-budgets&category=fund-group%2Fcapital.commitment&per_epoch=5"
        b"&account=0x" + b"11" * 20,
    ),
    ("GET", "/desk/awards"): (at_desk(*ISSUERS), None),
    ("POST", "/desk/awards"): (allowed(*ISSUERS), A_FORM + AN_AWARD),
    ("GET", "/desk/reversals"): (at_desk(*ISSUERS), None),
    ("POST", "/desk/reversals"): (
        row(401, 403, **dict.fromkeys(ISSUERS, 422)),
        A_FORM + b"entry=x&ground=none",
    ),
    ("GET", "/desk/memberships/community/4"): (at_desk(*REGISTRARS), None),
    ("POST", "/desk/memberships/community/4"): (
        allowed(*REGISTRARS),
        A_FORM + b"act=suspensions&reason=fee.unpaid",
    ),
}
"""The officers' desk. Its forms are sent as the API's commands are."""

TABLE: dict[tuple[str, str], tuple[dict[str, int], Any]] = {
    **{
        ("GET", path): (ALL, None)
        for path in (
            "/healthz",
            "/readyz",
            "/metrics",
            "/v1/status",
            "/v1/programmes",
            "/v1/programmes/community",
            "/v1/programmes/community/categories",
            "/v1/programmes/community/epochs",
            "/v1/organisations",
            "/v1/organisations/4",
            "/v1/organisations/4/memberships",
            "/v1/organisations/4/memberships/community/history",
            "/v1/organisations/4/history",
            "/v1/recoveries",
            "/v1/mergers",
            "/v1/organisations/4/balances",
            "/v1/organisations/4/entries",
            "/v1/organisations/4/statement.csv",
            "/v1/organisations/4/statement.xlsx",
            "/v1/memberships",
            "/v1/tokens/contract",
            "/v1/tokens/8589934596",
            "/v1/tokens/8589934596/image.svg",
            "/v1/memberships/8589934596/credential",
            "/v1/memberships/8589934596/credential.jwt",
            "/v1/programmes/community/credential-status/0",
            "/.well-known/did.json",
            "/.well-known/jwks.json",
            "/v1/entries",
            "/v1/entries/1",
            "/v1/rankings?programme=community",
            "/v1/accounts/0x" + "11" * 20,
            "/v1/evidence/{evidence}",
            "/v1/evidence/{evidence}/content",
            "/v1/officers",
            "/v1/budgets",
            "/v1/benefits",
            "/v1/benefits/1",
            "/v1/benefits/1/redemptions",
            "/v1/benefits/1/preview?organisation=4",
            "/v1/redemptions",
            "/v1/redemptions/1",
            "/v1/organisations/4/redemptions",
            "/v1/proposals",
            "/v1/proposals/1",
            "/v1/shares",
            "/v1/shares/1",
            "/v1/shares/1/entitlements",
            "/v1/shares/1/entitlements/4",
            "/v1/organisations/4/shares",
            "/v1/organisations/4/expiries?programme=community&epochs=1",
            "/v1/sign-in/nonce",
            "/v1/audits/latest",
            "/v1/stream",
            "/",
            "/organisations/4",
            "/programmes/community",
            "/rankings",
            "/benefits",
            "/benefits/1",
            "/shares",
            "/shares/1",
            "/proposals",
            "/proposals/1",
            "/entries/1",
            "/evidence/{evidence}",
            "/docs",
            "/proof",
            "/audit",
            "/me",
            "/me/control",
            "/me/control/4",
            "/me/benefits/1",
            "/me/shares/1",
            "/me/profile",
            "/openapi.d.ts",
            "/favicon.ico",
            "/favicon.svg",
        )
    },
    ("GET", "/static/moonlake.css"): (row(404, 404), None),
    # No ledger is deployed behind this server, so that nothing can be proved.
    ("GET", "/v1/audits/latest/bundle"): (row(404, 404), None),
    ("GET", "/audit/anchor.json"): (row(404, 404), None),
    ("GET", "/v1/organisations/4/certificate"): (row(503, 503), None),
    ("POST", "/v1/audits"): (row(401, 403, **dict.fromkeys(OFFICERS, 503)), {"compile": False}),
    ("POST", "/v1/sessions"): (row(401, 401), {"message": "x", "signature": "0x00"}),
    ("GET", "/v1/session"): (row(401, 200), None),
    ("DELETE", "/v1/session"): (row(401, 204), None),
    ("POST", "/v1/api-keys"): (row(401, 201), {"name": "portal", "scopes": ["read"]}),
    ("GET", "/v1/api-keys"): (row(401, 200), None),
    ("DELETE", "/v1/api-keys/AAAAAAAA"): (row(401, 404), None),
    ("GET", "/v1/access-log"): (row(401, 403, **dict.fromkeys(OFFICERS, 200)), None),
    ("GET", "/v1/operations"): (row(401, 200), None),
    ("GET", "/v1/operations/0x" + "5b" * 32): (row(401, 404), None),
    ("POST", "/v1/awards"): (allowed("issuer", "council"), AWARDS),
    ("POST", "/v1/reversals"): (
        allowed("issuer", "council"),
        {"entries": ["{community}"], "no_evidence": True},
    ),
    ("POST", "/v1/admissions"): (MEMBERS_OFFICES, {**COMMUNITY, **ENDS}),
    ("POST", "/v1/renewals"): (MEMBERS_OFFICES, {**COMMUNITY, **ENDS}),
    ("POST", "/v1/tier-changes"): (MEMBERS_OFFICES, {**COMMUNITY, "tier": 2}),
    ("POST", "/v1/suspensions"): (MEMBERS_OFFICES, COMMUNITY),
    ("POST", "/v1/resumptions"): (MEMBERS_OFFICES, COMMUNITY),
    ("POST", "/v1/revocations"): (MEMBERS_OFFICES, COMMUNITY),
    ("POST", "/v1/declines"): (MEMBERS_OFFICES, COMMUNITY),
    ("POST", "/v1/organisations"): (allowed("registrar"), NEW),
    ("POST", "/v1/recoveries"): (COUNCILS, {**LOST, "successor": "0x" + "11" * 20}),
    ("POST", "/v1/objections"): (allowed("member"), {"organisation": 4}),
    ("POST", "/v1/recovery-withdrawals"): (COUNCILS, {"organisation": 4}),
    ("POST", "/v1/recovery-completions"): (COUNCILS, {"organisation": 4}),
    ("POST", "/v1/retirements"): (COUNCILS, LOST),
    ("POST", "/v1/mergers"): (COUNCILS, {**LOST, "into": 5}),
    ("POST", "/v1/successions"): (COUNCILS, {**LOST, "into": 5}),
    ("POST", "/v1/carry-overs"): (COUNCILS, {**COMMUNITY, "no_evidence": True}),
    ("POST", "/v1/budgets"): (allowed("treasurer", "council"), BUDGET),
    # What is asked of an application for which it is too early, is refused as that: 409.
    ("POST", "/v1/applications"): (row(401, 201), {"programme": "alliance", "form": FORM}),
    ("POST", "/v1/invitations"): (AT_REGISTRARS, {"programme": "alliance"}),
    ("GET", "/v1/applications"): (
        row(401, 403, registrar=200, council=200),
        None,
    ),
    ("GET", "/v1/applications/{application}"): (HELD_BY, None),
    ("POST", "/v1/applications/{application}/forms"): (APPLICANTS, FORM),
    ("POST", "/v1/applications/{application}/documents?title=a.txt"): (APPLICANTS, b"charter"),
    ("GET", "/v1/applications/{application}/documents/0x" + "5b" * 32): (
        row(401, 403, **dict.fromkeys(("member", "registrar", "council"), 404)),
        None,
    ),
    ("POST", "/v1/applications/{application}/answers"): (
        row(401, 403, **dict.fromkeys(("member", "registrar", "council"), 409)),
        WORDS,
    ),
    ("POST", "/v1/applications/{application}/withdrawals"): (APPLICANTS, None),
    ("POST", "/v1/applications/{application}/accounts"): (
        APPLICANTS,
        {"account": "0x" + account_of(4).hex()},
    ),
    # No node is where this server looks for one.
    ("GET", "/v1/applications/{application}/consent-message"): (
        row(401, 403, **dict.fromkeys(("member", "registrar", "council"), 502)),
        None,
    ),
    ("POST", "/v1/applications/{application}/consents"): (
        row(401, 403, **dict.fromkeys(("member", "registrar", "council"), 502)),
        {"signature": "0x00", "deadline": 1},
    ),
    ("POST", "/v1/applications/{application}/links"): (AT_REGISTRARS, None),
    ("POST", "/v1/applications/{application}/questions"): (AT_REGISTRARS, WORDS),
    ("POST", "/v1/applications/{application}/send-backs"): (
        row(401, 403, registrar=409, council=409),
        WORDS,
    ),
    ("POST", "/v1/recommendations"): (
        AT_REGISTRARS,
        {"applications": ["{application}"], "reason": "documents.missing"},
    ),
    ("POST", "/v1/confirmations"): (
        row(401, 403, registrar=409, council=409),
        {"applications": ["{application}"]},
    ),
    ("POST", "/v1/decisions"): (
        row(401, 403, registrar=503, council=403),
        {"applications": ["{application}"]},
    ),
    ("GET", "/v1/decisions/0x" + "5b" * 32): (
        row(401, 403, **dict.fromkeys(OFFICERS, 404)),
        None,
    ),
    ("GET", "/v1/organisations/4/profile"): (HELD_BY, None),
    ("GET", "/v1/organisations/4/export"): (HELD_BY, None),
    ("POST", "/v1/organisations/4/profiles"): (allowed("registrar"), {"note": "New."}),
    ("POST", "/v1/organisations/4/contacts"): (APPLICANTS, {"contacts": [{"person": "Ann"}]}),
    # Of one that no other row is about.
    ("POST", "/v1/organisations/44/erasures"): (AT_REGISTRARS, {"organisation": 44}),
    ("POST", "/v1/unsubscriptions/ntc_" + "5b" * 16 + "." + "5b" * 16): (row(404, 404), None),
    ("POST", "/v1/webhooks"): (
        row(401, 403, **dict.fromkeys(KEEPERS, 422)),
        {"url": "https://127.0.0.1/hook"},
    ),
    ("GET", "/v1/webhooks"): (row(401, 403, **dict.fromkeys(KEEPERS, 200)), None),
    **{
        (method, f"/v1/webhooks/{HOOK}{path}"): (
            row(401, 403, **dict.fromkeys(KEEPERS, 404)),
            body,
        )
        for method, path, body in (
            ("GET", "", None),
            ("DELETE", "", None),
            ("POST", "/secrets", {}),
            ("POST", "/disablements", None),
            ("POST", "/enablements", None),
            ("GET", "/deliveries", None),
            ("POST", "/replays", {"dead": True}),
            ("POST", "/tests", None),
        )
    },
    ("POST", "/v1/appointments"): (allowed("admin"), OFFICE),
    ("POST", "/v1/dismissals"): (allowed("admin"), OFFICE),
    ("POST", "/v1/pauses"): (allowed("guardian", "admin"), {"confirm": True}),
    ("POST", "/v1/pause-ends"): (allowed("admin"), {"confirm": True}),
    ("POST", "/v1/programmes"): (COUNCILS, {"key": "new", "name_en": "New"}),
    ("POST", "/v1/programme-profiles"): (COUNCILS, {**OF_COMMUNITY, "note": "Ours."}),
    ("POST", "/v1/supply-caps"): (COUNCILS, CAP),
    ("POST", "/v1/approval-rules"): (COUNCILS, {**OF_COMMUNITY, "approvals_needed": 1}),
    ("POST", "/v1/tiers"): (COUNCILS, {**OF_COMMUNITY, "tiers": [{"key": "friend"}]}),
    ("POST", "/v1/tier-openings"): (COUNCILS, {**OF_COMMUNITY, "tier": 1}),
    ("POST", "/v1/tier-closings"): (COUNCILS, {**OF_COMMUNITY, "tier": 1}),
    ("POST", "/v1/category-openings"): (COUNCILS, KEYED),
    ("POST", "/v1/category-closings"): (COUNCILS, {**OF_COMMUNITY, "categories": ["data.use"]}),
    ("POST", "/v1/epoch-boundaries"): (
        COUNCILS,
        {**OF_COMMUNITY, "boundaries": ["2090-01-01T00:00:00Z"]},
    ),
    ("POST", "/v1/category-budgets"): (
        allowed("treasurer", "council"),
        {
            "programme": "fund-group",
            "issuer": "0x" + "11" * 20,
            "category": "data.use",
            "per_epoch": 1,
        },
    ),
    ("POST", "/v1/benefits"): (allowed("treasurer", "council"), LISTING),
    ("POST", "/v1/benefit-closings"): (COUNCILS, {"listing": 1}),
    ("POST", "/v1/redemptions"): (allowed("member"), {"listing": 1, "organisation": 4}),
    ("POST", "/v1/fulfilments"): (COUNCILS, {**OF_COMMUNITY, "redemptions": [1]}),
    ("POST", "/v1/refunds"): (COUNCILS, {"redemption": 1}),
    ("POST", "/v1/shares"): (COUNCILS, SHARING),
    ("POST", "/v1/share-withdrawals"): (COUNCILS, {"distribution": 1}),
    ("POST", "/v1/claims"): (allowed("member"), {"distribution": 1, "organisation": 4}),
    ("POST", "/v1/expiries"): (COUNCILS, {**OF_COMMUNITY, "epochs": 1}),
    ("GET", "/v1/expiries?programme=community&epochs=1"): (row(401, 200), None),
    ("POST", "/v1/proposals"): (allowed("councillor"), PROPOSAL),
    ("POST", "/v1/approvals"): (
        allowed("councillor"),
        {"proposal": 1, "calls_hash": "0x" + "11" * 32},
    ),
    ("POST", "/v1/executions"): (allowed("councillor"), {"proposal": 1}),
    ("POST", "/v1/proposal-cancellations"): (
        allowed("councillor", "guardian"),  # it is the councillor's own
        {"proposal": 1},
    ),
    ("POST", "/v1/typed-data"): (ALL, DRAFT),
    ("POST", "/v1/signed-messages"): (row(401, 503, stranger=403), SIGNED),
    ("POST", "/v1/evidence?title_en=Note"): (
        row(401, 403, **dict.fromkeys(OFFICERS, 201)),
        {"a": "document"},
    ),
    **DESK,
}
"""By method and path (an example of the route's): what each role gets, and the body."""


@dataclass
class House:
    """A server, and credentials of each role for it."""

    client: httpx.Client
    engine: Engine
    ledger: Ledger
    on_postgresql: bool
    credentials: dict[str, dict[str, str]] = field(default_factory=dict)

    def application(self) -> str:
        """A filed application of the member to the alliance, which nothing was done about."""
        with writing(self.engine) as connection:
            case, _ = open_case(
                connection, "alliance", by="registrar", now=1, controller=account_of(4)
            )
            store = EvidenceStore(self.ledger.settings.home / "evidence")
            form = Form("新", "New")
            file_form(connection, store, case.application_id, form, by="applicant", now=2)
        return case.shown

    def headers(self, role: str) -> dict[str, str]:
        """A credential of a role, whether for reading or for changing; made once, as a portal's."""
        if role not in self.credentials:
            self.credentials[role] = self._new_credential(role)
        return {"Idempotency-Key": str(uuid.uuid4()), **self.credentials[role]}

    def _new_credential(self, role: str) -> dict[str, str]:
        if role == "anonymous":
            return {}
        with writing(self.engine) as connection:
            if role == "revoked key":
                key, text = create_api_key(
                    connection, account_of("council"), "x", list(Scope), days=1, now=NOW
                )
                revoke_api_key(connection, key.prefix, now=NOW)
                return {"Authorization": f"Bearer {text}"}
            new = begin_session(connection, ACCOUNTS[role], now=NOW)
        return {"Cookie": f"moonlake_session={new.token}", "X-CSRF-Token": new.csrf_token}

    def ask(self, role: str, method: str, path: str, body: Any) -> httpx.Response:
        """What a role is answered at a row's path."""
        headers = self.headers(role)
        given: dict[str, Any] = {"json": filled(self, body)}
        if isinstance(body, bytes):
            given = {"content": body}
            is_form = path.startswith(("/desk", "/me"))
            kind = "application/x-www-form-urlencoded" if is_form else "text/plain"
            headers["Content-Type"] = kind
        # A stream does not end; of it, what HEAD tells is enough.
        asked = "HEAD" if path == "/v1/stream" else method
        answer = self.client.request(asked, filled(self, path), headers=headers, **given)
        if (method, path) == ("DELETE", "/v1/session"):
            del self.credentials[role]
        return answer


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def house(
    request: pytest.FixtureRequest,
    templates: Templates,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[House]:
    """A ledger of this module's own, with a default admin."""
    ledger = templates.copy(request.param, tmp_path_factory.mktemp("house"))
    engine = open_engine(ledger.settings.database)
    with writing(engine) as connection:
        last = connection.execute(
            select(logs.c.log_index)
            .where(logs.c.block_number == 1)
            .order_by(logs.c.log_index.desc())
            .limit(1)
        ).scalar_one()
        connection.execute(
            insert(role_changes),
            {
                "block_number": 1,
                "log_index": last + 1000,
                "sequence": 1000,
                "role": "admin",
                "programme_id": 0,
                "account": account_of("admin"),
                "held": 1,
                "actor": account_of("admin"),
                "operation_id": hash_of("admin"),
            },
        )
    create_issuer_key(ledger.settings.home / "keys" / "credentials", "x", cost=2)
    opening = ledger.settings.model_copy(update={"key_password": SecretStr("x")})
    with serving(opening, lambda: NOW + 1) as client:
        yield House(client, engine, ledger, on_postgresql=request.param == "postgresql")
    engine.dispose()


def filled(house: House, value: Any) -> Any:
    """A path or body with ids that the ledger has."""
    community = next(
        each["entry_id"] for each in house.ledger.seeded.entries if each["programme_id"] == 2
    )
    if isinstance(value, str):
        if "{application}" in value:
            value = value.replace("{application}", house.application())
        return value.replace("{evidence}", "0x" + house.ledger.seeded.evidence[0].hex())
    if value is SIGNED:
        drafted = house.client.post("/v1/typed-data", json=DRAFT).json()
        return {**SIGNED, "typed_data": drafted["typed_data"]}
    if isinstance(value, dict) and "applications" in value:
        return {**value, "applications": [house.application()]}
    if isinstance(value, dict) and value.get("entries") == ["{community}"]:
        return {**value, "entries": [community]}
    return value


def answers_of(method_and_path: tuple[str, str]) -> dict[str, int]:
    """What the table says that each role gets."""
    _, path = method_and_path
    needed = dict(TABLE[method_and_path][0])
    if path in {"/v1/stream", "/audit"} or path == "/me" or path.startswith("/me/"):
        needed["revoked key"] = 401  # it tells more to some: a wrong credential is not passed over
    return needed


@pytest.mark.parametrize("method_and_path", TABLE, ids=" ".join)
def test_route__asked_by_each_role__answers_as_the_table_says(
    house: House, method_and_path: tuple[str, str]
) -> None:
    """On SQLite by every role. Who has which office is read by one statement, the same for all, and
    decided upon without a database: on PostgreSQL each answer of a route is asked for once."""
    needed = answers_of(method_and_path)
    if house.on_postgresql:
        first_of = {status: role for role, status in reversed(needed.items())}
        needed = {role: status for status, role in first_of.items()}
    _, body = TABLE[method_and_path]

    answers = {role: house.ask(role, *method_and_path, body) for role in needed}

    wrong = {role: each.text for role, each in answers.items() if each.status_code != needed[role]}
    assert {role: each.status_code for role, each in answers.items()} == needed, wrong


HOOK_OF = "/v1/webhooks/ep_" + "5b" * 8 + "/deliveries"
EXTREMES = (0, -1, 1, 2**63 - 1, -(2**63), 2**56)


@pytest.mark.parametrize(
    ("path", "sizes"),
    [
        ("/v1/operations", (1, 6)),
        ("/v1/api-keys", (1, 3)),
        (HOOK_OF, (1, 4)),
        ("/v1/officers", (1, 14)),
        ("/v1/budgets", (1, 14)),
        ("/v1/programmes", (1, 0)),
        ("/v1/programmes/community/categories", (1, 10)),
        ("/v1/recoveries", (2,)),
        ("/v1/mergers", (2,)),
        ("/v1/organisations/4/history", (2,)),
    ],
)
def test_cursor__made_up_with_the_right_check__opens_nothing_and_breaks_nothing(
    house: House, path: str, sizes: tuple[int, ...]
) -> None:
    headers = house.headers("council")
    for size in sizes:
        for number in EXTREMES:
            for place in ((number,) * size, (number, *(0,) * (size - 1))):
                cursor = encode_cursor(f"{path}?", place)
                answer = house.client.get(path, params={"cursor": cursor}, headers=headers)
                expected = {404} if path == HOOK_OF else {200, 400}
                assert answer.status_code in expected | {400}, (place, answer.text)


def served() -> Callable[[Any], set[tuple[str, str]]]:
    """The methods and paths of an application's routes."""

    def of(app: Any) -> set[tuple[str, str]]:
        found = set()
        for context in iter_route_contexts(app.routes):
            route = getattr(context, "route", context)
            if isinstance(route, APIRoute):
                found |= {(method, context.path) for method in route.methods}
        return found

    return of


def test_table__has_every_route_that_is_served_and_no_other(ledger: Ledger) -> None:
    app = create_app(ledger.settings)
    routes = served()(app)
    assert len(routes) > 40

    matched = set()
    for method, path in TABLE:
        plain = path.partition("?")[0].replace("{evidence}", "0x" + "5b" * 32)
        plain = plain.replace("{application}", "0x" + "5b" * 32)
        fits = [
            (each, template)
            for each, template in routes
            if each == method and _fits(template, plain)
        ]
        # Where several fit, the one with the fewest places is served (/v1/tokens/contract).
        assert fits, f"{method} {path} is not served"
        matched.add(min(fits, key=lambda each: each[1].count("{")))
    assert matched == routes


def _fits(template: str, path: str) -> bool:
    parts, given = template.split("/"), path.split("/")
    return len(parts) == len(given) and all(
        one == other or (one.startswith("{") and one.endswith("}"))
        for one, other in zip(parts, given, strict=True)
    )
