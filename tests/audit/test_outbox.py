"""Acts on the chain by our keys that the database knows nothing of, and what it only says."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, update

from ledger.audit.comparing import Comparison
from ledger.chain.keccak import keccak256
from ledger.chain.signers import LocalSigner
from ledger.outbox.explaining import SeenAct, find_unexplained
from ledger.store.engine import open_engine
from ledger.store.outbox_tables import attempts, operations
from ledger.store.schema import upgrade_schema
from tests.audit.conftest import Audited

Acts = dict[bytes, SeenAct]


@pytest.fixture(scope="module")
def acts(audited: Audited) -> Acts:
    with Comparison.opened(audited.bundle) as comparison:
        for _ in comparison.history():
            pass
        return {each.transaction_hash: SeenAct(*each) for each in comparison.acts}


@pytest.fixture
def engine(tmp_path: Path, audited: Audited, acts: Acts) -> Iterator[Engine]:
    """A database whose outbox explains every act of the issuer's, and knows no other key."""
    found = open_engine(f"sqlite:///{tmp_path / 'moonlake.sqlite3'}", durable=False)
    upgrade_schema(found)
    issuer = audited.ledger.officers["issuer"].address
    genesis = audited.ledger.deployment.genesis_hash
    with found.begin() as connection:
        for number, act in enumerate(each for each in acts.values() if each.sender == issuer):
            connection.execute(
                insert(operations).values(
                    operation_id=act.transaction_hash,
                    genesis_hash=genesis,
                    command="award",
                    summary="",
                    contract="Credits",
                    calldata=b"",
                    sender=issuer,
                    state="final",
                    created_at=0,
                    updated_at=0,
                    first_sequence=1,
                    last_sequence=1,
                )
            )
            connection.execute(
                insert(attempts).values(
                    operation_id=act.transaction_hash,
                    number=1,
                    sender=issuer,
                    nonce=number,
                    transaction_hash=act.transaction_hash,
                    raw=b"",
                    signed_at=0,
                    block_number=act.block_number,
                )
            )
    yield found
    found.dispose()


def unexplained(audited: Audited, engine: Engine, acts: Acts, *keys: bytes) -> list[object]:
    last, genesis = audited.anchor.block_number, audited.ledger.deployment.genesis_hash
    with engine.connect() as connection:
        return list(find_unexplained(connection, genesis, acts, last, keys))


def test_outbox__that_explains_all_acts_of_its_keys__has_nothing_unexplained(
    audited: Audited, engine: Engine, acts: Acts
) -> None:
    assert unexplained(audited, engine, acts) == []


def test_act__of_a_key_of_ours_without_an_operation__is_named_with_its_place(
    audited: Audited, engine: Engine, acts: Acts
) -> None:
    issuer = audited.ledger.officers["issuer"].address
    act = next(each for each in acts.values() if each.sender == issuer)
    with engine.begin() as connection:
        connection.execute(attempts.delete().where(attempts.c.operation_id == act.transaction_hash))

    with Comparison.opened(audited.bundle) as comparison:
        for found in unexplained(audited, engine, acts):
            comparison.add_unexplained(found)  # type: ignore[arg-type]

    assert comparison.findings.counts == {"outbox.unexplained": 1}
    finding = next(iter(comparison.findings))
    assert finding.row == f"transaction 0x{act.transaction_hash.hex()}"
    assert (finding.block, finding.log_index) == (act.block_number, act.log_index)


def test_act__of_another_key_that_is_said_to_be_ours__is_named_unless_it_made_a_contract(
    audited: Audited, engine: Engine, acts: Acts
) -> None:
    admin = LocalSigner(keccak256(b"admin")).address  # since then another has taken over
    by_admin = [each for each in acts.values() if each.sender == admin]
    assert any(each.creates for each in by_admin)

    found = unexplained(audited, engine, acts, admin)

    assert len(found) == sum(not each.creates for each in by_admin) > 0


def test_operation__whose_transaction_is_not_where_the_database_says__is_named(
    audited: Audited, engine: Engine, acts: Acts
) -> None:
    issuer = audited.ledger.officers["issuer"].address
    act = next(each for each in acts.values() if each.sender == issuer)
    with engine.begin() as connection:
        connection.execute(
            update(attempts)
            .where(attempts.c.operation_id == act.transaction_hash)
            .values(block_number=act.block_number + 1)
        )

    with Comparison.opened(audited.bundle) as comparison:
        for found in unexplained(audited, engine, acts):
            comparison.add_unexplained(found)  # type: ignore[arg-type]

    assert comparison.findings.counts == {"outbox.no_act": 1}
