"""Has the roster's applications filed, reviewed and decided over HTTP, as people would have it.

Each applicant signs in with its own wallet and files form and document; one officer recommends, a
second confirms, and the first has it decided. What is to be done is read from the queue, so that it
can be ended anywhere and begun again, and nothing is done twice. Everything filed says that it is
made up. It goes no other way than through the server: what a newcomer sees there is what was sent.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from ledger.chain.addresses import show_address
from ledger.chain.signers import LocalSigner, personal_digest
from ledger.errors import DemonstrationRefused
from ledger.services.demonstration.season import LAPSED
from ledger.services.roster.reading import OrganisationRow, ProgrammeRow, Roster

Pulse = Callable[[], None]

TIER = 2
"""The tier that applicants are admitted into: the founders' is the first."""
_AT_ONCE = 4
_PATIENCE = 60.0
_MEDIA_TYPE = "text/markdown"
_DOCUMENT = """# {name_zh} · {name_en}

> **演示申请，内容虚构。** 本文件为演示而编写，申请人并未提交。
>
> **A made-up application of a demonstration.** The applicant never sent it.
"""
_NOTE = "演示申请，内容虚构 · a made-up application of a demonstration"
_MISSING, _LAPSED_REASON = "documents.missing", "membership.lapsed"


@dataclass(frozen=True, slots=True)
class Officers:
    """The API keys of the officer who recommends and decides, and of the one who confirms."""

    first: str
    second: str


@dataclass
class Applicants:
    """The roster's applications on their way through a server, which listens on `host`:`port`.

    `wallets` are the applicants', by the organisations' keys; `expires_at` ends the memberships
    (seconds since 1970 UTC). `pulse` is called now and then and may raise, which ends it.
    """

    roster: Roster
    wallets: Mapping[str, LocalSigner]
    host: str
    port: int
    expires_at: int
    pulse: Pulse

    def run(self, officers: Officers) -> dict[str, int]:
        """Do what is not done; how many applications then are in each state.

        Raises DemonstrationRefused where the server refuses a step.
        """
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="applicant") as pool:
            for programme, rows in self._wanted():
                found = self._queue(officers.first, programme.key)
                missing = [row for row in rows if show_address(self._account(row)) not in found]
                for _done in pool.map(lambda row: self._file(programme, row), missing):  # noqa: B023
                    self.pulse()
        for programme, rows in self._wanted():
            self._review(officers, programme, rows)
        return self._counts(officers.first)

    def _wanted(self) -> Iterator[tuple[ProgrammeRow, list[OrganisationRow]]]:
        for programme in self.roster.programmes:
            rows = [row for row in self.roster.organisations if programme.key in row.applies_to]
            if rows:
                yield programme, rows

    def _account(self, row: OrganisationRow) -> bytes:
        return self.wallets[row.key].address

    def _file(self, programme: ProgrammeRow, row: OrganisationRow) -> None:
        """As the applicant: sign in, apply, send a document."""
        with self._server() as server:
            credential = _sign_in(server, self.wallets[row.key])
            form = {
                "name_zh": row.name_zh,
                "name_en": row.name_en,
                "kind": row.kind,
                "segment": row.segment,
                "note": _NOTE,
                "contact": {"person": "演示 Demo", "email": f"{row.key}@example.org"},
            }
            body = {"programme": programme.key, "form": form}
            key = f"demonstration-{programme.key}-{row.key}"
            made = server.post("/v1/applications", body, key, credential)
            if not _sends_nothing(self._of(programme), row):
                text = _DOCUMENT.format(name_zh=row.name_zh, name_en=row.name_en)
                place = f"/v1/applications/{made['application_id']}/documents?title=charter.md"
                server.post(place, text.encode(), f"{key}-document", credential)

    def _review(
        self, officers: Officers, programme: ProgrammeRow, rows: Sequence[OrganisationRow]
    ) -> None:
        """As two officers: recommend, confirm, decide."""
        by_account = {show_address(self._account(row)): row for row in rows}
        with self._server() as server:
            filed = self._in_state(officers.first, programme, "filed")
            declined: dict[str, list[str]] = {}
            for account, application_id in filed.items():
                reason = _reason(rows, by_account[account]) if account in by_account else ""
                declined.setdefault(reason, []).append(application_id)
            ends = datetime.fromtimestamp(self.expires_at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
            for reason, ids in declined.items():
                what = {"reason": reason} if reason else {"tier": TIER, "expires_at": ends}
                body = {"applications": ids, **what}
                server.post("/v1/recommendations", body, _new_key(), _bearer(officers.first))
            recommended = list(self._in_state(officers.first, programme, "recommended").values())
            if recommended:
                body = {"applications": recommended}
                server.post("/v1/confirmations", body, _new_key(), _bearer(officers.second))
            confirmed = list(self._in_state(officers.first, programme, "confirmed").values())
            if confirmed:
                body = {"applications": confirmed}
                made = server.post("/v1/decisions", body, _new_key(), _bearer(officers.first))
                self._wait_for(server, officers.first, made["decision_id"])

    def _wait_for(self, server: _Server, officer: str, decision_id: str) -> None:
        deadline = time.monotonic() + _PATIENCE
        while time.monotonic() < deadline:
            self.pulse()
            found = server.get(f"/v1/decisions/{decision_id}", _bearer(officer))
            if found["state"] != "waiting":
                return
            time.sleep(0.02)
        raise DemonstrationRefused(problem="its applications are not decided in time")

    def _of(self, programme: ProgrammeRow) -> list[OrganisationRow]:
        return [row for row in self.roster.organisations if programme.key in row.applies_to]

    def _queue(self, officer: str, programme: str, state: str = "") -> dict[str, str]:
        """The applications by the account that acts for each."""
        found: dict[str, str] = {}
        following: str | None = ""
        chosen = f"&state={state}" if state else ""
        with self._server() as server:
            while following is not None:
                cursor = f"&cursor={following}" if following else ""
                path = f"/v1/applications?programme={programme}&limit=200{chosen}{cursor}"
                page = server.get(path, _bearer(officer))
                for item in page["items"]:
                    found[item["controller"] or ""] = item["application_id"]
                following = page["next"]
        return found

    def _in_state(self, officer: str, programme: ProgrammeRow, state: str) -> dict[str, str]:
        """Those of this roster's applicants."""
        accounts = {show_address(self._account(row)) for row in self._of(programme)}
        found = self._queue(officer, programme.key, state)
        return {account: made for account, made in found.items() if account in accounts}

    def _counts(self, officer: str) -> dict[str, int]:
        with self._server() as server:
            counts: dict[str, int] = server.get("/v1/applications", _bearer(officer))["counts"]
        return counts

    @contextmanager
    def _server(self) -> Iterator[_Server]:
        server = _Server(self.host, self.port)
        try:
            yield server
        finally:
            server.close()


class _Server:
    """One connection to the server."""

    def __init__(self, host: str, port: int) -> None:
        self._connection = http.client.HTTPConnection(host, port, timeout=_PATIENCE)

    def close(self) -> None:
        """Let it go."""
        self._connection.close()

    def get(self, path: str, credential: Mapping[str, str]) -> Any:
        """The JSON of an answer. Raises DemonstrationRefused."""
        return self.ask("GET", path, None, credential)[1]

    def post(self, path: str, body: Any, key: str, credential: Mapping[str, str]) -> Any:
        """Ask for a change, once for its key."""
        return self.ask("POST", path, body, {**credential, "Idempotency-Key": key})[1]

    def ask(
        self, method: str, path: str, body: Any, headers: Mapping[str, str]
    ) -> tuple[Mapping[str, str], Any]:
        """Headers and JSON of an answer; whoever asks too much waits as long as he is told."""
        is_file = isinstance(body, bytes)
        content = body if is_file or body is None else json.dumps(body).encode()
        kind = {} if body is None else {"Content-Type": _MEDIA_TYPE if is_file else _JSON}
        deadline = time.monotonic() + _PATIENCE
        while True:
            try:
                self._connection.request(method, path, content, {**kind, **headers})
                response = self._connection.getresponse()
                raw = response.read()
            except (OSError, http.client.HTTPException) as error:
                raise DemonstrationRefused(
                    problem=f"the server does not answer ({error})"
                ) from error
            if response.status < _LEAST_ERROR:
                return {name.lower(): text for name, text in response.headers.items()}, json.loads(
                    raw
                )
            if response.status not in _PASSING or time.monotonic() > deadline:
                told = raw[:300].decode("utf-8", "replace")
                raise DemonstrationRefused(problem=f"{method} {path} was refused ({told})")
            time.sleep(min(5.0, float(response.headers.get("Retry-After") or 1)))


_JSON = "application/json"
_LEAST_ERROR = 400
_PASSING = (429, 503)


def _sign_in(server: _Server, wallet: LocalSigner) -> dict[str, str]:
    """Sign in with Ethereum; the headers that a change then needs."""
    _, given = server.ask("GET", "/v1/sign-in/nonce", None, {})
    issued = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    message = (
        f"{given['domain']} wants you to sign in with your Ethereum account:\n"
        f"{show_address(wallet.address)}\n\nApply for membership.\n\n"
        f"URI: {given['uri']}\nVersion: {given['version']}\nChain ID: {given['chain_id']}\n"
        f"Nonce: {given['nonce']}\nIssued At: {issued}"
    )
    signature = "0x" + wallet.sign_digest(personal_digest(message)).hex()
    body = {"message": message, "signature": signature}
    headers, session = server.ask("POST", "/v1/sessions", body, {})
    cookie = headers["set-cookie"].partition(";")[0]
    return {"Cookie": cookie, "X-CSRF-Token": session["csrf_token"]}


def _bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def _new_key() -> str:
    """What is in the queue says what is to be done; no two reviews are the same request."""
    return f"demonstration-{time.time_ns()}"


def _sends_nothing(rows: Sequence[OrganisationRow], row: OrganisationRow) -> bool:
    """Whether it is the one who sends no document: the last of those that belong to nothing yet."""
    return row == [each for each in rows if not each.member_of][-1]


def _reason(rows: Sequence[OrganisationRow], row: OrganisationRow) -> str:
    """Why it is declined, empty where it is admitted."""
    if row.key == LAPSED[1]:
        return _LAPSED_REASON
    return _MISSING if _sends_nothing(rows, row) else ""
