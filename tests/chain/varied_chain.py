"""A chain that holds what blocks can hold: every type of transaction, logs of every shape."""

from __future__ import annotations

from typing import Any

from eth_account import Account

from ledger.chain.headers import Header, check_header
from ledger.chain.rpc import Node
from tests.chain.emitter import call_data, creation_code
from tests.support.anvil import Anvil

# anvil's first two accounts ("test test … junk"), known to everybody.
KEY = "0xac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80"
OTHER_KEY = "0x59c6995e998f97a5a0044966f0945389dc9e86dae88c7a8412f4603b6b78690d"
TOPICS = tuple(bytes([n]) * 32 for n in (0x11, 0xA0, 0x00, 0xFF))
DATA_SIZES = (0, 1, 2, 31, 32, 33, 54, 55, 56, 57, 255, 256, 1000)
MANY = 140
"""Transactions of the largest block, past 128, where the keys of a trie become longer."""


class VariedChain:
    """`numbers` are its blocks; `emitter` the contract of `tests.chain.emitter`, 20 bytes."""

    def __init__(self, anvil: Anvil) -> None:
        self.anvil = anvil
        self.node = Node(anvil.url)
        self.sender = Account.from_key(KEY).address
        self.chain_id = self.node.chain_id()
        created = anvil.send(data=_hex(creation_code()), gas=hex(1_000_000))
        self.emitter = bytes.fromhex(created["contractAddress"][2:])
        anvil.mine()
        self.many_types = self._block_of_many_types()
        self.many_logs = self._block_of_many_logs()
        self.many_transactions = self._block([self._emit([]) for _ in range(MANY)])
        self.numbers = range(self.node.block_number() + 1)

    def header(self, number: int) -> Header:
        """A block's header, proved."""
        return check_header(self.node.header(number))

    def raw(self, method: str, *params: Any) -> Any:
        """An answer as plain JSON values, for a test to alter."""
        return self.anvil.rpc.call(method, *params)

    def _block(self, transactions: list[dict[str, Any] | bytes]) -> int:
        """One block with these transactions, to be signed by anvil or signed already."""
        self.anvil.rpc.call("evm_setAutomine", False)
        for transaction in transactions:
            if isinstance(transaction, bytes):
                self.node.send_raw_transaction(transaction)
            else:
                self.anvil.rpc.call("eth_sendTransaction", transaction)
        self.anvil.rpc.call("evm_mine")
        self.anvil.rpc.call("evm_setAutomine", True)
        number = self.node.block_number()
        assert len(self.node.block(number).transactions) == len(transactions)
        return number

    def _emit(self, logs: list[tuple[list[bytes], bytes]]) -> dict[str, Any]:
        return {
            "from": self.sender,
            "to": _hex(self.emitter),
            "data": _hex(call_data(logs)),
            "gas": hex(600_000 if logs else 50_000),
        }

    def _block_of_many_logs(self) -> int:
        shapes = [
            (list(TOPICS[:topics]), bytes([fill]) * size)
            for topics in range(5)
            for size in DATA_SIZES
            for fill in (0x05, 0x7F, 0x80, 0xFF)
            if size or fill == 0x05
        ]
        batches = [shapes[at : at + 25] for at in range(0, len(shapes), 25)]
        return self._block([self._emit(batch) for batch in batches])

    def _block_of_many_types(self) -> int:
        logs = [(list(TOPICS), b"\x01" * 96)]
        common = {
            "to": self.sender,
            "gas": 100_000,
            "value": 1,
            "chainId": self.chain_id,
            "data": _hex(call_data(logs)),
        }
        fees = {"maxFeePerGas": 10**10, "maxPriorityFeePerGas": 1}
        access = [{"address": self.sender, "storageKeys": [_hex(bytes(32)), _hex(b"\x01" * 32)]}]
        authorization = Account.sign_authorization(
            {"chainId": self.chain_id, "address": self.sender, "nonce": 0}, OTHER_KEY
        )
        typed: list[dict[str, Any]] = [
            {"gasPrice": 10**10},
            {"gasPrice": 10**10, "type": 1, "accessList": access},
            {**fees, "type": 2},
            {**fees, "type": 2, "accessList": access},
            {**fees, "type": 4, "authorizationList": [authorization]},
        ]
        nonce = self.node.nonce(bytes.fromhex(self.sender[2:]), "latest")
        signed = [
            bytes(
                Account.sign_transaction(
                    {**common, **fields, "nonce": nonce + place}, KEY
                ).raw_transaction
            )
            for place, fields in enumerate(typed)
        ]
        failing = {"from": self.sender, "data": "0xfe", "gas": hex(100_000)}
        creating = {"from": self.sender, "data": _hex(creation_code()), "gas": hex(1_000_000)}
        return self._block([*signed, failing, creating, self._emit(logs)])


def _hex(value: bytes) -> str:
    return "0x" + value.hex()
