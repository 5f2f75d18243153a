"""Validators' seals: headers sealed here by keys, encoded as Besu encodes them, by another RLP."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
import rlp as oracle

from ledger.audit.blocks import BlockProver, WrongBlock
from ledger.audit.bundle import encode_bare_record
from ledger.chain.headers import BFT_MIX_HASH, read_header
from ledger.chain.keccak import keccak256
from ledger.chain.rlp import NotCanonical
from ledger.chain.seals import SealRefused, Validators, quorum, read_sealed
from ledger.chain.signers import LocalSigner, recover_address

KEYS = [LocalSigner(keccak256(b"validator %d" % number)) for number in range(6)]
FOUR = KEYS[:4]
ROUND = b"\x02"

# What Besu and GoQuorum write for these four validators in a genesis: no vote, round 0, no seals.
DOCUMENTED = bytes.fromhex(
    "f87aa00000000000000000000000000000000000000000000000000000000000000000f854"
    "9444add0ec310f115a0e603b2d7db9f067778eaf8a94294fc7e8f22b3bcdcf955dd7ff3ba2ed833f8212"
    "946beaaed781d2d2ab6350f5c4566a2c6eaac407a6948be76812f765c24641ec63dc2852b378aba2b440"
    "c080c0"
)


def addresses(keys: Sequence[LocalSigner]) -> list[bytes]:
    return [key.address for key in keys]


def sealed(
    number: int = 9,
    *,
    parent: bytes = bytes(32),
    validators: Sequence[LocalSigner] = FOUR,
    by: Sequence[LocalSigner] = FOUR[:3],
    vote: Any = (),
    proposer: LocalSigner = FOUR[0],
    ibft2: bool = False,
    signed_round: bytes = ROUND,
) -> bytes:
    """A raw header; its seals sign it with an empty list of seals, or without any (IBFT 2.0)."""

    def header(extra: list[Any]) -> bytes:
        fields = [
            parent,
            keccak256(b"\xc0"),
            proposer.address,
            *[bytes(32)] * 3,
            bytes(256),
            *[b"\x01", oracle.sedes.big_endian_int.serialize(number), b"\x01", b"", b"\x05"],
            oracle.encode(extra),
            BFT_MIX_HASH,
            bytes(8),
            b"\x07",
        ]
        return bytes(oracle.encode(fields))

    fill = (lambda each: each.rjust(4, b"\0")) if ibft2 else (lambda each: each)
    common = [bytes(32), addresses(validators), b"" if ibft2 and not vote else list(vote)]
    empty = [] if ibft2 else [[]]
    digest = keccak256(header([*common, fill(signed_round), *empty]))
    signed = [key.sign_digest(digest) for key in by]
    seals = [each[:64] + bytes([each[64] - 27]) for each in signed]
    return header([*common, fill(ROUND), seals])


@pytest.mark.parametrize("ibft2", [False, True])
def test_seals__of_two_thirds_of_the_validators__are_accepted(ibft2: bool) -> None:
    found = read_sealed(sealed(ibft2=ibft2))

    assert found is not None
    assert found.validators == tuple(addresses(FOUR))
    validators = Validators()
    assert validators.take(found)
    assert validators.seals == 3


def test_seals__of_a_chain_that_has_none__are_not_looked_for() -> None:
    fields = oracle.decode(sealed())
    fields[13] = bytes(32)

    assert read_sealed(oracle.encode(fields)) is None


def test_extra_data__as_besu_and_quorum_document_it__is_read() -> None:
    fields = oracle.decode(sealed())
    fields[12] = DOCUMENTED

    found = read_sealed(oracle.encode(fields))

    assert found is not None
    assert [each.hex()[:4] for each in found.validators] == ["44ad", "294f", "6bea", "8be7"]
    assert (found.vote, found.seals) == (None, ())
    assert [quorum(count) for count in (1, 2, 3, 4, 5, 6, 7)] == [1, 2, 2, 3, 4, 4, 5]


@pytest.mark.parametrize(
    "raw",
    [
        sealed(by=FOUR[:2]),
        sealed(by=[*FOUR[:2], FOUR[1]]),
        sealed(by=[*FOUR[:3], KEYS[5]]),
        sealed(by=KEYS[4:]),
        sealed(signed_round=b"\x01"),
        sealed(proposer=KEYS[5]),
        sealed(validators=[*FOUR, FOUR[0]]),
        sealed(validators=[], by=[]),
    ],
    ids=["few", "twice", "stranger", "strangers", "round", "proposer", "doubled", "nobody"],
)
def test_block__without_enough_seals_of_its_validators__is_refused(raw: bytes) -> None:
    found = read_sealed(raw)

    assert found is not None
    with pytest.raises(SealRefused):
        Validators().take(found)


@pytest.mark.parametrize("place", range(5))
def test_extra_data__that_are_odd__are_refused(place: int) -> None:
    fields = oracle.decode(sealed())
    extra = oracle.decode(fields[12])
    extra[place] = {0: [], 1: [b"\x01"], 2: [b"\x01", b"\x02"], 3: [], 4: [b"\x01"]}[place]
    fields[12] = oracle.encode(extra)

    with pytest.raises(NotCanonical):
        read_sealed(oracle.encode(fields))


def test_seals__of_strangers_by_the_thousand__are_looked_at_one_by_one_until_the_first() -> None:
    found = read_sealed(sealed())
    assert found is not None
    many = replace(found, seals=found.seals[:1] * 100_000)

    with (
        mock.patch("ledger.chain.seals.recover_address", wraps=recover_address) as recovering,
        pytest.raises(SealRefused),
    ):
        Validators().take(many)

    assert recovering.call_count == 2


def follow(raws: Sequence[bytes]) -> list[bool]:
    validators, followed = Validators(), []
    for raw in raws:
        found = read_sealed(raw)
        assert found is not None
        followed.append(validators.take(found))
    return followed


def votes(recipient: LocalSigner, kind: bytes, by: Sequence[LocalSigner]) -> list[bytes]:
    return [sealed(vote=(recipient.address, kind), proposer=key) for key in by]


def test_validators__who_change_by_the_votes_of_more_than_half__follow() -> None:
    five, three = KEYS[:5], FOUR[:3]

    assert all(follow([*votes(KEYS[4], b"\xff", three), sealed(validators=five, by=five)]))
    assert all(follow([*votes(FOUR[3], b"", three), sealed(validators=three, by=three)]))


@pytest.mark.parametrize(
    "before",
    [
        [sealed()],
        votes(KEYS[4], b"\xff", FOUR[:2]),
        votes(KEYS[4], b"\xff", [FOUR[0]] * 4),
        [*votes(KEYS[4], b"\xff", FOUR[:3]), *votes(KEYS[4], b"", FOUR[:1])],
        votes(KEYS[5], b"\xff", FOUR[:3]),
    ],
    ids=["no vote", "half", "one of them often", "taken back", "for another"],
)
def test_validators__who_change_without_such_votes__do_not_follow(before: list[bytes]) -> None:
    five = KEYS[:5]

    assert follow([*before, sealed(validators=five, by=five)])[-1] is False


def test_validators__all_replaced_at_once__do_not_follow() -> None:
    others = KEYS[2:]

    raws = [sealed(), sealed(validators=others, by=others, proposer=others[0])]

    assert follow(raws) == [True, False]


def chain(raws: Sequence[Any]) -> BlockProver:
    """Prove a chain of headers; each is made from the hash of the one before it."""
    prover, parent = BlockProver([b"\x11" * 20], 1, 9), bytes(32)
    for number, options in enumerate(raws, start=9):
        raw = sealed(number, parent=parent, **options)
        parent = read_header(raw).hash
        prover.prove(encode_bare_record(raw))
    return prover


def test_block_prover__of_a_sealed_chain__counts_seals_and_names_what_is_wrong() -> None:
    prover = chain([{}, {}, {}])
    assert (prover.tally.sealed, prover.validators.seals, prover.unexplained) == (3, 9, None)

    five = {"validators": KEYS[:5], "by": KEYS[:5]}
    assert chain([{}, five, five]).unexplained == 10

    with pytest.raises(WrongBlock) as caught:
        chain([{}, {"by": FOUR[:2]}])
    assert (caught.value.finding.code, caught.value.finding.block) == ("blocks.seals", 10)
