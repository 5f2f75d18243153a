"""Which acts on the chain by our keys no operation of ours explains; and the other way round.

Whoever takes a key away, or signs with it past the outbox, leaves a transaction on the chain that
this database never heard of. It is given proved transactions as plain values, from a bundle, and
compares them by their hash: an attempt has the bytes that were signed. It asks no node.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from ledger.store.outbox_tables import attempts, key_leases, operations


@dataclass(frozen=True, slots=True)
class SeenAct:
    """A proved transaction that wrote into the ledger; `log_index` is that of its first line."""

    transaction_hash: bytes
    sender: bytes
    creates: bool
    block_number: int
    log_index: int


@dataclass(frozen=True, slots=True)
class Unexplained:
    """An act of one of our keys without an operation, or an operation without an act.

    `operation_id` is empty for the first, `log_index` None for the second.
    """

    transaction_hash: bytes
    sender: bytes
    operation_id: bytes
    block_number: int
    log_index: int | None


def find_unexplained(
    connection: Connection,
    genesis_hash: bytes,
    acts: Mapping[bytes, SeenAct],
    last_block: int,
    more_keys: Collection[bytes] = (),
) -> Iterator[Unexplained]:
    """Compare the outbox of one chain with all acts up to a block, by transaction hash.

    Our keys are those that the outbox ever signed with, and `more_keys`. A contract's making is
    the deployment's, and not an operation's.
    """
    signed = {
        bytes(hash_): (bytes(sender), bytes(operation_id))
        for hash_, sender, operation_id in connection.execute(
            select(attempts.c.transaction_hash, attempts.c.sender, attempts.c.operation_id)
            .join(operations, operations.c.operation_id == attempts.c.operation_id)
            .where(operations.c.genesis_hash == genesis_hash)
        )
    }
    leased = select(key_leases.c.sender).where(key_leases.c.genesis_hash == genesis_hash)
    ours = {sender for sender, _ in signed.values()}
    ours |= {bytes(row[0]) for row in connection.execute(leased)}
    ours.update(more_keys)
    for act in acts.values():
        if act.sender in ours and not act.creates and act.transaction_hash not in signed:
            yield Unexplained(
                act.transaction_hash, act.sender, b"", act.block_number, act.log_index
            )
    yield from _without_act(connection, genesis_hash, acts, last_block)


def _without_act(
    connection: Connection, genesis_hash: bytes, acts: Mapping[bytes, SeenAct], last_block: int
) -> Iterator[Unexplained]:
    """Operations that are said to have written lines by then, in a block that has no such act."""
    said = connection.execute(
        select(
            attempts.c.transaction_hash,
            attempts.c.sender,
            attempts.c.operation_id,
            attempts.c.block_number,
        )
        .join(operations, operations.c.operation_id == attempts.c.operation_id)
        .where(
            operations.c.genesis_hash == genesis_hash,
            operations.c.first_sequence.is_not(None),
            attempts.c.block_number <= last_block,
        )
        .order_by(attempts.c.block_number, attempts.c.transaction_hash)
    )
    for hash_, sender, operation_id, block in said:
        act = acts.get(bytes(hash_))
        if act is None or act.block_number != block:
            yield Unexplained(bytes(hash_), bytes(sender), bytes(operation_id), block, None)
