"""A key that does not sign, or must not.

SignerProblem
├── SignerUnreachable
├── SignerRefused
├── SignerAnswerInvalid
├── DevnetKeyRefused
└── PolicyRefused
"""

from __future__ import annotations

from ledger.errors.setup import SetupProblem


class SignerProblem(SetupProblem):
    """A key does not sign, or must not."""


class SignerUnreachable(SignerProblem):
    code = "signer.unreachable"
    sentence = "The remote signer at {url} does not answer: {problem}."
    next_step = (
        "Start it, or correct its address in MOONLAKE_SIGNERS; nothing was signed, and the same "
        "command can be run again."
    )


class SignerRefused(SignerProblem):
    code = "signer.refused"
    sentence = "The remote signer at {url} refused {method} for {address}: {message}."
    next_step = "{remedy}"
    phrases = frozenset({"remedy"})


class SignerAnswerInvalid(SignerProblem):
    """It signed something else than it was asked to, or is no signer; nothing of it was used."""

    code = "signer.answer_invalid"
    sentence = "The remote signer at {url} gave what cannot be used for {address}: {problem}."
    next_step = (
        "Nothing of it was sent. See that MOONLAKE_SIGNERS names the right signer and that it "
        "signs for the right chain; until that is clear, do not trust it."
    )


class DevnetKeyRefused(SignerProblem):
    code = "signer.devnet_key_refused"
    sentence = (
        "The key {key!r} of MOONLAKE_DEVNET_KEYS signs for the devnet (chain {devnet}) alone, and "
        "this is chain {chain_id}."
    )
    next_step = (
        "Keep a key for this chain with `moonlake keys create {key}` or behind a remote signer, "
        "and take it out of MOONLAKE_DEVNET_KEYS."
    )


class PolicyRefused(SignerProblem):
    """`call` says what was to be signed: `Credits.award`, or an address where no name is known."""

    code = "signer.policy_refused"
    sentence = "The policy of the key {key!r} does not allow {call}; nothing was signed."
    next_step = "{remedy}"
    phrases = frozenset({"remedy"})
