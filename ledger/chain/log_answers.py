"""Logs as `eth_getLogs` tells them, held against proved headers as far as headers go.

A header proves that a log cannot be of its block (the hash that it names, the bloom); it cannot
prove that a log is, or that none is missing. What can is the journal of the contract that emitted
them, which whoever calls this must follow.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from ledger.chain.headers import Header, bloom_of
from ledger.chain.receipts import Log, LogAnswer, read_log
from ledger.domain.ids import BlockNumber
from ledger.errors import NotProved

_TOPIC = 32


def check_logs(
    headers: Sequence[Header], answers: Sequence[LogAnswer], addresses: frozenset[bytes]
) -> list[Log]:
    """The logs of some contracts in some blocks, in order. Raises NotProved with what is wrong.

    `headers` are proved, and those of all blocks that were asked for.
    """
    by_number = {header.number: header for header in headers}
    logs: list[Log] = []
    before = (-1, -1)
    for answer in answers:
        log = _read(answer, headers[0])
        header = by_number.get(log.block_number)
        if header is None:
            raise NotProved(block=log.block_number, problem="a log of it was not asked for")
        if answer.block_hash != "0x" + header.hash.hex():
            named = f"a log names the block hash {answer.block_hash[:66]}"
            raise NotProved(
                block=header.number, problem=f"{named} instead of 0x{header.hash.hex()}"
            )
        if log.address not in addresses:
            raise NotProved(block=header.number, problem="a log of another contract")
        if (log.block_number, log.log_index) <= before:
            raise NotProved(
                block=header.number, problem=f"log {log.log_index} is twice or not in order"
            )
        before = (log.block_number, log.log_index)
        logs.append(log)
    _check_transactions(logs)
    _check_blooms(by_number, logs)
    return logs


def _read(answer: LogAnswer, first: Header) -> Log:
    try:
        return read_log(answer)
    except (ValueError, IndexError) as error:
        raise NotProved(block=first.number, problem=f"or after it: {error}") from error


def _check_transactions(logs: Iterable[Log]) -> None:
    """Each transaction has one hash and one place, and no two have the same."""
    places: dict[bytes, tuple[int, int]] = {}
    hashes: dict[tuple[int, int], bytes] = {}
    for log in logs:
        place = (log.block_number, log.transaction_index)
        if (
            hashes.setdefault(place, log.transaction_hash) != log.transaction_hash
            or places.setdefault(log.transaction_hash, place) != place
        ):
            raise NotProved(
                block=log.block_number,
                problem=f"log {log.log_index} names another transaction than its place has",
            )


def _check_blooms(headers: Mapping[BlockNumber, Header], logs: Iterable[Log]) -> None:
    needles: dict[BlockNumber, set[bytes]] = {}
    for log in logs:
        found = needles.setdefault(log.block_number, set())
        found.add(log.address)
        topics = log.topics
        found.update(topics[at : at + _TOPIC] for at in range(0, len(topics), _TOPIC))
    for number, found in needles.items():
        bloom = int.from_bytes(bloom_of(found), "big")
        if bloom & ~int.from_bytes(headers[number].logs_bloom, "big"):
            raise NotProved(block=number, problem="the header's bloom lacks a log that was told")
