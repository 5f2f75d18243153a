"""Wallets for tests: they write messages of EIP-4361 and sign them, well or badly."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import httpx

from ledger.chain.addresses import show_address
from ledger.chain.keccak import keccak256
from ledger.chain.signers import LocalSigner, personal_digest


def wallet(name: str) -> LocalSigner:
    """A wallet of its own for each name."""
    return LocalSigner(keccak256(f"wallet {name}".encode()))


def rfc3339(seconds: float) -> str:
    """A time as a message holds it."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def write_message(account: str, given: dict[str, Any], *, now: float, **changed: Any) -> str:
    """A message for what /v1/sign-in/nonce gave; `changed` says otherwise."""
    values = {
        "scheme": "",
        "domain": given["domain"],
        "address": account,
        "statement": "Sign in to the ledger.",
        "uri": given["uri"],
        "version": "1",
        "chain_id": given["chain_id"],
        "nonce": given["nonce"],
        "issued_at": rfc3339(now),
        "more": "",
        **changed,
    }
    statement = f"{values['statement']}\n" if values["statement"] else ""
    return (
        f"{values['scheme']}{values['domain']} wants you to sign in with your Ethereum account:\n"
        f"{values['address']}\n\n{statement}\n"
        f"URI: {values['uri']}\n"
        f"Version: {values['version']}\n"
        f"Chain ID: {values['chain_id']}\n"
        f"Nonce: {values['nonce']}\n"
        f"Issued At: {values['issued_at']}{values['more']}"
    )


def sign(signer: LocalSigner, message: str) -> str:
    """The wallet's signature, 0x hex."""
    return "0x" + signer.sign_digest(personal_digest(message)).hex()


def sign_in(client: httpx.Client, signer: LocalSigner, *, now: float) -> dict[str, Any]:
    """Sign in; the session's answer. The client keeps the cookie."""
    given = client.get("/v1/sign-in/nonce").json()
    message = write_message(show_address(signer.address), given, now=now)
    answer = client.post(
        "/v1/sessions", json={"message": message, "signature": sign(signer, message)}
    )
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found
