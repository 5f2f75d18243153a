"""Signing in with an account of eth_account, which is imported when it is first used."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol


class Account(Protocol):
    """What is needed of `eth_account.signers.local.LocalAccount`, and of what stands in for it."""

    @property
    def address(self) -> Any:
        """The address, with the checksum of EIP-55."""

    def sign_message(self, signable_message: Any) -> Any:
        """Sign a message of EIP-191."""


def signing_with(account: Account) -> Callable[[str], str]:
    """What signs a text for an account, 0x hex."""

    def sign(text: str) -> str:
        from eth_account.messages import encode_defunct  # noqa: PLC0415  it takes a second

        signature: bytes = account.sign_message(encode_defunct(text=text)).signature
        return "0x" + bytes(signature).hex()

    return sign
