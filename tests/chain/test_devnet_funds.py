"""Coin on the devnet: given where there is little, and put into a block."""

from __future__ import annotations

import pytest

from ledger.chain.devnet_funds import fund_accounts, mine_block
from ledger.chain.headers import check_header
from ledger.chain.proofs import prove_account
from ledger.chain.rpc import Node
from ledger.errors import LedgerError
from tests.support.anvil import Anvil

POOR = bytes.fromhex("77" * 20)


def test_coin__given_and_put_into_a_block__is_proved_by_its_header(fresh_anvil: Anvil) -> None:
    with Node(fresh_anvil.url) as node:
        fresh_anvil.mine()

        def prove() -> int:
            header = check_header(node.header("latest"))
            return prove_account(header, POOR, node.proof(POOR, (), header.hash)).balance

        assert fund_accounts(node, [POOR])
        with pytest.raises(LedgerError):  # the head's state root is of the time before
            prove()
        mine_block(node)

        assert prove() > 0
        assert not fund_accounts(node, [POOR])
