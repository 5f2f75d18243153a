"""The whole way, on a real contract: from headers to a journal whose head a storage proof confirms.

Headers give transactions and receipts, these give logs, the logs give a journal; and the last head
of that journal must be the one that stands in the contract's storage under the last state root.
"""

from __future__ import annotations

import pytest

from ledger.chain.abi import encode_arguments
from ledger.chain.artifacts import load_artifact
from ledger.chain.contracts.authority import encode_appoint, encode_dismiss, encode_pause
from ledger.chain.headers import BloomFilter, Header, check_headers
from ledger.chain.logs import (
    JOURNAL_HEAD_SLOT,
    JOURNAL_SEQUENCE_SLOT,
    ContractEvents,
    JournalCursor,
)
from ledger.chain.proofs import prove_slots
from ledger.chain.receipts import Log, check_receipts
from ledger.chain.rpc import Node
from ledger.chain.transactions import check_transactions
from ledger.domain.ids import BlockNumber, ProgrammeId
from ledger.errors import JournalBroken
from tests.support.anvil import Anvil

ARTIFACT = load_artifact("Authority")
EVENTS = ContractEvents("Authority", ARTIFACT.abi)
OFFICER = b"\x0f" * 20


def deploy_and_use(anvil: Anvil) -> bytes:
    """An Authority and some officers, a block each; its address."""
    admin = bytes.fromhex(anvil.accounts[0][2:])
    arguments = encode_arguments(ARTIFACT.constructor, [admin, 86_400])
    created = anvil.send(data="0x" + (ARTIFACT.bytecode + arguments).hex())
    calls = [
        encode_appoint("issuer", ProgrammeId(1), OFFICER, b"\x01" * 32),
        encode_appoint("council", ProgrammeId(0), OFFICER, b"\x02" * 32),
        encode_dismiss("issuer", ProgrammeId(1), OFFICER, b"\x03" * 32),
        encode_pause(b"\x04" * 32),
    ]
    for call in calls:
        receipt = anvil.send(to=created["contractAddress"], data="0x" + call.hex())
        assert receipt["status"] == "0x1"
        anvil.mine()
    return bytes.fromhex(created["contractAddress"][2:])


def proved_logs(node: Node, headers: list[Header], address: bytes) -> list[Log]:
    ours = BloomFilter([address])
    logs = []
    for header in headers:
        if not ours.may_match(header.logs_bloom):
            continue
        (block,), (receipts,) = node.blocks([header.hash]), node.receipts([header.hash])
        hashes = [each.hash for each in check_transactions(header, block.transactions)]
        logs += check_receipts(header, receipts, hashes, addresses=frozenset({address}))
    return logs


def test_journal__followed_from_proved_receipts__ends_at_the_head_that_storage_proves(
    fresh_anvil: Anvil,
) -> None:
    address = deploy_and_use(fresh_anvil)
    with Node(fresh_anvil.url) as node:
        numbers = range(node.block_number() + 1)
        headers = check_headers(node.headers(numbers), first=BlockNumber(0), parent_hash=None)
        logs = proved_logs(node, headers, address)
        slots = [JOURNAL_HEAD_SLOT, JOURNAL_SEQUENCE_SLOT]
        answer = node.proof(address, slots, headers[-1].hash)
        head, sequence = prove_slots(headers[-1], address, slots, answer)
    journal = [log for log in logs if log.topics[:32] in EVENTS.journal]
    names = [EVENTS.decode(log)[0].name for log in journal]
    cursor = JournalCursor.at_start().advance_all(journal)
    assert names == [
        *["OfficerAppointed"] * 3,
        *["OfficerDismissed", "LedgerPaused"],
    ]
    assert cursor.head == head
    assert cursor.sequence == int.from_bytes(sequence, "big") == len(journal)
    assert {EVENTS.decode(log)[0].name for log in logs} > set(names)  # the standards' echoes
    with pytest.raises(JournalBroken):
        JournalCursor.at_start().advance_all([*journal[:2], *journal[3:]])
