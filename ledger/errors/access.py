"""Who calls, and whether he may.

AccessProblem
├── SignInRefused
├── NotSignedIn
├── ApiKeyRefused
├── LinkRefused
├── AccessDenied
├── ScopeMissing
├── ForgeryRefused
├── TooManyRequests
├── TooManyKeys
├── RequestTooLarge
├── IdempotencyConflict
├── IdempotencyInFlight
├── RightsUnknown
├── ServerCannotSign
└── AccessLogBroken
"""

from __future__ import annotations

from ledger.errors.base import LedgerError


class AccessProblem(LedgerError):
    """Who calls, and whether he may."""


class SignInRefused(AccessProblem):
    """A message by which somebody wants to sign in (EIP-4361) is not good for it."""

    code = "access.sign_in_refused"
    sentence = "The sign-in is refused: {problem}."
    next_step = "Ask for a new nonce at /v1/sign-in/nonce, and sign a message that carries it."


class NotSignedIn(AccessProblem):
    code = "access.not_signed_in"
    sentence = "This is for those who are signed in, and {problem}."
    next_step = "Sign in at /v1/sessions, or send an API key as `Authorization: Bearer …`."


class ApiKeyRefused(AccessProblem):
    code = "access.api_key_refused"
    sentence = "The API key is refused: {problem}."
    next_step = "Use another key; `moonlake api-key list` shows which there are."


class LinkRefused(AccessProblem):
    """The secret of an applicant's link opens nothing, or not this."""

    code = "access.link_refused"
    sentence = "The secret of the applicant's link does not open this application."
    next_step = "Ask the office for another link."


class AccessDenied(AccessProblem):
    """The account lacks what the chain must say of it."""

    code = "access.denied"
    sentence = "{account} may not do this: {needed}."
    next_step = "Sign in with an account that may; /v1/accounts/ADDRESS shows the roles of one."


class ScopeMissing(AccessProblem):
    code = "access.scope_missing"
    sentence = "The API key has not the scope {scope}."
    next_step = "Use a key with this scope, or sign in."


class ForgeryRefused(AccessProblem):
    """A browser sent a session's cookie with a request that the session's page did not make."""

    code = "access.forgery_refused"
    sentence = "The request is refused, since another page may have made it: {problem}."
    next_step = "Send the session's `csrf_token` as the header X-CSRF-Token, from our own pages."


class TooManyRequests(AccessProblem):
    code = "access.too_many_requests"
    sentence = "Too many requests: {limit} a minute are allowed."
    next_step = "Wait {seconds} s."


class TooManyKeys(AccessProblem):
    code = "access.too_many_keys"
    sentence = "The account has {most} API keys that are good for something, which is the most."
    next_step = "Revoke one that nobody uses any more."


class RequestTooLarge(AccessProblem):
    code = "access.request_too_large"
    sentence = "The body of the request is larger than {most} bytes."
    next_step = "Send less at once."


class IdempotencyConflict(AccessProblem):
    code = "access.idempotency_conflict"
    sentence = "The Idempotency-Key {key!r} was used for another request."
    next_step = "Use a new key for a new request; the same key repeats the same request."


class IdempotencyInFlight(AccessProblem):
    code = "access.idempotency_in_flight"
    sentence = "The request with the Idempotency-Key {key!r} is being worked on."
    next_step = "Send it again in a moment."


class RightsUnknown(AccessProblem):
    """Rights are read from the mirror, and it does not know what the chain says now."""

    code = "access.rights_unknown"
    sentence = "The mirror is {condition}, so it is not known who may do what now."
    next_step = "Try again once /readyz says that the mirror follows the chain."


class ServerCannotSign(AccessProblem):
    code = "access.server_cannot_sign"
    sentence = "This server has no key that may sign this for {account}: {problem}."
    next_step = (
        "Name a key that holds the role with MOONLAKE_SERVE_KEYS, or sign with the command line."
    )


class AccessLogBroken(AccessProblem):
    code = "access.log_broken"
    sentence = "The log of privileged calls was changed: line {number} {problem}."
    next_step = "Do not rely on it from this line on; compare it with a backup."
