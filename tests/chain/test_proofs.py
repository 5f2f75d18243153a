"""Slots of a real contract proved against a block's state root."""

from __future__ import annotations

import pytest

from ledger.chain.headers import check_header
from ledger.chain.keccak import keccak256
from ledger.chain.proofs import ProofAnswer, prove_account, prove_slots
from ledger.chain.tries import NO_ACCOUNT
from ledger.errors import NotProved
from tests.chain.varied_chain import VariedChain

SET = bytes(32)  # the emitter writes 1 here
UNSET = b"\x01" * 32
NOBODY = b"\x77" * 20


def proof(chain: VariedChain, address: bytes) -> ProofAnswer:
    return chain.node.proof(address, [SET, UNSET], chain.numbers[-1])


def test_prove_slots__of_a_contract__gives_what_it_stored_and_zero_elsewhere(
    varied_chain: VariedChain,
) -> None:
    header = varied_chain.header(varied_chain.numbers[-1])
    answer = proof(varied_chain, varied_chain.emitter)
    values = prove_slots(header, varied_chain.emitter, [SET, UNSET], answer)
    assert values == [(1).to_bytes(32, "big"), bytes(32)]


def test_prove_slots__of_an_address_without_a_contract__gives_zeros(
    varied_chain: VariedChain,
) -> None:
    header = varied_chain.header(varied_chain.numbers[-1])
    answer = proof(varied_chain, NOBODY)
    assert prove_slots(header, NOBODY, [SET, UNSET], answer) == [bytes(32)] * 2


def test_prove_account__of_a_contract__gives_the_hash_of_its_code(
    varied_chain: VariedChain,
) -> None:
    header = varied_chain.header(varied_chain.numbers[-1])
    account = prove_account(header, varied_chain.emitter, proof(varied_chain, varied_chain.emitter))
    code = varied_chain.node.code(varied_chain.emitter, header.hash)
    assert (account.code_hash, account.nonce, account.balance) == (keccak256(code), 1, 0)
    assert prove_account(header, NOBODY, proof(varied_chain, NOBODY)) == NO_ACCOUNT
    with pytest.raises(NotProved, match="account"):
        prove_account(header, varied_chain.emitter, proof(varied_chain, NOBODY))


def test_prove_slots__against_another_block__are_refused(varied_chain: VariedChain) -> None:
    answer = proof(varied_chain, varied_chain.emitter)
    with pytest.raises(NotProved) as caught:
        prove_slots(varied_chain.header(3), varied_chain.emitter, [SET, UNSET], answer)
    assert caught.value.values["block"] == 3


def test_prove_slots__with_any_node_altered__are_refused(varied_chain: VariedChain) -> None:
    header = check_header(varied_chain.node.header("latest"))
    answer = proof(varied_chain, varied_chain.emitter)
    lists = [answer.account_proof, *(part.proof for part in answer.storage_proof)]
    for nodes in lists:
        whole = list(nodes)
        for place, node in enumerate(whole):
            for forged in (node[:-1] + "e", node[:-2], "0xzz", "0x"):
                nodes[place] = forged
                if forged != node:
                    with pytest.raises(NotProved):
                        prove_slots(header, varied_chain.emitter, [SET, UNSET], answer)
            nodes[place] = node
        for changed in (whole[:-1], [*whole, whole[-1]], [*whole, "0x80"]):
            nodes[:] = changed
            with pytest.raises(NotProved):
                prove_slots(header, varied_chain.emitter, [SET, UNSET], answer)
        nodes[:] = whole
    assert prove_slots(header, varied_chain.emitter, [SET, UNSET], answer)


def test_prove_slots__of_other_slots_than_asked_for__are_refused(
    varied_chain: VariedChain,
) -> None:
    header = varied_chain.header(varied_chain.numbers[-1])
    answer = proof(varied_chain, varied_chain.emitter)
    with pytest.raises(NotProved, match="other slots"):
        prove_slots(header, varied_chain.emitter, [SET], answer)
