"""What every contract that takes signed messages has in common."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from ledger.chain.artifacts import load_artifact
from ledger.chain.contracts.contract import SELECTOR, Contract, decode_call, encode_call
from ledger.chain.rpc import BlockName
from ledger.chain.typed_data import MessageDomain, account_of
from ledger.domain.messages import SignedMessage


def encode_cancel_message(contract: str, operation_id: bytes) -> bytes:
    """Make the sender's message with this operation id worthless in one contract, by its name."""
    return encode_call(contract, "cancelMessage", operation_id)


def encode_cancel_message_by_signature(
    contract: str, operation_id: bytes, signed: SignedMessage
) -> bytes:
    """The same for a signer that sends no transactions (`write_cancellation`)."""
    return encode_call(contract, "cancelMessageBySignature", operation_id, signed_row(signed))


def signed_row(signed: SignedMessage) -> dict[str, Any]:
    """A signature as the struct `Signed`."""
    return {
        "signer": signed.signer,
        "deadline": signed.deadline,
        "signature": signed.signature,
    }


def actor_of(contract: str, calldata: bytes, sender: bytes) -> bytes:
    """By whose right a call acts: who signed the message that it brings, or else who sends it.

    A contract counts an operation as that account's, whoever sends the transaction. Raises
    InvalidValue for calldata with a message that cannot be read.
    """
    if calldata[:SELECTOR] not in _bringing_messages(contract):
        return sender
    signed = decode_call(contract, calldata).arguments[_SIGNED]
    return account_of(bytes(signed["signer"]))


_SIGNED = "signed"


@cache
def _bringing_messages(contract: str) -> frozenset[bytes]:
    """The selectors of a contract's functions that act by one signed message."""
    artifact = load_artifact(contract)
    return frozenset(
        artifact.functions[item.signature]
        for item in artifact.items("function")
        if any(parameter.name == _SIGNED for parameter in item.inputs)
    )


@dataclass(frozen=True, slots=True)
class MessageTaker(Contract):
    """Reads of a contract that takes signed messages."""

    def is_cancelled(self, account: bytes, operation_id: bytes, *, at: BlockName) -> bool:
        """Whether the account cancelled its message with this operation id."""
        return bool(self.read("isCancelled", account, operation_id, at=at))

    def account_of(self, signer: bytes, *, at: BlockName) -> bytes:
        """The account that a signer acts as, 20 bytes."""
        return bytes(self.read("accountOf", signer, at=at))

    def message_domain(self, *, at: BlockName) -> MessageDomain:
        """What this contract's messages are bound to (EIP-5267)."""
        found = self.read("eip712Domain", at=at)
        return MessageDomain(self.NAME, found["chainId"], found["verifyingContract"])
