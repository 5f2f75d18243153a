"""Gives a membership as an Open Badges 3.0 credential, and says which credentials hold.

A credential is a W3C Verifiable Credential (2.0) in a JSON Web Token (VC-JOSE): the alliance says
of an organisation's controller that the organisation is a member. Nothing is stored of it. It is
made from the mirror when it is asked for, so it says what the chain says, and whoever has it asks
the status list whether it still holds.

One status is all that Open Badges 3.0 allows, and its purpose is suspension, since a suspension can
be lifted. It is set for whatever is not in force: suspended, lapsed, revoked, of another tier or
controller now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote, urlsplit

from sqlalchemy import Connection

from ledger.chain.addresses import show_address
from ledger.domain.ids import ProgrammeId, TokenId
from ledger.errors import MembershipNotInForce
from ledger.mirror.queries.credentials import read_credential_numbers
from ledger.mirror.queries.memberships import Membership, Standing
from ledger.mirror.queries.moments import Moment, read_contracts
from ledger.mirror.queries.profiles import Profile
from ledger.mirror.queries.rules import Label
from ledger.mirror.queries.tokens import Token, read_token
from ledger.office.credentials.keys import IssuerKey
from ledger.office.credentials.lists import LENGTH, encode_in_force
from ledger.services.proposals.words import plain

MEDIA_TYPE = "application/vc+jwt"
PURPOSE = "suspension"

_VC = "https://www.w3.org/ns/credentials/v2"
_BADGES = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
_OTHER_TERMS = "https://www.w3.org/ns/credentials/undefined-terms/v2"
"""Gives a meaning to the terms of our evidence, which neither of the two has."""

_LIST_HOURS = 24
_TTL_MS = 60_000


class Signing(Protocol):
    """What signs a payload; `ledger.office.credentials.keys.SigningKey`."""

    @property
    def public(self) -> IssuerKey:
        """The key's public half."""

    def sign(self, header: Mapping[str, str], payload: Mapping[str, object]) -> str:
        """The compact JSON Web Signature."""


@dataclass(frozen=True, slots=True)
class Issuer:
    """Who gives credentials: a name, the server's address, and the DID that follows from it."""

    name: str
    origin: str

    @property
    def did(self) -> str:
        """The did:web identifier, whose document is at `/.well-known/did.json`."""
        return "did:web:" + quote(urlsplit(self.origin).netloc, safe="")

    def key_url(self, key: IssuerKey) -> str:
        """What a signature's header names its key by."""
        return f"{self.did}#{key.kid}"


@dataclass(frozen=True, slots=True)
class Credential:
    """A credential: its payload, and the token that secures it."""

    payload: Mapping[str, Any]
    jwt: str


def issue_credential(
    connection: Connection,
    moment: Moment,
    token: TokenId,
    *,
    chain_id: int,
    issuer: Issuer,
    signing: Signing,
) -> Credential:
    """The credential of a membership as it stands at the moment.

    Raises NotFound where the membership is not held, MembershipNotInForce where it is not active.
    """
    found = read_token(connection, moment, token)
    held = found.membership
    numbers = read_credential_numbers(connection, moment, held.programme_id, held.org_id)
    if held.standing is not Standing.ACTIVE or held.owner is None or held.org_id not in numbers:
        raise MembershipNotInForce(token=token, standing=held.standing.value)
    contract = next(
        each.address for each in read_contracts(connection) if each.name == "Memberships"
    )
    chain = f"eip155:{chain_id}"
    place = _Place(chain, show_address(contract), moment)
    subject = f"did:pkh:{chain}:{show_address(held.owner)}"
    number = numbers[held.org_id]
    names = _Names.of(found)
    payload = {
        "@context": [_VC, _BADGES, _OTHER_TERMS],
        "id": f"{issuer.origin}/v1/memberships/{token}/credential#{number}",
        "type": ["VerifiableCredential", "OpenBadgeCredential"],
        "name": f"{names.organisation} · {names.programme}",
        "issuer": {
            "id": issuer.did,
            "type": ["Profile"],
            "name": issuer.name,
            "url": issuer.origin,
        },
        "validFrom": _show_time(held.admitted_at),
        "validUntil": _show_time(held.expires_at),
        "credentialSubject": {
            "id": subject,
            "type": ["AchievementSubject"],
            "identifier": [
                _identity("systemId", f"{chain}:organisation:{held.org_id}"),
                _identity("name", names.organisation),
            ],
            "achievement": _achievement(held, names, issuer),
        },
        "evidence": [place.evidence(held, issuer)],
        "credentialStatus": _status(issuer, held.programme_id, number),
        "iss": issuer.did,
        "sub": subject,
        "jti": f"{issuer.origin}/v1/memberships/{token}/credential#{number}",
        "nbf": held.admitted_at,
        "exp": held.expires_at,
    }
    # Open Badges 3.0, section 8.2.4: where the header has a type, it is this one.
    header = {"typ": "JWT", "kid": issuer.key_url(signing.public)}
    return Credential(payload, signing.sign(header, payload))


def issue_status_list(
    connection: Connection,
    moment: Moment,
    programme_id: ProgrammeId,
    *,
    number: int,
    looked_at: int,
    issuer: Issuer,
    signing: Signing,
) -> Credential:
    """The status list, counted from 0, of a programme's credentials, as a credential of its own.

    It is good for a day from the hour in which the mirror last looked at the chain, `looked_at` in
    seconds since 1970 UTC, so that nobody can show an old one for long.
    """
    first = number * LENGTH
    held = read_credential_numbers(connection, moment, programme_id).values()
    url = _list_url(issuer, programme_id, number)
    until = (looked_at // 3600 + _LIST_HOURS) * 3600
    # A devnet's blocks may be of tomorrow, and a quiet chain's of last month.
    since = min(moment.timestamp, looked_at)
    payload = {
        "@context": [_VC],
        "id": url,
        "type": ["VerifiableCredential", "BitstringStatusListCredential"],
        "issuer": issuer.did,
        "validFrom": _show_time(since),
        "validUntil": _show_time(until),
        "credentialSubject": {
            "id": f"{url}#list",
            "type": "BitstringStatusList",
            "statusPurpose": PURPOSE,
            "ttl": _TTL_MS,
            "encodedList": encode_in_force(
                each - first for each in held if first <= each < first + LENGTH
            ),
        },
        "iss": issuer.did,
        "sub": f"{url}#list",
        "jti": url,
        "nbf": since,
        "exp": until,
    }
    header = {"typ": "vc+jwt", "kid": issuer.key_url(signing.public)}
    return Credential(payload, signing.sign(header, payload))


def describe_issuer(issuer: Issuer, keys: tuple[IssuerKey, ...]) -> dict[str, Any]:
    """The issuer's DID document: every key that is published, the one that signs first."""
    methods = [
        {
            "id": issuer.key_url(key),
            "type": "JsonWebKey",
            "controller": issuer.did,
            "publicKeyJwk": {**key.jwk, "kid": key.kid, "alg": "ES256"},
        }
        for key in keys
    ]
    return {
        "@context": ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/jwk/v1"],
        "id": issuer.did,
        "verificationMethod": methods,
        "assertionMethod": [each["id"] for each in methods],
    }


def describe_keys(issuer: Issuer, keys: tuple[IssuerKey, ...]) -> dict[str, Any]:
    """The same keys as a JSON Web Key Set (RFC 7517), by the names that signatures give them."""
    return {
        "keys": [
            {**key.jwk, "kid": issuer.key_url(key), "alg": "ES256", "use": "sig"} for key in keys
        ]
    }


@dataclass(frozen=True, slots=True)
class _Place:
    """Where on which chain, and when, a membership was read."""

    chain: str
    contract: str
    moment: Moment

    def evidence(self, held: Membership, issuer: Issuer) -> dict[str, Any]:
        """That it is so: the token, for whoever asks the chain himself."""
        block = self.moment.block_number
        return {
            "id": f"{issuer.origin}/v1/tokens/{held.token_id}",
            "type": ["Evidence"],
            "name": "Membership token",
            "narrative": (
                f"Token {held.token_id} (ERC-721) of the contract {self.contract} on the chain "
                f"{self.chain}, read at block {block}."
            ),
            "chainId": self.chain,
            "contract": self.contract,
            "tokenId": str(held.token_id),
            "blockNumber": block,
            "blockHash": "0x" + self.moment.block_hash.hex(),
        }


@dataclass(frozen=True, slots=True)
class _Names:
    """What organisation, programme and tier are called, in Chinese and English."""

    organisation: str
    programme: str
    tier: str

    @classmethod
    def of(cls, token: Token) -> _Names:
        held = token.membership
        return cls(
            _both(token.organisation, f"№ {held.org_id}"),
            _both(token.programme.profile, token.programme.key),
            _both(token.tier, held.tier_key),
        )


def _achievement(held: Membership, names: _Names, issuer: Issuer) -> dict[str, Any]:
    return {
        "id": f"{issuer.origin}/v1/programmes/{held.programme}#tier-{held.tier}",
        "type": ["Achievement"],
        "achievementType": "Membership",
        "name": f"{names.programme} · {names.tier}",
        "description": (
            f"{names.programme}的会员资格，级别为{names.tier}。\n"
            f"A membership of {names.programme} in the tier {names.tier}."
        ),
        "criteria": {
            "narrative": (
                "由该计划的官员在链上接纳，并且未被暂停、未过期、未被撤销。\n"
                "Admitted on the chain by an officer of the programme, and neither suspended nor "
                "lapsed nor revoked."
            )
        },
        "image": {"id": f"{issuer.origin}/v1/tokens/{held.token_id}/image.svg", "type": "Image"},
        "tag": [held.programme, held.tier_key],
    }


def _status(issuer: Issuer, programme_id: ProgrammeId, number: int) -> dict[str, str]:
    url = _list_url(issuer, programme_id, number // LENGTH)
    return {
        "id": f"{url}#{number % LENGTH}",
        "type": "BitstringStatusListEntry",
        "statusPurpose": PURPOSE,
        "statusListIndex": str(number % LENGTH),
        "statusListCredential": url,
    }


def _list_url(issuer: Issuer, programme_id: ProgrammeId, number: int) -> str:
    return f"{issuer.origin}/v1/programmes/{programme_id}/credential-status/{number}"


def _identity(kind: str, value: str) -> dict[str, Any]:
    return {
        "type": "IdentityObject",
        "hashed": False,
        "identityHash": value,
        "identityType": kind,
    }


def _both(named: Profile | Label | None, otherwise: str) -> str:
    if named is None:
        return otherwise
    names = dict.fromkeys(each for each in (plain(named.name_zh), plain(named.name_en)) if each)
    return " ".join(names) or otherwise


def _show_time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
