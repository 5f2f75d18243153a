"""The rules themselves: a history whose hashes are right and that breaks a rule is objected to.

Nothing here could come out of the contracts. The honest history is changed in one place after its
blocks were proved, and the journal's heads are made anew, so that only the rules can find it.
"""

from __future__ import annotations

import contextlib
import random
from collections.abc import Sequence

import pytest

from ledger.audit.blocks import Act, BlockProver, ProvedBlock
from ledger.audit.bundle import opened_bundle
from ledger.audit.expiries import check_expiries
from ledger.audit.findings import Finding, Findings
from ledger.audit.history.replay import History, JournalLost
from ledger.audit.shares import check_shares
from ledger.audit.state import StateChecker
from ledger.chain.artifacts import JOURNALLED, load_artifact
from ledger.chain.keccak import keccak256
from ledger.chain.logs import ContractEvents
from ledger.chain.receipts import Log
from tests.audit.conftest import POLICY, RULES, Audited

STRANGER = b"\x5a" * 20
FREE_TO_ALL = {"MessageCancelled"}
"""Lines that anybody may have written in its own name."""

Blocks = Sequence[ProvedBlock]


@pytest.fixture(scope="session")
def blocks(audited: Audited) -> Blocks:
    with opened_bundle(audited.bundle) as bundle:
        places = bundle.places()
        addresses = [places.addresses[name] for name in JOURNALLED]
        prover = BlockProver(addresses, places.chain_id, bundle.manifest.first_block)
        return [prover.prove(record) for record in bundle.records()]


def replay(audited: Audited, blocks: Blocks) -> list[Finding]:
    found: list[Finding] = []
    deployment = audited.ledger.deployment
    history = History(
        audited.ledger.addresses, deployment.chain_id, deployment.recovery_delay, found.append
    )
    try:
        for block in blocks:
            history.take(block)
    except JournalLost:
        pass
    return found


def lines_of(audited: Audited) -> dict[bytes, dict[bytes, str]]:
    """The names of the journal's events, by contract and topic."""
    return {
        audited.ledger.addresses[name]: {
            topic: each.name
            for topic, each in ContractEvents(name, load_artifact(name).abi).journal.items()
        }
        for name in JOURNALLED
    }


def with_new_heads(audited: Audited, blocks: Blocks) -> Blocks:
    """The same blocks with each journal's heads computed from the lines that are there."""
    names, heads, made = lines_of(audited), {}, []
    for block in blocks:
        acts = []
        for act in block.acts:
            logs = []
            for log in act.logs:
                if log.topics[:32] in names[log.address]:
                    hashed = keccak256(log.topics + log.data[:-32])
                    head = keccak256(heads.get(log.address, bytes(32)) + hashed)
                    heads[log.address] = head
                    logs.append(log._replace(data=log.data[:-32] + head))
                else:
                    logs.append(log)
            acts.append(act._replace(logs=logs))
        made.append(ProvedBlock(block.header, acts))
    return made


def changed(blocks: Blocks, old: Log, new: Log, act: Act, other: Act) -> Blocks:
    """The blocks with one log, and what else there is of its transaction, put in place."""
    return [
        ProvedBlock(
            block.header,
            [
                other._replace(logs=[new if log is old else log for log in each.logs])
                if each is act
                else each
                for each in block.acts
            ],
        )
        if any(each is act for each in block.acts)
        else block
        for block in blocks
    ]


def bent(log: Log, word: int) -> Log:
    """The log with the lowest bit of one of its fields flipped."""
    raw = bytearray(log.topics + log.data)
    raw[32 * word + 31] ^= 1
    return log._replace(topics=bytes(raw[: len(log.topics)]), data=bytes(raw[len(log.topics) :]))


def test_history__that_is_honest__is_not_objected_to(audited: Audited, blocks: Blocks) -> None:
    assert replay(audited, blocks) == []
    assert replay(audited, with_new_heads(audited, blocks)) == []


def test_line__with_any_field_changed_and_heads_made_anew__is_objected_to(
    audited: Audited, blocks: Blocks, flips: int
) -> None:
    names = lines_of(audited)
    places = [
        (act, log, word)
        for block in blocks
        for act in block.acts
        for log in act.logs
        if log.topics[:32] in names[log.address]
        # Not the selector, the sequence and the head, which the journal's own rule covers.
        for word in range(2, (len(log.topics) + len(log.data)) // 32 - 1)
    ]
    chosen = random.Random(10).sample(places, min(len(places), flips // 2))
    accepted = []
    for act, log, word in chosen:
        forged = changed(blocks, log, bent(log, word), act, act)
        if not replay(audited, with_new_heads(audited, forged)):
            accepted.append((names[log.address][log.topics[:32]], word))

    assert accepted == []


ODD = (
    bytes(32),
    b"\xff" * 32,
    b"\x7f" + b"\xff" * 31,
    bytes(24) + b"\x7f" + b"\xff" * 7,
    bytes(24) + b"\xff" * 8,
    bytes(27) + b"\xff" * 5,
    bytes(31) + b"\x02",
    b"\x1b[31m".ljust(32, b"\0"),
)
"""What no honest line has: the largest and the smallest numbers of several sizes, and no text."""


def test_history__with_odd_values_in_its_lines__is_objected_to_and_breaks_nothing(
    audited: Audited, blocks: Blocks, flips: int
) -> None:
    chance, accepted = random.Random(11), []
    names = lines_of(audited)
    places = [
        (act, log, word)
        for block in blocks
        for act in block.acts
        for log in act.logs
        if log.topics[:32] in names[log.address]
        for word in range(2, (len(log.topics) + len(log.data)) // 32 - 1)
    ]
    for _ in range(flips // 2):
        act, log, word = chance.choice(places)
        raw = bytearray(log.topics + log.data)
        raw[32 * word : 32 * word + 32] = chance.choice(ODD)
        if bytes(raw) == log.topics + log.data:
            continue
        size = len(log.topics)
        new = log._replace(topics=bytes(raw[:size]), data=bytes(raw[size:]))
        found = whole_verdict(audited, with_new_heads(audited, changed(blocks, log, new, act, act)))
        if not found.total or not all(each.sentence("en").isprintable() for each in found):
            accepted.append((names[log.address][log.topics[:32]], word))

    assert accepted == []


def whole_verdict(audited: Audited, blocks: Blocks) -> Findings:
    """What is objected to in blocks by the history, the proved state and the policies."""
    findings, deployment = Findings(), audited.ledger.deployment
    history = History(
        audited.ledger.addresses, deployment.chain_id, deployment.recovery_delay, findings.add
    )
    with contextlib.suppress(JournalLost):
        for block in blocks:
            history.take(block)
    with opened_bundle(audited.bundle) as bundle:
        checker = StateChecker(blocks[-1].header, history, findings)
        checker.check(bundle.state())
        checker.check_claims(bundle.claims())
    check_expiries(history, POLICY, findings)
    check_shares(history, {rule.digest(): rule for rule in RULES}, findings)
    return findings


def test_line__of_a_stranger_who_signed_for_it__is_objected_to(
    audited: Audited, blocks: Blocks
) -> None:
    names = lines_of(audited)
    accepted, tried = [], set()
    for block in blocks[9:]:  # the contracts' own constructors are before
        for act in block.acts:
            log = next((each for each in act.logs if each.topics[:32] in names[each.address]), None)
            if log is None or names[log.address][log.topics[:32]] in tried:
                continue
            name = names[log.address][log.topics[:32]]
            tried.add(name)
            forged = _by_stranger(blocks, act)
            if not replay(audited, with_new_heads(audited, forged)) and name not in FREE_TO_ALL:
                accepted.append(name)

    assert accepted == []
    assert len(tried) > 30


def _by_stranger(blocks: Blocks, act: Act) -> Blocks:
    """The transaction and its lines in the name of somebody who has no right at all."""
    sender = act.sent.sender
    logs = [
        log._replace(
            topics=log.topics.replace(bytes(12) + sender, bytes(12) + STRANGER),
            data=log.data.replace(bytes(12) + sender, bytes(12) + STRANGER),
        )
        for log in act.logs
    ]
    other = act._replace(sent=act.sent._replace(sender=STRANGER), logs=logs)
    return [
        ProvedBlock(block.header, [other if each is act else each for each in block.acts])
        for block in blocks
    ]


@pytest.mark.parametrize("what", ["dropped", "repeated"])
def test_transaction__dropped_or_repeated_with_heads_made_anew__is_objected_to(
    audited: Audited, blocks: Blocks, what: str
) -> None:
    accepted = []
    with_acts = [block for block in blocks if block.acts]
    for block in with_acts[20:-3:11]:
        acts = [] if what == "dropped" else [*block.acts, *block.acts]
        forged = [ProvedBlock(each.header, acts) if each is block else each for each in blocks]
        if not replay(audited, with_new_heads(audited, forged)):
            accepted.append(block.header.number)

    assert accepted == []
