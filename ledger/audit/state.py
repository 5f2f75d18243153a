"""The contracts' own state after the last block, proved, and compared with what history makes it.

One slot proves a whole journal: the head over all its lines. The slots' numbers are those of the
compiler's storage layout; a test compares them with the artifacts.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ledger.audit.bundle import AccountState, Claims
from ledger.audit.findings import Finding, Findings
from ledger.chain.artifacts import CONTRACTS, JOURNALLED
from ledger.chain.headers import Header
from ledger.chain.keccak import keccak256
from ledger.chain.logs import JOURNAL_HEAD_SLOT, JOURNAL_SEQUENCE_SLOT
from ledger.chain.tries import (
    EMPTY_CODE_HASH,
    Account,
    ProofRefused,
    verify_account_proof,
    verify_storage_proof,
)

if TYPE_CHECKING:
    from ledger.audit.history.replay import History

HEAD_SLOTS = (JOURNAL_HEAD_SLOT, JOURNAL_SEQUENCE_SLOT)

BALANCES = 3
TOTALS = 4
MEMBERSHIPS = 9
ORGANISATIONS = 4
"""Where Credits has balances and totals, Memberships its memberships, Organisations its own."""


def balance_slot(programme_id: int, org_id: int) -> bytes:
    """The slot of Credits with an organisation's balance, and those of its three neighbours."""
    return _nested(BALANCES, programme_id, org_id // 4)


def totals_slot(programme_id: int) -> bytes:
    """The slot of Credits with a programme's totals."""
    return _nested(TOTALS, programme_id)


def membership_slot(programme_id: int, org_id: int) -> bytes:
    """The slot of Memberships with a membership."""
    return _nested(MEMBERSHIPS, programme_id, org_id)


def controller_slot(org_id: int) -> bytes:
    """The slot of Organisations with an organisation's controller."""
    return _nested(ORGANISATIONS, org_id)


def part_of(word: bytes, place: int) -> int:
    """One of the four signed numbers of 64 bits that share a word, the first in the low bits."""
    end = 32 - 8 * place
    return int.from_bytes(word[end - 8 : end], "big", signed=True)


@dataclass(frozen=True, slots=True)
class ProvedAccount:
    """An account, and the words in those of its slots that were asked for."""

    account: Account
    words: Mapping[bytes, bytes]


def prove_account(header: Header, state: AccountState) -> ProvedAccount:
    """What an account's proofs prove under a header's state root. Raises ProofRefused."""
    account = verify_account_proof(header.state_root, state.address, state.proof)
    words = {
        slot: verify_storage_proof(account.storage_root, slot, nodes)
        for slot, nodes in state.slots.items()
    }
    return ProvedAccount(account, words)


class StateChecker:
    """Compares the proved state with the history of the same blocks."""

    def __init__(self, header: Header, history: History, findings: Findings) -> None:
        self._header = header
        self._history = history
        self._findings = findings
        self.accounts = 0
        self.slots = 0
        self.code_hashes: dict[str, bytes] = {}

    def check(self, states: list[AccountState]) -> None:
        """Check that the proofs are just those that there must be, and what they prove."""
        proved: dict[bytes, ProvedAccount] = {}
        for state in states:
            row = f"state.rlp 0x{state.address.hex()}"
            if state.address in proved:
                self._say("state.proof", row, problem="it stands there twice")
            try:
                proved[state.address] = prove_account(self._header, state)
            except ProofRefused as error:
                self._say("state.proof", row, problem=str(error))
            self.accounts += 1
            self.slots += len(state.slots)
        self._check_order(states)
        for name in CONTRACTS:
            found = proved.get(self._history.addresses[name])
            if found is not None:
                self._check_contract(name, found)
        for account, place in self._history.acts.outsiders.items():
            self._check_outsider(account, place, proved.get(account))

    def check_claims(self, claims: Claims) -> None:
        """Compare what the operator says with the history."""
        credits_ = self._history.credits
        right = sorted((*key, amount) for key, amount in credits_.balances.items() if amount)
        for said in sorted(set(claims.balances) ^ set(right))[:20]:
            programme_id, org_id, _ = said
            amount = credits_.balances.get((programme_id, org_id), 0)
            row = f"claims.json balance {programme_id}/{org_id}"
            self._say("claims.balance", row, right=amount)
        programmes = {key[0] for key in credits_.balances}
        totals = [
            (each, credits_.outstanding[each], credits_.refundable[each])
            for each in sorted(programmes)
        ]
        if claims.totals != totals:
            self._say("claims.totals", "claims.json totals")

    def _check_order(self, states: list[AccountState]) -> None:
        """No proof is missing, and none is there that nothing asks for."""
        addresses = self._history.addresses
        outsiders = sorted(self._history.acts.outsiders)
        wanted = [addresses[name] for name in CONTRACTS] + outsiders
        found = [state.address for state in states]
        for address in wanted:
            if address not in found:
                self._say("state.missing", f"state.rlp 0x{address.hex()}")
        if found != [address for address in wanted if address in found]:
            self._say("state.order", "state.rlp")

    def _check_contract(self, name: str, found: ProvedAccount) -> None:
        row = f"{name} at 0x{self._history.addresses[name].hex()}"
        self.code_hashes[name] = found.account.code_hash
        wanted: dict[bytes, bytes] = {}
        if name in JOURNALLED:
            sequence, head = self._history.journals[name]
            wanted = {JOURNAL_HEAD_SLOT: head, JOURNAL_SEQUENCE_SLOT: _word(sequence)}
        if name == "Credits":
            wanted |= self._totals()
        if set(wanted) != set(found.words):
            self._say("state.missing", row)
        elif list(wanted) != list(found.words):
            self._say("state.order", row)
        for slot, word in wanted.items():
            if slot in found.words and found.words[slot] != word:
                code = "state.journal" if slot in HEAD_SLOTS else "state.totals"
                self._say(code, row)

    def _totals(self) -> dict[bytes, bytes]:
        credits_ = self._history.credits
        return {
            totals_slot(each): _four(credits_.outstanding[each], credits_.refundable[each])
            for each in sorted({key[0] for key in credits_.balances})
        }

    def _check_outsider(
        self, account: bytes, place: tuple[int, int, str, int], found: ProvedAccount | None
    ) -> None:
        if found is not None and found.account.code_hash == EMPTY_CODE_HASH:
            block, log_index, contract, sequence = place
            row, values = f"{contract} {sequence}", {"actor": "0x" + account.hex()}
            self._findings.add(Finding("acts.no_right", row, values, block, log_index))

    def _say(self, code: str, row: str, **values: object) -> None:
        self._findings.add(Finding(code, row, values, self._header.number))


def _nested(slot: int, *keys: int) -> bytes:
    at = slot.to_bytes(32, "big")
    for key in keys:
        at = keccak256(key.to_bytes(32, "big") + at)
    return at


def _four(*numbers: int) -> bytes:
    """Numbers of 64 bits in one word; nothing where one is larger, which no word is equal to."""
    if not all(-(1 << 63) <= number < 1 << 63 for number in numbers):
        return b""
    words = [number.to_bytes(8, "big", signed=True) for number in numbers]
    return b"".join(reversed(words)).rjust(32, b"\0")


def _word(number: int) -> bytes:
    return number.to_bytes(32, "big")
