"""Errors of signed messages."""

from __future__ import annotations

from ledger.chain.refusals.refusal import OUR_OWN, Refusal

REFUSALS: dict[str, Refusal] = {
    "SignedCancelled": Refusal(
        "{account} cancelled its message with the operation {operationId}.",
        "Ask for a new signature, over a new operation id.",
    ),
    "SignedDeadlineTooFar": Refusal(
        "A message that is good until {deadline} is good for too long; now it can be until "
        "{latest} at most.",
        "Ask for a new signature with an earlier deadline.",
    ),
    "SignedExpired": Refusal(
        "The message was good until {deadline}; it is {time}.",
        "Ask for a new signature with a later deadline.",
    ),
    "SignedInvalid": Refusal(
        "The signature is not that of {account} over this message.",
        "Check who signed, which chain and contract the message names, and that nothing of it was "
        "changed.",
    ),
    "SignedSignerMalformed": Refusal(
        "A signer of {length} bytes is none.",
        "Give an account (20 bytes), or a verifier's address and a key after it (ERC-7913).",
    ),
    "SignedVerifierMissing": Refusal(
        "There is no contract at {verifier}, which was given as a signer's verifier.",
        "Check the address before the key, and that the verifier is on this chain (ERC-7913).",
    ),
    # OpenZeppelin's short strings, of which the names of message domains are made
    "InvalidShortString": Refusal("A short text in the contract's code is none.", OUR_OWN),
    "StringTooLong": Refusal("The text {str} is longer than 31 bytes.", OUR_OWN),
}
