"""Block headers: typed answers, their hashes recomputed, runs of them linked, bloom filters.

A header is the root of everything that Moonlake believes about a block. It is used only after its
hash has been recomputed from its fields; a field that this module does not know changes the hash,
so that a header of a later fork is refused and never half understood. What this module does not
do: decide which of two good chains is the right one; who sealed a block is for `seals`.

Forks: London (EIP-1559), Shanghai (EIP-4895), Cancun (EIP-4844, EIP-4788), Prague (EIP-7685),
Osaka (no new field), as of anvil 1.7, geth and Besu; and Besu's IBFT 2.0 and QBFT, whose block
hash leaves out the seals and the round (see `_bft_extra_data`).
"""

from __future__ import annotations

from binascii import unhexlify
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from struct import unpack
from typing import cast

import msgspec

from ledger.chain.keccak import keccak256
from ledger.chain.rlp import (
    EMPTY_LIST,
    EMPTY_STRING,
    NotCanonical,
    decode,
    decode_int,
    encode,
    encode_bytes,
    encode_int,
    encode_list,
)
from ledger.domain.ids import BlockNumber
from ledger.errors import NotProved

BLOOM_BYTES = 256
_LAST = (1 << 63) - 1  # what a database's number holds
_BLOOM_BITS = 8 * BLOOM_BYTES

BFT_MIX_HASH = bytes.fromhex("63746963616c2062797a616e74696e65206661756c7420746f6c6572616e6365")
"""keccak256("Istanbul practical byzantine fault tolerance"), in place of a mix hash."""

_BFT_MIX_HASH = "0x" + BFT_MIX_HASH.hex()


class HeaderAnswer(msgspec.Struct, rename="camel", gc=False, kw_only=True):
    """What `eth_getBlockBy…` answers, as far as a block's hash depends on it; hex as it came."""

    number: str
    hash: str
    parent_hash: str
    sha3_uncles: str
    miner: str
    state_root: str
    transactions_root: str
    receipts_root: str
    logs_bloom: str
    difficulty: str
    gas_limit: str
    gas_used: str
    timestamp: str
    extra_data: str
    mix_hash: str
    nonce: str
    base_fee_per_gas: str | None = None
    withdrawals_root: str | None = None
    blob_gas_used: str | None = None
    excess_blob_gas: str | None = None
    parent_beacon_block_root: str | None = None
    requests_hash: str | None = None


@dataclass(frozen=True, slots=True)
class Header:
    """A header whose hash was recomputed; roots and hashes 32 bytes, the bloom 256."""

    number: BlockNumber
    hash: bytes
    parent_hash: bytes
    state_root: bytes
    receipts_root: bytes
    transactions_root: bytes
    logs_bloom: bytes
    timestamp: int


def encode_header(answer: HeaderAnswer) -> bytes:
    """The header's RLP as blocks carry it, seals and all. Raises NotProved if a field is odd."""
    return _encode(answer, _roots(answer), _extra_data(answer))


def header_hash(answer: HeaderAnswer) -> bytes:
    """The block hash that the fields give. Raises NotProved if a field is odd."""
    return _hash(answer, _roots(answer))


def check_header(answer: HeaderAnswer) -> Header:
    """The proved value of one header. Raises NotProved if its hash is not that of its fields."""
    roots = _roots(answer)
    found = _hash(answer, roots)
    if "0x" + found.hex() != answer.hash:
        raise NotProved(block=_shown(answer), problem="the hash is not that of the header's fields")
    number, timestamp = int(answer.number, 16), int(answer.timestamp, 16)
    if max(number, timestamp) > _LAST:
        raise NotProved(block=_shown(answer), problem="its number or time is beyond all chains")
    return Header(
        number=BlockNumber(number),
        hash=found,
        parent_hash=roots[1:33],
        state_root=roots[88:120],
        receipts_root=roots[154:186],
        transactions_root=roots[121:153],
        logs_bloom=roots[189:445],
        timestamp=timestamp,
    )


def check_headers(
    answers: Sequence[HeaderAnswer], *, first: BlockNumber, parent_hash: bytes | None
) -> list[Header]:
    """The proved values of a run of headers from block `first` on, each the child of the last.

    `parent_hash` is the hash of block `first - 1`, or None where that block is not known. Raises
    NotProved with the first block that does not follow.
    """
    headers = []
    for number, answer in enumerate(answers, start=first):
        header = check_header(answer)
        if header.number != number:
            raise NotProved(block=number, problem=f"block {header.number} was given in its place")
        if parent_hash is not None and header.parent_hash != parent_hash:
            raise NotProved(block=number, problem="it is not the child of the block before it")
        parent_hash = header.hash
        headers.append(header)
    return headers


_FIXED_FIELDS = {0: 32, 1: 32, 2: 20, 3: 32, 4: 32, 5: 32, 6: BLOOM_BYTES, 13: 32, 14: 8}
_NUMBERS = (7, 8, 9, 10, 11)
_FEWEST_FIELDS = 15


def read_header(raw: bytes) -> Header:
    """The value of a header in its consensus encoding, as `encode_header` writes it, and its hash.

    What proves it is the hash, which the caller must know from elsewhere: from a header that is its
    child, or from somebody who is trusted. Raises NotCanonical.
    """
    fields = decode(raw)
    if not isinstance(fields, list) or len(fields) < _FEWEST_FIELDS:
        raise NotCanonical("a header has at least fifteen fields")
    if not all(isinstance(field, bytes) for field in fields):
        raise NotCanonical("a header's fields are no lists")
    if any(len(fields[place]) != size for place, size in _FIXED_FIELDS.items()):
        raise NotCanonical("a root, the bloom, the mix hash or the nonce has an odd length")
    for place in _NUMBERS:
        decode_int(fields[place])
    number, timestamp = decode_int(fields[8]), decode_int(fields[11])
    if max(number, timestamp) > _LAST:
        raise NotCanonical("its number or time is beyond all chains")
    hashed = raw
    if fields[13] == BFT_MIX_HASH:
        parts = [encode(field) for field in fields]
        parts[12] = encode_bytes(_bft_extra_data(cast("bytes", fields[12])))
        hashed = encode_list(parts)
    parent, _, _, state, transactions, receipts, bloom = cast("list[bytes]", fields[:7])
    return Header(
        number=BlockNumber(number),
        hash=keccak256(hashed),
        parent_hash=parent,
        state_root=state,
        receipts_root=receipts,
        transactions_root=transactions,
        logs_bloom=bloom,
        timestamp=timestamp,
    )


# --- encoding -----------------------------------------------------------------------------------

_ROOTS_SIZE = 445


def _hash(answer: HeaderAnswer, roots: bytes) -> bytes:
    extra_data = _extra_data(answer)
    if answer.mix_hash == _BFT_MIX_HASH:
        extra_data = _bft_extra_data(extra_data)
    return keccak256(_encode(answer, roots, extra_data))


def _roots(answer: HeaderAnswer) -> bytes:
    """The encoding of a header's first seven fields, which have fixed lengths and so fixed places.

    Only the length of the whole is looked at: what is read from it later is what was hashed.
    """
    encoded = _unhex(
        answer,
        "a root",
        f"a0{answer.parent_hash[2:]}a0{answer.sha3_uncles[2:]}94{answer.miner[2:]}"
        f"a0{answer.state_root[2:]}a0{answer.transactions_root[2:]}a0{answer.receipts_root[2:]}"
        f"b90100{answer.logs_bloom[2:]}",
    )
    if len(encoded) != _ROOTS_SIZE:
        raise NotProved(block=_shown(answer), problem="a root or the bloom has an odd length")
    return encoded


def _encode(answer: HeaderAnswer, roots: bytes, extra_data: bytes) -> bytes:
    seal = _unhex(answer, "the seal", f"a0{answer.mix_hash[2:]}88{answer.nonce[2:]}")
    if len(seal) != 42:
        raise NotProved(block=_shown(answer), problem="the mix hash or nonce has an odd length")
    parts = [
        roots,
        _quantity(answer, answer.difficulty),
        _quantity(answer, answer.number),
        _quantity(answer, answer.gas_limit),
        _quantity(answer, answer.gas_used),
        _quantity(answer, answer.timestamp),
        encode_bytes(extra_data),
        seal,
    ]
    # What forks appended, in order. What a header has of it stands one after the other: anvil's
    # block 0 before Shanghai has the blob fields of Cancun but not what Shanghai put before them.
    if answer.base_fee_per_gas is not None:
        parts.append(_quantity(answer, answer.base_fee_per_gas))
    if answer.withdrawals_root is not None:
        parts.append(_word(answer, answer.withdrawals_root))
    if answer.blob_gas_used is not None:
        parts.append(_quantity(answer, answer.blob_gas_used))
    if answer.excess_blob_gas is not None:
        parts.append(_quantity(answer, answer.excess_blob_gas))
    if answer.parent_beacon_block_root is not None:
        parts.append(_word(answer, answer.parent_beacon_block_root))
    if answer.requests_hash is not None:
        parts.append(_word(answer, answer.requests_hash))
    return encode_list(parts)


def _bft_extra_data(extra_data: bytes) -> bytes:
    """Extra data as IBFT 2.0 and QBFT hash it: without the seals, which sign that hash.

    Both are lists of vanity, validators, vote, round and seals. QBFT hashes it with round 0 and an
    empty list of seals, IBFT 2.0 without either (Besu, `BftBlockHashing`, the on-chain hash). They
    are told apart by the round: four bytes in IBFT 2.0, a number without leading zeros in QBFT.
    """
    try:
        items = decode(extra_data)
    except NotCanonical:
        return extra_data
    if not isinstance(items, list) or len(items) != 5:
        return extra_data
    kept = [encode(item) for item in items[:3]]
    is_ibft2 = isinstance(items[3], bytes) and len(items[3]) == 4 and items[3][0] == 0
    return encode_list(kept if is_ibft2 else [*kept, EMPTY_STRING, EMPTY_LIST])


def _extra_data(answer: HeaderAnswer) -> bytes:
    if answer.extra_data[:2] != "0x":
        raise NotProved(block=_shown(answer), problem="the extra data are not hex")
    return _unhex(answer, "the extra data", answer.extra_data[2:])


def _word(answer: HeaderAnswer, text: str) -> bytes:
    return encode_bytes(_unhex(answer, "a root", text[2:]))


def _unhex(answer: HeaderAnswer, what: str, digits: str) -> bytes:
    try:
        return unhexlify(digits)
    except ValueError as error:
        raise NotProved(block=_shown(answer), problem=f"{what} is not hex") from error


def _quantity(answer: HeaderAnswer, text: str) -> bytes:
    try:
        value = int(text, 16)
    except ValueError:
        value = -1
    if value < 0 or hex(value) != text:  # Python writes a negative number in hex too
        raise NotProved(
            block=_shown(answer), problem=f"{text:.20} is not a number as JSON-RPC writes it"
        )
    return encode_int(value)


def _shown(answer: HeaderAnswer) -> int | str:
    """The block as the answer names it, bounded, for a message about an answer that is odd."""
    try:
        return int(answer.number[:20], 16)
    except ValueError:
        return answer.number[:20]


# --- blooms -------------------------------------------------------------------------------------


def bloom_of(needles: Iterable[bytes]) -> bytes:
    """The bloom (256 bytes) of addresses and topics (Yellow Paper, 4.3.1)."""
    return _bloom_bits(needles).to_bytes(BLOOM_BYTES, "big")


def _bloom_bits(needles: Iterable[bytes]) -> int:
    """Three bits for each needle, numbered by the first three 16-bit words of its hash."""
    digests = b"".join([keccak256(needle)[:6] for needle in needles])
    bits = 0
    for word in unpack(f">{len(digests) // 2}H", digests):
        bits |= _BITS[word % _BLOOM_BITS]
    return bits


_BITS = tuple(1 << place for place in range(_BLOOM_BITS))


def bloom_may_contain(bloom: bytes, needle: bytes) -> bool:
    """Whether an address or topic may be among those of `bloom`; False is certain."""
    mask = _bloom_bits((needle,))
    return int.from_bytes(bloom, "big") & mask == mask


class BloomFilter:
    """Tells from a header's bloom alone that none of some addresses logged anything in a block."""

    __slots__ = ("_masks",)

    def __init__(self, addresses: Iterable[bytes]) -> None:
        self._masks = tuple({_bloom_bits((address,)) for address in addresses})

    def may_match(self, bloom: bytes) -> bool:
        """Whether a block with this bloom may hold a log of one of the addresses."""
        bits = int.from_bytes(bloom, "big")
        return any(bits & mask == mask for mask in self._masks)
