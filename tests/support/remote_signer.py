"""A remote signer that speaks as Web3Signer does in its `eth1` mode, over real HTTP on loopback.

What it does was read in Web3Signer's sources: it signs for the chain that it was started with and
ignores the one in a request; it makes an EIP-1559 transaction where both fees are given; it needs a
nonce; it takes typed data as a text that holds JSON, and knows an account or says that it does not.
eth-account signs here, so that a mistake of ours is not made twice.
"""

from __future__ import annotations

import json
from typing import Any

import eth_account

from ledger.chain.addresses import show_address
from tests.chain.fake_node import FakeNode, Refusal

INVALID_PARAMS = Refusal(-32602, "Invalid params")
NO_ACCOUNT = Refusal(-32000, "No unlocked account matches the Sender")


class FakeWeb3Signer(FakeNode):
    """Holds one key; `lies` and `faults` of FakeNode make it lie and stumble."""

    def __init__(self, private_key: bytes, chain_id: int) -> None:
        super().__init__()
        self._account = eth_account.Account.from_key(private_key)
        self._chain_id = chain_id
        self.address = bytes.fromhex(self._account.address[2:])
        self.methods["eth_accounts"] = lambda _params: [self._account.address.lower()]
        self.methods["eth_signTransaction"] = self._sign_transaction
        self.methods["eth_signTypedData"] = self._sign_typed_data

    def setting(self, name: str) -> str:
        """An entry of MOONLAKE_SIGNERS that puts this key behind a name."""
        return f"{name}=remote:{self._account.address}@{self.url}"

    def signed(self, asked: dict[str, Any], **other: Any) -> str:
        """A transaction of its key with the fields that were asked for, or others."""
        fields = {
            "type": 2,
            "chainId": self._chain_id,
            "nonce": int(asked["nonce"], 16),
            "gas": int(asked["gas"], 16),
            "maxFeePerGas": int(asked["maxFeePerGas"], 16),
            "maxPriorityFeePerGas": int(asked["maxPriorityFeePerGas"], 16),
            "value": int(asked.get("value", "0x0"), 16),
            "data": asked.get("data", "0x"),
        }
        if asked.get("to"):
            fields["to"] = show_address(bytes.fromhex(asked["to"][2:]))
        signed = self._account.sign_transaction(fields | other)
        return "0x" + bytes(signed.raw_transaction).hex()

    def _sign_transaction(self, params: list[Any]) -> Any:
        if len(params) != 1 or "nonce" not in params[0] or "maxFeePerGas" not in params[0]:
            return INVALID_PARAMS
        if params[0]["from"].lower() != self._account.address.lower():
            return NO_ACCOUNT
        return self.signed(params[0])

    def _sign_typed_data(self, params: list[Any]) -> Any:
        if len(params) != 2 or not isinstance(params[1], str):
            return INVALID_PARAMS
        if params[0].lower() != self._account.address.lower():
            return NO_ACCOUNT
        signed = self._account.sign_typed_data(full_message=json.loads(params[1]))
        return "0x" + bytes(signed.signature).hex()
